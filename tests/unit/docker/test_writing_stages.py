"""The stages of a written Dockerfile: what they are built upon, and where environments go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.writing import STYLES, EnvironmentToWrite, write_dockerfile
from envcheck.docker.writing_builder import prefix_of_style
from envcheck.model import PipRequirement, PipRequirementKind
from tests.support.dockerfiles import build
from tests.support.written_dockerfiles import last_stage, report_of, told, written


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("continuumio/miniconda3", "debian:12-slim"),
        ("anaconda/miniconda:26.5.3", "debian:13-slim"),
        ("continuumio/miniconda3:4.7.12", "debian:12-slim"),
        ("condaforge/miniforge3:25.3.0-3", "ubuntu:24.04"),
        ("condaforge/mambaforge", "ubuntu:24.04"),
        ("mambaorg/micromamba:2.0.5-ubuntu22.04", "ubuntu:22.04"),
        ("ubuntu:latest", "ubuntu:24.04"),
        ("python:3.12-slim", "python:3.12-slim"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "nvidia/cuda:12.4.1-runtime-ubuntu22.04"),
        ("mambaorg/micromamba:2.0.5-cuda12.4.1-ubuntu22.04", "mambaorg/micromamba:2.0.5-cuda12.4.1-ubuntu22.04"),
        ("registry.example.org/team/base:7", "registry.example.org/team/base:7"),
    ],
)
def test_the_last_stage_is_built_upon_the_distribution(base: str, expected: str) -> None:
    result = written(f"FROM {base}\nCOPY environment.yml .\nRUN conda env create -f environment.yml\n", 3)
    assert last_stage(result).splitlines()[0] == f"FROM {expected}"


def test_other_stages_are_kept_as_they_are() -> None:
    other = 'FROM node:22.4.0-slim AS page\nWORKDIR /page\nRUN npm ci && npm run build\nCMD ["conda", "run", "x"]\n'
    text = (
        f"ARG TAG=24.9.2-0\n{other}FROM condaforge/miniforge3:${{TAG}}\nRUN mamba install -y numpy\n"
        "COPY --from=page /page/dist /srv\nCOPY --from=0 /page/other /srv\nCOPY --from=9 /x /y\n"
    )
    result = written(text, 7, name="base", stage=1)
    assert other in result.text
    assert "ARG TAG=24.9.2-0\n" in result.text
    parsed = read_dockerfile(result.text.encode(), "x")
    assert [stage.name for stage in parsed.stages] == ["page", "environment", None]
    assert "COPY --from=0 /page/other /srv\n" in result.text


def test_numbers_of_stages_move_with_the_stage_put_before_them() -> None:
    text = (
        "FROM continuumio/miniconda3\nRUN conda install -y numpy\n"
        "FROM debian:12-slim\nCOPY --from=0 /opt/conda /opt/conda\n"
    )
    assert "COPY --from=1 /opt/conda /opt/conda\n" in written(text, 2, name="base").text


def test_a_name_that_is_taken_is_not_used_again() -> None:
    text = "FROM debian:12 AS environment\nFROM continuumio/miniconda3\nRUN conda install -y numpy\n"
    names = [one.name for one in read_dockerfile(written(text, 3, name="base", stage=1).text.encode(), "x").stages]
    assert names == ["environment", "locked-environment", None]


def test_the_platform_of_from_is_the_builders_too() -> None:
    text = "FROM --platform=linux/amd64 continuumio/miniconda3 AS app\nRUN conda install -y numpy\n"
    result = written(text, 2, name="base")
    assert "FROM --platform=linux/amd64 mambaorg/micromamba" in result.text
    assert "FROM --platform=linux/amd64 debian:12-slim AS app\n" in result.text
    assert "uname" not in result.text


def test_several_environments_have_a_stage_and_a_lock_each() -> None:
    text = (
        "FROM mambaorg/micromamba:2.0.5\nRUN micromamba create -y -n one numpy\n"
        "RUN micromamba create -y -n two scipy\nENV PATH=/opt/conda/envs/two/bin:$PATH\n"
    )
    parsed = read_dockerfile(text.encode(), "Dockerfile")
    environments = [
        EnvironmentToWrite(report=report_of(), name=name, stage=0, lines=(line,))
        for name, line in (("one", 2), ("two", 3))
    ]
    result = write_dockerfile(parsed, text, environments)
    assert "conda-linux-64.one.lock" in dict(result.files)
    assert "conda-linux-64.two.pip.txt" in dict(result.files)
    assert "AS environment-one\n" in result.text
    assert "COPY --from=environment-two --chown=mambauser:mambauser /opt/conda/envs/two" in result.text
    assert result.text.count("CONDA_PREFIX=") == 1
    assert "CONDA_PREFIX=/opt/conda/envs/two" in result.text


COPIED = """\
FROM mambaorg/micromamba:2.6.1 AS builder
COPY environment.yml /e.yml
RUN micromamba install -y -n base -f /e.yml
FROM debian:13-slim
COPY --chown=root --from=builder /opt/conda /opt/conda
ENV PATH=/opt/conda/bin:$PATH
CMD ["python", "-m", "demo"]
"""


@pytest.mark.parametrize("style", STYLES)
def test_a_stage_that_copies_the_environment_gets_it_from_where_it_is(tmp_path: Path, style: str) -> None:
    result = written(COPIED, 3, style=style, name="base", prefix="/opt/conda")
    last = last_stage(result)
    again = build(tmp_path, result.text, dict(result.files))
    prefix = prefix_of_style(style, "/opt/conda")
    assert prefix in {one.prefix for one in again.followed.environments}
    assert f"{prefix} {prefix}\n" in last
    assert f"PATH={prefix}/bin:$PATH" in last
    assert dict(again.followed.variables)["PATH"].split(":")[0] == f"{prefix}/bin"
    assert [one for one in again.findings if one.severity.value == "error"] == []
    # The style's own place is copied, and nothing that is not there.
    assert ("COPY --chown=root --from=builder /opt/conda /opt/conda" in last) is (prefix == "/opt/conda")


def test_a_path_that_is_set_anew_where_the_environment_was_copied_gets_it_back() -> None:
    text = COPIED.replace("ENV PATH=/opt/conda/bin:$PATH", "ENV PATH=/usr/bin:/bin")
    last = last_stage(written(text, 3, name="base", prefix="/opt/conda"))
    assert last.index("ENV PATH=/usr/bin:/bin") < last.rindex("ENV PATH=/opt/conda/bin:$PATH")


def test_what_an_activation_gave_a_stage_is_on_path_there() -> None:
    text = COPIED.replace(
        "ENV PATH=/opt/conda/bin:$PATH", 'RUN eval "$(micromamba shell hook)" && micromamba activate && git x'
    )
    last = last_stage(written(text, 3, name="base", prefix="/opt/conda"))
    assert last.index("PATH=/opt/conda/bin:$PATH") < last.index("RUN git x")


def test_a_comment_behind_what_is_left_out_goes_with_it() -> None:
    text = "FROM anaconda/miniconda:26.1.1-1\nRUN conda env create -f environment.yml  # successful\nRUN ls\n"
    assert "successful" not in written(text, 2).text
    text = text.replace("# successful", "&& ls /x # why")
    assert "RUN ls /x\n" in written(text, 2).text


def test_what_the_lock_cannot_hold_is_told() -> None:
    text = "FROM anaconda/miniconda:26.1.1-1\nCOPY environment.yml .\nRUN conda env create\n"
    report = report_of()
    row = PipRequirement(kind=PipRequirementKind.EDITABLE, line=9, text="-e .[all]")
    report = replace(report, environment=replace(report.environment, pip=(*report.environment.pip, row)))
    assert "'-e .[all]' is not in the lock" in told(written(text, 3, report=report))
    assert "only the dependencies of own" in told(written(text, 3, only_dependencies=("own",)))


@pytest.mark.parametrize(
    ("style", "taken", "expected"),
    [
        ("conda-lock", "conda-lock.yml", "conda-lock.locked.yml"),
        ("micromamba", "conda-linux-64.lock", "conda-linux-64.locked.lock"),
        ("pixi", "pixi.toml", "pixi-locked/pixi.lock"),
    ],
)
def test_a_name_that_is_somebody_elses_is_not_taken(style: str, taken: str, expected: str) -> None:
    text = "FROM anaconda/miniconda:26.1.1-1\nCOPY environment.yml .\nRUN conda env create\n"
    result = written(text, 3, style=style, taken=(taken,))
    assert expected in {name for name, _ in result.files}
    assert expected in result.text
