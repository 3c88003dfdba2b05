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
    """The store of a subdir, and how a repodata file that was cut out of it is added to a `Database`.

    ``channel`` is the place of its channel among those that were loaded.
    """

    channel: int
    store: RecordStore
    add: Callable[[Any, Path], Any]


class StoredRepodata:
    """The stores of some subdirs, whose records `Database` objects are given as they need them.

    Args:
        subdirs: The stores, in the order in which their whole repodata would be added.
        new_database: Makes an empty `Database`.
    """

    def __init__(self, subdirs: Sequence[StoredSubdir], new_database: Callable[[], Any]) -> None:
        self._subdirs = subdirs
        self._present: set[str] = set()
        self.new_database = new_database

    def holding(self, database: Any, names: Iterable[str]) -> Iterator[tuple[int, Any]]:
        """Add the records of names to the `Database` of look-ups, where they are not there yet.

        Args:
            database: It.
            names: What is looked up.

        Yields:
            Each repository that is added for it, and the place of its channel.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        missing = sorted(set(names) - self._present)
        yield from self.pieces(database, missing)
        self._present.update(missing)

    def reachable(self, names: Iterable[str]) -> frozenset[str]:
        """All names that are reachable from some by the names of dependencies, these included.

        Raises:
            StoreDamagedError: A store is not what was written.
        """
        pending = list(names)
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name in found:
                continue
            found.add(name)
            for subdir in self._subdirs:
                if name in subdir.store.names:
                    pending += subdir.store.needs(name) - found
        return frozenset(found)

    def pieces(self, database: Any, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """Add the records of names to a `Database` that has none of them; see `holding`."""
        for subdir in self._subdirs:
            store = subdir.store
            members = [store.members(name) for name in names if name in store.names]
            if not members:
                continue
            with tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True) as folder:
                path = Path(folder) / "repodata.json"
                path.write_bytes(repodata_text(store.info, members))
                yield subdir.channel, subdir.add(database, path)
