"""What cannot be read or understood: one message, a hint, status 2 (3 where envcheck could not work); no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import CommandLine, Run

ALIASES = b"a: &a [x]\ndependencies:\n" + b"".join(b"- &b%d [*a, *a]\n" % number for number in range(10_000))

# Each source with the words of its message and of its hint.
WRONG_FILES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "The file is empty.", "Export it again"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is a PNG image, not an export.", "Export it again"),
    "zeros": (b"\0" * 50_000_000, "The file is larger than 32 MiB; no export or lock is.", "Export it again"),
    "aliases": (ALIASES, "The YAML uses an alias", "Write the repeated part out."),
    "prose": (
        b"Dear all,\n\nthis is not an export.\n",
        "This is no export of a known kind.",
        "Known are environment.yml",
    ),
}


def assert_ends_with_a_command(run: Run) -> None:
    """The last line of an error holds a command to type, or an option to add to the one that was typed."""
    last = run.errors.splitlines()[-1]
    assert re.match(r"(hint|next): |Try '", last)
    assert re.search(r"\b(envcheck|conda|pixi|mkdir) [\w-]+|(?<!\w)--?[a-z][\w-]*", last), last


@pytest.mark.parametrize("name", WRONG_FILES)
def test_wrong_files_are_refused_quickly(envcheck: CommandLine, name: str) -> None:
    content, message, hint = WRONG_FILES[name]
    envcheck.write("given.yml", content)
    started = time.monotonic()
    run = envcheck("check", "given.yml", "--lock", "lock.yml")
    assert time.monotonic() - started < 3
    assert (run.status, run.output) == (2, "")
    lines = run.errors.splitlines()
    assert len(lines) == (3 if name == "aliases" else 2)
    assert_ends_with_a_command(run)
    assert lines[0].startswith("envcheck: given.yml:")
    assert message in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]
    assert "lock.yml" not in envcheck.files()


def test_a_directory(envcheck: CommandLine) -> None:
    (envcheck.directory / "folder").mkdir()
    run = envcheck("check", "folder")
    assert (run.status, run.output) == (2, "")
    assert run.errors == (
        "envcheck: folder: this is a directory, not an export\n"
        "hint: Name a file in it, such as environment.yml.\n"
        "next: envcheck audit folder\n"
    )  # fmt: skip


def test_a_missing_file(envcheck: CommandLine) -> None:
    run = envcheck("check", "missing.yml")
    assert (run.status, run.output) == (2, "")
    assert run.errors == (
        "envcheck: missing.yml: there is no such file\n"
        "hint: Check the name; 'conda env export > environment.yml' makes one.\n"
    )


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (("verify", "missing.yml"), "'envcheck lock SOURCE' writes one"),
        (("docker", "missing.yml"), "of a folder the file Dockerfile is read"),
        (("docker", "."), "of a folder the file Dockerfile is read"),
    ],
)
def test_a_missing_file_of_another_kind(envcheck: CommandLine, command: tuple[str, ...], hint: str) -> None:
    run = envcheck(*command)
    assert run.status == 2
    assert run.errors.splitlines()[1] == f"hint: Check the name; {hint}."


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission(envcheck: CommandLine) -> None:
    envcheck.write("secret.yml", "dependencies: [numpy]\n").chmod(0)
    run = envcheck("check", "secret.yml")
    assert (run.status, run.output) == (2, "")
    assert run.errors == (
        "envcheck: secret.yml: the file cannot be read: Permission denied\n"
        "hint: Check its permissions.\n"
        "next: envcheck check --help\n"
    )  # fmt: skip


def test_empty_standard_input(envcheck: CommandLine) -> None:
    run = envcheck("check", "-")
    assert (run.status, run.output) == (2, "")
    assert run.errors.startswith("envcheck: -: The file is empty.\nhint: ")


@pytest.mark.skipif(sys.platform == "win32", reason="closes a descriptor as a POSIX shell does")
def test_closed_standard_input(envcheck: CommandLine) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{sys.executable}' -m envcheck check - <&-"],
        cwd=envcheck.directory,
        env=envcheck.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "envcheck: -: standard input is closed\n"
        "hint: Name a file, or pipe one in.\n"
        "next: envcheck check --help\n"
    )  # fmt: skip


@pytest.mark.parametrize("command", [("check", "clean.yml"), ("audit", "."), ("verify", "x.lock"), ("doctor",)])
@pytest.mark.parametrize(
    "url",
    [
        *("notaurl", "https://", "ftp://host.example/simple", "https://[x", "", "pypi.org/simple", "https:///simple"),
        *("https://h:port/", "https://me:hunter2@h:99999/simple", "http://h:0/", "https://h:-1/"),
    ],
)
def test_an_index_has_a_url(envcheck: CommandLine, command: tuple[str, ...], url: str) -> None:
    run = envcheck(*command, "--index-url", url)
    assert (run.status, run.output) == (2, "")
    assert "Invalid value for '--index-url': " in run.errors
    assert "hunter2" not in run.errors
    assert_ends_with_a_command(run)


def test_an_index_of_the_settings_has_a_url(envcheck: CommandLine) -> None:
    envcheck.write("envcheck.toml", 'index-url = "https://me:hunter2@"\n')
    run = envcheck("check", "clean.yml")
    assert (run.status, run.output) == (2, "")
    assert run.errors.startswith("envcheck: envcheck.toml:1: index-url: ")
    assert "hunter2" not in run.errors
    envcheck.write("envcheck.toml", 'index-url = "HTTPS://127.0.0.1:9/simple"\n')
    assert envcheck("check", "clean.yml", "--offline").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "--nonsense", "clean.yml"), "No such option"),
        (("verify",), "Missing argument 'LOCK...'"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("lock", "clean.yml", "windows.txt"), "unexpected extra argument"),
        (("check", "clean.yml", "--fail-on", "sometimes"), "is not one of 'error', 'warning', 'never'"),
        (("check", "clean.yml", "--format", "xml"), "is not one of"),
        (("check", "clean.yml", "--exclude-newer", "yesterday"), "'yesterday' is not an ISO 8601 date"),
        (("check", "clean.yml", "--exclude-newer", "2023-13-45"), "'2023-13-45' is not an ISO 8601 date"),
        (("check", "clean.yml", "-o", "."), "'.' is a directory"),
    ],
)
def test_wrong_usage(envcheck: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    run = envcheck(*arguments)
    assert (run.status, run.output) == (2, "")
    assert words in run.errors
    assert_ends_with_a_command(run)
    assert run.errors.splitlines()[-1].startswith("next: envcheck " if arguments == ("verify",) else "Try 'envcheck ")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("-p", "lin-64"), "The platform 'lin-64' is not known", "Choose one of linux-64"),
        (("--image", "nosuch:1"), "The image 'nosuch:1' is not known", "--virtual-package __glibc=VERSION"),
        (("--virtual-package", "glibc"), "'glibc' is no virtual package", "Write NAME=VERSION"),
        (("--override-channels",), "--override-channels needs at least one --channel", "--channel conda-forge"),
    ],
)
def test_options_that_cannot_be_used(
    envcheck: CommandLine, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    run = envcheck("check", "clean.yml", *arguments)
    assert (run.status, run.output) == (2, "")
    first, second, *_ = run.errors.splitlines()
    assert_ends_with_a_command(run)
    assert first.startswith("envcheck: ")
    assert message in first
    assert second.startswith("hint: ")
    assert hint in second


def test_a_broken_configuration_is_refused(envcheck: CommandLine) -> None:
    envcheck.configure("channels: [conda-forge\n")
    run = envcheck("check", "clean.yml")
    assert (run.status, run.output) == (2, "")
    assert "condarc" in run.errors
    assert "hint: " in run.errors
    assert run.errors.splitlines()[-1] == "next: envcheck doctor"


@pytest.mark.parametrize("option", ["--lock", "--explicit", "--environment", "-o"])
def test_a_file_that_cannot_be_written(envcheck: CommandLine, option: str) -> None:
    run = envcheck("check", "clean.yml", option, "nowhere/file")
    assert run.status == 3
    assert run.errors.splitlines()[-2:] == [
        "envcheck: nowhere/file: Cannot write nowhere/file: No such file or directory.",
        "hint: Make its folder first: mkdir -p nowhere",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("check", "clean.yml"), ("normalize", "clean.yml"), ("rules",)])
def test_a_full_disk_under_standard_output(envcheck: CommandLine, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "envcheck", *arguments],
            cwd=envcheck.directory,
            env=envcheck.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == (
        "envcheck: Cannot write to standard output: No space left on device.\n"
        "hint: Name a file with -o FILE.\n"
    )  # fmt: skip


def test_a_disk_that_fills_up_leaves_the_old_lock(envcheck: CommandLine) -> None:
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    envcheck.write("conda-lock.yml", "old\n")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-m", "envcheck", "lock", "clean.yml", "--offline"],
        cwd=envcheck.directory,
        env=envcheck.environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )
    assert done.returncode == 3, done.stderr
    assert "Cannot write conda-lock.yml: File too large." in done.stderr
    assert (envcheck.directory / "conda-lock.yml").read_text() == "old\n"
    assert envcheck.files() == {"clean.yml", "windows.txt", "conda-lock.yml"}
