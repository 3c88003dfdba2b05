"""What keeps one package out of an environment: the packages of its plan that it does not go together with.

The reason is found as the plan finds its own, as a minimal set of contradicting packages (`envcheck.conflicts`), and
the engine has the last word: whatever it can solve is not called a conflict.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from envcheck.clauses import Clauses
from envcheck.conflicts import Conflicts
from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import Outcome, PlanDropped, Record, Report, Requirement, Solved, Target
from envcheck.specs import dependency_parts, sort_versions, spec_text
from envcheck.survey import World, installable, missing_virtual_package
from envcheck.universe import Universe, patches, python_constraints

__all__ = ["Obstacle", "Opponent", "Standing", "standing_in"]

_SOLVE_SECONDS = 20.0


class Obstacle(str, enum.Enum):
    """What keeps the package out; ``HELD`` and ``NONE``: nothing does."""

    HELD = "held"
    NONE = "none"
    ABSENT = "absent"
    PYTHON = "python"
    CONFLICT = "conflict"
    MISSING = "missing"
    ENGINE = "engine"
    NO_PLAN = "no-plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opponent:
    """A package of the plan that takes part in a conflict; ``clash`` is what the two disagree about, where it shows."""

    name: str
    version: str
    direct: bool
    clash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a package stands in an environment.

    ``row`` is the source's line for it; ``direct`` whether the user asked for it, and ``needed_by`` the rows that it
    came along with otherwise. ``held`` is the version that the plan has, ``needed_there`` what needs it in the plan,
    ``plan_reason`` what the plan says of its row. ``asked`` is the spec in question, and ``obstacle`` what keeps it
    out: with ``CONFLICT`` the ``opponents`` are a minimal set, which the engine refuses as well where ``confirmed``;
    ``python`` is told where that Python is a part of the reason, ``pythons`` those that builds exist for. ``detail`` is
    what is missing, or the engine's prose where no clash shows, ``closest`` the version that would go together with
    the rest; ``changes`` counts the other packages that would have another version with it.
    """

    source: str
    row: Requirement | None
    direct: bool
    needed_by: tuple[str, ...]
    held: str | None
    needed_there: tuple[str, ...]
    plan_reason: str
    asked: str
    obstacle: Obstacle
    opponents: tuple[Opponent, ...] = ()
    python: str | None = None
    pythons: tuple[str, ...] = ()
    detail: str = ""
    closest: str | None = None
    changes: int = 0
    confirmed: bool = False

    @property
    def fine(self) -> bool:
        """Whether nothing keeps the package out."""
        return self.obstacle in (Obstacle.HELD, Obstacle.NONE)


def standing_in(requirement: Requirement, report: Report, world: World) -> Standing:
    """Say where a package stands in an environment, and what keeps it out.

    Args:
        requirement: What is asked for. Without a version it is the source's own row that is in question, if the plan
            does not hold it, and otherwise any version.
        report: The check of the environment.
        world: Where the report's target can be asked.

    Returns:
        The standing; `Obstacle.NO_PLAN` where the check found no plan to compare with.
    """
    row = next((one for one in report.export.requirements if one.name == requirement.name), None)
    held = next((one for one in report.plan.packages if one.name == requirement.name), None)
    asked = requirement
    if requirement.version is None and requirement.build is None and row is not None:
        # A build of another platform is nothing to ask for.
        asked = replace(requirement, version=row.version)
    needed_by = {} if report.intent is None else dict(report.intent.needed_by)
    blank = Standing(
        source=report.export.path,
        row=row,
        direct=requirement.name in report.plan.direct,
        needed_by=needed_by.get(requirement.name, ()),
        held=None if held is None else held.version,
        needed_there=_dependents(requirement.name, report.plan.packages),
        plan_reason=_plan_reason(requirement.name, report),
        asked=spec_text(asked),
        obstacle=Obstacle.NO_PLAN,
        detail=report.plan.explanation,
    )
    if not report.plan.solved:
        return blank
    return _Question(asked, report, world.with_channels(report.plan.added_channels), held).answer(blank)


def _dependents(name: str, packages: Iterable[Record]) -> tuple[str, ...]:
    return tuple(
        record.name
        for record in packages
        if any(dependency_parts(dependency)[0] == name for dependency in record.depends)
    )


def _plan_reason(name: str, report: Report) -> str:
    plan = report.plan
    for changed in plan.changed:
        if changed.name == name:
            return changed.reason
    left_out: Sequence[PlanDropped] = (*plan.dropped, *plan.to_pip)
    for dropped in left_out:
        if dropped.name == name:
            return dropped.reason
    return next((added.reason for added in plan.added if added.name == name), "")


