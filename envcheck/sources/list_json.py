"""``conda list --json``, also mamba's and micromamba's: a list of objects, or in old versions of texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.model import DamageKind, SourceKind
from envcheck.sources.document import Document
from envcheck.sources.package_urls import parse_distribution
from envcheck.sources.reading import Entry, Reading, channels_in_order, damaged, reading_of
from envcheck.sources.rows import PIP_BUILDS, Row, read_row

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.LIST_JSON

_BLANK = " \t\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One element of the list, with the line it begins on."""

    value: Any
    line: int


def matches(document: Document) -> bool:
    """Whether the text is a JSON list; a JSON object is left to YAML, which it is as well."""
    text = document.text.lstrip()
    return text.startswith("[") and text[1:].lstrip()[:1] in ("{", '"', "]")


def read(document: Document) -> Reading:
    """Read the list.

    Raises:
        SourceError: The text is not valid JSON.
    """
    entries: list[Entry] = []
    for item in _items(document):
        row = _row(item.value)
        if row is None:
            damage = damaged(DamageKind.UNREADABLE_LINE, "?", json.dumps(item.value)[:200], line=item.line)
            entries.append(Entry(damage=(damage,)))
        else:
            build = "" if row.build is None else f"={row.build}"
            text = f"{row.name}={row.version or ''}{build}"
            entries.append(read_row(row, line=item.line, text=text))
    named = [entry.requirement for entry in entries if entry.requirement is not None]
    return reading_of(entries, channels=channels_in_order(named))


def _items(document: Document) -> Iterator[_Item]:
    """Decode the list element by element, for the decoder tells where each ends and thereby the next one's line."""
    text = document.text
    decoder = json.JSONDecoder()
    position, line, counted = text.index("[") + 1, 1, 0
    try:
        while True:
            position = _skip(text, position)
            if text[position] == "]":
                return
            line += text.count("\n", counted, position)
            counted = position
            value, position = decoder.raw_decode(text, position)
            yield _Item(value=value, line=line)
            position = _skip(text, position)
            if text[position] == ",":
                position += 1
            elif text[position] != "]":
                raise _invalid(document, position)
    except IndexError as error:
        raise _invalid(document, len(text)) from error
    except ValueError as error:  # JSONDecodeError, and integers beyond Python's limit of digits
        raise _invalid(document, getattr(error, "pos", position)) from error
    except RecursionError as error:
        raise SourceError(say("The JSON is nested too deeply to be a package list."), path=document.path) from error


def _skip(text: str, position: int) -> int:
    while text[position] in _BLANK:
        position += 1
    return position


def _invalid(document: Document, position: int) -> SourceError:
    return SourceError(
        say("The file begins as a JSON list but is not valid JSON."),
        path=document.path,
        line=document.text.count("\n", 0, position) + 1,
        hint=say("Write it again with: conda list --json > packages.json"),
    )


def _row(value: Any) -> Row | None:
    if isinstance(value, str):
        return _distribution(value)
    if not isinstance(value, dict):
        return None
    name = _text(value, "name")
    if name is None:
        return None
    build = _text(value, "build_string") or _text(value, "build")
    channel = _text(value, "channel")
    if _text(value, "kind") == "pypi" or not ({"build_string", "build", "channel", "dist_name"} & value.keys()):
        # ``pip list --format=json`` has only names and versions; pixi says what installed a package.
        build, channel = "<develop>" if "editable_project_location" in value else "pypi_0", "pypi"
    return Row(
        name=name,
        version=_text(value, "version"),
        build=build,
        channel=channel,
        subdir=None if build in PIP_BUILDS else _text(value, "platform") or _text(value, "subdir"),
        url=_text(value, "url"),
        md5=_text(value, "md5"),
        sha256=_text(value, "sha256"),
    )


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) and found else None


def _distribution(text: str) -> Row | None:
    """Conda before 4.4 wrote ``channel::name-version-build``."""
    channel, _, bare = text.rpartition("::")
    parts = parse_distribution(bare)
    if parts is None:
        return None
    return Row(name=parts[0], version=parts[1], build=parts[2], channel=channel or None)
