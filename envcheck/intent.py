"""What the user asked for: which rows of an export are direct, and which only came along.

An export does not say. Its rows are found in the source platform's repodata, where their real dependencies stand; a row
that nothing else in the export needs was asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from envcheck.builds import variant_words
from envcheck.engines import Index
from envcheck.model import Intent, Record, Requirement
from envcheck.specs import dependency_parts

__all__ = ["infer_intent"]


# The virtual packages of other operating systems (CEP 30), by the first part of a platform's name.
_FOREIGN: Mapping[str, frozenset[str]] = defaultdict(
    frozenset,
    win=frozenset({"__unix", "__linux", "__osx"}),
    linux=frozenset({"__win", "__osx"}),
    osx=frozenset({"__win", "__linux"}),
)


def infer_intent(
    requirements: Sequence[Requirement],
    indexes: Sequence[Index],
    *,
    full_export: bool,
    records: Mapping[str, Record] | None = None,
) -> Intent:
    """Tell direct requirements from transitive ones.

    Args:
        requirements: The rows of the source, one per name, builds as the source wrote them.
        indexes: Where records are looked up, the source platform's first.
        full_export: Whether the rows list everything installed; otherwise all of them are direct.
        records: The very records of rows, by name, as far as they are known.

    Returns:
        The intent. ``python`` is always direct, and so is a row that no index knows and nothing needs.
    """
    names = tuple(requirement.name for requirement in requirements)
    variants = tuple(
        (requirement.name, tuple(sorted(words)))
        for requirement in requirements
        if (words := variant_words(requirement.build or ""))
    )
    records = records or {}
    identified = tuple((name, records[name].channel) for name in names if name in records)
    if not full_export:
        return Intent(direct=names, variants=variants, identified=identified)
    needs = {requirement.name: _needs(requirement, records, indexes, frozenset(names)) for requirement in requirements}
    needed_by: dict[str, set[str]] = {name: set() for name in names}
    for name, dependencies in needs.items():
        for dependency in dependencies:
            needed_by[dependency].add(name)
    reachable = {name: _reachable(name, needs) for name in names}
    direct = []
    transitive = []
    for name in names:
        # Of packages that need each other, each is direct unless something outside the circle needs one of them, or it
        # is a part of another one: such circles mostly come from versions whose records are not known.
        circle = {name, *(other for other in reachable[name] if name in reachable[other])}
        outside = set().union(*(needed_by[member] for member in circle)) - circle
        is_part = any(name.startswith(f"{other}-") for other in needed_by[name])
        if name == "python" or not (outside or is_part):
            direct.append(name)
        else:
            transitive.append((name, tuple(sorted(needed_by[name]))))
    return Intent(direct=tuple(direct), needed_by=tuple(transitive), variants=variants, identified=identified)


def _needs(
    requirement: Requirement, records: Mapping[str, Record], indexes: Sequence[Index], names: frozenset[str]
) -> frozenset[str]:
    """The rows that a row depends on: by its record, else by those of its version, else of any version."""
    if requirement.name in records:
        candidates: Sequence[Record] = (records[requirement.name],)
    else:
        known = [_candidates(requirement, index) for index in indexes]
        same = next((found for found in known if found and found[0].version == requirement.pin), None)
        candidates = same or [record for found in known for record in found]
    dependencies = {dependency_parts(dependency)[0] for record in candidates for dependency in record.depends}
    return frozenset(dependencies & names - {requirement.name})


def _candidates(requirement: Requirement, index: Index) -> Sequence[Record]:
    """The very record, else all of the same version, else all of them, made for the index's own platform.

    A noarch package may come in two variants, for ``__win`` and for ``__unix``, with different dependencies.
    """
    foreign = _FOREIGN[index.platform.partition("-")[0]]

    def of_this_platform(records: Iterable[Record]) -> list[Record]:
        return [
            record
            for record in records
            if not any(dependency_parts(dependency)[0] in foreign for dependency in record.depends)
        ]

    records = index.records(requirement.name)
    same_version = of_this_platform(record for record in records if record.version == requirement.pin)
    same_build = [record for record in same_version if record.build == requirement.build]
    return same_build[:1] or same_version or of_this_platform(records)


def _reachable(start: str, needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    seen: set[str] = set()
    pending = [start]
    while pending:
        for name in needs[pending.pop()]:
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return frozenset(seen)
