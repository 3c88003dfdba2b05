"""``pixi.lock`` of versions 4 to 7 as a source (https://github.com/conda/rattler/tree/main/crates/rattler_lock).

A lock holds several environments for several platforms, by the URLs of what they consist of; ``packages`` describes
each URL once. As with conda-lock.yml one platform is read: ``linux-64``, else ``win-64``, else the first; and one
environment: ``default``, which pixi installs if none is named, else the first.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from envcheck.errors import SourceError
from envcheck.language import joined, say
from envcheck.model import ChannelReference, DamageKind, Evidence, PipRequirement, PipRequirementKind, SourceKind
from envcheck.sources.document import Document
from envcheck.sources.package_urls import parse_package_url
from envcheck.sources.pip_lines import PIP_NAME, pypi_row, read_pip_line
from envcheck.sources.reading import Entry, Reading, damaged, reading_of
from envcheck.sources.rows import Row, read_row
from envcheck.sources.yaml_nodes import Mapping, Node, Scalar, Sequence, key_text, parse_yaml
from envcheck.urls import split_url

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.PIXI_LOCK

_PREFERRED = ("linux-64", "win-64")
_READABLE = ("4", "5", "6", "7")
_REFERENCES = ("conda", "pypi", "conda_source")
_ENVIRONMENTS_KEY = re.compile(r"^environments:", re.MULTILINE)
_PACKAGES_KEY = re.compile(r"^packages:", re.MULTILINE)


def matches(document: Document) -> bool:
    """Whether the top-level keys of a lock are there."""
    return _ENVIRONMENTS_KEY.search(document.text) is not None and _PACKAGES_KEY.search(document.text) is not None


def read(document: Document) -> Reading:
    """Read the rows of one environment for one platform.

    Raises:
        SourceError: It is not valid YAML, of an unknown version, or has no environment.
    """
    top = _fields(parse_yaml(document.text, document.path).root)
    version = top.get("version")
    if _text(version) not in _READABLE:
        raise SourceError(
            say("Version {version} of pixi.lock is not known; versions 4 to 7 are.", version=_text(version) or "?"),
            path=document.path,
            line=None if version is None else version.line,
            hint=say("Write its environment out with: pixi workspace export conda-environment environment.yml"),
        )
    environments = _fields(top.get("environments"))
    if not environments:
        raise SourceError(say("The pixi.lock file has no environment."), path=document.path)
    name = "default" if "default" in environments else next(iter(environments))
    environment = _fields(environments[name])
    platforms = {key: value for key, value in _fields(environment.get("packages")).items() if _items(value)}
    subdirs = _subdirs(top.get("platforms"))
    chosen = next((key for one in _PREFERRED for key in platforms if subdirs.get(key, key) == one), None)
    if chosen is None:
        chosen = next(iter(platforms), None)
    described = _described(top.get("packages"))
    return reading_of(
        [_entry(node, described) for node in _items(platforms[chosen])] if chosen is not None else [],
        environment_name=None if name == "default" else name,
        channels=_channels(environment.get("channels")),
        evidence=_evidence(platforms, chosen, subdirs, [other for other in environments if other != name]),
    )


def _subdirs(platforms: Node | None) -> dict[str, str]:
    """The subdir of each platform that has a name of its own (since version 7)."""
    rows = [_fields(node) for node in _items(platforms)]
    return {_text(row.get("name")) or "": _text(row.get("subdir")) or _text(row.get("name")) or "" for row in rows}


def _evidence(
    platforms: dict[str, Node], chosen: str | None, subdirs: dict[str, str], other_environments: list[str]
) -> list[Evidence]:
    if chosen is None:
        return []
    others = [key for key in sorted(platforms) if key != chosen] + [
        say("environment {name}", name=one) for one in other_environments
    ]
    reason = say("the lock holds {count} rows for {chosen}", count=len(_items(platforms[chosen])), chosen=chosen)
    if others:
        reason += say("; not read: those for {others}", others=joined(", ", others))
    return [Evidence(platform=subdirs.get(chosen, chosen), weight=100, reason=reason)]


def _fields(node: Node | None) -> dict[str, Node]:
    return {key_text(key): value for key, value in node.pairs} if isinstance(node, Mapping) else {}


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) and not node.null else None


def _channels(channels: Node | None) -> tuple[ChannelReference, ...]:
    found = [(_text(node) or _text(_fields(node).get("url")), node.line) for node in _items(channels)]
    return tuple(ChannelReference(text=text.rstrip("/"), line=line) for text, line in found if text)


def _described(packages: Node | None) -> dict[str, dict[str, Node]]:
    """What ``packages`` says of each location; versions 4 and 5 have it as ``url`` or ``path``."""
    found: dict[str, dict[str, Node]] = {}
    for node in _items(packages):
        row = _fields(node)
        location = next((text for key in (*_REFERENCES, "url", "path") if (text := _text(row.get(key)))), None)
        if location is not None:
            found.setdefault(location, row)
    return found


def _entry(node: Node, described: dict[str, dict[str, Node]]) -> Entry:
    """A row: what an environment refers to, on the line where it does."""
    reference = _fields(node)
    key = next((key for key in _REFERENCES if _text(reference.get(key))), None)
    location = (_text(reference[key]) if key is not None else None) or "?"
    row = described.get(location, {})
    if key == "pypi":
        return _pip(row, location, node.line)
    told = parse_package_url(location) if key == "conda" else None
    name = _text(row.get("name")) or (None if told is None else told.name)
    if name is None:
        # Built from a source tree, or not described: no channel has it.
        subject = re.split(r"[\[/ ]", location)[0][:60] or "?"
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, subject, location, line=node.line),))
    version = _text(row.get("version")) or (None if told is None else told.version)
    return read_row(
        Row(
            name=name,
            version=version,
            build=_text(row.get("build")) or (None if told is None else told.build),
            channel=None if told is None else told.channel,
            subdir=None if told is None else told.subdir,
            url=location,
            md5=_text(row.get("md5")),
            sha256=_text(row.get("sha256")),
        ),
        line=node.line,
        text=f"{name} {version or ''}".rstrip(),
    )


def _pip(row: dict[str, Node], location: str, line: int) -> Entry:
    """A pip row: a file of an index counts by its version, and is what was locked for the other platform."""
    name, version = _text(row.get("name")), _text(row.get("version"))
    if name is None or not PIP_NAME.fullmatch(name):
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, (name or "?")[:60], location, line=line),))
    if location.startswith("git+"):
        return read_pip_line(f"{name} @ {_pip_reference(location)}", line=line, origin="lock")
    if "://" not in location:
        return read_pip_line(f"{name} @ {location}", line=line, origin="lock")
    read = pypi_row(name, version, None, line=line, text=f"{name} {version or ''}".rstrip())
    return Entry(
        pip=PipRequirement(
            kind=PipRequirementKind.NAMED,
            name=read.name,
            specifier=read.specifier,
            pin=read.pin,
            url=location,
            origin="lock",
            line=line,
            text=read.text,
        )
    )


def _pip_reference(location: str) -> str:
    """A repository as pip writes it: pixi has the commit in the fragment and the folder among the parameters."""
    parts = split_url(location)
    folder = parse_qs(parts.query).get("subdirectory", [""])[0]
    path = f"{parts.path}@{parts.fragment}" if parts.fragment else parts.path
    return parts._replace(path=path, query="", fragment=f"subdirectory={folder}" if folder else "").geturl()
