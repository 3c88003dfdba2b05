"""The command lines of conda, mamba, micromamba, pixi, conda-lock and pip, read as far as environments depend on them.

Options are those of ``conda/cli/conda_argparse.py`` and ``helpers.py``, of ``micromamba/src``, of pip's
``cli/cmdoptions.py``, of ``conda_lock/conda_lock.py`` and of ``pixi install --help``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from envcheck.docker.shell import ShellCommand, Word

__all__ = [
    "CONDA_LIKE",
    "CondaCommand",
    "ConfigChange",
    "PipCommand",
    "read_conda",
    "read_config",
    "read_pip",
    "unwrapped",
]

CONDA_LIKE = frozenset({"conda", "mamba", "micromamba"})

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
_BARE = {
    **dict.fromkeys(("-y", "--yes", "--assume-yes"), "yes"),
    "--override-channels": "override",
    "--strict-channel-priority": "strict",
    "--no-channel-priority": "no-priority",
    **dict.fromkeys(("--dry-run", "-d"), "dry"),
    "--all": "all",
}
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
    known only when it runs.
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
    redirected: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One change that ``conda config`` or ``micromamba config`` makes; ``how`` is prepend, append, set or remove."""

    how: str
    key: str
    value: str


@dataclass(slots=True)
class _Parsed:
    """Options and positional words of one command."""

    values: list[tuple[str, Word]] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    positional: list[Word] = field(default_factory=list)


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
    action, rest = _action(command.words[1:])
    if action not in ("create", "install", "update", "upgrade", "env create", "env update"):
        return None
    parsed = _parse(rest, _VALUES)
    if "dry" in parsed.flags:
        return None
    name = _last(parsed, "name")
    prefix = _last(parsed, "prefix")
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
        platform=None if (found := _last(parsed, "platform")) is None else found.text,
        yes="yes" in parsed.flags or any(word.text in ("-y", "--yes") for word in command.words),
        everything="all" in parsed.flags,
        clone=_last(parsed, "clone") is not None,
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
    parsed = _parse(words[1:], _VALUES | _VALUES_OF_CONDA_LOCK)
    name, prefix = _last(parsed, "name"), _last(parsed, "prefix")
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
    if not words or words[0].text not in ("install", "i"):
        return None
    parsed = _parse(
        words[1:], {"--manifest-path": "manifest", "-e": "name", "--environment": "name", "--color": "other"}
    )
    manifest = _last(parsed, "manifest")
    folder = "" if manifest is None or "/" not in manifest.text else manifest.text.rsplit("/", 1)[0] + "/"
    name = _last(parsed, "name")
    return CondaCommand(
        tool="pixi",
        action="install",
        words=tuple(word.text for word in command.words),
        name=None if name is None else name.text,
        files=(Word(text=f"{folder}pixi.lock", offset=command.offset),),
        yes=True,
        unknown=not all(word.certain for word in words),
    )


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


def _pip_install(command: ShellCommand, rest: Sequence[Word]) -> PipCommand:
    parsed = _parse(rest, _PIP_VALUES)
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


def _is_local(text: str) -> bool:
    return text.startswith((".", "/", "~")) or text.endswith((".whl", ".tar.gz", ".zip"))


def read_config(command: ShellCommand) -> tuple[ConfigChange, ...]:
    """What ``conda config`` or ``micromamba config`` changes, in order."""
    if command.name not in CONDA_LIKE:
        return ()
    action, rest = _action(command.words[1:])
    if action != "config":
        return ()
    words = [word.text for word in rest if word.text not in ("--system", "--env", "--global", "--local")]
    found: list[ConfigChange] = []
    position = 0
    # micromamba: ``config append channels conda-forge``
    if command.name == "micromamba" and words and words[0] in ("append", "prepend", "set", "remove"):
        positional = [word for word in words[1:] if not word.startswith("-")]
        if len(positional) >= 2:
            found.append(ConfigChange(how=words[0], key=positional[0], value=positional[1]))
        return tuple(found)
    how = {"--add": "prepend", "--prepend": "prepend", "--append": "append", "--set": "set", "--remove": "remove"}
    while position < len(words):
        word, _, _ = words[position].partition("=")
        if word in how and position + 2 < len(words):
            found.append(ConfigChange(how=how[word], key=words[position + 1], value=words[position + 2]))
            position += 3
        elif word == "--remove-key" and position + 1 < len(words):
            found.append(ConfigChange(how="remove", key=words[position + 1], value=""))
            position += 2
        else:
            position += 1
    return tuple(found)


def _action(words: Sequence[Word]) -> tuple[str, list[Word]]:
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


def _parse(words: Sequence[Word], takes: Mapping[str, str]) -> _Parsed:
    """Options apart from positional words; ``-yn base``, ``-nbase`` and ``--name=base`` are all understood."""
    parsed = _Parsed()
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        text = word.text
        if not text.startswith("-") or text == "-":
            if text:
                parsed.positional.append(word)
            continue
        name, equals, value = text.partition("=")
        if name in takes:
            if equals:
                parsed.values.append((takes[name], replace(word, text=value)))
            elif position < len(words):
                parsed.values.append((takes[name], words[position]))
                position += 1
        elif text.startswith("--") or len(text) == 2:
            parsed.flags.add(_BARE.get(name, name))
        else:
            position = _cluster(word, words, position, takes, parsed)
    return parsed


def _cluster(word: Word, words: Sequence[Word], position: int, takes: Mapping[str, str], parsed: _Parsed) -> int:
    """Short options in one word; the first that takes a value takes the rest."""
    letters = word.text[1:]
    for index, letter in enumerate(letters):
        option = f"-{letter}"
        if option in takes:
            rest = letters[index + 1 :].removeprefix("=")
            if rest:
                parsed.values.append((takes[option], replace(word, text=rest)))
            elif position < len(words):
                parsed.values.append((takes[option], words[position]))
                position += 1
            return position
        parsed.flags.add(_BARE.get(option, option))
    return position


def _last(parsed: _Parsed, key: str) -> Word | None:
    return next((word for name, word in reversed(parsed.values) if name == key), None)


def _split(words: Iterable[Word]) -> tuple[Word, ...]:
    """``-c a,b`` is two channels."""
    found: list[Word] = []
    for word in words:
        found += [replace(word, text=part) for part in word.text.split(",") if part]
    return tuple(found)


def _priority(parsed: _Parsed) -> str | None:
    if "strict" in parsed.flags:
        return "strict"
    if "no-priority" in parsed.flags:
        return "disabled"
    found = _last(parsed, "priority")
    return None if found is None else found.text
