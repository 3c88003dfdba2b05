"""Shell commands of a Dockerfile without what only conda needs: activation, installers, caches, installing.

A command line is cut at ``&&``, ``;`` and line ends where tree-sitter's grammar of bash sees them; what is a loop, a
condition, a pipeline or an alternative is left whole. Nothing is executed or expanded.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from envcheck.docker.writing_words import (
    TOOLS,
    Command,
    bare,
    flat,
    mentions_conda,
    program_of,
    run_command,
    split_commands,
    words_of,
)
from envcheck.language import say

__all__ = ["DEFAULT_SCOPE", "Removed", "Scope", "ShellRest", "exec_rest", "shell_rest"]

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash"})
_MAKING = frozenset({"create", "install", "update", "upgrade", "env"})

_COMPOUND = frozenset({"if", "for", "while", "until", "case", "{", "(", "function", "!", "[["})
_JOINTS = {"&&": " && ", ";": "; ", "&": " & ", "\n": "\n"}

_ON_PATH = say("the environment is on PATH without being activated")
_NO_CONDA = say("conda itself is not needed in the image")
_LOGIN = say("a login shell puts PATH back to the system's own")
_REPLACED = say("the lock is installed in its place")
_NO_CACHES = say("there are no caches in the image to clean up")
_LOCKED = say("what it names is in the lock, with hashes")

# Words by which the installers of conda and its like are fetched and run.
_INSTALLER = re.compile(
    r"miniforge|mambaforge|miniconda\d?|anaconda\d?\.sh|Anaconda3-|micro\.mamba\.pm|pixi\.sh/install", re.IGNORECASE
)
_RUN_INSTALLER = re.compile(r"\.sh\s.*(?<!\S)-[a-z]*b[a-z]*\s.*-p\s|\.sh\s+-[a-z]*b[a-z]*p\s")
_ROOT = re.compile(r"/opt/conda\b|\$\{?(?:MAMBA_ROOT_PREFIX|CONDA_DIR)\b")
_CACHE = re.compile(r"/opt/conda/pkgs|\.cache/pip|\.conda\b")
_OWNING = frozenset({"chown", "chgrp", "chmod"})
_FETCHING = frozenset({"curl", "wget", "bash", "sh", "rm", "chmod", "echo", "sha256sum", "tar", "mkdir"})
# A word begins here, also behind the \n of an echo.
_WORD = r"(?:(?<!\w)|(?<=\\n))"
_ACTIVATING = re.compile(
    rf"{_WORD}(?:conda|mamba|micromamba|source)\s+(?:de)?activate\b|profile\.d/(?:conda|mamba)\.sh"
)
_MAKES = re.compile(r"\b(?:conda|mamba|micromamba|conda-lock)\s+(?:-\S+\s+)*(?:env\s+)?(?:create|install|update)\b")
_HOOK = re.compile(r"\b(?:conda|mamba|micromamba|pixi)\b.*\bhook\b")
_STARTUP_FILE = re.compile(r"bashrc|\bprofile\b|/etc/skel|\.zshrc|/etc/bash")
_ACTIVATE_WORDS = re.compile(
    rf"(?:\. |source )?{_WORD}(?:conda|mamba|micromamba|source)\s+activate(?:\s+[^\s\"'\\;&|]+)?"
)
_WITHOUT_EFFECT = frozenset({"cd", "export", "set", "unset", "echo", ":", "true", "umask", "pwd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A command that is not carried over, and why; ``making`` says that it installs something."""

    text: str
    reason: str
    making: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellRest:
    """What is left of a command line; ``calling`` are commands among it that call conda all the same."""

    commands: tuple[Command, ...]
    removed: tuple[Removed, ...] = ()
    calling: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was taken out or replaced."""
        return bool(self.removed)

    @property
    def text(self) -> str:
        """The rest on one line."""
        return flat("".join(f"{one.text}{_JOINTS.get(one.operator, '')}" for one in self.commands))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What decides about a command besides its own words.

    ``files`` are the names of the files that the lock stands for, ``commands`` the words of calls of pip that it stands
    for; ``absent`` says that the environment is not in the image yet, ``replaced`` that the image of conda is gone.
    """

    files: Collection[str] = frozenset()
    commands: Collection[tuple[str, ...]] = frozenset()
    absent: bool = False
    replaced: bool = True


DEFAULT_SCOPE = Scope()
"""No files, no commands."""


