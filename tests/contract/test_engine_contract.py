"""What every engine owes to the rest of envcheck, asked of each one in the same words.

Whoever adds an engine adds a line to `ENGINES`. What an engine cannot do stands in `SHORTCOMINGS`, with the reason; the
test fails as soon as it can.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from envcheck.engines import Engine, Index, LoadOptions
from envcheck.errors import ChannelError
from envcheck.model import Channel, ChannelState, Unsolved, VirtualPackage
from envcheck.specs import dependency_parts, matches
from tests.support.channels import LINUX, channel, record, solved, versions, virtual_packages, write_channel
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory

ENGINES = {
    "rattler": ("envcheck.engines.rattler", "RattlerEngine", "rattler"),
    "rattler-stored": ("tests.support.stores", "StoredRattlerEngine", "rattler"),
    "libmamba": ("envcheck.engines.libmamba", "LibmambaEngine", "libmambapy"),
    "libmamba-stored": ("tests.support.libmamba_stores", "StoredLibmambaEngine", "libmambapy"),
}
"""Each engine's module, class and the library that it needs."""

SHORTCOMINGS: dict[str, str] = dict.fromkeys(
    (
        "test_preferences_yield_to_the_priority_of_channels[rattler-strict]",
        "test_preferences_yield_to_the_priority_of_channels[rattler-stored-strict]",
    ),
    "a record that is preferred comes from whatever channel it is in",
)
"""Tests that an engine is known to fail, and why."""

TOKEN = "tk-1f2e3d4c-5b6a-7988-secret"  # noqa: S105  # opens nothing

Load = Callable[..., Index]


@pytest.fixture(params=[name for name, (module, _, _) in ENGINES.items() if importlib.util.find_spec(module)])
def engine(request: pytest.FixtureRequest) -> Engine:
    if reason := SHORTCOMINGS.get(request.node.name):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    module, class_name, library = ENGINES[request.param]
    pytest.importorskip(library, reason=f"{library}, which the {request.param} engine needs, is not installed")
    made: Engine = getattr(importlib.import_module(module), class_name)()
    return made


@pytest.fixture
def load(engine: Engine, tmp_path: Path) -> Load:
    """Loads channels for linux-64, with a cache of the test's own."""

    def load(
        *channels: Channel,
        platform: str = "linux-64",
        virtual: Sequence[VirtualPackage] = LINUX,
        priority: str = "flexible",
        **options: Any,
    ) -> Index:
        settings = LoadOptions(**{"cache_directory": str(tmp_path / "cache"), **options})
        return engine.load(channels, platform, virtual, channel_priority=priority, options=settings)

    return load


@pytest.fixture
def conda_forge(channels_directory: Path) -> Channel:
    return channel(channels_directory / "conda-forge")


@pytest.fixture
def main(channels_directory: Path) -> Channel:
    return Channel(
        name="pkgs/main",
        url="https://repo.anaconda.com/pkgs/main",
        locations=((channels_directory / "pkgs" / "main").as_uri(),),
    )


@pytest.fixture
def index(load: Load, conda_forge: Channel) -> Index:
    """The fixture channel conda-forge, loaded for linux-64."""
    return load(conda_forge)


def meaning(dependencies: Iterable[str]) -> list[tuple[str, str | None, str | None]]:
    """What specs say, however they are spelled: libmamba gives ``a ==1.0=b`` as ``a ==1.0 b``."""
    return [dependency_parts(dependency) for dependency in dependencies]


# ---------------------------------------------------------------------------------------------------------------------
# Look-ups
# ---------------------------------------------------------------------------------------------------------------------


def test_the_engine_names_itself(engine: Engine) -> None:
    assert engine.info.name in ENGINES
    assert re.match(r"\d+\.\d+", engine.info.version)


def test_an_index_is_an_index(index: Index) -> None:
    assert isinstance(index, Index)
    assert index.platform == "linux-64"
    assert [(status.channel.name, status.state) for status in index.statuses] == [("conda-forge", ChannelState.LOADED)]


def test_names_are_those_of_the_platform_and_noarch(index: Index) -> None:
    names = index.names()
    assert {"numpy", "geopandas", "libgcc-ng", "win_inet_pton"} <= names
    assert names.isdisjoint({"pywin32", "vc", "ucrt", "__glibc", "__unix"})


def test_names_of_several_channels(load: Load, conda_forge: Channel, main: Channel) -> None:
    assert {"regionmask", "numpy-base"} <= load(conda_forge, main).names()


def test_records_say_everything_that_the_repodata_says(index: Index, channels_directory: Path) -> None:
    for subdir in ("linux-64", "noarch"):
        content = json.loads((channels_directory / "conda-forge" / subdir / "repodata.json").read_text())
        for filename, written in {**content["packages"], **content["packages.conda"]}.items():
            url = f"https://conda.anaconda.org/conda-forge/{subdir}/{filename}"
            found = next(one for one in index.records(written["name"]) if one.url == url)
            assert found.channel == "https://conda.anaconda.org/conda-forge"
            assert (found.name, found.version, found.build) == (written["name"], written["version"], written["build"])
            assert (found.build_number, found.subdir) == (written["build_number"], subdir)
            assert (found.md5, found.sha256, found.size) == (written["md5"], written["sha256"], written["size"])
            assert found.timestamp == written["timestamp"]
            assert found.noarch == written.get("noarch")
            assert meaning(found.depends) == meaning(written["depends"])
            assert meaning(found.constrains) == meaning(written.get("constrains", ()))
            assert found.track_features == tuple(written.get("track_features", "").split())


