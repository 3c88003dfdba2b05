"""Findings 723 and 724: what the channels have that is newer than a lock."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import Severity
from envcheck.rules.facts import Draft
from envcheck.rules.lock_facts import LockFacts
from envcheck.rules.lock_words import name_of

__all__ = ["newer_build", "newer_version"]


def newer_build(facts: LockFacts) -> Iterator[Draft]:
    """The channel has a newer build of the locked version (``--drift``).

    A new build of the same version mends the package: metadata, a patch, a rebuild for a library with a security fix.

    Fix: make the lock again when it suits you.
    """
    for entry in facts.entries:
        if entry.record is not None and entry.newer_build is not None:
            newer = entry.newer_build
            yield Draft(
                severity=Severity.INFO,
                subject=name_of(entry.package),
                message=say(
                    "{version} has build {build}, locked is {locked}",
                    version=newer.version,
                    build=newer.build,
                    locked=entry.record.build,
                ),
                line=entry.line,
            )


def newer_version(facts: LockFacts) -> Iterator[Draft]:
    """The channel has a newer version of a package for the lock's Python (``--drift``).

    Whether it goes along with the rest of the environment is not asked here.

    Fix: make the lock again when it suits you.
    """
    for entry in facts.entries:
        if entry.record is not None and entry.newer_version is not None:
            yield Draft(
                severity=Severity.INFO,
                subject=name_of(entry.package),
                message=say(
                    "{version} is there, locked is {locked}",
                    version=entry.newer_version.version,
                    locked=entry.record.version,
                ),
                line=entry.line,
            )
