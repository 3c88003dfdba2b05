"""The pip section: what stands below ``pip:`` in the environment files that envcheck writes."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.model import PipAvailability, PipPresence, PipRequirement, PipRequirementKind, Report

__all__ = ["pip_lines", "planned_pip_lines"]

_CANNOT_BE_HAD = (PipPresence.OTHER_PLATFORM, PipPresence.OTHER_PYTHON, PipPresence.NO_VERSION, PipPresence.NO_PROJECT)


def pip_lines(rows: Sequence[PipRequirement], answers: Sequence[PipAvailability] = ()) -> tuple[str, ...]:
    """The lines of a pip section.

    A row that the package index cannot serve for the target is written with the nearest version that it can, and left
    out where there is none; each such row has its finding. Rows that were not looked up stay as they are.

    Args:
        rows: The pip section of an environment.
        answers: What the package index said of its rows.
    """
    by_question = {(one.name, one.pin): one for one in answers}
    lines = [_line(row, by_question.get((row.name or "", row.pin))) for row in rows]
    return tuple(dict.fromkeys(line for line in lines if line is not None))


def planned_pip_lines(report: Report) -> tuple[str, ...]:
    """The pip section of a plan: the environment's, and what the plan moves from conda to pip."""
    moved = [f"{row.name}=={row.version}" if row.version else row.name for row in report.plan.to_pip]
    return tuple(dict.fromkeys([*pip_lines(report.environment.pip, report.pip), *moved]))


def _line(row: PipRequirement, answer: PipAvailability | None) -> str | None:
    if row.kind is PipRequirementKind.UNREADABLE:
        return None
    if row.kind is PipRequirementKind.LOCAL_PATH:
        # The path is the exporter's; the project of that name is what was meant where there is a name.
        return None if row.name is None else row.name + _extras(row)
    if row.kind is PipRequirementKind.NAMED and row.name is not None:
        if answer is not None and answer.presence in _CANNOT_BE_HAD:
            return f"{row.name}{_extras(row)}=={answer.nearest[0]}" if answer.nearest else None
        marker = f" ; {row.marker}" if row.marker else ""
        return f"{row.name}{_extras(row)}{row.specifier}{marker}"
    return row.text


def _extras(row: PipRequirement) -> str:
    return f"[{','.join(row.extras)}]" if row.extras else ""