def test_timestamps_are_milliseconds(load: Load, tmp_path: Path) -> None:
    written = [
        record("a", "1.0", timestamp=1_700_000_000_123),
        record("b", "1.0", timestamp=1_300_000_000),
        {key: value for key, value in record("c", "1.0").items() if key not in ("timestamp", "size", "md5")},
    ]
    found = load(channel(write_channel(tmp_path / "times", {"linux-64": written, "noarch": []})))
    # libmamba keeps whole seconds.
    assert found.records("a")[0].timestamp in (1_700_000_000_123, 1_700_000_000_000)
    assert found.records("b")[0].timestamp == 1_300_000_000_000, "some old records have seconds"
    bare = found.records("c")[0]
    assert (bare.timestamp, bare.size, bare.md5) == (None, None, None)


def test_a_package_in_both_formats_is_one_record(load: Load, tmp_path: Path) -> None:
    directory = write_channel(tmp_path / "formats", {"linux-64": [record("a")], "noarch": []})
    path = directory / "linux-64" / "repodata.json"
    content = json.loads(path.read_text())
    content["packages"] = {"a-1.0-0.tar.bz2": {**record("a"), "subdir": "linux-64"}}
    path.write_text(json.dumps(content))
    assert [one.url.rsplit("/", 1)[1] for one in load(channel(directory)).records("a")] == ["a-1.0-0.conda"]


def test_records_of_an_unknown_name(index: Index) -> None:
    assert index.records("no-such-package") == ()
    assert index.matching("no-such-package >=1") == ()


def test_records_come_in_channel_order_and_newest_first(load: Load, conda_forge: Channel, main: Channel) -> None:
    both = load(main, conda_forge)
    assert [(one.channel, one.version) for one in both.matching("numpy * py310*")] == [
        ("https://repo.anaconda.com/pkgs/main", "1.26.3"),
        ("https://repo.anaconda.com/pkgs/main", "1.26.2"),
        ("https://conda.anaconda.org/conda-forge", "1.26.4"),
        ("https://conda.anaconda.org/conda-forge", "1.26.2"),
        ("https://conda.anaconda.org/conda-forge", "1.24.4"),
    ]
    assert [one.build_number for one in both.matching("python 3.10.13 *cpython")] == [1, 0]


def test_versions_are_ordered_as_conda_orders_them(load: Load, tmp_path: Path) -> None:
    written = ["1.9", "1.10", "1.10rc1", "1.10.post1", "2!0.1"]
    directory = write_channel(tmp_path / "order", {"noarch": [record("a", version) for version in written]})
    write_channel(directory, {"linux-64": []})
    assert versions(load(channel(directory)).records("a")) == ["2!0.1", "1.10.post1", "1.10", "1.10rc1", "1.9"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("numpy * py310*", {"1.24.4", "1.26.2", "1.26.4"}),
        ("numpy 1.26.* py310*", {"1.26.2", "1.26.4"}),
        ("numpy=1.26", {"1.26.2", "1.26.4"}),
        ("numpy==1.26.2", {"1.26.2"}),
        ("numpy=1.26.2=py310hb13e2d6_0", {"1.26.2"}),
        ("numpy ==1.26.2 py310hb13e2d6_0", {"1.26.2"}),
        ("numpy ==1.26.2 py310hf667824_0", set()),
        ("numpy >=1.24,<1.26.4", {"1.24.4", "1.26.2"}),
        ("numpy !=1.26.2", {"1.24.4", "1.26.4"}),
        ("numpy 1.24.4|1.26.4", {"1.24.4", "1.26.4"}),
        ("numpy ~=1.26.3", {"1.26.4"}),
        ("hdf5 1.14.2", set()),
        ("hdf5 >=1.14.2,<1.14.4.0a0", {"1.14.3"}),
        ("hdf5 * nompi_*", {"1.14.0", "1.14.3"}),
        ("hdf5 * mpi_*", set()),
        ("NumPy 1.26.4", {"1.26.4"}),
        ("conda-forge::numpy 1.26.4", {"1.26.4"}),
        ("libblas[version='>=3.9', build='*mkl']", {"3.9.0"}),
        ("win_inet_pton", {"1.1.0"}),
    ],
)
def test_matching(index: Index, spec: str, expected: set[str]) -> None:
    assert set(versions(index.matching(spec))) == expected


def test_matching_by_build(index: Index) -> None:
    assert [one.build for one in index.matching("libblas 3.9.0 *_openblas")] == ["20_linux64_openblas"]
    assert [one.build for one in index.matching("libblas * *mkl")] == ["20_linux64_mkl"]


def test_matching_is_what_the_grammar_says_of_each_record(load: Load, tmp_path: Path) -> None:
    rows = [
        record("blas", version, build, number)
        for version in ("1.0", "1.1", "2.0", "2.0.0")
        for number, build in enumerate(("mkl", "openblas", "h1_openblas", "1_mkl"))
    ]
    index = load(channel(write_channel(tmp_path / "builds", {"linux-64": rows})))

    for version in ("*", "1.*", ">=1.1", "==2.0", "1.0|2.0", ">=1,<2", "!=1.1", "~=1.0"):
        for build in ("*", "mkl", "*mkl", "*openblas", "h1_*", "h1_openblas", "none"):
            spec = f"blas {version} {build}"
            expected = [one.url for one in index.records("blas") if matches(spec, one)]
            assert [one.url for one in index.matching(spec)] == expected, spec


