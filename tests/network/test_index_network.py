"""The real package index that this machine is configured for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.model import PipPresence
from envcheck.pip.configuration import index_settings
from envcheck.pip.index import open_index
from envcheck.pip.wheels import judge

pytestmark = pytest.mark.network


def test_real_projects_are_read_and_judged(tmp_path: Path) -> None:
    index = open_index(index_settings(None, os.environ), cache_directory=tmp_path)
    try:
        found = index.projects(["packaging", "numpy", "pywin32", "no-such-project-0f3a9d"])
    finally:
        index.close()
    linux = {"python": "3.10", "platform": "linux-64", "glibc": "2.28"}
    pure = judge("packaging", found["packaging"], pin="24.0", **linux)
    compiled = judge("numpy", found["numpy"], pin="1.26.4", **linux)
    windows_only = judge("pywin32", found["pywin32"], pin="306", **linux)
    assert pure.presence is PipPresence.PURE_WHEEL
    assert pure.file is not None
    assert pure.file.sha256 == "2ddfb553fdf02fb784c234c7ba6ccc288296ceabec964ad2eae3777778130bc5"
    assert compiled.presence is PipPresence.WHEEL
    assert windows_only.presence is PipPresence.OTHER_PLATFORM
    assert "win_amd64" in windows_only.detail
    assert judge("x", found["no-such-project-0f3a9d"], **linux).presence is PipPresence.NO_PROJECT
