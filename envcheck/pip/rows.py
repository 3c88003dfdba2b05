"""The rows that pip is asked for: those of the pip section, and what the plan moves there from conda."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from envcheck.model import (
    Availability,
    Environment,
    PipAvailability,
    PipRequirement,
    PipRequirementKind,
    PipResolution,
    Plan,
)

__all__ = ["PLAN", "PipStage", "named_indexes", "rows_for_pip"]

PLAN = "plan"
"""The origin of a row that the plan moves from conda."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipStage:
    """What came of the pip section: the plan with what moved to conda, the index's answers, the resolution."""

    plan: Plan
    answers: tuple[PipAvailability, ...] = ()
    resolution: PipResolution | None = None


def rows_for_pip(environment: Environment, plan: Plan, availability: Iterable[Availability]) -> list[PipRequirement]:
    """The rows of the pip section, and what the plan moves there from conda, by its name on the package index."""
    if not plan.to_pip:
        return list(environment.pip)
    from packaging.utils import canonicalize_name

    listed = {row.name for row in environment.pip}
    asked = {one.requirement.name: one for one in availability}
    rows = list(environment.pip)
    for moved in plan.to_pip:
        one = asked.get(moved.name)
        name = canonicalize_name(one.pypi.name if one is not None and one.pypi is not None else moved.name)
        if name in listed:
            continue
        rows.append(
            PipRequirement(
                kind=PipRequirementKind.NAMED,
                name=name,
                specifier=f"=={moved.version}" if moved.version else "",
                pin=moved.version,
                origin=PLAN,
                line=one.requirement.line if one is not None else 0,
                text=name,
            )
        )
    return rows


def named_indexes(rows: Iterable[PipRequirement]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The index URLs and the find-links that options of a pip section name; secrets included."""
    options = [row for row in rows if row.kind is PipRequirementKind.OPTION and row.url]
    indexes = [row.url for row in options if re.match(r"--extra-index-url|--index-url|-i", row.text)]
    links = [row.url for row in options if re.match(r"--find-links|-f", row.text)]
    return tuple(filter(None, indexes)), tuple(filter(None, links))
