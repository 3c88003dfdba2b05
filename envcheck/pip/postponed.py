"""A package index and a resolver that are made when they are asked: most sources ask them nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.pip.installed import Installed
    from envcheck.pip.lookup import Lookup, PackageIndex, Progress
    from envcheck.pip.resolver import PipTarget, Resolver, Session

__all__ = ["PostponedIndex", "PostponedResolver"]


class PostponedIndex:
    """The `envcheck.pip.lookup.PackageIndex` that ``make`` makes, from its first question on."""

    def __init__(self, make: Callable[[], PackageIndex]) -> None:
        self._make = make
        self._made: PackageIndex | None = None

    def _index(self) -> PackageIndex:
        if self._made is None:
            self._made = self._make()
        return self._made

    def project(self, name: str) -> Lookup:
        """The files of one project."""
        return self._index().project(name)

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        return self._index().projects(names, progress=progress)

    def close(self) -> None:
        """Give back what the index holds open, if it was ever asked."""
        if self._made is not None:
            self._made.close()


class PostponedResolver:
    """The `envcheck.pip.resolver.Resolver` that ``make`` makes, from its first question on."""

    def __init__(self, make: Callable[[], Resolver]) -> None:
        self._make = make

    @cached_property
    def _resolver(self) -> Resolver:
        return self._make()

    @property
    def name(self) -> str:
        """Its name and version."""
        return self._resolver.name

    @property
    def indexes(self) -> tuple[str, ...]:
        """The URLs of the user's configuration that it asks, without credentials."""
        return self._resolver.indexes

    def trouble(self, target: PipTarget) -> str:
        """Why nothing can be resolved for a target; empty if there is no reason."""
        return self._resolver.trouble(target)

    def sees_more(self, target: PipTarget) -> bool:
        """Whether it looks into sources that the package index of the look-ups does not hold."""
        return self._resolver.sees_more(target)

    def open(
        self,
        target: PipTarget,
        installed: Iterable[Installed],
        extras: Mapping[str, Collection[str]],
        *,
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> AbstractContextManager[Session]:
        """A session for a target; see `envcheck.pip.resolver.Resolver.open`."""
        return self._resolver.open(target, installed, extras, preferred=preferred)
