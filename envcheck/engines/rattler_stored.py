"""Channels whose records come from stores, as rattler's solver can read them: cut down to what a question may reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rattler import Channel as RattlerChannel
from rattler import PackageName, SparseRepoData

from envcheck.engines.record_store import RecordStore, StoreDamagedError
from envcheck.engines.stored_rows import StoredRow, rows_of

if TYPE_CHECKING:
    from rattler import RepoDataRecord, Subdir

__all__ = ["Excerpt", "StoredChannel", "StoredSource"]


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
            files = []
            for subdir, store in channel.stores.items():
                members = [store.members(name) for name in names if name in store.names]
                packages = b",".join(one.packages for one in members if one.packages)
                conda = b",".join(one.conda for one in members if one.conda)
                path = folder / f"{number}-{subdir}.json"
                head = f'{{"info": {store.info}, "packages": {{'.encode()
                path.write_bytes(b"".join((head, packages, b'}, "packages.conda": {', conda, b"}}")))
                try:
                    files.append(SparseRepoData(channel.channel, subdir, path))
                except OSError as error:
                    raise StoreDamagedError(str(error)) from error
            self._files[channel] = tuple(files)


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
