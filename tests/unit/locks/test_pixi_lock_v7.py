from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.errors import SourceError
from envcheck.locks.contents import LockedPackage, LockError, PlatformLock
from envcheck.locks.pixi_lock_v7 import read, render, verify
from envcheck.model import Channel, Record
from tests.unit.locks.making import CHANNELS, COMMIT, DISTRIBUTIONS, FORGE, PACKAGES, conda, wheel

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
        ("zlib (linux-64)", "it needs libgcc, which is not locked"),
        ("minimal (linux-64)", "the URL is not that of a conda package"),
        ("minimal (linux-64)", "no hash is given, so a changed file would go unnoticed"),
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
        ("version: 7\nenvironments: &a {}\npackages: *a", "an alias"),
        ("version: 7\n  x: [", "not readable as YAML"),
    ],
)
def test_what_is_no_lock_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(text, path="pixi.lock")
    assert "pw" not in caught.value.message


# ---------------------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------------------

LINUX = PlatformLock(platform="linux-64", packages=PACKAGES, distributions=DISTRIBUTIONS, provided=(("six-x", "six"),))
MACOS = PlatformLock(
    platform="osx-arm64",
    packages=(conda("zlib", "1.3.1", "h8359307_2", subdir="osx-arm64", number=2), *PACKAGES[2:3]),
    distributions=DISTRIBUTIONS[1:],
)


