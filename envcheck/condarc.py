"""Finding and reading conda's configuration, and mamba's where it says more.

The order of places and the way several files are merged follow conda (``SEARCH_PATH`` in ``conda/base/constants.py``;
``_expand_search_path`` and the ``merge`` methods in ``conda/common/configuration.py``, version 26.7) and mamba
(``compute_default_rc_sources`` in ``libmamba/src/api/configuration.cpp``, 2.8). Where they differ from each other the
files of both are read, mamba's after conda's. Unlike conda, which ignores a file that it cannot parse with a warning,
envcheck stops: a verdict over the wrong channels is worth nothing.

All access to the file system and to environment variables of this module happens in `load_configuration`, over its
arguments.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.limits import (
    MAX_CONFIGURATION_ALIASES,
    MAX_CONFIGURATION_BYTES,
    MAX_CONFIGURATION_EVENTS,
    MAX_LINE_LENGTH,
)
from envcheck.secrets import mask
from envcheck.yaml_bounds import UnboundedYamlError, bounded_events, safe_loader

__all__ = ["DEFAULT_CHANNEL_ALIAS", "Configuration", "load_configuration", "search_path"]

DEFAULT_CHANNEL_ALIAS = "https://conda.anaconda.org"

_CONDA_NAMES = (".condarc", "condarc", "condarc.d")
_FILE_NAMES = frozenset({".condarc", "condarc", ".mambarc", "mambarc"})
_FILE_SUFFIXES = frozenset({".yml", ".yaml"})

_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})

_STRINGS = (
    "channel_alias",
    "channel_priority",
    "ssl_verify",
    "offline",
    "remote_connect_timeout_secs",
    "remote_read_timeout_secs",
)
_LISTS = ("channels", "default_channels", "allowlist_channels", "denylist_channels", "pkgs_dirs")
_MAPS = ("custom_channels", "proxy_servers")
_MAPS_OF_LISTS = ("custom_multichannels", "mirrored_channels")
# Former and alternative spellings (aliases of the parameters in conda/base/context.py).
_ALIASES = {"channel": "channels", "verify_ssl": "ssl_verify", "whitelist_channels": "allowlist_channels"}

# ``#!final``, ``#!top`` and ``#!bottom`` at the end of a line (ParameterFlag in conda/common/configuration.py).
_FLAG = re.compile(r"#!(final|top|bottom)\s*$")
_LINE_BREAK = re.compile("\\r\\n|[\\r\\n\\x85\\u2028\\u2029]")  # what YAML counts as the end of a line
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^}]*)\}|(?P<named>\w+))")
_WINDOWS_VARIABLE = re.compile(r"%(?P<padded>[^%\s]+)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the user's configuration says about channels and how to reach them.

    Maps are tuples of pairs in the order of precedence that conda gives them. Fields that may hold credentials stay out
    of the representation. The timeouts are seconds: to be connected, and to be told something by a server that is
    connected (conda's defaults). ``ssl_verify`` is a boolean, a path to certificates or ``truststore``; ``sources`` are
    the files read, lowest precedence first; ``home`` and ``working_directory`` are what ``~`` and relative paths of
    channels are resolved against. ``largest_repodata`` is how many bytes repodata may have, unpacked, where a variable
    of the environment says so: conda and mamba have no such setting.
    """

    channels: tuple[str, ...] = field(default=(), repr=False)
    default_channels: tuple[str, ...] = field(default=(), repr=False)
    channel_alias: str = field(default=DEFAULT_CHANNEL_ALIAS, repr=False)
    custom_channels: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    custom_multichannels: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    mirrored_channels: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    allowlist_channels: tuple[str, ...] = field(default=(), repr=False)
    denylist_channels: tuple[str, ...] = field(default=(), repr=False)
    proxy_servers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    pkgs_dirs: tuple[str, ...] = ()
    ssl_verify: bool | str = True
    channel_priority: str = "flexible"
    offline: bool = False
    remote_connect_timeout_secs: float = 9.15
    remote_read_timeout_secs: float = 60.0
    largest_repodata: int | None = None
    sources: tuple[str, ...] = ()
    home: str | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True)
class _Scalar:
    """One value with where it stands and the flag behind it."""

    text: str | None
    path: str
    line: int | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class _List:
    """A list as one file gives it; ``flag`` stands behind its key."""

    items: tuple[_Scalar, ...]
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class _Map:
    """A map as one file gives it; a value is a scalar or a list."""

    items: tuple[tuple[str, _Scalar | _List], ...]
    flag: str | None = None


