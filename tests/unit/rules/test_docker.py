"""Every rule about Dockerfiles fires where it should and is silent where it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.model import Severity
from envcheck.rules.about_dockerfiles import DOCKER_RULES
from tests.support.dockerfiles import ENVIRONMENT, build

MICROMAMBA = "FROM mambaorg/micromamba:2.6.1\n"
MINICONDA = "FROM anaconda/miniconda:26.1.1-1\n"
FORGE = "FROM condaforge/miniforge3:26.1.0-0\n"
COPY = "COPY environment.yml /e.yml\n"
BASE = COPY + "RUN micromamba install -y -n base -f /e.yml\n"
CREATE = COPY + "RUN conda env create -f /e.yml && conda clean -afy\n"
INSTALL = "RUN conda install -y numpy && conda clean -afy\n"
MINICONDA_INSTALLER = (
    "FROM debian:13\n"
    "RUN curl -o m.sh https://repo.anaconda.com/miniconda/Miniconda3-{}-Linux-x86_64.sh \\\n && bash m.sh -b\n"
)
LOCK = "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/zlib-1.2.13-h166bdaf_4.conda\n"

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

FIRES = [
    ("EC801", MINICONDA + CREATE + "RUN conda activate demo\n", ERROR, 4),
    ("EC801", MINICONDA + CREATE + "RUN conda activate demo && python x.py\n", ERROR, 4),
    ("EC801", MINICONDA + CREATE + "RUN source activate demo && python x.py\n", ERROR, 4),
    ("EC801", MINICONDA + CREATE + 'SHELL ["/bin/bash", "-lc"]\nRUN conda activate demo\n', WARNING, 5),
    ("EC801", MICROMAMBA + "RUN micromamba activate base\n", WARNING, 2),
    ("EC802", MINICONDA + "COPY environment.yml /e.txt\nRUN conda env create -f /e.txt -n x\n", ERROR, 3),
    ("EC802", MINICONDA + "COPY list.txt /l.txt\nRUN conda env create -f /l.txt\n", ERROR, 3),
    ("EC802", MINICONDA + "COPY list.txt /l.txt\nRUN conda env create -f /l.txt -n x\n", WARNING, 3),
    ("EC802", MINICONDA + "COPY list.txt /l.list\nRUN conda env create -f /l.list -n x\n", ERROR, 3),
    ("EC803", MINICONDA + "RUN conda install numpy\n", INFO, 2),
    ("EC804", MINICONDA + "RUN conda config --append channels conda-forge\n" + INSTALL, INFO, 2),
    (
        "EC804",
        MINICONDA
        + "RUN conda config --append channels conda-forge && conda config --set channel_priority strict\n"
        + INSTALL,
        WARNING,
        2,
    ),
    (
        "EC805",
        MINICONDA + "RUN conda config --add channels https://mirrors.aliyun.com/anaconda/pkgs/free\n",
        WARNING,
        2,
    ),
    (
        "EC806",
        MINICONDA + "RUN conda config --add channels https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/nvidia\n",
        ERROR,
        2,
    ),
    ("EC807", MINICONDA + CREATE + 'CMD ["python", "app.py"]\n', WARNING, 4),
    ("EC807", MINICONDA + CREATE + "CMD python app.py\n", WARNING, 4),
    ("EC808", "FROM ubuntu\n", WARNING, 1),
    ("EC808", "FROM ubuntu:latest\n", WARNING, 1),
    ("EC808", "FROM rockylinux\n", ERROR, 1),
    ("EC808", "FROM nvidia/cuda:latest\n", ERROR, 1),
    ("EC809", "FROM continuumio/miniconda3:24.1.2-0\n", WARNING, 1),
    ("EC809", "FROM debian:buster-slim\n", WARNING, 1),
    ("EC809", "FROM tomcat:9-jdk17-temurin-focal\n", WARNING, 1),
    ("EC809", "FROM amazonlinux:2\n", WARNING, 1),
    ("EC809", "FROM python:3.8-slim\n", WARNING, 1),
    ("EC809", "FROM jupyter/scipy-notebook:2023-10-20\n", WARNING, 1),
    ("EC809", "FROM quay.io/condaforge/linux-anvil-cos7-x86_64:latest\n", WARNING, 1),
    ("EC810", "FROM alpine:3.20\nRUN micromamba install -y -c conda-forge numpy\n", ERROR, 2),
    ("EC810", MICROMAMBA.replace("\n", " AS b\n") + BASE + "FROM alpine:3.22\nCOPY --from=b /opt/conda /o\n", ERROR, 5),
    ("EC811", MINICONDA_INSTALLER.format("latest") + INSTALL, WARNING, 4),
    ("EC811", MINICONDA_INSTALLER.format("py312_25.7.0-2") + INSTALL, WARNING, 4),
    ("EC812", MINICONDA + "RUN conda env create -f /e.yml\n" + COPY, ERROR, 2),
    ("EC812", MINICONDA + "WORKDIR /w\nRUN conda env create -f environment.yml\nCOPY . .\n", ERROR, 3),
    ("EC813", MINICONDA + "COPY environment.yml nothing.yml /x/\n", ERROR, 2),
    ("EC813", MINICONDA + "COPY . /x/\nRUN conda env create -f /x/env.yml\n", ERROR, 3),
    ("EC813", "FROM ghcr.io/prefix-dev/pixi:0.60.0\nWORKDIR /app\nCOPY . .\nRUN pixi install --locked\n", ERROR, 4),
    ("EC814", MINICONDA + "COPY kept.out /x\n", ERROR, 2),
    ("EC814", MINICONDA + "COPY . /x\nRUN conda install -y --file /x/kept.out\n", ERROR, 3),
    ("EC815", MINICONDA + "COPY sub\\environment.yml /x/\n", ERROR, 2),
    ("EC815", MINICONDA + "COPY C:\\work\\environment.yml /x/\n", ERROR, 2),
    ("EC815", MINICONDA + COPY + "RUN conda env create -f C:\\work\\e.yml\n", ERROR, 3),
    ("EC816", (MINICONDA + CREATE).encode("utf-16"), ERROR, 1),
    ("EC817", MINICONDA + "RUN conda install -y numpy\n", INFO, 2),
    ("EC817", "FROM python:3.11-slim\nRUN pip install flask\n", INFO, 2),
    (
        "EC818",
        MICROMAMBA.replace("FROM", "FROM --platform=linux/arm64")
        + "COPY env.lock /\nRUN micromamba install -y -n base -f /env.lock\n",
        ERROR,
        3,
    ),
    ("EC819", MINICONDA + "RUN conda config --add channels https://me:hunter2@x.example/c\n", WARNING, 2),
    ("EC819", "FROM python:3.11\nRUN pip install -i https://me:hunter2@x.example/simple flask\n", WARNING, 2),
    ("EC820", MINICONDA + "RUN conda install -y numpy>=1.20\n", ERROR, 2),
    ("EC821", "FROM example.com/our/base:1\nRUN conda install -y numpy\n", INFO, 1),
    ("EC822", MINICONDA + "RUN curl -O https://x/e.yml && conda env create -f e.yml\n", INFO, 2),
    ("EC822", MINICONDA + "COPY . /s\nRUN bash /s/none.sh\n", INFO, 3),
    ("EC822", MINICONDA + "RUN ./make.sh && ls\n", INFO, 2),
    ("EC824", MINICONDA + CREATE + 'CMD ["conda", "run", "-n", "other", "python"]\n', ERROR, 4),
    ("EC824", MINICONDA + CREATE + 'SHELL ["conda", "run", "-n", "other", "/bin/bash", "-c"]\n', ERROR, 4),
    ("EC824", MINICONDA + CREATE + 'ENTRYPOINT ["/opt/conda/envs/other/bin/python", "app.py"]\n', ERROR, 4),
    ("EC824", MINICONDA + CREATE + "ENV PATH /opt/conda/envs/env/bin:$PATH\n", WARNING, 4),
    ("EC825", "FROM python:3.13-slim\n" + INSTALL, ERROR, 2),
    ("EC825", MINICONDA + COPY + "RUN mamba env create -f /e.yml\n", ERROR, 3),
    ("EC825", "FROM debian:13 AS a\nFROM a\nRUN micromamba install -y -c conda-forge numpy\n", ERROR, 3),
    (
        "EC825",
        MINICONDA.replace("\n", " AS b\n") + CREATE + "FROM debian:13-slim\nCOPY environment.yml /\n"
        'CMD ["conda", "run", "-n", "demo", "python"]\n',
        ERROR,
        6,
    ),
    ("EC826", "FROM condaforge/miniforge3\nRUN conda clean -tipsy\n", ERROR, 2),
    ("EC826", MINICONDA + "RUN conda install -y numpy && \\\n    conda clean -y --source-cache\n", ERROR, 3),
    ("EC802", MINICONDA + "COPY pip.txt /l.txt\nRUN conda env create -f /l.txt -n x\n", ERROR, 3),
    ("EC832", MINICONDA + "COPY base.yml /b.yml\nRUN conda env create -f /b.yml\n", ERROR, 3),
    ("EC832", MINICONDA + "COPY noname.yml /b.yml\nRUN conda env create -f /b.yml\n", ERROR, 3),
    ("EC832", MINICONDA + "RUN conda create -yn base numpy\n", ERROR, 2),
    ("EC832", MINICONDA + CREATE + "RUN conda env create -f /e.yml\n", ERROR, 4),
    (
        "EC832",
        MINICONDA + "COPY base.yml /b.yml\nRUN if [ -f /b.yml ]; then conda env create -f /b.yml; fi\n",
        WARNING,
        3,
    ),
    ("EC829", MINICONDA + CREATE + "COPY sub /opt/conda/etc/conda/activate.d/\n", WARNING, 4),
    ("EC830", MINICONDA + INSTALL + 'CMD ["python", "/app/main.py"]\n', WARNING, 3),
    ("EC830", MINICONDA + INSTALL + "WORKDIR /w\nCOPY . .\nCMD python -u main.py --port 1\n", WARNING, 5),
    ("EC831", MINICONDA + CREATE + 'CMD ["conda", "run", "-n", "demo", "python", "-m", "demo"]\n', INFO, 4),
    (
        "EC828",
        MICROMAMBA.replace("FROM", "FROM --platform=$BUILDPLATFORM").replace("\n", " AS b\n")
        + BASE
        + "FROM --platform=linux/arm64 debian:13\nCOPY --from=b /opt/conda /opt/conda\n",
        ERROR,
        5,
    ),
    ("EC827", "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n", INFO, 1),
]

SILENT = [
    ("EC801", MINICONDA + CREATE + "RUN . /opt/conda/etc/profile.d/conda.sh && conda activate demo && python x.py\n"),
    ("EC801", MINICONDA + CREATE + 'SHELL ["/bin/bash", "-lc"]\nRUN conda activate demo && python x.py\n'),
    ("EC801", MINICONDA + CREATE + 'RUN bash -lc "conda activate demo && python x.py"\n'),
    ("EC801", MINICONDA + CREATE + 'RUN bash -c "source activate demo && python x.py"\n'),
    ("EC801", MINICONDA + CREATE + 'RUN eval "$(conda shell.bash hook)" && conda activate demo && python x.py\n'),
    ("EC801", MINICONDA + CREATE + "RUN echo 'conda activate demo' >> ~/.bashrc\n"),
    ("EC802", MINICONDA + CREATE),
    ("EC803", MINICONDA + "RUN conda install -y a && conda install --yes b && conda create -qyn c d\n"),
    ("EC803", MINICONDA + "ENV CONDA_ALWAYS_YES=true\nRUN conda install a\n"),
    ("EC803", MINICONDA + "RUN conda config --set always_yes yes && conda install a\n"),
    ("EC803", MINICONDA + "RUN yes | conda install a\n"),
    ("EC804", MINICONDA + "RUN conda config --add channels conda-forge\n" + INSTALL),
    ("EC804", MINICONDA + CREATE),
    ("EC805", MINICONDA + "RUN conda config --add channels conda-forge\n"),
    (
        "EC806",
        MINICONDA + "RUN conda config --add channels https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge\n",
    ),
    ("EC807", MINICONDA + CREATE + 'ENV PATH=/opt/conda/envs/demo/bin:$PATH\nCMD ["python", "app.py"]\n'),
    ("EC807", MINICONDA + CREATE + 'CMD ["conda", "run", "-n", "demo", "python", "app.py"]\n'),
    ("EC807", MINICONDA + CREATE + 'CMD ["/opt/conda/envs/demo/bin/python", "app.py"]\n'),
    ("EC807", MINICONDA + INSTALL + 'CMD ["python", "app.py"]\n'),
    ("EC807", MICROMAMBA + COPY + 'RUN micromamba install -y -n base -f /e.yml\nCMD ["python"]\n'),
    ("EC808", "FROM ubuntu:24.04\n"),
    ("EC808", "FROM ubuntu@sha256:" + "0" * 64 + "\n"),
    ("EC808", "FROM ubuntu:24.04 AS a\nFROM a\n"),
    ("EC808", "FROM ubuntu:24.04\nCOPY environment.yml /\nFROM scratch\nCOPY --from=0 /e /e\n"),
    ("EC809", MINICONDA),
    ("EC809", "FROM debian:12\n"),
    ("EC809", "FROM quay.io/jupyter/scipy-notebook:2025-03-14\n"),
    ("EC809", "FROM rockylinux/rockylinux:8\n"),
    ("EC809", "FROM python:3.13-slim\n"),
    ("EC810", "FROM continuumio/miniconda3:4.12.0-alpine\n" + INSTALL),
    ("EC810", "FROM frolvlad/alpine-miniconda3\n" + INSTALL),
    ("EC810", MICROMAMBA.replace("\n", " AS b\n") + BASE + "FROM debian:13\nCOPY --from=b /opt/conda /opt/conda\n"),
    ("EC810", "FROM mambaorg/micromamba:2.6.1-alpine3.20\nRUN micromamba install -y -c conda-forge numpy\n"),
    ("EC810", "FROM frolvlad/alpine-glibc:alpine-3.20\nRUN micromamba install -y -c conda-forge numpy\n"),
    ("EC810", "FROM alpine:3.20\nRUN apk add bash\n"),
    ("EC811", MINICONDA + INSTALL),
    ("EC811", MINICONDA_INSTALLER.format("py311_23.5.2-0") + INSTALL),
    ("EC811", MINICONDA_INSTALLER.format("latest") + "RUN conda tos accept\n" + INSTALL),
    ("EC811", MINICONDA_INSTALLER.format("latest") + "ENV CONDA_PLUGINS_AUTO_ACCEPT_TOS=yes\n" + INSTALL),
    ("EC811", MINICONDA_INSTALLER.format("latest") + "RUN conda install -y --override-channels -c conda-forge a\n"),
    ("EC812", MINICONDA + CREATE),
    ("EC812", MINICONDA + "RUN curl -o /e.yml x\nRUN conda env create -f /e.yml\nCOPY environment.yml /f.yml\n"),
    ("EC813", MINICONDA + "COPY environment.yml missing* /x/\n"),
    ("EC813", MINICONDA + "COPY --from=ghcr.io/x/y:1 /nothing /x\nADD https://x.example/y /z\n"),
    ("EC813", MINICONDA + "ARG FOLDER\nCOPY $FOLDER/nothing.yml /x/\n"),
    ("EC813", "FROM ghcr.io/prefix-dev/pixi:0.60.0\nWORKDIR /app\nCOPY . .\nRUN pixi install\n"),
    ("EC813", MINICONDA + "COPY . /x/\nRUN conda list --explicit > /x/l.txt\nRUN conda create -yn y --file /x/l.txt\n"),
    ("EC814", MINICONDA + CREATE),
    ("EC815", MINICONDA + COPY + "RUN printf 'a\\nb' && echo \"c\\td\" | sed 's/\\s//'\n"),
    ("EC815", "# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\nCOPY environment.yml C:\\app\\\n"),
    ("EC816", MINICONDA),
    ("EC817", MINICONDA + INSTALL),
    ("EC817", MINICONDA + "RUN --mount=type=cache,target=/opt/conda/pkgs conda install -y numpy\n"),
    ("EC817", "FROM python:3.11-slim\nRUN pip install --no-cache-dir flask\n"),
    ("EC817", "FROM python:3.11-slim\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\n"),
    ("EC817", MINICONDA.replace("\n", " AS a\n") + "RUN conda install -y numpy\nFROM debian:13\nCOPY --from=a /o /o\n"),
    ("EC818", MICROMAMBA + "COPY env.lock /\nRUN micromamba install -y -n base -f /env.lock\n"),
    ("EC819", MINICONDA + "RUN conda config --add channels https://x.example/c\n"),
    ("EC820", MINICONDA + "RUN conda install -y 'numpy>=1.20' > /dev/null\n"),
    ("EC821", MINICONDA + INSTALL),
    ("EC822", MINICONDA_INSTALLER.format("latest")),
    ("EC824", MINICONDA + CREATE + 'CMD ["conda", "run", "-n", "demo", "python"]\n'),
    ("EC824", MINICONDA + "RUN /setup.sh\n" + 'CMD ["conda", "run", "-n", "other", "python"]\n'),
    (
        "EC824",
        MINICONDA + CREATE + 'ENV PATH=/opt/conda/envs/demo/bin:$PATH\nENTRYPOINT ["/opt/conda/envs/demo/bin/x"]\n',
    ),
    ("EC825", MINICONDA + INSTALL),
    ("EC825", MINICONDA + "RUN conda install -y -c conda-forge mamba && mamba install -y numpy\n"),
    ("EC825", "FROM python:3.13-slim\nRUN ./get-conda.sh\n" + INSTALL),
    ("EC825", "FROM python:3.13-slim\nRUN pip install conda-lock\nCOPY env.lock /\nRUN conda-lock install /env.lock\n"),
    ("EC825", MINICONDA_INSTALLER.format("latest") + INSTALL),
    (
        "EC825",
        "FROM debian:13\nCOPY --from=mambaorg/micromamba:2.6.1 /bin/micromamba /bin/\nRUN micromamba install -y a\n",
    ),
    ("EC825", "FROM debian:13\nRUN if which conda; then conda install -y numpy; fi\n"),
    ("EC825", "FROM team/own:1\n" + INSTALL),
    ("EC825", MINICONDA.replace("\n", " AS b\n") + "FROM debian:13\nCOPY --from=b /opt/conda /opt/conda\n" + INSTALL),
    ("EC825", "FROM team/own:1 AS b\nFROM debian:13\nCOPY --from=b /opt /opt\n" + INSTALL),
    ("EC826", MINICONDA + "RUN conda clean -tipy && conda clean --index-cache -y\n"),
    ("EC826", "FROM continuumio/miniconda3:4.7.12\nRUN conda clean -tipsy\n"),
    ("EC827", "FROM ubuntu:24.04\n"),
    ("EC829", MINICONDA + CREATE + "COPY sub /opt/conda/envs/demo/etc/conda/activate.d/\n"),
    ("EC829", MINICONDA + INSTALL + "COPY sub /opt/conda/etc/conda/activate.d/\n"),
    ("EC830", MINICONDA + INSTALL + 'COPY list.txt /app/main.py\nCMD ["python", "/app/main.py"]\n'),
    ("EC830", MINICONDA + INSTALL + 'COPY --from=team/own:1 /app /app\nCMD ["python", "/app/main.py"]\n'),
    ("EC830", MINICONDA + INSTALL + "RUN git clone x /app\nCMD python /app/main.py\n"),
    ("EC830", MINICONDA + INSTALL + "COPY nothing /app\nCMD python /app/main.py\n"),
    ("EC830", MINICONDA + INSTALL + "VOLUME /app\nCMD python /app/main.py\n"),
    ("EC830", "FROM team/own:1\nCMD python /app/main.py\n"),
    ("EC830", MINICONDA + INSTALL + "RUN echo 'print()' > /main.py\nCMD python /main.py\n"),
    ("EC832", MINICONDA + CREATE),
    ("EC832", MINICONDA + "RUN curl -O https://x/e.yml && conda env create -f e.yml\n"),
    ("EC832", MINICONDA + "RUN conda create -y -n $(cat /name) numpy\n"),
    ("EC832", MINICONDA + "COPY base.yml /b.yml\nRUN conda env update -f /b.yml\n"),
    ("EC832", MINICONDA + "COPY base.yml /b.yml\nRUN conda env create -n other -f /b.yml\n"),
    ("EC832", MINICONDA + CREATE + "RUN conda env create --force -f /e.yml\n"),
    ("EC832", MICROMAMBA + "COPY base.yml /b.yml\nRUN micromamba install -y -f /b.yml\n"),
    ("EC831", MINICONDA + CREATE + 'CMD ["conda", "run", "--no-capture-output", "-n", "demo", "python"]\n'),
    (
        "EC828",
        MICROMAMBA.replace("FROM", "FROM --platform=$BUILDPLATFORM").replace("\n", " AS b\n")
        + COPY
        + "RUN micromamba create -y -p /env --platform linux-aarch64 -f /e.yml\n"
        + "FROM --platform=linux/arm64 debian:13\nCOPY --from=b /env /env\n",
    ),
    (
        "EC828",
        MICROMAMBA.replace("\n", " AS b\n") + BASE + "FROM --platform=linux/arm64 debian:13\nCOPY --from=b /opt /opt\n",
    ),
]

FILES = {
    "pip.txt": "affine=2.4.0=pypi_0\nzlib=1.2\n",
    "sub/x.bat": "",
    "base.yml": "name: base\ndependencies: [numpy]\n",
    "noname.yml": "dependencies: [numpy]\n",
    "list.txt": "numpy=1.21\npython=3.10\n",
    "kept.out": "numpy\n",
    ".dockerignore": "kept.out\n",
    "env.lock": LOCK,
}


@pytest.mark.parametrize(
    ("code", "text", "severity", "line"), FIRES, ids=[f"{row[0]}-{n}" for n, row in enumerate(FIRES)]
)
def test_the_rule_fires(tmp_path: Path, code: str, text: str | bytes, severity: Severity, line: int) -> None:
    found = build(tmp_path, text, FILES).of(code)
    assert [(one.severity, one.line) for one in found] == [(severity, line)]
    assert code == "EC822" or found[0].remedies
    assert "hunter2" not in "".join(one.subject + one.message for one in found)


@pytest.mark.parametrize(("code", "text"), SILENT, ids=[f"{row[0]}-{n}" for n, row in enumerate(SILENT)])
def test_the_rule_is_silent(tmp_path: Path, code: str, text: str) -> None:
    assert not build(tmp_path, text, FILES).of(code)


def test_every_rule_is_tried() -> None:
    codes = {rule.code for rule in DOCKER_RULES}
    # EC823 needs a solution: it is tried over a channel, with the command.
    assert {row[0] for row in FIRES} == codes - {"EC823"}


def test_with_every_file_missing_the_context_is_doubted(tmp_path: Path) -> None:
    text = MINICONDA + "COPY a.yml b.yml /x/\n"
    assert {one.severity for one in build(tmp_path, text, named=False).of("EC813")} == {WARNING}
    assert {one.severity for one in build(tmp_path, text, named=True).of("EC813")} == {ERROR}


def test_a_good_dockerfile_has_no_findings(tmp_path: Path) -> None:
    text = (
        FORGE.replace("\n", " AS build\n")
        + "WORKDIR /app\nCOPY environment.yml .\n"
        + "RUN --mount=type=cache,target=/opt/conda/pkgs conda env create -p /env -f environment.yml\n"
        + "FROM debian:13-slim\nCOPY --from=build /env /env\nENV PATH=/env/bin:$PATH\nUSER 1000\n"
        + 'CMD ["python", "-m", "demo"]\n'
    )
    built = build(tmp_path, text, {"environment.yml": ENVIRONMENT})
    assert built.codes() == {"EC822"}  # there are no channels here
