"""Whole outputs, to be read as a user reads them.

``pytest tests/snapshots --snapshot-update`` renews them after a change that is meant; read the difference first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.running import CommandLine, condarc_text, fixture_locations, fixture_program
from tests.snapshots.scrubbing import scrubbed

EXPORTS = Path(__file__).parents[2] / "fixtures" / "exports"

SOURCES = {
    "ready": "name: ready\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy, pandas]\n",
    "fixable": "# platform: win-64\nhdf5=1.14.2=nompi_h73e8ff5_100\nnumpy=1.26.2=py310hf667824_0\n"
    "python=3.10.13=h4de0772_0_cpython\npywin32=306=py310h00ffb61_2\nmeteva=1.7.5=pypi_0\n",
    "misspelled": "name: misspelled\nchannels: [conda-forge]\ndependencies: [python=3.10, nosuchpackage, numpyy]\n",
    "pip": "name: pip\nchannels: [conda-forge]\ndependencies:\n  - python=3.10\n  - pip:\n"
    "      - attrs==23.1.0\n      - pywin32==306\n      - pandas==9.9\n      - cmaps==2.0.1\n      - slicer==0.0.7\n"
    "      - nosuchproject\n      - -e .\n      - git+https://lee:secret@git.example.org/x.git@main#egg=x\n",
}


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    for name, source in SOURCES.items():
        program.write(f"{name}.txt", source)
    for path in EXPORTS.iterdir():
        if path.suffix in (".txt", ".yml", ".json"):
            program.write(path.name, path.read_bytes())
    return program


@pytest.mark.parametrize("name", SOURCES)
def test_check(envcheck: CommandLine, snapshot: SnapshotAssertion, name: str) -> None:
    run = envcheck("check", f"{name}.txt", "--engine", "rattler", "--offline")
    assert scrubbed(run.output) == snapshot
    assert f"{run.errors}exit status {run.status}" == snapshot


def test_check_of_a_channel_that_does_not_exist(
    envcheck: CommandLine, snapshot: SnapshotAssertion, channels_directory: Path
) -> None:
    locations = {**fixture_locations(channels_directory), "gone": (envcheck.directory / "gone").as_uri()}
    envcheck.configure(condarc_text(locations))
    envcheck.write("gone.yml", "name: g\nchannels: [gone, conda-forge]\ndependencies: [python=3.10]\n")
    assert scrubbed(envcheck("check", "gone.yml", "--engine", "rattler", "--offline").output) == snapshot


def test_check_verbose(envcheck: CommandLine, snapshot: SnapshotAssertion) -> None:
    assert scrubbed(envcheck("check", "fixable.txt", "-v", "--engine", "rattler").output) == snapshot


def test_check_json(envcheck: CommandLine, snapshot: SnapshotAssertion) -> None:
    envcheck.write("small.yml", "name: s\nchannels: [conda-forge]\ndependencies: [zlib, vc]\n")
    assert scrubbed(envcheck("check", "small.yml", "--format", "json", "--engine", "rattler").output) == snapshot


@pytest.mark.parametrize(
    "name",
    ["environment.damaged.yml", "environment.hand-written.yml", "list-export.damaged.txt", "list-table.console.txt"],
)
def test_normalize(envcheck: CommandLine, snapshot: SnapshotAssertion, name: str) -> None:
    assert envcheck("normalize", name).output == snapshot


@pytest.mark.parametrize("command", ["", "check", "lock", "normalize", "rules", "doctor"])
def test_help(envcheck: CommandLine, snapshot: SnapshotAssertion, command: str) -> None:
    assert envcheck(*command.split(), "--help").output == snapshot


def test_rules(envcheck: CommandLine, snapshot: SnapshotAssertion) -> None:
    assert envcheck("rules").output == snapshot
    assert envcheck("rules", "EC402").output == snapshot


@pytest.mark.parametrize("name", ["fixable", "misspelled", "pip"])
def test_check_in_chinese(envcheck: CommandLine, snapshot: SnapshotAssertion, name: str) -> None:
    run = envcheck("check", f"{name}.txt", "--engine", "rattler", "--offline", "--lang", "zh")
    assert scrubbed(run.output) == snapshot
    assert f"{run.errors}exit status {run.status}" == snapshot


@pytest.mark.parametrize("command", ["", "check"])
def test_help_in_chinese(envcheck: CommandLine, snapshot: SnapshotAssertion, command: str) -> None:
    assert envcheck(*command.split(), "--help", LANG="zh_CN.UTF-8").output == snapshot
