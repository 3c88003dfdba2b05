"""Commands that hold other commands, and what else a command line gives away: activations, shells, written files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from envcheck.docker.commands import CONDA_LIKE
from envcheck.docker.shell import ShellCommand, Word

__all__ = [
    "activates",
    "conda_run",
    "environment_of_shell",
    "hooked",
    "inline",
    "is_login",
    "quiet",
    "written",
]


def is_login(word: str) -> bool:
    """Whether an option has a shell read its start-up files: ``-l``, ``-lc``, ``-i``, ``--login``."""
    return word == "--login" or re.fullmatch(r"-[a-z]*[li][a-z]*", word) is not None


def environment_of_shell(shell: Sequence[str]) -> str | None:
    """``SHELL ["conda", "run", "-n", "demo", "/bin/bash", "-c"]`` runs everything in that environment."""
    words = tuple(Word(text=one) for one in shell)
    if words and words[0].text.rsplit("/", 1)[-1] in CONDA_LIKE:
        found = conda_run(ShellCommand(words=words))
        return None if found is None else found[0]
    return None


def inline(command: ShellCommand) -> Word | None:
    """The text that ``bash -lc '…'`` is given."""
    for position, word in enumerate(command.words[1:], start=1):
        if re.fullmatch(r"-[a-z]*c[a-z]*", word.text) and position + 1 < len(command.words):
            return next((one for one in command.words[position + 1 :] if not one.text.startswith("-")), None)
    return None


def activates(command: ShellCommand) -> bool:
    """Whether a command activates an environment."""
    words = [word.text for word in command.words]
    if command.name in (".", "source"):
        return len(words) > 1 and words[1].rsplit("/", 1)[-1] == "activate"
    return command.name == "activate" or (len(words) > 1 and words[1] == "activate")


def quiet(command: ShellCommand) -> bool:
    """Whether a command behind an activation does nothing in the environment."""
    words = [word.text for word in command.words]
    return command.name in ("echo", "true", ":", "cd", "rm") or words[1:2] in (["deactivate"], ["clean"])


def hooked(commands: Sequence[ShellCommand], text: str) -> bool:
    """Whether the shell was told of ``conda activate`` before, in the same RUN."""
    if re.search(r"shell\.?\w*[ .]hook|conda\.sh|mamba\.sh|shell hook", text):
        return True
    return any(one.name in (".", "source") for one in commands)


def conda_run(command: ShellCommand) -> tuple[str, ShellCommand] | None:
    """``conda run -n NAME command``: the environment and the command."""
    words = list(command.words)
    if len(words) < 2 or words[1].text != "run":
        return None
    position = 2
    name = "base"
    while position < len(words) and words[position].text.startswith("-"):
        option, equals, value = words[position].text.partition("=")
        if option in ("-n", "--name", "-p", "--prefix", "--cwd", "-r", "--root-prefix", "-e", "--env"):
            if not equals and position + 1 < len(words):
                position += 1
                value = words[position].text
            if option in ("-n", "--name", "-p", "--prefix"):
                name = value
        position += 1
    return name, replace(command, words=tuple(words[position:]), redirects=())


def written(command: ShellCommand) -> bytes | None:
    """What a command writes to its output, where that is plain to see."""
    for redirect in command.redirects:
        if redirect.body is not None and command.name in ("cat", "tee", ""):
            return redirect.body.encode("utf-8", "replace")
    if command.name not in ("echo", "printf") or not all(word.certain for word in command.words):
        return None
    words = [word.text for word in command.words[1:]]
    while words and words[0] in ("-e", "-n", "-E", "-ne", "-en", "--"):
        del words[0]
    text = " ".join(words)
    if command.name == "printf" and words and "%s" in words[0]:
        text = "".join(words[0].replace("%s", one) for one in words[1:])
    return (text.replace("\\n", "\n").replace("\\t", "\t") + "\n").encode("utf-8", "replace")
