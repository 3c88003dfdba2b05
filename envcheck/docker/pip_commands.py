"""The command lines of pip and ``uv pip``, read as far as environments depend on them.

Options are those of pip's ``cli/cmdoptions.py`` and of ``uv pip install --help``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from envcheck.docker.options import parse
from envcheck.docker.shell import ShellCommand, Word

__all__ = ["PipCommand", "read_pip", "read_pip_config", "with_configured_indexes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipCommand:
    """``pip install``: requirement files and requirements, with the indexes that it names."""

    words: tuple[str, ...]
    files: tuple[Word, ...] = ()
    constraints: tuple[Word, ...] = ()
    specs: tuple[Word, ...] = ()
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    no_cache: bool = False
    local: bool = False
    unknown: bool = False


_PIP_VALUES = {
    **dict.fromkeys(("-r", "--requirement", "--requirements"), "file"),
    **dict.fromkeys(("-c", "--constraint"), "constraint"),
    **dict.fromkeys(("-e", "--editable"), "editable"),
    **dict.fromkeys(("-i", "--index-url"), "--index-url"),
    **dict.fromkeys(("-f", "--find-links"), "--find-links"),
    **{option: option for option in ("--extra-index-url", "--trusted-host")},
    **dict.fromkeys(
        [
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--src",
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--upgrade-strategy",
            "--global-option",
            "--config-settings",
            "-C",
            "--no-binary",
            "--only-binary",
            "--progress-bar",
            "--report",
            "--timeout",
            "--retries",
            "--cache-dir",
            "--proxy",
            "--cert",
            "--python",
            "--log",
            "--exists-action",
            "--build-option",
            "--use-feature",
            "--root-user-action",
            "-p",
            "--index-strategy",
        ],
        "other",
    ),
}


def read_pip(command: ShellCommand) -> PipCommand | None:
    """A ``pip install``, however pip is started; ``None`` for any other command."""
    words = list(command.words)
    name = command.name
    if re.fullmatch(r"python[\d.]*", name) and [word.text for word in words[1:3]] == ["-m", "pip"]:
        words = words[2:]
    elif name == "uv" and len(words) > 1 and words[1].text == "pip":
        words = words[1:]
    elif not re.fullmatch(r"pip[\d.]*", name):
        return None
    rest = words[1:]
    while rest and rest[0].text.startswith("-"):
        del rest[0]
    if not rest or rest[0].text != "install":
        return None
    return _pip_install(command, rest[1:])


def _pip_install(command: ShellCommand, rest: Sequence[Word]) -> PipCommand:
    parsed = parse(rest, _PIP_VALUES)
    local = [word for word in parsed.positional if _is_local(word.text)]
    return PipCommand(
        words=tuple(word.text for word in command.words),
        files=tuple(word for key, word in parsed.values if key == "file"),
        constraints=tuple(word for key, word in parsed.values if key == "constraint"),
        specs=tuple(word for word in parsed.positional if word not in local and word.text),
        options=tuple((key, word.text) for key, word in parsed.values if key.startswith("--")),
        no_cache="--no-cache-dir" in parsed.flags or "--no-cache" in parsed.flags,
        local=bool(local) or any(key == "editable" for key, _ in parsed.values),
        unknown=not all(word.certain for word in command.words),
    )


# pip.pypa.io/en/stable/topics/configuration (environment variables), docs.astral.sh/uv/reference/environment.
_VARIABLES = (
    ("PIP_INDEX_URL", "--index-url", "pip"),
    ("PIP_EXTRA_INDEX_URL", "--extra-index-url", "pip"),
    ("PIP_FIND_LINKS", "--find-links", "pip"),
    ("UV_DEFAULT_INDEX", "--index-url", "uv"),
    ("UV_INDEX_URL", "--index-url", "uv"),
    ("UV_INDEX", "--extra-index-url", "uv"),
    ("UV_EXTRA_INDEX_URL", "--extra-index-url", "uv"),
    ("UV_FIND_LINKS", "--find-links", "uv"),
)


def with_configured_indexes(pip: PipCommand, settings: Mapping[str, str]) -> PipCommand:
    """The command with the package indexes of its environment variables, where it names none of that kind itself."""
    tool = "uv" if pip.words[0].rsplit("/", 1)[-1] == "uv" else "pip"
    options = list(pip.options)
    for variable, option, of in _VARIABLES:
        if of == tool and option not in {name for name, _ in pip.options}:
            options += [(option, value) for value in settings.get(variable, "").split()]
    return replace(pip, options=tuple(options))


def read_pip_config(command: ShellCommand) -> tuple[str, str] | None:
    """What ``pip config set global.index-url URL`` sets, as the environment variable that says the same."""
    words = [word.text for word in command.words if not word.text.startswith("--")]
    if not re.fullmatch(r"pip[\d.]*", command.name) or words[1:3] != ["config", "set"] or len(words) < 5:
        return None
    name = words[3].rpartition(".")[2].replace("-", "_").upper()
    return f"PIP_{name}", words[4]


def _is_local(text: str) -> bool:
    return text.startswith((".", "/", "~")) or text.endswith((".whl", ".tar.gz", ".zip"))
