"""What reports for people have in common: findings of one cause told together, and the words for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from envcheck.model import Finding, Remedy, Report, Severity
from envcheck.reports.plain import plain
from envcheck.rules.facts import counted
from envcheck.secrets import mask

__all__ = ["SEVERITY_WORDS", "alike", "by_cause", "pip_line", "remedy_words", "severity_counts", "shown"]

SEVERITY_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
"""What each severity is called in front of a reader, worst first."""

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
    counts = (
        (word, sum(1 for one in findings if one.severity is severity)) for severity, word in SEVERITY_WORDS.items()
    )
    return ", ".join(counted(count, word) for word, count in counts if count)


def remedy_words(remedy: Remedy) -> str:
    """``take 1.1 [verified]``, on one line and without secrets."""
    proof = " [verified]" if remedy.verified else ""
    return f"{plain(mask(remedy.summary))}{proof}"


def pip_line(report: Report) -> str | None:
    """``pip: 34 locked, 5 provided by conda, 2 left out``; ``None`` where pip has nothing to install."""
    resolution = report.pip_resolution
    if resolution is None:
        return None
    if resolution.trouble:
        return f"pip: not resolved ({plain(mask(resolution.trouble.splitlines()[0]))})"
    names = {one.name for one in resolution.distributions}
    handled = names | {name for name, _ in (*resolution.provided, *resolution.moved)}
    named = {row.name for row in report.environment.pip if row.name is not None and row.marker is None}
    provided = {name for name, _ in resolution.provided} - {name for name, _ in resolution.moved}
    parts = [
        f"{len(names)} locked",
        f"{len(provided)} provided by conda" if provided else "",
        f"{len(resolution.moved)} moved to conda" if resolution.moved else "",
        f"{len(named - handled)} left out" if named - handled else "",
    ]
    return f"pip: {', '.join(part for part in parts if part)}"
