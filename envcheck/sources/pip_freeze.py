"""``pip freeze`` and ``pip list`` taken in a conda environment, and requirements files in general."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from envcheck.model import PipRequirement, PipRequirementKind, SourceKind
from envcheck.project_names import canonical_name
from envcheck.sources.document import Document
from envcheck.sources.pip_lines import PIP_NAME, is_pip_version, read_pip_line
from envcheck.sources.reading import Entry, Reading, reading_of

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.PIP_FREEZE

#: Lines that are looked at to recognize the format.
_SAMPLE_LINES = 2000

_TABLE_HEADER = re.compile(r"Package\s+Version(?:\s+(?:Editable project )?Location)?(?:\s+Installer)?", re.IGNORECASE)
_TABLE_RULE = re.compile(r"-{3,}(?:\s+-{3,})*")
#: pip freeze writes what it knows of an editable install as a comment above it.
_EDITABLE_COMMENT = re.compile(r"#\s*Editable .*\((?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^)\s]+)\)")


def matches(document: Document) -> bool:
    """Whether more lines can be read as pip's than not."""
    read_lines = unread = 0
    for entry in islice(_entries(document), _SAMPLE_LINES):
        if entry.pip is None:
            continue
        if entry.pip.kind is PipRequirementKind.UNREADABLE:
            unread += 1
        else:
            read_lines += 1
    return read_lines > unread


def read(document: Document) -> Reading:
    """Read the lines; nothing is followed."""
    return reading_of(_entries(document))


def _entries(document: Document) -> Iterator[Entry]:
    table = _is_table(document)
    editable: re.Match[str] | None = None
    for number, line in _logical_lines(document):
        if line.startswith("#"):
            editable = _EDITABLE_COMMENT.fullmatch(line)
            continue
        if table:
            if _TABLE_HEADER.fullmatch(line) or _TABLE_RULE.fullmatch(line):
                continue
            row = _table_row(line, number)
            if row is not None:
                yield Entry(pip=row)
                continue
        entry = read_pip_line(line, line=number, origin="pip freeze")
        yield entry if editable is None else _named_by_comment(entry, editable)
        editable = None


def _logical_lines(document: Document) -> Iterator[tuple[int, str]]:
    """Lines with pip's continuations (a backslash at the end) joined, each with the number of its first line."""
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(document.lines, start=1):
        line = raw.strip()
        if not parts:
            first = number
        if line.endswith("\\") and not line.startswith("#"):
            parts.append(line[:-1].strip())
            continue
        joined = " ".join([*parts, line]).strip()
        parts = []
        if joined:
            yield first, joined
    if parts and (joined := " ".join(parts).strip()):
        yield first, joined


def _is_table(document: Document) -> bool:
    content = [line for _, line in document.numbered() if not line.startswith("#")]
    if any(_TABLE_HEADER.fullmatch(line) for line in content[:20]):
        return True
    return bool(content) and all(_table_row(line, 0) is not None for line in content)


def _table_row(line: str, number: int) -> PipRequirement | None:
    """``name  version  [location]`` of ``pip list``; a location means an editable install."""
    words = line.split(None, 2)
    if len(words) < 2 or not PIP_NAME.fullmatch(words[0]) or not is_pip_version(words[1]):
        return None
    location = words[2] if len(words) == 3 and re.search(r"[\\/]", words[2]) else None
    return PipRequirement(
        kind=PipRequirementKind.NAMED if location is None else PipRequirementKind.EDITABLE,
        name=canonical_name(words[0]),
        specifier=f"=={words[1]}",
        pin=words[1],
        url=location,
        origin="pip list",
        line=number,
        text=line,
    )


def _named_by_comment(entry: Entry, comment: re.Match[str]) -> Entry:
    pip = entry.pip
    if pip is None or pip.kind is not PipRequirementKind.EDITABLE or pip.name is not None:
        return entry
    named = PipRequirement(
        kind=pip.kind,
        name=canonical_name(comment["name"]),
        specifier=f"=={comment['version']}",
        pin=comment["version"],
        extras=pip.extras,
        url=pip.url,
        origin=pip.origin,
        line=pip.line,
        text=pip.text,
    )
    return Entry(pip=named, damage=entry.damage)
