"""`Export` → `Environment`: what the source asks for, without what binds it to another platform.

Pure and idempotent: the environment file that envcheck writes normalizes to itself. Whether a package exists on the
target is not asked here; only the repodata can tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from envcheck.builds import python_of_build, variant_of_build
from envcheck.language import say
from envcheck.model import (
    ChannelReference,
    Environment,
    Export,
    NormalizedEdit,
    PipRequirement,
    PipRequirementKind,
    Requirement,
    SourceKind,
)

__all__ = ["is_full_export", "normalize", "platform_differs"]

# Kinds that list everything that is installed, rather than what somebody asked for.
_LISTINGS = frozenset(
    {
        SourceKind.LIST_EXPORT,
        SourceKind.EXPLICIT,
        SourceKind.LIST_TABLE,
        SourceKind.LIST_JSON,
        SourceKind.CONDA_LOCK,
        SourceKind.PIXI_LOCK,
    }
)

_SUBDIR = re.compile(r"/(?:noarch|(?:win|linux|osx)-[a-z0-9_]+)/?$")


def normalize(export: Export, platform: str, *, keep_variants: bool = False) -> Environment:
    """Make an export ready for a target platform.

    Args:
        export: The parsed source.
        platform: The target's conda subdir.
        keep_variants: Whether a build that names a variant (``cuda``, ``mkl``, ``cpu``, …) becomes a build constraint
            instead of being dropped with the other builds of another platform.

    Returns:
        The environment, with every change recorded in `Environment.edits`.
    """
    foreign = platform_differs(export, platform)
    without_builds = is_full_export(export) and not any(row.build for row in export.requirements)
    edits: list[NormalizedEdit] = []
    requirements: list[Requirement] = []
    for requirement in export.requirements:
        freed = _free_of_platform(requirement, export, foreign=foreign, keep_variants=keep_variants)
        if without_builds and freed.pin is not None and freed.version == f"{freed.pin}.*":
            # What lists everything installed means this very version, where a person's ``=1.2`` means any 1.2.
            freed = replace(freed, version=f"=={freed.pin}")
        if freed.build != requirement.build:
            edits.append(
                NormalizedEdit(
                    subject=requirement.name,
                    before=f"{requirement.pin or requirement.version or '*'}={requirement.build}",
                    after=f"{freed.pin or freed.version or '*'}" + (f"={freed.build}" if freed.build else ""),
                    reason=say("the build belongs to {platform}", platform=export.platform or say("another platform")),
                    line=requirement.line,
                )
            )
        requirements.append(freed)
    requirements = _merge_duplicates(requirements, edits)
    pip = _merge_pip(export.pip, edits)
    python, python_reason = _python(export)
    names = {requirement.name for requirement in requirements}
    needs_pip = any(row.kind is not PipRequirementKind.OPTION for row in pip) and "pip" not in names
    return Environment(
        name=export.environment_name or "environment",
        platform=platform,
        requirements=tuple(requirements),
        pip=pip,
        channels=_channels(export),
        python=python,
        python_reason=python_reason,
        implied=("pip",) if needs_pip else (),
        edits=tuple(edits),
    )


def platform_differs(export: Export, platform: str) -> bool:
    """Whether the source was made on a platform that is known and is not the target's."""
    return export.platform is not None and export.platform != platform


def is_full_export(export: Export) -> bool:
    """Whether the source lists everything installed, so that its rows do not tell what the user asked for.

    A hand-written file and ``conda env export --from-history`` name what was asked for; everything else that conda
    writes names every package, nearly all with a version.
    """
    if export.kind in _LISTINGS:
        return True
    rows = export.requirements
    with_build = sum(1 for row in rows if row.build is not None and "*" not in row.build)
    if rows and with_build * 2 > len(rows):
        return True
    # ``conda env export --no-builds``: ten rows and more, nearly all pinned, with a prefix or in alphabetical order.
    pinned = sum(1 for row in rows if row.pin is not None)
    names = [row.name for row in rows]
    return len(rows) >= 10 and pinned * 10 >= len(rows) * 9 and (export.prefix is not None or names == sorted(names))


def _free_of_platform(requirement: Requirement, export: Export, *, foreign: bool, keep_variants: bool) -> Requirement:
    """A row without the build, URL and hashes of another platform, and without the channel that it merely came from."""
    build = requirement.build
    literal = build is not None and not any(character in build for character in "*^|")
    if foreign and literal and build is not None:
        build = variant_of_build(build) if keep_variants else None
    # In a hand-written or exported YAML `channel::name` is a wish; elsewhere the channel only tells the origin.
    channel = _without_subdir(requirement.channel) if export.kind is SourceKind.ENVIRONMENT_YAML else None
    if channel == "defaults":
        channel = None  # It stands for several channels, of which no package comes from more than one.
    return replace(
        requirement,
        build=build,
        channel=channel,
        subdir=None if foreign else requirement.subdir,
        url=None if foreign else requirement.url,
        md5=None if foreign else requirement.md5,
        sha256=None if foreign else requirement.sha256,
    )


