"""Measure a check at the size of a real channel, against what a user would run otherwise, and print ratios.

    python tests/bench/speed.py [--shared DIR] [--only PHASE...] [--runs N] [--keep DIR] [--profiles DIR]

DIR of ``--shared`` (default: ENVCHECK_SHARED) holds ``channels`` with ``inflate.py`` and a packed snapshot of
conda-forge, and ``corpus``. The phases:

- ``warm``: a check of six packages and of a Windows export of about 250, everything cached, against py-rattler's plain
  gateway, micromamba and conda-lock (MICROMAMBA names the former; each is left out where it is not there);
- ``cold``: the same six over loopback as zst with nothing cached;
- ``records``: the six-package check over channels of 10⁴ to 10⁶ records, warm;
- ``requirements``: checks of exports with more and more rows, warm.

What takes more than a minute is left out. Wall clock and processor time are of whole processes, the median of
``--runs`` that take turns; memory is the peak resident size. ``--keep`` keeps the channels that are made, which takes
minutes, for another run. A profile of each kind of check is written into ``--profiles`` (default: a folder ``profiles``
in the working directory).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard

from envcheck.errors import EnvcheckError
from envcheck.sources import read_source
from tests.cli.running import condarc_text

PHASES = ("warm", "cold", "records", "requirements")
SIX = ("python 3.10.*", "numpy", "pandas", "scipy", "geopandas", "jupyterlab")
SMALL = ("python 3.10.*", "numpy")
SIZES = (10_000, 100_000, 1_000_000)
EXPORT_ROWS = 250
ENVCHECK = [sys.executable, "-c", "from envcheck.cli import main; main()"]
GATEWAY = [sys.executable, str(Path(__file__).with_name("plain_gateway.py"))]
PROFILED = """
import cProfile, os, pstats, sys, time
from envcheck.cli import cli
kept, sys.argv = sys.argv[1], ["envcheck", *sys.argv[2:]]
profile = cProfile.Profile(time.process_time)
profile.enable()
try:
    cli(standalone_mode=False)
finally:
    profile.disable()
    profile.dump_stats(kept + ".pstats")
    with open(kept + ".txt", "w", encoding="utf-8") as stream:
        pstats.Stats(profile, stream=stream).sort_stats("cumulative").print_stats(80)
    sys.stdout.flush()
    os._exit(0)
"""

# How many seconds one run of anything may take.
_PATIENCE = 60
_SERVER = """
import functools, http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One run: seconds on the wall and of processors, MiB at most, and what it printed."""

    seconds: float
    work: float
    peak: float
    printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel on disk: its folder, and how many records it has."""

    folder: Path
    records: int

    @property
    def url(self) -> str:
        """Its address."""
        return self.folder.resolve().as_uri()


