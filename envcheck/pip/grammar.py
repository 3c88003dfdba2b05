"""Requirements as pip reads them (PEP 440, PEP 508): the questions that several stages ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["admits", "parsed_requirement", "project_of"]


def admits(specifier: str, version: str, *, unreadable: bool = False) -> bool:
    """Whether a specifier set admits a version that is there: a pre-release is then as good as any other.

    Args:
        specifier: A PEP 440 specifier set; the empty one admits everything.
        version: The version.
        unreadable: The answer where one of them is none by PEP 440.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return unreadable


def project_of(text: str) -> str:
    """The normalized name (PEP 503) of the project that a PEP 508 text asks for."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(re.split(r"[\[=<>!~; ]", text, maxsplit=1)[0])


def parsed_requirement(text: str) -> Requirement | None:
    """A PEP 508 requirement, ``None`` for a text that is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
