"""Direct packages that a plan had to leave out: those that pip can give, and those that nobody can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import Availability, PipAvailability, Plan, PlanDropped, Presence, Unsolved
from envcheck.survey import World, with_package_index

__all__ = ["fall_back_to_pip", "find_uninstallable"]

_SOLVE_SECONDS = 20.0

# What another operating system alone has, or nobody, has been looked up before and is reported as such.
_HOPELESS = (Presence.PLATFORM_ONLY, Presence.NOWHERE, Presence.PYPI_ONLY, Presence.UNKNOWN)


def fall_back_to_pip(
    plan: Plan, availability: Sequence[Availability], world: World, *, source_platform: str | None
) -> tuple[Plan, tuple[Availability, ...]]:
    """Move direct packages that were dropped to the pip section, where the package index has a wheel for the target.

    Args:
        plan: The plan.
        availability: Where every requirement stands.
        world: Where to ask.
        source_platform: The platform that the source was made on.

    Returns:
        The plan with less dropped, and the availabilities with what the package index said.
    """
    if not plan.solved:
        return plan, tuple(availability)
    dropped = {row.name: row for row in plan.dropped if row.name in plan.direct}
    lost = [one for one in availability if one.requirement.name in dropped and one.presence not in _HOPELESS]
    answered = {one.requirement.name: one for one in with_package_index(lost, world, source_platform)} if lost else {}
    moved = [
        PlanDropped(
            name=name,
            version=version,
            reason=say("{reason}; the package index has a wheel", reason=dropped[name].reason),
        )
        for name, one in answered.items()
        if one.pypi is not None and (version := _version(one.pypi)) is not None
    ]
    names = {row.name for row in moved}
    return (
        replace(
            plan,
            dropped=tuple(row for row in plan.dropped if row.name not in names),
            to_pip=(*plan.to_pip, *moved),
        ),
        tuple(answered.get(one.requirement.name, one) for one in availability),
    )


def find_uninstallable(plan: Plan, availability: Sequence[Availability], index: Index) -> Plan:
    """Tell direct packages that do not go along with the rest from those that cannot be installed at all.

    A package may have builds for the target whose dependencies do not exist there: a newer ``cuda-version`` than the
    driver allows, a library that was built for Windows only. Each is dry-solved alone.

    Args:
        plan: The plan; its ``uninstallable`` are those that the clauses have in no environment, with its Python.
        availability: Where every requirement stands.
        index: The channels of the plan.
    """
    dropped = {row.name for row in plan.dropped} & set(plan.direct) & set(plan.uninstallable)
    lost = [
        one.requirement.name
        for one in availability
        if one.requirement.name in dropped and one.presence not in (*_HOPELESS, Presence.NEEDS_VIRTUAL_PACKAGE)
    ]
    alone = [name for name in lost if plan.solved and index.records(name)]
    outcomes = index.solve_each(alone, timeout=_SOLVE_SECONDS)
    hopeless = [
        name
        for name, outcome in zip(alone, outcomes, strict=True)
        if isinstance(outcome, Unsolved) and not outcome.cancelled
    ]
    return replace(
        plan,
        dropped=tuple(
            replace(row, reason=say("no version of it can be installed on the target, even alone"))
            if row.name in hopeless
            else row
            for row in plan.dropped
        ),
        uninstallable=tuple(hopeless),
    )


def _version(answer: PipAvailability) -> str | None:
    """The version that pip can install as a wheel: the one asked for, else the nearest."""
    if answer.has_wheel:
        return answer.version
    return next(iter(answer.nearest), None)
