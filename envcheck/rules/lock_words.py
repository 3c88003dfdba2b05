"""What the rules about locks have in common: names, channels and what a format says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.language import say
from envcheck.locks.contents import LockedPackage, ProblemKind
from envcheck.model import Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, some_of
from envcheck.rules.lock_facts import LockEntry, LockFacts, Place
from envcheck.secrets import mask, strip_secrets

__all__ = ["LOCK_AGAIN", "by_channel", "entries_at", "filename_of", "listed", "name_of", "of_problems"]


LOCK_AGAIN = Remedy(action=RemedyAction.EDIT, summary=say("make the lock again"))


def name_of(package: LockedPackage) -> str:
    """The name of a package, or its URL where it has none."""
    return package.name or strip_secrets(package.url)


def of_problems(facts: LockFacts, severity: Severity, *kinds: ProblemKind) -> Iterator[Draft]:
    """What is wrong with a lock as far as it tells itself, of some kinds."""
    for problem in facts.problems:
        if problem.kind in kinds:
            yield Draft(
                severity=severity,
                subject=problem.subject if problem.package is None else name_of(problem.package),
                message=problem.message,
                line=facts.line_of(problem.package),
                remedies=(LOCK_AGAIN,),
            )


def entries_at(facts: LockFacts, *places: Place) -> list[LockEntry]:
    """The packages that were found at some places, or not found for some reasons."""
    return [entry for entry in facts.entries if entry.place in places]


def by_channel(entries: Sequence[LockEntry]) -> dict[str, list[LockEntry]]:
    """Packages by the short name of their channel."""
    grouped: dict[str, list[LockEntry]] = {}
    for entry in entries:
        grouped.setdefault(entry.channel, []).append(entry)
    return grouped


def listed(entries: Sequence[LockEntry]) -> str:
    """The names of a few packages, and how many there are besides."""
    return some_of(list(dict.fromkeys(name_of(entry.package) for entry in entries)), 4)


def filename_of(package: LockedPackage) -> str:
    """The name of a package's file."""
    return mask(package.url.partition("#")[0].rpartition("/")[2])
