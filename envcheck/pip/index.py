"""The package index, asked over the JSON Simple API (PEP 691) or, where it speaks only that, HTML (PEP 503).

Only project pages are read. No distribution is downloaded and nothing that an index says is executed.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name

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

if TYPE_CHECKING:
    import requests

__all__ = ["DirectoryIndex", "MergedIndex", "SimpleIndex", "UnavailableIndex", "open_index"]

# PEP 508's grammar of names, after PEP 503 normalization. Nothing else may become a part of a path or a URL.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The longest page on PyPI is about 20 MB; what is beyond this is no project page.
_LARGEST_PAGE = 64 * 1024 * 1024
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 20.0
# A server that sends a byte now and then never runs into the read timeout.
_PAGE_SECONDS = 120.0
_WORKERS = 16
_CHUNK = 64 * 1024


class _Unusable(Exception):  # noqa: N818 - it never leaves this module: the callers turn it into a value
    """A page cannot be used; ``of_index`` if that speaks of the index as a whole and not only of this project."""

    def __init__(self, reason: str, *, of_index: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.of_index = of_index


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
        project = _project_name(name)
        if self._missing is not None or project is None:
            return self._missing
        for filename, content_type in (("index.json", "application/json"), ("index.html", "text/html")):
            path = self._directory / project / filename
            try:
                if path.stat().st_size > _LARGEST_PAGE:
                    return ProjectUnreadable(name=project, reason="the answer is too large")
                body = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                return ProjectUnreadable(name=project, reason=error.strerror or "the file cannot be read")
            try:
                return _project_files(project, body, content_type, f"{self._url}/{project}/")
            except _Unusable as problem:
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


class SimpleIndex:
    """An index on the network.

    Every name is asked for once. A failure before the index has answered sensibly even once is taken for a failure of
    the index, as is a broken connection at any time: it is reported once, and nothing is asked any more. Later failures
    are about the one project.

    Args:
        url: The base URL, maybe with credentials; they are sent and never shown.
        verify_tls: Whether to check certificates, or the path of the authorities to check them with.
        cache_directory: Where answers are kept between runs, by HTTP's rules (RFC 9111); ``None`` keeps none.
        timeouts: Seconds to wait for the connection, for each read, and for a whole page.
        largest_page: The number of bytes beyond which an answer is not read.
        retries: How often a request is repeated that failed in a way that may pass.
    """

    def __init__(
        self,
        url: str,
        *,
        verify_tls: bool | str = True,
        cache_directory: Path | None = None,
        timeouts: tuple[float, float, float] = (_CONNECT_SECONDS, _READ_SECONDS, _PAGE_SECONDS),
        largest_page: int = _LARGEST_PAGE,
        retries: int = 2,
    ) -> None:
        from envcheck.pip.transport import open_session
        from envcheck.secrets import strip_secrets

        self._base = strip_secrets(url).rstrip("/")
        self._session = open_session(
            url, verify_tls=verify_tls, cache_directory=cache_directory, retries=retries, connections=_WORKERS
        )
        self._timeouts = timeouts
        self._largest_page = largest_page
        self._answers: dict[str, Lookup] = {}
        self._unavailable: IndexUnavailable | None = None
        self._answered = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def project(self, name: str) -> Lookup:
        """The files of one project, ``None`` where the index has no such project, or why there is no answer."""
        project = _project_name(name)
        if project is None:
            return None
        if project in self._answers:
            return self._answers[project]
        if self._unavailable is not None:
            return self._unavailable
        answer = self._ask(project)
        if not isinstance(answer, IndexUnavailable):
            self._answers[project] = answer
        return answer

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        """The files of many projects, keyed by the names as they were given.

        The first is asked for alone, so that an index that is down costs one timeout; the others at the same time.
        """
        distinct = list(dict.fromkeys(names))
        answers: dict[str, Lookup] = {}

        def note(name: str, answer: Lookup) -> None:
            answers[name] = answer
            if progress is not None:
                progress("package index", len(answers), len(distinct))

        for name in distinct:
            if self._answered or self._unavailable is not None:
                break
            note(name, self.project(name))
        executor = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="package-index")
        try:
            waiting = {executor.submit(self.project, name): name for name in distinct if name not in answers}
            for future in as_completed(waiting):
                note(waiting[future], future.result())
        finally:
            # On Ctrl-C what has not begun never does.
            executor.shutdown(wait=True, cancel_futures=True)
        return {name: answers[name] for name in distinct}

    def _ask(self, project: str) -> Lookup:
        try:
            page = self._fetch(f"{self._base}/{project}/")
            if page is None:
                self._check_that_there_is_an_index()
                answer: Lookup = None
            else:
                body, content_type, url = page
                answer = _project_files(project, body, content_type, url)
        except _Unusable as problem:
            with self._lock:
                if problem.of_index or not self._answered:
                    self._unavailable = self._unavailable or IndexUnavailable(reason=problem.reason)
                    return self._unavailable
            return ProjectUnreadable(name=project, reason=problem.reason)
        with self._lock:
            self._answered = True
        return answer

    def _check_that_there_is_an_index(self) -> None:
        """Tell a missing project from a wrong index URL, where every project is missing.

        Only asked when the very first answer is a 404, and with HEAD: PyPI's root page lists every project there is.
        """
        if self._answered:
            return
        with self._response("HEAD", f"{self._base}/") as response:
            if response.status_code == 404:
                raise _Unusable(f"there is no package index at {self._base}", of_index=True)

    def _fetch(self, url: str) -> tuple[bytes, str, str] | None:
        """Body, content type and final URL of a page; ``None`` for a 404 (or a 410, which some mirrors send)."""
        with self._response("GET", url) as response:
            if response.status_code in (404, 410):
                return None
            if response.status_code in (401, 407):
                raise _Unusable(f"the package index asks for credentials ({response.status_code})", of_index=True)
            if response.status_code != 200:
                raise _Unusable(f"the package index answered {response.status_code}")
            return self._body(response), response.headers.get("content-type", "text/html"), response.url

    def _body(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + self._timeouts[2]
        chunks: list[bytes] = []
        size = 0
        # iter_content decompresses, so the bound holds for what a small compressed answer grows into as well.
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > self._largest_page:
                raise _Unusable("the answer is too large")
            if time.monotonic() > deadline:
                raise _Unusable("the package index is too slow", of_index=True)
            chunks.append(chunk)
        return b"".join(chunks)

    @contextlib.contextmanager
    def _response(self, method: str, url: str) -> Iterator[requests.Response]:
        import urllib3
        from pypi_simple import ACCEPT_JSON_PREFERRED

        try:
            with self._session.request(
                method,
                url,
                headers={"Accept": ACCEPT_JSON_PREFERRED},
                timeout=self._timeouts[:2],
                stream=True,
                allow_redirects=True,
                # Said with every request, because REQUESTS_CA_BUNDLE would beat the session's own setting.
                verify=self._session.verify,
            ) as response:
                yield response
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # requests' exceptions are OSErrors, and so is a missing file of certificate authorities.
            raise _Unusable(_connection_reason(error), of_index=True) from error


def _connection_reason(error: Exception) -> str:
    """A clause of our own: requests' texts hold URLs, memory addresses and three nested exceptions."""
    import requests
    import urllib3

    request = getattr(error, "request", None)
    host = urlsplit(getattr(request, "url", None) or "").hostname
    whom = f"the package index at {host}" if host else "the package index"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of {whom} is not trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy on the way to {whom} does not answer"
    # After retries a timeout arrives as a ConnectionError around a MaxRetryError around the timeout.
    cause = getattr(error.args[0], "reason", None) if error.args else None
    # (A refused connection is, by urllib3's class tree, a timeout too.)
    timed_out = isinstance(cause, urllib3.exceptions.TimeoutError)
    refused = isinstance(cause, urllib3.exceptions.NewConnectionError)
    if isinstance(error, requests.exceptions.Timeout) or (timed_out and not refused):
        return f"{whom} does not answer in time"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return f"{whom} redirects in circles"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return f"{whom} breaks off in the middle of an answer"
    if isinstance(error, requests.exceptions.ConnectionError):
        return f"{whom} cannot be reached"
    return f"{whom} cannot be asked ({type(error).__name__})"


