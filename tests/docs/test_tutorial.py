"""The tutorial shows what a reader would see: each command is run on the demo's stage, and its output compared.

``pytest tests/docs --snapshot-update`` writes what is seen into the page.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, Block, blocks
from tests.snapshots.scrubbing import scrubbed

TUTORIAL = DOCS / "tutorial.md"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make demo`` leaves behind, and the Dockerfile that the page has the reader write."""
    directory = tmp_path_factory.mktemp("tutorial")
    done = subprocess.run(
        [sys.executable, ROOT / "fixtures" / "demo" / "run.py"],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "engine rattler" not in " ".join(done.stdout.split()):
        pytest.skip("the pictures are rattler's: another solver may choose other builds")
    dockerfile = next(block for block in blocks(TUTORIAL.read_text("utf-8")) if block.language == "dockerfile")
    (directory / "demo" / "Dockerfile").write_text(dockerfile.body, encoding="utf-8")
    return directory / "demo"


def clean_environment() -> dict[str, str]:
    hidden = ("CONDA", "MAMBA", "RATTLER_", "PIP_", "UV_", "ENVCHECK_", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)}


def environment_of_the_page(stage: Path) -> Mapping[str, str]:
    """The variables that the page has the reader export, in its own words."""
    line = next(
        line
        for block in blocks(TUTORIAL.read_text("utf-8"))
        for line in block.body.splitlines()
        if line.startswith("export ")
    )
    exported = dict(word.split("=", 1) for word in shlex.split(line)[1:])
    home = {"USERPROFILE": str(stage)}  # what HOME is on Windows
    return {
        **clean_environment(),
        **home,
        **{name: text.replace("$PWD", str(stage)) for name, text in exported.items()},
    }


def sessions(page: str) -> Iterator[tuple[Block, str]]:
    """The blocks that show a command and its output, each with the command."""
    for block in blocks(page):
        if block.language == "console":
            assert block.body.startswith("$ ")
            yield block, block.body.splitlines()[0].removeprefix("$ ")


def seen(command: str, stage: Path) -> str:
    program, *arguments = shlex.split(command)
    start = [sys.executable, "-m", "envcheck"] if program == "envcheck" else [program]
    done = subprocess.run(
        [*start, *arguments],
        cwd=stage,
        env=environment_of_the_page(stage),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).strip("\n").splitlines())


def test_the_tutorial_shows_what_its_commands_print(stage: Path, request: pytest.FixtureRequest) -> None:
    page = TUTORIAL.read_text("utf-8")
    outputs = [(block, f"$ {command}\n{seen(command, stage)}".rstrip() + "\n") for block, command in sessions(page)]
    assert len(outputs) >= 8

    if request.config.option.update_snapshots:
        for block, output in reversed(outputs):
            page = page[: block.start] + output + page[block.end :]
        TUTORIAL.write_text(page, encoding="utf-8")
        return
    for block, output in outputs:
        assert scrubbed(block.body) == scrubbed(output)


def test_the_chinese_readme_shows_the_same_run_in_chinese(stage: Path) -> None:
    page = (ROOT / "README.zh-CN.md").read_text("utf-8")
    shown = next(block.body for block in blocks(page) if block.language == "text")
    printed = seen("envcheck check requirements.txt --offline --lang zh", stage)

    assert shown.endswith("\n…\n")
    assert scrubbed(printed).startswith(scrubbed(shown.removesuffix("\n…\n")))


def test_what_the_tutorial_says_of_the_outputs_holds() -> None:
    shown = {command: block.body for block, command in sessions(TUTORIAL.read_text("utf-8"))}
    check = next(body for command, body in shown.items() if command.startswith("envcheck check requirements.txt"))
    again = shown["envcheck check environment.linux-64.yml"]

    assert "FIXABLE" in check
    assert "[verified]" in check
    assert "hdf5 1.14.2 -> 1.14.3" in check
    assert "READY" in again
    assert "errors" not in again
    assert all(name in again for name in ("asyncio", "panda"))
    assert "SOUND" in shown["envcheck verify conda-lock.yml"]
    assert sum("=" in line for line in (ROOT / "fixtures/demo/requirements.txt").read_text().splitlines()) == 54
