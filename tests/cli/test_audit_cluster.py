"""``envcheck audit --scheduler`` on a real cluster of processes, of which one is killed while it works."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import CommandLine

distributed = pytest.importorskip("distributed", reason="needs Dask's distributed (envcheck[dask])")

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a worker is killed by a signal"),
    # Dask's own: ports in use, event loops that it closes late.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A scheduler and three workers with their nannies, each a process of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
        ) as running:
            yield running


@pytest.fixture
def fleet(envcheck: CommandLine) -> CommandLine:
    """Forty sources, no two alike."""
    clean = (envcheck.directory / "clean.yml").read_text()
    for number in range(40):
        folder = envcheck.directory / f"project{number}"
        folder.mkdir()
        (folder / "environment.yml").write_text(clean.replace("name: clean", f"name: project{number}"))
    return envcheck


def results_of(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def compared(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({**one, "seconds": None, "reused": None} for one in results), key=lambda one: str(one["path"]))


def test_a_cluster_that_loses_a_worker_gives_every_result_once(fleet: CommandLine, cluster: Any) -> None:
    process = fleet.start("audit", ".", "--scheduler", cluster.scheduler_address, "--format", "jsonl")
    assert process.stdout is not None
    first = [process.stdout.readline().decode() for _ in range(4)]
    victim = next(iter(cluster.workers.values())).pid
    os.kill(victim, signal.SIGKILL)
    rest, errors = process.communicate(timeout=200)
    results = results_of("".join(first) + rest.decode())

    assert process.returncode == 1, errors
    assert len(results) == len({one["path"] for one in results}) == 42
    assert {one["verdict"] for one in results} == {"ready", "fixable"}
    assert b"Traceback" not in errors
    # What the cluster found is what this machine finds, and it was kept.
    again = results_of(fleet("audit", ".", "--format", "jsonl").output)
    assert all(one["reused"] for one in again)
    here = results_of(fleet("audit", ".", "--fresh", "--format", "jsonl", "--jobs", "1").output)
    assert compared(results) == compared(again) == compared(here)


def test_the_names_of_tasks_hold_nothing_of_a_source(envcheck: CommandLine, cluster: Any) -> None:
    envcheck.write("a.yml", "channels:\n  - https://me:hunter2@127.0.0.1:9/c\ndependencies:\n  - numpy\n")
    with distributed.Client(cluster) as client:
        run = envcheck("audit", "a.yml", "--scheduler", cluster.scheduler_address, "--format", "jsonl")
        story = str(client.run_on_scheduler(_told))

    assert len(results_of(run.output)) == 1
    assert "envcheck-" in story
    assert "hunter2" not in story + run.output + run.errors


def _told(dask_scheduler: Any) -> str:
    """Everything that the scheduler has written down of tasks."""
    return str(list(dask_scheduler.transition_log))


def test_a_scheduler_that_is_not_there_is_told(envcheck: CommandLine) -> None:
    run = envcheck("audit", "clean.yml", "--scheduler", "nonsense://127.0.0.1:1")

    assert run.status == 3
    assert "does not answer" in run.errors
    assert run.output == ""


def test_the_cluster_is_optional(envcheck: CommandLine, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "distributed"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not here')\n")
    run = envcheck("audit", "clean.yml", "--scheduler", "tcp://127.0.0.1:1", PYTHONPATH=str(hidden.parent))

    assert run.status == 3
    assert "pip install 'envcheck[dask]'" in run.errors
