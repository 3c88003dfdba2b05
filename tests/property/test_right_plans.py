"""Whole plans against every environment of small universes: all wishes in their order, and every minimal conflict."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from envcheck.engines import Engine
from envcheck.model import Intent, PinPolicy, Plan
from envcheck.plan import make_plan
from envcheck.survey import survey
from tests.property.nasty_universes import NAMES, priorities, universes
from tests.property.plan_universes import Found, OneIndexWorld, Package, loaded, package_of
from tests.property.reference import compare, environments, usable, visible
from tests.property.test_right_answers import are_enough, engine, readable, shares
from tests.support.fakes import environment

__all__ = ["engine"]


def planned(
    packages: Sequence[Package],
    pins: Mapping[str, str],
    direct: Sequence[str],
    *,
    priority: str,
    policy: PinPolicy,
    solver: Engine,
) -> Plan:
    with loaded(packages, priority=priority, engine=solver) as (where, index):
        world = OneIndexWorld(index)
        wanted = environment(*(f"{name} =={version}" for name, version in pins.items()))
        availability = survey(wanted, where, world, source_platform=None)
        return make_plan(wanted, where, availability, world, Intent(direct=tuple(direct)), pins=policy, effort=60)


@st.composite
def pinned(draw: st.DrawFn, every: Sequence[Found]) -> dict[str, str]:
    """A version for some names: mostly one that can be had, though perhaps not beside the others."""
    versions = {name: sorted({one[name].version for one in every if name in one}) for name in NAMES}
    here = [name for name in NAMES if versions[name]] or ["a", "b"]
    names = draw(st.permutations(here))[: draw(st.integers(min(2, len(here)), len(here)))]
    return {name: draw(st.sampled_from((*versions[name] * 9, "1.0", "2.2"))) for name in sorted(names)}


@st.composite
def rivals(draw: st.DrawFn, packages: Sequence[Package]) -> tuple[tuple[Package, ...], dict[str, str]]:
    """A universe in which a package will not stand beside another one, and a pin for each of the two."""
    names = sorted({one.name for one in packages})
    if len(names) < 2:
        return tuple(packages), {}
    first, second = draw(st.permutations(names))[:2]
    one = draw(st.sampled_from([package for package in packages if package.name == first]))
    other = draw(st.sampled_from([package for package in packages if package.name == second]))
    against = (second, f"!={other.version}")
    changed = tuple(
        replace(package, constrains=(*package.constrains, against))
        if (package.name, package.version) == (first, one.version)
        else package
        for package in packages
    )
    return changed, {first: one.version, second: other.version}


def nearest(pin: str, versions: set[str]) -> str | None:
    """The version that shares most of the first two segments; of those the next newer one, else the next older one."""

    def shared(version: str) -> int:
        ours, theirs = version.split("."), pin.split(".")
        return 0 if ours[0] != theirs[0] else 2 if ours[1:2] == theirs[1:2] else 1

    closest = [one for one in versions if shared(one) == max(map(shared, versions))]
    newer = [one for one in closest if compare(one, pin) >= 0]
    older = [one for one in closest if compare(one, pin) < 0]
    for some, sign in ((newer, 1), (older, -1)):
        for one in some:
            if all(sign * compare(one, other) <= 0 for other in some):
                return one
    return None


def is_pinned(one: Package, name: str, pins: Mapping[str, str]) -> bool:
    return one.name == name and compare(one.version, pins[name]) == 0


def value(found: Found, pins: Mapping[str, str], direct: Sequence[str], near: Mapping[str, str | None]) -> list[int]:
    """How good an environment is, by the wishes of a plan, the most important first."""

    def alike(name: str, count: int) -> bool:
        return name in found and found[name].version.split(".")[:count] == pins[name].split(".")[:count]

    def exact(name: str) -> bool:
        return name in found and compare(found[name].version, pins[name]) == 0

    others = pins.keys() - set(direct)
    return [
        sum(name in found for name in direct),
        sum(exact(name) for name in direct),
        sum(name in found and found[name].version == near[name] for name in direct),
        sum(alike(name, 2) for name in direct),
        sum(alike(name, 1) for name in direct),
        sum(exact(name) for name in others),
        sum(alike(name, 2) for name in others),
        -sum(name not in pins for name in found),
    ]


def nearest_of(packages: Sequence[Package], pins: Mapping[str, str], priority: str) -> dict[str, str | None]:
    """For each pin that no channel has on this machine, the version to take instead."""
    found: dict[str, str | None] = dict.fromkeys(pins)
    for name, pin in pins.items():
        own = [one for one in packages if one.name == name and usable(one)]
        if not any(compare(one.version, pin) == 0 for one in own):
            seen = {one.version for one in visible(packages, priority) if one.name == name}
            found[name] = nearest(pin, seen) if seen else None
    return found


def test_plans_are_the_closest_environments(engine: Engine, cases: settings) -> None:
    seen: Counter[str] = Counter()

    @cases
    @given(packages=universes(python=False), priority=priorities(), data=st.data())
    def law(packages: tuple[Package, ...], priority: str, data: st.DataObject) -> None:
        packages = readable(packages, engine)
        every = environments(visible(packages, priority))
        pins = data.draw(pinned(every))
        direct = [name for name in pins if data.draw(st.integers(0, 3))]
        plan = planned(packages, pins, direct, priority=priority, policy=PinPolicy.PRESERVE, solver=engine)
        found = {one.name: package_of(one, packages) for one in plan.packages}
        assert found in every
        assert plan.disagreements == 0
        assert plan.optimal
        near = nearest_of(packages, pins, priority)
        best = max(value(one, pins, direct, near) for one in every)
        assert value(found, pins, direct, near) == best
        kinds = [kind for kind in ("changed", "dropped") if getattr(plan, kind)] or ["as asked"]
        event(" and ".join(kinds))
        seen.update(("cases", priority, *kinds))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert min(part.get(kind, 0) for kind in ("as asked", "dropped", "changed")) > 0.05


def test_all_that_is_in_the_way_of_exact_pins_is_told(engine: Engine, cases: settings) -> None:
    seen: Counter[str] = Counter()

    @cases
    @given(packages=universes(python=False), priority=priorities(), data=st.data())
    def law(packages: tuple[Package, ...], priority: str, data: st.DataObject) -> None:
        packages = readable(packages, engine)
        # Left to chance one question in twenty has a conflict in its way.
        packages, apart = data.draw(rivals(packages)) if data.draw(st.booleans()) else (packages, {})
        every = environments(visible(packages, priority))
        pins = {**data.draw(pinned(every)), **apart}
        plan = planned(packages, pins, list(pins), priority=priority, policy=PinPolicy.EXACT, solver=engine)

        def together(names: Sequence[str]) -> bool:
            return any(
                all(name in one and compare(one[name].version, pins[name]) == 0 for name in names) for one in every
            )

        # What no machine of this kind can have is left out, whatever its version.
        possible = sorted({one.name for one in packages if usable(one)} & pins.keys())
        assert plan.solved == (bool(possible) and together(possible))
        told = [tuple(spec.split()[0] for spec in one) for one in plan.conflicts]
        # What no record could be is told as missing, not as a conflict.
        seen_here = visible(packages, priority)
        there = [name for name in pins if any(is_pinned(one, name, pins) for one in seen_here)]
        for one in told:
            assert not together(one)
            assert all(together(fewer) for fewer in itertools.combinations(one, len(one) - 1))
        sets = [one for size in range(1, 5) for one in itertools.combinations(sorted(there), size)]
        impossible = [set(one) for one in sets if not together(one)]
        minimal = [one for one in sets if set(one) in impossible and not any(o < set(one) for o in impossible)]
        if not plan.solved:
            assert sorted(told) == sorted(minimal)
        kind = "solved" if plan.solved else f"conflicts of {max(map(len, told))}" if told else "missing"
        event(kind)
        seen.update(("cases", kind))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert min(part.get("solved", 0), part.get("missing", 0)) > 0.02
        assert sum(count for kind, count in part.items() if kind.startswith("conflicts")) > 0.1
