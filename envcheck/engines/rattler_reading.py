"""How the rattler engine reads records: in the background, while what was read before is being used."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import weakref
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar, Union

from rattler import BuildString, MatchSpec, PackageName, PackageRecord, Version, VersionSpec
from rattler import Channel as RattlerChannel
from rattler.exceptions import GatewayError, InvalidMatchSpecError, InvalidVersionError

from envcheck.engines.rattler_loading import NOARCH, GatewaySource, LoadedChannel
from envcheck.engines.rattler_stored import Excerpt, Pins, StoredChannel, StoredSource
from envcheck.engines.record_store import StoreDamagedError
from envcheck.engines.watching import GivenUpError, await_watched
from envcheck.errors import ChannelError
from envcheck.language import say
from envcheck.model import Record

if TYPE_CHECKING:
    from rattler import Gateway, RepoDataRecord, SparseRepoData

__all__ = ["RecordReader"]

# Names are read in groups: small enough that one is used while the next is read, large enough to be worth a question.
_GROUP = 16

_T = TypeVar("_T")
_Source = Union[RattlerChannel, GatewaySource, StoredSource, "SparseRepoData"]
_Answer = list[tuple[LoadedChannel, list["RepoDataRecord"]]]


class RecordReader:
    """The records of loaded channels by name, converted once.

    rattler reads repodata in threads of its own; `start` sets it to work and `records` waits for what it is asked for.
    Stored channels are read when they are asked. Every question may raise `StoreDamagedError`.

    Args:
        channels: The channels, in order.
        exclude_newer: Milliseconds since 1970; records that are newer, or of unknown age, are left out.
        loop: The event loop to wait in; it is closed with the reader.
    """

    def __init__(
        self, channels: Sequence[LoadedChannel], exclude_newer: int | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._channels = channels
        self._read_by_rattler = [one for one in channels if one.stored is None]
        stored = {one: one.stored for one in channels if one.stored is not None}
        self._excerpt = Excerpt(list(stored.values()))
        self._stored = stored
        self._exclude_newer = exclude_newer
        self._loop = loop
        self._records: dict[str, tuple[Record, ...]] = {}
        self._reading: dict[str, tuple[Sequence[str], asyncio.Task[_Answer]]] = {}
        self._by_location = {RattlerChannel(one.location).base_url: one for one in channels}
        self._converted: dict[str, Record] = {}
        self._originals: dict[str, RepoDataRecord] = {}
        self._comparable: dict[str, PackageRecord] = {}
        self._versions: dict[str, Version] = {}
        weakref.finalize(self, _close, loop, self._reading)

    def start(self, names: Iterable[str]) -> None:
        """Begin to read the records of names that some channel has."""
        if not self._read_by_rattler:
            return
        unknown = [name for name in dict.fromkeys(names) if name not in self._records and name not in self._reading]
        for first in range(0, len(unknown), _GROUP):
            group = unknown[first : first + _GROUP]
            asked = [(one, [name for name in group if name in one.names]) for one in self._read_by_rattler]
            task = self._loop.create_task(_ask([(one, wanted) for one, wanted in asked if wanted]))
            self._reading.update((name, (group, task)) for name in group)
        if unknown:
            self.run(asyncio.sleep(0))  # lets the tasks put their questions

    def records(self, name: str) -> tuple[Record, ...]:
        """All records of a name: channel order first, newest first within a channel."""
        if name not in self._records and not self._read_by_rattler:
            self._keep([name], [])
        elif name not in self._records:
            self.start([name])
            names, task = self._reading[name]
            try:
                self._keep(names, self._loop.run_until_complete(task))
            finally:
                for one in names:
                    self._reading.pop(one, None)
        return self._records[name]

    def builds(self, wanted: Iterable[tuple[str, str, str]]) -> tuple[Record, ...]:
        """The records of names in a version and build each."""
        specs: list[tuple[str, MatchSpec]] = []
        for name, version, build in wanted:
            with contextlib.suppress(InvalidMatchSpecError):  # a row of a listing may hold anything
                specs.append((name, MatchSpec(f"{name} =={version} {build}", strict=False)))
        asked = [(one, [spec for name, spec in specs if name in one.names]) for one in self._read_by_rattler]
        answer = dict(self.run(_ask([(one, specs_here) for one, specs_here in asked if specs_here])))
        found: list[Record] = []
        for one in self._channels:
            if one.stored is None:
                found += [_convert(original, one) for original in answer.get(one, ())]
            else:
                found += chain.from_iterable(self._stored_builds(one.stored, one, name, spec) for name, spec in specs)
        return tuple(found)

    def _stored_builds(self, stored: StoredChannel, one: LoadedChannel, name: str, spec: MatchSpec) -> Iterator[Record]:
        build, channel = spec.build or "", one.status.channel.url.rstrip("/")
        asked = VersionSpec(spec.version or "*")
        # A build tells most: what has another one need not be compared.
        for record in stored.builds(name, build, channel):
            if asked.matches(self.version(record)) and (record.build == build or spec.matches(self.comparable(record))):
                yield record

    def solved(self, original: RepoDataRecord) -> Record:
        """The record of one that the solver chose."""
        known = self._converted.get(original.url)
        if known is not None:
            return known
        # The channel of a record has its secrets blacked out, its URL has not.
        one = self._by_location.get(original.url.rsplit("/", 2)[0] + "/") or self._by_location[original.channel]
        if not _is_plain(original.file_name):
            raise ChannelError(
                say(
                    "{channel}: the file of a record of {name} has a path for a name",
                    channel=one.status.channel.name,
                    name=original.name.normalized,
                ),
                hint=say(
                    "Tell whoever keeps {name}, or check without it: -c CHANNEL --override-channels.",
                    name=one.status.channel.name,
                ),
            )
        record = self._converted[original.url] = _convert(original, one)
        self._originals.setdefault(record.url, original)
        return record

    def comparable(self, record: Record) -> PackageRecord:
        """What rattler's MatchSpecs can be held against for a record of ours."""
        known = self._originals.get(record.url) or self._comparable.get(record.url)
        if known is None:
            try:
                known = self._comparable[record.url] = PackageRecord(
                    record.name,
                    record.version,
                    BuildString(record.build),
                    record.build_number,
                    record.subdir,
                    md5=None if record.md5 is None else bytes.fromhex(record.md5),
                    sha256=None if record.sha256 is None else bytes.fromhex(record.sha256),
                )
            except (InvalidVersionError, ValueError) as error:
                raise StoreDamagedError(record.url) from error
        return known

    def version(self, record: Record) -> Version:
        """A record's version as rattler compares it."""
        known = self._versions.get(record.version)
        if known is None:
            original = self._originals.get(record.url)
            try:
                known = self._versions[record.version] = (
                    Version(record.version) if original is None else original.version
                )
            except InvalidVersionError as error:
                raise StoreDamagedError(record.url) from error
        return known

    def originals(self, records: Sequence[Record]) -> list[RepoDataRecord]:
        """The solver's own records for those of ours that these channels have."""
        for record in records if self._read_by_rattler else ():
            self.records(record.name)
        if self._stored:
            self._read_originals([one for one in records if one.url not in self._originals])
        return [self._originals[record.url] for record in records if record.url in self._originals]

    def _read_originals(self, records: Sequence[Record]) -> None:
        names = dict.fromkeys(record.name for record in records)
        if not names:
            return
        counts = Counter(record.name for record in records)
        pins = {one.name: (one.version, one.build) for one in records if counts[one.name] == 1}
        excerpt = self._excerpt.pinned(names, pins)
        for one, stored in self._stored.items():
            channel = one.status.channel.url.rstrip("/")
            for file in excerpt[stored]:
                for name in names:
                    for original in file.load_records(PackageName(name)):
                        self._originals[f"{channel}/{file.subdir}/{original.file_name}"] = original

    def forgo_shards(self) -> bool:
        """Have every channel read without shards from the next load on; false where all were read so already."""
        sharded = [one for one in self._read_by_rattler if one.forgo_shards()]
        return bool(sharded)

    def refuse_damaged(self) -> None:
        """Raise what the solver hid: that a store which it asked turned out to be damaged."""
        if self._excerpt.damage is not None:
            raise self._excerpt.damage

    def sources(
        self, names: Iterable[str], pins: Pins | None = None
    ) -> list[RattlerChannel | GatewaySource | StoredSource | SparseRepoData]:
        """What the solver has to look into, for a question about names, some of which may come pinned."""
        if not self._read_by_rattler:
            excerpt = self._excerpt.reaching(names) if pins is None else self._excerpt.pinned(names, pins)
            return list(chain.from_iterable(excerpt[stored] for stored in self._stored.values()))
        return [self._source(one) for one in self._channels]

    def _source(self, one: LoadedChannel) -> _Source:
        if one.stored is not None:
            return StoredSource(one.stored, self._excerpt)
        channel = RattlerChannel(one.location)
        if NOARCH in one.subdirs and one.is_asked_like(self._read_by_rattler[0]):
            return channel
        return GatewaySource(one.gateway, channel, one.subdirs)

    @property
    def gateway(self) -> Gateway | None:
        """A gateway for the solver to ask, where any channel is read by one."""
        return self._read_by_rattler[0].gateway if self._read_by_rattler else None

    def run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        """Wait for something of rattler's."""
        return self._loop.run_until_complete(coroutine)

    def _keep(self, names: Sequence[str], answer: _Answer) -> None:
        """Convert and order what was read of names."""
        found: dict[str, list[Record]] = {name: [] for name in names}
        answers = dict(answer)
        for one in self._channels:
            of_channel = self._stored_records(one, names) if one.stored is not None else self._told(one, answers)
            for name, records in of_channel.items():
                kept = _without_twins([record for record in records if self._is_old_enough(record)])
                kept.sort(key=attrgetter("subdir", "url"))
                # A version is compared once for all of its builds: comparing is dear.
                rank = self._ranks({record.version: record for record in kept})
                kept.sort(key=lambda record: (rank[record.version], record.build_number), reverse=True)
                found[name] += kept
        self._records.update((name, tuple(records)) for name, records in found.items())

    def _told(
        self, one: LoadedChannel, answers: Mapping[LoadedChannel, Sequence[RepoDataRecord]]
    ) -> dict[str, list[Record]]:
        """The records by name that rattler has read of a channel."""
        found: dict[str, list[Record]] = {}
        for original in answers.get(one, ()):
            if not _is_plain(original.file_name):
                continue
            record = _convert(original, one)
            self._originals[record.url] = original
            self._converted[original.url] = record
            found.setdefault(record.name, []).append(record)
        return found

    def _stored_records(self, one: LoadedChannel, names: Iterable[str]) -> dict[str, list[Record]]:
        """The records by name of a channel that is stored."""
        channel = one.status.channel.url.rstrip("/")
        stored = self._stored[one]
        return {name: list(stored.records(name, channel)) for name in names if name in one.names}

    def _ranks(self, versions: Mapping[str, Record]) -> dict[str, int]:
        """The place of each version among the others; spellings of the same version (1.0, 1.00) share it."""
        if len(versions) == 1:
            return dict.fromkeys(versions, 0)
        comparable = {text: self.version(record) for text, record in versions.items()}
        ranks: dict[str, int] = {}
        place, previous = 0, None
        for text in sorted(versions, key=comparable.__getitem__):
            place += previous is not None and comparable[text] != previous
            ranks[text], previous = place, comparable[text]
        return ranks

    def _is_old_enough(self, record: Record) -> bool:
        if self._exclude_newer is None:
            return True
        return record.timestamp is not None and record.timestamp <= self._exclude_newer


