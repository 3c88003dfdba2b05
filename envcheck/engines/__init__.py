"""Dependency solvers behind one protocol, and the table of them.

`Engine.load` is dear and done once per target; everything an `Index` answers afterwards is cheap and asked often. Each
engine fetches and caches repodata with its own library, so that a user's existing cache and configuration are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from envcheck.model import Channel, ChannelStatus, EngineInfo, Outcome, Record, VirtualPackage

__all__ = ["LARGEST_VARIABLE", "Engine", "Index", "LoadOptions", "ProgressCallback"]

LARGEST_VARIABLE = "ENVCHECK_LARGEST_REPODATA"
"""The environment variable that says how large the repodata of a subdir may be, unpacked."""

ProgressCallback = Callable[[str, int, int], None]
"""Called with a label, the number of steps done and the number of steps in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How repodata is loaded and solved over, the same for every engine.

    ``cache_directory`` is where the engine keeps repodata (``None``: the library's own place); ``offline`` forbids
    every request but ``file://``; ``exclude_newer`` drops records newer than that many milliseconds since the epoch;
    ``verify_tls`` and ``proxies`` (pairs of scheme and URL) are the ``.condarc`` settings ``ssl_verify`` and
    ``proxy_servers``; ``package_directories`` is ``pkgs_dirs``, where mamba keeps repodata beside packages;
    ``record_directory`` is where repodata is kept by package name, whichever engine asks (``None``: nowhere);
    ``connect_timeout`` and ``read_timeout`` are the ``.condarc`` settings ``remote_connect_timeout_secs`` and
    ``remote_read_timeout_secs``; what one download may come to on the disk is
    ``largest_download`` bytes, some three times what the largest channels have.
    """

    cache_directory: str | None = None
    offline: bool = False
    exclude_newer: int | None = None
    verify_tls: bool | str = True
    proxies: tuple[tuple[str, str], ...] = ()
    package_directories: tuple[str, ...] = ()
    record_directory: str | None = None
    connect_timeout: float = 9.15
    read_timeout: float = 60.0
    largest_download: int = 1_000_000_000


@runtime_checkable
class Index(Protocol):
    """Repodata of some channels for one platform and ``noarch``, loaded, with a solver over it."""

    @property
    def platform(self) -> str:
        """The conda subdir this index is for."""
        ...

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        """How each channel answered, in channel order."""
        ...

    def names(self) -> frozenset[str]:
        """Every package name that any loaded channel has for the platform or ``noarch``."""
        ...

    def records(self, name: str) -> tuple[Record, ...]:
        """All records of a name over all channels: channel order first, newest first within a channel."""
        ...

    def prefetch(self, names: Iterable[str]) -> None:
        """Begin to read the records of names that will be asked for, if the engine can while something else is done."""
        ...

    def builds(self, wanted: Iterable[tuple[str, str, str]]) -> tuple[Record, ...]:
        """The records of names in a version and build each, without reading the names' other records if possible."""
        ...

    def matching(self, spec: str) -> tuple[Record, ...]:
        """The records of `records` that satisfy a MatchSpec, as the engine understands it.

        Raises:
            ValueError: The text is no MatchSpec.
        """
        ...

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
        any_will_do: bool = False,
    ) -> Outcome:
        """Dry-solve MatchSpecs.

        Args:
            specs: What has to be installed, as MatchSpec texts.
            preferred: Records to choose where the solver may, one per name.
            constraints: MatchSpecs to respect for packages that are installed anyway.
            timeout: Seconds after which the outcome is a cancelled `Unsolved`.
            any_will_do: Only whether there is a solution is asked: which one it is need not be looked at twice.
        """
        ...

    def solve_each(self, specs: Sequence[str], *, timeout: float | None = None) -> tuple[Outcome, ...]:
        """Dry-solve each of some MatchSpecs by itself, side by side if the engine can: only whether it has a solution.

        Args:
            specs: MatchSpec texts.
            timeout: Seconds after which the outcome of one is a cancelled `Unsolved`.

        Returns:
            The outcomes in the same order.
        """
        ...


class Engine(Protocol):
    """A dependency solver with its own repodata loading."""

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        ...

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        channel_priority: str = "flexible",
        options: LoadOptions | None = None,
        progress: ProgressCallback | None = None,
    ) -> Index:
        """Load repodata of every channel for ``platform`` and ``noarch``.

        A channel that cannot be loaded is told in `Index.statuses` and left out.

        Raises:
            ChannelError: No channel at all could be loaded.
        """
        ...
