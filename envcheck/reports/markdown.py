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

from envcheck.language import Message, joined, plural, say, tell, told
from envcheck.model import Finding, Plan, Remedy, Report, Severity
from envcheck.reports.account import Account
from envcheck.reports.bounded import Part, fitted
from envcheck.reports.groups import (
    SEVERITY_WORDS,
    alike,
    by_cause,
    pip_line,
    severity_count,
    severity_counts,
    shown,
    verdict_word,
)
from envcheck.reports.plain import plain
from envcheck.secrets import mask

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
# Chinese is written without spaces, and nothing in it means anything in Markdown.
_CHINESE = re.compile(r"([\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]+)")
_PUNCTUATED = re.compile(r"(\(?)(.+?)([),.;:?!]*)")


def render(accounts: Sequence[Account]) -> str:
    """The accounts as Markdown, with a final newline."""
    several = len(accounts) > 1
    parts = [Part(head=f"{MARKER}\n## envcheck: {_headline(accounts)}\n")]
    if several:
        rows = tuple(Part(head=_row(_overview(one))) for one in accounts)
        heads = (tell("File"), tell("For"), tell("Verdict"), tell("Findings"))
        parts.append(Part(head=f"\n{_row(heads)}{_row('---' for _ in heads)}", parts=rows))
    parts += [_section(account) for account in accounts]
    text, left_out = fitted(parts, MOST_BYTES - _CLOSING_BYTES)
    if left_out:
        missing = joined(", ", (_missing(kind, count) for kind, count in left_out.items()))
        text += tell(
            "\n*Left out, as a comment holds no more: {missing}. The text and JSON reports have everything.*\n",
            missing=missing,
        )
    return text


def _missing(kind: str, count: int) -> Message:
    match kind:
        case "finding":
            return plural(count, "{count} finding", "{count} findings")
        case "file":
            return plural(count, "{count} file", "{count} files")
        case _:
            return plural(count, "{count} plan change", "{count} plan changes")


def words(text: str, *, cell: bool = False) -> str:
    """Text of the input as Markdown that shows just that text.

    Args:
        text: Any text.
        cell: Whether it stands in a table, where a bar would end the cell.
    """
    return "".join(
        part if number % 2 else _latin_words(part, cell=cell)
        for number, part in enumerate(_CHINESE.split(shown(text).strip()))
    )


def _latin_words(text: str, *, cell: bool) -> str:
    """What stands between two Chinese parts of a text, with the spaces around it."""
    if not text.strip():
        return text[:1]
    found: list[str] = []
    span: list[str] = []
    opening = ""
    for word in _WORDS.findall(text):
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
    told_words = " ".join([*found, *([opening + _code(span, cell=cell)] if span else [])])
    return f"{' ' * text[:1].isspace()}{told_words}{' ' * text[-1:].isspace()}"


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
        return _verdict(accounts[0]) or (severity_counts(accounts[0].findings) or tell("no problems"))
    return severity_counts([finding for account in accounts for finding in account.findings]) or tell("no problems")


def _verdict(account: Account) -> str:
    if not account.complete:
        return tell(
            "❔ {verdict} (not everybody answered)", verdict=verdict_word(account.verdict) or say("not finished")
        )
    sign = _SIGNS.get(account.verdict, "")
    return f"{sign} {verdict_word(account.verdict)}".strip()


def _overview(account: Account) -> list[str]:
    # An environment that stands in the Dockerfile itself has its path.
    origin = account.origin
    line = tell(", line {line}", line=origin[1]) if origin is not None and origin[0] == account.path else ""
    return [
        _file(account, cell=True) + line,
        words(account.platform or "", cell=True),
        _verdict(account) or words(account.sentence, cell=True),
        severity_counts(account.findings) or tell("none"),
    ]


def _file(account: Account, *, cell: bool = False) -> str:
    return tell("standard input") if account.path == "-" else _name(account.path, cell=cell)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


# ---------------------------------------------------------------------------------------------------------------------
# One file
# ---------------------------------------------------------------------------------------------------------------------


def _section(account: Account) -> Part:
    platform = tell(" for {platform}", platform=words(account.platform)) if account.platform else ""
    lines = [f"\n### {_file(account)}{platform}\n\n"]
    lines.append(
        tell(
            "**{verdict}**: {sentence}",
            verdict=_verdict(account) or words(account.kind),
            sentence=words(account.sentence),
        )
    )
    counts = severity_counts(account.findings)
    lines.append(
        tell(". {counts}.\n", counts=f"{counts[0].upper()}{counts[1:]}") if counts else tell(". No problems found.\n")
    )
    if account.accepted:
        lines.append(
            tell(
                "\nAccepted by the baseline, and not told here: {counts}.\n",
                counts=severity_counts(account.accepted),
            )
        )
    if account.origin is not None:
        path, line = account.origin
        lines.append(tell("\nInstalled by {path}, line {line}.\n", path=_name(path), line=line))
    # An empty part keeps the head where nothing else of the file is kept.
    parts = [Part(head="", kind="file", count=1), *_findings(account.findings)]
    if account.report is not None:
        parts += _plan(account.report)
    return Part(head="".join(lines), parts=tuple(parts))


