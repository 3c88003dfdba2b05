"""``conda list --export``: rows ``name=version=build``, with or without header (CEP 23's other text format)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import DamageKind, Evidence, SourceKind
from envcheck.sources.conda_specs import read_spec
from envcheck.sources.document import Document
from envcheck.sources.reading import Entry, Reading, channels_in_order, damaged, reading_of
from envcheck.sources.rows import CONDA_NAME, Row, read_row

__all__ = ["KIND", "header_evidence", "matches", "read"]

KIND = SourceKind.LIST_EXPORT

_HEADER = re.compile(
    r"#\s*(?:This file may be used to create an environment using|\$ conda create --name <env> --file)"
)
_PLATFORM = re.compile(r"#\s*platform:\s*(?P<platform>[a-z]+-[a-z0-9_]+)\s*$")
#: ``name=version``, ``name=version=build``, either with its end cut off; PEP 440's ``==`` is no row.
_ROW = re.compile(
    r"(?:(?P<channel>[^\s=]+)::)?(?P<name>[A-Za-z0-9_][\w.-]*)=(?!=.)(?P<version>(?:\d+!)?[^=\s<>!~,;*]*)(?:=(?P<build>[^=\s;,*]*))?"
)
_PIP_LINE = re.compile(r"-|[\w.-]+(?:\[[^\]]*\])?\s*(?:==|@\s|~=|===)|(?:git|hg|svn|bzr)\+")


def header_evidence(document: Document) -> Iterator[Evidence]:
    """What conda's own ``# platform:`` header says, in every text format that has it."""
    for number, line in document.numbered():
        match = _PLATFORM.fullmatch(line)
        if match is not None:
            reason = say("the header says platform: {platform}", platform=match["platform"])
            yield Evidence(platform=match["platform"], weight=100, reason=reason, line=number)


def matches(document: Document) -> bool:
    """Whether rows with single ``=`` outnumber lines that only pip understands, or conda's header stands above."""
    lines = document.numbered()
    header = any(_HEADER.match(line) or _PLATFORM.fullmatch(line) for _, line in lines)
    content = [line for _, line in lines if not line.startswith("#")]
    rows = sum(1 for line in content if _ROW.fullmatch(line))
    pip_lines = sum(1 for line in content if _PIP_LINE.match(line))
    if header:
        return rows * 2 >= len(content)
    return rows > pip_lines and rows * 2 > len(content)


def read(document: Document) -> Reading:
    """Read the rows; every version is exact, for the file lists what is installed."""
    entries = [_line(line, number) for number, line in document.numbered() if not line.startswith("#")]
    named = [entry.requirement for entry in entries if entry.requirement is not None]
    return reading_of(entries, channels=channels_in_order(named), evidence=header_evidence(document))


def _line(line: str, number: int) -> Entry:
    match = _ROW.fullmatch(line)
    if match is None:
        return read_spec(line, line=number)
    name, version, build = match["name"], match["version"] or None, match["build"]
    if not CONDA_NAME.fullmatch(name) or (version is None and build):
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, name[:60], line, line=number),))
    row = Row(name=name, version=version, build=build or None, channel=match["channel"])
    entry = read_row(row, line=number, text=line)
    if line.endswith("="):
        damage = damaged(DamageKind.TRAILING_EQUALS, name.lower(), line, line=number, read_as=line.rstrip("="))
        return entry.with_damage(damage)
    return entry
