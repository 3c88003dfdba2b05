"""``envcheck verify``'s answer: text, and JSON of schema version 1.

    {"schema_version": 1, "envcheck": "x.y.z",
     "lock": {"path", "format", "encoding", "platforms": [...], "conda", "pip"},
     "target": {"platform", "virtual_packages": {name: version}, "channels": [{"name", "url"}]},
     "engine": {"name", "version", "reason"},
     "verdict": "sound|unsound|unproven", "complete": true,
     "counts": {"found", "error", "warning", "info"},
     "findings": [...]}

``conda`` and ``pip`` count the lock's packages for the target's platform, ``found`` the conda packages whose very file
their channel has. Findings are those of a check's report. Several platforms stand in ``{"schema_version": 1,
"reports": [...]}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envcheck.language import Message, in_language, plural, say, tell, tell_plural, told
from envcheck.model import Finding, Severity
from envcheck.reports.account import Account
from envcheck.reports.groups import verdict_word
from envcheck.reports.report_json import SCHEMA_VERSION, accepted_document, document_text, finding_document
from envcheck.reports.text import FindingsWriter, target_words
from envcheck.rules.lock_facts import Place
from envcheck.verify import LockReport, LockVerdict

__all__ = ["account", "render_json", "render_text"]

_STYLES = {
    LockVerdict.SOUND: "bold green",
    LockVerdict.UNPROVEN: "bold yellow",
    LockVerdict.UNSOUND: "bold red",
}


def account(report: LockReport, text: str | None) -> Account:
    """What a verification tells of its lock.

    Args:
        report: The verification of one platform.
        text: The lock's text, where it is at hand.
    """
    return Account(
        path=report.lock.path,
        kind=report.lock.format,
        platform=report.target.platform,
        verdict=report.verdict.value,
        sentence=_sentence(report, _of_manager(report, "conda")),
        findings=report.findings,
        complete=report.complete,
        text=text,
        accepted=report.accepted,
    )


# ---------------------------------------------------------------------------------------------------------------------
# JSON
# ---------------------------------------------------------------------------------------------------------------------


def render_json(reports: Sequence[LockReport]) -> str:
    """The reports of a lock's platforms as one JSON text; a single one is not wrapped."""
    if len(reports) == 1:
        return document_text(_document(reports[0]))
    return document_text({"schema_version": SCHEMA_VERSION, "reports": [_document(report) for report in reports]})


def _document(report: LockReport) -> dict[str, Any]:
    lock, target = report.lock, report.target
    return {
        "schema_version": SCHEMA_VERSION,
        "envcheck": report.envcheck_version,
        "lock": {
            "path": lock.path,
            "format": lock.format,
            "encoding": lock.encoding,
            "platforms": list(lock.contents.platforms),
            "conda": _of_manager(report, "conda"),
            "pip": _of_manager(report, "pip"),
        },
        "target": {
            "platform": target.platform,
            "virtual_packages": {package.name: package.version for package in target.virtual_packages},
            "channels": [{"name": channel.name, "url": channel.url} for channel in target.channels],
        },
        "engine": {"name": report.engine.name, "version": report.engine.version, "reason": report.engine.reason},
        "verdict": report.verdict.value,
        "complete": report.complete,
        "counts": {
            "found": _found(report),
            **{severity.value: _of_severity(report.findings, severity) for severity in Severity},
        },
        "findings": [finding_document(finding) for finding in report.findings],
        **accepted_document(report.accepted),
    }


def _of_manager(report: LockReport, manager: str) -> int:
    """Packages, each counted once however many environments have it."""
    return len({entry.package.url for entry in report.entries if entry.package.manager == manager})


def _found(report: LockReport) -> int:
    return len({entry.package.url for entry in report.entries if entry.place is Place.FOUND})


def _of_severity(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(1 for finding in findings if finding.severity is severity)


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------


def render_text(reports: Sequence[LockReport], *, width: int = 80, colour: bool = False, verbose: bool = False) -> str:
    """The reports of a lock's platforms as text.

    Args:
        reports: The reports.
        width: Columns to wrap at.
        colour: Whether to emit terminal styles; nothing depends on them.
        verbose: Whether to show every finding instead of the first few of each kind.
    """
    texts = []
    for report in reports:
        writer = _Writer(width=width, colour=colour, verbose=verbose)
        writer.write(in_language(report))
        texts.append(writer.text())
    return "\n".join(texts)


class _Writer(FindingsWriter):
    def write(self, report: LockReport) -> None:
        lock, target = report.lock, report.target
        conda, pip = _of_manager(report, "conda"), _of_manager(report, "pip")
        packages = tell_plural(conda, "{count} conda package", "{count} conda packages") + (
            tell(" and {count}", count=plural(pip, "{count} pip package", "{count} pip packages")) if pip else ""
        )
        word = (verdict_word(report.verdict.value, upper=True), _STYLES[report.verdict])
        hidden = report.verdict is not LockVerdict.SOUND
        self._verdict_line(word, lock.path, target.platform, report.findings, report.accepted, hidden=hidden)
        self._line(told(_sentence(report, conda)))
        self._line()
        self._line(
            tell("lock {format}, {encoding}, {packages}", format=lock.format, encoding=lock.encoding, packages=packages)
        )
        self._line(target_words(target, report.engine, with_reason=self._verbose))
        self._line()
        self._findings(report.findings, report.accepted)


def _sentence(report: LockReport, conda: int) -> Message:
    found = _found(report)
    if report.verdict is LockVerdict.SOUND:
        return say(
            "every conda package ({found}) is in its channel with the lock's hash, and they go together", found=found
        )
    if report.verdict is LockVerdict.UNPROVEN:
        return say(
            "nothing is wrong with what could be looked at; {found} of {conda} conda packages were found",
            found=found,
            conda=conda,
        )
    return say(
        "the lock does not hold; {found} of {conda} conda packages were found in their channels",
        found=found,
        conda=conda,
    )
