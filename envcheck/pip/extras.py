"""What extras of conda's packages bring: the requirements that only they have (``dask[complete]``).

conda knows no extras: its package brings the base requirements, and pip installs what is missing for the extra. That
stands in the core metadata of that very version, which the package index serves beside its files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name
from packaging.version import Version

from envcheck.model import DistributionFile, LockedDistribution, PipResolution
from envcheck.pip.grammar import parsed_requirement
from envcheck.pip.installed import Installed
from envcheck.pip.releases import wheel_version
from envcheck.urls import split_url

__all__ = ["Describe", "FilesOf", "Told", "asked_by", "host_of", "with_extras"]

Describe = Callable[[PipResolution, frozenset[str]], PipResolution]
"""Fills in what distributions need, asked of the index and of the hosts that its pages name."""

FilesOf = Callable[[Iterable[str]], Mapping[str, tuple[DistributionFile, ...]]]
"""What the package index has of some projects, by normalized names; a name of which nothing is known is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Distributions with what their extras need, and the names of those of which that could not be told."""

    installed: Mapping[str, Installed]
    untold: frozenset[str]


def with_extras(
    installed: Mapping[str, Installed],
    asked: Mapping[str, Iterable[str]],
    files_of: FilesOf,
    describe: Describe | None,
) -> Told:
    """Tell what the extras need that are asked of conda's packages, and the extras that these need in turn.

    Args:
        installed: The distributions that conda's packages bring, by name.
        asked: The extras that are asked of each name.
        files_of: What the index has of projects.
        describe: Reads metadata; ``None`` reads none.
    """
    found = dict(installed)
    untold: set[str] = set()
    seen: set[str] = set()
    waiting = {name for name, extras in asked.items() if name in installed and tuple(extras)}
    while waiting:
        seen |= waiting
        lines = _extra_lines([installed[name] for name in sorted(waiting)], files_of, describe)
        untold |= waiting - lines.keys()
        found |= {name: replace(installed[name], needs=needs) for name, needs in lines.items()}
        waiting = set(asked_by(line for needs in lines.values() for line in needs)) & installed.keys() - seen
    return Told(installed=found, untold=frozenset(untold))


def asked_by(requirements: Iterable[str]) -> dict[str, set[str]]:
    """The extras that requirements ask of projects, by normalized names; their markers are not judged."""
    asked: dict[str, set[str]] = {}
    for text in requirements:
        requirement = parsed_requirement(text)
        if requirement is not None and requirement.extras:
            asked.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return asked


def _extra_lines(
    wanted: Iterable[Installed], files_of: FilesOf, describe: Describe | None
) -> dict[str, tuple[str, ...]]:
    """The requirements of extras of those distributions whose metadata can be had."""
    if describe is None:
        return {}
    wanted = list(wanted)
    files = files_of([one.name for one in wanted])
    chosen = [(one, file) for one in wanted if (file := _wheel_of(one, files.get(one.name, ()))) is not None]
    # No metadata says that a distribution needs a Python of no text: what still has it afterwards was not described.
    asked = PipResolution(
        distributions=tuple(
            LockedDistribution(
                name=one.name,
                version=one.version,
                url=file.url,
                filename=file.filename,
                sha256=file.sha256,
                requires_python="",
            )
            for one, file in chosen
        )
    )
    hosts = frozenset(host_of(file.url) for _, file in chosen)
    answered = describe(asked, hosts) if chosen else asked
    return {
        one.name: tuple(" ".join(line.split()) for line in one.requires if _is_of_extra(line))
        for one in answered.distributions
        if one.requires_python != ""
    }


def host_of(url: str) -> str:
    """Host and port, as `envcheck.pip.metadata` compares them."""
    return split_url(url).netloc.rpartition("@")[2].lower()


def _wheel_of(one: Installed, files: Iterable[DistributionFile]) -> DistributionFile | None:
    """A wheel of the very version; its metadata is that of all of them, whatever they are built for."""
    wheels = [file for file in files if file.filename.endswith(".whl") and _is_version(file.filename, one)]
    return min(wheels, key=lambda file: (not file.filename.endswith("-none-any.whl"), file.filename), default=None)


def _is_version(filename: str, one: Installed) -> bool:
    version = wheel_version(filename)
    return version is not None and version == Version(one.version)


def _is_of_extra(line: str) -> bool:
    """Whether a requirement is one of an extra, and not by a URL: an index must not name other places (PEP 440)."""
    requirement = parsed_requirement(line)
    if requirement is None or requirement.url is not None:
        return False
    return re.search(r"\bextra\b", str(requirement.marker or "")) is not None
