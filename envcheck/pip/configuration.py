"""Which package indexes and places of files to ask: those that pip and uv would ask on this machine.

pip's order (https://pip.pypa.io/en/stable/topics/configuration/) is: the option, the environment variable, then the
configuration files, of which ``PIP_CONFIG_FILE`` beats the user's, and the user's the system's. uv's own settings
(`envcheck.pip.uv_configuration`) come next, so that a machine set up for uv alone is served too: of two main indexes
pip's is taken, and what either tool asks besides is asked. The environment and the home directory are passed in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.limits import MAX_CONFIGURATION_BYTES
from envcheck.pip.uv_configuration import Place, absolute_url, uv_settings

if TYPE_CHECKING:
    import configparser

__all__ = ["DEFAULT_INDEX_URL", "IndexSettings", "index_settings"]

DEFAULT_INDEX_URL = "https://pypi.org/simple"

_ALL = "unsafe-best-match"
_FIRST = "first-index"
_TRUE = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Where the package index is and how to reach it.

    ``url`` may hold credentials: it is used and never shown (`envcheck.secrets.mask`). ``origin`` says who named it.
    ``verify_tls`` is whether to check certificates, or the path of the authorities to check them with (pip's ``cert``).
    ``disabled`` is ``no-index``: no index is to be asked at all. ``extra_urls`` are the indexes that are asked besides,
    ``find_links`` other places of files; they may hold credentials too, and ``origins`` are pairs of each and who named
    it. ``strategy`` is which of several indexes has a say about a project, in uv's words: all of them, as in pip, or
    the first that has it.
    """

    url: str = field(repr=False)
    origin: str
    extra_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    verify_tls: bool | str = True
    disabled: bool = False
    strategy: str = _ALL
    origins: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def first_match(self) -> bool:
        """Whether the first index that has a project is the only one to ask about it."""
        return self.strategy != _ALL

    def origin_of(self, url: str) -> str:
        """Who named an index or a place of files."""
        return dict(self.origins).get(url, self.origin)


def index_settings(
    argument: str | None,
    environment: Mapping[str, str],
    *,
    home: Path | None = None,
    system: str = os.name,
    system_directory: Path = Path("/etc"),
    working_directory: Path | None = None,
) -> IndexSettings:
    """Find the index that pip would use, and what pip and uv would ask besides.

    Args:
        argument: The value of ``--index-url``, which beats everything.
        environment: The environment variables.
        home: The user's home directory; by default ``HOME`` or ``USERPROFILE``.
        system: ``nt`` or ``posix``: where pip and uv keep their files depends on it.
        system_directory: Where a POSIX system keeps its configuration.
        working_directory: Where relative paths count from, and where uv looks for the settings of a project.

    Raises:
        ConfigurationError: A configuration file of pip or uv cannot be parsed; they would stop there too.
    """
    if home is None:
        text = environment.get("HOME") or environment.get("USERPROFILE")
        home = Path(text) if text else None
    values = _values_of_pip(environment, home, system, system_directory)
    of_uv = uv_settings(
        environment,
        home=home,
        system=system,
        system_directory=system_directory,
        working_directory=working_directory,
    )
    main = of_uv.default or Place(url=DEFAULT_INDEX_URL, origin="default")
    if "index-url" in values:
        main = Place(url=values["index-url"][0], origin=values["index-url"][1])
    if argument:
        main = Place(url=argument, origin="--index-url")
    main = Place(url=absolute_url(main.url, working_directory), origin=main.origin)
    of_pip = _places(values, "extra-index-url", working_directory)
    extra = {one.url: one.origin for one in reversed((*of_pip, *of_uv.extra)) if one.url != main.url}
    links = {
        one.url: one.origin for one in reversed((*_places(values, "find-links", working_directory), *of_uv.find_links))
    }
    certificates = values.get("cert", ("", ""))[0].strip()
    no_index = values.get("no-index", ("", ""))[0].strip().lower() in _TRUE or of_uv.no_index
    return IndexSettings(
        url=main.url,
        origin=main.origin,
        extra_urls=tuple(extra)[::-1],
        find_links=tuple(links)[::-1],
        verify_tls=certificates or True,
        # An index that is asked for by name on the command line is wanted, whatever the configuration says.
        disabled=not argument and no_index,
        # Where uv alone has several, its way of guarding against a stranger's project of the same name stays.
        strategy=of_uv.strategy or (_ALL if of_pip or not of_uv.extra else _FIRST),
        origins=tuple({**links, **extra}.items())[::-1],
    )


def _values_of_pip(
    environment: Mapping[str, str], home: Path | None, system: str, system_directory: Path
) -> dict[str, tuple[str, str]]:
    """The options of pip that count, each with who says so."""
    values: dict[str, tuple[str, str]] = {}
    # From weak to strong, so that the last one wins.
    for path in _configuration_files(environment, home, system, system_directory):
        for key, value in _read(path).items():
            values[key] = (value, str(path))
    for key in ("index-url", "extra-index-url", "find-links", "cert", "no-index"):
        variable = f"PIP_{key.upper().replace('-', '_')}"
        if environment.get(variable):
            values[key] = (environment[variable], variable)
    return values


def _places(values: Mapping[str, tuple[str, str]], key: str, folder: Path | None) -> tuple[Place, ...]:
    """The values of an option that may be given several times: pip separates them by blanks and lines."""
    text, origin = values.get(key, ("", ""))
    return tuple(Place(url=absolute_url(word, folder), origin=origin) for word in text.split())


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
        with path.open("rb") as stream:
            data = stream.read(MAX_CONFIGURATION_BYTES + 1)
    except OSError:
        return {}
    if len(data) > MAX_CONFIGURATION_BYTES:
        raise ConfigurationError(
            say("pip's configuration file is larger than {size} MiB.", size=MAX_CONFIGURATION_BYTES // 1048576),
            path=str(path),
            hint=say("Make it smaller, or set PIP_CONFIG_FILE=/dev/null to leave it out."),
        )
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, source=str(path))
    except configparser.Error as error:
        # The error's own text quotes the line, which may be the one with the password in it.
        raise ConfigurationError(
            say("pip's configuration file cannot be parsed."),
            path=str(path),
            line=_line_of(error),
            hint=say("Correct the file, or set PIP_CONFIG_FILE=/dev/null to leave it out."),
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
