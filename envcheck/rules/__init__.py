"""The rules: pure functions that turn facts into findings, and the list of those about a source.

Those about locks and Dockerfiles are listed in modules of their own, which a check of a source need not import.

A code is never used again for something else; a new rule takes the next free number of its subject: 1xx the file, 2xx
specifications, 3xx channels, 4xx platform, 5xx availability and conflicts, 6xx pip, 7xx reproducibility, 8xx Docker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from envcheck.language import say
from envcheck.model import Finding, Severity
from envcheck.rules import (
    availability,
    channels,
    conflicts,
    hazards,
    pip_index,
    pip_references,
    pip_resolution,
    pip_section,
    platform,
    reproducibility,
    source_file,
    specs,
)
from envcheck.rules.facts import Draft, Facts, Rule

__all__ = [
    "RULES",
    "Draft",
    "Facts",
    "Rule",
    "applied",
    "apply_rules",
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
    Rule("EC108", "Nothing asked for", source_file.nothing_asked),
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
    Rule("EC311", "No channels listed", channels.none_named),
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
    Rule("EC508", "Pins do not go together", conflicts.does_not_go_together),
    Rule("EC509", "Cannot be judged", availability.unknown),
    Rule("EC510", "No plan found", conflicts.nothing_solves),
    Rule("EC511", "Cannot be installed", conflicts.uninstallable),
    Rule("EC601", "pip rows in a conda list", pip_section.pip_rows),
    Rule("EC602", "No such project", pip_index.no_such_project),
    Rule("EC603", "No such version", pip_index.no_such_version),
    Rule("EC604", "No wheel for the target", pip_index.no_wheel_for_target),
    Rule("EC605", "Source distribution only", pip_index.source_only),
    Rule("EC606", "Withdrawn version", pip_index.yanked),
    Rule("EC607", "Path of the exporter's machine", pip_references.local_path),
    Rule("EC608", "From version control", pip_references.vcs_reference),
    Rule("EC609", "Editable install", pip_references.editable),
    Rule("EC610", "File not followed", pip_references.not_followed),
    Rule("EC611", "pip is not listed", pip_section.pip_missing),
    Rule("EC612", "Conda specification under pip", pip_section.conda_spec_under_pip),
    Rule("EC613", "Package index not asked", pip_section.index_not_asked),
    Rule("EC614", "Index that the source names", pip_section.source_index),
    Rule("EC615", "pip requirements contradict each other", pip_resolution.contradicting_rows),
    Rule("EC616", "Needs what cannot be installed", pip_resolution.needs_what_cannot_be_had),
    Rule("EC617", "Already given by conda", pip_resolution.given_by_conda),
    Rule("EC618", "pip replaces a conda package", pip_resolution.replaced_by_pip),
    Rule("EC619", "Not for the target by its marker", pip_section.excluded_by_marker),
    Rule("EC620", "pip section not resolved", pip_section.not_resolved),
    Rule("EC621", "From a URL", pip_references.reference_by_url),
    Rule("EC622", "Extra of a conda package", pip_resolution.extras_not_told),
    Rule("EC623", "Python told by wheels", pip_section.python_of_wheels),
    Rule("EC630", "In the standard library", hazards.standard_library),
    Rule("EC631", "Not what the name suggests", hazards.look_alike),
    Rule("EC632", "Two with the same import", hazards.same_import),
    Rule("EC633", "Does not work on this Python", hazards.breaks_on_python),
    Rule("EC634", "In conda and in pip", hazards.in_conda_and_pip),
    Rule("EC701", "Python is not pinned", reproducibility.python_not_pinned),
    Rule("EC702", "No md5", reproducibility.without_md5),
    Rule("EC703", "Engines disagree", reproducibility.engines_disagree),
)

_SEVERITY_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def apply_rules(facts: Facts) -> tuple[Finding, ...]:
    """Run every rule about a source.

    Returns:
        The findings: errors first, then by code, line and subject.
    """
    return applied(RULES, facts)


def applied(rules: Sequence[Rule[_F]], facts: _F) -> tuple[Finding, ...]:
    """What some rules find in some facts: errors first, then by code, line and subject."""
    findings = [
        Finding(
            code=rule.code,
            title=say(rule.title),
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


def select_findings(findings: Sequence[Finding], select: Sequence[str], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """The findings that ``--select`` and ``--ignore`` leave; a verdict is formed from all of them."""
    return tuple(
        finding
        for finding in findings
        if (not select or finding.code.startswith(tuple(select))) and not finding.code.startswith(tuple(ignore))
    )
