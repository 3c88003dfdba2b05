"""The engine of a plain ``pip install``: py-rattler, with its gateway, its repodata cache and its resolvo solver."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import rattler
from rattler import (
    BuildString,
    ChannelPriority,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    Version,
    VersionSpec,
    solve,
)
from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError

from envcheck.cores import own_cores
from envcheck.engines import Index, LoadOptions, ProgressCallback
from envcheck.engines.damage import answer_despite_damage, refuse_less
from envcheck.engines.nothing_loaded import nothing_loaded
from envcheck.engines.rattler_loading import NOARCH, LoadedChannel, Loader
from envcheck.engines.rattler_network import Network
from envcheck.engines.rattler_reading import RecordReader
from envcheck.engines.rattler_stored import Pins
from envcheck.engines.record_store import StoreDamagedError
from envcheck.engines.record_stores import RecordStores
from envcheck.engines.solve_memory import SolveMemory
from envcheck.errors import EngineError
from envcheck.language import say
from envcheck.model import (
    Channel,
    ChannelStatus,
    EngineInfo,
    Outcome,
    Record,
    Solved,
    Unsolved,
    VirtualPackage,
)
from envcheck.secrets import mask
from envcheck.specs import dependency_parts, match_spec

if TYPE_CHECKING:
    from rattler import RepoDataRecord

__all__ = ["RattlerEngine"]

_T = TypeVar("_T")

# The search for packages of a lower channel that a higher one has too: how often it is repeated after it moved some,
# and how many solves it may cost in all.
_CHANNEL_ROUNDS = 2
_CHANNEL_SOLVES = 8


# How many solves run at once, where there are as many cores: each has its own records in memory.
_SIDE_BY_SIDE = 8

_VERSION = attrgetter("version")
# A MatchSpec that speaks of nothing but a version: a third word, or what follows a second ``=``, would be a build.
_CLAUSE = r"\(*(?:[<>!~=]=?)?[^\s=<>!~,|\[\]]+"
_NAME_AND_VERSION = re.compile(rf"[\w.-]+(?: +{_CLAUSE}(?:[,|]{_CLAUSE})*)?", re.ASCII)
# And one that speaks of a version and a build, each a word of its own.
_NAME_VERSION_AND_BUILD = re.compile(rf"([\w.-]+ +{_CLAUSE}(?:[,|]{_CLAUSE})*) +((?:\*(?!\*)|[\w.+!-])+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What a solver is asked; see `envcheck.engines.Index.solve`.

    ``only`` are versions and builds that the constraints leave of some names: the others need not even be read.
    """

    specs: Sequence[str]
    preferred: Sequence[Record]
    constraints: Sequence[str]
    timeout: float | None
    only: Pins | None = None

    def pins(self) -> Pins:
        """The version and build of each preferred name, if one record is told for it."""
        counts = Counter(record.name for record in self.preferred)
        return {one.name: (one.version, one.build) for one in self.preferred if counts[one.name] == 1}

    def holding(self, pins: Pins) -> _Question:
        """The same, where these names may come as nothing else."""
        held = [f"{name} =={version} {build}" for name, (version, build) in pins.items()]
        return replace(self, constraints=[*self.constraints, *held])