def test_matching_in_one_channel(load: Load, conda_forge: Channel, main: Channel) -> None:
    both = load(conda_forge, main)
    assert {one.channel for one in both.matching("numpy")} == {conda_forge.url, main.url}
    assert {one.channel for one in both.matching("pkgs/main::numpy")} == {main.url}
    assert {one.channel for one in both.matching(f"{main.url}::numpy")} == {main.url}


@pytest.mark.parametrize("text", ["numpy >=", "numpy >>1.2", "numpy [version=", ""])
def test_what_is_no_spec_is_a_value_error(index: Index, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        index.matching(text)


# ---------------------------------------------------------------------------------------------------------------------
# Solving
# ---------------------------------------------------------------------------------------------------------------------


def test_a_solution_is_whole_and_sorted(index: Index) -> None:
    packages = solved(index.solve(["python 3.10.*", "geopandas", "netcdf4 1.6.5"]))
    assert list(packages) == sorted(packages)
    assert {"python", "numpy", "libgdal", "hdf5", "libgcc-ng"} <= packages.keys()
    assert packages["python"].version == "3.10.13"
    assert packages["hdf5"].version == "1.14.3"
    assert not any(name.startswith("__") for name in packages)
    for package in packages.values():
        assert package in index.records(package.name)
        for spec in package.depends:
            name = spec.split()[0]
            assert name.startswith("__") or packages[name] in index.matching(spec)


def test_nothing_asked_is_nothing_installed(index: Index) -> None:
    assert solved(index.solve([])) == {}


def test_the_same_question_has_the_same_answer(load: Load, conda_forge: Channel) -> None:
    specs = ["python 3.11.*", "jupyterlab", "regionmask"]
    first = load(conda_forge).solve(specs)
    assert first == load(conda_forge).solve(specs)
    assert solved(first)


@pytest.mark.parametrize(
    "specs",
    [
        ["no-such-package"],
        ["hdf5 1.14.2"],
        ["pywin32"],
        ["numpy ==1.26.2 py310hf667824_0"],
        ["python 3.10.*", "python 3.11.*"],
        ["python 3.11.*", "numpy * py310*"],
        ["hdf5 1.14.0", "netcdf4"],
    ],
)
def test_what_cannot_be_is_unsolved_with_words_and_leaves_the_index_usable(index: Index, specs: list[str]) -> None:
    outcome = index.solve(specs)
    assert isinstance(outcome, Unsolved)
    assert outcome.explanation
    assert not outcome.cancelled
    assert "zstd" in solved(index.solve(["zstd"]))


def test_what_is_no_spec_cannot_be_solved(index: Index) -> None:
    with pytest.raises(ValueError, match=r".+"):
        index.solve(["numpy >>1.2"])


def pigeons(count: int) -> list[dict[str, Any]]:
    """More pigeons than holes: packages of which no solver that learns from conflicts finds out soon that none fit."""
    names = range(count + 1)
    return [record(f"hole-{hole}", str(pigeon)) for hole in range(count) for pigeon in names] + [
        record(f"pigeon-{pigeon}", str(hole), depends=[f"hole-{hole} =={pigeon}"])
        for pigeon in names
        for hole in range(count)
    ]


def test_a_solve_is_cancelled_when_its_time_is_over(engine: Engine, load: Load, tmp_path: Path) -> None:
    if engine.info.name == "libmamba" and sys.platform != "linux":
        pytest.skip("libmamba cannot be stopped; only on Linux can the process that it runs in")
    found = load(channel(write_channel(tmp_path / "pigeons", {"linux-64": pigeons(14), "noarch": []})))
    started = time.monotonic()
    outcome = found.solve([f"pigeon-{number}" for number in range(15)], timeout=1)
    assert time.monotonic() - started < 30
    assert isinstance(outcome, Unsolved)
    assert outcome.cancelled
    assert outcome.explanation
    assert "hole-3" in solved(found.solve(["pigeon-1 3"], timeout=60))


@pytest.mark.parametrize("timeout", [None, 60])
def test_a_solve_leaves_no_trace(index: Index, timeout: float | None) -> None:
    specs = ["python 3.10.*", "pandas"]
    first = index.solve(specs, timeout=timeout)
    kept = index.matching("numpy ==1.26.2 py310*")
    changed = index.solve(specs, preferred=kept, constraints=["pandas <2.2"], timeout=timeout)
    assert solved(changed)["numpy"].version == "1.26.2"
    assert isinstance(index.solve(specs, constraints=["numpy <1.0", "python >=3.11"], timeout=timeout), Unsolved)
    assert index.solve(specs, timeout=timeout) == first


def test_equals_are_a_free_choice(load: Load, tmp_path: Path) -> None:
    # Two packages of the same version and build number: whichever an engine takes, it takes it always.
    records = [record("a", "1.0", "h1_0"), record("a", "1.0", "h2_0")]
    directory = write_channel(tmp_path / "equals", {"linux-64": records, "noarch": []})
    answers = {solved(load(channel(directory)).solve(["a"]))["a"].build for _ in range(3)}
    assert len(answers) == 1
    assert answers <= {"h1_0", "h2_0"}


def test_either_of_two_ways_is_a_solution(load: Load, tmp_path: Path) -> None:
    # The newest `a` forbids the newest `b`: engines may give up either, never both.
    records = [
        record("a", "1.0"),
        record("a", "2.0", constrains=["b <2"]),
        record("b", "1.0"),
        record("b", "2.0"),
    ]
    found = load(channel(write_channel(tmp_path / "ways", {"linux-64": records, "noarch": []})))
    packages = solved(found.solve(["a", "b"]))
    assert (packages["a"].version, packages["b"].version) in {("2.0", "1.0"), ("1.0", "2.0")}


def test_noarch_packages_need_their_kind_of_system(load: Load, conda_forge: Channel) -> None:
    specs = ["click", "ca-certificates 2024.2.2"]
    on_linux = solved(load(conda_forge).solve(specs))
    assert on_linux["click"].build == "unix_pyh707e725_0"
    assert "__unix" in on_linux["ca-certificates"].depends
    on_windows = solved(load(conda_forge, platform="win-64", virtual=virtual_packages(win="0")).solve(specs))
    assert on_windows["click"].build == "win_pyh7428d3b_0"
    assert "colorama" in on_windows


def test_a_noarch_package_for_windows_is_never_on_linux(index: Index) -> None:
    assert index.matching("win_inet_pton")
    assert isinstance(index.solve(["win_inet_pton"]), Unsolved)


def test_constrains_are_respected(index: Index) -> None:
    assert isinstance(index.solve(["jpeg", "libjpeg-turbo"]), Unsolved)
    assert solved(index.solve(["jpeg", "libtiff"]))["libtiff"].version == "4.4.0"
    assert "libjpeg-turbo" not in solved(index.solve(["jpeg", "libtiff"]))


def test_constrains_install_nothing(index: Index) -> None:
    assert "h5py" not in solved(index.solve(["xarray"]))


def test_tracked_features_weigh_a_package_down(index: Index, load: Load, tmp_path: Path) -> None:
    assert solved(index.solve(["libblas"]))["libblas"].build == "20_linux64_openblas"
    assert solved(index.solve(["libblas * *mkl"]))["libblas"].build == "20_linux64_mkl"
    directory = write_channel(
        tmp_path / "features",
        {"linux-64": [record("a", "1.0"), record("a", "2.0", track_features="heavy")], "noarch": []},
    )
    assert solved(load(channel(directory)).solve(["a"]))["a"].version == "1.0"


def test_newer_versions_then_higher_builds_are_better(load: Load, tmp_path: Path) -> None:
    records = [record("a", "1.9", "5", 5), record("a", "1.10", "0", 0), record("a", "1.10", "1", 1)]
    small = load(channel(write_channel(tmp_path / "builds", {"linux-64": records, "noarch": []})))
    assert solved(small.solve(["a"]))["a"].build == "1"
    assert solved(small.solve(["a <1.10"]))["a"].build == "5"
    assert solved(small.solve(["a 1.10 0"]))["a"].build == "0"


def test_glibc(load: Load, conda_forge: Channel) -> None:
    def h5py(glibc: str) -> str:
        found = load(conda_forge, virtual=virtual_packages(unix="0", linux="4.18", glibc=glibc))
        return solved(found.solve(["h5py"]))["h5py"].version

    assert (h5py("2.17"), h5py("2.28"), h5py("2.36")) == ("3.10.0", "3.11.0", "3.11.0")


def test_cuda(load: Load, conda_forge: Channel) -> None:
    without = load(conda_forge)
    assert solved(without.solve(["pytorch 2.1.0"]))["pytorch"].build.startswith("cpu_generic_")
    assert isinstance(without.solve(["pytorch 2.1.0 cuda*"]), Unsolved)
    with_cuda = load(conda_forge, virtual=(*LINUX, *virtual_packages(cuda="12.0")))
    assert solved(with_cuda.solve(["pytorch 2.1.0"]))["pytorch"].build.startswith("cuda118_")


def test_preferred_records_are_kept_where_they_may(index: Index) -> None:
    specs = ["python 3.10.*", "pandas"]
    preferred = [*index.matching("numpy ==1.26.2 py310*"), *index.matching("zstd 1.5.2")]
    packages = solved(index.solve(specs, preferred=preferred))
    assert packages["numpy"].version == "1.26.2"
    assert packages["pandas"].version == "2.2.1"
    assert "zstd" not in packages, "a preference asks for nothing"
    assert solved(index.solve([*specs, "numpy 1.24.*"], preferred=preferred))["numpy"].version == "1.24.4"


def test_a_channel_that_is_asked_for_comes_before_a_preference(load: Load, tmp_path: Path) -> None:
    for name in ("high", "low"):
        write_channel(tmp_path / name, {"linux-64": [record("a", "1.0")], "noarch": []})
    index = load(*(channel(tmp_path / name) for name in ("high", "low")))
    high, low = index.records("a")
    assert solved(index.solve(["a ==1.0"], preferred=[low]))["a"] == low
    assert solved(index.solve([f"{low.channel}::a ==1.0"], preferred=[high]))["a"] == low


def test_records_of_another_index_may_be_preferred(load: Load, conda_forge: Channel, main: Channel) -> None:
    preferred = load(conda_forge, main, priority="disabled").matching("psutil 5.9.5 py310*")
    preferred += load(main).matching("numpy 1.26.3 py310*")
    packages = solved(load(conda_forge).solve(["python 3.10.*", "psutil", "numpy"], preferred=preferred))
    assert packages["psutil"].version == "5.9.5"
    assert packages["numpy"].version == "1.26.4", "a record that the index has not is no choice"


def test_constraints_hold_only_for_what_is_installed_anyway(index: Index) -> None:
    specs = ["python 3.10.*", "pandas"]
    packages = solved(index.solve(specs, constraints=["numpy <1.26.4", "zstd 1.5.2"]))
    assert packages["numpy"].version == "1.26.2"
    assert "zstd" not in packages
    assert isinstance(index.solve(specs, constraints=["numpy <1.0"]), Unsolved)


def test_a_generous_timeout_changes_nothing(index: Index) -> None:
    assert "geopandas" in solved(index.solve(["geopandas"], timeout=120))


def test_records_newer_than_a_date_are_not_there(load: Load, tmp_path: Path) -> None:
    records = [record("a", "1.0", timestamp=1_000_000_000_000), record("a", "2.0", timestamp=1_600_000_000_000)]
    found = channel(write_channel(tmp_path / "dates", {"linux-64": records, "noarch": []}))
    then = load(found, exclude_newer=1_500_000_000_000)
    assert versions(then.records("a")) == ["1.0"]
    assert solved(then.solve(["a"]))["a"].version == "1.0"
    assert isinstance(then.solve(["a 2.0"]), Unsolved)


# ---------------------------------------------------------------------------------------------------------------------
# Several channels
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_channels(tmp_path: Path) -> tuple[Channel, Channel]:
    """The first has ``a`` and ``b`` 1.0; the second has 2.0 of both, and ``c`` and ``d``, which need an ``a``."""
    first = {"linux-64": [record("a", "1.0"), record("b", "1.0")], "noarch": []}
    users = [record("c", depends=["a"]), record("d", depends=["a >=2"])]
    second = {"linux-64": [record("a", "2.0"), record("b", "2.0"), *users], "noarch": []}
    return (
        channel(write_channel(tmp_path / "first", first), "first"),
        channel(write_channel(tmp_path / "second", second), "second"),
    )


@pytest.mark.parametrize(
    ("priority", "newest", "second_channels"),
    [("strict", "1.0", None), ("flexible", "1.0", "2.0"), ("disabled", "2.0", "2.0")],
)
def test_channel_priority(
    load: Load, two_channels: tuple[Channel, Channel], priority: str, newest: str, second_channels: str | None
) -> None:
    both = load(*two_channels, priority=priority)
    assert versions(both.records("a")) == ["1.0", "2.0"], "look-ups see every channel"
    assert solved(both.solve(["a"]))["a"].version == newest
    assert solved(both.solve(["c"]))["a"].version == newest
    outcome = both.solve(["a >=2"])
    assert (None if isinstance(outcome, Unsolved) else solved(outcome)["a"].version) == second_channels


def test_flexible_priority_lets_only_those_through_that_need_it(
    load: Load, two_channels: tuple[Channel, Channel]
) -> None:
    packages = solved(load(*two_channels, priority="flexible").solve(["a >=2", "b"]))
    assert packages["a"].channel == two_channels[1].url
    assert packages["b"].channel == two_channels[0].url
    packages = solved(load(*two_channels, priority="flexible").solve(["d", "b"]))
    assert packages["a"].channel == two_channels[1].url
    assert packages["b"].channel == two_channels[0].url


@pytest.mark.parametrize("priority", ["strict", "flexible"])
def test_preferences_yield_to_the_priority_of_channels(
    load: Load, two_channels: tuple[Channel, Channel], priority: str
) -> None:
    both = load(*two_channels, priority=priority)
    preferred = [one for one in (*both.records("a"), *both.records("b")) if one.version == "2.0"]
    packages = solved(both.solve(["c", "b"], preferred=preferred))
    if priority == "strict":
        assert {name: one.channel for name, one in packages.items() if name != "c"} == dict.fromkeys(
            "ab", two_channels[0].url
        )
        assert isinstance(both.solve(["d"], preferred=preferred), Unsolved)
    # How much a preference outweighs a channel is an engine's own affair where the priority is not strict.
    assert packages["a"].version in ("1.0", "2.0")


def test_preferences_are_kept_under_strict_priority(load: Load, conda_forge: Channel, main: Channel) -> None:
    both = load(conda_forge, main, priority="strict")
    preferred = [*both.matching("conda-forge::numpy ==1.26.2 py310*")]
    packages = solved(both.solve(["python 3.10.*", "pandas"], preferred=preferred))
    assert packages["numpy"].version == "1.26.2"
    for name, package in packages.items():
        assert package.channel == both.records(name)[0].channel, "no package is from a channel that another one hides"


def test_platforms_and_priorities_live_side_by_side(
    load: Load, two_channels: tuple[Channel, Channel], conda_forge: Channel
) -> None:
    linux = load(conda_forge)
    windows = load(conda_forge, platform="win-64", virtual=virtual_packages(win="0"))
    strict = load(*two_channels, priority="strict")
    disabled = load(*two_channels, priority="disabled")
    assert "win_inet_pton" in solved(windows.solve(["win_inet_pton"]))
    assert isinstance(linux.solve(["win_inet_pton"]), Unsolved)
    assert (linux.platform, windows.platform) == ("linux-64", "win-64")
    assert isinstance(strict.solve(["a >=2"]), Unsolved)
    assert solved(disabled.solve(["a"]))["a"].version == "2.0"
    assert solved(strict.solve(["a"]))["a"].version == "1.0"


def test_a_spec_may_name_its_channel(load: Load, conda_forge: Channel, main: Channel) -> None:
    both = load(conda_forge, main, priority="disabled")
    assert solved(both.solve(["pkgs/main::psutil"]))["psutil"].channel == main.url
    assert solved(both.solve(["conda-forge::psutil"]))["psutil"].channel == conda_forge.url


def test_records_have_the_canonical_address_wherever_they_came_from(load: Load, channels_directory: Path) -> None:
    mirrored = Channel(
        name="conda-forge",
        url="https://conda.anaconda.org/conda-forge",
        locations=((channels_directory / "conda-forge").as_uri(),),
        mirror="tuna",
    )
    package = solved(load(mirrored).solve(["zstd"]))["zstd"]
    assert package.channel == "https://conda.anaconda.org/conda-forge"
    assert package.url == "https://conda.anaconda.org/conda-forge/linux-64/zstd-1.5.5-hfc55251_0.conda"


def test_the_next_location_is_asked_when_one_fails(
    load: Load, channels_directory: Path, loopback_server: ServerFactory
) -> None:
    broken = loopback_server(channels_directory)
    broken.misbehave("/", Misbehaviour.SERVER_ERROR)
    mirrored = Channel(
        name="conda-forge",
        url="https://conda.anaconda.org/conda-forge",
        locations=(f"{broken.url}/conda-forge", (channels_directory / "conda-forge").as_uri()),
    )
    found = load(mirrored)
    assert found.statuses[0].state is ChannelState.LOADED
    assert found.records("zstd")


# ---------------------------------------------------------------------------------------------------------------------
# Channels in trouble
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "http"])
def located(request: pytest.FixtureRequest, loopback_server: ServerFactory) -> Callable[[Path], Channel]:
    """A channel of a directory, as a ``file://`` tree and as a web server."""

    def located(directory: Path) -> Channel:
        return channel(directory if request.param == "file" else loopback_server(directory).url)

    return located


