"""What a resolver answers in the form of a ``pylock.toml`` (PEP 751), and the one wheel of each package to take."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from urllib.parse import unquote

from packaging.pylock import Pylock, PylockValidationError
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from envcheck.language import say
from envcheck.model import LockedDistribution
from envcheck.pip.tags import supported_tags
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_pylock"]


def read_pylock(text: str, *, python: str, platform: str, glibc: str | None) -> tuple[LockedDistribution, ...]:
    """The packages of a resolution, each with the wheel that fits the target best.

    Args:
        text: The document.
        python: The target's Python.
        platform: The target's conda subdir.
        glibc: The target's glibc.

    Returns:
        The distributions, sorted by name.

    Raises:
        ValueError: The document is no lock, or a package has no wheel for the target.
    """
    try:
        document = Pylock.from_dict(tomllib.loads(text))
    except PylockValidationError as error:
        raise ValueError(say("the resolver's answer is no pylock.toml")) from error
    ranks = supported_tags(python, platform, glibc)
    found = []
    for package in document.packages:
        best: tuple[tuple[int, int, str], LockedDistribution] | None = None
        for wheel in package.wheels or ():
            url = wheel.url or wheel.path
            if url is None:
                continue
            filename = wheel.name or _filename(url)
            _, version, build, tags = parse_wheel_filename(filename)
            rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
            if rank is None:
                continue
            # PEP 427: among equal tags the higher build number wins.
            order = (rank, -build[0] if build else 0, filename)
            if best is None or order < best[0]:
                best = (
                    order,
                    _locked(package.name, package.version or version, url, filename, wheel.hashes.get("sha256")),
                )
        if best is None:
            raise ValueError(say("{name} has no wheel for the target", name=package.name))
        found.append(best[1])
    return _sorted(found)


def _locked(name: str, version: Version, url: str, filename: str, sha256: str | None) -> LockedDistribution:
    return LockedDistribution(
        name=canonicalize_name(name), version=str(version), url=strip_secrets(url), filename=filename, sha256=sha256
    )


def _sorted(found: Iterable[LockedDistribution]) -> tuple[LockedDistribution, ...]:
    return tuple(sorted(found, key=lambda one: one.name))


def _filename(url: str) -> str:
    return unquote(split_url(url).path.rsplit("/", 1)[-1])
