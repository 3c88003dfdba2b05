"""Channels whose records come from stores, as a libmamba `Database` takes them in: each name when it is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envcheck.engines.record_store import RecordStore, repodata_text

__all__ = ["StoredRepodata", "StoredSubdir"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubdir:
    """The store of a subdir, and how a repodata file that was cut out of it is added to the `Database`.

    ``channel`` is the place of its channel among those that were loaded.
    """

    channel: int
    store: RecordStore
    add: Callable[[Path], Any]


class StoredRepodata:
    """What of some stores is in a `Database`, whose repositories are pieces of their subdirs.

    Args:
        subdirs: The stores, in the order in which their whole repodata would be added.
    """

    def __init__(self, subdirs: Sequence[StoredSubdir]) -> None:
        self._subdirs = subdirs
        self._present: set[str] = set()
        self._reached: set[str] = set()

    def holding(self, names: Iterable[str]) -> Iterator[tuple[int, Any]]:
        """Add the records of names, where they are not there yet.

        Args:
            names: What is looked up.

        Yields:
            Each repository that is added for it, and the place of its channel.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        missing = sorted(set(names) - self._present)
        yield from self._added(missing)

    def reaching(self, names: Iterable[str]) -> Iterator[tuple[int, Any]]:
        """Add everything that is reachable from names by the names of dependencies, where it is not there yet.

        Args:
            names: What a solver is asked for.

        Yields:
            Each repository that is added for it, and the place of its channel.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        pending = list(names)
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name in self._reached or name in found:
                continue
            found.add(name)
            for subdir in self._subdirs:
                if name in subdir.store.names:
                    pending += subdir.store.needs(name) - found
        yield from self._added(sorted(found - self._present))
        self._reached |= found

    def _added(self, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
        for subdir in self._subdirs:
            store = subdir.store
            members = [store.members(name) for name in names if name in store.names]
            if not members:
                continue
            with tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True) as folder:
                path = Path(folder) / "repodata.json"
                path.write_bytes(repodata_text(store.info, members))
                yield subdir.channel, subdir.add(path)
        self._present.update(names)
