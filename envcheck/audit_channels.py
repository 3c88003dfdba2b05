"""In which state a channel is, asked for next to nothing, so that a result can be reused while nothing has changed."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import hashlib
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.locations import local_path, open_session
from envcheck.secrets import strip_secrets
from envcheck.urls import split_url

if TYPE_CHECKING:
    import requests

__all__ = ["ABSENT", "SILENT", "ChannelStates", "Place", "known_locations"]

ABSENT = "absent"
"""The state of a subdir that is not there."""

SILENT = "silent"
"""The state of one whose server does not answer or gives it to nobody, or that is not to be asked."""

_LOCAL = ("repodata.json", "repodata.json.zst", "repodata.json.bz2", "repodata_shards.msgpack.zst")
_REMOTE = ("repodata.json.zst", "repodata.json", "repodata_shards.msgpack.zst")
_TIMEOUT_SECONDS = (5, 10)
_MAX_AGE = re.compile(r"\b(?:s-maxage|max-age)=(\d+)")
#: How long engines may keep what a server sent without saying how long; they guess it from its age.
_GUESSED_AGE = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a subdir of a channel was read: the address, which may hold credentials, and the subdir."""

    location: str = field(repr=False)
    subdir: str

    def public(self) -> Place:
        """The place without credentials, as it may be kept."""
        return Place(location=strip_secrets(self.location), subdir=self.subdir)


class ChannelStates:
    """The states of places, each asked once; a place that gives no certain answer has none.

    Args:
        known: States that were found before in the same run.
        offline: Whether requests are forbidden.
        verify_tls: As in `requests`.
        proxies: Pairs of URL scheme and proxy URL.
    """

    def __init__(
        self,
        known: Iterable[tuple[Place, str | None]] = (),
        *,
        offline: bool = False,
        verify_tls: bool | str = True,
        proxies: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._known = dict(known)
        self._offline = offline
        self._verify = verify_tls
        self._proxies = dict(proxies)
        self._lock = threading.Lock()

    def __call__(self, place: Place) -> str | None:
        """The state of a place; ``None`` where it is unknown."""
        if place not in self._known:
            with self._lock:
                if place not in self._known:
                    self._known[place] = self._ask(place)
        return self._known[place]

    def learn(self, states: Iterable[tuple[Place, str | None]]) -> None:
        """Take over what somebody else found; what is known already stays."""
        for place, state in states:
            self._known.setdefault(place, state)

    def all(self) -> tuple[tuple[Place, str | None], ...]:
        """Every state that is known."""
        return tuple(self._known.items())

    def _ask(self, place: Place) -> str | None:
        directory = local_path(place.location)
        if directory is not None:
            return _state_of_directory(directory / place.subdir)
        if split_url(place.location).scheme not in ("http", "https"):
            return None
        if self._offline:
            return SILENT
        import requests

        try:
            with open_session(self._verify, self._proxies) as session:
                return _state_on_server(session, f"{place.location.rstrip('/')}/{place.subdir}")
        except (requests.RequestException, OSError, ValueError):
            return SILENT


def _state_of_directory(directory: Path) -> str | None:
    told = []
    for name in _LOCAL:
        try:
            status = (directory / name).stat()
        except FileNotFoundError:
            continue
        except OSError:
            return None
        told.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
    return _digest(told) if told else ABSENT


def _state_on_server(session: requests.Session, base: str) -> str | None:
    for name in _REMOTE:
        with session.head(f"{base}/{name}", allow_redirects=True, timeout=_TIMEOUT_SECONDS) as response:
            if response.status_code == 404:
                continue
            if response.status_code >= 400:
                return SILENT
            headers = response.headers
            marks = [headers.get(header, "") for header in ("ETag", "Last-Modified", "Content-Length")]
            # A length alone says too little.
            if not any(marks[:2]) or not _is_settled(headers):
                return None
            return _digest([(name, *marks)])
    return ABSENT


def _is_settled(headers: Mapping[str, str]) -> bool:
    """Whether it changed so long ago that no engine can still take an older copy for fresh.

    Engines ask no server again as long as its answer allows (RFC 9111, section 4.2). If the channel changed within
    that time, they may have read an older copy than the one that is described here. Both dates are the server's.
    """
    control = headers.get("Cache-Control", "")
    ages = [int(age) for age in _MAX_AGE.findall(control)]
    dated = "Last-Modified" in headers
    if "no-cache" in control or "no-store" in control or ages == [0] or not (ages or dated):
        return True  # what says neither how long it holds nor how old it is has to be asked for again each time
    changed, now = (_date(headers.get(name, "")) for name in ("Last-Modified", "Date"))
    if changed is None or now is None:
        return False
    return now - changed > (dt.timedelta(seconds=max(ages)) if ages else _GUESSED_AGE)


def _date(text: str) -> dt.datetime | None:
    with contextlib.suppress(ValueError, TypeError):
        moment = email.utils.parsedate_to_datetime(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.timezone.utc)
    return None


def _digest(told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def known_locations(texts: Iterable[str]) -> Mapping[str, str]:
    """Addresses with credentials by what they are without: what was kept without them can be asked with them again.

    Args:
        texts: What the configuration and the command line say of channels.
    """
    found = {}
    for text in texts:
        public = strip_secrets(text)
        if "://" in text and public != text:
            found[public.rstrip("/")] = text.rstrip("/")
    return found