def _merge_duplicates(requirements: Iterable[Requirement], edits: list[NormalizedEdit]) -> list[Requirement]:
    """One requirement per name; names that differ by ``-`` and ``_`` are different conda packages (CEP 26)."""
    merged: dict[str, Requirement] = {}
    for requirement in requirements:
        first = merged.get(requirement.name)
        if first is None:
            merged[requirement.name] = requirement
            continue
        both = _both(first, requirement)
        merged[requirement.name] = both
        edits.append(
            NormalizedEdit(
                subject=requirement.name,
                before=say("{first} and {second}", first=first.text, second=requirement.text),
                after=f"{both.name} {both.version or ''}".strip(),
                reason=say("listed twice, on lines {first} and {second}", first=first.line, second=requirement.line),
                line=requirement.line,
            )
        )
    return list(merged.values())


def _both(first: Requirement, second: Requirement) -> Requirement:
    """The requirement that asks for both where that is possible; of two different pins the first one."""
    one, other = first, second
    if first.version is None or (first.pin is None and second.pin is not None):
        one, other = second, first
    # A build belongs to its version: beside another pin it would ask for what never was.
    build = one.build or (other.build if other.pin in (None, one.pin) else None)
    version = one.version
    if one.pin is None and one.version and other.version and one.version != other.version:
        version = f"{_grouped(first.version or '*')},{_grouped(second.version or '*')}"
    return replace(
        one,
        version=version,
        build=build,
        channel=first.channel or second.channel,
        line=first.line,
        text=first.text,
    )


def _grouped(constraint: str) -> str:
    """A constraint that may stand beside another one: ``,`` binds more tightly than ``|`` (CEP 29)."""
    return f"({constraint})" if "|" in constraint else constraint


def _merge_pip(rows: Sequence[PipRequirement], edits: list[NormalizedEdit]) -> tuple[PipRequirement, ...]:
    """The pip section with every project once; the first mention wins."""
    seen: dict[str, PipRequirement] = {}
    merged: list[PipRequirement] = []
    for row in rows:
        if row.name is None or row.marker is not None:
            merged.append(row)
            continue
        first = seen.get(row.name)
        if first is None:
            seen[row.name] = row
            merged.append(row)
            continue
        edits.append(
            NormalizedEdit(
                subject=row.name,
                before=say("{first} and {second}", first=first.text, second=row.text),
                after=first.text,
                reason=say(
                    "in the pip section twice, on lines {first} and {second}", first=first.line, second=row.line
                ),
                line=row.line,
            )
        )
    return tuple(merged)


def _python(export: Export) -> tuple[str | None, str | None]:
    """The Python to have and where that is read: the python row, or else what most builds are bound to."""
    for requirement in export.requirements:
        if requirement.name == "python":
            if requirement.pin is not None:
                minor = ".".join(requirement.pin.split(".")[:2])
                return f"{minor}.*", say("line {line}: {text}", line=requirement.line, text=requirement.text)
            if requirement.version is not None:
                return requirement.version, say("line {line}: {text}", line=requirement.line, text=requirement.text)
    bound = Counter(
        python
        for requirement in export.requirements
        if requirement.build is not None and (python := python_of_build(requirement.build)) is not None
    )
    if not bound:
        return None, None
    minor, count = min(bound.items(), key=lambda item: (-item[1], item[0]))
    return f"{minor}.*", say("{count} builds are bound to Python {minor}", count=count, minor=minor)


def _channels(export: Export) -> tuple[ChannelReference, ...]:
    """The channels of the source; conda adds behind them the channels that single requirements name."""
    rows = _channels_of_rows(export.requirements)
    if not export.channels or export.kind is not SourceKind.ENVIRONMENT_YAML:
        return export.channels or rows
    named = {reference.text for reference in export.channels}
    return (*export.channels, *(reference for reference in rows if reference.text not in named))


def _without_subdir(channel: str | None) -> str | None:
    """A channel as ``channel/subdir::name`` names it (CEP 29), without the platform."""
    return None if channel is None else _SUBDIR.sub("", channel)


def _channels_of_rows(requirements: Sequence[Requirement]) -> tuple[ChannelReference, ...]:
    """The channels that rows came from, for sources without a list of channels: the most used one first."""
    first_line: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for requirement in requirements:
        channel = _without_subdir(requirement.channel)
        if channel is not None:
            counts[channel] += 1
            first_line.setdefault(channel, requirement.line)
    ordered = sorted(counts, key=lambda channel: (-counts[channel], first_line[channel]))
    return tuple(ChannelReference(text=channel, line=first_line[channel]) for channel in ordered)
