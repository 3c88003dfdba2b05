"""Where every requirement stands, by look-ups alone: nothing is solved and no list of names is believed.

Each requirement is asked of the target's channels first; what they lack is then asked of the same channels for the
platform that the source came from, of the well-known other channels, and of the Python package index. Each of those
questions is asked at most once, and only when something is missing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple, Protocol

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import (
    Availability,
    Channel,
    Environment,
    PipAvailability,
    PipPresence,
    Presence,
    Record,
    Requirement,
    Sighting,
    Target,
    VirtualPackage,
)
from envcheck.names import (
    close_names,
    conda_name_for_pypi,
    counterparts,
    is_distribution,
    pypi_names_for_conda,
)
from envcheck.specs import dependency_parts, is_version, nearest_versions, satisfies, sort_versions

__all__ = [
    "Installable",
    "World",
    "installable",
    "missing_virtual_package",
    "newest_python",
    "survey",
    "with_package_index",
]

_CLOSE_NAMES = 3
_NEAREST = 3
# Virtual packages that stand for an operating system: who needs another one's is a package of that one (CEP 30).
_FOREIGN_PLATFORMS = frozenset({"__win", "__osx", "__linux", "__unix"})


class World(Protocol):
    """The questions that a survey asks beyond the target's own index; answers are loaded on first use and kept."""

    @property
    def index(self) -> Index:
        """The target's channels for the target's platform."""
        ...

    def for_platform(self, platform: str) -> Index | None:
        """The target's channels for another platform; ``None`` when they cannot be loaded."""
        ...

    def other_channels(self, platform: str) -> Sequence[tuple[Channel, Index]]:
        """Well-known and configured channels that the target does not use, for a platform."""
        ...

    def with_channels(self, added: Sequence[Channel]) -> Index:
        """The target's channels with others behind them, for the target's platform."""
        ...

    def on_package_index(
        self, projects: Sequence[tuple[str, str | None]]
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """What the Python package index has of projects, each with a version or ``None``; empty when not asked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One requirement that the target's channels do not have as asked."""

    requirement: Requirement
    presence: Presence
    nearest: tuple[str, ...] = ()
    virtual_package: str | None = None
    detail: str = ""


def survey(
    environment: Environment, target: Target, world: World, *, source_platform: str | None
) -> tuple[Availability, ...]:
    """Classify every requirement of an environment.

    Args:
        environment: The normalized environment.
        target: The target; its channels are those of ``world.index``.
        world: Where to ask.
        source_platform: The platform that the source was made on, if known.

    Returns:
        One `Availability` per requirement, in the environment's order.
    """
    index = world.index
    python = newest_python(index, environment.python)
    names = index.names()
    index.prefetch(requirement.name for requirement in environment.requirements)
    answers: dict[str, Availability] = {}
    open_questions: list[_Question] = []
    for requirement in environment.requirements:
        # With --exclude-newer a name may be known without any record that is old enough.
        if requirement.name in names and index.records(requirement.name):
            question = _in_target(requirement, target, index, python)
            if question.presence is Presence.AVAILABLE:
                answers[requirement.name] = Availability(requirement=requirement, presence=Presence.AVAILABLE)
                continue
        else:
            question = _Question(requirement=requirement, presence=Presence.NOWHERE)
        open_questions.append(question)
    if any(status.silent for status in index.statuses):
        # While a channel is silent absence proves nothing, and asking elsewhere would not change that.
        found = [
            Availability(requirement=question.requirement, presence=Presence.UNKNOWN, nearest=question.nearest)
            for question in open_questions
        ]
    else:
        found = [_elsewhere(question, target, world, source_platform, python) for question in open_questions]
        found = with_package_index(found, world, source_platform)
    answers |= {availability.requirement.name: availability for availability in found}
    return tuple(answers[requirement.name] for requirement in environment.requirements)


def installable(record: Record, target: Target, python: str | tuple[str, ...] | None) -> bool:
    """Whether nothing in a record's own dependencies rules it out on the target with a Python, or one of several."""
    if missing_virtual_package(record, target) is not None:
        return False
    return _accepts_python(record, (python,) if isinstance(python, str) else python)


class Installable:
    """`installable` for one target and some Pythons, asked of many records: each dependency is judged once.

    Args:
        target: The target.
        pythons: The versions of Python that may be had; ``None`` for any.
    """

    def __init__(self, target: Target, pythons: tuple[str, ...] | None) -> None:
        self._pythons = pythons
        self._present = {package.name: package for package in target.virtual_packages}
        self._ruling: dict[str, bool] = {}

    def __call__(self, record: Record) -> bool:
        """Whether nothing in a record's own dependencies rules it out."""
        ruling = self._ruling
        for dependency in record.depends:
            rules_out = ruling.get(dependency)
            if rules_out is None:
                rules_out = ruling[dependency] = self._rules_out(dependency)
            if rules_out:
                return False
        for constraint in record.constrains:
            if constraint.startswith("__") and _forbids(constraint, self._present):
                return False
        return True

    def _rules_out(self, dependency: str) -> bool:
        if dependency.startswith("__"):
            return not _provides(dependency, self._present)
        return self._pythons is not None and not _allows_python(dependency, self._pythons)


def missing_virtual_package(record: Record, target: Target) -> str | None:
    """The first virtual package that a record asks for and the target has not (CEP 30), as its MatchSpec.

    ``constrains`` ask only for what is there: ``cuda-version`` rules out older drivers, and no machine without one.
    """
    demands = _demands(record.depends, record.constrains)
    if not (demands.virtual or demands.virtual_constraints):
        return None
    present = {package.name: package for package in target.virtual_packages}
    for dependency in demands.virtual:
        if not _provides(dependency, present):
            return dependency
    return next((constraint for constraint in demands.virtual_constraints if _forbids(constraint, present)), None)


def _provides(dependency: str, present: Mapping[str, VirtualPackage]) -> bool:
    """Whether virtual packages meet a dependency on one."""
    name, constraint, build = dependency_parts(dependency)
    package = present.get(name)
    if package is None or not satisfies(package.version, constraint):
        return False
    # __archspec says the microarchitecture in its build.
    return build is None or fnmatchcase(package.build, build)


def _forbids(constraint: str, present: Mapping[str, VirtualPackage]) -> bool:
    """Whether a constraint on a virtual package rules out one that is there."""
    return dependency_parts(constraint)[0] in present and not _provides(constraint, present)


class _Demands(NamedTuple):
    """What of a record's dependencies and constraints the target itself has to meet."""

    virtual: tuple[str, ...]
    virtual_constraints: tuple[str, ...]


@functools.lru_cache(maxsize=65536)
def _demands(depends: tuple[str, ...], constrains: tuple[str, ...]) -> _Demands:
    # Every record is asked several times, and most builds of a version ask for the same.
    return _Demands(
        virtual=tuple(dependency for dependency in depends if dependency.startswith("__")),
        virtual_constraints=tuple(constraint for constraint in constrains if constraint.startswith("__")),
    )


def _accepts_python(record: Record, pythons: tuple[str, ...] | None) -> bool:
    return pythons is None or all(_allows_python(dependency, pythons) for dependency in record.depends)


@functools.lru_cache(maxsize=65536)
def _allows_python(dependency: str, pythons: tuple[str, ...]) -> bool:
    """Whether a dependency, if it is one on Python, is met by one of some versions."""
    name, constraint, _ = dependency_parts(dependency)
    if name == "python":
        return any(satisfies(python, constraint) for python in pythons)
    if name == "python_abi":
        return any(satisfies(".".join(python.split(".")[:2]), constraint) for python in pythons)
    return True


def newest_python(index: Index, constraint: str | None) -> str | None:
    """The newest Python of an index that an environment's constraint allows, to judge builds by; ``None`` for none."""
    records = index.matching(f"python {constraint}") if constraint is not None else ()
    return records[0].version if records else None


def _in_target(requirement: Requirement, target: Target, index: Index, python: str | None) -> _Question:
    """How far the target's channels have a requirement whose name they know."""
    records = index.records(requirement.name)
    usable = [record for record in records if missing_virtual_package(record, target) is None]
    if not usable:
        lacking = sorted({missing_virtual_package(record, target) or "" for record in records})
        name = dependency_parts(lacking[0])[0]
        # A noarch package that needs __win is a Windows package in all but its subdir.
        presence = Presence.PLATFORM_ONLY if name in _FOREIGN_PLATFORMS else Presence.NEEDS_VIRTUAL_PACKAGE
        return _Question(requirement=requirement, presence=presence, virtual_package=lacking[0])

    def other(presence: Presence, *, virtual_package: str | None = None, detail: str = "") -> _Question:
        fitting = (record for record in usable if installable(record, target, python))
        return _Question(
            requirement=requirement,
            presence=presence,
            nearest=_nearest(requirement, fitting),
            virtual_package=virtual_package,
            detail=detail,
        )

    matches = _matching(index, requirement, with_build=False)
    if not matches:
        return other(Presence.VERSION_ELSEWHERE)
    lacking_for_version = [missing_virtual_package(record, target) for record in matches]
    if all(lacking_for_version):
        needed = next(iter(filter(None, lacking_for_version)))
        return other(Presence.NEEDS_VIRTUAL_PACKAGE, virtual_package=needed)
    matches = [record for record in matches if installable(record, target, python)]
    if not matches:
        minor = ".".join((python or "").split(".")[:2])
        return other(Presence.VERSION_ELSEWHERE, detail=say("not built for Python {minor}", minor=minor))
    if requirement.build is not None and not _matching(index, requirement, with_build=True):
        return other(Presence.BUILD_ELSEWHERE)
    first_channel = records[0].channel
    if target.channel_priority == "strict" and all(record.channel != first_channel for record in matches):
        return other(Presence.HIDDEN_BY_PRIORITY, detail=_channel_name(target, matches[0].channel))
    return _Question(requirement=requirement, presence=Presence.AVAILABLE)


def _matching(index: Index, requirement: Requirement, *, with_build: bool) -> list[Record]:
    version = requirement.version or "*"
    build = f" {requirement.build}" if with_build and requirement.build is not None else ""
    channel = f"{requirement.channel}::" if requirement.channel is not None else ""
    try:
        return list(index.matching(f"{channel}{requirement.name} {version}{build}"))
    except ValueError:
        return []


def _nearest(requirement: Requirement, records: Iterable[Record]) -> tuple[str, ...]:
    versions = {record.version for record in records}
    if requirement.pin is None or not is_version(requirement.pin):
        return tuple(sort_versions(versions, newest_first=True)[:_NEAREST])
    return nearest_versions(requirement.pin, versions - {requirement.pin}, limit=_NEAREST)


def _elsewhere(
    question: _Question, target: Target, world: World, source_platform: str | None, python: str | None
) -> Availability:
    """Ask other platforms and other channels for what the target's channels lack."""
    requirement = question.requirement
    name = requirement.name
    availability = Availability(
        requirement=requirement,
        presence=question.presence,
        nearest=question.nearest,
        virtual_package=question.virtual_package,
        detail=question.detail,
    )
    if question.presence in (Presence.BUILD_ELSEWHERE, Presence.HIDDEN_BY_PRIORITY):
        return availability
    in_channels, virtual_package = _in_other_channels(requirement, target, world, python)
    on_platforms = () if in_channels else _on_other_platforms(requirement, target, world, source_platform)
    availability = replace(availability, sightings=in_channels + on_platforms)
    if question.presence in (Presence.NOWHERE, Presence.PLATFORM_ONLY) and in_channels:
        return replace(availability, presence=Presence.OTHER_CHANNEL, virtual_package=None)
    if question.presence is Presence.NOWHERE and (on_platforms or virtual_package is not None):
        availability = replace(availability, presence=Presence.PLATFORM_ONLY, virtual_package=virtual_package)
    if availability.presence is Presence.PLATFORM_ONLY:
        return replace(availability, counterparts=_counterparts(name, target, world))
    if availability.presence is not Presence.NOWHERE:
        return availability
    renamed = _old_enough(_renamed(name, world.index.names()), world.index)
    if renamed:
        return replace(availability, presence=Presence.RENAMED, close_names=renamed)
    close = _old_enough(close_names(name, world.index.names(), limit=_CLOSE_NAMES), world.index)
    return replace(availability, close_names=close)


def _old_enough(names: Iterable[str], index: Index) -> tuple[str, ...]:
    """Those that have records: with --exclude-newer a name may be known without any that is old enough."""
    known = index.names()
    return tuple(name for name in names if name in known and index.records(name))


def _on_other_platforms(
    requirement: Requirement, target: Target, world: World, source_platform: str | None
) -> tuple[Sighting, ...]:
    """A sighting for the source's platform, or for one that exports mostly come from; own channels are asked first."""
    guesses = (source_platform,) if source_platform else ("win-64", "osx-64", "osx-arm64")
    for platform in guesses:
        if platform == target.platform:
            continue
        own = world.for_platform(platform)
        indexes = [] if own is None else [("", own)]
        if own is None or requirement.name not in own.names():
            indexes += [(channel.name, index) for channel, index in world.other_channels(platform)]
        for channel_name, index in indexes:
            # noarch records are in every platform's index and were judged with the target's.
            records = [record for record in index.records(requirement.name) if record.subdir == platform]
            if records:
                return (_sighting(requirement, records, channel_name or _channel_name(target, records[0].channel)),)
    return ()


def _in_other_channels(
    requirement: Requirement, target: Target, world: World, python: str | None
) -> tuple[tuple[Sighting, ...], str | None]:
    """Sightings for the target in other channels, and what they need of another platform if that is all they are."""
    sightings: list[Sighting] = []
    foreign: str | None = None
    for channel, index in world.other_channels(target.platform):
        records = index.records(requirement.name)
        usable = [record for record in records if installable(record, target, python)]
        if usable:
            sightings.append(_sighting(requirement, usable, channel.name))
        elif records:
            needs = {missing_virtual_package(record, target) or "" for record in records}
            if {dependency_parts(need)[0] for need in needs} <= _FOREIGN_PLATFORMS:
                foreign = foreign or min(needs)
    return tuple(sightings), foreign


def _sighting(requirement: Requirement, records: Sequence[Record], channel: str) -> Sighting:
    newest = sort_versions({record.version for record in records}, newest_first=True)[0]
    has_pin = any(satisfies(record.version, requirement.version) for record in records)
    return Sighting(channel=channel, subdir=records[0].subdir, newest=newest, has_pin=has_pin)


def _counterparts(name: str, target: Target, world: World) -> tuple[str, ...]:
    """Packages that do the same job on the target, as far as its channels have them."""
    return _old_enough(counterparts(name, target.platform) or (), world.index)


def _renamed(name: str, names: frozenset[str]) -> tuple[str, ...]:
    """The target's name for a package that was asked for by its PyPI name or with another separator."""
    candidates = [conda_name_for_pypi(name), name.replace("_", "-"), name.replace("-", "_"), name.replace("-", ".")]
    found = [candidate for candidate in candidates if candidate != name and candidate in names]
    return tuple(dict.fromkeys(found))


def with_package_index(found: Sequence[Availability], world: World, source_platform: str | None) -> list[Availability]:
    """Ask the Python package index, once for all, about everything that may be a Python distribution.

    Args:
        found: What the channels said.
        world: Where to ask.
        source_platform: The platform that the source was made on, whose records tell what is a distribution.

    Returns:
        The same availabilities, with the index's answers; ``PYPI_ONLY`` where only the index has something.
    """
    questions = {
        availability.requirement.name: (_pypi_name(availability.requirement.name), availability.requirement.pin)
        for availability in found
        if _may_be_on_package_index(availability, world, source_platform)
    }
    answers = world.on_package_index(tuple(dict.fromkeys(questions.values()))) if questions else {}
    result = []
    for availability in found:
        question = questions.get(availability.requirement.name)
        answer = answers.get(question) if question is not None else None
        if answer is not None:
            presence = availability.presence
            if presence is Presence.NOWHERE and answer.presence not in (
                PipPresence.NO_PROJECT,
                PipPresence.NOT_CHECKED,
            ):
                presence = Presence.PYPI_ONLY
            availability = replace(availability, presence=presence, pypi=answer)  # noqa: PLW2901
        result.append(availability)
    return result


def _may_be_on_package_index(availability: Availability, world: World, source_platform: str | None) -> bool:
    """Whether a conda package is, or may be, a Python distribution: only then is its PyPI namesake the same thing."""
    if availability.presence in (Presence.BUILD_ELSEWHERE, Presence.HIDDEN_BY_PRIORITY, Presence.RENAMED):
        return False
    name = availability.requirement.name
    records = world.index.records(name)
    if not records and source_platform is not None:
        source_index = world.for_platform(source_platform)
        records = source_index.records(name) if source_index is not None else ()
    if not records or is_distribution(name):
        return True
    return any(dependency_parts(dependency)[0] == "python" for dependency in records[0].depends)


def _pypi_name(name: str) -> str:
    known = pypi_names_for_conda(name)
    return known[0] if known else name


def _channel_name(target: Target, url: str) -> str:
    for channel in target.channels:
        if channel.url.rstrip("/") == url.rstrip("/"):
            return channel.name
    return url
