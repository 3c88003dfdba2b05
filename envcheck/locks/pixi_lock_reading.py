"""Reading a pixi.lock of version 4 to 7, whoever wrote it, and what is wrong with it as far as it tells itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.locks.contents import (
    LockContents,
    LockedPackage,
    LockProblem,
    ProblemKind,
    check_packages,
    package_from_url,
    split_dependency,
)
from envcheck.locks.documents import load_document
from envcheck.secrets import strip_secrets

__all__ = ["read", "verify"]

_KIND = say("a pixi.lock")
_READABLE = ("4", "5", "6", "7")
# What an entry is found by, with its manager: versions 4 and 5 have ``kind`` and ``url`` or ``path`` in their place.
_MANAGERS = {"conda": "conda", "conda_source": "conda", "pypi": "pip"}


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
