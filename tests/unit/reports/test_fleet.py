"""The reports of an audit: worst first, the same bytes for the same fleet, harmless whatever names hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import envcheck.reports
from envcheck.fleet import AuditResult, AuditVerdict, Cause, result_document, result_from_document, selected
from envcheck.model import Severity
from envcheck.reports.fleet import common_words, render_json, render_line, render_markdown, render_text

SCHEMA = json.loads((Path(envcheck.reports.__file__).parent / "schema_fleet_1.json").read_bytes())


def cause(code: str, subject: str, severity: Severity = Severity.ERROR) -> Cause:
    return Cause(code=code, subject=subject, severity=severity, title=f"Title of {code}", line=3)


def result(path: str, verdict: AuditVerdict, *causes: Cause, **more: Any) -> AuditResult:
    fields: dict[str, Any] = {"platform": "linux-64", "kind": "list-export", "pins": 10, "kept": 9, "seconds": 1.25}
    return AuditResult(path=path, verdict=verdict, causes=causes, **{**fields, **more})


FLEET = [
    result("ready.yml", AuditVerdict.READY, kept=10, reused=True),
    result("b.yml", AuditVerdict.FIXABLE, cause("EC402", "vc")),
    result("a.yml", AuditVerdict.FIXABLE, cause("EC402", "vc"), cause("EC701", "python", Severity.WARNING)),
    result("worse.yml", AuditVerdict.FIXABLE, *(cause("EC402", name) for name in ("vc", "ucrt", "wincertstore"))),
    result("lost.yml", AuditVerdict.BLOCKED, cause("EC510", "plan"), added_channels=("conda-forge", "bioconda")),
    result("dead.yml", AuditVerdict.FAILED, trouble="its process died", pins=0, kept=0, complete=False),
    result(
        "page.html", AuditVerdict.UNREADABLE, trouble="This is no export of a known kind.", pins=0, kept=0, seconds=0.0
    ),
]


def validate(document: Any, kind: str) -> None:
    jsonschema.validate(document, {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]})


def test_the_table_is_sorted_worst_first() -> None:
    text = render_text(FLEET)
    rows = [line.split() for line in text.splitlines()[1:8]]

    assert [(row[0], row[-1]) for row in rows[2:]] == [
        ("blocked", "lost.yml"),
        ("fixable", "worse.yml"),
        ("fixable", "a.yml"),
        ("fixable", "b.yml"),
        ("ready", "ready.yml"),
    ]
    assert rows[0] == ["failed", "-", "-", "-", "1.2", "dead.yml:", "its", "process", "died"]
    assert rows[1][0] == "unreadable"
    assert rows[3] == ["fixable", "9/10", "3", "0", "1.2", "worse.yml"]
    assert rows[-1] == ["ready", "10/10", "0", "0", "known", "ready.yml"]
    assert "7 sources: 1 failed, 1 unreadable, 1 blocked, 3 fixable, 1 ready\n" in text
    assert "46 of 50 pins kept, 6 errors, 1 warning\n" in text
    assert "1 known from before, 6 checked (6.2 s of work)\n" in text


def test_what_the_fleet_has_in_common_is_told_in_words() -> None:
    needy = replace(FLEET[0], added_channels=("bioconda", "conda-forge"))

    assert common_words(FLEET) == ("3 of 7 have vc: Title of EC402 (EC402)",)
    assert common_words([*FLEET, needy]) == (
        "3 of 8 have vc: Title of EC402 (EC402)",
        "2 of 8 need bioconda",
        "2 of 8 need conda-forge",
    )
    assert common_words([needy]) == ("1 of 1 need bioconda", "1 of 1 need conda-forge")
    assert common_words([]) == ()


@pytest.mark.parametrize("render", [render_text, render_json, render_markdown])
def test_order_and_times_leave_no_trace(render: Any) -> None:
    slower = [replace(one, seconds=one.seconds * 3 + 1) for one in reversed(FLEET)]

    assert render(FLEET, times=False) == render(slower, times=False)
    assert render(FLEET) != render(slower)


def test_json_is_as_its_schema_says() -> None:
    document = json.loads(render_json(FLEET))
    validate(document, "fleet")
    validate(json.loads(render_json(FLEET, times=False, interrupted=9)), "fleet")
    validate(json.loads(render_json([])), "fleet")
    for one in FLEET:
        for times in (True, False):
            line = render_line(one, times=times)
            assert line.count("\n") == 1
            assert line.endswith("\n")
            validate(json.loads(line), "line")
    assert document["totals"]["verdicts"] == {"failed": 1, "unreadable": 1, "blocked": 1, "fixable": 3, "ready": 1}
    assert document["results"][0]["path"] == "dead.yml"


def test_a_result_survives_its_document() -> None:
    assert [result_from_document(result_document(one)) for one in FLEET] == FLEET


def test_secrets_and_terminal_sequences_are_shown_by_no_format() -> None:
    hostile = "x\x1b[2J\u202e|`<b>@me"
    url = "https://me:hunter2@host/t/tk-123456/c"
    fleet = [
        result(f"{hostile}.yml", AuditVerdict.FIXABLE, cause("EC301", f"{url} {hostile}"), added_channels=(url,)),
        result("b.yml", AuditVerdict.FAILED, trouble=f"{url} {hostile}"),
    ]
    for text in (render_text(fleet), render_json(fleet), render_markdown(fleet), *map(render_line, fleet)):
        assert "hunter2" not in text
        assert "tk-123456" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert all(line.count(" | ") == 5 for line in render_markdown(fleet).splitlines() if line.startswith("| "))


def test_several_platforms_have_a_column() -> None:
    fleet = [FLEET[0], replace(FLEET[0], platform="linux-aarch64")]
    assert "PLATFORM" in render_text(fleet)
    assert "PLATFORM" not in render_text(FLEET)


def test_an_interrupted_audit_says_so() -> None:
    assert "interrupted: 7 of 20 were done; the next run goes on from there\n" in render_text(FLEET, interrupted=20)
    assert "Interrupted: 7 of 20 were done." in render_markdown(FLEET, interrupted=20)
    assert json.loads(render_json(FLEET, interrupted=20))["interrupted"] is True


def test_select_and_ignore_leave_the_verdict() -> None:
    one = FLEET[2]
    assert [found.code for found in selected(one, ("EC4",), ()).causes] == ["EC402"]
    assert [found.code for found in selected(one, (), ("EC4",)).causes] == ["EC701"]
    assert selected(one, ("EC1",), ()).verdict is AuditVerdict.FIXABLE
    assert selected(one, (), ()) is one
