"""Where an audit's sources are: in folders and git work trees, behind globs, on lists; nothing found is executed.

A folder is walked as git would: what ``.gitignore`` files and ``.git/info/exclude`` keep out is left out
(https://git-scm.com/docs/gitignore, by the pathspec library; git itself is not called, for a work tree's configuration
can make it run programs). Installed environments, caches and version control's own folders are passed over; symbolic
links to folders are not followed, nor are links to files out of the folder. A file that the user named is a source
whatever is in it, and so is one whose name could not be looked up; any other file is one if it looks like an export
(`envcheck.audit_candidates`).
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.audit_candidates import HEAD_BYTES, MAX_BYTES, is_export, may_be_export, name_allows
from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_IGNORE_BYTES
from envcheck.surroundings import refuse_no_name

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["Found", "find_sources", "listed_paths"]

_PASSED_OVER = frozenset(
    {
        *(".git", ".hg", ".svn", ".bzr", "node_modules", "bower_components", "site-packages", "dist-packages"),
        *(".venv", ".tox", ".nox", ".eggs", ".pixi", ".snakemake", "__pycache__", "__pypackages__", "conda-meta"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints", ".terraform"),
    }
)
#: What lies in a folder that is an installed environment (conda's, Python's), conda's package cache or a cache at all.
_TELLTALES = frozenset({"conda-meta", "pyvenv.cfg", "urls.txt", "CACHEDIR.TAG"})
_NO_IGNORES: tuple[tuple[str, GitIgnoreSpec], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One source: the path to open and how it is shown; ``named`` is false where it was merely found."""

    path: Path
    shown: str
    named: bool = False


def listed_paths(data: bytes, *, null: bool) -> tuple[str, ...]:
    """The paths of a list, one a line or ended by NUL characters (``find -print0``, ``git ls-files -z``).

    Args:
        data: The list; names are the file system's bytes.
        null: Whether NUL characters end them, so that names may hold line ends.

    Raises:
        SourceError: Lines of names hold NUL characters, which no name of a file does.
    """
    if not null and b"\0" in data:
        raise SourceError(
            say("the list of names holds NUL characters"),
            path="-",
            hint=say("Where they end the names (find -print0, git ls-files -z), add -0: envcheck audit - -0"),
        )
    rows = data.split(b"\0") if null else [row.rstrip(b"\r") for row in data.split(b"\n")]
    return tuple(os.fsdecode(row) for row in rows if row)


def find_sources(paths: Sequence[str], listed: Sequence[str] = (), *, home: Path | None = None) -> tuple[Found, ...]:
    """The sources at paths, each once, in the order of the arguments and, within a folder, of names.

    Args:
        paths: Files, folders and globs (``**`` is any number of folders) as named on the command line.
        listed: Files and folders of a list.
        home: The user's home, which absolute paths below it are shown without.

    Raises:
        SourceError: A text cannot be the name of a file.
    """
    for text in (*paths, *listed):
        refuse_no_name(text)
    seen: set[str] = set()
    found = []
    for one in _every(paths, listed):
        real = os.path.realpath(one.path)
        if real not in seen:
            seen.add(real)
            found.append(Found(path=one.path, shown=_shown(one.path, home), named=one.named))
    return tuple(found)


def _every(paths: Sequence[str], listed: Sequence[str]) -> Iterator[Found]:
    # What is named counts as named, even where a folder that holds it was named before it.
    files = [text for text in paths if not _is_pattern(text) and not Path(text).is_dir()]
    yield from (_found(Path(text), named=True) for text in files)
    for text in paths:
        if _is_pattern(text):
            yield from _at(_matches(Path(text)))
        elif Path(text).is_dir():
            yield from _walk(Path(text))
    for text in listed:
        # One that is not there is told, as its list is wrong.
        yield from _at([Path(text)]) if os.path.lexists(text) else [_found(Path(text), named=True)]


def _is_pattern(text: str) -> bool:
    return glob.has_magic(text) and not os.path.lexists(text)


def _matches(pattern: Path) -> list[Path]:
    """What a glob matches, without what lies in folders that are passed over."""
    literal = next(index for index, part in enumerate(pattern.parts) if glob.has_magic(part))
    base = Path(*pattern.parts[:literal])
    found = base.glob(str(Path(*pattern.parts[literal:])))  # follows no links where it goes down by itself
    return sorted(path for path in found if _PASSED_OVER.isdisjoint(path.relative_to(base).parts))


