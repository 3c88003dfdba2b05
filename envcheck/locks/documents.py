"""The YAML documents that locks are, loaded so that nobody can attack with one."""

from __future__ import annotations

from typing import Any

import yaml

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.yaml_bounds import UnboundedYamlError, bounded_events, safe_loader

__all__ = ["load_document"]


def load_document(text: str, *, path: str | None, kind: str, texts_only: bool = False) -> dict[str, Any]:
    """The mapping that a lock's text is.

    Args:
        text: The file's content.
        path: The file's name, for the error.
        kind: What the file should be (``a conda-lock.yml``), for the error.
        texts_only: Whether to leave every scalar the text that it was written as: ``3.10`` is no number then, nor is a
            hash that has only digits.

    Raises:
        SourceError: It is no YAML, uses aliases, goes beyond a bound of `envcheck.limits`, or is no mapping.
    """
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader) if texts_only else safe_loader()
    try:
        # No writer of locks uses aliases; a thousand nested ones are an attack on whoever walks the result.
        for _ in bounded_events(text):
            pass
        document = yaml.load(text, Loader=loader)  # noqa: S506 - all of them are safe loaders
    except UnboundedYamlError as error:
        raise SourceError(say("{problem}; no lock does.", problem=error.problem), path=path, line=error.line) from error
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        raise SourceError(say("The lock is not readable as YAML."), path=path, line=line) from error
    if not isinstance(document, dict):
        raise SourceError(say("This is not {kind}.", kind=kind), path=path)
    return document
