"""Rows of a pip section that name their source themselves: a commit, or the URL of a file; nothing of it is fetched.

A file that a page of the package index lists is that index's, whoever names it: its hash and its needs are known, and
it is resolved like any other. Of a file elsewhere only its name speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from envcheck.model import DistributionFile, LockedDistribution, PipRequirement, PipRequirementKind
from envcheck.pip.markers import holds
from envcheck.pip.releases import source_version, wheel_version
from envcheck.pip.tags import supported_tags
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

__all__ = [
    "as_named",
    "as_project",
    "digest_of",
    "file_of",
    "fits_target",
    "listed_files",
    "locked_reference",
    "same_file",
]

_COMMIT = re.compile(r"(?P<repository>git\+.+)@(?P<commit>[0-9a-f]{40})(?:[#?].*)?")


def file_of(row: PipRequirement) -> str:
    """The name of the file that a row's URL is of; empty for any other row."""
    if row.kind is not PipRequirementKind.URL or row.url is None:
        return ""
    return unquote(split_url(row.url).path.rsplit("/", 1)[-1])


def digest_of(row: PipRequirement) -> str | None:
    """The sha256 that a row's URL gives for its file (``#sha256=…``)."""
    digest = re.search(r"sha256[=:]([0-9a-fA-F]{64})", split_url(row.url or "").fragment)
    return None if digest is None else digest[1].lower()


def same_file(one: str, other: str) -> bool:
    """Whether two URLs are of the same file, whatever stands behind ``#``, credentials, and how a sign is written."""

    def bare(url: str) -> tuple[str, str, str]:
        parts = split_url(strip_secrets(url.partition("#")[0]))
        return parts.scheme.lower(), parts.netloc.lower(), unquote(parts.path)

    return bare(one) == bare(other)


def listed_files(
    rows: Iterable[PipRequirement], files: Mapping[str, Iterable[DistributionFile]]
) -> dict[PipRequirement, DistributionFile]:
    """The rows whose very file the package index lists, each with the index's word on it.

    Args:
        rows: The rows.
        files: What the index has of their projects, by normalized names.
    """
    found = {}
    for row in rows:
        if not file_of(row):
            continue
        file = next((one for one in files.get(row.name or "", ()) if same_file(one.url, row.url or "")), None)
        if file is not None and as_named(row, file) is not None:
            found[row] = file
    return found


def as_named(row: PipRequirement, file: DistributionFile) -> PipRequirement | None:
    """The row that asks the index for the version that a file is of; ``None`` for a name that tells none."""
    wheel = file.filename.endswith(".whl")
    version = wheel_version(file.filename) if wheel else source_version(file.filename, row.name or "")
    if version is None:
        return None
    return replace(row, kind=PipRequirementKind.NAMED, specifier=f"=={version}", pin=str(version), url=None)


def as_project(row: PipRequirement) -> PipRequirement | None:
    """The row that asks the index for the project that a path of the exporter's machine is of, if that tells its name.

    ``pip freeze`` writes such paths for what conda installed; a wheel's name tells the version too.
    """
    if row.kind is not PipRequirementKind.LOCAL_PATH or row.name is None:
        return None
    filename = unquote(re.split(r"[\\/]", (row.url or row.text).partition("#")[0])[-1])
    version = wheel_version(filename) if filename.endswith(".whl") else source_version(filename, row.name)
    return replace(
        row,
        kind=PipRequirementKind.NAMED,
        specifier="" if version is None else f"=={version}",
        pin=None if version is None else str(version),
        url=None,
    )


def fits_target(filename: str, *, python: str, platform: str, glibc: str | None) -> bool:
    """Whether a file is a wheel that the target accepts, by its name."""
    try:
        tags = parse_wheel_filename(filename)[3]
    except (InvalidWheelFilename, InvalidVersion):
        return False
    return not tags.isdisjoint(supported_tags(python, platform, glibc))


def locked_reference(
    row: PipRequirement, *, python: str, platform: str, glibc: str | None, listed: DistributionFile | None = None
) -> LockedDistribution | None:
    """What a row that names its source itself locks: a commit, or a wheel that fits and has a hash.

    Args:
        row: The row.
        python: The target's Python.
        platform: Its conda subdir.
        glibc: Its glibc.
        listed: The index's word on the file, where it lists it.
    """
    if row.name is None or row.url is None or not holds(row.marker, python=python, platform=platform):
        return None
    if row.kind is PipRequirementKind.VCS:
        commit = _COMMIT.fullmatch(row.url)
        if commit is None:
            return None
        url = f"{strip_secrets(commit['repository'])}@{commit['commit']}"
        return LockedDistribution(name=row.name, version=commit["commit"], url=url, filename="", sha256=None)
    filename = file_of(row)
    if not filename or not fits_target(filename, python=python, platform=platform, glibc=glibc):
        return None
    sha256 = digest_of(row)
    if listed is not None and listed.sha256 is not None:
        if sha256 not in (None, listed.sha256):
            return None
        sha256 = listed.sha256
    # Without a hash nobody would notice another file in its place.
    return (
        None
        if sha256 is None
        else LockedDistribution(
            name=row.name,
            version=str(wheel_version(filename)),
            url=strip_secrets(row.url.partition("#")[0]),
            filename=filename,
            sha256=sha256,
        )
    )
