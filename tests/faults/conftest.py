from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.worlds import compressed_channels, package_index


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture channels as servers have them: compressed."""
    return compressed_channels(tmp_path_factory.mktemp("compressed"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture package index."""
    return package_index(tmp_path_factory.mktemp("index"))
