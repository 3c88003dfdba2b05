"""A stranger's first minutes: ``envcheck`` alone, pages of help, and what happens where no source is named."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from envcheck.cli import cli
from envcheck.cli_commands import COMMANDS
from envcheck.cli_language import ExamplesLast
from tests.cli.conftest import CLEAN, WINDOWS
from tests.cli.running import CommandLine


def alone(envcheck: CommandLine, *keep: str) -> None:
    """Leave nothing in the working directory but these files."""
    for name in envcheck.files() - set(keep):
        (envcheck.directory / name).unlink()


# ---------------------------------------------------------------------------------------------------------------------
# Without anything
# ---------------------------------------------------------------------------------------------------------------------


def test_without_a_command_it_says_what_it_does_and_where_to_begin(envcheck: CommandLine) -> None:
    alone(envcheck)
    run = envcheck()
    # As click has it where a command is missing.
    assert (run.status, run.output) == (2, "")
    lines = run.errors.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) < 80
    assert lines[0].startswith("Will this conda environment build on Linux?")
    begin = [line.split("  ")[1] for line in lines[lines.index("Begin with:") + 1 :][:3]]
    assert begin == ["envcheck check environment.yml", "envcheck lock environment.yml", "envcheck docker ."]
    assert lines[-1] == "There is no source here; 'conda env export > environment.yml' makes one."


def test_without_a_command_it_names_what_it_would_check(envcheck: CommandLine) -> None:
    envcheck.write("Dockerfile", "FROM debian:12\n")
    run = envcheck()
    assert "  envcheck check clean.yml  " in run.errors
    assert run.errors.splitlines()[-3:] == [
        "Here, 'envcheck check' would take clean.yml (environment-yaml).",
        "Also here: windows.txt.",
        "'envcheck docker .' would take the Dockerfile.",
    ]


@pytest.mark.parametrize("options", [("--no-config",), ("--lang", "en")])
def test_options_without_a_command_ask_for_the_page_as_well(envcheck: CommandLine, options: tuple[str, ...]) -> None:
    assert envcheck(*options) == envcheck()


def test_the_page_is_told_in_chinese(envcheck: CommandLine) -> None:
    run = envcheck("--lang", "zh")
    assert run.status == 2
    assert "envcheck check clean.yml" in run.errors
    assert "Begin with" not in run.errors
    assert "Here" not in run.errors


def test_names_of_files_are_shown_as_a_shell_wants_them(envcheck: CommandLine) -> None:
    alone(envcheck)
    envcheck.write("my \x1b[31menv.yml", CLEAN)
    run = envcheck()
    assert "\x1b" not in run.errors
    assert "envcheck check 'my " in run.errors


# ---------------------------------------------------------------------------------------------------------------------
# Pages of help
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_page_of_help_ends_with_its_examples(envcheck: CommandLine, name: str) -> None:
    command = cli.commands[name] if name else cli
    assert isinstance(command, ExamplesLast)
    examples = command.examples()
    assert examples
    page = envcheck(*[name] if name else [], "--help").output.splitlines()
    assert page[-len(examples) :] == [f"    {example}" for example in examples]
    assert page[-len(examples) - 1] in ("  Example:", "  Examples:")
    assert page[-len(examples) - 2] == ""


def command_lines(example: str) -> list[list[str]]:
    """The commands of envcheck in an example, which may be a pipe."""
    lines: list[list[str]] = [[]]
    words = iter(shlex.split(example))
    for word in words:
        if word in ("|", "&&"):
            lines.append([])
        elif word == ">":
            next(words)
        else:
            lines[-1].append(word)
    return [line[1:] for line in lines if line[0] == "envcheck"]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_example_is_understood(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "envcheck.toml").touch()  # no other settings have a say
    command = cli.commands[name] if name else cli
    assert isinstance(command, ExamplesLast)
    for example in command.examples():
        assert command_lines(example)
        for arguments in command_lines(example):
            assert not name or arguments[0] == name
            group = cli.make_context("envcheck", list(arguments), resilient_parsing=True)
            rest = [*group._protected_args, *group.args]
            found, told, rest = cli.resolve_command(group, rest)
            assert told is not None, found
            told.make_context(found, rest, parent=click.Context(cli, info_name="envcheck"))


# ---------------------------------------------------------------------------------------------------------------------
# Without a source
# ---------------------------------------------------------------------------------------------------------------------


def test_a_check_takes_the_only_source(envcheck: CommandLine) -> None:
    alone(envcheck, "clean.yml")
    run = envcheck("check", "--offline", "--format", "json")
    named = envcheck("check", "clean.yml", "--offline", "--format", "json")
    assert (run.status, run.output) == (named.status, named.output)
    assert run.errors.splitlines()[0] == "note: taking clean.yml (environment-yaml), as no source was named"


def test_a_check_says_which_of_several_it_takes(envcheck: CommandLine) -> None:
    envcheck.write("environment.yml", CLEAN)
    envcheck.write("conda-lock.yml", "version: 1\nmetadata: {}\npackage: []\n")
    run = envcheck("check", "--offline", "--format", "json")
    assert run.report()["source"]["path"] == "environment.yml"
    assert run.errors.splitlines()[0] == (
        "note: taking environment.yml (environment-yaml), as no source was named; "
        "also here: clean.yml, windows.txt, conda-lock.yml"
    )
    assert "taking" not in envcheck("check", "--offline", "-q").errors


def test_a_broken_environment_is_taken_all_the_same(envcheck: CommandLine) -> None:
    envcheck.write("environment.yml", "dependencies: [numpy\n")
    run = envcheck("check")
    assert run.status == 2
    note, error, *_ = run.errors.splitlines()
    assert note.startswith("note: taking environment.yml, as")
    assert error.startswith("envcheck: environment.yml:")


def test_a_lock_is_made_of_no_lock(envcheck: CommandLine) -> None:
    alone(envcheck, "clean.yml")
    assert envcheck("lock", "--offline", "-q").status == 0
    written = (envcheck.directory / "conda-lock.yml").read_bytes()
    assert envcheck("lock", "--offline", "-q").status == 0
    assert (envcheck.directory / "conda-lock.yml").read_bytes() == written
    alone(envcheck, "conda-lock.yml")
    assert envcheck("lock").status == 2
    assert envcheck("check", "--offline", "--format", "json").report()["source"]["kind"] == "conda-lock"


@pytest.mark.parametrize("command", ["check", "lock"])
def test_where_there_is_no_source(envcheck: CommandLine, command: str) -> None:
    alone(envcheck)
    envcheck.write("notes.txt", "Dear all,\nthis is none.\n")
    run = envcheck(command)
    assert (run.status, run.output) == (2, "")
    message, hint = run.errors.splitlines()
    assert message.startswith("envcheck: no source is named, and there is none in this directory (looked for env")
    assert hint.startswith("hint: Write one with: conda env export > environment.yml")
    envcheck.write("Dockerfile", "FROM debian:12\n")
    assert envcheck(command).errors.splitlines()[1].endswith("envcheck docker .")


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX's")
def test_links_out_of_the_folder_and_pipes_are_not_opened(envcheck: CommandLine) -> None:
    alone(envcheck, "windows.txt")
    outside = envcheck.directory.parent / "outside.yml"
    outside.write_text(CLEAN)
    (envcheck.directory / "environment.yml").symlink_to(outside)
    subprocess.run(["mkfifo", envcheck.directory / "requirements.txt"], check=True)
    assert "would take windows.txt (list-export)." in envcheck().errors
    envcheck.write("windows.txt", WINDOWS.replace("=", "~"))
    assert "There is no source" in envcheck().errors


# ---------------------------------------------------------------------------------------------------------------------
# What was meant
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (("clean.yml",), "next: envcheck check clean.yml"),
        (("gone.yml",), "next: envcheck check gone.yml"),
        (("Dockerfile",), "next: envcheck docker Dockerfile"),
        ((".",), "next: envcheck audit ."),
        (("chek",), "next: envcheck check --help"),
        (("verify",), "next: envcheck verify conda-lock.yml"),
        (("docker",), "next: envcheck docker . && docker build ."),
        (("explain",), "next: envcheck explain hdf5=1.14.2"),
        (("audit",), "next: envcheck audit ."),
        (("normalize",), "next: envcheck normalize requirements.txt > environment.yml"),
        (("rules", "EC999"), "next: envcheck rules"),
        (("check", "clean.yml", "--select", "EC9"), "next: envcheck rules"),
        (("check", "."), "next: envcheck audit ."),
        (("check", "clean.yml", "-p", "lin-64"), "next: envcheck check --help"),
        (("check", "clean.yml", "--nonsense"), "Try 'envcheck check --help' for help."),
        (("--nonsense",), "Try 'envcheck --help' for help."),
        (("frobnicate",), "Try 'envcheck --help' for help."),
    ],
)
def test_an_error_ends_with_what_to_type_next(envcheck: CommandLine, arguments: tuple[str, ...], last: str) -> None:
    run = envcheck(*arguments)
    assert (run.status, run.output) == (2, "")
    assert run.errors.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        ("check tab.yml -p linux-64 --no-pip --lock 'my lock.yml'", None),
        ("--lang en check --format json --virtual-package=__glibc=2.31 clean.yml tab.yml", None),
        ("check clean.yml --from-lock broken.lock", None),
        ("explain numpy --in tab.yml --no-pip", None),
        ("verify broken.lock --drift", None),
        ("docker bad.Dockerfile --context . --build-arg 'TAG=a b'", None),
        ("--config empty.toml docker folder --select EC8", None),
        ("--no-config lock tab.yml --platform linux-aarch64", None),
        ("check - --offline", "... | envcheck check - --offline"),
        ("check - --from-lock broken.lock", "... | envcheck check - --from-lock broken.lock"),
        ("--no-config check folder", "envcheck --no-config audit folder"),
        ("--lang en --config empty.toml check folder", "envcheck --config empty.toml audit folder"),
        ("check clean.yml -p lin-64", "envcheck check --help"),
    ],
)
def test_what_is_mended_is_asked_again_as_it_was(envcheck: CommandLine, arguments: str, step: str | None) -> None:
    for name, data in WRONG.items():
        envcheck.write(name, data)
    envcheck.write("broken.lock", b"version: 6\nenvironments: {\n")
    envcheck.write("empty.toml", b"")
    (envcheck.directory / "folder").mkdir()
    envcheck.write("folder/Dockerfile", WRONG["bad.Dockerfile"])
    run = envcheck(*shlex.split(arguments), data=WRONG["tab.yml"])
    assert (run.status, run.output) == (2, "")
    assert run.errors.splitlines()[-1] == f"next: {step or f'envcheck {arguments}'}"


def test_what_is_asked_again_tells_no_secret(envcheck: CommandLine) -> None:
    envcheck.write("tab.yml", WRONG["tab.yml"])
    index = "https://me:hunter2@127.0.0.1:9/simple"
    for words in (("--index-url", index), (f"--index-url={index}",), ("-c", "https://h/t/hunter2/x"), ("-p", "a\x1bb")):
        run = envcheck("check", "tab.yml", *words)
        assert run.errors.splitlines()[-1].startswith("next: envcheck check tab.yml ")
        assert words[0].partition("=")[0] in run.errors.splitlines()[-1]
        assert "hunter2" not in run.errors
        assert "\x1b" not in run.errors


WRONG = {
    "tab.yml": b"channels:\n\t- conda-forge\n",
    "bracket.yml": b"dependencies: [python\nx: 1\n",
    "list.yml": b"dependencies:\n  - python: 3\n   - x\n",
    "future.yml": b"version: 99\nmetadata: {}\npackage: []\n",
    "pixi.lock": b"version: 42\nenvironments: {default: {}}\npackages: []\n",
    "binary.bin": b"\x7fELF\x02\x01\x00\x00\xff\xfe\x00",
    "prose.txt": b"once upon a time there was\nno environment at all\n",
    "image": b"FROM debian:12\nRUN true\n",
    "bad.Dockerfile": b"FROM debian:12\nRUNN true\n",
    "condarc.yml": b"channels: 5\n",
    "nothing.txt": b"",
}

TO_TYPE = re.compile(r"envcheck [a-z]+|--[a-z]|conda (?:list|env)|pixi (?:lock|workspace)|mkdir -p")


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("check", "tab.yml"), "tab.yml:2: "),
        (("check", "bracket.yml"), "bracket.yml:2: "),
        (("check", "list.yml"), "list.yml:3: "),
        (("check", "future.yml"), "future.yml:1: "),
        (("verify", "future.yml"), "future.yml: "),
        (("check", "pixi.lock"), "pixi.lock:1: "),
        (("verify", "pixi.lock"), "pixi.lock: "),
        (("check", "binary.bin"), "binary.bin: "),
        (("check", "prose.txt"), "prose.txt: "),
        (("check", "nothing.txt"), "nothing.txt: "),
        (("verify", "clean.yml"), "clean.yml: "),
        (("check", "image"), "image: "),
        (("docker", "bad.Dockerfile"), "bad.Dockerfile:2: "),
        (("docker", "nosuch"), "nosuch: "),
        (("check", "clean.yml", "--from-lock", "prose.txt"), "prose.txt: "),
        (("check", "clean.yml", "--baseline", "nosuch.json"), "nosuch.json: "),
        (("check", "clean.yml", "--lock", "nosuch/lock.yml", "--offline"), "nosuch/lock.yml: "),
        (("check", "clean.yml", "--virtual-package", "glibc"), ""),
        (("check", "clean.yml", "--image", "nosuchimage"), ""),
        (("check", "clean.yml", "--effort", "-1"), None),
        (("check", "clean.yml", "--exclude-newer", "yesterday"), None),
        (("check", "clean.yml", "--engine", "nosuch"), None),
        (("check", "clean.yml", "clean.yml", "--lock", "x.yml"), None),
        (("lock", "clean.yml", "--lock", "x.txt", "-p", "linux-64", "-p", "osx-64"), None),
        (("explain", "==="), None),
        (("check", "clean.yml", "-c", "http://127.0.0.1:9/gone", "--override-channels", "--engine", "rattler"), ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_a_way_on(
    envcheck: CommandLine, arguments: tuple[str, ...], where: str | None
) -> None:
    for name, data in WRONG.items():
        envcheck.write(name, data)
    english, chinese = envcheck(*arguments), envcheck("--lang", "zh", *arguments)
    for run in (english, chinese):
        assert run.status in (2, 3)
        assert run.output == ""
        assert TO_TYPE.search(run.errors.splitlines()[-1])
        if where is not None:
            assert run.errors.startswith(f"envcheck: {where}")
    # A hint that has a command has it in every language, and where there is none, it is told beneath.
    assert len(chinese.errors.splitlines()) == len(english.errors.splitlines())
    assert re.search("[\u4e00-\u9fff]", chinese.errors)
    assert english.errors.isascii()
    # What stays English is what is typed: no sentence does.
    assert not re.search(r"(?: [a-z]{3,}){5}", chinese.errors)


def test_a_configuration_file_is_complained_about_by_its_line(envcheck: CommandLine) -> None:
    envcheck.write("condarc.yml", WRONG["condarc.yml"])
    run = envcheck("--lang", "zh", "check", "clean.yml", CONDARC=str(envcheck.directory / "condarc.yml"))
    assert run.status == 2
    assert "condarc.yml:1: " in run.errors
    assert "必须是列表" in run.errors
    assert run.errors.endswith("envcheck doctor\n")


# ---------------------------------------------------------------------------------------------------------------------
# In a terminal
# ---------------------------------------------------------------------------------------------------------------------


def seen_in_a_terminal(envcheck: CommandLine, columns: int, *arguments: str, **changes: str) -> str:
    """What a command writes to a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = envcheck.environment(TERM="xterm-256color", **changes)
    for name in {"COLUMNS", "LINES", *({"NO_COLOR"} - set(changes))}:
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "envcheck", *arguments],
        cwd=envcheck.directory,
        env=environment,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # Linux's way to say that nobody writes any more
        pass
    process.wait(timeout=60)
    os.close(ours)
    return seen.decode("utf-8").replace("\r\n", "\n")


