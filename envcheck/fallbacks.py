"""What conda cannot give beside the rest, and pip can: direct packages that a plan had to leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envcheck.model import Availability, PipAvailability, PipPresence, Plan, PlanDropped, Presence
from envcheck.survey import World, with_package_index

__all__ = ["fall_back_to_pip"]

_WHEELS = (PipPresence.WHEEL, PipPresence.PURE_WHEEL)
# What another operating system alone has, or nobody, has been looked up before.
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
        PlanDropped(name=name, version=version, reason=f"{dropped[name].reason}; the package index has a wheel")
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


def _version(answer: PipAvailability) -> str | None:
    """The version that pip can install as a wheel: the one asked for, else the nearest."""
    if answer.presence in _WHEELS:
        return answer.version
    return next(iter(answer.nearest), None)
