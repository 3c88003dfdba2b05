"""Where one package exists: its channels, versions, platforms and builds, by look-ups alone (``envcheck explain``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envcheck.channels import resolve_channels
from envcheck.engines import Index
from envcheck.kept_out import Standing
from envcheck.language import say
from envcheck.model import Availability, ChannelStatus, Environment, Record, Requirement, Target
from envcheck.request import Request
from envcheck.specs import (
    dependency_parts,
    is_version,
    nearest_versions,
    parse_requirement,
    sort_versions,
    spec_text,
)
from envcheck.survey import World, missing_virtual_package, survey
from envcheck.virtual_packages import virtual_packages_for

__all__ = ["Build", "Explanation", "Place", "asked_package", "configured_target", "explain"]

# Where packages that the target lacks are looked for: the platforms that exports come from.
_PLATFORMS = ("linux-64", "win-64", "osx-64", "osx-arm64")
_NEAREST = 3
# ``>=3.10,<3.11.0a0`` is how builds for one minor version of Python say so.
_ONE_MINOR = re.compile(r">=(\d+)\.(\d+)(?:\.\d+)*,<(\d+)\.(\d+)(?:\.0)*(?:a0)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel that has the package for a platform.

    ``own`` tells the target's channels from those that were asked besides; ``count``, ``oldest`` and ``newest`` speak
    of the versions whose records can be used there; ``has`` says whether what was asked for is among them, ``None``
    where no version was asked for. ``needs`` is the virtual package (``__cuda >=12``) that the target lacks and that
    every record of what was asked for needs.
    """

    channel: str
    platform: str
    own: bool
    count: int
    oldest: str
    newest: str
    has: bool | None
    needs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build; ``python`` is the Python it is for, ``needs`` the virtual packages it depends on.

    ``lacks`` is one of those that the target does not have.
    """

    version: str
    build: str
    build_number: int
    subdir: str
    channel: str
    noarch: bool
    python: str | None
    needs: tuple[str, ...]
    lacks: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What there is to say about one package.

    ``requirement`` is what was asked for; ``channels`` are the target's, by name; ``places`` what the target can
    install from, the target's own channels first; ``elsewhere`` other platforms, asked only where the target's channels
    lack what was asked for; ``nearest`` the closest versions on the target, best first; ``builds`` those of
    ``builds_of``, the version asked for or else the newest. ``unknown`` is what a survey says of a name that no channel
    has for the target; ``standing`` where the package stands in an environment; ``silent`` are channels that could not
    be read.
    """

    requirement: Requirement
    platform: str
    channels: tuple[str, ...]
    places: tuple[Place, ...] = ()
    elsewhere: tuple[Place, ...] = ()
    nearest: tuple[str, ...] = ()
    builds_of: str | None = None
    builds: tuple[Build, ...] = ()
    unknown: Availability | None = None
    standing: Standing | None = None
    silent: tuple[ChannelStatus, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the target's own channels have what was asked for, in a form that the target can install."""
        return any(place.own and place.count and place.has is not False for place in self.places)

    @property
    def fine(self) -> bool:
        """Whether it is there, and in the environment asked about nothing keeps it out."""
        return self.found if self.standing is None else self.standing.fine


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The records of a name that one channel has for one platform."""

    channel: str
    platform: str
    own: bool
    records: tuple[Record, ...]
    matching: tuple[Record, ...]


def asked_package(text: str) -> Requirement:
    """What is asked about: a name, with a version and a build where these matter.

    Raises:
        ValueError: It is something else; the words are for the user.
    """
    try:
        requirement = parse_requirement(text, line=0)
    except ValueError as error:
        raise ValueError(say("{text!r} is no package: {error}.", text=text, error=str(error))) from None
    if requirement.channel is not None or requirement.subdir is not None:
        raise ValueError(say("Name the channel with -c and the platform with -p."))
    if requirement.build is not None and not {" ", "="}.isdisjoint(requirement.build):
        raise ValueError(say("{text!r} is no package: there is nothing behind a build.", text=text))
    return requirement


def configured_target(request: Request) -> Target:
    """The target of a request without a source: the configuration's channels, and those of the command line.

    Raises:
        ConfigurationError: The platform, an image or a virtual package is not known.
    """
    resolution = resolve_channels(
        (),
        request.configuration,
        command_line=request.channels,
        override=request.override_channels,
        platform=request.platform,
    )
    return Target(
        platform=request.platform,
        virtual_packages=virtual_packages_for(
            request.platform, image=request.image, overrides=request.virtual_packages
        ),
        channels=resolution.channels,
        channel_priority=request.configuration.channel_priority,
    )


def explain(requirement: Requirement, target: Target, world: World, *, standing: Standing | None = None) -> Explanation:
    """Say where a package exists.

    Args:
        requirement: What is asked for: a name, with a version and a build where these matter.
        target: The target; its channels are those of ``world.index``.
        world: Where to ask.
        standing: Where the package stands in an environment, if one was asked about.

    Returns:
        The explanation; a name that nobody has is one too.

    Raises:
        ChannelError: None of the target's channels could be loaded.
    """
    silent = tuple(status for status in world.index.statuses if status.silent)
    found = _on_target(requirement, target, world)
    places = tuple(_place(one, requirement, target) for one in found)
    has_it = any(place.own and place.count and place.has is not False for place in places)
    version, builds = _builds(found, requirement, target)
    unknown = None
    if not places:
        environment = Environment(name="", platform=target.platform, requirements=(requirement,), pip=())
        unknown = survey(environment, target, world, source_platform=None)[0]
    return Explanation(
        requirement=requirement,
        platform=target.platform,
        channels=tuple(channel.name for channel in target.channels),
        places=places,
        elsewhere=() if has_it else tuple(_elsewhere(requirement, target, world)),
        nearest=() if has_it else _nearest(found, requirement, target),
        builds_of=version,
        builds=builds,
        unknown=unknown,
        standing=standing,
        silent=silent,
    )


def _on_target(requirement: Requirement, target: Target, world: World) -> list[_Found]:
    """Every channel that has the name for the target, its own channels first."""
    own = _by_channel(world.index, requirement, target, platform=target.platform)
    if any(status.silent for status in world.index.statuses):
        return own  # What a silent channel has is not known, and where else to look is not the question.
    others = [
        one
        for channel, index in world.other_channels(target.platform)
        for one in _by_channel(index, requirement, target, platform=target.platform, channel=channel.name)
    ]
    return own + others


def _by_channel(
    index: Index, requirement: Requirement, target: Target, *, platform: str, channel: str | None = None
) -> list[_Found]:
    """The records of the name by channel; ``channel`` names one that is not the target's."""
    names = {one.url.rstrip("/"): one.name for one in target.channels}
    asked = {record.url for record in index.matching(spec_text(requirement))}
    by_channel: dict[str, list[Record]] = {}
    for record in index.records(requirement.name):
        by_channel.setdefault(record.channel.rstrip("/"), []).append(record)
    return [
        _Found(
            channel=channel or names.get(url, url),
            platform=platform,
            own=channel is None,
            records=tuple(records),
            matching=tuple(record for record in records if record.url in asked),
        )
        for url, records in by_channel.items()
    ]


def _place(found: _Found, requirement: Requirement, target: Target) -> Place:
    asked = requirement.version is not None or requirement.build is not None
    usable = [record for record in found.records if missing_virtual_package(record, target) is None]
    lacking = [missing_virtual_package(record, target) for record in found.matching]
    versions = sort_versions(record.version for record in usable)
    return Place(
        channel=found.channel,
        platform=found.platform,
        own=found.own,
        count=len(versions),
        oldest=versions[0] if versions else "",
        newest=versions[-1] if versions else "",
        has=None in lacking if asked else None,
        needs=min(filter(None, lacking), default=None) if lacking and None not in lacking else None,
    )


def _elsewhere(requirement: Requirement, target: Target, world: World) -> list[Place]:
    """The platforms that have what the target lacks, each in the first channels that know the name."""
    places: list[Place] = []
    for platform in _PLATFORMS:
        own = world.for_platform(platform) if platform != target.platform else None
        if own is None:
            continue
        there = Target(platform=platform, virtual_packages=virtual_packages_for(platform), channels=target.channels)
        found = _by_channel(own, requirement, there, platform=platform)
        if not found and not any(status.silent for status in own.statuses):
            for channel, index in world.other_channels(platform):
                found += _by_channel(index, requirement, there, platform=platform, channel=channel.name)
        for one in found:
            # noarch records stand in every platform's index: only those that the target cannot use are news.
            news = _Found(
                channel=one.channel,
                platform=platform,
                own=one.own,
                records=_only_there(one.records, target, there),
                matching=_only_there(one.matching, target, there),
            )
            if news.records:
                places.append(_place(news, requirement, there))
    return [place for place in places if place.count and place.has is not False]


def _only_there(records: Iterable[Record], target: Target, there: Target) -> tuple[Record, ...]:
    return tuple(
        record
        for record in records
        if record.subdir == there.platform
        or (missing_virtual_package(record, target) is not None and missing_virtual_package(record, there) is None)
    )


def _nearest(found: Sequence[_Found], requirement: Requirement, target: Target) -> tuple[str, ...]:
    """The closest versions that the target can install, of its own channels where these have any."""
    pin = requirement.pin
    if pin is None or not is_version(pin):
        return ()
    for own in (True, False):
        versions = {
            record.version
            for one in found
            if one.own is own
            for record in one.records
            if missing_virtual_package(record, target) is None
        }
        if versions:
            return nearest_versions(pin, versions - {pin}, limit=_NEAREST)
    return ()


def _builds(found: Sequence[_Found], requirement: Requirement, target: Target) -> tuple[str | None, tuple[Build, ...]]:
    """The builds of what was asked for, else of that version, else of the newest; and the version they are of."""
    asked = [record for one in found for record in one.matching]
    if not asked and requirement.build is not None:
        asked = [record for one in found for record in one.records if record.version == requirement.pin]
    candidates = asked or [record for one in found for record in one.records]
    if not candidates:
        return None, ()
    usable = [record for record in candidates if missing_virtual_package(record, target) is None]
    versions = {record.version for record in usable or candidates}
    # 1.2 asks for any 1.2.*, but 1.2 itself is meant where it exists.
    version = requirement.pin if requirement.pin in versions else sort_versions(versions)[-1]
    wanted = {record.url for record in candidates if record.version == version}
    builds: list[Build] = []
    for one in found:
        of_channel = [_build(record, one.channel, target) for record in one.records if record.url in wanted]
        builds += sorted(of_channel, key=_build_order)
    return version, tuple(builds)


def _build(record: Record, channel: str, target: Target) -> Build:
    return Build(
        version=record.version,
        build=record.build,
        build_number=record.build_number,
        subdir=record.subdir,
        channel=channel,
        noarch=record.subdir == "noarch",
        python=_python_of(record),
        needs=tuple(sorted({dependency for dependency in record.depends if dependency.startswith("__")})),
        lacks=missing_virtual_package(record, target),
    )


def _build_order(build: Build) -> tuple[object, ...]:
    """What can be used first, then the latest build, the newest Python."""
    digits = [int(part) for part in (build.python or "").split(".") if part.isdigit()]
    return build.lacks is not None, -build.build_number, [-digit for digit in digits], build.build


def _python_of(record: Record) -> str | None:
    """The minor version of Python that a record is for, or the constraint where it is for several."""
    parts = [dependency_parts(dependency) for dependency in record.depends if dependency.startswith("python")]
    abi = next((version for name, version, _ in parts if name == "python_abi" and version), None)
    if abi is not None:
        return abi.removeprefix("==").removesuffix(".*")
    python = next((version for name, version, _ in parts if name == "python"), None)
    one_minor = _ONE_MINOR.fullmatch(python or "")
    if one_minor is not None:
        major, minor, next_major, next_minor = map(int, one_minor.groups())
        if (next_major, next_minor) == (major, minor + 1):
            return f"{major}.{minor}"
    return python.removesuffix(".*") if python is not None and python[0].isdigit() else python
