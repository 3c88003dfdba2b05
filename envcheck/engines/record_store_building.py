"""Makes a `RecordStore` from `repodata.json`: in one pass, in little memory, in a file that appears when it is whole.

Run as a program it makes the stores that its standard input orders; a check starts it and does not wait for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from envcheck.engines.record_store import SCHEMA, RepodataState, open_store, packer
from envcheck.engines.repodata_scanning import SECTIONS, UnsuitableError, scan_repodata
from envcheck.engines.stored_rows import StoredRow, needed_names

__all__ = ["BuildOrder", "build_store", "main", "order_text"]

_UNUSED_SECONDS = 30 * 24 * 60 * 60
_BUILDING = ".building"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """A store to make: from which file, in which state it has to be, for which subdir, and the store's own file."""

    repodata: str
    subdir: str
    store: str
    state: RepodataState


def order_text(orders: Sequence[BuildOrder]) -> str:
    """Orders as the program reads them."""
    return json.dumps([asdict(order) for order in orders])


def build_store(order: BuildOrder) -> bool:
    """Make a store; where there was one, it is replaced in one step.

    Args:
        order: What to make.

    Returns:
        Whether it was made: not where it is there already or somebody else is making it.

    Raises:
        UnsuitableError: The repodata is damaged, has changed, or holds something that a store has no place for.
        OSError: It cannot be read, or the store cannot be written.
    """
    path = Path(order.store)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=0):
            present = open_store(path)
            if present is not None and present.state == order.state:
                return False
            # Left behind by builders that were killed: whoever holds the lock is alone.
            for left in path.parent.glob(f"{path.name}.*{_BUILDING}"):
                left.unlink()
            _build(order, path)
    except Timeout:
        return False
    return True


def _build(order: BuildOrder, path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}{_BUILDING}")
    try:
        with contextlib.closing(sqlite3.connect(temporary)) as connection:
            _fill(order, connection)
        _refuse_changed(order)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except sqlite3.Error as error:  # a full disk, most of all
        raise OSError(str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _fill(order: BuildOrder, connection: sqlite3.Connection) -> None:
    # Until it has its name nobody reads it, and a builder that dies leaves nothing that anybody takes for a store.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    connection.execute("CREATE TABLE part (name TEXT, is_conda INTEGER, needs TEXT, body BLOB)")
    grouping = _Grouping(order.subdir)
    _refuse_changed(order)
    with Path(order.repodata).open(encoding="utf-8") as stream:
        for section, content in scan_repodata(stream):
            if section in SECTIONS:
                connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?)", grouping.parts(section, content))
            else:
                grouping.info = content
    connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?)", grouping.last())
    connection.execute("CREATE INDEX part_name ON part (name)")
    about = {
        "state": json.dumps(asdict(order.state)),
        "info": json.dumps(grouping.info),
        "names": packer().compress(" ".join(sorted(grouping.names)).encode()),
    }
    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    connection.commit()


def _refuse_changed(order: BuildOrder) -> None:
    """A file that is being written while it is read gives a store of two halves."""
    found = Path(order.repodata).stat()
    if (found.st_size, found.st_mtime_ns) != (order.state.size, order.state.modified):
        raise UnsuitableError("it has changed since it was looked at")


class _Grouping:
    """Members by name: those of one name stand together in the file, with few exceptions."""

    def __init__(self, subdir: str) -> None:
        self.info: Any = {}
        self.names: set[str] = set()
        self._subdir = subdir
        self._decoder = msgspec.json.Decoder(StoredRow)
        self._packer = packer()
        self._group: tuple[str, str] | None = None
        self._members: list[bytes] = []
        self._needs: set[str] = set()

    def parts(self, section: str, members: Mapping[str, msgspec.Raw]) -> Iterator[tuple[str, int, str, bytes]]:
        """The rows that are complete once these members are counted in."""
        for filename, raw in members.items():
            try:
                row = self._decoder.decode(raw)
            except msgspec.DecodeError as error:
                raise UnsuitableError(f"{filename}: {error}") from error
            name = row.name.lower()
            # rattler looks for a name among file names.
            if filename.rsplit("-", 2)[0] != name or row.subdir not in (None, self._subdir) or not name:
                raise UnsuitableError(f"{filename} is in the wrong place")
            if (name, section) != self._group:
                yield from self.last()
                self._group = (name, section)
            self._members.append(msgspec.json.encode(filename) + b":" + bytes(raw))
            self._needs.update(needed_names(row))

    def last(self) -> Iterator[tuple[str, int, str, bytes]]:
        """The row of the group at hand."""
        if self._group is not None and self._members:
            name, section = self._group
            self.names.add(name)
            needs = " ".join(sorted(self._needs))
            yield name, int(section == "packages.conda"), needs, self._packer.compress(b",".join(self._members))
        self._group, self._members, self._needs = None, [], set()


def main() -> int:
    """Make the stores that standard input orders, one after the other, as quietly as a machine can be used."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    failed = False
    for document in json.load(sys.stdin):
        order = BuildOrder(**{**document, "state": RepodataState(**document["state"])})
        try:
            build_store(order)
            _forget_unused(Path(order.store).parent)
        except (UnsuitableError, OSError):
            failed = True
    return int(failed)


def _forget_unused(folder: Path) -> None:
    """Remove stores that nobody has used for a month: their channels are not in use here any more."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                path.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