def _findings(findings: Sequence[Finding]) -> Iterator[Part]:
    """Errors open, the rest in a fold of each severity."""
    causes = by_cause(findings)
    for severity in SEVERITY_WORDS:
        parts = tuple(_cause(cause) for cause in causes if cause[0].severity is severity)
        if parts and severity is Severity.ERROR:
            yield Part(head="", parts=parts)
        elif parts:
            count = sum(1 for finding in findings if finding.severity is severity)
            yield _fold(told(severity_count(severity, count)), parts)


def _cause(findings: Sequence[Finding]) -> Part:
    first = findings[0]
    number = tell(" ({count})", count=len(findings)) if len(findings) > 1 else ""
    groups = alike(findings)
    leaves = [
        Part(head=_bullet(group), rank=_RANKS[first.severity], kind="finding", count=len(group)) for group in groups
    ]
    parts = leaves[:_OPEN_GROUPS]
    if rest := leaves[_OPEN_GROUPS:]:
        parts.append(_fold(tell("{count} more", count=sum(part.count for part in rest)), tuple(rest)))
    title = f"{told(SEVERITY_WORDS[first.severity])} {first.code} {words(first.title)}{number}"
    return Part(head=f"\n**{title}**\n\n", parts=tuple(parts))


def _bullet(group: Sequence[Finding]) -> str:
    first = group[0]
    subjects = ", ".join(
        _name(finding.subject) + (tell(" (line {line})", line=finding.line) if finding.line else "")
        for finding in group[:_SUBJECTS]
    )
    if len(group) > _SUBJECTS:
        subjects = tell("{names} and {count} more", names=subjects, count=len(group) - _SUBJECTS)
    text = f"- {tell('{subjects}: {message}', subjects=subjects, message=words(first.message))}\n"
    if not first.remedies:
        return text
    remedies = joined(", or ", (_remedy(remedy) for remedy in first.remedies[:_REMEDIES]))
    return f"{text}  <br>{tell('fix: {remedies}', remedies=remedies)}\n"


def _remedy(remedy: Remedy) -> str:
    text = words(plain(mask(remedy.summary)))
    return f"{text} **{tell('[verified]')}**" if remedy.verified else text


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
        say("{count} kept", count=len(plan.kept)) if plan.kept else "",
        say("{count} changed", count=len(plan.changed)) if plan.changed else "",
        say("{count} dropped", count=len(plan.dropped)) if plan.dropped else "",
        say("{count} moved to pip", count=len(plan.to_pip)) if plan.to_pip else "",
        say("{count} added", count=len(plan.added)) if plan.added else "",
    )
    lines = [
        tell(
            "\nPlan: {parts}; {count} in all.",
            parts=joined(", ", filter(None, counts)) or say("nothing to install"),
            count=plural(len(plan.packages), "{count} package", "{count} packages"),
        )
    ]
    if (pip := pip_line(report)) is not None:
        lines.append(tell(" {sentence}.", sentence=words(pip[0].upper() + pip[1:])))
    if plan.added_channels:
        lines.append(
            tell(
                " Channels added: {names}.",
                names=", ".join(_name(channel.name) for channel in plan.added_channels),
            )
        )
    if not plan.optimal:
        lines.append(tell(" The search was cut short: a plan closer to the source may exist."))
    yield Part(head="".join(lines) + "\n", rank=_RANKS[Severity.WARNING])
    if tables := tuple(_tables(plan)):
        changes = len(plan.changed) + len(plan.dropped) + len(plan.to_pip)
        yield _fold(tell("The plan's {count}", count=plural(changes, "{count} change", "{count} changes")), tables)


def _tables(plan: Plan) -> Iterator[Part]:
    package, asked, reason = tell("Package"), tell("Asked"), tell("Reason")
    tables = (
        (tell("Changed"), (package, asked, tell("Plan"), reason),
         [(row.name, row.from_version, row.to_version, row.reason) for row in plan.changed]),
        (tell("Dropped"), (package, asked, reason),
         [(row.name, row.version or "", row.reason) for row in plan.dropped]),
        (tell("Moved to pip"), (package, tell("Version"), reason),
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
