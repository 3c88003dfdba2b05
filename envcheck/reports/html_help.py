"""What a rule's documentation says, cut into what a page shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc

from envcheck.language import translation
from envcheck.rules.documented import find_rule

__all__ = ["Help", "rule_help"]

_CODE = re.compile(r"``(.+?)``")


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """A rule's paragraphs, each in pieces: every other one, from the second, is code."""

    paragraphs: tuple[tuple[str, ...], ...]


def rule_help(code: str) -> Help | None:
    """What a finding's code means; ``None`` for a code without a rule."""
    rule = find_rule(code)
    if rule is None:
        return None
    paragraphs = translation(cleandoc(rule.documentation)).split("\n\n")
    return Help(paragraphs=tuple(tuple(_CODE.split(" ".join(one.split()))) for one in paragraphs))
