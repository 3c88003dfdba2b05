"""The build context: which files ``docker build`` would send, and their bytes.

A ``.dockerignore`` is matched as moby's ``patternmatcher`` does it, which is not how git matches: a pattern without a
slash matches at the top only, ``**`` any number of folders, the last pattern that matches decides, and a folder that is
left out takes what is in it along unless a later ``!`` brings it back (docs.docker.com/build/concepts/context).
"""

from __future__ import annotations

import functools
import itertools
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envcheck.limits import MAX_BYTES, MAX_IGNORE_BYTES

__all__ = ["Context", "IgnorePattern", "is_ignored", "open_context", "read_patterns"]

_MOST_PATTERNS = 2_000
_MOST_ENTRIES = 50_000
_LONGEST_PATH = 4_096  # PATH_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePattern:
    """One line of a ``.dockerignore``."""

    text: str
    line: int
    keeps: bool
    expression: re.Pattern[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A build context; paths are relative to it, with slashes and without a leading one.

    ``root`` is ``None`` where the folder is not known; nothing can be said then about what is in it.
    """

    root: Path | None
    patterns: tuple[IgnorePattern, ...] = ()
    ignore_file: str = ".dockerignore"

    def ignoring(self, path: str) -> IgnorePattern | None:
        """The pattern that leaves a file out."""
        return is_ignored(path, self.patterns)

    def is_file(self, path: str) -> bool:
        """Whether there is such a file, ignored or not."""
        found = self._inside(path)
        return found is not None and found.is_file()

    def is_directory(self, path: str) -> bool:
        """Whether there is such a folder."""
        found = self._inside(path)
        return found is not None and found.is_dir()

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The files and folders that a COPY's source names; wildcards are those of Go's ``filepath.Match``."""
        pattern = _clean(pattern)
        if not any(mark in pattern for mark in "*?["):
            return (pattern,) if self.is_file(pattern) or self.is_directory(pattern) else ()
        found = [""]
        for part in pattern.split("/"):
            expression = _compiled(part)
            following: list[str] = []
            for folder in found:
                following += [
                    posixpath.join(folder, name) for name in self._names(folder) if expression.fullmatch(name)
                ]
            found = following[:_MOST_ENTRIES]
        return tuple(found)

    def read(self, path: str) -> bytes | None:
        """A file's bytes; ``None`` where it is not in the context or cannot be read."""
        found = self._inside(path)
        if found is None or not found.is_file():
            return None
        try:
            with found.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError:
            return None

    def _names(self, folder: str) -> Iterator[str]:
        found = self._inside(folder)
        if found is None or not found.is_dir():
            return
        try:
            yield from sorted(entry.name for entry in os.scandir(found))[:_MOST_ENTRIES]
        except OSError:
            return

    def _inside(self, path: str) -> Path | None:
        """The path on this machine, ``None`` where it would lead out of the context, be it over a link."""
        if self.root is None or "\0" in path or len(path) > _LONGEST_PATH:
            return None
        try:
            root = self.root.resolve()
            found = (root / _clean(path)).resolve()
        except (OSError, RuntimeError, ValueError):
            return None
        if found != root and root not in found.parents:
            return None
        try:
            return found if found.exists() else None
        except OSError:
            return None  # Its name is longer than a file system takes.


def open_context(root: Path | None, dockerfile: Path | None) -> Context:
    """A context with its ignore file: ``<Dockerfile>.dockerignore`` beside the Dockerfile, or ``.dockerignore``."""
    if root is None:
        return Context(root=None)
    candidates = [root / ".dockerignore"]
    if dockerfile is not None:
        candidates.insert(0, dockerfile.with_name(dockerfile.name + ".dockerignore"))
    for path in candidates:
        try:
            if not path.is_file():
                continue  # not there, or a pipe, which would wait for a writer
            with path.open("rb") as stream:
                text = stream.read(MAX_IGNORE_BYTES).decode("utf-8-sig", "replace")
        except OSError:
            continue
        return Context(root=root, patterns=read_patterns(text), ignore_file=path.name)
    return Context(root=root)


def read_patterns(text: str) -> tuple[IgnorePattern, ...]:
    """The patterns of an ignore file (``ReadAll`` in moby's ``ignorefile``)."""
    found: list[IgnorePattern] = []
    for number, line in enumerate(text.splitlines()[:_MOST_PATTERNS], start=1):
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        keeps = pattern.startswith("!")
        pattern = _clean(pattern[1:].strip() if keeps else pattern)
        # More stars than anybody writes would take the matcher forever.
        if pattern and len(pattern) <= 1_000 and len(re.findall(r"\*+", pattern)) <= 8:
            found.append(IgnorePattern(text=line.strip(), line=number, keeps=keeps, expression=_compiled(pattern)))
    return tuple(found)


def is_ignored(path: str, patterns: Sequence[IgnorePattern]) -> IgnorePattern | None:
    """The pattern that leaves a path out, ``None`` where it is sent (``MatchesOrParentMatches``)."""
    path = _clean(path)[:_LONGEST_PATH]
    parts = path.split("/")
    paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    deciding: IgnorePattern | None = None
    for pattern in patterns:
        if any(pattern.expression.fullmatch(one) for one in paths):
            deciding = pattern
    return deciding if deciding is not None and not deciding.keeps else None


def _clean(path: str) -> str:
    """A path below the context's root: ``./a``, ``/a`` and ``../a`` are all ``a`` there, as in BuildKit."""
    cleaned = posixpath.normpath("/" + path.strip().lstrip("/")).lstrip("/")
    return "" if cleaned == "." else cleaned


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression (``Pattern.compile``); one that cannot be read matches nothing.

    Of what stands between two stars the first place that fits is as good as any, so that the search for it never has to
    be taken up again: it stands in a lookahead with a reference to what that found (an atomic group, which Python has
    since 3.11). Only what follows the last star is bound to the end of the path. So no pattern takes long.
    """
    spans = _spans(pattern)
    names = itertools.count()

    def atomic(expression: str) -> str:
        name = f"g{next(names)}"
        return f"(?=(?P<{name}>{expression}))(?P={name})"

    whole = ""
    for position, (lead, pieces) in enumerate(spans):
        is_last = position == len(spans) - 1
        first, *others = pieces
        chunk = first
        for number, piece in enumerate(others, start=1):
            ends = is_last and number == len(others)
            chunk += f"[^/]*{piece}" if ends else atomic(f"[^/]*?{piece}")
        whole += lead + chunk if is_last or not lead else atomic(_LAZY[lead] + chunk)
    try:
        return re.compile(whole, re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")


_LAZY = {".*": ".*?", "(?:.*/)?": "(?:.*?/)??"}


def _spans(pattern: str) -> list[tuple[str, list[str]]]:
    """What stands between the ``**`` of a pattern, each with what the ``**`` before it matches, cut at its stars."""
    found: list[tuple[str, list[str]]] = [("", [""])]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if pattern.startswith("**", position):
            while position < len(pattern) and pattern[position] == "*":
                position += 1
            if pattern.startswith("/", position):
                position += 1
                found.append(("(?:.*/)?", [""]))
            else:
                found.append((".*", [""]))
            continue
        pieces = found[-1][1]
        if character == "*":
            pieces.append("")
        elif character == "?":
            pieces[-1] += "[^/]"
        elif character == "[" and (end := pattern.find("]", position + 2)) > 0:
            inner = pattern[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            pieces[-1] += f"[{inner}]"
            position = end
        elif character == "\\" and position + 1 < len(pattern):
            position += 1
            pieces[-1] += re.escape(pattern[position])
        else:
            pieces[-1] += re.escape(character)
        position += 1
    return found
