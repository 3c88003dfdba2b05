from __future__ import annotations

import pytest

from envcheck.errors import SourceError
from envcheck.locks import conda_lock_v1, explicit, pixi_lock_v7
from envcheck.locks.contents import PlatformLock
from envcheck.previous_lock import read_previous_lock
from tests.unit.locks.making import CHANNELS, DISTRIBUTIONS, PACKAGES, conda

LINUX = PlatformLock(platform="linux-64", packages=PACKAGES, distributions=DISTRIBUTIONS)
MACOS = PlatformLock(platform="osx-arm64", packages=(conda("zlib", "1.3", "h1_0", subdir="osx-arm64"),))
CONDA = (
    ("libgcc", "14.2.0", "h77fa898_1"),
    ("pip", "24.0", "pyhd8ed1ab_0"),
    ("python", "3.10.14", "hd12c33a_0_cpython"),
    ("six", "1.16.0", "pyh6c4a22f_0"),
    ("zlib", "1.3.1", "hb9d3cd8_2"),
)
PIP = (("mike", "2.2.0"), ("requests", "2.28"), ("urllib3", "1.26.18"))


@pytest.mark.parametrize(
    "text",
    [
        conda_lock_v1.render_platforms([LINUX, MACOS], channels=CHANNELS, sources=["environment.yml"]),
        pixi_lock_v7.render([LINUX, MACOS], channels=CHANNELS),
    ],
    ids=["conda-lock", "pixi"],
)
def test_a_lock_says_what_to_keep_for_each_platform(text: str) -> None:
    previous = read_previous_lock(text.encode(), "lock")
    assert previous.conda("linux-64") == CONDA
    assert previous.pip("linux-64") == PIP
    assert previous.conda("osx-arm64") == (("zlib", "1.3", "h1_0"),)
    assert previous.pip("osx-arm64") == ()
    assert previous.conda("win-64") == ()


def test_an_explicit_list_is_a_lock_too() -> None:
    previous = read_previous_lock(explicit.render(PACKAGES, platform="linux-64").encode(), "list.txt")
    assert previous.conda("linux-64") == CONDA
    assert previous.pip("linux-64") == ()


def test_of_several_environments_the_default_one_counts() -> None:
    text = pixi_lock_v7.render([LINUX], channels=CHANNELS)
    head, packages = text.split("\npackages:\n")
    other = """
  another:
    channels: []
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda"""
    both = f"{head}{other}\npackages:\n{packages}"
    assert read_previous_lock(both.encode(), "pixi.lock").conda("linux-64") == CONDA
    renamed = both.replace("  default:\n", "  production:\n")
    assert read_previous_lock(renamed.encode(), "pixi.lock").conda("linux-64") == (("zlib", "1.3.1", "hb9d3cd8_2"),)


def test_what_is_no_lock_is_refused() -> None:
    with pytest.raises(SourceError):
        read_previous_lock(b"dependencies:\n- numpy\n", "environment.yml")
