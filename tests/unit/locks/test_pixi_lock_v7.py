from __future__ import annotations

import pytest

from envcheck.errors import SourceError
from envcheck.locks.contents import LockedPackage
from envcheck.locks.pixi_lock_v7 import read, verify

FORGE = "https://conda.anaconda.org/conda-forge"
FILES = "https://files.example/packages"
MD5 = "0123456789abcdef0123456789abcdef"
SHA256 = "12345678" * 8

SEVEN = f"""\
version: 7
platforms:
- name: linux-64
  virtual-packages:
  - __glibc=2.28
- name: old-cluster
  subdir: linux-64
environments:
  default:
    channels:
    - url: {FORGE}/
    indexes:
    - https://pypi.org/simple
    packages:
      linux-64:
      - conda: {FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
      - pypi: {FILES}/Six-1.10-py3-none-any.whl
      old-cluster:
      - conda_source: minimal[ac2e8eb3] @ ../minimal
packages:
- conda: {FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
  sha256: '{SHA256}'
  md5: {MD5}
  depends:
  - libgcc >=13
  - __glibc >=2.17,<3.0.a0
  constrains:
  - zlib-ng <0
- conda_source: minimal[ac2e8eb3] @ ../minimal
  version: '0.10'
- pypi: {FILES}/Six-1.10-py3-none-any.whl
  name: six
  version: 1.10
  sha256: '{SHA256}'
  requires_dist:
  - Typing_Extensions>=4 ; python_version < '3.9'
"""

FIVE = f"""\
version: 5
environments:
  default:
    channels:
    - url: {FORGE}/
    packages:
      linux-64:
      - conda: {FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
      - pypi: ./here
packages:
- kind: conda
  name: zlib
  version: 1.3.1
  build: hb9d3cd8_2
  subdir: linux-64
  url: {FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
  md5: {MD5}
- kind: pypi
  name: here
  version: '1.0'
  path: ./here
  editable: true
"""


def test_a_lock_of_version_7_in_full() -> None:
    contents = read(SEVEN)
    assert contents.platforms == ("linux-64",)
    assert contents.channels == (FORGE,)
    assert contents.virtual_packages == (("linux-64", "__glibc=2.28"),)
    zlib, six, minimal = contents.packages
    assert zlib == LockedPackage(
        name="zlib",
        version="1.3.1",
        build="hb9d3cd8_2",
        platform="linux-64",
        url=f"{FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
        md5=MD5,
        sha256=SHA256,
        dependencies=(("__glibc", ">=2.17,<3.0.a0"), ("libgcc", ">=13")),
        constrains=("zlib-ng <0",),
    )
    # 1.10 is a text, whatever YAML makes of it.
    assert (six.manager, six.name, six.version, six.build) == ("pip", "six", "1.10", None)
    assert six.dependencies == (("typing-extensions", ">=4 ; python_version < '3.9'"),)
    assert (minimal.name, minimal.version, minimal.platform) == ("minimal", "0.10", "linux-64")
    assert minimal.environment == "default on old-cluster"


def test_an_older_version_is_read_too() -> None:
    zlib, here = read(FIVE).packages
    assert (zlib.name, zlib.build, zlib.md5) == ("zlib", "hb9d3cd8_2", MD5)
    assert (here.name, here.manager, here.url) == ("here", "pip", "./here")


def test_what_is_wrong_is_told() -> None:
    assert {(problem.subject, problem.message) for problem in verify(SEVEN)} == {
        ("zlib (linux-64)", "It needs libgcc, which is not locked."),
        ("minimal (linux-64)", "The URL is not that of a conda package."),
        ("minimal (linux-64)", "No hash is given, so a changed file would go unnoticed."),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a pixi.lock"),
        ("version: 3\nenvironments: {}", "not a pixi.lock of version"),
        ("version: 8\nenvironments: {}", "not a pixi.lock of version"),
        ("version: 7\npackages: []", "not a pixi.lock of version"),
        ("version: 7\nenvironments: {a: {packages: {linux-64: [{url: x}]}}}", "names no package"),
        ("version: 7\nenvironments: {a: {packages: {linux-64: [{conda: 'https://me:pw@h/x'}]}}}", "does not describe"),
        ("version: 7\nenvironments: &a {}\npackages: *a", "aliases"),
        ("version: 7\n  x: [", "not readable as YAML"),
    ],
)
def test_what_is_no_lock_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(text, path="pixi.lock")
    assert "pw" not in caught.value.message
