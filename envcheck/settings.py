"""The settings file: ``[tool.envcheck]`` of a ``pyproject.toml``, or an ``envcheck.toml`` of the same tables.

It is looked for from the working directory upwards, as ruff and uv do. The search ends at the first directory that is
the root of a repository, and at the user's home: what lies above belongs to somebody else. In one directory an
``envcheck.toml`` goes before a ``pyproject.toml``, and one without ``[tool.envcheck]`` is passed over.

What the keys mean, and which there are, is known to the command line's options alone (`envcheck.cli_settings`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.limits import MAX_SETTINGS_BYTES
from envcheck.toml_bounds import parse_toml

__all__ = ["SettingsFile", "find_settings", "read_settings"]

_REPOSITORY_ROOTS = (".git", ".hg", ".jj", ".svn")
_OWN_NAME = "envcheck.toml"
_SHARED_NAME = "pyproject.toml"
_SHARED_PREFIX = ("tool", "envcheck")
# How much text may be parsed to find the line of a key; where that is too little, the key is told without.
_MOST_PARSED = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """A settings file as it was read.

    ``path`` is the file as it is shown; ``directory`` where its relative paths start, in the same words (empty: the
    working directory). ``prefix`` is the table that holds the settings, ``table`` its content.
    """

    path: str
    directory: str
    prefix: tuple[str, ...]
    text: str = field(repr=False)
    table: Mapping[str, Any] = field(repr=False)

    def line_of(self, key: Sequence[str]) -> int | None:
        """The line on which a key of the settings first stands.

        TOML's parser tells no lines. What stands above the key's line is a document without the key, and a line that
        does not begin a statement has no whole document above it; so the key's line is the last one that names it and
        has such a document above.

        Args:
            key: The tables and the key, without the prefix.
        """
        whole = (*self.prefix, *key)
        lines = self.text.split("\n")  # splitlines knows ends of lines that are none of TOML's
        left = _MOST_PARSED
        for number in range(len(lines), 0, -1):
            if whole[-1] not in lines[number - 1]:
                continue
            text = "\n".join([*lines[: number - 1], ""])
            left -= len(text)
            if left < 0:
                return None
            above = _parsed(text)
            if above is not None and not _has(above, whole):
                return number
        return None

    def complaint(self, message: str, *, key: Sequence[str] = (), hint: str | None = None) -> ConfigurationError:
        """An error about a key, with its line."""
        return ConfigurationError(message, path=self.path, line=self.line_of(key) if key else None, hint=hint)

    def located(self, path: str) -> str:
        """A path that the file names, from where the program was started."""
        return os.path.join(self.directory, path)  # noqa: PTH118 - pathlib would change what was written


def find_settings(working_directory: Path, home: Path | None) -> SettingsFile | None:
    """The settings that hold in a directory.

    Args:
        working_directory: Where the search starts.
        home: The user's home, ``None`` where there is none.

    Returns:
        The nearest settings, ``None`` where there are none.

    Raises:
        ConfigurationError: A file that may hold settings cannot be read or is no TOML.
    """
    for directory in (working_directory, *working_directory.parents):
        for name in (_OWN_NAME, _SHARED_NAME):
            path = directory / name
            if path.is_file() and (found := _read(path, os.path.relpath(path, working_directory))) is not None:
                return found
        if directory == home or any((directory / name).exists() for name in _REPOSITORY_ROOTS):
            break
    return None


def read_settings(path: str) -> SettingsFile:
    """The settings of a file that the user named.

    Args:
        path: The file; one that is called ``pyproject.toml`` has them under ``[tool.envcheck]``.

    Raises:
        ConfigurationError: The file cannot be read, is no TOML, or holds no settings.
    """
    found = _read(Path(path), path)
    if found is None:
        raise ConfigurationError(
            say("There is no [tool.envcheck] in it."),
            path=path,
            hint=say("Add that table, or name another file with --config."),
        )
    return found


def _read(path: Path, shown: str) -> SettingsFile | None:
    """The settings of a file, ``None`` for a ``pyproject.toml`` without any."""
    text = _text(path, shown)
    shared = path.name == _SHARED_NAME
    # Most have nothing for envcheck; if such a file is broken, it is for others to say so.
    if shared and _SHARED_PREFIX[-1] not in text:
        return None
    try:
        document = parse_toml(text)
    except (ValueError, RecursionError) as error:
        words = error.args[0] if isinstance(error, ValueError) else say("its values are nested too deeply")
        raise ConfigurationError(
            say("This is no TOML: {words}.", words=words),
            path=shown,
            line=getattr(error, "lineno", None),  # since Python 3.14; before, the message alone has it
            hint=say("Mend the file, or leave it out with --no-config."),
        ) from error
    prefix = _SHARED_PREFIX if shared else ()
    if not _has(document, prefix):
        return None
    table: Any = document
    for name in prefix:
        table = table[name]
    found = SettingsFile(path=shown, directory=os.path.dirname(shown), prefix=prefix, text=text, table={})  # noqa: PTH120
    if not isinstance(table, dict):
        raise ConfigurationError(
            say("tool.envcheck is no table."),
            path=shown,
            line=found.line_of(()),
            hint=say('Write the settings below it: [tool.envcheck], then fail-on = "warning".'),
        )
    return SettingsFile(path=found.path, directory=found.directory, prefix=prefix, text=text, table=table)


def _text(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            say("The settings cannot be read: {reason}.", reason=error.strerror or str(error)),
            path=shown,
            hint=say("Check the name and its permissions, or leave settings out with --no-config."),
        ) from error
    if len(data) > MAX_SETTINGS_BYTES:
        raise ConfigurationError(
            say("The settings cannot be read: no such file is larger than 4 MiB."),
            path=shown,
            hint=say("Name another file."),
        )
    try:
        # The mark that editors of Windows put first is none of TOML's.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            say("This is no UTF-8, which TOML has to be."), path=shown, line=line, hint=say("Save the file as UTF-8.")
        ) from None


def _parsed(text: str) -> Mapping[str, Any] | None:
    """A TOML document, ``None`` where the text is none."""
    try:
        document: Mapping[str, Any] = parse_toml(text)
    except (ValueError, RecursionError):
        return None
    return document


def _has(document: Mapping[str, Any], key: Sequence[str]) -> bool:
    value: Any = document
    for name in key:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
