"""The HTML report of one file or of several: a page in one file, without a network, for people with any kind of screen.

A pure function of the accounts: what is shown is put together here and laid out by ``templates/report.html``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from envcheck.language import joined, tell, told
from envcheck.model import Finding, Remedy, Report, Severity
from envcheck.next_steps import next_steps
from envcheck.reports.account import Account
from envcheck.reports.groups import SEVERITY_WORDS
from envcheck.reports.html_graph import conflict_graphs, obstacle_graph, telling_obstacles
from envcheck.reports.html_help import Help, rule_help
from envcheck.reports.html_layout import Drawn, lay_out
from envcheck.reports.html_page import page
from envcheck.reports.html_source import Mark, SourceLine, marked_lines
from envcheck.reports.html_versions import Fate, VersionRow, version_rows
from envcheck.secrets import mask

if TYPE_CHECKING:
    from envcheck.reports.html_graph import Graph

__all__ = ["render"]

_PICTURES = 12
_LONG_TABLE = 60
_TONES = {
    "ready": "good",
    "sound": "good",
    "fixable": "fair",
    "unproven": "fair",
    "blocked": "bad",
    "unsound": "bad",
}
_BAR = (Fate.KEPT, Fate.CHANGED, Fate.DROPPED, Fate.TO_PIP, Fate.TO_CONDA, Fate.ADDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """Whom a finding is about; ``anchor`` is the line's, where that is shown."""

    name: str
    line: int | None
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """Findings that say the same and are mended the same way."""

    anchor: str
    subjects: tuple[_Subject, ...]
    message: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """Findings of one code and severity."""

    anchor: str
    code: str
    title: str
    severity: Severity
    word: str
    count: int
    help: Help | None
    items: tuple[_Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A conflict, drawn and in words; ``asked`` and ``planned`` are versions."""

    anchor: str
    graph: Graph
    drawn: Drawn
    asked: str
    planned: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    text: str
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the bar that shows what became of the packages: where it begins and how wide it is, in thousandths.

    ``quiet`` rows are hidden at first: they are many, and nothing was changed about them.
    """

    fate: Fate
    count: int
    x: int
    width: int
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """An account as the template lays it out; ``name`` is the last part of its path."""

    anchor: str
    account: Account
    name: str
    sentence: str
    tone: str
    counts: tuple[tuple[Severity, str, int], ...]
    causes: tuple[_Cause, ...]
    lines: tuple[SourceLine, ...]
    versions: tuple[VersionRow, ...]
    fates: tuple[_Part, ...]
    pictures: tuple[_Picture, ...]
    more_pictures: int
    commands: tuple[_Command, ...]
    facts: tuple[tuple[str, str], ...]
    origin: str
    """The anchor of the line that asked for this file, where it is shown."""


def render(accounts: Sequence[Account]) -> str:
    """The accounts as one HTML page, with a final newline."""
    views: list[_View] = []
    for number, account in enumerate(accounts, start=1):
        views.append(_view(f"a{number}", account, views))
    versions = sorted({account.report.envcheck_version for account in accounts if account.report is not None})
    return page("report.html", views=views, versions=versions, severities=SEVERITY_WORDS, fates=list(Fate))


def _view(anchor: str, account: Account, earlier: Sequence[_View]) -> _View:
    report = account.report
    drafts = list(_alike(account.findings))
    marks: dict[int, list[Mark]] = defaultdict(list)
    for number, findings in enumerate(drafts, start=1):
        for finding in findings:
            mark = Mark(code=finding.code, severity=finding.severity, anchor=f"{anchor}-f{number}")
            if finding.line is not None and mark not in marks[finding.line]:
                marks[finding.line].append(mark)
    lines = marked_lines(account.text, marks) if account.text is not None else ()
    anchors = {line.number: f"{anchor}-L{line.number}" for line in lines if line.number}
    versions = version_rows(report) if report is not None and report.plan.solved else ()
    pictures, more = _pictures(anchor, report) if report is not None else ((), 0)
    return _View(
        anchor=anchor,
        account=account,
        # Masked whole: a part of an address would not be known for one.
        name=re.split(r"[/\\]", mask(account.path))[-1] or account.path,
        sentence=account.sentence[:1].upper() + account.sentence[1:],
        tone=_TONES.get(account.verdict, "none") if account.complete else "bad",
        counts=tuple(
            (severity, _severity_word(severity, count), count)
            for severity in SEVERITY_WORDS
            for count in (sum(1 for finding in account.findings if finding.severity is severity),)
        ),
        causes=tuple(_causes(anchor, drafts, anchors)),
        lines=lines,
        versions=versions,
        fates=_parts(versions),
        pictures=pictures,
        more_pictures=more,
        commands=_commands(report),
        facts=tuple(_facts(account)),
        origin=_origin(account, earlier),
    )


def _severity_word(severity: Severity, count: int) -> str:
    match severity:
        case Severity.ERROR:
            return tell("error") if count == 1 else tell("errors")
        case Severity.WARNING:
            return tell("warning") if count == 1 else tell("warnings")
        case Severity.INFO:
            return tell("note") if count == 1 else tell("notes")


def _alike(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings of one severity and code in a row, with those together that say the same and are mended the same way."""
    for _, group in groupby(findings, key=lambda one: (one.severity, one.code)):
        alike: dict[tuple[str, tuple[Remedy, ...]], list[Finding]] = {}
        for finding in group:
            alike.setdefault((finding.message, finding.remedies), []).append(finding)
        yield from alike.values()


def _causes(anchor: str, drafts: Sequence[list[Finding]], anchors: Mapping[int, str]) -> Iterator[_Cause]:
    numbered = list(enumerate(drafts, start=1))
    for (severity, code), group in groupby(numbered, key=lambda one: (one[1][0].severity, one[1][0].code)):
        members = list(group)
        yield _Cause(
            anchor=f"{anchor}-{code}-{severity.value}",
            code=code,
            title=members[0][1][0].title,
            severity=severity,
            word=told(SEVERITY_WORDS[severity]),
            count=sum(len(findings) for _, findings in members),
            help=rule_help(code),
            items=tuple(
                _Item(
                    anchor=f"{anchor}-f{number}",
                    subjects=tuple(
                        _Subject(name=one.subject, line=one.line, anchor=anchors.get(one.line or 0, ""))
                        for one in findings
                    ),
                    message=findings[0].message,
                    remedies=findings[0].remedies,
                )
                for number, findings in members
            ),
        )


def _pictures(anchor: str, report: Report) -> tuple[tuple[_Picture, ...], int]:
    """The first conflicts, drawn, and how many more there are."""
    plan = report.plan
    reasons = {row.name: (row.from_version, row.to_version, row.reason) for row in plan.changed}
    reasons |= {row.name: (row.version or tell("any"), "", row.reason) for row in plan.dropped}
    drafts: list[tuple[Graph, tuple[str, str, str]]] = [(graph, ("", "", "")) for graph in conflict_graphs(plan)]
    obstacles = telling_obstacles(plan)
    drafts += [
        (obstacle_graph(obstacle, plan), reasons.get(obstacle.name, ("", "", "")))
        for obstacle in obstacles[: max(0, _PICTURES - len(drafts))]
    ]
    pictures = tuple(
        _Picture(
            anchor=f"{anchor}-c{number}", graph=graph, drawn=lay_out(graph), asked=asked, planned=planned, reason=reason
        )
        for number, (graph, (asked, planned, reason)) in enumerate(drafts[:_PICTURES], start=1)
    )
    return pictures, len(plan.conflicts) + len(obstacles) - len(pictures)


def _parts(versions: Sequence[VersionRow]) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    still = (Fate.KEPT, Fate.ADDED)
    long = len(versions) > _LONG_TABLE and any(row.fate not in still for row in versions)
    x = before = 0
    for fate in _BAR:
        count = sum(1 for row in versions if row.fate is fate)
        before += count
        end = round(1000 * before / len(versions)) if versions else 0
        if count:
            parts.append(_Part(fate=fate, count=count, x=x, width=end - x, quiet=long and fate in still))
        x = end
    return tuple(parts)


def _commands(report: Report | None) -> tuple[_Command, ...]:
    """The next commands; what stands in parentheses behind three spaces is a remark, as the command line prints it."""
    if report is None:
        return ()
    steps = (step.partition("   (") for step in next_steps([report], lock=None, environment=None))
    return tuple(_Command(text=command, remark=remark.removesuffix(")")) for command, _, remark in steps)


def _facts(account: Account) -> Iterator[tuple[str, str]]:
    """What was looked at, and against what."""
    report = account.report
    if report is None:
        yield tell("File"), account.kind
        if account.platform is not None:
            yield tell("Target"), account.platform
        return
    export, target, engine = report.export, report.target, report.engine
    rows = [
        tell("{count} conda", count=len(export.requirements)),
        *([tell("{count} pip", count=len(export.pip))] if export.pip else []),
    ]
    yield tell("File"), f"{export.kind.value}, {export.encoding}"
    yield tell("Made on"), export.platform or tell("not told")
    yield tell("Rows"), told(joined(", ", rows))
    virtual = ", ".join(f"{one.name} {one.version}" for one in target.virtual_packages)
    yield tell("Target"), target.platform + (tell(" with {virtual}", virtual=virtual) if virtual else "")
    yield tell("Channels"), ", ".join(channel.name for channel in target.channels) or tell("none")
    if report.plan.added_channels:
        yield tell("Added channels"), ", ".join(channel.name for channel in report.plan.added_channels)
    yield (
        tell("Engine"),
        f"{engine.name} {engine.version}" + (tell(" ({reason})", reason=engine.reason) if engine.reason else ""),
    )
    if report.pip_resolution is not None:
        yield "pip", report.pip_resolution.trouble or report.pip_resolution.resolver


def _origin(account: Account, earlier: Sequence[_View]) -> str:
    if account.origin is None:
        return ""
    path, line = account.origin
    return next(
        (f"{view.anchor}-L{line}" for view in earlier if view.account.path == path and _has(view.lines, line)), ""
    )


def _has(lines: Sequence[SourceLine], number: int) -> bool:
    return any(line.number == number for line in lines)
