"""The picture of a conflict: what it says, and that its boxes and words stand where they can be read."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.model import Plan, PlanObstacle, Record
from envcheck.reports.html_graph import (
    Edge,
    Graph,
    Node,
    Role,
    conflict_graphs,
    obstacle_graph,
    telling_obstacles,
)
from envcheck.reports.html_layout import BOX_HEIGHT, BOX_WIDTH, lay_out


def package(name: str, version: str, *depends: str, constrains: tuple[str, ...] = ()) -> Record:
    return Record(
        name=name, version=version, build="h0_0", build_number=0, subdir="linux-64",
        channel="https://conda.example.org/c", url=f"https://conda.example.org/c/linux-64/{name}-{version}-h0_0.conda",
        depends=depends, constrains=constrains,
    )  # fmt: skip


def drawn(asked: Record, *packages: Record, against: tuple[str, ...] = ()) -> Graph:
    obstacle = PlanObstacle(name=asked.name, record=asked, against=against)
    return obstacle_graph(obstacle, Plan(packages=packages, solved=True))


def lines(graph: Graph) -> list[tuple[str, str, str, bool]]:
    return [(edge.start, edge.label, edge.end, edge.broken) for edge in graph.edges]


def test_what_the_version_needs_and_the_plan_has_otherwise_and_who_holds_it_there() -> None:
    graph = drawn(
        package("libcurl", "8.11.1", "krb5 >=1.21.3,<1.22", "libgcc >=13", "__glibc >=2.17"),
        package("krb5", "1.20.1"),
        package("libgcc", "14.2.0"),
        package("qt-main", "5.15.2", "krb5 >=1.20.1,<1.21"),
        package("loose", "1.0", "krb5 >=1.0"),
        against=("qt-main",),
    )
    assert lines(graph) == [
        ("asked", ">=1.21.3,<1.22", "krb5", True),
        ("qt-main", ">=1.20.1,<1.21", "krb5", False),
    ]
    assert [(node.key, node.detail, node.role) for node in graph.nodes] == [
        ("asked", "8.11.1 asked for", Role.ASKED),
        ("krb5", "1.20.1", Role.GIVEN),
        ("qt-main", "5.15.2 in the way", Role.AGAINST),
    ]
    assert graph.words == (
        "libcurl 8.11.1 needs krb5 >=1.21.3,<1.22; the plan has 1.20.1.",
        "qt-main 5.15.2 needs krb5 >=1.20.1,<1.21.",
    )


def test_who_takes_another_version_and_how_the_opponent_comes_to_that() -> None:
    graph = drawn(
        package("icu", "58.2"),
        package("opencv", "4.9.0", "libopencv 4.9.0"),
        package("libopencv", "4.9.0", "harfbuzz"),
        package("harfbuzz", "8.5.0", "icu >=73.2,<74"),
        package("picky", "1.0", constrains=("icu 73.*",)),
        against=("opencv",),
    )
    assert lines(graph) == [
        ("harfbuzz", ">=73.2,<74", "asked", True),
        ("picky", "73.*", "asked", True),
        ("opencv", "4.9.0", "libopencv", False),
        ("libopencv", "", "harfbuzz", False),
    ]
    assert "picky 1.0 goes only with icu 73.*, which 58.2 is not." in graph.words


def test_what_is_missing_and_other_builds_are_named_so() -> None:
    graph = drawn(
        package("pytorch", "2.5", "mkl >=2024", "libblas * *mkl", "plain"),
        package("libblas", "3.9.0"),
        package("plain", "1"),
    )
    assert graph.words == (
        "pytorch 2.5 needs libblas * *mkl; the plan has another build, 3.9.0 h0_0.",
        "pytorch 2.5 needs mkl >=2024; the plan does not have it.",
    )
    assert {node.key: node.role for node in graph.nodes}["mkl"] is Role.MISSING


def test_an_opponent_without_a_way_is_named_and_harmony_is_said() -> None:
    graph = drawn(package("a", "1"), package("b", "2"), against=("b",))
    assert lines(graph) == [("b", "", "asked", True)]
    assert graph.words == ("a 1 does not go together with b 2.",)
    assert "more would have to change" in drawn(package("a", "1")).words[0]


def test_two_that_need_each_other_are_joined_by_one_line() -> None:
    graph = drawn(
        package("pytorch", "2.5", "libtorch 2.5.*"), package("libtorch", "2.3", constrains=("pytorch 2.3.*",))
    )
    assert lines(graph) == [("asked", "2.5.*", "libtorch", True)]
    assert len(graph.words) == 2


def test_many_neighbours_are_counted() -> None:
    users = [package(f"user{number}", "1", "lib >=2") for number in range(9)]
    graph = drawn(package("lib", "1"), *users)
    assert len(graph.edges) == 5
    assert "4 more packages of the plan likewise." in graph.words


def test_pins_that_do_not_go_together_are_drawn_as_one_picture_each() -> None:
    graphs = list(conflict_graphs(Plan(conflicts=(("a ==1", "b >=2,<3"), ("c ==1",)))))
    assert [graph.name for graph in graphs] == ["a, b", "c"]
    assert [(node.name, node.detail) for node in graphs[0].nodes[1:]] == [("a", "==1"), ("b", ">=2,<3")]


def test_what_was_asked_for_comes_first() -> None:
    obstacles = tuple(
        PlanObstacle(name=name, record=package(name, "1"), against=against)
        for name, against in (("came", ("x",)), ("other", ()), ("mine", ("x", "y")))
    )
    found = telling_obstacles(Plan(obstacles=obstacles, direct=("mine", "other")))
    assert [one.name for one in found] == ["mine", "other", "came"]


# ---------------------------------------------------------------------------------------------------------------------
# Layout
# ---------------------------------------------------------------------------------------------------------------------


def graph_of(ways: list[tuple[int, int]], count: int) -> Graph:
    return Graph(
        name="x",
        nodes=tuple(Node(key=str(one), name=f"n{one}", detail="1", role=Role.GIVEN) for one in range(count)),
        edges=tuple(Edge(start=str(one), end=str(other), label=">=1", broken=False) for one, other in ways),
        words=(),
    )


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(
    st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=14, unique=True), st.just(n)
)))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_boxes_cover_nothing_and_all_is_within_the_picture(case: tuple[list[tuple[int, int]], int]) -> None:
    ways, count = case
    picture = lay_out(graph_of(ways, count))
    assert len(picture.nodes) == count
    assert len(picture.edges) == len(ways)
    for box in picture.nodes:
        assert 0 <= box.x <= picture.width - BOX_WIDTH
        assert 0 <= box.y <= picture.height - BOX_HEIGHT
    for one, other in combinations(picture.nodes, 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
    assert picture == lay_out(graph_of(ways, count))


def test_what_is_fought_over_stands_between_the_two_that_pull() -> None:
    picture = lay_out(graph_of([(0, 1), (2, 1), (3, 0)], 4))
    places = {box.node.key: box.x for box in picture.nodes}
    assert places["3"] < places["0"] < places["1"] < places["2"]
    assert picture.fits


@pytest.mark.parametrize("users", [2, 4, 5])
def test_labels_of_lines_that_part_or_meet_do_not_cover_each_other(users: int) -> None:
    for ways in ([(0, one) for one in range(1, users + 1)], [(one, 0) for one in range(1, users + 1)]):
        labels = [(line.x, line.y) for line in lay_out(graph_of(ways, users + 1)).edges]
        assert all(abs(one[1] - other[1]) >= 15 for one, other in combinations(labels, 2))
