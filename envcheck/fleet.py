"""Many sources at once, in a few words each: what an audit found of every one, and what they have in common."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from envcheck.model import Finding, Presence, Report, Severity

__all__ = [
    "AuditResult",
    "AuditVerdict",
    "Cause",
    "FrequentCause",
    "Totals",
    "findings_of",
    "frequent_causes",
    "frequent_channels",
    "result_document",
    "result_from_document",
    "result_of",
    "selected",
    "totals",
    "with_accepted",
    "worst_first",
]


class AuditVerdict(str, enum.Enum):
    """What became of one source: a check's verdict, or why there is none; the order is worst first.

    ``FAILED``: envcheck could not do its work on it (its channels did not answer, its worker died twice).
    ``UNREADABLE``: the file is no export.
    """

    FAILED = "failed"
    UNREADABLE = "unreadable"
    BLOCKED = "blocked"
    FIXABLE = "fixable"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cause:
    """One kind of finding about one subject; ``count`` is how often the source has it, ``line`` that of the first."""

    code: str
    subject: str
    severity: Severity
    title: str
    line: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit keeps of one source for one target.

    ``path`` is the source as it is shown; ``kind`` what it is, empty where that could not be told. ``rows`` counts
    all its requirements, ``pins`` the conda rows that name one version which the target has, ``kept`` those of them
    that the plan satisfies as they are. ``causes`` are distinct, in the order of the report. ``added_channels`` are the
    names of channels that the plan adds. ``trouble`` says why there is no verdict. ``seconds`` is how long the check
    took when it was made; ``complete`` is false where a channel did not answer; ``reused`` is true where an earlier
    check's result still holds; ``accepted`` counts the findings that a baseline took out of the causes.
    """

    path: str
    platform: str
    verdict: AuditVerdict
    kind: str = ""
    sentence: str = ""
    rows: int = 0
    pins: int = 0
    kept: int = 0
    causes: tuple[Cause, ...] = ()
    added_channels: tuple[str, ...] = ()
    trouble: str = ""
    seconds: float = 0.0
    complete: bool = True
    reused: bool = False
    accepted: int = 0

    def count(self, severity: Severity) -> int:
        """How many causes are of a severity."""
        return sum(1 for cause in self.causes if cause.severity is severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentCause:
    """A cause and how many sources have it."""

    code: str
    subject: str
    title: str
    severity: Severity
    sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A fleet in numbers; ``verdicts`` has every verdict that occurs, worst first, with how many sources have it."""

    sources: int
    verdicts: tuple[tuple[AuditVerdict, int], ...]
    pins: int
    kept: int
    errors: int
    warnings: int
    accepted: int
    seconds: float


def result_of(path: str, report: Report, sentence: str, *, seconds: float) -> AuditResult:
    """What an audit keeps of a check.

    Args:
        path: The source as it is shown.
        report: The check's report.
        sentence: The verdict in words.
        seconds: How long it took.
    """
    pinned = {
        one.requirement.name
        for one in report.availability
        if one.presence is Presence.AVAILABLE and one.requirement.pin is not None
    }
    kept = {row.name for row in report.plan.kept} & pinned
    return AuditResult(
        path=path,
        platform=report.target.platform,
        verdict=AuditVerdict(report.verdict.value),
        kind=report.export.kind.value,
        sentence=sentence,
        rows=len(report.export.requirements) + len(report.export.pip),
        pins=len(pinned),
        kept=len(kept),
        causes=_causes(report.findings),
        added_channels=tuple(channel.name for channel in report.plan.added_channels),
        seconds=seconds,
        complete=report.complete,
    )


def _causes(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    found: dict[tuple[str, str, Severity], Cause] = {}
    for one in findings:
        key = (one.code, one.subject, one.severity)
        known = found.get(key)
        found[key] = (
            Cause(code=one.code, subject=one.subject, severity=one.severity, title=one.title, line=one.line)
            if known is None
            else replace(known, count=known.count + 1)
        )
    return tuple(found.values())


def findings_of(result: AuditResult) -> tuple[Finding, ...]:
    """The findings behind a result's causes, without their words: what a baseline knows them by."""
    return tuple(
        Finding(
            code=cause.code,
            title=cause.title,
            severity=cause.severity,
            subject=cause.subject,
            message="",
            line=cause.line,
        )
        for cause in result.causes
        for _ in range(cause.count)
    )


def with_accepted(result: AuditResult, new: Sequence[Finding], accepted: Sequence[Finding]) -> AuditResult:
    """A result whose causes are those of new findings alone.

    Args:
        result: The result.
        new: Those of `findings_of` that count.
        accepted: Those that a baseline accepts.
    """
    return replace(result, causes=_causes(new), accepted=len(accepted)) if accepted else result


def totals(results: Sequence[AuditResult]) -> Totals:
    """A fleet in numbers."""
    counts = Counter(result.verdict for result in results)
    return Totals(
        sources=len(results),
        verdicts=tuple((verdict, counts[verdict]) for verdict in AuditVerdict if counts[verdict]),
        pins=sum(result.pins for result in results),
        kept=sum(result.kept for result in results),
        errors=sum(result.count(Severity.ERROR) for result in results),
        warnings=sum(result.count(Severity.WARNING) for result in results),
        accepted=sum(result.accepted for result in results),
        seconds=sum(result.seconds for result in results),
    )


def frequent_causes(results: Iterable[AuditResult], *, most: int = 10) -> tuple[FrequentCause, ...]:
    """The causes that most sources share, errors and warnings alone, the most frequent first.

    Args:
        results: The fleet.
        most: How many to give.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen: dict[tuple[str, str], Cause] = {}
    for result in results:
        keys = {(cause.code, cause.subject): cause for cause in result.causes if cause.severity is not Severity.INFO}
        counts.update(keys.keys())
        for key, cause in keys.items():
            seen.setdefault(key, cause)
    # By name where the counts are equal: the order of the fleet says nothing.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple(
        FrequentCause(code=cause.code, subject=cause.subject, title=cause.title, severity=cause.severity, sources=count)
        for key, count in ranked
        for cause in (seen[key],)
    )


def frequent_channels(results: Iterable[AuditResult]) -> tuple[tuple[str, int], ...]:
    """The channels that plans add and for how many sources, the most frequent first."""
    counts = Counter(name for result in results for name in dict.fromkeys(result.added_channels))
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def worst_first(results: Iterable[AuditResult]) -> tuple[AuditResult, ...]:
    """A fleet in the order in which it is shown: by verdict, then by how much is wrong, then by path."""
    order = {verdict: position for position, verdict in enumerate(AuditVerdict)}
    return tuple(
        sorted(
            results,
            key=lambda one: (
                order[one.verdict],
                -one.count(Severity.ERROR),
                -one.count(Severity.WARNING),
                one.path,
                one.platform,
            ),
        )
    )


def selected(result: AuditResult, select: Sequence[str], ignore: Sequence[str]) -> AuditResult:
    """A result with those causes alone that ``--select`` and ``--ignore`` leave; the verdict stays what it is.

    Args:
        result: The result with every cause.
        select: Prefixes of codes to keep; all where there are none.
        ignore: Prefixes of codes to leave out.
    """
    if not select and not ignore:
        return result
    kept = tuple(
        cause
        for cause in result.causes
        if (not select or cause.code.startswith(tuple(select))) and not cause.code.startswith(tuple(ignore))
    )
    return replace(result, causes=kept)


def result_document(result: AuditResult) -> dict[str, Any]:
    """A result as JSON has it; `result_from_document` reads it."""
    return {
        "path": result.path,
        "platform": result.platform,
        "verdict": result.verdict.value,
        "kind": result.kind,
        "sentence": result.sentence,
        "rows": result.rows,
        "pins": {"asked": result.pins, "kept": result.kept},
        "problems": {severity.value: result.count(severity) for severity in Severity},
        "causes": [
            {
                "code": cause.code,
                "subject": cause.subject,
                "severity": cause.severity.value,
                "title": cause.title,
                "line": cause.line,
                "count": cause.count,
            }
            for cause in result.causes
        ],
        "added_channels": list(result.added_channels),
        "trouble": result.trouble,
        "complete": result.complete,
        "reused": result.reused,
        "accepted": result.accepted,
        "seconds": round(result.seconds, 3),
    }


def result_from_document(document: Mapping[str, Any]) -> AuditResult:
    """The result that `result_document` gave.

    Raises:
        KeyError, TypeError, ValueError: The document is none of them.
    """
    return AuditResult(
        path=document["path"],
        platform=document["platform"],
        verdict=AuditVerdict(document["verdict"]),
        kind=document["kind"],
        sentence=document["sentence"],
        rows=document["rows"],
        pins=document["pins"]["asked"],
        kept=document["pins"]["kept"],
        causes=tuple(
            Cause(
                code=cause["code"],
                subject=cause["subject"],
                severity=Severity(cause["severity"]),
                title=cause["title"],
                line=cause["line"],
                count=cause["count"],
            )
            for cause in document["causes"]
        ),
        added_channels=tuple(document["added_channels"]),
        trouble=document["trouble"],
        complete=document["complete"],
        reused=document["reused"],
        accepted=document["accepted"],
        seconds=document["seconds"],
    )
