"""Which Python the pins of a pip section were made for, where nothing says so: the one that most have a wheel for.

The channel's newest Python is a poor guess for an old ``pip freeze``: wheels are built for the Pythons of their time
(PEP 425), and a pin without one would have to be built, moved to conda or given up. The pages of the package index,
which are read in any case, tell for each Python which pins install.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from packaging.version import Version

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import DistributionFile, Environment, PipRequirement, PipRequirementKind, PythonCount, Target
from envcheck.pip.markers import holds
from envcheck.pip.releases import WheelTarget, parsed_version, releases_of, wheel_version
from envcheck.specs import is_version, sort_versions, spec_text
from envcheck.survey import installable

__all__ = ["best_python", "count_wheels", "with_python_of_wheels"]

# uv resolves for no older one (https://docs.astral.sh/uv/reference/policies/python/).
_OLDEST = (3, 6)

FilesOf = Callable[[Iterable[str]], Mapping[str, tuple[DistributionFile, ...]]]


def with_python_of_wheels(
    environment: Environment,
    target: Target,
    index: Index,
    files_of: FilesOf,
    *,
    preferred: Iterable[tuple[str, str, str]] = (),
) -> tuple[Environment, tuple[PythonCount, ...]]:
    """Give an environment the Python that most of its pip rows have a wheel for, if nothing else tells one.

    Args:
        environment: The environment; one that says its Python stays as it is, as does one whose pins install on every
            Python as well.
        target: The target.
        index: Its channels, whose Pythons can be had.
        files_of: Every file that the package index has of some projects; nothing while it is not to be asked.
        preferred: Name, version and build of the packages of an older lock: of equals its Python is taken.

    Returns:
        The environment, and how many rows have a wheel for the Python that was chosen and for another one, which is the
        newest if that has fewer; nothing if none was chosen.
    """
    rows = [row for row in environment.pip if _is_pinned(row)]
    if environment.python is not None or not rows:
        return environment, ()
    minors = _possible(environment, target, index)
    files = files_of([row.name or "" for row in rows]) if len(minors) > 1 else {}
    if not files:
        return environment, ()
    glibc = next((one.version for one in target.virtual_packages if one.name == "__glibc"), None)
    counts = count_wheels(rows, files, minors, platform=target.platform, glibc=glibc)
    locked = {_minor(version) for name, version, _ in preferred if name == "python"}
    best = best_python(sorted(counts, key=lambda one: one.minor not in locked))
    other = counts[0] if _lacking(counts[0]) > _lacking(best) else max(counts, key=_lacking)
    if _lacking(other) == _lacking(best):
        return environment, ()  # To the pins every Python is as good.
    reason = say(
        "for Python {minor} there are wheels of {wheels} of {rows} pinned pip rows",
        minor=best.minor,
        wheels=best.wheels,
        rows=best.rows,
    )
    return replace(environment, python=f"{best.minor}.*", python_reason=reason), (best, other)


def count_wheels(
    rows: Sequence[PipRequirement],
    files: Mapping[str, tuple[DistributionFile, ...]],
    minors: Iterable[str],
    *,
    platform: str,
    glibc: str | None,
) -> tuple[PythonCount, ...]:
    """Count for each Python the pinned rows that are for it by their markers, and those of them that have a wheel.

    Args:
        rows: The rows; those that name no version are left out.
        files: What the package index has of their projects; a project that it does not have has no wheel.
        minors: The Pythons (``3.10``).
        platform: The target's conda subdir.
        glibc: The target's glibc, ``None`` if unknown.
    """
    pinned = [row for row in rows if _is_pinned(row)]
    wheels = {(row.name, row.pin): _wheels_of(row, files.get(row.name or "", ())) for row in pinned}
    found = []
    for minor in minors:
        target = WheelTarget(python=minor, platform=platform, glibc=glibc)
        wanted = [row for row in pinned if holds(row.marker, python=minor, platform=platform)]
        installs = {
            key: any(
                release.wheel(allow_yanked=True) is not None
                for release in releases_of(key[0] or "", some, target).values()
            )
            for key, some in wheels.items()
        }
        count = sum(installs[row.name, row.pin] for row in wanted)
        found.append(PythonCount(minor=minor, rows=len(wanted), wheels=count))
    return tuple(found)


def best_python(counts: Sequence[PythonCount]) -> PythonCount:
    """The Python for which the fewest rows lack a wheel, the first among equals."""
    # Fewest without and not most with: a row that a marker leaves out speaks neither for a Python nor against it.
    return min(counts, key=_lacking)


def _lacking(one: PythonCount) -> int:
    return one.rows - one.wheels


def _is_pinned(row: PipRequirement) -> bool:
    return row.kind is PipRequirementKind.NAMED and row.name is not None and parsed_version(row.pin or "") is not None


def _wheels_of(row: PipRequirement, files: Iterable[DistributionFile]) -> list[DistributionFile]:
    """The wheels of a row's version; a pin without a local label admits every label (PEP 440)."""
    pin = Version(row.pin or "")
    found = []
    for file in files:
        version = wheel_version(file.filename) if file.filename.endswith(".whl") else None
        if version is not None and (version == pin or (pin.local is None and parsed_version(version.public) == pin)):
            found.append(file)
    return found


def _possible(environment: Environment, target: Target, index: Index) -> list[str]:
    """The Pythons of the channels that every conda row can be had with, the newest first."""
    versions = {one.version for one in index.records("python") if installable(one, target, None)}
    newest: dict[str, str] = {}
    for version in sort_versions(filter(_is_released, versions), newest_first=True):
        newest.setdefault(_minor(version), version)
    possible = [minor for minor in newest if tuple(map(int, minor.split("."))) >= _OLDEST]
    for row in environment.requirements:
        try:
            records = index.matching(spec_text(row))
        except ValueError:
            continue
        # What nothing matches tells nothing here: another version of it will be looked for.
        if records and row.name != "python":
            possible = [
                minor for minor in possible if any(installable(record, target, newest[minor]) for record in records)
            ]
    return possible


def _is_released(version: str) -> bool:
    return is_version(version) and version.replace(".", "").isdigit()


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
