"""Whether the conda packages of a lock go together, before the judge that knows no solver (`envcheck.locks.judge`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from envcheck.locks.contents import package_from_url
from envcheck.locks.judge import Objection, ObjectionKind, judge_solution
from envcheck.model import Record, Target
from envcheck.rules.lock_facts import ClosureProblem, LockEntry, Place
from envcheck.specs import dependency_parts, matches, version_key

__all__ = ["judge_closure", "record_of"]

_MD5 = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Told better by the lock's own check, which knows categories, environments and lines.
_TOLD_ELSEWHERE = (ObjectionKind.TWICE, ObjectionKind.WRONG_PLATFORM)


def judge_closure(entries: Sequence[LockEntry], target: Target) -> tuple[ClosureProblem, ...]:
    """Judge every environment of a lock.

    A package that is in its channel is judged by the channel's record, which may have been amended since the lock was
    made; any other by what the lock itself says of it.
    """
    problems: dict[ClosureProblem, None] = {}
    for environment in dict.fromkeys(entry.package.environment for entry in entries):
        of_environment = {
            (entry.package.name, entry.package.url): entry
            for entry in entries
            if entry.package.environment == environment and entry.package.manager == "conda"
        }
        problems.update(dict.fromkeys(_of_environment(environment, list(of_environment.values()), target)))
    return tuple(problems)


def _of_environment(environment: str, entries: Sequence[LockEntry], target: Target) -> Iterator[ClosureProblem]:
    records: dict[str, Record] = {}
    by_name: dict[str, LockEntry] = {}
    unreadable: set[str] = set()
    for entry in entries:
        record = record_of(entry)
        if record is None:
            unreadable.add(entry.package.name)
        elif entry.place is not Place.OTHER_PLATFORM or entry.package.name not in records:
            records.setdefault(record.name, record)
            by_name.setdefault(record.name, entry)
    # Version 0 of a virtual package says that it is there and nothing more (`__win` of a target, CEP 30).
    unversioned = {one.name for one in target.virtual_packages if one.version == "0"}
    for objection in judge_solution(list(records.values()), (), target, None):
        # Nothing can be said about what needs a package of which nothing is known.
        name = dependency_parts(objection.spec)[0]
        if objection.kind in _TOLD_ELSEWHERE or name in unreadable or (name in unversioned and objection.found):
            continue
        entry = by_name[objection.subject]
        yield ClosureProblem(
            environment=environment,
            objection=objection,
            line=entry.line,
            amended=_is_amended(objection, entry, records),
        )


def record_of(entry: LockEntry) -> Record | None:
    """The channel's record of a package, else what the lock says as one; ``None`` if its version cannot be read."""
    if entry.record is not None:
        return entry.record
    package = entry.package
    told = package_from_url(package.url)
    try:
        version_key(package.version)
    except ValueError:
        return None
    return Record(
        name=package.name,
        version=package.version,
        build=package.build or (told[2] if told else ""),
        build_number=0,
        subdir=package.platform,
        channel=entry.channel,
        url=package.url,
        md5=package.md5 if package.md5 and _MD5.fullmatch(package.md5) else None,
        sha256=package.sha256 if package.sha256 and _SHA256.fullmatch(package.sha256) else None,
        depends=tuple(f"{name} {constraint}".strip() for name, constraint in package.dependencies),
        constrains=package.constrains,
    )


def _is_amended(objection: Objection, entry: LockEntry, records: Mapping[str, Record]) -> bool:
    """Whether the lock states requirements of the package and meets them all: the channel's were changed since."""
    package = entry.package
    if entry.record is None:
        return False
    if objection.kind is ObjectionKind.CONSTRAINT:
        # Only pixi.lock states these; where any stand, this one was not among them.
        return bool(package.constrains) and objection.spec not in package.constrains
    stated = [(name, f"{name} {rest}".strip()) for name, rest in package.dependencies if not name.startswith("__")]
    return bool(stated) and all(name in records and matches(text, records[name]) for name, text in stated)
