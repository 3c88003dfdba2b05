"""A page that must not grow beyond a size: the most telling parts are kept, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Part", "fitted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page.

    ``head`` and ``tail`` stand around its ``parts``, and on the page only if one of those does. A part without parts
    is its ``head`` alone: ``rank`` says how soon it is given up (0 is the last to go), ``kind`` and ``count`` what the
    reader then misses (3 ``findings``).
    """

    head: str
    tail: str = ""
    parts: tuple[Part, ...] = ()
    rank: int = 0
    kind: str = ""
    count: int = 0


def fitted(parts: Sequence[Part], most: int) -> tuple[str, dict[str, int]]:
    """As much of a page as there is room for.

    Args:
        parts: The page.
        most: The room, in bytes of UTF-8, of which there are at least as many as characters.

    Returns:
        The text, and of each kind how much was left out.
    """
    leaves = [(leaf, above) for part in parts for leaf, above in _leaves(part, ())]
    kept: set[int] = set()
    left_out: dict[str, int] = {}
    room = most
    for leaf, above in sorted(leaves, key=lambda pair: pair[0].rank):
        new = [part for part in (*above, leaf) if id(part) not in kept]
        size = sum(len((part.head + part.tail).encode("utf-8", "surrogatepass")) for part in new)
        if size <= room:
            room -= size
            kept |= {id(part) for part in new}
        elif leaf.count:
            left_out[leaf.kind] = left_out.get(leaf.kind, 0) + leaf.count
    return "".join(text for part in parts for text in _texts(part, kept)), left_out


def _leaves(part: Part, above: tuple[Part, ...]) -> Iterator[tuple[Part, tuple[Part, ...]]]:
    if not part.parts:
        yield part, above
    for inner in part.parts:
        yield from _leaves(inner, (*above, part))


def _texts(part: Part, kept: set[int]) -> Iterator[str]:
    if id(part) in kept:
        yield part.head
        for inner in part.parts:
            yield from _texts(inner, kept)
        yield part.tail
