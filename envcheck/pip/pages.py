"""A project page of the Simple API, read: JSON (PEP 691) or HTML (PEP 503). Pure: no page is fetched here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from packaging.utils import canonicalize_name

from envcheck.language import say
from envcheck.model import DistributionFile
from envcheck.pip.lookup import ProjectFiles
from envcheck.urls import split_url

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

__all__ = ["LARGEST_PAGE", "UnusablePage", "linked_files", "project_files", "project_name"]

# PEP 508's grammar of names, after PEP 503 normalization. Nothing else may become a part of a path or a URL.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The longest page on PyPI is about 20 MB; what is beyond this is no project page.
LARGEST_PAGE = 64 * 1024 * 1024


class UnusablePage(Exception):  # noqa: N818 - it never leaves the package: the callers turn it into a value
    """A page cannot be used; ``of_index`` if that speaks of the index as a whole and not only of this project."""

    def __init__(self, reason: str, *, of_index: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.of_index = of_index


def project_name(name: str) -> str | None:
    """The normalized name, or ``None`` for a text that no project can be called (``../etc``)."""
    normalized = canonicalize_name(name)
    return normalized if _NAME.fullmatch(normalized) else None


def project_files(project: str, body: bytes, content_type: str, url: str) -> ProjectFiles:
    """The files that a page lists.

    Args:
        project: The project's normalized name.
        body: The page.
        content_type: The media type that it came with.
        url: Its own URL, from which relative ones count.

    Raises:
        UnusablePage: It is no project page, or one of a newer version of the Simple API.
    """
    parse = _from_json if "json" in content_type.lower() else _from_html
    return ProjectFiles(name=project, files=tuple(parse(project, body, url)))


_NO_PAGE = say("the package index sent something that is no project page")


def _from_json(project: str, body: bytes, url: str) -> Iterator[DistributionFile]:
    """The files of a PEP 691 page, of which only the keys that matter are looked at."""
    del project
    try:
        page = json.loads(body)
        version = page["meta"]["api-version"]
        if not isinstance(version, str) or version.partition(".")[0] != "1":
            raise UnusablePage(say("the package index speaks a newer version of the Simple API"))
        return iter([_file(entry, url) for entry in page["files"]])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        # Deep nesting exhausts the JSON parser; the rest is what a document of another shape runs into.
        raise UnusablePage(_NO_PAGE) from error


def _file(entry: Mapping[str, Any], base: str) -> DistributionFile:
    """One entry of ``files``; ``yanked`` is a reason or a boolean (PEP 691), ``url`` may be relative."""
    filename, url, requires_python = entry["filename"], entry["url"], entry.get("requires-python")
    sha256 = entry["hashes"].get("sha256")
    if not (isinstance(filename, str) and isinstance(url, str)) or not isinstance(sha256, str | None):
        raise TypeError(say("an entry of a project page is of another shape"))
    return DistributionFile(
        filename=filename,
        url=_clean(url if url.startswith(("https://", "http://")) else urljoin(base, url)),
        sha256=sha256.lower() if sha256 else None,
        requires_python=requires_python if isinstance(requires_python, str) else None,
        yanked=entry.get("yanked", False) is not False,
    )


def _clean(url: str) -> str:
    """A URL without credentials; most have nothing that could be one."""
    from envcheck.secrets import strip_secrets

    return strip_secrets(url) if "@" in url or "=" in url or "/t/" in url else url


def linked_files(body: bytes, url: str) -> tuple[DistributionFile, ...]:
    """The files that any web page links to, whatever their projects: a place of files (``--find-links``).

    Args:
        body: The page.
        url: Its own URL, from which relative links count.

    Raises:
        UnusablePage: It cannot be read.
    """
    from pypi_simple import DistributionPackage, RepositoryPage, UnsupportedRepoVersionError

    try:
        links = RepositoryPage.from_html(body, url).links
    except (ValueError, RecursionError, UnsupportedRepoVersionError) as error:
        raise UnusablePage(say("the place of files sent something that is no web page")) from error
    found = []
    for link in links:
        # The file's name is that of its URL; the text of a link may be anything.
        filename = unquote(split_url(link.url).path.rpartition("/")[2])
        if filename.endswith((".whl", ".tar.gz", ".zip")):
            package = DistributionPackage.from_link(link)
            found.append(_from_package(package, filename))
    return tuple(found)


def _from_html(project: str, body: bytes, url: str) -> Iterator[DistributionFile]:
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError

    try:
        page = ProjectPage.from_html(project, body, url)
    except UnsupportedRepoVersionError as error:
        raise UnusablePage(say("the package index speaks a newer version of the Simple API")) from error
    except (ValueError, RecursionError) as error:
        raise UnusablePage(_NO_PAGE) from error
    # A login page or a proxy's notice is HTML too: a project page has files or says that it is one (PEP 629).
    if page.repository_version is None and not any(package.version is not None for package in page.packages):
        raise UnusablePage(say("the package index sent a web page that is no project page"))
    return (_from_package(package, package.filename) for package in page.packages)


def _from_package(package: DistributionPackage, filename: str) -> DistributionFile:
    return DistributionFile(
        filename=filename,
        url=_clean(package.url),
        sha256=(package.digests.get("sha256") or "").lower() or None,
        requires_python=package.requires_python,
        yanked=package.is_yanked,
    )
