"""Bytes to text: which encoding a source is in, found from its bytes alone.

PowerShell's ``>`` writes UTF-16 with a byte order mark (conda/conda#13882), ``Out-File -Encoding utf8`` UTF-8 with one,
``cmd.exe`` the machine's code page. A byte order mark decides; then zero bytes in every other place (UTF-16 without
mark); then strict UTF-8; then GB18030 if the bytes beyond ASCII come in pairs as Chinese text has them; then cp1252.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_BYTES

__all__ = ["Decoded", "decode"]

_EXPORT_AGAIN = say("Export it again as text, for example: conda list --export > requirements.txt")

#: Byte order marks; UTF-32 LE before UTF-16 LE, whose mark it begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8-bom"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32-le-bom"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32-be-bom"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le-bom"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be-bom"),
)

_UNIT_BYTES = {"utf-8": 1, "utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}

#: First bytes of files that are given by mistake, with what they are.
_MAGIC = (
    (b"\x89PNG", say("a PNG image")),
    (b"\xff\xd8\xff", say("a JPEG image")),
    (b"GIF8", say("a GIF image")),
    (b"%PDF", say("a PDF document")),
    (b"PK\x03\x04", say("a ZIP archive (.conda, .whl, .docx and .xlsx files are such)")),
    (b"\x1f\x8b", say("a gzip archive")),
    (b"BZh", say("a bzip2 archive (.tar.bz2 packages are such)")),
    (b"\x28\xb5\x2f\xfd", say("a zstd archive")),
    (b"\xfd7zXZ", say("an xz archive")),
    (b"7z\xbc\xaf", say("a 7z archive")),
    (b"\x7fELF", say("a program")),
    (b"MZ\x90", say("a program")),
    (b"SQLite format 3", say("an SQLite database")),
)

#: How much is looked at to tell UTF-16 without a mark from other bytes.
_SAMPLE_BYTES = 65536

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_GB2312_PAIRS = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*\x07)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

#: Characters that Python and YAML take for line ends and editors do not: they would shift every line number.
_NO_LINE_ENDS = str.maketrans(dict.fromkeys("\x0b\x0c\x85\u2028\u2029", " "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a source with line feeds as line ends, and the name of the encoding it was in.

    ``remark`` is set where the encoding itself deserves the user's attention.
    """

    text: str
    encoding: str
    remark: str | None = None


def decode(data: bytes, path: str) -> Decoded:
    """Decode a source.

    Args:
        data: The whole file.
        path: Its name, for error messages.

    Raises:
        SourceError: It is empty, too large, binary, or broken in the encoding that its byte order mark announces.
    """
    if len(data) > MAX_BYTES:
        raise SourceError(
            say("The file is larger than {size} MiB; no export or lock is.", size=MAX_BYTES // 1048576),
            path=path,
            hint=_EXPORT_AGAIN,
        )
    if not data.strip():
        raise SourceError(say("The file is empty."), path=path, hint=_EXPORT_AGAIN)
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise SourceError(say("This is {what}, not an export.", what=what), path=path, hint=_EXPORT_AGAIN)
    raw, encoding, remark = _raw_text(data, path)
    text = _plain(raw)
    _refuse_binary(text, path)
    return Decoded(text=text, encoding=encoding, remark=remark)


def _raw_text(data: bytes, path: str) -> tuple[str, str, str | None]:
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], codec, name, path)
    wide = _wide_codec(data[:_SAMPLE_BYTES])
    if wide is not None:
        return _strict(data, wide, wide, path)
    try:
        return data.decode("utf-8"), "utf-8", None
    except UnicodeDecodeError:
        pass
    if _looks_chinese(data):
        try:
            return data.decode("gb18030"), "gb18030", say("not UTF-8; read as GB18030")
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252", errors="replace"), "cp1252", say("not UTF-8; read as Windows-1252")


def _strict(data: bytes, codec: str, name: str, path: str) -> tuple[str, str, str | None]:
    """Decode by a codec that is certain; a cut-off last character is forgiven and remarked upon."""
    rest = len(data) % _UNIT_BYTES[codec]
    remark = say("the file is {name}", name=name.upper()) if codec != "utf-8" else None
    if rest:
        data = data[:-rest]
        remark = say("the file is {name} and its last character is cut off", name=name.upper())
    try:
        return data.decode(codec), name, remark
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(codec, errors="replace").count("\n") + 1
        raise SourceError(
            say("The file begins as {name} but is not valid in it from here on.", name=name.upper()),
            path=path,
            line=line,
            hint=say("Save it again as UTF-8; two commands may have appended to it in different encodings."),
        ) from error


def _wide_codec(sample: bytes) -> str | None:
    """UTF-16 without a byte order mark: names and versions are ASCII, so every other byte is zero."""
    pairs = len(sample) // 2
    if pairs == 0 or 0 not in sample:
        return None
    even = sample[0 : pairs * 2 : 2].count(0)
    odd = sample[1 : pairs * 2 : 2].count(0)
    if odd * 10 >= pairs * 4 and even * 20 <= pairs:
        return "utf-16-le"
    if even * 10 >= pairs * 4 and odd * 20 <= pairs:
        return "utf-16-be"
    return None


def _looks_chinese(data: bytes) -> bool:
    """Whether the bytes beyond ASCII come in GB2312 pairs; in a western code page accented letters stand alone."""
    high = sum(len(run) for run in _HIGH_RUN.findall(data))
    paired = sum(len(run) for run in _GB2312_PAIRS.findall(data))
    return high > 0 and paired * 5 >= high * 4


def _plain(raw: str) -> str:
    """Text with line feeds as line ends, without byte order marks, terminal colours and a DOS end-of-file mark."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").translate(_NO_LINE_ENDS)
    if "\x1b" in text:
        text = _ESCAPE_SEQUENCE.sub("", text)
    return text.rstrip("\x1a")


def _refuse_binary(text: str, path: str) -> None:
    if not text.strip():
        raise SourceError(say("The file is empty."), path=path, hint=_EXPORT_AGAIN)
    zero = text.find("\0")
    if zero >= 0:
        raise SourceError(
            say("The file is not text: it has a zero byte."),
            path=path,
            line=text.count("\n", 0, zero) + 1,
            hint=_EXPORT_AGAIN,
        )
    controls = len(_CONTROL.findall(text))
    if controls * 50 > len(text):
        raise SourceError(say("The file is not text but binary data."), path=path, hint=_EXPORT_AGAIN)
