"""The parts of the HTML report that are computed: the lines of a source, and what became of every package."""

from __future__ import annotations

from dataclasses import replace

from envcheck.model import PipConflict, PipRequirement, PipRequirementKind, Report, Severity
from envcheck.reports.html_help import rule_help
from envcheck.reports.html_source import Mark, marked_lines
from envcheck.reports.html_versions import Fate, version_rows
from envcheck.rules.documented import DOCUMENTED_RULES
from tests.unit.reports.making import full_report

ERROR = Mark(code="EC501", severity=Severity.ERROR, anchor="f1")


def test_a_short_text_is_shown_whole() -> None:
    lines = marked_lines("a\n\nb\n", {3: [ERROR], 9: [ERROR]})
    assert [(line.number, line.text, line.severity) for line in lines] == [
        (1, "a", None),
        (2, "", None),
        (3, "b", Severity.ERROR),
    ]
    assert marked_lines("", {}) == ()


def test_of_a_long_text_what_is_marked_is_shown_with_what_is_around_it() -> None:
    lines = marked_lines("\n".join(str(number) for number in range(1, 20_001)), {10_000: [ERROR]})
    assert [line.number for line in lines] == [1, 2, 3, *range(9_997, 10_004), 0]
    assert [line.left_out for line in lines if line.left_out] == [9_993, 9_997]


def test_however_many_are_marked_the_page_stays_bounded() -> None:
    count = 50_000
    lines = marked_lines("x\n" * count, {number: [ERROR] for number in range(1, count + 1)})
    assert len(lines) == 3_001
    assert sum(line.left_out for line in lines) + 3_000 == count


def test_a_long_line_is_cut_and_its_secret_with_it() -> None:
    (line,) = marked_lines(f"{'x' * 480} https://anna:geheim7@conda.example.org/{'y' * 600}", {})
    assert len(line.text) == 500
    assert line.cut > 500
    assert "gehei" not in line.text


def fates(report: Report) -> dict[tuple[str, str], tuple[str, str, Fate]]:
    return {(row.name, row.manager): (row.before, row.after, row.fate) for row in version_rows(report)}


def test_every_package_stands_in_the_table_and_changes_come_first() -> None:
    assert fates(full_report()) == {
        ("numpy", "conda"): ("1.0", "1.0", Fate.KEPT),
        ("hdf5", "conda"): ("1.0", "1.1", Fate.CHANGED),
        ("pywin32", "conda"): ("1.0", "", Fate.DROPPED),
        ("meteva", "conda"): ("1.0", "1.0", Fate.TO_PIP),
        ("libgcc-ng", "conda"): ("", "14.2.0", Fate.ADDED),
        ("attrs", "pip"): ("23.1.0", "23.1.0", Fate.KEPT),
    }
    assert [row.fate for row in version_rows(full_report())][:3] == [Fate.DROPPED, Fate.CHANGED, Fate.TO_PIP]


def test_rows_of_the_pip_section_say_what_became_of_them() -> None:
    full = full_report()
    assert full.pip_resolution is not None
    names = {"six": "1.0", "numpy": "1.0", "lost": "2", "attrs": "22.2", "only-win": "1", "loser": "3"}
    rows = tuple(
        PipRequirement(
            kind=PipRequirementKind.NAMED, name=name, pin=pin, line=5, text=f"{name}=={pin}",
            marker="sys_platform == 'win32'" if name == "only-win" else None,
        )
        for name, pin in names.items()
    )  # fmt: skip
    resolution = replace(
        full.pip_resolution,
        moved=(("numpy", "numpy"),),
        conflicts=(PipConflict(requirements=("loser==3", "attrs==22.2"), explanation=""),),
    )
    report = replace(full, environment=replace(full.environment, pip=rows), pip_resolution=resolution)
    found = fates(report)
    assert found["six", "pip"] == ("1.0", "six", Fate.TO_CONDA)
    assert found["numpy", "pip"] == ("1.0", "1.0", Fate.TO_CONDA)
    assert found["attrs", "pip"] == ("22.2", "23.1.0", Fate.CHANGED)
    reasons = {row.name: row.reason for row in version_rows(report) if row.fate is Fate.DROPPED}
    assert reasons["loser"] == "does not go together with the rest"
    assert reasons["only-win"] == "its marker leaves it out: sys_platform == 'win32'"
    assert reasons["lost"] == "nothing of it can be installed on the target"


def test_what_pip_did_not_resolve_is_not_told_as_if_it_had() -> None:
    full = full_report()
    assert full.pip_resolution is not None
    report = replace(full, pip_resolution=replace(full.pip_resolution, trouble="offline"))
    assert {row.manager for row in version_rows(report)} == {"conda"}


def test_every_documented_rule_has_help_and_an_unknown_code_has_none() -> None:
    for rule in DOCUMENTED_RULES:
        found = rule_help(rule.code)
        assert found is not None
        assert all(len(pieces) % 2 == 1 for pieces in found.paragraphs), rule.code
    assert rule_help("EC000") is None
