"""A program of conda packages and wheels runs once its lock is installed: every format, by every installer at hand.

The channel's Python and pip are real (`tests.support.packages`): micromamba and conda-lock have that pip install the
wheels, as they do in an image. Where a locked hash is not the file's, nobody installs it.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envcheck.locks import conda_lock_v1
from tests.cli.running import CommandLine
from tests.support.installers import (
    MICROMAMBA,
    NEEDS_MICROMAMBA,
    WITH_PIP,
    Installer,
    InstallerError,
    Locks,
    call,
    conda_lock_install,
    micromamba_of_list,
    micromamba_of_lock,
)
from tests.support.packages import OUTPUT, PLATFORMS, PYTHON, write_packages, write_wheels
from tests.support.server import ServerFactory

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="installs what is built for linux-64"
)

ENVIRONMENT = """\
name: demo
channels: [{channel}]
dependencies: [python={python}, pip, hello, {{pip: [greeting]}}]
"""

# ---------------------------------------------------------------------------------------------------------------------
# The locks
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URLs of the channel and of the package index."""
    directory = tmp_path_factory.mktemp("places")
    servers = ServerFactory()
    write_packages(directory / "channels" / "lab")
    yield f"{servers(directory / 'channels').url}/lab", servers(write_wheels(directory / "index")).url
    servers.close()


def locked(directory: Path, places: tuple[str, str], *, platforms: tuple[str, ...], with_pip: bool = True) -> Locks:
    """The locks of `ENVIRONMENT`, as envcheck writes them."""
    channel, index = places
    work = directory / "work"
    work.mkdir()
    envcheck = CommandLine(work, "channels: []\n", index)
    text = ENVIRONMENT.format(channel=channel, python=PYTHON)
    envcheck.write("environment.yml", text if with_pip else text.replace(", {pip: [greeting]}", ""))
    asked = [word for name in platforms for word in ("-p", name)]
    for lock in ("conda-lock.yml", "pixi.lock"):
        run = envcheck(
            "lock", "environment.yml", "-c", channel, "--override-channels", *asked,
            "--lock", lock, "--explicit", "conda-{platform}.lock",
        )  # fmt: skip
        assert run.status == 0, run.output + run.errors
    return Locks(directory=work, index=index)


@pytest.fixture(scope="session")
def one_platform(tmp_path_factory: pytest.TempPathFactory, places: tuple[str, str]) -> Locks:
    return locked(tmp_path_factory.mktemp("one"), places, platforms=("linux-64",))


@pytest.fixture(scope="session")
def several_platforms(tmp_path_factory: pytest.TempPathFactory, places: tuple[str, str]) -> Locks:
    return locked(tmp_path_factory.mktemp("several"), places, platforms=PLATFORMS)


@pytest.fixture(scope="session")
def conda_only(tmp_path_factory: pytest.TempPathFactory, places: tuple[str, str]) -> Locks:
    return locked(tmp_path_factory.mktemp("conda-only"), places, platforms=("linux-64",), with_pip=False)


# ---------------------------------------------------------------------------------------------------------------------
# Installing
# ---------------------------------------------------------------------------------------------------------------------


def output_of(prefix: Path, *command: str) -> str:
    """What a program of the environment says."""
    return call([str(prefix / "bin" / command[0]), *command[1:]], prefix).strip()


