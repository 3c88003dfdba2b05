"""``envcheck docker`` as its users run it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.running import CommandLine

GOOD = """\
FROM mambaorg/micromamba:2.6.1
COPY clean.yml /tmp/clean.yml
RUN micromamba install -y -n base -f /tmp/clean.yml && \\
    micromamba clean --all --yes
CMD ["python"]
"""
BAD = """\
FROM continuumio/anaconda3
WORKDIR /app
COPY windows.txt /app/
RUN conda config --add channels conda-forge
RUN conda env create -f /app/windows.txt -n demo
RUN conda activate demo
"""


@pytest.fixture
def docker(envcheck: CommandLine) -> CommandLine:
    """The command line with two Dockerfiles."""
    envcheck.write("Dockerfile", GOOD)
    envcheck.write("bad.Dockerfile", BAD)
    return envcheck


def test_help_fits_eighty_columns_and_shows_how(docker: CommandLine) -> None:
    run = docker("docker", "--help")
    assert run.status == 0
    assert max(map(len, run.output.splitlines())) <= 80
    assert "Examples" in run.output


@pytest.mark.parametrize("name", [".", "Dockerfile"])
def test_a_good_one_ends_with_0(docker: CommandLine, name: str) -> None:
    run = docker("docker", name, "--no-pip")
    assert run.status == 0, run.output
    assert "line 3: micromamba install from clean.yml: READY" in run.output
    assert "no problems" in run.output
    assert run.errors == ""


def test_a_bad_one_ends_with_1_and_every_reason(docker: CommandLine) -> None:
    run = docker("docker", "bad.Dockerfile", "--no-pip", "--format", "json")
    assert run.status == 1
    document = run.report()
    assert list(document) == ["schema_version", "dockerfile", "findings", "reports"]
    assert {one["code"]: one["location"]["line"] for one in document["findings"]} == {
        "EC801": 6,
        "EC802": 5,
        "EC808": 1,
        "EC809": 1,
        "EC817": 5,
    }
    (report,) = document["reports"]
    assert report["dockerfile_line"] == 5
    assert report["source"]["path"] == "windows.txt"
    assert report["target"]["virtual_packages"]["__glibc"] == "2.36"
    assert [one["name"] for one in report["target"]["channels"]] == ["conda-forge", "pkgs/main"]
    assert {"EC401", "EC402"} <= {one["code"] for one in report["findings"]}
    (environment,) = document["dockerfile"]["environments"]
    assert (environment["line"], environment["command"]) == (5, "conda env create")
    assert environment["prefix"] == "/opt/conda/envs/demo"


def test_the_same_findings_as_a_check_with_those_channels(docker: CommandLine) -> None:
    through = docker("docker", "bad.Dockerfile", "--no-pip", "--format", "json").report()["reports"][0]
    alone = docker("check", "windows.txt", "--no-pip", "--format", "json", "--image", "debian:12").report()
    through["findings"] = [one for one in through["findings"] if one["code"] != "EC306"]
    assert through["findings"] == alone["findings"]


def test_specifications_of_a_command_are_told_with_the_dockerfiles_line(docker: CommandLine) -> None:
    docker.write(
        "Dockerfile", "FROM condaforge/miniforge3:26.1.0-0\nRUN conda install -y \\\n  numpy \\\n  nosuchthing\n"
    )
    document = docker("docker", ".", "--no-pip", "--format", "json").report()
    found = [one for one in document["reports"][0]["findings"] if one["subject"] == "nosuchthing"]
    assert [one["location"]["line"] for one in found] == [4]
    assert document["reports"][0]["source"]["path"] == "Dockerfile:2"


def test_standard_input_build_arguments_and_context(docker: CommandLine, tmp_path: Path) -> None:
    data = b"ARG TAG=none\nFROM mambaorg/micromamba:$TAG\nCOPY clean.yml /e.yml\nRUN micromamba install -y -f /e.yml\n"
    run = docker("docker", "-", "--no-pip", "--format", "json", "--build-arg", "TAG=2.6.1", data=data)
    assert run.report()["dockerfile"]["base"] == "mambaorg/micromamba:2.6.1"
    assert run.codes() == {"EC817", "EC822"}
    run = docker("docker", "-", "--no-pip", "--format", "json", "--context", ".", data=data)
    assert [one["verdict"] for one in run.report()["reports"]] == ["ready"]
    assert docker("docker", ".", "--context", "nowhere").status == 2
    assert docker("docker", ".", "--build-arg", "TAG").status == 2
    assert docker("docker", ".", "--target", "nowhere").status == 2


def test_the_command_line_has_the_last_word(docker: CommandLine) -> None:
    options = ("--no-pip", "--format", "json", "-c", "bioconda", "--image", "ubuntu:20.04", "-p", "linux-64")
    report = docker("docker", "bad.Dockerfile", *options).report()["reports"][0]
    assert report["target"]["channels"][0]["name"] == "bioconda"
    assert report["target"]["virtual_packages"]["__glibc"] == "2.31"
    only = docker("docker", "bad.Dockerfile", *options, "--override-channels").report()["reports"][0]
    assert [one["name"] for one in only["target"]["channels"]] == ["bioconda"]


def test_select_ignore_fail_on_and_output(docker: CommandLine) -> None:
    assert docker("docker", "bad.Dockerfile", "--no-pip", "--fail-on", "never").status == 0
    assert docker("docker", "bad.Dockerfile", "--no-pip", "--select", "EC809").status == 0
    assert docker("docker", "bad.Dockerfile", "--no-pip", "--select", "EC809", "--fail-on", "warning").status == 1
    run = docker("docker", "bad.Dockerfile", "--no-pip", "--ignore", "EC8", "--format", "json", "-o", "report.json")
    assert run.output == ""
    assert "EC801" not in (docker.directory / "report.json").read_text(encoding="utf-8")
    assert docker("docker", ".", "--select", "EC899").status == 2


def test_cuda_without_a_driver(docker: CommandLine) -> None:
    text = (
        "FROM nvidia/cuda:11.8.0-runtime-ubuntu22.04\nCOPY --from=mambaorg/micromamba:2.6.1 /bin/micromamba /bin/\n"
        "RUN micromamba create -y -n x -c conda-forge python=3.10 'pytorch=2.1.0=cuda118*'\n"
    )
    docker.write("Dockerfile", text)
    assert "EC823" in docker("docker", ".", "--no-pip", "--format", "json").codes()
    docker.write("Dockerfile", text.replace("RUN", "ENV CONDA_OVERRIDE_CUDA=11.8\nRUN"))
    assert "EC823" not in docker("docker", ".", "--no-pip", "--format", "json").codes()


MISSING_CONDA = "FROM debian:12\nRUN conda install -y -c conda-forge numpy\n"


@pytest.mark.parametrize(
    ("text", "options", "first"),
    [
        # conda is not in the image: that its environment could be made does not build the Dockerfile.
        (MISSING_CONDA, (), "FIXABLE: 1 error, 2 notes in Dockerfile"),
        (MISSING_CONDA, ("--select", "EC825"), "FIXABLE: 1 error in Dockerfile"),
        (MISSING_CONDA, ("--ignore", "EC"), "FIXABLE: no problems shown in Dockerfile"),
        (GOOD, (), "READY: no problems in Dockerfile"),
        (GOOD, ("--select", "EC1"), "READY: no problems shown in Dockerfile"),
        (GOOD.replace("clean.yml", "clean.lock"), (), "SOUND: no problems in Dockerfile"),
        ("FROM debian:12\nRUN echo hi\n", (), "no problems in Dockerfile"),
        ("FROM debian:12\nRUN echo hi\n", ("--ignore", "EC8"), "no problems shown in Dockerfile"),
    ],
)
def test_the_first_line_says_what_comes_out_in_the_worst_case(
    docker: CommandLine, text: str, options: tuple[str, ...], first: str
) -> None:
    if "clean.lock" in text:
        assert docker("lock", "clean.yml", "--explicit", "clean.lock", "--no-pip").status == 0
    docker.write("Dockerfile", text)

    assert docker("docker", "Dockerfile", "--no-pip", *options).output.splitlines()[0] == first


def test_a_baseline_changes_no_verdict(docker: CommandLine) -> None:
    docker.write("Dockerfile", MISSING_CONDA)
    assert docker("docker", ".", "--no-pip", "--baseline", "known.json", "--update-baseline").status == 0
    run = docker("docker", ".", "--no-pip", "--baseline", "known.json")
    assert (run.status, run.output.splitlines()[0]) == (0, "FIXABLE: 2 notes in Dockerfile")


def test_a_lock_is_verified(docker: CommandLine) -> None:
    assert docker("lock", "clean.yml", "--explicit", "clean.lock", "--no-pip").status == 0
    docker.write("Dockerfile", GOOD.replace("clean.yml", "clean.lock"))
    document = docker("docker", ".", "--format", "json").report()
    assert [one["verdict"] for one in document["reports"]] == ["sound"]
    assert "SOUND" in docker("docker", ".").output


def test_secrets_are_shown_nowhere(docker: CommandLine) -> None:
    docker.write(
        "Dockerfile",
        "FROM condaforge/miniforge3:26.1.0-0\n"
        "RUN conda config --add channels http://me:hunter2@127.0.0.1:9/c && conda install -y numpy\n",
    )
    for extra in ((), ("--format", "json"), ("-v",)):
        run = docker("docker", ".", "--no-pip", *extra)
        assert "EC819" in run.output
        assert "hunter2" not in run.output + run.errors


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x7fELF" + b"\0" * 99, "no text"),
        (b"FROM x\nNONSENSE y\n", "Dockerfile:2: unknown instruction"),
    ],
)
def test_wrong_input_ends_with_2(docker: CommandLine, data: bytes, words: str) -> None:
    docker.write("Dockerfile", data)
    run = docker("docker", "Dockerfile")
    assert run.status == 2
    assert words in run.errors
    assert docker("docker", "nothing-here").status == 2


def test_the_next_command_writes_what_works(docker: CommandLine) -> None:
    docker.write("old.yml", "channels: [conda-forge]\ndependencies: [python=3.10, numpy=1.26.2=py310hf667824_0]\n")
    docker.write(
        "old.Dockerfile",
        "FROM mambaorg/micromamba:2.3.0\nCOPY old.yml /tmp/\nRUN micromamba create -y -n app -f /tmp/old.yml\n",
    )
    first = docker("docker", "old.Dockerfile", "--no-pip", "--context", ".")
    step = "envcheck docker old.Dockerfile --context . --no-pip --write Dockerfile.locked"

    assert sorted(first.errors.removeprefix("next: ").split()) == sorted(step.split()), first.output
    second = docker(*first.errors.removeprefix("next: envcheck ").split())
    assert second.errors.endswith("next: docker build -f Dockerfile.locked .\n"), second.errors
    assert docker("docker", "Dockerfile.locked", "--no-pip").errors == ""
    assert docker("docker", "old.Dockerfile", "--no-pip", "-q").errors == ""
    assert docker("docker", "-", "--no-pip", data=b"FROM mambaorg/micromamba:2.3.0\n").errors == ""


OLD = "channels: [conda-forge]\ndependencies: [python=3.10, numpy=1.26.2=py310hf667824_0]\n"
MAKES_OLD = "FROM mambaorg/micromamba:2.3.0\nCOPY old.yml /tmp/\nRUN micromamba create -y -n app -f /tmp/old.yml\n"
MORE = "RUN micromamba create -y -n more -c conda-forge {spec}\n"


def step_after(docker: CommandLine, *arguments: str) -> list[str]:
    """The words of the command that a run of ``envcheck docker`` ends with; empty where it ends with none."""
    run = docker("docker", *arguments)
    last = run.errors.splitlines()[-1] if run.errors else ""
    return shlex.split(last.removeprefix("next: ")) if last.startswith("next: ") else []


@pytest.mark.parametrize(
    ("dockerfile", "options", "to"),
    [
        ("Dockerfile", ("-p", "linux-64", "-p", "linux-64"), "Dockerfile.locked"),
        ("Dockerfile", ("-p", "linux-aarch64", "-p", "linux-64"), "Dockerfile.locked"),
        ("Dockerfile", ("-p", "linux-64", "-p", "linux-aarch64"), "Dockerfile.locked"),
        # Written is below the context, wherever the Dockerfile that was checked is.
        ("Dockerfile", ("--context", "deep/context"), "deep/context/Dockerfile.locked"),
        ("elsewhere/Dockerfile", ("--context", "deep/context"), "deep/context/Dockerfile.locked"),
        ("deep/context/Dockerfile", ("--context", "deep"), "deep/context/Dockerfile.locked"),
        ("deep/context/Dockerfile", (), "deep/context/Dockerfile.locked"),
    ],
)
def test_the_next_command_can_be_followed(
    docker: CommandLine, dockerfile: str, options: tuple[str, ...], to: str
) -> None:
    for folder in ("elsewhere", "deep/context"):
        (docker.directory / folder).mkdir(parents=True)
    for folder in ("", "deep/", "deep/context/"):
        docker.write(f"{folder}old.yml", OLD)
    docker.write(dockerfile, MAKES_OLD)

    program, *words = step_after(docker, dockerfile, "--no-pip", *options)

    assert (program, words[-2:]) == ("envcheck", ["--write", to])
    written = docker(*words)
    assert f"wrote {to}\nnext: docker build -f {to} " in written.errors, written.errors


@pytest.mark.parametrize(
    ("text", "options"),
    [
        # One of the environments has no plan, is not read, or asks a channel that does not answer.
        (MAKES_OLD + MORE.format(spec="nosuchpackage"), ("--no-pip",)),
        (MAKES_OLD + "RUN micromamba create -y -n more -f /tmp/missing.yml\n", ("--no-pip",)),
        (MAKES_OLD + "RUN micromamba create -y -n more -c http://127.0.0.1:9/none numpy\n", ("--no-pip",)),
        # A lock would not have what pip adds.
        (MAKES_OLD + "RUN micromamba run -n app pip install meteva\n", ("--no-pip",)),
        # They would go on making it.
        (MAKES_OLD.replace("2.3.0", "2.3.0 AS start").replace("RUN", "ONBUILD RUN") + "FROM start\n", ("--no-pip",)),
        (MAKES_OLD.replace("RUN micromamba", "COPY make.sh /\nRUN sh /make.sh #"), ("--no-pip",)),
        # envcheck wrote it.
        ("# Written by envcheck: but for this line.\n" + MAKES_OLD, ("--no-pip",)),
    ],
)
def test_what_cannot_be_written_is_no_next_command(docker: CommandLine, text: str, options: tuple[str, ...]) -> None:
    docker.write("old.yml", OLD)
    docker.write("make.sh", "micromamba create -y -n app -f /tmp/old.yml\n")
    docker.write("Dockerfile", MAKES_OLD)
    assert step_after(docker, "Dockerfile", *options) != []
    docker.write("Dockerfile", text)

    assert step_after(docker, "Dockerfile", *options) == []
    assert "No Dockerfile was written" in docker("docker", "Dockerfile", *options, "--write", "x").errors


def test_the_next_command_writes_over_nobody_elses_file(docker: CommandLine) -> None:
    docker.write("old.yml", OLD)
    docker.write("Dockerfile", MAKES_OLD)
    docker.write("Dockerfile.locked", "FROM debian:12\n")
    assert step_after(docker, "Dockerfile", "--no-pip")[-2:] == ["--write", "Dockerfile.envcheck"]
    docker.write("Dockerfile.envcheck", "FROM debian:12\n")
    assert step_after(docker, "Dockerfile", "--no-pip") == []


STAGES = (
    "ARG TAG\nFROM debian:12 AS first\n"
    f"{MAKES_OLD.replace('2.3.0', '$TAG')}RUN echo $GREETING\n"
    "FROM first AS last\nCOPY --from=1 /opt/conda/envs/app /opt/conda/envs/app\n"
)


@pytest.mark.parametrize(
    ("text", "options", "more"),
    [
        (
            STAGES,
            ("--build-arg", "TAG=2.3.0", "--build-arg", "GREETING=good day"),
            ["--build-arg", "TAG=2.3.0", "--build-arg", "GREETING=good day"],
        ),
        # The stage that makes the environment has come before it.
        (STAGES, ("--build-arg", "TAG=2.3.0", "--target", "1"), ["--build-arg", "TAG=2.3.0", "--target", "2"]),
        (STAGES, ("--build-arg", "TAG=2.3.0", "--target", "2"), ["--build-arg", "TAG=2.3.0", "--target", "last"]),
        (MAKES_OLD, (), []),
        (MAKES_OLD, ("-p", "linux-64"), ["--platform", "linux/amd64"]),
        (MAKES_OLD, ("-p", "linux-aarch64"), ["--platform", "linux/arm64"]),
        (MAKES_OLD.replace("COPY", "ENV CONDA_SUBDIR=linux-aarch64\nCOPY"), (), ["--platform", "linux/arm64"]),
        (MAKES_OLD.replace("FROM", "FROM --platform=linux/arm64"), (), []),
    ],
)
def test_the_build_is_that_of_what_was_checked(
    docker: CommandLine, text: str, options: tuple[str, ...], more: list[str]
) -> None:
    docker.write("old.yml", "channels: [conda-forge]\ndependencies: [tzdata]\n")  # which is there for every platform
    docker.write("Dockerfile", text)
    step = step_after(docker, "Dockerfile", "--no-pip", *options, "--write", "Dockerfile.locked")
    assert step == ["docker", "build", "-f", "Dockerfile.locked", *more, "."]
