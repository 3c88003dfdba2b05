"""The rules: pure functions that turn facts into findings, and the lists of them: about a source, a lock, a Dockerfile.

A code is never used again for something else; a new rule takes the next free number of its subject: 1xx the file, 2xx
specifications, 3xx channels, 4xx platform, 5xx availability and conflicts, 6xx pip, 7xx reproducibility, 8xx Docker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from envcheck.model import Finding, Severity
from envcheck.rules import (
    availability,
    channels,
    docker,
    hazards,
    locks,
    pip_section,
    platform,
    reproducibility,
    source_file,
    specs,
)
from envcheck.rules.docker_facts import DockerFacts
from envcheck.rules.facts import Draft, Facts, Rule
from envcheck.rules.lock_facts import LockFacts

__all__ = [
    "DOCKER_RULES",
    "DOCUMENTED_RULES",
    "LOCK_RULES",
    "RULES",
    "DockerFacts",
    "Draft",
    "Facts",
    "LockFacts",
    "Rule",
    "apply_docker_rules",
    "apply_lock_rules",
    "apply_rules",
    "find_rule",
    "select_findings",
]

_F = TypeVar("_F")

RULES: tuple[Rule[Facts], ...] = (
    Rule("EC101", "File encoding", source_file.encoding),
    Rule("EC102", "File name contradicts content", source_file.misleading_name),
    Rule("EC103", "Unreadable line", source_file.unreadable_line),
    Rule("EC104", "Unknown key", source_file.unknown_key),
    Rule("EC105", "Key given twice", source_file.duplicate_key),
    Rule("EC106", "Console paste", source_file.console_paste),
    Rule("EC107", "Exporter's prefix", source_file.foreign_prefix),
    Rule("EC201", "Trailing equals sign", specs.trailing_equals),
    Rule("EC202", "Version that is no version", specs.no_version),
    Rule("EC203", "Build pasted into version", specs.build_in_version),
    Rule("EC204", "Listed twice", specs.duplicate_requirement),
    Rule("EC205", "Platform selector", specs.selector),
    Rule("EC206", "pip requirement among conda ones", specs.pip_spec_under_conda),
    Rule("EC207", "Builds for different Pythons", specs.contradicting_pythons),
    Rule("EC301", "Channel does not exist", channels.channel_not_found),
    Rule("EC302", "Channel could not be read", channels.channel_unreadable),
    Rule("EC303", "Channel lacks the platform", channels.channel_lacks_platform),
    Rule("EC304", "Channel written wrongly", channels.channel_mended),
    Rule("EC305", "Not a channel", channels.not_a_channel),
    Rule("EC306", "conda-forge is missing", channels.missing_conda_forge),
    Rule("EC307", "Frozen channel", channels.frozen_channel),
    Rule("EC308", "Channel over plain HTTP", channels.plain_http),
    Rule("EC309", "Channel not allowed", channels.channel_denied),
    Rule("EC310", "Channel told by builds", channels.channel_from_builds),
    Rule("EC401", "Builds of another platform", platform.foreign_builds),
    Rule("EC402", "Only for another platform", platform.platform_only),
    Rule("EC403", "Needs a virtual package", platform.needs_virtual_package),
    Rule("EC404", "CUDA asked for", platform.cuda_asked_for),
    Rule("EC501", "Version not on the target", availability.version_elsewhere),
    Rule("EC502", "Build not available", availability.build_elsewhere),
    Rule("EC503", "In another channel", availability.other_channel),
    Rule("EC504", "Goes by another name", availability.renamed),
    Rule("EC505", "On the package index only", availability.on_package_index_only),
    Rule("EC506", "Not found anywhere", availability.nowhere),
    Rule("EC507", "Hidden by channel priority", availability.hidden_by_priority),
    Rule("EC508", "Pins do not go together", availability.does_not_go_together),
    Rule("EC509", "Cannot be judged", availability.unknown),
    Rule("EC510", "No plan found", availability.nothing_solves),
    Rule("EC511", "Cannot be installed", availability.uninstallable),
    Rule("EC601", "pip rows in a conda list", pip_section.pip_rows),
    Rule("EC602", "No such project", pip_section.no_such_project),
    Rule("EC603", "No such version", pip_section.no_such_version),
    Rule("EC604", "No wheel for the target", pip_section.no_wheel_for_target),
    Rule("EC605", "Source distribution only", pip_section.source_only),
    Rule("EC606", "Withdrawn version", pip_section.yanked),
    Rule("EC607", "Path of the exporter's machine", pip_section.local_path),
    Rule("EC608", "From version control", pip_section.vcs_reference),
    Rule("EC609", "Editable install", pip_section.editable),
    Rule("EC610", "File not followed", pip_section.not_followed),
    Rule("EC611", "pip is not listed", pip_section.pip_missing),
    Rule("EC612", "Conda specification under pip", pip_section.conda_spec_under_pip),
    Rule("EC613", "Package index not asked", pip_section.index_not_asked),
    Rule("EC614", "Index that the source names", pip_section.source_index),
    Rule("EC615", "pip requirements contradict each other", pip_section.contradicting_rows),
    Rule("EC616", "Needs what cannot be installed", pip_section.needs_what_cannot_be_had),
    Rule("EC617", "Already given by conda", pip_section.given_by_conda),
    Rule("EC618", "pip replaces a conda package", pip_section.replaced_by_pip),
    Rule("EC619", "Not for the target by its marker", pip_section.excluded_by_marker),
    Rule("EC620", "pip section not resolved", pip_section.not_resolved),
    Rule("EC621", "From a URL", pip_section.reference_by_url),
    Rule("EC630", "In the standard library", hazards.standard_library),
    Rule("EC631", "Not what the name suggests", hazards.look_alike),
    Rule("EC632", "Two with the same import", hazards.same_import),
    Rule("EC633", "Does not work on this Python", hazards.breaks_on_python),
    Rule("EC634", "In conda and in pip", hazards.in_conda_and_pip),
    Rule("EC701", "Python is not pinned", reproducibility.python_not_pinned),
    Rule("EC702", "No md5", reproducibility.without_md5),
    Rule("EC703", "Engines disagree", reproducibility.engines_disagree),
)

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

DOCKER_RULES: tuple[Rule[DockerFacts], ...] = (
    Rule("EC801", "Activation is lost", docker.activation_is_lost),
    Rule("EC802", "Kind of environment file", docker.file_kind),
    Rule("EC803", "Question that nobody answers", docker.question_unanswered),
    Rule("EC804", "Channel order", docker.channel_order),
    Rule("EC805", "Frozen channel configured", docker.frozen_channel),
    Rule("EC806", "Mirror without the channel", docker.mirror_lacks_channel),
    Rule("EC807", "Entry misses the environment", docker.entry_misses_environment),
    Rule("EC808", "Image not pinned", docker.unpinned_image),
    Rule("EC809", "Image no longer kept up", docker.deprecated_image),
    Rule("EC810", "Image with musl", docker.musl_image),
    Rule("EC811", "Terms of service", docker.terms_of_service),
    Rule("EC812", "Used before it is copied", docker.used_before_copied),
    Rule("EC813", "Not in the build context", docker.missing_file),
    Rule("EC814", "Kept out of the build context", docker.ignored_file),
    Rule("EC815", "Path of Windows", docker.windows_path),
    Rule("EC816", "Dockerfile is not UTF-8", docker.encoding),
    Rule("EC817", "Cache stays in a layer", docker.cache_in_layer),
    Rule("EC818", "Lock for another platform", docker.lock_for_other_platform),
    Rule("EC819", "Credentials in the image", docker.credentials),
    Rule("EC820", "Unquoted > in a specification", docker.unquoted_greater_than),
    Rule("EC821", "Image not known", docker.unknown_image),
    Rule("EC822", "Environment not checked", docker.environment_not_checked),
    Rule("EC823", "CUDA without a driver", docker.cuda_without_driver),
    Rule("EC824", "No such environment", docker.unknown_environment),
)
"""What ``envcheck docker`` looks for in the Dockerfile itself."""

DOCUMENTED_RULES: tuple[Rule[Any], ...] = tuple(
    sorted((*RULES, *LOCK_RULES, *DOCKER_RULES), key=lambda rule: rule.code)
)
"""Every rule of every command, by code."""

_SEVERITY_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def apply_rules(facts: Facts) -> tuple[Finding, ...]:
    """Run every rule about a source.

    Returns:
        The findings: errors first, then by code, line and subject.
    """
    return _applied(RULES, facts)


def apply_lock_rules(facts: LockFacts) -> tuple[Finding, ...]:
    """Run every rule about a lock.

    Returns:
        The findings in the order of `apply_rules`. What several environments of a lock share is told once.
    """
    told: dict[tuple[str, str, str], Finding] = {}
    for finding in _applied(LOCK_RULES, facts):
        told.setdefault((finding.code, finding.subject, finding.message), finding)
    return tuple(told.values())


def apply_docker_rules(facts: DockerFacts) -> tuple[Finding, ...]:
    """Run every rule about a Dockerfile.

    Returns:
        The findings in the order of `apply_rules`, each once.
    """
    return tuple(dict.fromkeys(_applied(DOCKER_RULES, facts)))


def _applied(rules: Sequence[Rule[_F]], facts: _F) -> tuple[Finding, ...]:
    findings = [
        Finding(
            code=rule.code,
            title=rule.title,
            severity=draft.severity,
            subject=draft.subject,
            message=draft.message,
            line=draft.line,
            remedies=draft.remedies,
        )
        for rule in rules
        for draft in rule.check(facts)
    ]
    return tuple(
        sorted(findings, key=lambda one: (_SEVERITY_ORDER[one.severity], one.code, one.line or 0, one.subject))
    )


def find_rule(code: str) -> Rule[Any] | None:
    """The rule of any command with a code, whatever its letter case."""
    return next((rule for rule in DOCUMENTED_RULES if rule.code == code.upper()), None)


def select_findings(findings: Sequence[Finding], select: Sequence[str], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """The findings that ``--select`` and ``--ignore`` leave; a verdict is formed from all of them."""
    return tuple(
        finding
        for finding in findings
        if (not select or finding.code.startswith(tuple(select))) and not finding.code.startswith(tuple(ignore))
    )
