"""Records of repodata as they stand in its JSON (CEP 36), decoded strictly: what rattler would refuse is refused."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Literal

import msgspec

from envcheck.engines.record_store import Members, StoreDamagedError
from envcheck.model import Record

__all__ = ["StoredRow", "members_with", "needed_names", "record_of", "rows_of"]

# The name of a dependency is all up to its constraint; a channel may stand before it (CEP 29).
_NAME = re.compile(r"\s*(?:[^\s\[]*::)?\s*([^\s=<>!~;,\[]+)")
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
_RAW_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])


def rows_of(members: Members) -> dict[str, StoredRow]:
    """The records of a name, by the names of their files.

    Raises:
        StoreDamagedError: They are no records.
    """
    try:
        return {**_DECODER.decode(b"{" + members.packages + b"}"), **_DECODER.decode(b"{" + members.conda + b"}")}
    except msgspec.DecodeError as error:
        raise StoreDamagedError(str(error)) from error


def needed_names(row: StoredRow) -> Iterator[str]:
    """The names of everything that a record depends on, by an extra or in any case; one may come twice."""
    for text in chain(row.depends, *(row.extra_depends or {}).values()):
        yield _dependency_name(text)


@functools.lru_cache(maxsize=65536)
def _dependency_name(dependency: str) -> str:
    """The name in a dependency, in small letters; empty where there is none."""
    found = _NAME.match(dependency)
    return found[1].lower() if found is not None else ""


def members_with(members: Members, version: str, build: str) -> tuple[Members, frozenset[str]]:
    """The records of a name that are in a version and build, and the names of what they depend on.

    Args:
        members: All records of the name.
        version: The version as they spell it.
        build: The build.

    Raises:
        StoreDamagedError: They are no records.
    """
    rows = {filename: row for filename, row in rows_of(members).items() if (row.version, row.build) == (version, build)}

    def kept(part: bytes) -> bytes:
        raw = _RAW_DECODER.decode(b"{" + part + b"}") if part and rows else {}
        return b",".join(
            msgspec.json.encode(filename) + b":" + bytes(raw[filename]) for filename in rows if filename in raw
        )

    needs = frozenset(chain.from_iterable(needed_names(row) for row in rows.values()))
    return Members(packages=kept(members.packages), conda=kept(members.conda)), needs


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
