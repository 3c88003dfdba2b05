"""What a written Dockerfile does for the environment, done step by step in a directory: no Docker engine is needed.

Every COPY and RUN of the builder's stage is carried out below a folder that stands for its root, with the real
micromamba and conda-lock where they are at hand and py-rattler's installer in the place of what is not; then the
environment is copied as the last stage says, and the image's command is run with its ENV.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from envcheck.docker.instructions import Dockerfile, Instruction, Stage, read_dockerfile
from envcheck.locks import explicit
from tests.cli.running import CommandLine
from tests.support.server import ServerFactory

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="installs what is built for linux-64"
)

ENVIRONMENT = """\
name: demo
channels: [{channel}]
dependencies: [python=3.10, click=8.1.7, pip, pip: [attrs==23.1.0]]
"""

DOCKERFILE = """\
FROM continuumio/miniconda3
WORKDIR /app
COPY environment.yml .
RUN conda env create {name} -f environment.yml && conda clean -afy
COPY main.py /app/
CMD ["conda", "run", "-n", "{run}", "python", "/app/main.py"]
"""

MAIN = """\
import importlib.metadata, os, sys
import click
print("click", click.__version__, "attrs", importlib.metadata.version("attrs"), os.environ["CONDA_PREFIX"])
"""

MICROMAMBA = os.environ.get("MICROMAMBA") or shutil.which("micromamba")


def stage_of(dockerfile: Dockerfile, name: str) -> Stage:
    found = dockerfile.stage(name)
    assert found is not None
    return found


class Steps:
    """Carries out a Dockerfile's stages below a folder, one root for each."""

    def __init__(self, dockerfile: Dockerfile, context: Path, roots: Path, pip: Sequence[str], index: str) -> None:
        self.dockerfile = dockerfile
        self.context = context
        self.roots = roots
        self.pip = pip
        self.index = index
        self.skipped: list[str] = []

    def root(self, stage: Stage) -> Path:
        path = self.roots / str(stage.index)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def carry_out(self, stage: Stage) -> None:
        """Every instruction of a stage, in order."""
        folder = "/"
        root = self.root(stage)
        if "micromamba" in stage.base:
            # mamba-org/micromamba-docker, _dockerfile_setup_root_prefix.sh
            (root / "opt/conda/conda-meta").mkdir(parents=True)
            (root / "opt/conda/conda-meta/history").touch()
        for one in stage.instructions:
            if one.keyword == "WORKDIR":
                folder = str(Path(folder) / one.words[0])
                (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif one.keyword == "COPY":
                self._copy(one, root, folder)
            elif one.keyword == "RUN":
                self._run(one, root, folder)
            else:
                assert one.keyword in ("ENV", "USER", "CMD"), one.text

    def start(self, stage: Stage) -> str:
        """The output of the image's command."""
        (command,) = (one for one in stage.instructions if one.keyword == "CMD")
        assert command.arguments is not None
        root = self.root(stage)
        variables = {name: self._mapped_path(value, root) for name, value in stage.environment}
        program = shutil.which(command.arguments[0], path=variables["PATH"])
        assert program is not None
        assert program.startswith(str(root))
        # The stand-in of Python calls programs of the system.
        variables["PATH"] += ":/usr/bin:/bin"
        words = [program, *(self._mapped(word, root) for word in command.arguments[1:])]
        done = subprocess.run(
            words,
            env={**variables, "ENVCHECK_HOST_PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.replace(str(root), "")

    def _copy(self, one: Instruction, root: Path, folder: str) -> None:
        *sources, target = one.words
        origin = one.flag("from")
        base = self.context if origin is None else self.root(stage_of(self.dockerfile, origin))
        into = root / str(Path(folder) / target).lstrip("/")
        for source in sources:
            path = base / source.lstrip("/")
            if path.is_dir():
                shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True)
                continue
            place = into / path.name if target.endswith("/") else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)

    def _run(self, one: Instruction, root: Path, folder: str) -> None:
        words = shlex.split(one.value)
        if words[0] == "useradd":  # not the environment's part
            self.skipped.append(one.value)
            return
        if words[0] == "test":
            subprocess.run(["/bin/sh", "-c", one.value], check=True)
            return
        mapped = [self._mapped(word, root) for word in words]
        if words[0].endswith("/bin/python") and words[1:4] == ["-m", "pip", "install"]:
            (site_packages,) = Path(mapped[0]).parents[1].glob("lib/python*/site-packages")
            self._call([*self.pip, "--index-url", self.index, "--target", str(site_packages), *mapped[4:]])
            return
        name = words[0].rpartition("/")[2]
        if name == "micromamba" and "conda-lock=" in words[-1]:
            self.skipped.append(one.value)  # from conda-forge: the one of this environment is used
            return
        PROGRAMS[name](mapped, root, root / folder.lstrip("/"))

    @staticmethod
    def _call(words: Sequence[str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
        done = subprocess.run(words, env=kept, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    @staticmethod
    def _mapped(word: str, root: Path) -> str:
        return f"{root}{word}" if word.startswith("/") else word

    def _mapped_path(self, value: str, root: Path) -> str:
        return ":".join(self._mapped(part, root) for part in value.split(":"))


# ---------------------------------------------------------------------------------------------------------------------
# The programs that make environments
# ---------------------------------------------------------------------------------------------------------------------


def option(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1]


def installed_by_rattler(urls: Mapping[str, str | None], prefix: Path, cache: Path) -> None:
    """Install packages of a fixture channel by their URLs, checked against their md5."""
    import rattler

    records = []
    for url, md5 in urls.items():
        channel, subdir, filename = url.rsplit("/", 2)
        with urllib.request.urlopen(f"{channel}/{subdir}/repodata.json") as answer:  # noqa: S310  # file: or loopback
            repodata = json.load(answer)
        row = {**repodata["packages"], **repodata["packages.conda"]}[filename]
        record = rattler.PackageRecord(
            name=rattler.PackageName(row["name"]),
            version=rattler.VersionWithSource(row["version"]),
            build=rattler.BuildString(row["build"]),
            build_number=row["build_number"],
            subdir=subdir,
            arch=None,
            platform=None,
            noarch=rattler.NoArchType(row.get("noarch")),
            depends=row["depends"],
            md5=bytes.fromhex(md5 or row["md5"]),
            sha256=bytes.fromhex(row["sha256"]),
        )
        records.append(rattler.RepoDataRecord(record, filename, url, channel))
    asyncio.run(rattler.install(records, prefix, cache_dir=cache, show_progress=False))


def explicit_list(words: Sequence[str], root: Path, _folder: Path) -> None:
    """``micromamba create|install`` and ``conda create`` of an explicit list."""
    assert words[1] in ("create", "install")
    assert "--yes" in words
    assert {"--copy", "--always-copy"} & set(words)
    packages = explicit.read(Path(option(words, "--file")).read_text("utf-8")).packages
    installed_by_rattler({one.url: one.md5 for one in packages}, Path(option(words, "--prefix")), root / "cache")


def real_micromamba(words: Sequence[str], root: Path, folder: Path) -> None:
    assert MICROMAMBA is not None
    variables = {"MAMBA_ROOT_PREFIX": str(root / "opt/conda"), "HOME": str(root), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [MICROMAMBA, *words[1:]], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def real_conda_lock(words: Sequence[str], root: Path, folder: Path) -> None:
    assert MICROMAMBA is not None
    rest = [MICROMAMBA if word.endswith("/bin/micromamba") else word for word in words[1:]]
    variables = {
        "MAMBA_ROOT_PREFIX": str(root / "opt/conda"), "HOME": str(root), "PATH": os.environ["PATH"],
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "conda_lock", *rest],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def pixi_lock(words: Sequence[str], root: Path, folder: Path) -> None:
    """``pixi install --frozen``: what the lock of the folder says, its wheels left to pip."""
    import rattler

    assert words[1:] == ["install", "--frozen"]
    assert "[workspace]" in (folder / "pixi.toml").read_text("utf-8")
    environment = rattler.LockFile.from_path(folder / "pixi.lock").default_environment()
    assert environment is not None
    records = environment.conda_repodata_records()["linux-64"]
    assert records
    asyncio.run(rattler.install(records, folder / ".pixi/envs/default", cache_dir=root / "cache", show_progress=False))


PROGRAMS: dict[str, Callable[[Sequence[str], Path, Path], None]] = {
    "micromamba": explicit_list,
    "conda": explicit_list,
    "conda-lock": real_conda_lock,
    "pixi": pixi_lock,
}


# ---------------------------------------------------------------------------------------------------------------------
# The tests
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def write(
    tmp_path: Path, package_channels_directory: Path, package_index_directory: Path, loopback_server: ServerFactory
) -> Callable[..., Steps]:
    server = loopback_server(package_index_directory)
    work = tmp_path / "work"
    work.mkdir()
    envcheck = CommandLine(work, "channels: []\n", server.url)

    def written(style: str, *, name: str = "demo", pip: Sequence[str] = (), with_pip: bool = True) -> Steps:
        channel = f"{package_channels_directory.as_uri()}/conda-forge"
        environment = ENVIRONMENT.format(channel=channel)
        if not with_pip:
            environment = environment.replace(", pip: [attrs==23.1.0]", "")
        envcheck.write("environment.yml", environment)
        named = "-n base" if name == "base" else ""
        envcheck.write("Dockerfile", DOCKERFILE.format(name=named, run=name))
        envcheck.write("main.py", MAIN if with_pip else re.sub(r', "attrs".*?\)', "", MAIN, count=1))
        run = envcheck(
            "docker", "Dockerfile", "-c", channel, "--override-channels",
            "--write", "Dockerfile.locked", "--style", style, "--engine", "rattler",
        )  # fmt: skip
        assert "wrote Dockerfile.locked" in run.errors, run.output + run.errors
        text = (work / "Dockerfile.locked").read_bytes()
        return Steps(read_dockerfile(text, "Dockerfile.locked"), work, tmp_path / "roots", pip, server.url)

    return written


def installers() -> dict[str, list[str]]:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-cache-dir"]
    return {"pip": pip, **({"uv": [uv, "pip", "install", "--no-cache", "--python", sys.executable]} if uv else {})}


INSTALLERS = installers()


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("style", ["micromamba", "conda"])
def test_the_locked_environment_is_made_and_the_command_runs(
    write: Callable[..., Steps], style: str, installer: str
) -> None:
    steps = write(style, pip=INSTALLERS[installer])
    builder, last = steps.dockerfile.stages
    steps.carry_out(builder)
    steps.carry_out(last)
    assert steps.start(last) == "click 8.1.7 attrs 23.1.0 /opt/conda/envs/demo\n"
    assert [one.partition(" ")[0] for one in steps.skipped] == ["useradd"]


def test_nothing_but_the_environment_is_in_the_image(write: Callable[..., Steps]) -> None:
    steps = write("micromamba", pip=INSTALLERS["pip"])
    builder, last = steps.dockerfile.stages
    steps.carry_out(builder)
    steps.carry_out(last)
    root = steps.root(last)
    names = {path.name.rsplit("-", 2)[0] for path in (root / "opt/conda/envs/demo/conda-meta").glob("*.json")}
    locked = explicit.read((steps.context / "conda-linux-64.lock").read_text("utf-8")).packages
    assert names == {one.name for one in locked}
    assert {path.name for path in (root / "opt/conda").iterdir()} == {"envs"}
    assert {path.name for path in (root / "app").iterdir()} == {"main.py"}


def test_a_wheel_that_changed_is_refused(write: Callable[..., Steps]) -> None:
    steps = write("micromamba", pip=INSTALLERS["pip"])
    path = steps.context / "conda-linux-64.pip.txt"
    path.write_text(re.sub(r"sha256:\w{64}", "sha256:" + "0" * 64, path.read_text("utf-8")), encoding="utf-8")
    with pytest.raises(AssertionError, match="DO NOT MATCH"):
        steps.carry_out(steps.dockerfile.stages[0])


def test_pixi_finds_its_manifest_and_lock(write: Callable[..., Steps]) -> None:
    steps = write("pixi", with_pip=False)
    builder, last = steps.dockerfile.stages
    steps.carry_out(builder)
    steps.carry_out(last)
    assert steps.start(last) == "click 8.1.7 /opt/pixi/.pixi/envs/default\n"


needs_micromamba = pytest.mark.skipif(
    MICROMAMBA is None or not Path(MICROMAMBA).exists(),
    reason="needs micromamba on the PATH, or its path in MICROMAMBA",
)


@needs_micromamba
@pytest.mark.parametrize("name", ["demo", "base"])
def test_micromamba_makes_the_environment(
    write: Callable[..., Steps], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(PROGRAMS, "micromamba", real_micromamba)
    steps = write("micromamba", name=name, pip=INSTALLERS["pip"])
    builder, last = steps.dockerfile.stages
    steps.carry_out(builder)
    steps.carry_out(last)
    prefix = "/opt/conda" if name == "base" else "/opt/conda/envs/demo"
    assert steps.start(last) == f"click 8.1.7 attrs 23.1.0 {prefix}\n"


@needs_micromamba
@pytest.mark.parametrize("name", ["demo", "base"])
def test_conda_lock_makes_the_environment(write: Callable[..., Steps], name: str) -> None:
    steps = write("conda-lock", name=name, with_pip=False)
    builder, last = steps.dockerfile.stages
    steps.carry_out(builder)
    steps.carry_out(last)
    prefix = "/opt/env" if name == "base" else "/opt/conda/envs/demo"
    assert steps.start(last) == f"click 8.1.7 {prefix}\n"
