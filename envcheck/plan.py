"""The closest environment for the target, found by a short ladder of dry-solves and proven by the last of them.

The ladder goes from everything as it was asked to ever fewer wishes: every row pinned; then only what the user asked
for directly, at the exact version, at the same minor version, at any version; then with another Python; and at last
without those direct packages that cannot be had together with the rest. Rows that are not demanded are preferences.
The first step that solves is the plan, so its packages are those of a dry-solve that succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envcheck.engines import Index
from envcheck.intent import Intent
from envcheck.model import (
    Availability,
    Channel,
    Environment,
    PinPolicy,
    PipPresence,
    Plan,
    PlanAdded,
    PlanChanged,
    PlanDropped,
    PlanKept,
    Presence,
    Record,
    Requirement,
    Solved,
    Target,
)
from envcheck.specs import dependency_parts, exact_spec, satisfies
from envcheck.survey import World, installable

__all__ = ["make_plan"]

_SOLVE_SECONDS = 60.0
_INSTALLABLE = (PipPresence.WHEEL, PipPresence.PURE_WHEEL, PipPresence.SOURCE_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """One requirement that the target can satisfy in some version.

    ``name`` is what it is called there; ``exact`` and ``minor`` are the specs that hold on to its version, as far as
    that version exists.
    """

    requirement: Requirement
    name: str
    direct: bool
    exact: str
    minor: str
    reason: str | None


def make_plan(
    environment: Environment,
    target: Target,
    availability: Sequence[Availability],
    world: World,
    intent: Intent,
    *,
    pins: PinPolicy = PinPolicy.PRESERVE,
) -> Plan:
    """Find the closest environment that solves on the target.

    Args:
        environment: The normalized environment.
        target: The target.
        availability: Where every requirement stands, in the environment's order.
        world: The index and what else can be loaded.
        intent: Which requirements are direct.
        pins: How much of the versions may change.

    Returns:
        The plan; not ``solved`` when no step of the ladder has a solution or a channel could not be read.
    """
    if any(one.presence is Presence.UNKNOWN for one in availability):
        dropped = tuple(
            PlanDropped(name=one.requirement.name, version=one.requirement.pin, reason="a channel could not be read")
            for one in availability
        )
        return Plan(dropped=dropped, direct=intent.direct, explanation="not every channel could be read")
    added_channels = _added_channels(availability, world)
    index = world.with_channels(added_channels) if added_channels else world.index
    direct = frozenset(intent.direct)
    wishes = [wish for one in availability if (wish := _wish(one, target, index, direct)) is not None]
    python = None if environment.python is None else f"python {environment.python}"
    if python is not None and not index.matching(python):
        python = None
    preferred = _preferred(wishes, target, index, python)
    specs, packages, explanation = _climb(
        wishes, index, python, preferred, pins, implied=[name for name in environment.implied if name in index.names()]
    )
    return _describe(
        environment=environment,
        availability=availability,
        wishes=wishes,
        specs=specs,
        packages=packages,
        explanation=explanation,
        intent=intent,
        added_channels=added_channels,
        platform=target.platform,
    )


def _added_channels(availability: Sequence[Availability], world: World) -> tuple[Channel, ...]:
    """The fewest other channels, in their order, that have what the target's own channels do not even know by name."""
    wanted = [one.sightings for one in availability if one.presence is Presence.OTHER_CHANNEL]
    chosen: list[Channel] = []
    for channel, _ in world.other_channels(world.index.platform) if wanted else ():
        open_wishes = [
            sightings for sightings in wanted if not any(s.channel == one.name for s in sightings for one in chosen)
        ]
        if any(sighting.channel == channel.name for sightings in open_wishes for sighting in sightings):
            chosen.append(channel)
    return tuple(chosen)


def _wish(one: Availability, target: Target, index: Index, direct: frozenset[str]) -> _Wish | None:
    """What to ask the engine for, or ``None`` where the target has nothing of that name."""
    requirement = one.requirement
    name = requirement.name
    reason: str | None = None
    if one.presence is Presence.RENAMED:
        name = one.close_names[0]
        reason = f"{requirement.name} is called {name} on {target.platform}"
    elif one.presence is Presence.OTHER_CHANNEL:
        reason = f"only {one.sightings[0].channel} has it"
    elif one.presence not in (
        Presence.AVAILABLE,
        Presence.BUILD_ELSEWHERE,
        Presence.VERSION_ELSEWHERE,
        Presence.HIDDEN_BY_PRIORITY,
        Presence.NEEDS_VIRTUAL_PACKAGE,
    ):
        return None
    if one.presence is Presence.NEEDS_VIRTUAL_PACKAGE and not one.nearest:
        return None
    if _better_from_pip(one):
        return None
    version = requirement.version
    if one.presence in (Presence.VERSION_ELSEWHERE, Presence.NEEDS_VIRTUAL_PACKAGE):
        reason = _missing_version_reason(one, target)
        version = f"=={one.nearest[0]}" if one.nearest else None
    elif one.presence in (Presence.RENAMED, Presence.OTHER_CHANNEL):
        versions = {record.version for record in index.records(name) if satisfies(record.version, version)}
        version = version if versions else None
    build = requirement.build if version == requirement.version and one.presence is Presence.AVAILABLE else None
    channel = f"{requirement.channel}::" if requirement.channel and one.presence is Presence.AVAILABLE else ""
    exact = f"{channel}{name} {version or '*'}" + (f" {build}" if build else "")
    return _Wish(
        requirement=requirement,
        name=name,
        direct=requirement.name in direct,
        exact=exact,
        minor=_minor_spec(name, version, requirement, index),
        reason=reason,
    )


