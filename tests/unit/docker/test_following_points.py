"""One small Dockerfile for each way in which environments, channels and files come into an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.docker.followed import FileFate, MadeEnvironment
from tests.support.dockerfiles import Built, build

MICROMAMBA = "FROM mambaorg/micromamba:2.6.1\n"
MINICONDA = "FROM anaconda/miniconda:26.1.1-1\n"
MINIFORGE = "FROM condaforge/miniforge3:26.3.2-3\n"
PIXI = "FROM ghcr.io/prefix-dev/pixi:0.76.1\n"
DEBIAN = "FROM debian:13\n"

FILES = {
    "rc": "channels: [internal]\nchannel_priority: strict\n",
    "requirements.txt": "flask==3.0.0\n",
    "scripts/make.sh": "#!/bin/bash\nset -e\nmicromamba install -y -c conda-forge scipy\n",
    "scripts/other.py": "#!/usr/bin/env python\nprint()\n",
}


def made_by(built: Built) -> list[tuple[int, str, str]]:
    """Line, tool and prefix of every environment."""
    return [(one.line, one.tool, one.prefix) for one in built.followed.environments]


def last(built: Built) -> MadeEnvironment:
    return built.followed.environments[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # heredocs
        (
            MINICONDA
            + "COPY environment.yml /e\nRUN <<EOF\nset -e\nconda env create -f /e\nconda install -yn demo a\nEOF\n",
            [(5, "conda", "/opt/conda/envs/demo"), (6, "conda", "/opt/conda/envs/demo")],
        ),
        (
            MINICONDA + "RUN <<A <<B\nconda install -y a\nA\nconda install -y b\nB\n",
            [(3, "conda", "/opt/conda"), (5, "conda", "/opt/conda")],
        ),
        (MINICONDA + "RUN bash -e <<EOF\nset -x\nconda install -y a\nEOF\n", [(4, "conda", "/opt/conda")]),
        (MINICONDA + "RUN <<EOF\n#!/bin/bash -e\nconda install -y a\nEOF\n", [(4, "conda", "/opt/conda")]),
        (MINICONDA + "RUN <<EOF\n#!/usr/bin/env python\nconda install -y a\nEOF\n", []),
        # scripts
        (MINICONDA + "RUN cat > /s.sh <<'E'\nconda install -y a\nE\nRUN sh /s.sh\n", [(5, "conda", "/opt/conda")]),
        (MICROMAMBA + "COPY scripts /s\nRUN bash -e /s/make.sh\n", [(3, "micromamba", "/opt/conda")]),
        (MICROMAMBA + "COPY scripts /s\nRUN cd /s && ./make.sh\n", [(3, "micromamba", "/opt/conda")]),
        (MICROMAMBA + "COPY scripts /s\nRUN /s/other.py && python /s/other.py\n", []),
        # triggers
        (
            MINICONDA.replace("\n", " AS b\n")
            + "ONBUILD COPY environment.yml /e\nONBUILD RUN conda env create -f /e\nFROM b\nRUN ls\n",
            [(3, "conda", "/opt/conda/envs/demo")],
        ),
        (MINICONDA + "ONBUILD RUN conda install -y a\n", []),
        ("FROM pangeo/base-image:2024.03.13\n", [(1, "mamba", "/srv/conda/envs/notebook")]),
        # installers
        (
            DEBIAN + "RUN wget https://x/Miniforge3-Linux-x86_64.sh && bash Miniforge3-Linux-x86_64.sh -b -p /opt/mf\n"
            "ENV PATH=/opt/mf/bin:$PATH\nRUN mamba create -yn w a\n",
            [(4, "mamba", "/opt/mf/envs/w")],
        ),
        (
            DEBIAN + "ADD https://x/Miniconda3-latest-Linux-x86_64.sh /m.sh\nRUN bash /m.sh -bfp /c\n"
            "RUN /c/bin/conda create -yn w a\n",
            [(4, "conda", "/c/envs/w")],
        ),
        # tools
        (MINIFORGE + "COPY environment.yml .\nRUN mamba env update --prune\n", [(3, "mamba", "/opt/conda/envs/demo")]),
        (PIXI + "WORKDIR /app\nCOPY . .\nRUN pixi install -e prod\n", [(4, "pixi", "/app/.pixi/envs/prod")]),
        (PIXI + "COPY . /a\nRUN cd /a && pixi install && pixi run b\n", [(3, "pixi", "/a/.pixi/envs/default")]),
        (PIXI + "COPY . /a\nRUN cd /a && pixi run b\n", [(3, "pixi", "/a/.pixi/envs/default")]),
        (MINICONDA + "RUN conda install -y --download-only gcc && conda update -y conda\n", []),
        (MINICONDA + "RUN for p in a b; do conda install -y $p; done\n", [(2, "conda", "/opt/conda")]),
        # variables
        (
            "ARG V=2.6.1\nARG R=mambaorg\nFROM ${R}/micromamba:${V} AS x\nRUN micromamba install -y -c x a\n",
            [(4, "micromamba", "/opt/conda")],
        ),
        (
            "ARG T\nFROM anaconda/miniconda:${T:-26.1.1-1}\nARG P='a b'\nRUN conda install -y ${P}\n",
            [(4, "conda", "/opt/conda")],
        ),
        (
            "# syntax=docker/dockerfile:1\n# escape=`\nFROM x/y\nRUN conda install -y `\n  a\n",
            [(4, "conda", "/opt/conda")],
        ),
    ],
)
def test_what_makes_environments_is_found(tmp_path: Path, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert made_by(build(tmp_path, text, FILES)) == expected


@pytest.mark.parametrize(
    ("text", "channels", "priority"),
    [
        (MINICONDA + "COPY rc /opt/conda/.condarc\nRUN conda install -y a\n", ["internal"], "strict"),
        (MINICONDA + "COPY rc /opt/conda/condarc.d/x.yml\nRUN conda install -y a\n", ["internal"], "strict"),
        (MICROMAMBA + "COPY rc /home/mambauser/.mambarc\nRUN micromamba install -y a\n", ["internal"], "strict"),
        (
            MINICONDA + "ENV CONDA_CHANNELS=a,b CONDA_CHANNEL_PRIORITY=strict\nRUN conda install -y x\n",
            ["a", "b"],
            "strict",
        ),
        (
            MICROMAMBA + "ENV MAMBA_CHANNELS=a MAMBA_CHANNEL_PRIORITY=strict\nRUN micromamba install -y x\n",
            ["a"],
            "strict",
        ),
        (MINICONDA + "RUN CONDA_CHANNELS=a conda install -y x\n", ["a"], "flexible"),
        (MINICONDA + "RUN export CONDA_CHANNELS=a && conda install -y x\n", ["a"], "flexible"),
        (
            MINICONDA + "RUN conda config --set channel_priority strict\nRUN conda install -y x\n",
            ["defaults"],
            "strict",
        ),
        (
            MINICONDA + "RUN conda config --system --add channels a && conda config --env --prepend channels b \\\n"
            " && conda config --file /opt/conda/.condarc --append channels c\nRUN conda install -y x\n",
            ["b", "a", "defaults", "c"],
            "flexible",
        ),
        (MINIFORGE + "RUN mamba config append channels a\nRUN mamba install -y x\n", ["conda-forge", "a"], "flexible"),
        ("FROM quay.io/condaforge/linux-anvil-x86_64:alma9\nRUN conda install -y x\n", ["conda-forge"], "strict"),
    ],
)
def test_channels_and_their_priority(tmp_path: Path, text: str, channels: list[str], priority: str) -> None:
    made = last(build(tmp_path, text, FILES))
    assert [one.text for one in made.configured] == channels
    assert made.priority == priority


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            "ENV PIP_INDEX_URL=https://m/simple PIP_EXTRA_INDEX_URL='https://a https://b'\nRUN pip install flask\n",
            [
                ("--index-url", "https://m/simple"),
                ("--extra-index-url", "https://a"),
                ("--extra-index-url", "https://b"),
            ],
        ),
        ("ENV PIP_INDEX_URL=https://m/simple\nRUN pip install -i https://o flask\n", [("--index-url", "https://o")]),
        (
            "RUN pip config set global.index-url https://m/simple\nRUN pip install flask\n",
            [("--index-url", "https://m/simple")],
        ),
        ("ENV UV_DEFAULT_INDEX=https://u\nRUN uv pip install --system flask\n", [("--index-url", "https://u")]),
        ("ENV UV_DEFAULT_INDEX=https://u\nRUN pip install flask\n", []),
    ],
)
def test_package_indexes_of_pip(tmp_path: Path, text: str, options: list[tuple[str, str]]) -> None:
    pip = last(build(tmp_path, "FROM python:3.13-slim\n" + text)).pip
    assert pip is not None
    assert list(pip.options) == options


@pytest.mark.parametrize(
    "text",
    [
        DEBIAN.replace("\n", " AS f\n")
        + "COPY environment.yml /x/\n"
        + MINICONDA
        + "COPY --from=f /x /y\nRUN conda env create -f /y/environment.yml\n",
        DEBIAN.replace("\n", " AS f\n")
        + "COPY . /x/\n"
        + MINICONDA
        + "RUN --mount=type=bind,from=f,source=/x,target=/y conda env create -f /y/environment.yml\n",
        MICROMAMBA + "COPY --chown=$MAMBA_USER:$MAMBA_USER environment.yml /tmp/e.yaml\n"
        "RUN micromamba install -y -n base -f /tmp/e.yaml\n",
    ],
)
def test_files_of_stages_and_mounts_are_read(tmp_path: Path, text: str) -> None:
    (used,) = last(build(tmp_path, text)).files
    assert (used.fate, used.context_path) == (FileFate.READ, "environment.yml")


def test_a_file_that_a_condition_asks_for_may_be_missing(tmp_path: Path) -> None:
    text = MINICONDA + "COPY . /s\nRUN if [ -f /s/none.yml ]; then conda env create -f /s/none.yml; fi\n"
    built = build(tmp_path, text)
    assert last(built).files[0].fate is FileFate.UNKNOWN
    assert built.codes() == {"EC817", "EC822"}


def test_what_is_fetched_is_not_known(tmp_path: Path) -> None:
    built = build(tmp_path, MINICONDA + "ADD https://x.example/e.yml /e.yml\nRUN conda env create -n x -f /e.yml\n")
    assert last(built).files[0].fate is FileFate.UNKNOWN
    assert not built.of("EC813")


def test_words_that_only_a_run_knows_are_told(tmp_path: Path) -> None:
    built = build(tmp_path, MINICONDA + "RUN for p in x; do conda install -y $p; done\n")
    assert [one.line for one in built.of("EC822")] == [2]
    built = build(tmp_path, MINICONDA + "RUN conda install -y numpy scipy-$(date)\n")
    assert "without the words" in "".join(one.message for one in built.of("EC822"))


def test_an_environment_is_asked_about_for_the_oldest_image_that_it_is_in(tmp_path: Path) -> None:
    text = MICROMAMBA.replace("\n", " AS b\n") + "RUN micromamba install -y -c x a\nFROM b AS c\n"
    text += "FROM {}\nCOPY --from=c /opt/conda /o\n"
    (question,) = build(tmp_path, text.format("centos:7")).questions
    assert question.image == "centos:7"
    (question,) = build(tmp_path, text.format("ubuntu:26.04")).questions
    assert question.image == "mambaorg/micromamba:2.6.1"
    (question,) = build(tmp_path, text.format("team/own")).questions
    assert question.image == "mambaorg/micromamba:2.6.1"


def test_the_cuda_of_micromamba_images_is_overridden(tmp_path: Path) -> None:
    text = "FROM mambaorg/micromamba:2.6.1-cuda12.4.1-ubuntu22.04\nRUN micromamba install -y -c conda-forge pytorch\n"
    (question,) = build(tmp_path, text).questions
    assert question.virtual_packages == ("__cuda=12.4",)


def test_a_context_decides_what_an_image_installs_by_itself(tmp_path: Path) -> None:
    text = "FROM pangeo/base-image:2024.03.13\n"
    built = build(tmp_path, text, {"binder/environment.yml": "dependencies: [xarray]\n"})
    assert [one.context_path for one in last(built).files] == ["binder/environment.yml"]
    (tmp_path / "binder" / "environment.yml").unlink()
    built = build(tmp_path, text, {"binder/postBuild": ""})
    assert [text for text, _ in last(built).specs] == ["pangeo-notebook"]


def test_another_environment_of_a_pixi_lock_is_not_taken_for_the_default_one(tmp_path: Path) -> None:
    lock = "version: 6\nenvironments:\n  default: {}\n  prod: {}\npackages: []\n"
    built = build(tmp_path, PIXI + "WORKDIR /app\nCOPY . .\nRUN pixi install --locked -e prod\n", {"pixi.lock": lock})
    assert built.questions == []
    assert "the default environment is read, and not prod" in built.of("EC822")[0].message
