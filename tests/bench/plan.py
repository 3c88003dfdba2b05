"""Hold envcheck's plans against the naive ways to bring a Windows export to Linux, over every export of a corpus.

    python tests/bench/plan.py [--shared DIR] [--channels DIR] [--letters ABCDG] [--engine rattler|libmamba]
                               [--limit N] [--pip] [--rows]

DIR of ``--shared`` (default: ENVCHECK_SHARED) holds ``corpus/exports`` and ``channels``; ``--channels`` is a folder of
unpacked channels (default: they are unpacked into a temporary folder). Every export is checked in a process of its
own, so that its peak of memory is its own; then the same engine solves, over the same channels, what people ask for
when they have no envcheck, and so does micromamba where one is on ``PATH``. ``--limit`` takes that many exports from
all over the corpus, ``--pip`` asks the Python package index too, and ``--rows`` prints a line per export, which is
named by the beginning of its SHA-256. Stopped with Ctrl-C, it prints the tables of what it has by then. The status is
the number of exports whose process died or got stuck.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus import existing_pins, exports_of, index_for, options, request_for, unpacked
from phases import PHASES, Clock, MeasuredEngine, measured
from ways import ENGINE_WAYS, MICROMAMBA_WAYS, Answer, ask_engine, ask_micromamba

from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.model import Presence, Report
from envcheck.pipeline import check
from envcheck.world import Services, load_options

ENVCHECK = "envcheck"

# One export in all its ways; what takes longer is stuck.
_CHILD_SECONDS = 1200.0
_PARTING_SECONDS = 5.0

# What is said of an export where a verdict stands otherwise.
_DIED = "died"
_STUCK = "stuck"
_FAILED = (_DIED, _STUCK)

# The target's own channels have a package of this name.
_NAMED = frozenset(
    {Presence.AVAILABLE, Presence.BUILD_ELSEWHERE, Presence.VERSION_ELSEWHERE, Presence.HIDDEN_BY_PRIORITY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process is told."""

    path: Path
    base: str
    cache: str
    home: str
    engine: str
    pip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How near one way came to one export; all zero where nothing was solved."""

    seconds: float
    solved: bool = False
    late: bool = False
    names: int = 0
    pins: int = 0
    direct: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One export: what there was to keep, what each way kept, and what the check cost."""

    key: str
    verdict: str
    trouble: str = ""
    engine: str = ""
    wanted: Score = field(default_factory=lambda: Score(seconds=0.0))
    scores: Mapping[str, Score] = field(default_factory=dict)
    optimal: bool = False
    disagreements: int = 0
    lost: int = 0
    lost_existing: int = 0
    phases: Mapping[str, float] = field(default_factory=dict)
    solves: int = 0
    megabytes: float = 0.0


