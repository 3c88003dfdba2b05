"""An existing lock against the channels: the one way through, for one platform of the lock."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from envcheck import __version__
from envcheck.channels import resolve_channels
from envcheck.engines import Index
from envcheck.errors import ChannelError
from envcheck.lock_closure import judge_closure
from envcheck.lock_file import LockFile, PlatformContents, contents_for
from envcheck.lock_places import channels_of, find_places, with_newer, with_others
from envcheck.lock_wheels import ask_package_index, with_fits
from envcheck.model import Channel, ChannelState, ChannelStatus, EngineInfo, Finding, Severity, Target
from envcheck.request import Request
from envcheck.rules import select_findings
from envcheck.rules.about_locks import apply_lock_rules
from envcheck.rules.lock_facts import LockEntry, LockFacts, Place
from envcheck.virtual_packages import virtual_packages_for
from envcheck.world import Services, load_options

__all__ = ["LockReport", "LockVerdict", "verify"]


class LockVerdict(str, enum.Enum):
    """What is to be thought of a lock.

    ``SOUND``: every file is in its channel with the lock's hash, and they go together. ``UNSOUND``: there is an error.
    ``UNPROVEN``: no error, but not everything could be looked at.
    """

    SOUND = "sound"
    UNSOUND = "unsound"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReport:
    """Everything that was found out about a lock for one platform; ``complete`` if everybody was asked and answered.

    ``accepted`` are findings that a baseline accepts; they are not among ``findings``.
    """

    envcheck_version: str
    lock: LockFile
    target: Target
    engine: EngineInfo
    verdict: LockVerdict
    findings: tuple[Finding, ...]
    entries: tuple[LockEntry, ...]
    complete: bool
    accepted: tuple[Finding, ...] = ()


def verify(
    request: Request, services: Services, lock: LockFile, *, drift: bool = False, online: bool = False
) -> LockReport:
    """Verify one platform of a lock.

    Nothing is fetched because a package's URL points at it: channels are asked that the lock, the command line or the
    configuration names, and of these only the ones that packages come from.

    Args:
        request: The platform and every option.
        services: The engine and the package index.
        lock: The lock.
        drift: Whether to tell what is newer.
        online: Whether to ask the package index about pip packages.

    Raises:
        ConfigurationError: An option or a configuration value cannot be used.
    """
    contents = contents_for(lock, request.platform)
    target = _target(request, lock, contents)
    index, statuses, trouble = _load(request, services, target)
    entries = find_places(contents.packages, request.platform, request.configuration, index, statuses)
    glibc = next((one.version for one in target.virtual_packages if one.name == "__glibc"), None)
    entries = with_fits(with_others(entries, target), request.platform, glibc)
    if drift:
        entries = with_newer(entries, target, index)
    package_index_trouble = ""
    if online:
        entries, package_index_trouble = ask_package_index(entries, services.package_index, services.progress)
    facts = LockFacts(
        lock=lock,
        platform=request.platform,
        target=target,
        entries=entries,
        problems=contents.problems,
        statuses=statuses,
        closure=judge_closure(entries, target),
        channel_trouble=trouble,
        package_index_trouble=package_index_trouble,
    )
    findings = apply_lock_rules(facts)
    return LockReport(
        envcheck_version=__version__,
        lock=lock,
        target=target,
        engine=services.engine.info,
        verdict=_verdict(findings, entries),
        findings=select_findings(findings, request.select, request.ignore),
        entries=entries,
        complete=not (
            trouble
            or package_index_trouble
            or any(status.silent for status in statuses)
            # Whoever changes a URL must not get a lock through as verified.
            or any(entry.place is Place.NOT_ASKED for entry in entries)
        ),
    )


def _target(request: Request, lock: LockFile, contents: PlatformContents) -> Target:
    resolution = resolve_channels(
        lock.channels,
        request.configuration,
        command_line=request.channels,
        override=request.override_channels,
        platform=request.platform,
    )
    used = channels_of(contents.packages, request.configuration)
    # A pixi.lock says what machine it was solved for; the user, who is asked last, knows better.
    said = tuple(text for platform, text in lock.contents.virtual_packages if platform == request.platform)
    return Target(
        platform=request.platform,
        virtual_packages=virtual_packages_for(
            request.platform, image=request.image, overrides=(*said, *request.virtual_packages)
        ),
        channels=tuple(channel for channel in resolution.channels if channel.url.rstrip("/") in used),
        channel_priority=request.configuration.channel_priority,
    )


def _load(request: Request, services: Services, target: Target) -> tuple[Index | None, tuple[ChannelStatus, ...], str]:
    """The channels, loaded; where none of them could be, all are silent, and the reason."""
    if not target.channels:
        return None, (), ""
    try:
        index = services.engine.load(
            target.channels,
            target.platform,
            target.virtual_packages,
            channel_priority=target.channel_priority,
            options=load_options(request),
            progress=services.progress,
        )
    except ChannelError as error:
        return None, _silent(target.channels), error.message
    return index, index.statuses, ""


def _silent(channels: Sequence[Channel]) -> tuple[ChannelStatus, ...]:
    return tuple(ChannelStatus(channel=channel, state=ChannelState.UNREACHABLE) for channel in channels)


def _verdict(findings: Sequence[Finding], entries: Sequence[LockEntry]) -> LockVerdict:
    if any(finding.severity is Severity.ERROR for finding in findings):
        return LockVerdict.UNSOUND
    found = all(entry.place is Place.FOUND for entry in entries if entry.package.manager == "conda")
    return LockVerdict.SOUND if found else LockVerdict.UNPROVEN
