"""A download is given up when too little comes of it, or too much."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from envcheck.engines.watching import SLOWEST, DownloadWatch, GivenUpError, await_watched


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
