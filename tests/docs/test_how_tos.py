"""The how-to pages hold: their commands are run in their order, over the fixture channels, and end as commands should.

Pages tell of servers and folders that readers have; here, folders below ``/srv`` are made, and what asks a server of
another name is left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import CommandLine, fixture_program
from tests.docs.pages import blocks, written_pages

PAGES = {path: page for path, page in written_pages().items() if path.startswith("how-to/")}

ENVIRONMENT = (
    "name: app\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy, hdf5, pip, {pip: [attrs==23.1.0]}]\n"
)
FREEZE = "attrs==23.1.0\nnumpy==1.26.4\nyarg==0.1.9\n"
DOCKERFILE = """\
FROM mambaorg/micromamba:2.3.0-debian12-slim AS runtime
COPY environment.yml /tmp/
RUN micromamba create -y -n app -f /tmp/environment.yml && micromamba clean --all --yes
ENV PATH=/opt/conda/envs/app/bin:$PATH
"""
NEEDS_MORE = ("example.org", "https://", "tcp://", "docker build", "origin/main", "conda env export", "pip install ")
"""What is in commands that need a server, a program or a repository that is not here."""

PROGRAMS = frozenset({"envcheck", "git ls-files", "cd"})
"""With what a line begins that is run."""


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory, channels_directory: Path, package_index_directory: Path
) -> CommandLine:
    """A repository with environments, locks and Dockerfiles by the names that the pages use."""
    program = fixture_program(tmp_path_factory.mktemp("how-to"), channels_directory, package_index_directory)
    directory = program.directory
    for folder in (".", "services", "services/api", "models", "docker"):
        (directory / folder).mkdir(exist_ok=True)
        (directory / folder / "environment.yml").write_text(ENVIRONMENT, "utf-8")
        (directory / folder / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    program.write("requirements.txt", FREEZE)
    subprocess.run(["git", "init", "-q"], cwd=directory, check=True)
    subprocess.run(["git", "add", "."], cwd=directory, check=True)
    # What pages take for granted.
    for lock in ("conda-lock.yml", "pixi.lock", "conda-linux-64.lock"):
        assert program("lock", "environment.yml", "--lock", lock, "--offline", "-q").status == 0
    shutil.copy(directory / "conda-lock.yml", directory / "services" / "api")
    shutil.copy(directory / "conda-lock.yml", directory / "models")
    return program


def lines(page: str) -> list[str]:
    return [
        line
        for block in blocks(page)
        if block.language == "shell"
        for line in block.body.splitlines()
        if line.startswith(tuple(PROGRAMS)) and not any(word in line for word in NEEDS_MORE)
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="the pages are for a POSIX shell")
@pytest.mark.parametrize("path", [path for path, page in PAGES.items() if lines(page)])
def test_the_commands_of_the_page_do_their_work(
    repository: CommandLine, path: str, tmp_path: Path, channels_directory: Path, package_index_directory: Path
) -> None:
    work = shutil.copytree(repository.directory, tmp_path / "work")
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "channels").symlink_to(channels_directory)
    (tmp_path / "srv" / "index").symlink_to(package_index_directory)
    program = f"{sys.executable} -m envcheck"
    for line in lines(PAGES[path]):
        shown = line.replace("/srv/", f"{tmp_path}/srv/")
        done = subprocess.run(
            ["/bin/sh", "-c", f'envcheck() {{ {program} "$@"; }}\n{shown}'],
            cwd=work,
            env=repository.environment(PYTHONPATH=str(Path(__file__).parents[2])),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # Findings are an answer, too; anything else means that the command could not be followed.
        assert done.returncode in (0, 1), (line, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


def test_most_commands_are_run() -> None:
    every = [
        line
        for page in PAGES.values()
        for block in blocks(page)
        if block.language == "shell"
        for line in block.body.splitlines()
        if "envcheck " in line
    ]
    run = [line for page in PAGES.values() for line in lines(page)]
    assert len(every) > 50
    assert len(run) > 0.8 * len(every)
