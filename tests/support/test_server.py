"""The loopback server does what the fault tests trust it to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory


@pytest.fixture
def server(tmp_path: Path, loopback_server: ServerFactory) -> LoopbackServer:
    (tmp_path / "noarch").mkdir()
    (tmp_path / "noarch" / "repodata.json").write_text('{"packages": {}}')
    (tmp_path / "affine").mkdir()
    (tmp_path / "affine" / "index.json").write_text('{"name": "affine"}')
    return loopback_server(tmp_path, delay=0.2)


def test_files_folders_and_what_is_not_there(server: LoopbackServer) -> None:
    assert requests.get(f"{server.url}/noarch/repodata.json", timeout=5).json() == {"packages": {}}
    project = requests.get(f"{server.url}/affine/", timeout=5)
    assert project.json() == {"name": "affine"}
    assert project.headers["Content-Type"] == "application/vnd.pypi.simple.v1+json"
    assert requests.get(f"{server.url}/nothing", timeout=5).status_code == 404
    assert requests.get(f"{server.url}/../conftest.py", timeout=5).status_code == 404
    assert server.paths()[:2] == ["/noarch/repodata.json", "/affine/"]


def test_an_unchanged_file_is_not_sent_twice(server: LoopbackServer) -> None:
    url = f"{server.url}/noarch/repodata.json"
    etag = requests.get(url, timeout=5).headers["ETag"]
    assert requests.get(url, headers={"If-None-Match": etag}, timeout=5).status_code == 304
    assert [request.status for request in server.requests] == [200, 304]


@pytest.mark.parametrize(
    ("misbehaviour", "status"),
    [
        (Misbehaviour.NOT_FOUND, 404),
        (Misbehaviour.FORBIDDEN, 403),
        (Misbehaviour.SERVER_ERROR, 500),
    ],
)
def test_refusals_are_for_the_named_paths_only(server: LoopbackServer, misbehaviour: Misbehaviour, status: int) -> None:
    server.misbehave("/noarch", misbehaviour)
    assert requests.get(f"{server.url}/noarch/repodata.json", timeout=5).status_code == status
    assert requests.get(f"{server.url}/affine/", timeout=5).status_code == 200
    server.behave()
    assert requests.get(f"{server.url}/noarch/repodata.json", timeout=5).status_code == 200


def test_damage(server: LoopbackServer) -> None:
    url = f"{server.url}/noarch/repodata.json"
    whole = requests.get(url, timeout=5).content
    server.misbehave("/noarch", Misbehaviour.TRUNCATED)
    assert requests.get(url, timeout=5).content == whole[: len(whole) // 2]
    server.misbehave("/noarch", Misbehaviour.BIT_FLIPPED)
    flipped = requests.get(url, timeout=5).content
    assert sum(a != b for a, b in zip(flipped, whole, strict=True)) == 1
    server.misbehave("/noarch", Misbehaviour.WEB_PAGE)
    assert requests.get(url, timeout=5).text.startswith("<!DOCTYPE html>")
    server.misbehave("/noarch", Misbehaviour.RESET)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_slowness(server: LoopbackServer) -> None:
    server.misbehave("/noarch", Misbehaviour.SLOW)
    started = time.monotonic()
    assert requests.get(f"{server.url}/noarch/repodata.json", timeout=5).ok
    assert time.monotonic() - started >= 0.2


def test_everything_under_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with LoopbackServer(tmp_path, prefix="/t/tk-123") as server:
        assert server.url.endswith("/t/tk-123")
        assert requests.get(f"{server.url}/file", timeout=5).text == "x"
        assert requests.get(server.url.removesuffix("/t/tk-123") + "/file", timeout=5).status_code == 404
