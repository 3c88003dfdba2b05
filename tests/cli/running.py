"""The program as its users run it: ``python -m envcheck`` in a directory, with a ``.condarc`` of fixture channels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import ready_program

__all__ = ["CommandLine", "Run", "condarc_text", "fixture_locations", "fixture_program"]

HIDDEN = ("CONDA", "MAMBA", "RATTLER_", "PIXI_", "PIP_", "UV_", "ENVCHECK_", "LC_", "LANG")
"""Beginnings of the environment variables by which a user's own configuration or language would get in."""

AT_THE_START = ("PYTHON", "LC_", "LANG")
"""Beginnings of the environment variables that Python looks at when it starts."""

STATUSES = frozenset({0, 1, 2, 3, 128 + 1, 128 + 2, 128 + 15})
"""Every exit status that envcheck has; anything else is a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of one run."""

    status: int
    output: str
    errors: str

    def report(self) -> dict[str, Any]:
        """The JSON report on standard output."""
        document: dict[str, Any] = json.loads(self.output)
        return document

    def codes(self) -> set[str]:
        """The codes of the findings of the JSON report."""
        return {finding["code"] for finding in self.report()["findings"]}


def condarc_text(locations: Mapping[str, str], *, channels: str = "[conda-forge]", more: str = "") -> str:
    """A ``.condarc`` that finds channels at other places."""
    mirrors = "\n".join(f"  {name}: [{json.dumps(location)}]" for name, location in locations.items())
    return f"channels: {channels}\ndefault_channels: [pkgs/main]\nmirrored_channels:\n{mirrors}\n{more}"


def fixture_locations(directory: Path) -> dict[str, str]:
    """Where the fixture channels stand in a directory that `fixtures.build_channel` filled.

    ``nvidia`` is not there: it is looked in for what other channels do not have, and would be asked of its server.
    """
    return {name: (directory / name).as_uri() for name in ("conda-forge", "pkgs/main", "bioconda", "pytorch", "nvidia")}


class CommandLine:
    """Runs envcheck in a directory.

    Args:
        directory: The working directory; the configuration and caches are kept out of it.
        configuration: What stands in the ``.condarc``.
        package_index: The URL of the Python package index.
    """

    def __init__(self, directory: Path, configuration: str, package_index: str) -> None:
        self.directory = directory
        self._aside = directory.parent / f"{directory.name}-aside"
        self._aside.mkdir()
        self._condarc = self._aside / "condarc"
        self.configure(configuration)
        self._environment = {
            "CONDARC": str(self._condarc),
            "PIP_INDEX_URL": package_index,
            # Fixtures of a session run before a test's own environment is put in place.
            **dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME"), str(self._aside)),
            "XDG_CACHE_HOME": str(self._aside / "cache"),
        }

    def configure(self, configuration: str) -> None:
        """Replace the ``.condarc``."""
        self._condarc.write_text(configuration, encoding="utf-8")

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment variables of a run."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(HIDDEN)}
        return {**kept, **self._environment, **changes}

    def start(self, *arguments: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
        """Start a run and leave it to the test to end it."""
        return subprocess.Popen(
            [sys.executable, "-m", "envcheck", *arguments],
            cwd=self.directory,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def __call__(self, *arguments: str | bytes, data: bytes = b"", **changes: str) -> Run:
        """Run to the end; no run may ever end in a traceback or a crash."""
        environment = self.environment(**changes)
        if ready_program.AVAILABLE and not any(name.startswith(AT_THE_START) for name in changes):
            done = ready_program.run(
                arguments, directory=self.directory, environment=environment, data=data, timeout=120
            )
        else:
            done = subprocess.run(
                [sys.executable, "-m", "envcheck", *arguments],
                cwd=self.directory,
                env=environment,
                input=data,
                capture_output=True,
                timeout=120,
                check=False,
            )
        output, errors = done.stdout.decode("utf-8"), done.stderr.decode("utf-8", errors="replace")
        assert "Traceback" not in output + errors, errors
        assert done.returncode in STATUSES, (done.returncode, errors)
        return Run(status=done.returncode, output=output, errors=errors)

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a file into the working directory."""
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def files(self) -> set[str]:
        """The names of everything in the working directory."""
        return {path.name for path in self.directory.iterdir()}


def fixture_program(folder: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    """The program in a new directory ``work`` of a folder, with the fixture channels and package index."""
    directory = folder / "work"
    directory.mkdir()
    return CommandLine(directory, condarc_text(fixture_locations(channels_directory)), package_index_directory.as_uri())
