"""Many sources at once: what is known from earlier runs is reused, the rest is checked side by side.

Results come in the order of completion. Only as many sources as can be worked on are in memory at a time; of one that
is done no more is kept than its `envcheck.fleet.AuditResult`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from envcheck import __version__
from envcheck.audit_channels import ChannelStates, Place
from envcheck.audit_store import Kept, Store
from envcheck.audit_work import WorkerDiedError, Workers
from envcheck.audit_worker import Done, Job, failed
from envcheck.errors import SourceError
from envcheck.fleet import AuditResult, AuditVerdict
from envcheck.language import say
from envcheck.request import Request

if TYPE_CHECKING:
    from envcheck.audit_sources import Found

__all__ = ["INDEX_ANSWERS_LAST", "Audit", "Plan", "result_key"]

INDEX_ANSWERS_LAST = 24 * 60 * 60.0
"""Seconds for which a result that rests on the Python package index is reused: the index has no state to compare."""

_ATTEMPTS = 2
#: Fields of a request that say where something is and not what is asked.
_NO_PART_OF_THE_QUESTION = frozenset({"path", "data", "cache_directory", "record_directory", "select", "ignore"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an audit does, the same for every source.

    ``job`` has everything but path, data and platform; ``virtual_packages`` are those that a platform has besides,
    where they are not those of the job. ``versions`` are those of whatever decides about results. ``now`` is in seconds
    since 1970; ``fresh`` is whether to check what is known, too. ``locations`` are channel addresses with credentials
    by what they are without.
    """

    job: Job
    platforms: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    now: float
    fresh: bool = False
    locations: Mapping[str, str] = field(default_factory=dict, repr=False)
    virtual_packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Task:
    """A check to make for one source, and for those that have the same content and name."""

    source: Found
    job: Job
    key: str
    attempt: int = 1


class Audit:
    """One run over a fleet.

    Args:
        plan: What is asked of each source.
        read: Gives a source's bytes.
        workers: Who makes the checks.
        states: The states of channels, each asked once.
        store: What is known from earlier runs.
    """

    def __init__(
        self, plan: Plan, *, read: Callable[[Found], bytes], workers: Workers, states: ChannelStates, store: Store
    ) -> None:
        self._plan = plan
        self._read = read
        self._workers = workers
        self._states = states
        self._store = store
        self._running: dict[Future[Done], _Task] = {}
        self._alike: dict[str, list[Found]] = {}
        self._finished: dict[str, AuditResult] = {}
        self._again: deque[_Task] = deque()

    def run(self, sources: Iterable[Found]) -> Iterator[AuditResult]:
        """Check sources for every platform; each pair gives one result, whatever happens.

        Args:
            sources: The sources; the next one is read when there is somebody to check it.
        """
        pairs = ((source, platform) for source in sources for platform in self._plan.platforms)
        more = True
        while more or self._running or self._again:
            while (more or self._again) and len(self._running) < self._workers.places:
                if self._again:
                    self._start(self._again.popleft())
                    continue
                pair = next(pairs, None)
                more = pair is not None
                if pair is not None:
                    result = self._begin(*pair)
                    if result is not None:
                        yield result
            if self._running:
                done, _ = wait(self._running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from self._end(self._running.pop(future), future)

    def _begin(self, source: Found, platform: str) -> AuditResult | None:
        """The result of a source, if it is known by now; otherwise its check is handed out."""
        request = self._plan.job.request
        besides = self._plan.virtual_packages.get(platform, request.virtual_packages)
        request = replace(request, platform=platform, virtual_packages=besides)
        try:
            data = self._read(source)
        except SourceError as error:
            verdict = AuditVerdict.UNREADABLE
            return AuditResult(path=source.shown, platform=platform, verdict=verdict, trouble=error.message)
        # What a file is called counts, where it lies does not.
        request = replace(request, path=PurePath(source.path).name, data=data)
        job = replace(self._plan.job, request=request, states=self._states.all())
        key = result_key(job, self._plan.versions)
        if key in self._finished:
            return replace(self._finished[key], path=source.shown, reused=True)
        if key in self._alike:
            self._alike[key].append(source)
            return None
        known = None if self._plan.fresh else self._known(key)
        if known is not None:
            self._finished[key] = known
            return replace(known, path=source.shown)
        self._start(_Task(source, job, key))
        return None

    def _known(self, key: str) -> AuditResult | None:
        """What an earlier run found, if everything that it rests on is as it was."""
        kept = self._store.get(key)
        if kept is None or (kept.asked_index and not 0 <= self._plan.now - kept.stored < INDEX_ANSWERS_LAST):
            return None
        if any(self._states(self._located(place)) != state for place, state in kept.places):
            return None
        return replace(kept.result, reused=True)

    def _located(self, place: Place) -> Place:
        """A place with the credentials that the user's configuration has for it."""
        for public, location in self._plan.locations.items():
            if place.location == public or place.location.startswith(f"{public}/"):
                return replace(place, location=location + place.location[len(public) :])
        return place

    def _start(self, task: _Task) -> None:
        self._alike.setdefault(task.key, [])
        try:
            future = self._workers.submit(task.job, key=task.key)
        except Exception as error:  # noqa: BLE001  # a source that cannot be handed out is told, and the next one tried
            future = Future()
            future.set_exception(error)
        self._running[future] = task

    def _end(self, task: _Task, future: Future[Done]) -> Iterator[AuditResult]:
        try:
            done = future.result()
        except WorkerDiedError as error:
            if task.attempt < _ATTEMPTS:
                self._again.append(_Task(task.source, task.job, task.key, task.attempt + 1))
                return
            done = Done(
                result=failed(
                    task.job, say("its process died {count} times: {error}", count=_ATTEMPTS, error=str(error))
                )
            )
        except Exception as error:  # noqa: BLE001  # whatever kept a worker from answering is this source's result
            done = Done(result=failed(task.job, _words(error)))
        self._keep(task.key, done)
        yield replace(done.result, path=task.source.shown)
        for source in self._alike.pop(task.key, ()):
            yield replace(done.result, path=source.shown, reused=True)

    def _keep(self, key: str, done: Done) -> None:
        self._states.learn(done.places)
        self._finished[key] = done.result
        places = tuple((place, state) for place, state in done.places if state is not None)
        if done.reusable and len(places) == len(done.places):
            # The path is that of whoever asks.
            result = replace(done.result, path="")
            kept = Kept(result=result, places=places, asked_index=done.asked_index, stored=self._plan.now)
            self._store.put(key, kept)


def result_key(job: Job, versions: Sequence[tuple[str, str]]) -> str:
    """What a result is kept under: everything that decides about it but the state of channels and of the package index.

    Args:
        job: The check.
        versions: Of the libraries that decide about results.
    """
    request = job.request
    question = {one.name: getattr(request, one.name) for one in dataclasses.fields(Request)}
    document = {
        "name": request.path,
        "data": hashlib.sha256(request.data).hexdigest(),
        "request": {name: value for name, value in question.items() if name not in _NO_PART_OF_THE_QUESTION},
        "index": job.settings if request.check_pip else None,
        "engine": job.engine_version,
        "envcheck": __version__,
        "versions": versions,
    }
    text = json.dumps(document, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not the representation, which keeps credentials to itself: they decide what a channel shows.
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    return str(value)


def _words(error: BaseException) -> str:
    from envcheck.secrets import mask

    lines = str(error).strip().splitlines()
    return mask(
        say(
            "no worker could check it ({name}{detail})",
            name=type(error).__name__,
            detail=": " + lines[0][:200] if lines else "",
        )
    )
