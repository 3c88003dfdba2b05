"""Who makes the checks of an audit: processes on this machine, of which each can die without harm to the others."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from typing import NoReturn, Protocol

from envcheck.audit_worker import Done, Job, run_job
from envcheck.cores import available_cores, use_cores
from envcheck.language import say

__all__ = ["LocalWorkers", "WorkerDiedError", "Workers"]

# A process that has come to need more is replaced when its check is done: engines keep what they have read.
_MOST_MEMORY = 2 * 1024**3
# Less than this is needed by a single check of a large environment.
_LEAST_MEMORY = 1024**3
# And so is one that made this many checks, wherever memory cannot be asked for.
_MOST_JOBS = 400
_GRACE_SECONDS = 3.0


class WorkerDiedError(Exception):
    """The process that made a check ended before it was done."""


class Workers(Protocol):
    """Whoever makes checks."""

    @property
    def places(self) -> int:
        """How many checks to hand out at a time."""
        ...

    def submit(self, job: Job, *, key: str) -> Future[Done]:
        """Hand a check out; ``key`` is what it may be called, free of secrets.

        The future may raise `WorkerDiedError`, and anything else that keeps a check from being made.
        """
        ...

    def stop(self) -> None:
        """End everything at once; what is not done is given up."""
        ...


@dataclass(slots=True)
class _Slot:
    """One process with the executor that keeps it; there is none before its first job and after its death."""

    executor: Executor | None = None
    processes: tuple[BaseProcess, ...] = ()
    busy: bool = False
    jobs: int = 0
    memory: int = 0


class LocalWorkers:
    """Processes on this machine, one check in each at a time.

    Each has a `ProcessPoolExecutor` of its own: one that dies breaks no other's, it is known which check it died of,
    and one that has grown can be replaced while the others go on. They are started afresh and not forked, for the
    engines have threads.

    Args:
        count: How many.
        executor: Makes the executor of one process.
        most_memory: Bytes after which a process is replaced; by default two gigabytes, less on a small machine.
        most_jobs: Checks after which a process is replaced.
    """

    def __init__(
        self,
        count: int,
        *,
        executor: Callable[[], Executor] | None = None,
        most_memory: int | None = None,
        most_jobs: int = _MOST_JOBS,
    ) -> None:
        self._executor = executor or partial(_new_executor, available_cores() // count)
        self._slots = [_Slot() for _ in range(count)]
        self._most_memory = most_memory or _share_of_memory(count)
        self._most_jobs = most_jobs

    @property
    def places(self) -> int:
        """As many as there are processes."""
        return len(self._slots)

    def submit(self, job: Job, *, key: str) -> Future[Done]:  # noqa: ARG002  # a cluster's tasks have names
        """Hand a check to a free process; see `Workers.submit`."""
        slot = next(slot for slot in self._slots if not slot.busy)
        answer: Future[Done] = Future()
        slot.busy = True
        try:
            self._start(slot, job).add_done_callback(lambda future: _finish(slot, future, answer))
        except BaseException:
            slot.busy = False
            raise
        return answer

    def _start(self, slot: _Slot, job: Job) -> Future[Done]:
        if slot.memory > self._most_memory or slot.jobs >= self._most_jobs:
            _retire(slot)
        if slot.executor is not None:
            with contextlib.suppress(BrokenExecutor):  # it died while it had nothing to do
                slot.jobs += 1
                return slot.executor.submit(run_job, job)
            _retire(slot)
        before = set(multiprocessing.active_children())
        slot.executor = self._executor()
        future = slot.executor.submit(run_job, job)
        slot.jobs = 1
        slot.processes = tuple(child for child in multiprocessing.active_children() if child not in before)
        return future

    def stop(self) -> None:
        """End every process, and what it has begun, at once."""
        for slot in self._slots:
            for process in slot.processes:
                process.terminate()
            if slot.executor is not None:
                slot.executor.shutdown(wait=False, cancel_futures=True)
        for slot in self._slots:
            for process in slot.processes:
                process.join(_GRACE_SECONDS)
                if process.is_alive():
                    process.kill()
            slot.processes = ()
            slot.executor = None


def _finish(slot: _Slot, future: Future[Done], answer: Future[Done]) -> None:
    """Free the process and pass on what it gave."""
    error = future.exception() if not future.cancelled() else WorkerDiedError(say("it was given up"))
    if error is None:
        slot.memory = future.result().memory
    elif isinstance(error, BrokenExecutor):
        error = WorkerDiedError(_how_it_died(slot.processes))
        _retire(slot)
    slot.busy = False
    if error is None:
        answer.set_result(future.result())
    else:
        answer.set_exception(error)


def _retire(slot: _Slot) -> None:
    if slot.executor is not None:
        slot.executor.shutdown(wait=False)
    slot.executor, slot.processes, slot.jobs, slot.memory = None, (), 0, 0


def _how_it_died(processes: tuple[BaseProcess, ...]) -> str:
    for process in processes:
        process.join(_GRACE_SECONDS)
        code = process.exitcode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
                hint = say(", as the system does when memory runs out") if name == "SIGKILL" else ""
                return say("it was ended by {name}{hint}", name=name, hint=hint)
        if code:
            return say("it ended with status {code}", code=code)
    return say("it ended by itself")


def _share_of_memory(count: int) -> int:
    """How much each of some processes may need: half of the machine's memory is for all of them."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return _MOST_MEMORY
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, total // 2 // count))


def _new_executor(cores: int) -> Executor:
    return ProcessPoolExecutor(
        max_workers=1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
        initargs=(cores,),
    )


def _begin_worker(cores: int) -> None:
    """What a new process does first."""
    use_cores(cores)
    # Ctrl-C reaches every process of a terminal; this one is ended by the one that started it, and with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # An interpreter that shuts down under an engine's threads may crash (`envcheck.cli`).
    atexit.register(os._exit, 0)


def _stop(number: int, _: object) -> NoReturn:
    """Turn a signal into an exception, so that whatever is half-done is cleaned up on the way out."""
    # A terminal's signal comes to this process and from the one that started it: the second finds it on its way out.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
