"""A loopback HTTP server over a directory that can be told, per path, to misbehave.

It speaks just enough HTTP for repodata and package indexes: ETags with 304, ``Range`` ignored, ``index.json`` for a
folder as the JSON Simple API gives it. Everything a test wants to know afterwards stands in `LoopbackServer.requests`.
"""

from __future__ import annotations

import enum
import hashlib
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

__all__ = ["LoopbackServer", "Misbehaviour", "Request", "ServerFactory"]

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"

HUGE = 20 * 1000**3

WEB_PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to use this network.</body></html>\n"


class Misbehaviour(enum.Enum):
    """What the server does instead of answering as it should."""

    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    TOO_MANY_REQUESTS = 429
    SERVER_ERROR = 500
    ERROR_AT_FIRST = "500 when a path is asked for the first time, then as it should be"
    WEB_PAGE = "a page of HTML with status 200"
    TRUNCATED = "the first half of the file, as if that were all"
    BROKEN_OFF = "the first half of the file where the whole is announced, then the end of the connection"
    BIT_FLIPPED = "the file with one bit in its middle turned over"
    RESET = "the connection is torn down without an answer"
    SLOW = "the answer comes after `LoopbackServer.delay` seconds"
    SILENT = "no answer comes until the server ends or behaves again"
    TRICKLE = "ten bytes come a second"
    ONE_ETAG = "every state of every file has the same ETag"
    STALE = "whoever has a copy, whatever its ETag, is told that it is unchanged"
    REDIRECT_LOOP = "a redirect to itself"
    REDIRECT_AWAY = "a redirect to the same path of `LoopbackServer.elsewhere`"
    HUGE_CLAIM = "20 GB are announced, the file comes, and then nothing"
    FLOOD = "20 GB are announced, and zeros come as long as somebody takes them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived, with the status it was answered with (0: the connection was torn down)."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    status: int


