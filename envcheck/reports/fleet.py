"""The report of an audit: a table sorted worst first, what the fleet has in common; JSON, JSON Lines, Markdown.

What JSON holds is told by ``schema_fleet_1.json`` beside this module: one document for ``json``, one result a line for
``jsonl``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from envcheck import __version__
from envcheck.fleet import (
    AuditResult,
    AuditVerdict,
    FrequentCause,
    frequent_causes,
    frequent_channels,
    result_document,
    totals,
    worst_first,
)
from envcheck.language import in_language, joined, plural, say, tell, tell_plural, told
from envcheck.model import Severity
from envcheck.reports.groups import verdict_word
from envcheck.reports.markdown import words as markdown_words
from envcheck.reports.plain import plain
from envcheck.reports.report_json import document_text
from envcheck.reports.text import page_console
from envcheck.secrets import mask, mask_document
from envcheck.wide_text import cell_width, padded

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["SCHEMA_VERSION", "common_words", "render_json", "render_line", "render_markdown", "render_text"]

SCHEMA_VERSION = 1

_MOST_CAUSES = 40
_MOST_LINES = 10
_MOST_SUBJECTS = 6
_HEADS = {
    "VERDICT": say("VERDICT"),
    "PINS": say("PINS"),
    "ERRORS": say("ERRORS"),
    "WARNINGS": say("WARNINGS"),
    "SECONDS": say("SECONDS"),
    "PLATFORM": say("PLATFORM"),
    "SOURCE": say("SOURCE"),
}
_NO_VERDICT = (AuditVerdict.FAILED, AuditVerdict.UNREADABLE)
_STYLES = {
    AuditVerdict.FAILED: "bold magenta",
    AuditVerdict.UNREADABLE: "bold magenta",
    AuditVerdict.BLOCKED: "bold red",
    AuditVerdict.FIXABLE: "bold yellow",
    AuditVerdict.READY: "bold green",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table as texts; of the columns all but the last have a width."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str]


def render_text(
    results: Iterable[AuditResult], *, colour: bool = False, times: bool = True, interrupted: int = 0
) -> str:
    """The table, the totals and the most frequent causes, with a final newline.

    Args:
        results: What was found of every source.
        colour: Whether to emit terminal styles; nothing depends on them.
        times: Whether to tell how long checks took, the only thing that differs from run to run.
        interrupted: How many results were wanted, where the audit was broken off; 0 where it was not.
    """
    from rich.text import Text as RichText

    fleet = in_language(worst_first(results))
    table = _table(fleet, times=times)
    heads = tuple(told(_HEADS[head]) for head in table.heads)
    columns = range(len(heads) - 1)
    widths = [max(cell_width(row[column]) for row in (heads, *table.rows)) for column in columns]
    lines = [RichText(_row_text(table, heads, widths), style="bold")]
    for result, row in zip(fleet, table.rows, strict=True):
        line = RichText(_row_text(table, row, widths))
        line.stylize(_STYLES[result.verdict], 0, len(row[0]))
        lines.append(line)
    words = ["", *_totals(fleet, times=times)]
    if interrupted:
        words.append(
            tell(
                "interrupted: {count} of {wanted} were done; the next run goes on from there",
                count=len(fleet),
                wanted=interrupted,
            )
        )
    common = common_words(fleet)
    if common:
        words += ["", tell("Most frequent:"), *(f"  {plain(mask(text))}" for text in common)]
    return _printed([*lines, *(RichText(text) for text in words)], colour=colour)


def render_line(result: AuditResult, *, times: bool = True) -> str:
    """One result as a line of JSON, with its newline; ASCII alone, so that no reader of lines is confused."""
    document = {"schema_version": SCHEMA_VERSION, **_document(result, times=times)}
    return json.dumps(mask_document(document)) + "\n"


def render_json(results: Iterable[AuditResult], *, times: bool = True, interrupted: int = 0) -> str:
    """The whole fleet as one JSON text, with a final newline; arguments as those of `render_text`."""
    fleet = worst_first(results)
    found = totals(fleet)
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "envcheck": __version__,
            "interrupted": interrupted > 0,
            "totals": {
                "sources": found.sources,
                "verdicts": {verdict.value: count for verdict, count in found.verdicts},
                "pins": {"asked": found.pins, "kept": found.kept},
                "problems": {"error": found.errors, "warning": found.warnings},
                "accepted": found.accepted,
                "seconds": round(found.seconds, 3) if times else None,
            },
            "frequent_causes": [
                {
                    "code": cause.code,
                    "subject": cause.subject,
                    "severity": cause.severity.value,
                    "title": cause.title,
                    "sources": cause.sources,
                }
                for cause in frequent_causes(fleet, most=_MOST_CAUSES)
            ],
            "added_channels": [{"channel": name, "sources": count} for name, count in frequent_channels(fleet)],
            "results": [_document(result, times=times) for result in fleet],
        }
    )


def render_markdown(results: Iterable[AuditResult], *, times: bool = True, interrupted: int = 0) -> str:
    """The table, the totals and the most frequent causes as Markdown; arguments as those of `render_text`."""
    fleet = in_language(worst_first(results))
    table = _table(fleet, times=times)
    rules = [" ---: " if head in table.right else " --- " for head in table.heads]
    lines = [f"## envcheck: {tell('audit')}", "", *(f"{text}  " for text in _totals(fleet, times=times)), ""]
    if interrupted:
        lines += [
            tell("Interrupted: {count} of {wanted} were done.", count=len(fleet), wanted=interrupted),
            "",
        ]
    if fleet:
        lines += [f"| {' | '.join(told(_HEADS[head]).capitalize() for head in table.heads)} |", f"|{'|'.join(rules)}|"]
        lines += [f"| {' | '.join(markdown_words(cell, cell=True) for cell in row)} |" for row in table.rows]
        lines.append("")
    common = common_words(fleet)
    if common:
        lines += [f"### {tell('Most frequent')}", "", *(f"- {markdown_words(text)}" for text in common), ""]
    return "\n".join(line.rstrip() if not line.endswith("  ") else line for line in lines)


def common_words(results: Sequence[AuditResult]) -> tuple[str, ...]:
    """What many sources have in common, a sentence each: ``23 of 60 need conda-forge``, the most frequent first."""
    least = min(2, len(results))
    shared = [
        (count, tell("{count} of {whole} need {name}", count=count, whole=len(results), name=name))
        for name, count in frequent_channels(results)
        if count >= least
    ]
    frequent = [one for one in frequent_causes(results, most=_MOST_CAUSES) if one.sources >= least]
    for (count, code), group in groupby(
        sorted(frequent, key=lambda one: (-one.sources, one.code)), key=lambda one: (one.sources, one.code)
    ):
        causes = list(group)
        shared.append(
            (
                count,
                tell(
                    "{count} of {whole} have {subjects}: {title} ({code})",
                    count=count,
                    whole=len(results),
                    subjects=_subjects(causes),
                    title=causes[0].title,
                    code=code,
                ),
            )
        )
    # Sorting keeps the order of what is equally frequent.
    return tuple(text for _, text in sorted(shared, key=lambda one: -one[0])[:_MOST_LINES])


def _subjects(causes: Sequence[FrequentCause]) -> str:
    names = [cause.subject for cause in causes]
    if len(names) > _MOST_SUBJECTS:
        listed = joined(", ", names[:_MOST_SUBJECTS])
        return tell("{names} and {count} more", names=listed, count=len(names) - _MOST_SUBJECTS)
    return ", ".join(names)


def _document(result: AuditResult, *, times: bool) -> dict[str, Any]:
    document = result_document(result)
    return document if times else {**document, "seconds": None}


def _table(fleet: Sequence[AuditResult], *, times: bool) -> _Table:
    platforms = len({result.platform for result in fleet}) > 1
    heads = ("VERDICT", "PINS", "ERRORS", "WARNINGS", "SECONDS", "PLATFORM", "SOURCE")
    shown = [head for head in heads if (times or head != "SECONDS") and (platforms or head != "PLATFORM")]
    rows = [dict(zip(heads, _cells(result), strict=True)) for result in fleet]
    return _Table(
        heads=tuple(shown),
        rows=tuple(tuple(row[head] for head in shown) for row in rows),
        right=frozenset({"PINS", "ERRORS", "WARNINGS", "SECONDS"}),
    )


def _cells(result: AuditResult) -> tuple[str, ...]:
    judged = result.verdict not in _NO_VERDICT
    path = plain(mask(result.path))
    trouble = result.trouble or ("" if result.complete else tell("a channel did not answer"))
    return (
        verdict_word(result.verdict.value),
        f"{result.kept}/{result.pins}" if judged else "-",
        str(result.count(Severity.ERROR)) if judged else "-",
        str(result.count(Severity.WARNING)) if judged else "-",
        tell("known") if result.reused else f"{result.seconds:.1f}",
        result.platform,
        tell("{path}: {trouble}", path=path, trouble=plain(mask(trouble))) if trouble else path,
    )


def _row_text(table: _Table, row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        padded(cell, width, right=head in table.right)
        for cell, head, width in zip(row, table.heads, widths, strict=False)
    ]
    return "  ".join((*cells, row[-1]))


def _totals(fleet: Sequence[AuditResult], *, times: bool) -> list[str]:
    found = totals(fleet)
    if not fleet:
        return [tell("no source was found")]
    verdicts = joined(", ", (f"{count} {verdict_word(verdict.value)}" for verdict, count in found.verdicts))
    reused = sum(1 for result in fleet if result.reused)
    worked = sum(result.seconds for result in fleet if not result.reused)
    lines = [
        tell(
            "{count}: {verdicts}", count=plural(found.sources, "{count} source", "{count} sources"), verdicts=verdicts
        ),
        ", ".join(
            (
                tell(
                    "{kept} of {count} kept", kept=found.kept, count=plural(found.pins, "{count} pin", "{count} pins")
                ),
                tell_plural(found.errors, "{count} error", "{count} errors"),
                tell_plural(found.warnings, "{count} warning", "{count} warnings"),
                *([tell("{count} accepted by the baseline", count=found.accepted)] if found.accepted else []),
            )
        ),
    ]
    if times and reused:
        lines.append(
            tell(
                "{reused} known from before, {checked} checked ({worked} s of work)",
                reused=reused,
                checked=len(fleet) - reused,
                worked=format(worked, ".1f"),
            )
        )
    elif times:
        lines.append(tell("{worked} s of work", worked=format(worked, ".1f")))
    return lines


def _printed(lines: Iterable[Text], *, colour: bool) -> str:
    page = io.StringIO()
    console = page_console(page, colour=colour)
    for line in lines:
        # A path is not broken into pieces: lines are for grep and for people with wide screens.
        console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"
