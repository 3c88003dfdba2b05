"""Findings 5xx about single requirements: what the channels have of each."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import joined, plural, say
from envcheck.model import (
    Availability,
    PipPresence,
    Plan,
    Presence,
    Remedy,
    RemedyAction,
    Severity,
    Sighting,
)
from envcheck.rules.facts import Draft, Facts, some_of

__all__ = [
    "build_elsewhere",
    "hidden_by_priority",
    "nowhere",
    "on_package_index_only",
    "other_channel",
    "renamed",
    "unknown",
    "version_elsewhere",
]


def _of(facts: Facts, presence: Presence) -> Iterator[Availability]:
    return (one for one in facts.availability if one.presence is presence)


def version_elsewhere(facts: Facts) -> Iterator[Draft]:
    """The package exists for the target, but not in this version (or not for this Python).

    Versions differ between platforms: a release may have been built for Windows only, or under another channel.

    Fix: take the nearest version that the target has; the versions are listed closest first.
    """
    for one in _of(facts, Presence.VERSION_ELSEWHERE):
        requirement = one.requirement
        wanted = requirement.pin or requirement.version or ""
        where = say(" ({detail})", detail=one.detail) if one.detail else ""
        elsewhere = [sighting for sighting in one.sightings if sighting.has_pin]
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say(
                "the channels do not have {wanted} for {platform}{where}",
                wanted=wanted,
                platform=facts.target.platform,
                where=where,
            )
            + (say("; nearest {nearest}", nearest=", ".join(one.nearest)) if one.nearest else "")
            + (
                say("; {channel} has it", channel=elsewhere[0].channel)
                if elsewhere and elsewhere[0].subdir != facts.export.platform
                else ""
            ),
            line=requirement.line,
            remedies=_ordered(
                [
                    *_channel_remedies(elsewhere, facts),
                    *_version_remedies(one, facts.plan),
                    *_pip_remedies(one),
                ]
            ),
        )


def build_elsewhere(facts: Facts) -> Iterator[Draft]:
    """The version exists for the target, but not in the build that is asked for.

    Builds are replaced when a dependency changes and are sometimes removed.

    Fix: drop the build and keep the version.
    """
    for one in _of(facts, Presence.BUILD_ELSEWHERE):
        requirement = one.requirement
        kept = any(row.name == requirement.name for row in facts.plan.kept)
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say(
                "{version} exists, but not in the build {build}",
                version=requirement.pin or requirement.version or "",
                build=requirement.build,
            ),
            line=requirement.line,
            remedies=(
                Remedy(
                    action=RemedyAction.DROP_BUILD,
                    summary=say("drop the build"),
                    spec=f"{requirement.name}={requirement.pin or requirement.version or ''}".rstrip("="),
                    verified=facts.plan.solved and kept,
                ),
            ),
        )


def hidden_by_priority(facts: Facts) -> Iterator[Draft]:
    """A channel of higher priority has the package in other versions, and strict channel priority hides this one.

    With ``channel_priority: strict`` a package is taken from the first channel that knows its name, and from no other.

    Fix: put the channel that has it first, name it in the requirement (``channel::name``), or use flexible priority.
    """
    for one in _of(facts, Presence.HIDDEN_BY_PRIORITY):
        requirement = one.requirement
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say(
                "{version} is only in {channel}, "
                "which strict channel priority hides behind a channel of higher priority",
                version=requirement.pin or requirement.version or "",
                channel=one.detail,
            ),
            line=requirement.line,
            remedies=_ordered(
                [
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("write {spec}", spec=f"{one.detail}::{requirement.name}"),
                        spec=f"{one.detail}::{requirement.name}",
                    ),
                    *_version_remedies(one, facts.plan),
                ]
            ),
        )


def other_channel(facts: Facts) -> Iterator[Draft]:
    """None of the configured channels has the package; another channel does.

    Asked of conda-forge, the defaults, bioconda and every channel that the configuration names.

    Fix: add that channel.
    """
    for one in _of(facts, Presence.OTHER_CHANNEL):
        requirement = one.requirement
        places = joined(" and ", (sighting.channel for sighting in one.sightings))
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say(
                "none of the channels has it for {platform}; found in {places}",
                platform=facts.target.platform,
                places=places,
            ),
            line=requirement.line,
            remedies=_ordered([*_channel_remedies(list(one.sightings), facts), *_pip_remedies(one)]),
        )


def renamed(facts: Facts) -> Iterator[Draft]:
    """The package goes by another name in the channels.

    conda and PyPI names differ for some projects, and ``-`` and ``_`` are different characters to conda.

    Fix: use the name that the channel has.
    """
    for one in _of(facts, Presence.RENAMED):
        name = one.requirement.name
        adopted = any(row.name == name for row in facts.plan.changed)
        yield Draft(
            severity=Severity.ERROR,
            subject=name,
            message=say(
                "the channels have no {name}; they call it {close_name}", name=name, close_name=one.close_names[0]
            ),
            line=one.requirement.line,
            remedies=_ordered(
                [
                    Remedy(
                        action=RemedyAction.RENAME,
                        summary=say("write {spec}", spec=other),
                        spec=other,
                        verified=facts.plan.solved and adopted and other == one.close_names[0],
                    )
                    for other in one.close_names
                ]
            ),
        )


def on_package_index_only(facts: Facts) -> Iterator[Draft]:
    """No channel has the package, but the Python package index has a project of that name.

    Rows that pip installed look like conda rows in some listings. conda answers ``PackagesNotFoundError``.

    Fix: move it below ``pip:``. Whether a wheel for the target's Python and platform exists is said with the finding.
    """
    for one in _of(facts, Presence.PYPI_ONLY):
        yield Draft(
            severity=Severity.ERROR,
            subject=one.requirement.name,
            message=say("no channel has it; the Python package index does"),
            line=one.requirement.line,
            remedies=_ordered([*_pip_remedies(one), *_spelling_remedies(one)]),
        )


def nowhere(facts: Facts) -> Iterator[Draft]:
    """The package is in none of the channels that were asked, for no platform, and not on the package index.

    It may be misspelled, private, or gone.

    Fix: correct the name if one of the close names was meant, name the channel that has it, or drop it.
    """
    for one in _of(facts, Presence.NOWHERE):
        name = one.requirement.name
        asked = one.pypi is not None and one.pypi.presence is PipPresence.NO_PROJECT
        yield Draft(
            severity=Severity.ERROR,
            subject=name,
            message=say("no channel has it for any platform asked")
            + (say(" and it is not on the Python package index") if asked else ""),
            line=one.requirement.line,
            remedies=_ordered(
                [
                    *_spelling_remedies(one),
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("if a private channel has {name}, name it with -c", name=name),
                    ),
                ]
            ),
        )


def unknown(facts: Facts) -> Iterator[Draft]:
    """The channels that answered do not have it as asked, and another channel could not be read.

    The silent channel may have it or not: to call it missing would be a guess.

    Fix: see the finding about the channel; nothing can be said about the package before that.
    """
    names = [one for one in facts.availability if one.presence is Presence.UNKNOWN]
    if names:
        listed = some_of([one.requirement.name for one in names])
        yield Draft(
            severity=Severity.WARNING,
            subject=plural(len(names), "{count} package", "{count} packages"),
            message=say("cannot be judged while a channel is silent: {listed}", listed=listed),
            line=names[0].requirement.line,
        )


def _version_remedies(one: Availability, plan: Plan) -> list[Remedy]:
    name = one.requirement.name
    planned = {record.name: record.version for record in plan.packages}
    versions = list(one.nearest)
    if name in planned and planned[name] not in (*versions, one.requirement.pin):
        versions.insert(0, planned[name])
    return [
        Remedy(
            action=RemedyAction.CHANGE_VERSION,
            summary=say("take {version}", version=version),
            spec=f"{name}={version}",
            verified=plan.solved and planned.get(name) == version,
        )
        for version in versions
    ]


def _channel_remedies(sightings: list[Sighting], facts: Facts) -> list[Remedy]:
    adopted = {channel.name for channel in facts.plan.added_channels}
    return [
        Remedy(
            action=RemedyAction.ADD_CHANNEL,
            summary=say("add the channel {channel}", channel=sighting.channel),
            spec=sighting.channel,
            verified=facts.plan.solved and sighting.channel in adopted,
        )
        for sighting in sightings
        if sighting.subdir in (facts.target.platform, "noarch")
        and all(channel.name != sighting.channel for channel in facts.target.channels)
    ]


def _pip_remedies(one: Availability) -> list[Remedy]:
    pypi = one.pypi
    if pypi is None or pypi.version is None:
        return []
    spec = f"{pypi.name}=={pypi.version}"
    if pypi.has_wheel:
        return [
            Remedy(
                action=RemedyAction.MOVE_TO_PIP,
                summary=say("pip install {spec} (a wheel exists)", spec=spec),
                spec=spec,
            )
        ]
    if pypi.presence is PipPresence.SOURCE_ONLY:
        summary = say("pip install {spec} (source only: it has to be built in the image)", spec=spec)
        return [Remedy(action=RemedyAction.MOVE_TO_PIP, summary=summary, spec=spec)]
    return [
        Remedy(
            action=RemedyAction.MOVE_TO_PIP,
            summary=say(
                "pip install {name}=={version} (a wheel exists; {pin} has none)",
                name=pypi.name,
                version=version,
                pin=pypi.pin,
            ),
            spec=f"{pypi.name}=={version}",
        )
        for version in pypi.nearest[:1]
    ]


def _spelling_remedies(one: Availability) -> list[Remedy]:
    return [
        Remedy(action=RemedyAction.RENAME, summary=say("if {other} was meant, write that", other=other), spec=other)
        for other in one.close_names
    ]


def _ordered(remedies: list[Remedy]) -> tuple[Remedy, ...]:
    """Verified remedies first; otherwise in the order of worth in which they were given."""
    return tuple(sorted(remedies, key=lambda remedy: not remedy.verified))
