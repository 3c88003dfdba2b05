"""The Python that pins were made for, told by the wheels that there are of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from envcheck.model import DistributionFile, Environment, PipRequirement, PipRequirementKind, PythonCount
from envcheck.pip.python_choice import best_python, count_wheels, with_python_of_wheels
from tests.support.channels import record
from tests.support.fakes import Universe, rows

MINORS = ("3.12", "3.10", "3.9")


def wheel_for(project: str, version: str, tags: str, *, requires: str | None = None, yanked: bool = False) -> str:
    """What `files` makes a file of: a name, and behind bars what the index says of it."""
    return f"{project}-{version}-{tags}.whl|{requires or ''}|{'yanked' if yanked else ''}"


def files(*texts: str) -> tuple[DistributionFile, ...]:
    """The files of a project."""
    parts = [(*text.split("|"), "", "")[:3] for text in texts]
    return tuple(
        DistributionFile(
            filename=name, url=f"https://i/{name}", sha256=None, requires_python=requires or None, yanked=bool(yanked)
        )
        for name, requires, yanked in parts
    )


def pinned(name: str, pin: str | None, marker: str | None = None) -> PipRequirement:
    """A row of a freeze."""
    specifier = f"=={pin}" if pin else ""
    return PipRequirement(
        kind=PipRequirementKind.NAMED, name=name, specifier=specifier, pin=pin, marker=marker, line=1, text=name
    )


def counted(*sections: PipRequirement, on_index: Mapping[str, tuple[DistributionFile, ...]]) -> dict[str, str]:
    """``wheels/rows`` of every Python."""
    counts = count_wheels(sections, on_index, MINORS, platform="linux-64", glibc="2.28")
    return {one.minor: f"{one.wheels}/{one.rows}" for one in counts}


LINUX = "manylinux2014_x86_64"
BUILT = files(*(wheel_for("built", "1.0", f"cp{minor}-cp{minor}-{LINUX}") for minor in ("39", "310")))


@pytest.mark.parametrize(
    ("on_index", "expected"),
    [
        pytest.param(BUILT, {"3.12": "0/1", "3.10": "1/1", "3.9": "1/1"}, id="built for two"),
        pytest.param(
            files(wheel_for("built", "1.0", "py3-none-any", requires="<3.10")),
            {"3.12": "0/1", "3.10": "0/1", "3.9": "1/1"},
            id="pure, with an upper bound",
        ),
        pytest.param(
            files(wheel_for("built", "1.0", f"cp310-abi3-{LINUX}")),
            {"3.12": "1/1", "3.10": "1/1", "3.9": "0/1"},
            id="stable ABI",
        ),
        pytest.param(
            files(wheel_for("built", "2.0", "py3-none-any"), "built-1.0.tar.gz"),
            dict.fromkeys(MINORS, "0/1"),
            id="of this version only sources",
        ),
        pytest.param(
            files(wheel_for("built", "1.0", "cp39-cp39-win_amd64"), "no-wheel.whl"),
            dict.fromkeys(MINORS, "0/1"),
            id="another platform",
        ),
        pytest.param(
            files(wheel_for("built", "1.0", "cp39-cp39-manylinux_2_35_x86_64")),
            dict.fromkeys(MINORS, "0/1"),
            id="a newer glibc",
        ),
        pytest.param(
            files(wheel_for("built", "1.0.0+cpu", f"cp39-cp39-{LINUX}", yanked=True)),
            {"3.12": "0/1", "3.10": "0/1", "3.9": "1/1"},
            id="withdrawn, with a local label, spelled longer",
        ),
    ],
)
def test_wheels_are_counted_as_pip_would_take_them(
    on_index: tuple[DistributionFile, ...], expected: dict[str, str]
) -> None:
    assert counted(pinned("built", "1.0"), on_index={"built": on_index}) == expected


def test_a_local_label_is_asked_for_as_it_is() -> None:
    assert counted(pinned("built", "1.0+cpu"), on_index={"built": BUILT}) == dict.fromkeys(MINORS, "0/1")


def test_rows_without_a_version_and_unknown_projects_speak_for_no_python() -> None:
    sections = (pinned("built", None), pinned("built", "no version"), pinned("unknown", "1.0"))
    assert counted(*sections, on_index={"built": BUILT}) == dict.fromkeys(MINORS, "0/1")


def test_a_row_counts_where_its_marker_holds() -> None:
    sections = (
        pinned("built", "1.0", "python_version < '3.12'"),
        pinned("built", "1.0", "sys_platform == 'win32'"),
        pinned("built", "1.0"),
    )
    assert counted(*sections, on_index={"built": BUILT}) == {"3.12": "0/1", "3.10": "2/2", "3.9": "2/2"}


def test_the_fewest_without_a_wheel_decide_and_then_the_order() -> None:
    counts = [
        PythonCount(minor="3.12", rows=10, wheels=7),
        PythonCount(minor="3.10", rows=8, wheels=7),
        PythonCount(minor="3.9", rows=9, wheels=8),
    ]
    assert best_python(counts).minor == "3.10"


# ---------------------------------------------------------------------------------------------------------------------
# With the channels
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    pythons = [record("python", version) for version in ("2.7.18", "3.9.18", "3.10.13", "3.12.1", "3.13.0rc1")]
    bound = [record("bound", "1.0", depends=["python >=3.9,<3.10"]), record("bound", "2.0", depends=["python >=3.12"])]
    return Universe(tmp_path_factory.mktemp("pythons"), {"lab": {"linux-64": [*pythons, *bound]}})


class Asked:
    """An index that remembers what it was asked."""

    def __init__(self, **projects: tuple[DistributionFile, ...]) -> None:
        self.projects = projects
        self.names: list[str] = []

    def __call__(self, names: Iterable[str]) -> Mapping[str, tuple[DistributionFile, ...]]:
        self.names += names
        return {name: self.projects[name] for name in self.names if name in self.projects}


def chosen(
    universe: Universe,
    *conda: str,
    index: Asked,
    python: str | None = None,
    locked: str | None = None,
    section: Iterable[PipRequirement] = (pinned("built", "1.0"),),
) -> tuple[Environment, tuple[PythonCount, ...]]:
    """The environment with its Python."""
    asked = Environment(name="x", platform="linux-64", requirements=rows(*conda), pip=tuple(section), python=python)
    target = universe.target("lab")
    preferred = [] if locked is None else [("python", locked, "0")]
    return with_python_of_wheels(asked, target, universe.index(target), index, preferred=preferred)


def test_of_the_channels_pythons_the_newest_that_has_the_most_is_taken(universe: Universe) -> None:
    found, counts = chosen(universe, index=Asked(built=BUILT))
    assert (found.python, found.python_reason) == (
        "3.10.*",
        "for Python 3.10 there are wheels of 1 of 1 pinned pip rows",
    )
    assert counts == (PythonCount(minor="3.10", rows=1, wheels=1), PythonCount(minor="3.12", rows=1, wheels=0))


def test_the_newest_is_asked_for_where_older_ones_do_not_serve(universe: Universe) -> None:
    modern = files(wheel_for("built", "1.0", "py3-none-any", requires=">=3.10"))
    found, counts = chosen(universe, index=Asked(built=modern))
    assert found.python == "3.12.*"
    assert [one.minor for one in counts] == ["3.12", "3.9"]


def test_where_every_python_serves_none_is_asked_for(universe: Universe) -> None:
    found, counts = chosen(universe, index=Asked(built=files(wheel_for("built", "1.0", "py2.py3-none-any"))))
    assert (found.python, counts) == (None, ())


def test_pythons_that_nothing_resolves_for_are_left_out(universe: Universe) -> None:
    old = Asked(built=files(wheel_for("built", "1.0", "cp27-cp27mu-manylinux1_x86_64")))
    assert chosen(universe, index=old)[0].python is None


def test_of_equals_an_older_lock_keeps_its_python(universe: Universe) -> None:
    assert chosen(universe, index=Asked(built=BUILT), locked="3.9.1")[0].python == "3.9.*"
    assert chosen(universe, index=Asked(built=BUILT[1:]), locked="3.9.1")[0].python == "3.10.*"


def test_conda_rows_come_first(universe: Universe) -> None:
    """What they leave is all there is to choose from; a version that is nowhere leaves everything."""
    assert chosen(universe, "bound =1.0", index=Asked(built=BUILT[1:]))[0].python is None
    assert chosen(universe, "bound", "python", index=Asked(built=BUILT))[0].python == "3.9.*"
    assert chosen(universe, "bound =7", "absent", index=Asked(built=BUILT))[0].python == "3.10.*"


@pytest.mark.parametrize(
    ("python", "section"),
    [("3.9.*", (pinned("built", "1.0"),)), (None, ()), (None, (pinned("built", None),))],
    ids=["told by the source", "no pip section", "nothing pinned"],
)
def test_nothing_is_asked_where_nothing_is_to_be_told(
    universe: Universe, python: str | None, section: tuple[PipRequirement, ...]
) -> None:
    index = Asked(built=BUILT)
    found, counts = chosen(universe, index=index, python=python, section=section)
    assert (found.python, counts, index.names) == (python, (), [])


def test_an_index_that_does_not_answer_tells_nothing(universe: Universe) -> None:
    assert chosen(universe, index=Asked())[0].python is None
