"""What a lock holds, whatever its format, and what is checked of every lock without asking anybody."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from envcheck.errors import OutputError
from envcheck.language import joined, say
from envcheck.locks.channel_variables import holds_credentials
from envcheck.model import Channel, LockedDistribution, Record, VirtualPackage
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

__all__ = [
    "LockContents",
    "LockDraft",
    "LockError",
    "LockProblem",
    "LockedPackage",
    "PlatformLock",
    "ProblemKind",
    "check_packages",
    "is_commit",
    "package_from_url",
    "require_lockable",
    "require_lockable_distributions",
    "split_dependency",
]

_SUFFIXES = (".conda", ".tar.bz2")
_HASHES = {"md5": re.compile(r"[0-9a-f]{32}"), "sha256": re.compile(r"[0-9a-f]{64}")}
# Where a dependency's name ends (CEP 29): at a space, an operator or a bracket.
_DEPENDENCY = re.compile(r"\s*(?:[^\s:\[]+::)?([^\s=<>!~\[]+)\s*(.*?)\s*")

# pip writes a commit behind @ (VCS support in its documentation), pixi behind # or as a parameter.
_COMMIT = re.compile(r"\A(?:git|hg|bzr|svn)\+.*(?:[@#]|[?&]rev=)[0-9a-f]{40}(?:[#&]|\Z)")


class LockError(OutputError):
    """These packages cannot stand in a lock of this format; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLock:
    """What is to be locked for one platform.

    ``packages`` are conda's and ``distributions`` pip's. ``requirements`` are the MatchSpecs and ``pip_requirements``
    the lines of the pip section that were asked for, and ``virtual_packages`` what the target was taken to have: they
    go into the content hash, by which conda-lock tells whether a lock is still that of its specification. ``provided``
    are pairs of a distribution's name and the conda package that holds it.
    """

    platform: str
    packages: tuple[Record, ...]
    requirements: tuple[str, ...] = ()
    virtual_packages: tuple[VirtualPackage, ...] = ()
    distributions: tuple[LockedDistribution, ...] = ()
    pip_requirements: tuple[str, ...] = ()
    provided: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDraft:
    """What a lock of any format is made of, all platforms together; no format uses everything.

    ``channels`` are in order of priority, ``indexes`` the package indexes that the distributions come from (by default
    PyPI), ``sources`` the files that the lock is made from, as they are to be named in it, ``filename`` its own name
    for advice in it. ``variables`` are the environment variables: a lock may name those that hold a channel's secrets.
    """

    platforms: tuple[PlatformLock, ...]
    channels: tuple[Channel, ...]
    indexes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    filename: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package of a lock.

    ``manager`` is ``conda`` or ``pip``; ``platform`` the conda subdir that the lock is for (a ``noarch`` package is
    locked once per platform); ``dependencies`` are pairs of name and constraint, sorted by name. ``constrains``
    (MatchSpecs) and ``size`` stand in pixi.lock only. ``environment`` is the one of several that a pixi.lock may hold,
    each a solution of its own; other formats have one. What is built from a source tree (pixi) has the tree as ``url``,
    and perhaps no version.
    """

    name: str
    version: str
    build: str | None = None
    manager: str = "conda"
    platform: str
    url: str
    md5: str | None = None
    sha256: str | None = None
    dependencies: tuple[tuple[str, str], ...] = ()
    category: str = "main"
    optional: bool = False
    constrains: tuple[str, ...] = ()
    environment: str = "default"
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockContents:
    """A lock that was read.

    ``content_hashes`` are pairs of platform and hash; ``virtual_packages`` pairs of platform and a virtual package that
    it was solved for, as ``name=version`` or ``name=version=build`` (pixi.lock since version 7).
    """

    platforms: tuple[str, ...]
    packages: tuple[LockedPackage, ...]
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    content_hashes: tuple[tuple[str, str], ...] = ()
    virtual_packages: tuple[tuple[str, str], ...] = ()


class ProblemKind(str, enum.Enum):
    """What a problem is about; ``FORM`` is whatever concerns one format only."""

    FORM = "form"
    CREDENTIALS = "credentials"
    NO_HASH = "no-hash"
    BROKEN_HASH = "broken-hash"
    URL = "url"
    PLATFORM = "platform"
    TWICE = "twice"
    DEPENDENCY = "dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockProblem:
    """Something wrong with a lock: whom it concerns, and what in a clause without credentials.

    ``kind`` and ``package`` say the same to a program.
    """

    subject: str
    message: str
    kind: ProblemKind = field(default=ProblemKind.FORM, compare=False)
    package: LockedPackage | None = field(default=None, compare=False, repr=False)


def split_dependency(text: str) -> tuple[str, str]:
    """A dependency's name and the rest: ``python >=3.10,<3.11`` → ``("python", ">=3.10,<3.11")``."""
    match = _DEPENDENCY.fullmatch(text)
    return (match.group(1), match.group(2)) if match else (text.strip(), "")


