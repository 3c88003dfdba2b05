"""Signals, closed pipes, terminals and locales: whatever happens around a run, it ends in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.cli.running import CommandLine, condarc_text
from tests.support.server import Misbehaviour, ServerFactory

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and locales are POSIX's")
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@POSIX
@pytest.mark.parametrize(
    ("number", "word"),
    [
        (signal.SIGINT, "interrupted"),
        (signal.SIGTERM, "stopped by a signal"),
        (signal.SIGHUP, "stopped by a signal"),
    ],
)
def test_a_signal_while_a_channel_is_loaded(
    envcheck: CommandLine,
    channels_directory: Path,
    loopback_server: ServerFactory,
    number: signal.Signals,
    word: str,
) -> None:
    envcheck.write("conda-lock.yml", "old\n")
    server = loopback_server(channels_directory, delay=60)
    envcheck.configure(condarc_text({"conda-forge": f"{server.url}/conda-forge"}))
    server.misbehave("/conda-forge/linux-64/repodata.json", Misbehaviour.SLOW)
    process = envcheck.start("lock", "clean.yml", "-o", "report.txt")
    assert server.asked.wait(30), "envcheck never asked the server"
    time.sleep(0.3)
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number, errors
    assert output == b""
    assert errors.decode().strip().splitlines()[-1].startswith(f"envcheck: {word}")
    assert b"Traceback" not in errors
    assert b"never" not in errors
    assert (envcheck.directory / "conda-lock.yml").read_text() == "old\n"
    assert envcheck.files() == {"clean.yml", "windows.txt", "conda-lock.yml"}


@POSIX
def test_a_signal_at_any_moment_leaves_whole_files_only(envcheck: CommandLine) -> None:
    expected = envcheck.directory.parent / "expected.yml"
    assert envcheck("lock", "clean.yml", "--lock", str(expected)).status == 0
    whole = expected.read_text().replace("expected.yml", "conda-lock.yml")
    for delay in (0.05, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.8):
        process = envcheck.start("lock", "clean.yml")
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        # -SIGTERM: it came while Python itself was starting.
        assert process.returncode in (0, 143, -signal.SIGTERM), errors
        left = envcheck.files() - {"clean.yml", "windows.txt"}
        assert left <= {"conda-lock.yml"}
        if left:
            assert (envcheck.directory / "conda-lock.yml").read_text() == whole
            (envcheck.directory / "conda-lock.yml").unlink()


@POSIX
@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("check", "windows.txt"), 1), (("check", "clean.yml"), 0), (("rules",), 0), (("normalize", "clean.yml"), 0)],
)
def test_a_reader_that_has_seen_enough(envcheck: CommandLine, arguments: tuple[str, ...], status: int) -> None:
    process = envcheck.start(*arguments, *(("-q",) if arguments[0] == "check" else ()))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) == status


@POSIX
@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("check", "missing.yml"), 2), (("check", "--nonsense"), 2), (("check", "windows.txt"), 1), (("rules",), 0)],
)
def test_nobody_reads_what_goes_wrong(envcheck: CommandLine, arguments: tuple[str, ...], status: int) -> None:
    process = envcheck.start(*arguments)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.close()
    process.stdout.read()
    process.stdout.close()
    assert process.wait(20) == status


@POSIX
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_outputs(envcheck: CommandLine, redirection: str) -> None:
    # Without --fail-on, the status of a crash would look like that of findings.
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{sys.executable}' -m envcheck check windows.txt --fail-on never {redirection}"],
        cwd=envcheck.directory,
        env=envcheck.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert ("FIXABLE" in done.stdout) == (redirection == "2>&-")


def test_reports_on_a_broken_channel_never_crash_at_exit(envcheck: CommandLine) -> None:
    # py-rattler's threads used to bring the ending interpreter down in every second such run.
    for _ in range(8):
        assert envcheck("check", "clean.yml", "-c", "./nowhere", "--override-channels").status == 3


@POSIX
def test_a_locale_without_unicode(envcheck: CommandLine) -> None:
    name = "größe\N{SNOWMAN}.yml"
    envcheck.write(name, "name: größe\nchannels: [conda-forge]\ndependencies: [python=3.10]\n")
    assert envcheck("check", name, **C_LOCALE).status == 0
    run = envcheck("check", name, "--format", "json", **C_LOCALE)
    assert run.report()["verdict"] == "ready"
    assert yaml.safe_load(envcheck("normalize", name, **C_LOCALE).output)["name"] == "größe"
    assert envcheck("check", "missing-ö.yml", **C_LOCALE).status == 2


@POSIX
def test_data_is_utf_8_in_any_locale(envcheck: CommandLine) -> None:
    envcheck.write("ä.yml", "name: ä\nchannels: [conda-forge]\ndependencies: [python=3.10]\n")
    run = envcheck("check", "ä.yml", "--format", "json", PYTHONIOENCODING="latin-1")
    assert run.report()["source"]["path"] == "ä.yml"


@POSIX
@pytest.mark.parametrize("locale", [{}, C_LOCALE], ids=["utf-8", "C"])
def test_a_file_name_that_is_no_text(envcheck: CommandLine, locale: dict[str, str]) -> None:
    name = b"\xff-env.yml"
    try:
        (Path(os.fsdecode(os.fsencode(envcheck.directory) + b"/" + name))).write_text(
            "name: x\nchannels: [conda-forge]\ndependencies: [python=3.10]\n"
        )
    except OSError:
        pytest.skip("this file system holds text only")
    assert "in \\udcff-env.yml\n" in envcheck("check", name, **locale).output
    assert envcheck("check", name, "--format", "json", **locale).report()["source"]["path"] == "\udcff-env.yml"
    assert envcheck("lock", name, "--format", "json", "-o", "report.json", **locale).status == 0
    assert json.loads((envcheck.directory / "report.json").read_text("utf-8"))["source"]["path"] == "\udcff-env.yml"
    lock = yaml.safe_load((envcheck.directory / "conda-lock.yml").read_text("utf-8"))
    assert lock["metadata"]["sources"] == ["\\udcff-env.yml"]


@POSIX
def test_a_hostile_file_name_is_harmless_everywhere(envcheck: CommandLine) -> None:
    name = "evil\x1b[31m\u202e\nnext: rm -rf.yml"
    envcheck.write(name, "name: x\nchannels: [conda-forge]\ndependencies: [python=3.10]\n")
    for arguments in (("check", name), ("check", name, "--format", "json"), ("check", f"no-{name}"), ("lock", name)):
        run = envcheck(*arguments)
        for text in (run.output, run.errors):
            assert "\x1b" not in text
            assert "\u202e" not in text
            assert "\nnext: rm" not in text
    assert envcheck("check", name, "--format", "json").report()["source"]["path"] == name


@POSIX
def test_a_terminal_gets_colour_and_progress_and_a_file_does_not(envcheck: CommandLine) -> None:
    pty = pytest.importorskip("pty")

    def on_terminal(**changes: str) -> bytes:
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "envcheck", "check", "windows.txt"],
            cwd=envcheck.directory,
            env=envcheck.environment(TERM="xterm-256color", COLUMNS="100", **changes),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        seen = b""
        try:
            while chunk := os.read(controller, 65536):
                seen += chunk
        except OSError:  # Linux's way to say that the other side is closed
            pass
        os.close(controller)
        assert process.wait(20) == 1
        return seen

    assert b"\x1b[1;33mFIXABLE" in on_terminal()
    plain = on_terminal(NO_COLOR="1")
    assert b"FIXABLE" in plain
    assert b"\x1b[1;33m" not in plain
    assert "\x1b" not in envcheck("check", "windows.txt").output
