"""A universe as propositional clauses: which sets of records are environments.

One literal per record; at most one record per name; every dependency of a chosen record met by a chosen one; nothing
chosen that a chosen record's ``constrains`` rule out. The wishes are further literals; the optimum over them is found
by RC2 (Ignatiev, Morgado, Marques-Silva: RC2, an efficient MaxSAT solver, 2019) from python-sat.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import combinations

from envcheck.model import Record
from envcheck.specs import dependency_parts
from envcheck.universe import Universe

__all__ = ["Clauses"]

# Up to this many records of a name every pair is excluded by a clause of its own; beyond, a ladder is smaller.
_PAIRWISE = 5


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
        for records in universe.records.values():
            for record in records:
                literal = self._records[record.url] = self._new()
                self._by_literal[literal] = record
        for records in universe.records.values():
            self._at_most_one([self._records[record.url] for record in records])
        for records in universe.records.values():
            for record in records:
                self._needs(record)

    def literal(self, record: Record) -> int:
        """The literal that a record of the universe is chosen."""
        return self._records[record.url]

    def any_of(self, records: Iterable[Record]) -> int | None:
        """A literal that implies that one of some records is chosen; ``None`` for no records."""
        literals = frozenset(self._records[record.url] for record in records)
        if not literals:
            return None
        if len(literals) == 1:
            return next(iter(literals))
        known = self._any.get(literals)
        if known is None:
            known = self._any[literals] = self._new()
            self.hard.append([-known, *sorted(literals)])
        return known

    def absent(self, name: str) -> int:
        """A literal that implies that no record of a name is chosen."""
        literal = self._new()
        for record in self.universe.records.get(name, ()):
            self.hard.append([-literal, -self._records[record.url]])
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

        formula = WCNF()
        # As `formula.extend(self.hard)`, which looks for the largest variable in every clause again.
        formula.hard, formula.nv = list(self.hard), self._literals
        weight = 1
        for level in reversed(levels):
            for literal in level:
                formula.append([literal], weight=weight)
            weight *= len(level) + 1
        with RC2Stratified(formula, solver="g4", adapt=True, exhaust=True, minz=True) as solver:
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

    def _new(self) -> int:
        self._literals += 1
        return self._literals

    def _at_most_one(self, literals: list[int]) -> None:
        if len(literals) <= _PAIRWISE:
            self.hard += [[-left, -right] for left, right in combinations(literals, 2)]
            return
        # A ladder: rung i is true once one of the first i literals is.
        previous: int | None = None
        for literal in literals[:-1]:
            rung = self._new()
            self.hard.append([-literal, rung])
            if previous is not None:
                self.hard += [[-previous, rung], [-literal, -previous]]
            previous = rung
        if previous is not None:
            self.hard.append([-literals[-1], -previous])

    def _needs(self, record: Record) -> None:
        literal = self._records[record.url]
        for dependency in dict.fromkeys(record.depends):
            if dependency.startswith("__"):
                continue
            met = self.any_of(self.universe.matching(dependency))
            self.hard.append([-literal] if met is None else [-literal, met])
        for constraint in dict.fromkeys(record.constrains):
            others = self.universe.records.get(dependency_parts(constraint)[0], ())
            allowed = {other.url for other in self.universe.matching(constraint)}
            self.hard += [
                [-literal, -self._records[other.url]]
                for other in others
                if other.url not in allowed and other.url != record.url
            ]
