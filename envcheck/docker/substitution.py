"""Variables in Dockerfiles, put in as BuildKit does it.

The rules are those of the Dockerfile reference, "Environment replacement" (docs.docker.com/reference/dockerfile), which
BuildKit implements in ``frontend/dockerfile/shell/lex.go``: ``$NAME``, ``${NAME}`` and the modifiers ``:-``, ``-``,
``:+``, ``+``, ``:?``, ``?``, ``#``, ``##``, ``%``, ``%%``, ``/`` and ``//``; single quotes keep everything, double
quotes let variables through, and the file's escape character takes away the meaning of what follows.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["pairs", "substitute", "words"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-]")
_LONGEST = 65_536  # characters that one value may grow to; ``ENV A=$A$A`` doubles it each time
_DEEPEST = 20  # levels of ``${A:-${B:-…}}``


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a text is read with."""

    variables: Mapping[str, str]
    escape: str


def substitute(text: str, variables: Mapping[str, str], *, escape: str = "\\") -> str:
    """A word of an instruction without its quotes, with the variables' values; an unknown one becomes empty.

    Args:
        text: The word as written.
        variables: The variables in force.
        escape: The escape character of the file.
    """
    return "".join(_read(text, _Scope(variables, escape), split=False)[:1])


def words(text: str, variables: Mapping[str, str], *, escape: str = "\\") -> tuple[str, ...]:
    """The words of an instruction's text, split at blanks outside of quotes, each as `substitute` gives it."""
    return tuple(_read(text, _Scope(variables, escape), split=True))


def pairs(text: str, *, escape: str = "\\") -> tuple[tuple[str, str | None], ...]:
    """The ``NAME=VALUE`` words of ENV, ARG or LABEL, unsubstituted; ``None`` for a name without a value.

    The old form ``ENV NAME value with blanks`` is one pair.
    """
    written = _raw_words(text, escape)
    if len(written) > 1 and "=" not in written[0]:
        return ((written[0], text.strip()[len(written[0]) :].strip()),)
    found: list[tuple[str, str | None]] = []
    for word in written:
        name, equals, value = word.partition("=")
        found.append((name.strip("\"'"), value if equals else None))
    return tuple(found)


def _raw_words(text: str, escape: str) -> list[str]:
    """The words as written, quotes and all."""
    found: list[str] = []
    word = ""
    quote = ""
    position = 0
    while position < len(text):
        character = text[position]
        if character == escape and quote != "'" and position + 1 < len(text):
            word += text[position : position + 2]
            position += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character.isspace():
            if word:
                found.append(word)
            word = ""
            position += 1
            continue
        word += character
        position += 1
    return [*found, word] if word else found


def _read(text: str, scope: _Scope, *, split: bool, depth: int = 0) -> list[str]:
    """Words with quotes removed and variables put in; one word where nothing is split."""
    found: list[str] = []
    parts: list[str] = []
    begun = not split
    quote = ""
    position = 0
    while position < len(text):
        character = text[position]
        if character == scope.escape and quote != "'" and position + 1 < len(text):
            following = text[position + 1]
            keeps = quote == '"' and following not in ('"', "$", scope.escape)
            parts.append(character + following if keeps else following)
            begun = True
            position += 2
        elif character == "$" and quote != "'":
            value, position = _variable(text, position, scope, depth)
            parts.append(value[:_LONGEST])
            begun = True
        elif character in "\"'" and quote in ("", character):
            quote = "" if quote else character
            begun = True
            position += 1
        elif split and not quote and character.isspace():
            if begun:
                found.append("".join(parts)[:_LONGEST])
            parts, begun = [], False
            position += 1
        else:
            parts.append(character)
            begun = True
            position += 1
    if begun:
        found.append("".join(parts)[:_LONGEST])
    return found


def _variable(text: str, position: int, scope: _Scope, depth: int) -> tuple[str, int]:
    """The value of the variable that begins here, and where the text goes on."""
    if text.startswith("${", position):
        end = _closing(text, position + 2, scope.escape)
        if end is None or depth >= _DEEPEST:
            return text[position:], len(text)
        return _braced(text[position + 2 : end], scope, depth + 1), end + 1
    name = _NAME.match(text, position + 1)
    if name is None:
        return "$", position + 1
    return scope.variables.get(name[0], ""), name.end()


def _closing(text: str, position: int, escape: str) -> int | None:
    """Where the brace is closed."""
    depth = 1
    while position < len(text):
        character = text[position]
        if character == escape:
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


def _braced(inner: str, scope: _Scope, depth: int) -> str:
    """The value of what stands between the braces."""
    name = _NAME.match(inner)
    if name is None:
        return ""
    value = scope.variables.get(name[0])
    rest = inner[name.end() :]
    if not rest:
        return value or ""
    match = re.match(r":?[-+?]|##?|%%?|//?", rest)
    if match is None:
        return value or ""
    modifier = match[0]
    word = "".join(_read(rest[len(modifier) :], scope, split=False, depth=depth)[:1])
    missing = value is None or (modifier.startswith(":") and not value)
    if modifier.endswith("-"):
        return word if missing else value or ""
    if modifier.endswith("+"):
        return "" if missing else word
    if modifier.endswith("?"):
        return value or ""
    if modifier[0] == "/":
        old, _, new = word.partition("/")
        return (value or "").replace(old, new, -1 if modifier == "//" else 1) if old else value or ""
    return _trimmed(value or "", word, modifier)


def _trimmed(value: str, pattern: str, modifier: str) -> str:
    """``${X#pattern}`` and its like: the shortest or longest match at either end is taken off."""
    if len(value) > 1_000 or len(pattern) > 100:  # as long as a version or a path, and matched in no time
        return value
    lengths = range(len(value) + 1)
    for length in lengths if len(modifier) == 1 else reversed(lengths):
        piece = value[:length] if modifier[0] == "#" else value[len(value) - length :]
        if fnmatch.fnmatchcase(piece, pattern):
            return value[length:] if modifier[0] == "#" else value[: len(value) - length]
    return value
