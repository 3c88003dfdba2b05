"""Which records can matter, and which of them are the same to everybody."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from envcheck.universe import Universe, python_constraints
from tests.support.channels import record
from tests.support.fakes import Universe as Channels


def universe(
    directory: Path,
    names: Iterable[str],
    *records: dict[str, Any],
    low: Iterable[dict[str, Any]] = (),
    priority: str = "flexible",
    pythons: tuple[str, ...] | None = None,
) -> Universe:
    channels = Channels(directory, {"high": {"linux-64": records}, "low": {"linux-64": low}})
    target = channels.target("high", "low", priority=priority)
    return Universe(names, channels.index(target), target, pythons)


def texts(found: Universe) -> dict[str, list[str]]:
    """Channel, version and build of every record, by name."""
    return {
        name: [f"{one.channel.rpartition('/')[2]} {one.version} {one.build}" for one in records]
        for name, records in found.records.items()
    }


@pytest.mark.parametrize(
    ("python", "constraints"), [(None, ()), ("3.10.13", ("python_abi 3.10.*",)), ("3.9", ("python_abi 3.9.*",))]
)
def test_what_an_engine_is_told_of_python(python: str | None, constraints: tuple[str, ...]) -> None:
    assert python_constraints(python) == constraints


def test_only_what_is_needed_is_reached(tmp_path: Path) -> None:
    found = universe(
        tmp_path,
        ["app", "unheard-of"],
        record("app", depends=["lib >=1", "__glibc >=2.17", "missing"]),
        record("lib", depends=["deep"], constrains=["bystander <2"]),
        record("deep", depends=["app"]),
        record("bystander", "3.0"),
    )

    assert {name: len(records) for name, records in found.records.items()} == {
        "app": 1,
        "deep": 1,
        "lib": 1,
        "missing": 0,
        "unheard-of": 0,
    }


def test_what_cannot_be_installed_is_left_out_with_all_that_only_it_needs(tmp_path: Path) -> None:
    found = universe(
        tmp_path,
        ["app", "python"],
        record("app", "1.0", "gpu_0", depends=["__cuda", "driver"]),
        record("app", "1.0", "py39_0", depends=["python >=3.9,<3.10.0a0", "old"]),
        record("app", "1.0", "py310_0", depends=["python >=3.10,<3.11.0a0"]),
        record("app", "1.0", "abi39_0", depends=["python_abi 3.9.* *_cp39"]),
        record("driver"),
        record("old"),
        record("python", "3.9.18"),
        record("python", "3.10.13"),
        pythons=("3.10.13",),
    )

    assert texts(found) == {"app": ["high 1.0 py310_0"], "python": ["high 3.10.13 0", "high 3.9.18 0"]}


def test_strict_priority_hides_a_name_in_lower_channels(tmp_path: Path) -> None:
    records = [record("lib", "1.0")]
    low = [record("lib", "2.0"), record("other", "1.0")]

    assert texts(universe(tmp_path / "a", ["lib", "other"], *records, low=low, priority="strict")) == {
        "lib": ["high 1.0 0"],
        "other": ["low 1.0 0"],
    }
    assert texts(universe(tmp_path / "b", ["lib"], *records, low=low)) == {"lib": ["high 1.0 0", "low 2.0 0"]}


def test_of_records_that_differ_in_nothing_the_first_stays(tmp_path: Path) -> None:
    found = universe(
        tmp_path,
        ["lib"],
        record("lib", "1.0", "a_0", 0, depends=["x", "y"]),
        record("lib", "1.0", "b_1", 1, depends=["y", "x"]),
        low=[record("lib", "1.0", "c_2", 2, depends=["x", "y"])],
    )

    assert texts(found)["lib"] == ["high 1.0 b_1"]


@pytest.mark.parametrize(
    "other",
    [
        record("lib", "1.0.1", "b_0"),
        record("lib", "1.0", "b_0", depends=["x"]),
        record("lib", "1.0", "b_0", constrains=["x <2"]),
        record("lib", "1.0", "b_0", track_features="slow"),
    ],
    ids=["version", "depends", "constrains", "track_features"],
)
def test_records_that_differ_both_stay(tmp_path: Path, other: dict[str, Any]) -> None:
    assert len(universe(tmp_path, ["lib"], record("lib", "1.0", "a_0"), other).records["lib"]) == 2


@pytest.mark.parametrize("where", ["depends", "constrains"])
def test_builds_that_others_tell_apart_both_stay(tmp_path: Path, where: str) -> None:
    app = {**record("app"), where: ["lib * a_*"]}
    found = universe(tmp_path, ["app", "lib"], record("lib", "1.0", "a_0"), record("lib", "1.0", "b_0"), app)

    assert texts(found)["lib"] == ["high 1.0 a_0", "high 1.0 b_0"]
    assert [one.build for one in found.matching("lib * a_*")] == ["a_0"]


def test_matching_gives_records_of_the_universe_only(tmp_path: Path) -> None:
    found = universe(
        tmp_path, ["lib"], record("lib", "1.0"), record("lib", "2.0"), record("lib", "3.0", depends=["__cuda"])
    )

    assert [one.version for one in found.matching("lib >=2")] == ["2.0"]
    assert found.matching("lib >=2") is found.matching("lib >=2")
    assert found.matching("unheard-of") == ()


def test_what_is_no_spec_is_met_by_nothing(tmp_path: Path) -> None:
    found = universe(tmp_path, ["app"], record("app", depends=["lib >=1.0,<=,2"]), record("lib"))

    assert found.matching("lib >=1.0,<=,2") == ()
