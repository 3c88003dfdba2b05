"""Where the conda packages of a lock are in the channels today, and what newer ones stand beside them.

Pure over a loaded index. Packages are compared by the canonical URL of their file, so that a mirror's URL, or one with
a token in it, finds the record of the channel that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from envcheck.channel_urls import channel_of_url
from envcheck.channels import canonical_channel
from envcheck.condarc import Configuration
from envcheck.engines import Index
from envcheck.lock_closure import record_of
from envcheck.lock_file import LocatedPackage
from envcheck.locks.contents import package_from_url
from envcheck.model import ChannelState, ChannelStatus, Record, Target
from envcheck.rules.lock_facts import LockEntry, Place
from envcheck.specs import dependency_parts, matches, satisfies, version_key

__all__ = ["canonical_url", "channels_of", "find_places", "with_newer", "with_others"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """What the URL of a conda package stands for: its channel's short name and base URL, and the file's own URL."""

    channel: str
    base: str
    subdir: str
    url: str


def canonical_url(url: str, configuration: Configuration) -> str | None:
    """The URL of a conda package's file as records have it, ``None`` for what is no such URL."""
    address = _address(url, configuration)
    return None if address is None else address.url


def channels_of(packages: Iterable[LocatedPackage], configuration: Configuration) -> frozenset[str]:
    """The canonical base URLs of the channels that conda packages come from."""
    addresses = (_address(one.package.url, configuration) for one in packages if one.package.manager == "conda")
    return frozenset(address.base for address in addresses if address is not None)


def _address(url: str, configuration: Configuration) -> _Address | None:
    parts = channel_of_url(url)
    if parts is None or package_from_url(url.partition("#")[0]) is None:
        return None
    name, base = canonical_channel(parts.channel, configuration)
    base = base.rstrip("/")
    if not base:
        return None
    return _Address(channel=name, base=base, subdir=parts.subdir, url=f"{base}/{parts.subdir}/{parts.filename}")


def find_places(
    packages: Sequence[LocatedPackage],
    platform: str,
    configuration: Configuration,
    index: Index | None,
    statuses: Sequence[ChannelStatus],
) -> tuple[LockEntry, ...]:
    """An entry for every package; pip packages are left as they are.

    Args:
        packages: The lock's packages for one platform.
        platform: That platform.
        configuration: The user's, which says what URLs stand for.
        index: The channels; ``None`` if none of them could be loaded.
        statuses: How each channel answered.
    """
    addresses = {
        one.package.url: address
        for one in packages
        if one.package.manager == "conda" and (address := _address(one.package.url, configuration)) is not None
    }
    states = {status.channel.url.rstrip("/"): status for status in statuses}
    asked = {url: one for url, one in addresses.items() if _obstacle(one, platform, states) is None}
    records = _records(asked, index)
    entries: list[LockEntry] = []
    for located in packages:
        package = located.package
        entry = LockEntry(package=package, line=located.line)
        address = addresses.get(package.url)
        if address is not None:
            entry = replace(entry, channel=address.channel)
            obstacle = _obstacle(address, platform, states)
            entry = replace(entry, place=obstacle) if obstacle else _placed(entry, address, records, index)
        entries.append(entry)
    if index is None:
        return tuple(entries)
    lacking = [status.channel.name for status in statuses if status.state is ChannelState.NO_SUBDIR]
    without = {name for name in lacking if not _has_subdir(name, platform, entries, index)}
    return tuple(
        replace(entry, place=Place.NO_SUBDIR)
        if entry.channel in without and entry.place is Place.GONE and addresses[entry.package.url].subdir == platform
        else entry
        for entry in entries
    )


def _has_subdir(channel: str, platform: str, entries: Sequence[LockEntry], index: Index) -> bool:
    """Whether a channel that lacks a subdir has the platform's, as far as the lock's packages tell; else ``noarch``."""
    names = {entry.package.name for entry in entries if entry.channel == channel}
    base = next(status.channel.url.rstrip("/") for status in index.statuses if status.channel.name == channel)
    return any(record.channel == base and record.subdir == platform for name in names for record in index.records(name))


def _obstacle(address: _Address, platform: str, states: Mapping[str, ChannelStatus]) -> Place | None:
    """Why a file cannot be looked up, if it cannot."""
    if address.subdir not in (platform, "noarch"):
        return Place.OTHER_PLATFORM
    status = states.get(address.base)
    if status is None:
        return Place.NOT_ASKED
    if status.silent:
        return Place.SILENT
    return Place.NO_CHANNEL if status.state is ChannelState.NOT_FOUND else None