class _Question:
    """Whether a spec goes together with a plan, and if not, why."""

    def __init__(self, asked: Requirement, report: Report, index: Index, held: Record | None) -> None:
        self._asked = asked
        self._spec = spec_text(asked)
        self._index = index
        self._held = held
        self._target: Target = replace(report.target, channels=(*report.target.channels, *report.plan.added_channels))
        self._packages = {record.name: record for record in report.plan.packages}
        # The plan's requirements hold versions, and variants where these were asked for.
        self._specs = {dependency_parts(spec)[0]: spec for spec in report.plan.requirements}
        self._kept = tuple(name for name in self._specs if name in self._packages and name != asked.name)
        self._direct = frozenset(report.plan.direct)
        python = self._packages.get("python")
        self._python = None if python is None else python.version

    def answer(self, blank: Standing) -> Standing:
        """The standing, with what keeps the spec out."""
        matching = self._index.matching(self._spec)
        usable = [record for record in matching if missing_virtual_package(record, self._target) is None]
        if self._held is not None and any(record.url == self._held.url for record in matching):
            return replace(blank, obstacle=Obstacle.HELD, detail="")
        blank = replace(blank, detail="", closest=None if self._held is None else self._held.version)
        if not usable:
            return replace(blank, obstacle=Obstacle.ABSENT)
        if self._asked.name == "python":
            newest = sort_versions(record.version for record in usable)[-1]
            return self._another_python(blank, newest)
        if not any(installable(record, self._target, self._python) for record in usable):
            return self._with_closest(
                replace(blank, obstacle=Obstacle.PYTHON, python=_minor(self._python), pythons=self._pythons(usable))
            )
        return self._beside_the_rest(blank, self._python)

    def _pythons(self, records: Sequence[Record]) -> tuple[str, ...]:
        """The minor versions of Python that some records can be installed with, oldest first."""
        minors: dict[str, str] = {}
        for version in sort_versions(record.version for record in self._index.records("python")):
            minors[_minor(version) or version] = version
        return tuple(
            minor
            for minor, version in minors.items()
            if any(installable(record, self._target, version) for record in records)
        )

    def _another_python(self, blank: Standing, version: str) -> Standing:
        """What the plan holds that has no build for another Python; else what else is in its way."""
        without = [
            name
            for name in self._kept
            if not any(installable(record, self._target, version) for record in self._index.matching(self._specs[name]))
        ]
        if not without:
            return self._beside_the_rest(blank, version)
        opponents = [
            self._opponent(name, say("has no build for Python {minor}", minor=_minor(version)))
            for name in sorted(without, key=lambda name: (name not in self._direct, name))
        ]
        return replace(blank, obstacle=Obstacle.PYTHON, python=_minor(version), opponents=tuple(opponents))

    def _beside_the_rest(self, blank: Standing, python: str | None) -> Standing:
        """Ask the engine first: only what it refuses needs a reason."""
        kept = [self._specs[name] for name in self._kept]
        outcome = self._solve([*kept, self._spec], python)
        if isinstance(outcome, Solved):
            versions = {record.name: record.version for record in outcome.packages}
            changes = sum(
                1
                for name, record in self._packages.items()
                if name != self._asked.name and name in versions and versions[name] != record.version
            )
            return replace(
                blank,
                obstacle=Obstacle.NONE,
                closest=versions[self._asked.name],
                changes=changes,
                confirmed=True,
            )
        reason = self._reason(blank, python)
        if reason is None:
            reason = replace(blank, obstacle=Obstacle.ENGINE, detail=outcome.explanation)
        return self._with_closest(reason)

    def _reason(self, blank: Standing, python: str | None) -> Standing | None:
        """A minimal set of kept packages, of direct ones where these suffice; ``None`` where the engine disagrees."""
        wanted = [self._spec, *(self._specs[name] for name in self._kept)]
        universe = Universe(
            [*self._kept, self._asked.name], self._index, self._target, patches(self._index, python), wanted
        )
        clauses = Clauses(universe)
        fitting = [one for one in universe.records.get("python", ()) if _minor(one.version) == _minor(python)]
        present = clauses.any_of(fitting)
        if present is not None:
            clauses.hard.append([present])
        wished = universe.matching(self._spec)
        members: tuple[str, ...] | None = None
        for names in ([name for name in self._kept if name in self._direct], self._kept):
            kept = {
                name: literal
                for name in names
                if (literal := clauses.any_of(universe.matching(self._specs[name]))) is not None
            }
            with Conflicts(clauses, kept) as conflicts:
                members = conflicts.reason(self._asked.name, wished)
            if members is not None:
                break
        if members is None:
            return None
        if not members:
            return replace(blank, obstacle=Obstacle.MISSING, detail=_missing(wished, universe), python=_minor(python))
        specs = [*(self._specs[name] for name in members), self._spec]
        outcome = self._solve(specs, python)
        if isinstance(outcome, Solved):
            return None
        # The clauses hold records for one Python only: whether that one matters, the engine can tell.
        free = self._index.solve(specs, timeout=_SOLVE_SECONDS) if python is not None else outcome
        clash = _Clash(universe, wished, self._asked.name)
        opponents = [
            self._opponent(name, clash.between(name, universe.matching(self._specs[name])))
            for name in sorted(members, key=lambda name: (name not in self._direct, name))
        ]
        return replace(
            blank,
            obstacle=Obstacle.CONFLICT,
            opponents=tuple(opponents),
            python=_minor(python) if isinstance(free, Solved) else None,
            detail="" if any(opponent.clash for opponent in opponents) else outcome.explanation,
            confirmed=not outcome.cancelled,
        )

    def _with_closest(self, standing: Standing) -> Standing:
        """With the version that goes together with everything kept, or with the direct packages, if there is one."""
        if self._held is not None:
            return standing
        direct = [name for name in self._kept if name in self._direct]
        for names in dict.fromkeys((self._kept, tuple(direct))):
            outcome = self._solve([*(self._specs[name] for name in names), self._asked.name], self._python)
            if isinstance(outcome, Solved):
                version = next(one.version for one in outcome.packages if one.name == self._asked.name)
                return replace(standing, closest=version)
        return standing

    def _solve(self, specs: Sequence[str], python: str | None) -> Outcome:
        held = [] if python is None or self._asked.name == "python" else [f"python {_minor(python)}.*"]
        return self._index.solve(
            [*specs, *(spec for spec in held if not any(one.startswith("python ") for one in specs))],
            preferred=[record for name, record in self._packages.items() if name != self._asked.name],
            constraints=python_constraints(python),
            timeout=_SOLVE_SECONDS,
        )

    def _opponent(self, name: str, clash: str) -> Opponent:
        return Opponent(name=name, version=self._packages[name].version, direct=name in self._direct, clash=clash)


