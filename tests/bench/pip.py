"""Resolve the pip section of every export of a corpus against the real package index, and print what came of it.

    python tests/bench/pip.py [--shared DIR] [--channels DIR] [--letters ABCDGHX] [--rows]

The options are those of `corpus.py`. Each section is resolved twice beside the plan of its export: with an empty cache
of uv, and once more with what the first time left there. Pages of look-ups are kept by HTTP's rules.
"""

from __future__ import annotations

import collections
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.model import PipRequirementKind, Report
from envcheck.pip.configuration import index_settings
from envcheck.pip.stage import PipStage, rows_for_pip, run_pip_stage
from envcheck.pip.uv import UvResolver
from envcheck.pipeline import check
from envcheck.world import LoadedWorld, Services

sys.path.insert(0, str(Path(__file__).parent))

from corpus import exports_of, index_for, options, request_for, unpacked  # beside this file


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One resolved pip section: seconds with a cold and with a warm cache."""

    name: str
    cold: float
    warm: float
    classes: collections.Counter[str]
    complete: bool
    trouble: str


def main() -> None:
    """Run the corpus and print a line each (``--rows``) and the totals."""
    parser = options(__doc__)
    parser.set_defaults(letters="ABCDGHX")
    arguments = parser.parse_args()
    rows = []
    with unpacked(arguments) as channels, tempfile.TemporaryDirectory(prefix="cache-") as cache:
        base = channels.resolve().as_uri()
        for path in exports_of(arguments, parser):
            try:
                row = _run(path, base, cache, arguments.engine)
            except EnvcheckError as error:
                print(f"{path.name[:48]:49}refused: {error.message[:60]}", flush=True)
                continue
            if row is None:
                continue
            rows.append(row)
            if arguments.rows:
                classes = ", ".join(f"{count} {name}" for name, count in sorted(row.classes.items()))
                print(
                    f"{row.name[:48]:49}{row.cold:6.1f} s {row.warm:6.1f} s  {classes} {row.trouble[:80]}", flush=True
                )
    _print_totals(rows)


def _run(path: Path, base: str, cache: str, engine: str) -> Row | None:
    request = request_for(path, base, cache, pip=True)
    services = Services(engine=choose_engine(engine), package_index=index_for(cache, pip=True))
    report = check(request, services)
    if not rows_for_pip(report.environment, report.plan, report.availability):
        return None
    with tempfile.TemporaryDirectory(prefix="uv-") as folder:
        resolver = UvResolver(
            settings=index_settings(None, os.environ), environment=os.environ, cache_directory=Path(folder)
        )
        stages, seconds = [], []
        for _ in range(2):
            fresh = Services(engine=services.engine, package_index=index_for(cache, pip=True))
            world = LoadedWorld(
                request, report.target, fresh, report.environment.channels, python=report.environment.python
            )
            index = world.with_channels(report.plan.added_channels)
            started = time.perf_counter()
            stages.append(
                run_pip_stage(
                    environment=report.environment,
                    plan=report.plan,
                    availability=report.availability,
                    target=report.target,
                    index=index,
                    questions=world,
                    resolver=resolver,
                    python=world.python_minor,
                )
            )
            seconds.append(time.perf_counter() - started)
    classes = _classes(report, stages[1])
    resolution = stages[1].resolution
    trouble = "" if resolution is None else resolution.trouble
    return Row(
        name=path.name,
        cold=seconds[0],
        warm=seconds[1],
        classes=classes,
        complete=not trouble and not (classes.keys() - {"locked", "given by conda", "moved to conda", "by its marker"}),
        trouble=trouble,
    )


def _classes(report: Report, stage: PipStage) -> collections.Counter[str]:
    """How many names of the pip section ended as what."""
    found: collections.Counter[str] = collections.Counter()
    resolution = stage.resolution
    assert resolution is not None
    locked = {one.name: one.version for one in resolution.distributions}
    moved, provided = dict(resolution.moved), dict(resolution.provided)
    answers = {(one.name, one.pin): one for one in stage.answers}
    for row in rows_for_pip(report.environment, report.plan, report.availability):
        answer = answers.get((row.name or "", row.pin))
        if row.kind is not PipRequirementKind.NAMED:
            found[row.kind.value + (" (locked)" if row.name in locked else "")] += 1
        elif resolution.trouble:
            found["not resolved"] += 1
        elif row.name in moved:
            found["moved to conda"] += 1
        elif row.name in locked:
            found["locked" if row.pin in (None, locked[row.name]) or _same(row.pin, locked[row.name]) else
                  f"locked in another version ({answer.presence.value if answer else '?'})"] += 1  # fmt: skip
        elif row.name in provided:
            found["given by conda"] += 1
        elif row.marker:
            found["by its marker"] += 1
        else:
            found[f"left out ({answer.presence.value if answer else '?'})"] += 1
    return found


def _same(pin: str | None, version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return pin is not None and Version(pin) == Version(version)
    except InvalidVersion:
        return False


def _print_totals(rows: list[Row]) -> None:
    print(f"{len(rows)} pip sections: {sum(row.complete for row in rows)} resolve completely")
    classes: collections.Counter[str] = collections.Counter()
    for row in rows:
        classes.update(row.classes)
    print(f"{sum(classes.values())} names:", ", ".join(f"{count} {name}" for name, count in classes.most_common()))
    for label, seconds in (("cold", [row.cold for row in rows]), ("warm", [row.warm for row in rows])):
        print(f"seconds, {label}: median {statistics.median(seconds):.2f}, worst {max(seconds):.2f}")
    for row in rows:
        if row.trouble:
            print(f"trouble: {row.name}: {row.trouble[:200]}")


if __name__ == "__main__":
    main()
