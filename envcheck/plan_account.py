"""What became of every requirement of the source: kept, changed, dropped or moved to pip, and each time why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.language import joined, say
from envcheck.model import (
    Availability,
    Environment,
    PipPresence,
    PlanAdded,
    PlanChanged,
    PlanDropped,
    PlanKept,
    PlanObstacle,
    Presence,
    Record,
)
from envcheck.specs import dependency_parts, exact_spec, satisfies
from envcheck.variants import shared_word

if TYPE_CHECKING:
    from envcheck.clauses import Clauses
    from envcheck.conflicts import Conflicts

__all__ = ["Account", "Accounted", "account_for"]

_ON_PACKAGE_INDEX = (PipPresence.WHEEL, PipPresence.PURE_WHEEL, PipPresence.SOURCE_ONLY)
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is to be accounted for.

    ``names`` gives for every requirement that the target has in some form the name it has there, ``reasons`` what is
    different about it; ``variants`` are the words of the variants that were asked for, by name; ``clauses`` are those
    that the packages are an optimum of, ``None`` where none were made; ``free`` is whether no version was held on to.
    """

    environment: Environment
    availability: tuple[Availability, ...]
    names: Mapping[str, str]
    reasons: Mapping[str, str]
    variants: Mapping[str, frozenset[str]]
    packages: tuple[Record, ...]
    clauses: Clauses | None
    needed_by: Mapping[str, Sequence[str]]
    platform: str
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """The parts of a `envcheck.model.Plan` that say what became of what.

    ``impossible`` are dropped names of which the clauses have no version in any environment.
    """

    kept: tuple[PlanKept, ...]
    changed: tuple[PlanChanged, ...]
    dropped: tuple[PlanDropped, ...]
    to_pip: tuple[PlanDropped, ...]
    added: tuple[PlanAdded, ...]
    requirements: tuple[str, ...]
    impossible: tuple[str, ...] = ()
    obstacles: tuple[PlanObstacle, ...] = ()


def account_for(account: Account) -> Accounted:
    """Say of every requirement what became of it.

    Args:
        account: The requirements, the packages and where the reasons can be found.

    Returns:
        Every requirement in exactly one of kept, changed, dropped and to_pip, in the environment's order.
    """
    chosen = {record.name: record for record in account.packages}
    kept: list[PlanKept] = []
    changed: list[tuple[Availability, Record]] = []
    lost: list[Availability] = []
    to_pip: list[PlanDropped] = []
    for one in account.availability:
        requirement = one.requirement
        record = chosen.get(account.names.get(requirement.name, ""))
        if record is None:
            moved = _moved_to_pip(one, account.names)
            if moved is None:
                lost.append(one)
            else:
                to_pip.append(moved)
        elif record.name == requirement.name and satisfies(record.version, requirement.version):
            kept.append(PlanKept(name=requirement.name, version=record.version))
        else:
            changed.append((one, record))
    explain = _Explanations(account, [row.name for row in kept])
    listed = {account.names.get(one.requirement.name, "") for one in account.availability} & chosen.keys()
    try:
        dropped = tuple(explain.dropped(one) for one in lost)
        altered = tuple(explain.changed(one, record) for one, record in changed)
        return Accounted(
            kept=tuple(kept),
            changed=altered,
            dropped=dropped,
            impossible=tuple(row.name for row in dropped if row.name in explain.impossible),
            obstacles=tuple(
                explain.obstacles[name]
                for name in (*(row.name for row in altered), *(row.name for row in dropped))
                if name in explain.obstacles
            ),
            to_pip=tuple(to_pip),
            added=_added(account, listed),
            requirements=tuple(
                _requirement(record, account.variants.get(record.name, frozenset()))
                for record in account.packages
                if record.name in listed
            ),
        )
    finally:
        explain.close()


def _requirement(record: Record, variant: frozenset[str]) -> str:
    """The version of a package, and its variant where that was asked for."""
    word = shared_word(variant, record)
    return exact_spec(record.name, record.version, None if word is None else f"*{word}*")


def _moved_to_pip(one: Availability, names: Mapping[str, str]) -> PlanDropped | None:
    """The pip fallback of a requirement that conda cannot give the target, where the package index has one."""
    pypi = one.pypi
    if pypi is None or one.requirement.name in names or pypi.presence not in _ON_PACKAGE_INDEX:
        return None
    if one.presence not in (Presence.PYPI_ONLY, Presence.VERSION_ELSEWHERE):
        return None
    what = (
        say("only its source, to be built in the image") if pypi.presence is PipPresence.SOURCE_ONLY else say("a wheel")
    )
    lacking = (
        say("no channel has it") if one.presence is Presence.PYPI_ONLY else say("no channel has it for this Python")
    )
    return PlanDropped(
        name=one.requirement.name,
        version=pypi.version,
        reason=say("{lacking}; the package index has {what}", lacking=lacking, what=what),
    )


