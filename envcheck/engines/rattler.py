"""The engine of a plain ``pip install``: py-rattler, with its gateway, its repodata cache and its resolvo solver."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import time
import weakref
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from importlib.metadata import version as distribution_version
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from rattler import (
    BuildString,
    ChannelPriority,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    Version,
    VersionWithSource,
    solve,
)
from rattler import Channel as RattlerChannel
from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError

from envcheck.engines import Index, LoadOptions, ProgressCallback
from envcheck.engines.rattler_loading import NOARCH, LoadedChannel, Loader, Network, PlatformOnlySource
from envcheck.errors import ChannelError, EngineError
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
from envcheck.specs import dependency_parts

if TYPE_CHECKING:
    from rattler import RepoDataRecord

__all__ = ["RattlerEngine"]

# The search for packages of a lower channel that a higher one has too: how often it is repeated after it moved some,
# and how many solves it may cost in all.
_CHANNEL_ROUNDS = 2
_CHANNEL_SOLVES = 8

_T = TypeVar("_T")


_VERSION = attrgetter("version")
# A MatchSpec that speaks of nothing but a version: a third word, or what follows a second ``=``, would be a build.
_CLAUSE = r"\(*(?:[<>!~=]=?)?[^\s=<>!~,|\[\]]+"
_NAME_AND_VERSION = re.compile(rf"[\w.-]+(?: +{_CLAUSE}(?:[,|]{_CLAUSE})*)?", re.ASCII)


class RattlerEngine:
    """The `envcheck.engines.Engine` over py-rattler."""

    def __init__(self) -> None:
        self._networks: dict[LoadOptions, Network] = {}

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return EngineInfo(name="rattler", version=distribution_version("py-rattler"))

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
            network = self._networks[options] = Network(options)
        loader = Loader(network, platform, options, progress, steps=len(channels))

        async def load_all() -> list[LoadedChannel]:
            return await asyncio.gather(*(loader.load(channel) for channel in channels))

        loaded = loop.run_until_complete(load_all())
        if channels and not any(one.subdirs for one in loaded):
            reasons = "; ".join(f"{one.status.channel.name}: {one.status.detail}" for one in loaded)
            loop.close()
            raise ChannelError(
                f"no channel could be loaded for {platform}: {reasons}",
                hint="Check the channel's address and your network; name another one with "
                "-c CHANNEL --override-channels, or a local copy with -c file:///path/to/channel.",
            )
        return _RattlerIndex(
            platform=platform,
            loaded=loaded,
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
        virtual_packages: Sequence[VirtualPackage],
        channel_priority: str,
        exclude_newer: int | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._platform = platform
        self._statuses = tuple(one.status for one in loaded)
        self._usable = [one for one in loaded if one.subdirs]
        self._names = frozenset().union(*(one.names for one in self._usable))
        self._virtual_packages = [
            GenericVirtualPackage(PackageName(package.name), Version(package.version), BuildString(package.build))
            for package in virtual_packages
        ]
        self._channel_priority = channel_priority
        self._exclude_newer = exclude_newer
        self._loop = loop
        weakref.finalize(self, loop.close)
        self._sources = [self._source(one) for one in self._usable]
        self._by_location = {RattlerChannel(one.location).base_url: one for one in self._usable}
        self._records: dict[str, tuple[Record, ...]] = {}
        self._matching: dict[str, tuple[Record, ...]] = {}
        self._originals: dict[str, RepoDataRecord] = {}
        self._converted: dict[str, Record] = {}
        self._versions: dict[str, list[tuple[RepoDataRecord, tuple[Record, ...]]]] = {}

    @property
    def platform(self) -> str:
        return self._platform

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        return self._statuses

    def names(self) -> frozenset[str]:
        return self._names

    def records(self, name: str) -> tuple[Record, ...]:
        known = self._records.get(name)
        if known is None:
            if name not in self._names:
                return ()
            self._query([name])
            known = self._records[name]
        return known

    def prefetch(self, names: Iterable[str]) -> None:
        unknown = [name for name in dict.fromkeys(names) if name not in self._records and name in self._names]
        if unknown:
            self._query(unknown)

    def builds(self, wanted: Iterable[tuple[str, str, str]]) -> tuple[Record, ...]:
        specs: list[tuple[str, MatchSpec]] = []
        for name, version, build in wanted:
            if name in self._names:
                with contextlib.suppress(InvalidMatchSpecError):  # a row of a listing may hold anything
                    specs.append((name, MatchSpec(f"{name} =={version} {build}", strict=False)))
        asked = [(one, [spec for name, spec in specs if name in one.names]) for one in self._usable]
        return tuple(
            self._convert(original, one)
            for one, originals in self._ask([(one, wanted) for one, wanted in asked if wanted])
            for original in originals
        )

    def matching(self, spec: str) -> tuple[Record, ...]:
        known = self._matching.get(spec)
        if known is None:
            match_spec, channel = self._match_spec(spec)
            known = self._matched(spec.rpartition("::")[2], match_spec)
            if channel is not None:
                known = tuple(record for record in known if record.channel == channel)
            self._matching[spec] = known
        return known

    def _matched(self, text: str, match_spec: MatchSpec) -> tuple[Record, ...]:
        """The records that a MatchSpec matches; of one that asks for a version alone each version is asked once."""
        name = match_spec.name.normalized
        if _NAME_AND_VERSION.fullmatch(text) is None:
            return tuple(record for record in self.records(name) if match_spec.matches(self._originals[record.url]))
        versions = self._versions.get(name)
        if versions is None:
            # The builds of a version stand together.
            groups = [tuple(group) for _, group in groupby(self.records(name), key=_VERSION)]
            versions = self._versions[name] = [(self._originals[group[0].url], group) for group in groups]
        matches = match_spec.matches
        return tuple(chain.from_iterable([group for original, group in versions if matches(original)]))

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Outcome:
        preferred = self._of_asked_channels(specs, preferred)
        if preferred and self._channel_priority != "strict":
            # Where all preferences go together, as those of a plan do, holding them leaves little to search.
            held = [*constraints, *_holding(preferred)]
            outcome = self._solve(specs, preferred, held, timeout, ChannelPriority.Disabled)
            if isinstance(outcome, Solved):
                if self._channel_priority == "disabled":
                    return outcome
                names = frozenset(record.name for record in preferred)
                return self._with_higher_channels(outcome, specs, preferred, held, timeout, settled=names)
        # rattler has no flexible priority. Where the strict reading has a solution it is also a flexible one; only
        # where it has none may a channel of lower priority supply what a higher one has in other versions.
        priorities = {
            "strict": (ChannelPriority.Strict,),
            "flexible": (ChannelPriority.Strict, ChannelPriority.Disabled),
            "disabled": (ChannelPriority.Disabled,),
        }[self._channel_priority]
        outcome = Unsolved(explanation="")
        for priority in priorities:
            outcome = self._solve(specs, preferred, constraints, timeout, priority)
            if isinstance(outcome, Solved):
                break
        if self._channel_priority == "flexible" and isinstance(outcome, Solved) and priority is not priorities[0]:
            return self._with_higher_channels(outcome, specs, preferred, constraints, timeout)
        return outcome

    def _of_asked_channels(self, specs: Sequence[str], preferred: Sequence[Record]) -> Sequence[Record]:
        """The preferences but for those of another channel than is asked for, which rattler would heed all the same."""
        asked = [self._match_spec(spec) for spec in specs if "::" in spec]
        channels = {spec.name.normalized: channel for spec, channel in asked}
        return [record for record in preferred if channels.get(record.name, record.channel) == record.channel]

    def _with_higher_channels(
        self,
        solved: Solved,
        specs: Sequence[str],
        preferred: Sequence[Record],
        constraints: Sequence[str],
        timeout: float | None,
        *,
        settled: frozenset[str] = frozenset(),
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
            outcome = self._solve([*specs, *held, *wanted], preferred, constraints, timeout, ChannelPriority.Disabled)
            if isinstance(outcome, Solved):
                best, held = outcome, [*held, *wanted]
            elif len(wanted) > 1:
                middle = len(wanted) // 2
                hold(wanted[:middle])
                hold(wanted[middle:])

        asked: dict[str, list[str]] = {}
        for spec in specs:
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

    def _solve(
        self,
        specs: Sequence[str],
        preferred: Sequence[Record],
        constraints: Sequence[str],
        timeout: float | None,
        priority: ChannelPriority,
    ) -> Outcome:
        started = time.monotonic()
        try:
            solution = self._run(
                solve(
                    self._sources,
                    self._asked(specs, priority),
                    gateway=self._usable[0].gateway if self._usable else None,
                    platforms=[self._platform, NOARCH],  # type: ignore[list-item]
                    locked_packages=self._originals_of(preferred),
                    virtual_packages=self._virtual_packages,
                    timeout=None if timeout is None else dt.timedelta(seconds=timeout),
                    channel_priority=priority,
                    exclude_newer=_as_datetime(self._exclude_newer),
                    constraints=[self._located(spec) for spec in constraints],
                    channel_relations="disabled",
                )
            )
        except SolverError as error:
            cancelled = timeout is not None and time.monotonic() - started >= timeout
            return Unsolved(explanation=self._without_locations(str(error).strip()), cancelled=cancelled)
        except GatewayError as error:
            raise EngineError(
                "rattler failed while it loaded records", hint="Run again; if it persists, clear the repodata cache."
            ) from error
        packages = sorted((self._solved(record) for record in solution), key=lambda record: record.name)
        return Solved(packages=tuple(packages))

    def _without_locations(self, text: str) -> str:
        """The solver's words with channels by name: where they really are is nobody's business, tokens least of all."""
        for one in self._usable:
            text = text.replace(one.location, one.status.channel.name)
        return mask(text)

    def _originals_of(self, records: Sequence[Record]) -> list[RepoDataRecord]:
        """The solver's own records for those of `records` that this index has."""
        for record in records:
            self.records(record.name)
        return [self._originals[record.url] for record in records if record.url in self._originals]

    def _asked(self, specs: Sequence[str], priority: ChannelPriority) -> list[MatchSpec]:
        asked = [self._located(spec) for spec in specs]
        if priority is ChannelPriority.Strict:
            # rattler's gateway hands the solver only those records of a name that some spec allows, so that a channel
            # without such a record would not count as having the name: ask for the bare name as well.
            asked += [MatchSpec(spec.name.normalized) for spec in asked if spec.channel is None]
        return asked

    def _source(self, one: LoadedChannel) -> RattlerChannel | PlatformOnlySource:
        channel = RattlerChannel(one.location)
        return channel if NOARCH in one.subdirs else PlatformOnlySource(one.gateway, channel)

    def _query(self, names: Sequence[str]) -> None:
        """Read the records of names that are not known yet, of all channels at the same time."""
        found: dict[str, list[Record]] = {name: [] for name in names}
        asked = [(one, [name for name in names if name in one.names]) for one in self._usable]
        for one, originals in self._ask([(one, wanted) for one, wanted in asked if wanted]):
            of_channel: dict[str, list[tuple[Record, RepoDataRecord]]] = {}
            for original in originals:
                record = self._convert(original, one)
                if self._is_old_enough(record):
                    of_channel.setdefault(record.name, []).append((record, original))
            for name, pairs in of_channel.items():
                kept = _without_twins(pairs)
                kept.sort(key=lambda pair: (pair[0].subdir, pair[0].url))
                # A version is compared once for all of its builds: comparing is dear.
                rank = _ranks({record.version: original.version for record, original in kept})
                kept.sort(key=lambda pair: (rank[pair[0].version], pair[0].build_number), reverse=True)
                for record, original in kept:
                    self._originals[record.url] = original
                    self._converted[original.url] = record
                found[name] += [record for record, _ in kept]
        self._records.update((name, tuple(records)) for name, records in found.items())

    def _ask(
        self, questions: Sequence[tuple[LoadedChannel, Sequence[str | MatchSpec]]]
    ) -> list[tuple[LoadedChannel, list[RepoDataRecord]]]:
        """What each channel has of what it is asked for."""

        async def ask_all() -> list[list[list[RepoDataRecord]]]:
            return await asyncio.gather(
                *(
                    one.gateway.query(
                        [RattlerChannel(one.location)],
                        list(one.subdirs),  # type: ignore[arg-type]
                        list(wanted),
                        recursive=False,
                        channel_relations="disabled",
                    )
                    for one, wanted in questions
                )
            )

        answers = self._run(ask_all())
        return [(one, list(chain.from_iterable(answer))) for (one, _), answer in zip(questions, answers, strict=True)]

    def _is_old_enough(self, record: Record) -> bool:
        if self._exclude_newer is None:
            return True
        return record.timestamp is not None and record.timestamp <= self._exclude_newer

    def _match_spec(self, text: str) -> tuple[MatchSpec, str | None]:
        """A MatchSpec without its channel, and the canonical URL of the channel it named."""
        prefix, separator, bare = text.rpartition("::")
        try:
            spec = MatchSpec(bare, strict=False)
        except InvalidMatchSpecError as error:
            raise ValueError(str(error)) from error
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

    def _solved(self, original: RepoDataRecord) -> Record:
        """The record of one that the solver chose."""
        known = self._converted.get(original.url)
        if known is not None:
            return known
        # The channel of a record has its secrets blacked out, its URL has not.
        one = self._by_location.get(original.url.rsplit("/", 2)[0] + "/") or self._by_location[original.channel]
        record = self._converted[original.url] = self._convert(original, one)
        self._originals.setdefault(record.url, original)
        return record

    @staticmethod
    def _convert(original: RepoDataRecord, one: LoadedChannel) -> Record:
        """A rattler record in envcheck's words, with the canonical channel in place of the location."""
        channel = one.status.channel.url.rstrip("/")
        subdir = str(original.subdir)
        noarch = original.noarch
        md5, sha256, timestamp = original.md5, original.sha256, original.timestamp
        return Record(
            name=original.name.normalized,
            version=str(original.version),
            build=str(original.build),
            build_number=original.build_number,
            subdir=subdir,
            channel=channel,
            url=f"{channel}/{subdir}/{original.file_name}",
            md5=md5.hex() if md5 else None,
            sha256=sha256.hex() if sha256 else None,
            size=original.size,
            timestamp=_milliseconds(timestamp) if timestamp else None,
            noarch="python" if noarch.python else "generic" if noarch.generic else None,
            depends=tuple(original.depends),
            constrains=tuple(original.constrains),
            track_features=tuple(original.track_features),
        )

    def _run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        return self._loop.run_until_complete(coroutine)


def _without_twins(pairs: Sequence[tuple[Record, RepoDataRecord]]) -> list[tuple[Record, RepoDataRecord]]:
    """Leave out every ``.tar.bz2`` that is there as ``.conda`` too: the solver does not see it, whatever it says."""
    modern = {record.url.removesuffix(".conda") for record, _ in pairs if record.url.endswith(".conda")}
    return [pair for pair in pairs if pair[0].url.removesuffix(".tar.bz2") not in modern]


def _ranks(versions: Mapping[str, VersionWithSource]) -> dict[str, int]:
    """The place of each version among the others; spellings of the same version (1.0, 1.00) share it."""
    ranks: dict[str, int] = {}
    place, previous = 0, None
    for text in sorted(versions, key=lambda text: versions[text]):
        place += previous is not None and versions[text] != previous
        ranks[text], previous = place, versions[text]
    return ranks


def _holding(records: Sequence[Record]) -> list[str]:
    """Constraints that let names come as these records only, where one record is told for a name."""
    counts = Counter(record.name for record in records)
    return [f"{record.name} =={record.version} {record.build}" for record in records if counts[record.name] == 1]


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


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _as_datetime(milliseconds: int | None) -> dt.datetime | None:
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.timezone.utc)
