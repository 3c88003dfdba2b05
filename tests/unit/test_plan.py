"""What becomes of every requirement, in universes where only one answer is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envcheck.model import Intent, PinPolicy, PipAvailability, PipPresence, Plan, Solved
from envcheck.plan import make_plan
from envcheck.search import Search
from envcheck.survey import survey
from tests.support.channels import record
from tests.support.fakes import FakeWorld, Universe, environment, on_pypi

PY310 = ["python >=3.10,<3.11.0a0"]
PY312 = ["python >=3.12,<3.13.0a0"]

CHANNELS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "conda-forge": {
        "linux-64": [
            record("python", "3.10.13"),
            record("python", "3.12.1"),
            record("lib", "1.0.0"),
            record("lib", "1.0.5"),
            record("lib", "1.4.0"),
            record("lib", "2.0.0"),
            record("app", "1.0", depends=["lib"]),
            record("app-patch", "1.0", depends=["lib >=1.0.5,<1.1"]),
            record("app-minor", "1.0", depends=["lib >=1.4,<2"]),
            record("app-major", "1.0", depends=["lib >=2"]),
            record("app-old", "1.0", depends=["lib <2"]),
            record("for310", "1.0", "py310_0", depends=PY310),
            record("for310", "1.0", "py312_0", depends=PY312),
            record("for312", "1.0", "py312_0", depends=PY312),
            record("gpu", "1.0", depends=["__cuda"]),
            record("half-gpu", "1.0", depends=["__cuda"]),
            record("half-gpu", "0.9"),
            record("builds", "1.0", "linux_0"),
            record("opencv", "4.9"),
            record("broken", "1.0", depends=["no-such-package"]),
        ],
        "noarch": [
            record("pip", "23.3.1", noarch="python", depends=["python"]),
            record("windows-words", "1.0", noarch="generic", depends=["__win"]),
        ],
        "win-64": [record("vc", "14.3"), record("lib", "1.2.0")],
    },
    "bioconda": {"linux-64": [record("samtools", "1.19", depends=["lib"]), record("samtools", "1.18")]},
    "unrelated": {"linux-64": [record("other", "1.0")]},
}


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    return Universe(tmp_path_factory.mktemp("universe"), CHANNELS)


def plan(
    universe: Universe,
    *specs: str,
    direct: tuple[str, ...] | None = None,
    needed_by: tuple[tuple[str, tuple[str, ...]], ...] = (),
    pins: PinPolicy = PinPolicy.PRESERVE,
    pypi: dict[str, PipAvailability] | None = None,
    implied: tuple[str, ...] = (),
    preferred: tuple[tuple[str, str, str], ...] = (),
) -> Plan:
    """The plan for some specs, all of them direct unless told otherwise."""
    wanted = environment(*specs, implied=implied)
    target = universe.target("conda-forge")
    world = FakeWorld(universe, target, others=["unrelated", "bioconda"], pypi=pypi)
    availability = survey(wanted, target, world, source_platform="win-64")
    names = tuple(one.name for one in wanted.requirements)
    intent = Intent(direct=names if direct is None else direct, needed_by=needed_by)
    return make_plan(wanted, target, availability, world, intent, pins=pins, effort=60, preferred=preferred)


def outcome(found: Plan) -> dict[str, str]:
    """What became of every name, in short."""
    return {
        **{row.name: f"kept {row.version}" for row in found.kept},
        **{row.name: f"{row.from_version} -> {row.to_version}" for row in found.changed},
        **{row.name: "dropped" for row in found.dropped},
        **{row.name: f"pip {row.version}" for row in found.to_pip},
    }


# ---------------------------------------------------------------------------------------------------------------------
# As close as possible
# ---------------------------------------------------------------------------------------------------------------------


def test_what_can_stay_stays(universe: Universe) -> None:
    found = plan(universe, "python=3.10.13", "lib=1.0.0", "app=1.0", "for310=1.0")

    assert found.solved
    assert outcome(found) == {"python": "kept 3.10.13", "lib": "kept 1.0.0", "app": "kept 1.0", "for310": "kept 1.0"}
    assert (found.changed, found.dropped, found.to_pip, found.added, found.added_channels) == ((), (), (), (), ())
    assert found.requirements == ("app ==1.0", "for310 ==1.0", "lib ==1.0.0", "python ==3.10.13")
    assert [(one.name, one.version, one.build) for one in found.packages] == [
        ("app", "1.0", "0"),
        ("for310", "1.0", "py310_0"),
        ("lib", "1.0.0", "0"),
        ("python", "3.10.13", "0"),
    ]


def test_what_only_came_along_gives_way_first(universe: Universe) -> None:
    found = plan(universe, "lib=1.0.0", "app-major=1.0", direct=("app-major",))

    assert outcome(found) == {"lib": "1.0.0 -> 2.0.0", "app-major": "kept 1.0"}
    assert "1.0.0 exists for linux-64, but" in found.changed[0].reason
    (obstacle,) = found.obstacles
    assert (obstacle.name, obstacle.record.version, obstacle.against) == ("lib", "1.0.0", ("app-major",))


def test_nothing_stands_in_the_way_of_what_is_kept_or_not_there(universe: Universe) -> None:
    assert plan(universe, "lib=1.0.0", "app=1.0").obstacles == ()
    assert plan(universe, "lib=1.2.0", "vc=14.3").obstacles == ()


def test_a_direct_pin_gives_way_to_the_same_minor(universe: Universe) -> None:
    assert outcome(plan(universe, "lib=1.0.0", "app-patch")) == {"lib": "1.0.0 -> 1.0.5", "app-patch": "kept 1.0"}


def test_a_direct_pin_gives_way_to_another_version_before_a_package_is_lost(universe: Universe) -> None:
    assert outcome(plan(universe, "lib=1.0.0", "app-minor")) == {"lib": "1.0.0 -> 1.4.0", "app-minor": "kept 1.0"}
    assert outcome(plan(universe, "lib=1.0.0", "app-major")) == {"lib": "1.0.0 -> 2.0.0", "app-major": "kept 1.0"}


def test_a_version_that_is_elsewhere_becomes_the_nearest(universe: Universe) -> None:
    found = plan(universe, "lib=1.2.0", "app")

    assert outcome(found) == {"lib": "1.2.0 -> 1.4.0", "app": "kept 1.0"}
    assert found.changed[0].reason == "1.2.0 does not exist for linux-64"


def test_another_python_before_a_package_is_lost(universe: Universe) -> None:
    found = plan(universe, "python=3.10", "for312")

    assert found.solved
    assert outcome(found) == {"python": "3.10 -> 3.12.1", "for312": "kept 1.0"}


def test_packages_that_exclude_each_other(universe: Universe) -> None:
    found = plan(universe, "lib", "app-major", "app-old", "for310")

    assert found.solved
    assert {"app-major", "app-old"} & {row.name for row in found.dropped}
    assert {row.name for row in found.kept} >= {"lib", "for310"}
    assert len(found.dropped) == 1
    assert found.dropped[0].reason


def test_what_cannot_be_installed_at_all_does_not_take_others_along(universe: Universe) -> None:
    found = plan(universe, "broken", "lib=1.0.0", "app")

    assert found.solved
    assert [row.name for row in found.dropped] == ["broken"]
    assert {row.name for row in found.kept} >= {"app"}


def test_nothing_can_be_had(universe: Universe) -> None:
    found = plan(universe, "broken")

    assert (found.solved, found.packages, found.requirements) == (False, (), ())
    assert outcome(found) == {"broken": "dropped"}
    assert found.explanation


def test_nothing_was_asked_for(universe: Universe) -> None:
    found = plan(universe)

    assert (found.packages, found.kept, found.dropped) == ((), (), ())


def test_the_build_of_another_platform_is_no_reason_to_change_the_version(universe: Universe) -> None:
    assert outcome(plan(universe, "builds=1.0=windows_0")) == {"builds": "kept 1.0"}


# ---------------------------------------------------------------------------------------------------------------------
# What Linux does not have
# ---------------------------------------------------------------------------------------------------------------------


def test_reasons_of_what_is_dropped(universe: Universe) -> None:
    found = plan(
        universe,
        "vc=14.3",
        "windows-words",
        "gpu=1.0",
        "nowhere-at-all",
        "old-project",
        "app",
        pypi={"old-project": on_pypi("old-project", "1.0", PipPresence.OTHER_PLATFORM, "wheels for Windows only")},
    )

    assert found.solved
    assert {row.name: row.reason for row in found.dropped} == {
        "vc": "it exists only for win-64",
        "windows-words": "it exists only for __win",
        "gpu": "it needs __cuda, which the target does not have",
        "nowhere-at-all": "no channel has it for linux-64",
        "old-project": "no channel has it, and the package index has nothing for this target (wheels for Windows only)",
    }
    assert {row.name: row.version for row in found.dropped}["vc"] == "14.3"
    assert outcome(found)["app"] == "kept 1.0"


def test_a_version_that_needs_what_the_target_lacks_gives_way_to_one_that_does_not(universe: Universe) -> None:
    found = plan(universe, "half-gpu=1.0")

    assert outcome(found) == {"half-gpu": "1.0 -> 0.9"}
    assert found.changed[0].reason == "1.0 needs __cuda, which the target does not have"


def test_renamed(universe: Universe) -> None:
    found = plan(universe, "opencv-python=4.9")

    assert outcome(found) == {"opencv-python": "4.9 -> opencv 4.9"}
    assert found.changed[0].reason == "opencv-python is called opencv on linux-64"
    assert found.requirements == ("opencv ==4.9",)


@pytest.mark.parametrize(
    ("presence", "moves"),
    [
        (PipPresence.WHEEL, True),
        (PipPresence.PURE_WHEEL, True),
        (PipPresence.SOURCE_ONLY, True),
        (PipPresence.OTHER_PLATFORM, False),
        (PipPresence.OTHER_PYTHON, False),
        (PipPresence.NO_VERSION, False),
    ],
)
def test_what_only_the_package_index_has_moves_to_pip_if_it_can_be_installed(
    universe: Universe, presence: PipPresence, moves: bool
) -> None:
    found = plan(universe, "lib", "only-there=1.5", pypi={"only-there": on_pypi("only-there", "1.5", presence)})

    assert outcome(found)["only-there"] == ("pip 1.5" if moves else "dropped")
    if presence is PipPresence.SOURCE_ONLY:
        assert "source" in found.to_pip[0].reason


def test_the_fewest_other_channels_are_added(universe: Universe) -> None:
    found = plan(universe, "samtools=1.18", "lib=1.0.0")

    assert [one.name for one in found.added_channels] == ["bioconda"]
    assert outcome(found) == {"samtools": "kept 1.18", "lib": "kept 1.0.0"}
    assert {one.name: one.channel for one in found.packages}["samtools"].endswith("/bioconda")


def test_what_is_added_says_who_needs_it(universe: Universe) -> None:
    found = plan(universe, "app", "python=3.10", implied=("pip",))

    assert [(row.name, row.reason) for row in found.added] == [
        ("lib", "app needs it"),
        ("pip", "the pip section needs it"),
    ]


def test_what_came_along_and_is_needed_no_more(universe: Universe) -> None:
    found = plan(universe, "vc=14.3", "app", direct=("app",), needed_by=(("vc", ("python",)),))

    assert outcome(found) == {"vc": "dropped", "app": "kept 1.0"}


# ---------------------------------------------------------------------------------------------------------------------
# --pins
# ---------------------------------------------------------------------------------------------------------------------


def test_exact_pins_may_not_change(universe: Universe) -> None:
    assert outcome(plan(universe, "lib=1.0.0", "app", pins=PinPolicy.EXACT)) == {"lib": "kept 1.0.0", "app": "kept 1.0"}
    refused = plan(universe, "lib=1.0.0", "app-patch", pins=PinPolicy.EXACT)
    assert not refused.solved
    assert refused.explanation
    assert outcome(refused) == {"lib": "dropped", "app-patch": "dropped"}


def test_nothing_may_change_and_all_conflicts_are_told(tmp_path: Path) -> None:
    records = [
        *(record("lib", version) for version in ("1.0", "2.0")),
        *(record("base", version) for version in ("1.0", "2.0")),
        record("old", depends=["lib 1.*", "base 1.*"]),
        record("new", depends=["lib 2.*"]),
        record("newer", depends=["base 2.*"]),
        record("fine"),
    ]
    universe = Universe(tmp_path, {**CHANNELS, "conda-forge": {"linux-64": records}})

    refused = plan(universe, "old=1.0", "new=1.0", "fine=1.0", "lib=1.0", "newer", pins=PinPolicy.EXACT)

    assert not refused.solved
    assert [{spec.split(" ")[0] for spec in one} for one in refused.conflicts] == [
        {"lib", "new"},
        {"new", "old"},
        {"newer", "old"},
    ]
    assert plan(universe, "old=1.0", "fine=1.0", pins=PinPolicy.EXACT).conflicts == ()


def test_of_equal_optima_the_first_channel_and_the_newest_record_are_taken(tmp_path: Path) -> None:
    records = [
        record("app", depends=["lib"]),
        record("lib", "1.0", "a_0", 0),
        record("lib", "1.0", "b_1", 1),
        record("lib", "2.0", "c_0", 0, track_features="odd"),
    ]
    newer = [record("lib", "3.0"), record("app", "0.9")]
    universe = Universe(tmp_path, {**CHANNELS, "conda-forge": {"linux-64": records}, "bioconda": {"linux-64": newer}})

    found = plan(universe, "app=1.0")

    assert {(one.name, one.version, one.build) for one in found.packages} == {
        ("app", "1.0", "0"),
        ("lib", "1.0", "b_1"),
    }


def test_python_is_cpython(tmp_path: Path) -> None:
    records = [
        record("openssl", "1.1.1"),
        record("openssl", "3.0"),
        record("python", "3.9.18", "0_73_pypy", depends=["openssl 1.1.*"]),
        record("python", "3.9.18", "0_cpython", depends=["openssl 3.*"]),
    ]
    universe = Universe(tmp_path, {**CHANNELS, "conda-forge": {"linux-64": records}})

    found = plan(universe, "python=3.9.18", "openssl=1.1.1")

    assert {(one.name, one.version, one.build) for one in found.packages} == {
        ("python", "3.9.18", "0_cpython"),
        ("openssl", "3.0", "0"),
    }


def test_the_variant_of_the_source_carries_over(tmp_path: Path) -> None:
    builds = ("cuda118_py_0", "cpu_generic_1", "cpu_mkl_0", "xpu_2")
    records = [record("torch", "2.1", build, int(build[-1])) for build in builds]
    universe = Universe(tmp_path, {**CHANNELS, "conda-forge": {"linux-64": records}})

    def chosen(*words: str) -> tuple[list[str], tuple[str, ...]]:
        wanted = environment("torch=2.1")
        target = universe.target("conda-forge")
        world = FakeWorld(universe, target)
        availability = survey(wanted, target, world, source_platform="win-64")
        intent = Intent(direct=("torch",), variants=(("torch", words),))
        found = make_plan(wanted, target, availability, world, intent, effort=60)
        return [one.build for one in found.packages], found.requirements

    assert chosen() == (["xpu_2"], ("torch ==2.1",))
    assert chosen("cuda") == (["cuda118_py_0"], ("torch ==2.1 *cuda*",))
    assert chosen("cpu") == (["cpu_generic_1"], ("torch ==2.1 *cpu*",))
    assert chosen("mkl") == (["cpu_mkl_0"], ("torch ==2.1 *mkl*",))
    assert chosen("openmpi") == (["xpu_2"], ("torch ==2.1",))


def test_minor_pins_may_change_in_their_patch_only(universe: Universe) -> None:
    allowed = plan(universe, "lib=1.0.0", "app-patch", pins=PinPolicy.MINOR)
    refused = plan(universe, "lib=1.0.0", "app-minor", pins=PinPolicy.MINOR)

    assert outcome(allowed) == {"lib": "1.0.0 -> 1.0.5", "app-patch": "kept 1.0"}
    assert all(row.version.startswith("1.0.") for row in refused.packages if row.name == "lib")
    assert "app-minor" not in {row.name for row in refused.packages}


def test_no_pins_still_hold_on_to_python(universe: Universe) -> None:
    found = plan(universe, "python=3.10", "lib=1.0.0", "app", pins=PinPolicy.NONE)

    assert {one.name: one.version for one in found.packages} == {"python": "3.10.13", "app": "1.0", "lib": "2.0.0"}


def test_builds_for_another_python_are_not_let_in_by_an_abi_without_constraint(tmp_path: Path) -> None:
    # As pkgs/main has them: python_abi 3.14 does not say that it is for Python 3.14.
    builds = [
        record("numpy", version, f"py{minor.replace('.', '')}_0", depends=["python", f"python_abi {minor}.*"])
        for version, minor in (("1.26.4", "3.10"), ("2.5.2", "3.14"))
    ]
    abis = [record("python_abi", minor, depends=[]) for minor in ("3.10", "3.14")]
    pythons = [record("python", version) for version in ("3.10.13", "3.14.1")]
    universe = Universe(tmp_path, {**CHANNELS, "conda-forge": {"linux-64": [*builds, *abis, *pythons]}})

    found = plan(universe, "python=3.10", "numpy=1.24.0", pins=PinPolicy.NONE)

    assert {one.name: one.version for one in found.packages} == {
        "python": "3.10.13",
        "numpy": "1.26.4",
        "python_abi": "3.10",
    }


def test_no_pins_give_the_newest(universe: Universe) -> None:
    assert outcome(plan(universe, "lib=1.0.0", "app", pins=PinPolicy.NONE)) == {
        "lib": "1.0.0 -> 2.0.0",
        "app": "kept 1.0",
    }


@pytest.mark.parametrize("pins", list(PinPolicy))
def test_an_older_lock_is_kept_where_nothing_speaks_against_it(universe: Universe, pins: PinPolicy) -> None:
    """``--from-lock``: what came along stays as it was, whatever is newer."""
    found = plan(universe, "app", pins=pins, preferred=(("lib", "1.0.5", "0"), ("gone", "1.0", "0")))

    assert [(one.name, one.version) for one in found.packages] == [("app", "1.0"), ("lib", "1.0.5")]


def test_an_older_lock_gives_way_to_what_was_asked_for(universe: Universe) -> None:
    found = plan(universe, "app-minor=1.0", preferred=(("lib", "1.0.5", "0"),))

    assert [(one.name, one.version) for one in found.packages] == [("app-minor", "1.0"), ("lib", "1.4.0")]


def test_an_older_lock_adds_nothing_that_nobody_needs_any_more(tmp_path: Path) -> None:
    universe = Universe(
        tmp_path,
        {
            "conda-forge": {
                "linux-64": [
                    record("app", "1.0", depends=["old-lib"]),
                    record("app", "2.0", depends=["new-lib"]),
                    record("old-lib", "1.0"),
                    record("new-lib", "1.0"),
                    record("new-lib", "1.1"),
                ]
            }
        },
    )
    before = (("app", "1.0", "0"), ("old-lib", "1.0", "0"), ("new-lib", "1.0", "0"))

    found = plan(universe, "app=2.0", preferred=before)

    assert [(one.name, one.version) for one in found.packages] == [("app", "2.0"), ("new-lib", "1.0")]


def test_the_python_that_builds_told_is_the_plans(universe: Universe) -> None:
    wanted = replace(environment("app", implied=("pip",)), python="3.10.*")
    target = universe.target("conda-forge")
    world = FakeWorld(universe, target)
    availability = survey(wanted, target, world, source_platform="win-64")
    found = make_plan(wanted, target, availability, world, Intent(direct=("app",)), effort=60)

    assert {one.name: one.version for one in found.packages}["python"] == "3.10.13"


def test_no_plan_is_made_while_a_channel_cannot_be_read(tmp_path: Path) -> None:
    universe = Universe(tmp_path, CHANNELS)
    (tmp_path / "bioconda" / "linux-64" / "repodata.json").write_text("{", encoding="utf-8")
    target = universe.target("conda-forge", "bioconda")
    world = FakeWorld(universe, target)
    wanted = environment("lib=1.0.0", "samtools")
    availability = survey(wanted, target, world, source_platform="win-64")
    found = make_plan(wanted, target, availability, world, Intent(direct=("lib", "samtools")), effort=60)

    assert not found.solved
    assert {row.reason for row in found.dropped} == {"a channel could not be read"}
    assert [row.name for row in found.dropped] == ["lib", "samtools"]


# ---------------------------------------------------------------------------------------------------------------------
# A source that solves as it is written
# ---------------------------------------------------------------------------------------------------------------------


def planned_as_written(
    universe: Universe,
    monkeypatch: pytest.MonkeyPatch,
    specs: tuple[str, ...],
    solved: tuple[str, ...],
    *,
    implied: tuple[str, ...] = (),
    variants: tuple[tuple[str, tuple[str, ...]], ...] = (),
    pins: PinPolicy = PinPolicy.PRESERVE,
) -> tuple[Plan, bool]:
    """The plan where the engine answered to the rows what it answers to ``solved``; and whether it was searched for."""
    wanted = environment(*specs, implied=implied)
    target = universe.target("conda-forge")
    world = FakeWorld(universe, target)
    answer = world.index.solve(solved)
    assert isinstance(answer, Solved)
    availability = survey(wanted, target, world, source_platform="linux-64")
    intent = Intent(direct=tuple(one.name for one in wanted.requirements), variants=variants)
    searched: list[object] = []
    run = Search.run
    monkeypatch.setattr(Search, "run", lambda self: searched.append(self) or run(self))
    found = make_plan(wanted, target, availability, world, intent, pins=pins, effort=60, as_written=answer)
    return found, bool(searched)


def test_what_solves_as_it_is_written_is_the_plan(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    found, searched = planned_as_written(universe, monkeypatch, ("app", "lib>=1"), ("app", "lib >=1"))

    assert not searched
    assert outcome(found) == {"app": "kept 1.0", "lib": "kept 2.0.0"}
    assert (found.solved, found.optimal, found.explanation) == (True, True, "")
    assert found.requirements == ("app ==1.0", "lib ==2.0.0")


@pytest.mark.parametrize(
    ("specs", "solved", "more"),
    [
        pytest.param(("lib=1.0.0",), ("lib",), {}, id="another version"),
        pytest.param(("app", "lib"), ("lib",), {}, id="a row is missing"),
        pytest.param(("for312",), ("for310",), {}, id="another package"),
        pytest.param(("lib",), ("lib",), {"implied": ("pip",)}, id="what the pip section needs is missing"),
        pytest.param(("lib",), ("lib",), {"variants": (("lib", ("cuda",)),)}, id="another variant"),
        pytest.param(("lib",), ("lib",), {"pins": PinPolicy.NONE}, id="no version is held on to"),
        pytest.param(("python=3.10", "for310"), ("python 3.12.*", "for310"), {}, id="another Python"),
    ],
)
def test_what_is_not_all_that_is_wished_for_is_searched_for(
    universe: Universe,
    monkeypatch: pytest.MonkeyPatch,
    specs: tuple[str, ...],
    solved: tuple[str, ...],
    more: dict[str, Any],
) -> None:
    found, searched = planned_as_written(universe, monkeypatch, specs, solved, **more)

    assert searched
    assert found.solved
