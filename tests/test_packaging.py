"""What is shipped: the same source gives the same wheel and sdist, and the wheel has what it should."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("envcheck", "tests", "fixtures", "docs", "pyproject.toml", "mkdocs.yml", "README.md", "CHANGELOG.md")
PARTS += ("LICENSE", "Makefile", "action.yml", ".pre-commit-hooks.yaml")


def build(directory: Path, date: str) -> dict[str, Path]:
    """Build wheel and sdist from a copy of the source, as a user of this machine would, without a network."""
    source = directory / "source"
    source.mkdir(parents=True)
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory / "dist"), str(source)],
        env={**os.environ, "SOURCE_DATE_EPOCH": date, "TZ": directory.name},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return {path.name: path for path in (directory / "dist").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    return build(tmp_path_factory.mktemp("first") / "UTC", "1700000000")


def test_the_same_source_gives_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    again = build(tmp_path / "Tokyo", "1700000000")
    assert sorted(path.suffix for path in built.values()) == [".gz", ".whl"]

    def hashes(files: dict[str, Path]) -> dict[str, str]:
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}

    assert hashes(again) == hashes(built)


def test_the_wheel_is_typed_and_has_every_file_of_the_package(built: dict[str, Path]) -> None:
    (wheel,) = (path for name, path in built.items() if name.endswith(".whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("envcheck/")}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "envcheck").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "envcheck/py.typed" in names
    assert names == here
