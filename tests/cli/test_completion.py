"""What shells complete: asked as their scripts ask, and through the shells themselves where they are."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck.cli import cli
from envcheck.cli_commands import COMMANDS
from envcheck.rules.documented import DOCUMENTED_RULES
from envcheck.virtual_packages import PLATFORMS
from tests.test_architecture import HEAVY

ROOT = Path(__file__).parents[2]
CODES = [rule.code for rule in DOCUMENTED_RULES]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory with a program ``envcheck``, to be put on the PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    path = directory / "envcheck"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m envcheck "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return directory


def ask(words: str, shell: str = "bash", **variables: str) -> list[str]:
    """What is offered for the last of the words: a line each of its kind and the value; zsh adds a line of help."""
    position = len(words.split(" ")) - 1
    environment = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": str(position), **variables}
    done = subprocess.run(
        [sys.executable, "-m", "envcheck"],
        env=environment | {"_ENVCHECK_COMPLETE": f"{shell}_complete"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def values(words: str) -> list[str]:
    """The plain values that are offered."""
    lines = [line.split(",", 1) for line in ask(words)]
    assert {kind for kind, _ in lines} <= {"plain"}
    return [value for _, value in lines]


def test_commands() -> None:
    assert values("envcheck ") == list(COMMANDS)
    assert values("envcheck do") == ["docker", "doctor"]


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_every_command(name: str) -> None:
    options = [flag for one in cli.commands[name].params for flag in one.opts if flag.startswith("--")]

    assert values(f"envcheck {name} --") == [*options, "--help"]


@pytest.mark.parametrize("name", ["audit", "check", "docker", "doctor", "explain", "lock", "normalize", "verify"])
@pytest.mark.parametrize("flag", ["-p", "--platform"])
def test_platforms(name: str, flag: str) -> None:
    assert values(f"envcheck {name} {flag} ") == list(PLATFORMS)
    assert values(f"envcheck {name} {flag} osx") == ["osx-64", "osx-arm64"]


@pytest.mark.parametrize("name", ["audit", "check", "docker", "explain", "lock"])
def test_engines(name: str) -> None:
    assert values(f"envcheck {name} --engine ") == ["auto", "libmamba", "rattler"]


@pytest.mark.parametrize("words", ["rules", "check --select", "check --ignore", "docker --ignore", "verify --select"])
def test_codes_of_findings(words: str) -> None:
    some = [code for code in CODES if code.startswith("EC80")]

    assert some
    assert values(f"envcheck {words} ") == CODES
    assert values(f"envcheck {words} EC80") == some
    assert values(f"envcheck {words} ec80") == [code.lower() for code in some]


@pytest.mark.parametrize(
    "words",
    [
        *("check", "check one.yml", "lock", "normalize", "verify", "audit", "docker", "explain --in"),
        *("check -o", "check --lock", "check --baseline", "lock --sbom", "--config"),
    ],
)
def test_files_are_left_to_the_shell(words: str) -> None:
    assert ask(f"envcheck {words} envi") == ["file,envi"]


def test_titles_and_help_are_shown_in_the_language_that_is_spoken() -> None:
    english = ask("envcheck rules EC402", "zsh")
    chinese = ask("envcheck rules EC402", "zsh", LC_ALL="zh_CN.UTF-8")

    assert english == ["plain", "EC402", "Only for another platform"]
    assert chinese[:2] == english[:2]
    assert not chinese[2].isascii()
    assert not ask("envcheck check --offline", "zsh", LC_ALL="zh_CN.UTF-8")[2].isascii()
    assert not ask("envcheck chec", "zsh", LC_ALL="zh_CN.UTF-8")[2].isascii()


def test_commands_are_completed_without_loading_one() -> None:
    code = "import sys, atexit\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    code += "from envcheck.cli import main\nmain()"
    environment = {**os.environ, "COMP_WORDS": "envcheck ", "COMP_CWORD": "1", "_ENVCHECK_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())

    assert loaded.isdisjoint({*HEAVY, "envcheck.cli_check", "envcheck.model", "envcheck.rules"})


# ---------------------------------------------------------------------------------------------------------------------
# The shells
# ---------------------------------------------------------------------------------------------------------------------

IN_BASH = """\
eval "$(_ENVCHECK_COMPLETE=bash_source envcheck)"
complete -p envcheck
COMP_WORDS=(envcheck {0}) COMP_CWORD={1}
_envcheck_completion envcheck
echo "${{COMPREPLY[@]}}"
"""
IN_ZSH = """\
autoload -U compinit && compinit -u -d "$HOME/dump"
eval "$(_ENVCHECK_COMPLETE=zsh_source envcheck)"
echo "registered: $_comps[envcheck]"
_describe() {{ print -rl -- ${{${{(P)3}}%%:*}} }}
words=(envcheck {0}) CURRENT={1}
_envcheck_completion || true
"""
IN_FISH = """\
_ENVCHECK_COMPLETE=fish_source envcheck | source
complete -C 'envcheck {0}'
"""


def run(shell: str, script: str, program: Path) -> str:
    found = shutil.which(shell)
    if found is None or sys.platform == "win32":
        pytest.skip(f"there is no {shell}")
    done = subprocess.run(
        [found, *(["-f"] if shell == "zsh" else []), "-c", script],
        env={**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_in_bash(program: Path) -> None:
    lines = run("bash", IN_BASH.format("do", 1), program).splitlines()

    assert lines == ["complete -o nosort -F _envcheck_completion envcheck", "docker doctor"]
    assert run("bash", IN_BASH.format("rules EC402", 2), program).splitlines()[1] == "EC402"


def test_in_zsh(program: Path) -> None:
    lines = run("zsh", IN_ZSH.format("do", 2), program).splitlines()

    assert lines == ["registered: _envcheck_completion", "docker", "doctor"]
    assert run("zsh", IN_ZSH.format("rules EC402", 3), program).splitlines()[1:] == ["EC402"]


def test_in_fish(program: Path) -> None:
    lines = run("fish", IN_FISH.format("do"), program).splitlines()

    assert [line.split("\t")[0] for line in lines] == ["docker", "doctor"]
    assert run("fish", IN_FISH.format("check --engine ra"), program).split() == ["rattler"]
