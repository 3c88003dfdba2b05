"""A copy of the package to try a change in, as a contributor makes it: new modules, and lines in existing ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import CommandLine, Run, fixture_program

ROOT = Path(__file__).parents[2]


class Workshop:
    """A copy of the package, and its command line over the fixture channels.

    Args:
        directory: Where the copy is made.
        program: Runs the command line; the copy is found before whatever is installed.
    """

    def __init__(self, directory: Path, program: CommandLine) -> None:
        self.place = directory
        self._program = program
        shutil.copytree(ROOT / "envcheck", directory / "envcheck")

    def add(self, path: str, text: str) -> None:
        """Write a new module."""
        place = self.place / path
        assert not place.exists(), f"{path} is there by now; let the template be about something else"
        place.write_text(text.lstrip("\n"), encoding="utf-8")

    def insert(self, path: str, *, after: str, line: str) -> None:
        """Put a line behind an existing one, as deep as that one; this is how a new thing is registered."""
        place = self.place / path
        text = place.read_text("utf-8")
        (found,) = (one for one in text.splitlines(keepends=True) if one.strip() == after)
        indent = found[: len(found) - len(found.lstrip())]
        place.write_text(text.replace(found, f"{found}{indent}{line}\n"), encoding="utf-8")

    def insert_above(self, path: str, *, before: str, text: str) -> None:
        """Put text above the one line that begins with something, with two empty lines behind it."""
        place = self.place / path
        (found,) = (one for one in place.read_text("utf-8").splitlines(keepends=True) if one.startswith(before))
        place.write_text(place.read_text("utf-8").replace(found, f"{text}\n\n{found}"), encoding="utf-8")

    def run(self, *arguments: str) -> Run:
        """Run the changed command line."""
        return self._program(*arguments, PYTHONPATH=str(self.place))

    def write(self, name: str, text: str) -> None:
        """Put a file into the working directory of the command line."""
        self._program.write(name, text)

    def read(self, name: str) -> str:
        """What the command line has written."""
        return (self._program.directory / name).read_text("utf-8")

    def copy(self, *paths: str) -> None:
        """Have files of the repository beside the package."""
        for path in paths:
            (self.place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.place / path)

    def check(self, command: list[str]) -> str:
        """What a tool, set up as for the repository, says of the changed package; nothing at all if it is content."""
        shutil.copy(ROOT / "pyproject.toml", self.place)
        answer = subprocess.run(
            [sys.executable, "-m", *command], cwd=self.place, capture_output=True, text=True, check=False
        )
        return "" if answer.returncode == 0 else answer.stdout + answer.stderr


@pytest.fixture
def workshop(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> Workshop:
    """A copy of the package to change."""
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    return Workshop(tmp_path / "copy", program)
