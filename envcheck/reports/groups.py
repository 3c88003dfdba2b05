"""What reports for people have in common: findings of one cause told together, and the words for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from envcheck.language import Message, joined, plural, say, tell, told
from envcheck.model import Finding, Remedy, Report, Severity
from envcheck.reports.plain import plain
from envcheck.secrets import mask

__all__ = [
    "SEVERITY_WORDS",
    "alike",
    "by_cause",
    "pip_line",
    "remedy_words",
    "severity_count",
    "severity_counts",
    "shown",
    "verdict_word",
]

SEVERITY_WORDS = {Severity.ERROR: say("error"), Severity.WARNING: say("warning"), Severity.INFO: say("note")}
"""What each severity is called in front of a reader, worst first; to be told."""

_VERDICTS = {
    "ready": say("ready"),
    "fixable": say("fixable"),
    "blocked": say("blocked"),
    "sound": say("sound"),
    "unsound": say("unsound"),
    "unproven": say("unproven"),
    "failed": say("failed"),
    "unreadable": say("unreadable"),
}

_ORDER = {severity: position for position, severity in enumerate(SEVERITY_WORDS)}


def by_cause(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings by severity and code, worst first; those of one code stay in their order."""
    ordered = sorted(findings, key=lambda one: (_ORDER[one.severity], one.code))
    return [list(group) for _, group in groupby(ordered, key=lambda one: (one.severity, one.code))]


def alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one code, with those together that say the same and are mended the same way."""
    groups: dict[tuple[str, tuple[Remedy, ...]], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.message, finding.remedies), []).append(finding)
    return list(groups.values())


def shown(text: str, most: int = 1_000) -> str:
    """A text on one line, harmless, without secrets and of bearable length."""
    harmless = plain(mask(text))
    return harmless if len(harmless) <= most else f"{harmless[: most - 1]}\u2026"


def severity_counts(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 note``; empty where there are none."""
    counts = ((severity, sum(1 for one in findings if one.severity is severity)) for severity in SEVERITY_WORDS)
    return told(joined(", ", (severity_count(severity, count) for severity, count in counts if count)))


def severity_count(severity: Severity, count: int) -> Message:
    """``2 errors``."""
    match severity:
        case Severity.ERROR:
            return plural(count, "{count} error", "{count} errors")
        case Severity.WARNING:
            return plural(count, "{count} warning", "{count} warnings")
        case Severity.INFO:
            return plural(count, "{count} note", "{count} notes")


def verdict_word(verdict: str, *, upper: bool = False) -> str:
    """A verdict (of a check, a verification, an audit) as a reader has it.

    Args:
        verdict: The word that machines read; empty where nothing was judged.
        upper: Whether to write it in capitals, in languages that have them.
    """
    word = told(_VERDICTS[verdict]) if verdict in _VERDICTS else verdict
    return word.upper() if upper else word


def remedy_words(remedy: Remedy) -> str:
    """``take 1.1 [verified]``, on one line and without secrets."""
    summary = plain(mask(told(remedy.summary)))
    return tell("{summary} [verified]", summary=summary) if remedy.verified else summary


def pip_line(report: Report) -> str | None:
    """``pip: 34 locked, 5 provided by conda, 2 left out``; ``None`` where pip has nothing to install."""
    resolution = report.pip_resolution
    if resolution is None:
        return None
    if resolution.trouble:
        return tell("pip: not resolved ({trouble})", trouble=plain(mask(told(resolution.trouble).splitlines()[0])))
    names = {one.name for one in resolution.distributions}
    handled = names | {name for name, _ in (*resolution.provided, *resolution.moved)}
    named = {row.name for row in report.environment.pip if row.name is not None and row.marker is None}
    provided = {name for name, _ in resolution.provided} - {name for name, _ in resolution.moved}
    parts = [
        tell("{count} locked", count=len(names)),
        tell("{count} provided by conda", count=len(provided)) if provided else "",
        tell("{count} moved to conda", count=len(resolution.moved)) if resolution.moved else "",
        tell("{count} left out", count=len(named - handled)) if named - handled else "",
    ]
    return tell("pip: {parts}", parts=joined(", ", (part for part in parts if part)))
