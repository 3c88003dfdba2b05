"""The manual pages, one for each command, made from the command line's own definitions: ``make man`` writes ``man/``.

click-man makes such pages, too, but cuts the sentence of NAME to a few words, loses the lines of examples, leaves
click's marks of them in the text as control characters, escapes neither backslashes nor leading dots, and needs Python
3.11. The macros are those of man(7), the escapes those of groff_char(7), so that what stands in a page can be copied
from it and typed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from envcheck import __version__
from envcheck.cli import cli

__all__ = ["DIRECTORY", "manual_pages"]

DIRECTORY = Path(__file__).parents[2] / "man"
"""Where the pages lie, from where they go into the wheel."""

_ESCAPES = str.maketrans(
    {"\\": r"\(rs", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
    # A tab, or what else is none of the text's own, has no business in a sentence.
    | {chr(number): " " for number in range(32)}
)
_EXIT_STATUS = (
    ("0", "Nothing was found at or above the threshold (--fail-on)."),
    ("1", "There are findings at or above it; for explain: the package is not there, or is kept out."),
    ("2", "Wrong usage, or a source that cannot be read."),
    ("3", "envcheck could not work: a channel could not be reached, an engine is missing."),
    ("128 and its number", "A signal ended it; no file is left half-written."),
)


def manual_pages() -> dict[str, str]:
    """Every page of the manual: its file's name, and its content."""
    top = click.Context(cli, info_name="envcheck")
    pages = {"envcheck.1": _page(cli, top)}
    for name, command in sorted(cli.commands.items()):
        context = click.Context(command, info_name=name, parent=top)
        pages[f"envcheck-{name}.1"] = _page(command, context)
    return pages


def _page(command: click.Command, context: click.Context) -> str:
    name = context.command_path.replace(" ", "-")
    first, *paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH {_text(name.upper())} 1 "" "envcheck {__version__}" "envcheck"',
        ".SH NAME",
        rf"{_text(name)} \- {_text(first.rstrip('.'))}",
        ".SH SYNOPSIS",
        rf"\fB{_text(context.command_path)}\fR {_text(usage)}",
        ".SH DESCRIPTION",
        *_paragraphs([first, *paragraphs]),
        ".SH OPTIONS",
        *_options(command, context),
        *_commands(command),
        ".SH EXIT STATUS",
        *(line for status, meaning in _EXIT_STATUS for line in (".TP", rf"\fB{status}\fR", _text(meaning))),
        ".SH SEE ALSO",
        *_see_also(name),
    ]
    return "\n".join(lines) + "\n"


def _paragraphs(paragraphs: list[str]) -> Iterator[str]:
    """Paragraphs of help; those that begin with click's mark keep their lines, the first of which is a title."""
    for paragraph in paragraphs:
        yield ".PP"
        lines = paragraph.splitlines()
        if lines[0].strip() != "\b":
            yield _text(paragraph)
            continue
        _, title, *rest = lines
        yield _text(title)
        yield from (".RS 4", ".nf", *(_text(line) for line in rest), ".fi", ".RE")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        # Arguments are in the synopsis, and the description says what they are.
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            flags, meaning = record
            yield ".TP"
            yield re.sub(r"(?<![\w\\-])((?:\\-){1,2}\w(?:\w|\\-)*)", r"\\fB\1\\fR", _text(flags))
            yield _text(meaning) or r"\&"


def _commands(command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for name, one in sorted(command.commands.items()):
            yield ".TP"
            yield rf"\fBenvcheck\-{name}\fR(1)"
            yield _text(inspect.cleandoc(one.help or "").split("\n\n")[0])


def _see_also(name: str) -> Iterator[str]:
    others = ["envcheck", *(f"envcheck-{command}" for command in sorted(cli.commands))]
    others.remove(name)
    last = others[-1]
    yield from (rf".BR {_text(other)} (1){'' if other == last else ','}" for other in others)


def _text(text: str) -> str:
    """A line of text, as it is to be read: nothing in it is a request or an escape; code is bold."""
    pieces = re.split(r"``(.+?)``|`([^`]+)`", " ".join(text.split()))
    joined = ""
    for plain, double, single in zip(pieces[::3], [*pieces[1::3], None], [*pieces[2::3], None], strict=True):
        joined += _escaped(plain)
        code = double or single
        joined += rf"\fB{_escaped(code)}\fR" if code else ""
    return rf"\&{joined}" if joined.startswith(".") else joined


def _escaped(text: str) -> str:
    translated = text.translate(_ESCAPES)
    return "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in translated)


def main() -> None:
    """Write the pages, and take away those of commands that are no more."""
    pages = manual_pages()
    DIRECTORY.mkdir(exist_ok=True)
    for path in DIRECTORY.glob("*.1"):
        if path.name not in pages:
            path.unlink()
    for name, page in pages.items():
        (DIRECTORY / name).write_text(page, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
