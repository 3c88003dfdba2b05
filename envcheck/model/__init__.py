"""The types that travel between the stages of the pipeline.

Every type is a frozen, slotted, keyword-only dataclass that holds tuples and never lists or dictionaries, so a value
can be shared, compared and hashed. Nothing here does input or output. The stages are

    bytes -> Export -> Environment -> Availability + Outcome -> Plan + Findings -> Report

Each module has the types of one stage, or of whoever answers; everybody imports them from here.
"""

from __future__ import annotations

from envcheck.model.availability import (
    Availability,
    Presence,
    Sighting,
)
from envcheck.model.engine import (
    ChannelState,
    ChannelStatus,
    EngineInfo,
    Outcome,
    Record,
    Solved,
    Unsolved,
)
from envcheck.model.finding import (
    Finding,
    Remedy,
    RemedyAction,
    Severity,
)
from envcheck.model.package_index import (
    DistributionFile,
    LockedDistribution,
    PipAvailability,
    PipConflict,
    PipPresence,
    PipResolution,
    PythonCount,
)
from envcheck.model.plan import (
    Plan,
    PlanAdded,
    PlanChanged,
    PlanDropped,
    PlanKept,
    PlanObstacle,
)
from envcheck.model.report import (
    Report,
    Verdict,
)
from envcheck.model.source import (
    ChannelReference,
    Damage,
    DamageKind,
    Evidence,
    Export,
    PipRequirement,
    PipRequirementKind,
    Requirement,
    SourceKind,
)
from envcheck.model.target import (
    Channel,
    Environment,
    Intent,
    NormalizedEdit,
    PinPolicy,
    Target,
    VirtualPackage,
)

__all__ = [
    "Availability",
    "Channel",
    "ChannelReference",
    "ChannelState",
    "ChannelStatus",
    "Damage",
    "DamageKind",
    "DistributionFile",
    "EngineInfo",
    "Environment",
    "Evidence",
    "Export",
    "Finding",
    "Intent",
    "LockedDistribution",
    "NormalizedEdit",
    "Outcome",
    "PinPolicy",
    "PipAvailability",
    "PipConflict",
    "PipPresence",
    "PipRequirement",
    "PipRequirementKind",
    "PipResolution",
    "Plan",
    "PlanAdded",
    "PlanChanged",
    "PlanDropped",
    "PlanKept",
    "PlanObstacle",
    "Presence",
    "PythonCount",
    "Record",
    "Remedy",
    "RemedyAction",
    "Report",
    "Requirement",
    "Severity",
    "Sighting",
    "Solved",
    "SourceKind",
    "Target",
    "Unsolved",
    "Verdict",
    "VirtualPackage",
]
