"""How the rattler engine reads records: in the background, while what was read before is being used."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import weakref
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from rattler import Channel as RattlerChannel
from rattler import MatchSpec
from rattler.exceptions import InvalidMatchSpecError

from envcheck.engines.rattler_loading import LoadedChannel
from envcheck.model import Record

if TYPE_CHECKING:
    from rattler import RepoDataRecord, VersionWithSource

__all__ = ["RecordReader"]

# Names are read in groups: small enough that one is used while the next is read, large enough to be worth a question.
_GROUP = 16

_T = TypeVar("_T")
_Answer = list[tuple[LoadedChannel, list["RepoDataRecord"]]]


class RecordReader:
    """The records of loaded channels by name, converted once.

    rattler reads repodata in threads of its own; `start` sets it to work and `records` waits for what it is asked for.

    Args:
        channels: The channels, in order.
        exclude_newer: Milliseconds since 1970; records that are newer, or of unknown age, are left out.
        loop: The event loop to wait in; it is closed with the reader.
    """

    def __init__(
        self, channels: Sequence[LoadedChannel], exclude_newer: int | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._channels = channels
        self._exclude_newer = exclude_newer
        self._loop = loop
        self._records: dict[str, tuple[Record, ...]] = {}
        self._reading: dict[str, tuple[Sequence[str], asyncio.Task[_Answer]]] = {}
        self._by_location = {RattlerChannel(one.location).base_url: one for one in channels}
        self._converted: dict[str, Record] = {}
        self.originals: dict[str, RepoDataRecord] = {}
        """rattler's own records by the URLs of ours."""
        weakref.finalize(self, _close, loop, self._reading)

    def start(self, names: Iterable[str]) -> None:
        """Begin to read the records of names that some channel has."""
        unknown = [name for name in dict.fromkeys(names) if name not in self._records and name not in self._reading]
        for first in range(0, len(unknown), _GROUP):
            group = unknown[first : first + _GROUP]
            asked = [(one, [name for name in group if name in one.names]) for one in self._channels]
            task = self._loop.create_task(_ask([(one, wanted) for one, wanted in asked if wanted]))
            self._reading.update((name, (group, task)) for name in group)
        if unknown:
            self.run(asyncio.sleep(0))  # lets the tasks put their questions

    def records(self, name: str) -> tuple[Record, ...]:
        """All records of a name: channel order first, newest first within a channel."""
        if name not in self._records:
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
        asked = [(one, [spec for name, spec in specs if name in one.names]) for one in self._channels]
        answer = self.run(_ask([(one, specs_here) for one, specs_here in asked if specs_here]))
        return tuple(_convert(original, one) for one, originals in answer for original in originals)

    def solved(self, original: RepoDataRecord) -> Record:
        """The record of one that the solver chose."""
        known = self._converted.get(original.url)
        if known is not None:
            return known
        # The channel of a record has its secrets blacked out, its URL has not.
        one = self._by_location.get(original.url.rsplit("/", 2)[0] + "/") or self._by_location[original.channel]
        record = self._converted[original.url] = _convert(original, one)
        self.originals.setdefault(record.url, original)
        return record

    def run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        """Wait for something of rattler's."""
        return self._loop.run_until_complete(coroutine)

    def _keep(self, names: Sequence[str], answer: _Answer) -> None:
        """Convert and order what was read of names."""
        found: dict[str, list[Record]] = {name: [] for name in names}
        for one, originals in answer:
            of_channel: dict[str, list[tuple[Record, RepoDataRecord]]] = {}
            for original in originals:
                record = _convert(original, one)
                if self._is_old_enough(record):
                    of_channel.setdefault(record.name, []).append((record, original))
            for name, pairs in of_channel.items():
                kept = _without_twins(pairs)
                kept.sort(key=lambda pair: (pair[0].subdir, pair[0].url))
                # A version is compared once for all of its builds: comparing is dear.
                one_of_each = {record.version: original for record, original in kept}
                rank = _ranks({version: original.version for version, original in one_of_each.items()})
                kept.sort(key=lambda pair: (rank[pair[0].version], pair[0].build_number), reverse=True)
                for record, original in kept:
                    self.originals[record.url] = original
                    self._converted[original.url] = record
                found[name] += [record for record, _ in kept]
        self._records.update((name, tuple(records)) for name, records in found.items())

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
    answers = await asyncio.gather(
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
    return [(one, list(chain.from_iterable(answer))) for (one, _), answer in zip(questions, answers, strict=True)]


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


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
