"""Repodata of one subdir, cut up by package name on disk, so that what is asked for is read and nothing else.

A full `repodata.json` is parsed from end to end before it answers anything; a real channel's takes more than a second
and most of a gigabyte, in every process. A store holds the same members of the same JSON, grouped by name and
compressed, beside the names of what they depend on. It is made once for each state of the repodata
(`envcheck.engines.record_store_building`) and is never changed: a new state is a new file in the old one's place.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import zstandard

from envcheck.model import Record

__all__ = [
    "SCHEMA",
    "Members",
    "RecordStore",
    "RepodataState",
    "StoreDamagedError",
    "open_store",
    "packer",
    "repodata_text",
]

SCHEMA = 1
"""The number of the layout; a store of another one is not read."""

# How many bytes of members a store remembers: an audit of thousands of sources asks for most names in the end.
_MOST_KEPT = 128 * 1024 * 1024
# And how many records that were made of them.
_MOST_RECORDS = 200_000


class StoreDamagedError(Exception):
    """What is on disk is not what was written; the store is to be thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepodataState:
    """Which repodata a store was made from.

    ``size`` (bytes) and ``modified`` (nanoseconds since 1970) are those of the file that was read. Of repodata that
    came from a server ``file`` is its name there, ``etag`` and ``last_modified`` are what the server called this state,
    and ``max_age`` is how many seconds it may be used without asking again.
    """

    size: int
    modified: int
    file: str = ""
    etag: str = ""
    last_modified: str = ""
    max_age: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The records of a name as members of repodata's JSON objects ``packages`` and ``packages.conda``."""

    packages: bytes
    conda: bytes

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return len(self.packages) + len(self.conda)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was read of a name: its records, and the names that they depend on."""

    members: Members
    needs: frozenset[str]


class RecordStore:
    """An open store.

    Args:
        path: The file, for `discard`.
        connection: The database.
        state: What it was made from.
        info: The repodata's ``info`` object as JSON.
        names: Every package name.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, state: RepodataState, info: str, names: frozenset[str]
    ) -> None:
        self.path = path
        self.state = state
        self.info = info
        self.names = names
        self._connection = connection
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._kept = 0
        self._records: OrderedDict[tuple[str, str], tuple[Record, ...]] = OrderedDict()
        self._record_count = 0
        weakref.finalize(self, connection.close)

    def members(self, name: str) -> Members:
        """The records of a name; none where it has none.

        Raises:
            StoreDamagedError: They are not what was written.
        """
        return self._read(name).members

    def needs(self, name: str) -> frozenset[str]:
        """The names that any record of a name depends on.

        Raises:
            StoreDamagedError: They are not what was written.
        """
        return self._read(name).needs

    def known_records(self, name: str, channel: str) -> tuple[Record, ...] | None:
        """The records of a name for a channel's canonical URL, if some index has made them."""
        known = self._records.get((name, channel))
        if known is not None:
            self._records.move_to_end((name, channel))
        return known

    def keep_records(self, name: str, channel: str, records: tuple[Record, ...]) -> None:
        """Have the indexes that are over this store, each with other channels beside it, share what one has made."""
        self._records[name, channel] = records
        self._record_count += len(records)
        while self._record_count > _MOST_RECORDS and len(self._records) > 1:
            _, oldest = self._records.popitem(last=False)
            self._record_count -= len(oldest)

    def _read(self, name: str) -> _Known:
        known = self._known.get(name)
        if known is not None:
            self._known.move_to_end(name)
            return known
        with _read_errors():
            rows = self._connection.execute("SELECT is_conda, needs, body FROM part WHERE name = ?", (name,)).fetchall()
            parts = [(bool(is_conda), _unpacked(body)) for is_conda, _, body in rows]
            needs = frozenset(chain.from_iterable(words.split() for _, words, _ in rows))
        if not rows and name in self.names:
            raise StoreDamagedError(name)
        members = Members(
            packages=b",".join(body for is_conda, body in parts if not is_conda),
            conda=b",".join(body for is_conda, body in parts if is_conda),
        )
        self._known[name] = _Known(members=members, needs=needs)
        self._kept += members.size
        while self._kept > _MOST_KEPT and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            self._kept -= oldest.members.size
        return self._known[name]

    def discard(self) -> None:
        """Throw the file away, so that nobody reads it again; what was read stays."""
        with contextlib.suppress(OSError):
            try:
                self.path.unlink()
            except PermissionError:  # Windows removes nothing that is open
                self._connection.close()
                self.path.unlink()


def open_store(path: Path) -> RecordStore | None:
    """Open a store.

    Args:
        path: Its file.

    Returns:
        The store; ``None`` where there is none, or none of this layout. One that is damaged is thrown away.
    """
    if not path.is_file():
        return None
    connection = None
    try:
        with _read_errors():
            # Nobody writes into a store that has its name.
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            _refuse_torn(connection, path)
            about = dict(connection.execute("SELECT key, value FROM about"))
            store = RecordStore(
                path,
                connection,
                RepodataState(**json.loads(about["state"])),
                about["info"],
                frozenset(_unpacked(about["names"]).decode().split()),
            )
    except StoreDamagedError:
        if connection is not None:
            connection.close()
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return store


def repodata_text(info: str, members: Sequence[Members]) -> bytes:
    """A repodata file of some names.

    Args:
        info: The ``info`` object of the whole file, as JSON.
        members: The records of each name.
    """
    packages = b",".join(one.packages for one in members if one.packages)
    conda = b",".join(one.conda for one in members if one.conda)
    return b"".join((f'{{"info": {info}, "packages": {{'.encode(), packages, b'}, "packages.conda": {', conda, b"}}"))


def packer() -> zstandard.ZstdCompressor:
    """What members are packed with; its checksum tells of every flipped bit."""
    return zstandard.ZstdCompressor(level=1, write_checksum=True)


def _unpacked(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed)


def _refuse_torn(connection: sqlite3.Connection, path: Path) -> None:
    """A file that is shorter or longer than it says was cut off, or is no store of this layout."""
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    if schema != SCHEMA or pages * page_size != path.stat().st_size:
        raise StoreDamagedError(path.name)


@contextlib.contextmanager
def _read_errors() -> Iterator[None]:
    """Every way in which reading goes wrong, as one."""
    try:
        yield
    except (sqlite3.Error, zstandard.ZstdError, OSError, ValueError, KeyError, TypeError) as error:
        raise StoreDamagedError(str(error)) from error