def main() -> int:
    """Run the corpus, print a line each (``--rows``) and the tables; gives the number of processes that failed."""
    parser = options(__doc__)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()
    exports = exports_of(arguments, parser)
    if 0 < arguments.limit < len(exports):
        exports = [exports[position * len(exports) // arguments.limit] for position in range(arguments.limit)]
    with ExitStack() as stack:
        channels = stack.enter_context(unpacked(arguments))
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-"))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="home-"))
        rows: list[Row] = []
        base = channels.resolve().as_uri()
        try:
            for path in exports:
                row = _in_own_process(
                    Job(path=path, base=base, cache=cache, home=home, engine=arguments.engine, pip=arguments.pip)
                )
                rows.append(row)
                if arguments.rows:
                    print(_line(row), flush=True)
        except KeyboardInterrupt:
            print(f"stopped after {len(rows)} of {len(exports)} exports")
    _print_ways(rows)
    _print_plans(rows)
    _print_cost(rows)
    return sum(1 for row in rows if row.verdict in _FAILED)


def _in_own_process(job: Job) -> Row:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(job, sending))
    process.start()
    sending.close()
    row = Row(key=_key(job.path), verdict=_STUCK, trouble=f"no answer in {_CHILD_SECONDS:.0f} s")
    try:
        if receiving.poll(_CHILD_SECONDS):
            row = receiving.recv()
    except EOFError:
        row = Row(key=_key(job.path), verdict=_DIED, trouble="its process ended without an answer")
    finally:
        process.join(_PARTING_SECONDS if row.verdict not in _FAILED else 0)
        if process.is_alive() and process.pid is not None:
            # It stops what it has started itself, if it can.
            os.kill(process.pid, signal.SIGINT)
            process.join(_PARTING_SECONDS)
        process.kill()
        process.join()
    return row


def _answer(job: Job, sending: Connection) -> None:
    with suppress(KeyboardInterrupt):
        sending.send(_measure(job))
        sending.close()
        # Without Python's own end: threads of an engine that outlive their solve can crash that.
        os._exit(0)


def _measure(job: Job) -> Row:
    clock = Clock()
    engine = choose_engine(job.engine)
    request = request_for(job.path, job.base, job.cache, pip=job.pip)
    services = Services(engine=MeasuredEngine(engine, clock), package_index=index_for(job.cache, pip=job.pip))
    started = time.perf_counter()
    try:
        with measured(clock):
            report = check(request, services)
    except EnvcheckError as error:
        return Row(key=_key(job.path), verdict="refused", trouble=error.message)
    seconds = time.perf_counter() - started
    megabytes = _peak()
    plan, target = report.plan, report.target
    versions = {record.name: record.version for record in plan.packages} if plan.solved else None
    answers = [Answer(way=ENVCHECK, seconds=seconds, versions=versions)]
    index = engine.load(
        target.channels,
        target.platform,
        target.virtual_packages,
        channel_priority=target.channel_priority,
        options=load_options(request),
    )
    answers += ask_engine(report, index)
    answers += ask_micromamba(report, index, job.home)
    presence = {one.requirement.name: one.presence for one in report.availability}
    lost = {row.name for row in plan.dropped} & set(plan.direct)
    everything = {one.requirement.name: one.requirement.pin or "" for one in report.availability}
    return Row(
        key=_key(job.path),
        verdict=report.verdict.value,
        engine=f"{engine.info.name} {engine.info.version}",
        wanted=_score(report, Answer(way="", seconds=0.0, versions=everything)),
        scores={answer.way: _score(report, answer) for answer in answers},
        optimal=plan.optimal,
        disagreements=plan.disagreements,
        lost=len(lost),
        lost_existing=sum(1 for name in lost if presence[name] in _NAMED),
        phases={phase: clock.seconds[phase] for phase in PHASES},
        solves=clock.calls["engine's solves"],
        megabytes=megabytes,
    )


def _score(report: Report, answer: Answer) -> Score:
    """What a way kept of the names that the target's channels have, and of the exact pins that exist there."""
    versions = answer.versions
    if versions is None:
        return Score(seconds=answer.seconds, late=answer.late)
    kept = {name for name, pin in existing_pins(report).items() if versions.get(name) == pin}
    named = {one.requirement.name for one in report.availability if one.presence in _NAMED}
    return Score(
        seconds=answer.seconds,
        solved=True,
        names=len(named & versions.keys()),
        pins=len(kept),
        direct=len(kept & set(report.plan.direct)),
    )


def _peak() -> float:
    """The most memory so far, in MB: of this process, or of one that an engine forked off it."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _key(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _line(row: Row) -> str:
    if not row.scores:
        return f"{row.key}  {row.verdict:8}{row.trouble}"
    pins = "  ".join(
        f"{score.pins if score.solved else 'late' if score.late else '-':>4}" for score in row.scores.values()
    )
    marks = ("" if row.optimal else "  not optimal") + (
        f"  {row.disagreements} disagreements" if row.disagreements else ""
    )
    return (
        f"{row.key}  {row.verdict:8}{row.scores[ENVCHECK].seconds:6.1f} s{row.megabytes:6.0f} MB"
        f"  of {row.wanted.pins:3} pins {pins}{marks}"
    )


def _print_ways(rows: Sequence[Row]) -> None:
    print(f"{len(rows)} exports, {next((row.engine for row in rows if row.engine), 'no engine')}")
    print(
        "names: rows whose name the channels have for the target; pins: exact versions that exist there; direct: those"
    )
    print(
        "of packages that the user asked for. An export that a way does not solve counts 0. Seconds: envcheck's are of"
    )
    print("the whole check and micromamba's of the whole command, the others' of the solve alone.")
    print(
        f"{'':34}{'solved':>9}{'names':>9}{'pins':>15}{'direct pins':>16}{'more pins in':>14}"
        f"{'median s':>10}{'worst s':>9}"
    )
    wanted = [row.wanted for row in rows]
    for way in (ENVCHECK, *ENGINE_WAYS, *MICROMAMBA_WAYS):
        scores = [row.scores.get(way, Score(seconds=0.0)) for row in rows]
        seconds = [row.scores[way].seconds for row in rows if way in row.scores]
        if not seconds:
            absent = way in MICROMAMBA_WAYS and shutil.which("micromamba") is None
            print(f"{way:34}  {'not on PATH' if absent else 'nothing was asked'}")
            continue
        better = sum(1 for row in rows if way in row.scores and row.scores[way].pins > row.scores[ENVCHECK].pins)
        late = sum(1 for score in scores if score.late)
        print(
            f"{way:34}{sum(1 for score in scores if score.solved):>6}/{len(rows):<2}"
            f"{_share(sum(score.names for score in scores), sum(one.names for one in wanted)):>9}"
            f"{_kept([score.pins for score in scores], [one.pins for one in wanted]):>15}"
            f"{_kept([score.direct for score in scores], [one.direct for one in wanted]):>16}"
            f"{better if way != ENVCHECK else '':>14}{statistics.median(seconds):>10.2f}{max(seconds):>9.2f}"
            + (f"  {late} late" if late else "")
        )
    total = [sum(one.names for one in wanted), sum(one.pins for one in wanted), sum(one.direct for one in wanted)]
    print(f"{'of':34}{len(rows):>9}{total[0]:>9}{total[1]:>15}{total[2]:>16}")


def _print_plans(rows: Sequence[Row]) -> None:
    print()
    verdicts = Counter(row.verdict for row in rows)
    print("verdicts:", ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())))
    for row in rows:
        if row.trouble:
            print(f"  {row.key} {row.verdict}: {row.trouble}")
    checked = [row for row in rows if row.scores]
    proven = [row for row in checked if row.scores[ENVCHECK].solved]
    hasty = [row.key for row in proven if not row.optimal]
    print(f"plans proven by the engine: {len(proven)}/{len(rows)}; optimal {len(proven) - len(hasty)}/{len(proven)}")
    if hasty:
        print("  not optimal:", " ".join(hasty))
    refused = [row for row in checked if row.disagreements]
    print(
        f"candidates that the engine refused: {sum(row.disagreements for row in refused)}, in {len(refused)} exports"
        + "".join(f"; {row.key} {row.disagreements}" for row in refused)
    )
    print(
        f"direct packages lost: {sum(row.lost for row in checked)}, in {sum(1 for row in checked if row.lost)} exports;"
        f" of these the channels have {sum(row.lost_existing for row in checked)} for the target,"
        f" in {sum(1 for row in checked if row.lost_existing)} exports"
    )


def _print_cost(rows: Sequence[Row]) -> None:
    checked = [row for row in rows if row.scores]
    if not checked:
        return
    print()
    print(f"{'time of a check':34}{'share':>9}{'sum s':>9}{'median s':>10}{'worst s':>9}")
    everything = sum(sum(row.phases.values()) for row in checked)
    for phase in PHASES:
        seconds = [row.phases[phase] for row in checked]
        if any(seconds):
            print(
                f"{phase:34}{_share(sum(seconds), everything):>9}{sum(seconds):>9.1f}"
                f"{statistics.median(seconds):>10.3f}{max(seconds):>9.3f}"
            )
    solves = [row.solves for row in checked]
    megabytes = [row.megabytes for row in checked]
    print(f"solves asked of the engine per check: median {statistics.median(solves):.0f}, worst {max(solves)}")
    print(f"peak memory of a check: median {statistics.median(megabytes):.0f} MB, worst {max(megabytes):.0f} MB")


def _kept(parts: Sequence[int], wholes: Sequence[int]) -> str:
    return f"{sum(parts)} {_share(sum(parts), sum(wholes)):>7}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"


if __name__ == "__main__":
    sys.exit(min(main(), 100))
