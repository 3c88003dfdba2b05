"""Everything that one check found."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from envcheck.model.availability import Availability
from envcheck.model.engine import ChannelStatus, EngineInfo
from envcheck.model.finding import Finding
from envcheck.model.package_index import PipAvailability, PipResolution
from envcheck.model.plan import Plan
from envcheck.model.source import Export
from envcheck.model.target import Environment, Intent, Target

__all__ = ["Report", "Verdict"]


class Verdict(str, enum.Enum):
    """``READY``: installs as written; ``FIXABLE``: the plan solves and loses nothing Linux has; else ``BLOCKED``."""

    READY = "ready"
    FIXABLE = "fixable"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one check of one source for one target found.

    ``pip`` holds what the index says of the rows of the pip section, ``pip_resolution`` what pip is to install
    (``None``: nothing). ``accepted`` are findings that a baseline accepts; they are not among ``findings``.
    ``source_indexes`` are the package indexes and places of files that the source names and that were asked, without
    secrets.
    """

    envcheck_version: str
    export: Export
    environment: Environment
    target: Target
    engine: EngineInfo
    verdict: Verdict
    findings: tuple[Finding, ...]
    plan: Plan
    availability: tuple[Availability, ...] = ()
    pip: tuple[PipAvailability, ...] = ()
    pip_resolution: PipResolution | None = None
    channel_statuses: tuple[ChannelStatus, ...] = ()
    intent: Intent | None = None
    accepted: tuple[Finding, ...] = ()
    source_indexes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every channel could be asked; if not, the verdict speaks only of those that could."""
        return not any(status.silent for status in self.channel_statuses)
