"""Markers are judged for the target."""

from __future__ import annotations

import pytest

from envcheck.pip.markers import holds


@pytest.mark.parametrize(
    ("marker", "platforms"),
    [
        (None, "linux-64 linux-aarch64 osx-arm64 win-64"),
        ("sys_platform == 'win32'", "win-64"),
        ("platform_system != 'Windows'", "linux-64 linux-aarch64 osx-arm64"),
        ("os_name == 'posix' and platform_machine == 'x86_64'", "linux-64"),
        ("platform_machine == 'aarch64' or sys_platform == 'darwin'", "linux-aarch64 osx-arm64"),
        ("python_version < '3.10'", ""),
        ("python_full_version >= '3.10.13'", "linux-64 linux-aarch64 osx-arm64 win-64"),
        ("implementation_name == 'pypy'", ""),
        ("extra == 'x'", ""),
        ("not a marker", "linux-64 linux-aarch64 osx-arm64 win-64"),
    ],
)
def test_platforms(marker: str | None, platforms: str) -> None:
    every = ["linux-64", "linux-aarch64", "osx-arm64", "win-64"]
    assert [one for one in every if holds(marker, python="3.10.13", platform=one)] == platforms.split()


def test_what_is_not_known_excludes_nothing() -> None:
    assert holds("python_version < '3.8'", python=None, platform="linux-64")
    assert holds("sys_platform == 'win32'", python="3.10", platform="emscripten-wasm32")
    assert holds("python_version >= '3.10'", python="3.10", platform="linux-64")
