"""The engine of conda users: libmamba with its cache, its repodata loading and libsolv, by way of libmambapy."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from envcheck.engines import Index, LoadOptions, ProgressCallback
from envcheck.engines.apart import CAN_STOP, run_apart
from envcheck.engines.damage import answer_despite_damage, refuse_less
from envcheck.engines.libmamba_compat import explain, load_library
from envcheck.engines.libmamba_database import RankedDatabase
from envcheck.engines.libmamba_loading import Loaded, LoadedChannel, Loader
from envcheck.engines.nothing_loaded import nothing_loaded
from envcheck.engines.patience import solve_patiently
from envcheck.engines.record_stores import RecordStores
from envcheck.engines.solve_memory import SolveMemory
from envcheck.errors import ChannelError
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

__all__ = ["LibmambaEngine"]

_T = TypeVar("_T")

# What a record is known by: its channel, its subdir and its file name.
_Key = tuple[str, str, str]

# The names and keys of a solution's packages, or why there is none.
_Answer = list[tuple[str, _Key]] | str

# How long a solve may take in which all preferred records are held; those that can be are done in a second.
_HELD_SECONDS = 5.0


class LibmambaEngine:
    """The `envcheck.engines.Engine` over libmambapy.

    Args:
        stores: The record stores for some options.

    Raises:
        EngineError: libmambapy is not there or too old.
    """

    def __init__(self, stores: Callable[[LoadOptions], RecordStores] = RecordStores) -> None:
        self._library = load_library()
        self._make_stores = stores
        self._stores: dict[LoadOptions, RecordStores] = {}

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return EngineInfo(name="libmamba", version=str(self._library.__version__))

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
        stores = self._stores.get(options)
        if stores is None:
            stores = self._stores[options] = self._make_stores(options)
        loader = Loader(self._library, platform, options, stores)
        loaded = loader.load(channels, progress)
        if channels and not any(one.is_usable for one in loaded.channels):
            raise nothing_loaded(platform, [one.status for one in loaded.channels])

        def reload() -> Loaded:
            stores.discard()
            again = loader.load(channels, None)
            refuse_less([one.status for one in loaded.channels], [one.status for one in again.channels])
            return again

        return _LibmambaIndex(
            library=self._library,
            loaded=loaded,
            reload=reload,
            platform=platform,
            virtual_packages=virtual_packages,
            channel_priority=channel_priority,
        )


class _LibmambaIndex:
    """The `envcheck.engines.Index` over a `Database`."""

    def __init__(
        self,
        *,
        library: Any,
        loaded: Loaded,
        reload: Callable[[], Loaded],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        channel_priority: str,
    ) -> None:
        self._library = library
        self._specs = library.specs
        self._solver = library.solver
        self._reload = reload
        self._platform = platform
        self._virtual_packages = virtual_packages
        self._channel_priority = channel_priority
        self._use(loaded)

    def _use(self, loaded: Loaded) -> None:
        """Answer from this, and forget what was answered before."""
        self._loaded = loaded.channels
        self._stored = loaded.stored
        self._names = frozenset[str]().union(*(one.names for one in self._loaded))
        self._order = {one.status.channel.url.rstrip("/"): position for position, one in enumerate(self._loaded)}
        self._records: dict[str, tuple[Record, ...]] = {}
        self._originals: dict[_Key, Any] = {}
        self._outcomes = SolveMemory()
        self._lookups = self._solving = self._ranked(loaded.database)
        self._reached: frozenset[str] = frozenset()
        self._lookups.rank(
            (position, repository) for position, one in enumerate(self._loaded) for repository in one.repositories
        )

    def _ranked(self, database: Any) -> RankedDatabase:
        return RankedDatabase(
            self._library,
            database,
            channels=len(self._loaded),
            virtual_packages=self._virtual_packages,
            channel_priority=self._channel_priority,
        )

    def _despite_damage(self, ask: Callable[[], _T]) -> _T:
        """An answer; where a store turns out to be damaged, one from the repodata itself."""
        return answer_despite_damage(ask, lambda: self._use(self._reload()))

    def _hold(self, names: Iterable[str]) -> None:
        """See to it that the records of names are in the `Database`."""
        if self._stored is not None:
            self._lookups.rank(self._stored.holding(self._lookups.database, names))

    def _reach(self, names: Iterable[str]) -> None:
        """See to it that the next solve has everything that is reachable from names, and nothing else.

        What libsolv chooses hangs on the order in which records came in: were they those of all questions so far, an
        answer would hang on what was asked before.
        """
        if self._stored is None:
            return
        reached = self._stored.reachable(names)
        if self._solving is self._lookups or reached != self._reached:
            solving = self._ranked(self._stored.new_database())
            solving.rank(self._stored.pieces(solving.database, sorted(reached)))
            self._solving, self._reached = solving, reached

    @property
    def platform(self) -> str:
        return self._platform

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        return tuple(one.status for one in self._loaded)

    def names(self) -> frozenset[str]:
        return self._names

    def records(self, name: str) -> tuple[Record, ...]:
        known = self._records.get(name)
        if known is None:
            found = self._despite_damage(lambda: self._query(name)) if name in self._names else ()
            known = self._records[name] = found
        return known

    def prefetch(self, names: Iterable[str]) -> None:
        wanted = [name for name in names if name in self._names]
        self._despite_damage(lambda: self._hold(wanted))

    def builds(self, wanted: Iterable[tuple[str, str, str]]) -> tuple[Record, ...]:
        asked = set(wanted)
        self.prefetch(name for name, _, _ in asked)
        found = (record for name, _, _ in sorted(asked) for record in self.records(name))
        return tuple(record for record in found if (record.name, record.version, record.build) in asked)

    def matching(self, spec: str) -> tuple[Record, ...]:
        match_spec = self._match_spec(spec)
        records = self.records(str(match_spec.name))
        if not records:
            return ()
        if match_spec.is_simple():
            # As the solver does it: libsolv's own reading of what is simple, mamba's of the rest.
            matches = {_key(one) for one in self._lookups.database.packages_matching(match_spec)}
            return tuple(record for record in records if _key_of(record) in matches)
        channel = None if match_spec.channel is None else self._channel_named(str(match_spec.channel.location))
        url = None if channel is None else channel.status.channel.url.rstrip("/")
        if match_spec.channel is not None and url is None:
            return ()
        return tuple(
            record
            for record in records
            if url in (None, record.channel) and match_spec.contains_except_channel(self._originals[_key_of(record)])
        )

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
        any_will_do: bool = False,  # noqa: ARG002  # it has one way of looking
    ) -> Outcome:
        def solve() -> Outcome:
            return self._despite_damage(
                lambda: self._solve_patiently(specs, preferred=preferred, constraints=constraints, timeout=timeout)
            )

        return self._outcomes.outcome(specs, preferred, constraints, any_will_do=False, solve=solve)

    def solve_each(self, specs: Sequence[str], *, timeout: float | None = None) -> tuple[Outcome, ...]:
        # One after the other: libmamba holds Python's lock while it solves. What each reaches is put together for all
        # of them, so that their answers are those of this question alone and are not remembered for others.
        names = {str(self._match_spec(spec).name) for spec in specs}
        return tuple(
            self._despite_damage(
                functools.partial(self._solve_patiently, [spec], timeout=timeout, beside=sorted(names))
            )
            for spec in specs
        )

    def _solve_patiently(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None,
        beside: Sequence[str] = (),
    ) -> Outcome:
        wishes = [self._match_spec(spec) for spec in sorted(specs)]
        self._reach([*(str(spec.name) for spec in wishes), *(record.name for record in preferred), *beside])
        self.prefetch(record.name for record in preferred)
        favoured = [original for record in preferred if (original := self._original(record)) is not None]
        ties = [job for constraint in sorted(constraints) for job in self._constraint(constraint)]

        def attempt(some: Sequence[Any], seconds: float | None) -> _Answer:
            return run_apart(lambda: self._solve(some, ties, favoured), timeout=seconds)

        if favoured:
            started = time.monotonic()
            answer = self._solve_held(wishes, ties, favoured, timeout)
            if not isinstance(answer, str):
                return self._solved(answer)
            if timeout is not None:
                timeout = max(0.0, timeout - (time.monotonic() - started))
        try:
            answer = solve_patiently(attempt, wishes, order=self._suspects_first, timeout=timeout, can_stop=CAN_STOP)
        except TimeoutError:
            return Unsolved(
                explanation=say("libmamba found no answer within {seconds} seconds", seconds=format(timeout, "g")),
                cancelled=True,
            )
        if isinstance(answer, str):
            return Unsolved(explanation=answer)
        return self._solved(answer)

    # -----------------------------------------------------------------------------------------------------------------
    # Look-ups
    # -----------------------------------------------------------------------------------------------------------------

    def _query(self, name: str) -> tuple[Record, ...]:
        self._hold([name])
        version = self._specs.Version.parse
        matching = self._lookups.database.packages_matching(self._match_spec(name))
        found = [one for one in matching if one.channel in self._order and self._is_sound(one)]
        found.sort(key=lambda one: (one.platform, one.filename))
        found.sort(key=lambda one: (version(one.version), one.build_number), reverse=True)
        found.sort(key=lambda one: self._order[one.channel])
        self._originals.update((_key(one), one) for one in found)
        return tuple(self._convert(one) for one in found)

    def _is_sound(self, original: Any) -> bool:
        """Whether a record is one: what is of a wrong type is nothing to libmamba, and any text the name of a file."""
        if original.platform not in (self._platform, "noarch") or any(mark in original.filename for mark in "/\\\0"):
            return False
        try:
            self._specs.Version.parse(original.version)
        except ValueError:
            return False
        return bool(original.version)

    def _convert(self, original: Any) -> Record:
        """A `PackageInfo` in envcheck's words; empty and zero are libmamba's way to say that there is nothing."""
        noarch = self._specs.NoArchType
        return Record(
            name=original.name,
            version=original.version,
            build=original.build_string,
            build_number=original.build_number,
            subdir=original.platform,
            channel=original.channel,
            url=f"{original.channel}/{original.platform}/{original.filename}",
            md5=original.md5 or None,
            sha256=original.sha256 or None,
            size=original.size or None,
            # libmamba keeps whole seconds.
            timestamp=original.timestamp * 1000 or None,
            noarch={noarch.Python: "python", noarch.Generic: "generic"}.get(original.noarch),
            depends=tuple(original.dependencies),
            constrains=tuple(original.constrains),
            track_features=tuple(original.track_features),
        )

    def _solved(self, answer: list[tuple[str, _Key]]) -> Solved:
        self.prefetch(name for name, _ in answer)
        return Solved(packages=tuple(self._record(name, key) for name, key in sorted(answer)))

    def _record(self, name: str, key: _Key) -> Record:
        found = next((record for record in self.records(name) if _key_of(record) == key), None)
        if found is None:
            channel = next(one.status.channel for one in self._loaded if one.status.channel.url.rstrip("/") == key[0])
            raise ChannelError(
                say("{channel}: its repodata holds a record of {name} that is none", channel=channel.name, name=name),
                hint=say(
                    "Tell whoever keeps {name}, or check without it: -c CHANNEL --override-channels.", name=channel.name
                ),
            )
        return found

    def _original(self, record: Record) -> Any:
        """The library's own record of one, which may be another index's; ``None`` where this one has it not."""
        self.records(record.name)
        return self._originals.get(_key_of(record))

    def _match_spec(self, text: str) -> Any:
        """A MatchSpec whose channel, if it names one, is spelled so that libmamba finds what was loaded for it.

        Raises:
            ValueError: The text is no MatchSpec or names no package.
        """
        spec = self._specs.MatchSpec.parse(text)
        if not spec.name.is_exact():
            raise ValueError(f"{text!r} names no package")
        one = None if spec.channel is None else self._channel_named(str(spec.channel.location))
        if one is not None:
            filters = ",".join(sorted(spec.channel.platform_filters))
            spec.channel = self._specs.UnresolvedChannel.parse(f"{one.word}[{filters}]" if filters else one.word)
        return spec

    def _channel_named(self, text: str) -> LoadedChannel | None:
        for one in self._loaded:
            channel = one.status.channel
            if text.rstrip("/") in (channel.name, channel.url.rstrip("/"), one.word, *channel.locations):
                return one
        return None

    # -----------------------------------------------------------------------------------------------------------------
    # Solving
    # -----------------------------------------------------------------------------------------------------------------

    def _suspects_first(self, specs: Sequence[Any]) -> Sequence[Any]:
        """What nothing matches, then Python, which most builds are bound to, then the rest."""
        return sorted(
            specs, key=lambda spec: (bool(self._solving.database.packages_matching(spec)), str(spec.name) != "python")
        )

    def _solve_held(
        self, specs: Sequence[Any], constraints: Sequence[Any], favoured: Sequence[Any], timeout: float | None
    ) -> _Answer:
        """Solve with every preferred record held, so that its name comes as this record or not at all.

        Where all preferences go together, as those of a plan do, that leaves libsolv hardly anything to search. With a
        preference alone it decides by its own order, and with hundreds of specs it may run into a corner that it does
        not get out of within minutes.
        """
        named = Counter(original.name for original in favoured)
        held = [
            self._solver.Request.Pin(spec)
            for original in favoured
            if named[original.name] == 1 and (spec := self._held(original)) is not None
        ]
        seconds = _HELD_SECONDS if timeout is None else min(timeout, _HELD_SECONDS)
        try:
            return run_apart(lambda: self._solve(specs, [*constraints, *held], favoured), timeout=seconds)
        except TimeoutError:
            return say("libmamba found no answer within {seconds} seconds", seconds=format(seconds, "g"))

    def _held(self, original: Any) -> Any:
        """The MatchSpec of a record's build or, where libmamba takes the build string for a pattern, its version."""
        for text in (
            f"{original.name}=={original.version}={original.build_string}",
            f"{original.name}=={original.version}",
        ):
            spec = self._specs.MatchSpec.parse(text)
            if spec.is_simple():
                return spec
        return None

    def _solve(self, specs: Sequence[Any], constraints: Sequence[Any], favoured: Sequence[Any]) -> _Answer:
        """Solve with preferences.

        libmambapy has no job that favours a record. What libsolv's favour does, to be tried first, a repository of
        higher priority does as well, unless the priority is strict, when it would hide all else. Then the solve is not
        strict, and each name that comes from a channel that strict priority hides is tied to the channel that has it:
        a consequence of strictness, so that the end is the same.
        """
        strict = self._channel_priority == "strict"
        if not favoured:
            return self._run(specs, constraints, (), strict=strict)
        tied: dict[str, str] = {}
        while True:
            answer = self._run(specs, [*constraints, *self._ties(tied)], favoured, strict=False)
            if not strict:
                return answer
            if isinstance(answer, str):
                break
            self.prefetch(name for name, _ in answer)
            first = {name: self.records(name)[0].channel for name, _ in answer}
            hidden = {name: first[name] for name, key in answer if key[0] != first[name]}
            if not hidden:
                return answer
            if hidden.keys() <= tied.keys():
                break
            tied |= hidden
        # That there is no solution is best said of the strict solve.
        return self._run(specs, constraints, (), strict=True)

    def _run(
        self, specs: Sequence[Any], constraints: Sequence[Any], favoured: Sequence[Any], *, strict: bool
    ) -> _Answer:
        """One solve, after which the `Database` is as it was."""
        request = self._solver.Request
        virtual = [package.name for package in self._virtual_packages]
        jobs = [request.Install(spec) for spec in specs]
        jobs += [request.Freeze(self._specs.MatchSpec.parse(name)) for name in virtual]
        jobs += constraints
        flags = request.Flags(strict_repo_priority=strict)
        repository = None
        if favoured:
            repository = self._solving.prefer(favoured)
        try:
            outcome = self._solver.libsolv.Solver().solve(self._solving.database, request(jobs, flags))
            if isinstance(outcome, self._solver.Solution):
                return [(package.name, _key(package)) for package in outcome.to_install()]
            asked = {str(spec.name) for spec in specs} | set(virtual)
            return explain(self._library, self._solving.database, outcome, asked)
        finally:
            if repository is not None:
                self._solving.database.remove_repo(repository)
            if constraints:
                # A pin is a package that libmamba adds to the installed ones and leaves there.
                self._solving.install_virtual_packages()

    def _constraint(self, text: str) -> list[Any]:
        """The jobs that hold a package to a MatchSpec if it is installed.

        Raises:
            ValueError: The text is no MatchSpec, or says more than libmamba can hold a package to.
        """
        spec = self._match_spec(text)
        jobs = []
        if spec.channel is not None:
            # A pin that names a channel has no effect at all; the other channels' records have to be ruled out.
            one = self._channel_named(str(spec.channel.location))
            url = "" if one is None else one.status.channel.url.rstrip("/")
            jobs = self._ties({str(spec.name): url})
            spec.channel = None
        if not spec.is_simple():
            raise ValueError(f"libmamba cannot hold a package to {text!r}")
        return [*jobs, self._solver.Request.Pin(spec)]

    def _ties(self, channels: Mapping[str, str]) -> list[Any]:
        """The jobs that rule out the records of some names from all channels but one each."""
        return [
            self._solver.Request.Remove(self._match_spec(f"{one.status.channel.url}::{name}"), False)
            for name, url in channels.items()
            for one in self._loaded
            if name in one.names and one.status.channel.url.rstrip("/") != url
        ]


def _key(package: Any) -> _Key:
    return package.channel, package.platform, package.filename


def _key_of(record: Record) -> _Key:
    return record.channel, record.subdir, record.url.rsplit("/", 1)[1]
