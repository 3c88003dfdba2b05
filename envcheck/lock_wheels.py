"""The pip packages of a lock: what their wheels' names say (PEP 427), and what the package index has of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from envcheck.locks.contents import LockedPackage
from envcheck.model import DistributionFile
from envcheck.pip.lookup import IndexUnavailable, Lookup, PackageIndex, Progress, ProjectUnreadable
from envcheck.pip.releases import parsed_version, source_version, wheel_version
from envcheck.pip.tags import LINUX_ARCHITECTURES, platform_tags, supported_tags
from envcheck.rules.lock_facts import FileState, LockEntry, WheelFit
from envcheck.urls import split_url

__all__ = ["ask_package_index", "wheel_fit", "with_fits"]

_PYPI_HOSTS = frozenset({"files.pythonhosted.org", "pypi.org", "pypi.python.org"})
_MACOS_ARCHITECTURES = {
    "osx-64": ("x86_64", "universal2", "universal", "intel", "fat64"),
    "osx-arm64": ("arm64", "universal2"),
}


def with_fits(entries: Sequence[LockEntry], platform: str, glibc: str | None) -> tuple[LockEntry, ...]:
    """The entries, wheels judged by their names for the lock's own Python."""
    pythons = {
        entry.package.environment: entry.package
        for entry in entries
        if entry.package.manager == "conda" and entry.package.name == "python"
    }

    def judged(entry: LockEntry) -> LockEntry:
        if entry.package.manager != "pip":
            return entry
        python = _cpython(pythons.get(entry.package.environment))
        fit, tags = wheel_fit(_filename(entry.package.url), platform, python, glibc)
        return replace(entry, fit=fit, tags=tags)

    return tuple(judged(entry) for entry in entries)


def _cpython(package: LockedPackage | None) -> str | None:
    """The version of a locked CPython; of other interpreters' wheels nothing is known here."""
    if package is None or "pypy" in (package.build or "") or not package.version[:1].isdigit():
        return None
    return package.version if "." in package.version else None


def _filename(url: str) -> str:
    return unquote(split_url(url).path).rpartition("/")[2]


def wheel_fit(filename: str, platform: str, python: str | None, glibc: str | None) -> tuple[WheelFit, str]:
    """Whether a wheel is for a platform and a Python, and a few words about what it is for instead.

    What is no wheel, or one with a name that cannot be read, says nothing against itself.
    """
    if not filename.endswith(".whl"):
        return WheelFit.FITS, ""
    try:
        tags = parse_wheel_filename(filename)[3]
    except (InvalidWheelFilename, InvalidVersion):
        return WheelFit.FITS, ""
    here = [tag for tag in tags if _is_for_platform(tag.platform, platform)]
    if not here:
        return WheelFit.OTHER_PLATFORM, ", ".join(sorted({tag.platform for tag in tags}))
    known = platform_tags(platform, None)
    if python is not None and known:
        supported = supported_tags(python, platform, None)
        # What is new about a platform (a glibc, a macOS) is asked below, so that any platform stands for all here.
        if not any(
            Tag(tag.interpreter, tag.abi, "any" if tag.platform == "any" else known[0]) in supported for tag in here
        ):
            return WheelFit.OTHER_PYTHON, ", ".join(sorted({f"{tag.interpreter}-{tag.abi}" for tag in here}))
    if glibc is not None and platform in LINUX_ARCHITECTURES:
        present = {*platform_tags(platform, glibc), "any"}
        if not any(tag.platform in present for tag in here):
            return WheelFit.NEWER_GLIBC, ", ".join(sorted({tag.platform for tag in here}))
    return WheelFit.FITS, ""


def _is_for_platform(tag: str, platform: str) -> bool:
    if tag == "any":
        return True
    if platform in _MACOS_ARCHITECTURES:
        return tag.startswith("macosx_") and tag.endswith(_MACOS_ARCHITECTURES[platform])
    if platform in LINUX_ARCHITECTURES:
        return tag.startswith(("manylinux", "linux_")) and tag.endswith(f"_{LINUX_ARCHITECTURES[platform]}")
    known = platform_tags(platform, None)
    return tag in known or not known


