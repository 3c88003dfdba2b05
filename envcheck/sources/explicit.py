"""``@EXPLICIT`` files: one package URL per line, with an optional hash (CEP 23)."""

from __future__ import annotations

import re

from envcheck.model import DamageKind, SourceKind
from envcheck.sources.document import Document
from envcheck.sources.list_export import header_evidence
from envcheck.sources.package_urls import is_package_url, parse_package_url
from envcheck.sources.pip_lines import read_pip_line
from envcheck.sources.reading import Entry, Reading, channels_in_order, damaged, reading_of
from envcheck.sources.rows import read_row

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.EXPLICIT

_MARKER = "@EXPLICIT"
#: conda-lock renders the pip part of a lock as comments: ``# pip name @ https://…#sha256=…``, and has pip install them.
_PIP_COMMENT = re.compile(r"#\s*pip\s+(?P<line>[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\]\s*)?(?:@\s+|===?\s*)[^\s=].*)")


def matches(document: Document) -> bool:
    """Whether the marker stands on a line of its own, or every line is a package URL (the marker got lost)."""
    content = [line for _, line in document.numbered() if not line.startswith("#")]
    if any(line.upper() == _MARKER for line in content):
        return True
    return bool(content) and all(is_package_url(line) for line in content)


def read(document: Document) -> Reading:
    """Read the URLs; each names one exact package of one platform and channel."""
    entries = [_line(line, number) for number, line in document.numbered()]
    named = [entry.requirement for entry in entries if entry.requirement is not None]
    return reading_of(entries, channels=channels_in_order(named), evidence=header_evidence(document))


def _line(line: str, number: int) -> Entry:
    if line.startswith("#"):
        pip = _PIP_COMMENT.fullmatch(line)
        return Entry() if pip is None else read_pip_line(pip["line"], line=number, origin="pip comment")
    if line.upper() == _MARKER:
        return Entry()
    row = parse_package_url(line)
    if row is None:
        subject = line.rpartition("/")[2][:60] or "@EXPLICIT"
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, subject, line, line=number),))
    return read_row(row, line=number, text=line)
