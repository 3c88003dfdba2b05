"""Every fault of a channel, for every engine: what is said, what stays in the cache, and that the next run is right.

The table in ``docs/explanation/channel-faults.md`` is what these tests observed. They compare with it, and write it
with ``--snapshot-update``; where libmambapy is not installed its rows stay as they are. Those that take long, or differ
little from others, are looked at by ``make trust`` alone.
"""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path

import pytest

from tests.faults import table
from tests.faults.faults import FAULTS
from tests.faults.stage import PASSWORD, PATIENCE, TOKEN, Observed, Stage, said
from tests.support.server import ServerFactory

WAYS = ("rattler", "stored", "libmamba")

# What `make test` leaves out: another status of HTTP, another wait for nothing, another text that is no record's.
SELDOM = {"resets", "403", "429", "redirect-loop", "one-etag", "trickle", "path-fields", "long-strings", "unknown-keys"}
# A store is asked for before rattler is: of most faults it is of no account what they are.
OFTEN_STORED = {"refuses", "500-once", "bit-flipped", "stale", "changes", "huge-claim"}
CASES = [
    (name, way)
    for way in WAYS
    for name in FAULTS
    if os.environ.get("ENVCHECK_EVERY_FAULT") or (name in OFTEN_STORED if way == "stored" else name not in SELDOM)
]

needs_libmamba = pytest.mark.skipif(
    importlib.util.find_spec("libmambapy") is None, reason="libmambapy is not installed"
)


@pytest.mark.parametrize(
    ("name", "way"),
    [pytest.param(name, way, marks=[needs_libmamba] if way == "libmamba" else []) for name, way in CASES],
)
def test_a_fault(
    tmp_path: Path, loopback_server: ServerFactory, request: pytest.FixtureRequest, name: str, way: str
) -> None:
    fault = FAULTS[name]
    stage = Stage(tmp_path, loopback_server, way.replace("stored", "rattler"), stored=way == "stored")
    if fault.warm or way == "stored":
        stage.warm()
    fault.arrange(stage.server, stage.folder)
    started = time.monotonic()
    run = stage.check()
    took = time.monotonic() - started
    assert run.status == fault.otherwise.get(way, fault.status), said(run)
    assert took < 25 * PATIENCE, took
    assert bool(stage.lock()) == (run.status != 3)
    assert ".." not in stage.lock()
    kept = stage.kept()
    for one in stage.elsewhere.requests:
        told = " ".join(f"{key}: {value}" for key, value in one.headers)
        assert TOKEN not in told
        assert PASSWORD not in told
        assert "authorization" not in told.lower()
    stage.heal(fault)
    time.sleep(2 if way == "libmamba" else 0)  # libmamba counts the age of what it has in whole seconds
    again = stage.check()
    assert again.status == 0, said(again)
    assert again.report()["findings"] == []
    assert "/bad/linux-64/gadget-1.0-0.conda" in stage.lock()
    observed = Observed(said=said(run), status=run.status, kept=kept, next_run="right")
    table.compare(request.config, name, way, observed)


def test_the_page_shows_what_was_observed() -> None:
    assert set(table.read()) == set(FAULTS)
    assert table.PAGE.read_text(encoding="utf-8") == table.page_text(table.read())
