"""The rules about locks, for ``envcheck verify``."""

from __future__ import annotations

from envcheck.model import Finding
from envcheck.rules import Rule, applied, lock_channels, lock_contents, lock_drift, lock_index, lock_together
from envcheck.rules.lock_facts import LockFacts

__all__ = ["LOCK_RULES", "apply_lock_rules"]

LOCK_RULES: tuple[Rule[LockFacts], ...] = (
    Rule("EC710", "Lock contradicts itself", lock_contents.contradiction),
    Rule("EC711", "Credentials in the lock", lock_contents.credentials),
    Rule("EC712", "No hash", lock_contents.no_hash),
    Rule("EC713", "Locked for another platform", lock_contents.other_platform),
    Rule("EC714", "Locked for another Python", lock_contents.other_python),
    Rule("EC715", "No longer in its channel", lock_channels.gone),
    Rule("EC716", "Hash differs from the channel's", lock_channels.hash_differs),
    Rule("EC717", "Hash not compared", lock_channels.hash_not_compared),
    Rule("EC718", "Channel not asked", lock_channels.channel_not_asked),
    Rule("EC719", "Channel did not answer", lock_channels.channel_unreadable),
    Rule("EC720", "Dependency not met", lock_together.dependency_not_met),
    Rule("EC721", "Constraint violated", lock_together.constraint_violated),
    Rule("EC722", "Machine has to have something", lock_together.needs_virtual_package),
    Rule("EC723", "Newer build", lock_drift.newer_build),
    Rule("EC724", "Newer version", lock_drift.newer_version),
    Rule("EC725", "No longer on the package index", lock_index.file_gone),
    Rule("EC726", "Hash differs from the package index's", lock_index.file_hash_differs),
    Rule("EC727", "Withdrawn file", lock_index.file_yanked),
    Rule("EC728", "File not verified", lock_index.file_not_checked),
    Rule("EC729", "Requirements differ from the channel's", lock_together.requirements_differ),
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
