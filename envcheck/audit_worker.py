"""What a process of an audit does: checks of one source after another, over channels that it loads once.

A job is all that a worker is told, so that it may run anywhere: the source's bytes travel with it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from envcheck import __version__
from envcheck.audit_channels import ABSENT, SILENT, ChannelStates, Place
from envcheck.engines import Engine, Index, LoadOptions, ProgressCallback
from envcheck.engines.shared import KeptIndexes, bare_channels, told_index
from envcheck.errors import ChannelError, EnvcheckError, SourceError
from envcheck.fleet import AuditResult, AuditVerdict, result_of
from envcheck.language import say
from envcheck.model import Channel, EngineInfo, VirtualPackage
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.lookup import IndexUnavailable, Lookup, PackageIndex, Progress, ProjectUnreadable
from envcheck.request import Request

__all__ = ["Done", "Job", "SharedEngine", "failed", "run_job"]

_NOARCH = "noarch"
_ASK_AGAIN_AFTER = 60.0
"""Seconds after which a channel that did not answer is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One check to make.

    ``run`` tells one audit from the next: what a worker has loaded holds for one run. ``engine`` is ``--engine``,
    ``engine_version`` and ``envcheck`` what the result is to be kept under. ``states`` are those of channels that the
    run knows by now.
    """

    run: str
    request: Request = field(repr=False)
    settings: IndexSettings = field(repr=False)
    engine: str
    engine_version: str
    envcheck: str = __version__
    states: tuple[tuple[Place, str | None], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a job: the result, the places it rests on, and what the next job should know of the worker.

    ``reusable`` is false where somebody gave no answer; ``asked_index`` is whether the Python package index was asked;
    ``memory`` is the worker's peak, in bytes.
    """

    result: AuditResult
    places: tuple[tuple[Place, str | None], ...] = field(default=(), repr=False)
    reusable: bool = False
    asked_index: bool = False
    memory: int = 0


class SharedEngine:
    """An `envcheck.engines.Engine` whose indexes are loaded once and shared by the checks of a run.

    Args:
        engine: The engine.
        states: Asked about every place before it is loaded.
    """

    def __init__(self, engine: Engine, states: ChannelStates) -> None:
        self._engine = engine
        self._states = states
        self._indexes = KeptIndexes()
        self._silent: dict[object, tuple[float, ChannelError | None]] = {}
        self.places: dict[Place, str | None] = {}
        """The places that the indexes asked for since this was last emptied rest on."""

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return self._engine.info

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        channel_priority: str = "flexible",
        options: LoadOptions | None = None,
        progress: ProgressCallback | None = None,
    ) -> Index:
        """Load repodata, or give what is loaded; see `envcheck.engines.Engine.load`."""
        for channel in channels:
            self._note(channel, platform)
        bare = bare_channels(channels)
        key = (bare, platform, tuple(virtual_packages), channel_priority, options)
        index, error = self._known(key)
        if error is not None:
            self._settle(bare, platform, allowed=(SILENT, ABSENT))
            raise error
        if index is None:
            try:
                index = self._engine.load(
                    bare,
                    platform,
                    virtual_packages,
                    channel_priority=channel_priority,
                    options=options,
                    progress=progress,
                )
            except ChannelError as silence:
                self._silent[key] = (time.monotonic(), silence)
                self._settle(bare, platform, allowed=(SILENT, ABSENT))
                raise
            self._indexes.keep(key, index)
            if any(status.silent for status in index.statuses):
                self._silent[key] = (time.monotonic(), None)
        for status in index.statuses:
            self._settle([status.channel], platform, allowed=(SILENT,) if status.silent else None)
        return told_index(index, channels)

    def _known(self, key: object) -> tuple[Index | None, ChannelError | None]:
        """What is loaded, or that it gave no answer a moment ago: not every source is to wait for that."""
        since, error = self._silent.get(key, (0.0, None))
        if key in self._silent and time.monotonic() - since > _ASK_AGAIN_AFTER:
            del self._silent[key]
            self._indexes.drop(key)
            error = None
        return self._indexes.find(key), error

    def _settle(self, channels: Sequence[Channel], platform: str, *, allowed: tuple[str, ...] | None) -> None:
        """Take no state for certain that does not go with what loading showed; ``None`` is all but silence."""
        for channel in channels:
            for subdir in (platform, _NOARCH):
                for location in channel.locations:
                    place = Place(location=location, subdir=subdir)
                    state = self.places.get(place)
                    if state is not None and (state == SILENT if allowed is None else state not in allowed):
                        self.places[place] = None

    def _note(self, channel: Channel, platform: str) -> None:
        for subdir in (platform, _NOARCH):
            for location in channel.locations:
                place = Place(location=location, subdir=subdir)
                if place not in self.places:
                    self.places[place] = self._states(place)
                if self.places[place] not in (None, ABSENT, SILENT):
                    break  # the others are asked only where this one has nothing


