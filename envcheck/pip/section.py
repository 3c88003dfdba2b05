"""The pip section of a plan: what stands below ``pip:`` in the environment file that envcheck writes."""

from __future__ import annotations

from envcheck.model import PipAvailability, PipPresence, PipRequirement, PipRequirementKind, Report

__all__ = ["pip_lines"]

_LEFT_OUT = (PipRequirementKind.UNREADABLE,)
_CANNOT_BE_HAD = (PipPresence.OTHER_PLATFORM, PipPresence.OTHER_PYTHON, PipPresence.NO_VERSION, PipPresence.NO_PROJECT)


def pip_lines(report: Report) -> tuple[str, ...]:
    """The lines of the pip section for the target.

    A row that the package index cannot serve for the target is written with the nearest version that it can, and left
    out where there is none; each such row has its finding. Rows that were not looked up stay as they are, and packages
    that the plan moves from conda to pip follow at the end.
    """
    answers = {(one.name, one.pin): one for one in report.pip}
    lines = [
        line
        for row in report.environment.pip
        if (line := _line(row, answers.get((row.name or "", row.pin)))) is not None
    ]
    moved = [f"{row.name}=={row.version}" if row.version else row.name for row in report.plan.to_pip]
    return tuple(dict.fromkeys([*lines, *moved]))


def _line(row: PipRequirement, answer: PipAvailability | None) -> str | None:
    if row.kind in _LEFT_OUT:
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
