"""The rules about locks, for ``envcheck verify``."""

from __future__ import annotations

from envcheck.model import Finding
from envcheck.rules import Rule, applied, locks
from envcheck.rules.lock_facts import LockFacts

__all__ = ["LOCK_RULES", "apply_lock_rules"]

LOCK_RULES: tuple[Rule[LockFacts], ...] = (
    Rule("EC710", "Lock contradicts itself", locks.contradiction),
    Rule("EC711", "Credentials in the lock", locks.credentials),
    Rule("EC712", "No hash", locks.no_hash),
    Rule("EC713", "Locked for another platform", locks.other_platform),
    Rule("EC714", "Locked for another Python", locks.other_python),
    Rule("EC715", "No longer in its channel", locks.gone),
    Rule("EC716", "Hash differs from the channel's", locks.hash_differs),
    Rule("EC717", "Hash not compared", locks.hash_not_compared),
    Rule("EC718", "Channel not asked", locks.channel_not_asked),
    Rule("EC719", "Channel did not answer", locks.channel_unreadable),
    Rule("EC720", "Dependency not met", locks.dependency_not_met),
    Rule("EC721", "Constraint violated", locks.constraint_violated),
    Rule("EC722", "Machine has to have something", locks.needs_virtual_package),
    Rule("EC723", "Newer build", locks.newer_build),
    Rule("EC724", "Newer version", locks.newer_version),
    Rule("EC725", "No longer on the package index", locks.file_gone),
    Rule("EC726", "Hash differs from the package index's", locks.file_hash_differs),
    Rule("EC727", "Withdrawn file", locks.file_yanked),
    Rule("EC728", "File not verified", locks.file_not_checked),
)
"""What ``envcheck verify`` looks for."""


def apply_lock_rules(facts: LockFacts) -> tuple[Finding, ...]:
    """Run every rule about a lock.

    Returns:
        The findings in the order of `apply_rules`. What several environments of a lock share is told once.
    """
    told: dict[tuple[str, str, str], Finding] = {}
    for finding in applied(LOCK_RULES, facts):
        told.setdefault((finding.code, finding.subject, finding.message), finding)
    return tuple(told.values())
