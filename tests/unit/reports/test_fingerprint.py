"""Fingerprints: what they hold on to and what they let go."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.model import Severity
from envcheck.reports.fingerprint import fingerprint, fingerprints, normalized_path
from tests.unit.reports.making import finding

NUMPY = finding("EC501", Severity.ERROR, "numpy", "the channels do not have 1.0", line=3)
ANYTHING = st.text(st.characters(), max_size=30)


def test_a_fingerprint_is_the_same_for_ever() -> None:
    assert fingerprint("environment.yml", NUMPY) == "8230ed1c3be8d14ce546133c6de405c3"


@pytest.mark.parametrize(
    "other",
    [
        replace(NUMPY, line=40),
        replace(NUMPY, line=None),
        replace(NUMPY, message="the channels do not have 1.1"),
        replace(NUMPY, title="Another title"),
        replace(NUMPY, severity=Severity.INFO),
    ],
)
def test_lines_and_words_may_change(other: object) -> None:
    assert fingerprint("a.yml", other) == fingerprint("a.yml", NUMPY)  # type: ignore[arg-type]


def test_code_subject_file_and_ordinal_tell_findings_apart() -> None:
    different = {
        fingerprint("a.yml", NUMPY),
        fingerprint("b.yml", NUMPY),
        fingerprint("-", NUMPY),
        fingerprint("a.yml", replace(NUMPY, code="EC502")),
        fingerprint("a.yml", replace(NUMPY, subject="scipy")),
        fingerprint("a.yml", NUMPY, ordinal=1),
    }
    assert len(different) == 6


def test_findings_that_differ_by_their_message_alone_are_two() -> None:
    alike = (NUMPY, replace(NUMPY, message="another"), replace(NUMPY, subject="scipy"), replace(NUMPY, line=9))
    found = fingerprints("a.yml", alike)
    assert len(set(found)) == 4
    assert fingerprints("a.yml", alike[1:]) == (found[0], found[2], found[1])


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("./environment.yml", "environment.yml"),
        ("envs\\win\\a.yml", "envs/win/a.yml"),
        ("envs//a.yml", "envs/a.yml"),
        ("envs/../a.yml", "a.yml"),
        ("../a.yml", "../a.yml"),
        ("/srv/a.yml", "/srv/a.yml"),
        ("//srv/./a.yml", "/srv/a.yml"),
        ("C:\\envs\\a.yml", "C:/envs/a.yml"),
        ("-", "-"),
        ("cafe\u0301.yml", "caf\u00e9.yml"),
        ("https://lee:secret@example.org/a.yml", "https:/***@example.org/a.yml"),
    ],
)
def test_one_file_has_one_path(path: str, same: str) -> None:
    assert normalized_path(path) == same


def test_one_row_more_is_no_new_finding_about_many() -> None:
    marks = {fingerprint("a.yml", replace(NUMPY, subject=subject)) for subject in ("1 build", "2 builds", "219 builds")}
    assert len(marks) == 1
    assert marks.isdisjoint({fingerprint("a.yml", replace(NUMPY, subject=other)) for other in ("7zip", "2 rows")})


def test_a_renewed_token_is_no_new_finding() -> None:
    one, two = (replace(NUMPY, subject=f"https://lee:{word}@conda.example.org/x") for word in ("old", "new"))
    assert fingerprint("a.yml", one) == fingerprint("a.yml", two)


@settings(deadline=None)
@given(path=ANYTHING, subjects=st.lists(ANYTHING | st.just("numpy"), max_size=8))
def test_any_text_has_fingerprints_and_no_two_the_same(path: str, subjects: list[str]) -> None:
    findings = [replace(NUMPY, subject=subject) for subject in subjects]
    found = fingerprints(path, findings)
    assert len(set(found)) == len(findings)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)
    assert normalized_path(normalized_path(path)) == normalized_path(path)


def test_another_hash_seed_changes_nothing() -> None:
    code = (
        "from tests.unit.reports.test_fingerprint import NUMPY; from envcheck.reports.fingerprint import fingerprint;"
        "print(fingerprint('a.yml', NUMPY))"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": s}
        )
        for s in ("1", "2")
    ]
    assert {one.stdout.strip() for one in done} == {fingerprint("a.yml", NUMPY)}
