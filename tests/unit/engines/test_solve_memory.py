"""Which outcomes are remembered, and for how long."""

from __future__ import annotations

from collections.abc import Callable

from envcheck.engines.solve_memory import SolveMemory
from envcheck.model import Outcome, Solved, Unsolved


def counted(outcome: Outcome, calls: list[Outcome]) -> Callable[[], Outcome]:
    def solve() -> Outcome:
        calls.append(outcome)
        return outcome

    return solve


def ask(memory: SolveMemory, solve: Callable[[], Outcome], *specs: str) -> Outcome:
    return memory.outcome(specs, (), (), any_will_do=False, solve=solve)


def test_a_question_is_solved_once() -> None:
    memory, calls = SolveMemory(), list[Outcome]()
    for outcome in (Solved(packages=()), Unsolved(explanation="no")):
        name = type(outcome).__name__
        assert [ask(memory, counted(outcome, calls), name) for _ in range(3)] == [outcome] * 3
    assert len(calls) == 2


def test_what_was_cancelled_is_asked_again() -> None:
    memory, calls = SolveMemory(), list[Outcome]()
    ask(memory, counted(Unsolved(explanation="no time", cancelled=True), calls), "a")
    assert ask(memory, counted(Solved(packages=()), calls), "a") == Solved(packages=())
    assert len(calls) == 2


def test_what_was_long_not_asked_is_forgotten() -> None:
    memory, calls = SolveMemory(), list[Outcome]()
    solve = counted(Solved(packages=()), calls)
    for number in range(1000):
        ask(memory, solve, f"n{number}")
        ask(memory, solve, "often")
    assert len(calls) == 1001
    ask(memory, solve, "n0")
    assert len(calls) == 1002
