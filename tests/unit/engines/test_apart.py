"""A function that is run apart answers, fails, runs out of time or dies, and never takes its caller along."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from envcheck.engines.apart import run_apart
from envcheck.engines.watching import DownloadWatch, GivenUpError
from envcheck.errors import EngineError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux is anything run apart")


def test_what_it_returns_arrives() -> None:
    assert run_apart(lambda: ("text", [1, None])) == ("text", [1, None])


def test_a_large_answer_arrives_whole() -> None:
    assert len(run_apart(lambda: "x" * 5_000_000, timeout=60)) == 5_000_000


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="as it should"):
        run_apart(lambda: int("as it should"))


@LINUX
def test_what_it_changes_is_lost() -> None:
    changed: list[int] = []
    run_apart(lambda: changed.append(1))
    assert changed == []


def children() -> set[str]:
    """The processes that this one has started and not seen the end of."""
    return {child for path in Path("/proc/self/task").glob("*/children") for child in path.read_text().split()}


@LINUX
def test_it_is_given_up_in_time() -> None:
    started, before = time.monotonic(), children()
    with pytest.raises(TimeoutError):
        run_apart(lambda: time.sleep(60), timeout=0.2)
    assert time.monotonic() - started < 10
    assert children() <= before


@LINUX
def test_its_death_is_an_error() -> None:
    with pytest.raises(EngineError) as failure:
        run_apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert failure.value.hint


@LINUX
def test_other_threads_go_on_meanwhile() -> None:
    steps: list[float] = []
    thread = threading.Thread(target=lambda: [steps.append(time.sleep(0.01) or 1.0) for _ in range(10)])
    thread.start()
    run_apart(lambda: time.sleep(0.3))
    assert len(steps) == 10
    thread.join()


@LINUX
def test_what_is_too_large_is_gone_also_where_it_was_renamed_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download() -> None:
        (tmp_path / "mambafDownload").write_bytes(bytes(101))
        time.sleep(60)

    kill = os.kill

    def rename_and_kill(process: int, number: int) -> None:
        (tmp_path / "mambafDownload").rename(tmp_path / "1234.json")
        kill(process, number)

    monkeypatch.setattr(os, "kill", rename_and_kill)
    (tmp_path / "old.json").write_bytes(bytes(500))
    with pytest.raises(GivenUpError, match="larger than"):
        run_apart(download, watch=DownloadWatch([tmp_path], patience=0.4, largest=100))
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
