"""The package indexes of uv's own settings: its variables and its files, read as uv reads them.

Files (https://docs.astral.sh/uv/concepts/configuration-files/): the nearest ``uv.toml``, or ``pyproject.toml`` with a
``[tool.uv]``, from the working directory upwards, the user's and the system's; arrays are joined, what is nearer goes
first. Indexes (https://docs.astral.sh/uv/concepts/indexes/): variables go before files; an ``explicit`` index serves
only what names it, which no row of pip's can.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.limits import MAX_SETTINGS_BYTES
from envcheck.toml_bounds import parse_toml
from envcheck.urls import split_url

__all__ = ["Place", "UvSettings", "absolute_url", "uv_settings"]

_TRUE = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An index or a place of files: its URL, which may hold credentials, and the file or variable that names it."""

    url: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UvSettings:
    """What uv is told: ``default`` is the index that stands for PyPI, ``extra`` those that are asked before it."""

    default: Place | None = None
    extra: tuple[Place, ...] = ()
    find_links: tuple[Place, ...] = ()
    no_index: bool = False
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The tables of one file that count: the settings of ``uv pip`` before those of all of uv."""

    path: Path
    tables: tuple[Mapping[str, Any], ...]

    def texts(self, key: str) -> Iterator[Place]:
        """The texts of an option, of all tables."""
        for table in self.tables:
            value = table.get(key)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and one:
                    yield Place(url=absolute_url(one, self.path.parent), origin=str(self.path))

    def indexes(self) -> Iterator[Mapping[str, Any]]:
        """The entries of ``[[index]]``."""
        for table in self.tables:
            entries = table.get("index")
            if isinstance(entries, list):
                yield from (one for one in entries if isinstance(one, dict) and isinstance(one.get("url"), str))


def uv_settings(
    environment: Mapping[str, str],
    *,
    home: Path | None,
    system: str,
    system_directory: Path,
    working_directory: Path | None,
) -> UvSettings:
    """Find the indexes that uv would ask.

    Args:
        environment: The environment variables.
        home: The user's home directory.
        system: ``nt`` or ``posix``.
        system_directory: Where a POSIX system keeps its configuration.
        working_directory: Where a project's file is looked for; ``None`` looks for none.

    Raises:
        ConfigurationError: A file is no TOML; uv would stop there too.
    """
    files = tuple(_files(environment, home, system, system_directory, working_directory))
    named: dict[str, Place] = {}
    extra: list[Place] = []
    links = [
        Place(url=absolute_url(one, working_directory), origin="UV_FIND_LINKS")
        for one in environment.get("UV_FIND_LINKS", "").split(",")
        if one.strip()
    ]
    defaults = [*_of_variables(environment, ("UV_DEFAULT_INDEX", "UV_INDEX_URL"), named, working_directory)]
    extra += _of_variables(environment, ("UV_INDEX", "UV_EXTRA_INDEX_URL"), named, working_directory)
    for file in files:
        for entry in file.indexes():
            place = _entry(entry, file, environment)
            name = entry.get("name")
            if entry.get("explicit") is True or (isinstance(name, str) and named.setdefault(name, place) != place):
                continue
            where = links if entry.get("format") == "flat" else defaults if entry.get("default") is True else extra
            where.append(place)
    for file in files:
        extra += file.texts("extra-index-url")
        defaults += file.texts("index-url")
        links += file.texts("find-links")
    return UvSettings(
        default=defaults[0] if defaults else None,
        extra=_distinct(extra),
        find_links=_distinct(links),
        no_index=next((one for one in _values(files, "no-index") if isinstance(one, bool)), False),
        strategy=environment.get("UV_INDEX_STRATEGY")
        or next((one for one in _values(files, "index-strategy") if isinstance(one, str)), ""),
    )


def absolute_url(text: str, folder: Path | None) -> str:
    """A URL as it is; a path as the ``file://`` URL that it stands for, seen from a folder."""
    text = text.strip()
    if "://" in text or (folder is None and not Path(text).is_absolute()):
        return text
    path = Path(text)
    with contextlib.suppress(RuntimeError, ValueError):  # ~ of somebody who has no home here, or of nobody
        path = path.expanduser()
    return ((folder or Path()) / path).absolute().as_uri()


def _of_variables(
    environment: Mapping[str, str], variables: Iterable[str], named: dict[str, Place], folder: Path | None
) -> Iterator[Place]:
    """The indexes that variables name, blanks between them, each perhaps with a name: ``internal=https://…``."""
    for variable in variables:
        for word in environment.get(variable, "").split():
            head, separator, rest = word.partition("=")
            name = head if separator and "://" not in head else ""
            url = absolute_url(rest if name else word, folder)
            place = Place(url=_with_credentials(url, name, environment), origin=variable)
            if not name or named.setdefault(name, place) == place:
                yield place


