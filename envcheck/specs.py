"""Conda's own grammar: MatchSpec text (CEP 29) and version order (CEP 33), by rattler's parser.

Besides the rattler engine this is the only module that imports `rattler`, and it does so on first use.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from envcheck.model import Record, Requirement

if TYPE_CHECKING:
    import rattler

__all__ = [
    "dependency_parts",
    "exact_spec",
    "is_version",
    "match_spec",
    "matches",
    "nearest_versions",
    "parse_requirement",
    "satisfies",
    "sort_versions",
    "spec_text",
    "version_key",
]


@functools.lru_cache(maxsize=65536)
def _version(text: str) -> rattler.Version:
    from rattler import Version
    from rattler.exceptions import InvalidVersionError

    try:
        return Version(text)
    except InvalidVersionError as error:
        raise ValueError(f"{text!r} is not a conda version") from error


def is_version(text: str) -> bool:
    """Whether a text is a version that names a release: conda's grammar accepts it and it holds a digit.

    CEP 33 accepts bare words, so that ``custom`` is a version to conda; no release is called that.
    """
    if not any(character.isdigit() for character in text):
        return False
    try:
        _version(text)
    except ValueError:
        return False
    return True


def version_key(text: str) -> rattler.Version:
    """A sort key in conda's version order.

    Raises:
        ValueError: The text is not a conda version.
    """
    return _version(text)


def sort_versions(versions: Iterable[str], *, newest_first: bool = False) -> list[str]:
    """Distinct versions in conda's order; texts that are equal as versions (``1.0``, ``1.0.0``) sort by text."""
    ordered = sorted(sorted(set(versions)), key=_version)
    return ordered[::-1] if newest_first else ordered


def parse_requirement(text: str, *, line: int, written: str | None = None) -> Requirement:
    """Read one conda requirement as conda's command line and ``environment.yml`` accept it.

    ``name=1.2`` is ``1.2.*`` (CEP 29's fuzzy match), ``name=1.2=build`` and ``name==1.2`` are exact.

    Args:
        text: The specification, without comment or list dash.
        line: The 1-based line of the source it stands on.
        written: The text as the source has it, if that differs.

    Raises:
        ValueError: The text is no MatchSpec; the message says why.
    """
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    stripped = text.strip()
    channel: str | None = None
    bare = stripped
    if "::" in stripped:
        channel, _, bare = stripped.rpartition("::")
    try:
        spec = MatchSpec(bare, strict=False)
    except InvalidMatchSpecError as error:
        raise ValueError(str(error)) from error
    version = spec.version
    if channel is None and spec.channel is not None:
        channel = spec.channel.name or spec.channel.base_url
    return Requirement(
        name=spec.name.normalized,
        version=version,
        pin=_pin(version),
        build=spec.build,
        channel=channel or None,
        subdir=spec.subdir,
        line=line,
        text=stripped if written is None else written,
    )


def _pin(version: str | None) -> str | None:
    """The one version that a constraint names, or ``None`` where it allows a choice between releases."""
    # An epoch (``1!2.0``) is part of a version, an exclusion (``!=2.0``) is not.
    if version is None or "!=" in version or any(character in version for character in "<>~,|^$"):
        return None
    text = version.removeprefix("==").removeprefix("=")
    text = text.removesuffix(".*").removesuffix("*")
    return text if "*" not in text and is_version(text) else None


def exact_spec(name: str, version: str, build: str | None = None) -> str:
    """A MatchSpec for one version: ``numpy ==1.26.4``, with its build when given."""
    return f"{name} =={version}" if build is None else f"{name} =={version} {build}"


def spec_text(requirement: Requirement) -> str:
    """The MatchSpec text of a requirement, without its channel: ``numpy 1.26.* *_cpu``."""
    parts = [requirement.name]
    if requirement.version is not None or requirement.build is not None:
        parts.append(requirement.version or "*")
    if requirement.build is not None:
        parts.append(requirement.build)
    return " ".join(parts)


@functools.lru_cache(maxsize=65536)
def match_spec(text: str) -> rattler.MatchSpec | None:
    """A MatchSpec as rattler reads it, leniently; ``None`` for one that it cannot read."""
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return MatchSpec(text, strict=False)
    except InvalidMatchSpecError:
        return None


@functools.lru_cache(maxsize=65536)
def dependency_parts(dependency: str) -> tuple[str, str | None, str | None]:
    """Name, version constraint and build of one entry of ``depends`` or ``constrains``.

    An entry that rattler cannot read (repodata holds a few) gives its first word and no constraint.
    """
    spec = match_spec(dependency)
    if spec is None:
        return dependency.split(" ", 1)[0].lower(), None, None
    return spec.name.normalized, spec.version, spec.build


@functools.lru_cache(maxsize=65536)
def satisfies(version: str, constraint: str | None) -> bool:
    """Whether a version lies within a MatchSpec's version constraint (``None``: any)."""
    if constraint is None:
        return True
    from rattler import VersionSpec

    return VersionSpec(constraint).matches(_version(version))


def matches(spec: str, record: Record) -> bool:
    """Whether a record is what a MatchSpec asks for; one that rattler cannot read asks for its name only."""
    from rattler import BuildString, PackageRecord

    parsed = match_spec(spec)
    if parsed is None:
        return dependency_parts(spec)[0] == record.name
    package = PackageRecord(
        name=record.name,
        version=record.version,
        build=BuildString(record.build),
        build_number=record.build_number,
        subdir=record.subdir,
        md5=bytes.fromhex(record.md5) if record.md5 else None,
        sha256=bytes.fromhex(record.sha256) if record.sha256 else None,
    )
    return parsed.matches(package)


def nearest_versions(wanted: str, available: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """The versions closest to one that cannot be had, best first.

    Those that share more leading segments (same minor, then same major) come first; among them the next newer one, the
    next older one, the second newer one, and so on.

    Raises:
        ValueError: ``wanted`` is not a conda version.
    """
    key = _version(wanted)
    wanted_segments = _leading_segments(wanted)

    def shared(version: str) -> int:
        count = 0
        for left, right in zip(wanted_segments, _leading_segments(version), strict=False):
            if left != right:
                break
            count += 1
        return min(count, 2)

    ranks: dict[str, tuple[int, int, int]] = {}
    ordered = sort_versions(available)
    newer = [version for version in ordered if _version(version) >= key]
    older = [version for version in reversed(ordered) if _version(version) < key]
    for side, run in enumerate((newer, older)):
        positions: Counter[int] = Counter()
        for version in run:
            group = shared(version)
            ranks[version] = (-group, positions[group], side)
            positions[group] += 1
    return tuple(sorted(ranks, key=ranks.__getitem__)[:limit])


def _leading_segments(version: str) -> list[str]:
    """The parts between dots; ``2022.09`` and ``2022.9`` are the same month."""
    return [part.lstrip("0") or "0" for part in version.split(".")]
