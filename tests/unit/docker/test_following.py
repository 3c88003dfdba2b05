"""What a build would do, followed without doing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.docker.followed import FileFate, MadeEnvironment
from envcheck.errors import SourceError
from tests.support.dockerfiles import Built, build

MICROMAMBA = "FROM mambaorg/micromamba:2.6.1\n"
MINICONDA = "FROM anaconda/miniconda:26.1.1-1\n"


def only(built: Built) -> MadeEnvironment:
    (made,) = built.followed.environments
    return made


def configured(built: Built) -> list[str]:
    return [one.text for one in built.followed.environments[-1].configured]


def test_a_copied_file_is_what_the_command_reads(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        MICROMAMBA
        + "WORKDIR /app\nCOPY --chown=$MAMBA_USER environment.yml sub/\nRUN micromamba install -y -n base \\\n"
        "    -f sub/environment.yml && \\\n    micromamba clean -ay\n",
    )
    (used,) = only(built).files
    assert (used.fate, used.context_path, used.copied_on, used.line) == (FileFate.READ, "environment.yml", 3, 5)
    assert (tmp_path / "environment.yml").read_bytes() == used.data
    (question,) = built.questions
    assert (question.image, question.platform) == ("mambaorg/micromamba:2.6.1", "linux-64")
    assert question.configured == ("nodefaults",)


@pytest.mark.parametrize(
    ("copy", "path"),
    [
        ("COPY environment.yml .", "environment.yml"),
        ("COPY environment.yml /opt/env.yml", "/opt/env.yml"),
        ("COPY . /src", "/src/environment.yml"),
        ("COPY . .", "./environment.yml"),
        ("COPY *.yml /srv/", "/srv/environment.yml"),
        ('COPY ["environment.yml", "/srv/"]', "/srv/environment.yml"),
        ("ADD ./environment.yml /root/e.yml", "~/e.yml"),
        ("ENV W=/x\nCOPY environment.yml $W/", "${W}/environment.yml"),
        ("ARG F=environment.yml\nCOPY $F /f", "/f"),
        ("COPY environment.yml /a.yml\nRUN cp /a.yml /b.yml", "/b.yml"),
        ("COPY . /src\nWORKDIR /src", "environment.yml"),
    ],
)
def test_ways_to_the_same_file(tmp_path: Path, copy: str, path: str) -> None:
    built = build(tmp_path, f"{MINICONDA}{copy}\nRUN conda env create -f {path}\n")
    assert only(built).files[0].fate is FileFate.READ
    assert only(built).prefix == "/opt/conda/envs/demo"


def test_cd_and_a_bind_mount(tmp_path: Path) -> None:
    built = build(tmp_path, MINICONDA + "COPY . /src\nRUN cd /src && conda env create -f environment.yml\n")
    assert only(built).files[0].fate is FileFate.READ
    mounted = build(
        tmp_path,
        MINICONDA
        + "RUN --mount=type=bind,source=environment.yml,target=/tmp/e.yml \\\n    conda env create -f /tmp/e.yml\n",
    )
    assert only(mounted).files[0].context_path == "environment.yml"


def test_documents_in_the_dockerfile_are_files(tmp_path: Path) -> None:
    text = MINICONDA + "COPY <<END /e.yml\nname: here\ndependencies: [numpy]\nEND\nRUN conda env create -f /e.yml\n"
    assert only(build(tmp_path, text)).prefix == "/opt/conda/envs/here"
    text = MINICONDA + "RUN printf 'name: there\\ndependencies: [numpy]\\n' > /e.yml && conda env create -f /e.yml\n"
    assert only(build(tmp_path, text)).prefix == "/opt/conda/envs/there"


def test_a_file_of_another_stage(tmp_path: Path) -> None:
    text = (
        "FROM debian:13 AS files\nCOPY environment.yml /e/\n"
        f"{MINICONDA}COPY --from=files /e/environment.yml /f.yml\nRUN conda env create -f /f.yml\n"
    )
    built = build(tmp_path, text)
    assert built.followed.stages == (0, 1)
    assert only(built).files[0].data is not None


def test_only_the_stages_that_are_needed_count(tmp_path: Path) -> None:
    text = f"{MINICONDA}RUN conda install -y a\n{MICROMAMBA}RUN micromamba install -y -c x b\n"
    assert [made.tool for made in build(tmp_path, text).followed.environments] == ["micromamba"]
    assert [made.tool for made in build(tmp_path, text, target="0").followed.environments] == ["conda"]
    with pytest.raises(SourceError, match="there is no stage"):
        build(tmp_path, text, target="nowhere")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["defaults"]),
        ("RUN conda config --add channels conda-forge\n", ["conda-forge", "defaults"]),
        ("RUN conda config --append channels conda-forge\n", ["defaults", "conda-forge"]),
        ("RUN conda config --add channels a && conda config --add channels b\n", ["b", "a", "defaults"]),
        ("RUN conda config --add channels a; conda config --remove channels defaults\n", ["a"]),
        ("RUN echo 'channels: [a, b]' > /opt/conda/.condarc\n", ["a", "b"]),
        ("RUN cat <<END > ~/.condarc\nchannels:\n  - c\nEND\n", ["c"]),
        ("COPY condarc /root/.condarc\n", ["d"]),
        ("ENV CONDA_CHANNELS=e,f\n", ["e", "f"]),
        ("RUN <<END\nconda config --add channels g\nEND\n", ["g", "defaults"]),
    ],
)
def test_channels_of_the_image(tmp_path: Path, text: str, expected: list[str]) -> None:
    built = build(tmp_path, f"{MINICONDA}{text}RUN conda install -y numpy\n", {"condarc": "channels: [d]\n"})
    assert configured(built) == expected
    assert list(built.questions[-1].configured) == expected


def test_an_installer_brings_its_channels(tmp_path: Path) -> None:
    text = (
        "FROM ubuntu:24.04\nRUN curl -LO https://x/Miniforge3-Linux-x86_64.sh && bash Miniforge3-Linux-x86_64.sh -b\n"
    )
    assert configured(build(tmp_path, text + "RUN conda install -y numpy\n")) == ["conda-forge"]
    text = text.replace("Miniforge3-", "Miniconda3-latest-")
    assert configured(build(tmp_path, text + "RUN conda install -y numpy\n")) == ["defaults"]


def test_channels_priority_and_overrides_of_a_command(tmp_path: Path) -> None:
    text = MINICONDA + (
        "RUN conda config --set channel_priority strict\n"
        "ENV CONDA_OVERRIDE_CUDA=12.4\n"
        "RUN conda install -y -c a --override-channels numpy\n"
    )
    (question,) = build(tmp_path, text).questions
    assert question.channels == ("a",)
    assert question.override_channels
    assert question.channel_priority == "strict"
    assert question.virtual_packages == ("__cuda=12.4",)


def test_specifications_of_a_command_line_know_their_lines(tmp_path: Path) -> None:
    text = MINICONDA + "ARG V=3.10\nRUN conda create -y -n x \\\n    python=$V \\\n    'numpy>=1.20'\n"
    built = build(tmp_path, text)
    assert only(built).specs == (("python=3.10", 4), ("numpy>=1.20", 5))
    source = built.checked[0].source
    assert source is not None
    assert (source.path, source.lines) == ("Dockerfile:3", (4, 4, 5))
    more = build(tmp_path, text + "RUN conda install -y -n x -c a scipy\n").followed.environments[-1]
    assert [text for text, _ in more.earlier] == ["python=3.10", "numpy>=1.20"]


def test_platforms(tmp_path: Path) -> None:
    text = "FROM --platform=linux/arm64 anaconda/miniconda:26.1.1-1\nRUN conda install -y numpy\n"
    assert build(tmp_path, text).questions[0].platform == "linux-aarch64"
    text = MINICONDA + "RUN CONDA_SUBDIR=linux-aarch64 conda install -y numpy\n"
    assert build(tmp_path, text).questions[0].platform == "linux-aarch64"


def test_pip_installs_into_what_is_active(tmp_path: Path) -> None:
    text = (
        "FROM python:3.11-slim\nCOPY requirements.txt .\n"
        "RUN pip install -r requirements.txt --extra-index-url https://x/simple\nRUN pip install 'b>=1' .\n"
    )
    built = build(tmp_path, text, {"requirements.txt": "# c\n\nflask==1.0 \\\n  --hash=sha256:00\nnumpy\n"})
    first, second = built.followed.environments
    assert first.python == second.python == "3.11"
    sources = [one.source for one in built.checked]
    assert [one.path for one in sources if one is not None] == ["requirements.txt", "Dockerfile:4"]
    assert sources[0] is not None
    assert sources[0].lines[-2:] == (3, 5)
    assert b"flask==1.0" in sources[0].data
    inside = MINICONDA + "RUN conda create -y -n x python=3.9\nRUN conda run -n x pip install flask\n"
    assert build(tmp_path, inside).followed.environments[-1].prefix == "/opt/conda/envs/x"
    assert build(tmp_path, inside).followed.environments[-1].python == "3.9"


def test_a_list_for_conda_is_read_as_conda_reads_it(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        MINICONDA + "COPY r.txt /r.txt\nRUN conda install -y --file /r.txt\n",
        {"r.txt": "flask==1.0\n# comment\nnumpy\n"},
    )
    source = built.checked[0].source
    assert source is not None
    assert source.lines == (1, 1, 3)
    assert b'- "flask==1.0"' in source.data


def test_locks_are_verified_and_not_solved(tmp_path: Path) -> None:
    url = "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.2.13-h166bdaf_4.conda"
    built = build(
        tmp_path,
        MICROMAMBA + "COPY env.lock /\nRUN micromamba install -y -n base -f /env.lock\n",
        {"env.lock": f"@EXPLICIT\n{url}#{'0' * 32}\n"},
    )
    assert [lock.format for lock in built.locks] == ["explicit"]


def test_nested_shells_and_conditions(tmp_path: Path) -> None:
    text = MINICONDA + (
        'SHELL ["/bin/bash", "-c"]\n'
        "COPY environment.yml /tmp/\n"
        'RUN bash -lc "conda activate base && conda env create -f /tmp/environment.yml"\n'
        "RUN if [ -f x ]; then conda install -y -c a numpy; fi\n"
    )
    assert [made.line for made in build(tmp_path, text).followed.environments] == [4, 5]


def test_without_a_context_nothing_is_said_about_files(tmp_path: Path) -> None:
    from envcheck.docker.context import Context
    from envcheck.docker.following import follow
    from envcheck.docker.instructions import read_dockerfile

    text = MINICONDA + "COPY environment.yml /e.yml\nRUN conda env create -f /e.yml\n"
    found = follow(read_dockerfile(text.encode(), "-"), Context(root=None))
    assert found.context_uses == ()
    assert found.environments[0].files[0].fate is FileFate.UNKNOWN