def test_over_http(load: Load, channels_directory: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(channels_directory)
    found = load(channel(f"{server.url}/conda-forge"))
    assert solved(found.solve(["zstd"]))["zstd"].url.startswith("https://conda.anaconda.org/conda-forge/linux-64/")
    assert any(path.endswith("/linux-64/repodata.json.zst") for path in server.paths())


def test_a_missing_noarch_folder(load: Load, tmp_path: Path, located: Callable[[Path], Channel]) -> None:
    found = load(located(write_channel(tmp_path / "no-noarch", {"linux-64": [record("a"), record("b")]})))
    status = found.statuses[0]
    assert status.state is ChannelState.NO_SUBDIR
    assert "noarch" in status.detail
    assert found.names() == {"a", "b"}
    assert solved(found.solve(["a"]))["a"].subdir == "linux-64"


def test_a_missing_platform_folder(load: Load, tmp_path: Path, located: Callable[[Path], Channel]) -> None:
    found = load(located(write_channel(tmp_path / "no-linux", {"noarch": [record("a", noarch="generic")]})))
    status = found.statuses[0]
    assert status.state is ChannelState.NO_SUBDIR
    assert "linux-64" in status.detail
    assert solved(found.solve(["a"]))["a"].subdir == "noarch"


def test_an_empty_folder_is_no_missing_one(load: Load, tmp_path: Path, located: Callable[[Path], Channel]) -> None:
    directory = write_channel(tmp_path / "empty", {"linux-64": [], "noarch": [record("a", noarch="generic")]})
    assert load(located(directory)).statuses[0].state is ChannelState.LOADED


def test_a_channel_that_is_not_there(
    load: Load, tmp_path: Path, located: Callable[[Path], Channel], conda_forge: Channel
) -> None:
    (tmp_path / "nothing").mkdir()
    absent = located(tmp_path / "nothing")
    found = load(absent, conda_forge)
    assert [status.state for status in found.statuses] == [ChannelState.NOT_FOUND, ChannelState.LOADED]
    assert found.statuses[0].channel == absent
    assert solved(found.solve(["zstd"]))
    with pytest.raises(ChannelError) as failure:
        load(absent)
    assert failure.value.hint


@pytest.fixture
def guarded(channels_directory: Path, loopback_server: ServerFactory) -> LoopbackServer:
    """A server of the fixture channels with a token in its address."""
    return loopback_server(channels_directory, prefix=f"/t/{TOKEN}")


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (("/bioconda", Misbehaviour.NOT_FOUND), ChannelState.NOT_FOUND),
        (("/bioconda/linux-64", Misbehaviour.NOT_FOUND), ChannelState.NO_SUBDIR),
        (("/bioconda", Misbehaviour.FORBIDDEN), ChannelState.FORBIDDEN),
        (("/bioconda/linux-64", Misbehaviour.FORBIDDEN), ChannelState.FORBIDDEN),
        (("/bioconda", Misbehaviour.SERVER_ERROR), ChannelState.UNREACHABLE),
        (("/bioconda/noarch", Misbehaviour.SERVER_ERROR), ChannelState.UNREACHABLE),
        (("/bioconda", Misbehaviour.RESET), ChannelState.UNREACHABLE),
        (("/bioconda", Misbehaviour.WEB_PAGE), ChannelState.DAMAGED),
        (("/bioconda/linux-64", Misbehaviour.TRUNCATED), ChannelState.DAMAGED),
        (("/bioconda/linux-64", Misbehaviour.BIT_FLIPPED), ChannelState.DAMAGED),
    ],
)
def test_a_channel_in_trouble_is_told_and_left_out(
    load: Load,
    guarded: LoopbackServer,
    conda_forge: Channel,
    trouble: tuple[str, Misbehaviour],
    state: ChannelState,
) -> None:
    guarded.misbehave(*trouble)
    found = load(channel(f"{guarded.url}/bioconda", "bioconda"), conda_forge)
    assert [status.state for status in found.statuses] == [state, ChannelState.LOADED]
    assert found.statuses[0].detail
    assert TOKEN not in repr(found.statuses)
    assert TOKEN not in found.statuses[0].detail
    assert not found.matching("samtools")
    assert solved(found.solve(["zstd"]))