class _Explanations:
    """Reasons for what was changed and dropped; the conflict solver is loaded when it is first needed."""

    def __init__(self, account: Account, kept: Sequence[str]) -> None:
        self._account = account
        self._chosen = {record.name: record for record in account.packages}
        self._kept = frozenset(kept)
        python, wanted = self._chosen.get("python"), account.environment.python
        other = python is not None and wanted is not None and not satisfies(python.version, wanted)
        self._other_python = ".".join(python.version.split(".")[:2]) if python is not None and other else None
        self._listed = frozenset(account.names.values())
        self._conflicts: Conflicts | None = None
        self.impossible: set[str] = set()
        self.obstacles: dict[str, PlanObstacle] = {}

    def close(self) -> None:
        """Free the conflict solver."""
        if self._conflicts is not None:
            self._conflicts.__exit__(None, None, None)

    def changed(self, one: Availability, record: Record) -> PlanChanged:
        """Why a requirement has another version or name in the plan."""
        requirement = one.requirement
        asked = requirement.pin or requirement.version or "*"
        reason = self._account.reasons.get(requirement.name)
        if reason is None and self._account.free:
            reason = say("no version was held on to (--pins none)")
        if reason is None and requirement.name == "python" and self._other_python is not None:
            reason = say("the closest plan is one for Python {version}", version=self._other_python)
        if reason is None:
            reason = say(
                "{asked} exists for {platform}, {but}",
                asked=asked,
                platform=self._account.platform,
                but=self._but(one, record.name, requirement.version),
            )
        to_version = record.version if record.name == requirement.name else f"{record.name} {record.version}"
        return PlanChanged(name=requirement.name, from_version=asked, to_version=to_version, reason=reason)

    def dropped(self, one: Availability) -> PlanDropped:
        """Why a requirement is not in the plan."""
        requirement = one.requirement
        return PlanDropped(name=requirement.name, version=requirement.pin, reason=self._dropped_reason(one))

    def _dropped_reason(self, one: Availability) -> str:
        name, platform = one.requirement.name, self._account.platform
        match one.presence:
            case Presence.PLATFORM_ONLY:
                where = one.sightings[0].subdir if one.sightings else (one.virtual_package or say("another platform"))
                return say("it exists only for {where}", where=where)
            case Presence.NEEDS_VIRTUAL_PACKAGE if name not in self._account.names:
                return say(
                    "it needs {virtual_package}, which the target does not have", virtual_package=one.virtual_package
                )
            case Presence.PYPI_ONLY:
                detail = say(" ({detail})", detail=one.pypi.detail) if one.pypi is not None and one.pypi.detail else ""
                return say(
                    "no channel has it, and the package index has nothing for this target{detail}", detail=detail
                )
            case Presence.NOWHERE:
                return say("no channel has it for {platform}", platform=platform)
            case _:
                pass
        if not self._account.packages:
            return say("no plan was found")
        needed_by = self._account.needed_by.get(name, ())
        came = say("came along with {needed_by}; ", needed_by=", ".join(needed_by[:_NAMED])) if needed_by else ""
        if name in self._account.reasons:
            here = self._account.names.get(name, name)
            clauses = self._account.clauses
            why = joined("", (came, self._account.reasons[name]))
            if clauses is None or not clauses.universe.records.get(here):
                return why
            return joined("", (why, say("; other versions do, "), self._but(one, here, None)))
        return say(
            "{came}it exists for {platform}, {but}",
            came=came,
            platform=platform,
            but=self._but(one, self._account.names.get(name, name), None),
        )

    def _but(self, one: Availability, name: str, version: str | None) -> str:
        """``but not together with hdf5 1.14.3``: the conflict of a package, or one version of it, with what is kept."""
        clauses = self._account.clauses
        if clauses is None:
            return say("but not together with the other packages")
        records = [r for r in clauses.universe.records.get(name, ()) if satisfies(r.version, version)]
        names = self._solver(clauses).reason(name, records)
        if names is None and name in self._account.needed_by and name not in self._chosen:
            return say("but nothing in the plan needs it")
        if records:
            self.obstacles[one.requirement.name] = PlanObstacle(
                name=one.requirement.name, record=min(records, key=self._unmet), against=names or ()
            )
        if names is None:
            return say("but would need more other changes")
        if not names:
            if self._other_python is not None and not records:
                return say("but not for Python {version}", version=self._other_python)
            if version is None:
                self.impossible.add(name)
            return say("but something that it needs does not")
        described = [
            f"{other} {self._chosen[other].version}" if other in self._kept else say("any {other}", other=other)
            for other in names[:_NAMED]
        ]
        listed = joined(", ", described)
        if len(names) > _NAMED:
            listed = say("{names} and {count} more", names=listed, count=len(names) - _NAMED)
        return say("but not together with {names}", names=listed)

    def _unmet(self, record: Record) -> tuple[int, int, str]:
        """How much a record needs that the plan has otherwise or not at all; by build where that is equal."""
        unmet = 0
        for dependency in record.depends:
            name, version, _ = dependency_parts(dependency)
            chosen = self._chosen.get(name)
            unmet += chosen is None or not satisfies(chosen.version, version)
        return unmet, -record.build_number, record.build

    def _solver(self, clauses: Clauses) -> Conflicts:
        if self._conflicts is None:
            kept = {}
            for name, record in self._chosen.items():
                if name not in self._listed:
                    continue
                # What was kept is kept at its version, what was changed is present in whatever version.
                records = clauses.universe.records.get(name, ())
                exact = name in self._kept
                literal = clauses.any_of(r for r in records if not exact or r.version == record.version)
                if literal is not None:
                    kept[name] = literal
            from envcheck.conflicts import Conflicts

            self._conflicts = Conflicts(clauses, kept)
        return self._conflicts


def _added(account: Account, listed: set[str]) -> tuple[PlanAdded, ...]:
    """The packages that the source does not list, each with one that needs it."""
    needed_by: dict[str, str] = {}
    for record in account.packages:
        for dependency in record.depends:
            needed_by.setdefault(dependency_parts(dependency)[0], record.name)
    return tuple(
        PlanAdded(
            name=record.name,
            version=record.version,
            reason=say("the pip section needs it")
            if record.name in account.environment.implied
            else say("{name} needs it", name=needed_by.get(record.name) or say("the plan")),
        )
        for record in account.packages
        if record.name not in listed
    )
