"""Readers of exports: what is written in any of the spellings of a dialect is read as it was meant."""

from __future__ import annotations

import codecs
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from envcheck.condarc import Configuration, load_configuration
from envcheck.docker.instructions import read_dockerfile
from envcheck.errors import EnvcheckError
from envcheck.model import Export, SourceKind
from envcheck.sources import read_source

Row = tuple[str, str, str]
"""A package's name, version and build."""

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,7}(?:[-_.][a-z0-9]{1,4})?", fullmatch=True).filter(
    # What ends as a file does, or is a word of YAML, is spelled in other ways.
    lambda name: name not in {"pip", "python", "null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)
VERSIONS = st.from_regex(r"[1-9][0-9]{0,3}(?:\.(?:0|[1-9][0-9]?)){1,3}", fullmatch=True)
BUILDS = st.from_regex(r"(?:py3[0-9]+)?h[0-9a-f]{7}_[0-9]|py_[0-9]", fullmatch=True)
ROWS = st.lists(st.tuples(NAMES, VERSIONS, BUILDS), min_size=1, max_size=6, unique_by=lambda row: row[0])

CHANNEL = "https://conda.anaconda.org/conda-forge"
MD5 = "0123456789abcdef0123456789abcdef"
SHA256 = MD5 + MD5


def url(row: Row) -> str:
    return f"{CHANNEL}/win-64/{'-'.join(row)}.conda"


def quoted(text: str, mark: str) -> str:
    return f"{mark}{text}{mark}"


def block(rows: list[Row], mark: str = "", indent: str = "  ", equals: str = "=") -> str:
    lines = (f"{indent}- {quoted(f'{name}{equals}{version}={build}', mark)}\n" for name, version, build in rows)
    return f"name: e\nchannels:\n{indent}- conda-forge\ndependencies:\n{''.join(lines)}"


def flow(rows: list[Row]) -> str:
    lines = ",\n  ".join(json.dumps("=".join(row)) for row in rows)
    return f"dependencies: [\n  {lines}]\nchannels: [conda-forge]\n"


def listed(rows: list[Row], header: str = "# platform: win-64\n") -> str:
    return header + "".join("=".join(row) + "\n" for row in rows)


def explicit(rows: list[Row], hashed: str = "") -> str:
    return "# platform: win-64\n@EXPLICIT\n" + "".join(f"{url(row)}{hashed}\n" for row in rows)


def table(rows: list[Row], gap: str = "  ", channel: str = "conda-forge") -> str:
    lines = (gap.join((*row, channel)).rstrip() + "\n" for row in rows)
    return "# packages in environment at C:\\e:\n#\n# Name  Version  Build  Channel\n" + "".join(lines)


def list_json(rows: list[Row], indent: int | None = 2) -> str:
    entries = [
        {
            "base_url": "https://conda.anaconda.org/conda-forge",
            "build_number": 0,
            "build_string": build,
            "channel": "conda-forge",
            "dist_name": f"{name}-{version}-{build}",
            "name": name,
            "platform": "win-64",
            "version": version,
        }
        for name, version, build in rows
    ]
    return json.dumps(entries, indent=indent) + "\n"


def conda_lock(rows: list[Row]) -> str:
    entries = (
        f"- name: {name}\n  version: {version!r}\n  manager: conda\n  platform: win-64\n  dependencies: {{}}\n"
        f"  url: {url((name, version, build))}\n  hash:\n    md5: {MD5!r}\n    sha256: {SHA256!r}\n"
        "  category: main\n  optional: false\n"
        for name, version, build in rows
    )
    return (
        f"version: 1\nmetadata:\n  content_hash:\n    win-64: {SHA256!r}\n  channels:\n  - url: conda-forge\n"
        "    used_env_vars: []\n  platforms:\n  - win-64\n  sources:\n  - environment.yml\npackage:\n"
        + "".join(entries)
    )


def pixi_lock(rows: list[Row]) -> str:
    used = "".join(f"      - conda: {url(row)}\n" for row in rows)
    kept = "".join(f"- conda: {url(row)}\n  sha256: {SHA256!r}\n  md5: {MD5!r}\n" for row in rows)
    return (
        f"version: 6\nenvironments:\n  default:\n    channels:\n    - url: {CHANNEL}/\n    packages:\n      win-64:\n"
        f"{used}packages:\n{kept}"
    )


SPELLINGS: Mapping[str, tuple[SourceKind, Callable[[list[Row]], str]]] = {
    "block": (SourceKind.ENVIRONMENT_YAML, block),
    "block, not indented": (SourceKind.ENVIRONMENT_YAML, lambda rows: block(rows, indent="")),
    "block in quotation marks": (SourceKind.ENVIRONMENT_YAML, lambda rows: block(rows, mark='"')),
    "block in apostrophes, exact": (SourceKind.ENVIRONMENT_YAML, lambda rows: block(rows, mark="'", equals="==")),
    "flow": (SourceKind.ENVIRONMENT_YAML, flow),
    "list": (SourceKind.LIST_EXPORT, listed),
    "list without a header": (SourceKind.LIST_EXPORT, lambda rows: listed(rows, "")),
    "explicit": (SourceKind.EXPLICIT, explicit),
    "explicit with md5": (SourceKind.EXPLICIT, lambda rows: explicit(rows, f"#{MD5}")),
    "explicit with sha256": (SourceKind.EXPLICIT, lambda rows: explicit(rows, f"#sha256:{SHA256}")),
    "table": (SourceKind.LIST_TABLE, table),
    "table with wide columns": (SourceKind.LIST_TABLE, lambda rows: table(rows, " " * 12)),
    "table of defaults": (SourceKind.LIST_TABLE, lambda rows: table(rows, channel="")),
    "json": (SourceKind.LIST_JSON, list_json),
    "json in a line": (SourceKind.LIST_JSON, lambda rows: list_json(rows, None)),
    "conda-lock": (SourceKind.CONDA_LOCK, conda_lock),
    "pixi-lock": (SourceKind.PIXI_LOCK, pixi_lock),
}
spellings = pytest.mark.parametrize(("kind", "write"), SPELLINGS.values(), ids=SPELLINGS.keys())
quick = settings(max_examples=12, derandomize=True, deadline=None)
"""Each of some seventy laws and spellings; the fuzzer goes further."""


def read(text: str) -> Export:
    return read_source(text.encode(), "given")


def meaning(export: Export) -> tuple[object, ...]:
    """What an export says, without where it stands."""
    rows = [(one.name, one.version, one.pin, one.build, one.channel, one.url, one.md5) for one in export.requirements]
    return (export.kind, export.platform, rows, [one.text for one in export.channels])


@spellings
@quick
@given(rows=ROWS)
def test_what_is_written_is_read(kind: SourceKind, write: Callable[[list[Row]], str], rows: list[Row]) -> None:
    export = read(write(rows))

    assert export.kind is kind
    assert [(one.name, one.pin, one.build) for one in export.requirements] == rows
    assert export.pip == ()


@spellings
@quick
@given(rows=ROWS, data=st.data())
def test_empty_lines_comments_and_line_ends_mean_nothing(
    kind: SourceKind, write: Callable[[list[Row]], str], rows: list[Row], data: st.DataObject
) -> None:
    plain = write(rows)
    nothing = st.sampled_from(("", "\n") if kind is SourceKind.LIST_JSON else ("", "\n", "# more\n", "   \n"))
    lines = plain.splitlines(keepends=True)
    spaced = "".join(line + data.draw(nothing) for line in lines)
    ended = spaced.replace("\n", data.draw(st.sampled_from(("\n", "\r\n"))))
    mark = data.draw(st.sampled_from((b"", codecs.BOM_UTF8)))

    assert meaning(read_source(mark + ended.encode(), "given")) == meaning(read(plain))


@spellings
@quick
@given(rows=ROWS, data=st.data())
def test_the_order_of_rows_means_nothing(
    kind: SourceKind, write: Callable[[list[Row]], str], rows: list[Row], data: st.DataObject
) -> None:
    def unordered(export: Export) -> list[tuple[object, ...]]:
        return sorted((one.name, one.pin, one.build, one.channel, one.url) for one in export.requirements)

    first, second = read(write(rows)), read(write(data.draw(st.permutations(rows))))

    assert unordered(first) == unordered(second)
    assert (first.kind, first.platform) == (second.kind, second.platform)


def mangle(text: str, data: st.DataObject) -> bytes:
    """A text as damage leaves it: cut, with a piece missing, twice or at another place, or with other characters."""
    raw = text.encode()
    for _ in range(data.draw(st.integers(1, 3))):
        begin, end = sorted((data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, len(raw)))))
        piece = data.draw(
            st.sampled_from((b"", raw[begin:end] * 2, b"\x00", b"\xff", b": ", b"- ", b"[", b"&a", b"\n"))
        )
        raw = raw[:begin] + piece + raw[end:] if data.draw(st.booleans()) else raw[:begin] + piece + raw[begin:]
    return raw


