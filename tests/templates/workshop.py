"""A copy of the package to try a change in, as a contributor makes it: new modules, and lines in existing ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import CommandLine, Run, condarc_text, fixture_locations

ROOT = Path(__file__).parents[2]


class Workshop:
    """A copy of the package, and its command line over the fixture channels.

    Args:
        directory: Where the copy is made.
        program: Runs the command line; the copy is found before whatever is installed.
    """

    def __init__(self, directory: Path, program: CommandLine) -> None:
        self._place = directory
        self._program = program
        shutil.copytree(ROOT / "envcheck", directory / "envcheck")

    def add(self, path: str, text: str) -> None:
        """Write a new module."""
        place = self._place / path
        assert not place.exists(), f"{path} is there by now; let the template be about something else"
        place.write_text(text, encoding="utf-8")

    def insert(self, path: str, *, after: str, line: str) -> None:
        """Put a line behind an existing one, as deep as that one; this is how a new thing is registered."""
        place = self._place / path
        text = place.read_text("utf-8")
        (found,) = (one for one in text.splitlines(keepends=True) if one.strip() == after)
        indent = found[: len(found) - len(found.lstrip())]
        place.write_text(text.replace(found, f"{found}{indent}{line}\n"), encoding="utf-8")

    def run(self, *arguments: str) -> Run:
        """Run the changed command line."""
        return self._program(*arguments, PYTHONPATH=str(self._place))

    def write(self, name: str, text: str) -> None:
        """Put a file into the working directory of the command line."""
        self._program.write(name, text)

    def read(self, name: str) -> str:
        """What the command line has written."""
        return (self._program.directory / name).read_text("utf-8")

    def typed(self, *modules: str) -> str:
        """What mypy, as strict as for the package, says of modules; nothing at all if it is content."""
        answer = subprocess.run(
            [sys.executable, "-m", "mypy", f"--config-file={ROOT / 'pyproject.toml'}", *modules],
            cwd=self._place,
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if answer.returncode == 0 else answer.stdout + answer.stderr


@pytest.fixture
def workshop(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> Workshop:
    """A copy of the package to change."""
    directory = tmp_path / "work"
    directory.mkdir()
    program = CommandLine(
        directory, condarc_text(fixture_locations(channels_directory)), package_index_directory.as_uri()
    )
    return Workshop(tmp_path / "copy", program)
