"""Channels whose records come from stores, as rattler's solver can read them: cut down to what a question may reach."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rattler import Channel as RattlerChannel
from rattler import PackageName, SparseRepoData

from envcheck.engines.record_store import Members, RecordStore, StoreDamagedError, repodata_text
from envcheck.engines.stored_rows import members_with, record_of, rows_of
from envcheck.model import Record

if TYPE_CHECKING:
    from rattler import RepoDataRecord, Subdir

__all__ = ["Excerpt", "Pins", "StoredChannel", "StoredSource"]

Pins = Mapping[str, tuple[str, str]]
"""The one version and build that a name may come in."""
_Files = Mapping["StoredChannel", tuple[SparseRepoData, ...]]
# How many times as many names as it asks for a question may be given to read.
_SPARE = 2


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

    def records(self, name: str, channel: str) -> Iterator[Record]:
        """The records of a name.

        Args:
            name: The name.
            channel: The canonical base URL of the channel, without a slash at its end.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        for subdir, store in self.stores.items():
            if name in store.names:
                records = store.known_records(name, channel)
                if records is None:
                    rows = rows_of(store.members(name))
                    records = tuple(record_of(filename, row, channel, subdir) for filename, row in rows.items())
                    store.keep_records(name, channel, records)
                yield from records

    def builds(self, name: str, build: str, channel: str) -> Iterator[Record]:
        """The records of a name in a build, or in any if the build is a pattern; see `records`."""
        is_pattern = "*" in build
        for subdir, store in self.stores.items():
            if name in store.names:
                records = store.known_records(name, channel)
                if records is not None:
                    yield from (record for record in records if is_pattern or record.build == build)
                    continue
                for filename, row in rows_of(store.members(name)).items():
                    if is_pattern or row.build == build:
                        yield record_of(filename, row, channel, subdir)


class Excerpt:
    """The records of some stored channels that are reachable from names, as repodata files of their own.

    What a solver may choose is reachable from what it is asked for by the names of dependencies, over all of these
    channels. The files of the last question serve the next one where they hold all that it reaches and not much more:
    a solver reads them from end to end.

    Args:
        channels: The channels.
    """

    def __init__(self, channels: Sequence[StoredChannel]) -> None:
        self._channels = channels
        self._names: frozenset[str] = frozenset()
        self._files: _Files = {}
        self.damage: StoreDamagedError | None = None
        """What went wrong, where anything did."""

    def reaching(self, names: Iterable[str]) -> _Files:
        """The excerpt of each channel, with everything that is reachable from names.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        with self._noting_damage():
            reached = self._reach(names)
            if not (self._files and reached <= self._names and len(self._names) <= _SPARE * len(reached)):
                self._write(reached)
        return self._files

    def including(self, name: str) -> _Files:
        """The excerpt of each channel, with all that it has had so far and what is reachable from another name.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        with self._noting_damage():
            if name not in self._names:
                self._write(self._names | self._reach([name]))
        return self._files

    def _write(self, names: frozenset[str]) -> None:
        ordered = sorted(names)
        self._files = self._written(
            {
                (channel, subdir): [store.members(name) for name in ordered if name in store.names]
                for channel in self._channels
                for subdir, store in channel.stores.items()
            }
        )
        self._names = names

    def pinned(self, names: Iterable[str], pins: Pins) -> _Files:
        """What is reachable from names where some names may come in one version and build only.

        The other records of a pinned name cannot be in an answer, and what only they need cannot either.

        Args:
            names: What is asked for.
            pins: The version and the build of each pinned name.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        seen: set[str] = set()
        pending = sorted(names)
        parts: dict[tuple[StoredChannel, str], list[Members]] = {
            (channel, subdir): [] for channel in self._channels for subdir in channel.stores
        }
        with self._noting_damage():
            while pending:
                name = pending.pop()
                if name in seen:
                    continue
                seen.add(name)
                for (channel, subdir), found in parts.items():
                    store = channel.stores[subdir]
                    if name in store.names:
                        members, needs = store.members(name), store.needs(name)
                        if name in pins:
                            members, needs = members_with(members, *pins[name])
                        found.append(members)
                        pending += sorted(needs - seen)
            return self._written(parts)

    def _reach(self, names: Iterable[str]) -> frozenset[str]:
        reached: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            reached.add(name)
            for channel in self._channels:
                for store in channel.stores.values():
                    if name in store.names:
                        pending += store.needs(name) - reached
        return frozenset(reached)

    def _written(self, parts: Mapping[tuple[StoredChannel, str], Sequence[Members]]) -> _Files:
        """Members as repodata files, opened."""
        files: dict[StoredChannel, list[SparseRepoData]] = {channel: [] for channel in self._channels}
        # What is open stays readable when its name is gone, however the process may end.
        with tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True) as folder:
            for number, ((channel, subdir), members) in enumerate(parts.items()):
                path = Path(folder) / f"{number}.json"
                path.write_bytes(repodata_text(channel.stores[subdir].info, members))
                try:
                    files[channel].append(SparseRepoData(channel.channel, subdir, path))
                except OSError as error:
                    raise StoreDamagedError(str(error)) from error
        return {channel: tuple(found) for channel, found in files.items()}

    @contextlib.contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except StoreDamagedError as error:
            self.damage = error
            raise


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
        for file in self._excerpt.including(name.normalized)[self._channel]:
            if file.subdir == str(platform):
                return file.load_records(name)
        return []

    def package_names(self, platform: Subdir) -> list[str]:  # noqa: ARG002  # the protocol's signature
        """Nothing: names are asked of the stores."""
        return []
