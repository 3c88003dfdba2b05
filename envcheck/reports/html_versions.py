"""What became of every package, as the rows of one table: before, after and why."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envcheck.language import say, tell, told
from envcheck.model import PipConflict, PipRequirement, PipResolution, Report

__all__ = ["Fate", "VersionRow", "version_rows"]


class Fate(str, enum.Enum):
    """What became of a package; the order is that of interest."""

    DROPPED = "dropped"
    CHANGED = "changed"
    TO_PIP = "to pip"
    TO_CONDA = "to conda"
    ADDED = "added"
    KEPT = "kept"

    @property
    def word(self) -> str:
        """It, for a reader."""
        return told(_WORDS[self])

    @property
    def key(self) -> str:
        """One word."""
        return self.value.replace(" ", "-")


_WORDS = {
    Fate.DROPPED: say("dropped"),
    Fate.CHANGED: say("changed"),
    Fate.TO_PIP: say("to pip"),
    Fate.TO_CONDA: say("to conda"),
    Fate.ADDED: say("added"),
    Fate.KEPT: say("kept"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One package: ``before`` is what was asked for, ``after`` what the plan has; ``manager`` conda or pip."""

    name: str
    manager: str
    before: str
    after: str
    fate: Fate
    reason: str = ""


def version_rows(report: Report) -> tuple[VersionRow, ...]:
    """Every package of the source and of the plan, what was changed first, each fate in the plan's order."""
    rows = [*_conda_rows(report), *_pip_rows(report)]
    order = {fate: position for position, fate in enumerate(Fate)}
    return tuple(sorted(rows, key=lambda row: order[row.fate]))


def _conda_rows(report: Report) -> Iterator[VersionRow]:
    plan = report.plan
    asked = {
        one.requirement.name: one.requirement.pin or one.requirement.version or tell("any")
        for one in report.availability
    }
    for kept in plan.kept:
        before = asked.get(kept.name, kept.version)
        yield VersionRow(name=kept.name, manager="conda", before=before, after=kept.version, fate=Fate.KEPT)
    for changed in plan.changed:
        yield VersionRow(
            name=changed.name,
            manager="conda",
            before=changed.from_version,
            after=changed.to_version,
            fate=Fate.CHANGED,
            reason=changed.reason,
        )
    for dropped in plan.dropped:
        before = dropped.version or asked.get(dropped.name, tell("any"))
        yield VersionRow(
            name=dropped.name, manager="conda", before=before, after="", fate=Fate.DROPPED, reason=dropped.reason
        )
    for moved in plan.to_pip:
        yield VersionRow(
            name=moved.name,
            manager="conda",
            before=asked.get(moved.name, tell("any")),
            after=moved.version or tell("any"),
            fate=Fate.TO_PIP,
            reason=moved.reason,
        )
    for added in plan.added:
        yield VersionRow(
            name=added.name, manager="conda", before="", after=added.version, fate=Fate.ADDED, reason=added.reason
        )


def _pip_rows(report: Report) -> Iterator[VersionRow]:
    """The rows of the pip section, and what they need besides."""
    resolution = report.pip_resolution
    if resolution is None or resolution.trouble:
        return
    asked = {row.name: row for row in report.environment.pip if row.name is not None}
    locked = {one.name: one.version for one in resolution.distributions}
    packages = {record.name: record.version for record in report.plan.packages}
    replaced = dict(resolution.replaced)
    gone = {text: conflict for conflict in resolution.conflicts for text in conflict.requirements}
    for name, row in asked.items():
        yield _asked_row(name, row, resolution, locked=locked, packages=packages, gone=gone)
    # What conda's rows fell back upon is told there.
    listed = {*asked, *(one.name for one in report.plan.to_pip)}
    for name, version in locked.items():
        if name not in listed:
            reason = (
                tell("replaces conda's {replaced}", replaced=replaced[name])
                if name in replaced
                else tell("the pip section needs it")
            )
            yield VersionRow(name=name, manager="pip", before="", after=version, fate=Fate.ADDED, reason=reason)


def _asked_row(
    name: str,
    row: PipRequirement,
    resolution: PipResolution,
    *,
    locked: Mapping[str, str],
    packages: Mapping[str, str],
    gone: Mapping[str, PipConflict],
) -> VersionRow:
    before = row.pin or row.specifier or (tell("a reference") if row.url is not None else tell("any"))
    after, fate, reason = "", Fate.DROPPED, tell("nothing of it can be installed on the target")
    moved, provided, replaced = (dict(pairs) for pairs in (resolution.moved, resolution.provided, resolution.replaced))
    if name in locked:
        after = locked[name]
        fate = Fate.KEPT if row.pin is None or _same(row.pin, after) else Fate.CHANGED
        reason = tell("replaces conda's {replaced}", replaced=replaced[name]) if name in replaced else ""
        if fate is Fate.CHANGED and not reason:
            reason = tell("{pin} does not go together with the rest", pin=row.pin)
    elif name in moved or name in provided:
        conda = moved.get(name) or provided[name]
        after = " ".join(part for part in (conda if conda != name else "", packages.get(conda, "")) if part) or conda
        reason = tell("conda gives it in place of pip") if name in moved else tell("already given by conda")
        fate = Fate.TO_CONDA
    elif row.marker is not None:
        reason = tell("its marker leaves it out: {marker}", marker=row.marker)
    elif (conflict := gone.get(row.text)) is not None:
        reason = (
            tell("does not go together with the rest")
            if len(conflict.requirements) > 1
            else tell("needs what cannot be had")
        )
    return VersionRow(name=name, manager="pip", before=before, after=after, fate=fate, reason=reason)


def _same(one: str, other: str) -> bool:
    """Whether two texts are one version (PEP 440): ``1.0`` and ``1.0.0`` are."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
