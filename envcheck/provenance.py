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
    candidates = [row for row in rows if row.build is not None and row.pin is not None]
    records = {} if own is None else _records_of(candidates, own)
    unknown = [row for row in candidates if row.name not in records and row.channel is None and row.url is None]
    witnesses: dict[str, list[Requirement]] = defaultdict(list)
    known: dict[str, Channel] = {}
    for channel, index in others() if unknown else ():
        found = _records_of(unknown, index)
        for row in unknown:
            # Two channels that have the same file leave the question open; the file itself is the same.
            if row.name in found and row.name not in records:
                records[row.name] = found[row.name]
                known[channel.name] = channel
                witnesses[channel.name].append(row)
    certain = {
        name: rows
        for name, rows in witnesses.items()
        if len(rows) >= _WITNESSES or any(not (row.build or "").isdigit() for row in rows)
    }
    channels = tuple((channel, tuple(certain[name])) for name, channel in known.items() if name in certain)
    return Provenance(records=records, channels=channels)


def _records_of(rows: Sequence[Requirement], index: Index) -> dict[str, Record]:
    """The records of the rows that an index has in their very version and build, by name."""
    wanted = {(row.name, row.pin or "", row.build or "") for row in rows}
    found = index.builds(sorted(wanted))
    # A build string in a listing may be taken for a pattern.
    exact = [record for record in found if (record.name, record.version, record.build) in wanted]
    return {record.name: record for record in reversed(exact)}
