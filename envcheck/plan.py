"""The closest environment for the target: an optimum over clauses, proven by the engine.

What the user wants is stated as weighted MaxSAT over the records that can matter (`envcheck.universe`,
`envcheck.clauses`). The wishes, lexicographically: every direct package present; direct packages, Python among them, at
the exact version, with the build and channel that the source names, in its variant, else at the nearest version, the
same minor, the same major; transitive packages at the exact version, in the variant of the source, else at the same
minor; few packages that the source did not have. Of equal optima the one with the best records is taken
(`Clauses.refined`). The engine then dry-solves what was chosen, and only its solution becomes the plan. Should it
refuse what the encoding allows, that candidate is cut off and the next one tried (`envcheck.search`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envcheck.builds import implementation_of_build
from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import (
    Availability,
    Channel,
    Environment,
    Intent,
    Outcome,
    PinPolicy,
    Plan,
    PlanDropped,
    Presence,
    Record,
    Solved,
    Target,
)
from envcheck.plan_account import Account, account_for
from envcheck.specs import satisfies
from envcheck.survey import World, installable, newest_python
from envcheck.variants import shared_word
from envcheck.wishes import Wish, wish_for

if TYPE_CHECKING:
    from envcheck.search import Search

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
    as_written: Outcome | None = None,
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
        as_written: What the engine made of the source's own rows, ``None`` where it was not asked.

    Returns:
        The plan; not ``solved`` when nothing that was tried has a solution or a channel could not be read.
    """
    if any(one.presence is Presence.UNKNOWN for one in availability):
        dropped = tuple(
            PlanDropped(
                name=one.requirement.name, version=one.requirement.pin, reason=say("a channel could not be read")
            )
            for one in availability
        )
        return Plan(dropped=dropped, direct=intent.direct, explanation=say("not every channel could be read"))
    added_channels = _added_channels(availability, world)
    index = world.with_channels(added_channels)
    python = newest_python(index, environment.python)
    wishes = tuple(
        wish for one in availability if (wish := wish_for(one, target, index, intent, python=python)) is not None
    )
    packages: tuple[Record, ...] = ()
    search: Search | None = None
    if isinstance(as_written, Solved) and pins is not PinPolicy.NONE and not preferred:
        packages = as_written.packages if _grants(as_written, wishes, environment, target, index) else ()
    if not packages:
        from envcheck.search import Search

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
            clauses=None if search is None else search.clauses,
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
        explanation="" if search is None or packages else search.explanation,
        optimal=search is None or search.optimal,
        disagreements=0 if search is None else search.disagreements,
        conflicts=() if search is None else search.conflicts,
        uninstallable=account.impossible,
        obstacles=account.obstacles,
    )


def _grants(solved: Solved, wishes: Sequence[Wish], environment: Environment, target: Target, index: Index) -> bool:
    """Whether a solution has everything that is wished for exactly as it is, and what the environment implies.

    Rows that a target's platform has otherwise, packages that only a pip section asks for, builds for a Python that is
    not there: an engine that was asked for the rows alone need not heed these.
    """
    by_name = {record.name: record for record in solved.packages}
    if any(name not in by_name and index.records(name) for name in environment.implied):
        return False
    python = by_name.get("python")
    if environment.python is not None and (python is None or not satisfies(python.version, environment.python)):
        return False
    asked = next((wish.requirement.build or "" for wish in wishes if wish.name == "python"), "")
    if python is not None and implementation_of_build(python.build) != implementation_of_build(asked):
        return False
    here = None if python is None else python.version
    if not all(installable(record, target, here) for record in solved.packages):
        return False
    for wish in wishes:
        record = by_name.get(wish.name)
        if record is None or wish.exact is None or wish.reason is not None:
            return False
        if wish.variant and shared_word(wish.variant, record) is None:
            return False
        if record not in index.matching(wish.exact if wish.channel is None else f"{wish.channel}::{wish.exact}"):
            return False
    return True


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
