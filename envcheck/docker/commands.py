"""The command lines of conda, mamba, micromamba, pixi and conda-lock, read as far as environments depend on them.

Options are those of ``conda/cli/conda_argparse.py`` and ``helpers.py``, of ``micromamba/src``, of
``conda_lock/conda_lock.py`` and of ``pixi install --help``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from envcheck.docker.options import Parsed, last, parse
from envcheck.docker.shell import ShellCommand, Word

__all__ = ["CONDA_LIKE", "TOOLS", "CondaCommand", "read_conda", "subcommand", "unwrapped"]

CONDA_LIKE = frozenset({"conda", "mamba", "micromamba"})
TOOLS = CONDA_LIKE | {"conda-lock", "pixi"}
"""The programs that make environments of conda's packages."""

# Options with a value that says nothing about the environment.
_OTHER_VALUES = (
    "--solver",
    "--experimental-solver",
    "--repodata-fn",
    "--revision",
    "--root-prefix",
    "-r",
    "--rc-file",
    "--log-level",
    "--category",
    "--ssl-verify",
    "--cacert-path",
    "--remote-fetch-params",
    "--lockfile",
    "--console",
    "--experimental",
    "--cuda-version",
    "--env-file",
    "--shell",
)
_VALUES = {
    **dict.fromkeys(("-n", "--name"), "name"),
    **dict.fromkeys(("-p", "--prefix"), "prefix"),
    **dict.fromkeys(("-c", "--channel", "--channels"), "channel"),
    **dict.fromkeys(("-f", "--file"), "file"),
    **dict.fromkeys(("--platform", "--subdir"), "platform"),
    "--channel-priority": "priority",
    "--clone": "clone",
    **dict.fromkeys(_OTHER_VALUES, "other"),
}
_VALUES_OF_CONDA_LOCK = {"-E": "other", "--extras": "other", "--conda": "other", "-f": "file", "--file": "file"}
_SUBCOMMANDS = frozenset(
    [
        "create",
        "install",
        "update",
        "upgrade",
        "remove",
        "uninstall",
        "env",
        "config",
        "clean",
        "activate",
        "run",
        "init",
        "shell",
        "tos",
        "info",
        "list",
        "search",
        "deactivate",
        "index",
        "build",
        "package",
        "self-update",
    ]
)

