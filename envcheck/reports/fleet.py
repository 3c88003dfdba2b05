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
from envcheck.model import Severity
from envcheck.reports.markdown import words as markdown_words
from envcheck.reports.plain import plain
from envcheck.reports.report_json import document_text
from envcheck.reports.text import page_console
from envcheck.rules.facts import counted
from envcheck.secrets import mask, mask_document

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["SCHEMA_VERSION", "common_words", "render_json", "render_line", "render_markdown", "render_text"]

SCHEMA_VERSION = 1

_MOST_CAUSES = 40
_MOST_LINES = 10
_MOST_SUBJECTS = 6
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

    fleet = worst_first(results)
    table = _table(fleet, times=times)
    widths = [max(len(row[column]) for row in (table.heads, *table.rows)) for column in range(len(table.heads) - 1)]
    lines = [RichText(_row_text(table, table.heads, widths), style="bold")]
    for result, row in zip(fleet, table.rows, strict=True):
        line = RichText(_row_text(table, row, widths))
        line.stylize(_STYLES[result.verdict], 0, len(row[0]))
        lines.append(line)
    told = ["", *_totals(fleet, times=times)]
    if interrupted:
        told.append(f"interrupted: {len(fleet)} of {interrupted} were done; the next run goes on from there")
    common = common_words(fleet)
    if common:
        told += ["", "Most frequent:", *(f"  {plain(mask(words))}" for words in common)]
    return _printed([*lines, *(RichText(text) for text in told)], colour=colour)


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
    fleet = worst_first(results)
    table = _table(fleet, times=times)
    rules = [" ---: " if head in table.right else " --- " for head in table.heads]
    lines = ["## envcheck: audit", "", *(f"{text}  " for text in _totals(fleet, times=times)), ""]
    if interrupted:
        lines += [f"Interrupted: {len(fleet)} of {interrupted} were done.", ""]
    if fleet:
        lines += [f"| {' | '.join(head.capitalize() for head in table.heads)} |", f"|{'|'.join(rules)}|"]
        lines += [f"| {' | '.join(markdown_words(cell, cell=True) for cell in row)} |" for row in table.rows]
        lines.append("")
    common = common_words(fleet)
    if common:
        lines += ["### Most frequent", "", *(f"- {markdown_words(text)}" for text in common), ""]
    return "\n".join(line.rstrip() if not line.endswith("  ") else line for line in lines)


def common_words(results: Sequence[AuditResult]) -> tuple[str, ...]:
    """What many sources have in common, a sentence each: ``23 of 60 need conda-forge``, the most frequent first."""
    of = f"of {len(results)}"
    least = min(2, len(results))
    told = [(count, f"{count} {of} need {name}") for name, count in frequent_channels(results) if count >= least]
    frequent = [one for one in frequent_causes(results, most=_MOST_CAUSES) if one.sources >= least]
    for (count, code), group in groupby(
        sorted(frequent, key=lambda one: (-one.sources, one.code)), key=lambda one: (one.sources, one.code)
    ):
        causes = list(group)
        told.append((count, f"{count} {of} have {_subjects(causes)}: {causes[0].title} ({code})"))
    # Sorting keeps the order of what is equally frequent.
    return tuple(text for _, text in sorted(told, key=lambda one: -one[0])[:_MOST_LINES])


def _subjects(causes: Sequence[FrequentCause]) -> str:
    names = [cause.subject for cause in causes]
    if len(names) > _MOST_SUBJECTS:
        return f"{', '.join(names[:_MOST_SUBJECTS])} and {len(names) - _MOST_SUBJECTS} more"
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
    trouble = result.trouble or ("" if result.complete else "a channel did not answer")
    return (
        result.verdict.value,
        f"{result.kept}/{result.pins}" if judged else "-",
        str(result.count(Severity.ERROR)) if judged else "-",
        str(result.count(Severity.WARNING)) if judged else "-",
        "known" if result.reused else f"{result.seconds:.1f}",
        result.platform,
        f"{path}: {plain(mask(trouble))}" if trouble else path,
    )


def _row_text(table: _Table, row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if head in table.right else cell.ljust(width)
        for cell, head, width in zip(row, table.heads, widths, strict=False)
    ]
    return "  ".join((*cells, row[-1]))


def _totals(fleet: Sequence[AuditResult], *, times: bool) -> list[str]:
    found = totals(fleet)
    if not fleet:
        return ["no source was found"]
    verdicts = ", ".join(f"{count} {verdict.value}" for verdict, count in found.verdicts)
    reused = sum(1 for result in fleet if result.reused)
    worked = sum(result.seconds for result in fleet if not result.reused)
    lines = [
        f"{counted(found.sources, 'source')}: {verdicts}",
        ", ".join(
            (
                f"{found.kept} of {counted(found.pins, 'pin')} kept",
                counted(found.errors, "error"),
                counted(found.warnings, "warning"),
                *([f"{found.accepted} accepted by the baseline"] if found.accepted else []),
            )
        ),
    ]
    if times and reused:
        lines.append(f"{reused} known from before, {len(fleet) - reused} checked ({worked:.1f} s of work)")
    elif times:
        lines.append(f"{worked:.1f} s of work")
    return lines


def _printed(lines: Iterable[Text], *, colour: bool) -> str:
    page = io.StringIO()
    console = page_console(page, colour=colour)
    for line in lines:
        # A path is not broken into pieces: lines are for grep and for people with wide screens.
        console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"
