"""What envcheck locks can be installed: by py-rattler's installer, by conda-lock's renderer, by micromamba."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from envcheck.locks import conda_lock_v1, explicit
from tests.cli.running import CommandLine, condarc_text

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="installs what is built for linux-64"
)

# What a Windows user of the geospatial stack exports, cut down to a few direct packages of each kind.
SOURCE = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: win-64
click=8.1.7=win_pyh7428d3b_0
hdf5=1.14.2=nompi_h73e8ff5_100
ipykernel=6.29.0=pyha63f2e9_0
numpy=1.26.2=py310hf667824_0
pip=23.3.1=pyhd8ed1ab_0
python=3.10.13=h4de0772_0_cpython
pywin32=306=py310h00ffb61_2
pyyaml=6.0.1=py310h8d17308_1
tqdm=4.66.1=pyhd8ed1ab_0
vc=14.3=h64f974e_17
"""


@pytest.fixture(scope="session")
def locked(
    tmp_path_factory: pytest.TempPathFactory, package_channels_directory: Path, package_index_directory: Path
) -> Path:
    """A directory with the lock and the explicit list of `SOURCE`; their URLs are those of the fixture channel."""
    directory = tmp_path_factory.mktemp("locked") / "work"
    directory.mkdir()
    envcheck = CommandLine(directory, "channels: []\n", package_index_directory.as_uri())
    envcheck.write("requirements.txt", SOURCE)
    channel = (package_channels_directory / "conda-forge").as_uri()
    run = envcheck(
        "lock", "requirements.txt", "-c", channel, "--override-channels", "--offline",
        "--explicit", "list.txt", "--environment", "environment.yml",
    )  # fmt: skip
    assert run.status == 1, run.errors
    assert "FIXABLE" in run.output
    return directory