def _at(paths: Iterable[Path]) -> Iterator[Found]:
    for path in paths:
        if path.is_dir():
            yield from _walk(path)
        elif _is_candidate(path):
            yield _found(path)


def _found(path: Path, *, named: bool = False) -> Found:
    return Found(path=path, shown="", named=named)


def _shown(path: Path, home: Path | None) -> str:
    if home is not None and path.is_absolute() and path.is_relative_to(home):
        return str("~" / path.relative_to(home))
    # A folder of this name is not the home that it stands for elsewhere.
    return f"./{path}" if path.parts[:1] == ("~",) else str(path)


def _walk(root: Path) -> Iterator[Found]:
    """The exports in a folder and those below it."""
    pending = [(root, _ignores_above(root))]
    while pending:
        folder, ignores = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue  # not ours to read
        names = {entry.name for entry in entries}
        if folder != root and names & _TELLTALES:
            continue
        if ".git" in names or (ignores and ".gitignore" in names):
            ignores = (*ignores, *_ignores_of(folder, is_top=".git" in names))
        below = []
        for entry in entries:
            is_folder = _is_folder(entry)
            if is_folder and (entry.name in _PASSED_OVER or _is_ignored(entry.path, ignores, is_folder=True)):
                continue
            if is_folder:
                below.append((folder / entry.name, ignores))
            elif entry.is_symlink() and not _leads_inside(entry.path, root):
                continue  # to a file that nobody named
            elif not _is_ignored(entry.path, ignores, is_folder=False) and _is_candidate(folder / entry.name):
                yield _found(folder / entry.name)
        pending += reversed(below)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _leads_inside(path: str, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _is_candidate(path: Path) -> bool:
    """Whether a file is an export, with as little of it read as that takes."""
    if not name_allows(path.name):
        return False
    try:
        status = path.stat()
        # Nothing but plain files is opened: a pipe would wait for a writer.
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MAX_BYTES:
            return False
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            if not may_be_export(head):
                return False
            return is_export(head + stream.read(MAX_BYTES), path.name)
    except OSError:
        return False


# ---------------------------------------------------------------------------------------------------------------------
# What git leaves out
# ---------------------------------------------------------------------------------------------------------------------


def _ignores_above(root: Path) -> tuple[tuple[str, GitIgnoreSpec], ...]:
    """The rules that hold for a folder by those above it, where it lies within a work tree."""
    real = Path(os.path.realpath(root))
    chain: list[Path] = []
    for folder in (real, *real.parents):
        chain.append(folder)
        if (folder / ".git").exists():
            break
    else:
        return _NO_IGNORES
    # The folder's own file is read when it is walked, with the others; here are those above it.
    rules = [rule for folder in reversed(chain[1:]) for rule in _ignores_of(folder, is_top=folder == chain[-1])]
    if len(chain) > 1:
        return tuple(rules)
    return _NO_IGNORES


def _ignores_of(folder: Path, *, is_top: bool) -> Iterator[tuple[str, GitIgnoreSpec]]:
    """The rules that a folder adds, with the folder that they count from."""
    from pathspec import GitIgnoreSpec

    names = [Path(".git/info/exclude"), Path(".gitignore")] if is_top else [Path(".gitignore")]
    for name in names:
        try:
            # git follows no link here, either; a pipe would wait for a writer, and a device have no end.
            if not stat.S_ISREG((folder / name).lstat().st_mode):
                continue
            with (folder / name).open("rb") as stream:
                data = stream.read(MAX_IGNORE_BYTES)
        except OSError:
            continue
        lines = data.decode("utf-8", errors="surrogateescape").splitlines()
        try:
            yield os.path.realpath(folder), GitIgnoreSpec.from_lines(lines)
        except (ValueError, TypeError):
            continue  # git passes over patterns that it cannot read, and so does the audit over their file


def _is_ignored(path: str, ignores: Sequence[tuple[str, GitIgnoreSpec]], *, is_folder: bool) -> bool:
    """Whether git would leave a path out: of all rules that speak of it the last one decides."""
    if not ignores:
        return False
    # The folder's real place and the entry's own name: a link is judged where it stands.
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120  # called for every file
    for base, rules in reversed(ignores):
        verdict = rules.check_file(os.path.relpath(real, base) + ("/" if is_folder else "")).include
        if verdict is not None:
            return verdict
    return False
