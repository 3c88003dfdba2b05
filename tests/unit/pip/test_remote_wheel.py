"""The metadata in a wheel, by ranges of it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest

from envcheck.pip.remote_wheel import metadata_by_ranges

METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: base\n"


def wheel(*, ballast: int = 0, metadata: str = METADATA, stored: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", stored) as archive:
        archive.writestr("demo-1.0.dist-info/METADATA", metadata)
        archive.writestr("demo/ballast", bytes(ballast), zipfile.ZIP_STORED)
        archive.writestr("demo/demo-2.0.dist-info/METADATA", "Name: vendored\n")
    return file.getvalue()


class Server:
    """Gives ranges of a file, and counts the bytes that it gave."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.given: list[int] = []

    def __call__(self, part: str) -> tuple[bytes, str] | None:
        first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", part).groups()  # type: ignore[union-attr]
        size = len(self.data)
        start = max(size - int(last), 0) if not first else int(first)
        end = size if not first else min(int(last) + 1, size)
        self.given.append(end - start)
        return self.data[start:end], f"bytes {start}-{end - 1}/{size}"


@pytest.mark.parametrize("ballast", [0, 10, 60_000, 65_536, 5_000_000])
def test_a_little_of_a_wheel_is_enough(ballast: int) -> None:
    server = Server(wheel(ballast=ballast))
    assert metadata_by_ranges(server) == METADATA
    assert sum(server.given) <= 4 * 65_536
    assert len(server.given) <= 4


@pytest.mark.parametrize(
    "fetch",
    [
        pytest.param(lambda _part: None, id="no ranges"),
        pytest.param(lambda _part: (b"", "bytes */0"), id="nothing"),
        pytest.param(lambda _part: (b"x" * 100, "bytes 0-99/100"), id="no archive"),
        pytest.param(lambda _part: (wheel(), "bytes 0-1/many"), id="no size"),
        pytest.param(lambda _part: (wheel(ballast=100_000), "bytes 0-99/100"), id="more than was asked for"),
        pytest.param(Server(wheel(metadata="x" * 5_000_000)), id="too much"),
    ],
)
def test_what_cannot_be_read_so_is_none(fetch: Callable[[str], tuple[bytes, str] | None]) -> None:
    assert metadata_by_ranges(fetch) is None


def test_a_server_that_stops_giving_ranges_is_left_alone() -> None:
    server = Server(wheel(ballast=5_000_000))
    assert metadata_by_ranges(lambda part: server(part) if not server.given else None) is None
