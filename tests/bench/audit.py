"""Audit a corpus and a generated fleet as a user would, and print seconds, memory and what came of it.

    python tests/bench/audit.py [--shared DIR] [--channels DIR] [--only PHASE...] [--jobs N] [--pip] [--fleet 2000]

DIR of ``--shared`` (default: ENVCHECK_SHARED) holds ``corpus`` and ``channels``; ``--channels`` is a folder of unpacked
channels (default: they are unpacked into a temporary folder). The phases, in order: ``one`` and ``two`` (processes,
nothing known, repodata cached), ``again`` (nothing has changed), ``cluster`` (two Dask workers, one of which is killed
in the middle), ``fleet`` (small variations written here; its quarters tell whether speed and memory stay flat).

Memory is the proportional set size of all processes of a run, sampled: what they share counts once.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.corpus import CANONICAL, options, unpacked
from tests.cli.running import condarc_text

PHASES = ("one", "two", "again", "cluster", "fleet")
PACKAGES = (
    *("numpy=1.26.4", "pandas=2.1.4", "scipy=1.11.4", "matplotlib=3.8.2", "scikit-learn=1.3.2", "requests=2.31.0"),
    *("pyyaml=6.0.1", "tqdm=4.66.1", "pillow=10.2.0", "jinja2=3.1.3", "click=8.1.7", "sqlalchemy=2.0.25"),
    *("flask=3.0.0", "lxml=5.1.0", "h5py=3.10.0", "networkx=3.2.1", "sympy=1.12", "seaborn=0.13.1", "attrs=23.2.0"),
    *("pytest=7.4.4", "psutil=5.9.8", "cython=3.0.8", "numba=0.58.1", "dask=2024.1.0", "zstandard=0.22.0"),
)
WINDOWS = ("vc=14.3=hcf57466_18", "ucrt=10.0.22621.0=h57928b3_0", "vs2015_runtime=14.38.33130=hcb4865c_18")


@dataclass(slots=True)
class Run:
    """One run: seconds, those of processors, the most memory, the results, and when each was there with how much."""

    seconds: float = 0.0
    work: float = 0.0
    peak: int = 0
    status: int = 0
    errors: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    moments: list[tuple[float, int]] = field(default_factory=list)


def main() -> None:
    """Run the phases asked for."""
    parser = options(__doc__)
    parser.add_argument("--only", nargs="*", choices=PHASES, default=PHASES)
    parser.add_argument("--jobs", type=int, default=2, help="processes of the phases two and fleet")
    parser.add_argument("--fleet", type=int, default=2000)
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.exit(2, "name the folder of real exports and repodata with --shared or ENVCHECK_SHARED\n")
    corpus = Path(arguments.shared) / "corpus"
    with contextlib.ExitStack() as stack:
        channels = stack.enter_context(unpacked(arguments))
        aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="audit-")))
        base = channels.resolve().as_uri()
        (aside / "condarc").write_text(
            condarc_text({name: f"{base}/{name}" for name in CANONICAL}, channels="[conda-forge, defaults]"),
            encoding="utf-8",
        )
        audit = _auditor(aside, arguments)
        told = _Told()
        if "one" in arguments.only:
            told("one process", audit(corpus, "--fresh", "--jobs", "1"))
        if "two" in arguments.only:
            told(f"{arguments.jobs} processes", audit(corpus, "--fresh", "--jobs", str(arguments.jobs)))
        if "again" in arguments.only:
            told("again, nothing changed", audit(corpus))
        if "cluster" in arguments.only:
            _cluster(audit, corpus, told)
        if "fleet" in arguments.only:
            _write_fleet(aside / "fleet", arguments.fleet)
            run = audit(aside / "fleet", "--fresh", "--jobs", str(arguments.jobs))
            _tell(f"generated fleet, {arguments.jobs} processes", run)
            _tell_quarters(run)


class _Told:
    """Tells of a run, and what its results differ in from those of the first."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str, run: Run) -> None:
        _tell(name, run)
        found = {one["path"]: {**one, "seconds": None, "reused": None} for one in run.results}
        if self._first:
            print(f"  {sum(found.get(path) != one for path, one in self._first.items())} differ from the first run")
        self._first = self._first or found


