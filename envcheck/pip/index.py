"""The package index of some settings: on the network, in a directory, several as one, or none that can be asked.

Only project pages are read. No distribution is downloaded and nothing that an index says is executed.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from envcheck.language import say
from envcheck.locations import local_path
from envcheck.model import DistributionFile
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.lookup import (
    IndexUnavailable,
    Lookup,
    PackageIndex,
    Progress,
    ProjectFiles,
    ProjectUnreadable,
)
from envcheck.pip.pages import LARGEST_PAGE, UnusablePage, linked_files, project_files, project_name
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

__all__ = ["DirectoryIndex", "FileList", "MergedIndex", "UnavailableIndex", "open_index"]


def open_index(settings: IndexSettings, *, cache_directory: Path | None = None, offline: bool = False) -> PackageIndex:
    """The index for some settings.

    Args:
        settings: Where the index is; see `envcheck.pip.configuration.index_settings`.
        cache_directory: Where answers are kept between runs; ``None`` keeps none.
        offline: Whether the network is forbidden. A ``file://`` index is asked all the same.
    """
    links = [_open_links(url, settings, cache_directory, offline=offline) for url in settings.find_links]
    if settings.disabled:
        if not links:
            return UnavailableIndex(say("pip is configured with no-index"))
        return MergedIndex([], links=links)
    urls = [settings.url, *settings.extra_urls]
    if settings.first_match:
        urls = [*settings.extra_urls, settings.url]
    indexes = {
        url: _open_one(replace(settings, url=url, origin=origin), cache_directory, offline=offline)
        for url, origin in ((url, settings.origin_of(url)) for url in urls)
    }
    if len(indexes) == 1 and not links:
        return indexes[settings.url]
    return MergedIndex(
        list(indexes.values()), main=indexes[settings.url], links=links, first_match=settings.first_match
    )


def _open_links(url: str, settings: IndexSettings, cache_directory: Path | None, *, offline: bool) -> PackageIndex:
    """The place of files at one URL."""
    scheme = split_url(url).scheme
    place = local_path(url)
    if place is not None:
        return FileList(lambda: _in_directory(place, url))
    if scheme not in ("http", "https"):
        return UnavailableIndex(say("a place of files is neither http(s) nor a folder"))
    if offline:
        return UnavailableIndex(say("offline"))

    def fetched() -> tuple[DistributionFile, ...]:
        from envcheck.pip.simple_index import SimpleIndex

        with contextlib.closing(
            SimpleIndex(url, verify_tls=settings.verify_tls, cache_directory=cache_directory)
        ) as asked:
            page = asked.page(strip_secrets(url))
        if page is None:
            raise UnusablePage(say("there is no place of files at {url}", url=strip_secrets(url)))
        return linked_files(page[0], page[2])

    return FileList(fetched)


def _in_directory(path: Path, url: str) -> tuple[DistributionFile, ...]:
    """The distributions that lie in a folder, or that a page of HTML there links to."""
    try:
        if path.is_file():
            return linked_files(path.read_bytes(), url)
        names = sorted(one.name for one in path.iterdir() if one.is_file())
    except OSError as error:
        raise UnusablePage(say("{path} cannot be read: {strerror}", path=str(path), strerror=error.strerror)) from error
    return tuple(
        DistributionFile(
            filename=name, url=(path / name).as_uri(), sha256=None, requires_python=None, yanked=False
        )
        for name in names
    )  # fmt: skip


def _open_one(settings: IndexSettings, cache_directory: Path | None, *, offline: bool) -> PackageIndex:
    """The index at one URL."""
    scheme = split_url(settings.url).scheme
    if scheme == "file":
        return DirectoryIndex(settings.url)
    if scheme not in ("http", "https"):
        return UnavailableIndex(say("the index URL of {origin} is neither http(s) nor file", origin=settings.origin))
    if offline:
        return UnavailableIndex(say("offline"))
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
    """Several indexes as one: a project has the files of every index that knows it, or of the first of them.

    Args:
        indexes: The indexes, in the order in which they are asked.
        main: The one without which there is no answer at all; what another one does not answer may be there or not.
        links: Places of files, which have a say whatever the indexes have.
        first_match: Whether only the first index counts that has a project.
    """

    def __init__(
        self,
        indexes: Sequence[PackageIndex],
        *,
        main: PackageIndex | None = None,
        links: Sequence[PackageIndex] = (),
        first_match: bool = False,
    ) -> None:
        self._indexes = tuple(indexes)
        self._main = main
        self._links = tuple(links)
        self._first_match = first_match

    def project(self, name: str) -> Lookup:
        """The files of one project."""
        return self.projects([name])[name]

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        distinct = list(dict.fromkeys(names))
        answers = [index.projects(distinct, progress=progress) for index in self._indexes]
        linked = [place.projects(distinct) for place in self._links]
        main = next((found for index, found in zip(self._indexes, answers, strict=True) if index is self._main), {})
        return {
            name: one
            if isinstance(one := main.get(name), IndexUnavailable)
            else self._merged([found[name] for found in answers], [found[name] for found in linked])
            for name in distinct
        }

    def _merged(self, answers: Sequence[Lookup], linked: Sequence[Lookup]) -> Lookup:
        """One answer of several: every file, else the first reason why there may be some."""
        found = [one for one in answers if isinstance(one, ProjectFiles)]
        if self._first_match:
            found = found[:1]
        found += [one for one in linked if isinstance(one, ProjectFiles)]
        if found:
            return ProjectFiles(name=found[0].name, files=tuple(file for one in found for file in one.files))
        for one in (*answers, *linked):
            if isinstance(one, ProjectUnreadable):
                return one
            if isinstance(one, IndexUnavailable):
                return ProjectUnreadable(name="", reason=one.reason)
        return None

    def close(self) -> None:
        """Give back what the indexes hold open."""
        for index in (*self._indexes, *self._links):
            index.close()


class FileList:
    """A place of files (``--find-links``): a folder, or one page that links to them.

    Args:
        read: Gives the files; called when the first project is asked for.
    """

    def __init__(self, read: Callable[[], tuple[DistributionFile, ...]]) -> None:
        self._read = read

    @functools.cached_property
    def _files(self) -> tuple[tuple[DistributionFile, ...], str]:
        try:
            return self._read(), ""
        except UnusablePage as problem:
            return (), problem.reason

    def project(self, name: str) -> Lookup:
        """The files of one project, told by their names."""
        project = project_name(name)
        files, trouble = self._files
        if project is None or trouble:
            return ProjectUnreadable(name=name, reason=trouble) if trouble else None
        its = tuple(one for one in files if _is_of(one.filename, project))
        return ProjectFiles(name=project, files=its) if its else None

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given."""
        del progress
        return {name: self.project(name) for name in names}

    def close(self) -> None:
        """Nothing to close."""


