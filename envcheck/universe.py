"""The records that can matter for a plan: reachable from what is wished for, possible on the target, each kind once.

What Python rules out is left out before anything is encoded, and records that differ in nothing that another record or
a wish could see are merged, so that a question over hundreds of thousands of records becomes one over a few thousand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from operator import attrgetter

from envcheck.builds import implementation_of_build, variant_words
from envcheck.engines import Index
from envcheck.model import Record, Target
from envcheck.specs import dependency_parts, sort_versions
from envcheck.survey import Installable

__all__ = ["Universe", "patches", "python_constraints"]

_URL = attrgetter("url")


def patches(index: Index, python: str | None) -> tuple[str, ...] | None:
    """The versions of Python that share a version's minor, the newest first; ``None`` for no version."""
    if python is None:
        return None
    minor = python.split(".")[:2]
    versions = {record.version for record in index.records("python")}
    return tuple(version for version in sort_versions(versions, newest_first=True) if version.split(".")[:2] == minor)


def python_constraints(python: str | None) -> tuple[str, ...]:
    """What an engine must be told besides the requirements, so that builds are for the Python that is installed.

    Builds are bound to ``python_abi``, and some of pkgs/main's forget to constrain Python: an engine may put builds for
    Python 3.14 beside Python 3.10, where they cannot be imported.

    Args:
        python: The version of Python that is going to be there.
    """
    return () if python is None else (f"python_abi {'.'.join(python.split('.')[:2])}.*",)


class Universe:
    """The records reachable from some names.

    Args:
        names: What is wished for.
        index: The loaded channels.
        target: The target; records that need a virtual package it lacks are left out.
        pythons: The versions of Python that may be had; records bound to another one are left out. ``None`` keeps the
            records of every Python.
        wanted: MatchSpecs, with their channels if they ask for one, that tell records apart besides the records' own.
    """

    def __init__(
        self,
        names: Iterable[str],
        index: Index,
        target: Target,
        pythons: tuple[str, ...] | None,
        wanted: Iterable[str] = (),
    ) -> None:
        self._index = index
        self._kept: dict[str, Mapping[str, Record]] = {}
        self._strict = target.channel_priority == "strict"
        all_records = self._reach(names, target, pythons)
        self._matching: dict[str, tuple[str, ...]] = {}
        self._matching_records: dict[str, tuple[Record, ...]] = {}
        specs_of: dict[str, list[str]] = {name: [] for name in all_records}
        for spec in wanted:
            self._matching[spec] = self._urls(spec)
            specs_of.setdefault(_name(spec), []).append(spec)
        said = {spec for records in all_records.values() for record in records for spec in record.depends}
        said.update(spec for records in all_records.values() for record in records for spec in record.constrains)
        for spec in said.difference(self._matching):
            name = dependency_parts(spec)[0]
            if name in specs_of:
                self._matching[spec] = self._urls(spec)
                specs_of[name].append(spec)
        self.records: Mapping[str, tuple[Record, ...]] = {
            name: self._merged(records, specs_of[name]) for name, records in all_records.items()
        }

    def matching(self, spec: str) -> tuple[Record, ...]:
        """The records that satisfy a dependency, a constraint, or any other MatchSpec."""
        known = self._matching_records.get(spec)
        if known is None:
            urls = self._matching.get(spec)
            if urls is None:
                urls = self._matching[spec] = self._urls(spec)
            name = _name(spec)
            kept = self._kept.get(name)
            if kept is None:
                kept = self._kept[name] = {record.url: record for record in self.records.get(name, ())}
            known = tuple([kept[url] for url in urls if url in kept])
            self._matching_records[spec] = known
        return known

    def _urls(self, spec: str) -> tuple[str, ...]:
        try:
            return tuple(map(_URL, self._index.matching(spec)))
        except ValueError:  # repodata holds a few entries that are no MatchSpec: nothing can satisfy them
            return ()

    def _reach(self, names: Iterable[str], target: Target, pythons: tuple[str, ...] | None) -> dict[str, list[Record]]:
        reached: dict[str, list[Record]] = {}
        pending = deque(dict.fromkeys(names))
        seen = set(pending)
        dependencies: set[str] = set()
        is_installable = Installable(target, pythons)
        self._index.prefetch(pending)
        while pending:
            name = pending.popleft()
            records = self._index.records(name)
            if self._strict and records:
                records = tuple(record for record in records if record.channel == records[0].channel)
            reached[name] = list(filter(is_installable, records))
            found = {dependency for record in reached[name] for dependency in record.depends} - dependencies
            dependencies |= found
            needed = sorted({dependency_parts(dependency)[0] for dependency in found} - seen)
            following = [dependency for dependency in needed if not dependency.startswith("__")]
            # What is needed next is read while what came before is looked at.
            self._index.prefetch(following)
            pending.extend(following)
            seen.update(following)
        return {name: reached[name] for name in sorted(reached)}

    def _merged(self, records: Iterable[Record], specs: Iterable[str]) -> tuple[Record, ...]:
        """One record of each kind: same version, same needs, and told apart by no spec of any other record."""
        records = list(records)
        seen_by: dict[str, list[int]] = {record.url: [] for record in records}
        # Most specs of a name match what another one matches.
        for number, urls in enumerate(dict.fromkeys(self._matching[spec] for spec in specs)):
            for url in urls:
                if (numbers := seen_by.get(url)) is not None:
                    numbers.append(number)
        first: dict[object, Record] = {}
        for record in records:
            kind = (
                record.version,
                frozenset(record.depends),
                frozenset(record.constrains),
                bool(record.track_features),
                variant_words(record.build),
                record.name == "python" and implementation_of_build(record.build),
                tuple(seen_by[record.url]),
            )
            first.setdefault(kind, record)
        return tuple(first.values())


def _name(spec: str) -> str:
    return dependency_parts(spec.rpartition("::")[2])[0]
