"""The record stores of a cache directory: which may be used for a channel now, and which are to be made.

A store may be used while the repodata is in the state that it was made from. For a directory the file itself tells; a
server is asked whether what it has is still what it had (RFC 9110, conditional requests), as rattler would ask, unless
it said for how long that need not be asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.engines.record_store import RecordStore, RepodataState, open_store
from envcheck.locations import local_path, open_session
from envcheck.secrets import strip_secrets

if TYPE_CHECKING:
    from envcheck.engines import LoadOptions
    from envcheck.engines.record_store_building import BuildOrder

__all__ = ["ReadRepodata", "RecordStores", "file_state", "max_age_of", "rattler_folder", "start_builder"]

# What is smaller is read as fast as it is.
_SMALLEST = 1024 * 1024
_TIMEOUT_SECONDS = (10, 20)
_NOT_MODIFIED = 304
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?!\d)")


def start_builder(orders: Sequence[BuildOrder]) -> None:
    """Start a process that makes stores, and leave it to itself.

    It is told on its standard input what to make, so that no address stands in the list of processes.
    """
    from envcheck.engines.record_store_building import order_text

    with contextlib.suppress(OSError), tempfile.TemporaryFile() as told:
        told.write(order_text(orders).encode())
        told.seek(0)
        process = subprocess.Popen(  # this interpreter and a module of ours
            [sys.executable, "-m", "envcheck.engines.record_store_building"],
            stdin=told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.returncode = 0  # nobody waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRepodata:
    """A file that an engine has read, or would read, for a subdir of a channel.

    ``location`` is the channel's base URL as it is asked.
    """

    location: str
    subdir: str
    path: Path
    state: RepodataState


class RecordStores:
    """The stores of one cache directory.

    Args:
        options: What repodata is loaded with; its ``record_directory`` is where stores are, ``None`` for no stores.
        start: Has stores made, in its own time.
        smallest: How many bytes of repodata are worth a store.
        now: The seconds since 1970.
    """

    def __init__(
        self,
        options: LoadOptions,
        *,
        start: Callable[[Sequence[BuildOrder]], None] = start_builder,
        smallest: int = _SMALLEST,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._folder = None if options.record_directory is None else Path(options.record_directory)
        self._start = start
        self._smallest = smallest
        self._now = now
        self._open: dict[tuple[str, str], RecordStore] = {}
        self._ordered: set[tuple[str, str]] = set()
        self._useless: set[Path] = set()

    def find(self, location: str, subdirs: Sequence[str]) -> Mapping[str, RecordStore] | None:
        """The stores of all of a channel's subdirs.

        Args:
            location: The channel's base URL as it is asked, secrets included.
            subdirs: The subdirs.

        Returns:
            A store for each subdir; ``None`` where one is missing or was made from another state of the repodata.
        """
        if self._folder is None:
            return None
        with ThreadPoolExecutor(max_workers=len(subdirs)) as pool:
            found = list(pool.map(lambda subdir: self._find(location, subdir), subdirs))
        stores = {subdir: store for subdir, store in zip(subdirs, found, strict=True) if store is not None}
        return stores if len(stores) == len(subdirs) else None

    def _find(self, location: str, subdir: str) -> RecordStore | None:
        key = (location, subdir)
        store = self._open.get(key)
        if store is None:
            store = self._opened(location, subdir)
            if store is None or not self._is_current(store, location, subdir):
                return None
            self._open[key] = store
        return store

    def want(self, channels: Sequence[tuple[str, Sequence[str]]], *, beside: bool = False) -> None:
        """Have the stores of channels made whose repodata was read without any, if that is worth it.

        It is for all of them as soon as it is for one: what is solved over stores and something else beside them takes
        longer than what is solved over stores alone.

        Args:
            channels: The channels of a load, each with its base URL as it is asked, and its subdirs.
            beside: Whether other channels of the load have stores.
        """
        self.want_read(
            [
                [_read_by_rattler(location, subdir, self._options.cache_directory) for subdir in subdirs]
                for location, subdirs in channels
                if self._folder is not None and not all((location, subdir) in self._ordered for subdir in subdirs)
            ],
            beside=beside,
        )

    def made_from(self, read: ReadRepodata) -> RecordStore | None:
        """The store of repodata that an engine keeps itself, if it was made from just this state of it.

        A server's ETag says so, too, whoever downloaded what the store was made from.

        Args:
            read: The repodata.
        """
        key = (read.location, read.subdir)
        store = self._open.get(key)
        if store is None or not _is_same(store.state, read.state):
            store = self._opened(*key)
            if store is None or not _is_same(store.state, read.state):
                return None
            self._open[key] = store
        return store

    def want_read(self, channels: Sequence[Sequence[ReadRepodata | None]], *, beside: bool = False) -> None:
        """Have the stores of channels made; see `want`.

        Args:
            channels: The repodata of each channel's subdirs, ``None`` for what no store can be made from.
            beside: Whether other channels of the load have stores.
        """
        found = [one for read in channels if None not in read for one in read if one is not None]
        new = [one for one in found if (one.location, one.subdir) not in self._ordered]
        self._ordered.update((one.location, one.subdir) for one in new)
        if self._folder is None or not new or not (beside or max(one.state.size for one in new) >= self._smallest):
            return
        from envcheck.engines.record_store_building import BuildOrder

        self._start(
            [
                BuildOrder(
                    repodata=str(one.path),
                    subdir=one.subdir,
                    store=str(self._path(one.location, one.subdir)),
                    state=one.state,
                )
                for one in new
            ]
        )

    def discard(self) -> None:
        """Throw away every store in use, as one of them turned out to be damaged; they will be made again."""
        for store in self._open.values():
            store.discard()
            if store.path.exists():  # a folder without the right to write, or a file that another process has open
                self._useless.add(store.path)
        self._open = {}
        self._ordered = set()

    def _opened(self, location: str, subdir: str) -> RecordStore | None:
        path = self._path(location, subdir)
        return None if path is None or path in self._useless else open_store(path)

    def _path(self, location: str, subdir: str) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(f"{strip_secrets(location).rstrip('/')}/{subdir}".encode()).hexdigest()[:32]
        return self._folder / f"{name}.records"

    def _is_current(self, store: RecordStore, location: str, subdir: str) -> bool:
        state = store.state
        directory = local_path(location)
        if directory is not None:
            found = file_state(directory / subdir / "repodata.json")
            return found is not None and (found.size, found.modified) == (state.size, state.modified)
        if not state.file:
            return False
        if self._options.offline:
            return True
        with contextlib.suppress(OSError):
            if 0 <= self._now() - store.path.stat().st_mtime < state.max_age:
                return True
        if not self._is_unmodified(f"{location.rstrip('/')}/{subdir}/{state.file}", state):
            return False
        with contextlib.suppress(OSError):
            os.utime(store.path, (self._now(), self._now()))  # when it was last held against the server
        return True

    def _is_unmodified(self, url: str, state: RepodataState) -> bool:
        """Whether a server says that what it has is still what the store was made from."""
        headers = {}
        if state.etag:
            headers["If-None-Match"] = state.etag
        elif state.last_modified:
            headers["If-Modified-Since"] = state.last_modified
        else:
            return False
        import requests

        try:
            with (
                open_session(self._options.verify_tls, dict(self._options.proxies)) as session,
                session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response,
            ):
                return response.status_code == _NOT_MODIFIED
        except (requests.RequestException, ValueError):
            return False  # rattler will ask again, and its failure is told


def _is_same(made_from: RepodataState, found: RepodataState) -> bool:
    """Whether two states are one: of the same file, or called the same by the server."""
    if (made_from.size, made_from.modified) == (found.size, found.modified):
        return True
    return bool(made_from.etag) and (made_from.file, made_from.etag) == (found.file, found.etag)


def file_state(path: Path) -> RepodataState | None:
    """The state of a file by itself; ``None`` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return RepodataState(size=found.st_size, modified=found.st_mtime_ns)


