"""A lock file that somebody hands in: which format it is, what it holds, and on which line each package stands."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from envcheck.channel_urls import KNOWN_SUBDIRS, channel_of_url
from envcheck.errors import ConfigurationError, SourceError
from envcheck.language import say
from envcheck.locks import load_format
from envcheck.locks.contents import LockContents, LockedPackage, LockProblem, check_packages, package_from_url
from envcheck.model import ChannelReference
from envcheck.sources.document import bounded_lines
from envcheck.sources.encoding import decode

__all__ = ["LocatedPackage", "LockFile", "PlatformContents", "contents_for", "platforms_to_verify", "read_lock"]

_DEFAULT_PLATFORM = "linux-64"
_MARKS = (
    ("explicit", re.compile(r"^@EXPLICIT[ \t]*$", re.MULTILINE)),
    ("pixi-lock-v7", re.compile(r"^environments:", re.MULTILINE)),
    ("conda-lock-v1", re.compile(r"^(?:package|metadata):", re.MULTILINE)),
)
"""The formats that can be verified, each with what no other has, in the order of asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedPackage:
    """A package of a lock and the 1-based line on which its URL stands (``None``: it was not found again)."""

    package: LockedPackage
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """A lock that was read.

    ``channels`` are those that the lock names or, where the format has no place for them, those of its URLs;
    ``problems`` is what the format's own check says beyond what is checked of every lock.
    """

    path: str
    format: str
    encoding: str
    contents: LockContents
    packages: tuple[LocatedPackage, ...]
    channels: tuple[ChannelReference, ...]
    problems: tuple[LockProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformContents:
    """What a lock holds for one platform: its packages, and what is wrong with them as far as the lock tells itself."""

    platform: str
    packages: tuple[LocatedPackage, ...]
    problems: tuple[LockProblem, ...]


def read_lock(data: bytes, path: str) -> LockFile:
    """Read a lock of any known format.

    Args:
        data: The whole file.
        path: Its name, for messages; it is not opened.

    Raises:
        SourceError: The bytes are no text, or the text is no lock of a known format.
    """
    decoded = decode(data, path)
    text = decoded.text
    bounded_lines(text, path)
    found = next((name for name, mark in _MARKS if mark.search(text)), None)
    if found is None:
        raise SourceError(
            say("This is no lock of a known format."),
            path=path,
            hint=say(
                "Known are conda-lock.yml, pixi.lock and @EXPLICIT lists; other files are for: envcheck check {path}",
                path=shlex.quote(path),
            ),
        )
    module = load_format(found)
    contents: LockContents = module.read(text, path=path)
    if not contents.packages:
        raise SourceError(say("The lock holds no packages."), path=path)
    of_every_lock = set(check_packages(contents.packages))
    return LockFile(
        path=path,
        format=found,
        encoding=decoded.encoding,
        contents=contents,
        packages=_located(contents.packages, text),
        channels=_channels(contents, text),
        problems=tuple(one for one in module.verify(text, path=path) if one not in of_every_lock),
    )


def platforms_to_verify(lock: LockFile, wanted: Sequence[str]) -> tuple[str, ...]:
    """The platforms to look at: all of the lock's, or those of them that are wanted.

    An explicit list is for one platform and rarely says which, so that there the user's word counts.

    Raises:
        ConfigurationError: The lock has nothing for a platform that is wanted.
    """
    if lock.format == "explicit":
        return tuple(dict.fromkeys(wanted)) or (_platform_of_list(lock),)
    locked = tuple(dict.fromkeys((*lock.contents.platforms, *(one.package.platform for one in lock.packages))))
    for platform in wanted:
        if platform not in locked:
            raise ConfigurationError(
                say("The lock has nothing for {platform}.", platform=platform),
                path=lock.path,
                hint=say("It is for {locked}; name one of these with -p, or none for all.", locked=", ".join(locked)),
            )
    return tuple(dict.fromkeys(wanted)) or locked


def contents_for(lock: LockFile, platform: str) -> PlatformContents:
    """What a lock holds for one platform."""
    if lock.format == "explicit":
        packages = tuple(replace(one, package=replace(one.package, platform=platform)) for one in lock.packages)
    else:
        packages = tuple(one for one in lock.packages if one.package.platform == platform)
    # What a format says of a platform has it for its subject; what it says of the whole lock is told with the first.
    platforms = platforms_to_verify(lock, ())
    own = [
        one
        for one in lock.problems
        if one.subject == platform or (one.subject not in platforms and platform == platforms[0])
    ]
    return PlatformContents(
        platform=platform,
        packages=packages,
        problems=(*own, *check_packages([one.package for one in packages])),
    )


def _platform_of_list(lock: LockFile) -> str:
    """The platform that an explicit list says it is for, or for which most of its files are built."""
    (said,) = lock.contents.platforms
    if said in KNOWN_SUBDIRS - {"noarch"}:
        return said
    told = (package_from_url(one.package.url) for one in lock.packages)
    subdirs = Counter(parts[3] for parts in told if parts is not None and parts[3] != "noarch")
    return subdirs.most_common(1)[0][0] if subdirs else _DEFAULT_PLATFORM


def _located(packages: Sequence[LockedPackage], text: str) -> tuple[LocatedPackage, ...]:
    """Every package with its line.

    A URL may stand in a lock several times (a ``noarch`` file once per platform); packages are in the order of the
    file, so that the first mention belongs to the first of them.
    """
    lines = _mentions(text, {package.url for package in packages})
    located: list[LocatedPackage] = []
    for package in packages:
        numbers = lines.get(package.url, [])
        line = None
        if numbers:
            line = numbers.pop(0) if len(numbers) > 1 else numbers[0]
        located.append(LocatedPackage(package=package, line=line))
    return tuple(located)


def _mentions(text: str, wanted: Iterable[str]) -> dict[str, list[int]]:
    """The lines on which texts stand as words, quoted or with a hash behind ``#``."""
    texts = frozenset(wanted)
    found: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(text.split("\n"), start=1):
        for word in line.split():
            bare = word.strip("'\",{}[]")
            for candidate in dict.fromkeys((bare, bare.partition("#")[0])):
                if candidate in texts:
                    found[candidate].append(number)
    return found


def _channels(contents: LockContents, text: str) -> tuple[ChannelReference, ...]:
    named = contents.channels
    if not named:
        parts = [channel_of_url(one.url) for one in contents.packages if one.manager == "conda"]
        named = tuple(dict.fromkeys(one.channel for one in parts if one is not None))
        return tuple(ChannelReference(text=channel, line=0) for channel in named)
    lines = _mentions(text, {*named, *(f"{channel}/" for channel in named)})
    return tuple(
        ChannelReference(text=channel, line=(lines.get(channel) or lines.get(f"{channel}/") or [0])[0])
        for channel in named
    )
