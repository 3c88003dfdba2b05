r"""A decoded source as lines, with what a terminal left in it taken out.

Exports are often pasted from a console: ``(base) C:\Users\lee>conda list`` stands above the table and an empty prompt
below it. Such lines are blanked, not removed, so that line numbers stay those of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_LINE_LENGTH, MAX_LINES

__all__ = ["Document", "Prompt", "bounded_lines", "document_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A console prompt: the line, and the platform family that its shape speaks for (``unix`` if any but Windows)."""

    text: str
    line: int
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the dialects look at: ``lines`` and ``text`` (the same, joined by line feeds) without prompts."""

    path: str
    text: str
    lines: tuple[str, ...]
    prompts: tuple[Prompt, ...] = ()

    def numbered(self) -> list[tuple[int, str]]:
        """The lines with content, stripped, each with its 1-based number."""
        return [(number, line.strip()) for number, line in enumerate(self.lines, start=1) if line.strip()]


#: Prompts of cmd.exe and PowerShell, with any number of environment names before them.
_WINDOWS_PROMPT = re.compile(r"^(?:\([^()\n]{1,200}\)\s*){0,3}(?:PS\s+)?[A-Za-z]:\\[^<>|\"*?\n]{0,400}>")
#: ``user@host:~/dir$``, ``[user@host dir]$``, ``user@host dir %``.
_UNIX_PROMPT = re.compile(
    r"^(?:\([^()\n]{1,200}\)\s*){0,3}\[?[\w.+-]{1,64}@[\w.-]{1,64}(?::|\s)[^$#%\n]{0,400}[$#%](?=\s|$)"
)
#: ``(env) $ conda list``, and commands typed after a bare prompt or in a notebook cell.
_BARE_PROMPT = re.compile(
    r"^(?:(?:\([^()\n]{1,200}\)\s*){1,3}[$#%>\u279c\u276f](?=\s|$)"
    r"|(?:In\s*\[\d*\]:\s*)?[$%!>\u276f]\s*(?:conda|mamba|micromamba|pip3?|python3?|pixi)\b)"
)


def bounded_lines(text: str, path: str) -> list[str]:
    """The lines of a text.

    Raises:
        SourceError: There are more or longer lines than any export or lock has; JSON may be one line.
    """
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise SourceError(
            say("The file has more than {most} lines; no export or lock has.", most=format(MAX_LINES, ",")),
            path=path,
        )
    if text.lstrip()[:1] not in ("[", "{"):
        for number, line in enumerate(lines, start=1):
            if len(line) > MAX_LINE_LENGTH:
                raise SourceError(
                    say(
                        "The line is {count} characters long; no export or lock has lines of more than {most}.",
                        count=format(len(line), ","),
                        most=format(MAX_LINE_LENGTH, ","),
                    ),
                    path=path,
                    line=number,
                )
    return lines


def document_of(text: str, path: str) -> Document:
    """Split a text into lines and blank its console prompts.

    Raises:
        SourceError: There are more or longer lines than any export has.
    """
    lines = bounded_lines(text, path)
    is_json = text.lstrip()[:1] in ("[", "{")
    prompts: list[Prompt] = []
    for index, line in enumerate(lines):
        family = None if is_json else _prompt_family(line.strip())
        if family is not None:
            prompts.append(Prompt(text=line.strip(), line=index + 1, family=family))
            lines[index] = ""
    return Document(path=path, text="\n".join(lines), lines=tuple(lines), prompts=tuple(prompts))


def _prompt_family(line: str) -> str | None:
    if not line or line[0] == "#":
        return None
    if _WINDOWS_PROMPT.match(line):
        return "win"
    if _UNIX_PROMPT.match(line):
        return "unix"
    # A bare prompt tells nothing about the system: PowerShell and fish have been set to show only ">".
    return "" if _BARE_PROMPT.match(line) else None
