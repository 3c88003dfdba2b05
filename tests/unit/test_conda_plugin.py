"""`conda envcheck`, against the interface of conda's hook, and against conda itself where there is one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck import __version__
from tests.test_architecture import HEAVY

ROOT = Path(__file__).parents[2]
STAND_IN = [sys.executable, "-m", "tests.support.conda_stand_in"]
CONDA = [sys.executable, "-m", "conda"]

condas = pytest.mark.parametrize(
    "conda",
    [
        pytest.param(STAND_IN, id="stand-in"),
        pytest.param(
            CONDA, marks=pytest.mark.skipif(importlib.util.find_spec("conda") is None, reason="needs conda"), id="conda"
        ),
    ],
)


def run(*words: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@condas
def test_conda_lists_it(conda: list[str]) -> None:
    done = run(*conda, "--help")

    assert "envcheck" in done.stdout
    assert "Will this conda environment build on Linux?" in " ".join(done.stdout.split())


@condas
@pytest.mark.parametrize(
    ("arguments", "status", "output", "errors"),
    [
        (["--version"], 0, f"envcheck, version {__version__}\n", ""),
        (["check", "--help"], 0, "Usage: envcheck check [OPTIONS] ", ""),
        (["check", "no such file.yml"], 2, "", "no such file.yml: there is no such file"),
        (["rules", "-x"], 2, "", "No such option"),
    ],
)
def test_arguments_output_and_status_are_envchecks_own(
    conda: list[str], arguments: list[str], status: int, output: str, errors: str
) -> None:
    done = run(*conda, "envcheck", *arguments)

    assert output in done.stdout
    assert errors in done.stderr
    assert done.returncode == status


def test_a_start_of_conda_loads_next_to_nothing_for_it() -> None:
    loaded = {name.partition(".")[0] for name in run(*STAND_IN, "--loaded").stdout.split()}

    assert "envcheck" in loaded
    assert loaded.isdisjoint({*HEAVY, "click", "subprocess"})


def test_modules_of_the_working_directory_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    done = run(*STAND_IN, "envcheck", "--version", directory=tmp_path)

    assert done.stderr == ""
    assert done.stdout == f"envcheck, version {__version__}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_conda_ends_envcheck_in_its_own_words(number: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "environment.yml"
    os.mkfifo(pipe)
    command = [*STAND_IN, "envcheck", "check", str(pipe)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            with pipe.open("wb"):  # which waits for a reader, so for an envcheck that is at work
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)
            # Only now, since conda takes a moment to send it on; see the next test for why at all.
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()

    assert errors == "envcheck: stopped by a signal; nothing was left half-written\n"
    assert process.returncode == 128 + number


SIGNALLED_WHILE_STARTING = """
import os, runpy, subprocess, sys
number = int(sys.argv[1])
Popen = subprocess.Popen
class Signalled(Popen):
    def __init__(self, *words, **options):
        os.kill(os.getpid(), number)
        super().__init__(*words, **options)
        os.kill(os.getpid(), number)
        sys.stderr.write(f"{self.pid}\\n")
subprocess.Popen = Signalled
sys.argv[1:] = sys.argv[2:]
runpy.run_module("tests.support.conda_stand_in", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_envcheck_is_being_started_ends_it_too(number: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "environment.yml"
    os.mkfifo(pipe)  # which nobody writes to: an envcheck that goes on would wait here for good
    command = [sys.executable, "-c", SIGNALLED_WHILE_STARTING, str(int(number)), "envcheck", "check", str(pipe)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 128 + number
    child = int(done.stderr.splitlines()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_to_both_keeps_envchecks_status(tmp_path: Path) -> None:
    pipe = tmp_path / "environment.yml"
    os.mkfifo(pipe)
    command = [*STAND_IN, "envcheck", "check", str(pipe)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            with pipe.open("wb"):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does
                # Python looks for signals before it calls ``read``, which one that comes in between does not interrupt:
                # with the end of the file, which may not come before the signal, it is taken note of in any case.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()

    assert errors.strip() == "envcheck: interrupted; nothing was left half-written"
    assert process.returncode == 130
