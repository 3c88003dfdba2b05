"""What a resolver of pip requirements is asked and can answer, as values, and the protocols of whatever answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from envcheck.model import LockedDistribution

if TYPE_CHECKING:
    from envcheck.pip.installed import Installed

__all__ = ["Answer", "PipTarget", "Resolved", "Resolver", "Session", "Unresolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipTarget:
    """Where pip is to install: the Python (``3.10.13``), the conda subdir and its glibc.

    ``indexes`` and ``find_links`` are sources beyond the user's own configuration; they may hold credentials.
    """

    python: str
    platform: str
    glibc: str | None = None
    indexes: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is to be installed, sorted by name, and pairs of what is there already and the conda package it is in."""

    distributions: tuple[LockedDistribution, ...]
    provided: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """There is no resolution, or, with ``failed``, no answer; ``explanation`` is prose to show, free of secrets."""

    explanation: str
    failed: bool = False


Answer = Resolved | Unresolved


class Session(Protocol):
    """Questions about one target with the same distributions installed."""

    def resolve(
        self,
        requirements: Sequence[str],
        *,
        replaceable: frozenset[str] = frozenset(),
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Resolve PEP 508 requirements.

        Args:
            requirements: The requirements.
            replaceable: Names of installed distributions that may be replaced.
            preferred: Names and versions to take wherever the requirements leave a choice.
        """
        ...


class Resolver(Protocol):
    """A resolver that reads metadata of wheels, installs nothing and builds nothing."""

    @property
    def name(self) -> str:
        """Its name and version."""
        ...

    @property
    def indexes(self) -> tuple[str, ...]:
        """The URLs of the user's configuration that it asks, without credentials."""
        ...

    def trouble(self, target: PipTarget) -> str:
        """Why nothing can be resolved for a target; empty if there is no reason."""
        ...

    def sees_more(self, target: PipTarget) -> bool:
        """Whether it looks into sources that the package index of the look-ups does not hold."""
        ...

    def open(
        self,
        target: PipTarget,
        installed: Iterable[Installed],
        extras: Mapping[str, Collection[str]],
        *,
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> AbstractContextManager[Session]:
        """A session for a target.

        Args:
            target: The target.
            installed: What is installed already.
            extras: The extras that are asked of it.
            preferred: Names and versions to take wherever there is a choice, as an older lock has them.
        """
        ...
