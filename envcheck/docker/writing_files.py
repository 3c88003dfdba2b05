"""Putting a written Dockerfile and its locks on the disk, and over nothing that is not theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envcheck.docker.context import Context
from envcheck.docker.followed import Followed
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import CheckedSource, Question
from envcheck.docker.writing import MARK, Note, write_dockerfile
from envcheck.docker.writing_environments import environments_to_write
from envcheck.docker.writing_ignore import dockerignore_text
from envcheck.errors import OutputError
from envcheck.files import write_atomically
from envcheck.language import say
from envcheck.model import Report
from envcheck.sources.encoding import decode

__all__ = ["Destination", "WrittenFiles", "write_files"]

_NAME = "envcheck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where and how to write: ``context`` is the folder that ``docker build`` is given, ``path`` the Dockerfile's."""

    path: Path
    context: Path
    style: str = "micromamba"
    ignore_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFiles:
    """The paths that were written, and what is to know about them."""

    paths: tuple[str, ...]
    notes: tuple[Note, ...]


def write_files(
    destination: Destination,
    data: bytes,
    followed: Followed,
    checked: Sequence[CheckedSource],
    ask: Callable[[Question], Report],
    *,
    context: Context,
    variables: Mapping[str, str],
    describe: Callable[[Report], Report] = lambda report: report,
) -> WrittenFiles:
    """Write the Dockerfile, its locks beside it, and on request a ``.dockerignore`` where there is none.

    Args:
        destination: Where and how.
        data: The bytes of the Dockerfile that was checked.
        followed: The same, followed.
        checked: What came of checking what it installs.
        ask: Checks one source.
        context: The build context, for what its ignore file keeps out.
        variables: The environment variables, for the names of those that hold the channels' secrets.
        describe: Adds to a report what its distributions need in turn, which a lock tells.

    Raises:
        NothingToWriteError: The Dockerfile makes nothing that could be locked.
        OutputError: A file that is not envcheck's would have to make way. Then no file has
            changed.
    """
    folder = _folder(destination)
    parent = destination.path.parent
    written = write_dockerfile(
        followed.dockerfile,
        decode(data, followed.dockerfile.path).text,
        [replace(one, report=describe(one.report)) for one in environments_to_write(followed, checked, ask)],
        style=destination.style,
        folder=folder,
        variables=variables,
        taken=lambda name: _is_others(parent / name, destination),
    )
    files = [(parent / name, text) for name, text in written.files]
    _refuse_others(files, destination)
    notes = list(written.notes)
    for name, _ in written.files:
        pattern = context.ignoring(f"{folder}/{name}")
        if pattern is not None:
            kept_out = say(
                "{name} is kept out of the build by line {line} of {file}: {pattern}",
                name=name,
                line=pattern.line,
                file=context.ignore_file,
                pattern=pattern.text,
            )
            notes.append(Note(line=None, text=kept_out))
    if destination.ignore_file:
        ignore = destination.context / ".dockerignore"
        if ignore.exists():
            notes.append(Note(line=None, text=say(".dockerignore is there already, and stays as it is")))
        else:
            again = read_dockerfile(written.text.encode(), str(destination.path))
            files.append((ignore, dockerignore_text(again)))
    for path, _ in files:
        path.parent.mkdir(exist_ok=True)
    # The Dockerfile last: it is never there without what it copies.
    files.append((destination.path, written.text))
    for path, text in files:
        write_atomically(path, text)
    return WrittenFiles(paths=tuple(str(path) for path, _ in files), notes=tuple(notes))


def _folder(destination: Destination) -> str:
    """Where the Dockerfile stands in the build context."""
    try:
        relative = destination.path.parent.resolve().relative_to(destination.context.resolve())
    except ValueError:
        raise OutputError(
            say("The written Dockerfile has to be in the build context, and its locks beside it."),
            path=str(destination.path),
            hint=say("Name a file below {folder}, or another context with --context.", folder=str(destination.context)),
        ) from None
    return "" if str(relative) == "." else relative.as_posix()


def _refuse_others(files: Sequence[tuple[Path, str]], destination: Destination) -> None:
    """Only what envcheck wrote may be replaced: a file that says so, or one of a Dockerfile that says so."""
    for path, text in files:
        if _text(path) != text and _is_others(path, destination):
            raise OutputError(
                say("{path} is there already, and envcheck did not write it.", path=str(path)),
                path=str(path),
                hint=say("Move it away, name a file in another folder of the context, or choose another --style."),
            )


def _is_others(path: Path, destination: Destination) -> bool:
    """Whether a file is there that envcheck did not write."""
    there = _text(path)
    if there is None:
        return False
    before = _text(destination.path)
    ours = before if before is not None and MARK in before else ""
    return _NAME not in "\n".join(there.split("\n")[:5]) and not re.search(rf"(?<![\w.-]){re.escape(path.name)}", ours)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(
            say("{path} cannot be looked at: {reason}.", path=str(path), reason=error.strerror or type(error).__name__),
            path=str(path),
        ) from error
