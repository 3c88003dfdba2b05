"""What is different on Windows, told on any machine: modules, paths, consoles, and files that somebody has open."""

from __future__ import annotations

import ast
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from envcheck import cli_support, files
from envcheck.errors import OutputError
from envcheck.files import write_atomically
from envcheck.locations import local_path
from envcheck.sources.encoding import decode

PACKAGE = Path(__file__).parents[2] / "envcheck"
POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty", "readline"}
"""Modules of the standard library that only POSIX has (https://docs.python.org/3/library/unix.html)."""

POSIX_NAMES = {
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "kill", "killpg", "nice", "setsid", "sysconf", "statvfs"),
    *("sched_getaffinity", "waitpid", "mkfifo", "chown", "fchmod", "fchown", "uname", "getpgid", "O_NOFOLLOW"),
}
"""Names of ``os`` that Windows lacks, or has with another meaning (``os.kill``)."""

GUARDED = {
    "engines/apart.py": {"fork", "kill", "waitpid"},  # behind sys.platform
    "engines/record_store_building.py": {"nice"},  # AttributeError is suppressed
    "audit_work.py": {"sysconf"},  # AttributeError is caught
    "cores.py": {"sched_getaffinity"},  # behind hasattr
}
"""Where such a name may be used, as there is another way beside it."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_bytes())


def test_no_module_needs_what_only_posix_has() -> None:
    for name, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.Import):
                found = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found = {node.module or ""}
            else:
                continue
            assert found.isdisjoint(POSIX_MODULES), name


def test_no_function_of_posix_alone_is_called_without_another_way() -> None:
    for name, tree in trees():
        found = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
        }
        assert (found & POSIX_NAMES) <= GUARDED.get(name, set()), name


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///C:/Users/Ann%20Lee/channel", "C:\\Users\\Ann Lee\\channel"),
        ("file:///C|/channel", "C:\\channel"),
        ("file://localhost/C:/channel", "C:\\channel"),
        ("file://server/share/channel", "\\\\server\\share\\channel"),
    ],
)
def test_addresses_of_folders_on_windows(monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    import nturl2path
    import urllib.request

    import envcheck.locations

    monkeypatch.setattr(envcheck.locations.os, "name", "nt")
    monkeypatch.setattr(urllib.request, "url2pathname", nturl2path.url2pathname)
    monkeypatch.setattr(envcheck.locations, "Path", str)
    assert str(local_path(url)) == path


def test_a_file_that_somebody_has_open_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, refusals = Path.replace, [PermissionError(13, "used by another process")] * 2

    def busy(self: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(self, target)

    monkeypatch.setattr(files.sys, "platform", "win32")
    monkeypatch.setattr(files.time, "sleep", lambda _: None)
    monkeypatch.setattr(Path, "replace", busy)
    write_atomically(tmp_path / "lock.yml", "new\n")
    assert (tmp_path / "lock.yml").read_text() == "new\n"
    (tmp_path / "lock.yml").write_text("old\n")
    refusals[:] = [PermissionError(13, "used by another process")] * 9
    with pytest.raises(OutputError, match="used by another process"):
        write_atomically(tmp_path / "lock.yml", "new\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"lock.yml": "old\n"}


def test_a_pipe_that_is_closed_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it is no BrokenPipeError but an invalid argument."""

    def closed(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    ended: list[int] = []
    monkeypatch.setattr(cli_support.click, "echo", closed)
    monkeypatch.setattr(cli_support.sys, "platform", "win32")
    monkeypatch.setattr(cli_support.os, "open", lambda *_: 99)
    monkeypatch.setattr(cli_support.os, "dup2", lambda new, _: ended.append(new))
    cli_support.emit("text", None)
    assert ended == [99]
    monkeypatch.setattr(cli_support.sys, "platform", "linux")
    with pytest.raises(OutputError):
        cli_support.emit("text", None)


@pytest.mark.parametrize(
    ("codec", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("utf-8", b"")]
)
def test_what_windows_writes_is_read(codec: str, mark: bytes) -> None:
    """PowerShell's ``>`` writes UTF-16 with a mark, cmd's the code page of the machine; all end lines with CR LF."""
    text = "name: café\r\nchannels:\r\n  - conda-forge\r\n"
    assert decode(mark + text.encode(codec), "x.yml").text.splitlines() == text.splitlines()
