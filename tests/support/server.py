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
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

__all__ = ["LoopbackServer", "Misbehaviour", "Request", "ServerFactory"]

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"

WEB_PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to use this network.</body></html>\n"


class Misbehaviour(enum.Enum):
    """What the server does instead of answering as it should."""

    NOT_FOUND = 404
    FORBIDDEN = 403
    SERVER_ERROR = 500
    WEB_PAGE = "a page of HTML with status 200"
    TRUNCATED = "the first half of the file, as if that were all"
    BIT_FLIPPED = "the file with one bit in its middle turned over"
    RESET = "the connection is torn down without an answer"
    SLOW = "the answer comes after `LoopbackServer.delay` seconds"


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

    ``asked`` is set as soon as the first request arrives, answered or not.
    """

    def __init__(self, directory: Path, *, delay: float = 2.0, prefix: str = "") -> None:
        self.directory = directory
        self.delay = delay
        self.prefix = prefix
        self.requests: list[Request] = []
        self.asked = threading.Event()
        self.released = threading.Event()
        self._rules: list[tuple[str, Misbehaviour]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.loopback = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> LoopbackServer:  # noqa: PYI034  # typing.Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def misbehave(self, path: str, misbehaviour: Misbehaviour) -> None:
        """Misbehave for every path that starts with ``path`` (below the prefix); the latest matching word counts."""
        self._rules.append((path, misbehaviour))

    def behave(self) -> None:
        """Answer everything as it should be again."""
        self._rules.clear()

    def misbehaviour_of(self, path: str) -> Misbehaviour | None:
        """What to do with a path."""
        for start, misbehaviour in reversed(self._rules):
            if path.startswith(start):
                return misbehaviour
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
        if misbehaviour is Misbehaviour.SLOW:
            self._loopback.released.wait(self._loopback.delay)
        if misbehaviour is not None and isinstance(misbehaviour.value, int):
            self._send(misbehaviour.value, b"", with_body=with_body)
            return
        if misbehaviour is Misbehaviour.WEB_PAGE:
            self._send(200, WEB_PAGE, content_type="text/html; charset=utf-8", with_body=with_body)
            return
        file = None if path is None else self._file(path)
        if file is None:
            self._send(404, b"", with_body=with_body)
            return
        content = _damaged(file.read_bytes(), misbehaviour)
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self._send(304, b"", etag=etag, with_body=False)
            return
        self._send(200, content, content_type=_content_type(file), etag=etag, with_body=with_body)

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
    ) -> None:
        self._log(status)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if etag is not None:
            self.send_header("ETag", etag)
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
    if misbehaviour is Misbehaviour.TRUNCATED:
        return content[:middle]
    if misbehaviour is Misbehaviour.BIT_FLIPPED:
        return content[:middle] + bytes([content[middle] ^ 0b100]) + content[middle + 1 :]
    return content


def _content_type(file: Path) -> str:
    if file.name == "index.json":
        return SIMPLE_JSON
    return "application/json" if file.suffix == ".json" else "application/octet-stream"
