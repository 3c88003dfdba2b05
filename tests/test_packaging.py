"""What is shipped: the same source gives the same wheel and sdist, and the wheel has what it should."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("envcheck", "tests", "fixtures", "docs", "pyproject.toml", "mkdocs.yml", "README.md", "CHANGELOG.md")
PARTS += ("LICENSE", "Makefile", "man", "recipe", "Dockerfile", ".dockerignore", "action.yml", ".pre-commit-hooks.yaml")


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
    pytest.importorskip("hatch_fancy_pypi_readme")
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
        if path.is_file()
        and not {"__pycache__", ".mypy_cache", ".ruff_cache"}.intersection(path.parts)
        and path.suffix not in (".po", ".pot")  # for translators; the program reads the compiled ones
    }
    assert "envcheck/py.typed" in names
    assert names == here


@pytest.fixture(scope="module")
def wheel(built: dict[str, Path]) -> Path:
    return next(path for name, path in built.items() if name.endswith(".whl"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> email.message.EmailMessage:
    """The core metadata, of which every value is read as a whole."""
    text = member(wheel, "METADATA").decode()
    return email.parser.Parser(policy=email.policy.default.clone(max_line_length=0)).parsestr(text)  # type: ignore[return-value]


def member(wheel: Path, name: str) -> bytes:
    """A file of ``.dist-info``."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (one for one in archive.namelist() if one.endswith(f".dist-info/{name}"))
        return archive.read(path)


def test_the_wheel_has_nothing_but_the_package_its_metadata_and_the_manual(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        others = {name for name in archive.namelist() if not name.startswith("envcheck/")}
    version = wheel.name.split("-")[1]
    manual = {f"envcheck-{version}.data/data/share/man/man1/{path.name}" for path in (ROOT / "man").iterdir()}
    info = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}

    assert len(manual) > 1
    assert others == manual | {f"envcheck-{version}.dist-info/{name}" for name in info}


def test_the_sdist_is_the_source_and_nothing_that_was_made_of_it(built: dict[str, Path]) -> None:
    (sdist,) = (path for name, path in built.items() if name.endswith(".tar.gz"))
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {name.partition("/")[0] for name in names} == {*PARTS, "PKG-INFO"}
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|\.egg-info|\.(cache|venv|git)/", name)]


def test_programs_and_plugins_are_registered(wheel: Path) -> None:
    assert member(wheel, "entry_points.txt").decode().split("\n") == [
        "[console_scripts]",
        "envcheck = envcheck.cli:main",
        "",
        "[conda]",
        "envcheck = envcheck.conda_plugin",
        "",
    ]


def test_the_metadata_tells_all_that_an_index_shows(metadata: email.message.EmailMessage) -> None:
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["Summary"]
    urls = dict(str(line).split(", ") for line in metadata.get_all("Project-URL", ()))
    assert urls.keys() == {"Documentation", "Changelog", "Issues", "Source"}
    assert all(url.startswith("https://") for url in urls.values())
    # PEP 639: next to an expression, a classifier of the licence is an error.
    classifiers = metadata.get_all("Classifier", ())
    assert len(set(classifiers)) == len(classifiers) > 10
    assert not [one for one in classifiers if str(one).startswith("License ::")]


def test_the_description_has_no_link_that_needs_the_repository_around_it(metadata: email.message.EmailMessage) -> None:
    description = str(metadata.get_payload())
    readme = (ROOT / "README.md").read_text("utf-8")
    link = re.compile(r"\]\(([^)\s]+)\)")
    targets = link.findall(readme)

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert [one for one in link.findall(description) if not one.startswith("https://")] == []
    assert [one for one in targets if not one.startswith("https://") and not (ROOT / one).is_file()] == []
    # Nothing else is changed.
    blob = "https://github.com/OWNER/envcheck/blob/main/"
    assert link.sub(lambda found: found.group().replace(blob, ""), description) == readme
