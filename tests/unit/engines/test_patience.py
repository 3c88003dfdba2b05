"""An answer comes even where a solver would take for ever over the whole; the solvers here only pretend to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from envcheck.engines.patience import solve_patiently

Solver = Callable[[Sequence[int], float | None], list[int] | str]


def solver(asked: list[int], *, slow_from: int = 10_000, bad: int | None = None) -> Solver:
    """Needs ten seconds from so many specs on; there is no solution with ``bad``, and one without."""

    def solve(specs: Sequence[int], timeout: float | None) -> list[int] | str:
        asked.append(len(specs))
        if len(specs) >= slow_from and timeout is not None and timeout < 10:
            raise TimeoutError
        return f"{bad} is bad" if bad in specs else sorted(specs)

    return solve


def solve(solver: Solver, count: int, *, timeout: float | None = 60, can_stop: bool = True) -> list[int] | str:
    def reverse(specs: Sequence[int]) -> Sequence[int]:
        return specs[::-1]

    return solve_patiently(solver, list(range(count)), order=reverse, timeout=timeout, can_stop=can_stop)


def test_what_is_soon_decided_is_asked_once() -> None:
    asked: list[int] = []
    assert solve(solver(asked), 200) == list(range(200))
    assert solve(solver(asked, bad=7), 200) == "7 is bad"
    assert asked == [200, 200]


def test_few_are_waited_for() -> None:
    asked: list[int] = []
    with pytest.raises(TimeoutError):
        solve(solver(asked, slow_from=1), 8, timeout=5)
    assert asked == [8]


def test_a_part_without_a_solution_is_found() -> None:
    asked: list[int] = []
    assert solve(solver(asked, slow_from=150, bad=199), 200) == "199 is bad"
    assert asked == [200, 30], "the first suspect is in every part"


def test_a_conflict_between_parts_is_found() -> None:
    asked: list[int] = []

    def conflict(specs: Sequence[int], timeout: float | None) -> list[int] | str:
        asked.append(len(specs))
        if len(specs) == 200 and timeout is not None and timeout < 10:
            raise TimeoutError
        return "150 and 199" if {150, 198} <= set(specs) else list(specs)

    assert solve(conflict, 200) == "150 and 199"
    assert asked[-1] < 200


@pytest.mark.parametrize("bad", [195, 150, 130, 120])
def test_parts_grow_until_they_take_long_and_then_by_less(bad: int) -> None:
    asked: list[int] = []
    assert solve(solver(asked, slow_from=100, bad=bad), 200) == f"{bad} is bad"
    assert len(asked) < 20


def test_a_whole_that_takes_long_and_has_a_solution() -> None:
    asked: list[int] = []
    assert solve(solver(asked, slow_from=150), 200, timeout=None) == list(range(200))
    assert asked[-1] == 200
    assert solve(solver(asked, slow_from=150, bad=0), 200, timeout=None) == "0 is bad"


def test_a_solver_that_cannot_be_stopped_begins_with_parts() -> None:
    asked: list[int] = []
    assert solve(solver(asked, bad=198), 200, can_stop=False) == "198 is bad"
    assert asked == [30]


def test_no_time_is_no_answer() -> None:
    with pytest.raises(TimeoutError):
        solve(solver([], slow_from=1), 200, timeout=0)
