"""Shell text read as commands, as the image's shell would split it, without executing anything.

tree-sitter's grammar of bash does the parsing; it makes something of any text. A Dockerfile's RUN is what ``sh -c`` is
given, so what POSIX and bash share is what counts here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

__all__ = ["Redirect", "ShellCommand", "Word", "read_shell"]

_LONGEST = 100_000  # characters of shell text that are looked at
_MOST_COMMANDS = 2_000
_MOST_WORDS = 2_000
_DEEPEST = 300  # levels of nesting; ``a && b && c`` is one more for each

_COMPOUND = frozenset(
    {"if_statement", "while_statement", "for_statement", "c_style_for_statement", "case_statement", "elif_clause"}
    | {"else_clause", "case_item"}
)
_ASSIGNING = frozenset({"variable_assignment", "declaration_command"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r'\\([$`"\\])')


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a command with quotes removed and variables put in.

    ``certain`` is false where something in it is known only when it runs; that part is left out. ``offset`` is where it
    stands in the text.
    """

    text: str
    certain: bool = True
    quoted: bool = False
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """``> target``, ``>> target``, ``< target``; with ``<<`` the document is ``body``."""

    operator: str
    target: str = ""
    certain: bool = True
    body: str | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """One simple command.

    ``assignments`` are those before it (``A=b command``); ``scope`` numbers the subshells that it stands in;
    ``conditional`` is set where it may not run (``if``, loops, behind ``||``); ``piped`` where it reads another
    command's output. A command without words is an assignment alone.
    """

    words: tuple[Word, ...]
    assignments: tuple[tuple[str, str], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    offset: int = 0
    scope: tuple[int, ...] = ()
    conditional: bool = False
    piped: bool = False

    @property
    def name(self) -> str:
        """The command's own name, without its folder."""
        return self.words[0].text.rsplit("/", 1)[-1] if self.words else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind the name."""
        return tuple(word.text for word in self.words[1:])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is."""

    scope: tuple[int, ...] = ()
    conditional: bool = False
    piped: bool = False


@dataclass(slots=True)
class _Draft:
    words: list[Word]
    assignments: tuple[tuple[str, str], ...]
    redirects: list[Redirect]
    offset: int
    place: _Place = field(default_factory=_Place)


def read_shell(text: str, variables: Mapping[str, str]) -> tuple[ShellCommand, ...]:
    """The commands of a shell text in the order they stand in it.

    Args:
        text: What the shell is given.
        variables: The environment variables; assignments in the text add to them as it goes.

    Returns:
        Simple commands only: lists, pipes, subshells and conditions are taken apart.
    """
    text = text[:_LONGEST]
    data = text.encode("utf-8", "replace")
    walker = _Walker(data, dict(variables))
    walker.walk(_parser().parse(data).root_node, _Place(), 0)
    ascii_only = text.isascii()

    def at(offset: int) -> int:
        return offset if ascii_only else len(data[:offset].decode("utf-8", "ignore"))

    return tuple(
        ShellCommand(
            words=tuple(
                Word(text=word.text, certain=word.certain, quoted=word.quoted, offset=at(word.offset))
                for word in draft.words
            ),
            assignments=draft.assignments,
            redirects=tuple(
                Redirect(
                    operator=one.operator,
                    target=one.target,
                    certain=one.certain,
                    body=one.body,
                    offset=at(one.offset),
                )
                for one in draft.redirects
            ),
            offset=at(draft.offset),
            scope=draft.place.scope,
            conditional=draft.place.conditional,
            piped=draft.place.piped,
        )
        for draft in walker.found
    )


@functools.cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


class _Walker:
    """Goes through the tree and keeps the variables up to date."""

    def __init__(self, data: bytes, variables: dict[str, str]) -> None:
        self.data = data
        self.variables = variables
        self.found: list[_Draft] = []
        self._subshells = 0

    def walk(self, node: Node, place: _Place, depth: int) -> None:
        """Take in every command below a node."""
        if depth > _DEEPEST or len(self.found) >= _MOST_COMMANDS:
            return
        kind = node.type
        if kind == "command":
            self._command(node, place)
        elif kind in _ASSIGNING:
            self._assignment(node, place)
        elif kind == "redirected_statement":
            self._redirected(node, place, depth)
        elif kind == "list":
            self._list(node, place, depth)
        elif kind == "pipeline":
            for position, child in enumerate(node.named_children):
                self.walk(child, _Place(place.scope, place.conditional, place.piped or position > 0), depth + 1)
        elif kind == "subshell":
            self._subshells += 1
            inner = _Place((*place.scope, self._subshells), place.conditional, place.piped)
            before = dict(self.variables)
            self._children(node, inner, depth)
            self.variables = before
        elif kind == "function_definition":
            self._children(node, _Place(place.scope, conditional=True), depth)
        elif kind in _COMPOUND:
            self._children(node, _Place(place.scope, conditional=True, piped=place.piped), depth)
        elif kind not in ("comment", "heredoc_body", "test_command"):
            self._children(node, place, depth)

    def _children(self, node: Node, place: _Place, depth: int) -> None:
        for child in node.named_children:
            self.walk(child, place, depth + 1)

    def _list(self, node: Node, place: _Place, depth: int) -> None:
        """``a && b || c``: what stands behind ``||`` runs only where something fails."""
        conditional = place.conditional
        for child in node.children:
            if child.type == "||":
                conditional = True
            elif child.is_named:
                self.walk(child, _Place(place.scope, conditional, place.piped), depth + 1)

    def _command(self, node: Node, place: _Place) -> None:
        words: list[Word] = []
        assignments: list[tuple[str, str]] = []
        redirects: list[Redirect] = []
        for child in node.named_children[:_MOST_WORDS]:
            if child.type == "variable_assignment":
                assignments.append(self._pair(child)[:2])
            elif child.type == "command_name":
                words.extend(self._words(child.named_children[0] if child.named_children else child))
            elif child.type.endswith("_redirect"):
                more, redirect = self._redirect(child)
                redirects.append(redirect)
                words.extend(more)
            else:
                words.extend(self._words(child))
        self.found.append(_Draft(words, tuple(assignments), redirects, node.start_byte, place))

    def _assignment(self, node: Node, place: _Place) -> None:
        named = [node] if node.type == "variable_assignment" else node.named_children
        pairs: list[tuple[str, str]] = []
        for child in named:
            if child.type == "variable_assignment":
                name, value, certain = self._pair(child)
                if certain:
                    self.variables[name] = value
                else:
                    self.variables.pop(name, None)
                pairs.append((name, value))
        if pairs:
            self.found.append(_Draft([], tuple(pairs), [], node.start_byte, place))

    def _pair(self, node: Node) -> tuple[str, str, bool]:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        words = self._words(value) if value is not None else [Word(text="")]
        joined = " ".join(word.text for word in words)
        return (self._text(name) if name is not None else "", joined, all(word.certain for word in words))

    def _redirected(self, node: Node, place: _Place, depth: int) -> None:
        before = len(self.found)
        redirects: list[Redirect] = []
        words: list[Word] = []
        for child in node.named_children:
            if child.type.endswith("_redirect"):
                more, redirect = self._redirect(child)
                redirects.append(redirect)
                words.extend(more)
                # ``cat <<EOF > file``: the second one stands inside of the first.
                for inner in child.named_children:
                    if inner.type.endswith("_redirect"):
                        redirects.append(self._redirect(inner)[1])
                    elif inner.type in ("pipeline", "list", "command"):
                        self.walk(inner, place, depth + 1)
            else:
                self.walk(child, place, depth + 1)
        # The grammar puts ``a && b > file`` around both; it belongs to the last one.
        if len(self.found) > before:
            last = self.found[-1]
            last.redirects.extend(redirects)
            last.words.extend(words)
        else:
            self.found.append(_Draft([], (), redirects, node.start_byte, place))

    def _redirect(self, node: Node) -> tuple[list[Word], Redirect]:
        """A redirection; what the grammar takes into it behind its target are words of the command."""
        if node.type == "heredoc_redirect":
            start = next((child for child in node.children if child.type == "heredoc_start"), None)
            expands = start is None or not any(mark in self._text(start) for mark in "\"'\\")
            body = next((child for child in node.children if child.type == "heredoc_body"), None)
            text = "" if body is None else self._text(body)
            if any(child.type == "<<-" for child in node.children):
                text = re.sub(r"^\t+", "", text, flags=re.MULTILINE)
            value = self._in_text(text) if expands else text
            return [], Redirect(operator="<<", body=value, offset=node.start_byte)
        operator = next((child.type for child in node.children if not child.is_named), ">")
        destinations = [child for child in node.named_children if child.type != "file_descriptor"]
        if not destinations:
            return [], Redirect(operator=operator, certain=False, offset=node.start_byte)
        target = self._words(destinations[0]) or [Word(text="")]
        rest = [word for child in destinations[1:] for word in self._words(child)]
        return rest, Redirect(
            operator=operator, target=target[0].text, certain=target[0].certain, offset=node.start_byte
        )

    def _in_text(self, text: str) -> str:
        """A document's text with variables put in; what is not known stays as it is written."""
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: self.variables.get(found[1] or found[2], found[0]), text)

    def _words(self, node: Node) -> list[Word]:
        """The words that a node of the tree comes to: none for an empty variable, several for a split one."""
        text, certain = self._value(node)
        quoted = node.type in ("string", "raw_string", "ansi_c_string", "translated_string")
        if node.type in ("simple_expansion", "expansion"):
            return [Word(text=part, certain=certain, offset=node.start_byte) for part in text.split()] or (
                [] if certain else [Word(text="", certain=False, offset=node.start_byte)]
            )
        return [Word(text=text, certain=certain, quoted=quoted, offset=node.start_byte)]

    def _value(self, node: Node) -> tuple[str, bool]:
        kind = node.type
        text = self._text(node)
        if kind == "raw_string":
            return text[1:-1], True
        if kind == "ansi_c_string":
            return text[2:-1], True
        if kind == "string":
            return self._string(node)
        if kind in ("simple_expansion", "expansion"):
            return self._expansion(node, text)
        if kind in ("concatenation", "command_name", "translated_string"):
            parts = [self._value(child) for child in node.named_children]
            return "".join(part for part, _ in parts), all(certain for _, certain in parts)
        if kind in ("command_substitution", "process_substitution", "arithmetic_expansion"):
            return "", False
        if any(mark in text for mark in "$`"):
            return text, False
        return _ESCAPED.sub(lambda found: "" if found[1] == "\n" else found[1], text), True

    def _string(self, node: Node) -> tuple[str, bool]:
        parts: list[str] = []
        certain = True
        position = node.start_byte + 1
        for child in node.named_children:
            parts.append(self._between(position, child.start_byte))
            if child.type == "string_content":
                parts.append(_ESCAPED_IN_QUOTES.sub(r"\1", self._text(child)))
            else:
                value, known = self._value(child)
                parts.append(value)
                certain = certain and known
            position = child.end_byte
        parts.append(self._between(position, max(node.end_byte - 1, position)))
        return "".join(parts), certain

    def _expansion(self, node: Node, text: str) -> tuple[str, bool]:
        from envcheck.docker.substitution import substitute

        names = [child for child in node.named_children if child.type == "variable_name"]
        if not names:
            return "", False
        if self._text(names[0]) in self.variables or re.match(r"\$\{\w+:?[-=]", text):
            return substitute(text, self.variables), True
        return "", False

    def _text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _between(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "replace")
