"""The facts about hazards: what they are keyed by, and when they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from envcheck.model import Finding
from envcheck.rules.hazard_facts import BACKPORTS, BROKEN, LOOK_ALIKES, SAME_IMPORTS
from tests.unit.rules.cases import Bench, hazard


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, package_index_directory: Path) -> Bench:
    return Bench(tmp_path_factory.mktemp("hazards"), package_index_directory.as_uri())


def told(bench: Bench, *lines: str, listed: str = "python=3.10, pip") -> list[Finding]:
    findings = bench.check(hazard(*lines, listed=listed)).findings
    return [finding for finding in findings if finding.code.startswith("EC63")]


def test_facts_are_keyed_by_normalized_names_and_have_a_source() -> None:
    for table in (BACKPORTS, LOOK_ALIKES, BROKEN):
        assert [canonicalize_name(name) for name in table] == list(table)
        assert list(table) == sorted(table)
        assert all(fact.source.startswith("https://") for fact in table.values())
    assert all(fact.source.startswith("https://") for fact in SAME_IMPORTS)
    assert [fact.module for fact in SAME_IMPORTS] == sorted(fact.module for fact in SAME_IMPORTS)
    for fact in SAME_IMPORTS:
        assert {canonicalize_name(name) for name in fact.projects} == fact.projects
        assert len(fact.projects) > 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("asyncio", None),  # the newest installs nothing
        ("asyncio==3.4.3", "EC630"),
        ("enum34==1.1.10", "EC630"),
        ("typing", "EC630"),
        ("sklearn", "EC631"),
        ("sklearn==0.0.post1", "EC631"),
        ("sklearn==0.0", None),
        ("tensorflow-gpu==2.10.1", None),
        ("tensorflow-gpu==2.12.0", "EC631"),
        ("Crypto", "EC631"),
        ("nose==1.3.7", "EC633"),
        ("MySQL-python==1.2.5", "EC633"),
        ("importlib-metadata==6.0", None),
    ],
)
def test_one_requirement(bench: Bench, line: str, code: str | None) -> None:
    assert [finding.code for finding in told(bench, line)] == ([] if code is None else [code])


def test_each_group_is_told_once_and_names_all(bench: Bench) -> None:
    (finding,) = told(bench, "opencv-python", "opencv-contrib-python", "opencv-python-headless")
    assert finding.message.startswith("opencv-python and opencv-contrib-python and opencv-python-headless install")
    assert finding.line == 9


def test_a_project_that_stands_twice_is_no_pair(bench: Bench) -> None:
    assert told(bench, "psycopg2==2.9.9", "psycopg2==2.9.9") == []


def test_a_name_alone_does_not_make_two_distributions_one(bench: Bench) -> None:
    # `tool` needs no Python: whatever PyPI has under that name is something else.
    assert told(bench, "tool==9.9", listed="python=3.10, pip, tool") == []


def test_conda_and_pip_in_one_version_go_together(bench: Bench) -> None:
    assert told(bench, "compiled>=1.0", listed="python=3.10, pip, compiled") == []
    (finding,) = told(bench, "compiled==0.9", listed="python=3.10, pip, compiled")
    assert (finding.code, finding.subject, finding.line) == ("EC634", "compiled", 8)
    assert finding.message == "conda installs compiled 1.0, and pip puts compiled==0.9 over it"


def test_conda_s_opencv_and_pip_s_are_told_as_one_pair(bench: Bench) -> None:
    (finding,) = told(bench, "opencv-python==4.8.0.76", listed="python=3.10, pip, py-opencv")
    assert (finding.code, finding.subject) == ("EC632", "opencv-python")
    assert finding.message.startswith("opencv-python and py-opencv (conda) install the same package cv2")
