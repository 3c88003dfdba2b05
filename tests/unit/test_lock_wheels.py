"""Pip packages of a lock that are named by their version, asked of the package index."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.lock_wheels import ask_package_index, with_fits
from envcheck.locks.explicit import read
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.index import UnavailableIndex, open_index
from envcheck.pip.lookup import PackageIndex, ProjectFiles
from envcheck.rules.lock_facts import FileState, LockEntry, WheelFit
from tests.support.package_index import source, wheel, write_index


@pytest.fixture
def index(tmp_path: Path) -> PackageIndex:
    folder = write_index(
        tmp_path / "index",
        wheel("demo", "1.0"),
        wheel("demo", "2.0", yanked=True),
        source("old-one", "0.5"),
    )
    return open_index(IndexSettings(url=folder.as_uri(), origin="test"))


def entry(line: str) -> LockEntry:
    (package,) = read(f"@EXPLICIT\n# pip {line}\n").packages
    return LockEntry(package=package)


def asked(index: PackageIndex, line: str) -> LockEntry:
    ((found,), trouble) = ask_package_index([entry(line)], index)
    assert trouble == ""
    return found


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("demo==1.0", FileState.SAME),
        ("Demo==1", FileState.SAME),
        ("old_one==0.5", FileState.SAME),
        ("demo==2.0", FileState.YANKED),
        ("demo==3.0", FileState.GONE),
        ("nobody==1.0", FileState.GONE),
        ("demo==no.version.at.all", FileState.GONE),
        (f"demo==1.0 --hash=sha256:{'0' * 64}", FileState.OTHER_HASH),
    ],
)
def test_what_the_index_says_of_a_version(index: PackageIndex, line: str, state: FileState) -> None:
    assert asked(index, line).file is state


def test_the_right_hash_is_the_index_s(index: PackageIndex) -> None:
    project = index.project("demo")
    assert isinstance(project, ProjectFiles)
    sha256 = next(one.sha256 for one in project.files if "1.0" in one.filename)
    assert asked(index, f"demo==1.0 --hash=sha256:{sha256}").file is FileState.SAME
    assert asked(index, f"demo==1.0 --hash=sha256:{'0' * 64}").answer == sha256


def test_an_index_that_does_not_answer_is_told_once(index: PackageIndex) -> None:
    del index
    found, trouble = ask_package_index([entry("demo==1.0")], UnavailableIndex("offline"))
    assert (found[0].file, trouble) == (FileState.NOT_ASKED, "offline")


def test_a_version_says_nothing_of_platforms() -> None:
    (found,) = with_fits([entry("demo==1.0")], "linux-64", "2.28")
    assert found.fit is WheelFit.FITS
