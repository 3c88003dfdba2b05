"""Outcomes of dry-solves, remembered by what was asked: checks of one session, and parts of one check, ask alike."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from envcheck.model import Outcome, Record, Solved

__all__ = ["SolveMemory"]

_MOST_OUTCOMES = 128


class SolveMemory:
    """The last outcomes of one index."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[object, Outcome] = OrderedDict()

    def outcome(
        self,
        specs: Sequence[str],
        preferred: Sequence[Record],
        constraints: Sequence[str],
        *,
        any_will_do: bool,
        solve: Callable[[], Outcome],
    ) -> Outcome:
        """The outcome of a question, solved if it is a new one.

        One that was cancelled is not remembered: it says how much time there was.

        Args:
            specs: What has to be installed, as MatchSpec texts.
            preferred: Records to choose where the solver may.
            constraints: MatchSpecs to respect for packages that are installed anyway.
            any_will_do: Whether only it is asked whether there is a solution.
            solve: Solves it.
        """
        key = (tuple(specs), tuple(record.url for record in preferred), tuple(constraints), any_will_do)
        known = self._outcomes.get(key)
        if known is not None:
            self._outcomes.move_to_end(key)
            return known
        outcome = solve()
        if isinstance(outcome, Solved) or not outcome.cancelled:
            self._outcomes[key] = outcome
            if len(self._outcomes) > _MOST_OUTCOMES:
                self._outcomes.popitem(last=False)
        return outcome
