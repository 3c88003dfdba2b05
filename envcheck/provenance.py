"""Where the rows of an export came from: the very records, and the channels that the export does not name.

A row's name, version and build stand for one file. Found in the source platform's repodata it tells the channel and the
real dependencies; the lists that ``conda list`` prints have no channels at all, so that this is the only way to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from envcheck.engines import Index
from envcheck.model import Channel, Record, Requirement

__all__ = ["Provenance", "trace"]

# A build number alone (``0``) is common; it takes so many of them to tell a channel.
_WITNESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The records that rows were, by name, and other channels that rows certainly came from, each with those rows."""

    records: Mapping[str, Record]
    channels: tuple[tuple[Channel, tuple[Requirement, ...]], ...] = ()


def trace(
    rows: Sequence[Requirement], own: Index | None, others: Callable[[], Sequence[tuple[Channel, Index]]]
) -> Provenance:
    """Find the records of rows.

    Args:
        rows: The rows of a source, with their builds, one per name.
        own: The source's channels for its platform; ``None`` where they cannot be loaded.
        others: Gives other channels for that platform; asked only when a row is found nowhere else.
    """
    records: dict[str, Record] = {}
    unknown: list[Requirement] = []
    candidates = [row for row in rows if row.build is not None and row.pin is not None]
    if own is not None:
        own.prefetch(row.name for row in candidates)
    for row in candidates:
        record = None if own is None else _record_of(row, own)
        if record is not None:
            records[row.name] = record
        elif row.channel is None and row.url is None:
            unknown.append(row)
    witnesses: dict[str, list[Requirement]] = defaultdict(list)
    known: dict[str, Channel] = {}
    for _, index in others() if unknown else ():
        index.prefetch(row.name for row in unknown)
    for row in unknown:
        found = [(channel, record) for channel, index in others() if (record := _record_of(row, index)) is not None]
        # Two channels that have the same file leave the question open; the file itself is the same.
        for channel, record in found[:1]:
            records[row.name] = record
            known[channel.name] = channel
            witnesses[channel.name].append(row)
    certain = {
        name: rows
        for name, rows in witnesses.items()
        if len(rows) >= _WITNESSES or any(not (row.build or "").isdigit() for row in rows)
    }
    channels = tuple((channel, tuple(certain[name])) for name, channel in known.items() if name in certain)
    return Provenance(records=records, channels=channels)


def _record_of(row: Requirement, index: Index) -> Record | None:
    """The platform's own record of a row's name, version and build."""
    return next(
        (record for record in index.records(row.name) if record.version == row.pin and record.build == row.build),
        None,
    )
