"""A source's text for the HTML report: numbered lines, marked where something was found, cut where there are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envcheck.model import Severity
from envcheck.secrets import mask

__all__ = ["Mark", "SourceLine", "marked_lines"]

_WHOLE = 1500
"""Texts of so many lines are shown whole."""
_AROUND = 3
"""Of longer ones, so many lines before and after each that is marked."""
_MOST = 3000
"""How many lines are shown at most."""
_WIDEST = 500
"""How many characters of a line are shown at most: some files are one line of several megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A finding at a line: its code, its severity and the anchor where it is told."""

    code: str
    severity: Severity
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One shown line.

    ``left_out`` is how many lines are missing before it, ``cut`` how many characters behind it. With number 0 it stands
    for the end of the text.
    """

    number: int
    text: str = ""
    severity: Severity | None = None
    marks: tuple[Mark, ...] = ()
    left_out: int = 0
    cut: int = 0


def marked_lines(text: str, marks: Mapping[int, Sequence[Mark]]) -> tuple[SourceLine, ...]:
    """The lines of a text that are to be shown.

    Args:
        text: The text, as the lines of findings count it.
        marks: What was found at each line, the worst first.
    """
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    numbers = _numbers(len(lines), marks)
    shown: list[SourceLine] = []
    before = 0
    for number in numbers:
        here = tuple(marks.get(number, ()))
        # Masked whole: half an address would not be known for one.
        masked = mask(lines[number - 1])
        shown.append(
            SourceLine(
                number=number,
                text=masked[:_WIDEST],
                cut=max(0, len(masked) - _WIDEST),
                severity=here[0].severity if here else None,
                marks=here,
                left_out=number - before - 1,
            )
        )
        before = number
    if before < len(lines):
        shown.append(SourceLine(number=0, left_out=len(lines) - before))
    return tuple(shown)


def _numbers(count: int, marks: Mapping[int, Sequence[Mark]]) -> list[int]:
    if count <= _WHOLE:
        return list(range(1, count + 1))
    near = {
        number
        for line in marks
        for number in range(max(1, line - _AROUND), min(count, line + _AROUND) + 1)
        if line <= count
    }
    return sorted({*range(1, _AROUND + 1), *near})[:_MOST]