def shell_rest(text: str, scope: Scope = DEFAULT_SCOPE) -> ShellRest:
    """A command line without what only conda needs.

    Args:
        text: The command line; a line that goes on ends with a backslash.
        scope: What decides about more than the command line itself.
    """
    kept: list[Command] = []
    removed: list[Removed] = []
    calling: list[str] = []
    for command in split_commands(text):
        rest = _command_rest(command.text, scope)
        removed += rest.removed
        calling += rest.calling
        if rest.commands:
            kept += rest.commands[:-1]
            kept.append(Command(text=rest.commands[-1].text, operator=command.operator))
    fetched = {word for one in removed if one.reason == _NO_CONDA for word in words_of(one.text) if "." in word}
    for one in [one for one in kept if _only_about(one.text, fetched)]:
        kept.remove(one)
        removed.append(Removed(text=one.text, reason=_NO_CONDA))
    if removed:  # A comment behind what is left out would go on over what follows.
        kept = [one for one in kept if not one.text.startswith("#")]
    if removed and all(_without_effect(one.text) for one in kept):
        removed += [Removed(text=one.text, reason=say("nothing that it was for is left")) for one in kept]
        kept = []
    if kept:
        kept[-1] = Command(text=kept[-1].text)
    return ShellRest(commands=tuple(kept), removed=tuple(removed), calling=tuple(calling))


def _only_about(text: str, files: Collection[str]) -> bool:
    """Whether a command checks or removes files that nothing fetches any more."""
    program, _ = program_of(words_of(text))
    words = set(re.split(r"[\s\"']+", flat(text)))
    return bool(words & set(files)) and program in ("rm", "sha256sum", "chmod", "echo")


def _without_effect(text: str) -> bool:
    words = words_of(text)
    assigns = all(re.match(r"[A-Za-z_]\w*=", word) for word in words)
    return assigns or (words[0] in _WITHOUT_EFFECT and ">" not in text)


def _command_rest(text: str, scope: Scope) -> ShellRest:
    """What is left of one command: all of it, another command, or nothing."""
    words = words_of(text)
    program, arguments = program_of(words)
    line = flat(text)
    simple = len(split_commands(text)) == 1 and bool(words) and words[0] not in _COMPOUND and "|" not in words
    if simple and program in TOOLS:
        inner = run_command(arguments[1:]) if arguments[:1] == ["run"] else []
        if inner:
            rest = shell_rest(bare(text, inner), scope)
            reason = _not_needed(program)
            return ShellRest(
                commands=rest.commands,
                removed=(Removed(text=text, reason=reason), *rest.removed),
                calling=rest.calling,
            )
        return _tool_removed(text, program, arguments)
    if simple and program in _SHELLS and any(re.fullmatch(r"-[a-z]*c", word) for word in words):
        return _nested(text, words, scope)
    if not simple and _MAKES.search(line):
        return _gone(text, _REPLACED, making=True)
    if _ACTIVATING.search(line) or _HOOK.search(line):
        if not simple:
            return _kept(text)
        if ">" not in line or _STARTUP_FILE.search(line) or program == "ln":
            return _gone(text, _ON_PATH)
        other = _ACTIVATE_WORDS.sub(":", text).replace(" --login", "")
        return ShellRest(commands=(Command(text=other),), removed=(Removed(text=text, reason=_ON_PATH),))
    if words[:1] in (["activate"], ["deactivate"]):
        return _gone(text, _ON_PATH)
    if words[:1] in (["source"], ["."]) and re.search(r"activate|\.bashrc|/profile", " ".join(words[1:])):
        return _gone(text, _ON_PATH)
    if scope.absent and simple and program in _OWNING and _ROOT.search(line):
        return _gone(text, say("the environment is not there yet"))
    if simple and program in _FETCHING and (_INSTALLER.search(line) or _RUN_INSTALLER.search(line)):
        return _gone(text, _NO_CONDA)
    if program == "find" and "-delete" in words and _ROOT.search(line):
        return _gone(text, _NO_CACHES)
    if program == "rm" and _CACHE.search(line):
        return _gone(text, _NO_CACHES)
    if simple and _is_pip(words) and any(list(one) == words[len(words) - len(one) :] for one in scope.commands if one):
        return _gone(text, _LOCKED, making=True)
    if simple and _is_pip(words):
        return _pip(text, words, scope) or ShellRest(commands=(Command(text=text),))
    return _kept(text) if mentions_conda(line) else ShellRest(commands=(Command(text=text),))


def _not_needed(program: str) -> str:
    return say("the environment is on PATH: '{program} run' is not needed", program=program)


def _kept(text: str) -> ShellRest:
    """A command that calls conda in a way that is not taken apart."""
    return ShellRest(commands=(Command(text=text),), calling=(text,))


