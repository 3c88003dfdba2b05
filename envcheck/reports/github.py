"""Annotations of GitHub Actions: workflow commands on standard output, which the runner puts beside the lines.

GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word, so likes are told
together, the worst and one of each cause come first, and what goes beyond stands in a fold of the log. The last notice
gives every file's verdict and says how many more there are. The summary of a step is what ``--format markdown`` is for.

Escaping follows the toolkit (``packages/core/src/command.ts``): ``%``, carriage return and line feed everywhere, ``:``
and ``,`` in properties, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envcheck.language import joined, plural, say, tell, tell_plural, told
from envcheck.model import Finding, Severity
from envcheck.reports.account import Account
from envcheck.reports.fingerprint import normalized_path
from envcheck.reports.groups import SEVERITY_WORDS, alike, by_cause, remedy_words, severity_counts, shown, verdict_word
from envcheck.reports.plain import plain

__all__ = ["MOST_SHOWN", "render"]

MOST_SHOWN = 10
"""How many annotations of each kind GitHub shows of one step."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_SUBJECTS = 12
_VERDICTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotation:
    """What is to stand beside one line.

    ``path`` is ``None`` for standard input; ``turn`` the how-manieth of its cause it is.
    """

    severity: Severity
    path: str | None
    line: int | None
    title: str
    message: str
    turn: int = 0

    def command(self) -> str:
        """The workflow command."""
        properties = [("file", self.path), ("line", self.line if self.path else None), ("title", self.title)]
        given = ",".join(f"{name}={_property(str(value))}" for name, value in properties if value is not None)
        return f"::{_COMMANDS[self.severity]} {given}::{_data(self.message)}"

    def words(self) -> str:
        """The same for a reader of the log."""
        line = f":{self.line}" if self.line is not None else ""
        words = tell(
            "{severity}: {path}{line}: {title}: {message}",
            severity=SEVERITY_WORDS[self.severity],
            path=self.path or say("standard input"),
            line=line,
            title=self.title,
            message=self.message,
        )
        # The runner still obeys its first syntax, ##[command], anywhere in a line that is no command of the second.
        return words.replace("\n", "; ").replace("##[", "# #[")


def render(accounts: Sequence[Account]) -> str:
    """The accounts as workflow commands, one a line, with a final newline."""
    # The first of every cause before the second of any: one that a hundred rows have must not hide the others.
    found = sorted((one for account in accounts for one in _annotations(account)), key=lambda one: one.turn)
    found = [*_unfinished(accounts), *found]
    first: list[_Annotation] = []
    more: list[_Annotation] = []
    for severity in _COMMANDS:
        of_kind = [one for one in found if one.severity is severity]
        # The last notice is ours.
        most = MOST_SHOWN - 1 if severity is Severity.INFO else MOST_SHOWN
        first += of_kind[:most]
        more += of_kind[most:]
    lines = [one.command() for one in first]
    if more:
        lines += [
            f"::group::envcheck: {tell_plural(len(more), '{count} more annotation', '{count} more annotations')}",
            *(one.words() for one in more),
        ]
        lines.append("::endgroup::")
    return "\n".join([*lines, _last(accounts, len(more))]) + "\n"


def _unfinished(accounts: Sequence[Account]) -> Iterator[_Annotation]:
    for account in accounts:
        if not account.complete:
            yield _Annotation(
                severity=Severity.ERROR,
                path=_path(account),
                line=None,
                title=tell("envcheck could not finish"),
                message=shown(tell("{named}: {sentence}", named=_named(account), sentence=account.sentence)),
            )


def _annotations(account: Account) -> Iterator[_Annotation]:
    for cause in by_cause(account.findings):
        for turn, group in enumerate(alike(cause)):
            first = group[0]
            yield _Annotation(
                severity=first.severity,
                path=_path(account),
                line=first.line,
                title=shown(f"{first.code} {first.title}"),
                message=_message(group),
                turn=turn,
            )


def _message(group: Sequence[Finding]) -> str:
    first = group[0]
    message = tell("{subjects}: {message}", subjects=_subjects(group), message=shown(first.message))
    if first.remedies:
        message += tell(
            "\nfix: {remedies}",
            remedies=shown(told(joined(", or ", (remedy_words(remedy) for remedy in first.remedies)))),
        )
    return message


def _subjects(group: Sequence[Finding]) -> str:
    """``vc, ucrt (line 14)``: only the first finding's line is that of the annotation."""
    names = [
        shown(finding.subject)
        + (tell(" (line {line})", line=finding.line) if finding.line and finding.line != group[0].line else "")
        for finding in group[:_SUBJECTS]
    ]
    listed = told(joined(", ", names))
    rest = len(group) - len(names)
    return tell("{names} and {count} more", names=listed, count=rest) if rest else listed


def _last(accounts: Sequence[Account], left: int) -> str:
    lines = []
    for account in accounts[:_VERDICTS]:
        verdict = tell("{verdict}: ", verdict=verdict_word(account.verdict, upper=True)) if account.verdict else ""
        counts = [severity_counts(account.findings)]
        if account.accepted:
            counts.append(tell("accepted by the baseline: {counts}", counts=severity_counts(account.accepted)))
        counted = told(joined("; ", filter(None, counts)))
        lines.append(
            shown(
                tell(
                    "{named}: {verdict}{sentence}{counts}",
                    named=_named(account),
                    verdict=verdict,
                    sentence=account.sentence,
                    counts=tell(" ({words})", words=counted) if counted else "",
                )
            )
        )
    if len(accounts) > len(lines):
        lines.append(
            tell("and {count}", count=plural(len(accounts) - len(lines), "{count} more file", "{count} more files"))
        )
    if left:
        lines.append(
            tell(
                "{count} in the log: GitHub shows {most} of a kind",
                count=plural(left, "{count} more annotation", "{count} more annotations"),
                most=MOST_SHOWN,
            )
        )
    return f"::notice title=envcheck::{_data(chr(10).join(lines))}"


def _path(account: Account) -> str | None:
    return None if account.path == "-" else plain(normalized_path(account.path))


def _named(account: Account) -> str:
    path = tell("standard input") if account.path == "-" else account.path
    return tell("{path} for {platform}", path=path, platform=account.platform) if account.platform else path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
