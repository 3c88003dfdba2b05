"""Why a wish could not be granted: a minimal set of kept packages that it does not go together with.

The question goes to a SAT solver over the same clauses as the plan: the wish and everything kept as assumptions. Its
unsatisfiable core is shrunk by leaving out one member after the other, so that every one that remains is needed (a
minimal unsatisfiable set, MUS).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from envcheck.clauses import Clauses
from envcheck.model import Record

if TYPE_CHECKING:
    from pysat.solvers import Solver

__all__ = ["Conflicts"]

# A core of more members than this is shrunk no further: nobody reads it.
_LARGEST_CORE = 40
# How many conflicts are told, and how many questions are asked to find them.
_MOST_CONFLICTS = 20
_MOST_QUESTIONS = 200


class Conflicts:
    """Answers over fixed clauses; loading them is the dear part, so one object serves all questions of a plan.

    Args:
        clauses: The clauses of the plan's universe, wishes included.
        kept: What the plan keeps, each with the literal that says so.
    """

    def __init__(self, clauses: Clauses, kept: Mapping[str, int]) -> None:
        from pysat.solvers import Solver

        self._solver: Solver = Solver(name="g4", bootstrap_with=clauses.hard)
        self._name_of = {literal: name for name, literal in kept.items()}
        self._clauses = clauses
        self._loaded = len(clauses.hard)

    def __enter__(self) -> Conflicts:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._solver.delete()

    def reason(self, name: str, records: Iterable[Record]) -> tuple[str, ...] | None:
        """With which kept packages no record of a wish goes together.

        Args:
            name: The wish's own name; it is no reason for itself.
            records: The records that would grant it.

        Returns:
            The names of a minimal set, in name order; the empty tuple when the wish cannot be granted in any
            environment of this universe; ``None`` when it could have been granted (no conflict).
        """
        wish = self._clauses.any_of(records)
        if wish is None:
            return ()
        # `any_of` adds a clause for a set of records that was not asked for before.
        self._solver.append_formula(self._clauses.hard[self._loaded :])
        self._loaded = len(self._clauses.hard)
        others = [literal for literal, kept_name in self._name_of.items() if kept_name != name]
        core = self._core([wish, *others])
        if core is None:
            return None
        members = self._shrunk(core, [wish])
        return tuple(sorted(self._name_of[literal] for literal in members))

    def all_minimal(self) -> tuple[tuple[str, ...], ...]:
        """All minimal sets of kept names that do not go together, up to a number that somebody may read.

        Sets are asked for that hold none found before, as large as possible, until none is left that has not been told
        (MARCO; Liffiton, Previti, Malik, Marques-Silva: Fast, flexible MUS enumeration, 2016).

        Returns:
            The sets, the smallest first, each in name order; empty where all goes together.
        """
        from pysat.solvers import Solver

        literals = list(self._name_of)
        found: list[tuple[str, ...]] = []
        with Solver(name="g4") as unexplored:
            unexplored.set_phases(range(1, len(literals) + 1))
            for _ in range(_MOST_QUESTIONS):
                if len(found) == _MOST_CONFLICTS or not unexplored.solve():
                    break
                left_out = {-number for number in unexplored.get_model() or () if number < 0}
                seed = [literal for number, literal in enumerate(literals, start=1) if number not in left_out]
                core = self._core(seed)
                if core is not None:
                    members = self._shrunk(core, [])
                    found.append(tuple(sorted(self._name_of[literal] for literal in members)))
                    unexplored.add_clause([-(literals.index(literal) + 1) for literal in members])
                    continue
                for number in sorted(left_out):
                    if self._core([*seed, literals[number - 1]]) is None:
                        seed.append(literals[number - 1])
                        left_out.discard(number)
                unexplored.add_clause(sorted(left_out))
        return tuple(sorted(found, key=lambda names: (len(names), names)))

    def _shrunk(self, core: list[int], fixed: list[int]) -> list[int]:
        """The members of a core besides ``fixed`` that are needed for the contradiction."""
        members = [literal for literal in core if literal not in fixed]
        if len(members) <= _LARGEST_CORE:
            for member in list(members):
                smaller = self._core([*fixed, *(literal for literal in members if literal != member)])
                if smaller is not None:
                    members = [literal for literal in members if literal in set(smaller)]
        return members

    def _core(self, assumptions: list[int]) -> list[int] | None:
        """The assumptions that contradict each other, or ``None`` when there is a model."""
        if self._solver.solve(assumptions=assumptions):
            return None
        core: list[int] = self._solver.get_core() or []
        return core
