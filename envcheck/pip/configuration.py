"""Which package index to ask: the one that pip would ask on this machine.

pip's order (https://pip.pypa.io/en/stable/topics/configuration/) is: the option, the environment variable, then the
configuration files, of which ``PIP_CONFIG_FILE`` beats the user's, and the user's the system's. uv's variables come
next, so that a machine set up for uv alone is served too. The environment and the home directory are passed in.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envcheck.errors import ConfigurationError

__all__ = ["DEFAULT_INDEX_URL", "IndexSettings", "index_settings"]

DEFAULT_INDEX_URL = "https://pypi.org/simple"

_TRUE = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Where the package index is and how to reach it.

    ``url`` may hold credentials: it is used and never shown (`envcheck.secrets.mask`). ``origin`` says who named it.
    ``verify_tls`` is whether to check certificates, or the path of the authorities to check them with (pip's ``cert``).
    ``disabled`` is pip's ``no-index``: no index is to be asked at all. ``extra_urls`` are the indexes that pip asks
    besides (``extra-index-url``), ``find_links`` its other places of files; they may hold credentials too.
    """

    url: str = field(repr=False)
    origin: str
    extra_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    verify_tls: bool | str = True
    disabled: bool = False


def index_settings(
    argument: str | None,
    environment: Mapping[str, str],
    *,
    home: Path | None = None,
    system: str = os.name,
    system_directory: Path = Path("/etc"),
) -> IndexSettings:
    """Find the index that pip would use.

    Args:
        argument: The value of ``--index-url``, which beats everything.
        environment: The environment variables.
        home: The user's home directory; by default ``HOME`` or ``USERPROFILE``.
        system: ``nt`` or ``posix``: where pip keeps its files depends on it.
        system_directory: Where a POSIX system keeps its configuration.

    Raises:
        ConfigurationError: A configuration file of pip cannot be parsed; pip would stop there too.
    """
    if home is None:
        text = environment.get("HOME") or environment.get("USERPROFILE")
        home = Path(text) if text else None
    values: dict[str, tuple[str, str]] = {}
    # From weak to strong, so that the last one wins.
    for path in _configuration_files(environment, home, system, system_directory):
        for key, value in _read(path).items():
            values[key] = (value, str(path))
    for key in ("index-url", "extra-index-url", "find-links", "cert", "no-index"):
        variable = f"PIP_{key.upper().replace('-', '_')}"
        if environment.get(variable):
            values[key] = (environment[variable], variable)
    url, origin = DEFAULT_INDEX_URL, "default"
    for variable in ("UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        if environment.get(variable):
            url, origin = _without_name(environment[variable]), variable
    if "index-url" in values:
        url, origin = values["index-url"]
    if argument:
        url, origin = argument, "--index-url"
    certificates = values.get("cert", ("", ""))[0].strip()
    return IndexSettings(
        url=url.strip(),
        origin=origin,
        extra_urls=_words(values, "extra-index-url"),
        find_links=_words(values, "find-links"),
        verify_tls=certificates or True,
        # An index that is asked for by name on the command line is wanted, whatever the configuration says.
        disabled=not argument and values.get("no-index", ("", ""))[0].strip().lower() in _TRUE,
    )


def _words(values: Mapping[str, tuple[str, str]], key: str) -> tuple[str, ...]:
    """The values of an option that may be given several times: pip separates them by blanks and lines."""
    return tuple(dict.fromkeys(values.get(key, ("", ""))[0].split()))


def _without_name(value: str) -> str:
    """The URL of an index to which uv's syntax gives a name: ``internal=https://…``."""
    head, separator, rest = value.partition("=")
    return rest if separator and "://" not in head else value


def _configuration_files(
    environment: Mapping[str, str], home: Path | None, system: str, system_directory: Path
) -> Iterator[Path]:
    """The configuration files of pip, weakest first. ``PIP_CONFIG_FILE=/dev/null`` turns all of them off."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    if system == "nt":
        yield Path(environment.get("PROGRAMDATA", r"C:\ProgramData")) / "pip" / "pip.ini"
        if home is not None:
            yield home / "pip" / "pip.ini"
        if environment.get("APPDATA"):
            yield Path(environment["APPDATA"]) / "pip" / "pip.ini"
    else:
        for directory in reversed(environment.get("XDG_CONFIG_DIRS", str(system_directory / "xdg")).split(":")):
            if directory:
                yield Path(directory) / "pip" / "pip.conf"
        yield Path("/Library/Application Support/pip/pip.conf")
        yield system_directory / "pip.conf"
        if home is not None:
            yield home / ".pip" / "pip.conf"
            yield home / "Library" / "Application Support" / "pip" / "pip.conf"
            yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if environment.get("VIRTUAL_ENV"):
        yield Path(environment["VIRTUAL_ENV"]) / ("pip.ini" if system == "nt" else "pip.conf")
    if named:
        yield Path(named)


def _read(path: Path) -> dict[str, str]:
    """The options of ``[global]`` and, stronger, ``[install]``; a file that is not there has none."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, source=str(path))
    except configparser.Error as error:
        # The error's own text quotes the line, which may be the one with the password in it.
        raise ConfigurationError(
            "pip's configuration file cannot be parsed.",
            path=str(path),
            line=_line_of(error),
            hint="Correct the file, or set PIP_CONFIG_FILE=/dev/null to leave it out.",
        ) from None
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            # pip takes index_url for index-url.
            found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return found


def _line_of(error: configparser.Error) -> int | None:
    # Most of configparser's errors have a line number, a ParsingError a list of them.
    faults = getattr(error, "errors", None)
    line = faults[0][0] if faults else getattr(error, "lineno", None)
    return line if isinstance(line, int) else None
