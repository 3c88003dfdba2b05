"""Eight processes on one cache: all succeed, with the same bytes. ``ENVCHECK_SHARED_SECONDS`` says for how long."""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.server import ServerFactory
from tests.support.worlds import World, compressed_channels, package_index

pytestmark = pytest.mark.timeout(600)

PROCESSES = 8
SECONDS = float(os.environ.get("ENVCHECK_SHARED_SECONDS", "3"))


def test_eight_processes_on_one_cache(tmp_path: Path, loopback_server: ServerFactory) -> None:
    channels, index = compressed_channels(tmp_path / "channels"), package_index(tmp_path / "index")
    world = World(tmp_path, loopback_server, channels, index)
    lock = ("lock", "environment.yml", "-q", "--lock")
    audit = ("audit", "environment.yml", "--no-times", "--jobs", "1", "-q", "-o")
    assert world.envcheck(*lock, "alone.lock.yml", "--cache-dir", str(tmp_path / "alone")).status == 0
    whole = (world.work / "alone.lock.yml").read_bytes()
    end = time.monotonic() + SECONDS

    def work(number: int) -> int:
        runs = 0
        while runs == 0 or time.monotonic() < end:
            name = f"{number}.lock.yml"
            for command in (lock, audit)[: 1 + number % 2]:
                process = world.envcheck.start(*command, name if command is lock else f"{number}.txt")
                output, errors = process.communicate(timeout=300)
                assert process.returncode == 0, output + errors
                assert b"not kept" not in errors
                runs += 1
            assert (world.work / name).read_bytes().replace(name.encode(), b"alone.lock.yml") == whole
        return runs

    with ThreadPoolExecutor(PROCESSES) as pool:
        runs = sum(pool.map(work, range(PROCESSES)))
    assert runs >= PROCESSES
    # What they have left behind serves one more, without a request for repodata that is there.
    assert world.envcheck(*lock, "after.lock.yml", "--offline", "--no-pip").status == 0
    print(f"{runs} runs by {PROCESSES} processes")  # noqa: T201  # shown with -s: the figure of `make trust`


def test_two_audits_share_their_results(tmp_path: Path, loopback_server: ServerFactory) -> None:
    channels, index = compressed_channels(tmp_path / "channels"), package_index(tmp_path / "index")
    world = World(tmp_path, loopback_server, channels, index)
    first, second = (
        world.envcheck.start(
            "audit", "environment.yml", "--no-times", "--no-pip", "--jobs", "1", stdin=subprocess.DEVNULL
        )
        for _ in range(2)
    )
    (one, _), (other, _) = first.communicate(timeout=120), second.communicate(timeout=120)
    assert (first.returncode, second.returncode) == (0, 0)
    assert one.splitlines()[:2] == other.splitlines()[:2]
    third = world.envcheck("audit", "environment.yml", "--no-pip")
    assert "1 known from before" in third.output
