"""What a package index can answer, as values, and the protocol of whatever answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from envcheck.model import DistributionFile

__all__ = ["IndexUnavailable", "Lookup", "PackageIndex", "Progress", "ProjectFiles", "ProjectUnreadable"]

Progress = Callable[[str, int, int], None]
"""Called with a label, the number of steps done and the number of steps in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFiles:
    """A project and every file the index offers of it; ``name`` is normalized (PEP 503)."""

    name: str
    files: tuple[DistributionFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexUnavailable:
    """The index as a whole gives no answer; ``reason`` is one clause to show, free of secrets, without full stop."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUnreadable:
    """The index works, but its answer about this one project cannot be used; ``reason`` as in `IndexUnavailable`."""

    name: str
    reason: str


Lookup = ProjectFiles | ProjectUnreadable | IndexUnavailable | None
"""An index's answer about one name; ``None``: the index has no such project."""


@runtime_checkable
class PackageIndex(Protocol):
    """A package index for look-ups: it lists files and never downloads one."""

    def project(self, name: str) -> Lookup:
        """The files of one project."""
        ...

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        ...

    def close(self) -> None:
        """Give back what the index holds open."""
        ...
