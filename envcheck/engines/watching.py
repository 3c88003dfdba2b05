"""Whether downloads still get on, seen from the folder that they go to: no engine can be told when to give up.

rattler and libmamba wait for a server as long as it sends anything at all, and libmamba also for as long as a server
asks it to (``Retry-After``); both keep whatever comes. What they fetch grows in a file of their cache, so that somebody
who looks there sees a download that does not get on, or one that has no end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from envcheck.language import say

__all__ = ["SLOWEST", "DownloadWatch", "GivenUpError", "await_watched"]

SLOWEST = 1000
"""How many bytes a second are a download that gets on."""

_T = TypeVar("_T")


class GivenUpError(Exception):
    """A download was given up; the text says why, in a few words for the user.

    Args:
        message: The text.
        stalled: Whether too little came, rather than too much.
    """

    def __init__(self, message: str, *, stalled: bool) -> None:
        super().__init__(message)
        self.stalled = stalled


class DownloadWatch:
    """Looks at what some folders hold, from now on.

    Args:
        folders: Where downloads go; folders below them are not looked at.
        patience: For how many seconds they may bring less than `SLOWEST` bytes a second.
        largest: How many bytes one file may come to hold.
        now: Seconds of a clock that only goes on.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        patience: float,
        largest: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)
        self._patience = patience
        self._largest = largest
        self._now = now
        self._known = self._sizes()
        self._first = frozenset(self._known)
        self._since = now()
        self._gained = 0

    @property
    def interval(self) -> float:
        """After how many seconds another look is due."""
        return min(1.0, self._patience / 4)

    def look(self) -> None:
        """Look whether anything has come.

        Raises:
            GivenUpError: Too little has, for too long, or more than anybody wants.
        """
        sizes = self._sizes()
        for path, size in sizes.items():
            gained = size - self._known.get(path, 0)
            if gained > 0 and size > self._largest:
                raise GivenUpError(
                    say("what it sends is larger than {size} GB", size=format(self._largest / 1000000000.0, ".3g")),
                    stalled=False,
                )
            self._gained += max(0, gained)
        self._known = sizes
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

    def begun(self, prefix: str) -> list[Path]:
        """The files whose names begin so and that were not there when the watch began."""
        return [path for path in self._sizes() if path.name.startswith(prefix) and path not in self._first]

    def _sizes(self) -> dict[Path, int]:
        sizes: dict[Path, int] = {}
        for folder in self.folders:
            with suppress(OSError):
                for path in folder.iterdir():
                    with suppress(OSError):  # temporary files come and go
                        sizes[path] = path.stat().st_size
        return sizes


async def await_watched(awaitable: Awaitable[_T], watch: DownloadWatch) -> _T:
    """Wait for something that downloads.

    Raises:
        GivenUpError: It does not get on; it has been cancelled.
        Exception: What it raised.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        while not (await asyncio.wait({task}, timeout=watch.interval))[0]:
            watch.look()
    except GivenUpError:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        raise
    except asyncio.CancelledError:
        task.cancel()
        raise
    return task.result()
