"""One HTTP session for the package index: retries, credentials, certificates and a cache on the disk."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from envcheck.urls import split_url

if TYPE_CHECKING:
    import requests
    from cachecontrol.caches import SeparateBodyFileCache
    from cachecontrol.heuristics import BaseHeuristic
    from cachecontrol.serialize import Serializer
    from urllib3 import HTTPResponse
    from urllib3.util import Retry

__all__ = ["open_session"]

_REDIRECTS = 5
# PyPI's own ``max-age`` for project pages.
_FRESH_SECONDS = 600
# And for files.
_LASTING_SECONDS = 31536000


def open_session(
    url: str,
    *,
    verify_tls: bool | str,
    cache_directory: Path | None,
    retries: int,
    connections: int,
    metadata: bool = False,
) -> requests.Session:
    """Open a session for the index at ``url``.

    Credentials of the URL become an ``Authorization`` header, which requests drops when a redirect leaves the host. The
    environment's proxies, certificates and ``.netrc`` are honoured, as pip does.

    Args:
        url: The base URL of the index.
        verify_tls: Whether to check certificates, or the path of the authorities to check them with.
        cache_directory: Where the cache lies; ``None``, or a place that cannot be written to, means no cache.
        retries: How often a request is repeated.
        connections: How many connections are kept open.
        metadata: Whether metadata of files is asked for, which never changes (PEP 658), and no pages.
    """
    import requests
    from requests.adapters import HTTPAdapter

    from envcheck import __version__

    session = requests.Session()
    session.headers["User-Agent"] = f"envcheck/{__version__}"
    session.max_redirects = _REDIRECTS
    session.verify = verify_tls
    parts = split_url(url)
    if parts.username:
        session.auth = (unquote(parts.username), unquote(parts.password or ""))
    retry = _retry(retries)
    adapter: HTTPAdapter
    if cache_directory is None:
        adapter = HTTPAdapter(max_retries=retry, pool_maxsize=connections)
    else:
        from cachecontrol import CacheControlAdapter

        adapter = CacheControlAdapter(
            cache=_file_cache(cache_directory),
            serializer=_serializer(),
            heuristic=_heuristic(metadata=metadata),
            max_retries=retry,
            pool_maxsize=connections,
        )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _retry(retries: int) -> Retry:
    from urllib3.util import Retry

    return Retry(
        total=retries,
        # What times out once may be busy, what times out twice is down.
        connect=min(1, retries),
        read=min(1, retries),
        backoff_factor=0.2,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        raise_on_status=False,
        # A server may ask for an hour of patience; a check that takes seconds does not wait for it.
        respect_retry_after_header=False,
    )


def _file_cache(directory: Path) -> SeparateBodyFileCache:
    """A cache whose failures cost a request and nothing else.

    File names are hashes of URLs without credentials, because those travel in a header.
    """
    from cachecontrol.caches import SeparateBodyFileCache

    class TolerantFileCache(SeparateBodyFileCache):
        def get(self, key: str) -> bytes | None:
            with contextlib.suppress(OSError):
                return super().get(key)
            return None

        def _write(self, path: str, data: bytes) -> None:
            with contextlib.suppress(OSError):
                super()._write(path, data)

        def delete(self, key: str) -> None:
            with contextlib.suppress(OSError):
                super().delete(key)

    return TolerantFileCache(directory)


def _heuristic(*, metadata: bool) -> BaseHeuristic:
    """How long an answer holds whose server says nothing of it, as mirrors may: as long as PyPI says of its own.

    RFC 9111, section 4.2.2, leaves that to the client. Only answers of an index are kept so: the page of a gateway that
    stands in its place for a moment must not, and neither is it ever metadata.
    """
    from cachecontrol.heuristics import BaseHeuristic

    class AsPyPI(BaseHeuristic):
        def update_headers(self, response: HTTPResponse) -> dict[str, str]:
            said = {"cache-control", "expires", "pragma"} & {name.lower() for name in response.headers}
            kind = response.headers.get("content-type", "")
            page = kind.startswith("application/vnd.pypi.simple.")
            if said or response.status != 200 or not (page or (metadata and not kind.startswith("text/html"))):
                return {}
            return {"cache-control": f"max-age={_LASTING_SECONDS if metadata else _FRESH_SECONDS}"}

        def warning(self, response: HTTPResponse) -> str | None:
            del response
            return None

    return AsPyPI()


def _serializer() -> Serializer:
    """A serializer that keeps no credentials: a response with ``Vary: Authorization`` would have them stored."""
    from cachecontrol.serialize import Serializer
    from requests import PreparedRequest

    class SecretFreeSerializer(Serializer):
        def dumps(self, request: PreparedRequest, response: HTTPResponse, body: bytes | None = None) -> bytes:
            bare = request.copy()
            for header in ("Authorization", "Proxy-Authorization", "Cookie"):
                bare.headers.pop(header, None)
            return super().dumps(bare, response, body)

    return SecretFreeSerializer()
