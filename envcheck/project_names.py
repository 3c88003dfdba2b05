"""The normal form of a project's name (PEP 503), without loading what else belongs to Python's packaging."""

from __future__ import annotations

import re

__all__ = ["canonical_name"]

_CANONICAL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def canonical_name(name: str) -> str:
    """PEP 503's normal form of a name; most names have it already, and are told from the others by a look.

    Args:
        name: A project's name in any spelling.
    """
    if _CANONICAL.fullmatch(name):
        return name
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name))
