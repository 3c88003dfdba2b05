"""The installers of locks at hand: each takes the locks of a directory and makes an environment at a prefix.

micromamba is found by the environment variable MICROMAMBA or on the PATH; conda-lock, py-rattler, uv and pip are those
of the tests' own interpreter.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

__all__ = [
    "MICROMAMBA",
    "NEEDS_MICROMAMBA",
    "WITH_PIP",
    "Installer",
    "InstallerError",
    "Locks",
    "call",
    "conda_lock_install",
    "list_and_pip",
    "list_and_uv",
    "micromamba_of_list",
    "micromamba_of_lock",
    "rattler_and_uv",
]

MICROMAMBA = os.environ.get("MICROMAMBA") or shutil.which("micromamba")
NEEDS_MICROMAMBA = pytest.mark.skipif(
    MICROMAMBA is None or not Path(MICROMAMBA).exists(),
    reason="needs micromamba on the PATH, or its path in MICROMAMBA",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """A directory with ``conda-lock.yml``, ``pixi.lock`` and, per platform, a list and its requirements files.

    ``index`` is the URL of the package index, and ``variables`` are the environment variables of whoever installs.
    """

    directory: Path
    index: str
    variables: tuple[tuple[str, str], ...] = ()

    def copy(self, directory: Path) -> Locks:
        """The same locks, to be changed."""
        shutil.copytree(self.directory, directory)
        return replace(self, directory=directory)

    def call(self, *words: str) -> None:
        """Run an installer beside the locks.

        Raises:
            InstallerError: It failed.
        """
        call([*words], self.directory, **dict(self.variables))


class InstallerError(Exception):
    """An installer said no."""


def call(words: list[str], directory: Path, **variables: str) -> str:
    """Run a program that sees nothing of the user; its output.

    Raises:
        InstallerError: It failed.
    """
    home = directory.parent / f"{directory.name}-home"
    kept = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "MAMBA_ROOT_PREFIX": str(home / "root"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = subprocess.run(
        words, cwd=directory, env={**kept, **variables}, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise InstallerError(done.stdout + done.stderr)
    return done.stdout


def micromamba_of_lock(locks: Locks, prefix: Path) -> None:
    """micromamba has the environment's own ``python -m pip`` install the wheels."""
    _micromamba(locks, prefix, "conda-lock.yml")


def micromamba_of_list(locks: Locks, prefix: Path) -> None:
    """The explicit list alone."""
    _micromamba(locks, prefix, "conda-linux-64.lock")


def _micromamba(locks: Locks, prefix: Path, name: str) -> None:
    assert MICROMAMBA is not None
    locks.call(MICROMAMBA, "create", "--yes", "--no-rc", "-p", str(prefix), "-f", name)


def conda_lock_install(locks: Locks, prefix: Path) -> None:
    """conda-lock has micromamba install the packages, and the environment's pip what is left."""
    assert MICROMAMBA is not None
    conda = ["--micromamba", "--conda", MICROMAMBA]
    locks.call(sys.executable, "-m", "conda_lock", "install", *conda, "-p", str(prefix), "conda-lock.yml")


def list_and_pip(locks: Locks, prefix: Path) -> None:
    """The list, and its requirements files in the words of their own first lines."""
    micromamba_of_list(locks, prefix)
    for words in _requirements(locks):
        locks.call(str(prefix / "bin/python"), "-m", "pip", "install", "--no-cache-dir", *words)


def list_and_uv(locks: Locks, prefix: Path) -> None:
    """The same with uv."""
    micromamba_of_list(locks, prefix)
    for words in _requirements(locks):
        _uv(locks, prefix, *words)


def _requirements(locks: Locks) -> Iterator[list[str]]:
    for path in sorted(locks.directory.glob("conda-linux-64.pip*.txt")):
        hashes = [] if path.name.endswith(".pip-vcs.txt") else ["--require-hashes"]
        yield ["--index-url", locks.index, *hashes, "--no-deps", "-r", path.name]


def rattler_and_uv(locks: Locks, prefix: Path) -> None:
    """What pixi does: rattler installs its lock's packages, uv its distributions."""
    import rattler

    environment = rattler.LockFile.from_path(locks.directory / "pixi.lock").default_environment()
    assert environment is not None
    cache = locks.directory.parent / f"{locks.directory.name}-cache"
    records = environment.conda_repodata_records()["linux-64"]
    try:
        asyncio.run(rattler.install(records, prefix, cache_dir=cache, show_progress=False))
    except Exception as error:  # rattler raises its errors as plain exceptions
        raise InstallerError(str(error)) from error
    lines = [
        f"{one.name} @ {one.location} --hash=sha256:{one.hashes.sha256.hex()}"
        for one in environment.pypi_packages()["linux-64"]
        if one.hashes is not None and one.hashes.sha256 is not None
    ]
    assert len(lines) == len(environment.pypi_packages()["linux-64"])
    (locks.directory / "pixi.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _uv(locks, prefix, "--no-index", "--require-hashes", "--no-deps", "-r", "pixi.txt")


def _uv(locks: Locks, prefix: Path, *words: str) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv is not None
    locks.call(uv, "pip", "install", "--no-cache", "--python", str(prefix / "bin/python"), *words)


Installer = Callable[[Locks, Path], None]

WITH_PIP = (
    pytest.param(micromamba_of_lock, marks=NEEDS_MICROMAMBA),
    pytest.param(conda_lock_install, marks=NEEDS_MICROMAMBA),
    pytest.param(list_and_pip, marks=NEEDS_MICROMAMBA),
    pytest.param(list_and_uv, marks=NEEDS_MICROMAMBA),
    pytest.param(rattler_and_uv),
)
"""Every installer of conda packages and wheels."""
