"""What a second engine says of a plan (``--cross-check``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from envcheck.engines import Engine, Index, LoadOptions
from envcheck.errors import ChannelError
from envcheck.language import say
from envcheck.locks.judge import judge_solution
from envcheck.model import EngineInfo, Plan, Solved, Target
from envcheck.universe import python_constraints

__all__ = ["SecondOpinion", "ask_second_engine"]

_SOLVE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """Whether a second engine agrees on satisfiability; ``explanation`` is empty where it does."""

    engine: EngineInfo
    agrees: bool
    explanation: str = ""


def ask_second_engine(
    engine: Engine, first: Index, plan: Plan, target: Target, *, names: Sequence[str], options: LoadOptions
) -> SecondOpinion:
    """Solve with another engine what the plan came from, and compare satisfiability.

    Args:
        engine: The other engine.
        first: The index that the plan was made with.
        plan: The plan. Where it solved, its requirements are solved again; otherwise ``names`` are, by both engines.
        target: The target.
        names: The direct packages that the target has.
        options: How repodata is loaded.

    Returns:
        Agreement, or what the second engine says instead. Two different solutions are agreement: both are judged.
    """
    extended = replace(target, channels=(*target.channels, *plan.added_channels))
    try:
        second = engine.load(
            extended.channels,
            target.platform,
            target.virtual_packages,
            channel_priority=target.channel_priority,
            options=options,
        )
    except ChannelError as error:
        return SecondOpinion(
            engine=engine.info, agrees=False, explanation=say("it could not be asked: {message}", message=error.message)
        )
    specs = list(plan.requirements) if plan.solved else list(names)
    solved = plan.solved or isinstance(first.solve(specs, timeout=_SOLVE_SECONDS, any_will_do=True), Solved)
    python = next((record.version for record in plan.packages if record.name == "python"), None)
    outcome = second.solve(specs, constraints=python_constraints(python), timeout=_SOLVE_SECONDS)
    if not isinstance(outcome, Solved):
        return SecondOpinion(
            engine=engine.info,
            agrees=not solved,
            explanation=say("it finds no solution: {explanation}", explanation=outcome.explanation) if solved else "",
        )
    if not solved:
        return SecondOpinion(engine=engine.info, agrees=False, explanation=say("it finds a solution"))
    objections = judge_solution(outcome.packages, specs, extended, second)
    if objections:
        return SecondOpinion(
            engine=engine.info,
            agrees=False,
            explanation=say("its solution does not hold: {objection}", objection=str(objections[0])),
        )
    return SecondOpinion(engine=engine.info, agrees=True)
