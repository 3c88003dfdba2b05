"""How what stops a command is told: what is wrong, what to do about it and, last, the command to type next."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from envcheck.cli_commands import COMMANDS, UNKNOWN
from envcheck.cli_language import ExamplesLast
from envcheck.errors import ChannelError, ConfigurationError, EngineError, EnvcheckError, SourceError
from envcheck.language import ENGLISH, language, tell, told
from envcheck.reports.plain import plain
from envcheck.reports.shell import shell_name
from envcheck.secrets import mask

__all__ = ["next_after", "words_of_error", "words_of_usage"]

_COMMAND = re.compile(
    r"\b(?:conda|pip|pixi|mamba|micromamba|envcheck|mkdir) (?!or\b|and\b)[\w./~-]+|(?<!\w)--?[a-z][a-z-]*\b"
)
"""What can be typed, in the words of a hint: commands and options."""


def words_of_error(error: EnvcheckError, words: Sequence[str]) -> str:
    """What a person reads of an error: the message, the hint, and the next command where the hint has none.

    Args:
        error: The error.
        words: The command line, without the name of the program.
    """
    where = f"{error.location}: " if error.location else ""
    lines = [f"envcheck: {plain(mask(where + told(error.message)))}"]
    hint = plain(mask(told(error.hint))) if error.hint else ""
    if hint:
        lines.append(tell("hint: {hint}", hint=hint))
    # Whether it has one is a matter of what it says, and not of the language that it says it in.
    if _COMMAND.search(error.hint or "") is None:
        lines.append(tell("next: {step}", step=next_after(error, words)))
    return "\n".join(lines)


def next_after(error: EnvcheckError, words: Sequence[str]) -> str:
    """The command to type after an error whose hint has none; arguments as in `words_of_error`."""
    at = next((index for index, word in enumerate(words) if word in COMMANDS), len(words))
    # Of settings the page of help has the names and values; any other configuration is conda's, or that of pip.
    is_settings = Path(error.path or "").name in ("", "envcheck.toml", "pyproject.toml")
    about_machine = isinstance(error, ChannelError | EngineError) or type(error) is EnvcheckError
    if about_machine or (isinstance(error, ConfigurationError) and not is_settings):
        return _typed([*_settings(words[:at]), "doctor"])
    if isinstance(error, SourceError) and error.path and Path(error.path).is_dir():
        return f"{_typed([*_settings(words[:at]), 'audit'])} {plain(shell_name(error.path))}"
    if isinstance(error, SourceError) and error.line is not None and error.path and at < len(words):
        # The line is to be mended, of whichever file it is, and then the same is asked again.
        pipe = "... | " if "-" in words[at:] else ""
        return pipe + _typed(words)
    return f"envcheck {words[at]} --help" if at < len(words) else "envcheck --help"


def _settings(words: Sequence[str]) -> Iterator[str]:
    """Which settings file was asked for, of the words before the name of a command."""
    for before, word in zip(("", *words), words, strict=False):
        if before == "--config" or word.partition("=")[0] in ("--config", "--no-config"):
            yield word


def _typed(words: Sequence[str]) -> str:
    """A command line as it is typed, without its secrets."""
    return plain(shlex.join(["envcheck", *map(mask, words)]))


def words_of_usage(error: click.ClickException) -> str:
    """What a person reads of a command line that cannot be followed: click's words, and behind them what to type."""
    page = io.StringIO()
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        error.show(page)
        return _harmless(page.getvalue())
    # click has the way to help before what is wrong; what is to be typed next stands last here.
    page.write(f"{context.get_usage()}\n\n")
    message = error.format_message()
    if isinstance(error, click.MissingParameter) and language() != ENGLISH:
        message = message.removesuffix(".")  # which click puts there itself
    page.write(tell("Error: {message}", message=message))
    return f"{_harmless(page.getvalue())}\n{_harmless(_next_usage(error, context))}"


def _harmless(text: str) -> str:
    # It quotes what was given, or what was found in a file.
    return "\n".join(plain(line) for line in mask(text).rstrip("\n").split("\n"))


def _next_usage(error: click.ClickException, context: click.Context) -> str:
    step = None
    if UNKNOWN in context.meta:
        step = _meant(context.meta[UNKNOWN])
    elif isinstance(error, click.MissingParameter):
        step = _example(context.command)
    elif (found := re.search(r"'(envcheck \w+)'", error.message)) is not None:
        step = found[1]
    if step is not None:
        return tell("next: {step}", step=step)
    return tell("Try '{command} {option}' for help.", command=context.command_path, option="--help")


def _meant(name: str) -> str | None:
    """The command that a word that is none stands for: a file is to be checked, and letters may be missing."""
    path = Path(name)
    if path.is_dir():
        return f"envcheck audit {shlex.quote(name)}"
    if path.name.startswith("Dockerfile"):
        return f"envcheck docker {shlex.quote(name)}"
    if path.is_file() or path.suffix in (".yml", ".yaml", ".txt", ".lock"):
        return f"envcheck check {shlex.quote(name)}"
    close = get_close_matches(name, COMMANDS, n=1)
    return f"envcheck {close[0]} --help" if close else None


def _example(command: click.Command) -> str | None:
    return next(iter(command.examples()), None) if isinstance(command, ExamplesLast) else None
