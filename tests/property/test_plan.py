"""Laws of plans over any small universe, checked by trying every combination of records."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.intent import Intent
from envcheck.model import PinPolicy, Plan, Presence
from envcheck.plan import make_plan
from envcheck.survey import survey
from tests.support.channels import record
from tests.support.fakes import FakeWorld, Universe, environment

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1.0", "1.1", "2.0")
RANGES = {
    "": VERSIONS,
    " >=1.1": ("1.1", "2.0"),
    " <2": ("1.0", "1.1"),
    " 1.0.*": ("1.0",),
    " ==2.0": ("2.0",),
    " >=3": (),
}
"""Constraints of this universe and the versions that they allow, so that the judge needs nobody's parser."""

Packages = Mapping[tuple[str, str], tuple[tuple[str, str], ...]]
"""(name, version) → its dependencies, as pairs of name and constraint."""

DEPENDENCIES = st.lists(
    st.tuples(st.sampled_from((*NAMES, "missing")), st.sampled_from(tuple(RANGES))),
    max_size=2,
    unique_by=lambda pair: pair[0],
).map(tuple)
UNIVERSES = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VERSIONS)), DEPENDENCIES, min_size=3, max_size=9
)
WISHES = st.dictionaries(
    st.sampled_from((*NAMES, "unheard-of")), st.sampled_from(("", "==1.0", "==1.1", "==2.0", ">=1.1", "<2")), min_size=1
)
ALLOWED = {
    "": VERSIONS,
    "==1.0": ("1.0",),
    "==1.1": ("1.1",),
    "==2.0": ("2.0",),
    ">=1.1": ("1.1", "2.0"),
    "<2": ("1.0", "1.1"),
}


def consistent(chosen: Mapping[str, str], packages: Packages) -> bool:
    """Whether everything that the chosen versions depend on is chosen too, in a version that will do."""
    return all(
        chosen.get(dependency) in RANGES[constraint]
        for name, version in chosen.items()
        for dependency, constraint in packages[name, version]
    )


def environments(packages: Packages) -> Iterable[dict[str, str]]:
    """Every consistent set of packages."""
    choices = [[None, *(version for name, version in packages if name == wanted)] for wanted in NAMES]
    for versions in itertools.product(*choices):
        chosen = {name: version for name, version in zip(NAMES, versions, strict=True) if version is not None}
        if consistent(chosen, packages):
            yield chosen


def planned(packages: Packages, wishes: Mapping[str, str], direct: Sequence[str], pins: PinPolicy) -> Plan:
    records: list[dict[str, Any]] = [
        record(name, version, depends=[dependency + constraint for dependency, constraint in depends])
        for (name, version), depends in packages.items()
    ]
    with tempfile.TemporaryDirectory() as directory:
        universe = Universe(Path(directory), {"conda-forge": {"linux-64": records}})
        target = universe.target("conda-forge")
        world = FakeWorld(universe, target)
        wanted = environment(*(name + constraint for name, constraint in wishes.items()))
        availability = survey(wanted, target, world, source_platform=None)
        known = {name for name, _ in packages}
        assert {one.requirement.name for one in availability if one.presence is not Presence.NOWHERE} == set(
            wishes
        ) & known
        return make_plan(wanted, target, availability, world, Intent(direct=tuple(direct)), pins=pins, effort=60)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(UNIVERSES, WISHES, st.data())
def test_plans(packages: Packages, wishes: dict[str, str], data: st.DataObject) -> None:
    names = sorted(wishes)
    direct = data.draw(st.lists(st.sampled_from(names), unique=True).map(sorted)) if data.draw(st.booleans()) else names
    pins = data.draw(st.sampled_from([PinPolicy.PRESERVE, PinPolicy.PRESERVE, PinPolicy.MINOR, PinPolicy.NONE]))
    plan = planned(packages, wishes, direct, pins)
    chosen = {one.name: one.version for one in plan.packages}
    every = list(environments(packages))

    # Every requirement stands in exactly one place.
    places = [row.name for rows in (plan.kept, plan.changed, plan.dropped, plan.to_pip) for row in rows]
    assert sorted(places) == names
    assert {row.name for row in plan.added}.isdisjoint(names)
    assert {row.name for row in (*plan.kept, *plan.changed, *plan.added)} == set(chosen)

    # The packages are an environment, and the plan says of them what is true.
    assert len(chosen) == len(plan.packages)
    assert chosen in every
    assert plan.solved == bool(chosen)
    assert all(chosen[row.name] == row.version for row in (*plan.kept, *plan.added))
    assert all(chosen[row.name] == row.to_version for row in plan.changed)
    assert all(chosen[row.name] in ALLOWED[wishes[row.name]] for row in plan.kept)
    assert all(chosen[row.name] not in ALLOWED[wishes[row.name]] for row in plan.changed)
    assert all(row.reason for row in (*plan.changed, *plan.dropped, *plan.added))
    assert plan.solved or plan.explanation

    # No direct package is left out that could be had beside the direct packages that are there.
    present = {name for name in direct if name in chosen}
    for name in set(direct) - present:
        others = [one for one in every if present | {name} <= one.keys()]
        if pins is PinPolicy.MINOR:
            others = [one for one in others if all(holds_minor(one, other, wishes) for other in one)]
        assert others == []

    # Where everything can be had as it was asked for, nothing changes.
    if pins is not PinPolicy.NONE and any(
        all(one.get(name) in ALLOWED[constraint] for name, constraint in wishes.items()) for one in every
    ):
        assert [row.name for row in plan.kept] == list(wishes)


def holds_minor(environment: Mapping[str, str], name: str, wishes: Mapping[str, str]) -> bool:
    """Whether a package stands at the minor version that was asked for; every version here is a minor version."""
    wish = wishes.get(name, "")
    return not wish.startswith("==") or environment[name] in ALLOWED[wish]