def main() -> None:
    """Run the phases asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", default=os.environ.get("ENVCHECK_SHARED"))
    parser.add_argument("--only", nargs="*", choices=PHASES, default=PHASES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", help="a folder for the channels that are made")
    parser.add_argument("--profiles", default="profiles")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.exit(2, "name the folder of real exports and repodata with --shared or ENVCHECK_SHARED\n")
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        bench = Bench(Path(arguments.shared), Path(arguments.keep or name), Path(name), arguments.runs)
        bench.profiles = Path(arguments.profiles)
        bench.profiles.mkdir(parents=True, exist_ok=True)
        for phase in PHASES:
            if phase in arguments.only:
                print(f"\n== {phase}")
                getattr(bench, phase)()


class Bench:
    """The phases, and what they have in common."""

    def __init__(self, shared: Path, channels: Path, aside: Path, runs: int) -> None:
        self._shared = shared
        self._channels = channels
        self._aside = aside
        self._runs = runs
        self.profiles = aside
        self.micromamba = os.environ.get("MICROMAMBA") or shutil.which("micromamba")

    def warm(self) -> None:
        """Everything is cached, the record stores are there."""
        channel = self._large()
        source = self._source(SIX)
        ways = self._ways(channel.url, SIX, source)
        home = self._home(channel.url)
        self._settle(home, source)
        found = self._turns(ways | {"envcheck": lambda: self._check(home, source)})
        self._print(found)
        self._profile("warm-six", home, source)
        load = statistics.median(json.loads(one.printed)["load"] for one in found["plain gateway"])
        solve = statistics.median(json.loads(one.printed)["solve"] for one in found["plain gateway"])
        mine = statistics.median(one.seconds for one in found["envcheck"])
        print(f"gateway: load {load:.2f} s, solve {solve:.2f} s")
        print(f"envcheck without one such solve: {mine - solve:.2f} s, {(mine - solve) / load:.2f} of that load")
        export = self._export(EXPORT_ROWS)
        self._settle(home, export)
        print(f"a Windows export of {_rows(export)} rows, plan included")
        self._print(self._turns({"envcheck": lambda: self._check(home, export)}))
        self._profile("warm-export", home, export)

    def cold(self) -> None:
        """Nothing is cached, and repodata comes over loopback as zst."""
        channel = self._large()
        source = self._source(SIX)
        with _served(channel.folder.parent) as base:
            url = f"{base}/{channel.folder.name}"
            empty = self._ways(url, SIX, source, cold=True)

            def check() -> Taken:
                home = self._home(url)
                try:
                    return self._check(home, source)
                finally:
                    _wait_for_builders(home)
                    shutil.rmtree(home)

            found = self._turns(empty | {"envcheck": check})
            self._print(found)
            home = self._home(url)
            self._profile("cold-six", home, source)
            _wait_for_builders(home)

    def records(self) -> None:
        """The same question to channels of all sizes."""
        source = self._source(SMALL)
        medians = []
        for size in SIZES:
            channel = self._channel(size)
            home = self._home(channel.url)
            self._settle(home, source)
            found = self._turns(
                {
                    "plain gateway": functools.partial(self._gateway, channel.url, SMALL),
                    "envcheck": functools.partial(self._check, home, source),
                }
            )
            print(f"{channel.records} records")
            self._print(found)
            medians.append(statistics.median(one.seconds for one in found["envcheck"]))
            self._profile(f"records-{size}", home, source)
        print("envcheck, times the smallest: " + ", ".join(f"{one / medians[0]:.2f}" for one in medians))

    def requirements(self) -> None:
        """Exports with more and more rows, over the large channel."""
        home = self._home(self._large().url)
        measured: set[int] = set()
        for rows in (10, 30, 100, 200, 300, 450, 600):
            export = self._export(rows)
            if _rows(export) in measured:
                print(f"no export of about {rows} rows is there")
                continue
            measured.add(_rows(export))
            self._settle(home, export)
            taken = [self._check(home, export) for _ in range(self._runs)]
            middle = statistics.median(one.seconds for one in taken)
            peak = max(one.peak for one in taken)
            print(
                f"{_rows(export):4} rows {middle:6.2f} s {peak:6.0f} MiB {middle / _rows(export) * 1000:6.1f} ms a row"
            )
            if rows in {10, 600}:
                self._profile(f"requirements-{rows}", home, export)

    def _ways(
        self, url: str, specs: Sequence[str], source: Path, *, cold: bool = False
    ) -> dict[str, Callable[[], Taken]]:
        """What a user would run otherwise, as far as it is here."""
        ways: dict[str, Callable[[], Taken]] = {
            "plain gateway": functools.partial(self._gateway, url, specs, cold=cold),
        }
        if self.micromamba is not None:
            ways["micromamba"] = functools.partial(self._micromamba, url, specs, cold=cold)
            if not cold and shutil.which("conda-lock") is not None:
                ways["conda-lock"] = functools.partial(self._conda_lock, url, source)
        return ways

    def _gateway(self, url: str, specs: Sequence[str], *, cold: bool = False) -> Taken:
        cache = self._fresh("gateway") if cold else self._aside / "gateway"
        return _run([*GATEWAY, url, str(cache), "linux-64", *specs])

    def _micromamba(self, url: str, specs: Sequence[str], *, cold: bool = False) -> Taken:
        root = self._fresh("micromamba") if cold else self._aside / "micromamba"
        command = [
            str(self.micromamba),
            "create",
            "--no-rc",
            "--dry-run",
            "--yes",
            "--quiet",
            "--root-prefix",
            str(root),
        ]
        command += ["--name", "none", "--platform", "linux-64", "--override-channels", "--channel", url, *specs]
        return _run(command, {"CONDA_PKGS_DIRS": str(root / "pkgs"), "CONDA_OVERRIDE_GLIBC": "2.28"})

    def _conda_lock(self, url: str, source: Path) -> Taken:
        here = self._aside / "conda-lock"
        here.mkdir(exist_ok=True)
        text = source.read_text(encoding="utf-8").replace("[conda-forge]", f"[{url}]")
        (here / "environment.yml").write_text(text, encoding="utf-8")
        command = ["conda-lock", "lock", "--micromamba", "--conda", str(self.micromamba), "-p", "linux-64"]
        command += ["-f", str(here / "environment.yml"), "--lockfile", str(here / "conda-lock.yml")]
        environment = {"MAMBA_ROOT_PREFIX": str(self._aside / "micromamba"), "HOME": str(here)}
        return _run(command, environment)

    def _check(self, home: Path, source: Path) -> Taken:
        return _run([*ENVCHECK, *_arguments(source)], {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")})

    def _profile(self, name: str, home: Path, source: Path) -> None:
        command = [sys.executable, "-c", PROFILED, str(self.profiles / name), *_arguments(source)]
        _run(command, {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")})
        print(f"profile: {self.profiles / name}.txt")

    def _settle(self, home: Path, source: Path) -> None:
        """Have everything cached that a check of a source wants cached."""
        self._check(home, source)
        _wait_for_builders(home)
        self._check(home, source)

    def _turns(self, ways: Mapping[str, Callable[[], Taken]]) -> dict[str, list[Taken]]:
        found: dict[str, list[Taken]] = {}
        for name, way in ways.items():
            try:
                way()
                found[name] = []
            except TimeoutError:  # noqa: PERF203  # each takes seconds
                print(f"{name:14} takes more than {_PATIENCE} s and is left out")
        for _ in range(self._runs):
            for name, taken in found.items():
                taken.append(ways[name]())
        return found

    @staticmethod
    def _print(found: Mapping[str, Sequence[Taken]]) -> None:
        least = statistics.median(one.seconds for one in next(iter(found.values())))
        for name, taken in found.items():
            middle = statistics.median(one.seconds for one in taken)
            work = statistics.median(one.work for one in taken)
            peak = max(one.peak for one in taken)
            print(f"{name:14} {middle:6.2f} s {middle / least:5.2f} times {work:6.2f} s of processors {peak:6.0f} MiB")

    def _fresh(self, name: str) -> Path:
        folder = self._aside / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _home(self, url: str) -> Path:
        """A home whose only channel is one of ours, for everything that conda-forge is asked for."""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self._aside))
        (home / ".condarc").write_text(condarc_text({"conda-forge": url}, channels="[conda-forge]"), encoding="utf-8")
        return home

    def _source(self, specs: Sequence[str]) -> Path:
        path = self._aside / f"{len(specs)}.yml"
        rows = "".join(f"  - {spec}\n" for spec in specs)
        path.write_text(f"channels: [conda-forge]\ndependencies:\n{rows}", encoding="utf-8")
        return path

    def _export(self, rows: int) -> Path:
        """The Windows export whose number of rows is nearest to one, with conda-forge as its channel."""
        exports = sorted((self._shared / "corpus" / "exports").glob("B_*"))
        counted = [(abs(count - rows), path) for path in exports if (count := _count(path)) is not None]
        _, chosen = min(counted)
        export = read_source(chosen.read_bytes(), str(chosen))
        path = self._aside / f"export-{rows}.yml"
        lines = "".join(f"  - {row.text}\n" for row in export.requirements if row.url is None)
        path.write_text(f"channels: [conda-forge]\ndependencies:\n{lines}", encoding="utf-8")
        return path

    def _large(self) -> Channel:
        return self._channel(SIZES[-1])

    def _channel(self, records: int) -> Channel:
        """A channel of conda-forge's names with about so many records; it is made where it is not kept."""
        folder = self._channels / f"records-{records}" / "conda-forge"
        snapshot = self._snapshot()
        total = _count_records(snapshot)
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            making = folder.with_name("making")
            if records < total:
                _reduce(snapshot, making, SMALL, records)
            elif records < 2 * total:
                shutil.copytree(snapshot, making)
            else:
                script = self._shared / "channels" / "inflate.py"
                command = [sys.executable, str(script), str(snapshot), str(making), "--records", str(records)]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                shutil.copytree(snapshot / "win-64", making / "win-64")
            making.rename(folder)
        return Channel(folder=folder, records=_count_records(folder))

    def _snapshot(self) -> Path:
        unpacked = self._channels / "snapshot" / "conda-forge"
        for packed in sorted((self._shared / "channels" / "conda-forge").glob("*/repodata.json.zst")):
            target = unpacked / packed.parent.name
            if packed.parent.name not in {"linux-64", "noarch", "win-64"} or (target / "repodata.json").is_file():
                continue
            target.mkdir(parents=True, exist_ok=True)
            with packed.open("rb") as source, (target / "repodata.json").open("wb") as sink:
                zstandard.ZstdDecompressor().copy_stream(source, sink)
            shutil.copy(packed, target)
        return unpacked