class RattlerEngine:
    """The `envcheck.engines.Engine` over py-rattler.

    Args:
        stores: The record stores for some options.
    """

    def __init__(self, stores: Callable[[LoadOptions], RecordStores] = RecordStores) -> None:
        self._stores = stores
        self._networks: dict[LoadOptions, Network] = {}

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return EngineInfo(name="rattler", version=rattler.__version__)

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
        """Load repodata of every channel; see `envcheck.engines.Engine.load`."""
        options = options or LoadOptions()
        loop = asyncio.new_event_loop()
        network = self._networks.get(options)
        if network is None:
            network = self._networks[options] = Network(options, self._stores(options))
        loader = Loader(network, platform, options, progress, steps=len(channels))

        loaded = loop.run_until_complete(loader.load_all(channels))
        if channels and not any(one.subdirs for one in loaded):
            loop.close()
            raise nothing_loaded(platform, [one.status for one in loaded])

        def reload() -> tuple[Sequence[LoadedChannel], asyncio.AbstractEventLoop]:
            network.stores.discard()
            another = asyncio.new_event_loop()
            try:
                again = another.run_until_complete(loader.load_all(channels))
                refuse_less([one.status for one in loaded], [one.status for one in again])
            except BaseException:
                another.close()
                raise
            return again, another

        return _RattlerIndex(
            platform=platform,
            loaded=loaded,
            reload=reload,
            virtual_packages=virtual_packages,
            channel_priority=channel_priority,
            exclude_newer=options.exclude_newer,
            loop=loop,
        )


