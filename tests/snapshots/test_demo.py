"""The demo as ``make demo`` runs it: what it exits with, what it writes, what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from tests.snapshots.scrubbing import scrubbed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    directory = tmp_path_factory.mktemp("demo")
    hidden = ("CONDA", "MAMBA", "RATTLER_", "PIP_", "UV_", "ENVCHECK_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)}
    done = subprocess.run(
        [sys.executable, ROOT / "fixtures" / "demo" / "run.py"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return directory / "demo", done


def test_the_demo_succeeds_and_writes_its_files(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    stage, done = demo
    assert done.returncode == 0, done.stderr
    assert "exit status 1 (1: there are findings)" in done.stdout
    assert "wrote conda-lock.yml\nwrote environment.linux-64.yml\n" in done.stderr
    assert "Traceback" not in done.stderr
    lock = yaml.safe_load((stage / "conda-lock.yml").read_text("utf-8"))
    assert {package["platform"] for package in lock["package"]} == {"linux-64"}
    assert not any("file://" in package["url"] for package in lock["package"] if package["manager"] == "conda")


def test_the_demo_tells_the_story(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    told = " ".join(demo[1].stdout.split())
    assert "FIXABLE" in told
    assert set(re.findall(r"(?:error|warning|note) (EC\d+)", told)) >= {
        "EC306", "EC401", "EC402", "EC501", "EC601",
    }  # fmt: skip
    for words in ("conda-forge is not among the channels", "pywin32", "only for win-64", "hdf5"):
        assert words in told


def test_what_the_demo_shows(demo: tuple[Path, subprocess.CompletedProcess[str]], snapshot: SnapshotAssertion) -> None:
    if "engine rattler" not in " ".join(demo[1].stdout.split()):
        pytest.skip("the picture is rattler's: another solver may choose other builds")
    assert scrubbed(demo[1].stdout) == snapshot
    assert demo[1].stderr == snapshot
    assert (demo[0] / "environment.linux-64.yml").read_text("utf-8") == snapshot
