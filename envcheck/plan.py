"""The closest environment for the target: an optimum over clauses, proven by the engine.

What the user wants is stated as weighted MaxSAT over the records that can matter (`envcheck.universe`,
`envcheck.clauses`). The wishes, lexicographically: every direct package present; the Python minor version; direct
packages at the exact version, else the nearest, else the same minor, else the same major; transitive packages at the
exact version; few packages that the source did not have. The engine then dry-solves what was chosen, and only its
solution becomes the plan. Should it refuse what the encoding allows, that candidate is cut off and the next one tried.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from envcheck.clauses import Clauses
from envcheck.engines import Index
from envcheck.intent import Intent
from envcheck.model import (
    Availability,
    Channel,
    Environment,
    PinPolicy,
    Plan,
    PlanDropped,
    Presence,
    Record,
    Solved,
    Target,
)
from envcheck.plan_account import Account, account_for
from envcheck.specs import satisfies, sort_versions
from envcheck.survey import World, installable
from envcheck.universe import Universe, python_constraints
from envcheck.wishes import Wish, wish_for

__all__ = ["make_plan"]

_SOLVE_SECONDS = 20.0
# Candidates that the engine may refuse before it is asked for ever less of them.
_CANDIDATES = 4
# Other Pythons that are tried when the one asked for cannot have all direct packages.
_OTHER_PYTHONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """An optimum: the records chosen, the clauses they are an optimum of, and whether the search ran to its end."""

    chosen: tuple[Record, ...]
    clauses: Clauses
    optimal: bool


def make_plan(
    environment: Environment,
    target: Target,
    availability: Sequence[Availability],
    world: World,
    intent: Intent,
    *,
    pins: PinPolicy = PinPolicy.PRESERVE,
    effort: float,
) -> Plan:
    """Find the closest environment that solves on the target.

    Args:
        environment: The normalized environment.
        target: The target.
        availability: Where every requirement stands, in the environment's order.
        world: The index and what else can be loaded.
        intent: Which requirements are direct.
        pins: How much of the versions may change.
        effort: Seconds that the search for the optimum may take; a good plan is given when they run out.

    Returns:
        The plan; not ``solved`` when nothing that was tried has a solution or a channel could not be read.
    """
    if any(one.presence is Presence.UNKNOWN for one in availability):
        dropped = tuple(
            PlanDropped(name=one.requirement.name, version=one.requirement.pin, reason="a channel could not be read")
            for one in availability
        )
        return Plan(dropped=dropped, direct=intent.direct, explanation="not every channel could be read")
    added_channels = _added_channels(availability, world)
    index = world.with_channels(added_channels)
    direct = frozenset(intent.direct)
    pythons = index.matching(f"python {environment.python}") if environment.python is not None else ()
    python = pythons[0].version if pythons else None
    wishes = tuple(
        wish for one in availability if (wish := wish_for(one, target, index, direct, python=python)) is not None
    )
    search = _Search(wishes, environment, target, index, pins, deadline=time.monotonic() + effort)
    packages = search.run()
    account = account_for(
        Account(
            environment=environment,
            availability=tuple(availability),
            names={wish.requirement.name: wish.name for wish in wishes},
            reasons={wish.requirement.name: wish.reason for wish in wishes if wish.reason is not None},
            packages=packages,
            clauses=search.clauses,
            needed_by=dict(intent.needed_by),
            platform=target.platform,
        )
    )
    return Plan(
        kept=account.kept,
        changed=account.changed,
        dropped=account.dropped,
        to_pip=account.to_pip,
        added=account.added,
        requirements=account.requirements,
        direct=intent.direct,
        added_channels=added_channels,
        packages=packages,
        solved=bool(packages),
        explanation="" if packages else search.explanation,
        optimal=search.optimal,
        disagreements=search.disagreements,
    )


def _added_channels(availability: Sequence[Availability], world: World) -> tuple[Channel, ...]:
    """The fewest other channels, in their order, that have what the target's own channels do not even know by name."""
    wanted = [one.sightings for one in availability if one.presence is Presence.OTHER_CHANNEL]
    chosen: list[Channel] = []
    for channel, _ in world.other_channels(world.index.platform) if wanted else ():
        still_wanted = [
            sightings for sightings in wanted if not any(s.channel == one.name for s in sightings for one in chosen)
        ]
        if any(sighting.channel == channel.name for sightings in still_wanted for sighting in sightings):
            chosen.append(channel)
    return tuple(chosen)


