"""What locked wheels need, asked beside the files."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from envcheck.model import LockedDistribution, PipResolution
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.metadata import with_metadata
from tests.support.package_index import wheel, write_index
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory


def locked(base: str, name: str = "demo") -> LockedDistribution:
    filename = f"{name}-1.0-py3-none-any.whl"
    return LockedDistribution(
        name=name, version="1.0", url=f"{base}/files/{filename}", filename=filename, sha256="0" * 64
    )


def folder(tmp_path: Path) -> Path:
    demo = wheel("demo", "1.0", "base>=2", "more ; extra == 'x'", requires_python=">=3.8", extras=("x",))
    return write_index(tmp_path / "index", demo)


def asked(server: LoopbackServer, one: LockedDistribution, **options: object) -> LockedDistribution:
    settings = IndexSettings(url=server.url.replace("//", "//lee:hunter2@"), origin="test")
    resolution = PipResolution(distributions=(one,))
    return with_metadata(resolution, settings, **options).distributions[0]  # type: ignore[arg-type]


def test_metadata_is_read_and_no_wheel_is(tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(folder(tmp_path))
    found = asked(server, locked(server.url))

    assert found.requires_python == ">=3.8"
    assert found.requires == ("base>=2", "more ; extra == 'x'")
    assert server.paths() == ["/files/demo-1.0-py3-none-any.whl.metadata"]


def test_another_host_is_asked_only_if_the_index_names_it_and_gets_no_credentials(
    tmp_path: Path, loopback_server: ServerFactory
) -> None:
    index, files = loopback_server(folder(tmp_path)), loopback_server(tmp_path / "index")
    one = locked(files.url)

    assert asked(index, one) == one
    assert files.requests == []
    assert asked(index, one, hosts=(files.url.removeprefix("http://"),)).requires
    assert "authorization" not in {name.lower() for name, _ in files.requests[0].headers}


def test_offline_and_without_an_answer_it_stays_as_it_is(tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(folder(tmp_path))
    one = locked(server.url)
    assert asked(server, one, offline=True) == one
    for misbehaviour in (Misbehaviour.WEB_PAGE, Misbehaviour.NOT_FOUND, Misbehaviour.RESET):
        server.misbehave("/files", misbehaviour)
        assert asked(server, one) == one


def test_a_wheel_on_the_disk_is_opened(tmp_path: Path, loopback_server: ServerFactory) -> None:
    place = folder(tmp_path)
    server = loopback_server(place)
    assert asked(server, locked(place.as_uri()), offline=True).requires_python == ">=3.8"
    assert asked(server, locked(place.as_uri(), "gone")).requires == ()


def test_metadata_is_asked_for_once_as_files_never_change(tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(folder(tmp_path))
    one = locked(server.url)
    first = asked(server, one, cache_directory=tmp_path / "cache")
    assert asked(server, one, cache_directory=tmp_path / "cache") == first
    assert len(server.requests) == 1
    assert asked(server, first) == first, "what was told is not asked again"
    assert len(server.requests) == 1


def test_the_page_of_a_gateway_is_not_kept(tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(folder(tmp_path))
    server.misbehave("/files", Misbehaviour.WEB_PAGE)
    one = locked(server.url)
    assert asked(server, one, cache_directory=tmp_path / "cache") == one
    server.behave()
    assert asked(server, one, cache_directory=tmp_path / "cache").requires


def test_a_server_that_knows_neither_metadata_nor_ranges_is_not_made_to_send_the_wheel(
    tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(folder(tmp_path))
    server.misbehave("/files/demo-1.0-py3-none-any.whl.metadata", Misbehaviour.NOT_FOUND)
    one = locked(server.url)
    assert asked(server, one) == one
    (asked_for,) = [request for request in server.requests if request.path.endswith(".whl")]
    assert dict(asked_for.headers)["Range"] == "bytes=-65536"


@contextlib.contextmanager
def ranges_of(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that has no metadata beside its one wheel and gives parts of that; its URL, and what it was asked."""
    asked_for: list[str] = []

    class Parts(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_for.append(self.path)
            part = re.fullmatch(r"bytes=(\d*)-(\d+)", self.headers.get("Range", ""))
            if part is None:
                self.send_error(404)
                return
            first = int(part[1]) if part[1] else max(len(data) - int(part[2]), 0)
            body = data[first : int(part[2]) + 1] if part[1] else data[first:]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Parts) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked_for
        finally:
            server.shutdown()
            thread.join()


def test_what_was_read_in_a_wheel_is_kept(tmp_path: Path) -> None:
    data = (folder(tmp_path) / "files" / "demo-1.0-py3-none-any.whl").read_bytes()
    with ranges_of(data) as (url, asked_for):
        settings, one = IndexSettings(url=url, origin="test"), locked(url)
        resolution = PipResolution(distributions=(one,))
        first = with_metadata(resolution, settings, cache_directory=tmp_path / "cache")
        count = len(asked_for)
        assert first.distributions[0].requires == ("base>=2", "more ; extra == 'x'")
        assert with_metadata(resolution, settings, cache_directory=tmp_path / "cache") == first
        assert len(asked_for) == count
        assert with_metadata(resolution, settings) == first
        assert len(asked_for) == 2 * count
