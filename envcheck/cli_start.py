"""What is told to whoever begins: the page of ``envcheck`` alone, and which source of a folder is taken by itself."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from envcheck.candidates import LOCKS, Candidate, find_candidates, looked_for
from envcheck.errors import SourceError
from envcheck.language import joined, say, tell, told
from envcheck.reports.plain import plain
from envcheck.wide_text import cell_width, wrapped

__all__ = ["chosen_source", "first_page"]

_WIDTH = 79
_MOST_BESIDE = 32
"""How wide a command may be so that its meaning stands beside it."""
_NAMED = 5
"""How many sources are named beside the one that is taken."""


def first_page(directory: Path) -> str:
    """What ``envcheck`` without a command says: what it does, where to begin, and what it would check here.

    Args:
        directory: The working directory.
    """
    found = find_candidates(directory)
    has_dockerfile = (directory / "Dockerfile").is_file()
    source = _quoted(found[0].name) if found else "environment.yml"
    begin = (
        (f"envcheck check {source}", tell("every reason why it would fail, and its fix")),
        (f"envcheck lock {source}", tell("the closest environment that works, locked")),
        ("envcheck docker .", tell("the same for a Dockerfile's environments")),
    )
    more = (
        ("envcheck --help", tell("all commands; COMMAND --help has examples")),
        ("envcheck doctor", tell("the engine, channels and caches in use")),
    )
    width = max(cell_width(command) for command, _ in (*begin, *more))
    lines = [
        tell(
            "Will this conda environment build on Linux? envcheck tells every reason at once why it would not, the "
            "closest environment that would, and its lock. Nothing is installed, and your file is not changed."
        ),
        "",
        tell("Begin with:"),
        *_rows(begin, width),
        "",
        tell("Further:"),
        *_rows(more, width),
        "",
        *_found_here(found, has_dockerfile=has_dockerfile),
    ]
    return "\n".join(
        part for line in lines for part in (wrapped(line, _WIDTH) if line[:1] not in ("", " ") else [line])
    )


def _wrapped(line: str) -> list[str]:
    # Rows have their columns, and are narrow enough.
    return [line] if line[:1] in ("", " ") else wrapped(line, _WIDTH)


def _rows(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    # A long name of a file leaves no room beside it.
    if width > _MOST_BESIDE:
        return [line for command, meaning in rows for line in (f"  {command}", f"      {meaning}")]
    return [f"  {command}{' ' * (width - cell_width(command))}  {meaning}" for command, meaning in rows]


def _found_here(found: Sequence[Candidate], *, has_dockerfile: bool) -> list[str]:
    lines = []
    if found:
        lines.append(tell("Here, 'envcheck check' would take {name}.", name=_described(found[0])))
        if len(found) > 1:
            lines.append(tell("Also here: {names}.", names=_names(found[1:])))
    else:
        lines.append(tell("There is no source here; 'conda env export > environment.yml' makes one."))
    if has_dockerfile:
        lines.append(tell("'envcheck docker .' would take the Dockerfile."))
    return lines


def chosen_source(directory: Path, *, command: str) -> tuple[str, str]:
    """The source that a command takes where none is named, and what is to be said of that.

    Args:
        directory: The working directory.
        command: ``check`` or ``lock``; a lock is made of no lock.

    Raises:
        SourceError: There is none.
    """
    found = [one for one in find_candidates(directory) if command != "lock" or one.kind not in LOCKS]
    if not found:
        raise SourceError(
            say("no source is named, and there is none in this directory (looked for {kinds})", kinds=looked_for()),
            hint=_instead(directory),
        )
    words = tell("taking {name}, as no source was named", name=_described(found[0]))
    if len(found) > 1:
        words += tell("; also here: {names}", names=_names(found[1:]))
    return found[0].name, words


def _instead(directory: Path) -> str:
    if (directory / "Dockerfile").is_file():
        return say("The Dockerfile that is here is checked with: envcheck docker .")
    return say("Write one with: conda env export > environment.yml   (sources in folders below: envcheck audit .)")


def _described(candidate: Candidate) -> str:
    if candidate.kind is None:
        return plain(candidate.name)
    return tell("{name} ({kind})", name=plain(candidate.name), kind=candidate.kind.value)


def _names(candidates: Sequence[Candidate]) -> str:
    names = told(joined(", ", (plain(one.name) for one in candidates[:_NAMED])))
    rest = len(candidates) - _NAMED
    return tell("{names} and {count} more", names=names, count=rest) if rest > 0 else names


def _quoted(name: str) -> str:
    return plain(shlex.quote(name))
