"""The page of every module, made from the code when the documentation is built: it cannot tell of what is not there.

`on_files` is the hook that MkDocs calls (https://www.mkdocs.org/user-guide/configuration/#hooks).
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import envcheck

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["PAGE", "module_page", "on_files"]

PAGE = "contributing/modules.md"

_BEGINNING = """\
# Every module

The first sentence of each module, by folder. [Architecture](architecture.md) has how they hang together, and what may
import what.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page to the files of the documentation.

    Args:
        files: Those that MkDocs found below ``docs``.
        config: MkDocs' configuration.

    Returns:
        The same collection, with the page in it.
    """
    from mkdocs.structure.files import File

    files.append(File.generated(config, PAGE, content=module_page()))
    return files


def module_page() -> str:
    """Every module by folder, with the first paragraph of its documentation."""
    root = Path(envcheck.__file__).parent
    folders: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
        told = (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n\n")[0]
        folder = path.parent.relative_to(root.parent).as_posix()
        cell = " ".join(told.split()).replace("|", "\\|").replace("<", "&lt;")
        folders.setdefault(folder, []).append(f"| `{path.name}` | {cell} |\n")
    parts = [
        f"\n## `{name}/`\n\n| Module | What it is for |\n| --- | --- |\n{''.join(rows)}"
        for name, rows in folders.items()
    ]
    return _BEGINNING + "".join(parts)
