"""Findings 715 to 719: whether the channels of a lock still have its files."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.model import ChannelState, Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft
from envcheck.rules.lock_facts import LockEntry, LockFacts, Place
from envcheck.rules.lock_words import LOCK_AGAIN, by_channel, entries_at, filename_of, listed, name_of
from envcheck.secrets import mask

__all__ = ["channel_not_asked", "channel_unreadable", "gone", "hash_differs", "hash_not_compared"]


def gone(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock is no longer in its channel.

    It was withdrawn because it is broken, or never was there: the download may still work today, and from a mirror or
    tomorrow it does not.

    Fix: make the lock again; pin another build or version of the package if it is pinned to this one.
    """
    for entry in entries_at(facts, Place.GONE):
        package = entry.package
        there = say(", but other builds of {version}", version=package.version) if entry.others else ""
        remedies = tuple(
            Remedy(
                action=RemedyAction.DROP_BUILD,
                summary=say(
                    "take the build {build} of {name} {version}", build=one.build, name=one.name, version=one.version
                ),
                spec=f"{one.name} =={one.version} {one.build}",
            )
            for one in entry.others[:1]
        )
        yield Draft(
            severity=Severity.ERROR,
            subject=name_of(package),
            message=say(
                "{channel} has no {name} any more{there}", channel=entry.channel, name=filename_of(package), there=there
            ),
            line=entry.line,
            remedies=remedies or (LOCK_AGAIN,),
        )
    for place, words in (
        (Place.NO_CHANNEL, say("the channel does not exist")),
        (Place.NO_SUBDIR, say("the channel has nothing for {platform}", platform=facts.platform)),
    ):
        for channel, entries in by_channel(entries_at(facts, place)).items():
            yield Draft(
                severity=Severity.ERROR,
                subject=channel,
                message=say(
                    "{words}, where the lock has {packages} from: {listed}",
                    words=words,
                    packages=plural(len(entries), "{count} package", "{count} packages"),
                    listed=listed(entries),
                ),
                line=entries[0].line,
                remedies=(LOCK_AGAIN,),
            )


def hash_differs(facts: LockFacts) -> Iterator[Draft]:
    """The channel states another hash, or another size, for this very file than the lock.

    The file was exchanged after the lock was made, or the lock was tampered with; installers refuse the download.

    Fix: find out which of the two happened before making the lock again.
    """
    for entry in entries_at(facts, Place.FOUND):
        package, record = entry.package, entry.record
        if package.size is not None and record is not None and record.size not in (None, package.size):
            yield Draft(
                severity=Severity.ERROR,
                subject=name_of(package),
                message=say(
                    "the lock says {size} bytes, {channel} says {there}",
                    size=package.size,
                    channel=entry.channel,
                    there=record.size,
                ),
                line=entry.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("find out why, then make the lock again")),),
            )
        for kind, locked, there in (
            ("md5", package.md5, record and record.md5),
            ("sha256", package.sha256, record and record.sha256),
        ):
            if locked and there and locked.lower() != there:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=name_of(package),
                    message=say(
                        "the lock says {kind} {locked}, {channel} says {there}",
                        kind=kind,
                        locked=locked,
                        channel=entry.channel,
                        there=there,
                    ),
                    line=entry.line,
                    remedies=(Remedy(action=RemedyAction.EDIT, summary=say("find out why, then make the lock again")),),
                )


def hash_not_compared(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock could not be compared with its channel's record of it.

    Where a channel has a build as ``.tar.bz2`` and as ``.conda``, solvers read the ``.conda`` only; and a lock and a
    channel that state different kinds of hash have nothing to compare.

    Fix: nothing has to be done; a lock that is made again names the ``.conda``.
    """
    twins = entries_at(facts, Place.TWIN)
    if twins:
        yield Draft(
            severity=Severity.INFO,
            subject=plural(len(twins), "{count} package", "{count} packages"),
            message=say(
                "of the build only the .conda was seen, not the .tar.bz2 that is locked: {listed}", listed=listed(twins)
            ),
            line=twins[0].line,
        )
    other_kinds = [entry for entry in entries_at(facts, Place.FOUND) if _has_hash(entry) and not _is_comparable(entry)]
    if other_kinds:
        yield Draft(
            severity=Severity.INFO,
            subject=plural(len(other_kinds), "{count} package", "{count} packages"),
            message=say(
                "the channel states no hash of the kind that the lock has: {listed}", listed=listed(other_kinds)
            ),
            line=other_kinds[0].line,
        )


def _has_hash(entry: LockEntry) -> bool:
    return bool(entry.package.md5 or entry.package.sha256)


def _is_comparable(entry: LockEntry) -> bool:
    record = entry.record
    return record is not None and bool(
        (entry.package.md5 and record.md5) or (entry.package.sha256 and record.sha256)
    )  # fmt: skip


def channel_not_asked(facts: LockFacts) -> Iterator[Draft]:
    """Packages of the lock come from a channel that neither the lock nor you named as one of its channels.

    No address of a lock is asked only because a package's URL points at it, so nothing was verified of these.

    Fix: name the channel with ``-c``.
    """
    for channel, entries in by_channel(entries_at(facts, Place.NOT_ASKED)).items():
        yield Draft(
            severity=Severity.WARNING,
            subject=mask(channel),
            message=say(
                "{packages} not verified, the channel is none of the lock's: {listed}",
                packages=plural(len(entries), "{count} package", "{count} packages"),
                listed=listed(entries),
            ),
            line=entries[0].line,
            remedies=(
                Remedy(
                    action=RemedyAction.ADD_CHANNEL,
                    summary=say("add -c {channel}", channel=mask(channel)),
                    spec=mask(channel),
                ),
            ),
        )


def channel_unreadable(facts: LockFacts) -> Iterator[Draft]:
    """A channel of the lock did not answer, or its index cannot be read.

    Nothing can be said about the packages that come from it; everything else was verified.

    Fix: try again, or name a mirror in the configuration (``mirrored_channels``).
    """
    if facts.channel_trouble:
        yield Draft(severity=Severity.WARNING, subject="channels", message=mask(facts.channel_trouble))
    silent = by_channel(entries_at(facts, Place.SILENT))
    for status in facts.statuses:
        if status.state in (ChannelState.UNREACHABLE, ChannelState.DAMAGED, ChannelState.FORBIDDEN):
            entries = silent.get(status.channel.name, [])
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(status.channel.name),
                message=say(
                    "{detail}; {packages} not verified",
                    detail=status.detail or status.state.value,
                    packages=plural(len(entries), "{count} package", "{count} packages"),
                ),
                line=status.channel.line or None,
            )
