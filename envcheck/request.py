"""Everything that one check is told, in one frozen value: no stage reads options, clock or environment elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.condarc import Configuration
from envcheck.model import PinPolicy

__all__ = ["Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One source and one target, with every option that the command line has.

    ``path`` is the source as the user named it and ``data`` its bytes; ``channels`` are those of the command line;
    ``virtual_packages`` are ``NAME=VERSION`` texts, later ones winning; ``exclude_newer`` is in ms since 1970;
    ``effort`` is how many seconds the search for the closest environment may take; ``select`` and ``ignore`` are
    prefixes of finding codes; ``check_pip`` is false with ``--no-pip``; ``trust_source_indexes`` lets indexes be asked
    that only the source names. ``record_directory`` is where repodata is kept by package name (``None``: nowhere).
    ``preferred`` are name, version and build of conda packages that are kept where nothing that was asked for speaks
    against it, ``preferred_pip`` name and version of distributions (``--from-lock``).
    """

    path: str
    data: bytes = field(repr=False)
    configuration: Configuration
    platform: str = "linux-64"
    channels: tuple[str, ...] = field(default=(), repr=False)
    override_channels: bool = False
    image: str | None = None
    virtual_packages: tuple[str, ...] = ()
    offline: bool = False
    cache_directory: str | None = None
    record_directory: str | None = None
    exclude_newer: int | None = None
    pins: PinPolicy = PinPolicy.PRESERVE
    effort: float = 60.0
    keep_variants: bool = False
    check_pip: bool = True
    trust_source_indexes: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preferred: tuple[tuple[str, str, str], ...] = ()
    preferred_pip: tuple[tuple[str, str], ...] = ()
