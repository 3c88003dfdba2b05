"""Where channels and package indexes are: what every part that goes there itself does in the same way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from envcheck.urls import split_url

if TYPE_CHECKING:
    import requests

__all__ = ["local_path", "open_session"]


def local_path(url: str) -> Path | None:
    """The file or folder that a ``file:`` URL names (RFC 8089); ``None`` for any other URL."""
    parts = split_url(url)
    if parts.scheme != "file":
        return None
    if os.name != "nt":
        return Path(unquote(parts.path))
    from urllib.request import url2pathname  # comes with http and ssl, for which a folder has no use

    shared = f"//{parts.netloc}" if parts.netloc.lower() not in ("", "localhost") else ""
    return Path(url2pathname(shared + parts.path))


def open_session(verify_tls: bool | str, proxies: Mapping[str, str]) -> requests.Session:
    """A session of requests with the user's TLS and proxy settings; whoever opens it closes it.

    Args:
        verify_tls: Whether, or against which certificate bundle, to verify.
        proxies: Proxy URLs by URL scheme.
    """
    import requests

    session = requests.Session()
    session.verify = verify_tls
    session.proxies.update(proxies)
    return session
