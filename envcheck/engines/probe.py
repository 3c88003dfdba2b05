"""Why a channel could not be loaded, found by asking it, so that no engine's prose has to be parsed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from envcheck.engines.watching import SLOWEST, GivenUpError
from envcheck.language import say
from envcheck.locations import local_path, open_session
from envcheck.model import ChannelState

if TYPE_CHECKING:
    import requests

__all__ = ["ask_redirect", "ask_why"]

_FILENAMES = ("repodata.json.zst", "repodata.json")
_SHARDS = "repodata_shards.msgpack.zst"
_MOST_HOPS = 10
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_READ_SECONDS = 20.0
_LONGEST_LOOK_SECONDS = 5.0
_HEAD = 16
_CHUNK = 1 << 16


def ask_why(
    location: str,
    subdir: str,
    *,
    offline: bool = False,
    verify_tls: bool | str = True,
    proxies: tuple[tuple[str, str], ...] = (),
    timeouts: tuple[float, float] = (9.15, 60.0),
    given_up: GivenUpError | None = None,
) -> tuple[ChannelState, str]:
    """Say why ``<location>/<subdir>`` could not be used.

    Args:
        location: The channel's base URL as it is asked, secrets included.
        subdir: The subdir that failed.
        offline: Whether requests are forbidden.
        verify_tls: As in `requests`: whether, or against which certificate bundle, to verify.
        proxies: Pairs of URL scheme and proxy URL.
        timeouts: Seconds to be connected, and to be told something.
        given_up: Why the engine's download was given up, if it was. What the server is seen to do wrong goes before it:
            an engine that waits before it asks once more gets no further either.

    Returns:
        The state and a few words for the user, free of secrets: only what the server answered, never its address.
    """
    directory = local_path(location)
    if directory is not None:
        return _ask_directory(directory, subdir, given_up)
    if offline:
        if given_up is not None and not given_up.stalled:
            return ChannelState.UNREACHABLE, given_up.message
        return ChannelState.UNREACHABLE, say("nothing is cached for it and --offline forbids asking")
    patience = (timeouts[0], min(timeouts[1], _LONGEST_READ_SECONDS))
    answers: list[tuple[ChannelState, str]] = []

    def ask() -> None:
        answers.append(
            _ask_server(
                location.rstrip("/"),
                subdir,
                verify_tls=verify_tls,
                proxies=dict(proxies),
                timeouts=patience,
                given_up=given_up,
            )
        )

    # A timeout of requests begins anew with every byte, of which the head of an answer may have very many.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(2 * sum(patience))
    return answers[0] if answers else (ChannelState.UNREACHABLE, _too_slow(given_up))


def _too_slow(given_up: GivenUpError | None) -> str:
    return say("it did not answer in time") if given_up is None else given_up.message


def ask_redirect(
    location: str,
    subdirs: Sequence[str],
    *,
    verify_tls: bool | str,
    proxies: tuple[tuple[str, str], ...],
    timeouts: tuple[float, float],
) -> str:
    """Ask whether a server sends its clients on to another host.

    Args:
        location: The channel's base URL as it is asked, secrets included.
        subdirs: The subdirs that will be asked for.
        verify_tls: As in `requests`.
        proxies: Pairs of URL scheme and proxy URL.
        timeouts: Seconds to be connected, and to be told something.

    Returns:
        A few words for the user; empty where it does not, or does not answer.
    """
    import requests

    asked = [f"{location.rstrip('/')}/{subdir}/{file}" for subdir in subdirs for file in (_SHARDS, *_FILENAMES)]
    with open_session(verify_tls, dict(proxies)) as session:
        for url in asked:
            try:
                host = _redirected_to(session, url, (timeouts[0], min(timeouts[1], _LONGEST_READ_SECONDS)))
            except (requests.exceptions.RequestException, ValueError):
                return ""
            if host is not None:
                return say(
                    "it redirects to {host}, which rattler would tell the channel's token: name the channel "
                    "by that address, or use --engine libmamba",
                    host=host,
                )
    return ""


def _redirected_to(session: requests.Session, url: str, timeouts: tuple[float, float]) -> str | None:
    """The first host on the way from a URL that is not the URL's own."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    for _ in range(_MOST_HOPS):
        with session.head(url, allow_redirects=False, timeout=timeouts) as response:
            if not response.is_redirect:
                return None
            url = urljoin(url, response.headers["Location"])
        if urlsplit(url).netloc.rpartition("@")[2] != host:
            return urlsplit(url).hostname or say("another host")
    return None


