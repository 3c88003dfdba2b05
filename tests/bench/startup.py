"""Measure how much processor time a start takes, and print medians and ratios.

    python tests/bench/startup.py [--runs N] [--check FILE [OPTION...]]

Help pages and the version are measured against ``python -c "import click"``, which is what they cannot do without. A
check is measured beside them if its arguments are given, and the time of its imports told. All take turns, so that a
busy machine slows each of them alike, and what was compiled is kept, as it is where envcheck is installed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

ENVCHECK = [sys.executable, "-c", "from envcheck.cli import main; main()"]
STARTS = {
    "import click": [sys.executable, "-c", "import click"],
    "envcheck --help": [*ENVCHECK, "--help"],
    "envcheck --version": [*ENVCHECK, "--version"],
    "envcheck check --help": [*ENVCHECK, "check", "--help"],
}
"""What is measured; everything is told as a multiple of the first."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="how often each is run")
    parser.add_argument("--check", nargs=argparse.REMAINDER, help="arguments of a check to measure, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compiled-") as compiled:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {**kept, "PYTHONPYCACHEPREFIX": compiled}
        commands = dict(STARTS)
        if arguments.check:
            commands["envcheck check"] = [*ENVCHECK, "check", *arguments.check]
        for command in commands.values():
            seconds(command, environment)
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                found[name].append(seconds(command, environment))
        least = statistics.median(next(iter(found.values())))
        for name, times in found.items():
            median = statistics.median(times)
            print(f"{name:24} {median * 1000:8.1f} ms {median / least:6.2f} times")
        if arguments.check:
            sums = [imported(arguments.check, environment) for _ in range(arguments.runs)]
            print(
                f"{'imports of the check':24} {statistics.median(one for one, _ in sums) * 1000:8.1f} ms"
                f" {sums[-1][1]} modules (wall clock, with the cost of measuring)"
            )


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """The processor time of one run, that of its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(check: Sequence[str], environment: Mapping[str, str]) -> tuple[float, int]:
    """The seconds that the imports of one check take, as the interpreter counts them, and how many there are."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *ENVCHECK[1:], "check", *check],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    lines = [line.removeprefix("import time:") for line in done.stderr.decode("utf-8", "replace").splitlines()]
    counts = [line.split("|")[0].strip() for line in lines if line.count("|") == 2]
    microseconds = [int(count) for count in counts if count.isdigit()]
    return sum(microseconds) / 1e6, len(microseconds)


if __name__ == "__main__":
    main()
