"""Laws of reading, for any bytes and any rows."""

from __future__ import annotations

import codecs
import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.errors import SourceError
from envcheck.model import DamageKind, Export
from envcheck.sources import read_source

FRAGMENTS = (
    *(
        "name: ",
        "dependencies:\n",
        "  - ",
        "- pip:\n",
        "    - ",
        "channels:\n",
        "package:\n",
        "metadata:\n",
        "version: 1\n",
    ),
    *(
        "numpy",
        "1.2",
        "py39_0",
        "h1234567_0",
        "pypi_0",
        "custom",
        "pypi",
        "@EXPLICIT\n",
        "https://",
        "conda-forge/",
        "win-64/",
    ),
    *("=", "==", "::", "#", " ", "-", "1", "*", "~=", "<", ">", "; ", "@", " @ ", "%", "|", "_", ".", "&a", "*a", "\\"),
    *(
        ".conda",
        ".tar.bz2",
        "git+",
        "#egg=",
        "file:///C:/",
        "-e ",
        "--",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\x85",
        "é",
        "中",
        "😀",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        '"',
        "'",
        "null",
        "!!python/object:os.system",
        "(base) C:\\>",
        "a@b:~$ ",
        "sel(win): ",
        '"name":',
    ),
    *(
        "Name Version Build Channel\n",
        "# packages in environment at C:\\a:\n",
        "- name: x\n  platform: win-64\n  url: ",
    ),
)
CODECS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "cp1252")

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}(?:-[a-z]{1,4})?[a-z0-9]", fullmatch=True).filter(
    lambda name: name != "pip"
)
VERSIONS = st.from_regex(r"(?:1!)?[0-9]{1,4}(?:\.[0-9]{1,3}){0,3}(?:rc[1-9])?", fullmatch=True)
BUILDS = st.from_regex(r"(?:py3[0-9])?h[0-9a-f]{7}_[0-9]|py_[0-9]|[0-9]|mkl", fullmatch=True)
ROWS = st.lists(st.tuples(NAMES, VERSIONS, BUILDS), min_size=1, max_size=12)


def read_or_refuse(data: bytes) -> Export | None:
    try:
        return read_source(data, "given")
    except SourceError:
        return None


@settings(max_examples=300, deadline=1000)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refuse(data)


@settings(max_examples=600, deadline=1000)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join), st.sampled_from(CODECS))
def test_anything_that_resembles_an_export_is_read_or_refused(text: str, codec: str) -> None:
    data = text.encode(codec, errors="replace")

    assert read_or_refuse(data) == read_or_refuse(data)


@given(ROWS)
def test_rendered_rows_come_back(rows: list[tuple[str, str, str]]) -> None:
    text = "# platform: win-64\n" + "".join(f"{name}={version}={build}\n" for name, version, build in rows)
    export = read_source(text.encode(), "requirements.txt")

    assert [(item.name, item.pin, item.build, item.line) for item in export.requirements] == [
        (name, version, build, line) for line, (name, version, build) in enumerate(rows, start=2)
    ]
    assert export.damage == ()


@given(ROWS)
def test_rows_and_yaml_say_the_same(rows: list[tuple[str, str, str]]) -> None:
    listed = "# platform: win-64\n" + "".join(f"{name}={version}={build}\n" for name, version, build in rows)
    exported = "dependencies:\n" + "".join(f"  - {name}={version}={build}\n" for name, version, build in rows)
    first, second = read_source(listed.encode(), "a"), read_source(exported.encode(), "b")

    assert [(item.name, item.version, item.pin, item.build) for item in first.requirements] == [
        (item.name, item.version, item.pin, item.build) for item in second.requirements
    ]


@given(ROWS, st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_encoding_gives_the_same_export(rows: list[tuple[str, str, str]], line_end: str) -> None:
    text = "# platform: win-64\n" + "".join(f"{name}={version}={build}\n" for name, version, build in rows)
    raw = text.replace("\n", line_end)
    variants = [
        raw.encode(),
        codecs.BOM_UTF8 + raw.encode(),
        raw.encode("utf-16-le"),
        raw.encode("utf-16-be"),
        codecs.BOM_UTF16_LE + raw.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + raw.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + raw.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + raw.encode("utf-32-be"),
    ]
    exports = [read_source(data, "requirements.txt") for data in variants]

    assert len({export.encoding for export in exports}) == len(variants)
    assert len({without_encoding(export) for export in exports}) == 1


def without_encoding(export: Export) -> Export:
    damage = tuple(item for item in export.damage if item.kind is not DamageKind.UNUSUAL_ENCODING)
    return dataclasses.replace(export, encoding="", damage=damage)
