"""The rules about Dockerfiles, for ``envcheck docker``."""

from __future__ import annotations

from envcheck.model import Finding
from envcheck.rules import (
    Rule,
    applied,
    docker_activation,
    docker_channels,
    docker_commands,
    docker_files,
    docker_images,
)
from envcheck.rules.docker_facts import DockerFacts

__all__ = ["DOCKER_RULES", "apply_docker_rules"]

DOCKER_RULES: tuple[Rule[DockerFacts], ...] = (
    Rule("EC801", "Activation is lost", docker_activation.activation_is_lost),
    Rule("EC802", "Kind of environment file", docker_files.file_kind),
    Rule("EC803", "Question that nobody answers", docker_commands.question_unanswered),
    Rule("EC804", "Channel order", docker_channels.channel_order),
    Rule("EC805", "Frozen channel configured", docker_channels.frozen_channel),
    Rule("EC806", "Mirror without the channel", docker_channels.mirror_lacks_channel),
    Rule("EC807", "Entry misses the environment", docker_activation.entry_misses_environment),
    Rule("EC808", "Image not pinned", docker_images.unpinned_image),
    Rule("EC809", "Image no longer kept up", docker_images.deprecated_image),
    Rule("EC810", "Image with musl", docker_images.musl_image),
    Rule("EC811", "Terms of service", docker_channels.terms_of_service),
    Rule("EC812", "Used before it is copied", docker_files.used_before_copied),
    Rule("EC813", "Not in the build context", docker_files.missing_file),
    Rule("EC814", "Kept out of the build context", docker_files.ignored_file),
    Rule("EC815", "Path of Windows", docker_files.windows_path),
    Rule("EC816", "Dockerfile is not UTF-8", docker_files.encoding),
    Rule("EC817", "Cache stays in a layer", docker_commands.cache_in_layer),
    Rule("EC818", "Lock for another platform", docker_files.lock_for_other_platform),
    Rule("EC819", "Credentials in the image", docker_channels.credentials),
    Rule("EC820", "Unquoted > in a specification", docker_commands.unquoted_greater_than),
    Rule("EC821", "Image not known", docker_images.unknown_image),
    Rule("EC822", "Environment not checked", docker_files.environment_not_checked),
    Rule("EC823", "CUDA without a driver", docker_images.cuda_without_driver),
    Rule("EC824", "No such environment", docker_activation.unknown_environment),
    Rule("EC825", "Program is not in the image", docker_commands.missing_tool),
    Rule("EC826", "Option that is gone", docker_commands.gone_option),
    Rule("EC827", "Driver that the image needs", docker_images.driver_needed),
    Rule("EC828", "Copied to another platform", docker_files.moved_to_other_platform),
    Rule("EC829", "Activation scripts elsewhere", docker_files.activation_scripts),
    Rule("EC830", "Script is not in the image", docker_files.missing_start),
    Rule("EC831", "Output is held back", docker_activation.output_held_back),
    Rule("EC832", "Environment exists already", docker_commands.environment_exists),
)
"""What ``envcheck docker`` looks for in the Dockerfile itself."""


def apply_docker_rules(facts: DockerFacts) -> tuple[Finding, ...]:
    """Run every rule about a Dockerfile.

    Returns:
        The findings in the order of `apply_rules`, each once.
    """
    return tuple(dict.fromkeys(applied(DOCKER_RULES, facts)))
