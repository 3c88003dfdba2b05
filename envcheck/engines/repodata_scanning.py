"""The members of a `repodata.json` in the order of the file, however large it is, without holding more than a piece."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import msgspec

__all__ = ["SECTIONS", "UnsuitableError", "scan_repodata"]

SECTIONS = ("packages", "packages.conda")
"""The objects of repodata (CEP 36) whose members are records."""

# Anything beside these may mean that records stand elsewhere, too, or that they mean something else.
_OTHER_KEYS = frozenset({"info", "removed", "repodata_version", "signatures"})
_VERSIONS = (1, 2)
_PIECE = 8 * 1024 * 1024
# No value beside the records is nearly as long; a file that has no end in sight is no repodata.
_LONGEST_VALUE = 256 * 1024 * 1024

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class UnsuitableError(Exception):
    """The repodata is not what a store can hold; whoever wants its records reads it as it is."""


def scan_repodata(stream: TextIO) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a repodata file says, piece by piece.

    Args:
        stream: The file.

    Yields:
        Pairs of a top-level key and a part of its value: members of ``packages`` and ``packages.conda`` as
        `msgspec.Raw` by file name, as often as there are more, and ``info`` whole.

    Raises:
        UnsuitableError: It is no JSON object, or none that is known to be repodata of records alone.
    """
    scanner = _Scanner(stream)
    scanner.take("{")
    if scanner.peek() == "}":
        return
    while True:
        key = scanner.key()
        if key in SECTIONS:
            yield from ((key, members) for members in scanner.members())
        elif key in _OTHER_KEYS:
            value, _ = scanner.value()
            if key == "repodata_version" and value not in _VERSIONS:
                raise UnsuitableError(f"repodata version {value!r}")
            if key == "info":
                yield key, value
        else:
            raise UnsuitableError(f"there is {key!r}")
        if scanner.take(",}") == "}":
            return


class _Scanner:
    """A place in a text that is read as it is needed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._place = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no white space."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._place = space.end() if space else self._place
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._read():
                raise UnsuitableError("it ends before its end")

    def take(self, allowed: str) -> str:
        """The next character, which has to be one of these."""
        character = self.peek()
        if character not in allowed:
            raise UnsuitableError(f"there is {character!r} where one of {allowed!r} belongs")
        self._place += 1
        return character

    def key(self) -> str:
        """The next member's key, and the colon behind it."""
        key, _ = self.value()
        if not isinstance(key, str):
            raise UnsuitableError("a key is no text")
        self.take(":")
        return key

    def value(self) -> tuple[Any, str]:
        """The next value, and as it is written."""
        self.peek()
        while True:
            start = self._place
            try:
                value, end = _VALUE.raw_decode(self._text, start)
            except (ValueError, RecursionError) as error:
                if len(self._text) - start > _LONGEST_VALUE or not self._read():
                    raise UnsuitableError("it is no JSON") from error
                continue
            # A number that ends with the text may go on behind it.
            if end == len(self._text) and self._read():
                continue
            self._place = end
            return value, self._text[start:end]

    def members(self) -> Iterator[dict[str, msgspec.Raw]]:
        """The members of the object that comes next, some at a time."""
        self.take("{")
        if self.peek() == "}":
            self._place += 1
            return
        going_on = True
        while going_on:
            found = self._many()
            if found is None:
                found, going_on = self._some()
            yield found

    def _many(self) -> dict[str, msgspec.Raw] | None:
        """The members that are in the piece at hand; ``None`` where it cannot be told so easily where they end.

        From a place where a key begins, a text that is a JSON object once it stands in braces is a run of whole
        members, since JSON has one reading; and behind the object's own end no such text goes on.
        """
        if len(self._text) - self._place < _PIECE:
            self._read()
        end = self._text.rfind("},", self._place)
        if end < 0:
            return None
        try:
            found = _MEMBERS.decode(f"{{{self._text[self._place : end + 1]}}}".encode())
        except msgspec.DecodeError:
            return None
        self._place = end + 2
        return found

    def _some(self) -> tuple[dict[str, msgspec.Raw], bool]:
        """Members one by one to the end of the object or about that of the piece; whether there are more."""
        found: dict[str, msgspec.Raw] = {}
        left = len(self._text) - self._place
        while True:
            key = self.key()
            _, written = self.value()
            found[key] = msgspec.Raw(written.encode())
            left -= len(written)
            if self.take(",}") == "}":
                return found, False
            if left <= 0:
                return found, True

    def _read(self) -> bool:
        """Read more, and let go of what is behind; false at the end."""
        if self._ended:
            return False
        try:
            more = self._stream.read(_PIECE)
        except UnicodeDecodeError as error:
            raise UnsuitableError("it is not in UTF-8") from error
        self._ended = not more
        self._text = self._text[self._place :] + more
        self._place = 0
        return not self._ended