def taken_or_refused_in_words(reader: Callable[[], object]) -> bool:
    """Whether a reader takes what it is given or says no; anything else that it raises goes through."""
    try:
        reader()
    except EnvcheckError as error:
        return str(error) != ""
    return True


@spellings
@quick
@given(rows=ROWS, data=st.data())
def test_what_is_damaged_is_read_or_refused(
    kind: SourceKind, write: Callable[[list[Row]], str], rows: list[Row], data: st.DataObject
) -> None:
    raw = mangle(write(rows), data)

    assert taken_or_refused_in_words(lambda: read_source(raw, "given"))


@given(st.lists(st.tuples(NAMES, VERSIONS), min_size=1, max_size=6, unique_by=lambda row: row[0]), st.data())
@quick
def test_a_freeze_is_read(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    more = st.sampled_from(("", "\n", "# more\n"))
    spaces = st.sampled_from(("", " ", "  # why"))
    text = "".join(f"{name}=={version}{data.draw(spaces)}\n{data.draw(more)}" for name, version in rows)
    export = read(text)

    assert export.kind is SourceKind.PIP_FREEZE
    assert [(one.name, one.specifier) for one in export.pip] == [
        (canonicalize_name(name), f"=={version}") for name, version in rows
    ]


CHANNELS = st.lists(NAMES, min_size=1, max_size=4, unique=True)


def condarc(text: bytes) -> Configuration:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "condarc.yml"
        path.write_bytes(text)
        return load_configuration({"CONDARC": str(path)}, home=None, system_directories=(), working_directory=path)


@quick
@given(CHANNELS, st.dictionaries(NAMES, st.just(CHANNEL), max_size=3), st.sampled_from(["strict", "flexible"]))
def test_a_condarc_says_the_same_in_every_spelling(channels: list[str], places: dict[str, str], priority: str) -> None:
    written = {"channels": channels, "custom_channels": places, "channel_priority": priority}
    block_style = (
        "# mine\nchannels:\n"
        + "".join(f"  - {name}  # one\n" for name in channels)
        + ("custom_channels:\n" + "".join(f"  {name}: {place}\n" for name, place in places.items()) if places else "")
        + f"\nchannel_priority: {priority}\n"
    )
    read_first = condarc(json.dumps(written).encode())

    assert read_first.channels == tuple(channels)
    assert dict(read_first.custom_channels) == places
    for text in (block_style, block_style.replace("\n", "\r\n"), "\ufeff" + block_style, f"---\n{block_style}"):
        again = condarc(text.encode())
        assert (again.channels, again.custom_channels, again.channel_priority) == (
            read_first.channels,
            read_first.custom_channels,
            read_first.channel_priority,
        )


@quick
@given(CHANNELS, st.data())
def test_a_damaged_condarc_is_read_or_refused(channels: list[str], data: st.DataObject) -> None:
    text = "channels:\n" + "".join(f"  - {name}\n" for name in channels) + "custom_channels: {a: https://b.example}\n"
    raw = mangle(text, data)

    assert taken_or_refused_in_words(lambda: condarc(raw))


WORDS = st.lists(NAMES, min_size=1, max_size=5)


@quick
@given(st.lists(st.tuples(st.sampled_from(["RUN", "COPY", "ENV"]), WORDS), min_size=1, max_size=5), st.data())
def test_a_dockerfile_says_the_same_in_every_spelling(steps: list[tuple[str, list[str]]], data: st.DataObject) -> None:
    def written(keyword: str, words: list[str], gap: str) -> str:
        if keyword == "ENV":
            return f"ENV A={gap.join(words[:1])}\n"
        return f"{keyword} {gap.join([*words, 'last'])}\n"

    def says(text: bytes) -> list[tuple[str, list[str]]]:
        found = read_dockerfile(text, "Dockerfile", {})
        return [(one.keyword.upper(), one.value.split()) for stage in found.stages for one in stage.instructions]

    plain = "FROM debian:12\n" + "".join(written(keyword, words, " ") for keyword, words in steps)
    broken = "FROM debian:12\n" + "".join(
        data.draw(st.sampled_from(("", "\n", "# more\n")))
        + (keyword.lower() if data.draw(st.booleans()) else keyword)
        + written(keyword, words, data.draw(st.sampled_from((" ", " \\\n ", " \\\n# in between\n ", "  "))))[
            len(keyword) :
        ]
        for keyword, words in steps
    )
    expected = says(plain.encode())

    assert [keyword for keyword, _ in expected][-len(steps) :] == [keyword for keyword, _ in steps]
    assert says(broken.encode()) == expected
    assert says(broken.replace("\n", "\r\n").encode()) == expected
    assert says(codecs.BOM_UTF8 + broken.encode()) == expected