def _gone(text: str, reason: str, *, making: bool = False) -> ShellRest:
    return ShellRest(commands=(), removed=(Removed(text=text, reason=reason, making=making),))


def _tool_removed(text: str, program: str, arguments: Sequence[str]) -> ShellRest:
    positional = [one for one in arguments if not one.startswith("-")]
    subcommand = positional[0] if positional else ""
    if subcommand in _MAKING:
        return _gone(text, _REPLACED, making=True)
    reasons = {
        "clean": say("the package cache is a cache mount and never in a layer"),
        "config": say("the lock names every file with its channel"),
        "init": _ON_PATH,
        "activate": _ON_PATH,
        "deactivate": _ON_PATH,
        "shell": _ON_PATH,
        "tos": say("no channel is asked for packages, and conda is not in the image"),
    }
    return _gone(text, reasons.get(subcommand, say("{program} is not in the image", program=program)))


def _pip(text: str, words: Sequence[str], scope: Scope) -> ShellRest | None:
    """``pip install`` of a locked file, or of pip itself; ``None`` for any other."""
    arguments = list(words[words.index("install") + 1 :])
    given = [
        arguments[index + 1] if one in ("-r", "--requirement") and index + 1 < len(arguments) else one.partition("=")[2]
        for index, one in enumerate(arguments)
        if one in ("-r", "--requirement") or one.startswith("--requirement=")
    ]
    named = [one for one in arguments if not one.startswith("-") and one not in given]
    if given and not named and all(one.rpartition("/")[2] in scope.files for one in given):
        return _gone(text, _LOCKED, making=True)
    if named and not given and set(named) <= {"pip", "setuptools", "wheel"}:
        return _gone(text, say("pip's version is the lock's"))
    return None


def _is_pip(words: Sequence[str]) -> bool:
    program, arguments = program_of(words)
    if re.fullmatch(r"python[\d.]*", program) and arguments[:2] == ["-m", "pip"]:
        arguments = arguments[2:]
    elif not re.fullmatch(r"pip[\d.]*", program):
        return False
    return arguments[:1] == ["install"]


def _nested(text: str, words: Sequence[str], scope: Scope) -> ShellRest:
    """``bash -c "…"`` with what is left of its script; a login shell would put PATH back to the system's."""
    position = next(index for index, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word))
    if len(words) != position + 2:
        return _kept(text) if mentions_conda(text) else ShellRest(commands=(Command(text=text),))
    inner = shell_rest(words[position + 1], scope)
    login = any(one == "--login" or re.fullmatch(r"-[a-z]*l[a-z]*", one) for one in words[1 : position + 1])
    if not inner.changed and not login:
        return ShellRest(commands=(Command(text=text),), calling=inner.calling)
    removed = inner.removed or (Removed(text=text, reason=_LOGIN),)
    if len(inner.commands) <= 1 and not re.search(r"[|<>;&\[]", inner.text):
        return ShellRest(commands=inner.commands, removed=removed, calling=inner.calling)
    other = Command(text=f"{words[0]} -c {shlex.quote(inner.text)}")
    return ShellRest(commands=(other,), removed=removed, calling=inner.calling)


def exec_rest(arguments: Sequence[str], scope: Scope = DEFAULT_SCOPE) -> tuple[tuple[str, ...], str | None]:
    """The exec form of a command without conda.

    ``conda run … COMMAND`` becomes the command, and a login shell a plain one.

    Args:
        arguments: The words.
        scope: As for `shell_rest`.

    Returns:
        The words, and why they are others (``None``: they are not).
    """
    program, rest = program_of(arguments)
    if program in TOOLS and rest[:1] == ["run"] and (inner := run_command(rest[1:])):
        return exec_rest(inner, scope)[0], _not_needed(program)
    if program == "_entrypoint.sh" and scope.replaced:
        return exec_rest(rest, scope)[0], say("micromamba's entry point activates what is on PATH already")
    if program not in _SHELLS:
        return tuple(arguments), None
    words = [arguments[0], *(_without_login(one) for one in arguments[1:] if one not in ("-l", "--login"))]
    reason = None if words == list(arguments) else _LOGIN
    position = next((index for index, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)), None)
    if position is not None and position + 1 < len(words):
        script = shell_rest(words[position + 1], scope)
        if script.changed and script.text:
            words[position + 1] = script.text
            reason = _ON_PATH
    return tuple(words), reason


def _without_login(word: str) -> str:
    return word.replace("l", "", 1) if re.fullmatch(r"-[a-z]*l[a-z]*", word) else word
