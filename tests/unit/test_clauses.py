"""Wishes over universes where only one answer is best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envcheck.clauses import Clauses
from envcheck.model import Record
from envcheck.universe import Universe
from tests.support.channels import record
from tests.support.fakes import Universe as Channels


def clauses(directory: Path, *records: dict[str, Any]) -> Clauses:
    channels = Channels(directory, {"conda-forge": {"linux-64": records}})
    target = channels.target("conda-forge")
    return Clauses(Universe(sorted({one["name"] for one in records}), channels.index(target), target, None))


def one_of(found: Clauses, spec: str) -> int:
    literal = found.any_of(found.universe.matching(spec))
    assert literal is not None
    return literal


def texts(chosen: tuple[Record, ...] | None) -> list[str] | None:
    return None if chosen is None else [f"{one.name} {one.version}" for one in chosen]


def test_what_is_chosen_brings_what_it_needs(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app", depends=["lib <2"]), record("lib", "1.0"), record("lib", "2.0"))

    assert texts(found.optimum([[one_of(found, "app")]])) == ["app 1.0", "lib 1.0"]
    assert texts(found.optimum([[one_of(found, "app"), one_of(found, "lib 2.0")]])) in (
        ["lib 2.0"],
        ["app 1.0", "lib 1.0"],
    )


def test_nothing_is_there_that_was_not_wished_for(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app"), record("lib"))

    assert texts(found.optimum([[one_of(found, "app")], [found.absent("lib")]])) == ["app 1.0"]
    assert texts(found.optimum([[found.absent("app"), found.absent("unheard-of")], [one_of(found, "lib")]])) == [
        "lib 1.0"
    ]


def test_what_cannot_be_met_is_not_chosen(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app", depends=["lib >=2"]), record("lib"), record("other"))

    assert texts(found.optimum([[one_of(found, "app")], [one_of(found, "other")], [found.absent("lib")]])) == [
        "other 1.0"
    ]


def test_constrained_packages_need_not_be_there(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app", constrains=["lib <2"]), record("lib", "1.0"), record("lib", "2.0"))
    app, lib, newer = one_of(found, "app"), one_of(found, "lib"), one_of(found, "lib 2.0")

    assert texts(found.optimum([[app], [lib], [newer]])) == ["app 1.0", "lib 1.0"]
    assert texts(found.optimum([[app], [found.absent("lib")]])) == ["app 1.0"]
    assert texts(found.optimum([[newer], [app]])) == ["lib 2.0"]


def test_one_wish_of_a_level_outweighs_all_of_the_next(tmp_path: Path) -> None:
    others = [f"other{number}" for number in range(12)]
    found = clauses(tmp_path, record("app", constrains=[f"{one} >=2" for one in others]), *map(record, others))
    level = [one_of(found, one) for one in others]

    assert texts(found.optimum([[one_of(found, "app")], level])) == ["app 1.0"]
    assert len(found.optimum([level, [one_of(found, "app")]]) or ()) == 12


# Up to five records of a name exclude each other in pairs, more of them by a ladder.
@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 20])
def test_a_name_is_there_once(tmp_path: Path, count: int) -> None:
    versions = [f"{number}.0" for number in range(1, count + 1)]
    found = clauses(tmp_path, *(record("lib", version) for version in versions))
    literals = {version: one_of(found, f"lib {version}") for version in versions}

    assert len(found.optimum([list(literals.values())]) or ()) == 1
    for version, literal in literals.items():
        assert texts(found.optimum([[literal], list(literals.values())])) == [f"lib {version}"]


def test_candidates_can_be_forbidden(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app"), record("lib", "1.0"), record("lib", "2.0"))
    wishes = [[one_of(found, "app")], [one_of(found, "lib")], [one_of(found, "lib 2.0")]]
    answers = []
    while chosen := found.optimum(wishes):
        answers.append(texts(chosen))
        found.forbid_together(chosen)

    # Forbidding a set forbids all that holds it.
    assert answers == [["app 1.0", "lib 2.0"], ["app 1.0", "lib 1.0"], ["app 1.0"], ["lib 2.0"], ["lib 1.0"]]


def test_no_model(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app", depends=["lib"]), record("lib", depends=["missing"]), record("other"))
    app, other = one_of(found, "app"), one_of(found, "other")
    hard = list(found.hard)
    contradictions: list[list[list[int]]] = [[[]], [[other], [-other]], [[app]]]
    for contradiction in contradictions:
        found.hard = hard + contradiction

        assert found.optimum([[other]]) is None


def test_an_empty_set_grants_no_wish(tmp_path: Path) -> None:
    found = clauses(tmp_path, record("app", "1.0"), record("app", "2.0"))

    assert found.any_of([]) is None
    assert found.any_of(found.universe.records["app"]) == found.any_of(reversed(found.universe.records["app"]))


@pytest.mark.parametrize("levels", [[], [[]], [[], []]])
def test_nothing_is_wished_for(tmp_path: Path, levels: list[list[int]]) -> None:
    assert clauses(tmp_path, record("app")).optimum(levels) is not None
