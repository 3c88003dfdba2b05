"""A command line cut into commands, and a command into words, without executing or expanding anything."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

__all__ = [
    "TOOLS",
    "Command",
    "bare",
    "flat",
    "mentions_conda",
    "program_of",
    "programs",
    "run_command",
    "split_commands",
    "words_of",
]


TOOLS = frozenset({"conda", "mamba", "micromamba", "conda-lock", "pixi"})


_PREFIX_WORDS = frozenset({"sudo", "exec", "time", "command", "nohup"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One piece of a command line and the operator behind it (empty at the end)."""

    text: str
    operator: str = ""


def split_commands(text: str) -> tuple[Command, ...]:
    """Cut a command line into its commands; a loop, a condition or a pipeline, with all that is in it, is one."""
    data = text.encode("utf-8", "replace")
    cuts: list[tuple[int, int, str]] = []
    root = _parser().parse(data).root_node
    if not root.has_error:
        _cut(root, data, cuts)
    found: list[Command] = []
    start = 0
    for first, after, operator in sorted(cuts):
        found.append(Command(text=_trimmed(data[start:first].decode("utf-8", "replace")), operator=operator))
        start = after
    found.append(Command(text=_trimmed(data[start:].decode("utf-8", "replace"))))
    return tuple(one for one in found if one.text)


def _cut(node: Node, data: bytes, cuts: list[tuple[int, int, str]]) -> None:
    """Find where commands end: behind statements, and at ``&&``."""
    if node.type in ("program", "list"):
        children = node.children
        for index, child in enumerate(children):
            if child.is_named:
                if not (node.type == "list" and any(one.type == "||" for one in children)):
                    _cut(child, data, cuts)
                following = children[index + 1] if index + 1 < len(children) else None
                if node.type == "program" and following is not None and following.is_named:
                    # A line end between two statements is no node of the tree.
                    cuts.append((child.end_byte, following.start_byte, "\n"))
            elif child.type in ("&&", ";", "\n", "&"):
                cuts.append((child.start_byte, child.end_byte, child.type))
    elif node.type == "redirected_statement" and node.children and node.children[0].type == "list":
        # The grammar puts ``a && b > file`` around both; it belongs to the last one.
        _cut(node.children[0], data, cuts)


@functools.cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _trimmed(text: str) -> str:
    return re.sub(r"^(?:\s|\\\n)+|(?:\s|\\\n)+$", "", text)


def run_command(arguments: Sequence[str]) -> list[str]:
    """What ``conda run`` runs: its options are left out (``conda run --help``, ``micromamba run --help``)."""
    rest = list(arguments)
    with_value = {
        "-n",
        "--name",
        "-p",
        "--prefix",
        "--cwd",
        "-e",
        "--environment",
        "-a",
        "--attach",
        "--root-prefix",
        "-r",
    }
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in with_value and rest:
            rest.pop(0)
        if option == "--":
            break
    return rest


def flat(text: str) -> str:
    """A command on one line."""
    return re.sub(r"\s*\\\n\s*", " ", text)


def bare(text: str, inner: Sequence[str]) -> str:
    """The end of a command line that says these words, as it is written where that can be found again."""
    for match in re.finditer(r"\S+", text):
        if words_of(text[match.start() :]) == list(inner):
            return text[match.start() :]
    return shlex.join(inner)


def program_of(words: Sequence[str]) -> tuple[str, list[str]]:
    """The program that a simple command starts, without its path, and its arguments."""
    rest = list(words)
    while rest and (re.fullmatch(r"[A-Za-z_]\w*=.*", rest[0], re.DOTALL) or rest[0] in _PREFIX_WORDS):
        rest.pop(0)
    if not rest:
        return "", []
    return rest[0].rpartition("/")[2], rest[1:]


def programs(text: str) -> frozenset[str]:
    """The programs that a command line starts, as far as its words tell."""
    found = set()
    for piece in re.split(r"&&|\|\||[;|\n(){}]|\b(?:then|do|else)\b", text):
        program, _ = program_of(words_of(piece.strip()))
        found.add(program)
    return frozenset(found - {""})


def mentions_conda(text: str) -> bool:
    """Whether a command line calls conda or its like."""
    return not programs(text).isdisjoint(TOOLS)


def words_of(text: str) -> list[str]:
    """The words of a simple command without their quotes; of one whose quotes are not closed, as they stand."""
    try:
        return shlex.split(flat(text), comments=False)
    except ValueError:  # an open quote
        return flat(text).split()
