"""The metadata in a wheel on a server, read by ranges (RFC 9110, section 14): its directory and one member of it.

Not every index serves metadata beside every file (PEP 658). A wheel is a zip archive whose directory stands at its end,
so that a few kilobytes tell as much. A server that would send the whole file is not asked for more.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from envcheck.language import say

__all__ = ["metadata_by_ranges", "metadata_of"]

_LARGEST = 4 * 1024 * 1024
_BLOCK = 64 * 1024

Fetch = Callable[[str], tuple[bytes, str] | None]
"""Gives the body and the ``Content-Range`` of an answer with status 206 to a ``Range``, ``None`` for any other."""


def metadata_by_ranges(fetch: Fetch) -> str | None:
    """The core metadata of a wheel, ``None`` where it cannot be read so.

    Args:
        fetch: Asks the server.
    """
    tail = fetch(f"bytes=-{_BLOCK}")
    size = re.fullmatch(r"bytes \d+-\d+/(\d+)", tail[1]) if tail is not None else None
    if tail is None or size is None or len(tail[0]) > _BLOCK:
        return None
    try:
        with zipfile.ZipFile(_Ranges(fetch, int(size[1]), tail[0])) as wheel:
            return metadata_of(wheel)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return None


def metadata_of(wheel: zipfile.ZipFile) -> str | None:
    """The core metadata in a wheel (PEP 427), ``None`` where it has none of a sensible size."""
    name = next((one for one in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)), None)
    if name is None or wheel.getinfo(name).file_size > _LARGEST:
        return None
    return wheel.read(name).decode("utf-8", "replace")


class _Ranges(io.RawIOBase):
    """A file on a server of which only what is read is fetched; its end is there already."""

    def __init__(self, fetch: Fetch, size: int, tail: bytes) -> None:
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._parts = [(max(size - len(tail), 0), tail)]
        self._left = _LARGEST

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            OSError: The server does not give them, or they are more than metadata has.
        """
        end = self._size if size is None or size < 0 else min(self._position + size, self._size)
        if end <= self._position:
            return b""
        part = next((one for one in self._parts if one[0] <= self._position and end <= one[0] + len(one[1])), None)
        if part is None:
            last = min(max(end, self._position + _BLOCK), self._size) - 1
            self._left -= last + 1 - self._position
            answer = self._fetch(f"bytes={self._position}-{last}") if self._left >= 0 else None
            if answer is None or len(answer[0]) != last + 1 - self._position:
                raise OSError(say("the server does not give a part of the file"))
            part = (self._position, answer[0])
            self._parts.append(part)
        found = part[1][self._position - part[0] : end - part[0]]
        self._position = end
        return found
