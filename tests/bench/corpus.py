"""Check every export of a corpus against unpacked channels, and print what came of it.

    python tests/bench/corpus.py [--shared DIR] [--channels DIR] [--letters ABCDG] [--http] [--pip] [--rows]

DIR of ``--shared`` (default: ENVCHECK_SHARED) holds ``corpus/exports`` and ``channels``; ``--channels`` is a folder of
unpacked channels (default: they are unpacked into a temporary folder). ``--http`` serves them on loopback instead of
reading them as ``file://``; ``--pip`` asks the Python package index too. The first letters of the files' names tell
their kind: A to D and G are exports from Windows.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import http.server
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envcheck.condarc import Configuration
from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.model import Presence, Report
from envcheck.pip.configuration import index_settings
from envcheck.pip.index import open_index
from envcheck.pip.lookup import PackageIndex
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.world import Services

CANONICAL = (
    *("conda-forge", "pkgs/main", "pkgs/r", "pkgs/msys2", "pkgs/free", "bioconda", "pytorch", "nvidia"),
    # Not in the snapshot: mapped as well, so that they are missing channels and not unreachable ones.
    *("anaconda", "anaconda-fusion", "bodo.ai", "delichon", "gurobi", "huggingface", "intel", "menpo", "msys2"),
    *("metric-learning", "opensim-org"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One checked export."""

    name: str
    seconds: float
    verdict: str
    report: Report | None = None
    trouble: str = ""


def main() -> None:
    """Run the corpus and print a line each (``--rows``) and the totals."""
    parser = options(__doc__)
    parser.add_argument("--http", action="store_true")
    arguments = parser.parse_args()
    exports = exports_of(arguments, parser)
    with contextlib.ExitStack() as stack:
        channels = stack.enter_context(unpacked(arguments))
        base = channels.resolve().as_uri()
        if arguments.http:
            base = stack.enter_context(_served(channels))
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-"))
        rows = []
        for path in exports:
            row = _run(path, base, cache, engine=arguments.engine, pip=arguments.pip)
            rows.append(row)
            if arguments.rows:
                print(_line(row), flush=True)
    _print_totals(rows)


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that benches over the corpus share; `exports_of` and `unpacked` read them."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=os.environ.get("ENVCHECK_SHARED"))
    parser.add_argument("--channels", type=Path)
    parser.add_argument("--letters", default="ABCDG")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--pip", action="store_true")
    parser.add_argument("--rows", action="store_true")
    return parser


def exports_of(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Path]:
    """The exports that the options ask for, by name; ends the program where no folder was named."""
    if arguments.shared is None:
        parser.exit(2, "name the folder of real exports and repodata with --shared or ENVCHECK_SHARED\n")
    folder = Path(arguments.shared) / "corpus" / "exports"
    return sorted(path for path in folder.iterdir() if path.name[0] in arguments.letters)


@contextlib.contextmanager
def unpacked(arguments: argparse.Namespace) -> Iterator[Path]:
    """The folder of unpacked channels, made for as long as it is used where none was named."""
    if arguments.channels is not None:
        yield arguments.channels
        return
    with tempfile.TemporaryDirectory(prefix="channels-") as folder:
        unpack = Path(arguments.shared) / "channels" / "unpack.py"
        subprocess.run([sys.executable, str(unpack), folder], check=True, stdout=subprocess.DEVNULL)
        yield Path(folder)


def configuration(base: str) -> Configuration:
    """A user's configuration that has the real channels mirrored below ``base``, and no others."""
    return Configuration(
        channels=("conda-forge", "defaults"),
        mirrored_channels=tuple((name, (f"{base}/{name}",)) for name in CANONICAL),
    )


def request_for(path: Path, base: str, cache: str, *, pip: bool) -> Request:
    """What a user would ask about an export, with the channels mirrored below ``base``."""
    return Request(
        path=str(path),
        data=path.read_bytes(),
        configuration=configuration(base),
        cache_directory=f"{cache}/repodata",
        check_pip=pip,
    )


def index_for(cache: str, *, pip: bool) -> PackageIndex:
    """The Python package index, asked only with ``pip``."""
    return open_index(index_settings(None, os.environ), cache_directory=Path(cache) / "pages", offline=not pip)


def _run(path: Path, base: str, cache: str, *, engine: str, pip: bool) -> Row:
    request = request_for(path, base, cache, pip=pip)
    services = Services(engine=choose_engine(engine), package_index=index_for(cache, pip=pip))
    started = time.perf_counter()
    try:
        report = check(request, services)
    except EnvcheckError as error:
        return Row(name=path.name, seconds=time.perf_counter() - started, verdict="refused", trouble=error.message)
    return Row(name=path.name, seconds=time.perf_counter() - started, verdict=report.verdict.value, report=report)


def existing_pins(report: Report) -> dict[str, str]:
    """The exact pins that exist on the target, by name."""
    return {
        one.requirement.name: one.requirement.pin
        for one in report.availability
        if one.presence is Presence.AVAILABLE and one.requirement.pin is not None
    }


def pins(report: Report) -> tuple[int, int]:
    """How many exact pins exist on the target, and how many of those the plan keeps."""
    exist = existing_pins(report)
    return len(exist), sum(1 for row in report.plan.kept if exist.get(row.name) == row.version)


def _line(row: Row) -> str:
    if row.report is None:
        return f"{row.name[:40]:41}{row.verdict:9}{row.seconds:6.1f} s  {row.trouble}"
    exist, kept = pins(row.report)
    return (
        f"{row.name[:40]:41}{row.verdict:9}{row.seconds:6.1f} s  rows {len(row.report.export.requirements):3}"
        f"  pip {len(row.report.export.pip):3}  pins {kept}/{exist}  packages {len(row.report.plan.packages)}"
        f"  findings {len(row.report.findings)}"
    )


def _print_totals(rows: list[Row]) -> None:
    verdicts = collections.Counter(row.verdict for row in rows)
    print(f"{len(rows)} exports:", ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())))
    reports = [row.report for row in rows if row.report is not None]
    proven = sum(1 for report in reports if report.plan.solved)
    exist, kept = (sum(column) for column in zip(*(pins(report) for report in reports), strict=True))
    print(f"plans that solve: {proven}; exact pins that exist on the target: {exist}, kept {kept} ({kept / exist:.1%})")
    seconds = [row.seconds for row in rows]
    print(f"seconds per export: median {statistics.median(seconds):.2f}, worst {max(seconds):.2f}")
    codes = collections.Counter(code for report in reports for code in {finding.code for finding in report.findings})
    print("exports with each finding:", ", ".join(f"{code} {count}" for code, count in sorted(codes.items())))
    pip = collections.Counter(one.presence.value for report in reports for one in report.pip)
    if pip:
        print("pip requirements:", ", ".join(f"{presence} {count}" for presence, count in sorted(pip.items())))


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the figures are the output."""


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[str]:
    handler = functools.partial(_QuietHandler, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
