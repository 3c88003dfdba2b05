"""The neighbourhood of a conflict: a version that was asked for, what it needs, and what in the plan speaks against it.

All that is said here is read from records: those of the plan's packages, and that of the build which the plan comes
nearest to (`envcheck.model.PlanObstacle`).
"""

from __future__ import annotations

import enum
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from envcheck.language import plural, tell, tell_plural
from envcheck.model import Plan, PlanObstacle, Record
from envcheck.specs import dependency_parts, matches, satisfies

__all__ = ["Edge", "Graph", "Node", "Role", "conflict_graphs", "obstacle_graph", "telling_obstacles"]

_MOST_NEEDS = 5
_MOST_REFUSERS = 5
_MOST_HOLDERS = 2
_LONGEST_PATH = 3
# A version that a constraint names: `1.21.3` and `1.22.0a0` of `>=1.21.3,<1.22.0a0`.
_BOUND = re.compile(r"[0-9][^\s,|<>=!~*]*")


class Role(str, enum.Enum):
    """What a node stands for; the picture tells the roles apart by outline and by words."""

    ASKED = "asked"
    AGAINST = "against"
    GIVEN = "given"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A package in the picture: ``detail`` is its version or what is to say in its place."""

    key: str
    name: str
    detail: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """``start`` needs ``end`` within ``label``; ``broken`` where that does not hold."""

    start: str
    end: str
    label: str
    broken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A neighbourhood: nodes in the order they were met, and the whole of it in words."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    words: tuple[str, ...]


def telling_obstacles(plan: Plan) -> tuple[PlanObstacle, ...]:
    """The obstacles, those of packages that were asked for first, and then those with the fewest opponents."""
    direct = frozenset(plan.direct)
    return tuple(
        sorted(plan.obstacles, key=lambda one: (one.name not in direct, not one.against, len(one.against), one.name))
    )


def conflict_graphs(plan: Plan) -> Iterator[Graph]:
    """The minimal sets of requirements that do not go together, where nothing may change."""
    for conflict in plan.conflicts:
        names = [dependency_parts(spec)[0] for spec in conflict]
        nodes = [
            Node(key=str(number), name=name, detail=spec.removeprefix(f"{name} "), role=Role.ASKED)
            for number, (name, spec) in enumerate(zip(names, conflict, strict=True))
        ]
        end = Node(key="end", name=tell("not together"), detail=tell("no environment has all"), role=Role.MISSING)
        yield Graph(
            name=", ".join(names),
            nodes=(end, *nodes),
            edges=tuple(Edge(start=node.key, end=end.key, label="", broken=True) for node in nodes),
            words=(tell("No environment has all of {conflict}.", conflict=", ".join(conflict)),),
        )


def obstacle_graph(obstacle: PlanObstacle, plan: Plan) -> Graph:
    """The neighbourhood of a version that the target has and the plan has not.

    Args:
        obstacle: The version and what it does not go together with.
        plan: The plan.
    """
    drawing = _Drawing(obstacle, {record.name: record for record in plan.packages})
    drawing.draw()
    return Graph(
        name=obstacle.name,
        nodes=tuple(drawing.nodes.values()),
        edges=tuple(dict.fromkeys(drawing.edges)),
        words=tuple(dict.fromkeys(drawing.words)),
    )


class _Drawing:
    """A graph in the making."""

    def __init__(self, obstacle: PlanObstacle, chosen: Mapping[str, Record]) -> None:
        self._obstacle = obstacle
        self._asked = obstacle.record
        self._chosen = chosen
        self._title = f"{self._asked.name} {self._asked.version}"
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.words: list[str] = []

    def draw(self) -> None:
        self.nodes["asked"] = Node(
            key="asked",
            name=self._asked.name,
            detail=tell("{version} asked for", version=self._asked.version),
            role=Role.ASKED,
        )
        broken = self._needs()
        self._refusers(broken)
        for name in broken:
            self._holders(name, broken[name])
        self._opponents(tuple(broken))
        if not self.edges:
            self.words.append(
                tell(
                    "Each thing that {title} needs is in the plan, but more would have to change to have it.",
                    title=self._title,
                )
            )

    def _given(self, name: str) -> str:
        """The node of a package of the plan, or of one that the plan has not."""
        record = self._chosen.get(name)
        if record is None:
            node = Node(key=name, name=name, detail=tell("not in the plan"), role=Role.MISSING)
        else:
            against = name in self._obstacle.against
            role, words = (Role.AGAINST, tell(" in the way")) if against else (Role.GIVEN, "")
            node = Node(key=name, name=name, detail=record.version + words, role=role)
        self.nodes.setdefault(name, node)
        return name

    def _refusers(self, drawn: Mapping[str, object]) -> None:
        """Packages of the plan that take other versions of the one asked for; to those drawn a line leads already."""
        found = [
            (record, entry, verb)
            for record in self._chosen.values()
            if record.name != self._asked.name
            for entries, verb in ((record.depends, "needs"), (record.constrains, "goes only with"))
            for entry in _entries(entries, self._asked.name)
            if not matches(entry, self._asked)
        ]
        found.sort(key=lambda one: (one[0].name not in self._obstacle.against, one[0].name, one[1]))
        for record, entry, verb in found[:_MOST_REFUSERS]:
            if record.name not in drawn:
                self._edge(self._given(record.name), "asked", entry, broken=True)
            self.words.append(
                tell(
                    "{package} {verb} {entry}, which {asked} is not.",
                    package=f"{record.name} {record.version}",
                    verb=_told_verb(verb),
                    entry=entry,
                    asked=self._asked.version,
                )
            )
        if len(found) > _MOST_REFUSERS:
            self.words.append(
                tell(
                    "{count} of the plan likewise.",
                    count=plural(len(found) - _MOST_REFUSERS, "{count} more package", "{count} more packages"),
                )
            )

    def _needs(self) -> dict[str, list[str]]:
        """What the version asked for needs and the plan has otherwise or not at all: entries by name."""
        broken: dict[str, list[tuple[str, str]]] = {}
        for verb, entries in (("needs", self._asked.depends), ("goes only with", self._asked.constrains)):
            for entry in entries:
                name = dependency_parts(entry)[0]
                record = self._chosen.get(name)
                missing = record is None and verb == "needs" and not name.startswith("__")
                if missing or (record is not None and not matches(entry, record)):
                    broken.setdefault(name, []).append((verb, entry))
        # What the plan has otherwise says more than what it does not have.
        shown = dict(sorted(broken.items(), key=lambda item: item[0] not in self._chosen)[:_MOST_NEEDS])
        for name, pairs in shown.items():
            record = self._chosen.get(name)
            has = tell("has {version}", version=record.version) if record is not None else tell("does not have it")
            if record is not None and all(_within(record.version, dependency_parts(one)[1] or "*") for _, one in pairs):
                has = tell("has another build, {version} {build}", version=record.version, build=record.build)
            for verb, entry in pairs:
                self._edge("asked", self._given(name), entry, broken=True)
                self.words.append(
                    tell(
                        "{title} {verb} {entry}; the plan {has}.",
                        title=self._title,
                        verb=_told_verb(verb),
                        entry=entry,
                        has=has,
                    )
                )
        if len(broken) > len(shown):
            more = tell_plural(len(broken) - len(shown), "{count} more package", "{count} more packages")
            self.words.append(tell("It needs {more} that the plan has otherwise or not at all.", more=more))
        return {name: [entry for _, entry in pairs] for name, pairs in shown.items()}

    def _holders(self, name: str, wanted: Sequence[str]) -> None:
        """The packages of the plan that take a version of ``name`` other than the wanted one."""
        bounds = [bound for entry in wanted for bound in _BOUND.findall(dependency_parts(entry)[1] or "")]
        found = [
            (record, entry)
            for record in self._chosen.values()
            if record.name != self._asked.name
            for entry in _entries(record.depends, name)
            if (version := dependency_parts(entry)[1]) is not None
            and not any(_within(bound, version) for bound in bounds)
        ]
        found.sort(key=lambda one: (one[0].name not in self._obstacle.against, one[0].name, one[1]))
        for record, entry in found[:_MOST_HOLDERS]:
            self._edge(self._given(record.name), self._given(name), entry, broken=False)
            self.words.append(
                tell("{name} {version} needs {entry}.", name=record.name, version=record.version, entry=entry)
            )
        if len(found) > _MOST_HOLDERS:
            self.words.append(
                tell(
                    "{name} is held there by {count}.",
                    name=name,
                    count=plural(len(found) - _MOST_HOLDERS, "{count} more package", "{count} more packages"),
                )
            )

    def _opponents(self, ends: Sequence[str]) -> None:
        """The packages that it does not go together with: how each comes to what the picture shows, if that is near."""
        # Paths may end at what holds a broken dependency too.
        goals = {*ends, *(edge.start for edge in self.edges if edge.start != "asked")}
        for name in self._obstacle.against:
            if name in self.nodes:
                continue
            path = _path(name, goals, self._chosen)
            if path is None:
                self._edge(self._given(name), "asked", "", broken=True)
                self.words.append(
                    tell("{title} does not go together with {called}.", title=self._title, called=self._called(name))
                )
                continue
            for start, entry, end in path:
                self._edge(self._given(start), self._given(end), entry, broken=False)
                self.words.append(tell("{called} needs {entry}.", called=self._called(start), entry=entry))

    def _called(self, name: str) -> str:
        record = self._chosen.get(name)
        return name if record is None else f"{name} {record.version}"

    def _edge(self, start: str, end: str, entry: str, *, broken: bool) -> None:
        label = entry.partition(" ")[2].strip()
        self.edges.append(Edge(start=start, end=end, label=label, broken=broken))


def _told_verb(verb: str) -> str:
    return tell("goes only with") if verb == "goes only with" else tell("needs")


def _entries(entries: Iterable[str], name: str) -> Iterator[str]:
    return (entry for entry in entries if dependency_parts(entry)[0] == name)


def _within(bound: str, constraint: str) -> bool:
    """Whether a version that one constraint names satisfies another; what is no version satisfies none."""
    try:
        return satisfies(bound, constraint)
    except ValueError:
        return False


def _path(start: str, goals: set[str], chosen: Mapping[str, Record]) -> list[tuple[str, str, str]] | None:
    """The shortest way along dependencies from a package to one of some others: steps of start, entry and end."""
    queue: deque[tuple[str, list[tuple[str, str, str]]]] = deque([(start, [])])
    seen = {start}
    while queue:
        name, steps = queue.popleft()
        if name in goals:
            return steps
        record = chosen.get(name)
        if record is None or len(steps) == _LONGEST_PATH:
            continue
        for entry in record.depends:
            needed = dependency_parts(entry)[0]
            if needed not in seen:
                seen.add(needed)
                queue.append((needed, [*steps, (name, entry, needed)]))
    return None
