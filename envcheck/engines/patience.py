"""Get an answer out of a solver that lists every problem before it says that there is no solution.

libsolv goes on to find all problems, each by another search. With a few specs that is over in a second, with hundreds
it may take an hour; but where a part of them has no solution the whole has none, and small parts are soon decided.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["solve_patiently"]

# How many specs are few, so that they are simply waited for; how many make a small part; and how many seconds more of
# them than few are given at first.
_FEW = 8
_SMALL = 32
_PATIENCE = 3.0

_Spec = TypeVar("_Spec")
_Solution = TypeVar("_Solution")


def solve_patiently(
    attempt: Callable[[Sequence[_Spec], float | None], _Solution | str],
    specs: Sequence[_Spec],
    *,
    order: Callable[[Sequence[_Spec]], Sequence[_Spec]],
    timeout: float | None,
    can_stop: bool,
) -> _Solution | str:
    """Solve all of some specs, or find out that a part of them cannot be.

    Args:
        attempt: Solves specs within so many seconds; it gives a solution, or as a text why there is none.
        specs: What to solve.
        order: Puts first what is likely to be in conflict; asked only when it is needed.
        timeout: Seconds for all attempts together.
        can_stop: Whether ``attempt`` keeps to its time.

    Raises:
        TimeoutError: The time is over.
    """
    end = None if timeout is None else time.monotonic() + timeout

    def left(at_most: float | None = None) -> float | None:
        if end is None:
            return at_most
        remaining = max(0.0, end - time.monotonic())
        return remaining if at_most is None else min(at_most, remaining)

    if len(specs) <= _FEW:
        return attempt(specs, left())
    if can_stop:
        try:
            return attempt(specs, left(_PATIENCE))
        except TimeoutError:
            if left() == 0:
                raise
    ordered = order(specs)
    # Most conflicts are between a few, and so in one of many small parts; the others are in ever larger ones.
    count = math.ceil(len(ordered) / _SMALL)
    for part in range(count if count > 1 else 0):
        try:
            answer = attempt([ordered[0], *ordered[1 + part :: count]], left(_PATIENCE))
        except TimeoutError:
            continue
        if isinstance(answer, str):
            return answer
    return _grow(attempt, ordered, left)


def _grow(
    attempt: Callable[[Sequence[_Spec], float | None], _Solution | str],
    ordered: Sequence[_Spec],
    left: Callable[[float | None], float | None],
) -> _Solution | str:
    """Solve ever more of the specs, by less where more takes too long, and with more patience where that is in vain."""
    # The first `solvable` of them have a solution; to say it of the first `limit` takes longer than `patience`.
    solvable, limit, patience = 0, len(ordered), _PATIENCE
    while True:
        size = limit if limit - solvable <= 1 else min(max(2 * solvable, _FEW), (solvable + limit) // 2)
        try:
            answer = attempt(ordered[:size], left(patience))
        except TimeoutError:
            if left(None) == 0:
                raise
            if size == limit:
                patience *= 2
            limit = size
            continue
        if isinstance(answer, str) or size == len(ordered):
            return answer
        solvable = size
        if solvable == limit:
            # It was not the one spec more that took long: on with the rest, and with more patience.
            limit = len(ordered)
            patience *= 2
