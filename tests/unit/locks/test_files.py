from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from envcheck import files
from envcheck.errors import OutputError
from envcheck.files import write_atomically


def test_writes_a_new_file_with_the_mode_of_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "lock.yml"
    previous = os.umask(0o027)
    try:
        write_atomically(target, "größe\n")
    finally:
        os.umask(previous)
    assert target.read_bytes() == "größe\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["lock.yml"]


def test_replaces_content_and_keeps_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "lock.yml"
    target.write_text("old")
    target.chmod(0o604)
    write_atomically(str(target), "new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.yml"
    real.write_text("old")
    link = tmp_path / "link.yml"
    link.symlink_to(real)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException | type[BaseException]
) -> None:
    target = tmp_path / "lock.yml"
    target.write_text("old")

    def fail(descriptor: int) -> None:
        raise interruption

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["lock.yml"]


def test_a_missing_directory_is_an_output_error_with_the_path(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "lock.yml"
    with pytest.raises(OutputError) as caught:
        write_atomically(target, "text")
    assert caught.value.path == str(target)
    assert caught.value.hint
    assert not target.parent.exists()


def test_a_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"):
        write_atomically(tmp_path, "text")


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_atomically("/dev/null", "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "lock.yml"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(OutputError, match="read-only"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
