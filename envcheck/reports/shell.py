"""Names of files in commands that are to be typed: what a POSIX shell makes of them is the file that is meant."""

from __future__ import annotations

import shlex

from envcheck.secrets import mask

__all__ = ["shell_name"]

_HOME = "~/"


def shell_name(path: str, *, below_home: bool = False) -> str:
    """A file's name as an argument of a command.

    Args:
        path: The name, in which secrets are masked; ``-`` is standard input.
        below_home: Whether ``~/`` at its beginning is the user's home, which a shell knows only outside of quotes
            (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, 2.6.1).
    """
    name = mask(path)
    if below_home and name.startswith(_HOME):
        return _HOME + shlex.quote(name.removeprefix(_HOME))
    # What begins with a dash would be taken for an option.
    return shlex.quote(f"./{name}" if name.startswith("-") and name != "-" else name)