def package_from_url(url: str) -> tuple[str, str, str, str] | None:
    """Name, version, build and subdir that a package URL tells (CEP 26), ``None`` if it is no package URL."""
    parts = unquote(split_url(url).path).rsplit("/", 2)
    suffix = next((suffix for suffix in _SUFFIXES if parts[-1].endswith(suffix)), None)
    if suffix is None or len(parts) < 3:
        return None
    pieces = parts[-1].removesuffix(suffix).rsplit("-", 2)
    return (pieces[0], pieces[1], pieces[2], parts[1]) if len(pieces) == 3 and all(pieces) else None


def is_commit(url: str) -> bool:
    """Whether a VCS reference names a commit, whose id is a hash of what is there: ``git+https://…@<commit>``."""
    return _COMMIT.search(url) is not None


def require_lockable(packages: Sequence[Record], *, hashes: Sequence[str]) -> None:
    """Refuse packages that a lock could not name beyond doubt.

    Args:
        packages: The packages to lock.
        hashes: The record's hash fields of which at least one has to be known.

    Raises:
        LockError: A package has no URL, none of the hashes, or a URL with credentials in it.
    """
    without_url = [one.name for one in packages if not one.url]
    if without_url:
        raise LockError(
            say("These packages have no download URL and cannot be locked: {names}.", names=_listed(without_url))
        )
    secret = [one.name for one in packages if strip_secrets(one.url) != one.url]
    if secret:
        raise LockError(
            say("These packages have credentials in their URLs and cannot be locked: {names}.", names=_listed(secret))
        )
    unhashed = [one for one in packages if not any(getattr(one, name) for name in hashes)]
    if unhashed:
        # An explicit list does with either hash.
        listable = all(one.md5 or one.sha256 for one in unhashed)
        raise LockError(
            say(
                "The channel gives no {hashes} for these packages, which the lock format demands: {names}.",
                hashes=joined(" or ", hashes),
                names=_listed([one.name for one in unhashed]),
            ),
            hint=say(
                "Pin other builds of them, or ask a channel that has the hashes, or write an explicit list instead."
                if listable
                else "Pin other builds of them, or ask a channel that has the hashes."
            ),
        )


