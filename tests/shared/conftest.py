"""What the tests over the real corpus share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_channels(shared_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real repodata, unpacked."""
    directory = tmp_path_factory.mktemp("real-channels")
    unpack = shared_directory / "channels" / "unpack.py"
    subprocess.run([sys.executable, str(unpack), str(directory)], check=True, stdout=subprocess.DEVNULL)
    return directory
