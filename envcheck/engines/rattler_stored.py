"""Channels whose records come from stores, as rattler's solver can read them: cut down to what a question may reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rattler import Channel as RattlerChannel
from rattler import PackageName, SparseRepoData

from envcheck.engines.record_store import Members, RecordStore, StoreDamagedError
from envcheck.engines.stored_rows import StoredRow, members_with, rows_of

if TYPE_CHECKING:
    from rattler import RepoDataRecord, Subdir

__all__ = ["Excerpt", "Pins", "StoredChannel", "StoredSource"]

Pins = Mapping[str, tuple[str, str]]
"""The one version and build that a name may come in."""


class StoredChannel:
    """A channel of which every subdir has a store.

    Args:
        location: The channel's base URL as it is asked.
        stores: The stores by subdir.
    """

    def __init__(self, location: str, stores: Mapping[str, RecordStore]) -> None:
        self.channel = RattlerChannel(location)
        self.stores = stores

    @property
    def names(self) -> frozenset[str]:
        """Every name of any subdir."""
        return frozenset().union(*(store.names for store in self.stores.values()))

    def rows(self, name: str) -> Iterator[tuple[str, StoredRow, str]]:
        """The records of a name: file name, what is said of it, subdir.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        for subdir, store in self.stores.items():
            if name in store.names:
                for filename, row in rows_of(store.members(name)).items():
                    yield filename, row, subdir


class Excerpt:
    """The records of some stored channels that are reachable from names, as repodata files of their own.

    What a solver may choose is reachable from what it is asked for by the names of dependencies, over all of these
    channels. A question that goes beyond what was reached makes the excerpt larger.

    Args:
        channels: The channels.
    """

    def __init__(self, channels: Sequence[StoredChannel]) -> None:
        self._channels = channels
        self._names: set[str] = set()
        self._files: dict[StoredChannel, tuple[SparseRepoData, ...]] = {}
        self.damage: StoreDamagedError | None = None
        """What went wrong, where anything did."""

    def reaching(self, names: Iterable[str]) -> Mapping[StoredChannel, tuple[SparseRepoData, ...]]:
        """The excerpt of each channel, with everything that is reachable from names.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        try:
            reached = self._reach(names)
            if reached or not self._files:
                self._names |= reached
                # What is open stays readable when its name is gone, however the process may end.
                with tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True) as folder:
                    self._write(Path(folder))
        except StoreDamagedError as error:
            self.damage = error
            raise
        return self._files

    def pinned(self, names: Iterable[str], pins: Pins) -> Mapping[StoredChannel, tuple[SparseRepoData, ...]]:
        """What is reachable from names where some names may come in one version and build only.

        The other records of a pinned name cannot be in an answer, and what only they need cannot either.

        Args:
            names: What is asked for.
            pins: The version and the build of each pinned name.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        seen: set[str] = set()
        pending = list(names)
        parts: dict[tuple[StoredChannel, str], list[Members]] = {}
        try:
            while pending:
                name = pending.pop()
                if name in seen:
                    continue
                seen.add(name)
                for channel in self._channels:
                    for subdir, store in channel.stores.items():
                        if name not in store.names:
                            continue
                        pin = pins.get(name)
                        if pin is None:
                            members, needs = store.members(name), store.needs(name)
                        else:
                            members, needs = members_with(store.members(name), *pin)
                        parts.setdefault((channel, subdir), []).append(members)
                        pending += needs - seen
            with tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True) as folder:
                return {
                    channel: tuple(
                        self._file(
                            Path(folder) / f"{number}-{subdir}.json",
                            channel,
                            subdir,
                            sorted(parts.get((channel, subdir), ()), key=attrgetter("conda", "packages")),
                        )
                        for subdir in channel.stores
                    )
                    for number, channel in enumerate(self._channels)
                }
        except StoreDamagedError as error:
            self.damage = error
            raise

    def _reach(self, names: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        pending = [name for name in names if name not in self._names]
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            reached.add(name)
            for channel in self._channels:
                for store in channel.stores.values():
                    if name in store.names:
                        pending += [one for one in store.needs(name) if one not in self._names and one not in reached]
        return reached

    def _write(self, folder: Path) -> None:
        names = sorted(self._names)
        for number, channel in enumerate(self._channels):
            self._files[channel] = tuple(
                self._file(
                    folder / f"{number}-{subdir}.json",
                    channel,
                    subdir,
                    [store.members(name) for name in names if name in store.names],
                )
                for subdir, store in channel.stores.items()
            )

    @staticmethod
    def _file(path: Path, channel: StoredChannel, subdir: str, members: Sequence[Members]) -> SparseRepoData:
        """Members as a repodata file of a channel's subdir, opened."""
        packages = b",".join(one.packages for one in members if one.packages)
        conda = b",".join(one.conda for one in members if one.conda)
        head = f'{{"info": {channel.stores[subdir].info}, "packages": {{'.encode()
        path.write_bytes(b"".join((head, packages, b'}, "packages.conda": {', conda, b"}}")))
        try:
            return SparseRepoData(channel.channel, subdir, path)
        except OSError as error:
            raise StoreDamagedError(str(error)) from error


class StoredSource:
    """A stored channel beside others that rattler reads itself: only it knows which names it will come to ask for.

    Args:
        channel: The channel.
        excerpt: What it is read from.
    """

    def __init__(self, channel: StoredChannel, excerpt: Excerpt) -> None:
        self._channel = channel
        self._excerpt = excerpt

    async def fetch_package_records(self, platform: Subdir, name: PackageName) -> list[RepoDataRecord]:
        """The records of a name for one subdir."""
        for file in self._excerpt.reaching([name.normalized])[self._channel]:
            if file.subdir == str(platform):
                return file.load_records(name)
        return []

    def package_names(self, platform: Subdir) -> list[str]:  # noqa: ARG002  # the protocol's signature
        """Nothing: names are asked of the stores."""
        return []