# What only starts another command, with its options that take a value.
_WRAPPERS: Mapping[str, frozenset[str]] = {
    "sudo": frozenset({"-u", "-g", "--user", "--group"}),
    "env": frozenset({"-u"}),
    "time": frozenset(),
    "exec": frozenset(),
    "command": frozenset(),
    "nice": frozenset({"-n"}),
    "nohup": frozenset(),
    "gosu": frozenset(),
    "timeout": frozenset({"-k", "-s"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaCommand:
    """A call of conda, mamba, micromamba, conda-lock or pixi that makes or changes an environment.

    ``action`` is ``create``, ``install``, ``update``, ``env create`` or ``env update``. ``specs`` are the words that
    name packages; ``redirected`` what was cut off of them at an unquoted ``>``; ``unknown`` says that some words are
    known only when it runs; ``runs`` that it makes the environment only to run something in it, as ``pixi run`` does.
    """

    tool: str
    action: str
    words: tuple[str, ...]
    name: str | None = None
    prefix: str | None = None
    files: tuple[Word, ...] = ()
    specs: tuple[Word, ...] = ()
    channels: tuple[Word, ...] = ()
    override_channels: bool = False
    priority: str | None = None
    platform: str | None = None
    yes: bool = False
    everything: bool = False
    clone: bool = False
    unknown: bool = False
    runs: bool = False
    redirected: tuple[str, ...] = ()


def unwrapped(command: ShellCommand) -> ShellCommand:
    """The command that ``sudo``, ``env``, ``time`` and their like start in the end."""
    words = list(command.words)
    assignments = list(command.assignments)
    for _ in range(8):
        name = words[0].text.rsplit("/", 1)[-1] if words else ""
        if name not in _WRAPPERS:
            break
        takes = _WRAPPERS[name]
        del words[0]
        while words and (words[0].text.startswith("-") or (name == "env" and "=" in words[0].text)):
            option = words.pop(0).text
            if name == "env" and not option.startswith("-"):
                key, _, value = option.partition("=")
                assignments.append((key, value))
            elif option in takes and words:
                del words[0]
        if name in ("gosu", "timeout") and words:
            del words[0]
    return replace(command, words=tuple(words), assignments=tuple(assignments))


def read_conda(command: ShellCommand) -> CondaCommand | None:
    """A call that makes or changes an environment, ``None`` for any other."""
    tool = command.name
    if tool == "conda-lock":
        return _conda_lock(command)
    if tool == "pixi":
        return _pixi(command)
    if tool not in CONDA_LIKE:
        return None
    action, rest = subcommand(command.words[1:])
    if action not in ("create", "install", "update", "upgrade", "env create", "env update"):
        return None
    parsed = parse(rest, _VALUES)
    if parsed.flags & {"dry", "--download-only"}:
        return None
    name = last(parsed, "name")
    prefix = last(parsed, "prefix")
    return CondaCommand(
        tool=tool,
        action="update" if action == "upgrade" else action,
        words=tuple(word.text for word in command.words),
        name=None if name is None else name.text,
        prefix=None if prefix is None else prefix.text,
        files=tuple(word for key, word in parsed.values if key == "file"),
        specs=() if action.startswith("env") else tuple(parsed.positional),
        channels=_split(word for key, word in parsed.values if key == "channel"),
        override_channels="override" in parsed.flags,
        priority=_priority(parsed),
        platform=None if (found := last(parsed, "platform")) is None else found.text,
        yes="yes" in parsed.flags or any(word.text in ("-y", "--yes") for word in command.words),
        everything="all" in parsed.flags,
        clone=last(parsed, "clone") is not None,
        unknown=not all(word.certain for word in command.words),
        redirected=tuple(
            one.target
            for one in command.redirects
            if one.operator == ">" and re.match(r"=?\d[\w.*]*$", one.target) and not command.name.startswith("/")
        ),
    )


def _conda_lock(command: ShellCommand) -> CondaCommand | None:
    words = [word for word in command.words[1:] if word.text not in ("--micromamba", "--mamba", "--no-mamba")]
    while words and words[0].text.startswith("-"):
        del words[0]
    if not words or words[0].text != "install":
        return None
    parsed = parse(words[1:], _VALUES | _VALUES_OF_CONDA_LOCK)
    name, prefix = last(parsed, "name"), last(parsed, "prefix")
    files = [word for key, word in parsed.values if key == "file"] + parsed.positional[:1]
    return CondaCommand(
        tool="conda-lock",
        action="install",
        words=tuple(word.text for word in command.words),
        name=None if name is None else name.text,
        prefix=None if prefix is None else prefix.text,
        files=tuple(files) or (Word(text="conda-lock.yml", offset=command.offset),),
        yes=True,
        unknown=not all(word.certain for word in command.words),
    )


def _pixi(command: ShellCommand) -> CondaCommand | None:
    words = list(command.words[1:])
    if not words or words[0].text not in ("install", "i", "run", "r", "shell-hook"):
        return None
    parsed = parse(
        words[1:],
        {
            **dict.fromkeys(("--manifest-path", "-m"), "manifest"),
            **dict.fromkeys(("-e", "--environment"), "name"),
            "--color": "other",
        },
    )
    manifest = last(parsed, "manifest")
    folder = "" if manifest is None or "/" not in manifest.text else manifest.text.rsplit("/", 1)[0] + "/"
    name = last(parsed, "name")
    return CondaCommand(
        tool="pixi",
        action="install",
        words=tuple(word.text for word in command.words),
        name=None if name is None else name.text,
        files=(Word(text=f"{folder}pixi.lock", offset=command.offset),),
        yes=True,
        runs=words[0].text not in ("install", "i"),
        unknown=not all(word.certain for word in words),
    )


def subcommand(words: Sequence[Word]) -> tuple[str, list[Word]]:
    """The subcommand and the words without it; options may stand before it (``micromamba -r DIR create``)."""
    for position, word in enumerate(words):
        if word.text not in _SUBCOMMANDS or (position and words[position - 1].text in _VALUES):
            continue
        rest = [*words[:position], *words[position + 1 :]]
        if word.text != "env":
            return word.text, rest
        for second, other in enumerate(rest):
            if other.text in ("create", "update"):
                return f"env {other.text}", [*rest[:second], *rest[second + 1 :]]
        return "env", rest
    return "", list(words)


def _split(words: Iterable[Word]) -> tuple[Word, ...]:
    """``-c a,b`` is two channels."""
    found: list[Word] = []
    for word in words:
        found += [replace(word, text=part) for part in word.text.split(",") if part]
    return tuple(found)


def _priority(parsed: Parsed) -> str | None:
    if "strict" in parsed.flags:
        return "strict"
    if "no-priority" in parsed.flags:
        return "disabled"
    found = last(parsed, "priority")
    return None if found is None else found.text
