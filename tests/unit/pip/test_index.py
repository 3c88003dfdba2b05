from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from envcheck.pip.configuration import IndexSettings
from envcheck.pip.index import DirectoryIndex, open_index
from envcheck.pip.lookup import IndexUnavailable, PackageIndex, ProjectFiles, ProjectUnreadable
from envcheck.pip.simple_index import SimpleIndex
from tests.support.package_index import wheel, write_index

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


def page(name: str, *filenames: str, **changes: Any) -> bytes:
    files = [{"filename": one, "url": f"../../files/{one}", "hashes": {"sha256": "AB" * 32}} for one in filenames]
    document = {"meta": {"api-version": "1.1"}, "name": name, "files": files, "versions": []}
    return json.dumps({**document, **changes}).encode()


class Server(ThreadingHTTPServer):
    """A loopback index: ``answers`` maps a path to ``(status, content type, body)`` or to a function of the handler."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Any] = {"/simple/": (200, JSON_TYPE, b"{}")}
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"

    def add(self, name: str, body: bytes, *, status: int = 200, content_type: str = JSON_TYPE) -> None:
        self.answers[f"/simple/{name}/"] = (status, content_type, body)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.authorizations.append(self.headers.get("Authorization"))
        answer = self.server.answers.get(self.path, (404, "text/html", b"no"))
        if callable(answer):
            answer(self)
            return
        status, content_type, body = answer
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def index(server: Server) -> Iterator[SimpleIndex]:
    opened = SimpleIndex(server.url, timeouts=(1.0, 1.0, 2.0), largest_page=100_000, retries=0)
    yield opened
    opened.close()


def test_a_project_page_becomes_files_with_absolute_urls(server: Server, index: SimpleIndex) -> None:
    body = json.loads(page("Demo", "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"))
    body["files"][0] |= {"requires-python": ">=3.8", "yanked": "broken"}
    server.add("demo", json.dumps(body).encode())
    found = index.project("DEMO")
    assert isinstance(found, ProjectFiles)
    wheel, source = found.files
    assert found.name == "demo"
    assert wheel.url == f"http://127.0.0.1:{server.server_port}/files/demo-1.0-py3-none-any.whl"
    assert (wheel.sha256, wheel.requires_python, wheel.yanked) == ("ab" * 32, ">=3.8", True)
    assert (source.requires_python, source.yanked) == (None, False)


def test_an_html_page_of_an_older_mirror_is_read_too(server: Server, index: SimpleIndex) -> None:
    name = "demo-1.0-py3-none-any.whl"
    link = f'<a href="/f/{name}#sha256=cd" data-requires-python="&gt;=3.9" data-yanked>{name}</a>'
    server.add("demo", f"<html><body>{link}</body></html>".encode(), content_type="text/html; charset=utf-8")
    found = index.project("demo")
    assert isinstance(found, ProjectFiles)
    (file,) = found.files
    assert (file.sha256, file.requires_python, file.yanked) == ("cd", ">=3.9", True)


def test_a_missing_project_is_none_and_names_are_asked_once(server: Server, index: SimpleIndex) -> None:
    server.add("demo", page("demo"))
    assert index.project("missing") is None
    assert index.project("Missing") is None
    assert index.project("demo") == index.project("demo") == ProjectFiles(name="demo", files=())
    assert server.asked == ["GET /simple/missing/", "HEAD /simple/", "GET /simple/demo/"]


def test_a_wrong_index_url_is_not_taken_for_missing_projects(server: Server, index: SimpleIndex) -> None:
    del server.answers["/simple/"]
    found = index.projects(["a", "b", "c"])
    assert set(found.values()) == {IndexUnavailable(reason=f"there is no package index at {server.url}")}
    assert server.asked == ["GET /simple/a/", "HEAD /simple/"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a/b", "a?b", "ü", "-", "a b", "a\nb"])
def test_a_name_that_no_project_can_have_is_never_asked_for(server: Server, index: SimpleIndex, name: str) -> None:
    assert index.project(name) is None
    assert server.asked == []


BAD_ANSWERS = [
    ((500, JSON_TYPE, b"oops"), "answered 500"),
    ((403, "text/html", b"no"), "answered 403"),
    ((200, "text/html", b"<html><body><form action='/login'></form></body></html>"), "no project page"),
    ((200, JSON_TYPE, b"{not json"), "no project page"),
    ((200, JSON_TYPE, b"[]"), "no project page"),
    ((200, JSON_TYPE, b"\xff\xfe\x00"), "no project page"),
    ((200, JSON_TYPE, b"[" * 90_000), "no project page"),
    ((200, JSON_TYPE, page("demo", meta={"api-version": "9.0"})), "newer version"),
    ((200, JSON_TYPE, b" " * 100_001), "too large"),
    ((200, "application/octet-stream", b"\x89PNG\r\n"), "no project page"),
]


@pytest.mark.parametrize(("answer", "reason"), BAD_ANSWERS)
def test_a_bad_first_answer_speaks_of_the_index(
    server: Server, index: SimpleIndex, answer: tuple[int, str, bytes], reason: str
) -> None:
    server.answers["/simple/a/"] = answer
    server.add("b", page("b"))
    found = index.projects(["a", "b"])
    assert isinstance(found["a"], IndexUnavailable)
    assert reason in found["a"].reason
    assert found["b"] == found["a"]
    assert server.asked == ["GET /simple/a/"]


@pytest.mark.parametrize(("answer", "reason"), BAD_ANSWERS)
def test_a_bad_answer_after_a_good_one_speaks_of_the_project(
    server: Server, index: SimpleIndex, answer: tuple[int, str, bytes], reason: str
) -> None:
    server.add("good", page("good"))
    server.answers["/simple/bad/"] = answer
    found = index.projects(["good", "bad"])
    assert isinstance(found["bad"], ProjectUnreadable)
    assert reason in found["bad"].reason


def test_a_small_answer_that_decompresses_beyond_the_bound_is_refused(server: Server, index: SimpleIndex) -> None:
    packed = gzip.compress(b" " * 20_000_000)

    def send(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(packed)))
        handler.end_headers()
        handler.wfile.write(packed)

    server.answers["/simple/demo/"] = send
    assert index.project("demo") == IndexUnavailable(reason="the answer is too large")


def _hang(handler: Handler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def _break_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def _redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(_hang, "does not answer in time"), (_break_off, "breaks off"), (_redirect, "redirects in circles")],
)
def test_a_broken_connection_ends_the_asking(
    server: Server, index: SimpleIndex, behaviour: Callable[[Handler], None], reason: str
) -> None:
    server.add("good", page("good"))
    server.answers["/simple/bad/"] = behaviour
    assert isinstance(index.project("good"), ProjectFiles)
    found = index.project("bad")
    assert isinstance(found, IndexUnavailable)
    assert reason in found.reason
    asked = len(server.asked)
    assert index.project("other") == found
    assert isinstance(index.project("good"), ProjectFiles)
    assert len(server.asked) == asked


def test_a_server_that_drips_is_given_up(server: Server, index: SimpleIndex) -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            for _ in range(60):
                handler.wfile.write(b"1\r\n \r\n")
                time.sleep(0.1)
        except OSError:
            pass

    server.answers["/simple/demo/"] = drip
    started = time.monotonic()
    assert index.project("demo") == IndexUnavailable(reason="the package index is too slow")
    assert time.monotonic() - started < 5


def test_a_refused_connection_is_said_once_and_without_the_credentials() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    index = SimpleIndex(f"http://me:hunter2@127.0.0.1:{port}/simple", retries=0)
    found = index.projects(["a", "b"])
    index.close()
    assert set(found.values()) == {IndexUnavailable(reason="the package index at 127.0.0.1 cannot be reached")}


def test_credentials_are_sent_and_stand_in_no_result(server: Server, tmp_path: Path) -> None:
    answers = server.answers

    def vary(handler: Handler) -> None:
        body = page("demo", "demo-1.0.tar.gz")
        handler.send_response(200)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Cache-Control", "max-age=600")
        handler.send_header("Vary", "Accept, Authorization")
        handler.end_headers()
        handler.wfile.write(body)

    answers["/simple/demo/"] = vary
    index = SimpleIndex(server.url.replace("//", "//me:hunt%40er2@"), cache_directory=tmp_path, retries=0)
    found = index.project("demo")
    index.close()
    expected = base64.b64encode(b"me:hunt@er2").decode()
    assert server.authorizations == [f"Basic {expected}"]
    assert "hunt" not in repr(found)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert expected.encode() not in path.read_bytes()
        assert "hunt" not in str(path)


def test_an_index_that_asks_for_credentials_says_so(server: Server, index: SimpleIndex) -> None:
    server.add("demo", b"", status=401)
    assert index.project("demo") == IndexUnavailable(reason="the package index asks for credentials (401)")


def test_the_cache_saves_the_second_run_its_requests(server: Server, tmp_path: Path) -> None:
    def cacheable(handler: Handler) -> None:
        body = page("demo", "demo-1.0.tar.gz")
        handler.send_response(200)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Cache-Control", "max-age=600")
        handler.end_headers()
        handler.wfile.write(body)

    server.answers["/simple/demo/"] = cacheable
    answers = []
    for _ in range(2):
        index = SimpleIndex(server.url, cache_directory=tmp_path / "cache", retries=0)
        answers.append(index.project("demo"))
        index.close()
    assert answers[0] == answers[1]
    assert server.asked == ["GET /simple/demo/"]


@pytest.mark.parametrize(
    ("said", "requests"), [({}, 1), ({"Cache-Control": "no-store"}, 2), ({"Cache-Control": "max-age=0"}, 2)]
)
def test_an_index_that_says_nothing_of_caching_is_believed_for_a_while(
    server: Server, tmp_path: Path, said: dict[str, str], requests: int
) -> None:
    """Mirrors often leave out the header; one that says how long its pages hold is heeded."""

    def answer(handler: Handler) -> None:
        body = page("demo", "demo-1.0.tar.gz")
        handler.send_response(200)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in said.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    server.answers["/simple/demo/"] = answer
    for _ in range(2):
        index = SimpleIndex(server.url, cache_directory=tmp_path / "cache", retries=0)
        assert isinstance(index.project("demo"), ProjectFiles)
        index.close()
    assert server.asked == ["GET /simple/demo/"] * requests


def test_a_cache_that_cannot_be_written_costs_nothing_else(server: Server, tmp_path: Path) -> None:
    occupied = tmp_path / "cache"
    occupied.write_text("a file where the directory should be")
    server.add("demo", page("demo"))
    index = SimpleIndex(server.url, cache_directory=occupied, retries=0)
    assert isinstance(index.project("demo"), ProjectFiles)
    index.close()


def test_a_server_that_stumbles_is_asked_again(server: Server) -> None:
    tries: list[int] = []

    def stumble(handler: Handler) -> None:
        tries.append(1)
        body = page("demo") if len(tries) > 1 else b""
        handler.send_response(200 if len(tries) > 1 else 503)
        handler.send_header("Content-Type", JSON_TYPE)
        handler.send_header("Retry-After", "3600")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.answers["/simple/demo/"] = stumble
    index = SimpleIndex(server.url, retries=1)
    assert isinstance(index.project("demo"), ProjectFiles)
    index.close()


def test_many_projects_keep_the_order_and_the_spelling_of_the_question(server: Server, index: SimpleIndex) -> None:
    names = [f"Project_{number}" for number in range(40)]
    for number in range(0, 40, 2):
        server.add(f"project-{number}", page(f"project-{number}"))
    steps: list[tuple[str, int, int]] = []
    found = index.projects([*names, names[0]], progress=lambda *step: steps.append(step))
    assert list(found) == names
    assert [isinstance(found[name], ProjectFiles) for name in names] == [number % 2 == 0 for number in range(40)]
    assert steps == [("package index", done, 40) for done in range(1, 41)]


def test_missing_certificate_authorities_are_an_answer(tmp_path: Path) -> None:
    index = SimpleIndex("https://127.0.0.1:9/simple", verify_tls=str(tmp_path / "missing.pem"), retries=0)
    assert isinstance(index.project("demo"), IndexUnavailable)
    index.close()


# ---------------------------------------------------------------------------------------------------------------------
# file:// and none at all
# ---------------------------------------------------------------------------------------------------------------------


def test_a_directory_is_an_index(tmp_path: Path) -> None:
    root = tmp_path / "my index"
    (root / "demo").mkdir(parents=True)
    (root / "demo" / "index.json").write_bytes(page("demo", "demo-1.0-py3-none-any.whl"))
    (root / "old").mkdir()
    (root / "old" / "index.html").write_text('<a href="old-1.0.tar.gz">old-1.0.tar.gz</a>')
    (root / "bad").mkdir()
    (root / "bad" / "index.json").write_text("{")
    index = DirectoryIndex(root.as_uri())
    found = index.projects(["Demo", "old", "bad", "missing", "../demo"])
    assert isinstance(found["Demo"], ProjectFiles)
    assert found["Demo"].files[0].filename == "demo-1.0-py3-none-any.whl"
    assert isinstance(found["old"], ProjectFiles)
    assert isinstance(found["bad"], ProjectUnreadable)
    assert found["missing"] is found["../demo"] is None


def test_a_missing_directory_is_an_unavailable_index(tmp_path: Path) -> None:
    index = DirectoryIndex((tmp_path / "missing").as_uri())
    assert isinstance(index.project("demo"), IndexUnavailable)


@pytest.mark.parametrize(
    ("settings", "offline", "reason"),
    [
        (IndexSettings(url="https://pypi.example/simple", origin="default"), True, "offline"),
        (IndexSettings(url="https://pypi.example/simple", origin="x", disabled=True), False, "no-index"),
        (IndexSettings(url="ftp://me:hunter2@host/", origin="PIP_INDEX_URL"), False, "PIP_INDEX_URL"),
    ],
)
def test_an_index_that_may_not_be_asked_says_why(settings: IndexSettings, offline: bool, reason: str) -> None:
    index = open_index(settings, offline=offline)
    assert isinstance(index, PackageIndex)
    answer = index.project("demo")
    assert isinstance(answer, IndexUnavailable)
    assert reason in answer.reason
    assert "hunter2" not in answer.reason
    assert index.projects(["a", "b"]) == {"a": answer, "b": answer}


def test_offline_leaves_a_directory_open_and_the_network_closed(server: Server, tmp_path: Path) -> None:
    local = open_index(IndexSettings(url=tmp_path.as_uri(), origin="x"), offline=True)
    assert local.project("demo") is None
    server.add("demo", page("demo"))
    online = open_index(IndexSettings(url=server.url, origin="x"))
    assert isinstance(online.project("demo"), ProjectFiles)
    online.close()


def test_a_project_has_the_files_of_every_index(tmp_path: Path) -> None:
    main = write_index(tmp_path / "main", wheel("demo", "1.0"), wheel("ours", "1.0"))
    extra = write_index(tmp_path / "extra", wheel("demo", "2.0"), wheel("theirs", "1.0"))
    settings = IndexSettings(url=main.as_uri(), origin="test", extra_urls=(extra.as_uri(),))
    found = open_index(settings).projects(["demo", "ours", "theirs", "nobodys"])

    files = {
        name: [file.filename[:8] for file in one.files] for name, one in found.items() if isinstance(one, ProjectFiles)
    }
    assert files == {"demo": ["demo-1.0", "demo-2.0"], "ours": ["ours-1.0"], "theirs": ["theirs-1"]}
    assert found["nobodys"] is None


def test_what_an_index_besides_may_have_is_not_known_to_be_missing(tmp_path: Path) -> None:
    main = write_index(tmp_path / "main", wheel("demo", "1.0"))
    gone = (tmp_path / "gone").as_uri()
    index = open_index(IndexSettings(url=main.as_uri(), origin="test", extra_urls=(gone,)))
    assert isinstance(index.project("demo"), ProjectFiles)
    assert isinstance(index.project("other"), ProjectUnreadable)

    index = open_index(IndexSettings(url=gone, origin="test", extra_urls=(main.as_uri(),)))
    assert isinstance(index.project("demo"), IndexUnavailable)


def test_a_page_of_links_is_a_place_of_files(server: Server) -> None:
    wheel, source = "some_thing-1.0-py3-none-any.whl", "Some-Thing-0.9.tar.gz"
    page = f'<a href="f/{wheel}#sha256={"AB" * 32}">the wheel</a> <a href="{source}">{source}</a> <a href="/">up</a>'
    server.answers["/simple/links.html"] = (200, "text/html", f"<html>{page}</html>".encode())
    settings = IndexSettings(url="", origin="test", disabled=True, find_links=(f"{server.url}/links.html",))
    index = open_index(settings)
    found = index.project("Some.Thing")
    assert isinstance(found, ProjectFiles)
    assert [(one.filename, one.url, one.sha256) for one in found.files] == [
        (wheel, f"{server.url}/f/{wheel}", "ab" * 32),
        (source, f"{server.url}/{source}", None),
    ]
    assert index.project("some") is None
    assert server.asked == ["GET /simple/links.html"], "one page, however many ask"


@pytest.mark.parametrize("offline", [True, False])
def test_a_place_of_files_that_does_not_answer_leaves_open_what_it_may_have(
    tmp_path: Path, server: Server, offline: bool
) -> None:
    main = write_index(tmp_path / "main", wheel("demo", "1.0"))
    gone = f"{server.url}/gone.html" if offline else (tmp_path / "gone").as_uri()
    index = open_index(IndexSettings(url=main.as_uri(), origin="test", find_links=(gone,)), offline=offline)
    assert isinstance(index.project("demo"), ProjectFiles)
    assert isinstance(index.project("other"), ProjectUnreadable)
    assert server.asked == []