class _Search:
    """The search of one plan: the optimum, the engine's proof of it, and what to try when the engine refuses."""

    def __init__(
        self,
        wishes: tuple[Wish, ...],
        environment: Environment,
        target: Target,
        index: Index,
        pins: PinPolicy,
        *,
        deadline: float,
    ) -> None:
        self._wishes = wishes
        self._environment = environment
        self._target = target
        self._index = index
        self._pins = pins
        self._deadline = deadline
        self._implied = tuple(name for name in environment.implied if name in index.names())
        pythons = index.matching(f"python {environment.python}") if environment.python is not None else ()
        self._python = pythons[0].version if pythons else None
        self.clauses: Clauses | None = None
        self.explanation = ""
        self.optimal = True
        self.disagreements = 0

    def run(self) -> tuple[Record, ...]:
        """The packages of the closest environment that the engine proves; empty where there is none."""
        if not self._wishes and not self._implied:
            self.explanation = "nothing was asked for"
            return ()
        if self._pins is PinPolicy.EXACT:
            return self._everything_exact()
        candidate = self._best_candidate()
        if candidate is None:
            self.explanation = "no set of records for the target is free of contradictions"
            return ()
        self.clauses = candidate.clauses
        self.optimal = candidate.optimal
        packages = self._proven(candidate)
        if not packages and not self.explanation:
            self.explanation = f"nothing that was asked for can be installed on {self._target.platform}"
        return packages

    def _everything_exact(self) -> tuple[Record, ...]:
        specs = [self._with_channel(wish, wish.exact) for wish in self._wishes if wish.exact is not None]
        if len(specs) < len(self._wishes):
            self.explanation = "versions are missing on the target and none may change (--pins exact)"
            return ()
        return self._solve(specs, ()) or ()

    def _best_candidate(self) -> _Candidate | None:
        """The optimum with the Python asked for, or with another one where only that holds more direct packages."""
        if self._python is None:
            return self._candidate(None)
        best = self._candidate(self._python)
        # Another Python is a large change: it is tried for packages that have no build for this one, and not for those
        # that have one and conflict with others.
        if best is not None and all(best.clauses.universe.records[wish.name] for wish in self._lost(best)):
            return best
        for version in self._other_pythons(self._python, best):
            other = self._candidate(version)
            if other is not None and (best is None or len(self._lost(other)) < len(self._lost(best))):
                best = other
        return best

    def _lost(self, candidate: _Candidate) -> list[Wish]:
        names = {record.name for record in candidate.chosen}
        return [wish for wish in self._wishes if wish.direct and wish.name not in names]

    def _other_pythons(self, version: str, best: _Candidate | None) -> list[str]:
        """The newest patch of the minor versions that every lost package is built for, the closest minor first."""
        minors: dict[tuple[int, ...], str] = {}
        for other in sort_versions({record.version for record in self._index.records("python")}):
            minors[_minor(other)] = other
        minors.pop(_minor(version), None)
        lost = [] if best is None else self._lost(best)
        fitting = [
            other
            for other in minors.values()
            if all(
                any(installable(record, self._target, other) for record in self._index.records(wish.name))
                for wish in lost
            )
        ]
        here = _minor(version)
        fitting.sort(key=lambda other: (abs(_minor(other)[-1] - here[-1]), _minor(other) < here))
        return fitting[:_OTHER_PYTHONS] if lost else []

    def _candidate(self, python: str | None) -> _Candidate | None:
        names = [wish.name for wish in self._wishes] + ["python"] * (python is not None) + list(self._implied)
        clauses = Clauses(Universe(names, self._index, self._target, python))
        needed = [clauses.universe.records.get(name, ()) for name in self._implied]
        if python is not None:
            # Packages for any Python leave the choice open: it is this one.
            pythons = clauses.universe.records.get("python", ())
            needed.append(tuple(record for record in pythons if _minor(record.version) == _minor(python)))
        for records in needed:
            present = clauses.any_of(records)
            clauses.hard.append([present] if present is not None else [])
        if self._pins is PinPolicy.MINOR:
            self._hold_minors(clauses)
        levels = self._levels(clauses)
        if not any(levels):
            return None  # Nothing is wished for that the target has; the MaxSAT solver fails without any wish.
        optimal = True
        # When time runs out the least important wishes are given up first; presence alone is decided in any case.
        for depth in (len(levels), 2, 1):
            left = max(self._deadline - time.monotonic(), 1.0) if depth > 1 else None
            try:
                chosen = clauses.optimum(levels[:depth], left)
            except TimeoutError:
                optimal = False
                continue
            return None if chosen is None else _Candidate(chosen=chosen, clauses=clauses, optimal=optimal)
        return None

    def _hold_minors(self, clauses: Clauses) -> None:
        """Forbid other minor versions of what is pinned (``--pins minor``)."""
        for wish in self._wishes:
            pin = wish.requirement.pin
            if pin is not None:
                clauses.hard += [
                    [-clauses.literal(record)]
                    for record in clauses.universe.records.get(wish.name, ())
                    if _leading(record.version, 2) != _leading(pin, 2)
                ]

    def _levels(self, clauses: Clauses) -> list[list[int]]:
        """The wishes as literals, one list per level, the most important first."""
        present: list[int | None] = []
        exact: list[int | None] = []
        nearest: list[int | None] = []
        minor: list[int | None] = []
        major: list[int | None] = []
        transitive: list[int | None] = []
        transitive_minor: list[int | None] = []
        levels: list[list[int | None]]
        for wish in self._wishes:
            records = clauses.universe.records.get(wish.name, ())
            granted = clauses.any_of(self._granting(wish, clauses.universe))
            if not wish.direct:
                transitive.append(granted)
                transitive_minor.append(clauses.any_of(self._alike(wish, records, 2)))
                continue
            present.append(clauses.any_of(records))
            exact.append(granted)
            nearest.append(clauses.any_of([record for record in records if record.version == wish.nearest]))
            minor.append(clauses.any_of(self._alike(wish, records, 2)))
            major.append(clauses.any_of(self._alike(wish, records, 1)))
        names = {wish.name for wish in self._wishes}
        absent: list[int | None] = [clauses.absent(name) for name in clauses.universe.records if name not in names]
        if self._pins is PinPolicy.NONE:
            levels = [present, absent]
        else:
            levels = [present, exact, nearest, minor, major, transitive, transitive_minor, absent]
        return [[literal for literal in level if literal is not None] for level in levels]

    def _alike(self, wish: Wish, records: Sequence[Record], count: int) -> list[Record]:
        """The records whose version shares its first ``count`` segments with the pin."""
        pin = wish.requirement.pin
        if pin is None:
            return []
        return [record for record in records if _leading(record.version, count) == _leading(pin, count)]

    def _granting(self, wish: Wish, universe: Universe) -> tuple[Record, ...]:
        """The records that are exactly what was asked for."""
        return () if wish.exact is None else universe.matching(wish.exact)

    def _proven(self, candidate: _Candidate) -> tuple[Record, ...]:
        """The engine's solution of a candidate, of the next best one, or at last of ever less of it."""
        chosen = candidate.chosen
        self._python = next((record.version for record in chosen if record.name == "python"), None)
        for _ in range(_CANDIDATES):
            solution = self._solve(self._specs(chosen), self._granted(chosen))
            if solution is not None:
                return solution
            self.disagreements += 1
            names = {wish.name for wish in self._wishes}
            candidate.clauses.forbid_together([record for record in chosen if record.name in names])
            try:
                following = candidate.clauses.optimum(
                    self._levels(candidate.clauses), max(self._deadline - time.monotonic(), 1.0)
                )
            except TimeoutError:
                break
            if following is None:
                break
            chosen = following
        direct = {wish.name for wish in self._wishes if wish.direct}
        fewer = [spec for spec in self._specs(chosen) if spec.split(" ")[0].rpartition("::")[2] in direct]
        for specs in (fewer, [spec.split(" ")[0] for spec in fewer]):
            solution = self._solve(specs, chosen)
            if solution is not None:
                self.optimal = False
                return solution
        return ()

    def _specs(self, chosen: Sequence[Record]) -> list[str]:
        """What the engine is asked for: what was granted exactly as asked, the rest as close as it was chosen."""
        by_name = {record.name: record for record in chosen}
        specs: list[str] = []
        for wish in self._wishes:
            record = by_name.get(wish.name)
            if record is None:
                continue
            if self._pins is PinPolicy.NONE:
                # The versions are free, but the records were chosen for this Python.
                specs.append(f"python {_leading(record.version, 2)}.*" if wish.name == "python" else wish.name)
            elif wish.exact is not None and satisfies(record.version, wish.version):
                specs.append(self._with_channel(wish, wish.exact))
            else:
                specs.append(self._closest_spec(wish, record))
        python = by_name.get("python")
        if python is not None and all(wish.name != "python" for wish in self._wishes):
            specs.append(f"python {_leading(python.version, 2)}.*")
        return specs

    def _closest_spec(self, wish: Wish, record: Record) -> str:
        """What holds on to a version that was not granted, and leaves the engine to find the newest there."""
        pin = wish.requirement.pin
        if record.version == wish.nearest:
            return f"{wish.name} =={record.version}"
        for count in (2, 1) if pin is not None else ():
            if _leading(record.version, count) == _leading(pin or "", count):
                return f"{wish.name} {_leading(record.version, count)}.*"
        return wish.name

    def _granted(self, chosen: Sequence[Record]) -> list[Record]:
        """The chosen records but for those wishes that got another version than asked: there the engine is free."""
        free = {
            wish.name
            for wish in self._wishes
            for record in chosen
            if record.name == wish.name
            and record.version != wish.nearest
            and (wish.exact is None or not satisfies(record.version, wish.version))
        }
        return [record for record in chosen if record.name not in free]

    def _with_channel(self, wish: Wish, spec: str) -> str:
        return spec if wish.channel is None else f"{wish.channel}::{spec}"

    def _solve(self, specs: Sequence[str], preferred: Sequence[Record]) -> tuple[Record, ...] | None:
        if self._pins is PinPolicy.NONE:
            preferred = ()  # The optimum says which packages go together; of their versions it had no wish.
        outcome = self._index.solve(
            [*specs, *self._implied],
            preferred=preferred,
            constraints=python_constraints(self._python),
            timeout=_SOLVE_SECONDS,
        )
        if isinstance(outcome, Solved):
            return outcome.packages
        self.explanation = outcome.explanation
        return None


def _leading(version: str, count: int) -> str:
    return ".".join(version.split(".")[:count])


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
