"""The independent judge accepts what is a solution, and names everything that makes something else of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.engines import Index
from envcheck.engines.rattler import RattlerEngine
from envcheck.locks.judge import ObjectionKind, judge_solution
from envcheck.model import Record, Solved, Target
from tests.support.channels import LINUX, channel

SPECS = ("python 3.10.*", "geopandas", "mkl", "conda-forge::numpy 1.26.*")


@pytest.fixture(scope="module")
def index(channels_directory: Path) -> Index:
    return RattlerEngine().load([channel(channels_directory / "conda-forge")], "linux-64", LINUX)


@pytest.fixture(scope="module")
def target(channels_directory: Path) -> Target:
    found = channel(channels_directory / "conda-forge")
    return Target(platform="linux-64", virtual_packages=LINUX, channels=(found,))


@pytest.fixture(scope="module")
def solution(index: Index) -> tuple[Record, ...]:
    outcome = index.solve(SPECS)
    assert isinstance(outcome, Solved)
    return outcome.packages


def kinds(packages: list[Record], target: Target, index: Index, specs: tuple[str, ...] = SPECS) -> set[ObjectionKind]:
    return {objection.kind for objection in judge_solution(packages, specs, target, index)}


def changed(solution: tuple[Record, ...], name: str, **fields: object) -> list[Record]:
    return [replace(one, **fields) if one.name == name else one for one in solution]  # type: ignore[arg-type]


def test_a_solution_is_accepted(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    assert judge_solution(solution, SPECS, target, index) == ()


def test_the_order_does_not_matter(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    assert judge_solution(solution[::-1], SPECS, target, index) == ()


def test_without_any_one_package_it_is_none(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    needed = {dependency.split(" ")[0] for one in solution for dependency in one.depends}
    for left_out in solution:
        rest = [one for one in solution if one is not left_out]
        asked = left_out.name in {"python", "geopandas", "mkl", "numpy"}
        assert bool(kinds(rest, target, index)) == (asked or left_out.name in needed), left_out.name


def test_one_package_per_name(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    other = next(one for one in index.records("numpy") if one.version != "1.26.2" and one.subdir == "linux-64")

    assert ObjectionKind.TWICE in kinds([*solution, other], target, index)


def test_builds_for_another_python_are_refused(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    # pkgs/main has builds of python_abi that constrain nothing.
    abi = replace(solution[0], name="python_abi", version="3.14", depends=(), constrains=())
    without = [one for one in solution if one.name != "python_abi"]

    objections = [one for one in judge_solution([*without, abi], (), target, None) if one.subject == "python_abi"]

    assert [(one.kind, one.spec) for one in objections] == [(ObjectionKind.CONSTRAINT, "python 3.14.*")]


def test_packages_of_another_platform_are_refused(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    assert ObjectionKind.WRONG_PLATFORM in kinds(changed(solution, "numpy", subdir="win-64"), target, index)


def test_a_package_that_the_channels_do_not_have_is_refused(
    solution: tuple[Record, ...], target: Target, index: Index
) -> None:
    assert kinds(changed(solution, "numpy", url="https://other.example/numpy.conda"), target, index) == {
        ObjectionKind.NOT_IN_INDEX
    }


@pytest.mark.parametrize(("field", "digits"), [("md5", 32), ("sha256", 64)])
def test_another_hash_is_refused(
    solution: tuple[Record, ...], target: Target, index: Index, field: str, digits: int
) -> None:
    assert kinds(changed(solution, "numpy", **{field: "0" * digits}), target, index) == {ObjectionKind.OTHER_HASH}


def test_requirements_have_to_be_met(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    for spec in ("numpy <1", "docopt", "numpy * *_nothing", "elsewhere::numpy"):
        assert kinds(list(solution), target, index, (*SPECS, spec)) == {ObjectionKind.REQUIREMENT}


def test_dependencies_and_constraints_have_to_be_met(
    solution: tuple[Record, ...], target: Target, index: Index
) -> None:
    needing = changed(solution, "numpy", depends=("python >=3.12",))
    constrained = changed(solution, "numpy", constrains=("python >=3.12",))
    absent = changed(solution, "numpy", constrains=("not-there >=3.12",))

    assert kinds(needing, target, index) == {ObjectionKind.DEPENDENCY}
    assert kinds(constrained, target, index) == {ObjectionKind.CONSTRAINT}
    assert kinds(absent, target, index) == set()


def test_virtual_packages_are_the_targets(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    for dependency, expected in (
        ("__glibc >=2.17", set()),
        ("__glibc >=2.99", {ObjectionKind.VIRTUAL_PACKAGE}),
        ("__cuda", {ObjectionKind.VIRTUAL_PACKAGE}),
        ("__win", {ObjectionKind.VIRTUAL_PACKAGE}),
    ):
        assert kinds(changed(solution, "numpy", depends=(dependency,)), target, index) == expected
    assert kinds(changed(solution, "numpy", constrains=("__glibc <2.17",)), target, index) == {ObjectionKind.CONSTRAINT}
    assert kinds(changed(solution, "numpy", constrains=("__cuda >=12",)), target, index) == set()


def test_an_objection_is_one_readable_line(solution: tuple[Record, ...], target: Target, index: Index) -> None:
    objections = judge_solution(changed(solution, "numpy", depends=("python >=3.12",)), SPECS, target, index)

    assert [str(one) for one in objections] == [
        "numpy: dependency python >=3.12, found python "
        + next(f"{one.version} {one.build}" for one in solution if one.name == "python")
    ]
