"""What to wish for on the target: each requirement in the target's words, as far as the target has it."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import Availability, Intent, Presence, Requirement, Target
from envcheck.specs import nearest_versions, satisfies
from envcheck.survey import installable

__all__ = ["Wish", "better_from_pip", "wish_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One requirement that the target has in some version.

    ``name`` is what it is called there; ``version`` the constraint that was asked for, ``None`` where the target has no
    such version; ``nearest`` the version to take instead; ``build`` and ``channel`` are kept where the source's own
    platform is the target, ``variant`` the words of the build that it had on another one. ``reason`` says what is
    different on the target, if anything.
    """

    requirement: Requirement
    name: str
    direct: bool
    version: str | None
    nearest: str | None = None
    build: str | None = None
    channel: str | None = None
    variant: frozenset[str] = frozenset()
    reason: str | None = None

    @property
    def exact(self) -> str | None:
        """The MatchSpec of what was asked for, without its channel; ``None`` where the target does not have it."""
        if self.requirement.version is not None and self.version is None:
            return None
        return f"{self.name} {self.version or '*'}" + (f" {self.build}" if self.build is not None else "")


def wish_for(one: Availability, target: Target, index: Index, intent: Intent, *, python: str | None) -> Wish | None:
    """What to wish for, or ``None`` where the target has nothing of that name (or pip has what conda lacks).

    Args:
        one: Where the requirement stands in the target's own channels.
        target: The target.
        index: Those channels and the ones that the plan adds.
        intent: What was asked for, and in which variants.
        python: The newest Python of the minor version to have, if any: the nearest version is one built for it.
    """
    requirement = one.requirement
    name, reason = requirement.name, None
    match one.presence:
        case Presence.AVAILABLE | Presence.BUILD_ELSEWHERE | Presence.HIDDEN_BY_PRIORITY:
            pass
        case Presence.VERSION_ELSEWHERE | Presence.NEEDS_VIRTUAL_PACKAGE:
            if not one.nearest and (one.presence is Presence.NEEDS_VIRTUAL_PACKAGE or better_from_pip(one)):
                return None
            reason = _missing_version_reason(one, target)
        case Presence.RENAMED:
            name = one.close_names[0]
            reason = say(
                "{name} is called {other} on {platform}", name=requirement.name, other=name, platform=target.platform
            )
        case Presence.OTHER_CHANNEL:
            reason = say("only {channel} has it", channel=one.sightings[0].channel)
        case _:
            return None
    # The index may hold channels that the plan adds and that were not asked before.
    versions = {record.version for record in index.records(name) if installable(record, target, None)}
    has_version = any(satisfies(version, requirement.version) for version in versions)
    nearest = next(iter(one.nearest), None)
    if nearest is not None and requirement.pin is not None:
        fitting = {record.version for record in index.records(name) if installable(record, target, python)}
        nearest = next(iter(nearest_versions(requirement.pin, fitting - {requirement.pin}, limit=1)), nearest)
    available = one.presence is Presence.AVAILABLE
    return Wish(
        requirement=requirement,
        name=name,
        direct=requirement.name in intent.direct,
        version=requirement.version if has_version else None,
        nearest=nearest,
        build=requirement.build if available else None,
        channel=requirement.channel if available else None,
        variant=frozenset(dict(intent.variants).get(requirement.name, ())),
        reason=reason,
    )


def better_from_pip(one: Availability) -> bool:
    """Whether the channels have no version at all for this Python, while the package index has a wheel for it."""
    return (
        one.presence is Presence.VERSION_ELSEWHERE and not one.nearest and one.pypi is not None and one.pypi.has_wheel
    )


def _missing_version_reason(one: Availability, target: Target) -> str:
    wanted = one.requirement.pin or one.requirement.version or say("any version")
    if one.virtual_package is not None:
        return say(
            "{wanted} needs {virtual_package}, which the target does not have",
            wanted=wanted,
            virtual_package=one.virtual_package,
        )
    return say("{wanted} does not exist for {platform}", wanted=wanted, platform=target.platform) + (
        say(" ({detail})", detail=one.detail) if one.detail else ""
    )
