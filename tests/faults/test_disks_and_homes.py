"""A disk that is full, a home that cannot be written or is not there, a clock that is wrong, a terminal of another age.

None of it changes an answer: the same bytes come out as on a machine in order, or envcheck says what stands in the way.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.cli.running import STATUSES
from tests.support.server import ServerFactory
from tests.support.worlds import SOURCE, World, read_only, small_disk

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="what is taken away here is taken in POSIX's ways")
pytestmark = pytest.mark.timeout(240)
LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "cp1252": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp437"},
    "ascii": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"},
}


@pytest.fixture
def world(
    tmp_path: Path, loopback_server: ServerFactory, channels: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    return World(tmp_path, loopback_server, channels, index)


def run_well(command: Sequence[str], world: World, environment: Mapping[str, str]) -> None:
    """A program in the world's directory that ends with 0."""
    done = subprocess.run(
        command, cwd=world.work, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def expected(world: World) -> bytes:
    """What comes out on a machine in order."""
    content = world.lock()
    shutil.rmtree(world.home / "cache")
    return content


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be written
# ---------------------------------------------------------------------------------------------------------------------


@POSIX
def test_a_home_that_cannot_be_written_costs_time_and_nothing_else(world: World, tmp_path: Path) -> None:
    whole = expected(world)
    with read_only(world.home):
        assert world.lock() == whole
        assert world.lock() == whole
        assert world.envcheck("audit", "environment.yml").status == 0
        assert "1 known from before" in world.envcheck("audit", "environment.yml").output
    (private,) = (tmp_path / "temporary").iterdir()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@POSIX
@pytest.mark.parametrize("options", [(), ("--cache-dir", "cache")], ids=["usual", "named"])
def test_what_a_read_only_cache_holds_is_used(world: World, options: tuple[str, ...]) -> None:
    world.envcheck.write("environment.yml", SOURCE.partition("  - pip:")[0])
    whole = world.lock(*options)
    asked = len(world.server.requests)
    with read_only(world.work / "cache" if options else world.home):
        assert world.lock(*options, "--offline") == whole
        assert len(world.server.requests) == asked
        assert world.lock(*options) == whole


@POSIX
def test_nobody_is_believed_who_made_our_folder_before_us(world: World, tmp_path: Path) -> None:
    expected(world)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "temporary" / f"envcheck-{os.getuid()}").symlink_to(elsewhere)
    with read_only(world.home):
        run = world.envcheck("lock", "environment.yml")
    assert run.status == 2
    assert "Nothing can be kept in" in run.errors
    assert "nor among the temporary files" in run.errors
    assert "--cache-dir" in run.errors
    assert not list(elsewhere.iterdir())


NO_HOME = """
import os, pwd
def nobody(*_):
    raise KeyError("nobody")
pwd.getpwuid = nobody
from envcheck.cli import main
main()
"""


@POSIX
def test_a_user_without_a_home(world: World) -> None:
    whole = expected(world)
    variables = world.envcheck.environment()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        del variables[name]
    for arguments in (["lock", "environment.yml"], ["audit", "environment.yml"], ["doctor"], ["explain", "numpy"]):
        run_well([sys.executable, "-c", NO_HOME, *arguments], world, variables)
    assert (world.work / "conda-lock.yml").read_bytes() == whole


# ---------------------------------------------------------------------------------------------------------------------
# A full disk
# ---------------------------------------------------------------------------------------------------------------------


@POSIX
def test_a_full_disk_below_the_caches(world: World, tmp_path: Path) -> None:
    whole = expected(world)
    with small_disk(world.home / "cache", "64k"):
        assert world.lock() == whole
        assert world.envcheck("audit", "environment.yml").status == 0


@POSIX
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("lock", "environment.yml", "--lock"), "conda-lock.yml"),
        (("lock", "environment.yml", "--lock"), "pixi.lock"),
        (("check", "environment.yml", "--format", "html", "-o"), "report.html"),
        (("audit", "environment.yml", "--format", "html", "-o"), "report.html"),
    ],
)
def test_a_full_disk_below_an_output_leaves_the_old_one(
    world: World, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    with small_disk(tmp_path / "disk", "32k") as disk:
        target = disk / name
        target.write_text("old\n")
        with (disk / "ballast").open("wb") as stream:
            stream.write(b"x" * (disk.stat().st_blksize * 5))
        run = world.envcheck(*arguments, str(target))
        assert run.status == 3
        assert "No space left on device" in run.errors
        assert "hint: Make room" in run.errors
        assert target.read_text() == "old\n"
        assert sorted(path.name for path in disk.iterdir()) == sorted(["ballast", name])


@POSIX
def test_a_quota_is_not_taken_for_a_channels_fault(world: World) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 16; exec '{sys.executable}' -m envcheck lock environment.yml"],
        cwd=world.work,
        env=world.envcheck.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    assert "or it cannot be kept in the cache: File too large" in done.stderr
    assert "conda-lock.yml" not in world.envcheck.files()
    world.lock()


@POSIX
def test_no_room_for_temporary_files_is_said_in_a_sentence(world: World, tmp_path: Path) -> None:
    """Where every folder for temporary files is full, the program says so and has no traceback."""
    world.lock()
    code = """
import errno, tempfile
def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device", "/tmp/x")
tempfile.mkdtemp = full
from envcheck.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "lock", "environment.yml"],
        cwd=world.work,
        env=world.envcheck.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr == (
        "envcheck: the system refuses (No space left on device: /tmp/x)\n"
        "next: envcheck doctor\n"
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Clocks and locales
# ---------------------------------------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("date", ["1979-12-31", "2099-06-01"])
def test_a_wrong_clock(world: World, date: str) -> None:
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip("faketime is not installed")
    whole = world.lock()
    command = [faketime, date]
    for arguments in (["lock", "environment.yml"], ["audit", "environment.yml", "--jobs", "1"]):
        run_well([*command, sys.executable, "-m", "envcheck", *arguments], world, world.envcheck.environment())
    assert (world.work / "conda-lock.yml").read_bytes() == whole
    assert world.lock() == whole
    assert world.envcheck("audit", "environment.yml").status == 0


@pytest.mark.parametrize("moment", [86400.0, 4_000_000_000.0], ids=["1970", "2096"])
def test_files_of_the_cache_from_another_time(world: World, moment: float) -> None:
    whole = world.lock()
    for path in (world.home / "cache").rglob("*"):
        os.utime(path, (moment, moment))
    assert world.lock() == whole


@pytest.mark.parametrize("locale", LOCALES)
def test_every_command_prints_on_a_terminal_of_another_age(world: World, locale: str) -> None:
    world.envcheck.write("größe☃.yml", "name: größe\nchannels: [conda-forge]\ndependencies: [pywin32, python=3.10]\n")
    world.lock()
    for arguments, status in (
        (("check", "größe☃.yml", "-v"), 1),
        (("audit", ".", "--format", "text"), 1),
        (("explain", "numpy"), 0),
        (("verify", "conda-lock.yml"), 0),
        (("rules", "EC501"), 0),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "envcheck", *arguments],
            cwd=world.work,
            env=world.envcheck.environment(**LOCALES[locale]),
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        assert done.returncode in STATUSES
        assert b"Traceback" not in done.stderr
    assert world.lock(**LOCALES[locale]) == world.lock()
