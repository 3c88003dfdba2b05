"""The wheel, installed with pip, uv and pipx by somebody whose home is empty, from the package index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck import __version__
from envcheck.cli_commands import COMMANDS

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform == "win32", reason="programs are looked for as on POSIX"),
    pytest.mark.timeout(900),
]
ROOT = Path(__file__).parents[2]

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(directory), str(ROOT)]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    (path,) = directory.iterdir()
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program with an empty home, far from the source; its output."""
    home = tmp_path / "home"
    home.mkdir()

    def call(*words: str | Path) -> str:
        environment = {**os.environ, "HOME": str(home), "PATH": "/usr/bin:/bin"}
        for name in ("PYTHONPATH", "VIRTUAL_ENV", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            environment.pop(name, None)
        done = subprocess.run(
            [str(word) for word in words], env=environment, cwd=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def program(name: str) -> str:
    """A program of the tests' own environment, or of the machine."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}")
    return found


def works(run: Run, *envcheck: str | Path) -> None:
    """The program starts, and does something for which libraries are needed."""
    export = Path(run("/bin/sh", "-c", "pwd").strip()) / "export.txt"
    export.write_text("# platform: win-64\nnumpy=1.26.4=py310h4fbcdde_0\n", encoding="utf-8")

    assert run(*envcheck, "--version") == f"envcheck, version {__version__}\n"
    assert "  - numpy==1.26.4\n" in run(*envcheck, "normalize", "export.txt")


def test_pip(run: Run, wheel: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "environment"
    venv.create(prefix, with_pip=True)
    run(prefix / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", wheel)

    works(run, prefix / "bin" / "envcheck")
    assert "No broken requirements" in run(prefix / "bin" / "python", "-m", "pip", "check")
    pages = {path.name for path in (prefix / "share" / "man" / "man1").iterdir()}
    assert pages == {"envcheck.1", *(f"envcheck-{name}.1" for name in COMMANDS)}


def test_uv_tool(run: Run, wheel: Path, tmp_path: Path) -> None:
    uv = program("uv")
    run(uv, "tool", "install", "--python", sys.executable, wheel)
    works(run, tmp_path / "home" / ".local" / "bin" / "envcheck")

    run(uv, "tool", "uninstall", "envcheck")
    assert not (tmp_path / "home" / ".local" / "bin" / "envcheck").exists()


def test_uvx(run: Run, wheel: Path, tmp_path: Path) -> None:
    works(run, program("uv"), "tool", "run", "--python", sys.executable, "--from", wheel, "envcheck")

    assert not (tmp_path / "home" / ".local" / "bin" / "envcheck").exists()


def test_pipx(run: Run, wheel: Path, tmp_path: Path) -> None:
    run(program("pipx"), "install", "--python", sys.executable, wheel)
    works(run, tmp_path / "home" / ".local" / "bin" / "envcheck")
    manual = tmp_path / "home" / ".local" / "share" / "man" / "man1"

    assert (manual / "envcheck-check.1").exists()