def test_damaged_repodata_on_disk(load: Load, tmp_path: Path, conda_forge: Channel) -> None:
    directory = write_channel(tmp_path / "damaged", {"linux-64": [record("a")], "noarch": []})
    whole = (directory / "linux-64" / "repodata.json").read_text()
    (directory / "linux-64" / "repodata.json").write_text(whole[: len(whole) // 2])
    found = load(channel(directory, "damaged"), conda_forge)
    assert [status.state for status in found.statuses] == [ChannelState.DAMAGED, ChannelState.LOADED]
    assert not found.records("a")


def test_repodata_that_ends_early(load: Load, tmp_path: Path, conda_forge: Channel) -> None:
    # Cut behind a record, where what is there looks whole.
    directory = write_channel(tmp_path / "cut", {"linux-64": [record("a"), record("b")], "noarch": []})
    path = directory / "linux-64" / "repodata.json"
    whole = path.read_text()
    path.write_text(whole[: whole.index('"b-1.0-0.conda"') - 2])
    found = load(channel(directory, "cut"), conda_forge)
    assert [status.state for status in found.statuses] == [ChannelState.DAMAGED, ChannelState.LOADED]
    assert "a" not in found.names()


def test_braces_in_a_text_are_no_damage(load: Load, tmp_path: Path) -> None:
    records = [record("a", license="BSD {3"), record("b", license="} or so")]
    directory = write_channel(tmp_path / "braces", {"linux-64": records, "noarch": [record("c", license="{{{")]})
    assert load(channel(directory)).names() == {"a", "b", "c"}


def test_damage_is_not_kept(engine: Engine, guarded: LoopbackServer, tmp_path: Path, conda_forge: Channel) -> None:
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    channels = [channel(f"{guarded.url}/bioconda", "bioconda"), conda_forge]
    guarded.misbehave("/bioconda/linux-64", Misbehaviour.TRUNCATED)
    damaged = engine.load(channels, "linux-64", LINUX, options=options)
    assert damaged.statuses[0].state is ChannelState.DAMAGED
    guarded.behave()
    mended = type(engine)().load(channels, "linux-64", LINUX, options=options)
    assert mended.statuses[0].state is ChannelState.LOADED
    assert mended.records("samtools")


def test_nobody_listens(load: Load, conda_forge: Channel) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    found = load(channel(f"{address}/bioconda", "bioconda"), conda_forge)
    assert [status.state for status in found.statuses] == [ChannelState.UNREACHABLE, ChannelState.LOADED]


def test_trouble_with_the_only_channel_is_an_error_without_secrets(load: Load, guarded: LoopbackServer) -> None:
    guarded.misbehave("/", Misbehaviour.SERVER_ERROR)
    with pytest.raises(ChannelError) as failure:
        load(channel(f"{guarded.url}/conda-forge"))
    assert TOKEN not in f"{failure.value} {failure.value.hint} {failure.value.path}"


@pytest.mark.parametrize("user", ["", "user:hunter2@"])
def test_secrets_of_an_address_stay_there(load: Load, guarded: LoopbackServer, user: str) -> None:
    address = f"{guarded.url}/conda-forge".replace("http://", f"http://{user}")
    found = load(channel(address))
    packages = solved(found.solve(["geopandas"]))
    unsolved = found.solve(["python 3.11.*", "numpy * py310*"])
    missing = found.solve(["no-such-package"])
    shown = repr((packages, found.records("numpy"), found.statuses, unsolved, missing))
    assert TOKEN not in shown
    assert "hunter2" not in shown
    assert "127.0.0.1" not in shown


def test_unchanged_repodata_is_not_fetched_twice(
    engine: Engine, channels_directory: Path, loopback_server: ServerFactory, tmp_path: Path
) -> None:
    server = loopback_server(channels_directory)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    for _ in range(2):
        fresh = type(engine)()
        assert fresh.load([channel(f"{server.url}/bioconda")], "linux-64", LINUX, options=options).records("samtools")
    answers = [one.status for one in server.requests if one.method == "GET" and one.path.endswith("repodata.json.zst")]
    # rattler asks whether it has changed; mamba trusts its copy for as long as the server says, or for an hour.
    assert answers.count(200) == 2
    assert set(answers) <= {200, 304}


def test_offline_asks_nobody(
    load: Load, channels_directory: Path, loopback_server: ServerFactory, conda_forge: Channel
) -> None:
    server = loopback_server(channels_directory)
    remote = channel(f"{server.url}/bioconda", "bioconda")
    found = load(remote, conda_forge, offline=True)
    assert [status.state for status in found.statuses] == [ChannelState.UNREACHABLE, ChannelState.LOADED]
    assert server.requests == []
    assert solved(found.solve(["zstd"]))


def test_offline_uses_what_was_cached(
    engine: Engine, channels_directory: Path, loopback_server: ServerFactory, tmp_path: Path
) -> None:
    server = loopback_server(channels_directory)
    remote = channel(f"{server.url}/bioconda", "bioconda")
    cache = str(tmp_path / "cache")
    engine.load([remote], "linux-64", LINUX, options=LoadOptions(cache_directory=cache))
    asked = len(server.requests)
    offline = type(engine)().load([remote], "linux-64", LINUX, options=LoadOptions(cache_directory=cache, offline=True))
    assert offline.records("samtools")
    assert len(server.requests) == asked


def test_nothing_is_printed(
    load: Load, guarded: LoopbackServer, conda_forge: Channel, capfd: pytest.CaptureFixture[str]
) -> None:
    guarded.misbehave("/bioconda/noarch", Misbehaviour.SERVER_ERROR)
    # A client that ends while it is being answered is no news.
    guarded._server.handle_error = lambda *_: None  # type: ignore[method-assign]
    found = load(channel(f"{guarded.url}/bioconda", "bioconda"), channel(f"{guarded.url}/conda-forge"))
    found.solve(["numpy"])
    found.solve(["numpy", "no-such-package"], timeout=60)
    found.solve(["python 3.11.*", "numpy * py310*"], constraints=["zstd 1.5.2"])
    assert capfd.readouterr() == ("", "")


def test_a_folder_with_a_space(load: Load, tmp_path: Path) -> None:
    directory = write_channel(tmp_path / "my channel ü", {"linux-64": [record("a")], "noarch": []})
    assert solved(load(channel(directory)).solve(["conda-forge::a"]))["a"].subdir == "linux-64"


def test_a_channel_behind_a_token_can_be_named(load: Load, guarded: LoopbackServer) -> None:
    found = load(channel(f"{guarded.url}/conda-forge"))
    assert solved(found.solve(["conda-forge::zstd"]))["zstd"].channel == "https://conda.anaconda.org/conda-forge"
    unsolved = found.solve(["conda-forge::no-such-package"])
    assert isinstance(unsolved, Unsolved)
    assert TOKEN not in unsolved.explanation


def test_progress_is_told_to_the_end(engine: Engine, tmp_path: Path, conda_forge: Channel, main: Channel) -> None:
    told: list[tuple[str, int, int]] = []
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    engine.load(
        [conda_forge, main],
        "linux-64",
        LINUX,
        options=options,
        progress=lambda label, done, total: told.append((label, done, total)),
    )
    assert told
    assert told[-1][1] == told[-1][2]
    assert all(label and done <= total for label, done, total in told)


def test_of_one_build_in_both_formats_only_the_modern_one_is_seen(load: Load, tmp_path: Path) -> None:
    """As the solvers have it: the old format's record may lack what the new one's says."""
    directory = write_channel(
        tmp_path / "twins", {"linux-64": [record("a", constrains=["b <2"]), record("b", "2.0")], "noarch": []}
    )
    repodata = directory / "linux-64" / "repodata.json"
    content = json.loads(repodata.read_text())
    content["packages"]["a-1.0-0.tar.bz2"] = {**record("a"), "subdir": "linux-64"}
    repodata.write_text(json.dumps(content))
    index = load(channel(directory))

    assert [one.url.rsplit("/", 1)[1] for one in index.records("a")] == ["a-1.0-0.conda"]
    assert [one.constrains for one in index.matching("a")] == [("b <2",)]
    assert isinstance(index.solve(["a", "b"]), Unsolved)


@pytest.mark.parametrize("priority", ["strict", "flexible", "disabled"])
def test_where_any_solution_will_do_there_is_one_exactly_where_there_is_one(
    load: Load, tmp_path: Path, priority: str
) -> None:
    high = [record("a", "1.0"), record("b", depends=["a >=2"])]
    write_channel(tmp_path / "high", {"linux-64": high, "noarch": []})
    write_channel(tmp_path / "low", {"linux-64": [record("a", "2.0")], "noarch": []})
    index = load(channel(tmp_path / "high"), channel(tmp_path / "low"), priority=priority)

    questions = (["a"], ["a >=2"], ["b"], ["a >=3"])
    certain = [index.solve(specs) for specs in questions]
    for specs, outcome in zip(questions, certain, strict=True):
        assert isinstance(index.solve(specs, any_will_do=True), type(outcome)), specs
    each = index.solve_each([spec for specs in questions for spec in specs])
    assert list(map(type, each)) == list(map(type, certain))


def test_many_questions_at_once_have_their_own_answers(load: Load, tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(20)]
    records = [
        record(name, depends=[f"{name}-needs", *(["absent"] if number % 3 == 0 else [])])
        for number, name in enumerate(names)
    ]
    needs = [record(f"{name}-needs", noarch="generic") for name in names]
    index = load(channel(write_channel(tmp_path / "many", {"linux-64": records, "noarch": needs})))

    outcomes = index.solve_each(names)

    for number, (name, outcome) in enumerate(zip(names, outcomes, strict=True)):
        if number % 3 == 0:
            assert isinstance(outcome, Unsolved)
            assert "absent" in outcome.explanation
        else:
            assert solved(outcome).keys() == {name, f"{name}-needs"}
    assert index.solve_each([]) == ()


def test_what_was_asked_before_has_the_same_answer(load: Load, tmp_path: Path) -> None:
    records = [record("a", "1.0"), record("a", "2.0"), record("b", depends=["a"])]
    index = load(channel(write_channel(tmp_path / "again", {"linux-64": records, "noarch": []})))
    first = index.solve(["b"])

    assert index.solve(["b"]) is first
    assert solved(index.solve(["b"], constraints=["a <2"]))["a"].version == "1.0"
    assert solved(index.solve(["b"], preferred=index.matching("a <2")))["a"].version == "1.0"
    assert solved(index.solve(["b"]))["a"].version == "2.0"
