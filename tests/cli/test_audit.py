"""``envcheck audit`` as its users run it: a folder, a second run, a worker that is killed, Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import CommandLine, condarc_text, fixture_locations
from tests.support.server import Misbehaviour, ServerFactory

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

BROKEN = "channels:\n  - conda-forge\ndependencies:\n  - numpy\n\t- scipy\n"
WORKFLOW = "name: CI\njobs:\n  test:\n    steps:\n      - run: make\n"
SLOW = "channels:\n  - {url}/conda-forge\n  - nodefaults\ndependencies:\n  - numpy\n"


@pytest.fixture
def fleet(envcheck: CommandLine) -> CommandLine:
    """Five sources of three kinds in a tree with other files."""
    for name in ("team/a", "team/b", ".github/workflows"):
        (envcheck.directory / name).mkdir(parents=True)
    clean = (envcheck.directory / "clean.yml").read_text()
    envcheck.write("team/a/environment.yml", clean.replace("numpy", "pandas"))
    envcheck.write("team/b/environment.yml", clean)
    envcheck.write("team/broken.yml", BROKEN)
    envcheck.write(".github/workflows/ci.yml", WORKFLOW)
    return envcheck


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_folder_gives_one_table_worst_first(fleet: CommandLine) -> None:
    run = fleet("audit", ".", "--no-times", "--jobs", "1")
    rows = [line.split() for line in run.output.splitlines()]

    assert rows[0] == ["VERDICT", "PINS", "ERRORS", "WARNINGS", "SOURCE"]
    assert [(row[0], row[4].removesuffix(":")) for row in rows[1:6]] == [
        ("unreadable", "team/broken.yml"),
        ("fixable", "windows.txt"),
        ("ready", "clean.yml"),
        ("ready", "team/a/environment.yml"),
        ("ready", "team/b/environment.yml"),
    ]
    assert "5 sources: 1 unreadable, 1 fixable, 3 ready" in run.output
    assert run.errors.startswith("next: envcheck check windows.txt\nnext: envcheck rules EC")
    assert run.status == 2


def typed(fleet: CommandLine, errors: str) -> list[int]:
    """The statuses of the commands that are told to come next, each typed as it stands but for what is said of it."""
    steps = [line.removeprefix("next: ").partition("   (")[0] for line in errors.splitlines() if "next: " in line]
    return [fleet(*shlex.split(step)[1:]).status for step in steps]


def test_the_next_command_looks_at_the_worst(fleet: CommandLine) -> None:
    asked = ("--no-pip", "--engine", "rattler", "--offline")
    fleet.write("team/a/two words.yml", "channels: [conda-forge]\ndependencies: [python=3.10, nosuch-thing]\n")
    run = fleet("audit", "team", *asked, "--jobs", "1")
    first, *_ = run.errors.splitlines()
    assert first == "next: envcheck check 'team/a/two words.yml' --engine rattler --offline --no-pip"
    assert typed(fleet, run.errors) == [1, 0]
    run = fleet("audit", "windows.txt", "clean.yml", "-p", "win-64", "-p", "linux-64", *asked, "--jobs", "1")
    first, *_ = run.errors.splitlines()
    assert first == "next: envcheck check windows.txt -p linux-64 --engine rattler --offline --no-pip"
    assert typed(fleet, run.errors) == [1, 0]
    run = fleet("audit", "clean.yml", "team/b", *asked, "--jobs", "1")
    assert run.errors == "next: envcheck lock clean.yml --engine rattler --offline --no-pip\n"
    assert typed(fleet, run.errors) == [0]
    run = fleet("audit", "team/broken.yml", *asked)
    assert run.errors == "next: envcheck check team/broken.yml --engine rattler --offline --no-pip\n"
    assert typed(fleet, run.errors) == [2]
    assert fleet("audit", ".", *asked, "-q").errors == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
@pytest.mark.parametrize("name", ["HOME/e/fix.yml", "HOME/two words/it's.yml", "./~/e.yml", "./-e.yml"])
def test_the_next_command_names_a_file_that_the_shell_finds(fleet: CommandLine, tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    path = fleet.directory / name.replace("HOME", str(home))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("channels: [conda-forge]\ndependencies: [python=3.10, nosuch-thing]\n", encoding="utf-8")
    run = fleet("audit", name.replace("HOME", str(home)), "--offline", "--jobs", "1", HOME=str(home))
    assert name.removeprefix("./").replace("HOME", "~") in run.output
    # The shell takes the command apart, and says what envcheck would be given.
    step = run.errors.splitlines()[0].removeprefix("next: ")
    told = subprocess.run(
        ["sh", "-c", f"envcheck() {{ printf '%s\\n' \"$2\"; }}; {step}"],
        cwd=fleet.directory,
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    source = told.stdout.removesuffix("\n")
    assert not source.startswith("-")
    assert (fleet.directory / source).samefile(path)


@pytest.mark.parametrize("format_name", ["text", "json", "markdown", "html"])
def test_the_bytes_do_not_depend_on_how_many_work(fleet: CommandLine, format_name: str) -> None:
    runs = [
        fleet("audit", ".", "--fresh", "--no-times", "--format", format_name, "--jobs", jobs, PYTHONHASHSEED=jobs)
        for jobs in ("1", "3")
    ]
    assert runs[0].output == runs[1].output
    assert "windows.txt" in runs[0].output


def test_a_second_run_checks_what_has_changed(fleet: CommandLine, tmp_path: Path, channels_directory: Path) -> None:
    first = lines(fleet("audit", ".", "--format", "jsonl").output)
    fleet.write("clean.yml", (fleet.directory / "clean.yml").read_text() + "  - pandas\n")
    second = lines(fleet("audit", ".", "--format", "jsonl").output)
    third = fleet("audit", ".")
    fresh = lines(fleet("audit", ".", "--fresh", "--format", "jsonl").output)

    assert not any(one["reused"] for one in first)
    assert {one["path"] for one in second if not one["reused"]} == {"clean.yml"}
    assert "5 known from before, 0 checked" in third.output
    assert not any(one["reused"] for one in fresh)

    def plain(results: list[dict[str, Any]]) -> list[Any]:
        return sorted(({**one, "seconds": 0, "reused": 0} for one in results), key=lambda one: str(one["path"]))

    assert plain(second) == plain(fresh)
    assert plain(first) != plain(second)


def test_a_channel_that_changed_is_asked_again(envcheck: CommandLine, tmp_path: Path, channels_directory: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(channels_directory, copy)
    envcheck.configure(condarc_text(fixture_locations(copy)))
    envcheck("audit", "clean.yml", "windows.txt", "--format", "jsonl")
    os.utime(copy / "conda-forge" / "linux-64" / "repodata.json")
    run = envcheck("audit", "clean.yml", "windows.txt", "--format", "jsonl")

    assert [one["reused"] for one in lines(run.output)] == [False, False]


def test_a_named_file_that_is_no_export_is_told(fleet: CommandLine) -> None:
    run = fleet("audit", ".github/workflows/ci.yml", "gone.yml", "clean.yml", "--format", "jsonl")
    results = {one["path"]: one for one in lines(run.output)}

    assert {path: one["verdict"] for path, one in results.items()} == {
        ".github/workflows/ci.yml": "unreadable",
        "gone.yml": "unreadable",
        "clean.yml": "ready",
    }
    assert results["gone.yml"]["trouble"] == "there is no such file"
    assert run.status == 2


def test_lists_on_standard_input(fleet: CommandLine) -> None:
    named = fleet("audit", "-", "--format", "json", data=b"team/a\nclean.yml\n.github/workflows/ci.yml\n")
    null = fleet("audit", "-", "-0", "--format", "json", data=b"team/a\0clean.yml\0")
    nothing = fleet("audit", "-", data=b"")

    assert [one["path"] for one in named.report()["results"]] == ["clean.yml", "team/a/environment.yml"]
    assert [one["path"] for one in null.report()["results"]] == ["clean.yml", "team/a/environment.yml"]
    assert named.status == 0
    assert nothing.output == "VERDICT  PINS  ERRORS  WARNINGS  SECONDS  SOURCE\n\nno source was found\n"


def test_a_list_whose_names_end_otherwise_is_told_how_it_is_read(fleet: CommandLine) -> None:
    run = fleet("audit", "-", data=b"team/a\0clean.yml\0")

    assert (run.status, run.output) == (2, "")
    assert run.errors == (
        "envcheck: -: the list of names holds NUL characters\n"
        "hint: Where they end the names (find -print0, git ls-files -z), add -0: envcheck audit - -0\n"
    )


def test_wrong_words(fleet: CommandLine) -> None:
    for arguments in (
        ["."],
        ["-0", "clean.yml"],
        ["--jobs", "0", "."],
        ["--select", "XX", "."],
        ["--effort", "0", "."],
        ["-p", "linux-64", "-p", "nonsense", "."],
        ["--image", "nosuchimage", "."],
        ["--virtual-package", "glibc", "."],
    ):
        if arguments != ["."]:
            assert fleet("audit", *arguments).status == 2
    empty = fleet("audit", ".github")
    assert empty.status == 2
    assert "nothing there looks like an export" in empty.errors


def test_the_status_is_that_of_every_command(fleet: CommandLine) -> None:
    assert fleet("audit", "clean.yml").status == 0
    assert fleet("audit", "windows.txt", "clean.yml").status == 1
    assert fleet("audit", "windows.txt", "--fail-on", "never").status == 0
    assert fleet("audit", "windows.txt", "--select", "EC7").status == 0


def test_reports_are_written_to_files(fleet: CommandLine) -> None:
    assert fleet("audit", "clean.yml", "windows.txt", "--format", "jsonl", "-o", "out.jsonl").output == ""
    assert len(lines((fleet.directory / "out.jsonl").read_text())) == 2
    assert fleet("audit", "clean.yml", "-o", "out.txt").output == ""
    assert "clean.yml" in (fleet.directory / "out.txt").read_text()
    assert fleet("audit", "clean.yml", "--format", "jsonl", "-o", "no/where.jsonl").status == 3


def test_a_store_that_is_damaged_or_out_of_reach_stops_nothing(fleet: CommandLine) -> None:
    place = fleet.directory / "cache" / "audit"
    place.mkdir(parents=True)
    (place / "results-2.sqlite3").write_bytes(b"nothing of the kind" * 99)
    for expected in ("checked", "known"):
        run = fleet("audit", "clean.yml", "--cache-dir", "cache")
        assert run.status == 0
        assert ("known from before" in run.output) is (expected == "known")
        assert run.errors == "next: envcheck lock clean.yml --cache-dir cache\n"


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that make checks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == process.pid and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


@pytest.fixture
def slow(fleet: CommandLine, channels_directory: Path, loopback_server: ServerFactory) -> Any:
    """The fleet with one more source, whose channel does not answer while the test lasts."""
    server = loopback_server(channels_directory, delay=90)
    server.misbehave("/", Misbehaviour.SLOW)
    (fleet.directory / "slow").mkdir()
    # Its own channel alone: configured ones are where every other source's packages are looked for, too.
    fleet.write("slow/environment.yml", SLOW.format(url=server.url))
    return server


@LINUX
def test_a_worker_that_is_killed_costs_no_other_source_its_result(fleet: CommandLine, slow: Any) -> None:
    process = fleet.start("audit", "slow", "clean.yml", "windows.txt", "--jobs", "1", "--format", "jsonl")
    for _ in range(2):
        assert slow.asked.wait(60), "envcheck never asked the server"
        slow.asked.clear()
        time.sleep(0.2)
        (worker,) = workers_of(process)
        os.kill(worker, signal.SIGKILL)
    output, errors = process.communicate(timeout=90)
    results = {one["path"]: one for one in lines(output.decode())}

    assert len(results) == len(output.splitlines()) == 3
    assert results["slow/environment.yml"]["verdict"] == "failed"
    assert "2 times" in results["slow/environment.yml"]["trouble"]
    assert "SIGKILL" in results["slow/environment.yml"]["trouble"]
    assert results["clean.yml"]["verdict"] == "ready"
    assert process.returncode == 3, errors
    assert b"Traceback" not in errors


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_what_is_there_and_the_next_run_goes_on(
    fleet: CommandLine, slow: Any, number: signal.Signals
) -> None:
    # As from a terminal: the signal reaches the whole group.
    process = fleet.start("audit", ".", "--jobs", "2", "--format", "jsonl", start_new_session=True)
    assert process.stdout is not None
    done = [json.loads(process.stdout.readline()) for _ in range(5)]
    assert slow.asked.wait(60)
    workers = workers_of(process)
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=20)

    assert process.returncode == 128 + number, errors
    assert b"Traceback" not in errors
    assert (
        errors.decode()
        .splitlines()[-1]
        .startswith("envcheck: interrupted" if number == signal.SIGINT else "envcheck: stopped by a signal")
    )
    assert output == b""
    assert "slow/environment.yml" not in {one["path"] for one in done}
    for worker in workers:
        assert not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split()[2]
    slow.behave()
    again = lines(fleet("audit", ".", "--format", "jsonl").output)
    assert {one["path"] for one in again if not one["reused"]} == {"slow/environment.yml"}


@LINUX
def test_ctrl_c_shows_the_table_of_what_is_there(fleet: CommandLine, slow: Any) -> None:
    fleet("audit", "clean.yml", "windows.txt")
    process = fleet.start("audit", "clean.yml", "windows.txt", "slow", "--jobs", "1")
    assert slow.asked.wait(60)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)

    assert process.returncode == 130, errors
    assert "interrupted: 2 of 3 were done" in output.decode()
    assert "fixable" in output.decode()


def test_a_fleet_is_adopted_with_a_baseline_that_check_shares(fleet: CommandLine) -> None:
    base = ("--baseline", "base.json")
    first = fleet("audit", ".", "--no-pip", *base, "--update-baseline", "--no-times")
    again = fleet("audit", ".", "--no-pip", *base, "--no-times")

    assert "wrote base.json" in first.errors
    assert first.output == again.output
    assert (first.status, again.status) == (2, 2)  # one of them is no export
    assert "0 errors, 0 warnings" in again.output
    assert "accepted by the baseline" in again.output
    named = next(one["path"] for one in json.loads((fleet.directory / "base.json").read_text())["findings"])
    assert fleet("check", named, "--no-pip", *base).status == 0
    rows = lines(fleet("audit", ".", "--no-pip", *base, "--format", "jsonl").output)
    assert sum(row["accepted"] for row in rows) > 0
    assert all(row["problems"]["error"] == row["problems"]["warning"] == 0 for row in rows)


def test_what_is_new_beside_a_baseline_counts(fleet: CommandLine) -> None:
    base = ("--baseline", "base.json")
    fleet("audit", ".", "--no-pip", *base, "--update-baseline")
    fleet.write("new.yml", "channels: [conda-forge]\ndependencies: [numpy, pywin32]\n")

    run = fleet("audit", ".", "--no-pip", *base, "--fail-on", "warning", "--format", "jsonl")

    (told,) = (row for row in lines(run.output) if row["problems"]["error"])
    assert told["path"] == "new.yml"
    assert run.status == 2
