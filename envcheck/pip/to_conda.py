"""Rows that pip cannot install, given by conda instead: each proven by a dry-solve beside the plan's packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envcheck.engines import Index
from envcheck.model import PipRequirement, Plan, PlanAdded, Record, Solved
from envcheck.names import conda_names_for_pypi
from envcheck.specs import dependency_parts, exact_spec, nearest_versions
from envcheck.universe import python_constraints

__all__ = ["move_to_conda"]

_SOLVE_SECONDS = 30.0
_MOVED = "pip has no wheel of it"


def move_to_conda(
    plan: Plan, rows: Sequence[PipRequirement], index: Index
) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
    """The plan with the conda packages of rows that pip cannot install, each proven by a dry-solve beside the rest."""
    wanted = [(row, specs) for row in rows if (specs := _conda_specs(row, index))]
    best = _solved_with(plan, [specs[0] for _, specs in wanted], index) if wanted else None
    if best is not None:
        return _moved(plan, [(row, specs[0]) for row, specs in wanted], best)
    chosen: list[tuple[PipRequirement, str]] = []
    packages: tuple[Record, ...] = ()
    for row, specs in wanted:
        for spec in specs:
            found = _solved_with(plan, [*(one for _, one in chosen), spec], index)
            if found is not None:
                chosen.append((row, spec))
                packages = found
                break
    return _moved(plan, chosen, packages) if chosen else (plan, ())


def _conda_specs(row: PipRequirement, index: Index) -> tuple[str, ...]:
    """What to ask conda for: the row's version, else the nearest, else any."""
    known = index.names()
    name = next((one for one in conda_names_for_pypi(row.name or "") if one in known), None)
    if name is None:
        return ()
    versions = {record.version for record in index.records(name)}
    if row.pin is None:
        return (name,)
    near = nearest_versions(row.pin, versions, limit=1)
    exact = (exact_spec(name, row.pin),) if row.pin in versions else ()
    return tuple(dict.fromkeys([*exact, *(exact_spec(name, one) for one in near), name]))


def _solved_with(plan: Plan, specs: Sequence[str], index: Index) -> tuple[Record, ...] | None:
    """The plan's packages and what some specs add to them; none of them changes."""
    pinned = [exact_spec(one.name, one.version, one.build) for one in plan.packages]
    python = next((one.version for one in plan.packages if one.name == "python"), None)
    outcome = index.solve(
        [*pinned, *specs],
        preferred=plan.packages,
        constraints=python_constraints(python),
        timeout=_SOLVE_SECONDS,
    )
    return outcome.packages if isinstance(outcome, Solved) else None


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
            reason=f"the pip section asks for it, and {_MOVED}"
            if record.name in names
            else f"{needed_by.get(record.name, 'the plan')} needs it",
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
