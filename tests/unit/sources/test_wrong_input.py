"""What is no export gets one message, quickly, whatever the bytes."""

from __future__ import annotations

import contextlib
import gc
import time

import pytest

from envcheck.errors import SourceError
from envcheck.sources import read_source

MEBIBYTE = 1024 * 1024

WRONG = {
    "empty": (b"", "empty", None),
    "only blanks": (b" \r\n\t\n", "empty", None),
    "only a byte order mark": (b"\xff\xfe", "empty", None),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG image", None),
    "zip": (b"PK\x03\x04rest", "ZIP archive", None),
    "50 MB of zeros": (b"\0" * 50_000_000, "MiB", None),
    "20 MiB of zeros": (b"\0" * 20 * MEBIBYTE, "zero byte", 1),
    "control characters": (b"a\x01\x02\x03\x04b\n" * 100, "binary", None),
    "one endless line": (b"a" * 30 * MEBIBYTE, "characters long", 1),
    "too many lines": (b"a\n" * MEBIBYTE, "lines", None),
    "a zero byte": (b"name: x\ndependencies:\n- nu\0mpy\n", "zero byte", 3),
    "half UTF-16": (b"\xff\xfe" + "numpy=1\n".encode("utf-16-le") + b"\x00\xdc", "not valid", 2),
    "10,000 aliases": (
        b"a: &a [x]\ndependencies:\n" + b"".join(b"- &b%d [*a, *a]\n" % index for index in range(10_000)),
        "alias",
        3,
    ),
    "billion laughs": (b"a: &a [x]\nb: &b [*a, *a]\ndependencies: [*b, *b]\n", "alias", 2),
    "deep nesting": (b"dependencies: " + b"[" * 10_000, "levels deep", 1),
    "deep block nesting": (b"dependencies:\n" + b"- " * 9_000, "levels deep", 2),
    "tabs": (b"name: x\ndependencies:\n\t- numpy\n", "not valid", 3),
    "broken YAML": (b"name: x\ndependencies:\n- a\n b: c\n", "not valid", None),
    "YAML of something else": (b"services:\n  web:\n    image: x\n", "no `dependencies`", 1),
    "a YAML list": (b"- numpy\n- pandas\n", "not a mapping", None),
    "an empty pixi.lock": (b"version: 6\nenvironments: {}\npackages: []\n", "no environment", None),
    "a pixi.lock of version 8": (b"version: 8\nenvironments: {}\npackages: []\n", "Version 8", 1),
    "a lock of version 2": (b"version: 2\nmetadata: {}\npackage: []\n", "Version 2", 1),
    "a lock without packages": (b"version: 1\nmetadata: {}\npackage: none\n", "no list of packages", None),
    "broken JSON": (b'[\n  {"name": "numpy"\n', "not valid JSON", 3),
    "deep JSON": (b'[{"a": ' + b"[" * 1_000_000, "nested too deeply", None),
    "prose": (b"Dear all,\n\nthis is not an export of anything.\n", "no export", None),
    "Python": (b"import os\n\nprint(os.name)\n", "no export", None),
    "a Dockerfile": (b"FROM python:3.10\nRUN pip install x\nCOPY . .\n", "no export", None),
    "TOML": (b'[project]\nname = "x"\ndependencies = ["a"]\n', "no export", None),
    "HTML": (b"<!doctype html>\n<title>404</title>\n<p>Not found\n", "no export", None),
}


@pytest.mark.parametrize(("data", "words", "line"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_is_refused_with_one_message(data: bytes, words: str, line: int | None) -> None:
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        read_source(data, "given.txt")

    assert time.monotonic() - started < 5
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.path == "given.txt"
    if line is not None:
        assert caught.value.line == line


def test_a_message_shows_nothing_of_the_text() -> None:
    with pytest.raises(SourceError) as caught:
        read_source(
            b"channels:\n  - https://x.org/t/SECRET/main\n bad: [https://x.org/t/SECRET/main\n", "environment.yml"
        )

    assert "SECRET" not in f"{caught.value.message}{caught.value.hint}"


def test_tags_construct_nothing() -> None:
    export = read_source(b"dependencies:\n- !!python/object/apply:os.system [exit]\n- !!str numpy\n", "environment.yml")

    assert [item.name for item in export.requirements] == ["exit", "numpy"]


HOSTILE = {
    "digits": "dependencies:\n- a=" + "1" * 1900 + "x",
    "digits in a row": "a=" + "1" * 19_000 + "x",
    "blanks in a title": "# packages in environment at " + " " * 19_000 + "x",
    "blanks in a header": "Name Version" + " " * 19_000 + "x",
    "dashes in a URL": "@EXPLICIT\nhttps://x.org/" + "a-" * 9_000 + ".conda",
    "hashes": "dependencies:\n- a # " + "#" * 19_000 + "[",
    "brackets in a marker": "a; " + "(" * 1_900,
    "underscores": "a 1 " + "_1" * 9_000,
    "prompts": "(a) " * 4_000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_line_makes_a_pattern_backtrack(line: str) -> None:
    # What other tests left behind is not to be finalized where there is no room left on the stack.
    gc.disable()
    started = time.monotonic()
    try:
        with contextlib.suppress(SourceError):
            read_source("\n".join([line] * 20).encode(), "x")
        assert time.monotonic() - started < 2
    finally:
        gc.enable()


def test_a_dockerfile_is_recognized_as_one() -> None:
    with pytest.raises(SourceError) as caught:
        read_source(WRONG["a Dockerfile"][0], "Dockerfile")

    assert "envcheck docker" in str(caught.value.hint)


def test_a_long_export_is_read_in_time() -> None:
    data = b"".join(b"package%d=1.%d=py39_0\n" % (index, index % 50) for index in range(100_000))
    started = time.monotonic()

    assert len(read_source(data, "requirements.txt").requirements) == 100_000
    assert time.monotonic() - started < 20
