"""What envcheck locks for pip can be installed from a loopback server: from every format, and only as it was locked."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from envcheck.locks import conda_lock_v1, pip_requirements, pixi_lock_v7
from envcheck.locks.contents import PlatformLock
from envcheck.model import Channel, LockedDistribution, Record
from tests.support.server import LoopbackServer, ServerFactory

CHANNEL = Channel(name="empty", url="https://conda.example/empty", locations=("https://conda.example/empty",))
RECORD = Record(
    name="python",
    version="3.10.14",
    build="0_cpython",
    build_number=0,
    subdir="linux-64",
    channel=CHANNEL.url,
    url=f"{CHANNEL.url}/linux-64/python-3.10.14-0_cpython.conda",
    md5="a" * 32,
    sha256="b" * 64,
)


def wheel(directory: Path, name: str, *requires: str) -> Path:
    """A wheel with a command that says which it is."""
    path = directory / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"print('this is {name}')\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    directory = tmp_path / "wheels"
    directory.mkdir()
    wheel(directory, "program", "library>=1")
    wheel(directory, "library")
    return directory


@pytest.fixture
def lock(wheels: Path, loopback_server: ServerFactory) -> PlatformLock:
    """The two wheels at their addresses on the server."""
    server: LoopbackServer = loopback_server(wheels)
    distributions = tuple(
        LockedDistribution(
            name=path.name.partition("-")[0],
            version="1.0",
            url=f"{server.url}/{path.name}",
            filename=path.name,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            requires=("library>=1",) if path.name.startswith("program") else (),
        )
        for path in sorted(wheels.iterdir())
    )
    return PlatformLock(platform="linux-64", packages=(RECORD,), distributions=distributions)


def installers() -> dict[str, list[str]]:
    """The commands of pip and uv."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-cache-dir"]
    return {"pip": pip, **({"uv": [uv, "pip", "install", "--no-cache", "--python", sys.executable]} if uv else {})}


INSTALLERS = installers()


def install(installer: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Install into a directory, from nowhere else than the arguments say."""
    return subprocess.run(
        [*INSTALLERS[installer], "--no-index", "--no-deps", "--target", str(directory), *arguments],
        cwd=directory.parent,
        env={name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def requirements_of_conda_lock(lock: PlatformLock, directory: Path) -> tuple[str, ...]:
    """What ``conda-lock install`` hands to pip: the comments of its explicit rendering."""
    (directory / "conda-lock.yml").write_text(
        conda_lock_v1.render_platforms([lock], channels=[CHANNEL], sources=["environment.yml"]), encoding="utf-8"
    )
    subprocess.run(
        [sys.executable, "-m", "conda_lock", "render", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"],
        cwd=directory, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    lines = (directory / "conda-linux-64.lock").read_text("utf-8").splitlines()
    return tuple(line.removeprefix("# pip ") for line in lines if line.startswith("# pip "))


def requirements_of_pixi_lock(lock: PlatformLock, directory: Path) -> tuple[str, ...]:
    """What rattler, and so pixi, reads: each location with its hash."""
    import rattler

    (directory / "pixi.lock").write_text(pixi_lock_v7.render([lock], channels=[CHANNEL]), encoding="utf-8")
    environment = rattler.LockFile.from_path(directory / "pixi.lock").default_environment()
    assert environment is not None
    found = []
    for one in environment.pypi_packages()["linux-64"]:
        assert one.hashes is not None
        assert one.hashes.sha256 is not None
        found.append(f"{one.name} @ {one.location.partition('#')[0]}#sha256={one.hashes.sha256.hex()}")
    return tuple(found)


def requirements_beside_the_list(lock: PlatformLock, directory: Path) -> tuple[str, ...]:
    """The requirements file, with every wheel named by its address."""
    references = {one.url for one in lock.distributions}
    return tuple((pip_requirements.render(lock.distributions, references=references) or "").splitlines())


FORMATS = {
    "conda-lock.yml": requirements_of_conda_lock,
    "pixi.lock": requirements_of_pixi_lock,
    "list.pip.txt": requirements_beside_the_list,
}


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_locked_is_installed_and_runs(
    name: str, installer: str, lock: PlatformLock, wheels: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "requirements.txt"
    listed.write_text("\n".join(FORMATS[name](lock, tmp_path)) + "\n", encoding="utf-8")
    done = install(installer, tmp_path / "target", "-r", str(listed))
    assert done.returncode == 0, done.stdout + done.stderr
    for module in ("program", "library"):
        ran = subprocess.run(
            [sys.executable, str(tmp_path / "target" / f"{module}.py")], capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == f"this is {module}"

    # Another file under the same name is not what was locked.
    wheel(wheels, "library", "something-else")
    done = install(installer, tmp_path / "refused", "-r", str(listed))
    assert done.returncode != 0
    assert not (tmp_path / "refused" / "library.py").exists()
