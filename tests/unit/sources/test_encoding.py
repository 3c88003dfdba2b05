"""Bytes to text."""

from __future__ import annotations

import codecs

import pytest

from envcheck.sources.encoding import decode

TEXT = "# platform: win-64\nnumpy=1.21.2=py38_0\nscipy=1.7.1=py38_0\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8-bom"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le-bom"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be-bom"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "utf-32-le-bom"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32-be-bom"),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8"),
        (TEXT.replace("\n", "\r").encode(), "utf-8"),
    ],
)
def test_the_same_text_comes_out(data: bytes, encoding: str) -> None:
    decoded = decode(data, "x")

    assert (decoded.text, decoded.encoding) == (TEXT, encoding)


def test_a_cut_off_last_character_is_forgiven_and_remarked_upon() -> None:
    decoded = decode((codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"))[:-1], "x")

    assert decoded.text == TEXT[:-1]
    assert decoded.remark is not None
    assert "cut off" in decoded.remark


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("# 导入安装\nnumpy=1.21\n", "gb18030", "gb18030"),
        ("# 环境\nnumpy=1.21\n", "gbk", "gb18030"),
        ("# prénom, Größe, año\nnumpy=1.21\n", "cp1252", "cp1252"),
        ("prefix: C:\\Users\\José\\env\n", "cp1252", "cp1252"),
        ("prefix: C:\\Users\\张伟\\env\n", "gb18030", "gb18030"),
    ],
)
def test_code_pages_are_told_apart(text: str, codec: str, encoding: str) -> None:
    decoded = decode(text.encode(codec), "x")

    assert (decoded.text, decoded.encoding) == (text, encoding)
    assert decoded.remark is not None


def test_what_a_terminal_adds_is_taken_out() -> None:
    assert decode("\x1b[1mnumpy\x1b[0m=1\n\ufeffscipy=2\n\x1a".encode(), "x").text == "numpy=1\nscipy=2\n"


def test_line_numbers_are_those_of_an_editor() -> None:
    assert decode("# a\x0bb\x0cc\x85d\u2028e\nnumpy\n".encode(), "x").text.count("\n") == 2
