"""The plain ``conda list`` table (also mamba's and micromamba's), clean or pasted from a console."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.model import Damage, DamageKind, SourceKind
from envcheck.sources.document import Document
from envcheck.sources.reading import Entry, Reading, channels_in_order, damaged, reading_of
from envcheck.sources.rows import CONDA_NAME, PIP_BUILDS, Row, looks_like_build, read_row
from envcheck.specs import is_version

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.LIST_TABLE

_TITLE = re.compile(r"#?\s*(?:List of )?packages in environment(?: at)?:?\s+(?P<prefix>\S.*)", re.IGNORECASE)
_COLUMNS = re.compile(r"#?\s*Name\s+Version(?:\s+Build(?:\s+Channel.*)?)?", re.IGNORECASE)
_RULE = re.compile(r"[\s─━═=-]+")
_CHANNEL = re.compile(r"(?:[a-z][\w.-]*(?:/[\w.-]+)*|https?://\S+|<unknown>)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the table: its number, its words, and whether it was indented."""

    number: int
    words: tuple[str, ...]
    text: str


def matches(document: Document) -> bool:
    """Whether conda's title or column header is there, or most lines are rows of three or four columns."""
    rows = others = 0
    for _, line in document.numbered():
        if _title(line) is not None or _COLUMNS.fullmatch(line):
            return _has_builds(document)
        if line.startswith("#"):
            continue
        if len(line.split()) in (3, 4) and _is_row(tuple(line.split())):
            rows += 1
        else:
            others += 1
    return rows > others


def _title(line: str) -> str | None:
    """The prefix in conda's ``# packages in environment at …:`` or mamba's ``List of packages in environment: "…"``."""
    title = _TITLE.fullmatch(line)
    return None if title is None else title["prefix"].rstrip(": ").strip('"')


def _has_builds(document: Document) -> bool:
    """A header alone may stand above another format; a table has a row with a build, or no rows at all."""
    content = [line for _, line in document.numbered() if not line.startswith("#")]
    return not content or any(_is_row(tuple(line.split())) for line in content)


def read(document: Document) -> Reading:
    """Read the rows; prose above and below the table is passed over, prose between rows is reported."""
    prefix, prefix_line = None, None
    lines: list[_Line] = []
    for number, line in document.numbered():
        title = _title(line)
        if title is not None and prefix is None:
            prefix, prefix_line = title, number
        if title is None and not line.startswith("#") and not _COLUMNS.fullmatch(line) and not _RULE.fullmatch(line):
            lines.append(_Line(number=number, words=tuple(line.split()), text=line))
    joined = _join_wrapped(lines)
    rows = [index for index, line in enumerate(joined) if _is_row(line.words)]
    entries: list[Entry] = []
    damage: list[Damage] = []
    for index, row in enumerate(joined):
        if _is_row(row.words):
            entries.append(_entry(row))
        elif rows and rows[0] < index < rows[-1]:
            damage.append(damaged(DamageKind.UNREADABLE_LINE, row.words[0][:60], row.text, line=row.number))
    named = [entry.requirement for entry in entries if entry.requirement is not None]
    # A blank channel cell is conda's way of writing ``defaults``.
    channels = channels_in_order(named, unnamed="defaults")
    return reading_of(entries, prefix=prefix, prefix_line=prefix_line, channels=channels, damage=damage)


def _is_row(words: tuple[str, ...]) -> bool:
    if not 2 <= len(words) <= 4 or not CONDA_NAME.fullmatch(words[0]):
        return False
    if is_version(words[1]):
        return len(words) == 2 or looks_like_build(words[2]) or _CHANNEL.fullmatch(words[2]) is not None
    # ``anaconda  custom  py39_1``: the build has to vouch for the row.
    return len(words) >= 3 and words[2] not in PIP_BUILDS and "_" in words[2] and looks_like_build(words[2])


def _join_wrapped(lines: list[_Line]) -> list[_Line]:
    """Put together rows that a narrow console broke after the name, the version or the build."""
    joined: list[_Line] = []
    for line in lines:
        previous = joined[-1] if joined else None
        if previous is not None and _continues(previous.words, line.words):
            words = (*previous.words, *line.words)
            joined[-1] = _Line(number=previous.number, words=words, text=f"{previous.text} {line.text}")
        else:
            joined.append(line)
    return joined


def _continues(row: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not CONDA_NAME.fullmatch(row[0]):
        return False
    if len(row) == 1:
        return len(words) <= 3 and is_version(words[0])
    if len(row) == 2:
        return len(words) <= 2 and is_version(row[1]) and looks_like_build(words[0])
    return len(row) == 3 and _is_row(row) and len(words) == 1 and _CHANNEL.fullmatch(words[0]) is not None


def _entry(line: _Line) -> Entry:
    name, version, *rest = line.words
    build = rest[0] if rest else None
    channel = rest[1] if len(rest) == 2 else None
    # With one word behind the version it is the build, unless it can only be a channel (a pip row without its build).
    if build is not None and channel is None and not looks_like_build(build) and _CHANNEL.fullmatch(build):
        build, channel = None, build
    return read_row(Row(name=name, version=version, build=build, channel=channel), line=line.number, text=line.text)
