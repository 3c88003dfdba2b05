"""The parts of one written instruction: its flags, its exec form, and what stands behind ONBUILD."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace

from envcheck.docker.lines import Piece, WrittenInstruction

__all__ = ["Flag", "behind_on_build", "exec_form", "split_flags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """``--name=value`` before an instruction's arguments; ``value`` is empty for a bare ``--name``."""

    name: str
    value: str


def behind_on_build(written: WrittenInstruction, keywords: Collection[str]) -> WrittenInstruction | None:
    """The instruction that stands behind ONBUILD, ``None`` where it is none of these keywords."""
    value = "".join(piece.text for piece in written.pieces).lstrip()
    keyword = value.split(None, 1)[0].upper() if value else ""
    if keyword not in keywords:
        return None
    pieces: list[Piece] = []
    for piece in written.pieces:
        text = piece.text
        if not pieces and text.strip():
            text = text.lstrip()[len(keyword) :].lstrip()
        pieces.append(replace(piece, text=text))
    return replace(written, keyword=keyword, pieces=tuple(pieces))


def split_flags(written: WrittenInstruction) -> tuple[tuple[Piece, ...], tuple[Flag, ...]]:
    """The flags at the beginning (``extractBuilderFlags`` in BuildKit), and the pieces without them."""
    flags: list[Flag] = []
    pieces: list[Piece] = list(written.pieces)
    while pieces:
        text = pieces[0].text.lstrip()
        if not text:
            del pieces[0]
            continue
        word = _first_word(text)
        if not word.startswith("--"):
            pieces[0] = replace(pieces[0], text=text)
            break
        rest = text[len(word) :].lstrip()
        pieces[0] = replace(pieces[0], text=rest)
        if word == "--":
            break
        name, _, value = word[2:].partition("=")
        flags.append(Flag(name=name.lower(), value=value))
    return tuple(pieces) or written.pieces[-1:], tuple(flags)


def _first_word(text: str) -> str:
    quote = ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character.isspace():
            return text[:position]
    return text


def exec_form(value: str) -> tuple[str, ...] | None:
    """The exec form: a JSON list of strings. Anything else is the shell form, as in BuildKit."""
    if not value.lstrip().startswith("["):
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(value.strip())  # what follows is ignored, as BuildKit does
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return None
    return tuple(found)