_Value = _Scalar | _List | _Map
_KindT = TypeVar("_KindT", _Scalar, _List, _Map)
_CollectionT = TypeVar("_CollectionT", _List, _Map)


def load_configuration(
    environ: Mapping[str, str],
    *,
    home: Path | None,
    working_directory: Path | None = None,
    windows: bool = False,
    system_directories: Sequence[Path] | None = None,
) -> Configuration:
    """Read the configuration that conda and mamba would use on this machine.

    Args:
        environ: The environment variables (``os.environ`` of the caller).
        home: The user's home directory, ``None`` to read nothing from it.
        working_directory: What relative channel paths start from.
        windows: Whether this machine runs Windows.
        system_directories: Replaces ``/etc/conda`` and ``/var/lib/conda`` (``C:/ProgramData/conda`` on Windows).

    Returns:
        The merged configuration; conda's defaults where nothing is set.

    Raises:
        ConfigurationError: A file cannot be read, is no YAML, or holds a value of the wrong type.
    """
    paths = tuple(dict.fromkeys(_existing(search_path(environ, home, windows, system_directories))))
    layers = [_read(path) for path in paths]
    layers.append(_from_environment(environ))

    def expand(item: _Scalar) -> str:
        return _expand_variables(item.text or "", environ, windows)

    def lists(key: str) -> tuple[str, ...]:
        return tuple(expand(item) for item in _merge_lists(_expect(layers, key, _List)))

    def maps(key: str) -> tuple[tuple[str, str], ...]:
        merged = _merge_maps(_expect(layers, key, _Map)).items()
        return tuple((name, expand(value)) for name, value in merged if isinstance(value, _Scalar))

    def maps_of_lists(key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        merged = _merge_maps(_expect(layers, key, _Map)).items()
        return tuple((name, tuple(map(expand, value.items))) for name, value in merged if isinstance(value, _List))

    alias = _last(_expect(layers, "channel_alias", _Scalar))
    priority = _last(_expect(layers, "channel_priority", _Scalar))
    verify = _last(_expect(layers, "ssl_verify", _Scalar))
    offline = _last(_expect(layers, "offline", _Scalar))
    connecting = _last(_expect(layers, "remote_connect_timeout_secs", _Scalar))
    reading = _last(_expect(layers, "remote_read_timeout_secs", _Scalar))
    return Configuration(
        channels=lists("channels"),
        default_channels=lists("default_channels"),
        channel_alias=DEFAULT_CHANNEL_ALIAS if alias is None else _alias(alias, expand(alias)),
        custom_channels=maps("custom_channels"),
        custom_multichannels=maps_of_lists("custom_multichannels"),
        mirrored_channels=maps_of_lists("mirrored_channels"),
        allowlist_channels=lists("allowlist_channels"),
        denylist_channels=lists("denylist_channels"),
        proxy_servers=maps("proxy_servers"),
        pkgs_dirs=tuple(str(_expand_home(text, home)) for text in lists("pkgs_dirs")),
        ssl_verify=True if verify is None else _boolean_or_text(expand(verify)),
        channel_priority="flexible" if priority is None else _priority(priority),
        offline=False if offline is None else _boolean("offline", offline),
        remote_connect_timeout_secs=9.15 if connecting is None else _seconds("remote_connect_timeout_secs", connecting),
        remote_read_timeout_secs=60.0 if reading is None else _seconds("remote_read_timeout_secs", reading),
        sources=tuple(str(path) for path in paths),
        home=None if home is None else str(home),
        working_directory=None if working_directory is None else str(working_directory),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Where the files are
# ---------------------------------------------------------------------------------------------------------------------


def search_path(
    environ: Mapping[str, str], home: Path | None, windows: bool, system_directories: Sequence[Path] | None = None
) -> tuple[Path, ...]:
    """The places where conda and mamba look for configuration, lowest precedence first, existing or not.

    Args:
        environ: The environment variables.
        home: The user's home directory.
        windows: Whether this machine runs Windows.
        system_directories: Replaces the system-wide directories.

    Returns:
        Files and directories, in the order of conda's ``SEARCH_PATH``, mamba's at the end of each group.
    """
    if system_directories is None:
        names = ("C:/ProgramData/conda",) if windows else ("/etc/conda", "/var/lib/conda")
        system_directories = tuple(Path(name) for name in names)
    places = [directory / name for directory in system_directories for name in (*_CONDA_NAMES, ".mambarc")]
    if (root := _root_prefix(environ)) is not None:
        places += [root / name for name in (*_CONDA_NAMES, ".mambarc")]
    config_home = environ.get("XDG_CONFIG_HOME")
    user = [Path(config_home) / "conda"] if config_home else []
    user += [home / ".config" / "conda", home / ".conda"] if home is not None else []
    places += [directory / name for directory in user for name in _CONDA_NAMES]
    if home is not None:
        places.append(home / ".condarc")
        mamba = (*([Path(config_home) / "mamba"] if config_home else []), home / ".config" / "mamba", home / ".mamba")
        places += [directory / name for directory in mamba for name in (".mambarc", "mambarc", "mambarc.d")]
        places.append(home / ".mambarc")
    if prefix := environ.get("CONDA_PREFIX"):
        places += [Path(prefix) / name for name in (*_CONDA_NAMES, ".mambarc")]
    places += [_expand_home(environ[name], home) for name in ("CONDARC", "MAMBARC") if environ.get(name)]
    return tuple(dict.fromkeys(places))


def _root_prefix(environ: Mapping[str, str]) -> Path | None:
    # conda fills in $CONDA_ROOT from its own sys.prefix. Seen from outside, its activation scripts leave _CONDA_ROOT
    # (on Windows) and CONDA_EXE (<root>/bin/conda or <root>\Scripts\conda.exe), and mamba's leave MAMBA_ROOT_PREFIX.
    for name in ("CONDA_ROOT", "_CONDA_ROOT"):
        if environ.get(name):
            return Path(environ[name])
    if environ.get("CONDA_EXE"):
        return Path(environ["CONDA_EXE"]).parent.parent
    return Path(environ["MAMBA_ROOT_PREFIX"]) if environ.get("MAMBA_ROOT_PREFIX") else None


def _expand_home(text: str, home: Path | None) -> Path:
    return home / text[2:] if home is not None and text.startswith("~/") else Path(text)


def _existing(places: Iterable[Path]) -> Iterator[Path]:
    """The configuration files among ``places``; of a directory, its YAML files by name."""
    for place in places:
        # What cannot be looked at is no configuration of this user; conda passes over it, too.
        with contextlib.suppress(OSError):
            if place.is_file():
                if place.name in _FILE_NAMES or place.suffix in _FILE_SUFFIXES:
                    yield place
            elif place.is_dir():
                entries = sorted(place.iterdir(), key=lambda entry: entry.name)
                yield from (entry for entry in entries if entry.suffix in _FILE_SUFFIXES and entry.is_file())


# ---------------------------------------------------------------------------------------------------------------------
# What one file says
# ---------------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, _Value]:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CONFIGURATION_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            say("The configuration file cannot be read: {reason}.", reason=error.strerror or str(error)),
            path=str(path),
            hint=say("Make the file readable, or move it away."),
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            say("The configuration file is not UTF-8."), path=str(path), hint=say("Save the file as UTF-8.")
        ) from error
    if len(data) > MAX_CONFIGURATION_BYTES:
        raise ConfigurationError(
            say("The configuration file is larger than {size} MiB.", size=MAX_CONFIGURATION_BYTES // 1048576),
            path=str(path),
            hint=say("Make it smaller, or move it away."),
        )
    try:
        for _ in bounded_events(
            text, most=MAX_CONFIGURATION_EVENTS, aliases=MAX_CONFIGURATION_ALIASES, longest=MAX_LINE_LENGTH
        ):
            pass
        root = yaml.compose(text, Loader=safe_loader())
    except UnboundedYamlError as error:
        raise ConfigurationError(
            say("{problem}; that is more than is read of a configuration file.", problem=error.problem),
            path=str(path),
            line=error.line,
            hint=say("Make it smaller, or move it away."),
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigurationError(
            say(
                "The configuration file is not valid YAML: {problem}.",
                problem=mask(error.problem) if error.problem else say("it cannot be parsed"),
            ),
            path=str(path),
            line=None if mark is None else mark.line + 1,
            hint=say("Correct the line; a list item is written as '  - name' and tabs are not allowed."),
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(
            say("The configuration file is not valid YAML."), path=str(path), hint=say("Write the file anew.")
        ) from error
    if root is None or _is_null(root):
        return {}
    return _FileReader(path=str(path), lines=tuple(_LINE_BREAK.split(text))).settings(root)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileReader:
    """Turns the YAML nodes of one file into typed values, with the file's name and lines at hand for messages."""

    path: str
    lines: tuple[str, ...]

    def settings(self, root: yaml.Node) -> dict[str, _Value]:
        """The known keys of the file; a name wins over its alias, unknown keys are ignored."""
        if not isinstance(root, yaml.MappingNode):
            raise self._wrong(
                root, say("A configuration file holds 'key: value' lines"), say("Write, for example, 'channels:'.")
            )
        found: dict[str, _Value] = {}
        for key_node, node in root.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            name = _ALIASES.get(key, key)
            if name != key and name in found:
                continue
            flag = self._flag(key_node)
            if name in _STRINGS:
                found[name] = self._scalar(name, node)
            elif name in _LISTS:
                found[name] = self._list(name, node, flag)
            elif name in _MAPS:
                found[name] = self._map(name, node, flag, of_lists=False)
            elif name in _MAPS_OF_LISTS:
                found[name] = self._map(name, node, flag, of_lists=True)
        return found

    def _scalar(self, key: str, node: yaml.Node) -> _Scalar:
        if not isinstance(node, yaml.ScalarNode):
            raise self._wrong(
                node, say("'{key}' must be a single value", key=key), say("Write '{key}: VALUE' on one line.", key=key)
            )
        text = None if node.tag == "tag:yaml.org,2002:null" else str(node.value)
        return _Scalar(text, self.path, node.start_mark.line + 1, self._flag(node))

    def _list(self, key: str, node: yaml.Node, flag: str | None) -> _List:
        if _is_null(node):
            return _List((), flag)
        if not isinstance(node, yaml.SequenceNode):
            raise self._wrong(
                node,
                say("'{key}' must be a list", key=key),
                say("Write each item on a line of its own, as '  - NAME'."),
            )
        items = tuple(self._scalar(say("{key} item", key=key), item) for item in node.value)
        for item in items:
            if item.text is None:
                raise ConfigurationError(
                    say("'{key}' has an empty item.", key=key),
                    path=self.path,
                    line=item.line,
                    hint=say("Remove the empty '-'."),
                )
        return _List(items, flag)

    def _map(self, key: str, node: yaml.Node, flag: str | None, *, of_lists: bool) -> _Map:
        if _is_null(node):
            return _Map((), flag)
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(
                node,
                say("'{key}' must be a map", key=key),
                say("Write each entry on a line of its own, as '  NAME: URL'."),
            )
        entries: list[tuple[str, _Scalar | _List]] = []
        for name_node, value in node.value:
            name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else ""
            label = f"{key}.{mask(name)}"
            entry = self._list(label, value, self._flag(name_node)) if of_lists else self._scalar(label, value)
            if isinstance(entry, _List) or entry.text is not None:
                entries.append((name, entry))
        return _Map(tuple(entries), flag)

    def _flag(self, node: yaml.Node) -> str | None:
        # PyYAML drops comments, so the flag is taken from the line that the key or the value stands on.
        line = node.end_mark.line
        found = _FLAG.search(self.lines[line]) if line < len(self.lines) else None
        return None if found is None else found[1]

    def _wrong(self, node: yaml.Node, message: str, hint: str) -> ConfigurationError:
        kinds = {
            yaml.ScalarNode: say("a single value"),
            yaml.SequenceNode: say("a list"),
            yaml.MappingNode: say("a map"),
        }
        kind = kinds.get(type(node), say("something else"))
        return ConfigurationError(
            say("{message}, but is {kind}.", message=message, kind=kind),
            path=self.path,
            line=node.start_mark.line + 1,
            hint=hint,
        )


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Value]:
    """``CONDA_CHANNELS`` and its like: single values, and lists that are separated by commas."""
    found: dict[str, _Value] = {}
    for key in (*_STRINGS, *_LISTS):
        variable = f"CONDA_{key.upper()}"
        text = environ.get(variable, "").strip()
        if not text:
            continue
        if key in _STRINGS:
            found[key] = _Scalar(text, variable)
        else:
            found[key] = _List(tuple(_Scalar(item.strip(), variable) for item in text.split(",") if item.strip()))
    return found


# ---------------------------------------------------------------------------------------------------------------------
# How several files make one configuration
# ---------------------------------------------------------------------------------------------------------------------


def _expect(layers: Iterable[dict[str, _Value]], key: str, kind: type[_KindT]) -> list[_KindT]:
    return [value for layer in layers if isinstance(value := layer.get(key), kind)]


def _last(matches: Sequence[_Scalar]) -> _Scalar | None:
    """The value of the highest precedence, or the first that is marked ``#!final``."""
    final = next((match for match in matches if match.flag == "final"), None)
    return final if final is not None else next((match for match in reversed(matches) if match.text is not None), None)


def _until_final(matches: Sequence[_CollectionT]) -> Sequence[_CollectionT]:
    position = next((index for index, match in enumerate(matches) if match.flag == "final"), None)
    return matches if position is None else matches[: position + 1]


def _merge_lists(matches: Sequence[_List]) -> tuple[_Scalar, ...]:
    """Later files' items first; ``#!top`` items before and ``#!bottom`` items behind all others."""
    matches = _until_final(matches)
    top = [item for match in matches for item in match.items if item.flag == "top"]
    bottom = [item for match in reversed(matches) for item in match.items if item.flag == "bottom"]
    body = [item for match in reversed(matches) for item in match.items]
    # An item counts where it is mentioned first, but one that is marked as bottom where it is mentioned last.
    backwards = _unique((*reversed(bottom), *reversed(_unique((*top, *body)))))
    return tuple(reversed(backwards))


def _unique(items: Iterable[_Scalar]) -> tuple[_Scalar, ...]:
    first: dict[str | None, _Scalar] = {}
    for item in items:
        first.setdefault(item.text, item)
    return tuple(first.values())


def _merge_maps(matches: Sequence[_Map]) -> dict[str, _Scalar | _List]:
    """Per key the value of the highest precedence; lists under one key are merged as lists are."""
    grouped: dict[str, list[_Scalar | _List]] = {}
    for match in _until_final(matches):
        for name, value in match.items:
            grouped.setdefault(name, []).append(value)
    merged: dict[str, _Scalar | _List] = {}
    for name, values in grouped.items():
        scalars = [value for value in values if isinstance(value, _Scalar)]
        found = _last(scalars)
        lists = [value for value in values if isinstance(value, _List)]
        merged[name] = _List(_merge_lists(lists)) if found is None else found
    return merged


def _expand_variables(text: str, environ: Mapping[str, str], windows: bool) -> str:
    """``$NAME``, ``${NAME}`` and, on Windows, ``%NAME%``; unknown names stay as they are (os.path.expandvars)."""
    text = _VARIABLE.sub(lambda found: environ.get(found["braced"] or found["named"] or "", found[0]), text)
    return _WINDOWS_VARIABLE.sub(lambda found: environ.get(found["padded"], found[0]), text) if windows else text


def _alias(value: _Scalar, text: str) -> str:
    if not re.match(r"[a-z][a-z0-9]{0,11}://", text):
        raise ConfigurationError(
            say("'channel_alias' must be a URL, but is '{text}'.", text=mask(text)),
            path=value.path,
            line=value.line,
            hint=say("Begin it with https:// or file://."),
        )
    return text.rstrip("/")


def _priority(value: _Scalar) -> str:
    # Before conda 4.6 this was a boolean (ChannelPriorityMeta in conda/base/constants.py).
    text = (value.text or "").strip().lower()
    if text in {"strict", "flexible", "disabled"}:
        return text
    if text in _TRUE:
        return "flexible"
    if text in _FALSE:
        return "disabled"
    raise ConfigurationError(
        say("'channel_priority' cannot be '{text}'.", text=mask(value.text or "")),
        path=value.path,
        line=value.line,
        hint=say("Write strict, flexible or disabled."),
    )


def _boolean(key: str, value: _Scalar) -> bool:
    found = _boolean_or_text(value.text or "")
    if isinstance(found, bool):
        return found
    raise ConfigurationError(
        say("'{key}' must be true or false, but is '{found}'.", key=key, found=mask(found)),
        path=value.path,
        line=value.line,
        hint=say("Write true or false."),
    )


def _seconds(key: str, value: _Scalar) -> float:
    text = (value.text or "").strip()
    if re.fullmatch(r"\d{1,6}(?:\.\d*)?", text, re.ASCII) and float(text) > 0:
        return float(text)
    raise ConfigurationError(
        say("'{key}' must be a number of seconds, but is '{text}'.", key=key, text=mask(text)),
        path=value.path,
        line=value.line,
        hint=say("Write a number greater than zero, such as 60."),
    )


def _boolean_or_text(text: str) -> bool | str:
    word = text.strip().lower()
    return True if word in _TRUE | {"1"} else False if word in _FALSE | {"0"} else text
