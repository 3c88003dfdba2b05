"""``envcheck docker --write``: which files are written, over what, and with which status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from envcheck.docker.writing_images import CONDA_LOCK, CONDA_LOCK_PYTHON
from tests.cli.running import CommandLine, Run, fixture_program

DOCKERFILE = """\
FROM continuumio/miniconda3
COPY environment.yml /tmp/
RUN conda env create -n demo -f /tmp/environment.yml
CMD ["conda", "run", "-n", "demo", "python"]
"""
ENVIRONMENT = "name: demo\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy]\n"


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    program.write("Dockerfile", DOCKERFILE)
    program.write("environment.yml", ENVIRONMENT)
    return program


def write(envcheck: CommandLine, *arguments: str, to: str = "Dockerfile.locked") -> Run:
    return envcheck("docker", "Dockerfile", "--engine", "rattler", "--offline", "--write", to, *arguments)


def test_the_dockerfile_and_its_lock_are_written(envcheck: CommandLine) -> None:
    run = write(envcheck)
    assert run.status == 0, run.output + run.errors
    assert envcheck.files() == {"Dockerfile", "Dockerfile.locked", "conda-linux-64.lock", "environment.yml"}
    assert (envcheck.directory / "Dockerfile").read_text("utf-8") == DOCKERFILE
    text = (envcheck.directory / "Dockerfile.locked").read_text("utf-8")
    assert "COPY conda-linux-64.lock /tmp/environment/\n" in text
    assert 'CMD ["python"]\n' in text
    assert "wrote conda-linux-64.lock\nwrote Dockerfile.locked\n" in run.errors
    assert run.errors.endswith("\nnext: docker build -f Dockerfile.locked .\n")
    assert "note: line 3: left out 'conda env create" in run.errors
    assert "wrote" not in run.output


def test_what_was_written_is_in_order_and_not_written_again(envcheck: CommandLine) -> None:
    assert write(envcheck).status == 0
    again = envcheck("docker", "Dockerfile.locked", "--engine", "rattler", "--offline", "--fail-on", "warning")
    assert again.status == 0, again.output
    refused = envcheck("docker", "Dockerfile.locked", "--engine", "rattler", "--offline", "--write", "other")
    assert refused.status == 1
    assert "was written by envcheck" in refused.errors
    assert "other" not in envcheck.files()


def with_conda_lock(channels: Path, folder: Path) -> Path:
    """A copy of the fixture channels in which there is the program that a written Dockerfile installs."""
    copied = folder / "channels"
    shutil.copytree(channels, copied)
    path = copied / "conda-forge" / "noarch" / "repodata.json"
    document = json.loads(path.read_bytes())
    document["packages.conda"][f"conda-lock-{CONDA_LOCK}-0.conda"] = {
        "name": "conda-lock", "version": CONDA_LOCK, "build": "0", "build_number": 0, "depends": ["python"],
        "md5": "0" * 32, "sha256": "0" * 64, "size": 1, "subdir": "noarch", "noarch": "python",
    }  # fmt: skip
    python = dict(next(one for one in document["packages.conda"].values() if one["name"] == "tzdata"))
    python |= {"name": "python", "version": f"{CONDA_LOCK_PYTHON}.1", "build": "0", "depends": []}
    document["packages.conda"][f"python-{CONDA_LOCK_PYTHON}.1-0.conda"] = python
    path.write_text(json.dumps(document), encoding="utf-8")
    return copied


@pytest.mark.parametrize("style", ["micromamba", "conda-lock", "pixi", "conda"])
@pytest.mark.parametrize("python", ["python=3.10", "python"])
def test_of_what_was_written_nothing_is_remarked(
    style: str, python: str, tmp_path: Path, channels_directory: Path, package_index_directory: Path
) -> None:
    envcheck = fixture_program(tmp_path, with_conda_lock(channels_directory, tmp_path), package_index_directory)
    envcheck.write("Dockerfile", DOCKERFILE)
    dependencies = f"[{python}, numpy, pip, {{pip: [meteva]}}]"
    envcheck.write("environment.yml", f"name: demo\nchannels: [conda-forge]\ndependencies: {dependencies}\n")
    assert "wrote Dockerfile.locked" in write(envcheck, "--style", style).errors
    again = envcheck("docker", "Dockerfile.locked", "--engine", "rattler", "--offline", "-v")
    assert (again.status, again.errors) == (0, ""), again.output
    document = envcheck("docker", "Dockerfile.locked", "--engine", "rattler", "--offline", "--format", "json").report()
    assert document["findings"] == []
    assert {one["verdict"] for one in document["reports"]} <= {"ready", "sound"}
    assert [one["findings"] for one in document["reports"] if one["findings"]] == []


def test_a_list_of_hashed_files_is_not_asked_why_it_has_them(envcheck: CommandLine) -> None:
    # panda is no pandas, asyncio is in the standard library, and what pipreqs needs has no wheel.
    rows = "".join(
        f"{name} --hash=sha256:{'0' * 64}\n" for name in ("panda==0.3.1", "asyncio==3.4.3", "pipreqs==0.4.13")
    )
    envcheck.write("pip.txt", rows)
    start = "FROM continuumio/miniconda3\nRUN conda create -yn demo -c conda-forge python=3.10\nCOPY pip.txt /\n"
    codes = []
    for options in ("", "--no-deps --require-hashes "):
        pip = f"RUN /opt/conda/envs/demo/bin/python -m pip install {options}-r /pip.txt\n"
        envcheck.write("Dockerfile", start + pip)
        run = envcheck("docker", "Dockerfile", "--engine", "rattler", "--offline", "--format", "json")
        codes.append({one["code"] for one in run.report()["reports"][-1]["findings"]})
    assert {"EC616", "EC630", "EC631"} <= codes[0]
    assert codes[1] == {"EC605"}  # panda has no wheel, with a hash or without


@pytest.mark.parametrize("selection", [(), ("--select", "EC8"), ("--ignore", "EC6"), ("--ignore", "EC602")])
def test_a_list_of_hashed_files_has_one_verdict_whatever_is_shown(
    envcheck: CommandLine, selection: tuple[str, ...]
) -> None:
    envcheck.write("pip.txt", f"nosuchprojectatall==1.0 --hash=sha256:{'0' * 64}\n")
    envcheck.write(
        "Dockerfile",
        "FROM continuumio/miniconda3\nRUN conda create -yn demo -c conda-forge python=3.10\nCOPY pip.txt /\n"
        "RUN /opt/conda/envs/demo/bin/python -m pip install --no-deps --require-hashes -r /pip.txt\n",
    )
    run = envcheck("docker", "Dockerfile", "--engine", "rattler", "--offline", "--format", "json", *selection)
    report = run.report()["reports"][-1]
    assert report["verdict"] == "fixable"
    assert {one["code"] for one in report["findings"]} == (set() if selection else {"EC602"})


def test_what_pip_adds_is_judged_for_the_python_that_is_there(envcheck: CommandLine) -> None:
    envcheck.write(
        "Dockerfile",
        "FROM continuumio/miniconda3 AS built\nRUN conda create -yn demo -c conda-forge 'python=3.9.*' numpy\n"
        "FROM built\nRUN conda run -n demo pip install blosc2==2.3.2\n"
        "FROM debian:12\nCOPY --from=1 /opt/conda /opt/conda\n"
        "RUN /opt/conda/envs/demo/bin/pip install scipy==9.9\n",
    )
    run = envcheck("docker", "Dockerfile", "--engine", "rattler", "--offline", "--format", "json")
    assert {
        package["version"]
        for one in run.report()["reports"]
        for package in one["packages"]
        if package["name"] == "python"
    } == {"3.9.18"}
    assert len(run.report()["reports"]) == 3


def test_a_second_run_replaces_what_the_first_one_wrote(envcheck: CommandLine) -> None:
    for style in ("micromamba", "pixi"):
        assert write(envcheck, "--style", style).status == 0
        before = {name: (envcheck.directory / name).read_bytes() for name in envcheck.files()}
        assert write(envcheck, "--style", style, "-q").errors == ""
        assert {name: (envcheck.directory / name).read_bytes() for name in envcheck.files()} == before
    envcheck.write("environment.yml", ENVIRONMENT.replace("numpy", "click"))
    assert write(envcheck, "--style", "pixi").status == 0
    assert "click" in (envcheck.directory / "pixi.lock").read_text("utf-8")


def test_a_file_of_somebody_else_stays(envcheck: CommandLine) -> None:
    mine = "[workspace]\nname = 'mine'\n"
    envcheck.write("pixi.toml", mine)
    (envcheck.directory / "pixi-locked").mkdir()
    envcheck.write("pixi-locked/pixi.toml", mine)
    run = write(envcheck, "--style", "pixi")
    assert run.status == 3
    assert "pixi.toml is there already, and envcheck did not write it" in run.errors
    assert "hint: " in run.errors
    assert envcheck.files() == {"Dockerfile", "environment.yml", "pixi.toml", "pixi-locked"}
    assert [path.read_text("utf-8") for path in sorted(envcheck.directory.rglob("pixi.toml"))] == [mine, mine]


def test_beside_a_file_of_somebody_else_another_name_is_taken(envcheck: CommandLine) -> None:
    envcheck.write("conda-lock.yml", "version: 1\n")
    for _ in range(2):  # what was written once is written over
        assert write(envcheck, "--style", "conda-lock").status == 0
        assert (envcheck.directory / "conda-lock.yml").read_text("utf-8") == "version: 1\n"
        text = (envcheck.directory / "Dockerfile.locked").read_text("utf-8")
        assert "COPY conda-lock.locked.yml /tmp/environment/" in text


def test_the_dockerfile_itself_may_be_named(envcheck: CommandLine) -> None:
    assert write(envcheck, to="Dockerfile").status == 0
    assert "Written by envcheck" in (envcheck.directory / "Dockerfile").read_text("utf-8")


def test_an_ignore_file_is_written_on_request_where_there_is_none(envcheck: CommandLine) -> None:
    assert write(envcheck, "--write-ignore").status == 0
    path = envcheck.directory / ".dockerignore"
    assert ".git\n" in path.read_text("utf-8")
    path.write_text("*.lock\n", encoding="utf-8")
    run = write(envcheck, "--write-ignore")
    assert path.read_text("utf-8") == "*.lock\n"
    assert "conda-linux-64.lock is kept out of the build by line 1 of .dockerignore: *.lock" in run.errors


def test_the_locks_are_beside_it_and_named_from_the_context(envcheck: CommandLine) -> None:
    (envcheck.directory / "docker").mkdir()
    run = write(envcheck, "--context", ".", to="docker/Dockerfile")
    assert run.status == 0, run.errors
    text = (envcheck.directory / "docker" / "Dockerfile").read_text("utf-8")
    assert "COPY docker/conda-linux-64.lock /tmp/environment/\n" in text
    assert (envcheck.directory / "docker" / "conda-linux-64.lock").exists()


def test_it_has_to_be_in_the_context(envcheck: CommandLine, tmp_path: Path) -> None:
    run = write(envcheck, to=str(tmp_path / "elsewhere"))
    assert run.status == 3
    assert "has to be in the build context" in run.errors
    assert not (tmp_path / "elsewhere").exists()


def test_what_the_lock_has_not_is_told(envcheck: CommandLine) -> None:
    envcheck.write(
        "environment.yml", "channels: [conda-forge]\ndependencies: [python=3.10, numpy=99.9, nosuchpackage]\n"
    )
    run = write(envcheck)
    assert run.status == 1
    assert "note: line 3: the lock has other versions than were asked for: numpy 1." in run.errors
    assert "note: line 3: the lock leaves out nosuchpackage: the report says why" in run.errors


@pytest.mark.parametrize(
    ("dockerfile", "environment", "words"),
    [
        ("FROM debian:12\n", ENVIRONMENT, "makes no environment"),
        (DOCKERFILE.replace("environment.yml", "missing.yml"), ENVIRONMENT, "is not read"),
    ],
)
def test_what_cannot_be_locked_is_not_written(
    envcheck: CommandLine, dockerfile: str, environment: str, words: str
) -> None:
    envcheck.write("Dockerfile", dockerfile)
    envcheck.write("environment.yml", environment)
    before = envcheck.files()
    run = write(envcheck)
    assert run.status == 1
    assert words in run.errors
    assert envcheck.files() == before


@pytest.mark.parametrize(
    "arguments", [("--style", "pixi"), ("--write-ignore",), ("--write", "x", "-p", "linux-64", "-p", "linux-aarch64")]
)
def test_wrong_usage(envcheck: CommandLine, arguments: tuple[str, ...]) -> None:
    run = envcheck("docker", "Dockerfile", *arguments)
    assert run.status == 2
    assert envcheck.files() == {"Dockerfile", "environment.yml"}


def test_several_commands_of_one_environment_are_one_lock(envcheck: CommandLine) -> None:
    envcheck.write(
        "Dockerfile",
        "FROM continuumio/miniconda3\nCOPY environment.yml /tmp/\n"
        "RUN conda env create -n demo -f /tmp/environment.yml\n"
        "RUN conda install -y -n demo -c conda-forge click\nCMD conda run -n demo python\n",
    )
    run = write(envcheck)
    assert "wrote Dockerfile.locked" in run.errors, run.output + run.errors
    lock = (envcheck.directory / "conda-linux-64.lock").read_text("utf-8")
    assert "/numpy-" in lock
    assert "/click-" in lock
    assert "conda" not in (envcheck.directory / "Dockerfile.locked").read_text("utf-8").rpartition("ENV CONDA")[
        2
    ].replace("/opt/conda/envs/demo", "")
