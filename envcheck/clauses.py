"""A universe as propositional clauses: which sets of records are environments.

One literal per record; at most one record per name; every dependency of a chosen record met by a chosen one; nothing
chosen that a chosen record's ``constrains`` rule out. The wishes are further literals; the optimum over them is found
by RC2 (Ignatiev, Morgado, Marques-Silva: RC2, an efficient MaxSAT solver, 2019) from python-sat.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from itertools import combinations
from operator import attrgetter

from envcheck.model import Record
from envcheck.specs import dependency_parts, sort_versions
from envcheck.universe import Universe

__all__ = ["Clauses"]

# Up to this many records of a name every pair is excluded by a clause of its own; beyond, a grid is smaller.
_PAIRWISE = 5
_URL = attrgetter("url")


class Clauses:
    """The clauses of a universe, and literals for what may be wished for over it.

    Args:
        universe: The records.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.hard: list[list[int]] = []
        self._literals = 0
        self._records: dict[str, int] = {}
        self._by_literal: dict[int, Record] = {}
        self._any: dict[frozenset[int], int] = {}
        self._met: dict[str, int | None] = {}
        self._presences: dict[str, int] = {}
        self._consequences: dict[str, tuple[str, list[list[int]]]] = {}
        self._choices: dict[int, frozenset[int]] = {}
        self._exclusions: dict[int, frozenset[int]] = {}
        for records in universe.records.values():
            for record in records:
                literal = self._records[record.url] = self._new()
                self._by_literal[literal] = record
        for records in universe.records.values():
            self._at_most_one([self._records[record.url] for record in records])
        for records in universe.records.values():
            for record in records:
                self._needs(record)
        self._bind_python_abi()

    def literal(self, record: Record) -> int:
        """The literal that a record of the universe is chosen."""
        return self._records[record.url]

    def any_of(self, records: Iterable[Record]) -> int | None:
        """A literal that implies that one of some records is chosen; ``None`` for no records."""
        literals = frozenset(map(self._records.__getitem__, map(_URL, records)))
        if not literals:
            return None
        if len(literals) == 1:
            return next(iter(literals))
        known = self._any.get(literals)
        if known is None:
            known = self._any[literals] = self._new()
            self._choices[known] = literals
            self.hard.append([-known, *sorted(literals)])
        return known

    def absent(self, name: str) -> int:
        """A literal that implies that no record of a name is chosen."""
        literal = self._new()
        records = self._exclusions[literal] = frozenset(
            self._records[record.url] for record in self.universe.records.get(name, ())
        )
        if name in self._presences:
            self.hard.append([-literal, -self._presences[name]])
        else:
            self.hard += [[-literal, -record] for record in sorted(records)]
        return literal

    def unchanged(self, name: str, records: Iterable[Record]) -> int | None:
        """A literal that implies that all there is of a name is one of some records; ``None`` for no records."""
        fitting = self.any_of(records)
        if fitting is None:
            return None
        literal = self._new()
        self.hard.append([-literal, -self._present(name), fitting])
        everything = {self._records[record.url] for record in self.universe.records[name]}
        self._exclusions[literal] = frozenset(everything - self._choices.get(fitting, {fitting}))
        return literal

    def forbid_together(self, records: Sequence[Record]) -> None:
        """Add that these records are not all chosen."""
        self.hard.append([-self._records[record.url] for record in records])

    def chosen(self, model: Iterable[int]) -> tuple[Record, ...]:
        """The records that a model chooses, by name."""
        records = [self._by_literal[literal] for literal in model if literal in self._by_literal]
        return tuple(sorted(records, key=lambda record: record.name))

    def optimum(self, levels: Sequence[Sequence[int]], seconds: float | None = None) -> tuple[Record, ...] | None:
        """The best environment: as much of the first level as possible, then of the second, and so on.

        Args:
            levels: Literals to make true, most important level first.
            seconds: How long the search may take; ``None`` for as long as it needs.

        Returns:
            The records of an optimum, by name; ``None`` where the clauses have no model at all.

        Raises:
            TimeoutError: The search did not end in time.
        """
        from pysat.examples.rc2 import RC2Stratified
        from pysat.formula import WCNF
        from pysat.solvers import Solver

        formula = WCNF()
        # As `formula.extend(self.hard)`, which looks for the largest variable in every clause again.
        formula.hard, formula.nv = list(self.hard), self._literals
        weight = 1
        for level in reversed(levels):
            for literal in level:
                formula.append([literal], weight=weight)
            weight *= len(level) + 1
        if not formula.soft:
            # RC2 has no model where nothing is wished for.
            with Solver(name="g4", bootstrap_with=self.hard) as plain:
                return self.chosen(plain.get_model() or ()) if plain.solve() else None
        # Without the reductions of cores, which cost more here than they save, and with wishes of like weight taken on
        # together: over real exports that takes a quarter less than what RC2 was tuned to for competitions.
        with RC2Stratified(formula, solver="g4", adapt=False, exhaust=False, minz=False, blo="cluster") as solver:
            if seconds is None:
                model = solver.compute()
            else:
                timer = threading.Timer(seconds, solver.interrupt)
                timer.start()
                try:
                    model = solver.compute(expect_interrupt=True)
                finally:
                    timer.cancel()
                    timer.join()
            if model is None and solver.interrupted:
                raise TimeoutError
        return None if model is None else self.chosen(model)

    def refined(
        self, chosen: Sequence[Record], levels: Sequence[Sequence[int]], order: Sequence[str], *, newest: bool
    ) -> tuple[Record, ...]:
        """Among environments that grant the same wishes, the one with the best record of each name, name after name.

        The best is the one of the first channel, of those the newest (``newest``: the newest of all channels), of those
        with the highest build number; one with ``track_features`` comes after those without.

        Args:
            chosen: An environment of these clauses.
            levels: The wishes that it was chosen by.
            order: The names that are decided first; the others follow in name order.
            newest: Whether channels do not count.

        Returns:
            The records, by name.
        """
        from pysat.solvers import Solver

        model = {self._records[record.url] for record in chosen}
        granted = [[literal] for level in levels for literal in level if self._is_granted(literal, model)]
        with Solver(name="g4", bootstrap_with=[*self.hard, *granted]) as solver:
            for name in dict.fromkeys([*order, *(record.name for record in chosen)]):
                ranked = [self._records[record.url] for record in self._by_rank(name, newest=newest)]
                here = next((literal for literal in ranked if literal in model), None)
                if here is None:
                    continue
                for better in ranked[: ranked.index(here)]:
                    if solver.solve(assumptions=[better]):
                        # Records have the first literals; a set of all of them takes longer than the solve.
                        model = {one for one in (solver.get_model() or ())[: len(self._by_literal)] if one > 0}
                        here = better
                        break
                    solver.add_clause([-better])
                solver.add_clause([here])
        return self.chosen(model)

    def _is_granted(self, wish: int, model: set[int]) -> bool:
        """Whether a wish holds with exactly these records chosen."""
        if wish in self._exclusions:
            return model.isdisjoint(self._exclusions[wish])
        return not model.isdisjoint(self._choices.get(wish, (wish,)))

    def _by_rank(self, name: str, *, newest: bool) -> list[Record]:
        """The records of a name, the best one first; they come in the order of channels, the newest first."""
        records = list(self.universe.records.get(name, ()))
        if newest:
            rank = {version: place for place, version in enumerate(sort_versions({r.version for r in records}))}
            records.sort(key=lambda record: (rank[record.version], record.build_number), reverse=True)
        return sorted(records, key=lambda record: bool(record.track_features))

    def _new(self) -> int:
        self._literals += 1
        return self._literals

    def _at_most_one(self, literals: list[int]) -> None:
        if len(literals) <= _PAIRWISE:
            self.hard += [[-left, -right] for left, right in combinations(literals, 2)]
            return
        # A grid: of all rows at most one is taken, and so of all columns (Chen: A new SAT encoding of the at-most-one
        # constraint, 2010). It takes far fewer literals than a ladder, and a solver decides on every literal.
        width = math.isqrt(len(literals) - 1) + 1
        columns = [self._new() for _ in range(width)]
        rows = [self._new() for _ in range(0, len(literals), width)]
        for place, literal in enumerate(literals):
            self.hard += [[-literal, rows[place // width]], [-literal, columns[place % width]]]
        self._at_most_one(rows)
        self._at_most_one(columns)

    def _bind_python_abi(self) -> None:
        """Allow builds for the Python that is there only, which not every ``python_abi`` says (see the judge)."""
        pythons = self.universe.records.get("python", ())
        for abi in self.universe.records.get("python_abi", ()):
            minor = abi.version.split(".")[:2]
            self.hard += [
                [-self._records[abi.url], -self._records[python.url]]
                for python in pythons
                if python.version.split(".")[:2] != minor
            ]

    def _needs(self, record: Record) -> None:
        literal = self._records[record.url]
        for dependency in dict.fromkeys(record.depends):
            if dependency.startswith("__"):
                continue
            if dependency not in self._met:
                self._met[dependency] = self.any_of(self.universe.matching(dependency))
            met = self._met[dependency]
            self.hard.append([-literal] if met is None else [-literal, met])
        for constraint in dict.fromkeys(record.constrains):
            consequences = self._consequences.get(constraint)
            if consequences is None:
                consequences = self._consequences[constraint] = self._constrained(constraint)
            name, clauses = consequences
            if name != record.name:  # its own name has no other record in any case
                self.hard += [[-literal, *clause] for clause in clauses]

    def _constrained(self, constraint: str) -> tuple[str, list[list[int]]]:
        """The name that a constraint is about, and what it makes of clauses where it holds.

        Where it leaves little of a name one clause says that, if there is any of the name, it is one of those; a clause
        for each record that it rules out would make more than half of all clauses.
        """
        name = dependency_parts(constraint)[0]
        others = self.universe.records.get(name, ())
        allowed = self.universe.matching(constraint)
        if len(others) - len(allowed) <= _PAIRWISE:
            fitting = set(map(_URL, allowed))
            return name, [[-self._records[other.url]] for other in others if other.url not in fitting]
        one_of_them = self.any_of(allowed)
        return name, [[-self._present(name)] if one_of_them is None else [-self._present(name), one_of_them]]

    def _present(self, name: str) -> int:
        """A literal that is true where any record of a name is chosen."""
        known = self._presences.get(name)
        if known is None:
            known = self._presences[name] = self._new()
            self.hard += [[-self._records[record.url], known] for record in self.universe.records.get(name, ())]
        return known