def _entry(entry: Mapping[str, Any], file: _File, environment: Mapping[str, str]) -> Place:
    url = absolute_url(entry["url"], file.path.parent)
    name = entry.get("name")
    return Place(
        url=_with_credentials(url, name if isinstance(name, str) else "", environment), origin=str(file.path)
    )  # fmt: skip


def _with_credentials(url: str, name: str, environment: Mapping[str, str]) -> str:
    """A URL with the credentials that variables hold for an index of a name: ``UV_INDEX_<NAME>_USERNAME``."""
    stem = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = environment.get(f"{stem}_USERNAME", ""), environment.get(f"{stem}_PASSWORD", "")
    parts = split_url(url)
    if not name or not (user or password) or parts.username or not parts.netloc:
        return url
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()


def _distinct(places: Iterable[Place]) -> tuple[Place, ...]:
    first: dict[str, Place] = {}
    for one in places:
        first.setdefault(one.url, one)
    return tuple(first.values())


def _values(files: Iterable[_File], key: str) -> Iterator[Any]:
    """The values of an option, strongest first."""
    return (table[key] for file in files for table in file.tables if key in table)


# ---------------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------------


def _files(
    environment: Mapping[str, str],
    home: Path | None,
    system: str,
    system_directory: Path,
    working_directory: Path | None,
) -> Iterator[_File]:
    """The files of uv, strongest first."""
    if environment.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return
    if environment.get("UV_CONFIG_FILE"):
        found = [_read(Path(environment["UV_CONFIG_FILE"]))]
    else:
        found = [
            _of_project(working_directory),
            _first(_user_files(environment, home, system)),
            _first(_system_files(environment, system, system_directory)),
        ]
    yield from (one for one in found if one is not None)


def _of_project(folder: Path | None) -> _File | None:
    """The nearest file of a project; a ``pyproject.toml`` without a word for uv is passed by."""
    if folder is None:
        return None
    for one in (folder, *folder.parents):
        found = _read(one / "uv.toml") or _read(one / "pyproject.toml")
        if found is not None:
            return found
    return None


def _user_files(environment: Mapping[str, str], home: Path | None, system: str) -> Iterator[Path]:
    if system == "nt":
        if environment.get("APPDATA"):
            yield Path(environment["APPDATA"]) / "uv" / "uv.toml"
    elif environment.get("XDG_CONFIG_HOME") or home is not None:
        yield Path(environment.get("XDG_CONFIG_HOME") or (home or Path()) / ".config") / "uv" / "uv.toml"


def _system_files(environment: Mapping[str, str], system: str, system_directory: Path) -> Iterator[Path]:
    if system == "nt":
        yield Path(environment.get("PROGRAMDATA", r"C:\ProgramData")) / "uv" / "uv.toml"
        return
    for directory in environment.get("XDG_CONFIG_DIRS", str(system_directory / "xdg")).split(":"):
        if directory:
            yield Path(directory) / "uv" / "uv.toml"
    yield system_directory / "uv" / "uv.toml"


def _first(paths: Iterable[Path]) -> _File | None:
    return next((found for path in paths if (found := _read(path)) is not None), None)


def _read(path: Path) -> _File | None:
    """The settings of a file, ``None`` where it is not there or says nothing to uv."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SETTINGS_BYTES + 1)
    except OSError:
        return None
    if len(data) > MAX_SETTINGS_BYTES:
        raise ConfigurationError(
            say("uv's configuration file is larger than {size} MiB.", size=MAX_SETTINGS_BYTES // 1048576),
            path=str(path),
            hint=say("Make it smaller, or set UV_NO_CONFIG=1 to leave it out."),
        )
    if path.name == "pyproject.toml" and b"tool" not in data:
        return None
    try:
        table: Any = parse_toml(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        if path.name == "pyproject.toml":
            # Somebody else's file in the first place.
            return None
        # The error's own text may quote what it stumbled over, which may be a password.
        line = getattr(error, "lineno", None)
        raise ConfigurationError(
            say("uv's configuration file cannot be parsed."),
            path=str(path),
            line=line if isinstance(line, int) else None,
            hint=say("Correct the file, or set UV_NO_CONFIG=1 to leave it out."),
        ) from None
    if path.name == "pyproject.toml":
        tool = table.get("tool")
        table = tool.get("uv") if isinstance(tool, dict) else None
        if not isinstance(table, dict):
            return None
    pip = table.get("pip")
    return _File(path=path, tables=(pip, table) if isinstance(pip, dict) else (table,))