def _arguments(source: Path) -> list[str]:
    options = ["--engine", "rattler", "--no-pip", "--channel", "conda-forge", "--override-channels"]
    return ["check", str(source), *options, "--fail-on", "never"]


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Taken:
    """One process, measured; what fails is told and ends the run."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=printed, stderr=errors)
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        seconds = time.perf_counter() - started
        if seconds >= _PATIENCE:
            raise TimeoutError(command[0])
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command[:3])} ...: exit status {process.returncode}\n{errors.read().decode()[-2000:]}")
        return Taken(
            seconds=seconds,
            work=usage.ru_utime + usage.ru_stime,
            peak=usage.ru_maxrss / 1024,
            printed=printed.read().decode(),
        )


def _wait_for_builders(home: Path) -> None:
    """Wait until no process makes record stores for a home any more."""
    mark = f"HOME={home}\0".encode()
    while any(_is_builder(process, mark) for process in Path("/proc").glob("[0-9]*")):
        time.sleep(0.1)


def _is_builder(process: Path, mark: bytes) -> bool:
    with contextlib.suppress(OSError):
        command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        return b"record_store_building" in command and mark in environment
    return False


def _count(path: Path) -> int | None:
    """The rows of an export, ``None`` for one that cannot be read."""
    try:
        return len(read_source(path.read_bytes(), str(path)).requirements)
    except EnvcheckError:
        return None


def _rows(path: Path) -> int:
    return _count(path) or 1


def _count_records(folder: Path) -> int:
    found = 0
    for path in folder.glob("*/repodata.json"):
        if path.parent.name in {"linux-64", "noarch"}:
            with path.open("rb") as stream:
                found += sum(block.count(b'"build_number"') for block in iter(lambda: stream.read(1 << 24), b""))
    return found


def _reduce(snapshot: Path, target: Path, specs: Sequence[str], records: int) -> None:
    """A channel with all that specs reach, and other names until it has so many records."""
    subdirs = {one: json.loads((snapshot / one / "repodata.json").read_bytes()) for one in ("linux-64", "noarch")}
    by_name: dict[str, list[tuple[str, str, str]]] = {}
    needs: dict[str, set[str]] = {}
    for subdir, document in subdirs.items():
        for section in ("packages", "packages.conda"):
            for filename, record in document[section].items():
                by_name.setdefault(record["name"], []).append((subdir, section, filename))
                needs.setdefault(record["name"], set()).update(text.split(" ")[0] for text in record["depends"])
    kept: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    pending = [*sorted(by_name, reverse=True), *(spec.split(" ")[0] for spec in specs)]
    reached = len(specs)
    while pending and (reached or len(kept) < records):
        name = pending.pop()
        reached = max(0, reached - 1)
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        kept += by_name[name]
        following = sorted(needs[name] - seen)
        pending += following
        reached += len(following)
    for subdir, document in subdirs.items():
        left: dict[str, dict[str, object]] = {"packages": {}, "packages.conda": {}}
        for where, section, filename in kept:
            if where == subdir:
                left[section][filename] = document[section][filename]
        (target / subdir).mkdir(parents=True, exist_ok=True)
        text = json.dumps({"info": document["info"], **left}).encode()
        (target / subdir / "repodata.json").write_bytes(text)
        (target / subdir / "repodata.json.zst").write_bytes(zstandard.ZstdCompressor().compress(text))


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[str]:
    """A folder over HTTP, from a process of its own, so that it takes no time from what is measured here."""
    command = [sys.executable, "-c", _SERVER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
