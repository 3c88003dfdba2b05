"""A package index that a test makes up: tiny wheels with metadata, in a folder that `tests.support.server` serves.

write_index(folder, wheel("demo", "1.0", "base>=2"), wheel("base", "2.0"), source("old", "0.6"))
server = loopback_server(folder)   # --index-url server.url
"""

from __future__ import annotations

from pathlib import Path

from packaging.utils import canonicalize_name

from fixtures.build_index import File, write_project

__all__ = ["source", "wheel", "write_index"]


def wheel(
    name: str,
    version: str,
    *requires: str,
    tag: str = "py3-none-any",
    requires_python: str | None = None,
    extras: tuple[str, ...] = (),
    yanked: str | bool = False,
    module: str | None = None,
) -> File:
    """A wheel; ``module`` is the text of the one module in it, which is called like the project."""
    distribution = canonicalize_name(name).replace("-", "_")
    return File(
        name=name,
        version=version,
        filename=f"{distribution}-{version}-{tag}.whl",
        requires=requires,
        requires_python=requires_python,
        extras=extras,
        yanked=yanked,
        contents=() if module is None else ((f"{distribution}.py", module),),
    )


def source(name: str, version: str) -> File:
    """A source distribution, which nothing ever unpacks."""
    return File(name=name, version=version, filename=f"{name}-{version}.tar.gz")


def write_index(directory: Path, *files: File) -> Path:
    """Write an index of some files; what a name has stands on one page."""
    projects: dict[str, list[File]] = {}
    for file in files:
        projects.setdefault(canonicalize_name(file.name), []).append(file)
    for name, its in projects.items():
        write_project(directory, name, its)
    return directory