# ---------------------------------------------------------------------------------------------------------------------
# The package index
# ---------------------------------------------------------------------------------------------------------------------


def ask_package_index(
    entries: Sequence[LockEntry], index: PackageIndex, progress: Progress | None = None
) -> tuple[tuple[LockEntry, ...], str]:
    """The entries with the index's answer about each pip package's file, and why there is none (empty: there is)."""
    asked = [entry for entry in entries if entry.package.manager == "pip" and _can_be_asked(entry.package.url)]
    if not asked:
        return tuple(entries), ""
    answers = index.projects([entry.package.name for entry in asked], progress=progress)
    trouble = next((one.reason for one in answers.values() if isinstance(one, IndexUnavailable)), "")
    if trouble:
        return tuple(entries), trouble
    return tuple(_answered(entry, answers[entry.package.name]) if entry in asked else entry for entry in entries), ""


def _can_be_asked(url: str) -> bool:
    """Whether a package is a file on the web, or named by its version; version control is on no index."""
    return split_url(url).scheme in ("http", "https") or _is_named(url)


def _is_named(url: str) -> bool:
    """Whether a requirement stands in place of a URL: ``name==version``, in an ``@EXPLICIT`` list."""
    return "==" in url and "/" not in url


def _answered(entry: LockEntry, answer: Lookup) -> LockEntry:
    package = entry.package
    if isinstance(answer, ProjectUnreadable):
        return replace(entry, file=FileState.UNREADABLE, answer=answer.reason)
    files = () if answer is None or isinstance(answer, IndexUnavailable) else answer.files
    if _is_named(package.url):
        return _named(entry, files)
    host = split_url(package.url).hostname or ""
    of_index = _PYPI_HOSTS | {split_url(one.url).hostname for one in files}
    if host not in of_index:
        return _foreign(entry, files, host)
    file = next((one for one in files if one.filename == _filename(package.url)), None)
    if file is None:
        return replace(entry, file=FileState.GONE, answer=host)
    if package.sha256 is not None and file.sha256 is not None and package.sha256.lower() != file.sha256.lower():
        return replace(entry, file=FileState.OTHER_HASH, answer=file.sha256)
    if file.yanked:
        return replace(entry, file=FileState.YANKED)
    return replace(entry, file=FileState.SAME)


def _foreign(entry: LockEntry, files: Sequence[DistributionFile], host: str) -> LockEntry:
    """A file on a host that is not the index's: a mirror has the same bytes, whatever it calls the file."""
    package = entry.package
    wanted = parsed_version(package.version)
    name = _filename(package.url)
    its = [
        one
        for one in files
        if one.filename == name or (wanted is not None and _version_of(one.filename, package.name) == wanted)
    ]
    listed = [one for one in its if one.sha256 is not None]
    if package.sha256 is None or not listed:
        return replace(entry, file=FileState.ELSEWHERE, answer=host)
    same = [one for one in listed if one.sha256 is not None and one.sha256.lower() == package.sha256.lower()]
    if not same:
        return replace(entry, file=FileState.STRANGE, answer=host)
    return replace(entry, file=FileState.YANKED if all(one.yanked for one in same) else FileState.SAME)


def _named(entry: LockEntry, files: Sequence[DistributionFile]) -> LockEntry:
    """A package that is named by its version: any file of it will do, or the one with the lock's hash."""
    package = entry.package
    wanted = parsed_version(package.version)
    its = [file for file in files if wanted is not None and _version_of(file.filename, package.name) == wanted]
    if not its:
        return replace(entry, file=FileState.GONE)
    hashed = [file for file in its if package.sha256 in (None, file.sha256) or file.sha256 is None]
    if not hashed:
        return replace(entry, file=FileState.OTHER_HASH, answer=" or ".join(sorted({one.sha256 or "" for one in its})))
    if all(file.yanked for file in hashed):
        return replace(entry, file=FileState.YANKED)
    return replace(entry, file=FileState.SAME)


def _version_of(filename: str, name: str) -> Version | None:
    if filename.endswith(".whl"):
        return wheel_version(filename)
    return source_version(filename, canonicalize_name(name))
