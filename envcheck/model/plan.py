"""The closest environment for the target, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.model.engine import Record
from envcheck.model.target import Channel

__all__ = ["Plan", "PlanAdded", "PlanChanged", "PlanDropped", "PlanKept", "PlanObstacle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKept:
    """A requirement that the plan satisfies as it was asked."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """A requirement that the plan satisfies with another version; ``from_version`` is the asked constraint."""

    name: str
    from_version: str
    to_version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDropped:
    """A requirement that the plan leaves out, or (in ``Plan.to_pip``) has pip install."""

    name: str
    version: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAdded:
    """A package that the export did not list and the plan installs; ``reason`` names what needs it."""

    name: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanObstacle:
    """What keeps a version that the target has out of the plan.

    ``name`` is the requirement's; ``record`` is of the version's builds the one that the plan comes nearest to, and
    ``against`` are the names of a minimal set of the plan's packages that no such build goes together with, in name
    order: empty where it goes together with them and more would have to change, or with nothing at all.
    """

    name: str
    record: Record
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The closest environment found for the target.

    Every conda requirement of the source stands in exactly one of ``kept``, ``changed``, ``dropped`` and ``to_pip``.
    ``solved`` is true when a dry-solve of exactly these packages succeeded; ``packages`` is then its solution,
    otherwise empty. ``requirements`` are the specs to write into an environment file, ``direct`` the names that the
    user asked for as far as the source tells, ``added_channels`` what the plan needs beyond the source's channels.
    ``optimal`` is false when the search for the optimum was cut short; ``disagreements`` counts the candidates that the
    engine refused although the encoding allowed them. Where nothing may change and the requirements do not go together,
    ``conflicts`` are minimal sets of MatchSpecs that do not. ``uninstallable`` are direct names of which the target has
    records and no version can be installed, even alone. ``obstacles`` stand for what was changed or dropped although
    the target has it.
    """

    kept: tuple[PlanKept, ...] = ()
    changed: tuple[PlanChanged, ...] = ()
    dropped: tuple[PlanDropped, ...] = ()
    to_pip: tuple[PlanDropped, ...] = ()
    added: tuple[PlanAdded, ...] = ()
    requirements: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    added_channels: tuple[Channel, ...] = ()
    packages: tuple[Record, ...] = ()
    solved: bool = False
    explanation: str = ""
    optimal: bool = True
    disagreements: int = 0
    conflicts: tuple[tuple[str, ...], ...] = ()
    uninstallable: tuple[str, ...] = ()
    obstacles: tuple[PlanObstacle, ...] = ()
