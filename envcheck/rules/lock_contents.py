"""Findings 710 to 714: whether a lock contradicts itself, and whether it is one for the platform."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.locks.contents import ProblemKind
from envcheck.model import Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, some_of
from envcheck.rules.lock_facts import LockFacts, WheelFit
from envcheck.rules.lock_words import LOCK_AGAIN, listed, name_of, of_problems

__all__ = ["contradiction", "credentials", "no_hash", "other_platform", "other_python"]


def contradiction(facts: LockFacts) -> Iterator[Draft]:
    """The lock contradicts itself: a URL is not that of the package it stands with, or a package is locked twice.

    Installers believe the URL and report the other; somebody has edited the file or merged two versions of it.

    Fix: make the lock again instead of mending it by hand.
    """
    yield from of_problems(
        facts,
        Severity.ERROR,
        ProblemKind.FORM,
        ProblemKind.URL,
        ProblemKind.TWICE,
        ProblemKind.BROKEN_HASH,
    )


def credentials(facts: LockFacts) -> Iterator[Draft]:
    """A URL in the lock holds a token or a password.

    Whoever can read the file has them, and so has everybody who reads its history once it was committed.

    Fix: withdraw the token, make the lock again, and keep credentials in the configuration or in the environment.
    """
    yield from of_problems(facts, Severity.WARNING, ProblemKind.CREDENTIALS)


def no_hash(facts: LockFacts) -> Iterator[Draft]:
    """The lock states no hash for a package.

    A file that was exchanged on the server, or cut off on the way, is installed without a word.

    Fix: make it again with a tool that writes hashes: ``conda list --explicit --md5``, conda-lock, pixi, envcheck.
    """
    problems = [one for one in facts.problems if one.kind is ProblemKind.NO_HASH]
    if problems:
        names = list(dict.fromkeys(one.subject if one.package is None else name_of(one.package) for one in problems))
        yield Draft(
            severity=Severity.WARNING,
            subject=plural(len(names), "{count} package", "{count} packages"),
            message=say(
                "no hash is given, so that an exchanged file would go unnoticed: {names}", names=some_of(names, 4)
            ),
            line=facts.line_of(problems[0].package),
            remedies=(LOCK_AGAIN,),
        )


def other_platform(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock is built for another platform than the lock is for.

    Explicit lists are installed without a look at the platform: conda unpacks Windows programs into a Linux image.

    Fix: make the lock for this platform; ``envcheck lock`` does so from an export of another one.
    """
    remedies = (Remedy(action=RemedyAction.EDIT, summary=say("make the lock for {platform}", platform=facts.platform)),)
    yield from (
        Draft(
            severity=draft.severity,
            subject=draft.subject,
            message=say("{message}, not for {platform}", message=draft.message, platform=facts.platform),
            line=draft.line,
            remedies=remedies,
        )
        for draft in of_problems(facts, Severity.ERROR, ProblemKind.PLATFORM)
    )
    for entry in facts.entries:
        if entry.fit is WheelFit.OTHER_PLATFORM:
            yield Draft(
                severity=Severity.ERROR,
                subject=name_of(entry.package),
                message=say(
                    "the wheel is built for {tags}, not for {platform}", tags=entry.tags, platform=facts.platform
                ),
                line=entry.line,
                remedies=remedies,
            )


def other_python(facts: LockFacts) -> Iterator[Draft]:
    """A pip package of the lock is not for the lock's own Python, or there is no Python to install it with.

    The installer refuses the wheel, after everything else was installed.

    Fix: make the lock again, conda and pip packages together.
    """
    for entry in facts.entries:
        if entry.fit is WheelFit.OTHER_PYTHON:
            yield Draft(
                severity=Severity.ERROR,
                subject=name_of(entry.package),
                message=say("the wheel is for {tags}, not for the Python of the lock", tags=entry.tags),
                line=entry.line,
                remedies=(LOCK_AGAIN,),
            )
    for environment in dict.fromkeys(entry.package.environment for entry in facts.entries):
        entries = [entry for entry in facts.entries if entry.package.environment == environment]
        names = {entry.package.name for entry in entries if entry.package.manager == "conda"}
        pip = [entry for entry in entries if entry.package.manager == "pip"]
        if pip and "python" not in names:
            yield Draft(
                severity=Severity.ERROR,
                subject="python",
                message=say("pip packages are locked and no Python: {listed}", listed=listed(pip)),
                line=pip[0].line,
                remedies=(LOCK_AGAIN,),
            )
