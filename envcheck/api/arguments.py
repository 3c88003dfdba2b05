"""What callers hand in, looked at before it is used: a value that cannot be meant is refused in Python's own words."""

from __future__ import annotations

import os
from collections.abc import Sequence

__all__ = ["bytes_of", "codes", "name_of", "seconds", "texts"]

_LONGEST_EFFORT = 24 * 60 * 60.0  # more than any search takes, and what timers can still count


def bytes_of(source: str | os.PathLike[str] | bytes, *, where_from: str | None = None) -> bytes:
    """The content of a file that is named, or that is at hand.

    Args:
        source: The file's name, or its content.
        where_from: How such a file is had, for whoever names one that is not there; by default an export.

    Raises:
        SourceError: There is no such file, or it cannot be read.
    """
    from envcheck.surroundings import read_file

    return source if isinstance(source, bytes) else read_file(os.fspath(source), where_from=where_from)


def name_of(source: str | os.PathLike[str] | bytes, name: str | None) -> str:
    """What a source is called: as it is said, else by its path, and ``-`` for bytes."""
    if name is not None:
        return name
    return "-" if isinstance(source, bytes) else os.fspath(source)


def texts(argument: str, values: Sequence[str]) -> tuple[str, ...]:
    """Several texts; one text alone would be taken for its letters.

    Raises:
        TypeError: It is one text.
    """
    if isinstance(values, str):
        raise TypeError(f"{argument} is a sequence of texts: [{values!r}]")
    return tuple(values)


def codes(argument: str, prefixes: Sequence[str]) -> tuple[str, ...]:
    """Beginnings of codes; a misspelled one would hide every finding and look like success.

    Raises:
        TypeError: It is one text.
        ValueError: No finding's code begins so.
    """
    found = tuple(prefix.upper() for prefix in texts(argument, prefixes))
    if found:
        from envcheck.rules.documented import DOCUMENTED_RULES

        for prefix in found:
            if not any(rule.code.startswith(prefix) for rule in DOCUMENTED_RULES):
                raise ValueError(f"{argument}: no finding's code begins with {prefix!r}")
    return found


def seconds(argument: str, value: float) -> float:
    """A time to search for, at most a day.

    Raises:
        ValueError: It is none.
    """
    if not 0 < value <= _LONGEST_EFFORT:  # nan is neither
        raise ValueError(f"{argument} is a number of seconds between 0 and {_LONGEST_EFFORT:.0f}, and not {value!r}")
    return value