@pytest.fixture(scope="session")
def installed(locked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock, installed by py-rattler into a directory."""
    import rattler

    contents = conda_lock_v1.read((locked / "conda-lock.yml").read_text("utf-8"))
    prefix = tmp_path_factory.mktemp("installed") / "prefix"
    records = []
    for package in contents.packages:
        channel, subdir, filename = package.url.rsplit("/", 2)
        record = rattler.PackageRecord(
            name=rattler.PackageName(package.name),
            version=rattler.VersionWithSource(package.version),
            build=rattler.BuildString(package.build or ""),
            build_number=0,
            subdir=subdir,
            arch=None,
            platform=None,
            noarch=_noarch(Path(channel.removeprefix("file://")) / subdir / "repodata.json", filename),
            depends=[f"{name} {constraint}".strip() for name, constraint in package.dependencies],
            md5=bytes.fromhex(package.md5 or ""),
            sha256=bytes.fromhex(package.sha256 or ""),
        )
        records.append(rattler.RepoDataRecord(record, filename, package.url, channel))
    cache = tmp_path_factory.mktemp("package-cache")
    asyncio.run(rattler.install(records, prefix, cache_dir=cache, show_progress=False))
    return prefix


def _noarch(repodata: Path, filename: str) -> object:
    """Whether a package is noarch, and how: the one thing about installing that a lock leaves to the package."""
    import rattler

    content = json.loads(repodata.read_text("utf-8"))
    kind = {**content["packages"], **content["packages.conda"]}[filename].get("noarch")
    return rattler.NoArchType(kind)


def test_every_locked_package_is_installed(installed: Path, locked: Path) -> None:
    contents = conda_lock_v1.read((locked / "conda-lock.yml").read_text("utf-8"))
    metadata = [json.loads(path.read_text()) for path in (installed / "conda-meta").glob("*.json")]
    assert {(one["name"], one["version"]) for one in metadata} == {
        (package.name, package.version) for package in contents.packages
    }
    assert all((installed / file).exists() for one in metadata for file in one["files"])


def test_what_linux_does_not_have_is_not_installed(installed: Path) -> None:
    names = {path.name.rsplit("-", 2)[0] for path in (installed / "conda-meta").glob("*.json")}
    assert {"numpy", "hdf5", "click", "ipykernel", "libgcc-ng"} <= names
    assert not {"pywin32", "vc", "ucrt"} & names


def test_the_installed_python_runs(installed: Path) -> None:
    python = installed / "bin" / "python"
    assert os.access(python, os.X_OK)
    done = subprocess.run([python, "--version"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "3.10.13" in done.stdout + done.stderr


def test_the_explicit_list_names_the_same_files(locked: Path) -> None:
    listed = explicit.read((locked / "list.txt").read_text("utf-8")).packages
    contents = conda_lock_v1.read((locked / "conda-lock.yml").read_text("utf-8")).packages
    assert {(one.url, one.md5) for one in listed} == {(one.url, one.md5) for one in contents}


def test_the_hashes_are_those_of_the_files(locked: Path) -> None:
    import hashlib

    for package in conda_lock_v1.read((locked / "conda-lock.yml").read_text("utf-8")).packages:
        content = Path(package.url.removeprefix("file://")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == package.sha256
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == package.md5


def test_our_own_verification_finds_nothing(locked: Path) -> None:
    assert conda_lock_v1.verify((locked / "conda-lock.yml").read_text("utf-8")) == ()
    assert explicit.verify((locked / "list.txt").read_text("utf-8")) == ()


# ---------------------------------------------------------------------------------------------------------------------
# conda-lock
# ---------------------------------------------------------------------------------------------------------------------


def _conda_lock(locked: Path, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(locked / "conda-lock.yml", directory)
    return subprocess.run(
        [sys.executable, "-m", "conda_lock", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_conda_lock_renders_the_lock_as_an_explicit_list(locked: Path, tmp_path: Path) -> None:
    done = _conda_lock(locked, tmp_path, "render", "-k", "explicit", "-p", "linux-64")
    assert done.returncode == 0, done.stderr
    rendered = (tmp_path / "conda-linux-64.lock").read_text("utf-8").splitlines()
    urls = {line.partition("#")[0] for line in rendered if "://" in line and not line.startswith("#")}
    assert urls == {one.url for one in explicit.read((locked / "list.txt").read_text("utf-8")).packages}


def test_conda_lock_renders_the_lock_as_an_environment(locked: Path, tmp_path: Path) -> None:
    done = _conda_lock(locked, tmp_path, "render", "-k", "env", "-p", "linux-64")
    assert done.returncode == 0, done.stderr
    environment = yaml.safe_load((tmp_path / "conda-linux-64.lock.yml").read_text("utf-8"))
    assert any(spec.startswith("numpy=1.26.") for spec in environment["dependencies"])


# ---------------------------------------------------------------------------------------------------------------------
# micromamba
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def micromamba(request: pytest.FixtureRequest) -> str:
    found = os.environ.get("MICROMAMBA") or shutil.which("micromamba")
    if not found or not Path(found).exists():
        pytest.skip("needs micromamba on the PATH, or its path in MICROMAMBA")
    return found


def _micromamba(program: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = directory / "root"
    return subprocess.run(
        [program, "create", "--yes", "--no-rc", "--root-prefix", root, "-p", directory / "prefix", *arguments],
        cwd=directory,
        env={**os.environ, "MAMBA_ROOT_PREFIX": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_micromamba_accepts_the_lock_in_a_dry_run(locked: Path, micromamba: str, tmp_path: Path) -> None:
    done = _micromamba(micromamba, tmp_path, "-f", str(locked / "conda-lock.yml"), "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "prefix" / "conda-meta").exists()


@pytest.mark.parametrize("name", ["conda-lock.yml", "list.txt"])
def test_micromamba_installs_what_is_locked(locked: Path, micromamba: str, tmp_path: Path, name: str) -> None:
    done = _micromamba(micromamba, tmp_path, "-f", str(locked / name))
    assert done.returncode == 0, done.stdout + done.stderr
    installed = {path.name for path in (tmp_path / "prefix" / "conda-meta").glob("*.json")}
    contents = conda_lock_v1.read((locked / "conda-lock.yml").read_text("utf-8"))
    assert installed == {f"{one.name}-{one.version}-{one.build}.json" for one in contents.packages}
    done = subprocess.run(
        [tmp_path / "prefix" / "bin" / "python", "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    assert "3.10.13" in done.stdout + done.stderr


def test_micromamba_solves_the_environment_file(
    locked: Path, micromamba: str, tmp_path: Path, package_channels_directory: Path
) -> None:
    environment = (locked / "environment.yml").read_text("utf-8")
    assert (package_channels_directory / "conda-forge").as_uri() in environment
    done = _micromamba(micromamba, tmp_path, "-f", str(locked / "environment.yml"), "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_canonical_lock_is_read_by_micromamba(
    micromamba: str, tmp_path: Path, package_channels_directory: Path, package_index_directory: Path
) -> None:
    """A lock of canonical URLs, with the mirror left out of it, is a lock of conda-forge to micromamba."""
    work = tmp_path / "work"
    work.mkdir()
    locations = {"conda-forge": (package_channels_directory / "conda-forge").as_uri()}
    envcheck = CommandLine(work, condarc_text(locations), package_index_directory.as_uri())
    envcheck.write("requirements.txt", SOURCE)
    assert envcheck("lock", "requirements.txt", "--override-channels", "-c", "conda-forge").status == 1
    lock = (work / "conda-lock.yml").read_text("utf-8")
    assert "file://" not in lock
    assert "url: https://conda.anaconda.org/conda-forge/linux-64/python-3.10.13" in lock
    done = _micromamba(micromamba, tmp_path, "-f", str(work / "conda-lock.yml"), "--dry-run", "--offline")
    assert done.returncode == 0, done.stdout + done.stderr
