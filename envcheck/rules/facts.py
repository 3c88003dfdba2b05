"""What a rule is given, what it gives back, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from envcheck.language import joined, say
from envcheck.model import (
    Availability,
    Channel,
    ChannelReference,
    ChannelStatus,
    Environment,
    Export,
    Intent,
    NormalizedEdit,
    Outcome,
    PipAvailability,
    PipResolution,
    Plan,
    PythonCount,
    Remedy,
    Requirement,
    Severity,
    Target,
)

if TYPE_CHECKING:
    from envcheck.second_opinion import SecondOpinion

__all__ = ["Draft", "Facts", "Rule", "some_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the stages before found out about one source and one target.

    ``as_written`` is the outcome of solving the source's rows unchanged, ``None`` where look-ups alone already rule
    that out; ``told_channels`` are channels that only the builds of rows told of, each with those rows; ``cuda`` is the
    CUDA version that the source asks for and the row that says so, if the target was taken to have it for that reason
    alone; ``package_index_trouble`` says why the Python package index could not be asked (empty: it could, or was not
    needed); ``pip_resolution`` is what pip is to install, ``None`` where that is nothing; ``asked_indexes`` are the
    package indexes of the user's configuration, without credentials, and ``source_indexes_asked`` whether those that
    the source names were asked besides; ``python_counts`` are the Python that was chosen for the wheels that there are
    and another one to compare it with, if nothing else told the Python.
    """

    export: Export
    environment: Environment
    target: Target
    channel_edits: tuple[NormalizedEdit, ...]
    non_channels: tuple[ChannelReference, ...]
    denied_channels: tuple[Channel, ...]
    statuses: tuple[ChannelStatus, ...]
    availability: tuple[Availability, ...]
    pip: tuple[PipAvailability, ...]
    package_index_trouble: str
    as_written: Outcome | None
    intent: Intent
    plan: Plan
    pip_resolution: PipResolution | None = None
    asked_indexes: tuple[str, ...] = ()
    source_indexes_asked: bool = False
    second_opinion: SecondOpinion | None = None
    told_channels: tuple[tuple[Channel, tuple[Requirement, ...]], ...] = ()
    cuda: tuple[str, Requirement] | None = None
    python_counts: tuple[PythonCount, ...] = ()


def some_of(names: Sequence[str], most: int = 5) -> str:
    """``a, b, c``, or the first ones ``and 7 more``."""
    shown = joined(", ", names[:most])
    return shown if len(names) <= most else say("{names} and {count} more", names=shown, count=len(names) - most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A finding before its rule has put its code and title on it."""

    severity: Severity
    subject: str
    message: str
    line: int | None = None
    remedies: tuple[Remedy, ...] = ()


_F = TypeVar("_F")


@dataclass(frozen=True, slots=True)
class Rule(Generic[_F]):
    """A stable code, a title, and a pure function of some facts whose docstring is the rule's documentation."""

    code: str
    title: str
    check: Callable[[_F], Iterator[Draft]]

    @property
    def documentation(self) -> str:
        """What the rule finds, why that matters and how it is mended."""
        return (self.check.__doc__ or "").strip()
