"""Records of repodata as they stand in its JSON (CEP 36), decoded strictly: what rattler would refuse is refused."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from envcheck.engines.record_store import Members, StoreDamagedError
from envcheck.model import Record

__all__ = ["StoredRow", "record_of", "rows_of"]

# Each of them ends a word, as rattler splits: two in a row have an empty one between them.
_BETWEEN_FEATURES = re.compile(r"[\s,]")
# Timestamps are in seconds or in milliseconds; one beyond the last second of the year 9999 is in milliseconds.
_LAST_SECOND = 253_402_300_799

_Count = Annotated[int, msgspec.Meta(ge=0)]


class StoredRow(msgspec.Struct, gc=False):
    """What a record says, as far as anybody here asks."""

    name: str
    version: str
    build: str
    build_number: _Count
    subdir: str | None = None
    depends: list[str] = []
    constrains: list[str] = []
    md5: Annotated[str, msgspec.Meta(min_length=32, max_length=32)] | None = None
    sha256: Annotated[str, msgspec.Meta(min_length=64, max_length=64)] | None = None
    size: _Count | None = None
    timestamp: int | None = None
    noarch: Literal["python", "generic"] | bool | None = None
    track_features: str | list[str] | msgspec.UnsetType = msgspec.UNSET  # rattler refuses a null here
    extra_depends: dict[str, list[str]] | None = None


_DECODER = msgspec.json.Decoder(dict[str, StoredRow])


def rows_of(members: Members) -> dict[str, StoredRow]:
    """The records of a name, by the names of their files.

    Raises:
        StoreDamagedError: They are no records.
    """
    try:
        return {**_DECODER.decode(b"{" + members.packages + b"}"), **_DECODER.decode(b"{" + members.conda + b"}")}
    except msgspec.DecodeError as error:
        raise StoreDamagedError(str(error)) from error


def record_of(filename: str, row: StoredRow, channel: str, subdir: str) -> Record:
    """A row in envcheck's words.

    Args:
        filename: The package's file.
        row: What the repodata says of it.
        channel: The canonical base URL of the channel, without a slash at its end.
        subdir: The subdir of the repodata.
    """
    noarch = row.noarch
    return Record(
        name=row.name.lower(),
        version=row.version,
        build=row.build,
        build_number=row.build_number,
        subdir=subdir,
        channel=channel,
        url=f"{channel}/{subdir}/{filename}",
        md5=row.md5.lower() if row.md5 is not None else None,
        sha256=row.sha256.lower() if row.sha256 is not None else None,
        size=row.size,
        timestamp=_milliseconds(row.timestamp),
        noarch="generic" if noarch is True else noarch or None,
        depends=tuple(row.depends),
        constrains=tuple(row.constrains),
        track_features=_features(row.track_features),
    )


def _milliseconds(timestamp: int | None) -> int | None:
    if timestamp is None:
        return None
    return timestamp if timestamp > _LAST_SECOND else timestamp * 1000


def _features(said: str | list[str] | msgspec.UnsetType) -> tuple[str, ...]:
    if isinstance(said, msgspec.UnsetType):
        return ()
    return tuple(_BETWEEN_FEATURES.split(said)) if isinstance(said, str) else tuple(said)
