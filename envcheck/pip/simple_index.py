"""A package index on the network, asked over the Simple API (PEP 691, PEP 503): one session, many names at a time."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envcheck.language import say
from envcheck.pip.lookup import IndexUnavailable, Lookup, Progress, ProjectUnreadable
from envcheck.pip.pages import LARGEST_PAGE, UnusablePage, project_files, project_name

if TYPE_CHECKING:
    import requests

__all__ = ["SimpleIndex"]

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 20.0
# A server that sends a byte now and then never runs into the read timeout.
_PAGE_SECONDS = 120.0
_WORKERS = 16
_CHUNK = 64 * 1024


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
        largest_page: int = LARGEST_PAGE,
        retries: int = 2,
    ) -> None:
        from envcheck.secrets import strip_secrets

        self._base = strip_secrets(url).rstrip("/")
        self._open = functools.partial(
            _open_session, url, verify_tls=verify_tls, cache_directory=cache_directory, retries=retries
        )
        self._opened: requests.Session | None = None
        self._timeouts = timeouts
        self._largest_page = largest_page
        self._answers: dict[str, Lookup] = {}
        self._unavailable: IndexUnavailable | None = None
        self._answered = False
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()

    def _session(self) -> requests.Session:
        """The session, opened for the first request: a source without a pip section makes none."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def project(self, name: str) -> Lookup:
        """The files of one project, ``None`` where the index has no such project, or why there is no answer."""
        project = project_name(name)
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
            page = self.page(f"{self._base}/{project}/")
            if page is None:
                self._check_that_there_is_an_index()
                answer: Lookup = None
            else:
                body, content_type, url = page
                answer = project_files(project, body, content_type, url)
        except UnusablePage as problem:
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
                raise UnusablePage(say("there is no package index at {base}", base=self._base), of_index=True)

    def page(self, url: str) -> tuple[bytes, str, str] | None:
        """Body, content type and final URL of a page; ``None`` for a 404 (or a 410, which some mirrors send).

        Raises:
            UnusablePage: There is no answer, or one that is no page.
        """
        with self._response("GET", url) as response:
            if response.status_code in (404, 410):
                return None
            if response.status_code in (401, 407):
                raise UnusablePage(
                    say("the package index asks for credentials ({status})", status=response.status_code),
                    of_index=True,
                )
            if response.status_code != 200:
                raise UnusablePage(say("the package index answered {status}", status=response.status_code))
            return self._body(response), response.headers.get("content-type", "text/html"), response.url

    def _body(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + self._timeouts[2]
        chunks: list[bytes] = []
        size = 0
        # iter_content decompresses, so the bound holds for what a small compressed answer grows into as well.
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > self._largest_page:
                raise UnusablePage(say("the answer is too large"))
            if time.monotonic() > deadline:
                raise UnusablePage(say("the package index is too slow"), of_index=True)
            chunks.append(chunk)
        return b"".join(chunks)

    @contextlib.contextmanager
    def _response(self, method: str, url: str) -> Iterator[requests.Response]:
        import urllib3
        from pypi_simple import ACCEPT_JSON_PREFERRED

        session = self._session()
        try:
            with session.request(
                method,
                url,
                headers={"Accept": ACCEPT_JSON_PREFERRED},
                timeout=self._timeouts[:2],
                stream=True,
                allow_redirects=True,
                # Said with every request, because REQUESTS_CA_BUNDLE would beat the session's own setting.
                verify=session.verify,
            ) as response:
                yield response
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # requests' exceptions are OSErrors, and so is a missing file of certificate authorities.
            raise UnusablePage(_connection_reason(error), of_index=True) from error


def _open_session(url: str, *, verify_tls: bool | str, cache_directory: Path | None, retries: int) -> requests.Session:
    from envcheck.pip.transport import open_session

    return open_session(
        url, verify_tls=verify_tls, cache_directory=cache_directory, retries=retries, connections=_WORKERS
    )


def _connection_reason(error: Exception) -> str:
    """A clause of our own: requests' texts hold URLs, memory addresses and three nested exceptions."""
    import requests
    import urllib3

    request = getattr(error, "request", None)
    host = urlsplit(getattr(request, "url", None) or "").hostname
    whom = say("the package index at {host}", host=host) if host else say("the package index")
    if isinstance(error, requests.exceptions.SSLError):
        return say("the certificate of {whom} is not trusted", whom=whom)
    if isinstance(error, requests.exceptions.ProxyError):
        return say("the proxy on the way to {whom} does not answer", whom=whom)
    # After retries a timeout arrives as a ConnectionError around a MaxRetryError around the timeout.
    cause = getattr(error.args[0], "reason", None) if error.args else None
    # (A refused connection is, by urllib3's class tree, a timeout too.)
    timed_out = isinstance(cause, urllib3.exceptions.TimeoutError)
    refused = isinstance(cause, urllib3.exceptions.NewConnectionError)
    if isinstance(error, requests.exceptions.Timeout) or (timed_out and not refused):
        return say("{whom} does not answer in time", whom=whom)
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return say("{whom} redirects in circles", whom=whom)
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return say("{whom} breaks off in the middle of an answer", whom=whom)
    if isinstance(error, requests.exceptions.ConnectionError):
        return say("{whom} cannot be reached", whom=whom)
    return say("{whom} cannot be asked ({name})", whom=whom, name=type(error).__name__)
