"""Rows without a wheel that conda can give: which, in which version, and how often the solver is asked for that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from envcheck.engines import Index
from envcheck.model import Outcome, PipRequirement, PipRequirementKind, Plan, Record, Solved, Unsolved
from envcheck.pip.to_conda import move_to_conda
from tests.support.channels import record
from tests.support.fakes import Universe

RECORDS = [
    record("python", "3.9.18", depends=["ssl 1.*"]),
    record("python", "3.12.1", depends=["ssl 3.*"]),
    record("ssl", "1.1"),
    record("ssl", "3.2"),
    record("holds", "1.0", constrains=["held <2"]),
    record("held", "1.9"),
    record("held", "2.1"),
    record("plain", "1.0"),
    record("plain", "1.4"),
    record("plain", "2.0", depends=["python >=3.12"]),
    record("newer", "1.0", depends=["python >=3.12"]),
    record("abi", "1.0", depends=["python_abi 3.12.* *_cp312"]),
    record("deep", "1.0", depends=["middle"]),
    record("middle", "1.0", depends=["ssl 3.*"]),
    record("circle", "1.0", depends=["partner"]),
    record("partner", "1.0", depends=["circle 1.*"]),
    record("one", "1.0", depends=["shared 1.*"]),
    record("two", "1.0", depends=["shared 2.*"]),
    record("shared", "1.0"),
    record("shared", "2.0"),
]


class CountingIndex:
    """An index that counts what its solver is asked."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.asked: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def solve(self, specs: Sequence[str], **options: Any) -> Outcome:
        self.asked.append([spec for spec in specs if not spec.startswith(("python ", "ssl ", "holds "))])
        return self._index.solve(specs, **options)


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    return Universe(tmp_path_factory.mktemp("moves"), {"lab": {"linux-64": RECORDS}})


@pytest.fixture
def index(universe: Universe) -> CountingIndex:
    return CountingIndex(universe.index(universe.target("lab")))


def planned(index: CountingIndex, *specs: str) -> Plan:
    """A plan that was solved for Python 3.9."""
    found = index._index.solve(["python 3.9.*", *specs])
    assert isinstance(found, Solved)
    return Plan(packages=found.packages, requirements=("python ==3.9.18",), solved=True)


def pins(*texts: str) -> list[PipRequirement]:
    """Rows of a freeze."""
    parts = [text.partition("==") for text in texts]
    return [
        PipRequirement(
            kind=PipRequirementKind.NAMED,
            name=name,
            specifier=f"=={pin}" if pin else "",
            pin=pin or None,
            line=1,
            text=name,
        )
        for name, _, pin in parts
    ]


def moved(found: Iterable[tuple[PipRequirement, Record]]) -> dict[str | None, str]:
    """The versions by the names of the rows."""
    return {row.name: one.version for row, one in found}


def test_rows_are_moved_in_one_question(index: CountingIndex) -> None:
    plan = planned(index)
    after, found = move_to_conda(plan, pins("plain==1.4", "circle==1.0", "held==2.1"), index, seconds=30)
    assert moved(found) == {"plain": "1.4", "circle": "1.0", "held": "2.1"}
    assert len(index.asked) == 1
    assert {one.name for one in after.added} == {"plain", "circle", "partner", "held"}
    assert set(plan.packages) < set(after.packages)
    assert after.requirements == ("python ==3.9.18", "plain ==1.4", "circle ==1.0", "held ==2.1")


@pytest.mark.parametrize("name", ["newer", "abi", "deep", "absent"])
def test_what_cannot_be_beside_the_plan_is_not_asked_for(index: CountingIndex, name: str) -> None:
    """By its Python, its ABI, the needs of its needs, or because no channel has it."""
    plan = planned(index)
    assert move_to_conda(plan, pins(f"{name}==1.0"), index, seconds=30) == (plan, ())
    assert index.asked == []


def test_the_nearest_version_is_one_that_can_be_had(index: CountingIndex) -> None:
    plan = planned(index, "holds")
    _, found = move_to_conda(plan, pins("plain==2.0", "held==2.1", "circle==no-version"), index, seconds=30)
    assert moved(found) == {"plain": "1.4", "held": "1.9", "circle": "1.0"}
    assert len(index.asked) == 1


def test_what_is_there_already_stays_as_it_is(index: CountingIndex) -> None:
    plan = planned(index)
    after, found = move_to_conda(plan, pins("ssl==3.2"), index, seconds=30)
    assert moved(found) == {"ssl": "1.1"}
    assert after.packages == plan.packages


def test_rows_that_quarrel_are_told_apart_in_halves(index: CountingIndex) -> None:
    """The earlier one is kept, and the others do not suffer for it."""
    plan = planned(index)
    rows = pins("plain==1.4", "one==1.0", "two==1.0", "circle==1.0")
    _, found = move_to_conda(plan, rows, index, seconds=30)
    assert moved(found) == {"plain": "1.4", "one": "1.0", "circle": "1.0"}
    # All, the first half, the second, its parts, and at last any version of the one that failed.
    assert len(index.asked) == 6


def test_without_time_nothing_is_asked(index: CountingIndex) -> None:
    plan = planned(index)
    assert move_to_conda(plan, pins("plain==1.4"), index, seconds=0) == (plan, ())
    assert index.asked == []


def test_when_the_time_runs_out_what_was_found_counts(index: CountingIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100, 10))
    monkeypatch.setattr("envcheck.pip.to_conda.time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(index, "solve", _only_first_half(index))
    plan = planned(index)
    _, found = move_to_conda(plan, pins("plain==1.4", "circle==1.0"), index, seconds=25)
    assert moved(found) == {"plain": "1.4"}


def _only_first_half(index: CountingIndex) -> Any:
    """A solver that takes no more than one thing at a time."""

    def solve(specs: Sequence[str], **options: Any) -> Outcome:
        options["timeout"] = None
        many = {"plain ==1.4", "circle ==1.0"} <= set(specs)
        return Unsolved(explanation="too much") if many else index._index.solve(specs, **options)

    return solve