class _Clash:
    """What a wished package and one of the plan disagree about, as far as their own dependencies show it."""

    def __init__(self, universe: Universe, wished: Sequence[Record], name: str) -> None:
        self._universe = universe
        self._wished = wished
        self._name = name

    def between(self, other: str, records: Sequence[Record]) -> str:
        """``needs numpy >=1.17,<1.24``; the empty string where the contradiction is further down."""
        refused = self._refused(records, self._name, self._wished)
        if refused is not None:
            return say("needs {refused}", refused=refused)
        refused = self._refused(self._wished, other, records)
        if refused is not None:
            return say("{name} needs {refused}", name=self._name, refused=refused)
        theirs, ours = self._common(records), self._common(self._wished)
        for name in sorted(theirs.keys() & ours.keys()):
            if not theirs[name][1] & ours[name][1]:
                return say("needs {their}, and {name} {own}", their=theirs[name][0], name=self._name, own=ours[name][0])
        return ""

    def _refused(self, records: Sequence[Record], name: str, others: Sequence[Record]) -> str | None:
        """The dependency on a name by which every one of some records refuses all of some others."""
        urls = {record.url for record in others}
        found = None
        for record in records:
            specs = [
                spec
                for spec in record.depends
                if dependency_parts(spec)[0] == name and urls.isdisjoint(self._urls(spec))
            ]
            if not specs:
                return None
            found = found or specs[0]
        return found

    def _common(self, records: Sequence[Record]) -> dict[str, tuple[str, frozenset[str]]]:
        """What every one of some records depends on: one of the specs, and the records that any of them allows."""
        merged: dict[str, tuple[str, frozenset[str]]] = {}
        for position, record in enumerate(records):
            needs: dict[str, tuple[str, frozenset[str]]] = {}
            for spec in record.depends:
                name = dependency_parts(spec)[0]
                if not name.startswith("__"):
                    allowed = self._urls(spec)
                    needs[name] = (spec, needs[name][1] & allowed if name in needs else allowed)
            if position:
                needs = {
                    name: (merged[name][0], merged[name][1] | allowed)
                    for name, (_, allowed) in needs.items()
                    if name in merged
                }
            merged = needs
        return merged

    def _urls(self, spec: str) -> frozenset[str]:
        return frozenset(record.url for record in self._universe.matching(spec))


def _missing(records: Sequence[Record], universe: Universe) -> str:
    """The first dependency that nothing in the universe meets, for every one of some records."""
    lacking = [
        next(
            (
                spec
                for spec in record.depends
                if not dependency_parts(spec)[0].startswith("__") and not universe.matching(spec)
            ),
            None,
        )
        for record in records
    ]
    return next(iter(lacking), None) or "" if None not in lacking else ""


def _minor(version: str | None) -> str | None:
    return None if version is None else ".".join(version.split(".")[:2])
