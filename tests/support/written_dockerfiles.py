"""Dockerfiles that are written from reports made by hand."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.writing import EnvironmentToWrite, WrittenDockerfile, write_dockerfile
from envcheck.model import Record, Report
from tests.unit.reports.making import full_report

__all__ = ["CONDA_FORGE", "STORY", "hadolint", "last_stage", "report_of", "told", "written"]

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"


def report_of(*names: str, pip: bool = True) -> Report:
    """A solved report with these packages, and the pip section of `full_report`."""
    full = full_report()
    packages = tuple(
        Record(
            name=name, version="1.0", build="0", build_number=0, subdir="linux-64", channel=CONDA_FORGE,
            url=f"{CONDA_FORGE}/linux-64/{name}-1.0-0.conda", md5="b" * 32, sha256="c" * 64, size=1000,
        )
        for name in sorted({"pip", "python", *names})
    )  # fmt: skip
    return replace(
        full,
        environment=replace(full.environment, name="demo", pip=full.environment.pip if pip else ()),
        plan=replace(
            full.plan,
            packages=packages,
            changed=(),
            dropped=(),
            to_pip=(),
            requirements=tuple(f"{one.name} ==1.0" for one in packages),
        ),
        pip_resolution=full.pip_resolution if pip else None,
    )


def written(
    text: str,
    *lines: int,
    style: str = "micromamba",
    name: str = "demo",
    files: tuple[str, ...] = ("environment.yml",),
    report: Report | None = None,
    stage: int = 0,
    folder: str = "",
    commands: tuple[tuple[str, ...], ...] = (),
    prefix: str | None = None,
    only_dependencies: tuple[str, ...] = (),
    taken: Collection[str] = (),
) -> WrittenDockerfile:
    """The written form of a Dockerfile whose environment is made on these lines."""
    environment = EnvironmentToWrite(
        report=report or report_of(),
        name=name,
        stage=stage,
        lines=lines,
        files=files,
        commands=commands,
        prefix=prefix,
        only_dependencies=only_dependencies,
    )
    parsed = read_dockerfile(text.encode(), "Dockerfile")
    return write_dockerfile(parsed, text, [environment], style=style, folder=folder, taken=taken.__contains__)


def last_stage(result: WrittenDockerfile) -> str:
    """The text of the last stage."""
    return "FROM " + result.text.rpartition("\nFROM ")[2]


def told(result: WrittenDockerfile) -> str:
    """Every note, a line each."""
    return "\n".join(f"{note.line}: {note.text}" for note in result.notes)


STORY = """\
# The image of everybody
FROM continuumio/anaconda3

# Where the application is
WORKDIR /app

# What conda list --export wrote
COPY requirements.txt /app/
RUN conda config --add channels https://mirrors.example.org/anaconda/pkgs/free \\
 && conda config --set show_channel_urls yes

RUN conda env create -f /app/requirements.txt -n demo
RUN conda activate demo

# Needed by the application
RUN apt-get update && apt-get install -y --no-install-recommends \\
      libgomp1 \\
    && rm -rf /var/lib/apt/lists/*
COPY . /app
ENV MODE=production
EXPOSE 8000
HEALTHCHECK CMD ["curl", "-f", "http://localhost:8000/"]
CMD ["conda", "run", "-n", "demo", "python", "/app/main.py"]
"""


def hadolint() -> str | None:
    """The program hadolint, where it is installed."""
    return shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
