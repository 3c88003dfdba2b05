"""The rules about Dockerfiles, for ``envcheck docker``."""

from __future__ import annotations

from envcheck.model import Finding
from envcheck.rules import Rule, applied, docker
from envcheck.rules.docker_facts import DockerFacts

__all__ = ["DOCKER_RULES", "apply_docker_rules"]

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


def apply_docker_rules(facts: DockerFacts) -> tuple[Finding, ...]:
    """Run every rule about a Dockerfile.

    Returns:
        The findings in the order of `apply_rules`, each once.
    """
    return tuple(dict.fromkeys(applied(DOCKER_RULES, facts)))
