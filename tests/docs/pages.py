"""The documentation as the tests read it: the pages of ``docs``, those made from the code, and what stands in them."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["DOCS", "ROOT", "Block", "blocks", "generated_pages", "reference", "without_blocks", "written_pages"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, its text, and where the text stands in the page."""

    language: str
    body: str
    start: int
    end: int


def blocks(page: str) -> Iterator[Block]:
    for found in _FENCE.finditer(page):
        start, end = found.span("body")
        yield Block(language=found["language"], body=found["body"], start=start, end=end)


def without_blocks(page: str) -> str:
    return _FENCE.sub("", page)


def written_pages() -> Mapping[str, str]:
    """The pages that are written by hand, by their path below ``docs``."""
    return {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}


@cache
def reference() -> ModuleType:
    """The hook of MkDocs that makes the reference."""
    return _hook("reference")


def _hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"envcheck_docs_{name}", DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


@cache
def generated_pages() -> Mapping[str, str]:
    """The files that are made from the code, by their path below ``docs``."""
    pages: Mapping[str, str] = reference().reference_pages()
    modules = _hook("modules")
    return {**pages, modules.PAGE: modules.module_page()}
