"""What an environment-making command asks for, as sources that the pipeline can check.

A file that the command reads is such a source as it is. What stands on the command line, and what conda or pip read
line by line from a text file, is written as an environment file, of which each line is known by where it came from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from envcheck.docker.followed import FileFate, MadeEnvironment, UsedFile
from envcheck.errors import SourceError
from envcheck.language import clause, say
from envcheck.lock_file import LockFile, platforms_to_verify, read_lock
from envcheck.model import SourceKind
from envcheck.sources import read_source

__all__ = ["EnvironmentSource", "NotRead", "sources_of"]

_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSource:
    """One thing to check: the bytes, under which name they are told of, and where their lines came from.

    ``lines`` gives for each line of ``data`` the line of ``path`` that it stands for; empty where ``data`` is ``path``
    itself. ``names_channels`` says that the file has channels of its own; of a lock, ``lock`` is what it holds and
    ``lock_platforms`` what for.
    """

    path: str
    data: bytes = field(repr=False)
    lines: tuple[int, ...] = field(default=(), repr=False)
    names_channels: bool = False
    kind: SourceKind | None = None
    lock: LockFile | None = field(default=None, repr=False)
    lock_platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRead:
    """A part of what a command asks for that cannot be checked, and why."""

    path: str
    reason: str


def sources_of(
    made: MadeEnvironment, dockerfile: str, *, python: str | None = None
) -> tuple[EnvironmentSource | NotRead, ...]:
    """Everything that one command asks for.

    Args:
        made: The command.
        dockerfile: The Dockerfile's name.
        python: The Python (``3.12``) that pip installs for where the command itself does not tell, if it is known.
    """
    if made.pip is not None:
        return _pip_sources(made, dockerfile, made.python or python)
    found: list[EnvironmentSource | NotRead] = [_file_source(one, made) for one in made.files]
    if made.specs:
        found.append(_written(f"{dockerfile}:{made.line}", [*made.earlier, *made.specs], []))
    if not found:
        reason = say("what it installs is known only while it runs")
        found.append(NotRead(path=f"{dockerfile}:{made.line}", reason=reason))
    return tuple(found)


def _file_source(used: UsedFile, made: MadeEnvironment) -> EnvironmentSource | NotRead:
    name = used.context_path or used.path
    if used.data is None:
        return NotRead(path=used.path, reason=_why(used))
    if made.tool == "pixi" and made.conda is not None and made.conda.name not in (None, "default"):
        # What a pixi.lock is read as is its default environment: a verdict on that would be about another one.
        return NotRead(
            path=name,
            reason=say("of a pixi.lock the default environment is read, and not {name}", name=made.conda.name),
        )
    try:
        export = read_source(used.data, name)
    except SourceError as error:
        rows = _rows(used.data)
        if rows and made.conda is not None and not made.conda.action.startswith("env") and error.line is None:
            return _written(name, rows, [])
        return NotRead(path=name, reason=clause(error.message))
    if export.kind is SourceKind.PIP_FREEZE and made.tool != "pip":
        return _written(name, _rows(used.data), [])  # conda reads every line as one of its specifications
    lock = None
    if export.kind in (SourceKind.CONDA_LOCK, SourceKind.PIXI_LOCK, SourceKind.EXPLICIT):
        lock = _lock(used.data, name)
    return EnvironmentSource(
        path=name,
        data=used.data,
        names_channels=bool(export.channels),
        kind=export.kind,
        lock=lock,
        lock_platforms=() if lock is None else platforms_to_verify(lock, ()),
    )


def _lock(data: bytes, name: str) -> LockFile | None:
    try:
        return read_lock(data, name)
    except SourceError:
        return None  # Not one that can be verified; it is checked as an export.


def _pip_sources(
    made: MadeEnvironment, dockerfile: str, version: str | None
) -> tuple[EnvironmentSource | NotRead, ...]:
    found: list[EnvironmentSource | NotRead] = []
    options = [f"{name} {value}" for name, value in (made.pip.options if made.pip is not None else ())]
    python = [] if version is None else [(f"python={version}", made.line)]
    for used in made.files:
        name = used.context_path or used.path
        if used.data is None:
            found.append(NotRead(path=used.path, reason=_why(used)))
            continue
        rows = _rows(used.data)
        if rows:
            found.append(_written(name, [(text, 1) for text, _ in python], [*((one, 1) for one in options), *rows]))
    if made.specs:
        pip = [*((one, made.line) for one in options), *made.specs]
        found.append(_written(f"{dockerfile}:{made.line}", python, pip))
    return tuple(found)


def _why(used: UsedFile) -> str:
    words = {
        FileFate.MISSING: say("it is not in the build context"),
        FileFate.IGNORED: say("the ignore file keeps it out of the build context"),
        FileFate.LATE: say("it is copied on line {line}, after this", line=used.copied_on),
        FileFate.UNKNOWN: say("nothing in the Dockerfile tells what is in it"),
        FileFate.READ: say("it cannot be read"),
    }
    return words[used.fate]


def _rows(data: bytes) -> list[tuple[str, int]]:
    """The lines of a requirements file that say something; one that goes on in the next counts as one."""
    from envcheck.sources.encoding import decode

    try:
        text = decode(data, "").text
    except SourceError:
        return []
    found: list[tuple[str, int]] = []
    going_on = False
    for number, line in enumerate(text.split("\n")[:_MOST_LINES], start=1):
        bare = line.split(" #", 1)[0].strip()
        if bare.startswith("#") or not bare:
            going_on = False
            continue
        goes_on = bare.endswith("\\")
        bare = bare.removesuffix("\\").strip()
        if going_on and found:
            found[-1] = (f"{found[-1][0]} {bare}", found[-1][1])
        elif bare:
            found.append((bare, number))
        going_on = goes_on
    return found


def _written(path: str, conda: Sequence[tuple[str, int]], pip: Sequence[tuple[str, int]]) -> EnvironmentSource:
    """An environment file of these rows; every line of it knows its origin."""
    first = (conda or pip)[0][1] if conda or pip else 1
    written: list[tuple[str, int]] = [("dependencies:", first)]
    written += [(f"  - {json.dumps(text, ensure_ascii=False)}", line) for text, line in conda]
    if pip:
        written.append(("  - pip", pip[0][1]))
        written.append(("  - pip:", pip[0][1]))
        written += [(f"    - {json.dumps(text, ensure_ascii=False)}", line) for text, line in pip]
    return EnvironmentSource(
        path=path,
        data="".join(f"{text}\n" for text, _ in written).encode("utf-8", "backslashreplace"),
        lines=tuple(line for _, line in written),
        kind=SourceKind.ENVIRONMENT_YAML,
    )
