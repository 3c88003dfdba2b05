"""JSON report schema 1 as the design gives it: every key, no other key, and the type of every value."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["check_document", "check_report"]

KINDS = (
    "environment-yaml", "list-export", "explicit", "list-table", "list-json", "pip-freeze", "conda-lock", "pixi-lock",
)  # fmt: skip

TEXT: tuple[type, ...] = (str,)
TEXT_OR_NULL: tuple[type, ...] = (str, type(None))
NUMBER: tuple[type, ...] = (int,)
NUMBER_OR_NULL: tuple[type, ...] = (int, type(None))

SCHEMA: dict[str, Any] = {
    "schema_version": NUMBER,
    "envcheck": TEXT,
    "source": {
        "path": TEXT,
        "kind": TEXT,
        "platform": TEXT_OR_NULL,
        "encoding": TEXT,
        "conda": NUMBER,
        "pip": NUMBER,
    },
    "target": {"platform": TEXT, "virtual_packages": dict, "channels": [{"name": TEXT, "url": TEXT}]},
    # ``reason`` came after the design: why this engine and not the other.
    "engine": {"name": TEXT, "version": TEXT, "reason": TEXT},
    "verdict": TEXT,
    "findings": [
        {
            "code": TEXT,
            "title": TEXT,
            "severity": TEXT,
            "subject": TEXT,
            "message": TEXT,
            "location": {"line": NUMBER_OR_NULL},
            "remedies": [{"action": TEXT, "summary": TEXT, "spec": TEXT_OR_NULL, "verified": (bool,)}],
        }
    ],
    "plan": {
        "kept": [{"name": TEXT, "version": TEXT}],
        "changed": [{"name": TEXT, "from": TEXT, "to": TEXT, "reason": TEXT}],
        "dropped": [{"name": TEXT, "version": TEXT_OR_NULL, "reason": TEXT}],
        "to_pip": [{"name": TEXT, "version": TEXT_OR_NULL, "reason": TEXT}],
        "added": [{"name": TEXT, "version": TEXT, "reason": TEXT}],
    },
    "packages": [
        {
            "name": TEXT,
            "version": TEXT,
            "build": TEXT,
            "subdir": TEXT,
            "channel": TEXT,
            "url": TEXT,
            "md5": TEXT_OR_NULL,
            "sha256": TEXT_OR_NULL,
            "size": NUMBER_OR_NULL,
        }
    ],
    "pip": [{"name": TEXT, "version": TEXT_OR_NULL, "url": TEXT, "sha256": TEXT_OR_NULL}],
}


def check_document(document: Any) -> list[dict[str, Any]]:
    """Hold a whole JSON document to the schema; gives its reports."""
    if isinstance(document, dict) and "reports" in document:
        assert list(document) == ["schema_version", "reports"]
        assert document["schema_version"] == 1
        assert len(document["reports"]) > 1
        reports: list[dict[str, Any]] = document["reports"]
    else:
        reports = [document]
    for report in reports:
        check_report(report)
    return reports


def check_report(report: Any) -> None:
    """Hold one report to the schema and to the laws that its values obey."""
    _check(report, SCHEMA, "report")
    assert report["schema_version"] == 1
    assert report["source"]["kind"] in KINDS
    assert report["verdict"] in ("ready", "fixable", "blocked")
    for name, version in report["target"]["virtual_packages"].items():
        assert name.startswith("__")
        assert type(version) is str
    for finding in report["findings"]:
        assert re.fullmatch(r"EC[1-8]\d\d", finding["code"])
        assert finding["severity"] in ("error", "warning", "info")
        assert finding["location"]["line"] is None or finding["location"]["line"] >= 1
    for package in report["packages"]:
        assert package["url"].startswith(f"{package['channel']}/{package['subdir']}/")


def _check(value: Any, schema: Any, place: str) -> None:
    if isinstance(schema, dict):
        assert type(value) is dict, place
        assert list(value) == list(schema), place
        for key, inner in schema.items():
            _check(value[key], inner, f"{place}.{key}")
    elif isinstance(schema, list):
        assert type(value) is list, place
        for number, item in enumerate(value):
            _check(item, schema[0], f"{place}[{number}]")
    elif isinstance(schema, tuple):
        assert type(value) in schema, f"{place}: {value!r}"
    else:
        assert type(value) is schema, place
