"""Write every format of lock for every export of a corpus that plans, have others read them, and print numbers.

    python tests/bench/locks.py [--shared DIR] [--channels DIR] [--letters ABCDG] [--pip] [--rows]

The options are those of ``corpus.py``; with ``--pip`` the pip sections are resolved, which asks the package index.
conda-lock.yml is read and rendered by conda-lock, pixi.lock read and written again by py-rattler, and all of it but
pixi.lock is taken by micromamba in a dry run if MICROMAMBA names one. With ``--pip`` uv takes the hashed requirements
beside the list in a dry run, for the plan's Python on Linux; files of hosts that are not reached count as refused.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import io
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import rattler
from corpus import exports_of, index_for, options, request_for, unpacked

from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.locks import load_format, pip_requirements
from envcheck.locks.contents import is_commit
from envcheck.model import Report
from envcheck.outputs import output_texts
from envcheck.pip.configuration import index_settings
from envcheck.pip.uv import UvResolver
from envcheck.pipeline import check
from envcheck.sources import read_source
from envcheck.world import Services

FORMATS = {"conda-lock-v1": "conda-lock.yml", "pixi-lock-v7": "pixi.lock", "explicit": "conda-linux-64.lock"}
"""The formats, and under which name each is written."""


def main() -> None:
    """Run the corpus and print what came of each format."""
    parser = options(__doc__)
    arguments = parser.parse_args()
    totals: collections.Counter[str] = collections.Counter()
    seconds: collections.Counter[str] = collections.Counter()
    with contextlib.ExitStack() as stack:
        base = stack.enter_context(unpacked(arguments)).resolve().as_uri()
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-"))
        services = Services(
            engine=choose_engine(arguments.engine),
            package_index=index_for(cache, pip=arguments.pip),
            resolver=UvResolver(
                settings=index_settings(None, os.environ), environment=os.environ, offline=not arguments.pip
            ),
        )
        for path in exports_of(arguments, parser):
            try:
                report = check(request_for(path, base, cache, pip=arguments.pip), services)
            except EnvcheckError:
                totals["sources that cannot be read"] += 1
                continue
            if not report.plan.solved:
                totals["sources without a solved plan"] += 1
                continue
            totals["sources with a solved plan"] += 1
            totals["  conda packages"] += len(report.plan.packages)
            if report.pip_resolution is not None and report.pip_resolution.distributions:
                totals["  of them with something for pip"] += 1
                totals["  distributions"] += len(report.pip_resolution.distributions)
                totals["    of repositories at a commit"] += sum(
                    is_commit(one.url) for one in report.pip_resolution.distributions
                )
                totals["  of them with rows of pip that the lock leaves out"] += bool(_left_out(report))
                totals["    rows"] += _left_out(report)
            with tempfile.TemporaryDirectory(prefix="locks-") as folder:
                for line in _try_formats(report, Path(folder), totals, seconds, pip=arguments.pip):
                    if arguments.rows:
                        print(f"{path.name[:40]:41}{line}", flush=True)
    for name, count in totals.items():
        print(f"{count:6} {name}")
    for name, spent in seconds.items():
        print(f"{spent:6.1f} s in all for {name}")


def _left_out(report: Report) -> int:
    """How many rows that name a project have no distribution in the lock, nor a conda package in its place."""
    resolution = report.pip_resolution
    if resolution is None:
        return 0
    held = {one.name for one in resolution.distributions}
    held |= {name for name, _ in (*resolution.provided, *resolution.moved)}
    return sum(row.name is not None and row.name not in held for row in report.environment.pip)


def _try_formats(
    report: Report,
    folder: Path,
    totals: collections.Counter[str],
    seconds: collections.Counter[str],
    *,
    pip: bool,
) -> Iterator[str]:
    """Write each format, and have everybody read it who can; yields what went wrong."""
    for format_name, filename in FORMATS.items():
        started = time.perf_counter()
        try:
            texts = output_texts([report], lock=filename, format_name=format_name)
        except EnvcheckError as error:
            totals[f"{format_name}: cannot be locked"] += 1
            yield f"{format_name}: {error.message[:100]}"
            continue
        seconds[f"writing {format_name}"] += time.perf_counter() - started
        totals[f"{format_name}: written"] += 1
        totals[f"{format_name}: bytes"] += sum(len(text.encode()) for _, text in texts)
        for name, text in texts:
            (folder / name).write_text(text, encoding="utf-8")
        for reader, read in READERS[format_name].items():
            if reader == "uv" and not pip:
                continue
            started = time.perf_counter()
            try:
                trouble = read(report, folder / filename)
            except Exception as error:  # noqa: BLE001 - whatever another program's library raises is its answer
                trouble = f"{type(error).__name__}: {error}"
            seconds[f"{reader} of {format_name}"] += time.perf_counter() - started
            if trouble is None:
                totals[f"{format_name}: {reader} had nothing to do, or is not there"] += 1
            elif trouble:
                totals[f"{format_name}: {reader} refused"] += 1
                yield f"{format_name}: {reader}: {' '.join(trouble.split())[:300]}"
            else:
                totals[f"{format_name}: {reader} accepted"] += 1


def _own(report: Report, path: Path) -> str:
    """Our own reader and check; a lock is a source again, too."""
    format_name = next(name for name, filename in FORMATS.items() if filename == path.name)
    module, text = load_format(format_name), path.read_text("utf-8")
    problems = module.verify(text)
    held = {one.url for one in module.read(text).packages if one.manager == "conda"}
    if held != {one.url for one in report.plan.packages}:
        return "other packages were read than written"
    if len(read_source(text.encode(), path.name).requirements) != len(held):
        return "other rows were read as a source than written"
    return "; ".join(f"{one.subject}: {one.message}" for one in problems)


def _conda_lock(report: Report, path: Path) -> str:
    """conda-lock's parser, and both of its renderers."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        from conda_lock.conda_lock import render_lockfile_for_platform
        from conda_lock.lockfile import parse_conda_lock_file

        rendered: dict[str, list[str]] = {
            kind: render_lockfile_for_platform(
                lockfile=parse_conda_lock_file(path),
                include_dev_dependencies=True,
                extras=None,
                kind=kind,
                platform=report.target.platform,
                suppress_warning_for_pip_and_explicit=True,
            )
            for kind in ("explicit", "env")
        }
    urls = {line.partition("#")[0] for line in rendered["explicit"] if "://" in line and not line.startswith("#")}
    if urls != {one.url for one in report.plan.packages}:
        return "other packages were rendered than written"
    held = report.pip_resolution.distributions if report.pip_resolution is not None else ()
    return (
        "" if sum(line.startswith("# pip ") for line in rendered["explicit"]) == len(held) else "pip rows are missing"
    )