def _better_from_pip(one: Availability) -> bool:
    """Whether the channels have no version at all for this Python, while the package index has a wheel for it."""
    return (
        one.presence is Presence.VERSION_ELSEWHERE
        and not one.nearest
        and one.pypi is not None
        and one.pypi.presence in (PipPresence.WHEEL, PipPresence.PURE_WHEEL)
    )


def _missing_version_reason(one: Availability, target: Target) -> str:
    wanted = one.requirement.pin or one.requirement.version or "any version"
    if one.virtual_package is not None:
        return f"{wanted} needs {one.virtual_package}, which the target does not have"
    return f"{wanted} does not exist for {target.platform}" + (f" ({one.detail})" if one.detail else "")


def _minor_spec(name: str, version: str | None, requirement: Requirement, index: Index) -> str:
    """A spec that holds on to the minor version, or to the range that was asked for, where that exists."""
    pin = requirement.pin
    if pin is None:
        return f"{name} {version or '*'}"
    minor = f"{'.'.join(pin.split('.')[:2])}.*"
    return f"{name} {minor}" if any(satisfies(record.version, minor) for record in index.records(name)) else name


def _preferred(wishes: Sequence[_Wish], target: Target, index: Index, python: str | None) -> tuple[Record, ...]:
    """For every wish the best record at its version; the engine takes it where it can."""
    newest = index.matching(python) if python is not None else ()
    version = newest[0].version if newest else None
    chosen: dict[str, Record] = {}
    for wish in wishes:
        fitting = [record for record in index.matching(wish.exact) if installable(record, target, version)]
        if fitting:
            chosen.setdefault(wish.name, fitting[0])
    return tuple(chosen.values())


def _climb(
    wishes: Sequence[_Wish],
    index: Index,
    python: str | None,
    preferred: Sequence[Record],
    pins: PinPolicy,
    *,
    implied: Sequence[str],
) -> tuple[tuple[str, ...], tuple[Record, ...], str]:
    """Go down the ladder; the specs and packages of the first step that solves, or why none does."""
    explanation = "nothing was asked for"
    for specs in _steps(wishes, python, pins):
        outcome = index.solve([*specs, *implied], preferred=preferred, timeout=_SOLVE_SECONDS)
        if isinstance(outcome, Solved):
            return tuple(specs), outcome.packages, ""
        explanation = outcome.explanation
    if pins in (PinPolicy.EXACT, PinPolicy.MINOR):
        return (), (), explanation
    names = [wish.name for wish in wishes if wish.direct and wish.name != "python"]
    start = [*implied, *([python] if python is not None else [])]
    specs, packages = _largest_solvable(start, names, index, preferred)
    return tuple(spec for spec in specs if spec not in implied), packages, explanation


def _steps(wishes: Sequence[_Wish], python: str | None, pins: PinPolicy) -> Iterator[list[str]]:
    """The specs of each step of the ladder, the closest first."""
    base = [] if python is None else [python]
    direct = [wish for wish in wishes if wish.direct]
    if pins is not PinPolicy.NONE:
        if pins is not PinPolicy.MINOR:
            yield [*base, *(wish.exact for wish in wishes)]
        if pins is PinPolicy.EXACT:
            return
        yield [*base, *(wish.exact for wish in direct)]
        yield [*base, *(wish.minor for wish in direct)]
        if pins is PinPolicy.MINOR:
            return
    yield [*base, *(wish.name for wish in direct)]
    yield [wish.name for wish in direct]


def _largest_solvable(
    start: list[str], names: Sequence[str], index: Index, preferred: Sequence[Record]
) -> tuple[list[str], tuple[Record, ...]]:
    """Add names to ``start`` as long as it solves, by halving: each name that does not fit costs about log n solves."""
    best: tuple[Record, ...] = ()
    chosen = list(start)

    def grow(candidates: Sequence[str]) -> None:
        nonlocal best, chosen
        if not candidates:
            return
        outcome = index.solve([*chosen, *candidates], preferred=preferred, timeout=_SOLVE_SECONDS)
        if isinstance(outcome, Solved):
            chosen = [*chosen, *candidates]
            best = outcome.packages
        elif len(candidates) > 1:
            middle = len(candidates) // 2
            grow(candidates[:middle])
            grow(candidates[middle:])

    grow(names)
    return (chosen, best) if best else ([], ())