class LoopbackServer:
    """Serves a directory on 127.0.0.1 at a free port while it is entered as a context.

    Args:
        directory: What to serve.
        delay: How long a `Misbehaviour.SLOW` answer takes, in seconds.
        prefix: A path that all of it stands under, such as ``/t/tk-123``.

    ``asked`` is set as soon as the first request arrives, answered or not; ``flooded`` counts the bytes that
    `Misbehaviour.FLOOD` got rid of; ``cache_control`` is the header of that name; ``elsewhere`` is the base URL that
    `Misbehaviour.REDIRECT_AWAY` leads to.
    """

    def __init__(self, directory: Path, *, delay: float = 2.0, prefix: str = "") -> None:
        self.directory = directory
        self.delay = delay
        self.prefix = prefix
        self.requests: list[Request] = []
        self.elsewhere = ""
        self.cache_control = ""
        self.flooded = 0
        self.asked = threading.Event()
        self.released = threading.Event()
        self._rules: list[tuple[str, Misbehaviour]] = []
        self._failed: Counter[str] = Counter()
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.loopback = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> LoopbackServer:  # noqa: PYI034  # typing.Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        self.refuse()

    def refuse(self) -> None:
        """Take no connections any more, until `accept`."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def accept(self) -> None:
        """Take connections again, at the same port."""
        self._listen(self._server.server_address[1])
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def misbehave(self, path: str, misbehaviour: Misbehaviour) -> None:
        """Misbehave for every path that starts with ``path`` (below the prefix); the latest matching word counts."""
        self.released.clear()
        self._rules.append((path, misbehaviour))

    def behave(self) -> None:
        """Answer everything as it should be again."""
        self._rules.clear()
        self.released.set()

    def misbehaviour_of(self, path: str) -> Misbehaviour | None:
        """What to do with a path."""
        for start, misbehaviour in reversed(self._rules):
            if path.startswith(start):
                if misbehaviour is not Misbehaviour.ERROR_AT_FIRST:
                    return misbehaviour
                self._failed[path] += 1
                return Misbehaviour.SERVER_ERROR if self._failed[path] == 1 else None
        return None

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.requests]


class ServerFactory:
    """Starts loopback servers and stops them all at the end of a test."""

    def __init__(self) -> None:
        self._started: list[LoopbackServer] = []

    def __call__(self, directory: Path, *, delay: float = 2.0, prefix: str = "") -> LoopbackServer:
        """A server of ``directory``, already running."""
        server = LoopbackServer(directory, delay=delay, prefix=prefix).__enter__()
        self._started.append(server)
        return server

    def close(self) -> None:
        """Stop every server that was started."""
        for server in self._started:
            server.__exit__(None, None, None)


class _Server(ThreadingHTTPServer):
    """The listening socket; clients that leave in the middle of an answer are none of its troubles."""

    daemon_threads = True
    loopback: LoopbackServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet, as `_Handler.log_message` does."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    @property
    def _loopback(self) -> LoopbackServer:
        return self.server.loopback  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the log is `LoopbackServer.requests`."""

    def _respond(self, *, with_body: bool) -> None:
        self._loopback.asked.set()
        full_path = unquote(urlsplit(self.path).path)
        prefix = self._loopback.prefix
        path = full_path.removeprefix(prefix) if full_path.startswith(prefix) else None
        misbehaviour = None if path is None else self._loopback.misbehaviour_of(path)
        if misbehaviour is Misbehaviour.RESET:
            self._log(0)
            self._reset()
            return
        if misbehaviour in (Misbehaviour.SLOW, Misbehaviour.SILENT):
            self._loopback.released.wait(self._loopback.delay if misbehaviour is Misbehaviour.SLOW else None)
        if misbehaviour is not None and isinstance(misbehaviour.value, int):
            self._send(misbehaviour.value, b"", with_body=with_body)
            return
        if misbehaviour is Misbehaviour.WEB_PAGE:
            self._send(200, WEB_PAGE, content_type="text/html; charset=utf-8", with_body=with_body)
            return
        if misbehaviour in (Misbehaviour.REDIRECT_LOOP, Misbehaviour.REDIRECT_AWAY):
            base = self._loopback.elsewhere if misbehaviour is Misbehaviour.REDIRECT_AWAY else self._loopback.url
            self._send(302, b"", with_body=with_body, location=f"{base}{path}")
            return
        file = None if path is None else self._file(path)
        if file is None:
            self._send(404, b"", with_body=with_body)
            return
        self._send_file(file, misbehaviour, with_body=with_body)

    def _send_file(self, file: Path, misbehaviour: Misbehaviour | None, *, with_body: bool) -> None:
        content = _damaged(file.read_bytes(), misbehaviour)
        state = b"" if misbehaviour is Misbehaviour.ONE_ETAG else content
        etag = f'"{hashlib.sha256(state).hexdigest()[:16]}"'
        asked = self.headers.get("If-None-Match")
        if asked is not None and (asked == etag or misbehaviour is Misbehaviour.STALE):
            self._send(304, b"", etag=asked, with_body=False)
            return
        length = {
            Misbehaviour.BROKEN_OFF: 2 * len(content) + 1,
            Misbehaviour.HUGE_CLAIM: HUGE,
            Misbehaviour.FLOOD: HUGE,
        }.get(misbehaviour)  # type: ignore[arg-type]  # a key that is not there
        trickles = misbehaviour is Misbehaviour.TRICKLE
        self._send(
            200,
            b"" if trickles or misbehaviour is Misbehaviour.FLOOD else content,
            content_type=_content_type(file),
            etag=etag,
            length=len(content) if trickles else length,
            with_body=with_body,
        )
        if with_body:
            self._go_on(misbehaviour, content)

    def _go_on(self, misbehaviour: Misbehaviour | None, content: bytes) -> None:
        """What some answers do once their head is sent."""
        released = self._loopback.released
        if misbehaviour is Misbehaviour.BROKEN_OFF:
            self.close_connection = True
        elif misbehaviour is Misbehaviour.HUGE_CLAIM:
            released.wait()
            self.close_connection = True
        elif misbehaviour is Misbehaviour.TRICKLE:
            for start in range(len(content)):
                self.wfile.write(content[start : start + 1])
                if released.wait(0.1):
                    self.close_connection = True
                    return
        elif misbehaviour is Misbehaviour.FLOOD:
            zeros = bytes(1 << 20)
            with suppress(OSError):
                while not released.is_set() and self._loopback.flooded < HUGE:
                    self.wfile.write(zeros)
                    self._loopback.flooded += len(zeros)
            self.close_connection = True

    def _file(self, path: str) -> Path | None:
        """The file of a path, never one outside the directory."""
        root = self._loopback.directory.resolve()
        file = (root / path.lstrip("/")).resolve()
        if file.is_dir():
            file /= "index.json"
        return file if file.is_relative_to(root) and file.is_file() else None

    def _send(
        self,
        status: int,
        content: bytes,
        *,
        with_body: bool,
        content_type: str = "application/octet-stream",
        etag: str | None = None,
        length: int | None = None,
        location: str | None = None,
    ) -> None:
        self._log(status)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if self._loopback.cache_control:
            self.send_header("Cache-Control", self._loopback.cache_control)
        if etag is not None:
            self.send_header("ETag", etag)
        if location is not None:
            self.send_header("Location", location)
        if status == Misbehaviour.TOO_MANY_REQUESTS.value:
            self.send_header("Retry-After", "3600")
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def _reset(self) -> None:
        """Close with RST rather than FIN: what a client sees as a connection reset by its peer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile.close()

    def _log(self, status: int) -> None:
        headers = tuple(self.headers.items())
        self._loopback.requests.append(
            Request(method=self.command, path=urlsplit(self.path).path, headers=headers, status=status)
        )


def _damaged(content: bytes, misbehaviour: Misbehaviour | None) -> bytes:
    middle = len(content) // 2
    if misbehaviour in (Misbehaviour.TRUNCATED, Misbehaviour.BROKEN_OFF):
        return content[:middle]
    if misbehaviour is Misbehaviour.BIT_FLIPPED:
        return content[:middle] + bytes([content[middle] ^ 0b100]) + content[middle + 1 :]
    return content


def _content_type(file: Path) -> str:
    if file.name == "index.json":
        return SIMPLE_JSON
    return "application/json" if file.suffix == ".json" else "application/octet-stream"