class _WatchedIndex:
    """A `envcheck.pip.lookup.PackageIndex` that remembers whether it was asked, and whether it answered."""

    def __init__(self, index: PackageIndex) -> None:
        self._index = index
        self.asked = False
        self.silent = False

    def project(self, name: str) -> Lookup:
        return self.projects([name])[name]

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        self.asked = True
        answers = self._index.projects(names, progress=progress)
        self.silent |= any(isinstance(one, IndexUnavailable | ProjectUnreadable) for one in answers.values())
        return answers

    def close(self) -> None:
        self._index.close()


class _Worker:
    """The services of one run in this process."""

    def __init__(self, job: Job) -> None:
        from envcheck.surroundings import open_services

        configuration = job.request.configuration
        offline = job.request.offline or configuration.offline
        services = open_services(
            job.settings,
            engine=job.engine,
            offline=offline,
            cache_dir=job.request.cache_directory,
            exclude_newer=job.request.exclude_newer,
        )
        self.states = ChannelStates(
            offline=offline, verify_tls=configuration.ssl_verify, proxies=configuration.proxy_servers
        )
        self._engine = SharedEngine(services.engine, self.states)
        self._index = _WatchedIndex(services.package_index)
        self._services = replace(services, engine=self._engine, package_index=self._index)

    def close(self) -> None:
        self._services.package_index.close()

    def check(self, job: Job) -> Done:
        from envcheck.pipeline import check
        from envcheck.reports.text import account

        info = self._engine.info
        if (f"{info.name} {info.version}", __version__) != (job.engine_version, job.envcheck):
            here, there = (
                f"envcheck {__version__} with {info.name} {info.version}",
                job.engine_version,
            )
            reason = say(
                "the worker has {here}, and not envcheck {envcheck} with {there}",
                here=here,
                envcheck=job.envcheck,
                there=there,
            )
            return Done(result=failed(job, reason))
        self.states.learn(job.states)
        self._engine.places.clear()
        self._index.asked = self._index.silent = False
        started = time.perf_counter()
        try:
            report = check(job.request, self._services)
        except SourceError as error:
            result = _without_verdict(job, AuditVerdict.UNREADABLE, _words(error))
            return Done(result=replace(result, seconds=time.perf_counter() - started), reusable=True)
        seconds = time.perf_counter() - started
        result = result_of(job.request.path, report, account(report, None).sentence, seconds=seconds)
        pip = report.pip_resolution
        places = tuple(self._engine.places.items())
        # Without a plan there is nothing that pip could be resolved beside: that is no failure of anybody's.
        troubled = pip is not None and bool(pip.trouble) and report.plan.solved and job.request.check_pip
        return Done(
            result=result,
            places=places,
            reusable=report.complete
            and not self._index.silent
            and not troubled
            and all(state is not None for _, state in places),
            asked_index=job.request.check_pip and (self._index.asked or pip is not None),
        )


_LOCK = threading.Lock()
_WORKERS: dict[str, _Worker] = {}


def run_job(job: Job) -> Done:
    """Make one check; whatever goes wrong becomes a result.

    A process makes one check at a time, however many threads ask for one: they would only wait for each other.
    """
    with _LOCK:
        try:
            done = _worker(job).check(job)
        except EnvcheckError as error:
            done = Done(result=failed(job, _words(error)))
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001  # also what a library in Rust raises when it panics
            done = Done(
                result=failed(
                    job,
                    say(
                        "envcheck has a bug ({error}{where})",
                        error=_first_words(error),
                        where=_where(error),
                    ),
                )
            )
        return replace(done, memory=_peak_memory())


def failed(job: Job, reason: str) -> AuditResult:
    """The result of a job that could not be done."""
    return _without_verdict(job, AuditVerdict.FAILED, reason)


def _without_verdict(job: Job, verdict: AuditVerdict, reason: str) -> AuditResult:
    request = job.request
    return AuditResult(
        path=request.path,
        platform=request.platform,
        verdict=verdict,
        trouble=reason,
        complete=verdict is AuditVerdict.UNREADABLE,
    )


def _worker(job: Job) -> _Worker:
    worker = _WORKERS.get(job.run)
    if worker is None:
        for old in _WORKERS.values():
            old.close()
        _WORKERS.clear()
        worker = _WORKERS[job.run] = _Worker(job)
    return worker


def _words(error: EnvcheckError) -> str:
    from envcheck.secrets import mask

    where = "" if error.line is None else say("line {line}: ", line=error.line)
    return mask(where + error.message)


def _first_words(error: BaseException) -> str:
    from envcheck.secrets import mask

    lines = str(error).strip().splitlines()
    return mask(f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__)


def _where(error: BaseException) -> str:
    """The line of code that raised an exception, for the report of a bug."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _peak_memory() -> int:
    """The most memory that this process has had so far, in bytes; 0 where the system does not tell."""
    if sys.platform == "linux":
        # What `getrusage` tells there begins with the memory of the process that started this one.
        try:
            lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
