"""The source of a folder, for whoever names none: which of its files are sources, the likeliest one first.

Files are told from their content, as an audit tells them (`envcheck.audit_candidates`); those that are called what
everybody calls them count whatever is in them, for a broken ``environment.yml`` is one that its owner wants to hear of.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from envcheck.audit_candidates import HEAD_BYTES, MAX_BYTES, is_export, may_be_export, name_allows
from envcheck.errors import SourceError
from envcheck.language import Message, say
from envcheck.model import SourceKind
from envcheck.sources import read_source

__all__ = ["LOCKS", "Candidate", "find_candidates", "looked_for"]

LOCKS = frozenset({SourceKind.CONDA_LOCK, SourceKind.PIXI_LOCK})
"""What is a source only where nothing else is: it was made of one."""

_KNOWN_NAMES = ("environment.yml", "environment.yaml", "requirements.txt", "conda-lock.yml", "pixi.lock")
"""What everybody calls them, in the order in which they are taken."""

_ORDER = (
    SourceKind.ENVIRONMENT_YAML,
    SourceKind.LIST_EXPORT,
    SourceKind.LIST_JSON,
    SourceKind.LIST_TABLE,
    SourceKind.EXPLICIT,
    SourceKind.PIP_FREEZE,
    SourceKind.CONDA_LOCK,
    SourceKind.PIXI_LOCK,
)
"""Which kind is taken first: what was written to be read, then what says most of an environment; locks come last."""

_MOST_FILES = 1_000
"""How many files of a folder are opened; in one with more, what is called by a name of its own is to be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that is a source: its name, and its kind, ``None`` where it cannot be read as any."""

    name: str
    kind: SourceKind | None


def find_candidates(directory: Path) -> tuple[Candidate, ...]:
    """The sources that lie in a folder, not below it; the first is the one to take.

    Args:
        directory: The folder. One that cannot be read has none.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if name_allows(entry.name))
    except OSError:
        return ()
    known = [name for name in _KNOWN_NAMES if name in names]
    others = [name for name in names if name not in known][:_MOST_FILES]
    found = [one for name in (*known, *others) if (one := _candidate(directory, name)) is not None]
    return tuple(sorted(found, key=_rank))


def looked_for() -> Message:
    """What `find_candidates` takes for a source, for whoever has none."""
    return say("environment.yml, requirements.txt, lists that conda and pip write, conda-lock.yml and pixi.lock")


def _rank(candidate: Candidate) -> tuple[int, int, str]:
    # What cannot be read is what its name says.
    kind = candidate.kind or (SourceKind.ENVIRONMENT_YAML if "environment" in candidate.name else SourceKind.PIP_FREEZE)
    known = _KNOWN_NAMES.index(candidate.name) if candidate.name in _KNOWN_NAMES else len(_KNOWN_NAMES)
    return _ORDER.index(kind), known, candidate.name


def _candidate(directory: Path, name: str) -> Candidate | None:
    is_known = name in _KNOWN_NAMES
    data = _content(directory, name, whatever=is_known)
    if data is None or not (is_known or is_export(data, name)):
        return None
    try:
        return Candidate(name=name, kind=read_source(data, name).kind)
    except SourceError:
        return Candidate(name=name, kind=None)


def _content(directory: Path, name: str, *, whatever: bool) -> bytes | None:
    """A file's bytes, with as little read as it takes to see that it is no export; nothing outside of the folder."""
    path = directory / name
    try:
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(directory)):
            return None  # a link to a file that nobody named
        status = real.stat()
        # Nothing but plain files is opened: a pipe would wait for a writer.
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES or not (whatever or status.st_size):
            return None
        with real.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            return head + stream.read(MAX_BYTES) if whatever or may_be_export(head) else None
    except OSError:
        return None
