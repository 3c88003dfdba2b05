"""Markdown for a comment on a pull request and for the summary of a CI step, in GitHub's dialect.

Text of the input is never escaped character by character, as GitHub goes on after Markdown and makes links of names
(``@somebody``), numbers (``#12``) and addresses. Whatever is not a plain word is a code span: there none of that
happens, and a name is still what it was when it is copied.

A comment may have 65,536 characters. What does not fit is left out, plans first and errors last, with a sentence that
says how much that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from envcheck.model import Finding, Plan, Report, Severity
from envcheck.reports.account import Account
from envcheck.reports.bounded import Part, fitted
from envcheck.reports.groups import SEVERITY_WORDS, alike, by_cause, pip_line, remedy_words, severity_counts, shown
from envcheck.rules.facts import counted

__all__ = ["MARKER", "MOST_BYTES", "render", "words"]

MARKER = "<!-- envcheck report -->"
"""The first line, by which an action finds the comment that it made before."""

MOST_BYTES = 65_000
"""The room of a comment, with some left for whoever puts a line of their own around it."""

_CLOSING_BYTES = 400
_SIGNS = {
    "ready": "\u2705", "sound": "\u2705", "fixable": "\u26a0\ufe0f", "unproven": "\u26a0\ufe0f", "blocked": "\u274c",
    "unsound": "\u274c",
}  # fmt: skip
_RANKS = {Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
_PLAN_RANK = 4
_OPEN_GROUPS = 8
_SUBJECTS = 12
_REMEDIES = 3

# A word that means nothing in Markdown, and one that GitHub would make a link of all the same.
_PLAIN = re.compile(r"[^\W_]+(?:[.'/-][^\W_]+)*")
_LINKED = re.compile(r"(?i:www\.|\bgh-\d)|\b[0-9a-f]{7,40}\b")
# Words, and what our messages quote ('conda activate app') as one.
_WORDS = re.compile(r"\(?'[^'\s][^']*'[),.;:?!]*(?=\s|$)|\S+")
_PUNCTUATED = re.compile(r"(\(?)(.+?)([),.;:?!]*)")


def render(accounts: Sequence[Account]) -> str:
    """The accounts as Markdown, with a final newline."""
    several = len(accounts) > 1
    parts = [Part(head=f"{MARKER}\n## envcheck: {_headline(accounts)}\n")]
    if several:
        rows = tuple(Part(head=_row(_overview(one))) for one in accounts)
        parts.append(Part(head="\n| File | For | Verdict | Findings |\n| --- | --- | --- | --- |\n", parts=rows))
    parts += [_section(account) for account in accounts]
    text, left_out = fitted(parts, MOST_BYTES - _CLOSING_BYTES)
    if left_out:
        told = ", ".join(counted(count, kind) for kind, count in left_out.items())
        text += f"\n*Left out, as a comment holds no more: {told}. The text and JSON reports have everything.*\n"
    return text


def words(text: str, *, cell: bool = False) -> str:
    """Text of the input as Markdown that shows just that text.

    Args:
        text: Any text.
        cell: Whether it stands in a table, where a bar would end the cell.
    """
    found: list[str] = []
    span: list[str] = []
    opening = ""
    for word in _WORDS.findall(shown(text)):
        match = _PUNCTUATED.fullmatch(word)
        before, core, after = match.groups() if match is not None else ("", word, "")
        is_plain = _PLAIN.fullmatch(core) is not None and _LINKED.search(core) is None
        if span and (before or is_plain):
            found.append(opening + _code(span, cell=cell))
            span = []
        if is_plain:
            found.append(word)
            continue
        opening = opening if span else before
        span.append(core)
        if after:
            found.append(opening + _code(span, cell=cell) + after)
            span = []
    return " ".join([*found, *([opening + _code(span, cell=cell)] if span else [])])


def _code(content: Sequence[str], *, cell: bool) -> str:
    """Some words as one code span (CommonMark 0.31, section 6.1)."""
    text = " ".join(content)
    if cell:
        # A table takes \\| for a bar in code, too; behind a backslash there is no way to write one.
        text = text.replace("\\|", "\\\\u007c").replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _name(text: str, *, cell: bool = False) -> str:
    """A name, which is a code span even if it is a plain word; nothing where there is none."""
    content = shown(text, 200).split()
    return _code(content, cell=cell) if content else ""


# ---------------------------------------------------------------------------------------------------------------------
# The head
# ---------------------------------------------------------------------------------------------------------------------


def _headline(accounts: Sequence[Account]) -> str:
    if len(accounts) == 1:
        return _verdict(accounts[0]) or (severity_counts(accounts[0].findings) or "no problems")
    return severity_counts([finding for account in accounts for finding in account.findings]) or "no problems"


def _verdict(account: Account) -> str:
    if not account.complete:
        return f"\u2754 {account.verdict or 'not finished'} (not everybody answered)"
    sign = _SIGNS.get(account.verdict, "")
    return f"{sign} {account.verdict}".strip()


def _overview(account: Account) -> list[str]:
    # An environment that stands in the Dockerfile itself has its path.
    origin = account.origin
    line = f", line {origin[1]}" if origin is not None and origin[0] == account.path else ""
    return [
        _file(account, cell=True) + line,
        words(account.platform or "", cell=True),
        _verdict(account) or words(account.sentence, cell=True),
        severity_counts(account.findings) or "none",
    ]


def _file(account: Account, *, cell: bool = False) -> str:
    return "standard input" if account.path == "-" else _name(account.path, cell=cell)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


# ---------------------------------------------------------------------------------------------------------------------
# One file
# ---------------------------------------------------------------------------------------------------------------------


def _section(account: Account) -> Part:
    platform = f" for {words(account.platform)}" if account.platform else ""
    lines = [f"\n### {_file(account)}{platform}\n\n"]
    lines.append(f"**{_verdict(account) or words(account.kind)}**: {words(account.sentence)}")
    counts = severity_counts(account.findings)
    lines.append(f". {counts[0].upper()}{counts[1:]}.\n" if counts else ". No problems found.\n")
    if account.accepted:
        lines.append(f"\nAccepted by the baseline, and not told here: {severity_counts(account.accepted)}.\n")
    if account.origin is not None:
        path, line = account.origin
        lines.append(f"\nInstalled by {_name(path)}, line {line}.\n")
    # An empty part keeps the head where nothing else of the file is kept.
    parts = [Part(head="", kind="file", count=1), *_findings(account.findings)]
    if account.report is not None:
        parts += _plan(account.report)
    return Part(head="".join(lines), parts=tuple(parts))


def _findings(findings: Sequence[Finding]) -> Iterator[Part]:
    """Errors open, the rest in a fold of each severity."""
    causes = by_cause(findings)
    for severity, word in SEVERITY_WORDS.items():
        parts = tuple(_cause(cause) for cause in causes if cause[0].severity is severity)
        if parts and severity is Severity.ERROR:
            yield Part(head="", parts=parts)
        elif parts:
            count = sum(1 for finding in findings if finding.severity is severity)
            yield _fold(counted(count, word), parts)


def _cause(findings: Sequence[Finding]) -> Part:
    first = findings[0]
    number = f" ({len(findings)})" if len(findings) > 1 else ""
    groups = alike(findings)
    leaves = [
        Part(head=_bullet(group), rank=_RANKS[first.severity], kind="finding", count=len(group)) for group in groups
    ]
    parts = leaves[:_OPEN_GROUPS]
    if rest := leaves[_OPEN_GROUPS:]:
        parts.append(_fold(f"{sum(part.count for part in rest)} more", tuple(rest)))
    title = f"{SEVERITY_WORDS[first.severity]} {first.code} {words(first.title)}{number}"
    return Part(head=f"\n**{title}**\n\n", parts=tuple(parts))


def _bullet(group: Sequence[Finding]) -> str:
    first = group[0]
    subjects = [
        _name(finding.subject) + (f" (line {finding.line})" if finding.line else "") for finding in group[:_SUBJECTS]
    ]
    more = f" and {len(group) - len(subjects)} more" if len(group) > len(subjects) else ""
    text = f"- {', '.join(subjects)}{more}: {words(first.message)}\n"
    remedies = [_remedy(remedy_words(remedy)) for remedy in first.remedies[:_REMEDIES]]
    return f"{text}  <br>fix: {', or '.join(remedies)}\n" if remedies else text


def _remedy(text: str) -> str:
    proof = " [verified]"
    return f"{words(text.removesuffix(proof))} **[verified]**" if text.endswith(proof) else words(text)


def _fold(summary: str, parts: tuple[Part, ...]) -> Part:
    return Part(head=f"\n<details><summary>{summary}</summary>\n\n", tail="\n</details>\n", parts=parts)


# ---------------------------------------------------------------------------------------------------------------------
# The plan
# ---------------------------------------------------------------------------------------------------------------------


def _plan(report: Report) -> Iterator[Part]:
    """The closest environment: what it is in a line, and its changes in a fold."""
    plan = report.plan
    if not plan.solved:
        return
    counts = (
        (len(plan.kept), "kept"), (len(plan.changed), "changed"), (len(plan.dropped), "dropped"),
        (len(plan.to_pip), "moved to pip"), (len(plan.added), "added"),
    )  # fmt: skip
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    lines = [f"\nPlan: {told or 'nothing to install'}; {counted(len(plan.packages), 'package')} in all."]
    if (pip := pip_line(report)) is not None:
        lines.append(f" {words(pip[0].upper() + pip[1:])}.")
    if plan.added_channels:
        lines.append(f" Channels added: {', '.join(_name(channel.name) for channel in plan.added_channels)}.")
    if not plan.optimal:
        lines.append(" The search was cut short: a plan closer to the source may exist.")
    yield Part(head="".join(lines) + "\n", rank=_RANKS[Severity.WARNING])
    if tables := tuple(_tables(plan)):
        changes = len(plan.changed) + len(plan.dropped) + len(plan.to_pip)
        yield _fold(f"The plan's {counted(changes, 'change')}", tables)


def _tables(plan: Plan) -> Iterator[Part]:
    tables = (
        ("Changed", ("Package", "Asked", "Plan", "Reason"),
         [(row.name, row.from_version, row.to_version, row.reason) for row in plan.changed]),
        ("Dropped", ("Package", "Asked", "Reason"),
         [(row.name, row.version or "", row.reason) for row in plan.dropped]),
        ("Moved to pip", ("Package", "Version", "Reason"),
         [(row.name, row.version or "", row.reason) for row in plan.to_pip]),
    )  # fmt: skip
    for title, columns, rows in tables:
        if rows:
            head = f"\n**{title}**\n\n{_row(columns)}{_row('---' for _ in columns)}"
            yield Part(head=head, parts=tuple(_change(row) for row in rows))


def _change(row: Sequence[str]) -> Part:
    *names, reason = row
    cells = [*(_name(name, cell=True) for name in names), words(reason, cell=True)]
    return Part(head=_row(cells), rank=_PLAN_RANK, kind="plan change", count=1)
