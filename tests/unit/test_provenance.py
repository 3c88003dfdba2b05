"""Rows are found by their builds, and tell the channels that their export does not name."""

from __future__ import annotations

import pytest

from envcheck.engines import Index
from envcheck.model import Channel
from envcheck.provenance import trace
from tests.support.channels import record
from tests.support.fakes import Universe, rows

CHANNELS = {
    "conda-forge": {"win-64": [record("numpy", "1.26.2", "py310_0"), record("shared", "1.0", "h1_0")]},
    "nvidia": {
        "win-64": [
            record("cuda-nvcc", "12.1", "0"),
            record("cuda-cupti", "12.1", "0"),
            record("cuda-tools", "12.1", "h1_0"),
            record("shared", "1.0", "h1_0"),
        ]
    },
}


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    return Universe(tmp_path_factory.mktemp("universe"), CHANNELS)


def loaded(universe: Universe, name: str) -> tuple[Channel, Index]:
    target = universe.target(name, platform="win-64")
    return target.channels[0], universe.index(target, platform="win-64")


def traced(universe: Universe, *specs: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The channel of each row that was found, and the rows by which other channels were told."""
    _, own = loaded(universe, "conda-forge")
    found = trace(rows(*specs), own, lambda: [loaded(universe, "nvidia")])
    records = {name: one.channel.rsplit("/", 1)[1] for name, one in found.records.items()}
    return records, {channel.name: [row.name for row in witnesses] for channel, witnesses in found.channels}


def test_rows_of_the_own_channels_tell_of_no_other(universe: Universe) -> None:
    assert traced(universe, "numpy=1.26.2=py310_0", "shared=1.0=h1_0") == (
        {"numpy": "conda-forge", "shared": "conda-forge"},
        {},
    )


def test_a_build_that_another_channel_has_tells_of_it(universe: Universe) -> None:
    assert traced(universe, "numpy=1.26.2=py310_0", "cuda-tools=12.1=h1_0") == (
        {"numpy": "conda-forge", "cuda-tools": "nvidia"},
        {"nvidia": ["cuda-tools"]},
    )


def test_a_bare_build_number_is_no_proof_alone(universe: Universe) -> None:
    assert traced(universe, "cuda-nvcc=12.1=0")[1] == {}
    assert traced(universe, "cuda-nvcc=12.1=0", "cuda-cupti=12.1=0")[1] == {"nvidia": ["cuda-nvcc", "cuda-cupti"]}


def test_other_builds_and_rows_without_one_are_unknown(universe: Universe) -> None:
    assert traced(universe, "cuda-tools=12.1=h2_0", "cuda-tools=12.2=h1_0", "numpy=1.26.2") == ({}, {})


def test_others_are_asked_only_when_something_is_missing(universe: Universe) -> None:
    _, own = loaded(universe, "conda-forge")
    trace(rows("numpy=1.26.2=py310_0", "numpy"), own, lambda: pytest.fail("asked"))
