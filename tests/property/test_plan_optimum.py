"""The optimum is the optimum: plans and clauses against a search of every environment of any small universe."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from envcheck.clauses import Clauses
from envcheck.engines import Engine
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import Intent, Plan
from envcheck.plan import make_plan
from envcheck.survey import survey
from envcheck.universe import Universe
from tests.property.plan_universes import (
    LIBRARIES,
    Found,
    OneIndexWorld,
    Package,
    environments,
    loaded,
    package_of,
    shuffled,
    universes,
    wanted_by,
    wishes,
)
from tests.support.fakes import environment

Wish = tuple[str, frozenset[str]]
"""A name and the versions of which one is wished for; no versions: that the name is absent."""

Case = tuple[tuple[Package, ...], dict[str, str], list[str]]
"""A universe, what is asked for, and which of it is direct."""

PRIORITIES = st.sampled_from(("flexible", "strict"))


def rattler() -> Engine:
    return RattlerEngine()


def libmamba() -> Engine:
    from envcheck.engines.libmamba import LibmambaEngine

    return LibmambaEngine()


NO_LIBMAMBA = pytest.mark.skipif(not importlib.util.find_spec("libmambapy"), reason="libmambapy is not installed")
ENGINES = [pytest.param(rattler, id="rattler"), pytest.param(libmamba, id="libmamba", marks=NO_LIBMAMBA)]


# ---------------------------------------------------------------------------------------------------------------------
# Clauses
# ---------------------------------------------------------------------------------------------------------------------


@st.composite
def questions(draw: st.DrawFn) -> tuple[tuple[Package, ...], list[list[Wish]]]:
    """A universe and levels of wishes over it."""
    packages = draw(universes())
    versions = sorted({(one.name, one.version) for one in packages})
    names = sorted({name for name, _ in versions})
    wish = st.one_of(
        st.lists(st.sampled_from(versions), min_size=1, max_size=3).map(
            lambda some: (some[0][0], frozenset(version for name, version in some if name == some[0][0]))
        ),
        st.sampled_from(names).map(lambda name: (name, frozenset[str]())),
    )
    return packages, draw(st.lists(st.lists(wish, max_size=4), min_size=1, max_size=4))


def granted(found: Found, wish: Wish) -> bool:
    name, versions = wish
    return (name in found and found[name].version in versions) if versions else name not in found


def literal(clauses: Clauses, wish: Wish) -> int | None:
    name, versions = wish
    if not versions:
        return clauses.absent(name)
    return clauses.any_of(record for record in clauses.universe.records[name] if record.version in versions)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(questions(), st.sampled_from(((), (), *((name,) for name in LIBRARIES), LIBRARIES[:2])), PRIORITIES)
def test_nothing_is_better_than_the_optimum(
    question: tuple[tuple[Package, ...], list[list[Wish]]], demanded: tuple[str, ...], priority: str
) -> None:
    packages, levels = question
    every = [one for one in environments(packages, priority=priority) if set(demanded) <= one.keys()]
    with loaded(packages, priority=priority) as (target, index):
        names = sorted({name for level in levels for name, _ in level} | set(demanded))
        clauses = Clauses(Universe(names, index, target, None))
        for name in demanded:
            present = clauses.any_of(clauses.universe.records[name])
            clauses.hard.append([] if present is None else [present])
        literals = [[one for wish in level if (one := literal(clauses, wish)) is not None] for level in levels]
        if not any(literals):
            return
        best = clauses.optimum(literals)

    def value(found: Found) -> list[int]:
        return [sum(granted(found, wish) for wish in level) for level in levels]

    event("no model" if best is None else "model")
    assert (best is None) == (not every)
    if best is not None:
        found = {one.name: package_of(one, packages) for one in best}
        assert len(found) == len(best)
        # The judge sees all records, those too that the universe merged with others.
        assert found in every
        assert value(found) == max(map(value, every))


# ---------------------------------------------------------------------------------------------------------------------
# Plans
# ---------------------------------------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """What a plan can be asked for; half of those with Pythons ask for one."""
    python = draw(st.booleans())
    asked = draw(wishes(python=python and draw(st.booleans())))
    packages = draw(universes(python=python))
    return packages, asked, [name for name in asked if name == "python" or draw(st.integers(0, 2))]


def planned(
    packages: Sequence[Package],
    asked: Mapping[str, str],
    direct: Sequence[str],
    *,
    priority: str = "flexible",
    engine: Engine | None = None,
) -> Plan:
    with loaded(packages, priority=priority, engine=engine) as (target, index):
        world = OneIndexWorld(index)
        wanted = environment(*(f"{name} {constraint}".strip() for name, constraint in asked.items()))
        availability = survey(wanted, target, world, source_platform=None)
        return make_plan(wanted, target, availability, world, Intent(direct=tuple(direct)), effort=60)


def minor_of(asked: Mapping[str, str]) -> str | None:
    return ".".join(asked["python"].lstrip("=").split(".")[:2]) if "python" in asked else None


def in_minor(found: Found, minor: str | None) -> bool:
    """Whether the Python is of a minor version; any will do, or none, where none is asked for."""
    return minor is None or ("python" in found and found["python"].version.startswith(f"{minor}."))


def version(found: Found, name: str) -> str | None:
    return found[name].version if name in found else None


@pytest.mark.parametrize("engine", ENGINES)
@settings(derandomize=True, deadline=None, max_examples=80)
@given(case=cases(), priority=PRIORITIES)
def test_nothing_is_closer_than_the_plan(engine: Callable[[], Engine], case: Case, priority: str) -> None:
    packages, asked, direct = case
    plan = planned(packages, asked, direct, priority=priority, engine=engine())
    found = {one.name: package_of(one, packages) for one in plan.packages}
    every = environments(packages, priority=priority)
    with_python = [one for one in every if in_minor(one, minor_of(asked))]

    def present(one: Found) -> int:
        return sum(name in one for name in direct)

    def exact(one: Found, names: set[str]) -> int:
        return sum(name in one and wanted_by(one[name], asked[name]) for name in names)

    # What the clauses allow, the engine allows.
    assert plan.disagreements == 0
    assert plan.optimal
    assert found in every
    if not with_python:
        event("no environment has this Python")
        return
    best = max((present(one), exact(one, set(direct))) for one in with_python)
    event(f"{len(direct) - best[0]} of {len(direct)} direct packages lost")
    if not in_minor(found, minor_of(asked)):
        event("another Python")
        assert present(found) > best[0]
        return
    assert (present(found), exact(found, set(direct))) == best
    # Beside the direct packages as they are, the others are as close as they can be, whatever else is wished for.
    alike = [one for one in with_python if all(version(one, name) == version(found, name) for name in direct)]
    transitive = asked.keys() - set(direct)
    assert exact(found, transitive) == max(exact(one, transitive) for one in alike)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(cases(), st.integers(0, 9))
def test_the_order_in_repodata_does_not_matter(case: Case, seed: int) -> None:
    packages, asked, direct = case

    assert planned(shuffled(packages, seed), asked, direct) == planned(packages, asked, direct)


TIES = (
    *(Package(name, "1.0", build, depends=(("d", ""),)) for name in "ab" for build in ("x_0", "y_0")),
    Package("a", "2.0", depends=(("c", ""), ("b", "<2"))),
    Package("c", "1.0", depends=(("b", "1.0.*"),)),
    Package("c", "1.1", depends=(("a", "1.0.*"),)),
    Package("b", "1.1", depends=(("a", "<2"),)),
    *(Package("d", version, build, noarch=True) for version in ("1.0", "2.1") for build in ("x_0", "y_0")),
)
"""A universe where much is equally close to ``a 1.1, b 2.0, c 2.0``."""


def ties() -> str:
    return repr(planned(TIES, {"a": "==1.1", "b": "==2.0", "c": "==2.0"}, ["a", "c"]))


def test_the_seed_of_hashes_does_not_matter() -> None:
    root = Path(__file__).parents[2]
    code = f"import sys; sys.path.insert(0, {str(root)!r}); from {__name__} import ties; print(ties())"
    answers = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert answers == {ties()}


# ---------------------------------------------------------------------------------------------------------------------
# What such universes taught
# ---------------------------------------------------------------------------------------------------------------------


def packages_of(plan: Plan) -> dict[str, str]:
    return {one.name: f"{one.version} {one.build}" for one in plan.packages}


def test_a_package_more_is_worth_every_pin() -> None:
    packages = (
        *(Package(name, version) for name in "ab" for version in ("1.0", "2.0")),
        Package("c", "1.0", depends=(("a", "==2.0"), ("b", "==2.0"))),
    )
    plan = planned(packages, {"a": "==1.0", "b": "==1.0", "c": "==1.0"}, ["a", "b", "c"])

    assert packages_of(plan) == {"a": "2.0 x_0", "b": "2.0 x_0", "c": "1.0 x_0"}


def test_builds_are_for_a_python_that_came_along() -> None:
    packages = (
        Package("python", "3.9.5"),
        Package("python_abi", "3.10", "0_cp310"),
        Package("a", "1.0", depends=(("python", ""), ("python_abi", "3.10.*"))),
        Package("a", "1.1"),
    )
    plan = planned(packages, {"a": "==1.0"}, ["a"])

    assert plan.disagreements == 0
    assert packages_of(plan) == {"a": "1.1 x_0"}


def test_a_listed_python_abi_does_not_stay_beside_another_python() -> None:
    packages = (
        *(Package("python", version) for version in ("3.9.5", "3.10.2")),
        *(Package("python_abi", version, f"0_cp{version.replace('.', '')}") for version in ("3.9", "3.10")),
        Package("a", "1.0", depends=(("python", "3.10.*"),)),
    )
    plan = planned(packages, {"python": "==3.9.5", "python_abi": "==3.9", "a": "==1.0"}, ["python", "a"])

    assert plan.disagreements == 0
    assert packages_of(plan)["python"] == "3.10.2 x_0"
    assert packages_of(plan).get("python_abi") != "3.9 0_cp39"


def test_what_the_image_has_may_be_constrained() -> None:
    packages = (Package("a", "1.0", constrains=(("__glibc", ">=2.40"),)), Package("a", "1.1"))
    plan = planned(packages, {"a": "==1.0"}, ["a"])

    assert plan.disagreements == 0
    assert packages_of(plan) == {"a": "1.1 x_0"}


def test_builds_bound_to_the_patch_that_was_asked_for() -> None:
    # As conda-forge's cpython: 3.10.15 depends on python 3.10.15.*.
    packages = (
        *(Package("python", version) for version in ("3.9.1", "3.9.5")),
        Package("a", "1.0", depends=(("python", "3.9.1.*"),)),
    )

    assert packages_of(planned(packages, {"python": "==3.9.1", "a": "==1.0"}, ["python", "a"])) == {
        "python": "3.9.1 x_0",
        "a": "1.0 x_0",
    }


def test_another_build_before_a_package_is_lost() -> None:
    packages = (
        Package("a", "1.0", "x_0", depends=(("b", "1.0.*"),)),
        Package("a", "1.0", "y_0"),
        *(Package("b", version) for version in ("1.0", "2.0")),
        Package("c", "1.0", depends=(("b", "==2.0"),)),
    )
    plan = planned(packages, {"a": "==1.0 x_0", "c": "==1.0"}, ["a", "c"])

    assert plan.disagreements == 0
    assert packages_of(plan) == {"a": "1.0 y_0", "b": "2.0 x_0", "c": "1.0 x_0"}


def test_a_build_that_was_asked_for_counts() -> None:
    packages = (
        *(Package(name, "1.0", build, number=int(build[-1])) for name in "ac" for build in ("x_0", "x_1")),
        *(Package(name, "2.0") for name in "ac"),
        Package("b", "1.0", depends=(("a", "==2.0"), ("c", "==2.0"))),
        Package("b", "1.1"),
    )
    plan = planned(packages, {"a": "==1.0 x_0", "b": "==1.0", "c": "==1.0 x_0"}, ["a", "b", "c"])

    assert packages_of(plan) == {"a": "1.0 x_0", "b": "1.1 x_0", "c": "1.0 x_0"}


@pytest.mark.parametrize("engine", ENGINES)
def test_another_channel_before_a_package_is_lost(engine: Callable[[], Engine]) -> None:
    packages = (
        Package("a", "1.0", channel="high"),
        Package("a", "1.0", channel="low", depends=(("b", "==2.0"),)),
        *(Package("b", version) for version in ("1.0", "2.0")),
        Package("c", "1.0", depends=(("b", "1.0.*"),)),
    )
    with loaded(packages, engine=engine()) as (target, index):
        world = OneIndexWorld(index)
        wanted = environment("low::a=1.0", "c=1.0")
        availability = survey(wanted, target, world, source_platform=None)
        plan = make_plan(wanted, target, availability, world, Intent(direct=("a", "c")), effort=60)

    assert plan.disagreements == 0
    assert packages_of(plan)["c"] == "1.0 x_0"