def _rattler(report: Report, path: Path) -> str:
    """py-rattler reads every package, and writes the same bytes."""
    lock = rattler.LockFile.from_path(path)
    environment = lock.default_environment()
    if environment is None:
        return "no environment was read"
    records = environment.conda_repodata_records().get(report.target.platform, [])
    if {record.url for record in records} != {one.url for one in report.plan.packages}:
        return "other packages were read than written"
    if any(
        (record.md5 and record.md5.hex(), record.sha256 and record.sha256.hex()) != (ours.md5, ours.sha256)
        for record in records
        for ours in report.plan.packages
        if ours.url == record.url
    ):
        return "other hashes were read than written"
    again = path.with_name("again.lock")
    lock.to_path(again)
    ours, theirs = (hashlib.sha256(one.read_bytes()).digest() for one in (path, again))
    return "" if ours == theirs else "it would write other bytes"


def _micromamba(_: Report, path: Path) -> str | None:
    program = os.environ.get("MICROMAMBA")
    if not program:
        return None
    root = path.parent / "root"
    command = [program, "create", "--yes", "--no-rc", "--offline", "--dry-run", "--platform", "linux-64"]
    done = subprocess.run(
        [*command, "--root-prefix", root, "-p", path.parent / "prefix", "-f", path],
        env={**os.environ, "MAMBA_ROOT_PREFIX": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stderr or "it failed" if done.returncode else ""


def _uv(report: Report, path: Path) -> str | None:
    """uv resolves the hashed requirements as if to install them: every file is found at its hash, for that machine."""
    listed = path.with_name(pip_requirements.filenames(path.name)[0])
    python = next((one.version for one in report.plan.packages if one.name == "python"), None)
    if not listed.exists() or python is None:
        return None
    system = [
        "--python-version",
        python,
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--target",
        path.parent / "into",
    ]
    done = subprocess.run(
        ["uv", "pip", "install", "--dry-run", "--require-hashes", "--no-deps", "--no-build", *system, "-r", listed],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stderr or "it failed" if done.returncode else ""


Reader = Callable[[Report, Path], str | None]

READERS: dict[str, dict[str, Reader]] = {
    "conda-lock-v1": {"envcheck": _own, "conda-lock": _conda_lock, "micromamba": _micromamba},
    "pixi-lock-v7": {"envcheck": _own, "py-rattler": _rattler},
    "explicit": {"envcheck": _own, "micromamba": _micromamba, "uv": _uv},
}


if __name__ == "__main__":
    main()
