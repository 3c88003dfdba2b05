"""A baseline: the findings that a team has accepted for now, so that only new ones count.

    {"envcheck_baseline": 1,
     "findings": [
      {"path": "a/environment.yml", "code": "EC402", "subject": "vc", "platforms": ["linux-64"], "fingerprint": "..."}
     ]}

One entry stands on one line, ordered by file, code and subject, without a time or a version, so that a change of the
baseline is read as a change of what is accepted. Paths are relative to the baseline's folder and of POSIX's form: it
holds on every machine. Entries are matched by their fingerprint (`envcheck.reports.fingerprint`) alone; the platforms
are those the finding was seen on, so that a run for others does not take it for gone.

Notes are not accepted, as none of them counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.model import Finding, Severity
from envcheck.reports.fingerprint import fingerprints, normalized_path
from envcheck.secrets import mask

__all__ = ["Baseline", "BaselineEntry", "Judged", "Looked", "baseline_text", "parse_baseline"]

_VERSION = 1
_HINT = say("Name the file that --update-baseline wrote, or have it written anew.")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BaselineEntry:
    """One accepted finding; the fields are in the order of the file."""

    path: str
    code: str
    subject: str
    platforms: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a run found in one file for one platform; ``path`` is relative to the baseline's folder."""

    path: str
    platform: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The findings of one `Looked`: those that are new, and those that the baseline accepts."""

    new: tuple[Finding, ...]
    accepted: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Every accepted finding, sorted."""

    entries: tuple[BaselineEntry, ...] = ()

    def judge(self, looked: Sequence[Looked]) -> tuple[Judged, ...]:
        """Tell new findings from accepted ones.

        Args:
            looked: Everything that the run found; findings of one file for one platform may stand in several.
        """
        accepted = {entry.fingerprint for entry in self.entries}
        return tuple(
            Judged(
                new=tuple(finding for finding, mark in marked if not _counts(finding) or mark not in accepted),
                accepted=tuple(finding for finding, mark in marked if _counts(finding) and mark in accepted),
            )
            for marked in _marked(looked)
        )

    def gone(self, looked: Sequence[Looked], asked: Callable[[str], bool]) -> tuple[BaselineEntry, ...]:
        """The entries that the run would have found, and did not.

        Args:
            looked: Everything that the run found.
            asked: Whether the run could find a code.
        """
        platforms = _platforms(looked)
        found = {mark for marked in _marked(looked) for _, mark in marked}
        return tuple(
            entry
            for entry in self.entries
            if entry.fingerprint not in found
            and asked(entry.code)
            and entry.path in platforms
            and platforms[entry.path].issuperset(entry.platforms)
        )

    def updated(self, looked: Sequence[Looked], asked: Callable[[str], bool]) -> Baseline:
        """The baseline that accepts what the run found, and what it had of other files, codes and platforms.

        Args:
            looked: Everything that the run found.
            asked: Whether the run could find a code.
        """
        seen = _platforms(looked)
        entries = {entry.fingerprint: entry for entry in self.entries}
        for entry in self.entries:
            if entry.path in seen and asked(entry.code):
                left = tuple(one for one in entry.platforms if one not in seen[entry.path])
                entries[entry.fingerprint] = replace(entry, platforms=left)
        found: set[str] = set()
        for one, marked in zip(looked, _marked(looked), strict=True):
            for finding, mark in marked:
                if not _counts(finding):
                    continue
                before = entries[mark].platforms if mark in entries else ()
                entries[mark] = BaselineEntry(
                    path=normalized_path(one.path),
                    code=finding.code,
                    subject=mask(finding.subject),
                    platforms=tuple(sorted({*before, one.platform} - {""})),
                    fingerprint=mark,
                )
                found.add(mark)
        kept = (
            entry
            for entry in entries.values()
            if entry.fingerprint in found or entry.platforms or entry.path not in seen or not asked(entry.code)
        )
        return Baseline(entries=tuple(sorted(kept)))


def _counts(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO


def _platforms(looked: Iterable[Looked]) -> dict[str, set[str]]:
    """The platforms that each file was looked at for."""
    found: dict[str, set[str]] = {}
    for one in looked:
        found.setdefault(normalized_path(one.path), set()).add(one.platform)
    return found


def _marked(looked: Sequence[Looked]) -> list[list[tuple[Finding, str]]]:
    """The findings with their fingerprints; those of one file for one platform are numbered together."""
    found: list[list[tuple[Finding, str]]] = [[] for _ in looked]
    order = sorted(range(len(looked)), key=lambda position: (looked[position].path, looked[position].platform))
    for (path, _), positions in groupby(order, key=lambda position: (looked[position].path, looked[position].platform)):
        owned = [(position, finding) for position in positions for finding in looked[position].findings]
        marks = fingerprints(path, [finding for _, finding in owned])
        for (position, finding), mark in zip(owned, marks, strict=True):
            found[position].append((finding, mark))
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The file
# ---------------------------------------------------------------------------------------------------------------------


def baseline_text(baseline: Baseline) -> str:
    """A baseline as its file's text, with a final newline."""
    rows = [
        "  "
        + json.dumps(
            {
                "path": entry.path,
                "code": entry.code,
                "subject": entry.subject,
                "platforms": list(entry.platforms),
                "fingerprint": entry.fingerprint,
            }
        )
        for entry in sorted(baseline.entries)
    ]
    listed = "\n" + ",\n".join(rows) + "\n " if rows else ""
    return f'{{"envcheck_baseline": {_VERSION},\n "findings": [{listed}]}}\n'


def parse_baseline(text: str, path: str) -> Baseline:
    """Read a baseline.

    Args:
        text: The file's text.
        path: The file as it is shown.

    Raises:
        ConfigurationError: It is no baseline, or one of another version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigurationError(say("This is no baseline: it is no JSON."), path=path, line=line, hint=_HINT) from None
    version = document.get("envcheck_baseline") if isinstance(document, dict) else None
    if version is None:
        raise ConfigurationError(say("This is no baseline of envcheck."), path=path, hint=_HINT)
    if version != _VERSION or isinstance(version, bool):
        raise ConfigurationError(
            say(
                "This baseline is of version {version}; known is {known}.",
                version=str(version)[:20],
                known=_VERSION,
            ),
            path=path,
            hint=say("Use the envcheck that wrote it, or have it written anew."),
        )
    rows = document.get("findings")
    if not isinstance(rows, list):
        raise ConfigurationError(say("The baseline has no list of findings."), path=path, hint=_HINT)
    return Baseline(entries=tuple(sorted(_entry(row, number, path) for number, row in enumerate(rows, start=1))))


def _entry(row: Any, number: int, path: str) -> BaselineEntry:
    fields: dict[str, Any] = row if isinstance(row, dict) else {}
    texts = [one for key in ("path", "code", "subject", "fingerprint") if isinstance(one := fields.get(key), str)]
    platforms = fields.get("platforms")
    if len(texts) != 4 or not isinstance(platforms, list) or not all(isinstance(one, str) for one in platforms):
        raise ConfigurationError(
            say("The baseline's finding {number} is not one that envcheck wrote.", number=number), path=path, hint=_HINT
        )
    source, code, subject, mark = texts
    return BaselineEntry(path=source, code=code, subject=subject, platforms=tuple(platforms), fingerprint=mark)
