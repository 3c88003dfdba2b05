"""The language of the command line: how it is chosen, and pages of help in it.

``--lang`` goes before the locale (`envcheck.language.language_of`). It is looked for before click reads the arguments,
as pages of help and complaints about arguments are to be in the language, too.
"""

from __future__ import annotations

import copy
import gettext
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from envcheck.language import ENGLISH, LANGUAGES, language, language_of, speak, translation
from envcheck.wide_text import cell_width, wrapped

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["Command", "ExamplesLast", "choose_language", "language_option", "told_completions", "told_help"]

_DOMAIN = "envcheck"
_FIRST_COLUMN = 30
_SPACE = 2


def choose_language(arguments: Sequence[str]) -> None:
    """Speak the language that the arguments ask for, or else the locale."""
    name = _asked(arguments) or language_of(os.environ, _locale_of_system())
    speak(name)
    if name == ENGLISH:
        gettext.textdomain("messages")
        return
    # click asks gettext for its own words, and gettext goes by variables alone.
    # pathlib is more than a page of help needs.
    gettext.bindtextdomain(_DOMAIN, os.path.join(os.path.dirname(__file__), "locale"))  # noqa: PTH118, PTH120
    gettext.textdomain(_DOMAIN)
    if language_of(os.environ) != name:
        os.environ["LANGUAGE"] = name


def _asked(arguments: Sequence[str]) -> str | None:
    found = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        flag, equals, value = argument.partition("=")
        if flag == "--lang":
            found = value if equals else next(iter(arguments[position + 1 : position + 2]), "")
    return found if found in LANGUAGES else None


def _locale_of_system() -> str | None:
    """The locale where it is not told by variables: that of the settings of Windows and macOS."""
    if sys.platform not in ("win32", "darwin"):
        return None
    import locale

    return locale.getlocale()[0]


def language_option(function: Any) -> Any:
    """``--lang``; its value is used before it is read, see `choose_language`."""
    return _option()(function)


def _option() -> Callable[[Any], Any]:
    return click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        expose_value=False,
        help="The language of what people read; JSON and codes stay the same.  [default: that of the locale]",
    )


class ExamplesLast(click.Command):
    """A command whose page of help ends with the examples that end its docstring."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        super(ExamplesLast, _with(self, help=_parts(self.help)[0])).format_help_text(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, where readers of a long page of options see them."""
        super(ExamplesLast, _with(self, epilog=_parts(self.help)[1])).format_epilog(ctx, formatter)

    def examples(self) -> tuple[str, ...]:
        """The examples, each a command line."""
        return tuple(line.strip() for line in _parts(self.help)[1].splitlines()[2:])


def _with(command: ExamplesLast, **changes: str) -> ExamplesLast:
    changed = copy.copy(command)
    vars(changed).update(changes)
    return changed


def _parts(help_text: str | None) -> tuple[str, str]:
    """A help text without its last paragraph, and that one, where it is examples: lines kept as they are."""
    text = cleandoc(help_text or "")
    body, _, last = text.rpartition("\n\n")
    return (body, last) if last.startswith("\b\n") else (text, "")


class Command(ExamplesLast):
    """A command that takes ``--lang``, and whose page of help is in the language that is spoken."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        language_option(self)

    def get_help(self, ctx: click.Context) -> str:
        """The page of help."""
        return super().get_help(ctx) if language() == ENGLISH else told_help(self, ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The options that a shell offers."""
        return told_completions(super().shell_complete(ctx, incomplete))


def told_completions(items: list[CompletionItem]) -> list[CompletionItem]:
    """What a shell offers, described in the language that is spoken."""
    for item in items:
        item.help = translation(item.help) if item.help else None
    return items


def told_help(command: click.Command, context: click.Context) -> str:
    """A command's page of help in the language that is spoken."""
    told = copy.copy(command)
    told.help = _told_page(command.help or "")
    told.params = [_told(parameter) for parameter in command.params]
    formatter = _WideFormatter(width=context.terminal_width, max_width=context.max_content_width)
    told.format_help(context, formatter)
    return formatter.getvalue().rstrip("\n")


def _told_page(text: str) -> str:
    """A command's help in the language that is spoken, paragraph by paragraph; of examples their heading."""
    from inspect import cleandoc

    paragraphs = []
    for paragraph in cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            heading, _, lines = paragraph.removeprefix("\b\n").partition("\n")
            paragraphs.append(f"\b\n{translation(heading)}\n{lines}")
        else:
            paragraphs.append(translation(" ".join(paragraph.split())))
    return "\n\n".join(paragraphs)


def _told(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    told = copy.copy(parameter)
    told.help = translation(parameter.help)
    return told


class _WideFormatter(click.HelpFormatter):
    """click's formatter, for characters that are two columns wide."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, wrapped; those that begin with ``\\b`` line by line."""
        indent = " " * self.current_indent
        lines = self._lines(text, self.width - self.current_indent)
        self.write("\n".join(f"{indent}{line}".rstrip() for line in lines) + "\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = _FIRST_COLUMN, col_spacing: int = _SPACE
    ) -> None:
        """Write a list of names and what they mean, in two columns."""
        rows = list(rows)
        first = min(max((cell_width(name) for name, _ in rows), default=0), col_max) + col_spacing
        indent = " " * self.current_indent
        room = max(self.width - first - self.current_indent, 10)
        for name, meaning in rows:
            lines = self._lines(meaning, room) if meaning else []
            gap = first - cell_width(name)
            if lines and gap >= col_spacing:
                self.write(f"{indent}{name}{' ' * gap}{lines.pop(0)}\n")
            else:
                self.write(f"{indent}{name}\n")
            for line in lines:
                self.write(f"{indent}{' ' * first}{line}\n")

    def _lines(self, text: str, width: int) -> list[str]:
        lines: list[str] = []
        for paragraph in text.split("\n\n"):
            if lines:
                lines.append("")
            if paragraph.startswith("\b"):
                lines += [line.rstrip() for line in paragraph.removeprefix("\b").strip("\n").split("\n")]
            else:
                lines += wrapped(paragraph, width)
        return lines
