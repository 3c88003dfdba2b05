"""Small files that become very large ones, on the disk or in memory, under bounds that the user lowered."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from envcheck.engines import LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import ChannelState
from tests.cli.running import Run
from tests.faults.faults import write_good
from tests.faults.stage import Stage, said
from tests.support.channels import LINUX, channel
from tests.support.server import Misbehaviour, ServerFactory

if sys.platform != "linux":
    pytest.skip("what is unpacked is watched on Linux", allow_module_level=True)

WAYS = [
    "rattler",
    "stored",
    pytest.param(
        "libmamba",
        marks=pytest.mark.skipif(importlib.util.find_spec("libmambapy") is None, reason="libmambapy is not installed"),
    ),
]
MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss * 1024))
os._exit(os.waitstatus_to_exitcode(status))
"""
"""A small process between: what the system tells of a process begins with the memory of the one that started it."""
HEAD = b'{"info":{"subdir":"linux-64"},"packages":{},"packages.conda":{"gadget-1.0-0.conda":{"name":"gadget"}'
UNPACKED = 60_000_000


def bomb(piece: bytes, *, head: bytes = HEAD) -> bytes:
    """Repodata of 60 MB in some kB."""
    text = head + piece * (UNPACKED // len(piece)) + b"}}"
    packed = zstandard.compress(text)
    assert len(packed) < 20_000
    return packed


def lay(stage: Stage, packed: bytes) -> None:
    """Put a bomb where the channel's repodata was."""
    folder = stage.folder / "linux-64"
    (folder / "repodata.json").unlink()
    (folder / "repodata.json.zst").write_bytes(packed)


def check(stage: Stage, largest: str) -> tuple[Run, int]:
    """One run with a bound, and how many bytes of memory it took at most."""
    options = ("--engine", stage.engine, "--no-pip", "--ignore", "EC613", "--format", "json")
    channels = ("-c", "good", "-c", "bad", "--override-channels")
    measured = stage.command_line.directory / "measured"
    command = (sys.executable, "-m", "envcheck", "check", "both.yml", *channels, *options)
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, measured, *command],
        cwd=stage.command_line.directory,
        env=stage.command_line.environment(ENVCHECK_LARGEST_REPODATA=largest),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in run.stderr
    return Run(status=run.returncode, output=run.stdout, errors=run.stderr), int(measured.read_text())


BOMBS = {
    "blanks": (b" ", "20MB", "what it sends is larger than 0.02 GB, unpacked (ENVCHECK_LARGEST_REPODATA)"),
    "records": (
        b',"a-1-0.conda":{}',
        "100MB",
        "what it sends has more than 1,000,000 records (ENVCHECK_LARGEST_REPODATA)",
    ),
}
"""What is repeated, the bound of the user, and what is said."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_leaves_nothing(
    tmp_path: Path, loopback_server: ServerFactory, way: str, name: str
) -> None:
    piece, largest, words = BOMBS[name]
    stage = Stage(tmp_path, loopback_server, way.replace("stored", "rattler"), stored=way == "stored")
    if way == "stored":
        stage.warm()
    lay(stage, bomb(piece))
    for _ in range(2):  # what was refused once is not taken from the cache the next time
        run, memory = check(stage, largest)
        assert run.status == 3
        assert f"EC302 bad could not be read: {words}" in said(run)
        assert all(path.stat().st_size < 20_000_000 for path in stage.aside.rglob("*"))
        assert memory < 600_000_000  # the records alone would take more than a gigabyte
    write_good(stage.folder)
    assert stage.check().status == 0


@pytest.mark.parametrize("way", [way for way in WAYS if way != "stored"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_no_fault_of_the_channel_beside_it(
    tmp_path: Path, loopback_server: ServerFactory, way: str, name: str
) -> None:
    piece, largest, words = BOMBS[name]
    stage = Stage(tmp_path, loopback_server, way, stored=False)
    lay(stage, bomb(piece))
    stage.good.delay = 0.3  # of each of three requests, less than the patience in all
    stage.good.misbehave("/", Misbehaviour.SLOW)
    run, _ = check(stage, largest)
    assert run.status == 3
    assert f"EC302 bad could not be read: {words}" in said(run)
    assert "good could not be read" not in said(run)


def test_shards_are_a_bomb_in_memory(tmp_path: Path, loopback_server: ServerFactory) -> None:
    stage = Stage(tmp_path, loopback_server, "rattler", stored=False)
    index = stage.folder / "linux-64" / "repodata_shards.msgpack.zst"
    with index.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        for _ in range(3000):
            stream.write(bytes(1_000_000))
    for _ in range(2):
        run, memory = check(stage, "20MB")
        assert run.status == 3
        words = "what it sends, and is read at the same time, takes more than 0.5 GB of memory"
        assert f"EC302 bad could not be read: {words} (ENVCHECK_LARGEST_REPODATA)" in said(run)
        assert 500_000_000 < memory < 1_500_000_000
    write_good(stage.folder)
    assert stage.check().status == 0


def test_what_was_refused_is_refused_again_by_the_same_engine(tmp_path: Path, loopback_server: ServerFactory) -> None:
    stage = Stage(tmp_path, loopback_server, "rattler", stored=False)
    lay(stage, bomb(b" "))
    stage.good.delay = 0.7
    stage.good.misbehave("/", Misbehaviour.SLOW)
    good, bad = channel(f"{stage.good.url}/good", "good"), channel(f"{stage.server.url}/bad", "bad")
    options = LoadOptions(cache_directory=str(tmp_path / "cache"), largest_download=20_000_000)
    engine = RattlerEngine()
    for _ in range(2):
        index = engine.load([good, bad], "linux-64", LINUX, options=options)
        assert [one.state for one in index.statuses] == [ChannelState.LOADED, ChannelState.UNREACHABLE]


def test_a_larger_bound_takes_what_is_no_bomb(tmp_path: Path, loopback_server: ServerFactory) -> None:
    stage = Stage(tmp_path, loopback_server, "rattler", stored=False)
    assert check(stage, "0.001GB")[0].status == 3
    assert check(stage, "2 MB")[0].status == 0


@pytest.mark.parametrize("largest", ["20", "0MB", "-1GB", "1TB", "much"])
def test_a_bound_that_is_none_is_told(tmp_path: Path, loopback_server: ServerFactory, largest: str) -> None:
    run, _ = check(Stage(tmp_path, loopback_server, "rattler", stored=False), largest)
    assert (run.status, run.output) == (2, "")
    assert f"ENVCHECK_LARGEST_REPODATA must be a size, but is '{largest}'" in run.errors