class _RattlerIndex:
    """The `envcheck.engines.Index` over loaded gateways."""

    def __init__(
        self,
        *,
        platform: str,
        loaded: Sequence[LoadedChannel],
        reload: Callable[[], tuple[Sequence[LoadedChannel], asyncio.AbstractEventLoop]],
        virtual_packages: Sequence[VirtualPackage],
        channel_priority: str,
        exclude_newer: int | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._platform = platform
        self._reload = reload
        self._virtual_packages = [
            GenericVirtualPackage(PackageName(package.name), Version(package.version), BuildString(package.build))
            for package in virtual_packages
        ]
        self._channel_priority = channel_priority
        self._exclude_newer = exclude_newer
        self._use(loaded, loop)

    def _use(self, loaded: Sequence[LoadedChannel], loop: asyncio.AbstractEventLoop) -> None:
        """Answer from these channels, and forget what was answered before."""
        self._statuses = tuple(one.status for one in loaded)
        self._usable = [one for one in loaded if one.subdirs]
        self._names = frozenset().union(*(one.names for one in self._usable))
        self._reader = RecordReader(self._usable, self._exclude_newer, loop)
        self._matching: dict[str, tuple[Record, ...]] = {}
        self._outcomes = SolveMemory()
        self._versions: dict[str, list[tuple[Version, tuple[Record, ...]]]] = {}

    def _despite_damage(self, ask: Callable[[], _T]) -> _T:
        """An answer; where a store turns out to be damaged, one from the repodata itself."""
        return answer_despite_damage(ask, lambda: self._use(*self._reload()))

    @property
    def platform(self) -> str:
        return self._platform

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        return self._statuses

    def names(self) -> frozenset[str]:
        return self._names

    def records(self, name: str) -> tuple[Record, ...]:
        if name not in self._names:
            return ()
        return self._despite_damage(lambda: self._reader.records(name))

    def prefetch(self, names: Iterable[str]) -> None:
        self._reader.start(name for name in names if name in self._names)

    def builds(self, wanted: Iterable[tuple[str, str, str]]) -> tuple[Record, ...]:
        rows = [row for row in wanted if row[0] in self._names]
        return self._despite_damage(lambda: self._reader.builds(rows))

    def matching(self, spec: str) -> tuple[Record, ...]:
        known = self._matching.get(spec)
        if known is None:
            parsed, channel = self._match_spec(spec)
            known = self._despite_damage(lambda: self._matched(spec.rpartition("::")[2], parsed))
            if channel is not None:
                known = tuple(record for record in known if record.channel == channel)
            self._matching[spec] = known
        return known

    def _matched(self, text: str, parsed: MatchSpec) -> tuple[Record, ...]:
        """The records that a MatchSpec matches.

        Of one that asks for a version alone each version is asked once; of one that asks for a build, too, each build
        of the versions that fit. A version is an object of rattler's already, a record would have to be made one.
        """
        name = parsed.name.normalized
        if (with_build := _NAME_VERSION_AND_BUILD.fullmatch(text)) is not None:
            fitting = self.matching(with_build[1])
            pattern = with_build[2]
            fits = {build for build in {record.build for record in fitting} if _fits(pattern, build)}
            return tuple(record for record in fitting if record.build in fits)
        if _NAME_AND_VERSION.fullmatch(text) is None:
            return tuple(record for record in self.records(name) if parsed.matches(self._reader.comparable(record)))
        if parsed.version is None:
            return self.records(name)
        versions = self._versions.get(name)
        if versions is None:
            # The builds of a version stand together.
            groups = [tuple(group) for _, group in groupby(self.records(name), key=_VERSION)]
            versions = self._versions[name] = [(self._reader.version(group[0]), group) for group in groups]
        matches = VersionSpec(parsed.version).matches
        return tuple(chain.from_iterable([group for version, group in versions if matches(version)]))

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
        any_will_do: bool = False,
    ) -> Outcome:
        question = _Question(
            specs=specs,
            preferred=self._of_asked_channels(specs, preferred),
            constraints=constraints,
            timeout=timeout,
        )
        return self._outcomes.outcome(
            specs,
            question.preferred,
            constraints,
            any_will_do=any_will_do,
            solve=lambda: self._solved(question, any_will_do=any_will_do),
        )

    def solve_each(self, specs: Sequence[str], *, timeout: float | None = None) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        at_once = min(_SIDE_BY_SIDE, own_cores())
        for first in range(0, len(specs), at_once):
            group = specs[first : first + at_once]
            # Under a flexible priority what is there at all is there without any.
            priority = ChannelPriority.Strict if self._channel_priority == "strict" else ChannelPriority.Disabled
            questions = [_Question(specs=[spec], preferred=(), constraints=(), timeout=timeout) for spec in group]
            outcomes += self._solve_all(questions, priority)
        return tuple(outcomes)

    def _solved(self, question: _Question, *, any_will_do: bool) -> Outcome:
        if question.preferred and self._channel_priority != "strict":
            # Where all preferences go together, as those of a plan do, holding them leaves little to search.
            pins = question.pins()
            held = question.holding(pins)
            outcome = self._solve(replace(held, only=pins), ChannelPriority.Disabled)
            if isinstance(outcome, Solved) and any(one.name not in pins for one in outcome.packages):
                # Of what is not held there may be more to choose from than was read.
                outcome = self._solve(held, ChannelPriority.Disabled)
            if isinstance(outcome, Solved):
                if self._channel_priority == "disabled":
                    return outcome
                names = frozenset(record.name for record in question.preferred)
                return self._with_higher_channels(outcome, held, settled=names)
        if any_will_do and self._channel_priority != "strict":
            # What channels of lower priority may supply under a flexible one they may supply under none.
            return self._solve(question, ChannelPriority.Disabled)
        # rattler has no flexible priority. Where the strict reading has a solution it is also a flexible one; only
        # where it has none may a channel of lower priority supply what a higher one has in other versions.
        priorities = {
            "strict": (ChannelPriority.Strict,),
            "flexible": (ChannelPriority.Strict, ChannelPriority.Disabled),
            "disabled": (ChannelPriority.Disabled,),
        }[self._channel_priority]
        outcome = Unsolved(explanation="")
        for priority in priorities:
            outcome = self._solve(question, priority)
            if isinstance(outcome, Solved):
                break
        if self._channel_priority == "flexible" and isinstance(outcome, Solved) and priority is not priorities[0]:
            return self._with_higher_channels(outcome, question)
        return outcome

    def _of_asked_channels(self, specs: Sequence[str], preferred: Sequence[Record]) -> Sequence[Record]:
        """The preferences but for those of another channel than is asked for, which rattler would heed all the same."""
        asked = [self._match_spec(spec) for spec in specs if "::" in spec]
        channels = {spec.name.normalized: channel for spec, channel in asked}
        return [record for record in preferred if channels.get(record.name, record.channel) == record.channel]

    def _with_higher_channels(
        self, solved: Solved, question: _Question, *, settled: frozenset[str] = frozenset()
    ) -> Outcome:
        """Bring packages back to the first channel that has their name, as many as go together.

        Without priority the solver takes the newest version wherever it is. By halving, the names that really need a
        lower channel are found in a few solves. The channel is demanded by specs, since rattler's constraints ignore
        channels; what is in the solution for no other reason is taken out again. Names that are settled stay.
        """
        best = solved
        held: list[str] = []
        left = _CHANNEL_SOLVES

        def hold(wanted: Sequence[str]) -> None:
            nonlocal best, held, left
            if left == 0:
                return
            left -= 1
            asked_more = replace(question, specs=[*question.specs, *held, *wanted])
            outcome = self._solve(asked_more, ChannelPriority.Disabled)
            if isinstance(outcome, Solved):
                best, held = outcome, [*held, *wanted]
            elif len(wanted) > 1:
                middle = len(wanted) // 2
                hold(wanted[:middle])
                hold(wanted[middle:])

        asked: dict[str, list[str]] = {}
        for spec in question.specs:
            asked.setdefault(MatchSpec(spec.rpartition("::")[2], strict=False).name.normalized, []).append(spec)
        for _ in range(_CHANNEL_ROUNDS):
            strays = [
                f"{first}::{record.name}"
                for record in best.packages
                if record.name not in settled
                and (first := self._first_channel(record.name)) != record.channel
                and self._has_all(first, asked.get(record.name, ()))
            ]
            new = [stray for stray in strays if stray not in held]
            before = len(held)
            if new:
                hold(new)
            if len(held) == before:
                break
        return _needed(best, list(asked))

    def _has_all(self, channel: str, specs: Sequence[str]) -> bool:
        """Whether a channel has something for each of some specs, asked one by one."""
        return all(any(record.channel == channel for record in self.matching(spec)) for spec in specs)

    def _first_channel(self, name: str) -> str:
        return next(one.status.channel.url.rstrip("/") for one in self._usable if name in one.names)

    def _solve(self, question: _Question, priority: ChannelPriority) -> Outcome:
        return self._solve_all([question], priority)[0]

    def _solve_all(self, questions: Sequence[_Question], priority: ChannelPriority) -> list[Outcome]:
        """Solve questions that have nothing to do with each other, side by side: rattler leaves Python's lock alone."""

        def solve_all() -> list[Outcome]:
            # Whatever may fail in Python comes first, as a coroutine that nobody waits for is warned about.
            asking = [self._asking(question, priority) for question in questions]
            answers = self._reader.run(_all(asking))
            return [
                self._outcome(question, solution, seconds)
                for question, (solution, seconds) in zip(questions, answers, strict=True)
            ]

        return self._despite_damage(solve_all)

    def _asking(
        self, question: _Question, priority: ChannelPriority
    ) -> Callable[[], Coroutine[Any, Any, Sequence[RepoDataRecord]]]:
        """What puts a question to rattler."""
        names = [self._match_spec(spec)[0].name.normalized for spec in question.specs]
        return functools.partial(
            solve,
            self._reader.sources(names, question.only),
            self._asked(question.specs, priority),
            gateway=self._reader.gateway,
            platforms=[self._platform, NOARCH],  # type: ignore[list-item]
            locked_packages=self._reader.originals(question.preferred),
            virtual_packages=self._virtual_packages,
            timeout=None if question.timeout is None else dt.timedelta(seconds=question.timeout),
            channel_priority=priority,
            exclude_newer=_as_datetime(self._exclude_newer),
            constraints=[self._located(spec) for spec in question.constraints],
            channel_relations="disabled",
        )

    def _outcome(self, question: _Question, answer: Sequence[RepoDataRecord] | Exception, seconds: float) -> Outcome:
        """What an answer of rattler's says."""
        if isinstance(answer, SolverError):
            self._reader.refuse_damaged()
            cancelled = question.timeout is not None and seconds >= question.timeout
            return Unsolved(explanation=self._without_locations(str(answer).strip()), cancelled=cancelled)
        if isinstance(answer, Exception):
            self._reader.refuse_damaged()
            if self._reader.forgo_shards():
                raise StoreDamagedError("shards") from answer
            raise EngineError(
                say("rattler failed while it loaded records"),
                hint=say("Run again; if it persists, clear the repodata cache."),
            ) from answer
        packages = sorted((self._reader.solved(record) for record in answer), key=lambda record: record.name)
        return Solved(packages=tuple(packages))

    def _without_locations(self, text: str) -> str:
        """The solver's words with channels by name: where they really are is nobody's business, tokens least of all."""
        for one in self._usable:
            text = text.replace(one.location, one.status.channel.name)
        return mask(text)

    def _asked(self, specs: Sequence[str], priority: ChannelPriority) -> list[MatchSpec]:
        asked = [self._located(spec) for spec in specs]
        if priority is ChannelPriority.Strict:
            # rattler's gateway hands the solver only those records of a name that some spec allows, so that a channel
            # without such a record would not count as having the name: ask for the bare name as well.
            asked += [MatchSpec(spec.name.normalized) for spec in asked if spec.channel is None]
        return asked

    def _match_spec(self, text: str) -> tuple[MatchSpec, str | None]:
        """A MatchSpec without its channel, and the canonical URL of the channel it named."""
        prefix, separator, bare = text.rpartition("::")
        spec = match_spec(bare)
        if spec is None:
            raise ValueError(f"{bare!r} is no MatchSpec")
        if not separator:
            return spec, None
        one = self._channel_named(prefix)
        return spec, prefix if one is None else one.status.channel.url

    def _channel_named(self, text: str) -> LoadedChannel | None:
        for one in self._usable:
            if text.rstrip("/") in (one.status.channel.name, one.status.channel.url.rstrip("/"), one.location):
                return one
        return None

    def _located(self, text: str) -> MatchSpec:
        """A MatchSpec whose channel, if it names one, is the location that was loaded for it."""
        prefix, separator, bare = text.rpartition("::")
        one = self._channel_named(prefix) if separator else None
        try:
            return MatchSpec(text if one is None else f"{one.location}::{bare}", strict=False)
        except InvalidMatchSpecError as error:
            raise ValueError(str(error)) from error