# ---------------------------------------------------------------------------------------------------------------------
# From a page to types
# ---------------------------------------------------------------------------------------------------------------------


def _project_name(name: str) -> str | None:
    """The normalized name, or ``None`` for a text that no project can be called (``../etc``)."""
    normalized = canonicalize_name(name)
    return normalized if _NAME.fullmatch(normalized) else None


def _project_files(project: str, body: bytes, content_type: str, url: str) -> ProjectFiles:
    parse = _from_json if "json" in content_type.lower() else _from_html
    return ProjectFiles(name=project, files=tuple(parse(project, body, url)))


_NO_PAGE = "the package index sent something that is no project page"


def _from_json(project: str, body: bytes, url: str) -> Iterator[DistributionFile]:
    """The files of a PEP 691 page, of which only the keys that matter are looked at."""
    del project
    try:
        page = json.loads(body)
        version = page["meta"]["api-version"]
        if not isinstance(version, str) or version.partition(".")[0] != "1":
            raise _Unusable("the package index speaks a newer version of the Simple API")
        return iter([_file(entry, url) for entry in page["files"]])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        # Deep nesting exhausts the JSON parser; the rest is what a document of another shape runs into.
        raise _Unusable(_NO_PAGE) from error


def _file(entry: Mapping[str, Any], base: str) -> DistributionFile:
    """One entry of ``files``; ``yanked`` is a reason or a boolean (PEP 691), ``url`` may be relative."""
    filename, url, requires_python = entry["filename"], entry["url"], entry.get("requires-python")
    sha256 = entry["hashes"].get("sha256")
    if not (isinstance(filename, str) and isinstance(url, str)) or not isinstance(sha256, str | None):
        raise TypeError("an entry of a project page is of another shape")
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


def _from_html(project: str, body: bytes, url: str) -> Iterator[DistributionFile]:
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError

    try:
        page = ProjectPage.from_html(project, body, url)
    except UnsupportedRepoVersionError as error:
        raise _Unusable("the package index speaks a newer version of the Simple API") from error
    except (ValueError, RecursionError) as error:
        raise _Unusable(_NO_PAGE) from error
    # A login page or a proxy's notice is HTML too: a project page has files or says that it is one (PEP 629).
    if page.repository_version is None and not any(package.version is not None for package in page.packages):
        raise _Unusable("the package index sent a web page that is no project page")
    return (
        DistributionFile(
            filename=package.filename,
            url=_clean(package.url),
            sha256=(package.digests.get("sha256") or "").lower() or None,
            requires_python=package.requires_python,
            yanked=package.is_yanked,
        )
        for package in page.packages
    )
