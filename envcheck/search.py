"""The search for the closest environment: the optimum over clauses, and the engine's proof of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envcheck.builds import implementation_of_build
from envcheck.clauses import Clauses
from envcheck.conflicts import Conflicts
from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import Environment, PinPolicy, Record, Solved, Target
from envcheck.specs import satisfies, sort_versions
from envcheck.survey import installable
from envcheck.universe import Universe, patches, python_constraints
from envcheck.variants import agreeing, shared_word
from envcheck.wishes import Wish

__all__ = ["Search"]

_SOLVE_SECONDS = 20.0
# Candidates that the engine may refuse before it is asked for ever less of them.
_CANDIDATES = 4
# Other Pythons that are tried when the one asked for cannot have all direct packages.
_OTHER_PYTHONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """The environments that there are for one Python, and the wishes by level, the most important first."""

    clauses: Clauses
    levels: list[list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """An optimum: the records chosen, the question they answer, and whether the search ran to its end."""

    chosen: tuple[Record, ...]
    question: _Question
    optimal: bool


class Search:
    """The search of one plan: the optimum, the engine's proof of it, and what to try when the engine refuses.

    Args:
        wishes: What is wished for, in the environment's order.
        environment: The environment, for what it implies.
        target: The target.
        index: The target's channels and those that the plan adds.
        pins: How much of the versions may change.
        python: The newest version of the Python to have, ``None`` where any will do.
        effort: Seconds that the search may take.
        preferred: Name, version and build of packages that are kept where no wish speaks against it.
    """

    def __init__(
        self,
        wishes: tuple[Wish, ...],
        environment: Environment,
        target: Target,
        index: Index,
        pins: PinPolicy,
        *,
        python: str | None,
        effort: float,
        preferred: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        self._wishes = wishes
        self._preferred = [f"{name} =={version} {build}" for name, version, build in preferred]
        self._environment = environment
        self._target = target
        self._index = index
        self._pins = pins
        self._deadline = time.monotonic() + effort
        self._implied = tuple(name for name in environment.implied if index.records(name))
        self._python = python
        self.clauses: Clauses | None = None
        self.explanation = ""
        self.optimal = True
        self.disagreements = 0
        self.conflicts: tuple[tuple[str, ...], ...] = ()

    def run(self) -> tuple[Record, ...]:
        """The packages of the closest environment that the engine proves; empty where there is none."""
        if not self._wishes and not self._implied:
            self.explanation = say("nothing was asked for")
            return ()
        if self._pins is PinPolicy.EXACT:
            return self._everything_exact()
        candidate = self._best_candidate()
        if candidate is None:
            self.explanation = say("no set of records for the target is free of contradictions")
            return ()
        self.clauses = candidate.question.clauses
        self.optimal = candidate.optimal
        packages = self._proven(candidate)
        if not packages and not self.explanation:
            self.explanation = say(
                "nothing that was asked for can be installed on {platform}", platform=self._target.platform
            )
        return packages

    def _everything_exact(self) -> tuple[Record, ...]:
        """What was asked for and nothing else (``--pins exact``); all that is in its way where that is impossible."""
        asked = {self._with_channel(wish, wish.exact): wish for wish in self._wishes if wish.exact is not None}
        missing = any(wish.exact is None for wish in self._wishes)
        before = [records[0] for spec in self._preferred if (records := self._index.matching(spec))]
        if not missing and (packages := self._solve(list(asked), before)) is not None:
            return packages
        universe = self._universe([wish.name for wish in self._wishes], self._python)
        clauses = Clauses(universe)
        literals = {spec: clauses.any_of(self._granting(wish, universe)) for spec, wish in asked.items()}
        with Conflicts(clauses, {spec: one for spec, one in literals.items() if one is not None}) as conflicts:
            self.conflicts = conflicts.all_minimal()
        if missing:
            self.explanation = say("versions are missing on the target and none may change (--pins exact)")
        elif self.conflicts:
            self.explanation = say("what was asked for does not go together and nothing may change (--pins exact)")
        return ()

    def _best_candidate(self) -> _Candidate | None:
        """The optimum with the Python asked for, or with another one where only that holds more direct packages."""
        if self._python is None:
            return self._refined(self._optimum(self._question(None)))
        best = self._optimum(self._question(self._python))
        # Another Python is a large change: it is tried for packages that have no build for this one, and not for those
        # that have one and conflict with others.
        if best is not None and all(best.question.clauses.universe.records[wish.name] for wish in self._lost(best)):
            return self._refined(best)
        fewest, better = None if best is None else len(self._lost(best)), None
        for version in self._other_pythons(self._python, best):
            other = self._question(version)
            # Presence is the most important wish, so that the optimum over it alone tells what is lost in the optimum.
            present = self._optimum(other, depth=1)
            if present is not None and (fewest is None or len(self._lost(present)) < fewest):
                fewest, better = len(self._lost(present)), other
            if fewest == 0:  # no further one can hold more
                break
        return self._refined(best if better is None else self._optimum(better))

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
        return fitting[:_OTHER_PYTHONS] if lost or best is None else []

    def _universe(self, names: Sequence[str], python: str | None) -> Universe:
        """What is reachable from names with any patch of a Python's minor version."""
        wanted = [self._with_channel(wish, wish.exact) for wish in self._wishes if wish.exact is not None]
        wanted += self._preferred
        return Universe(names, self._index, self._target, patches(self._index, python), wanted)

    def _question(self, python: str | None) -> _Question | None:
        """The clauses and wishes for one Python; ``None`` where nothing is wished for that the target has."""
        names = [wish.name for wish in self._wishes] + ["python"] * (python is not None) + list(self._implied)
        clauses = Clauses(self._universe(names, python))
        needed = [clauses.universe.records.get(name, ()) for name in self._implied]
        asked = {wish.name: wish.requirement.build or "" for wish in self._wishes}.get("python", "")
        for record in clauses.universe.records.get("python", ()):
            if implementation_of_build(record.build) != implementation_of_build(asked):
                clauses.hard.append([-clauses.literal(record)])
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
        return _Question(clauses=clauses, levels=levels) if any(levels) else None

    def _optimum(self, question: _Question | None, *, depth: int | None = None) -> _Candidate | None:
        """The best environment for a question, or for its most important levels alone; ``None`` where it has none."""
        if question is None:
            return None
        optimal = True
        levels = question.levels[:depth]
        # When time runs out the least important wishes are given up first; presence alone is decided in any case.
        for count in sorted({len(levels), *(fewer for fewer in (2, 1) if fewer < len(levels))}, reverse=True):
            left = max(self._deadline - time.monotonic(), 1.0) if count > 1 else None
            try:
                chosen = question.clauses.optimum(levels[:count], left)
            except TimeoutError:
                optimal = False
                continue
            return None if chosen is None else _Candidate(chosen=chosen, question=question, optimal=optimal)
        return None

    def _refined(self, candidate: _Candidate | None) -> _Candidate | None:
        """Of all environments that are as good, the one with the best records: Python's first, then the source's."""
        if candidate is None:
            return None
        direct = [wish.name for wish in self._wishes if wish.direct]
        chosen = candidate.question.clauses.refined(
            candidate.chosen,
            candidate.question.levels,
            ["python", *direct, *(wish.name for wish in self._wishes)],
            newest=self._target.channel_priority == "disabled",
        )
        return replace(candidate, chosen=chosen)

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
        version: list[int | None] = []
        variant: list[int | None] = []
        nearest: list[int | None] = []
        minor: list[int | None] = []
        major: list[int | None] = []
        transitive: list[int | None] = []
        transitive_version: list[int | None] = []
        transitive_variant: list[int | None] = []
        transitive_minor: list[int | None] = []
        levels: list[list[int | None]]
        for wish in self._wishes:
            records = clauses.universe.records.get(wish.name, ())
            granted = clauses.any_of(self._granting(wish, clauses.universe))
            (version if wish.direct else transitive_version).append(clauses.any_of(_of_version(wish, records)))
            (variant if wish.direct else transitive_variant).append(clauses.any_of(agreeing(wish.variant, records)))
            if not wish.direct:
                transitive.append(granted)
                transitive_minor.append(clauses.any_of(self._alike(wish, records, 2)))
                continue
            present.append(clauses.any_of(records))
            exact.append(granted)
            nearest.append(clauses.any_of([record for record in records if record.version == wish.nearest]))
            minor.append(clauses.any_of(self._alike(wish, records, 2)))
            major.append(clauses.any_of(self._alike(wish, records, 1)))
        before = [clauses.unchanged(spec.split(" ")[0], clauses.universe.matching(spec)) for spec in self._preferred]
        names = {wish.name for wish in self._wishes}
        absent: list[int | None] = [clauses.absent(name) for name in clauses.universe.records if name not in names]
        if not any(wish.build or wish.channel for wish in self._wishes):
            # What is exact is told by the version alone.
            version, transitive_version = [], []
        if self._pins is PinPolicy.NONE:
            levels = [present, before, absent]
        else:
            levels = [
                *(present, exact, version, variant, nearest, minor, major),
                *(transitive, transitive_version, transitive_variant, transitive_minor, before, absent),
            ]
        return [[literal for literal in level if literal is not None] for level in levels]

    def _alike(self, wish: Wish, records: Sequence[Record], count: int) -> list[Record]:
        """The records whose version shares its first ``count`` segments with the pin."""
        pin = wish.requirement.pin
        if pin is None:
            return []
        return [record for record in records if _leading(record.version, count) == _leading(pin, count)]

    def _granting(self, wish: Wish, universe: Universe) -> tuple[Record, ...]:
        """The records that are exactly what was asked for."""
        return () if wish.exact is None else universe.matching(self._with_channel(wish, wish.exact))

    def _proven(self, candidate: _Candidate) -> tuple[Record, ...]:
        """The engine's solution of a candidate, of the next best one, or at last of ever less of it."""
        clauses = candidate.question.clauses
        self._python = next((record.version for record in candidate.chosen if record.name == "python"), None)
        for _ in range(_CANDIDATES):
            solution = self._solve(self._specs(candidate.chosen, clauses.universe), candidate.chosen)
            if solution is not None:
                return solution
            self.disagreements += 1
            names = {wish.name for wish in self._wishes}
            clauses.forbid_together([record for record in candidate.chosen if record.name in names])
            following = self._refined(self._optimum(candidate.question))
            if following is None:
                break
            candidate, self.optimal = following, self.optimal and following.optimal
        chosen = candidate.chosen
        direct = {wish.name for wish in self._wishes if wish.direct}
        fewer = [
            spec for spec in self._specs(chosen, clauses.universe) if spec.split(" ")[0].rpartition("::")[2] in direct
        ]
        for specs in (fewer, [spec.split(" ")[0] for spec in fewer]):
            solution = self._solve(specs, chosen)
            if solution is not None:
                self.optimal = False
                return solution
        return ()

    def _specs(self, chosen: Sequence[Record], universe: Universe) -> list[str]:
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
            elif wish.exact is not None and record in self._granting(wish, universe):
                variant = self._variant(wish, record) if wish.build is None else ""
                specs.append(self._with_channel(wish, wish.exact + variant))
            else:
                specs.append(self._closest_spec(wish, record))
        python = by_name.get("python")
        if python is not None and all(wish.name != "python" for wish in self._wishes):
            specs.append(f"python {_leading(python.version, 2)}.*")
        return specs

    @staticmethod
    def _variant(wish: Wish, record: Record) -> str:
        """What holds on to the variant of a record that has the one asked for."""
        word = shared_word(wish.variant, record)
        return "" if word is None else f" *{word}*"

    def _closest_spec(self, wish: Wish, record: Record) -> str:
        """What holds on to a record that is not all that was asked for, as far as its version is like that."""
        pin = wish.requirement.pin
        if record.version == wish.nearest or _of_version(wish, [record]):
            return f"{wish.name} =={record.version}{self._variant(wish, record)}"
        for count in (2, 1) if pin is not None else ():
            if _leading(record.version, count) == _leading(pin or "", count):
                return f"{wish.name} {_leading(record.version, count)}.*"
        return wish.name

    def _with_channel(self, wish: Wish, spec: str) -> str:
        return spec if wish.channel is None else f"{wish.channel}::{spec}"

    def _solve(self, specs: Sequence[str], preferred: Sequence[Record]) -> tuple[Record, ...] | None:
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


def _of_version(wish: Wish, records: Sequence[Record]) -> list[Record]:
    """The records of the version that was asked for, in whatever build and channel."""
    asked = wish.version
    return [] if asked is None else [record for record in records if satisfies(record.version, asked)]


def _leading(version: str, count: int) -> str:
    return ".".join(version.split(".")[:count])


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
