"""Looks for inputs that break a reader: ``make fuzz``, or ``python -m tests.fuzz.fuzz [TARGET]... --seconds N``.

Each target runs in a process of its own under atheris (coverage-guided, https://github.com/google/atheris), from the
kept corpus onwards; what it tries in between is thrown away. An input that raises, takes more than ten seconds or two
gigabytes is written into the kept corpus, where the replay (`test_corpus.py`) fails until it is mended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

_SECONDS = 60
_MOST_BYTES = 16_384


def main() -> int:
    """Run the targets one after the other; the status is 1 if any of them found a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="[all]")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for all targets together")
    if sys.argv[1:2] == ["--one"]:  # the process of one target, whose arguments are libFuzzer's
        return _fuzz(sys.argv[2], sys.argv[3:])
    options = parser.parse_args()
    from tests.fuzz.targets import CORPUS, TARGETS, WORDS

    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; known are {', '.join(TARGETS)}")
    chosen = options.targets or list(TARGETS)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        dictionary = Path(folder) / "words"
        dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
        for name in chosen:
            found, kept = Path(folder) / name, CORPUS / name
            found.mkdir()
            arguments = [
                f"-max_total_time={max(1, round(options.seconds / len(chosen)))}",
                f"-artifact_prefix={kept}/",
                f"-dict={dictionary}",
                f"-max_len={_MOST_BYTES}",
                *("-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"),
                *(str(found), str(kept)),
            ]
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz.fuzz", "--one", name, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            lines = done.stderr.splitlines()
            tried = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
            print(f"{name}: {tried} inputs, {'no fault' if done.returncode == 0 else 'a FAULT'}", flush=True)
            if done.returncode != 0:
                failed.append(name)
                print(done.stdout[-4000:], "\n".join(lines[-30:]), sep="\n", flush=True)
    return 1 if failed else 0


def _fuzz(name: str, arguments: list[str]) -> int:
    """One target under atheris, with libFuzzer's arguments."""
    import atheris

    with atheris.instrument_imports(include=["envcheck"]):
        from tests.fuzz import targets

    def one(data: bytes) -> None:
        targets.run(name, data)

    targets.run(name, b"")  # what is imported late is instrumented, too
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()
    return 0


def _escaped(word: str) -> str:
    """A word as libFuzzer's dictionaries have it."""
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '\\"' else f"\\x{byte:02x}" for byte in word.encode())
    return "".join(plain)


if __name__ == "__main__":
    sys.exit(main())