PLAIN_COLOUR = re.compile(r"\x1b\[(?:0|1|1;3[1-6]|3[1-6])m")
"""Styles that are readable on light and on dark ground: bold, and the six colours that a terminal chooses itself."""


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.parametrize("columns", [80, 160])
def test_a_report_fits_its_terminal(envcheck: CommandLine, columns: int) -> None:
    arguments = ("check", "windows.txt", "--offline")
    page = seen_in_a_terminal(envcheck, columns, *arguments)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page)
    assert max(map(len, plain.splitlines())) <= columns
    assert PLAIN_COLOUR.sub("", page) == plain
    assert page != plain
    # No colour says nothing that words do not say.
    assert seen_in_a_terminal(envcheck, columns, *arguments, NO_COLOR="1") == plain
    piped = envcheck(*arguments).output
    assert piped.split() == plain.split()
    assert columns != 80 or piped == plain


def test_the_first_lines_say_what_counts(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt", "--offline")
    verdict, sentence, *rest = run.output.splitlines()
    assert re.fullmatch(r"FIXABLE for linux-64: \d+ errors?(, \d+ (warning|note)s?)* in windows.txt", verdict)
    assert sentence.startswith("it does not build on linux-64 as it stands")
    facts = rest.index("")
    source, target = rest[facts + 1 : facts + 3]
    assert source.startswith("source list-export from win-64")
    assert target.startswith("target linux-64")
    # Why the engine is the one that it is stands in every report; it is wanted by few.
    assert "engine " in target
    words = " ".join(run.output.split())
    told = " ".join(envcheck("check", "windows.txt", "--offline", "-v").output.split())
    reason = envcheck("check", "windows.txt", "--offline", "--format", "json").report()["engine"]["reason"]
    assert reason not in words
    assert f"({reason})" in told


def test_hundreds_of_findings_are_a_page_to_read(envcheck: CommandLine) -> None:
    names = "".join(f"  - nosuch-package-{number}=1.{number}\n" for number in range(300))
    envcheck.write("long.yml", f"name: long\nchannels: [conda-forge]\ndependencies:\n  - python=3.10\n{names}")
    run = envcheck("check", "long.yml", "--offline", "--no-pip")
    lines = run.output.splitlines()
    assert len(lines) < 60
    assert lines[0].startswith("FIXABLE for linux-64: 300 errors, 1 note in long.yml")
    steps = [line for line in run.errors.splitlines() if line.startswith("next: ")]
    assert 1 <= len(steps) <= 3
    assert any("-v long.yml" in step for step in steps)
    everything = envcheck("check", "long.yml", "--offline", "--no-pip", "-v")
    assert all(f"nosuch-package-{number}" in everything.output for number in range(300))
    assert not any(" -v " in line for line in everything.errors.splitlines())


def test_the_next_command_is_about_the_same_target(envcheck: CommandLine) -> None:
    options = ("-c", "conda-forge", "-p", "linux-64", "--offline", "--no-pip")
    run = envcheck("check", "windows.txt", *options, "--format", "json")
    first = next(line for line in run.errors.splitlines() if line.startswith("next: "))
    words = shlex.split(first.removeprefix("next: "))
    assert words[:3] == ["envcheck", "check", "windows.txt"]
    # In the order of the page of help.
    assert words[3:9] == ["-p", "linux-64", "-c", "conda-forge", "--offline", "--no-pip"]
    again = envcheck(*words[1:], "-q", "--format", "json")
    assert again.report()["plan"] == run.report()["plan"]
    assert {"conda-lock.yml", "environment.linux-64.yml"} <= envcheck.files()
    secret = envcheck("check", "windows.txt", "--offline", "--index-url", "https://me:hunter2@127.0.0.1:9/simple")
    assert "hunter2" not in secret.errors


def next_commands(errors: str) -> list[list[str]]:
    """The commands to type next, without what is said about them."""
    steps = [line.removeprefix("next: ").partition("   (")[0] for line in errors.splitlines() if "next: " in line]
    return [shlex.split(step) for step in steps]


QUESTION = (
    *("-p", "linux-64", "-c", "conda-forge", "--override-channels", "--engine", "rattler", "--offline"),
    *("--virtual-package", "__glibc=2.31", "--exclude-newer", "2031-02-03", "--no-pip"),
    *("--pins", "minor", "--keep-variants", "--effort", "12.5", "--ignore", "EC613", "--fail-on", "never"),
)


def test_the_next_command_asks_the_same_question(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt", *QUESTION)
    first, *_ = next_commands(run.errors)
    assert first[:3] == ["envcheck", "check", "windows.txt"]
    assert set(QUESTION) <= set(first)
    assert len(first) == 3 + len(QUESTION) + 4  # and the two files to write
    assert envcheck(*first[1:], "-q").output == run.output


@pytest.mark.parametrize(
    ("typed", "repeated"),
    [
        ("2031-02-03", "2031-02-03"),
        ("2031-02-03T04:05:06Z", "2031-02-03T04:05:06+00:00"),
        ("2031-02-03T04:05:06.789+02:00", "2031-02-03T02:05:06.789000+00:00"),
    ],
)
def test_a_moment_is_repeated_in_a_form_that_is_understood(envcheck: CommandLine, typed: str, repeated: str) -> None:
    run = envcheck("check", "clean.yml", "--offline", "--exclude-newer", typed)
    command, *_ = next_commands(run.errors)
    assert command == ["envcheck", "lock", "clean.yml", "--offline", "--exclude-newer", repeated]


def test_another_command_gets_the_options_that_it_has(envcheck: CommandLine) -> None:
    envcheck.write("gone.yml", "channels: [conda-forge]\ndependencies: [python=2.0, nosuch-thing]\n")
    options = ("-p", "linux-64", "--offline", "--pins", "exact", "--effort", "9")
    run = envcheck("check", "gone.yml", *options)
    everything, why, _ = next_commands(run.errors)
    assert everything == ["envcheck", "check", "-v", "gone.yml", *options]
    assert why == ["envcheck", "explain", "python", "--in", "gone.yml", "-p", "linux-64", "--offline"]
    assert envcheck(*why[1:]).status == 1


@pytest.mark.parametrize(
    ("files", "verified"),
    [
        ((), ["conda-lock.yml"]),
        (("--lock", "pixi.lock"), ["pixi.lock"]),
        (("--lock", "list of {platform}.txt"), ["list of linux-64.txt", "list of linux-aarch64.txt"]),
    ],
)
def test_a_lock_for_several_platforms_is_verified_next(
    envcheck: CommandLine, files: tuple[str, ...], verified: list[str]
) -> None:
    envcheck.write("both.yml", "channels: [conda-forge]\ndependencies: [tzdata]\n")
    options = ("-p", "linux-64", "-p", "linux-aarch64", "--offline", "--no-pip", "--ignore", "EC613")
    run = envcheck("lock", "both.yml", *options, *files)
    assert run.status == 0, run.output + run.errors
    first, *_ = next_commands(run.errors)
    assert first == ["envcheck", "verify", *verified, "--offline"]
    again = envcheck(*first[1:])
    assert again.status == 0, again.output + again.errors


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--config", "my own.toml"), "--config 'my own.toml'"),
        (("--config=my own.toml",), "--config 'my own.toml'"),
        (("--no-config",), "--no-config"),
        (("--lang", "en"), ""),
    ],
)
def test_the_next_command_goes_by_the_same_settings(envcheck: CommandLine, typed: tuple[str, ...], told: str) -> None:
    envcheck.write("my own.toml", "offline = true\n")
    envcheck.write(
        "Dockerfile", "FROM condaforge/miniforge3\nCOPY windows.txt .\nRUN conda install -y --file windows.txt\n"
    )
    program = f"envcheck {told}".rstrip()
    run = envcheck(*typed, "check", "windows.txt")
    first, second, *_ = run.errors.splitlines()
    assert first.startswith(f"next: {program} check windows.txt --lock ")
    assert second.startswith("next: envcheck rules EC")
    run = envcheck(*typed, "check", "-", data=b"channels: [conda-forge]\ndependencies: [python=3.10]\n")
    assert run.errors == f"next: ... | {program} lock -\n"
    assert f"next: {program} check windows.txt\n" in envcheck(*typed, "audit", "windows.txt", "--jobs", "1").errors
    assert f"next: {program} docker Dockerfile --write " in envcheck(*typed, "docker", "Dockerfile").errors


def test_settings_that_a_variable_names_are_not_repeated(envcheck: CommandLine) -> None:
    envcheck.write("mine.toml", "offline = true\n")
    run = envcheck("check", "clean.yml", ENVCHECK_CONFIG="mine.toml")
    assert run.errors == "next: envcheck lock clean.yml\n"


def test_what_came_through_a_pipe_has_to_come_again(envcheck: CommandLine) -> None:
    run = envcheck("check", "-", "--offline", data=b"channels: [conda-forge]\ndependencies: [python=3.10]\n")
    assert run.output.startswith("READY for linux-64: no problems in standard input\n")
    assert run.errors == "next: ... | envcheck lock - --offline\n"
