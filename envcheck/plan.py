"""The closest environment for the target: an optimum over clauses, proven by the engine.

What the user wants is stated as weighted MaxSAT over the records that can matter (`envcheck.universe`,
`envcheck.clauses`). The wishes, lexicographically: every direct package present; direct packages, Python among them, at
the exact version, in the variant of the source, else at the nearest version, the same minor, the same major; transitive
packages at the exact version, in the variant of the source, else at the same minor; few packages that the source did
not have. Of equal optima the one with the best records is taken (`Clauses.refined`). The engine then dry-solves what
was chosen, and only its solution becomes the plan. Should it refuse what the encoding allows, that candidate is cut off
and the next one tried (`envcheck.search`).
"""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.model import (
    Availability,
    Channel,
    Environment,
    Intent,
    PinPolicy,
    Plan,
    PlanDropped,
    Presence,
    Target,
)
from envcheck.plan_account import Account, account_for
from envcheck.search import Search
from envcheck.survey import World, newest_python
from envcheck.wishes import wish_for

__all__ = ["make_plan"]


def make_plan(
    environment: Environment,
    target: Target,
    availability: Sequence[Availability],
    world: World,
    intent: Intent,
    *,
    pins: PinPolicy = PinPolicy.PRESERVE,
    effort: float,
    preferred: Sequence[tuple[str, str, str]] = (),
) -> Plan:
    """Find the closest environment that solves on the target.

    Args:
        environment: The normalized environment.
        target: The target.
        availability: Where every requirement stands, in the environment's order.
        world: The index and what else can be loaded.
        intent: Which requirements are direct.
        pins: How much of the versions may change.
        effort: Seconds that the search for the optimum may take; a good plan is given when they run out.
        preferred: Name, version and build of packages that are kept where nothing that was asked for speaks against it.

    Returns:
        The plan; not ``solved`` when nothing that was tried has a solution or a channel could not be read.
    """
    if any(one.presence is Presence.UNKNOWN for one in availability):
        dropped = tuple(
            PlanDropped(name=one.requirement.name, version=one.requirement.pin, reason="a channel could not be read")
            for one in availability
        )
        return Plan(dropped=dropped, direct=intent.direct, explanation="not every channel could be read")
    added_channels = _added_channels(availability, world)
    index = world.with_channels(added_channels)
    python = newest_python(index, environment.python)
    wishes = tuple(
        wish for one in availability if (wish := wish_for(one, target, index, intent, python=python)) is not None
    )
    search = Search(wishes, environment, target, index, pins, python=python, effort=effort, preferred=preferred)
    packages = search.run()
    account = account_for(
        Account(
            environment=environment,
            availability=tuple(availability),
            names={wish.requirement.name: wish.name for wish in wishes},
            variants={wish.name: wish.variant for wish in wishes},
            reasons={wish.requirement.name: wish.reason for wish in wishes if wish.reason is not None},
            packages=packages,
            clauses=search.clauses,
            needed_by=dict(intent.needed_by),
            platform=target.platform,
            free=pins is PinPolicy.NONE,
        )
    )
    return Plan(
        kept=account.kept,
        changed=account.changed,
        dropped=account.dropped,
        to_pip=account.to_pip,
        added=account.added,
        requirements=account.requirements,
        direct=intent.direct,
        added_channels=added_channels,
        packages=packages,
        solved=bool(packages),
        explanation="" if packages else search.explanation,
        optimal=search.optimal,
        disagreements=search.disagreements,
        conflicts=search.conflicts,
        uninstallable=account.impossible,
        obstacles=account.obstacles,
    )


def _added_channels(availability: Sequence[Availability], world: World) -> tuple[Channel, ...]:
    """The fewest other channels, in their order, that have what the target's own channels do not even know by name."""
    wanted = [one.sightings for one in availability if one.presence is Presence.OTHER_CHANNEL]
    chosen: list[Channel] = []
    for channel, _ in world.other_channels(world.index.platform) if wanted else ():
        still_wanted = [
            sightings for sightings in wanted if not any(s.channel == one.name for s in sightings for one in chosen)
        ]
        if any(sighting.channel == channel.name for sightings in still_wanted for sighting in sightings):
            chosen.append(channel)
    return tuple(chosen)
