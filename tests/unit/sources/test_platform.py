"""Where a source comes from."""

from __future__ import annotations

import pytest

from envcheck.model import Evidence
from envcheck.sources import read_source
from envcheck.sources.platform import infer_platform, name_claims


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("environment_windows.yml", "win"),
        ("env_windows11.yml", "win"),
        ("requirements_conda_win.txt", "win"),
        ("default_win-64.pin.txt", "win"),
        ("envWindows.yml", "win"),
        ("C:\\work\\env-ubuntu.yml", "linux"),
        ("/srv/windows/env_linux.yml", "linux"),
        ("env_mac.yml", "osx"),
        ("darwin.yml", "osx"),
        ("windows-to-linux.yml", None),
        ("environment.yml", None),
        ("winter.yml", None),
    ],
)
def test_name_claims(path: str, family: str | None) -> None:
    assert name_claims(path) == family


@pytest.mark.parametrize(
    ("lines", "platform"),
    [
        ("name: x\ndependencies:\n- numpy\nprefix: C:\\Anaconda3\n", "win-64"),
        ("name: x\ndependencies:\n- numpy\nprefix: /home/lee/miniconda3\n", "linux-64"),
        ("name: x\ndependencies:\n- numpy\nprefix: /Users/lee/miniconda3\n", "osx-64"),
        ("name: x\ndependencies:\n- xz=5.2.6=h57fd34a_0\n- zlib=1=h80987f9_0\nprefix: /Users/lee/mc\n", "osx-arm64"),
        ("name: x\ndependencies:\n- numpy\nprefix: /opt/conda\n", None),
        ("name: x\ndependencies:\n- readline\n- ncurses\n", None),
        ("name: x\ndependencies:\n- readline\n- libgcc-ng\n", "linux-64"),
        ("name: x\ndependencies:\n- m2w64-gcc-libs\n", "win-64"),
        ("name: x\ndependencies:\n- appnope\n", "osx-64"),
        ("name: x\ndependencies:\n- numpy=1.21=py38h06a4308_0\n", "linux-64"),
        # A noarch build tells where it was made, not where it runs.
        ("name: x\ndependencies:\n- typing_extensions=3.7=pyh06a4308_0\n", None),
        ("# platform: osx-arm64\nnumpy=1.0=0\n", "osx-arm64"),
        # The header alone decides against names and builds.
        ("# platform: win-64\nlibgcc-ng=11=h1_1\nncurses=6.4=h6a678d5_0\n", "win-64"),
        ("user@host:~$ conda list\nnumpy 1.0 py38_0\nlibgcc-ng 11 h1234567_1\n", "linux-64"),
        ("PS D:\\work> conda list\nnumpy 1.0 py38_0\n", "win-64"),
        ("pywin32==306\nnumpy==1.0\n", "win-64"),
        ("pywin32==306; sys_platform == 'win32'\nnumpy==1.0\n", None),
        ("numpy\n", None),
    ],
)
def test_platform(lines: str, platform: str | None) -> None:
    assert read_source(lines.encode(), "x").platform == platform


def test_balanced_evidence_decides_nothing() -> None:
    evidence = [Evidence(platform="win", weight=50, reason=""), Evidence(platform="linux-64", weight=50, reason="")]

    assert infer_platform(evidence) is None
    assert infer_platform([]) is None


def test_evidence_comes_strongest_first() -> None:
    text = "name: x\ndependencies:\n- vc=14=h21ff451_1\nprefix: C:\\Anaconda3\n"
    weights = [item.weight for item in read_source(text.encode(), "x").evidence]

    assert weights == sorted(weights, reverse=True)
    assert len(weights) == 3
