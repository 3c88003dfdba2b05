"""The HTML report of a fleet: how it stands, what its sources have in common, and every source, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from envcheck.fleet import AuditResult, AuditVerdict, Cause, FrequentCause, Totals, frequent_causes, totals
from envcheck.language import in_language, joined, tell, told
from envcheck.model import Severity
from envcheck.reports.html_page import page

__all__ = ["render_fleet"]

_SUBJECTS = 12
_FREQUENT = 12
_TONES: Mapping[AuditVerdict, str] = MappingProxyType(
    {
        AuditVerdict.FAILED: "bad",
        AuditVerdict.UNREADABLE: "bad",
        AuditVerdict.BLOCKED: "bad",
        AuditVerdict.FIXABLE: "fair",
        AuditVerdict.READY: "good",
    }
)
_RANKS = {verdict: rank for rank, verdict in enumerate(AuditVerdict)}
_SEVERITIES = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the bar of verdicts, in thousandths of its width."""

    verdict: AuditVerdict
    tone: str
    count: int
    share: str
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frequent:
    cause: FrequentCause
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Causes of one code in one source; ``subjects`` the first of them, in words."""

    severity: Severity
    code: str
    title: str
    subjects: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    result: AuditResult
    tone: str
    rank: int
    errors: int
    warnings: int
    kept: str
    groups: tuple[_Group, ...]


def render_fleet(results: Sequence[AuditResult], *, title: str = "") -> str:
    """A fleet as one HTML page, with a final newline.

    Args:
        results: What an audit keeps of each source, in any order.
        title: What the fleet is called.
    """
    results = in_language(tuple(results))
    whole = totals(results)
    rows = sorted((_row(result) for result in results), key=_worst_first)
    return page(
        "fleet.html",
        title=title or tell("Environments"),
        totals=whole,
        bar=tuple(_parts(whole)),
        frequent=tuple(_frequent(results)),
        channels=_channels(results),
        rows=rows,
        several_platforms=len({result.platform for result in results}) > 1,
        percent=_percent(whole.kept, whole.pins),
    )


def _worst_first(row: _Row) -> tuple[int, int, int, str, str]:
    return row.rank, -row.errors, -row.warnings, row.result.path, row.result.platform


def _row(result: AuditResult) -> _Row:
    return _Row(
        result=result,
        tone=_TONES[result.verdict],
        rank=_RANKS[result.verdict],
        errors=result.count(Severity.ERROR),
        warnings=result.count(Severity.WARNING),
        kept=_percent(result.kept, result.pins),
        groups=tuple(_groups(result.causes)),
    )


def _groups(causes: Sequence[Cause]) -> Iterator[_Group]:
    ordered = sorted(causes, key=lambda one: (_SEVERITIES[one.severity], one.code))
    for (severity, code), group in groupby(ordered, key=lambda one: (one.severity, one.code)):
        members = list(group)
        named = [
            one.subject + (tell(" (line {line})", line=one.line) if one.line else "") for one in members[:_SUBJECTS]
        ]
        subjects = told(joined(", ", named))
        if len(members) > len(named):
            subjects = tell("{names} and {count} more", names=subjects, count=len(members) - len(named))
        yield _Group(severity=severity, code=code, title=members[0].title, subjects=subjects)


def _parts(whole: Totals) -> Iterator[_Part]:
    """The best verdict first, as progress is read."""
    x = before = 0
    for verdict, count in reversed(whole.verdicts):
        before += count
        end = round(1000 * before / whole.sources)
        share = _percent(count, whole.sources)
        yield _Part(verdict=verdict, tone=_TONES[verdict], count=count, share=share, x=x, width=end - x)
        x = end


def _frequent(results: Sequence[AuditResult]) -> Iterator[_Frequent]:
    for cause in frequent_causes(results, most=_FREQUENT):
        yield _Frequent(cause=cause, share=round(1000 * cause.sources / len(results)))


def _channels(results: Sequence[AuditResult]) -> tuple[tuple[str, int], ...]:
    """The channels that plans add, each with how many sources need it."""
    counts: dict[str, int] = {}
    for result in results:
        for channel in result.added_channels:
            counts[channel] = counts.get(channel, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _percent(part: int, whole: int) -> str:
    """``93 %``, never 100 where something is missing; empty of nothing."""
    return f"{100 * part // whole} %" if whole else ""
