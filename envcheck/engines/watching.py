"""Whether downloads still get on, seen from the folder that they go to: no engine can be told when to give up.

rattler and libmamba wait for a server as long as it sends anything at all, and libmamba also for as long as a server
asks it to (``Retry-After``); both keep whatever comes. What they fetch grows, unpacked, in a file of their cache, so
that somebody who looks there sees a download that does not get on, or one that has no end. What rattler makes of it
grows in this process's memory: to twenty times the file's size, where millions of records say nothing.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from envcheck.engines import LARGEST_VARIABLE
from envcheck.language import say

__all__ = [
    "SLOWEST",
    "DownloadWatch",
    "GivenUpError",
    "await_watched",
    "own_memory",
    "refuse_many_objects",
    "too_large",
]

SLOWEST = 1000
"""How many bytes a second are a download that gets on."""
_LONGEST_INTERVAL = 0.25
# The shortest records that say what they must have more bytes each, the usual ones five times as many.
_BYTES_OF_OBJECT = 100
_SHORTEST_OBJECT = len('"":{},')
# Memory for each byte of the largest repodata, and in any case: 300 MB of real records take 50 MB.
_MEMORY_TIMES = 2
_LEAST_MEMORY = 500_000_000

_T = TypeVar("_T")


class GivenUpError(Exception):
    """A download was given up; ``message`` says why, in a few words for the user.

    Args:
        message: The words. They are taken from here, as ``str`` of the exception is English alone.
        stalled: Whether too little came, rather than too much.
        in_memory: Whether it was seen in this process's memory, where what has begun may go on.
    """

    def __init__(self, message: str, *, stalled: bool, in_memory: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.stalled = stalled
        self.in_memory = in_memory


def own_memory() -> int:
    """How many bytes of memory this process has to itself, files that it looks into aside; 0 where that is not told."""
    if sys.platform == "linux":
        try:
            with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # read several times a second
                _, resident, shared, *_ = file.read().split()
        except (OSError, ValueError):
            return 0
        return (int(resident) - int(shared)) * mmap.PAGESIZE
    return 0


def refuse_many_objects(path: Path, largest: int, *, start: int = 0, count: int = 0) -> tuple[int, int]:
    """Refuse repodata that is too large, or has more objects than any has, before what cannot be stopped reads it.

    Args:
        path: The file.
        largest: How many bytes repodata may have.
        start: From where on to count.
        count: How many there are before.

    Returns:
        Up to where was counted, and how many there are.

    Raises:
        GivenUpError: It is too large, or there are too many: where they say nothing, each takes many times its bytes in
            memory.
        OSError: The file cannot be read.
    """
    most = largest // _BYTES_OF_OBJECT
    size = path.stat().st_size
    if size > largest:
        raise too_large(largest)
    if size < most * _SHORTEST_OBJECT:
        return start, count
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(1 << 20):
            start += len(chunk)
            count += chunk.count(b"{")
            if count > most:
                raise GivenUpError(
                    say(
                        "what it sends has more than {most} records ({variable})",
                        most=format(most, ","),
                        variable=LARGEST_VARIABLE,
                    ),
                    stalled=False,
                )
    return start, count


def too_large(largest: int) -> GivenUpError:
    """What is said of repodata that has more bytes than it may have."""
    return GivenUpError(
        say(
            "what it sends is larger than {size} GB, unpacked ({variable})",
            size=format(largest / 1e9, ".3g"),
            variable=LARGEST_VARIABLE,
        ),
        stalled=False,
    )


class DownloadWatch:
    """Looks at what some folders hold, from now on, and at what this process's memory does.

    Args:
        folders: Where downloads go; folders below them are not looked at.
        patience: For how many seconds they may bring less than `SLOWEST` bytes a second.
        largest: How many bytes one file may come to hold; the memory may grow by twice as much, and by 500 MB at least.
        now: Seconds of a clock that only goes on.
        memory: The bytes of memory that are in use.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        patience: float,
        largest: int,
        now: Callable[[], float] = time.monotonic,
        memory: Callable[[], int] = own_memory,
    ) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)
        self._too_large: frozenset[tuple[int, int]] = frozenset()
        self._counted: dict[Path, tuple[int, int]] = {}
        self._patience = patience
        self._largest = largest
        self._now = now
        self._memory = memory
        self._most_memory = max(_LEAST_MEMORY, _MEMORY_TIMES * largest)
        self._memory_before = memory()
        self._known = {path: state.st_size for path, state in self._states().items()}
        self._first = frozenset(self._known)
        self._since = now()
        self._gained = 0

    @property
    def too_large(self) -> tuple[Path, ...]:
        """The files for whose size was given up, by the names they have now: what is whole gets another."""
        if not self._too_large:
            return ()
        return tuple(path for path, state in self._states().items() if _identity(state) in self._too_large)

    @property
    def interval(self) -> float:
        """After how many seconds another look is due."""
        return min(_LONGEST_INTERVAL, self._patience / 4)

    def look(self) -> None:
        """Look whether anything has come.

        Raises:
            GivenUpError: Too little has, for too long, or more than anybody wants.
        """
        self.look_back()
        if self._now() - self._since < self._patience:
            return
        if self._gained < SLOWEST * self._patience:
            raise GivenUpError(
                say(
                    "it sent less than {least} bytes a second for {patience} seconds (remote_read_timeout_secs)",
                    least=SLOWEST,
                    patience=format(self._patience, "g"),
                ),
                stalled=True,
            )
        self._since, self._gained = self._now(), 0

    def look_back(self) -> None:
        """Look whether what has come is not too much.

        Raises:
            GivenUpError: It is.
        """
        states = self._states()
        sizes = {path: state.st_size for path, state in states.items()}
        gains = {path: size - self._known.get(path, 0) for path, size in sizes.items()}
        self._gained += sum(max(0, gained) for gained in gains.values())
        self._known = sizes
        large = tuple(path for path, gained in gains.items() if gained > 0 and sizes[path] > self._largest)
        if large:
            self._too_large = frozenset(_identity(states[path]) for path in large)
            raise too_large(self._largest)
        for path in (path for path, gained in gains.items() if gained > 0):
            self._count(path, states[path])
        if self._memory() - self._memory_before > self._most_memory:
            raise GivenUpError(
                say(
                    "what it sends, and is read at the same time, takes more than {size} GB of memory ({variable})",
                    size=format(self._most_memory / 1e9, ".3g"),
                    variable=LARGEST_VARIABLE,
                ),
                stalled=False,
                in_memory=True,
            )

    def _count(self, path: Path, state: os.stat_result) -> None:
        """Count the objects of what has come."""
        start, count = self._counted.get(path, (0, 0))
        try:
            with suppress(OSError):
                self._counted[path] = refuse_many_objects(path, self._largest, start=start, count=count)
        except GivenUpError:
            self._too_large = frozenset([_identity(state)])
            raise

    def remove_too_large(self) -> None:
        """Remove the files for whose size was given up, also one that is being renamed in that moment."""
        for _ in range(3):
            for path in self.too_large:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def begun(self, prefix: str) -> list[Path]:
        """The files whose names begin so and that were not there when the watch began."""
        return [path for path in self._states() if path.name.startswith(prefix) and path not in self._first]

    def _states(self) -> dict[Path, os.stat_result]:
        states: dict[Path, os.stat_result] = {}
        for folder in self.folders:
            with suppress(OSError):
                for path in folder.iterdir():
                    with suppress(OSError):  # temporary files come and go
                        states[path] = path.stat()
        return states


def _identity(state: os.stat_result) -> tuple[int, int]:
    """What a file keeps when it is renamed."""
    return state.st_dev, state.st_ino


async def await_watched(awaitable: Awaitable[_T], watch: DownloadWatch) -> _T:
    """Wait for something that downloads.

    Raises:
        GivenUpError: It does not get on, or is too much; it has been cancelled, and what is too large is gone.
        Exception: What it raised.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        while not (await asyncio.wait({task}, timeout=watch.interval))[0]:
            watch.look()
        watch.look_back()
    except GivenUpError:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        watch.remove_too_large()
        raise
    except asyncio.CancelledError:
        task.cancel()
        raise
    return task.result()
