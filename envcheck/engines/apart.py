"""Run a function in a forked copy of this process, so that it can be stopped and holds nobody up.

libmamba's functions keep Python's global lock while they download or solve, and offer no way to be stopped: a progress
display would freeze, Ctrl-C would wait, and a timeout could not be kept. A fork shares all that is loaded at no cost,
and it can be killed. Only Linux forks safely with libraries loaded; elsewhere the function runs here, to its end.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from envcheck.engines.watching import DownloadWatch, GivenUpError
from envcheck.errors import EngineError
from envcheck.language import say

__all__ = ["CAN_STOP", "run_apart"]

CAN_STOP = sys.platform == "linux"
"""Whether timeouts are kept here."""

_T = TypeVar("_T")
_CHUNK = 1 << 16


def run_apart(function: Callable[[], _T], *, timeout: float | None = None, watch: DownloadWatch | None = None) -> _T:
    """Call a function in a forked process and give what it returns, which has to be picklable and plain.

    Args:
        function: What to call; what it changes in memory is lost.
        timeout: Seconds after which to give up; not kept where a process cannot be forked.
        watch: Looks from time to time whether what the function downloads gets on; not where a process cannot be
            forked.

    Raises:
        TimeoutError: The time is over; the copy has been killed.
        GivenUpError: The watch gave up; the copy has been killed, and what it had begun to write in the watched folders
            is gone.
        EngineError: The copy died.
        Exception: What the function raised.
    """
    if sys.platform != "linux":  # spelled out, so that mypy knows which functions there are
        return function()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # From Python 3.12 on a fork beside other threads warns, as a lock may be held in one of them; all that the copy
        # does is to call into a library that none of our threads is in, and to write to a pipe.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            process = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            return function()
    if process == 0:
        _answer(function, writing)
    os.close(writing)
    refused: DownloadWatch | None = None
    begun: list[Path] = []
    try:
        answer = _read(reading, timeout, watch)
        if watch is not None:
            watch.look_back()
    except GivenUpError:
        if watch is not None:
            refused, begun = watch, _written_by(process, watch)
        raise
    finally:
        os.close(reading)
        # One that has answered is about to end by itself, and killing it then does no harm.
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        if refused is not None:
            # Only now that it is dead: what was whole may have got its last name in the meantime.
            for path in (*begun, *refused.begun("mambaf")):
                path.unlink(missing_ok=True)
            refused.remove_too_large()
    if not answer:
        raise EngineError(
            say("the engine's process died"), hint=say("Run again; if it persists, use --engine rattler.")
        )
    succeeded, value = pickle.loads(answer)  # noqa: S301  # our own copy wrote it
    if not succeeded:
        raise value
    result: _T = value
    return result


def _answer(function: Callable[[], object], writing: int) -> None:
    """What the copy does: call, write the answer, and end without any of the parent's clean-up."""
    try:
        try:
            answer = (True, function())
        except Exception as error:  # noqa: BLE001  # raised again in the parent
            answer = (False, error)
        content = memoryview(pickle.dumps(answer))
        while content:
            content = content[os.write(writing, content) :]
    finally:
        os._exit(0)


def _written_by(process: int, watch: DownloadWatch) -> list[Path]:
    """The files that a process has open in the watched folders (proc(5))."""
    found = []
    with suppress(OSError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                path = link.readlink()
                if path.parent in watch.folders:
                    found.append(path)
    return found


def _read(reading: int, timeout: float | None, watch: DownloadWatch | None) -> bytes:
    """Everything that comes out of the pipe until its other end is closed."""
    end = None if timeout is None else time.monotonic() + timeout
    parts: list[bytes] = []
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        if watch is not None:
            left = watch.interval if left is None else min(left, watch.interval)
        readable, _, _ = select.select([reading], [], [], left)
        if not readable:
            if end is not None and time.monotonic() >= end:
                raise TimeoutError
            if watch is not None:
                watch.look()
            continue
        part = os.read(reading, _CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)