def _read_by_rattler(location: str, subdir: str, cache_directory: str | None) -> ReadRepodata | None:
    """What rattler has just read for a subdir; ``None`` where it read shards instead."""
    directory = local_path(location)
    if directory is not None:
        path = directory / subdir / "repodata.json"
        state = file_state(path)
        return None if state is None else ReadRepodata(location=location, subdir=subdir, path=path, state=state)
    address = f"{strip_secrets(location).rstrip('/')}/{subdir}/"
    for path in sorted(rattler_folder(cache_directory).glob("*.info.json")):
        # rattler's note beside what it downloaded: the address, and what the server called this state.
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            note = json.loads(path.read_bytes())
            base, _, file = strip_secrets(note["url"]).rpartition("/")
            repodata = path.with_name(path.name.removesuffix(".info.json") + ".json")
            state = file_state(repodata)
            if f"{base}/" != address or state is None or state.size != note["size"]:
                continue
            served = replace(
                state,
                file=file,
                etag=note.get("etag") or "",
                last_modified=note.get("mod") or "",
                max_age=max_age_of(note.get("cache_control") or ""),
            )
            return ReadRepodata(location=location, subdir=subdir, path=repodata, state=served)
    return None


def max_age_of(cache_control: str) -> int:
    """For how many seconds what has this ``Cache-Control`` may be used without asking again (RFC 9111)."""
    found = _MAX_AGE.search(cache_control.lower())
    forbidden = any(word in cache_control.lower() for word in ("no-cache", "no-store", "must-revalidate"))
    return int(found[1]) if found is not None and not forbidden else 0


def rattler_folder(cache_directory: str | None) -> Path:
    """Where py-rattler keeps repodata."""
    if cache_directory is not None:
        return Path(cache_directory)
    from platformdirs import user_cache_path

    return Path(os.environ.get("RATTLER_CACHE_DIR") or user_cache_path("rattler") / "cache")
