"""The exit status of every command that judges, at every threshold."""

from __future__ import annotations

import pytest

from tests.cli.running import CommandLine, condarc_text

FILES = {
    "good.yml": "channels: [conda-forge]\ndependencies: [python=3.10, numpy]\n",
    "warning.yml": "channels: [conda-forge]\ndependencies: [numpy, {pip: [requests]}]\n",
    "error.yml": "channels: [conda-forge]\ndependencies: [python=3.10, pywin32]\n",
    "good.Dockerfile": "FROM mambaorg/micromamba:2.3.3\nUSER root\n",
    "warning.Dockerfile": "FROM mambaorg/micromamba\nUSER root\n",
    "error.Dockerfile": "FROM mambaorg/micromamba:2.3.3\nRUN micromamba create -y -n a -c conda-forge pywin32\n",
}

# What each command is given for each worst severity.
SOURCES = {
    "check": {None: "good.yml", "warning": "warning.yml", "error": "error.yml"},
    "lock": {None: "good.yml", "warning": "warning.yml", "error": "error.yml"},
    "docker": {None: "good.Dockerfile", "warning": "warning.Dockerfile", "error": "error.Dockerfile"},
    "verify": {None: "good.lock", "warning": "warning.lock", "error": "error.lock"},
}

FAILS = {"error": {"error"}, "warning": {"error", "warning"}, "never": set[str]()}


@pytest.fixture
def sources(envcheck: CommandLine) -> CommandLine:
    for name, text in FILES.items():
        envcheck.write(name, text)
    assert envcheck("lock", "good.yml", "--no-pip", "--lock", "good.lock", "--lock-format", "explicit").status == 0
    lock = (envcheck.directory / "good.lock").read_text(encoding="utf-8")
    first = next(line for line in lock.splitlines() if line.startswith("https://"))
    # A list without a hash is one that installs, and does not prove what.
    envcheck.write("warning.lock", lock.replace(first, first.partition("#")[0]))
    envcheck.write("error.lock", lock.replace(first, f"{first.partition('#')[0]}#{'f' * 32}"))
    return envcheck


def options(command: str) -> tuple[str, ...]:
    return () if command == "verify" else ("--no-pip",)


@pytest.mark.parametrize("command", SOURCES)
def test_thresholds(sources: CommandLine, command: str) -> None:
    for worst, source in SOURCES[command].items():
        for threshold, failing in FAILS.items():
            run = sources(command, source, *options(command), "--fail-on", threshold)
            assert run.status == int(worst in failing), (source, threshold, run.output)
        default = sources(command, source, *options(command))
        assert default.status == int(worst == "error"), (source, default.output)


@pytest.mark.parametrize("command", SOURCES)
def test_other_statuses_stand_above_any_threshold(sources: CommandLine, command: str) -> None:
    never = ("--fail-on", "never")
    assert sources(command, "missing", *never).status == 2
    assert sources(command, SOURCES[command][None], *never, "--nonsense").status == 2
    sources.configure(condarc_text({"conda-forge": "http://127.0.0.1:9/conda-forge"}))
    assert sources(command, SOURCES[command]["error"], *options(command), *never).status == 3


@pytest.mark.parametrize("command", SOURCES)
def test_formats_do_not_change_the_status(sources: CommandLine, command: str) -> None:
    for format_name in ("json", "markdown", "sarif", "github", "junit"):
        run = sources(command, SOURCES[command]["error"], *options(command), "--format", format_name)
        assert run.status == 1, (format_name, run.errors)
