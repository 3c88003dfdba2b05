"""The JSON report, schema version 1."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from envcheck.model import Finding, Plan, PlanDropped, Record, Report
from envcheck.secrets import mask_document, strip_secrets

__all__ = ["SCHEMA_VERSION", "accepted_document", "document_text", "finding_document", "render", "render_all"]

SCHEMA_VERSION = 1

# What JSON may hold as it is and a terminal obeys all the same: C1 controls, invisible and bidirectional characters;
# and lone surrogates, which UTF-8 cannot hold.
_ESCAPED = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def render(report: Report) -> str:
    """One report as JSON text, with a final newline."""
    return document_text(_report(report))


def render_all(reports: Sequence[Report]) -> str:
    """Several reports (sources or platforms) as one JSON text; a single one is not wrapped."""
    if len(reports) == 1:
        return render(reports[0])
    return document_text({"schema_version": SCHEMA_VERSION, "reports": [_report(report) for report in reports]})


def document_text(document: dict[str, Any]) -> str:
    """A JSON document as text, secrets masked, with a final newline."""
    text = json.dumps(mask_document(document), indent=2, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n"


def _report(report: Report) -> dict[str, Any]:
    export = report.export
    return {
        "schema_version": SCHEMA_VERSION,
        "envcheck": report.envcheck_version,
        "source": {
            "path": export.path,
            "kind": export.kind.value,
            "platform": export.platform,
            "encoding": export.encoding,
            "conda": len(export.requirements),
            "pip": len(export.pip),
        },
        "target": {
            "platform": report.target.platform,
            "virtual_packages": {package.name: package.version for package in report.target.virtual_packages},
            "channels": [{"name": channel.name, "url": channel.url} for channel in report.target.channels],
        },
        "engine": {"name": report.engine.name, "version": report.engine.version, "reason": report.engine.reason},
        "verdict": report.verdict.value,
        "findings": [finding_document(finding) for finding in report.findings],
        **accepted_document(report.accepted),
        "plan": _plan(report.plan),
        "packages": [_package(record) for record in report.plan.packages],
        "pip": [
            {"name": one.name, "version": one.version, "url": strip_secrets(one.url), "sha256": one.sha256}
            for one in (report.pip_resolution.distributions if report.pip_resolution is not None else ())
        ],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as the reports of every command have it."""
    return {
        "code": finding.code,
        "title": finding.title,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message,
        "location": {"line": finding.line},
        "remedies": [
            {
                "action": remedy.action.value,
                "summary": remedy.summary,
                "spec": remedy.spec,
                "verified": remedy.verified,
            }
            for remedy in finding.remedies
        ],
    }


def accepted_document(accepted: Sequence[Finding]) -> dict[str, Any]:
    """The findings that a baseline accepts, as a report's ``accepted``; no key where there are none."""
    return {"accepted": [finding_document(finding) for finding in accepted]} if accepted else {}


def _plan(plan: Plan) -> dict[str, Any]:
    def left_out(rows: Sequence[PlanDropped]) -> list[dict[str, Any]]:
        return [{"name": row.name, "version": row.version, "reason": row.reason} for row in rows]

    return {
        "kept": [{"name": row.name, "version": row.version} for row in plan.kept],
        "changed": [
            {"name": row.name, "from": row.from_version, "to": row.to_version, "reason": row.reason}
            for row in plan.changed
        ],
        "dropped": left_out(plan.dropped),
        "to_pip": left_out(plan.to_pip),
        "added": [{"name": row.name, "version": row.version, "reason": row.reason} for row in plan.added],
    }


def _package(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "build": record.build,
        "subdir": record.subdir,
        "channel": record.channel,
        "url": record.url,
        "md5": record.md5,
        "sha256": record.sha256,
        "size": record.size,
    }
