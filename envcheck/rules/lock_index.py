"""Findings 725 to 728: whether the package index still has the files of a lock."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft
from envcheck.rules.lock_facts import FileState, LockFacts
from envcheck.rules.lock_words import LOCK_AGAIN, filename_of, name_of

__all__ = ["file_gone", "file_hash_differs", "file_not_checked", "file_yanked"]


def file_gone(facts: LockFacts) -> Iterator[Draft]:
    """The package index does not offer a pip package's file any more (``--online``).

    Its authors deleted it; a lock that names it cannot be installed.

    Fix: make the lock again with another version.
    """
    for entry in facts.entries:
        if entry.file is FileState.GONE:
            yield Draft(
                severity=Severity.ERROR,
                subject=name_of(entry.package),
                message=say("the package index does not offer {name} any more", name=filename_of(entry.package)),
                line=entry.line,
                remedies=(LOCK_AGAIN,),
            )


def file_hash_differs(facts: LockFacts) -> Iterator[Draft]:
    """The package index states another hash for a pip package's file than the lock (``--online``).

    An index never exchanges a file (PyPI refuses to), so the lock was edited or made from somewhere else. A file of
    another host has to have a hash that the index lists for the version, as a mirror's has.

    Fix: find out where the lock's file came from before making the lock again.
    """
    for entry in facts.entries:
        if entry.file is FileState.OTHER_HASH:
            message = say(
                "the lock says sha256 {sha256}, the package index says {answer}",
                sha256=entry.package.sha256,
                answer=entry.answer,
            )
        elif entry.file is FileState.STRANGE:
            message = say(
                "the file comes from {answer}, and its sha256 {sha256} is none that the package index lists for "
                "{version}",
                answer=entry.answer,
                sha256=entry.package.sha256,
                version=entry.package.version,
            )
        else:
            continue
        yield Draft(
            severity=Severity.ERROR,
            subject=name_of(entry.package),
            message=message,
            line=entry.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("find out why, then make the lock again")),),
        )


def file_yanked(facts: LockFacts) -> Iterator[Draft]:
    """A pip package's file was withdrawn by its authors (``--online``; PEP 592).

    It can still be installed by a lock, and was withdrawn because something is wrong with it.

    Fix: make the lock again with another version.
    """
    for entry in facts.entries:
        if entry.file is FileState.YANKED:
            yield Draft(
                severity=Severity.WARNING,
                subject=name_of(entry.package),
                message=say("{version} was withdrawn by its authors", version=entry.package.version),
                line=entry.line,
                remedies=(LOCK_AGAIN,),
            )


def file_not_checked(facts: LockFacts) -> Iterator[Draft]:
    """A pip package's file was not found out about although that was asked for (``--online``).

    The package index did not answer, or the file comes from somewhere else, which is not asked, and the index lists no
    hash to hold it against.

    Fix: run again with the index reachable, or name the one that has the file (``--index-url``).
    """
    if facts.package_index_trouble:
        yield Draft(
            severity=Severity.WARNING,
            subject=say("package index"),
            message=say(
                "pip packages were not verified: {trouble}",
                trouble=facts.package_index_trouble,
            ),
        )
    for entry in facts.entries:
        if entry.file is FileState.ELSEWHERE:
            severity = Severity.WARNING
            words = say("the file comes from {answer}, not from the package index", answer=entry.answer)
        elif entry.file is FileState.UNREADABLE:
            severity = Severity.INFO
            words = say("the package index's answer cannot be used: {answer}", answer=entry.answer)
        else:
            continue
        yield Draft(severity=severity, subject=name_of(entry.package), message=words, line=entry.line)
