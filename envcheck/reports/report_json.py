"""The JSON report, schema version 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from envcheck.model import Finding, PipPresence, Plan, PlanDropped, Record, Report
from envcheck.secrets import mask, strip_secrets

__all__ = ["SCHEMA_VERSION", "render", "render_all"]

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """One report as JSON text, with a final newline."""
    return json.dumps(_report(report), indent=2, ensure_ascii=False) + "\n"


def render_all(reports: Sequence[Report]) -> str:
    """Several reports (sources or platforms) as one JSON text; a single one is not wrapped."""
    if len(reports) == 1:
        return render(reports[0])
    document = {"schema_version": SCHEMA_VERSION, "reports": [_report(report) for report in reports]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _report(report: Report) -> dict[str, Any]:
    export = report.export
    return {
        "schema_version": SCHEMA_VERSION,
        "envcheck": report.envcheck_version,
        "source": {
            "path": mask(export.path),
            "kind": export.kind.value,
            "platform": export.platform,
            "encoding": export.encoding,
            "conda": len(export.requirements),
            "pip": len(export.pip),
        },
        "target": {
            "platform": report.target.platform,
            "virtual_packages": {package.name: package.version for package in report.target.virtual_packages},
            "channels": [{"name": mask(channel.name), "url": channel.url} for channel in report.target.channels],
        },
        "engine": {"name": report.engine.name, "version": report.engine.version},
        "verdict": report.verdict.value,
        "findings": [_finding(finding) for finding in report.findings],
        "plan": _plan(report.plan),
        "packages": [_package(record) for record in report.plan.packages],
        "pip": [
            {"name": one.name, "version": one.version, "url": strip_secrets(one.file.url), "sha256": one.file.sha256}
            for one in report.pip
            if one.file is not None and one.presence in (PipPresence.WHEEL, PipPresence.PURE_WHEEL)
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": finding.title,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": mask(finding.message),
        "location": {"line": finding.line},
        "remedies": [
            {
                "action": remedy.action.value,
                "summary": mask(remedy.summary),
                "spec": remedy.spec,
                "verified": remedy.verified,
            }
            for remedy in finding.remedies
        ],
    }


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