@pytest.mark.parametrize("install", WITH_PIP)
@pytest.mark.parametrize("locks", ["one_platform", "several_platforms"])
def test_the_program_runs(install: Installer, locks: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    install(request.getfixturevalue(locks).copy(tmp_path / "locks"), tmp_path / "prefix")
    assert output_of(tmp_path / "prefix", "hello") == OUTPUT
    installed = {path.stem for path in (tmp_path / "prefix/conda-meta").glob("*.json")}
    assert {one.rsplit("-", 2)[0] for one in installed} == {"hello", "pip", "python"}
    assert f"python-{PYTHON}-linux_64" in installed
    (wheels,) = (tmp_path / "prefix/lib").glob("python*/site-packages")
    assert {path.name for path in wheels.glob("*.dist-info")} >= {"greeting-2.1.dist-info", "words-1.5.dist-info"}


@pytest.mark.parametrize(
    "install",
    [
        pytest.param(micromamba_of_lock, marks=NEEDS_MICROMAMBA),
        pytest.param(conda_lock_install, marks=NEEDS_MICROMAMBA),
        pytest.param(micromamba_of_list, marks=NEEDS_MICROMAMBA),
    ],
)
def test_a_lock_without_wheels_is_installed(install: Installer, conda_only: Locks, tmp_path: Path) -> None:
    assert not list(conda_only.directory.glob("*.pip.txt"))
    install(conda_only.copy(tmp_path / "locks"), tmp_path / "prefix")
    assert output_of(tmp_path / "prefix", "pip", "list", "--format=freeze").split() == [
        "hello==1.0",
        f"pip=={importlib.metadata.version('pip')}",
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Refusing
# ---------------------------------------------------------------------------------------------------------------------


def spoil(locks: Locks, name: str) -> None:
    """Put other hashes of a package or distribution into every file that holds them."""
    contents = conda_lock_v1.read((locks.directory / "conda-lock.yml").read_text("utf-8"))
    hashes = {value for one in contents.packages if one.name == name for value in (one.md5, one.sha256) if value}
    assert hashes
    changed = set()
    for path in locks.directory.iterdir():
        text = path.read_text("utf-8")
        for value in hashes:
            text = text.replace(value, value[::-1].translate(str.maketrans("0123456789", "1234567890")))
        if text != path.read_text("utf-8"):
            path.write_text(text, encoding="utf-8")
            changed.add(path.name)
    beside = "conda-linux-64.lock" if name == "hello" else "conda-linux-64.pip.txt"
    assert changed == {"conda-lock.yml", "pixi.lock", beside}


@pytest.mark.parametrize("install", WITH_PIP)
@pytest.mark.parametrize("name", ["hello", "words"])
def test_a_file_with_another_hash_is_refused(
    install: Installer, name: str, one_platform: Locks, tmp_path: Path
) -> None:
    locks = one_platform.copy(tmp_path / "locks")
    spoil(locks, name)
    with pytest.raises(InstallerError):
        install(locks, tmp_path / "prefix")
    assert not list((tmp_path / "prefix").glob(f"lib/python*/site-packages/{name}.py"))


# ---------------------------------------------------------------------------------------------------------------------
# Other platforms
# ---------------------------------------------------------------------------------------------------------------------


@NEEDS_MICROMAMBA
@pytest.mark.parametrize("name", PLATFORMS)
def test_micromamba_takes_each_platform_of_the_lock(name: str, several_platforms: Locks, tmp_path: Path) -> None:
    assert MICROMAMBA is not None
    locks = several_platforms.copy(tmp_path / "locks")
    words = ["create", "--yes", "--no-rc", "--dry-run", "--platform", name, "-p", str(tmp_path / "prefix")]
    said = call([MICROMAMBA, *words, "-f", "conda-lock.yml"], locks.directory).split()
    # Only a build's name tells the platforms' files apart in what it prints.
    builds = {other.replace("-", "_") for other in PLATFORMS}
    assert builds & set(said) == {name.replace("-", "_")}
    assert {"hello", "pip", "python"} <= set(said)


@pytest.mark.parametrize("name", PLATFORMS)
def test_conda_lock_renders_each_platform_of_the_lock(name: str, several_platforms: Locks, tmp_path: Path) -> None:
    locks = several_platforms.copy(tmp_path / "locks")
    listed = locks.directory / f"conda-{name}.lock"
    ours = {line for line in listed.read_text("utf-8").splitlines() if "://" in line and not line.startswith("#")}
    listed.unlink()
    call([sys.executable, "-m", "conda_lock", "render", "-k", "explicit", "-p", name], locks.directory)
    lines = listed.read_text("utf-8").splitlines()
    assert {line for line in lines if "://" in line and not line.startswith("#")} == ours
    assert {line.split(" @ ")[0] for line in lines if line.startswith("# pip ")} == {"# pip greeting", "# pip words"}


def test_rattler_reads_each_platform_of_the_lock(several_platforms: Locks, tmp_path: Path) -> None:
    import rattler

    path = several_platforms.directory / "pixi.lock"
    lock = rattler.LockFile.from_path(path)
    environment = lock.default_environment()
    assert environment is not None
    records, wheels = environment.conda_repodata_records(), environment.pypi_packages()
    assert set(records) == set(wheels) == set(PLATFORMS)
    for name in PLATFORMS:
        listed = (several_platforms.directory / f"conda-{name}.lock").read_text("utf-8")
        assert {one.url for one in records[name]} == {
            line.partition("#")[0] for line in listed.splitlines() if line.startswith("http")
        }
        assert {one.name for one in wheels[name]} == {"greeting", "words"}
    lock.to_path(tmp_path / "again.lock")
    assert (tmp_path / "again.lock").read_bytes() == path.read_bytes()
