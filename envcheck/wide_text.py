"""Text whose characters are two columns wide, as Chinese is: its width, and where a line of it may end.

Chinese has no spaces between words; a line may end behind any character, but no line begins with a closing mark
or ends with an opening one (https://www.w3.org/TR/clreq/#prohibition_rules_for_line_start_end).
"""

from __future__ import annotations

from itertools import pairwise
from unicodedata import combining, east_asian_width

__all__ = ["cell_width", "line_ends", "padded", "wrapped"]

_CLOSING = frozenset("，。、；：！？）】》」』”’,.;:!?)]}%…")  # noqa: RUF001 - the marks themselves
_OPENING = frozenset("（【《「『“‘([{")  # noqa: RUF001


def cell_width(text: str) -> int:
    """The columns that a text takes in a terminal (https://www.unicode.org/reports/tr11/)."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def _width(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text with spaces to a width: behind it, or before it where it is to stand at the right."""
    spaces = " " * (width - cell_width(text))
    return spaces + text if right else text + spaces


def line_ends(text: str, width: int) -> list[int]:
    """Where to break a text of one line so that no part is wider than ``width``: offsets in ascending order.

    A part that cannot be broken (an address) stays whole, however wide it is.
    """
    ends: list[int] = []
    start = used = chance = 0
    for position, character in enumerate(text):
        size = _width(character)
        if used + size > width and chance > start and not character.isspace():
            ends.append(chance)
            start = chance
            used = cell_width(text[start:position])
        used += size
        if _may_end(text, position):
            chance = position + 1
    return ends


def _may_end(text: str, position: int) -> bool:
    """Whether a line may end behind a character."""
    here, after = text[position], text[position + 1 : position + 2]
    if not after or after.isspace():
        return False
    if here.isspace():
        return True
    if here in _OPENING or after in _CLOSING:
        return False
    return _width(here) > 1 or _width(after) > 1


def wrapped(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """The lines of a text.

    Args:
        text: One paragraph.
        width: Columns to wrap at, indentation included.
        indent: What the first line begins with.
        hanging: What further lines begin with; that of the first where it is not given.
    """
    hanging = indent if hanging is None else hanging
    line = " ".join(text.split())
    cuts = [0, *line_ends(line, max(width - max(cell_width(indent), cell_width(hanging)), 10)), len(line)]
    parts = [line[start:end].strip() for start, end in pairwise(cuts)]
    return [f"{hanging if number else indent}{part}" for number, part in enumerate(parts)]