def require_lockable_distributions(distributions: Sequence[LockedDistribution]) -> None:
    """Refuse distributions that a lock could not name beyond doubt: a file needs a hash, a repository its commit.

    Raises:
        LockError: One has no URL, neither hash nor commit, or a URL with credentials in it.
    """
    for problem, broken in (
        (say("have no download URL"), [one.name for one in distributions if not one.url]),
        (
            say("have credentials in their URLs"),
            [one.name for one in distributions if strip_secrets(one.url) != one.url],
        ),
        (
            say("have neither a sha256 nor a commit"),
            [one.name for one in distributions if one.sha256 is None and not is_commit(one.url)],
        ),
    ):
        if broken:
            raise LockError(
                say(
                    "These distributions of the pip section {problem} and cannot be locked: {names}.",
                    problem=problem,
                    names=_listed(broken),
                ),
                hint=say("Pin files of an index that tells their hashes, or a commit of the repository."),
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def check_packages(packages: Sequence[LockedPackage]) -> tuple[LockProblem, ...]:
    """Everything that a lock's packages tell about themselves that cannot be right, in the order of the lock."""
    return tuple(problem for check in (_check_each, _check_twice, _check_closure) for problem in check(packages))


def _check_each(packages: Sequence[LockedPackage]) -> Iterator[LockProblem]:
    for package in packages:
        if holds_credentials(package.url):
            yield _problem(package, ProblemKind.CREDENTIALS, say("the URL holds credentials"))
        for kind, pattern in _HASHES.items():
            value = getattr(package, kind)
            if value is not None and not pattern.fullmatch(value):
                yield _problem(
                    package, ProblemKind.BROKEN_HASH, say("what stands as {kind} is no {kind} hash", kind=kind)
                )
        if package.md5 is None and package.sha256 is None and not is_commit(package.url):
            yield _problem(package, ProblemKind.NO_HASH, say("no hash is given, so a changed file would go unnoticed"))
        if package.manager != "conda":
            yield from _check_distribution(package)
            continue
        told = package_from_url(package.url)
        if told is None:
            yield _problem(package, ProblemKind.URL, say("the URL is not that of a conda package"))
            continue
        name, version, build, subdir = told
        if (name, version) != (package.name, package.version) or package.build not in (None, build):
            yield _problem(
                package, ProblemKind.URL, say("the URL is that of {package}", package=f"{name} {version} {build}")
            )
        if subdir not in (package.platform, "noarch"):
            yield _problem(package, ProblemKind.PLATFORM, say("the file is built for {subdir}", subdir=subdir))


def _check_distribution(package: LockedPackage) -> Iterator[LockProblem]:
    """Whether a file's name is that of the distribution (PEP 427 and 625); other names tell nothing."""
    from packaging.utils import (
        InvalidName,
        InvalidSdistFilename,
        InvalidWheelFilename,
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )
    from packaging.version import InvalidVersion, Version

    filename = unquote(split_url(package.url).path).rpartition("/")[2]
    if filename.endswith(_SUFFIXES):
        yield _problem(package, ProblemKind.URL, say("the URL is that of a conda package"))
        return
    if not package.version or _is_repository(package.url):
        return
    try:
        name, version = (
            parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
        )
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return
    try:
        is_same = name == canonicalize_name(package.name, validate=True) and Version(package.version) == version
    except (InvalidName, InvalidVersion):
        is_same = False
    if not is_same:
        yield _problem(package, ProblemKind.URL, say("the URL is that of {package}", package=f"{name} {version}"))


def _is_repository(url: str) -> bool:
    """Whether a reference is one to version control."""
    return url.startswith(("git+", "hg+", "bzr+", "svn+"))


def _check_twice(packages: Sequence[LockedPackage]) -> Iterator[LockProblem]:
    seen: set[tuple[str, ...]] = set()
    for package in packages:
        key = (package.manager, package.name, package.platform, package.category, package.environment)
        if key in seen:
            yield _problem(package, ProblemKind.TWICE, say("the package is locked twice"))
        seen.add(key)


def _check_closure(packages: Sequence[LockedPackage]) -> Iterator[LockProblem]:
    """A pip package's requirements may be met by a conda package of another name; only conda's are checked here."""
    present = {
        (package.environment, package.platform, package.name) for package in packages if package.manager == "conda"
    }
    for package in packages:
        if package.manager != "conda":
            continue
        for name, _ in package.dependencies:
            # Virtual packages (CEP 30) belong to the machine and stand in no lock.
            if not name.startswith("__") and (package.environment, package.platform, name) not in present:
                yield _problem(package, ProblemKind.DEPENDENCY, say("it needs {name}, which is not locked", name=name))


def _problem(package: LockedPackage, kind: ProblemKind, message: str) -> LockProblem:
    return LockProblem(subject=f"{package.name} ({package.platform})", message=message, kind=kind, package=package)
