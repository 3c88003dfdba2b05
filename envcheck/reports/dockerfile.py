"""The reports of ``envcheck docker``: the Dockerfile's own findings first, then each environment's report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from envcheck.language import in_language, plural, say, tell
from envcheck.model import Finding, Verdict
from envcheck.reports import report_json, text
from envcheck.reports.account import Account
from envcheck.reports.groups import verdict_word
from envcheck.reports.plain import plain
from envcheck.secrets import mask

if TYPE_CHECKING:
    from envcheck.docker.asked import Asked
    from envcheck.docker.followed import Followed, MadeEnvironment
    from envcheck.docker.preflight import CheckedSource

__all__ = ["DockerReport", "accounts", "render_json", "render_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerReport:
    """Everything that a pre-flight found: the Dockerfile's own findings, and the environments in its order.

    ``own_verdict`` is what the errors of the Dockerfile itself come to: they keep it from being built whatever its
    environments are. It is formed from all of them, of which ``findings`` are those that were selected. ``accepted``
    are findings of the Dockerfile that a baseline accepts; they are not among ``findings``. ``asked`` is what it is an
    answer to.
    """

    followed: Followed
    findings: tuple[Finding, ...]
    checked: tuple[CheckedSource, ...]
    own_verdict: Verdict = Verdict.READY
    accepted: tuple[Finding, ...] = ()
    asked: Asked | None = field(default=None, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether every channel of every environment could be asked."""
        return all(one.complete for one in self.checked)


def accounts(report: DockerReport, data: bytes, decoded: Callable[[bytes], str | None]) -> tuple[Account, ...]:
    """What a pre-flight tells of the Dockerfile, and then of every environment that was checked.

    Args:
        report: The pre-flight.
        data: The Dockerfile's bytes.
        decoded: The text of a file's bytes, ``None`` where they are no text.
    """
    followed = report.followed
    path, platform = followed.dockerfile.path, followed.platform or None
    whole = decoded(data)
    refused = sum(1 for one in report.checked if one.verdict is None)
    words = say("; {count} could not be checked", count=refused) if refused else ""
    found = [
        Account(
            path=path,
            kind="Dockerfile",
            platform=platform,
            verdict="",
            sentence=say(
                "{count} made{words}",
                count=plural(len(report.checked), "{count} environment", "{count} environments"),
                words=words,
            ),
            findings=report.findings,
            complete=report.complete,
            text=whole,
            accepted=report.accepted,
        )
    ]
    for one in report.checked:
        if (told := _account(one, decoded)) is None:
            continue
        # What stands in the Dockerfile itself has its lines.
        inline = one.path.startswith(f"{path}:")
        found.append(
            replace(told, path=path, text=whole, origin=(path, one.made.line))
            if inline
            else replace(told, origin=(path, one.made.line))
        )
    return tuple(found)


def _account(one: CheckedSource, decoded: Callable[[bytes], str | None]) -> Account | None:
    from envcheck.reports import verification

    as_it_is = one.source is not None and not one.source.lines
    whole = decoded(one.source.data) if one.source is not None and as_it_is else None
    if one.report is not None:
        return text.account(one.report, whole)
    if one.lock_report is not None:
        return verification.account(one.lock_report, whole)
    return None


def render_json(report: DockerReport) -> str:
    """The pre-flight as JSON text, with a final newline."""
    followed = report.followed
    dockerfile = followed.dockerfile
    return report_json.document_text(
        {
            "schema_version": report_json.SCHEMA_VERSION,
            "dockerfile": {
                "path": dockerfile.path,
                "encoding": dockerfile.encoding,
                "base": followed.base,
                "platform": followed.platform or None,
                "stages": [
                    {
                        "name": stage.name,
                        "base": stage.base,
                        "line": stage.origin.first_line,
                        "built": stage.index in followed.stages,
                    }
                    for stage in dockerfile.stages
                ],
                "environments": [_environment(one) for one in report.checked],
            },
            "findings": [report_json.finding_document(one) for one in report.findings],
            **report_json.accepted_document(report.accepted),
            "reports": [
                {"dockerfile_line": one.made.line, **json.loads(document)}
                for one in report.checked
                for document in _documents(one)
            ],
        }
    )


