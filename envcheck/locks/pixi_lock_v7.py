"""pixi.lock, version 7, which pixi writes since 2026; versions 4 to 6 are read as well.

The format is that of rattler's ``rattler_lock`` (https://github.com/conda/rattler/tree/main/crates/rattler_lock):
environments list by URL what they consist of for each platform, and ``packages`` describes each URL once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.locks.contents import (
    LockContents,
    LockDraft,
    LockedPackage,
    LockProblem,
    PlatformLock,
    ProblemKind,
    check_packages,
    package_from_url,
    require_lockable,
    require_lockable_distributions,
    split_dependency,
)
from envcheck.locks.documents import load_document
from envcheck.locks.scalars import document_text
from envcheck.model import Channel, LockedDistribution, Record
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

__all__ = ["DEFAULT_FILENAME", "FORMAT", "read", "render", "render_lock", "verify"]

FORMAT = "pixi-lock-v7"
DEFAULT_FILENAME = "pixi.lock"

_KIND = say("a pixi.lock")
_READABLE = ("4", "5", "6", "7")
# What an entry is found by, with its manager: versions 4 and 5 have ``kind`` and ``url`` or ``path`` in their place.
_MANAGERS = {"conda": "conda", "conda_source": "conda", "pypi": "pip"}


_DEFAULT_INDEX = "https://pypi.org/simple"


# ---------------------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------------------


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


# ---------------------------------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------------------------------


def read(text: str, *, path: str | None = None) -> LockContents:
    """Read a pixi.lock of version 4 to 7, whoever wrote it: every environment for every platform.

    Args:
        text: The file's content.
        path: The file's name, for the error.

    Raises:
        SourceError: The text is no such lock.
    """
    document = load_document(text, path=path, kind=_KIND, texts_only=True)
    version = document.get("version")
    if version not in _READABLE or not isinstance(document.get("environments"), dict):
        raise SourceError(
            say("This is not {kind} of version {first} to {last}.", kind=_KIND, first=_READABLE[0], last=_READABLE[-1]),
            path=path,
            hint=say("Write it again with a pixi of today: pixi lock"),
        )
    platforms = _platforms(document)
    described = _described(document)
    packages: list[LockedPackage] = []
    channels: dict[str, None] = {}
    named: dict[str, None] = dict.fromkeys(subdir for subdir, _ in platforms.values())
    for environment, body in document["environments"].items():
        fields = _mapping(body)
        channels.update(dict.fromkeys(_channels(fields)))
        for name, entries in _mapping(fields.get("packages")).items():
            subdir = platforms.get(name, (name, ()))[0]
            named.setdefault(subdir)
            # Version 7 lets several platforms of one environment share a subdir.
            label = environment if name == subdir else f"{environment} on {name}"
            packages += [_package(entry, described, subdir, label, path) for entry in _list(entries)]
    return LockContents(
        platforms=tuple(named),
        packages=tuple(packages),
        channels=tuple(channels),
        virtual_packages=tuple((subdir, one) for subdir, virtual in platforms.values() for one in virtual),
    )


def _platforms(document: dict[str, Any]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Subdir and virtual packages of each platform that version 7 lists, by its name."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for entry in _list(document.get("platforms")):
        fields = _mapping(entry)
        name = _text(fields.get("name"))
        if name:
            found[name] = (_text(fields.get("subdir")) or name, _texts(fields.get("virtual-packages")))
    return found


def _described(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What ``packages`` says of each location; before version 7 one location may be described more than once."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in _list(document.get("packages")):
        fields = _mapping(entry)
        for key in (*_MANAGERS, "url", "path"):
            location = _text(fields.get(key))
            if location:
                found.setdefault(location, []).append(fields)
                break
    return found


def _package(
    entry: Any, described: dict[str, list[dict[str, Any]]], platform: str, environment: str, path: str | None
) -> LockedPackage:
    """A package of an environment: what refers to it, and what ``packages`` says of it."""
    reference = _mapping(entry)
    key = next((key for key in _MANAGERS if _text(reference.get(key))), None)
    if key is None:
        raise SourceError(
            say("An entry of environment {environment!r} names no package.", environment=environment), path=path
        )
    location = _text(reference[key]) or ""
    candidates = described.get(location)
    if not candidates:
        raise SourceError(say("The lock does not describe {place}.", place=strip_secrets(location)), path=path)
    # Version 6 tells builds of one source tree apart by these fields, which stand in the reference too.
    telling = {field: value for field, value in reference.items() if field not in _MANAGERS}
    fields = next((one for one in candidates if telling.items() <= one.items()), candidates[0])
    told = package_from_url(location) if key == "conda" else None
    source_name = location.partition("[")[0] if key == "conda_source" else ""
    return LockedPackage(
        name=_text(fields.get("name")) or (told[0] if told else source_name),
        version=_text(fields.get("version")) or (told[1] if told else ""),
        build=_text(fields.get("build")) or (told[2] if told else None),
        manager=_MANAGERS[key],
        platform=platform,
        url=location,
        md5=_text(fields.get("md5")),
        sha256=_text(fields.get("sha256")),
        dependencies=_dependencies(fields, key),
        constrains=_texts(fields.get("constrains")),
        environment=environment,
        size=_number(fields.get("size")),
    )


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else None


def _dependencies(fields: dict[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    texts = _texts(fields.get("requires_dist" if key == "pypi" else "depends"))
    return tuple(sorted(_requirement(text) if key == "pypi" else split_dependency(text) for text in texts))


def _requirement(text: str) -> tuple[str, str]:
    """A Requires-Dist text as its normalized name and the rest of it, extras and marker included."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text.strip(), ""
    # The name stands first, and what follows keeps the writer's order.
    return canonicalize_name(requirement.name), text.strip().removeprefix(requirement.name).strip()


def _channels(fields: dict[str, Any]) -> Iterator[str]:
    for entry in _list(fields.get("channels")):
        url = _text(entry) or _text(_mapping(entry).get("url"))
        if url:
            yield url.rstrip("/")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "null", "~") else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in _list(value) if isinstance(text, str))


def verify(text: str, *, path: str | None = None) -> tuple[LockProblem, ...]:
    """What is wrong with a lock as far as it tells itself; no channel is asked.

    Raises:
        SourceError: The text is no such lock.
    """
    packages = read(text, path=path).packages
    document = load_document(text, path=path, kind=_KIND, texts_only=True)
    described, listed = _described(document), _platforms(document)
    unknown = dict.fromkeys(
        name
        for body in _mapping(document["environments"]).values()
        for name in _mapping(_mapping(body).get("packages"))
        if listed and name not in listed
    )
    used = {package.url for package in packages}
    strays = [
        LockProblem(subject=strip_secrets(location), message=say("the package is described, and no environment has it"))
        for location in described
        if location not in used
    ]
    twice = [
        LockProblem(
            subject=strip_secrets(location), message=say("the package is described twice"), kind=ProblemKind.TWICE
        )
        for location, several in described.items()
        if any(one in several[:place] for place, one in enumerate(several))
    ]
    unlisted = [LockProblem(subject=name, message=say("the lock does not list this platform")) for name in unknown]
    return (*check_packages(packages), *strays, *twice, *unlisted)
