"""Reasons in universes where only one reason is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from envcheck.clauses import Clauses
from envcheck.conflicts import Conflicts
from envcheck.universe import Universe
from tests.support.channels import record
from tests.support.fakes import Universe as Channels

MANY = 45
"""More members than are looked at one by one."""

RECORDS = [
    record("lib", "1.0"),
    record("lib", "2.0"),
    record("old", depends=["lib <2"]),
    record("new", depends=["lib >=2"]),
    record("far", depends=["between"]),
    record("between", depends=["lib >=2"]),
    record("broken", depends=["missing"]),
    record("left", constrains=["shared <2"]),
    record("right", constrains=["shared >=2"]),
    record("shared", "1.0"),
    record("shared", "2.0"),
    record("sharing", depends=["shared"]),
    record("bystander"),
    *(record("choice", f"{number}.0") for number in range(MANY)),
    *(record(f"against{number}", constrains=[f"choice !={number}.0"]) for number in range(MANY)),
    record("choosing", depends=["choice"]),
]


@pytest.fixture(scope="module")
def clauses(tmp_path_factory: pytest.TempPathFactory) -> Clauses:
    directory: Path = tmp_path_factory.mktemp("channels")
    channels = Channels(directory, {"conda-forge": {"linux-64": RECORDS}})
    target = channels.target("conda-forge")
    return Clauses(Universe(sorted({one["name"] for one in RECORDS}), channels.index(target), target, None))


def conflicts(clauses: Clauses, kept: Sequence[str]) -> Conflicts:
    literals: dict[str, int] = {}
    for spec in kept:
        literal = clauses.any_of(clauses.universe.matching(spec))
        assert literal is not None
        literals[spec.split(" ")[0]] = literal
    return Conflicts(clauses, literals)


def reason(clauses: Clauses, kept: Sequence[str], *wishes: str) -> tuple[str, ...] | None:
    """The reason against the last of some wishes, which are asked about one after the other."""
    with conflicts(clauses, kept) as opened:
        return [opened.reason(spec.split(" ")[0], clauses.universe.matching(spec)) for spec in wishes][-1]


def test_the_only_culprit_is_named(clauses: Clauses) -> None:
    assert reason(clauses, ["bystander", "lib 1.0"], "new") == ("lib",)


def test_a_conflict_through_something_that_is_not_kept(clauses: Clauses) -> None:
    assert reason(clauses, ["bystander", "old"], "far") == ("old",)


def test_of_two_culprits_one_is_enough(clauses: Clauses) -> None:
    assert reason(clauses, ["bystander", "lib 1.0", "old"], "new") in (("lib",), ("old",))


def test_culprits_that_are_only_together_in_the_way(clauses: Clauses) -> None:
    assert reason(clauses, ["right", "bystander", "left"], "sharing") == ("left", "right")
    assert reason(clauses, ["right", "bystander"], "sharing") is None


def test_no_conflict(clauses: Clauses) -> None:
    assert reason(clauses, ["bystander", "lib 2.0"], "new") is None
    assert reason(clauses, [], "new") is None


def test_what_can_never_be_had(clauses: Clauses) -> None:
    assert reason(clauses, ["bystander"], "broken") == ()
    assert reason(clauses, ["bystander"], "unheard-of") == ()
    assert reason(clauses, ["bystander"], "lib 3.0") == ()


def test_another_version_of_what_is_kept_does_not_conflict_with_itself(clauses: Clauses) -> None:
    assert reason(clauses, ["lib 1.0", "bystander"], "lib 2.0") is None
    assert reason(clauses, ["lib 1.0", "old", "bystander"], "lib 2.0") == ("old",)


def test_an_answer_does_not_change_the_next(clauses: Clauses) -> None:
    kept = ["bystander", "lib 1.0", "old"]

    assert reason(clauses, kept, "lib 2.0", "far", "broken", "lib >=2") == ("old",)
    assert reason(clauses, kept, "lib >=2", "old") is None


def test_a_reason_of_very_many_is_told_in_full(clauses: Clauses) -> None:
    everyone = [f"against{number}" for number in range(MANY)]

    assert reason(clauses, everyone, "choosing") == tuple(sorted(everyone))
    assert reason(clauses, everyone[:-1], "choosing") is None


def test_all_that_is_in_the_way(clauses: Clauses) -> None:
    with conflicts(clauses, ["old", "bystander", "sharing", "far", "left", "broken", "right"]) as opened:
        assert sorted(opened.all_minimal()) == [("broken",), ("far", "old"), ("left", "right", "sharing")]
    with conflicts(clauses, ["old", "bystander"]) as opened:
        assert opened.all_minimal() == ()
