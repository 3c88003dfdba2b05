"""YAML as a tree of texts with line numbers, built from parser events under bounds.

No object is constructed: ``3.10`` stays the text ``3.10`` and a tag has no effect. PyYAML's own `compose` recurses and
expands aliases; this builder does neither, so that depth, size and "billion laughs" are bounded before they cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.yaml_bounds import UnboundedYamlError, bounded_events

if TYPE_CHECKING:
    import yaml

__all__ = ["Mapping", "Node", "Scalar", "Sequence", "Stream", "key_text", "parse_yaml"]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text; ``null`` if it was written without quotes as one of YAML's words for nothing."""

    text: str
    line: int
    null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Pairs in the order of the file, repeated keys included."""

    pairs: tuple[tuple[Node, Node], ...]
    line: int


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The first document, and the line where a second one begins, if there is one."""

    root: Node | None
    second_document_line: int | None = None


@dataclass(slots=True, kw_only=True)
class _Open:
    """A collection whose end has not been seen; ``mapping`` collections alternate keys and values."""

    mapping: bool
    line: int
    children: list[Node] = field(default_factory=list)

    def close(self) -> Node:
        if not self.mapping:
            return Sequence(items=tuple(self.children), line=self.line)
        pairs = tuple(zip(self.children[0::2], self.children[1::2], strict=True))
        return Mapping(pairs=pairs, line=self.line)


def key_text(node: Node) -> str:
    """The text of a mapping's key; a key that is a collection has none."""
    return node.text if isinstance(node, Scalar) else ""


def parse_yaml(text: str, path: str) -> Stream:
    """Parse a text into nodes.

    Args:
        text: The decoded source.
        path: Its name, for error messages.

    Raises:
        SourceError: The text is no YAML, uses aliases, or is deeper or longer than the bounds.
    """
    import yaml

    roots: list[Node] = []
    second: int | None = None
    opened: list[_Open] = []
    try:
        for event in bounded_events(text, longest=None):
            line = 1 if event.start_mark is None else event.start_mark.line + 1
            node: Node
            if isinstance(event, yaml.DocumentStartEvent):
                if roots:
                    second = line
                    break
                continue
            if isinstance(event, yaml.ScalarEvent):
                # libyaml writes the plain style as "", PyYAML as None.
                null = not event.style and event.value in _NULLS
                node = Scalar(text=event.value, line=line, null=null)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                opened.append(_Open(mapping=isinstance(event, yaml.MappingStartEvent), line=line))
                continue
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                node = opened.pop().close()
            else:
                continue
            (opened[-1].children if opened else roots).append(node)
    except UnboundedYamlError as error:
        hint = say("Write the repeated part out.") if "alias" in error.problem else None
        message = say("{problem}; environment files and locks do not.", problem=error.problem)
        raise SourceError(message, path=path, line=error.line, hint=hint) from error
    except yaml.YAMLError as error:
        raise _readable(error, path) from error
    return Stream(root=roots[0] if roots else None, second_document_line=second)


# What libyaml says most often, in the words of its scanner.c and parser.c, which have not changed in ten years;
# anything else is shown as it comes.
_COMPLAINTS = {
    str(message): message
    for message in (
        say("found character that cannot start any token"),
        say("found a tab character that violates indentation"),
        say("found unexpected end of stream"),
        say("found unexpected ':'"),
        say("found unknown escape character"),
        say("mapping values are not allowed in this context"),
        say("block sequence entries are not allowed in this context"),
        say("could not find expected ':'"),
        say("did not find expected ',' or ']'"),
        say("did not find expected ',' or '}}'"),
        say("did not find expected '-' indicator"),
        say("did not find expected key"),
        say("did not find expected node content"),
        say("did not find expected <document start>"),
        say("did not find expected alphabetic or numeric character"),
    )
}


def _readable(error: yaml.YAMLError, path: str) -> SourceError:
    """PyYAML's complaint as one sentence with its line; the text of the file, which may hold secrets, is left out."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or say("it cannot be parsed"))
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = None if mark is None else mark.line + 1
    hint = say("Correct this line.")
    if "tab" in problem or "\\t" in problem:
        hint = say("YAML is indented by spaces only: replace the tabs.")
    elif "cannot start any token" in problem:
        hint = say("A tab, '@', '`' or '%' begins a value: indent by spaces only, and put such values in quotes.")
    words = _COMPLAINTS.get(problem, problem)
    return SourceError(
        say("The file looks like YAML but is not valid: {problem}.", problem=words), path=path, line=line, hint=hint
    )
