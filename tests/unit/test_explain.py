"""Where a package exists and what keeps it out of an environment, with every engine there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envcheck.condarc import Configuration
from envcheck.engines import Engine
from envcheck.engines.choice import choose_engine
from envcheck.errors import EngineError
from envcheck.explain import Explanation, Place, explain
from envcheck.kept_out import Obstacle, Standing, standing_in
from envcheck.model import PipPresence, Presence
from envcheck.pipeline import check
from envcheck.reports.explanation import render_json, render_text
from envcheck.request import Request
from envcheck.specs import parse_requirement
from envcheck.world import LoadedWorld, Services
from tests.support.channels import record, write_channel
from tests.support.fakes import FakePackageIndex, FakeWorld, Universe, on_pypi

TOKEN = "tk-0a1b2c3d-secret"  # noqa: S105  # opens nothing


def builds(name: str, version: str, *pythons: str, number: int = 0) -> list[dict[str, object]]:
    """A build for each of some Pythons."""
    return [
        record(
            name,
            version,
            f"py{python.replace('.', '')}_{number}",
            number,
            depends=[f"python >={python},<3.{int(python[2:]) + 1}.0a0"],
        )
        for python in pythons
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Where it is
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def universe(tmp_path: Path) -> Universe:
    return Universe(
        tmp_path,
        {
            "conda-forge": {
                "linux-64": [
                    *builds("tool", "1.0", "3.9", "3.10"),
                    *builds("tool", "1.2", "3.9", "3.10", "3.11", number=1),
                    *builds("tool", "2.0", "3.11"),
                    record("torch", "2.0", "cpu_0"),
                    record("torch", "2.1", "cuda_0", depends=["__cuda >=12"]),
                    record("old"),
                ],
                "noarch": [
                    record("pure", "3.0", "pyh_0", depends=["python >=3.8"], noarch="python"),
                    record("windowed", "1.0", "win_0", depends=["__win"], noarch="generic"),
                ],
                "win-64": [record("tool", "1.1"), record("vc")],
            },
            "bioconda": {"linux-64": [record("tool", "1.1"), record("align", "0.7")]},
        },
    )


def found(universe: Universe, spec: str, *, virtual: tuple[str, ...] = (), pypi: bool = False) -> Explanation:
    target = universe.target("conda-forge", virtual=virtual)
    known = {"onlypip": on_pypi("onlypip")} if pypi else {}
    world = FakeWorld(universe, target, others=("bioconda",), pypi=known)
    return explain(parse_requirement(spec, line=0), target, world)


def test_every_channel_is_told_with_its_versions(universe: Universe) -> None:
    answer = found(universe, "tool=1.2")

    assert answer.places == (
        Place(channel="conda-forge", platform="linux-64", own=True, count=3, oldest="1.0", newest="2.0", has=True),
        Place(channel="bioconda", platform="linux-64", own=False, count=1, oldest="1.1", newest="1.1", has=False),
    )
    assert (answer.found, answer.fine) == (True, True)
    assert (answer.elsewhere, answer.nearest) == ((), ())


def test_without_a_version_nothing_is_said_to_be_lacking(universe: Universe) -> None:
    answer = found(universe, "tool")

    assert [place.has for place in answer.places] == [None, None]
    assert answer.found
    assert answer.builds_of == "2.0"


def test_a_version_of_another_platform_and_channel(universe: Universe) -> None:
    answer = found(universe, "tool==1.1")

    assert not answer.found
    assert [(place.channel, place.has) for place in answer.places] == [("conda-forge", False), ("bioconda", True)]
    assert [(place.platform, place.channel) for place in answer.elsewhere] == [("win-64", "conda-forge")]
    assert answer.nearest == ("1.2", "1.0", "2.0")
    text = render_text(answer)
    assert "use it with -c bioconda" in text
    assert "win-64 has 1.1: conda-forge" in text


def test_builds_say_their_python_and_the_newest_python_comes_first(universe: Universe) -> None:
    answer = found(universe, "tool=1.2")

    assert [(one.build, one.python, one.channel) for one in answer.builds] == [
        ("py311_1", "3.11", "conda-forge"),
        ("py310_1", "3.10", "conda-forge"),
        ("py39_1", "3.9", "conda-forge"),
    ]
    assert "py310_1  python 3.10  conda-forge" in render_text(answer)


def test_only_the_build_asked_for_is_told(universe: Universe) -> None:
    assert [one.build for one in found(universe, "tool=1.2=py310_1").builds] == ["py310_1"]
    unknown = found(universe, "tool=1.2=py27_0")
    assert not unknown.found
    assert {one.build for one in unknown.builds} == {"py311_1", "py310_1", "py39_1"}


def test_a_noarch_build_is_for_a_range_of_pythons(universe: Universe) -> None:
    (build,) = found(universe, "pure").builds

    assert (build.noarch, build.python) == (True, ">=3.8")


def test_what_needs_a_driver_is_there_only_with_one(universe: Universe) -> None:
    without = found(universe, "torch=2.1")
    assert not without.found
    assert [place.needs for place in without.places] == ["__cuda >=12"]
    assert [build.lacks for build in without.builds] == ["__cuda >=12"]
    assert "only in builds that need __cuda >=12" in " ".join(render_text(without).split())

    with_it = found(universe, "torch=2.1", virtual=("__cuda=12.4",))
    assert with_it.found
    assert [build.lacks for build in with_it.builds] == [None]


def test_what_can_be_used_comes_before_what_cannot(universe: Universe) -> None:
    assert found(universe, "torch").builds_of == "2.0"


@pytest.mark.parametrize("name", ["vc", "windowed"])
def test_what_only_windows_has_is_told_with_its_platform(universe: Universe, name: str) -> None:
    answer = found(universe, name)

    assert not answer.found
    assert {place.platform for place in answer.elsewhere} == {"win-64"}
    assert "win-64 has it: conda-forge" in render_text(answer)


def test_a_misspelled_name_has_close_ones(universe: Universe) -> None:
    answer = found(universe, "windowedd")

    assert answer.places == ()
    assert answer.unknown is not None
    assert answer.unknown.presence is Presence.NOWHERE
    assert "close names: windowed" in render_text(answer)
    assert "no project of that name" in render_text(answer)


def test_what_only_the_package_index_has(universe: Universe) -> None:
    answer = found(universe, "onlypip", pypi=True)

    assert answer.unknown is not None
    assert answer.unknown.pypi is not None
    assert answer.unknown.pypi.presence is PipPresence.PURE_WHEEL
    assert "the Python package index has onlypip 1.0 (a wheel)" in render_text(answer)


def test_the_package_index_is_not_asked_about_what_channels_have(universe: Universe) -> None:
    target = universe.target("conda-forge")
    world = FakeWorld(universe, target, others=("bioconda",))
    explain(parse_requirement("tool=1.2", line=0), target, world)

    assert world.asked == ["other channels linux-64"]


def test_many_builds_are_told_shortly_and_all_stand_in_the_json(tmp_path: Path) -> None:
    many = [record("wide", "1.0", f"v{number}_0") for number in range(30)]
    universe = Universe(tmp_path, {"conda-forge": {"linux-64": many}, "bioconda": {}})
    answer = found(universe, "wide")

    assert "and 22 more" in render_text(answer)
    assert len(render_text(answer).splitlines()) < 20
    assert len(json.loads(render_json(answer))["builds"]) == 30


def test_the_text_fits_and_the_json_is_sorted(universe: Universe) -> None:
    answer = found(universe, "tool=1.1")

    assert max(map(len, render_text(answer).splitlines())) <= 80
    text = render_json(answer)
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert render_json(found(universe, "tool=1.1")) == text


# ---------------------------------------------------------------------------------------------------------------------
# What keeps it out
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["rattler", "libmamba"])
def engine(request: pytest.FixtureRequest) -> Engine:
    try:
        return choose_engine(request.param)
    except EngineError as error:
        pytest.skip(error.message)


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    python = [record("python", version, depends=[]) for version in ("3.10.1", "3.11.1")]
    linux = [
        *python,
        record("array", "1.0"),
        record("array", "2.0"),
        record("array", "3.0", depends=["nowhere >=1"]),
        record("frame", "1.0", "py310_0", depends=["python >=3.10,<3.11.0a0", "array >=1,<2"]),
        record("new", "1.0", "py311_0", depends=["python >=3.11,<3.12.0a0"]),
        record("free", "1.0"),
        record("free", "1.1"),
        record("left", "1.0", depends=["base <2"]),
        record("left", "2.0", depends=["base >=2"]),
        record("right", "1.0", depends=["base <2"]),
        record("base", "1.0"),
        record("base", "2.0"),
        record("middle", "1.0", depends=["inner"]),
        record("inner", "1.0", depends=["array <2"]),
    ]
    return write_channel(tmp_path / "channel", {"linux-64": linux, "noarch": [], "win-64": [record("vc")]})


def stands(engine: Engine, channel: Path, spec: str, *rows: str) -> Standing:
    text = "name: x\ndependencies:\n" + "".join(f"- {row}\n" for row in rows)
    request = Request(
        path="environment.yml",
        data=text.encode(),
        configuration=Configuration(),
        channels=(channel.as_uri(),),
        override_channels=True,
        cache_directory=str(channel.parent / "cache"),
        offline=True,
        check_pip=False,
    )
    services = Services(engine=engine, package_index=FakePackageIndex())
    report = check(request, services)
    assert report.plan.solved
    world = LoadedWorld(request, report.target, services, report.environment.channels, python=None)
    return standing_in(parse_requirement(spec, line=0), report, world)


def test_what_the_plan_holds_is_held(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "array=1.0", "python=3.10", "array=1.0")

    assert (standing.obstacle, standing.held, standing.direct) == (Obstacle.HELD, "1.0", True)
    assert standing.row is not None
    assert standing.row.line == 4
    assert standing.fine


def test_a_conflict_names_the_one_that_clashes_and_what_about(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "array=2.0", "python=3.10", "frame=1.0", "free=1.0")

    assert (standing.obstacle, standing.held, standing.closest) == (Obstacle.CONFLICT, "1.0", "1.0")
    assert [(one.name, one.version, one.clash) for one in standing.opponents] == [
        ("frame", "1.0", "needs array >=1,<2")
    ]
    assert standing.confirmed
    assert standing.python is None
    assert standing.needed_there == ("frame",)
    assert not standing.fine


def test_a_conflict_over_something_that_both_need(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "left=2.0", "right=1.0", "left=1.0")

    assert [(one.name, one.clash) for one in standing.opponents] == [("right", "needs base <2, and left base >=2")]


def test_a_conflict_further_down_is_told_in_the_words_of_the_engine(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "array=2.0", "middle=1.0")

    assert [(one.name, one.clash) for one in standing.opponents] == [("middle", "")]
    assert "inner" in standing.detail


def test_a_package_that_goes_together_with_the_plan(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "free", "python=3.10", "frame=1.0")

    assert (standing.obstacle, standing.held, standing.row) == (Obstacle.NONE, None, None)
    assert (standing.closest, standing.changes) == ("1.1", 0)
    assert standing.fine


def test_another_version_that_nothing_forbids(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "free=1.1", "python=3.10", "free=1.0")

    assert (standing.obstacle, standing.held, standing.closest) == (Obstacle.NONE, "1.0", "1.1")


def test_a_package_for_another_python(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "new", "python=3.10", "frame=1.0")

    assert (standing.obstacle, standing.python, standing.pythons) == (Obstacle.PYTHON, "3.10", ("3.11",))


def test_another_python_is_kept_out_by_what_is_not_built_for_it(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "python=3.11", "python=3.10", "frame=1.0", "free=1.0")

    assert standing.obstacle is Obstacle.PYTHON
    assert [(one.name, one.clash) for one in standing.opponents] == [("frame", "has no build for Python 3.11")]


def test_another_python_that_everything_accepts(engine: Engine, channel: Path) -> None:
    assert stands(engine, channel, "python=3.11", "python=3.10", "free=1.0").obstacle is Obstacle.NONE


def test_a_dependency_that_cannot_be_had(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "array=3.0", "free=1.0")

    assert (standing.obstacle, standing.detail) == (Obstacle.MISSING, "nowhere >=1")
    assert standing.closest in ("1.0", "2.0")


def test_the_row_of_the_source_is_in_question_without_a_version(engine: Engine, channel: Path) -> None:
    standing = stands(engine, channel, "vc", "free=1.0", "vc=1.0")

    assert (standing.obstacle, standing.held) == (Obstacle.ABSENT, None)
    assert standing.asked == "vc 1.0.*"
    assert "win-64" in standing.plan_reason


def test_no_text_holds_a_token(engine: Engine, channel: Path, universe: Universe) -> None:
    standing = stands(engine, channel, "array=2.0", "python=3.10", "frame=1.0")
    answer = found(universe, "tool=1.2")
    told = Explanation(
        requirement=answer.requirement,
        platform="linux-64",
        channels=(f"https://host.example/t/{TOKEN}/private",),
        places=answer.places,
        standing=standing,
    )

    assert TOKEN not in render_text(told) + render_json(told)
