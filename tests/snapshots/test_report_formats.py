"""The demo's export and a Dockerfile in every format for machines and comments, to be read as they are read there."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck import __version__
from tests.cli.running import CommandLine, condarc_text, fixture_locations
from tests.snapshots.scrubbing import scrubbed

DEMO = Path(__file__).parents[2] / "fixtures" / "demo" / "requirements.txt"
FORMATS = ("markdown", "sarif", "github", "junit")
DOCKERFILE = """\
FROM mambaorg/micromamba:1.5.8
COPY requirements.txt /tmp/
RUN micromamba create -y -n app -c conda-forge --file /tmp/requirements.txt
RUN conda activate app
"""


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    directory = tmp_path / "work"
    directory.mkdir()
    program = CommandLine(
        directory,
        condarc_text(fixture_locations(channels_directory), channels="[defaults]"),
        package_index_directory.as_uri(),
    )
    program.write("requirements.txt", DEMO.read_bytes())
    program.write("Dockerfile", DOCKERFILE)
    return program


def versionless(output: str) -> str:
    """An output without envcheck's version, where SARIF and JUnit have it."""
    output = output.replace(f'"version": "{__version__}"', '"version": "VERSION"')
    return scrubbed(output.replace(f'name="envcheck" value="{__version__}"', 'name="envcheck" value="VERSION"'))


@pytest.mark.parametrize("format_name", FORMATS)
def test_check(envcheck: CommandLine, snapshot: SnapshotAssertion, format_name: str) -> None:
    run = envcheck("check", "requirements.txt", "--engine", "rattler", "--offline", "--format", format_name, "-q")
    assert (run.status, run.errors) == (1, "")
    assert versionless(run.output) == snapshot


@pytest.mark.parametrize("format_name", FORMATS)
def test_docker(envcheck: CommandLine, snapshot: SnapshotAssertion, format_name: str) -> None:
    run = envcheck(
        "docker", "Dockerfile", "--engine", "rattler", "--offline", "--no-pip", "--format", format_name, "-q"
    )
    assert (run.status, run.errors) == (1, "")
    assert versionless(run.output) == snapshot


@pytest.mark.parametrize("format_name", FORMATS)
def test_neither_hash_seed_nor_locale_nor_time_zone_changes_a_byte(envcheck: CommandLine, format_name: str) -> None:
    def told(seed: str, locale: str, zone: str) -> str:
        command = ("check", "requirements.txt", "--offline", "--format", format_name, "-q")
        return envcheck(*command, PYTHONHASHSEED=seed, LC_ALL=locale, TZ=zone).output

    assert told("1", "C", "Asia/Tokyo") == told("2", "C.UTF-8", "UTC")
