"""Text and JSON: what they hold, how wide they are, and that nothing in a source gets out of hand through them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from envcheck.language import Message, speaking
from envcheck.model import (
    Channel,
    ChannelState,
    ChannelStatus,
    DistributionFile,
    Plan,
    Remedy,
    RemedyAction,
    Report,
    Severity,
    Verdict,
)
from envcheck.reports import report_json, text
from envcheck.reports.plain import plain
from tests.unit.reports.making import finding, full_report, report_about
from tests.unit.reports.schema import check_document
from tests.unit.rules.cases import FIRES, Bench

STYLE = re.compile(r"\x1b\[[\d;]*m")
FORMATS: dict[str, Callable[[Report], str]] = {
    "text": text.render,
    "verbose text": lambda report: text.render(report, verbose=True),
    "json": report_json.render,
}


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory, package_index_directory: Path) -> dict[str, Report]:
    """A report of every rule's firing case."""
    bench = Bench(tmp_path_factory.mktemp("bench"), package_index_directory.as_uri())
    return {code: bench.check(case) for code, case in FIRES.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_then_problems_then_the_plan() -> None:
    lines = text.render(full_report()).splitlines()
    starts = ("FIXABLE for linux-64", "it does not build", "plan: ", "source ", "target ", "error EC402", "Changed:")
    places = [next(number for number, line in enumerate(lines) if line.startswith(start)) for start in starts]
    assert places == sorted(places)
    assert lines[0] == "FIXABLE for linux-64: 2 errors, 1 warning, 1 note in requirements.txt"
    assert "plan: 1 kept, 1 changed, 1 dropped, 1 to pip, 1 added; 3 packages in all" in lines
    assert "    fix: take 1.1 [verified], or take 0.9" in lines
    assert "  hdf5 1.0 -> 1.1: 1.0 is not for linux-64" in lines
    assert "  meteva 1.0: no channel has it" in lines


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_terminal(reports: dict[str, Report], width: int, *, verbose: bool) -> None:
    for report in (*reports.values(), full_report()):
        for line in text.render(report, width=width, verbose=verbose).splitlines():
            assert cell_len(line) <= width or " " not in line.strip()
            assert line == line.rstrip()


def test_without_colour_there_is_no_escape_and_colour_adds_nothing_else() -> None:
    bare = text.render(full_report())
    coloured = text.render(full_report(), colour=True)
    assert "\x1b" not in bare
    assert "\x1b[1;33mFIXABLE\x1b[0m" in coloured
    assert "\x1b[1;31merror\x1b[0m" in coloured
    assert STYLE.sub("", coloured) == bare


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("solved", [True, False])
def test_every_verdict_has_its_sentence(verdict: Verdict, *, solved: bool) -> None:
    report = replace(full_report(), verdict=verdict, plan=full_report().plan if solved else Plan())
    assert text.render(report).startswith(f"{verdict.value.upper()} for linux-64: ")
    assert ("dry-solved" in text.render(report)) == (verdict is not Verdict.BLOCKED)


@pytest.mark.parametrize(("verdict", "words"), [(Verdict.READY, "no problems"), (Verdict.FIXABLE, "no problems shown")])
def test_findings_that_are_left_out_are_not_said_not_to_be_there(verdict: Verdict, words: str) -> None:
    report = replace(full_report(), verdict=verdict, findings=())
    assert text.render(report).splitlines()[0].endswith(f" for linux-64: {words} in requirements.txt")


def test_an_unread_channel_is_said_beside_the_verdict() -> None:
    status = ChannelStatus(channel=full_report().target.channels[0], state=ChannelState.UNREACHABLE, detail="x")
    report = replace(full_report(), verdict=Verdict.BLOCKED, channel_statuses=(status,))
    assert "not every channel could be read" in text.render(report)


def test_long_groups_are_shortened_and_verbose_shows_all() -> None:
    findings = tuple(finding("EC501", Severity.ERROR, f"name{number}", f"message {number}") for number in range(20))
    report = replace(full_report(), findings=findings)
    short, verbose = text.render(report), text.render(report, verbose=True)
    assert "error EC501 Title of EC501 (20)" in short
    assert "message 3" in short
    assert "message 4" not in short
    assert "likewise name4, name5" in " ".join(short.split())
    assert "and 4 more (-v shows each)" in " ".join(short.split())
    assert all(f"message {number}" in verbose for number in range(20))
    assert "the header says so (line 1)" in verbose


def test_no_english_sentence_is_left_in_another_language(reports: dict[str, Report]) -> None:
    # Lists of names have commas; five plain words in a row are a sentence.
    english = re.compile(r"(?:\b[a-z]{2,} ){4}[a-z]{2,}")
    with speaking("zh"):
        pages = {code: text.render(report, verbose=True) for code, report in reports.items()}
    left = {code: found[0] for code, page in pages.items() if (found := english.search(page))}
    assert left == {}


def test_every_reason_of_a_plan_can_be_told_in_another_language(reports: dict[str, Report]) -> None:
    for report in reports.values():
        for row in (*report.plan.changed, *report.plan.dropped, *report.plan.to_pip, *report.plan.added):
            assert isinstance(row.reason, Message) or not row.reason, row


def test_markup_and_emoji_codes_of_names_stay_as_they_are() -> None:
    hostile = "[bold red]x[/bold red] :smile: [link=https://example.org]y[/link]"
    assert hostile in " ".join(text.render(report_about(hostile), width=160).split())


# ---------------------------------------------------------------------------------------------------------------------
# Hostile text and secrets
# ---------------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "clear screen": "numpy\x1b[2J\x1b[H",
    "colour by C1": "numpy\x9b31m",
    "window title": "numpy\x1b]0;owned\x07",
    "right to left": "numpy\u202egnp.exe",
    "isolates": "\u2067numpy\u2069",
    "zero width": "num\u200bpy\ufeff",
    "newline": "numpy\nREADY for linux-64: no problems",
    "carriage return": "numpy\rREADY",
    "line separator": "numpy\u2028READY",
    "backspace": "numpy\b\b\b\b\bREADY",
    "lone surrogate": "numpy\udcff",
    "tag characters": "numpy\U000e0041",
    "null": "numpy\x00",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_come_out_harmless(form: str, hostile: str) -> None:
    output = FORMATS[form](report_about(hostile))
    odd = {character for character in output if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert odd <= {"\n"}
    assert not any(line.startswith("READY for linux-64: no problems") for line in output.splitlines())
    output.encode("utf-8")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_still_holds_the_very_name(hostile: str) -> None:
    document = json.loads(report_json.render(report_about(hostile)))
    assert document["findings"][0]["subject"] == hostile
    assert document["plan"]["kept"][0]["name"] == hostile


SECRETS = {
    "token": "https://conda.example.org/t/tk-hunter2-0123/channel",
    "password": "https://lee:hunter2@conda.example.org/channel",
    "parameter": "https://conda.example.org/channel?token=hunter2",
    "in a sentence": "the file https://lee:hunter2@conda.example.org/x?y=1 could not be read, see /t/tk-1hunter2/",
    "pip reference": "git+https://lee:hunter2@git.example.org/x.git@main#egg=x",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_secrets_are_masked_everywhere(form: str, secret: str) -> None:
    full = report_about(secret)
    file = DistributionFile(filename="x", url=secret, sha256=None, requires_python=None, yanked=False)
    full = replace(full, pip=(replace(full.pip[0], file=file),))
    output = FORMATS[form](full)
    assert "hunter2" not in "".join(output.split())


def test_locations_of_channels_are_never_shown() -> None:
    channel = Channel(
        name="x", url="https://conda.example.org/x", locations=("https://lee:hunter2@mirror.example.org",)
    )
    report = replace(full_report(), target=replace(full_report().target, channels=(channel,)))
    for render in FORMATS.values():
        assert "hunter2" not in render(report)
        assert "mirror.example.org" not in render(report)
    assert "hunter2" not in repr(report)


@given(st.text())
def test_plain_is_one_line_of_printable_characters(hostile: str) -> None:
    shown = plain(hostile)
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert plain(shown) == shown


# ---------------------------------------------------------------------------------------------------------------------
# JSON
# ---------------------------------------------------------------------------------------------------------------------


def test_json_holds_everything_of_the_report() -> None:
    document = json.loads(report_json.render(full_report()))
    check_document(document)
    assert document["source"] == {
        "path": "requirements.txt",
        "kind": "list-export",
        "platform": "win-64",
        "encoding": "utf-8",
        "conda": 4,
        "pip": 1,
    }
    assert document["target"]["virtual_packages"] == {"__glibc": "2.28"}
    assert document["findings"][0] == {
        "code": "EC402",
        "title": "Title of EC402",
        "severity": "error",
        "subject": "pywin32",
        "message": "only for win-64, not for linux-64",
        "location": {"line": 3},
        "remedies": [{"action": "drop", "summary": "drop it", "spec": None, "verified": True}],
    }
    assert document["plan"]["changed"] == [
        {"name": "hdf5", "from": "1.0", "to": "1.1", "reason": "1.0 is not for linux-64"}
    ]
    assert document["pip"] == [
        {
            "name": "attrs",
            "version": "23.1.0",
            "url": "https://files.pythonhosted.org/packages/aa/attrs-23.1.0-py3-none-any.whl",
            "sha256": "a" * 64,
        }
    ]


def test_json_is_utf_8_text_with_a_final_newline() -> None:
    output = report_json.render(report_about("größe 包"))
    assert "größe 包" in output
    assert output.endswith("}\n")


def test_several_reports_are_wrapped_and_one_is_not() -> None:
    one, two = full_report(), report_about("two")
    assert json.loads(report_json.render_all([one])) == json.loads(report_json.render(one))
    document = json.loads(report_json.render_all([one, two, one]))
    reports = check_document(document)
    assert [report["source"]["path"] for report in reports] == ["requirements.txt", "two", "requirements.txt"]


@pytest.mark.parametrize("code", FIRES)
def test_every_case_obeys_the_schema(reports: dict[str, Report], code: str) -> None:
    check_document(json.loads(report_json.render(reports[code])))


@pytest.mark.parametrize("code", FIRES)
def test_every_conda_requirement_is_in_exactly_one_part_of_the_plan(reports: dict[str, Report], code: str) -> None:
    report = reports[code]
    plan = json.loads(report_json.render(report))["plan"]
    placed = [row["name"] for part in ("kept", "changed", "dropped", "to_pip") for row in plan[part]]
    assert sorted(placed) == sorted({requirement.name for requirement in report.export.requirements})


@pytest.mark.parametrize("code", FIRES)
def test_what_is_added_is_new_and_packages_are_sorted(reports: dict[str, Report], code: str) -> None:
    document = json.loads(report_json.render(reports[code]))
    names = [package["name"] for package in document["packages"]]
    assert names == sorted(set(names))
    placed = {row["name"] for part in ("kept", "changed") for row in document["plan"][part]}
    added = {row["name"] for row in document["plan"]["added"]}
    assert not placed & added
    if document["verdict"] == "blocked":
        return
    assert added <= set(names)
    renamed = {row["name"] for row in document["plan"]["changed"] if " " in row["to"]}
    assert placed - renamed <= set(names)


def test_remedies_keep_their_spec_and_proof() -> None:
    remedy = Remedy(action=RemedyAction.ADD_CHANNEL, summary="add it", spec="conda-forge", verified=True)
    report = replace(full_report(), findings=(finding("EC306", Severity.ERROR, "x", "y", remedy),))
    assert json.loads(report_json.render(report))["findings"][0]["remedies"] == [
        {"action": "add-channel", "summary": "add it", "spec": "conda-forge", "verified": True}
    ]
