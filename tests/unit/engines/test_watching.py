"""A download is given up when too little comes of it, or too much."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from envcheck.engines.watching import (
    SLOWEST,
    DownloadWatch,
    GivenUpError,
    await_watched,
    own_memory,
    refuse_many_objects,
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_watch(folder: Path, clock: Clock, largest: int = 1_000_000) -> DownloadWatch:
    return DownloadWatch([folder, folder / "missing"], patience=10, largest=largest, now=clock)


def test_what_grows_is_waited_for(tmp_path: Path, clock: Clock) -> None:
    watch = a_watch(tmp_path, clock)
    for step in range(1, 6):
        clock.seconds = 10.0 * step
        (tmp_path / "part").write_bytes(bytes(10 * SLOWEST * step))
        watch.look()


def test_what_grows_too_slowly_is_given_up(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "old").write_bytes(bytes(500_000))
    watch = a_watch(tmp_path, clock)
    (tmp_path / "part").write_bytes(bytes(10 * SLOWEST - 1))
    clock.seconds = 9.9
    watch.look()
    clock.seconds = 10
    with pytest.raises(GivenUpError, match="less than 1000 bytes a second for 10 seconds"):
        watch.look()


def test_what_was_there_before_may_be_large(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "old").write_bytes(bytes(500))
    watch = a_watch(tmp_path, clock, largest=100)
    watch.look()
    (tmp_path / "part").write_bytes(bytes(101))
    with pytest.raises(GivenUpError, match="larger than 1e-07 GB"):
        watch.look()


def test_what_was_large_when_it_was_looked_at_last_is_refused_and_gone(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "old").write_bytes(bytes(500))

    async def download() -> None:
        (tmp_path / "part").write_bytes(bytes(101))
        (tmp_path / "small").write_bytes(bytes(100))

    with pytest.raises(GivenUpError, match=r"unpacked \(ENVCHECK_LARGEST_REPODATA\)"):
        asyncio.run(await_watched(download(), a_watch(tmp_path, clock, largest=100)))
    assert {path.name for path in tmp_path.iterdir()} == {"old", "small"}


def test_what_is_renamed_while_it_is_given_up_is_gone(tmp_path: Path, clock: Clock) -> None:
    async def download() -> None:
        (tmp_path / "part").write_bytes(bytes(101))
        (tmp_path / "old").write_bytes(bytes(500))
        try:
            await asyncio.sleep(60)
        finally:
            (tmp_path / "part").rename(tmp_path / "old")

    watch = DownloadWatch([tmp_path], patience=0.1, largest=100, now=clock)
    with pytest.raises(GivenUpError, match="larger than"):
        asyncio.run(await_watched(download(), watch))
    assert list(tmp_path.iterdir()) == []


def test_what_has_more_objects_than_fit_is_given_up_as_it_grows(tmp_path: Path, clock: Clock) -> None:
    part = tmp_path / "part"
    watch = a_watch(tmp_path, clock, largest=10_000)
    with part.open("wb", buffering=0) as file:
        file.write(b'"":{},' * 100)
        watch.look()
        file.write(bytes(1000))
        watch.look()
        file.write(b"{")
        with pytest.raises(GivenUpError, match=r"more than 100 records \(ENVCHECK_LARGEST_REPODATA\)") as found:
            watch.look()
    assert not found.value.stalled
    assert watch.too_large == (part.resolve(),)


def test_objects_are_counted_where_so_many_could_be(tmp_path: Path) -> None:
    path = tmp_path / "repodata.json"
    path.write_bytes(b"{" * 101)
    assert refuse_many_objects(path, 10_000) == (0, 0)
    path.write_bytes(b"{" * 100 + bytes(500))
    assert refuse_many_objects(path, 10_000) == (600, 100)
    with path.open("ab") as file:
        file.write(b"{")
    with pytest.raises(GivenUpError):
        refuse_many_objects(path, 10_000)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "repodata.json"
    path.write_bytes(bytes(10_000))
    assert refuse_many_objects(path, 10_000)[1] == 0
    path.write_bytes(bytes(10_001))
    with pytest.raises(GivenUpError, match="larger than 1e-05 GB"):
        refuse_many_objects(path, 10_000)


@pytest.mark.parametrize(("largest", "most"), [(1_000_000, 500_000_000), (1_000_000_000, 2_000_000_000)])
def test_memory_that_grows_without_end_is_given_up(tmp_path: Path, clock: Clock, largest: int, most: int) -> None:
    used = 7_000_000
    watch = DownloadWatch([tmp_path], patience=10, largest=largest, now=clock, memory=lambda: used)
    used += most
    watch.look()
    used += 1
    with pytest.raises(
        GivenUpError, match=rf"more than {most / 1e9:g} GB of memory \(ENVCHECK_LARGEST_REPODATA\)"
    ) as found:
        watch.look()
    assert not found.value.stalled


@pytest.mark.skipif(sys.platform != "linux", reason="told by /proc alone")
def test_memory_is_what_this_process_holds_alone() -> None:
    before = own_memory()
    held = bytearray(b"x" * 50_000_000)
    assert 45_000_000 < own_memory() - before < 120_000_000
    assert len(held) == 50_000_000


def test_what_is_given_up_is_cancelled(tmp_path: Path) -> None:
    ended = []

    async def download() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def wait() -> None:
        await await_watched(download(), DownloadWatch([tmp_path], patience=0.1, largest=1))

    with pytest.raises(GivenUpError):
        asyncio.run(wait())
    assert ended == [True]


def test_an_answer_and_an_error_are_handed_on(tmp_path: Path) -> None:
    async def answer(value: int) -> int:
        return 1 // value

    watch = DownloadWatch([tmp_path], patience=60, largest=1)
    assert asyncio.run(await_watched(answer(1), watch)) == 1
    with pytest.raises(ZeroDivisionError):
        asyncio.run(await_watched(answer(0), watch))
