"""``conda-lock.yml`` version 1 as a source (CEP 37).

A lock holds one solved environment for each platform. A user who hands one to envcheck wants to know about Linux, so
the rows of ``linux-64`` are read if there are any; else those of ``win-64``, where the user then comes from; else of
the first platform that the lock names. The rows of other platforms say nothing about this environment and are left out.
"""

from __future__ import annotations

import re
from collections import Counter

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.model import (
    ChannelReference,
    DamageKind,
    Evidence,
    PipRequirement,
    PipRequirementKind,
    SourceKind,
)
from envcheck.sources.document import Document
from envcheck.sources.package_urls import parse_package_url
from envcheck.sources.pip_lines import PIP_NAME, pypi_row, read_pip_line
from envcheck.sources.reading import Entry, Reading, damaged, reading_of
from envcheck.sources.rows import Row, read_row
from envcheck.sources.yaml_nodes import Mapping, Node, Scalar, Sequence, key_text, parse_yaml

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.CONDA_LOCK

_PREFERRED = ("linux-64", "win-64")
_PACKAGE_KEY = re.compile(r"^package:", re.MULTILINE)
_METADATA_KEY = re.compile(r"^(?:metadata|version):", re.MULTILINE)


def matches(document: Document) -> bool:
    """Whether the top-level keys of a lock are there."""
    return _PACKAGE_KEY.search(document.text) is not None and _METADATA_KEY.search(document.text) is not None


def read(document: Document) -> Reading:
    """Read the rows of one platform.

    Raises:
        SourceError: It is not valid YAML, not version 1, or has no list of packages.
    """
    root = parse_yaml(document.text, document.path).root
    top = _fields(root)
    version, packages = top.get("version"), top.get("package")
    if _text(version) != "1":
        raise SourceError(
            say("Version {version} of conda-lock.yml is not known; version 1 is.", version=_text(version) or "?"),
            path=document.path,
            line=None if version is None else version.line,
            hint=say("Check the environment file that it was made of, or write it again with conda-lock or envcheck."),
        )
    if not isinstance(packages, Sequence):
        raise SourceError(say("The conda-lock file has no list of packages."), path=document.path)
    rows = [(node, _fields(node)) for node in packages.items]
    counts = Counter(platform for _, row in rows if (platform := _text(row.get("platform"))))
    platform = _choose(counts)
    entries = [
        _entry(row, node.line) for node, row in rows if platform is None or _text(row.get("platform")) == platform
    ]
    return reading_of(entries, channels=_channels(top.get("metadata")), evidence=_evidence(counts, platform))


def _choose(counts: Counter[str]) -> str | None:
    for platform in _PREFERRED:
        if platform in counts:
            return platform
    return next(iter(counts), None)


def _evidence(counts: Counter[str], chosen: str | None) -> list[Evidence]:
    if chosen is None:
        return []
    others = ", ".join(platform for platform in sorted(counts) if platform != chosen)
    reason = say("the lock holds {count} rows for {chosen}", count=counts[chosen], chosen=chosen) + (
        say("; not read: those for {others}", others=others) if others else ""
    )
    return [Evidence(platform=chosen, weight=100, reason=reason)]


def _fields(node: Node | None) -> dict[str, Node]:
    return {key_text(key): value for key, value in node.pairs} if isinstance(node, Mapping) else {}


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) and not node.null else None


def _channels(metadata: Node | None) -> tuple[ChannelReference, ...]:
    channels = _fields(metadata).get("channels")
    found: list[ChannelReference] = []
    for node in channels.items if isinstance(channels, Sequence) else ():
        text = _text(node) or _text(_fields(node).get("url"))
        if text:
            found.append(ChannelReference(text=text, line=node.line))
    return tuple(found)


def _entry(row: dict[str, Node], line: int) -> Entry:
    name, version, url = (_text(row.get(key)) for key in ("name", "version", "url"))
    if name is None:
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, "?", say("a row without a name"), line=line),))
    text = f"{name} {version or ''}".rstrip()
    hashes = _fields(row.get("hash"))
    if _text(row.get("manager")) == "pip":
        if not PIP_NAME.fullmatch(name):
            return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, name[:60], text, line=line),))
        if url is not None and url.startswith("git+"):
            return read_pip_line(f"{name} @ {url}", line=line, origin="lock")
        return Entry(pip=_pip(pypi_row(name, version, None, line=line, text=text), url))
    # The URL alone tells the build and the channel.
    told = parse_package_url(url) if url is not None else None
    return read_row(
        Row(
            name=name,
            version=version,
            build=None if told is None else told.build,
            channel=None if told is None else told.channel,
            subdir=None if told is None else told.subdir,
            url=url,
            md5=_text(hashes.get("md5")),
            sha256=_text(hashes.get("sha256")),
        ),
        line=line,
        text=text,
    )


def _pip(row: PipRequirement, url: str | None) -> PipRequirement:
    """A pip row of a lock: its pin counts, its URL is kept as what was locked for the other platform."""
    return PipRequirement(
        kind=PipRequirementKind.NAMED,
        name=row.name,
        specifier=row.specifier,
        pin=row.pin,
        url=url,
        origin="lock",
        line=row.line,
        text=row.text,
    )
