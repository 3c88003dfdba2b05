"""What audits found, kept from one run to the next: one SQLite file, one row for each source and set of options.

Several audits may use it at once (https://www.sqlite.org/wal.html). It is a cache: a file that is damaged is set aside,
one that cannot be written is done without, and nothing in it is needed.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from envcheck.audit_channels import Place
from envcheck.fleet import AuditResult, result_document, result_from_document
from envcheck.language import message_document, message_from_document, messages_in, with_messages
from envcheck.secrets import mask, mask_document

__all__ = ["Kept", "Store", "open_store"]

# In the file's name: a version of envcheck that keeps something else uses another file.
_NAME = "results-2.sqlite3"
_BUSY_SECONDS = 30.0
_FORGET_AFTER = 90 * 24 * 60 * 60.0
_TABLE = """
CREATE TABLE IF NOT EXISTS results (
  key TEXT PRIMARY KEY, stored REAL NOT NULL, asked_index INTEGER NOT NULL, places TEXT NOT NULL, result TEXT NOT NULL
) WITHOUT ROWID
"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result with what it rests on: the states of the channels, and whether the Python package index was asked.

    ``stored`` is in seconds since 1970. Places hold no credentials.
    """

    result: AuditResult
    places: tuple[tuple[Place, str], ...]
    asked_index: bool
    stored: float


class Store:
    """Results by key; every operation that fails does nothing.

    Args:
        path: The file; its folder is made where it is missing.
        now: Seconds since 1970.
    """

    def __init__(self, path: Path, *, now: float) -> None:
        self._path = path
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self.trouble = ""
        """Why results are not kept; empty while they are."""
        self._open()

    def get(self, key: str) -> Kept | None:
        """What is kept under a key."""
        question = "SELECT stored, asked_index, places, result FROM results WHERE key = ?"
        row = self._try(lambda connection: connection.execute(question, (key,)).fetchone())
        if row is None:
            return None
        try:
            return Kept(
                stored=float(row[0]),
                asked_index=bool(row[1]),
                places=tuple(
                    (Place(location=location, subdir=subdir), state) for location, subdir, state in json.loads(row[2])
                ),
                result=_result(json.loads(row[3])),
            )
        except (IndexError, KeyError, TypeError, ValueError):
            return None  # written by somebody else

    def put(self, key: str, kept: Kept) -> None:
        """Keep a result, in place of what was kept under its key."""
        places = [[place.public().location, place.subdir, state] for place, state in kept.places]
        # The parts of sentences are kept too: the next run may be told in another language.
        messages = {text: one for text, one in messages_in(kept.result).items() if mask(text) == text}
        result = {
            **mask_document(result_document(kept.result)),
            "messages": {text: message_document(one) for text, one in messages.items()},
        }
        row = (key, kept.stored, int(kept.asked_index), json.dumps(places), json.dumps(result))
        self._try(lambda connection: connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", row))

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _try(self, operation: Callable[[sqlite3.Connection], _T]) -> _T | None:
        if self._connection is None:
            return None
        try:
            return operation(self._connection)
        except sqlite3.Error as error:
            # Damage that shows only now, a full disk: this run goes on without, the next one looks again.
            self.trouble = str(error)
            self.close()
            return None

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._connected()
            except sqlite3.OperationalError:
                raise  # locked for long, or not to be written: not damaged
            except sqlite3.DatabaseError:
                self._set_aside()
                self._connection = self._connected()
        except sqlite3.Error as error:
            self.trouble = str(error)
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__

    def _connected(self) -> sqlite3.Connection:
        # Each statement is a transaction of its own: a result is there once it is written, whatever happens next.
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            _refuse_damage(connection)
            connection.execute(_TABLE)
            connection.execute("DELETE FROM results WHERE stored < ?", (self._now - _FORGET_AFTER,))
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self) -> None:
        """Move a file that is no store out of the way; another audit may have done so by now."""
        for ending in ("", "-wal", "-shm"):
            old = self._path.with_name(self._path.name + ending)
            with contextlib.suppress(FileNotFoundError):
                old.replace(self._path.with_name(f"{self._path.name}.damaged{ending}"))


def _result(document: dict[str, Any]) -> AuditResult:
    messages = {text: message_from_document(one) for text, one in document["messages"].items()}
    return with_messages(result_from_document(document), messages)


def _refuse_damage(connection: sqlite3.Connection) -> None:
    """Raise what SQLite raises for a file that is none of its own, also where only a part of it is damaged."""
    (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise sqlite3.DatabaseError(sound)


def open_store(directory: Path, *, now: float) -> Store:
    """The store in the cache directory.

    Args:
        directory: The folder of envcheck's cache.
        now: Seconds since 1970.
    """
    return Store(directory / "audit" / _NAME, now=now)
