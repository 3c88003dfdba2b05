"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shlex
import stat
import sys
import time
from pathlib import Path

from envcheck.errors import OutputError
from envcheck.language import say

__all__ = ["write_atomically"]

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_PATIENCE = (0.01, 0.05, 0.2, 0.5)


def write_atomically(path: str | Path, text: str) -> None:
    """Replace a file's content in one step: a reader sees the old content or the new one, never a part.

    The text goes to a temporary file in the same directory (``os.replace`` is atomic only within a file system), is
    flushed to the disk and then takes the place of the target. The mode of an existing file is kept, a new one gets the
    mode that the umask asks for, and a symbolic link keeps pointing at what it points at. A device or a pipe
    (``/dev/stdout``) cannot be replaced and is written to directly.

    Args:
        path: The file to write. Its directory has to exist.
        text: The content; written as UTF-8 with its line ends unchanged, and what UTF-8 cannot hold (the stray bytes
            of a file name) as its code point.

    Raises:
        OutputError: The file cannot be written. What was there before is untouched and no temporary file remains.
    """
    shown = str(path)
    target = Path(os.path.realpath(path))
    data = text.encode("utf-8", errors="backslashreplace")
    try:
        mode = _mode_of(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(
                say("{shown} is a directory.", shown=shown), path=shown, hint=say("Name a file to write to.")
            )
        if mode is not None and not stat.S_ISREG(mode):
            Path(path).write_bytes(data)
            return
        # os.replace would overwrite a file that its owner made read-only: only the directory's mode counts for it.
        if mode is not None and not os.access(target, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        _replace(target, data, mode)
    except OSError as error:
        raise OutputError(
            say("Cannot write {shown}: {reason}.", shown=shown, reason=error.strerror or str(error)),
            path=shown,
            hint=_hint(error, shown),
        ) from error


def _hint(error: OSError, shown: str) -> str:
    if error.errno in _NO_ROOM:
        return say("Make room there, or name another place.")
    folder = os.path.dirname(shown)  # noqa: PTH120  # as the user wrote it
    if error.errno == errno.ENOENT and folder:
        return say("Make its folder first: mkdir -p {folder}", folder=shlex.quote(folder))
    return say("Choose a directory that exists and that you may write to.")


def _mode_of(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    temporary = target.parent / f".{target.name[:100]}.{secrets.token_hex(8)}.tmp"
    try:
        # O_EXCL: never write through a link that somebody else put there. 0o666 lets the kernel apply the umask.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        _take_place(temporary, target)
    except BaseException:
        # BaseException: Ctrl-C must not leave the temporary file behind either.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(target.parent)


def _take_place(temporary: Path, target: Path) -> None:
    """Give a file the name of another; Windows waits for whoever has that open, as virus scanners for a moment."""
    for seconds in _PATIENCE if sys.platform == "win32" else ():
        try:
            temporary.replace(target)
        except PermissionError:  # noqa: PERF203  # four times
            time.sleep(seconds)
        else:
            return
    temporary.replace(target)


def _sync_directory(directory: Path) -> None:
    """Make the new name survive a power cut, where directories can be synchronized at all (not on Windows)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
