"""What a rule about a lock is given: the lock for one platform, and what channels and package index say of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.model import ChannelStatus, Record, Target

if TYPE_CHECKING:
    from envcheck.lock_file import LockFile
    from envcheck.locks.contents import LockedPackage, LockProblem
    from envcheck.locks.judge import Objection

__all__ = ["ClosureProblem", "FileState", "LockEntry", "LockFacts", "Place", "WheelFit"]


class Place(str, enum.Enum):
    """Where a conda package of a lock was found, or why it was not."""

    FOUND = "found"
    TWIN = "twin"
    """The same build is there as ``.conda``; where both are, engines read that one only."""
    GONE = "gone"
    NO_CHANNEL = "no-channel"
    NO_SUBDIR = "no-subdir"
    SILENT = "silent"
    NOT_ASKED = "not-asked"
    OTHER_PLATFORM = "other-platform"
    UNREADABLE = "unreadable"
    """The URL is not that of a conda package, or it is no conda package at all."""


class FileState(str, enum.Enum):
    """What the package index says of a pip package's file."""

    NOT_ASKED = "not-asked"
    SAME = "same"
    OTHER_HASH = "other-hash"
    YANKED = "yanked"
    GONE = "gone"
    ELSEWHERE = "elsewhere"
    """On another host than the index's files, and nothing that the index lists can be compared with it."""
    STRANGE = "strange"
    """On another host, with a hash that is none of those that the index lists for the version."""
    UNREADABLE = "unreadable"


class WheelFit(str, enum.Enum):
    """Whether a wheel's name says that it is for the platform and the Python of the lock."""

    FITS = "fits"
    OTHER_PLATFORM = "other-platform"
    OTHER_PYTHON = "other-python"
    NEWER_GLIBC = "newer-glibc"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """A package of the lock and what was found out about it.

    ``channel`` is the short name of its URL's channel. ``record`` is the channel's record of this very file (with
    `Place.TWIN`, of the ``.conda``); ``others`` are builds of the same version and for the lock's Python that the
    channel has where this one is gone, latest first. ``newer_build`` and ``newer_version`` are told on request. ``fit``
    is judged by a wheel's name, and ``tags`` is what it is for instead; ``file`` and ``answer`` are what the package
    index says.
    """

    package: LockedPackage
    line: int | None = None
    channel: str = ""
    place: Place = Place.UNREADABLE
    record: Record | None = None
    others: tuple[Record, ...] = ()
    newer_build: Record | None = None
    newer_version: Record | None = None
    fit: WheelFit = WheelFit.FITS
    tags: str = ""
    file: FileState = FileState.NOT_ASKED
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureProblem:
    """An objection of the judge against one environment of a lock.

    ``line`` is that of the package that objects; ``amended`` if the lock has everything that it says itself the package
    needs, so that the channel has changed the package's requirements since.
    """

    environment: str
    objection: Objection
    line: int | None = None
    amended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFacts:
    """Everything that was found out about a lock for one platform.

    ``channel_trouble`` says why no channel at all could be loaded, and ``package_index_trouble`` why the package index
    could not be asked (empty: they could, or nobody wanted to).
    """

    lock: LockFile
    platform: str
    target: Target
    entries: tuple[LockEntry, ...]
    problems: tuple[LockProblem, ...] = ()
    statuses: tuple[ChannelStatus, ...] = ()
    closure: tuple[ClosureProblem, ...] = ()
    channel_trouble: str = ""
    package_index_trouble: str = ""

    def line_of(self, package: LockedPackage | None) -> int | None:
        """The line of a package of the lock."""
        return next((entry.line for entry in self.entries if entry.package is package), None)