def _records(addresses: Mapping[str, _Address], index: Index | None) -> Mapping[str, Record]:
    """The channels' records of the builds in question, by URL."""
    if index is None:
        return {}
    told = (package_from_url(url.partition("#")[0]) for url in addresses)
    wanted = dict.fromkeys((name, version, build) for name, version, build, _ in (one for one in told if one))
    return {record.url: record for record in index.builds(wanted)}


def _placed(entry: LockEntry, address: _Address, records: Mapping[str, Record], index: Index | None) -> LockEntry:
    record = records.get(address.url)
    if record is not None:
        return replace(entry, place=Place.FOUND, record=record)
    twin = records.get(f"{address.url.removesuffix('.tar.bz2')}.conda")
    if twin is not None:
        return replace(entry, place=Place.TWIN, record=twin)
    package = entry.package
    of_channel = [one for one in (index.records(package.name) if index else ()) if one.channel == address.base]
    # A version that MatchSpec cannot read is found by its text.
    again = next((one for one in of_channel if one.url == address.url), None)
    if again is not None:
        return replace(entry, place=Place.FOUND, record=again)
    others = tuple(one for one in of_channel if one.version == package.version)
    return replace(entry, place=Place.GONE, others=others)


# ---------------------------------------------------------------------------------------------------------------------
# Newer ones, and others
# ---------------------------------------------------------------------------------------------------------------------


def with_others(entries: Sequence[LockEntry], target: Target) -> tuple[LockEntry, ...]:
    """The entries with those other builds only that are for the lock's own Python, latest first."""
    pythons = _pythons(entries)

    def chosen(entry: LockEntry) -> LockEntry:
        python = pythons.get(entry.package.environment)
        fitting = [record for record in entry.others if _fits(record, python, target)]
        return replace(entry, others=tuple(sorted(fitting, key=lambda one: (-one.build_number, one.build))))

    return tuple(chosen(entry) if entry.others else entry for entry in entries)


def with_newer(entries: Sequence[LockEntry], target: Target, index: Index | None) -> tuple[LockEntry, ...]:
    """The entries with the newest build and the newest version that their channel has for the lock's own Python.

    Whether they go along with the rest of the lock is not asked: that is a new solve's work.
    """
    if index is None:
        return tuple(entries)
    index.prefetch(dict.fromkeys(entry.package.name for entry in entries if entry.record is not None))
    pythons = _pythons(entries)
    return tuple(_newer(entry, pythons.get(entry.package.environment), target, index) for entry in entries)


def _pythons(entries: Sequence[LockEntry]) -> dict[str, Record]:
    """The Python of each environment."""
    pythons = [one for one in entries if one.package.manager == "conda" and one.package.name == "python"]
    return {one.package.environment: record for one in pythons if (record := record_of(one)) is not None}


def _newer(entry: LockEntry, python: Record | None, target: Target, index: Index) -> LockEntry:
    locked = entry.record
    if locked is None:
        return entry
    candidates = [
        record
        for record in index.records(locked.name)
        if record.channel == locked.channel and _is_newer(record, locked) and _fits(record, python, target)
    ]
    key = version_key(locked.version)
    builds = [record for record in candidates if version_key(record.version) == key]
    versions = [record for record in candidates if version_key(record.version) != key]
    return replace(
        entry,
        newer_build=max(builds, key=lambda one: (one.build_number, one.timestamp or 0), default=None),
        newer_version=max(versions, key=lambda one: (version_key(one.version), one.build_number), default=None),
    )


def _is_newer(record: Record, locked: Record) -> bool:
    try:
        ours, theirs = version_key(record.version), version_key(locked.version)
    except ValueError:
        return False
    return ours > theirs or (ours == theirs and record.build_number > locked.build_number)


def _fits(record: Record, python: Record | None, target: Target) -> bool:
    """Whether a record is for the lock's Python and for a machine such as the target."""
    if record.name == "python":
        # Another minor version is another environment.
        return python is None or record.version.split(".")[:2] == python.version.split(".")[:2]
    virtual = {package.name: package.version for package in target.virtual_packages}
    for dependency in record.depends:
        name, version, _ = dependency_parts(dependency)
        if name.startswith("__") and not (name in virtual and satisfies(virtual[name], version)):
            return False
        if name == "python" and python is not None and not matches(dependency, python):
            return False
        if name == "python_abi" and python is not None and not _same_abi(version, python):
            return False
    return True


def _same_abi(constraint: str | None, python: Record) -> bool:
    """``python_abi 3.11.* *_cp311`` is for Python 3.11 (conda-forge's documentation)."""
    return satisfies(".".join(python.version.split(".")[:2]), constraint)
