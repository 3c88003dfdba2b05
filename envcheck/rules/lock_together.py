"""Findings 720 to 722 and 729: whether the packages of a lock go together, and go on the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from envcheck.language import plural, say
from envcheck.locks.contents import LockedPackage, package_from_url, split_dependency
from envcheck.locks.judge import ObjectionKind
from envcheck.model import Record, Severity
from envcheck.rules.facts import Draft, some_of
from envcheck.rules.lock_facts import ClosureProblem, LockEntry, LockFacts, WheelFit
from envcheck.rules.lock_words import LOCK_AGAIN, name_of
from envcheck.specs import matches

__all__ = ["constraint_violated", "dependency_not_met", "needs_virtual_package", "requirements_differ"]


def _of_judge(facts: LockFacts, kind: ObjectionKind) -> list[ClosureProblem]:
    return [one for one in facts.closure if one.objection.kind is kind]


def _is_about_machine(problem: ClosureProblem) -> bool:
    """Whether it is a virtual package (CEP 30) that does not fit."""
    return problem.objection.spec.startswith("__")


def _in(problem: ClosureProblem) -> str:
    return (
        "" if problem.environment == "default" else say(" (environment {environment})", environment=problem.environment)
    )


def _closure_drafts(facts: LockFacts, kind: ObjectionKind, verb: str) -> Iterator[Draft]:
    for problem in _of_judge(facts, kind):
        objection = problem.objection
        if _is_about_machine(problem):
            continue
        instead = objection.found or say("nothing of that name")
        since = (
            say("; what the lock itself says it needs is met: the channel has changed this since")
            if problem.amended
            else ""
        )
        yield Draft(
            severity=Severity.WARNING if problem.amended else Severity.ERROR,
            subject=objection.subject,
            message=say(
                "{verb} {spec}, and the lock has {instead}{environment}{since}",
                verb=verb,
                spec=objection.spec,
                instead=instead,
                environment=_in(problem),
                since=since,
            ),
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
    yield from _closure_drafts(facts, ObjectionKind.DEPENDENCY, say("needs"))
    told = {one.objection.subject for one in _of_judge(facts, ObjectionKind.DEPENDENCY)}
    present = {
        (entry.package.environment, entry.package.name): entry.package
        for entry in facts.entries
        if entry.package.manager == "conda"
    }
    for entry in facts.entries:
        if entry.package.manager == "conda" and entry.package.name not in told:
            yield from _unmet_by_the_lock(entry, present)


def _unmet_by_the_lock(entry: LockEntry, present: Mapping[tuple[str, str], LockedPackage]) -> Iterator[Draft]:
    """What the lock itself says that a package needs and that it does not have, whatever the channel says."""
    for name, constraint in entry.package.dependencies:
        # Virtual packages (CEP 30) belong to the machine and stand in no lock.
        if name.startswith("__"):
            continue
        there = present.get((entry.package.environment, name))
        if there is None or not _is_met(name, constraint, there):
            found = (
                say("nothing of that name") if there is None else f"{name} {there.version} {there.build or ''}".strip()
            )
            yield Draft(
                severity=Severity.ERROR,
                subject=name_of(entry.package),
                message=say(
                    "by the lock itself it needs {name} {constraint}", name=name, constraint=constraint
                ).rstrip()
                + say(", and the lock has {found}", found=found),
                line=entry.line,
                remedies=(LOCK_AGAIN,),
            )


def _is_met(name: str, constraint: str, package: LockedPackage) -> bool:
    told = package_from_url(package.url)
    try:
        record = Record(
            name=name,
            version=package.version,
            build=package.build or (told[2] if told else ""),
            build_number=0,
            subdir=package.platform,
            channel="",
            url=package.url,
        )
        return matches(f"{name} {constraint}".strip(), record)
    except ValueError:  # a version that nobody can read says nothing
        return True


def constraint_violated(facts: LockFacts) -> Iterator[Draft]:
    """A package of the lock does not go along with another one (``constrains`` of its record).

    Locks are installed without a solver, so nobody notices before the program is run.

    Fix: make the lock again.
    """
    yield from _closure_drafts(facts, ObjectionKind.CONSTRAINT, say("goes only with"))


def requirements_differ(facts: LockFacts) -> Iterator[Draft]:
    """The lock states other requirements of a package than the channel does.

    Channels amend the requirements of files that they have, so that this is usual for an older lock, and it changes
    nothing about what is installed. The channel's are the ones that were judged.

    Fix: nothing has to be done; a lock that is made again states today's.
    """
    # Where it makes a difference, that is told already.
    told = {one.objection.subject for one in facts.closure}
    for entry in facts.entries:
        if entry.record is None or facts.lock.format == "explicit" or entry.package.name in told:
            continue
        stated = _by_name((name, rest) for name, rest in entry.package.dependencies)
        known = _by_name(map(split_dependency, entry.record.depends))
        names = sorted(name for name in stated.keys() | known.keys() if not _agree(stated.get(name), known.get(name)))
        if names:
            yield Draft(
                severity=Severity.INFO,
                subject=name_of(entry.package),
                message=say(
                    "the lock and {channel} differ in what it needs: {names}",
                    channel=entry.channel,
                    names=some_of(names, 4),
                ),
                line=entry.line,
            )


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[frozenset[str]]]:
    """The parts of the constraints on each name; virtual packages stand in some locks only."""
    found: dict[str, list[frozenset[str]]] = {}
    for name, rest in pairs:
        if not name.startswith("__"):
            found.setdefault(name, []).append(frozenset(re.split(r"[,\s()]+", rest)) - {"", "*"})
    return found


def _agree(stated: list[frozenset[str]] | None, known: list[frozenset[str]] | None) -> bool:
    """Whether a lock says what the channel says; several constraints on a name may stand as one, or as one of them."""
    if stated is None or known is None:
        return stated is known
    together = frozenset[str]().union(*known)
    return all(one in known or one == together for one in stated)


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
            subject=names[0] if len(names) == 1 else plural(len(names), "{count} package", "{count} packages"),
            message=say(
                "needs {spec}, which {platform} has in version {has}"
                if has
                else "needs {spec}, which {platform} has not",
                spec=spec,
                platform=facts.platform,
                **({"has": has} if has else {}),
            )
            + (say(": {names}", names=some_of(names, 4)) if len(names) > 1 else ""),
            line=problems[0].line,
        )
    for entry in facts.entries:
        if entry.fit is WheelFit.NEWER_GLIBC:
            glibc = next((one.version for one in facts.target.virtual_packages if one.name == "__glibc"), "?")
            yield Draft(
                severity=Severity.WARNING,
                subject=name_of(entry.package),
                message=say("the wheel is for {tags}, and the target has glibc {glibc}", tags=entry.tags, glibc=glibc),
                line=entry.line,
            )
