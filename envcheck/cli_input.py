"""The bytes that a command line names: a file, or standard input.

Imported by a command when it runs, so that ``--help`` needs none of it.
"""

from __future__ import annotations

import sys

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_BYTES
from envcheck.surroundings import read_file, unreadable

__all__ = ["read"]


def read(source: str, *, where_from: str | None = None) -> bytes:
    """The bytes of a source, at most one more than the reader accepts.

    Args:
        source: A path, or ``-`` for standard input.
        where_from: How such a file is had, for whoever names one that is not there.

    Raises:
        SourceError: There is no such file, or it cannot be read.
    """
    if source != "-":
        return read_file(source, where_from=where_from)
    if sys.stdin is None:
        raise SourceError(say("standard input is closed"), path=source, hint=say("Name a file, or pipe one in."))
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(source, error) from None