def _auditor(aside: Path, arguments: argparse.Namespace) -> Callable[..., Run]:
    def audit(path: Path, *more: str, on_result: Callable[[int], object] = lambda _: None) -> Run:
        command = [sys.executable, "-m", "envcheck", "audit", str(path), "--format", "jsonl", "--cache-dir"]
        command += [
            str(aside / "cache"),
            "--engine",
            arguments.engine,
            *more,
            *(() if arguments.pip else ("--no-pip",)),
        ]
        own = {"CONDARC": str(aside / "condarc"), **dict.fromkeys(("HOME", "XDG_CONFIG_HOME"), str(aside))}
        return _measured(command, {**os.environ, **own}, on_result)

    return audit


def _measured(command: Sequence[str], environment: dict[str, str], on_result: Callable[[int], object]) -> Run:
    run = Run()
    started, worked = time.perf_counter(), _work()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    done = threading.Event()
    now = [0]

    def watch() -> None:
        while not done.wait(0.3):
            now[0] = _memory(process.pid)
            run.peak = max(run.peak, now[0])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        run.results.append(json.loads(line))
        run.moments.append((time.perf_counter() - started, now[0]))
        on_result(len(run.results))
    run.errors = process.stderr.read()
    run.status = process.wait()
    done.set()
    watcher.join()
    run.seconds, run.work = time.perf_counter() - started, _work() - worked
    return run


def _work() -> float:
    """Processor seconds of everything that was started from here and has ended, other programs' load left out."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(session: int) -> int:
    """The memory of every process of a session, in bytes."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                rollup = (folder / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return total


def _cluster(audit: Callable[..., Run], corpus: Path, told: _Told) -> None:
    """The corpus over a cluster of two, of which one dies when a quarter is done."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        killed: list[int] = []

        def kill(done: int) -> None:
            if done == 40 and not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        run = audit(corpus, "--fresh", "--scheduler", cluster.scheduler_address, on_result=kill)
    told(f"a cluster of two, {len(killed)} worker killed (memory: of the client)", run)
    paths = [result["path"] for result in run.results]
    print(f"  {len(paths)} results, {len(set(paths))} sources", flush=True)


def _write_fleet(folder: Path, count: int) -> None:
    """Environments of some packages each, half of them with all kinds of pins, a quarter as lists from Windows."""
    for number in range(count):
        chosen = [PACKAGES[(number * 7 + step * 5) % len(PACKAGES)] for step in range(4 + number % 5)]
        rows = [f"python=3.{9 + number % 4}", *dict.fromkeys(chosen)]
        path = folder / f"team{number % 40}" / f"project{number}"
        path.mkdir(parents=True)
        if number % 4 == 3:
            listed = [*(f"{row}=py310h1234567_0" if row.count("=") == 1 else row for row in rows), *WINDOWS]
            head = f"# project{number}\n# platform: win-64\n"
            (path / "conda_list.txt").write_text(head + "".join(f"{row}\n" for row in listed))
        else:
            if number % 2:  # without the last part of each version, or without versions
                rows = [row.rpartition(".")[0] if number % 3 else row.partition("=")[0] for row in rows]
            body = "".join(f"  - {row}\n" for row in rows)
            text = f"name: project{number}\nchannels:\n  - conda-forge\ndependencies:\n{body}"
            (path / "environment.yml").write_text(text)


def _tell(name: str, run: Run) -> None:
    verdicts = collections.Counter(result["verdict"] for result in run.results)
    reused = sum(1 for result in run.results if result["reused"])
    print(
        f"{name}: {run.seconds:.1f} s ({run.work:.1f} s of processors), "
        f"{len(run.results) / run.seconds:.2f} sources/s, peak {run.peak / 2**20:.0f} MiB, "
        f"{reused} reused, status {run.status}; "
        + ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())),
        flush=True,
    )
    if not run.results:
        print(run.errors)
    for result in run.results:
        if result["verdict"] == "failed":
            print(f"  failed: {result['trouble']}", flush=True)


def _tell_quarters(run: Run) -> None:
    for quarter in _quarters(run.moments):
        seconds = quarter[-1][0] - quarter[0][0]
        peak = max(memory for _, memory in quarter)
        print(f"  {len(quarter)} results, {len(quarter) / seconds:.2f} sources/s, peak {peak / 2**20:.0f} MiB")


def _quarters(moments: list[tuple[float, int]]) -> Iterator[list[tuple[float, int]]]:
    size = max(2, len(moments) // 4)
    for first in range(0, len(moments), size):
        if len(moments) - first >= 2:
            yield moments[first : first + size]


if __name__ == "__main__":
    main()
