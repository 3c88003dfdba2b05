"""GitHub annotations: what the runner makes of each line, how many it shows, and that no text becomes a command."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings

from envcheck.model import Severity
from envcheck.reports.github import MOST_SHOWN, render
from tests.unit.reports.accounts import ANY_TEXT, HOSTILE, account_about, bare_account, full_account
from tests.unit.reports.making import finding

_COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<properties>.*?))?::(?P<data>.*)")


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def understood(told: str) -> list[Command]:
    """The commands of an output as the runner reads them (``ActionCommand.TryParseV2``, then the first syntax)."""
    assert told.endswith("\n")
    found = []
    for line in told[:-1].split("\n"):
        assert "\r" not in line
        match = _COMMAND.fullmatch(line) if line.lstrip().startswith("::") else None
        if match is None:
            assert not line.lstrip().startswith("::"), line
            assert "##[" not in line, line
            continue
        pairs = [pair.partition("=") for pair in (match["properties"] or "").split(",") if pair]
        found.append(Command(match["name"], {name: decoded(value) for name, _, value in pairs}, decoded(match["data"])))
    return found


def decoded(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_errors_warnings_and_notes_stand_beside_their_lines() -> None:
    commands = understood(render([full_account()]))
    assert [one.name for one in commands] == ["error", "error", "warning", "notice", "notice"]
    assert commands[1] == Command(
        "error",
        {"file": "requirements.txt", "line": "2", "title": "EC501 Title of EC501"},
        "hdf5: the channels do not have 1.0 for linux-64\nfix: take 1.1 [verified], or take 0.9",
    )
    assert commands[-1].data == (
        "requirements.txt for linux-64: FIXABLE: it does not build on linux-64 as it stands; the plan below does "
        "(dry-solved) (2 errors, 1 warning, 1 note)"
    )


def test_characters_of_the_syntax_are_escaped() -> None:
    told = render([bare_account("a,b:c%.yml", "x%0Ay")])
    assert "file=a%2Cb%3Ac%25.yml,line=1,title=" in told
    assert "::x%250Ay: x%250Ay is gone\n" in told


def test_those_alike_are_one_annotation() -> None:
    findings = tuple(finding("EC402", Severity.ERROR, f"n{line}", "only for win-64", line=line) for line in (3, 5, 9))
    first = understood(render([bare_account("a.yml", findings=findings)]))[0]
    assert first.properties["line"] == "3"
    assert first.data == "n3, n5 (line 5), n9 (line 9): only for win-64"


def test_no_more_than_github_shows_and_the_rest_in_the_log() -> None:
    findings = tuple(
        finding(code, severity, f"n{number}", f"message {number}")
        for code, severity in (("EC501", Severity.ERROR), ("EC605", Severity.WARNING), ("EC404", Severity.INFO))
        for number in range(30)
    )
    told = render([bare_account("a.yml", findings=findings)])
    names = [one.name for one in understood(told)]
    assert [names.count(name) for name in ("error", "warning", "notice")] == [MOST_SHOWN] * 3
    lines = told.splitlines()
    assert lines[-1].startswith("::notice title=envcheck::")
    assert lines[-1].endswith("61 more annotations in the log: GitHub shows 10 of a kind")
    start, end = lines.index("::group::envcheck: 61 more annotations"), lines.index("::endgroup::")
    assert end - start == 62
    assert lines[start + 1] == "error: a.yml:1: EC501 Title of EC501: n10: message 10"


def test_every_cause_has_its_turn() -> None:
    many = (finding("EC501", Severity.ERROR, f"n{number}", f"message {number}") for number in range(30))
    findings = (*many, finding("EC508", Severity.ERROR, "2 packages", "do not go together"))
    commands = understood(render([bare_account("a.yml", findings=findings)]))
    assert commands[1].properties["title"] == "EC508 Title of EC508"


def test_what_was_not_finished_comes_first() -> None:
    many = bare_account("a.yml", *(f"n{number}" for number in range(30)))
    first = understood(render([many, bare_account("b.yml", complete=False)]))[0]
    assert (first.name, first.properties) == ("error", {"file": "b.yml", "title": "envcheck could not finish"})


def test_standard_input_is_no_file() -> None:
    assert understood(render([bare_account("-", "x")]))[0].properties == {"title": "EC715 Title of EC715"}


def test_many_files_and_none() -> None:
    told = render([bare_account(f"{number}.lock", verdict="sound") for number in range(30)])
    assert understood(told)[0].data.endswith("\nand 10 more files")
    assert render([]) == "::notice title=envcheck::\n"


def test_what_a_baseline_accepts_is_counted() -> None:
    account = replace(full_account(), findings=(), accepted=full_account().findings)
    last = understood(render([account]))[-1]
    assert last.data.endswith("(accepted by the baseline: 2 errors, 1 warning, 1 note)")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_gives_no_command_of_its_own(hostile: str) -> None:
    check_any(hostile)


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_any_text_gives_no_command_of_its_own(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    many = tuple(finding("EC501", Severity.ERROR, text, f"{text}{number}") for number in range(12))
    told = render([account_about(text), bare_account(text, findings=many)])
    told.encode("utf-8")
    commands = understood(told)
    assert {one.name for one in commands} <= {"error", "warning", "notice", "group", "endgroup"}
    assert all(set(one.properties) <= {"file", "line", "title"} for one in commands)
    assert "hunter2" not in told