def _ask_directory(directory: Path, subdir: str, given_up: GivenUpError | None) -> tuple[ChannelState, str]:
    if not directory.is_dir():
        return ChannelState.NOT_FOUND, say("there is no such directory")
    if not any((directory / subdir / filename).exists() for filename in _FILENAMES):
        return ChannelState.NO_SUBDIR, say("it has no {subdir}/repodata.json", subdir=subdir)
    if given_up is not None and not given_up.stalled:
        return ChannelState.UNREACHABLE, given_up.message
    return ChannelState.DAMAGED, say(
        "its {subdir}/repodata.json cannot be read: truncated or not repodata", subdir=subdir
    )


def _ask_server(
    base: str,
    subdir: str,
    *,
    verify_tls: bool | str,
    proxies: dict[str, str],
    timeouts: tuple[float, float],
    given_up: GivenUpError | None,
) -> tuple[ChannelState, str]:
    import requests

    with open_session(verify_tls, proxies) as session:
        try:
            for filename in _FILENAMES:
                with session.get(f"{base}/{subdir}/{filename}", stream=True, timeout=timeouts) as response:
                    status = response.status_code
                    if status != requests.codes.not_found:
                        head = next(response.iter_content(_HEAD), b"") if response.ok else b""
                        verdict = _judge(status, head, filename)
                        return verdict or _judge_rest(response, filename, timeouts[1], given_up)
        except requests.exceptions.SSLError:
            return ChannelState.UNREACHABLE, say("its TLS certificate could not be verified")
        except requests.exceptions.ProxyError:
            return ChannelState.UNREACHABLE, say("the configured proxy refused or did not answer")
        except requests.exceptions.Timeout:
            return ChannelState.UNREACHABLE, say("it did not answer in time")
        except requests.exceptions.TooManyRedirects:
            return ChannelState.UNREACHABLE, say("it redirects in circles")
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return ChannelState.UNREACHABLE, say("no connection could be made, or it was broken off")
        except requests.exceptions.RequestException as error:
            return ChannelState.UNREACHABLE, say("the request failed ({name})", name=type(error).__name__)
    return ChannelState.NO_SUBDIR, say("it has no {subdir}/repodata.json (HTTP 404)", subdir=subdir)


def _judge(status: int, head: bytes, filename: str) -> tuple[ChannelState, str] | None:
    """What an answer other than 404 says, if anything; ``head`` is the first bytes of a successful one."""
    if status in (401, 403, 407):
        return ChannelState.FORBIDDEN, say("it refuses access (HTTP {status})", status=status)
    if status >= 400:
        return ChannelState.UNREACHABLE, say("it answers HTTP {status}", status=status)
    if head.lstrip()[:1] == b"<":
        return ChannelState.DAMAGED, say("it answers with a web page instead of repodata (a login or proxy page?)")
    expected = _ZSTD_MAGIC if filename.endswith(".zst") else b"{"
    if not head.lstrip().startswith(expected):
        return ChannelState.DAMAGED, say("its {filename} is not repodata", filename=filename)
    return None


def _judge_rest(
    response: requests.Response, filename: str, patience: float, given_up: GivenUpError | None
) -> tuple[ChannelState, str]:
    """What the rest of an answer says that begins well."""
    if given_up is not None and not given_up.stalled:
        return ChannelState.UNREACHABLE, given_up.message
    gets_on = _gets_on(response, patience)
    if gets_on is False or (gets_on is None and given_up is not None):
        return ChannelState.UNREACHABLE, _too_slow(given_up)
    return ChannelState.DAMAGED, say(
        "its {filename} is truncated or damaged, or a record in it is none", filename=filename
    )


def _gets_on(response: requests.Response, patience: float) -> bool | None:
    """Whether the rest of an answer comes to its end without long rests; ``None`` where that would take too long.

    Raises:
        requests.exceptions.RequestException: It breaks off.
    """
    import requests
    from urllib3.exceptions import ReadTimeoutError

    began, size = time.monotonic(), 0
    try:
        while True:
            # A read waits until all that it asks for is there: little, until it is known that the server is quick.
            part = next(response.iter_content(_HEAD if size < SLOWEST else _CHUNK), b"")
            took, size = time.monotonic() - began, size + len(part)
            if not part:
                return True
            if took >= patience and size < SLOWEST * took:
                return False
            if took >= _LONGEST_LOOK_SECONDS:
                return None
    except requests.exceptions.ConnectionError as error:
        if error.args and isinstance(error.args[0], ReadTimeoutError):
            return False
        raise