def _describe(
    *,
    environment: Environment,
    availability: Sequence[Availability],
    wishes: Sequence[_Wish],
    specs: Sequence[str],
    packages: tuple[Record, ...],
    explanation: str,
    intent: Intent,
    added_channels: tuple[Channel, ...],
    platform: str,
) -> Plan:
    """Say of every requirement what became of it."""
    chosen = {record.name: record for record in packages}
    by_requirement = {wish.requirement.name: wish for wish in wishes}
    needed_by = dict(intent.needed_by)
    kept: list[PlanKept] = []
    changed: list[PlanChanged] = []
    dropped: list[PlanDropped] = []
    to_pip: list[PlanDropped] = []
    accounted: set[str] = set()
    for one in availability:
        requirement = one.requirement
        wish = by_requirement.get(requirement.name)
        record = chosen.get(wish.name) if wish is not None else None
        if wish is not None and record is not None:
            accounted.add(record.name)
            if record.name == requirement.name and satisfies(record.version, requirement.version):
                kept.append(PlanKept(name=requirement.name, version=record.version))
            else:
                changed.append(_changed(wish, record, platform))
        elif _better_from_pip(one) and one.pypi is not None:
            reason = f"no channel has it for this Python ({platform}); the package index has a wheel"
            to_pip.append(PlanDropped(name=requirement.name, version=one.pypi.version, reason=reason))
        elif one.presence is Presence.PYPI_ONLY and one.pypi is not None and one.pypi.presence in _INSTALLABLE:
            source_only = one.pypi.presence is PipPresence.SOURCE_ONLY
            what = "only its source, to be built in the image" if source_only else "a wheel for this target"
            reason = f"no channel has it; the package index has {what}"
            to_pip.append(PlanDropped(name=requirement.name, version=one.pypi.version, reason=reason))
        else:
            reason = _dropped_reason(one, wish, needed_by.get(requirement.name, ()), platform, solved=bool(packages))
            dropped.append(PlanDropped(name=requirement.name, version=requirement.pin, reason=reason))
    return Plan(
        kept=tuple(kept),
        changed=tuple(changed),
        dropped=tuple(dropped),
        to_pip=tuple(to_pip),
        added=_added(packages, accounted, environment),
        requirements=tuple(exact_spec(record.name, record.version) for record in packages if record.name in accounted),
        direct=intent.direct,
        added_channels=added_channels,
        packages=packages,
        solved=bool(packages),
        explanation="" if packages and len(specs) else explanation,
    )


def _changed(wish: _Wish, record: Record, platform: str) -> PlanChanged:
    asked = wish.requirement.pin or wish.requirement.version or "*"
    reason = wish.reason or f"{asked} exists for {platform}, but not together with the other packages"
    to_version = record.version if record.name == wish.requirement.name else f"{record.name} {record.version}"
    return PlanChanged(name=wish.requirement.name, from_version=asked, to_version=to_version, reason=reason)


def _dropped_reason(
    one: Availability, wish: _Wish | None, needed_by: Sequence[str], platform: str, *, solved: bool
) -> str:
    if one.presence is Presence.PLATFORM_ONLY:
        where = one.sightings[0].subdir if one.sightings else (one.virtual_package or "another platform")
        return f"it exists only for {where}"
    if one.presence is Presence.NEEDS_VIRTUAL_PACKAGE and wish is None:
        return f"it needs {one.virtual_package}, which the target does not have"
    if one.presence is Presence.PYPI_ONLY:
        detail = one.pypi.detail if one.pypi is not None else ""
        return "no channel has it, and the package index has nothing for this target" + (
            f" ({detail})" if detail else ""
        )
    if wish is None:
        return f"no channel has it for {platform}"
    if not solved:
        return "no plan was found"
    if needed_by:
        return f"came along with {', '.join(needed_by[:3])}; nothing in the plan needs it on {platform}"
    return "it cannot be installed together with the other packages"


def _added(packages: Sequence[Record], accounted: set[str], environment: Environment) -> tuple[PlanAdded, ...]:
    """The packages that the source does not list, each with one that needs it."""
    needed_by: dict[str, str] = {}
    for record in packages:
        for dependency in record.depends:
            needed_by.setdefault(dependency_parts(dependency)[0], record.name)
    return tuple(
        PlanAdded(
            name=record.name,
            version=record.version,
            reason="the pip section needs it"
            if record.name in environment.implied
            else f"{needed_by.get(record.name, 'the plan')} needs it",
        )
        for record in packages
        if record.name not in accounted
    )
