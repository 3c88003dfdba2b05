"""What locked wheels need in turn: their core metadata, which an index serves beside each file (PEP 658, PEP 714).

No wheel is downloaded: where an index serves no metadata, that in the wheel is read by ranges. Only hosts are asked
that the index itself pointed to: the URL of a row is not such a place, and credentials go to each index's own host
alone. A wheel of a ``file://`` index is opened for its metadata.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.locations import local_path
from envcheck.model import LockedDistribution, PipResolution, Report
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.remote_wheel import metadata_by_ranges, metadata_of
from envcheck.urls import split_url

if TYPE_CHECKING:
    import requests

__all__ = ["described", "with_metadata"]

_WORKERS = 16
_TIMEOUTS = (5.0, 20.0)
_LARGEST = 4 * 1024 * 1024


def with_metadata(
    resolution: PipResolution,
    settings: IndexSettings,
    *,
    hosts: Iterable[str] = (),
    cache_directory: Path | None = None,
    offline: bool = False,
) -> PipResolution:
    """Fill in ``requires_python`` and ``requires`` of the distributions of a resolution.

    Args:
        resolution: The resolution.
        settings: The indexes it was made with.
        hosts: Hosts beyond the index's own where its files lie (``files.pythonhosted.org``), as its pages say.
        cache_directory: Where answers are kept between runs; ``None`` keeps none.
        offline: Whether the network is forbidden.

    Returns:
        The resolution; a distribution whose metadata cannot be had stays as it is.
    """
    from envcheck.pip.transport import open_session

    own = {_host(url): url for url in reversed((settings.url, *settings.extra_urls, *settings.find_links))}
    allowed = {*own, *hosts} - {""}
    with contextlib.ExitStack() as stack:
        sessions: dict[str, requests.Session] = {}

        def session_for(host: str) -> requests.Session:
            # One for each index, because one with credentials sends them to every host.
            base = own.get(host, "")
            if base not in sessions:
                opened = open_session(
                    base,
                    verify_tls=settings.verify_tls,
                    cache_directory=cache_directory,
                    retries=1,
                    connections=_WORKERS,
                    metadata=True,
                )
                sessions[base] = stack.enter_context(contextlib.closing(opened))
            return sessions[base]

        for one in resolution.distributions:
            session_for(_host(one.url))

        def filled(one: LockedDistribution) -> LockedDistribution:
            if one.requires or one.requires_python:
                return one  # It was told before.
            path = local_path(one.url)
            if path is not None:
                text = _of_file(path)
            elif offline or _host(one.url) not in allowed or not one.filename:
                text = None
            else:
                text = _fetched(session_for(_host(one.url)), one.url, _place_of(one, cache_directory))
            return one if text is None else _with(one, text)

        with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="metadata") as executor:
            return replace(resolution, distributions=tuple(executor.map(filled, resolution.distributions)))


def described(report: Report, describe: Callable[[PipResolution, frozenset[str]], PipResolution] | None) -> Report:
    """A report whose resolved distributions tell what they need, asked of the hosts that the index's pages named."""
    if describe is None or report.pip_resolution is None or not report.pip_resolution.distributions:
        return report
    hosts = frozenset(_host(one.file.url) for one in report.pip if one.file is not None)
    return replace(report, pip_resolution=describe(report.pip_resolution, hosts))


def _host(url: str) -> str:
    """Host and port."""
    return split_url(url).netloc.rpartition("@")[2].lower()


def _of_file(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as wheel:
            return metadata_of(wheel)
    except (OSError, zipfile.BadZipFile):
        return None


def _place_of(one: LockedDistribution, cache_directory: Path | None) -> Path | None:
    """Where what was read in a wheel is kept; by URL as well as by hash, which an index may state falsely."""
    if cache_directory is None or one.sha256 is None:
        return None
    key = hashlib.sha256(f"{one.url} {one.sha256}".encode()).hexdigest()
    return cache_directory / "wheel-metadata" / f"{key}.txt"


def _fetched(session: requests.Session, url: str, kept: Path | None) -> str | None:
    """The metadata that lies beside a file or, where none does, in the wheel itself, which is read once."""
    import urllib3

    if kept is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return kept.read_text(encoding="utf-8")

    def get(address: str, status: int, **headers: str) -> tuple[bytes, str] | None:
        with session.get(address, timeout=_TIMEOUTS, stream=True, verify=session.verify, headers=headers) as response:
            if response.status_code == 404 and status == 200:
                raise FileNotFoundError
            if response.status_code != status:
                return None
            data = b""
            for chunk in response.iter_content(64 * 1024):
                data += chunk
                if len(data) > _LARGEST:
                    return None
            return data, response.headers.get("content-range", "")

    try:
        try:
            beside = get(f"{url}.metadata", 200)
            return None if beside is None else beside[0].decode("utf-8", "replace")
        except FileNotFoundError:
            if not url.endswith(".whl"):
                return None
            # A compressed part of a file would be no part of it.
            text = metadata_by_ranges(lambda part: get(url, 206, **{"Range": part, "Accept-Encoding": "identity"}))
            if text is not None and kept is not None:
                _keep(text, kept)
            return text
    except (OSError, urllib3.exceptions.HTTPError):
        return None


def _keep(text: str, place: Path) -> None:
    """Keep a text for the next run; where that fails it is read again."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f"{place.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(place)


def _with(one: LockedDistribution, text: str) -> LockedDistribution:
    from packaging.utils import canonicalize_name

    headers = HeaderParser().parsestr(text)
    if canonicalize_name(headers.get("Name", "")) != one.name:  # a web page, or another project's
        return one
    return replace(
        one,
        requires_python=headers.get("Requires-Python"),
        requires=tuple(str(value).strip() for value in headers.get_all("Requires-Dist", ())),
    )
