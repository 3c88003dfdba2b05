"""Rows that pip cannot install, given by conda instead: proven by a dry-solve beside the plan's packages.

The plan's packages stay as they are, so a record whose own needs contradict one of them is out before anything is
solved. What is left is solved together, and in halves only where that fails.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import PipRequirement, Plan, PlanAdded, Record, Solved
from envcheck.names import conda_names_for_pypi
from envcheck.specs import dependency_parts, exact_spec, is_version, matches, nearest_versions, satisfies
from envcheck.universe import python_constraints

__all__ = ["move_to_conda"]

_MOVED = say("pip has no wheel of it")
# How far the needs of needs are looked into before the solver has to know.
_DEPTH = 8

_Wanted = tuple[PipRequirement, tuple[str, ...]]


def move_to_conda(
    plan: Plan, rows: Sequence[PipRequirement], index: Index, *, seconds: float
) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
    """Move rows that pip cannot install to conda, each proven by a dry-solve beside the rest.

    Args:
        plan: The plan; none of its packages changes.
        rows: The rows.
        index: The plan's channels.
        seconds: How long that may take; rows for which the time runs out stay with pip.

    Returns:
        The plan with what was moved and what that needs, and the rows that moved with their conda packages.
    """
    beside = _Beside(plan.packages, index)
    wanted = [(row, specs) for row in rows if (specs := _conda_specs(row, index, beside))]
    move = _Move(plan, index, seconds)
    # First all as close to what was asked for as conda has it, then those that failed as close as goes.
    while wanted:
        move.grow([(row, specs[0]) for row, specs in wanted])
        moved = {row for row, _ in move.chosen}
        wanted = [(row, specs[1:]) for row, specs in wanted if row not in moved and specs[1:]]
    return _moved(plan, move.chosen, move.packages) if move.chosen else (plan, ())


class _Move:
    """What is known to be installable beside a plan's packages so far, and the time that is left to find more."""

    def __init__(self, plan: Plan, index: Index, seconds: float) -> None:
        self._index = index
        self._deadline = time.monotonic() + seconds
        self._preferred = plan.packages
        self._pinned = [exact_spec(one.name, one.version, one.build) for one in plan.packages]
        self._python = next((one.version for one in plan.packages if one.name == "python"), None)
        self.chosen: list[tuple[PipRequirement, str]] = []
        self.packages: tuple[Record, ...] = ()

    def grow(self, more: Sequence[tuple[PipRequirement, str]]) -> None:
        """Choose of some rows, in their order, those that go along with what is chosen."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return
        outcome = self._index.solve(
            [*self._pinned, *(spec for _, spec in (*self.chosen, *more))],
            # What was found for the others is as good for these.
            preferred=self.packages or self._preferred,
            constraints=python_constraints(self._python),
            timeout=left,
        )
        if isinstance(outcome, Solved):
            self.chosen += more
            self.packages = outcome.packages
        elif len(more) > 1:
            half = len(more) // 2
            self.grow(more[:half])
            self.grow(more[half:])


class _Beside:
    """Packages that stay as they are, and whether a record can be beside them as far as it, they and its needs say.

    What it refuses no solver can install; what it admits may still not go together.
    """

    def __init__(self, packages: Sequence[Record], index: Index) -> None:
        self._index = index
        self._packages = {record.name: record for record in packages}
        python = self._packages.get("python")
        self._abi = None if python is None else ".".join(python.version.split(".")[:2])
        self._constraints: dict[str, list[str]] = {}
        for record in packages:
            for one in record.constrains:
                self._constraints.setdefault(dependency_parts(one)[0], []).append(one)
        self._depth = 0
        self._met: dict[str, bool] = {}
        self._admitted: dict[str, bool] = {}

    def admits(self, record: Record) -> bool:
        """Whether nothing speaks against a record; of a package that is there, only the very record can be."""
        if record.url not in self._admitted:
            # Two that need each other are not out for that.
            self._admitted[record.url] = True
            self._admitted[record.url] = self._is_possible(record)
        return self._admitted[record.url]

    def _is_possible(self, record: Record) -> bool:
        there = self._packages.get(record.name)
        if there is not None:
            return (record.version, record.build) == (there.version, there.build)
        own = (one for one in record.constrains if dependency_parts(one)[0] in self._packages)
        theirs = self._constraints.get(record.name, ())
        return all(map(self._is_met, own)) and all(matches(one, record) for one in theirs) and self._has_needs(record)

    def _has_needs(self, record: Record) -> bool:
        # What the packages say for themselves is known at once; other needs have to be looked into.
        needs = sorted(record.depends, key=lambda one: dependency_parts(one)[0] not in self._packages)
        return all(map(self._is_met, needs))

    def _is_met(self, text: str) -> bool:
        if text not in self._met:
            self._met[text] = True
            self._met[text] = self._can_be_met(text)
        return self._met[text]

    def _can_be_met(self, text: str) -> bool:
        name, version, _ = dependency_parts(text)
        there = self._packages.get(name)
        if there is not None:
            return matches(text, there)
        if name == "python_abi" and self._abi is not None:
            return satisfies(self._abi, version)
        if name.startswith("__") or self._depth >= _DEPTH:
            return True
        self._depth += 1
        try:
            return any(map(self.admits, self._index.matching(text)))
        except ValueError:  # repodata holds a few entries that are no MatchSpec
            return True
        finally:
            self._depth -= 1


def _conda_specs(row: PipRequirement, index: Index, beside: _Beside) -> tuple[str, ...]:
    """What to ask conda for: the row's version, else the nearest, else any; of what can be beside some packages."""
    known = index.names()
    name = next((one for one in conda_names_for_pypi(row.name or "") if one in known), None)
    if name is None:
        return ()
    versions = {record.version for record in index.records(name) if beside.admits(record)}
    if not versions:
        return ()
    if row.pin is None or not is_version(row.pin):
        return (name,)
    near = nearest_versions(row.pin, versions, limit=1)
    exact = (exact_spec(name, row.pin),) if row.pin in versions else ()
    return tuple(dict.fromkeys([*exact, *(exact_spec(name, one) for one in near), name]))


def _moved(
    plan: Plan, chosen: Sequence[tuple[PipRequirement, str]], packages: tuple[Record, ...]
) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
    by_name = {record.name: record for record in packages}
    before = {record.name for record in plan.packages}
    moved = tuple((row, by_name[dependency_parts(spec)[0]]) for row, spec in chosen)
    names = {record.name for _, record in moved}
    needed_by: dict[str, str] = {}
    for record in packages:
        for dependency in record.depends:
            needed_by.setdefault(dependency_parts(dependency)[0], record.name)
    added = tuple(
        PlanAdded(
            name=record.name,
            version=record.version,
            reason=say("the pip section asks for it, and {reason}", reason=_MOVED)
            if record.name in names
            else say("{name} needs it", name=needed_by.get(record.name) or say("the plan")),
        )
        for record in packages
        if record.name not in before
    )
    listed = {dependency_parts(one)[0] for one in plan.requirements}
    specs = tuple(exact_spec(record.name, record.version) for _, record in moved if record.name not in listed)
    return (
        replace(plan, packages=packages, added=(*plan.added, *added), requirements=(*plan.requirements, *specs)),
        moved,
    )
