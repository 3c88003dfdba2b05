"""Baselines: what is accepted, what is gone, and how the file stays readable."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.baseline import Baseline, Looked, baseline_text, parse_baseline
from envcheck.errors import ConfigurationError
from envcheck.model import Finding, Severity


def finding(code: str = "EC402", subject: str = "vc", *, line: int = 1, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code=code, title="A title", severity=severity, subject=subject, message="what it says", line=line)


def looked(*findings: Finding, path: str = "a.yml", platform: str = "linux-64") -> Looked:
    return Looked(path=path, platform=platform, findings=findings)


def anything(_: str) -> bool:
    return True


def of(*runs: Looked) -> Baseline:
    return Baseline().updated(runs, anything)


def new(baseline: Baseline, *runs: Looked) -> list[tuple[Finding, ...]]:
    return [one.new for one in baseline.judge(runs)]


def test_what_was_accepted_is_not_new_wherever_it_has_moved_to() -> None:
    baseline = of(looked(finding(line=3)))
    moved = replace(finding(line=30), message="other words", severity=Severity.WARNING)
    other = finding(subject="ucrt")

    (judged,) = baseline.judge([looked(moved, other)])

    assert judged.accepted == (moved,)
    assert judged.new == (other,)


@pytest.mark.parametrize(
    "run",
    [
        looked(finding(subject="ucrt")),
        looked(finding(code="EC501")),
        looked(finding(), path="b.yml"),
    ],
)
def test_another_code_subject_or_file_is_new(run: Looked) -> None:
    assert new(of(looked(finding())), run) == [run.findings]


def test_one_more_of_the_same_is_new() -> None:
    baseline = of(looked(finding(line=1)))
    first, second = finding(line=1), finding(line=2)
    assert new(baseline, looked(first, second)) == [(second,)]
    # Also where the file is looked at in parts, as the environments of a Dockerfile are.
    assert new(baseline, looked(first), looked(second)) == [(), (second,)]
    assert new(of(looked(first), looked(second)), looked(first), looked(second)) == [(), ()]


def test_what_is_accepted_is_so_for_every_platform() -> None:
    baseline = of(looked(finding()))
    assert new(baseline, looked(finding(), platform="linux-aarch64")) == [()]


def test_notes_are_told_as_ever() -> None:
    note = finding(severity=Severity.INFO)
    baseline = of(looked(note))
    assert baseline == Baseline()
    assert new(baseline, looked(note)) == [(note,)]


def test_paths_are_of_one_form() -> None:
    baseline = of(looked(finding(), path="sub\\a.yml"))
    assert [entry.path for entry in baseline.entries] == ["sub/a.yml"]
    assert new(baseline, looked(finding(), path="./sub/a.yml")) == [()]


# ---------------------------------------------------------------------------------------------------------------------
# What is gone
# ---------------------------------------------------------------------------------------------------------------------


def test_what_the_run_could_have_found_and_did_not_is_gone() -> None:
    baseline = of(looked(finding(), finding(code="EC716")), looked(finding(), path="b.yml"))

    def asked(code: str) -> bool:
        return code != "EC716"

    gone = baseline.gone([looked()], asked)
    after = baseline.updated([looked()], asked)

    assert [(entry.path, entry.code) for entry in gone] == [("a.yml", "EC402")]
    assert set(after.entries) == set(baseline.entries) - set(gone)


def test_what_was_seen_on_a_platform_that_was_not_looked_at_is_not_gone() -> None:
    baseline = of(looked(finding()), looked(finding(), platform="win-64"))
    assert [entry.platforms for entry in baseline.entries] == [("linux-64", "win-64")]

    assert baseline.gone([looked()], anything) == ()
    after = baseline.updated([looked()], anything)
    assert [entry.platforms for entry in after.entries] == [("win-64",)]
    assert after.updated([looked(platform="win-64")], anything) == Baseline()


def test_a_finding_without_a_platform_can_go() -> None:
    baseline = of(looked(finding(), platform=""))
    assert [entry.platforms for entry in baseline.entries] == [()]
    assert baseline.updated([looked(finding(), platform="")], anything) == baseline
    assert baseline.updated([looked(platform="")], anything) == Baseline()


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["EC402", "EC501"]),
        st.sampled_from(["vc", "ucrt", 'od"d\n\u2028\ud800']),
        severity=st.sampled_from(list(Severity)),
    ),
    max_size=5,
)
RUNS = st.lists(
    st.builds(
        lambda findings, path, platform: looked(*findings, path=path, platform=platform),
        FINDINGS,
        st.sampled_from(["a.yml", "b.yml", "-"]),
        st.sampled_from(["", "linux-64", "win-64"]),
    ),
    max_size=4,
)


@given(before=RUNS, run=RUNS)
def test_after_an_update_nothing_that_counts_is_new_and_nothing_is_gone(
    before: list[Looked], run: list[Looked]
) -> None:
    baseline = of(*before).updated(run, anything)

    assert all(one.severity is Severity.INFO for judged in baseline.judge(run) for one in judged.new)
    assert baseline.gone(run, anything) == ()
    assert baseline.updated(run, anything) == baseline
    assert parse_baseline(baseline_text(baseline), "base.json") == baseline


@given(run=RUNS)
def test_a_judgement_loses_and_invents_nothing(run: list[Looked]) -> None:
    for one, judged in zip(run, of(*run[:1]).judge(run), strict=True):
        assert sorted(judged.new + judged.accepted, key=repr) == sorted(one.findings, key=repr)


# ---------------------------------------------------------------------------------------------------------------------
# The file
# ---------------------------------------------------------------------------------------------------------------------


def test_the_text_has_a_line_for_each_and_is_the_same_whatever_the_order() -> None:
    runs = [looked(finding(subject="vc"), finding(subject="ucrt")), looked(finding(), path="sub/b.yml")]
    text = baseline_text(of(*runs))
    assert text == baseline_text(of(*reversed(runs)))
    lines = text.splitlines()
    assert lines[0] == '{"envcheck_baseline": 1,'
    assert lines[1] == ' "findings": ['
    assert [json.loads(line.rstrip(","))["subject"] for line in lines[2:-1]] == ["ucrt", "vc", "vc"]
    assert json.loads(text)["findings"][2]["path"] == "sub/b.yml"
    assert json.loads(baseline_text(Baseline())) == {"envcheck_baseline": 1, "findings": []}


def test_no_secret_is_written() -> None:
    secret = "hunter2" + "hunter2"
    baseline = of(looked(finding(subject=f"https://me:{secret}@example.org/x")))
    assert secret not in baseline_text(baseline)


ENTRY = {"path": "a", "code": "EC402", "subject": "vc", "platforms": [], "fingerprint": "0"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ('{"envcheck_baseline": 1,\n oops', "no JSON"),
        ("[" * 200_000, "no JSON"),
        ("\ufffd", "no JSON"),
        ("[]", "no baseline of envcheck"),
        ("{}", "no baseline of envcheck"),
        ('{"version": "2.1.0", "runs": []}', "no baseline of envcheck"),
        ('{"envcheck_baseline": 2, "findings": []}', "of version 2; known is 1"),
        ('{"envcheck_baseline": true, "findings": []}', "of version True; known is 1"),
        ('{"envcheck_baseline": "1", "findings": []}', "of version 1; known is 1"),
        ('{"envcheck_baseline": 1}', "no list of findings"),
        (json.dumps({"envcheck_baseline": 1, "findings": [ENTRY, 1]}), "finding 2 is not one"),
        (json.dumps({"envcheck_baseline": 1, "findings": [{**ENTRY, "code": 1}]}), "finding 1 is not one"),
        (json.dumps({"envcheck_baseline": 1, "findings": [{**ENTRY, "platforms": "x"}]}), "finding 1 is not one"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_baseline(text, "base.json")
    assert caught.value.path == "base.json"
    assert caught.value.hint
