"""A Dockerfile's text cut into instructions, each with its lines.

dockerfile-parse does the cutting. It knows no heredocs, ends an instruction at an empty line in a continuation, and
takes an ``escape`` directive after other comments for one, none of which BuildKit does
(``frontend/dockerfile/parser/parser.go``); so it is given the text with the bodies of heredocs left out and those empty
lines made comments, line for line, and what was left out is put back behind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envcheck.errors import SourceError
from envcheck.language import say

__all__ = ["Heredoc", "Piece", "WrittenInstruction", "read_directives", "split_instructions"]

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES = ("syntax", "escape", "check")
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
# ``<<EOF``, ``<<-EOF``, ``<<"EOF"``, ``3<<EOF`` (reHeredoc in BuildKit's parser); no ``<<<``.
_HEREDOC_WORD = re.compile(
    r"(?<!\S)(?P<descriptor>\d*)<<(?P<dash>-?)(?P<quote>[\"']?)(?P<name>[^\s<\"']+)(?P=quote)(?!\S)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A document that an instruction brings along: ``RUN <<EOF``.

    ``name`` is the word that ends it; ``body`` its lines, with their line feeds and without leading tabs where ``<<-``
    asks for that; ``expands`` whether variables in it are put in (its name is not quoted); ``first_line`` the 1-based
    line of the body's first line.
    """

    name: str
    body: str
    expands: bool
    first_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one line gives to an instruction's text: without the continuation character, and without the keyword."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenInstruction:
    """One instruction as it is written; lines are 1-based, the last one that of its last heredoc's end."""

    keyword: str
    pieces: tuple[Piece, ...]
    first_line: int
    last_line: int
    text: str
    heredocs: tuple[Heredoc, ...] = ()


def read_directives(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The parser directives: comments ``# name=value`` before anything else, even before an empty line.

    Returns:
        Pairs of name and value, each name once.
    """
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None or match[1].lower() not in _DIRECTIVES or match[1].lower() in found:
            break
        found[match[1].lower()] = match[2]
    return tuple(found.items())


def split_instructions(text: str, path: str, *, escape: str) -> tuple[WrittenInstruction, ...]:
    """Cut a Dockerfile into its instructions.

    Args:
        text: The file with line feeds as line ends.
        path: Its name, for error messages.
        escape: The escape character, a backslash or a backtick.

    Raises:
        SourceError: A heredoc has no end.
    """
    from dockerfile_parse import DockerfileParser

    lines = text.split("\n")
    documents: dict[int, tuple[Heredoc, ...]] = {}
    ends: dict[int, int] = {}
    skipped: set[int] = set()
    prepared = [*lines]
    for instruction in _instructions(lines, escape):
        skipped.update(instruction.empty)
        for index in instruction.empty:
            prepared[index] = "#"
        if instruction.keyword in _WITH_HEREDOCS and "<<" in instruction.text:
            found, after = _heredocs(instruction.text, lines, instruction.after, path)
            if found:
                documents[instruction.first] = found
                ends[instruction.first] = after - 1
                for index in range(instruction.after, after):
                    prepared[index] = ""
                instruction.resume(after)
    header = [f"# escape={escape}"] if escape != "\\" else []
    # A comment of ours first, so that no later comment is a directive that BuildKit would not take for one.
    header.append("# envcheck")
    stream = io.StringIO("\n".join([*header, *prepared, ""]))
    written: list[WrittenInstruction] = []
    for entry in DockerfileParser(fileobj=stream, env_replace=False).structure:
        if entry["instruction"] == "COMMENT":
            continue
        first, last = entry["startline"] - len(header), min(entry["endline"] - len(header), len(lines) - 1)
        pieces = tuple(_pieces(lines, first, last, escape))
        end = ends.get(first, last)
        written.append(
            WrittenInstruction(
                keyword=entry["instruction"].rstrip(escape) or entry["instruction"],
                pieces=pieces,
                first_line=first + 1,
                last_line=end + 1,
                text="\n".join(lines[first : end + 1]),
                heredocs=documents.get(first, ()),
            )
        )
    return tuple(written)


@dataclass(slots=True)
class _Scanned:
    """One instruction on the first way through: where it goes on, and which of its lines are empty."""

    keyword: str
    text: str
    first: int
    after: int
    empty: list[int]

    def resume(self, index: int) -> None:
        """Go on at another line: the bodies of heredocs hold no instructions."""
        self.after = index


def _instructions(lines: Sequence[str], escape: str) -> Iterator[_Scanned]:
    """Find where each instruction ends; whoever finds heredocs behind it says where to go on."""
    index = 0
    while index < len(lines):
        stripped = lines[index].strip()
        if not stripped or stripped.startswith("#"):
            index += 1
            continue
        scanned = _scan(lines, index, escape)
        yield scanned
        index = scanned.after


def _scan(lines: Sequence[str], first: int, escape: str) -> _Scanned:
    parts: list[str] = []
    empty: list[int] = []
    index = first
    while index < len(lines):
        line = lines[index]
        if index > first and not line.strip():
            empty.append(index)
        elif index == first or not line.lstrip().startswith("#"):
            continued, part = _without_continuation(line, escape)
            parts.append(part)
            if not continued:
                index += 1
                break
        index += 1
    text = "".join(parts)
    return _Scanned(text.split(None, 1)[0].upper() if text.strip() else "", text, first, index, empty)


def _without_continuation(line: str, escape: str) -> tuple[bool, str]:
    """Whether a line goes on, and what it says."""
    bare = line.rstrip()
    if bare.endswith(escape):
        return True, bare[: -len(escape)]
    return False, bare


def _pieces(lines: Sequence[str], first: int, last: int, escape: str) -> Iterator[Piece]:
    """What each line gives, the keyword of the first left out."""
    keyword = True
    for index in range(first, last + 1):
        line = lines[index]
        if index > first and (not line.strip() or line.lstrip().startswith("#")):
            continue
        text = _without_continuation(line, escape)[1]
        if keyword:
            text = text.lstrip()
            text = text[len(text.split(None, 1)[0]) :].lstrip() if text.split() else ""
            keyword = False
        yield Piece(line=index + 1, text=text)


def _heredocs(text: str, lines: Sequence[str], index: int, path: str) -> tuple[tuple[Heredoc, ...], int]:
    """The documents behind an instruction, and the index of the line after them."""
    found: list[Heredoc] = []
    for match in _heredoc_words(text):
        first = index
        body: list[str] = []
        while True:
            if index >= len(lines):
                raise SourceError(
                    say("the heredoc '<<{name}' has no end", name=match["name"]),
                    path=path,
                    line=first,
                    hint=say("Put a line '{name}' behind its last line.", name=match["name"]),
                )
            line = lines[index].lstrip("\t") if match["dash"] else lines[index]
            index += 1
            if line.rstrip("\r") == match["name"]:
                break
            body.append(line + "\n")
        found.append(Heredoc(name=match["name"], body="".join(body), expands=not match["quote"], first_line=first + 1))
    return tuple(found), index


def _heredoc_words(text: str) -> Iterator[re.Match[str]]:
    """The ``<<NAME`` of an instruction; one in quotes is a text like any other."""
    for match in _HEREDOC_WORD.finditer(text):
        before = text[: match.start()].replace("\\\\", "").replace('\\"', "").replace("\\'", "")
        if not _within_quotes(before):
            yield match


def _within_quotes(text: str) -> bool:
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
    return bool(quote)
