"""Where one conda requirement stands with respect to the target."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from envcheck.model.package_index import PipAvailability
from envcheck.model.source import Requirement

__all__ = ["Availability", "Presence", "Sighting"]


class Presence(str, enum.Enum):
    """Where one conda requirement stands with respect to the target, found by look-ups alone."""

    AVAILABLE = "available"
    BUILD_ELSEWHERE = "build-elsewhere"
    VERSION_ELSEWHERE = "version-elsewhere"
    HIDDEN_BY_PRIORITY = "hidden-by-priority"
    PLATFORM_ONLY = "platform-only"
    NEEDS_VIRTUAL_PACKAGE = "needs-virtual-package"
    OTHER_CHANNEL = "other-channel"
    RENAMED = "renamed"
    PYPI_ONLY = "pypi-only"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"

    @property
    def exists(self) -> bool:
        """Whether the target can have it in some form: a plan that leaves such a direct package out loses something."""
        return self in (
            Presence.AVAILABLE,
            Presence.BUILD_ELSEWHERE,
            Presence.VERSION_ELSEWHERE,
            Presence.HIDDEN_BY_PRIORITY,
            Presence.OTHER_CHANNEL,
            Presence.RENAMED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A place where a package was found: channel name, subdir, newest version there, whether the pin is there too."""

    channel: str
    subdir: str
    newest: str
    has_pin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The classification of one requirement and what there is to offer instead.

    ``nearest`` are versions on the target closest to the pin, best first; ``sightings`` other channels and platforms
    that have the name; ``close_names`` names on the target that may have been meant, best first; ``counterparts``
    packages that do the same job on the target (empty with ``PLATFORM_ONLY``: nothing is needed);
    ``virtual_package`` what the only candidates need that the target has not (``__win``); ``pypi`` the package index's
    answer when it was asked; ``detail`` a few words that make the presence precise.
    """

    requirement: Requirement
    presence: Presence
    nearest: tuple[str, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    close_names: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()
    virtual_package: str | None = None
    pypi: PipAvailability | None = None
    detail: str = ""