async def _all(
    asking: Sequence[Callable[[], Coroutine[Any, Any, Sequence[RepoDataRecord]]]],
) -> list[tuple[Sequence[RepoDataRecord] | Exception, float]]:
    """Answers, or what was raised instead of them, and how many seconds each took."""

    async def answer(ask: Callable[[], Coroutine[Any, Any, _T]]) -> tuple[_T | Exception, float]:
        started = time.monotonic()
        try:
            return await ask(), time.monotonic() - started
        except (SolverError, GatewayError) as error:
            return error, time.monotonic() - started

    tasks = [asyncio.ensure_future(answer(ask)) for ask in asking]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _fits(pattern: str, build: str) -> bool:
    """Whether a build is what a pattern says: ``*`` stands for anything, and nothing else is special (CEP 29)."""
    first, *others = pattern.split("*")
    if not others:
        return build == pattern
    *middle, last = others
    if len(build) < len(first) + len(last) or not (build.startswith(first) and build.endswith(last)):
        return False
    place, end = len(first), len(build) - len(last)
    for part in middle:
        found = build.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _needed(solved: Solved, names: Sequence[str]) -> Solved:
    """The packages that names need; taking the others out leaves a solution a solution."""
    by_name = {record.name: record for record in solved.packages}
    pending = [name for name in names if name in by_name]
    needed: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            dependencies = (dependency_parts(text)[0] for text in by_name[name].depends)
            pending += [dependency for dependency in dependencies if dependency in by_name]
    return Solved(packages=tuple(record for record in solved.packages if record.name in needed))


def _as_datetime(milliseconds: int | None) -> dt.datetime | None:
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.timezone.utc)
