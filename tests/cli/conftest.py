"""The command line over the fixture channels, in a directory of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import CommandLine, fixture_program

CLEAN = """\
name: clean
channels:
  - conda-forge
dependencies:
  - python=3.10
  - numpy
"""

WINDOWS = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: win-64
numpy=1.26.2=py310hf667824_0
python=3.10.13=h4de0772_0_cpython
pywin32=306=py310h00ffb61_2
"""


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    """``envcheck(...)`` runs the program; ``clean.yml`` and ``windows.txt`` are there to be checked."""
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    program.write("clean.yml", CLEAN)
    program.write("windows.txt", WINDOWS)
    return program