def _is_of(filename: str, project: str) -> bool:
    """Whether a file is one of a project, by its name."""
    from packaging.utils import canonicalize_name

    from envcheck.pip.releases import source_version

    if filename.endswith(".whl"):
        return canonicalize_name(filename.partition("-")[0]) == project
    return source_version(filename, project) is not None


class DirectoryIndex:
    """An index in a directory, for offline use: ``<directory>/<name>/index.json`` (or ``index.html``).

    Args:
        url: A ``file://`` URL.
    """

    def __init__(self, url: str) -> None:
        directory = local_path(url)
        if directory is None:
            raise ValueError(say("{url} is no directory", url=strip_secrets(url)))
        self._url = url.rstrip("/")
        self._directory = directory
        self._missing = (
            None
            if self._directory.is_dir()
            else IndexUnavailable(reason=say("{directory} is missing", directory=str(self._directory)))
        )

    def project(self, name: str) -> Lookup:
        """The files of one project, or ``None`` where the directory has no such project."""
        project = project_name(name)
        if self._missing is not None or project is None:
            return self._missing
        for filename, content_type in (("index.json", "application/json"), ("index.html", "text/html")):
            path = self._directory / project / filename
            try:
                if path.stat().st_size > LARGEST_PAGE:
                    return ProjectUnreadable(name=project, reason=say("the answer is too large"))
                body = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                return ProjectUnreadable(name=project, reason=error.strerror or say("the file cannot be read"))
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
