"""Every rule of every command, as ``envcheck rules`` tells them."""

from __future__ import annotations

from typing import Any

from envcheck.rules import RULES, Rule
from envcheck.rules.about_dockerfiles import DOCKER_RULES
from envcheck.rules.about_locks import LOCK_RULES

__all__ = ["DOCUMENTED_RULES", "find_rule"]

DOCUMENTED_RULES: tuple[Rule[Any], ...] = tuple(
    sorted((*RULES, *LOCK_RULES, *DOCKER_RULES), key=lambda rule: rule.code)
)
"""Every rule of every command, by code."""


def find_rule(code: str) -> Rule[Any] | None:
    """The rule of any command with a code, whatever its letter case."""
    return next((rule for rule in DOCUMENTED_RULES if rule.code == code.upper()), None)
