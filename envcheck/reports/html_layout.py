"""Where the boxes and lines of a small directed graph stand: layers from left to right, few crossings, always the same.

The method is Sugiyama's (Methods for visual understanding of hierarchical system structures, 1981): layers, waypoints
where a line passes one, order within layers by the mean place of neighbours. The layers themselves are those of the
question, not of the dependencies: what was asked for is the middle. The graphs have some twenty nodes, for which a
graph library would be a heavy dependency.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from envcheck.reports.html_graph import Edge, Graph, Node
from envcheck.secrets import mask

__all__ = ["Drawn", "DrawnEdge", "DrawnNode", "lay_out"]

BOX_WIDTH = 184
BOX_HEIGHT = 46
_ACROSS = 156
_DOWN = 26
_MARGIN = 10
_SWEEPS = 4
_LONGEST_NAME = 21
_LONGEST_LABEL = 20
_FITTING = 4
_LABEL_HEIGHT = 15
_BULGE = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnNode:
    """A box: its upper left corner, and its texts cut to what fits."""

    node: Node
    x: int
    y: int
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnEdge:
    """A line: an SVG path, and where its label's middle stands."""

    edge: Edge
    path: str
    x: int
    y: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture in pixels; ``fits`` where it can be made as narrow as a page and still be read."""

    width: int
    height: int
    fits: bool
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]


def lay_out(graph: Graph) -> Drawn:
    """The picture of a graph; the same graph gives the same picture."""
    keys = [node.key for node in graph.nodes]
    ways = [(edge.start, edge.end) for edge in graph.edges]
    layer = _layers(keys, ways)
    chains = [_chain(number, way, layer) for number, way in enumerate(ways)]
    rows = _ordered(layer, chains)
    tallest = max((len(row) for row in rows), default=1)
    places: dict[str, tuple[int, int]] = {}
    for column, row in enumerate(rows):
        top = _MARGIN + (tallest - len(row)) * (BOX_HEIGHT + _DOWN) // 2
        for position, key in enumerate(row):
            places[key] = (_MARGIN + column * (BOX_WIDTH + _ACROSS), top + position * (BOX_HEIGHT + _DOWN))
    return Drawn(
        width=2 * _MARGIN + len(rows) * BOX_WIDTH + max(0, len(rows) - 1) * _ACROSS,
        height=2 * _MARGIN + tallest * BOX_HEIGHT + (tallest - 1) * _DOWN,
        fits=len(rows) <= _FITTING,
        nodes=tuple(
            DrawnNode(
                node=node,
                x=places[node.key][0],
                y=places[node.key][1],
                name=_cut(node.name, _LONGEST_NAME),
                detail=_cut(node.detail, _LONGEST_NAME),
            )
            for node in graph.nodes
        ),
        edges=tuple(_lines(graph.edges, [_points([places[key] for key in chain]) for chain in chains])),
    )


def _layers(keys: Sequence[str], ways: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The layer of every node: its distance from the first, to the right by what that needs, to the left otherwise.

    So what is fought over stands between the two that pull at it.
    """
    beside: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for start, end in ways:
        beside[start].append((end, 1))
        beside[end].append((start, -1))
    layer: dict[str, int] = {}
    for root in keys:
        if root in layer:
            continue
        layer[root] = 0
        queue = deque([root])
        while queue:
            key = queue.popleft()
            for other, side in beside[key]:
                if other not in layer:
                    layer[other] = layer[key] + (side if key == root else 1 if layer[key] > 0 else -1)
                    queue.append(other)
    used = {number: position for position, number in enumerate(sorted(set(layer.values())))}
    return {key: used[number] for key, number in layer.items()}


def _chain(number: int, way: tuple[str, str], layer: dict[str, int]) -> list[str]:
    """A way with a waypoint in every layer that it passes; waypoints are added to the layers."""
    start, end = way
    if layer[start] == layer[end]:
        return [start, end]
    step = 1 if layer[end] >= layer[start] else -1
    between = []
    for passed in range(layer[start] + step, layer[end], step):
        key = f"\0{number}\0{passed}"  # no name holds a NUL
        layer[key] = passed
        between.append(key)
    return [start, *between, end]


def _ordered(layer: dict[str, int], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """The keys of every layer from top to bottom, after some sweeps to and fro."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for key, number in layer.items():
        rows[number].append(key)
    neighbours: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for one, other in pairwise(chain):
            neighbours[one].append(other)
            neighbours[other].append(one)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for number in range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1):
            beside = {
                key: (position + 0.5) / len(rows[number + (-1 if forward else 1)])
                for position, key in enumerate(rows[number + (-1 if forward else 1)])
            }
            own = {key: (position + 0.5) / len(rows[number]) for position, key in enumerate(rows[number])}
            mean = {}
            for key in rows[number]:
                heights = [beside[one] for one in neighbours[key] if one in beside]
                mean[key] = sum(heights) / len(heights) if heights else own[key]
            rows[number].sort(key=mean.__getitem__)
    return rows


def _points(corners: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where a line leaves a box, passes the layers between, and enters another."""
    half = BOX_HEIGHT // 2
    first, last = corners[0][0], corners[-1][0]
    # Within a layer lines leave and enter on the right.
    out, into = BOX_WIDTH if first <= last else 0, 0 if first < last else BOX_WIDTH
    points = [(corners[0][0] + out, corners[0][1] + half)]
    for x, y in corners[1:-1]:
        points += [(x + into, y + half), (x + out, y + half)]
    points.append((corners[-1][0] + into, corners[-1][1] + half))
    return points


def _path(points: Sequence[tuple[int, int]]) -> str:
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) // 2 if x != to_x else x + _BULGE
        parts.append(f"L{to_x} {to_y}" if y == to_y else f"C{middle} {y} {middle} {to_y} {to_x} {to_y}")
    return "".join(parts)


def _lines(edges: Sequence[Edge], routes: Sequence[list[tuple[int, int]]]) -> Iterator[DrawnEdge]:
    """The lines, each label where it covers no other: beside the end that fewer lines share."""
    starts, ends = Counter(route[0] for route in routes), Counter(route[-1] for route in routes)
    taken: list[tuple[int, int]] = []
    for edge, route in zip(edges, routes, strict=True):
        near_start = starts[route[0]] <= ends[route[-1]]
        tries = [_on_curve(route, at, near_start=near_start) for at in (0.3, 0.5, 0.7, 0.4, 0.6, 0.2, 0.8)]
        x, y = next((one for one in tries if not _covers(one, taken)), tries[0])
        if edge.label:
            taken.append((x, y))
        yield DrawnEdge(edge=edge, path=_path(route), x=x, y=y, label=_cut(edge.label, _LONGEST_LABEL))


def _on_curve(route: Sequence[tuple[int, int]], at: float, *, near_start: bool) -> tuple[int, int]:
    """A point of a line's first or last curve, ``at`` of its way from that end; the label stays between the boxes."""
    (x, y), (to_x, to_y) = (route[0], route[1]) if near_start else (route[-1], route[-2])
    if x == to_x:
        return x + _BULGE, (y + to_y) // 2
    height = 3 * at**2 - 2 * at**3  # of the curves that `_path` draws
    return (x + to_x) // 2, round(y + (to_y - y) * height)


def _covers(place: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    return any(abs(place[0] - x) < _ACROSS and abs(place[1] - y) < _LABEL_HEIGHT for x, y in taken)


def _cut(text: str, longest: int) -> str:
    # Masked whole: half an address would not be known for one.
    text = mask(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
