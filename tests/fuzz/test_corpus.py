"""The kept corpus of the fuzzer through every target: seeds, and what was once a fault."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.targets import CORPUS, TARGETS, run

_INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    """Some inputs use up the stack: what other tests left behind is not to be finalized there."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("path", _INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_reader_stumbles_over_a_kept_input(path: Path) -> None:
    # What one reader once stumbled over is given to all: they share parsers.
    data = path.read_bytes()
    for name in TARGETS:
        run(name, data)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_seeds_of_which_it_takes_some(name: str) -> None:
    seeds = [path for path in _INPUTS if path.parent.name == name]
    assert any(run(name, path.read_bytes()) for path in seeds)


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in _INPUTS) < 512 * 1024
    assert {path.parent.name for path in _INPUTS} == set(TARGETS)
