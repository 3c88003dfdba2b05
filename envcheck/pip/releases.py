"""The files of a project by version, each judged for a target by its name (PEP 427, PEP 625) and what it needs."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envcheck.model import DistributionFile
from envcheck.pip.tags import platform_tags, supported_tags

__all__ = ["Candidate", "Release", "WheelTarget", "parsed_version", "releases_of", "source_version", "wheel_version"]


@functools.lru_cache(maxsize=4096)
def _accepts_python(requires_python: str | None, python: str | None) -> bool:
    """Whether a file admits the target's Python; an unreadable requirement admits every one, as in pip."""
    if requires_python is None or python is None:
        return True
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return True
    if python.count(".") > 1:
        return specifiers.contains(python, prereleases=True)
    # Only the minor version is settled: ">=3.9.1" is met by some 3.9, so ask for its first and a late patch release.
    return any(specifiers.contains(f"{python}.{patch}", prereleases=True) for patch in (0, 99))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One file, judged: ``rank`` orders the wheels that install (``None``: this one does not)."""

    file: DistributionFile
    version: Version
    tags: frozenset[Tag] | None
    accepts_python: bool
    rank: tuple[int, ...] | None

    @property
    def is_wheel(self) -> bool:
        """Whether it is no source distribution."""
        return self.tags is not None

    @property
    def is_pure(self) -> bool:
        """Whether it is a wheel for every platform."""
        return self.tags is not None and any(tag.platform == "any" for tag in self.tags)


_SOURCE_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")


def source_version(filename: str, project: str) -> Version | None:
    """The version in a source distribution's name, also of those from before PEP 625 (``Foo-Bar-1.0.zip``)."""
    suffix = next((suffix for suffix in _SOURCE_SUFFIXES if filename.lower().endswith(suffix)), None)
    if suffix is None:
        return None
    stem = filename[: -len(suffix)]
    # The name itself may hold hyphens: take the split whose left side is the project.
    for position in (match.start() for match in re.finditer("-", stem)):
        if canonicalize_name(stem[:position]) == project:
            return parsed_version(stem[position + 1 :])
    return None


_WHEEL_NAME = re.compile(r"[\w\d._]*", re.UNICODE)


def wheel_version(filename: str) -> Version | None:
    """The version in a wheel's name, ``None`` where `parse_wheel_filename` refuses the name.

    An index lists a hundred files for each one that matters: no part is read again that another file had too.
    """
    name, _, rest = filename[: -len(".whl")].partition("-")
    version, _, rest = rest.partition("-")
    hyphens = rest.count("-")
    if hyphens == 3 and rest[:1].isdecimal():
        rest = rest.partition("-")[2]
    elif hyphens != 2:
        return None
    return _named_version(name, version) if _parsed_tags(rest) is not None else None


@functools.lru_cache(maxsize=65_536)
def _named_version(name: str, version: str) -> Version | None:
    """The version behind a wheel's name, which many files share; ``None`` if either cannot be (PEP 427)."""
    unnamed = not name or "__" in name or _WHEEL_NAME.fullmatch(name) is None
    return None if unnamed else parsed_version(version)


@functools.lru_cache(maxsize=65_536)
def parsed_version(text: str) -> Version | None:
    """A version, ``None`` for what is none by PEP 440."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


@functools.lru_cache(maxsize=16_384)
def _parsed_tags(text: str) -> frozenset[Tag] | None:
    """The tags of a wheel, ``None`` for what are none; a few thousand combinations are all there are on PyPI."""
    try:
        return frozenset(parse_tag(text))
    except ValueError:  # a missing component, and since packaging 26.3 an empty one
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelTarget:
    """What wheels are held against; ``python`` and ``glibc`` are ``None`` where they are not known."""

    python: str | None
    platform: str
    glibc: str | None

    def rank(self, tags: Iterable[Tag]) -> int | None:
        """How well a wheel fits, 0 best; ``None`` if it does not."""
        if self.python is None:
            # Without a Python version only the platform can be held against a wheel.
            order = {name: position for position, name in enumerate((*platform_tags(self.platform, self.glibc), "any"))}
            ranks = [order[tag.platform] for tag in tags if tag.platform in order]
        else:
            supported = supported_tags(self.python, self.platform, self.glibc)
            ranks = [supported[tag] for tag in tags if tag in supported]
        return min(ranks, default=None)

    def has_platform(self, tags: Iterable[Tag]) -> bool:
        """Whether a wheel is for the platform, whatever its Python."""
        names = {*platform_tags(self.platform, self.glibc), "any"}
        return any(tag.platform in names for tag in tags)


def _candidate(version: Version, file: DistributionFile, target: WheelTarget) -> Candidate:
    """One file of a version; its name is known to be sound."""
    accepts = _accepts_python(file.requires_python, target.python)
    if not file.filename.endswith(".whl"):
        return Candidate(file=file, version=version, tags=None, accepts_python=accepts, rank=None)
    parts = file.filename[: -len(".whl")].split("-", 5)
    tags = _parsed_tags("-".join(parts[-3:])) or frozenset()
    tag_rank = target.rank(tags) if accepts else None
    # PEP 427: among equal tags the higher build number wins, hence its negation.
    build = re.match(r"\d+", parts[2]) if len(parts) == 6 else None
    rank = None if tag_rank is None else (tag_rank, -int(build[0]) if build else 0)
    return Candidate(file=file, version=version, tags=tags, accepts_python=accepts, rank=rank)


class Release:
    """All usable files of one version; they are judged when they are first asked for."""

    def __init__(self, version: Version, files: Sequence[DistributionFile], target: WheelTarget) -> None:
        self.version = version
        self._files = files
        self._target = target

    @functools.cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The files, judged."""
        return tuple(_candidate(self.version, file, self._target) for file in self._files)

    @property
    def yanked(self) -> bool:
        """Whether every file was withdrawn."""
        return all(file.yanked for file in self._files)

    def wheel(self, *, allow_yanked: bool = False) -> Candidate | None:
        """The wheel that pip would choose; a withdrawn one only where there is no other and it is allowed (PEP 592)."""
        fitting = [one for one in self.candidates if one.rank is not None and (allow_yanked or not one.file.yanked)]
        return min(fitting, key=lambda one: (one.file.yanked, one.rank or (), one.file.filename), default=None)

    def source(self) -> Candidate | None:
        """The source distribution that pip would build."""
        fitting = [one for one in self.candidates if not one.is_wheel and one.accepts_python]
        return min(fitting, key=lambda one: (one.file.yanked, one.file.filename), default=None)


def releases_of(name: str, files: Iterable[DistributionFile], target: WheelTarget) -> dict[Version, Release]:
    """The releases of a project; files whose names tell no version of it are left out."""
    grouped: dict[Version, list[DistributionFile]] = {}
    for file in files:
        filename = file.filename
        version = wheel_version(filename) if filename.endswith(".whl") else source_version(filename, name)
        if version is not None:
            grouped.setdefault(version, []).append(file)
    return {version: Release(version, found, target) for version, found in grouped.items()}