def _environment(one: CheckedSource) -> dict[str, Any]:
    made = one.made
    return {
        "line": made.line,
        "command": _command(made),
        "prefix": made.prefix or None,
        "base": made.base,
        "platform": one.platform,
        "source": one.path,
        "verdict": one.verdict,
        "reason": one.reason or None,
    }


def _documents(one: CheckedSource) -> Iterator[str]:
    """The JSON of a source's report, or of its lock's verification."""
    from envcheck.reports import verification

    if one.report is not None:
        yield report_json.render(one.report)
    if one.lock_report is not None:
        yield verification.render_json([one.lock_report])


def _command(made: MadeEnvironment) -> str:
    if made.conda is not None:
        return f"{made.tool} {made.conda.action}"
    return "pip install"


def render_text(report: DockerReport, *, width: int = 80, colour: bool = False, verbose: bool = False) -> str:
    """The pre-flight as text, with a final newline.

    Args:
        report: The pre-flight.
        width: Columns to wrap at.
        colour: Whether to emit terminal styles.
        verbose: Whether to show every finding.
    """
    from envcheck.reports import verification

    writer = _Writer(width=width, colour=colour, verbose=verbose)
    writer.write(in_language(report))
    parts = [writer.text()]
    for one in report.checked:
        heading = tell(
            "line {line}: {command} ({prefix})",
            line=one.made.line,
            command=_command(one.made),
            prefix=plain(mask(one.made.prefix or one.path)),
        )
        if one.report is not None:
            body = text.render(one.report, width=width, colour=colour, verbose=verbose)
        elif one.lock_report is not None:
            body = verification.render_text([one.lock_report], width=width, colour=colour, verbose=verbose)
        else:
            continue
        parts.append(f"{heading}\n{body}")
    return "\n".join(parts)


_STYLES = {
    "ready": "bold green",
    "sound": "bold green",
    "unproven": "bold yellow",
    "fixable": "bold yellow",
    "blocked": "bold red",
    "unsound": "bold red",
}
"""Verdicts of environments and locks, the worst last, and how they look."""


def _worst_word(report: DockerReport) -> tuple[str, str] | None:
    """The worst verdict of the environments and the Dockerfile, with its style; ``None`` where there was none to check.

    An environment that was not checked is proven nothing of.
    """
    if not report.checked:
        return None
    order = list(_STYLES)
    found = [report.own_verdict.value, *(one.verdict or "unproven" for one in report.checked)]
    verdict = max(found, key=order.index)
    return verdict_word(verdict, upper=True), _STYLES[verdict]


def _findings_of_environments(report: DockerReport) -> Iterator[Finding]:
    for one in report.checked:
        for found in (one.report, one.lock_report):
            yield from () if found is None else found.findings


class _Writer(text.FindingsWriter):
    def write(self, report: DockerReport) -> None:
        """What came out in the worst case, then of each, what was followed, and the Dockerfile's findings."""
        followed = report.followed
        findings = [*report.findings, *_findings_of_environments(report)]
        path, platform = followed.dockerfile.path, followed.platform or ""
        hidden = report.asked is not None and bool(report.asked.select or report.asked.ignore)
        self._verdict_line(_worst_word(report), path, platform, findings, report.accepted, hidden=hidden)
        for one in report.checked:
            self._line(self._summary(one), indent=2)
        if not report.checked:
            self._line(tell("no command makes an environment"), indent=2)
        self._line()
        stages = len(followed.stages)
        self._line(
            tell(
                "Dockerfile {encoding}, {stages}, built upon {base}",
                encoding=followed.dockerfile.encoding,
                stages=plural(stages, "{count} stage", "{count} stages"),
                base=plain(mask(followed.base)),
            )
        )
        self._line()
        self._findings(report.findings, report.accepted)

    def _summary(self, one: CheckedSource) -> str:
        if one.verdict is not None:
            words = verdict_word(one.verdict, upper=True)
        else:
            words = tell("not checked: {reason}", reason=one.reason)
        return tell(
            "line {line}: {command} from {path}: {words}",
            line=one.made.line,
            command=_command(one.made),
            path=plain(mask(one.path)),
            words=plain(mask(words)),
        )
