"""Ask both engines the same questions about every export of a corpus: do they agree, and how long does each take?

    python tests/bench/engines.py [--shared DIR] [--channels DIR] [--letters ABCDG] [--only TEXT]

DIR of ``--shared`` (default: ENVCHECK_SHARED) holds ``corpus/exports`` and ``channels``; ``--channels`` is a folder of
unpacked channels (default: they are unpacked into a temporary folder). Each export is normalized as a check does it,
and then asked for in several ways, from all of its rows to their names only, and in parts, under flexible and under
strict channel priority. A disagreement is a solution of one engine where the other has none; the status counts them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus import configuration

from envcheck.channels import resolve_channels
from envcheck.engines import Index, LoadOptions
from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.model import Channel, Environment, Outcome, Solved
from envcheck.normalize import normalize
from envcheck.sources import read_source
from envcheck.specs import spec_text
from envcheck.virtual_packages import virtual_packages_for

PLATFORM = "linux-64"
SECONDS = 60.0
ENGINES = ("rattler", "libmamba")


@dataclass(slots=True)
class Figures:
    """What was measured of one engine, in seconds."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    solves: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)


class Pair:
    """Both engines' indexes of the same channels, each loaded once and once more for the time that takes."""

    def __init__(self, figures: dict[str, Figures], cache: str) -> None:
        self._figures = figures
        self._cache = cache
        self._loaded: dict[tuple[object, ...], dict[str, Index]] = {}

    def load(self, channels: Sequence[Channel], priority: str) -> dict[str, Index]:
        """The indexes by engine."""
        key = (*(channel.url for channel in channels), priority)
        if key not in self._loaded:
            self._loaded[key] = {name: self._load(name, channels, priority) for name in ENGINES}
        return self._loaded[key]

    def _load(self, name: str, channels: Sequence[Channel], priority: str) -> Index:
        options = LoadOptions(cache_directory=f"{self._cache}/{name}")
        virtual_packages = virtual_packages_for(PLATFORM)
        for measured in (self._figures[name].cold, self._figures[name].warm):
            # A fresh engine, as a fresh run would have.
            engine = choose_engine(name)
            started = time.perf_counter()
            index = engine.load(channels, PLATFORM, virtual_packages, channel_priority=priority, options=options)
            index.names()
            measured.append(time.perf_counter() - started)
        return index


def questions(environment: Environment, index: Index) -> Iterator[tuple[str, list[str]]]:
    """Ways to ask for an environment, each with its specs."""
    rows = environment.requirements
    known = [row for row in rows if row.name in index.names()]
    available = [row for row in known if index.matching(spec_text(row))]
    python = [] if environment.python is None else [f"python {environment.python}"]
    minors = [f"{row.name} {'.'.join(row.pin.split('.')[:2])}.*" if row.pin else row.name for row in available]
    yield "every row", [spec_text(row) for row in rows]
    yield "rows that exist", [spec_text(row) for row in available]
    for part in range(4):
        yield "a quarter of them", python + [spec_text(row) for row in available[part::4]]
    yield "minor versions", [spec for spec in minors if index.matching(spec)]
    yield "names and Python", python + [row.name for row in known if row.name != "python"]


def word(outcome: Outcome) -> str:
    """An outcome in a word."""
    if isinstance(outcome, Solved):
        return "solved"
    return "cancelled" if outcome.cancelled else "unsolved"


def main() -> int:
    """Run the corpus, print disagreements as they come and the figures at the end; gives the disagreements' number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=os.environ.get("ENVCHECK_SHARED"))
    parser.add_argument("--channels", type=Path)
    parser.add_argument("--letters", default="ABCDG")
    parser.add_argument("--only", default="", help="a part of the names of the exports to take")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.exit(2, "name the folder of real exports and repodata with --shared or ENVCHECK_SHARED\n")
    exports = sorted(
        path
        for path in (Path(arguments.shared) / "corpus" / "exports").iterdir()
        if path.name[0] in arguments.letters and arguments.only in path.name
    )
    for info in (choose_engine(name).info for name in ENGINES):
        print(info.name, info.version)
    figures = {name: Figures() for name in ENGINES}
    with ExitStack() as stack:
        channels = arguments.channels
        if channels is None:
            channels = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="channels-")))
            unpack = Path(arguments.shared) / "channels" / "unpack.py"
            subprocess.run([sys.executable, str(unpack), str(channels)], check=True, stdout=subprocess.DEVNULL)
        pair = Pair(figures, stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-")))
        base = channels.resolve().as_uri()
        disagreements = sum(_compare(path, base, pair, figures) for path in exports)
    _print_figures(figures, len(exports), disagreements)
    return disagreements


def _compare(path: Path, base: str, pair: Pair, figures: dict[str, Figures]) -> int:
    """Ask both engines everything about one export; the number of disagreements."""
    try:
        environment = normalize(read_source(path.read_bytes(), str(path)), PLATFORM)
        channels = resolve_channels(environment.channels, configuration(base), platform=PLATFORM).channels
        indexes = {priority: pair.load(channels, priority) for priority in ("flexible", "strict")}
    except EnvcheckError as error:
        print(f"{path.name}: left out: {error.message}")
        return 0
    disagreements = 0
    for way, specs in questions(environment, indexes["flexible"]["rattler"]):
        for priority, pairs in indexes.items():
            if way == "every row" and priority == "strict":
                continue  # what does not exist does so under any priority
            words = {}
            for name in ENGINES:
                started = time.perf_counter()
                words[name] = word(pairs[name].solve(specs, timeout=SECONDS))
                figures[name].solves[priority].append(time.perf_counter() - started)
                figures[name].outcomes[words[name]] += 1
            if len(set(words.values())) > 1:
                disagreements += 1
                answers = ", ".join(f"{name} {answer}" for name, answer in words.items())
                print(f"{path.name}: {way}, {priority}, {len(specs)} specs: {answers}", flush=True)
    return disagreements


def _print_figures(figures: dict[str, Figures], exports: int, disagreements: int) -> None:
    asked = sum(figures[ENGINES[0]].outcomes.values())
    print(f"{exports} exports, {asked} questions, {disagreements} disagreements")
    for name, one in figures.items():
        outcomes = ", ".join(f"{count} {kind}" for kind, count in sorted(one.outcomes.items()))
        print(f"{name}: {outcomes}")
        print(f"  load: cold {_spread(one.cold)}; warm {_spread(one.warm)}")
        for priority, seconds in one.solves.items():
            print(f"  solve, {priority}: {_spread(seconds)}, {sum(seconds):.0f} s in all")


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds) or [0.0]
    high = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"median {statistics.median(ordered):.3f} s, 95 % below {high:.3f} s, worst {ordered[-1]:.3f} s"


if __name__ == "__main__":
    sys.exit(min(main(), 100))
