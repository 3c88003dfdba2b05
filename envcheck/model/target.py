"""What a source is checked against, and what of it is asked there."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from envcheck.model.source import ChannelReference, PipRequirement, Requirement

__all__ = ["Channel", "Environment", "Intent", "NormalizedEdit", "PinPolicy", "Target", "VirtualPackage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel, resolved.

    ``name`` is the short canonical name (``conda-forge``, ``pkgs/main``) or the URL where there is none; ``url`` the
    canonical base URL without secrets, as it may stand in a lock; ``locations`` the base URLs that are really asked, in
    order (mirrors, ``file://`` trees, URLs with tokens: never shown, logged or written). ``mirror`` is the name of the
    known mirror that the first location belongs to. ``origin`` tells who asked for it: ``source``, ``command line``,
    ``condarc``, ``default``, or the ``builds`` of the source's rows; ``line`` the source's line.
    """

    name: str
    url: str
    locations: tuple[str, ...] = field(repr=False)
    mirror: str | None = None
    origin: str = "source"
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPackage:
    """A virtual package of the target (CEP 30): ``__glibc 2.28``."""

    name: str
    version: str
    build: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the environment is wanted. ``channel_priority`` is ``strict``, ``flexible`` or ``disabled``."""

    platform: str
    virtual_packages: tuple[VirtualPackage, ...]
    channels: tuple[Channel, ...]
    channel_priority: str = "flexible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What of a source was asked for.

    ``direct`` are names in source order; ``needed_by`` gives for each transitive name the rows that need it, in name
    order; ``variants`` the words of the builds that name a variant (``cuda``, ``mkl``), for the names that have some;
    ``identified`` the channel's URL of every row whose very record was found, in source order.
    """

    direct: tuple[str, ...]
    needed_by: tuple[tuple[str, tuple[str, ...]], ...] = ()
    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    identified: tuple[tuple[str, str], ...] = ()


class PinPolicy(str, enum.Enum):
    """How much of the versions a plan may change (``--pins``)."""

    PRESERVE = "preserve"
    EXACT = "exact"
    MINOR = "minor"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedEdit:
    """One change that normalization made, for the user to read: ``before`` and ``after`` are spec texts."""

    subject: str
    before: str
    after: str | None
    reason: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An `Export` made ready for one target: platform-bound parts removed, pip rows moved, Python determined.

    ``platform`` is the target's; ``requirements`` are asked of it, in source order, one per name; ``pip`` is the pip
    section with the moved ``pypi_0`` rows. ``python`` is the version constraint of the Python to have (``3.10.*``),
    ``None`` if nothing tells, and ``python_reason`` where that was read. ``implied`` are names that the environment
    needs without saying so (``pip`` for a pip section).
    """

    name: str
    platform: str
    requirements: tuple[Requirement, ...]
    pip: tuple[PipRequirement, ...]
    channels: tuple[ChannelReference, ...] = ()
    python: str | None = None
    python_reason: str | None = None
    implied: tuple[str, ...] = ()
    edits: tuple[NormalizedEdit, ...] = ()
