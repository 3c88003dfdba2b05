"""A process keeps the cores busy that it may use, and beside others its share of them."""

from __future__ import annotations

import os

import pytest

from envcheck import cores


@pytest.fixture(autouse=True)
def _without_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores._Share, "cores", None)


def test_cores_that_are_kept_from_a_process_are_none_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert (cores.available_cores(), cores.own_cores()) == (2, 2)


def test_where_the_system_does_not_tell_all_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores.available_cores() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.available_cores() == 1


@pytest.mark.parametrize(("share", "own"), [(0, 1), (1, 1), (3, 3), (9, 4)])
def test_a_share_is_one_core_at_least_and_no_more_than_there_are(
    monkeypatch: pytest.MonkeyPatch, share: int, own: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    cores.use_cores(share)
    assert (cores.own_cores(), cores.available_cores()) == (own, 4)
