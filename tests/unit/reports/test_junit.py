"""JUnit XML: suites, cases and counts as viewers read them, and well-formed whatever stands in a source."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings

from envcheck.model import Severity
from envcheck.reports.junit import render
from tests.unit.reports.accounts import ANY_TEXT, HOSTILE, account_about, bare_account, full_account
from tests.unit.reports.making import finding

ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "file"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set(),
}
"""What of Jenkins' schema is used."""

PARTS = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "system-out"},
}


def read(told: str) -> ET.Element:
    """The root of a document that any viewer can read and that counts right."""
    assert told.endswith("\n")
    root = ET.fromstring(told.encode("utf-8"))  # noqa: S314 - our own output
    for element in root.iter():
        assert set(element.keys()) <= ATTRIBUTES[element.tag]
        assert {part.tag for part in element} <= PARTS.get(element.tag, set())
    for suite in root:
        cases = suite.findall("testcase")
        assert cases
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(1 for case in cases if case.find("failure") is not None)
        assert int(suite.get("errors", "")) == sum(1 for case in cases if case.find("error") is not None)
        assert len({case.get("name") for case in cases}) == len(cases)
    for counter in ("tests", "failures", "errors"):
        assert int(root.get(counter, "")) == sum(int(suite.get(counter, "")) for suite in root)
    return root


def case(root: ET.Element, name: str) -> ET.Element:
    return next(one for one in root.iter("testcase") if one.get("name") == name)


def test_every_requirement_is_a_case_and_errors_are_failures() -> None:
    root = read(render([full_account()]))
    suite = root[0]
    assert suite.get("name") == "requirements.txt (linux-64)"
    assert suite.get("file") == "requirements.txt"
    names = [one.get("name") for one in suite.iter("testcase")]
    assert names == ["verdict", "numpy", "hdf5", "pywin32", "meteva", "attrs", "owner", "python"]
    assert {one.get("classname") for one in suite.iter("testcase")} == {"envcheck.linux-64.requirements_txt"}
    failing = [one.get("name") for one in suite.iter("testcase") if one.find("failure") is not None]
    assert failing == ["verdict", "hdf5", "pywin32"]
    failure = case(root, "hdf5").find("failure")
    assert failure is not None
    assert failure.get("type") == "EC501"
    assert failure.text == (
        "error EC501 Title of EC501: hdf5 (line 2): the channels do not have 1.0 for linux-64\n"
        "fix: take 1.1 [verified], or take 0.9"
    )


def test_warnings_are_output_of_a_case_that_passes() -> None:
    owner = case(read(render([full_account()])), "owner")
    assert owner.find("failure") is None
    assert (owner.findtext("system-out") or "").startswith("warning EC104 ")


def test_several_errors_of_one_requirement_are_one_failure() -> None:
    findings = tuple(finding(code, Severity.ERROR, "numpy", code.lower()) for code in ("EC501", "EC502"))
    failure = case(read(render([bare_account("a.yml", findings=findings)])), "numpy").find("failure")
    assert failure is not None
    assert failure.get("message") == "EC501 Title of EC501: ec501 (and 1 more)"
    assert len((failure.text or "").splitlines()) == 2


def test_a_number_of_things_is_called_by_its_rule() -> None:
    findings = (finding("EC401", Severity.ERROR, "219 builds", "219 of 219 rows carry builds of win-64"),)
    root = read(render([bare_account("a.yml", findings=findings)]))
    assert case(root, "EC401 Title of EC401").find("failure") is not None


def test_good_files_pass_and_say_so() -> None:
    root = read(render([bare_account("conda-lock.yml", verdict="sound")]))
    assert root.get("tests") == "1"
    assert root.get("failures") == "0"
    assert case(root, "verdict").findtext("system-out") == "the lock does not hold"


def test_what_was_not_finished_is_an_error() -> None:
    root = read(render([bare_account("conda-lock.yml", complete=False)]))
    assert root.get("errors") == "1"
    assert root.get("failures") == "0"


def test_what_a_baseline_accepts_does_not_fail() -> None:
    full = full_account()
    root = read(render([replace(full, findings=full.findings[2:], accepted=full.findings[:2])]))
    assert root.get("failures") == "0"
    assert (case(root, "hdf5").findtext("system-out") or "").startswith("accepted by the baseline: error EC501")


def test_standard_input_and_several_platforms() -> None:
    one = bare_account("-", "x")
    root = read(render([one, replace(one, platform="linux-aarch64"), replace(one, platform=None)]))
    assert [suite.get("name") for suite in root] == [
        "standard input (linux-64)", "standard input (linux-aarch64)", "standard input",
    ]  # fmt: skip
    assert all(suite.get("file") is None for suite in root)


def test_two_environments_of_one_dockerfile_are_two_suites() -> None:
    root = read(render([bare_account("Dockerfile", "x"), bare_account("./Dockerfile", "x")]))
    assert [suite.get("name") for suite in root] == ["Dockerfile (linux-64)", "Dockerfile (linux-64) 2"]
    assert len({one.get("classname") for one in root.iter("testcase")}) == 2


def test_a_package_called_verdict_is_another_case() -> None:
    root = read(render([bare_account("a.yml", "verdict")]))
    assert [one.get("name") for one in root.iter("testcase")] == ["verdict", "verdict (package)"]


def test_nothing_at_all() -> None:
    assert list(read(render([]))) == []


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_text(hostile: str) -> None:
    check_any(hostile)


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_any_text_is_text(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    told = render([account_about(text), bare_account(text, text)])
    root = read(told)
    assert "hunter2" not in told
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ufffe\uffff]", "".join(root.itertext()))
