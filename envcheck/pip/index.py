"""The package index of some settings: on the network, in a directory, several as one, or none that can be asked.

Only project pages are read. No distribution is downloaded and nothing that an index says is executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from envcheck.pip.configuration import IndexSettings
from envcheck.pip.lookup import (
    IndexUnavailable,
    Lookup,
    PackageIndex,
    Progress,
    ProjectFiles,
    ProjectUnreadable,
)
from envcheck.pip.pages import LARGEST_PAGE, UnusablePage, project_files, project_name

__all__ = ["DirectoryIndex", "MergedIndex", "UnavailableIndex", "open_index"]


def open_index(settings: IndexSettings, *, cache_directory: Path | None = None, offline: bool = False) -> PackageIndex:
    """The index for some settings.

    Args:
        settings: Where the index is; see `envcheck.pip.configuration.index_settings`.
        cache_directory: Where answers are kept between runs; ``None`` keeps none.
        offline: Whether the network is forbidden. A ``file://`` index is asked all the same.
    """
    if settings.disabled:
        return UnavailableIndex("pip is configured with no-index")
    first = _open_one(settings, cache_directory, offline=offline)
    extra = [replace(settings, url=url, origin="extra-index-url", extra_urls=()) for url in settings.extra_urls]
    if not extra:
        return first
    return MergedIndex([first, *(_open_one(one, cache_directory, offline=offline) for one in extra)])


def _open_one(settings: IndexSettings, cache_directory: Path | None, *, offline: bool) -> PackageIndex:
    """The index at one URL."""
    scheme = urlsplit(settings.url).scheme
    if scheme == "file":
        return DirectoryIndex(settings.url)
    if scheme not in ("http", "https"):
        return UnavailableIndex(f"the index URL of {settings.origin} is neither http(s) nor file")
    if offline:
        return UnavailableIndex("offline")
    from envcheck.pip.simple_index import SimpleIndex

    return SimpleIndex(settings.url, verify_tls=settings.verify_tls, cache_directory=cache_directory)


class UnavailableIndex:
    """The index that cannot be asked, for one reason that is known beforehand."""

    def __init__(self, reason: str) -> None:
        self._answer = IndexUnavailable(reason=reason)

    def project(self, name: str) -> Lookup:
        """The reason, whatever is asked."""
        del name
        return self._answer

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The reason for every name."""
        del progress
        return dict.fromkeys(names, self._answer)

    def close(self) -> None:
        """Nothing to close."""


class MergedIndex:
    """Several indexes as one, as pip takes them: a project has the files of every index that knows it.

    Args:
        indexes: The index and those besides it. If the first is unavailable, so is the whole; what another one does not
            answer may be there or not.
    """

    def __init__(self, indexes: Sequence[PackageIndex]) -> None:
        self._indexes = tuple(indexes)

    def project(self, name: str) -> Lookup:
        """The files of one project."""
        return self.projects([name])[name]

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        distinct = list(dict.fromkeys(names))
        answers = [index.projects(distinct, progress=progress) for index in self._indexes]
        return {name: _merged([found[name] for found in answers]) for name in distinct}

    def close(self) -> None:
        """Give back what the indexes hold open."""
        for index in self._indexes:
            index.close()


def _merged(answers: Sequence[Lookup]) -> Lookup:
    """One answer of several: every file, else the first reason why there may be some."""
    if isinstance(answers[0], IndexUnavailable):
        return answers[0]
    found = [one for one in answers if isinstance(one, ProjectFiles)]
    if found:
        return ProjectFiles(name=found[0].name, files=tuple(file for one in found for file in one.files))
    for one in answers:
        if isinstance(one, ProjectUnreadable):
            return one
        if isinstance(one, IndexUnavailable):
            return ProjectUnreadable(name="", reason=one.reason)
    return None


class DirectoryIndex:
    """An index in a directory, for offline use: ``<directory>/<name>/index.json`` (or ``index.html``).

    Args:
        url: A ``file://`` URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._directory = Path(url2pathname(urlsplit(url).path))
        self._missing = None if self._directory.is_dir() else IndexUnavailable(reason=f"{self._directory} is missing")

    def project(self, name: str) -> Lookup:
        """The files of one project, or ``None`` where the directory has no such project."""
        project = project_name(name)
        if self._missing is not None or project is None:
            return self._missing
        for filename, content_type in (("index.json", "application/json"), ("index.html", "text/html")):
            path = self._directory / project / filename
            try:
                if path.stat().st_size > LARGEST_PAGE:
                    return ProjectUnreadable(name=project, reason="the answer is too large")
                body = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                return ProjectUnreadable(name=project, reason=error.strerror or "the file cannot be read")
            try:
                return project_files(project, body, content_type, f"{self._url}/{project}/")
            except UnusablePage as problem:
                return ProjectUnreadable(name=project, reason=problem.reason)
        return None

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        distinct = list(dict.fromkeys(names))
        answers: dict[str, Lookup] = {}
        for done, name in enumerate(distinct, start=1):
            answers[name] = self.project(name)
            if progress is not None:
                progress("package index", done, len(distinct))
        return answers

    def close(self) -> None:
        """Nothing to close."""
