"""pixi.lock, version 7, which pixi writes since 2026: how it is written. Versions 4 to 6 are read as well.

The format is that of rattler's ``rattler_lock`` (https://github.com/conda/rattler/tree/main/crates/rattler_lock):
environments list by URL what they consist of for each platform, and ``packages`` describes each URL once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from envcheck.locks.contents import (
    LockDraft,
    PlatformLock,
    package_from_url,
    require_lockable,
    require_lockable_distributions,
)
from envcheck.locks.pixi_lock_reading import read, verify
from envcheck.locks.scalars import document_text
from envcheck.model import Channel, LockedDistribution, Record
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

__all__ = ["DEFAULT_FILENAME", "FORMAT", "read", "render", "render_lock", "verify"]

FORMAT = "pixi-lock-v7"
DEFAULT_FILENAME = "pixi.lock"

_DEFAULT_INDEX = "https://pypi.org/simple"


def render(locks: Sequence[PlatformLock], *, channels: Sequence[Channel], indexes: Sequence[str] = ()) -> str:
    """The lock of one environment, ``default``, for several platforms, as text; the same bytes for the same arguments.

    Order, fields and what is left out because the URL tells it are those of rattler's own writer, so that pixi leaves
    the file as it is (but for markers, which rattler puts in words of its own, and files of a directory, whose URLs it
    makes paths). Not written is what pixi does not need to install: licenses, run exports, the index of each
    distribution. Nor are the virtual packages: pixi holds those in the lock against its manifest's, and trusts a lock
    that has none.

    Args:
        locks: What is locked, one entry per platform, in any order.
        channels: The channels in order of priority; only their canonical URLs are written.
        indexes: The package indexes that the distributions come from; by default PyPI.

    Raises:
        LockError: A package has no URL, no hash, or a URL with credentials.
    """
    ordered = sorted(locks, key=lambda lock: lock.platform)
    for lock in ordered:
        require_lockable(lock.packages, hashes=("sha256", "md5"))
        require_lockable_distributions(lock.distributions)
    environment: dict[str, Any] = {
        "channels": [{"url": f"{strip_secrets(channel.url).rstrip('/')}/"} for channel in channels]
    }
    if any(lock.distributions for lock in ordered):
        environment["indexes"] = [strip_secrets(index) for index in indexes or (_DEFAULT_INDEX,)]
    environment["packages"] = {
        lock.platform: [
            *({"conda": url} for url in sorted({record.url for record in lock.packages})),
            *({"pypi": url} for url in sorted({_pixi_url(one.url) for one in lock.distributions})),
        ]
        for lock in ordered
    }
    records = {record.url: record for lock in ordered for record in lock.packages}
    distributions = {one.url: one for lock in ordered for one in lock.distributions}
    projects = _projects(ordered)
    document = {
        "version": 7,
        "platforms": [{"name": lock.platform} for lock in ordered],
        "environments": {"default": environment},
        "packages": [
            *(_described_record(records[url], projects.get(records[url].name)) for url in sorted(records)),
            *sorted(
                (_described_distribution(one) for one in distributions.values()),
                key=lambda described: described["pypi"],
            ),
        ],
    }
    return document_text(document)


def render_lock(draft: LockDraft) -> str:
    """A draft as `render` writes it.

    Raises:
        LockError: A package cannot be locked.
    """
    return render(draft.platforms, channels=draft.channels, indexes=draft.indexes)


def _projects(locks: Sequence[PlatformLock]) -> dict[str, tuple[str, ...]]:
    """The projects of PyPI that conda packages hold, as far as the pip section asked for them.

    Where nothing is said, pixi takes a package of conda-forge for the project of its own name and any other for none
    (``package_identifier.rs`` of ``pixi_core``). A package that has only its name in common with a locked distribution
    is therefore said to hold none.
    """
    found: dict[str, set[str]] = {}
    for lock in locks:
        for project, package in lock.provided:
            found.setdefault(package, set()).add(project)
        for distribution in lock.distributions:
            found.setdefault(distribution.name, set())
    return {package: tuple(sorted(names)) for package, names in found.items()}


def _described_record(record: Record, projects: tuple[str, ...] | None) -> dict[str, Any]:
    """A conda package: what its URL does not tell, and what it needs (``CondaPackageDataModel`` of ``models/v7``)."""
    told = package_from_url(record.url)
    name, version, build, subdir = told or ("", "", "", "")
    channel = record.url.rsplit("/", 2)[0]
    if record.url.startswith("file:"):
        # To rattler that is a path, which tells neither.
        subdir = channel = ""
    number = re.search(r"[0-9]+\Z", record.build)
    noarch = None
    if record.subdir == "noarch":
        noarch = "python" if "py" in build else "generic"
    fields = {
        "name": record.name if record.name != name else None,
        "version": record.version if record.version != version else None,
        "build": record.build if record.build != build else None,
        "build_number": record.build_number if record.build_number != (int(number[0]) if number else 0) else None,
        "subdir": record.subdir if record.subdir != subdir else None,
        "noarch": (record.noarch or False) if record.noarch != noarch else None,
        "sha256": record.sha256,
        "md5": record.md5,
        "depends": list(record.depends) or None,
        "constrains": list(record.constrains) or None,
        "channel": record.channel if channel != record.channel.rstrip("/") else None,
        "track_features": list(record.track_features) or None,
        "purls": None if projects is None else [f"pkg:pypi/{project}" for project in projects],
        "size": record.size,
        "timestamp": record.timestamp,
        "python_site_packages_path": _site_packages(record),
    }
    return {"conda": record.url, **{key: value for key, value in fields.items() if value is not None}}


def _site_packages(record: Record) -> str | None:
    """Where a Python keeps its packages if not where its version says: what is noarch would be put elsewhere.

    Free-threaded builds have the tag in their build string; so libmamba tells them too
    (``effective_python_site_packages_path``), but for Windows, where they keep to the usual place.
    """
    minor = ".".join(record.version.split(".")[:2])
    if record.name != "python" or record.subdir.startswith("win-"):
        return None
    return f"lib/python{minor}t/site-packages" if f"cp{minor.replace('.', '')}t" in record.build else None


def _described_distribution(distribution: LockedDistribution) -> dict[str, Any]:
    fields = {
        "name": distribution.name,
        "version": distribution.version,
        "sha256": distribution.sha256,
        "requires_dist": [text for one in distribution.requires if (text := _rattler_requirement(one)) is not None],
        "requires_python": _rattler_specifier(distribution.requires_python),
    }
    return {
        "pypi": _pixi_url(distribution.url),
        **{key: value for key, value in fields.items() if value not in (None, [])},
    }


def _rattler_requirement(text: str) -> str | None:
    """A dependency as rattler writes it, ``None`` if it is none by PEP 508: rattler refuses a lock that has such."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    place = f" @ {strip_secrets(requirement.url)}" if requirement.url else _in_order(requirement.specifier)
    marker = f" ; {requirement.marker}".replace('"', "'") if requirement.marker else ""
    return f"{canonicalize_name(requirement.name)}{extras}{place}{marker}"


def _rattler_specifier(text: str | None) -> str | None:
    """A constraint on Python as rattler writes it, ``None`` if it is none by PEP 440."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return _in_order(SpecifierSet(text or "")) or None
    except InvalidSpecifier:
        return None


def _in_order(specifiers: SpecifierSet) -> str:
    """Specifiers by their versions, as rattler has them, whatever their order was; among equals by themselves."""
    from packaging.version import Version

    def key(text: str) -> tuple[Version, str]:
        return Version(re.sub(r"^[<>=!~]+|\.\*$", "", text)), text

    texts = sorted(str(one) for one in specifiers)
    # What stands behind === need not be a version.
    return ",".join(texts if any(text.startswith("===") for text in texts) else sorted(texts, key=key))


def _pixi_url(url: str) -> str:
    """A reference as pixi writes it: the commit, which pip has behind ``@``, stands in the fragment."""
    if not url.startswith("git+"):
        return url
    parts = split_url(url)
    path, at, commit = parts.path.rpartition("@")
    if not at:
        return url
    return parts._replace(path=path, query=parts.fragment, fragment=commit).geturl()
