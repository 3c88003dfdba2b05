"""Where the time of a check goes: its stages wrapped from outside, each charged only with what it does itself."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import envcheck.pipeline
import envcheck.plan
from envcheck.clauses import Clauses
from envcheck.engines import Engine, Index, LoadOptions, ProgressCallback
from envcheck.model import Channel, ChannelStatus, EngineInfo, Outcome, Record, VirtualPackage
from envcheck.universe import Universe
from envcheck.world import LoadedWorld

PHASES = (
    *("loading", "survey", "package index", "provenance", "intent", "encoding: universe", "encoding: clauses"),
    *("MaxSAT", "the best of equal optima", "engine's solves", "explanations", "the rest"),
)
"""In the order of a check; the rest is reading, normalizing, wishes, the judge of solutions and the findings."""

_WRAPPED: tuple[tuple[str, Any, str], ...] = (
    ("survey", envcheck.pipeline, "survey"),
    ("package index", LoadedWorld, "on_package_index"),
    ("provenance", envcheck.pipeline, "trace"),
    ("intent", envcheck.pipeline, "infer_intent"),
    ("encoding: universe", Universe, "__init__"),
    ("encoding: clauses", Clauses, "__init__"),
    ("MaxSAT", Clauses, "optimum"),
    ("the best of equal optima", Clauses, "refined"),
    ("explanations", envcheck.plan, "account_for"),
)


class Clock:
    """Seconds and calls by phase; a phase within another one is not charged to that one too."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charge what happens within to a phase."""
        self._charge()
        self._open.append(name)
        self.calls[name] += 1
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


@contextmanager
def measured(clock: Clock) -> Iterator[None]:
    """Charge the stages of every check within to their phases; the engine's are those of a `MeasuredEngine`."""
    originals = [(owner, name, getattr(owner, name)) for _, owner, name in _WRAPPED]
    for (phase, owner, name), (_, _, original) in zip(_WRAPPED, originals, strict=True):
        setattr(owner, name, _charged(clock, phase, original))
    try:
        with clock.phase("the rest"):
            yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _charged(clock: Clock, phase: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        with clock.phase(phase):
            return original(*arguments, **options)

    return wrapper


class MeasuredEngine:
    """An engine whose loads and solves are charged to their phases."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @property
    def info(self) -> EngineInfo:
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
        with self._clock.phase("loading"):
            index = self._engine.load(
                channels,
                platform,
                virtual_packages,
                channel_priority=channel_priority,
                options=options,
                progress=progress,
            )
        return _MeasuredIndex(index, self._clock)


class _MeasuredIndex:
    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self.names = index.names
        self.records = index.records
        self.matching = index.matching
        self.builds = index.builds
        self.prefetch = index.prefetch

    @property
    def platform(self) -> str:
        return self._index.platform

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        return self._index.statuses

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
        any_will_do: bool = False,
    ) -> Outcome:
        with self._clock.phase("engine's solves"):
            return self._index.solve(
                specs, preferred=preferred, constraints=constraints, timeout=timeout, any_will_do=any_will_do
            )

    def solve_each(self, specs: Sequence[str], *, timeout: float | None = None) -> tuple[Outcome, ...]:
        with self._clock.phase("engine's solves"):
            return self._index.solve_each(specs, timeout=timeout)
