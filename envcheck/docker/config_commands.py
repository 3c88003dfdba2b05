"""``conda config`` and ``micromamba config``: what they change."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.docker.commands import CONDA_LIKE, subcommand
from envcheck.docker.shell import ShellCommand

__all__ = ["ConfigChange", "read_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One change that ``conda config`` or ``micromamba config`` makes; ``how`` is prepend, append, set or remove."""

    how: str
    key: str
    value: str


def read_config(command: ShellCommand) -> tuple[ConfigChange, ...]:
    """What ``conda config`` or ``micromamba config`` changes, in order."""
    if command.name not in CONDA_LIKE:
        return ()
    action, rest = subcommand(command.words[1:])
    if action != "config":
        return ()
    words = [word.text for word in rest if word.text not in ("--system", "--env", "--global", "--local")]
    found: list[ConfigChange] = []
    position = 0
    # micromamba and mamba 2: ``config append channels conda-forge``
    if command.name in ("micromamba", "mamba") and words and words[0] in ("append", "prepend", "set", "remove"):
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
