"""A machine in small: channels on a loopback server, a package index, a home and caches, and envcheck among them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from fixtures.build_channel import build_channels
from fixtures.build_index import build_index
from tests.cli.running import CommandLine, condarc_text
from tests.support.server import ServerFactory

__all__ = ["SOURCE", "World", "compressed_channels", "package_index", "read_only", "small_disk"]

SOURCE = """\
name: trust
channels:
  - conda-forge
dependencies:
  - python=3.10
  - numpy
  - pip
  - pip:
    - attrs
"""


class World:
    """Everything that a run touches, each in a folder of its own.

    Args:
        directory: An empty folder.
        start: Starts servers.
        channels: The channels to serve.
        package_index: The package index.
    """

    def __init__(self, directory: Path, start: ServerFactory, channels: Path, package_index: Path) -> None:
        self.server = start(channels)
        self.work = directory / "work"
        self.work.mkdir()
        locations = {name: f"{self.server.url}/{name}" for name in ("conda-forge", "pkgs/main", "bioconda", "pytorch")}
        self.envcheck = CommandLine(self.work, condarc_text(locations), package_index.as_uri())
        self.envcheck.write("environment.yml", SOURCE)
        self.home = directory / "work-aside"

    def lock(self, *options: str, **changes: str) -> bytes:
        """Write the lock; its bytes."""
        path = self.work / "conda-lock.yml"
        path.unlink(missing_ok=True)
        run = self.envcheck("lock", "environment.yml", *options, **changes)
        assert run.status == 0, run.output + run.errors
        assert "EC620" not in run.output
        return path.read_bytes()


def compressed_channels(directory: Path) -> Path:
    """The fixture channels with zst, as real servers have it."""
    build_channels(directory)
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    for path in directory.rglob("repodata.json"):
        path.with_suffix(".json.zst").write_bytes(compressor.compress(path.read_bytes()))
    return directory


def package_index(directory: Path) -> Path:
    """The fixture package index."""
    build_index(directory)
    return directory


@contextlib.contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """A disk of a size at a folder; skips the test where none can be had."""
    directory.mkdir(exist_ok=True)
    _mount(directory, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[Path]:
    """A folder that nobody can write to, root neither; skips the test where that cannot be had."""
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        folders = [directory, *(path for path in directory.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        try:
            yield directory
        finally:
            for folder in folders:
                folder.chmod(0o755)
        return
    _mount(directory, "--bind", str(directory))
    try:
        _mount(directory, "-o", "remount,bind,ro")
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def _mount(directory: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments, str(directory)], capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
