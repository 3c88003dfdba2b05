"""Findings 720 to 722: whether the packages of a lock go together, and go on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.locks.judge import ObjectionKind
from envcheck.model import Severity
from envcheck.rules.facts import Draft, counted, some_of
from envcheck.rules.lock_facts import ClosureProblem, LockFacts, WheelFit
from envcheck.rules.lock_words import LOCK_AGAIN, name_of

__all__ = ["constraint_violated", "dependency_not_met", "needs_virtual_package"]


def _of_judge(facts: LockFacts, kind: ObjectionKind) -> list[ClosureProblem]:
    return [one for one in facts.closure if one.objection.kind is kind]


def _is_about_machine(problem: ClosureProblem) -> bool:
    """Whether it is a virtual package (CEP 30) that does not fit."""
    return problem.objection.spec.startswith("__")


def _in(problem: ClosureProblem) -> str:
    return "" if problem.environment == "default" else f" (environment {problem.environment})"


def _closure_drafts(facts: LockFacts, kind: ObjectionKind, verb: str) -> Iterator[Draft]:
    for problem in _of_judge(facts, kind):
        objection = problem.objection
        if _is_about_machine(problem):
            continue
        instead = objection.found or "nothing of that name"
        since = (
            "; what the lock itself says it needs is met: the channel has changed this since" if problem.amended else ""
        )
        yield Draft(
            severity=Severity.WARNING if problem.amended else Severity.ERROR,
            subject=objection.subject,
            message=f"{verb} {objection.spec}, and the lock has {instead}{_in(problem)}{since}",
            line=problem.line,
            remedies=(LOCK_AGAIN,),
        )


def dependency_not_met(facts: LockFacts) -> Iterator[Draft]:
    """A package of the lock needs something that the lock does not have, or has in another version.

    Locks are installed without a solver, so nobody notices before the program is run. Where everything is there that
    the lock itself says the package needs, the channel has changed the requirements later, as a rule because they
    turned out too wide.

    Fix: make the lock again.
    """
    yield from _closure_drafts(facts, ObjectionKind.DEPENDENCY, "needs")


def constraint_violated(facts: LockFacts) -> Iterator[Draft]:
    """A package of the lock does not go along with another one (``constrains`` of its record).

    Locks are installed without a solver, so nobody notices before the program is run.

    Fix: make the lock again.
    """
    yield from _closure_drafts(facts, ObjectionKind.CONSTRAINT, "goes only with")


def needs_virtual_package(facts: LockFacts) -> Iterator[Draft]:
    """Packages of the lock need something of the machine that the target was not taken to have.

    They install everywhere, and run only where the driver or the C library is there. A package that needs ``__win`` is
    for Windows although its file is ``noarch``.

    Fix: say what the machine has, with ``--virtual-package`` or ``--image``; or lock for what it has.
    """
    needed: dict[str, list[ClosureProblem]] = {}
    for problem in filter(_is_about_machine, facts.closure):
        needed.setdefault(problem.objection.spec, []).append(problem)
    families = {f"__{family}" for family in ("win", "linux", "osx", "unix")}
    for spec, problems in needed.items():
        names = list(dict.fromkeys(one.objection.subject for one in problems))
        has = problems[0].objection.found
        of_system = spec.split()[0] in families and not has
        yield Draft(
            severity=Severity.ERROR if of_system else Severity.WARNING,
            subject=names[0] if len(names) == 1 else counted(len(names), "package"),
            message=f"needs {spec}, which {facts.platform} {'has not' if not has else f'has in version {has}'}"
            + (f": {some_of(names, 4)}" if len(names) > 1 else ""),
            line=problems[0].line,
        )
    for entry in facts.entries:
        if entry.fit is WheelFit.NEWER_GLIBC:
            glibc = next((one.version for one in facts.target.virtual_packages if one.name == "__glibc"), "?")
            yield Draft(
                severity=Severity.WARNING,
                subject=name_of(entry.package),
                message=f"the wheel is for {entry.tags}, and the target has glibc {glibc}",
                line=entry.line,
            )
