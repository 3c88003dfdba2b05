"""YAML text that readers of every YAML version take for the same strings."""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["document_text", "scalar_text"]


class _CarefulDumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 reads as a number too.

    PyYAML follows YAML 1.1, to which ``1e5`` and ``0o17`` are strings that need no quotes. Builds and versions may look
    like that, and readers in C++ and Rust follow 1.2. (The pure Python dumper, because libyaml's is not everywhere and
    breaks lines elsewhere.)
    """


_CarefulDumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    # Anchored, because PyYAML only looks for a match at the start.
    re.compile(r"(?:[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)$"),
    list("-+.0123456789"),
)


def document_text(document: dict[str, Any]) -> str:
    """A mapping as a YAML document in block style, its keys in the order given."""
    return yaml.dump(document, Dumper=_CarefulDumper, sort_keys=False, allow_unicode=True, width=4096)


def scalar_text(text: str) -> str:
    """A string as a YAML scalar on one line, quoted only where it would be read as something else."""
    dumped = yaml.dump([text], Dumper=_CarefulDumper, allow_unicode=True, width=float("inf"))
    return str(dumped).removeprefix("- ").removesuffix("\n")
