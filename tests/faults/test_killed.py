"""kill -9 at random moments: outputs are the old ones or the new ones, and the caches serve the next run.

The moments are seeded and spread over the time that an undisturbed run takes. ``ENVCHECK_KILLS`` says how many kills
there are in all (`make trust`: 200).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from envcheck.engines.record_store import RepodataState, open_store
from envcheck.engines.record_store_building import BuildOrder, order_text
from tests.support.channels import record, write_channel
from tests.support.server import ServerFactory
from tests.support.worlds import World

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX's"),
    pytest.mark.timeout(1200),
]

KILLS = int(os.environ.get("ENVCHECK_KILLS", "12"))
# What a run of each kind writes.
RUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "check": (
        ("check", "environment.yml", "--no-pip", "-o", "report.txt", "--also", "json=report.json"),
        ("report.txt", "report.json"),
    ),
    "lock": (
        (
            *("lock", "environment.yml", "-o", "report.txt", "--also", "html=report.html", "--sbom", "sbom.json"),
            *("--environment", "linux.yml", "--explicit", "list.txt"),
            *("--baseline", "baseline.json", "--update-baseline"),
        ),
        (
            "conda-lock.yml",
            "report.txt",
            "report.html",
            "sbom.json",
            "linux.yml",
            "list.txt",
            "list.pip.txt",
            "baseline.json",
        ),
    ),
    "audit": (
        ("audit", "environment.yml", "other.yml", "--no-times", "--no-pip", "--jobs", "2", "-o", "audit.txt"),
        ("audit.txt",),
    ),
}
LEFTOVER = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.tmp")
OLD = b"old\n"


@pytest.fixture
def world(tmp_path: Path, loopback_server: ServerFactory, channels: Path, index: Path) -> World:
    world = World(tmp_path, loopback_server, channels, index)
    text = (world.work / "environment.yml").read_text()
    world.envcheck.write("other.yml", text.replace("numpy", "pandas"))
    return world


def moments(kind: str, seconds: float, count: int) -> list[float]:
    """When to kill: one moment in each of as many equal parts of a run, in random order."""
    chance = random.Random(f"envcheck {kind}")  # noqa: S311  # no secret hangs on it
    found = [(part + chance.random()) / count * seconds * 1.05 for part in range(count)]
    chance.shuffle(found)
    return found


def shortest(run: Callable[[], int]) -> float:
    """The seconds of the shorter of two runs that succeed: the first one may take several times as long."""
    taken = []
    for _ in range(2):
        begun = time.monotonic()
        assert run() == 0
        taken.append(time.monotonic() - begun)
    return min(taken)


def killed(start: Callable[[], subprocess.Popen[bytes]], seconds: float) -> bool:
    """Start something and kill it after a time; whether it was still there."""
    process = start()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode == -9


@pytest.mark.parametrize("kind", RUNS)
def test_what_is_killed_leaves_old_files_or_new_ones_and_a_cache_that_serves(world: World, kind: str) -> None:
    arguments, names = RUNS[kind]
    cache = world.home / "cache"
    inputs = world.envcheck.files()

    def start() -> subprocess.Popen[bytes]:
        return world.envcheck.start(*arguments)

    def contents() -> dict[str, bytes]:
        return {name: path.read_bytes() for name in names if (path := world.work / name).exists()}

    took = shortest(lambda: world.envcheck(*arguments).status)
    new = contents()
    assert set(new) >= set(names) - {"baseline.json"}
    # An old baseline is read, so it is one: that of the run itself with another date of the file.
    old = {name: new[name] if name == "baseline.json" else OLD for name in new}
    hits = 0
    for number, moment in enumerate(moments(kind, took, KILLS // 4)):
        if number % 2:
            shutil.rmtree(cache)
        for name, content in old.items():
            (world.work / name).write_bytes(content)
        hits += killed(start, moment)
        for name, content in contents().items():
            assert content in (old[name], new[name]), f"{name} is torn after {moment:.3f} s"
        left = world.envcheck.files() - inputs - set(names)
        assert {found["name"] for one in left if (found := LEFTOVER.fullmatch(one))} <= set(names), left
        assert all(LEFTOVER.fullmatch(one) for one in left), left
        for one in left:
            (world.work / one).unlink()
        again = world.envcheck(*arguments)
        assert again.status == 0, f"after {moment:.3f} s: {again.output}{again.errors}"
        assert contents() == {**new, **({"audit.txt": contents()["audit.txt"]} if kind == "audit" else {})}
        if kind == "audit":
            # Whether a result was known from before stands in the last line alone.
            assert contents()["audit.txt"].splitlines()[:5] == new["audit.txt"].splitlines()[:5]
    assert hits > 0


def test_a_builder_of_stores_that_is_killed_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    records = [record(f"package-{number}", f"1.{build}") for number in range(1500) for build in range(8)]
    repodata = write_channel(tmp_path / "channel", {"linux-64": records}) / "linux-64" / "repodata.json"
    found = repodata.stat()
    state = RepodataState(size=found.st_size, modified=found.st_mtime_ns)
    store = tmp_path / "stores" / "a.records"
    order = order_text([BuildOrder(repodata=str(repodata), subdir="linux-64", store=str(store), state=state)]).encode()

    def start() -> subprocess.Popen[bytes]:
        (tmp_path / "order").write_bytes(order)
        with (tmp_path / "order").open("rb") as told:
            return subprocess.Popen(
                [sys.executable, "-m", "envcheck.engines.record_store_building"],
                stdin=told,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def told() -> dict[str, bytes]:
        whole = open_store(store)
        assert whole is not None
        assert asdict(whole.state) == asdict(state)
        return {name: whole.members(name).conda for name in sorted(whole.names)}

    took = shortest(lambda: start().wait(120))
    expected = told()
    assert len(expected) == 1500
    assert len(json.loads(b"{" + expected["package-7"] + b"}")) == 8
    hits = 0
    for moment in moments("store", took, KILLS - 3 * (KILLS // 4)):
        store.unlink(missing_ok=True)
        hits += killed(start, moment)
        if store.exists():
            assert told() == expected
        assert start().wait(120) == 0
        assert told() == expected
        assert {path.name for path in store.parent.iterdir()} <= {store.name, f"{store.name}.lock"}
    assert hits > 0