def test_the_lock_is_the_one_that_rattler_itself_would_write(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    packages = (
        *PACKAGES,
        replace(conda("odd", "1e5", "0_x", number=3), constrains=("libgomp 15",), track_features=("odd",)),
        replace(conda("generic", "1", "py_0", subdir="noarch"), noarch="generic"),
        replace(conda("old", "2022.1", "py36_0", subdir="noarch"), noarch=None),
        replace(conda("elsewhere", "1", "0"), url="https://files.example/all/linux-64/elsewhere-1-0.conda"),
        replace(conda("renamed", "1", "0"), url=f"{FORGE}/linux-64/other-2-h_5.tar.bz2", sha256=None),
    )
    odd = wheel("odd", "1.0", "Foo_Bar[b,a] (!=2.1,<4.0,>=2)", 'x ; extra == "y"', python="!=3.0.*,<4,>=2.7")
    linux = replace(LINUX, packages=packages, distributions=(*DISTRIBUTIONS, odd))
    text = render([MACOS, linux], channels=CHANNELS)
    (tmp_path / "pixi.lock").write_text(text, encoding="utf-8")
    rattler.LockFile.from_path(tmp_path / "pixi.lock").to_path(tmp_path / "again.lock")
    assert (tmp_path / "again.lock").read_text("utf-8") == text


def test_rattler_reads_every_package_and_distribution(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    (tmp_path / "pixi.lock").write_text(render([LINUX, MACOS], channels=CHANNELS), encoding="utf-8")
    environment = rattler.LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    assert [str(channel) for channel in environment.channels()] == [f"{FORGE}/"]
    found = {platform.name: packages for platform, packages in environment.packages_by_platform().items()}
    assert {name: {one.name for one in packages} for name, packages in found.items()} == {
        "linux-64": {"zlib", "libgcc", "six", "python", "pip", "requests", "urllib3", "mike"},
        "osx-arm64": {"zlib", "six", "urllib3", "mike"},
    }
    for record in environment.conda_repodata_records()["linux-64"]:
        ours = next(one for one in PACKAGES if one.name == record.name.normalized)
        assert (str(record.version), str(record.build), record.build_number) == (
            ours.version,
            ours.build,
            ours.build_number,
        )
        assert (record.url, record.subdir, record.size) == (ours.url, ours.subdir, ours.size)
        assert (record.md5.hex(), record.sha256.hex()) == (ours.md5, ours.sha256)
        assert tuple(record.depends) == ours.depends
    requests = next(one for one in environment.pypi_packages()["linux-64"] if one.name == "requests")
    assert requests.requires_python.replace(" ", "") == ">=3.7,<4"
    assert requests.hashes.sha256.hex() == DISTRIBUTIONS[0].sha256


def test_what_is_written_is_read_again() -> None:
    contents = read(render([MACOS, LINUX], channels=CHANNELS))
    assert contents.platforms == ("linux-64", "osx-arm64")
    assert contents.channels == (FORGE,)
    linux = {one.name: one for one in contents.packages if one.platform == "linux-64"}
    for record in PACKAGES:
        found = linux[record.name]
        assert (found.version, found.build, found.url) == (record.version, record.build, record.url)
        assert (found.md5, found.sha256, found.manager) == (record.md5, record.sha256, "conda")
        assert {f"{name} {constraint}".strip() for name, constraint in found.dependencies} == set(record.depends)
    for one in DISTRIBUTIONS[:2]:
        found = linux[one.name]
        assert (found.version, found.url, found.sha256, found.manager) == (one.version, one.url, one.sha256, "pip")
    assert linux["mike"].url == f"git+https://github.com/example/mike#{COMMIT}"
    assert verify(render([LINUX], channels=CHANNELS)) == ()


@settings(max_examples=20, deadline=None)
@given(st.permutations(PACKAGES), st.permutations(DISTRIBUTIONS), st.booleans())
def test_the_bytes_do_not_depend_on_the_order(packages: list, distributions: list, swapped: bool) -> None:  # type: ignore[type-arg]
    linux = replace(LINUX, packages=tuple(packages), distributions=tuple(distributions))
    locks = [MACOS, linux] if swapped else [linux, MACOS]
    assert render(locks, channels=CHANNELS) == render([LINUX, MACOS], channels=CHANNELS)


def test_indexes_stand_only_where_something_comes_from_them() -> None:
    def environment(*indexes: str, lock: PlatformLock = LINUX) -> dict[str, object]:
        found: dict[str, object] = yaml.safe_load(render([lock], channels=CHANNELS, indexes=indexes))
        return found["environments"]["default"]  # type: ignore[index,no-any-return]

    assert environment()["indexes"] == ["https://pypi.org/simple"]
    assert environment("https://me:pw@index.example/simple")["indexes"] == ["https://index.example/simple"]
    assert "indexes" not in environment(lock=replace(LINUX, distributions=()))


def purls(lock: PlatformLock, name: str) -> list[str] | None:
    packages = yaml.safe_load(render([lock], channels=CHANNELS))["packages"]
    (found,) = (one for one in packages if f"/{name}-" in one.get("conda", ""))
    return found.get("purls")  # type: ignore[no-any-return]


def test_the_project_that_a_package_holds_is_told() -> None:
    assert purls(LINUX, "six") == ["pkg:pypi/six-x"]
    # pixi locks anew where the manifest has a pip section and no package says what it holds.
    assert purls(replace(LINUX, provided=(("six", "six"),)), "six") == ["pkg:pypi/six"]
    assert purls(LINUX, "zlib") is None


def test_a_package_that_only_has_the_name_of_a_project_holds_none(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    lock = replace(LINUX, distributions=(wheel("zlib"),))
    assert purls(lock, "zlib") == []
    text = render([lock], channels=CHANNELS)
    (tmp_path / "pixi.lock").write_text(text, encoding="utf-8")
    rattler.LockFile.from_path(tmp_path / "pixi.lock").to_path(tmp_path / "again.lock")
    assert (tmp_path / "again.lock").read_text("utf-8") == text


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (conda("python", "3.13.2", "hbf91978_1_cp313t", number=1), "lib/python3.13t/site-packages"),
        (conda("python", "3.13.2", "hf636f53_101_cp313", number=101), None),
        # Both Pythons of Windows have Lib/site-packages.
        (conda("python", "3.14.6", "hb4b0029_2_cp314t", subdir="win-64", number=2), None),
        (conda("python-freethreading", "3.13.2", "0_cp313t"), None),
    ],
)
def test_a_free_threaded_python_has_a_place_of_its_own(record: Record, expected: str | None, tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    lock = PlatformLock(platform=record.subdir, packages=(record,))
    (tmp_path / "pixi.lock").write_text(render([lock], channels=CHANNELS), encoding="utf-8")
    environment = rattler.LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    (found,) = environment.conda_repodata_records()[record.subdir]
    assert found.python_site_packages_path == expected


def test_a_channel_in_a_directory_is_read_by_rattler(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    channel = (tmp_path / "channel").as_uri()
    packages = tuple(replace(one, channel=channel, url=one.url.replace(FORGE, channel)) for one in PACKAGES)
    channels = (Channel(name="mine", url=channel, locations=(channel,)),)
    text = render([replace(LINUX, packages=packages, distributions=())], channels=channels)
    (tmp_path / "pixi.lock").write_text(text, encoding="utf-8")
    environment = rattler.LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    found = environment.conda_repodata_records()["linux-64"]
    assert {(one.url, one.subdir, one.channel.rstrip("/")) for one in found} == {
        (one.url, one.subdir, channel) for one in packages
    }
    assert {one.name.normalized: one.noarch.python for one in found} == {
        one.name: one.noarch == "python" for one in packages
    }


def test_metadata_that_rattler_would_refuse_is_left_out(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    old = wheel("old", "1.0", "enum34 (>=1.0)", "broken >=>1", python=">=3.6.*")
    text = render([replace(LINUX, distributions=(old,))], channels=CHANNELS)
    (tmp_path / "pixi.lock").write_text(text, encoding="utf-8")
    (found,) = rattler.LockFile.from_path(tmp_path / "pixi.lock").default_environment().pypi_packages()["linux-64"]
    assert (found.name, found.requires_python, found.requires_dist) == ("old", None, ["enum34>=1.0"])


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        (replace(LINUX, packages=(replace(PACKAGES[0], md5=None, sha256=None),)), "no sha256 or md5"),
        (replace(LINUX, packages=(replace(PACKAGES[0], url=""),)), "no download URL"),
        (replace(LINUX, distributions=(replace(DISTRIBUTIONS[0], sha256=None),)), "neither a sha256 nor a commit"),
        (
            replace(LINUX, distributions=(replace(DISTRIBUTIONS[0], url="https://me:pw@h/x.whl"),)),
            "credentials in their URLs",
        ),
    ],
)
def test_what_cannot_be_named_beyond_doubt_is_not_locked(lock: PlatformLock, message: str) -> None:
    with pytest.raises(LockError, match=message) as caught:
        render([lock], channels=CHANNELS)
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("md5: ", "md5: 0"),
        ("  - zlib >=1.3.1,<2.0a0", "  - zlib-ng >=1.3.1,<2.0a0"),
        ("zlib-1.3.1-hb9d3cd8_2.conda", "zlib-1.3.1-hb9d3cd8_2.zip"),
        ("/linux-64/libgcc", "/win-64/libgcc"),
        (f"#{COMMIT}", "#main"),
    ],
)
def test_a_change_of_one_entry_is_noticed(before: str, after: str) -> None:
    text = render([LINUX], channels=CHANNELS)
    assert before in text
    assert verify(text.replace(before, after)) != ()
