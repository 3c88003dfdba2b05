"""A ``.dockerignore`` to propose: what no image needs, but for what the Dockerfile itself copies."""

from __future__ import annotations

import re

from envcheck.docker.context import is_ignored, read_patterns
from envcheck.docker.instructions import Dockerfile

__all__ = ["dockerignore_text"]

# What tools leave behind or keep beside the sources: each pattern with the words by which a Dockerfile asks for it.
_PATTERNS = (
    (".git", r"\.git\b|SETUPTOOLS_SCM|versioneer|setuptools-scm|hatch-vcs"),
    ("**/__pycache__", ""),
    ("**/*.pyc", ""),
    ("**/.ipynb_checkpoints", ""),
    ("**/.pytest_cache", ""),
    ("**/.mypy_cache", ""),
    ("**/.ruff_cache", ""),
    (".venv", r"\.venv\b"),
    (".pixi", r""),
    ("**/.env", r"(?<![\w/])\.env\b"),
    ("**/*.pem", r"\.pem\b"),
    (".dockerignore", r"\.dockerignore"),
    ("Dockerfile*", r"Dockerfile"),
)


def dockerignore_text(dockerfile: Dockerfile) -> str:
    """The file's text.

    Args:
        dockerfile: The written Dockerfile: whatever it names in COPY or ADD is not ignored.
    """
    instructions = [one for stage in dockerfile.stages for one in stage.instructions]
    text = "\n".join(one.text for one in instructions)
    sources = [
        source
        for one in instructions
        if one.keyword in ("COPY", "ADD") and one.flag("from") is None
        for source in one.words[:-1]
    ]
    lines = ["# What no image needs; proposed by envcheck."]
    for pattern, asked_for in _PATTERNS:
        compiled = read_patterns(pattern)
        wanted = bool(asked_for) and re.search(asked_for, text) is not None
        if not wanted and not any(is_ignored(source, compiled) for source in sources):
            lines.append(pattern)
    return "\n".join(lines) + "\n"
