"""The pip section: what stands below ``pip:`` in the environment files that envcheck writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from envcheck.model import PipAvailability, PipRequirement, PipRequirementKind, PipResolution, Report
from envcheck.pip.grammar import admits
from envcheck.secrets import strip_secrets

__all__ = ["pip_lines", "planned_pip_lines"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def pip_lines(rows: Sequence[PipRequirement], answers: Sequence[PipAvailability] = ()) -> tuple[str, ...]:
    """The lines of a pip section.

    A row that the package index cannot serve for the target is written with the nearest version that it can, and left
    out where there is none; each such row has its finding. Rows that were not looked up stay as they are, but for
    credentials, which no file that envcheck writes holds.

    Args:
        rows: The pip section of an environment.
        answers: What the package index said of its rows.
    """
    by_question = {(one.name, one.pin): one for one in answers}
    lines = [_line(row, by_question.get((row.name or "", row.pin))) for row in rows]
    return tuple(dict.fromkeys(line for line in lines if line is not None))


def planned_pip_lines(report: Report) -> tuple[str, ...]:
    """The pip section of a plan: the environment's, and what the plan moves from conda to pip, by its name there.

    Where it was resolved, rows that conda gives instead are gone, and those that had to give way have the version that
    was found.
    """
    listed = {row.name for row in report.environment.pip}
    projects = {one.requirement.name: one.pypi.name for one in report.availability if one.pypi is not None}
    named = [(projects.get(row.name, row.name), row.version) for row in report.plan.to_pip]
    moved = [f"{name}=={version}" if version else name for name, version in named if name not in listed]
    rows = _rows_of_plan(report.environment.pip, report.pip_resolution)
    return tuple(dict.fromkeys([*pip_lines(rows, report.pip), *moved]))


def _rows_of_plan(rows: Sequence[PipRequirement], resolution: PipResolution | None) -> list[PipRequirement]:
    """The rows as the resolution has them."""
    if resolution is None or resolution.trouble:
        return list(rows)
    # With the grammar of PEP 508, for which a plan without a pip section has no use.
    from envcheck.pip.references import same_file
    from envcheck.pip.resolution import requirement_text

    gone = {name for name, _ in resolution.moved}
    locked = {one.name: one.version for one in resolution.distributions}
    urls = {one.name: one.url for one in resolution.distributions}
    outvoted = {*resolution.unexplained, *(conflict.requirements[-1] for conflict in resolution.conflicts)}
    planned = []
    for row in rows:
        version = locked.get(row.name or "")
        if row.kind is PipRequirementKind.LOCAL_PATH and version is not None:
            planned.append(replace(row, kind=PipRequirementKind.NAMED, specifier=f"=={version}", pin=version, url=None))
            continue
        if (
            row.kind is PipRequirementKind.URL
            and version is not None
            and not same_file(urls[row.name or ""], row.url or "")
        ):
            # The file is not for the target, and another one of the same project is.
            planned.append(replace(row, kind=PipRequirementKind.NAMED, specifier=f"=={version}", pin=version, url=None))
            continue
        if row.name in gone or (version is None and requirement_text(row) in outvoted):
            continue
        other = version is not None and requirement_text(row) is not None and not admits(row.specifier, version)
        planned.append(replace(row, specifier=f"=={version}", pin=version) if other else row)
    return planned


def _line(row: PipRequirement, answer: PipAvailability | None) -> str | None:
    if row.kind is PipRequirementKind.UNREADABLE:
        return None
    if row.kind is PipRequirementKind.LOCAL_PATH:
        # The path is the exporter's; the project of that name is what was meant where there is a name.
        return None if row.name is None else row.name + _extras(row)
    marker = f" ; {row.marker}" if row.marker else ""
    if row.kind is PipRequirementKind.NAMED and row.name is not None:
        if answer is not None and answer.presence.absent:
            return f"{row.name}{_extras(row)}=={answer.nearest[0]}{marker}" if answer.nearest else None
        return f"{row.name}{_extras(row)}{row.specifier}{marker}"
    if row.kind is PipRequirementKind.EDITABLE and not row.text.startswith("-"):
        # A row of a listing (build ``dev_0``, a location in a third column) is no line that pip can read.
        return None if row.name is None else f"{row.name}{_extras(row)}{row.specifier}"
    return _URL.sub(lambda url: strip_secrets(url[0]), row.text)


def _extras(row: PipRequirement) -> str:
    return f"[{','.join(row.extras)}]" if row.extras else ""