def _close(loop: asyncio.AbstractEventLoop, reading: Mapping[str, tuple[Sequence[str], asyncio.Task[_Answer]]]) -> None:
    """End what is still being read and that nobody asked for in the end."""
    tasks = {task for _, task in reading.values()}
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


async def _ask(questions: Sequence[tuple[LoadedChannel, Sequence[str | MatchSpec]]]) -> _Answer:
    """What each channel has of what it is asked for."""
    answers = await asyncio.gather(*(_ask_one(one, wanted) for one, wanted in questions))
    return [(one, answer) for (one, _), answer in zip(questions, answers, strict=True)]


async def _ask_one(one: LoadedChannel, wanted: Sequence[str | MatchSpec]) -> list[RepoDataRecord]:
    """What a channel has of what it is asked for.

    Raises:
        StoreDamagedError: Some of its shards cannot be had; the next load does without any.
        ChannelError: A record is none, or what its repodata announces cannot be had.
    """
    try:
        asking = one.gateway.query(
            [RattlerChannel(one.location)],
            list(one.subdirs),  # type: ignore[arg-type]
            list(wanted),
            recursive=False,
            channel_relations="disabled",
        )
        answer = await await_watched(asking, one.watch())
    except (GatewayError, GivenUpError) as error:
        channel = one.status.channel.name
        if isinstance(error, GivenUpError) and not error.stalled:
            raise ChannelError(
                say("{name}: {detail}", name=channel, detail=error.message),
                hint=say(
                    "Tell whoever keeps {name}, or check without it: -c CHANNEL --override-channels.", name=channel
                ),
            ) from error
        if one.forgo_shards():
            raise StoreDamagedError(channel) from error
        raise ChannelError(
            say(
                "{channel}: its repodata holds a record that is none, or announces one that cannot be had",
                channel=channel,
            ),
            hint=say("Tell whoever keeps {name}, or check without it: -c CHANNEL --override-channels.", name=channel),
        ) from error
    return list(chain.from_iterable(answer))


def _convert(original: RepoDataRecord, one: LoadedChannel) -> Record:
    """A rattler record in envcheck's words, with the canonical channel in place of the location."""
    channel = one.status.channel.url.rstrip("/")
    subdir = str(original.subdir)
    if subdir not in one.subdirs:
        # What a record says of itself is no place: it is where its repodata is.
        folder = original.url.rsplit("/", 2)[-2]
        subdir = folder if folder in one.subdirs else one.subdirs[0]
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


def _is_plain(filename: str) -> bool:
    """Whether the name of a file is one, and leads nowhere else: of repodata anything may come."""
    return filename not in ("", ".", "..") and not any(mark in filename for mark in "/\\\0")


def _without_twins(records: Sequence[Record]) -> list[Record]:
    """Leave out every ``.tar.bz2`` that is there as ``.conda`` too: the solver does not see it, whatever it says."""
    modern = {record.url.removesuffix(".conda") for record in records if record.url.endswith(".conda")}
    return [record for record in records if record.url.removesuffix(".tar.bz2") not in modern]


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
