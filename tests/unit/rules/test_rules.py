"""Every rule fires where it should, is silent next to it, documents itself, and none of them cries wolf."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envcheck.model import (
    Damage,
    DamageKind,
    Environment,
    Export,
    Intent,
    Plan,
    Requirement,
    Severity,
    SourceKind,
    Target,
    Verdict,
)
from envcheck.normalize import normalize
from envcheck.rules import RULES, Facts, Rule, apply_rules
from envcheck.rules.about_locks import LOCK_RULES
from envcheck.rules.documented import DOCUMENTED_RULES, find_rule
from envcheck.sources import read_source
from tests.unit.rules.cases import CLEAN, FIRES, SILENT, Bench, Case, env, pip

CODES = [rule.code for rule in RULES]


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, package_index_directory: Path) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), package_index_directory.as_uri())


# ---------------------------------------------------------------------------------------------------------------------
# Each rule
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_the_rule_fires(bench: Bench, code: str) -> None:
    findings = [finding for finding in bench.check(FIRES[code]).findings if finding.code == code]
    assert findings
    for finding in findings:
        rule = find_rule(code)
        assert rule is not None
        assert finding.title == rule.title
        assert finding.subject
        assert finding.message
        if code not in ("EC510", "EC609"):  # these end in what others wrote
            assert not finding.message.endswith(".")
        lines = FIRES[code].source.count(b"\n" if isinstance(FIRES[code].source, bytes) else "\n")  # type: ignore[arg-type]
        assert finding.line is None or 1 <= finding.line <= lines


@pytest.mark.parametrize("code", CODES)
def test_the_rule_is_silent(bench: Bench, code: str) -> None:
    assert code not in bench.codes(SILENT[code])


def test_every_rule_has_both_cases() -> None:
    assert list(FIRES) == list(SILENT) == CODES


def test_every_severity_is_used(bench: Bench) -> None:
    severities = {finding.severity for case in FIRES.values() for finding in bench.check(case).findings}
    assert severities == set(Severity)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(CLEAN, id="hand-written"),
        pytest.param(env("python, tool", request={"check_pip": False}), id="no pins", marks=()),
        pytest.param(pip("attrs==23.1.0", "meteva"), id="pip section"),
        pytest.param(env("python=3.10, tool=1.2=h1_0, foo-bar"), id="a build of this platform"),
        pytest.param(env("python=3.10, lab::tool"), id="a channel named"),
        pytest.param(Case(source="# platform: linux-64\npython=3.10.13=0\ntool=1.2=h1_0\n", name="l.txt",
                          request={"channels": ("lab",)}), id="an export of this platform"),
    ],
)  # fmt: skip
def test_no_false_alarm(bench: Bench, case: Case) -> None:
    report = bench.check(case)
    assert [(one.code, one.message) for one in report.findings if one.severity is not Severity.INFO] == []
    assert report.verdict is Verdict.READY
    assert report.plan.solved


def test_a_clean_environment_has_no_finding_at_all(bench: Bench) -> None:
    report = bench.check(CLEAN)
    assert report.findings == ()
    assert report.verdict is Verdict.READY
    assert not report.plan.changed + report.plan.dropped + report.plan.to_pip  # type: ignore[operator]


# ---------------------------------------------------------------------------------------------------------------------
# What they say
# ---------------------------------------------------------------------------------------------------------------------


def test_one_of_something_is_no_plural(bench: Bench) -> None:
    subjects = {code: next(one.subject for one in bench.check(FIRES[code]).findings if one.code == code) for code in
                ("EC401", "EC508", "EC509", "EC601")}  # fmt: skip
    assert subjects == {"EC401": "1 build", "EC508": "1 package", "EC509": "1 package", "EC601": "1 row"}


@pytest.mark.parametrize("code", CODES)
def test_verified_remedies_come_first_and_only_with_a_solved_plan(bench: Bench, code: str) -> None:
    report = bench.check(FIRES[code])
    for finding in report.findings:
        verified = [remedy.verified for remedy in finding.remedies]
        assert verified == sorted(verified, reverse=True), finding
        assert report.plan.solved or not any(verified)


@pytest.mark.parametrize("code", CODES)
def test_what_is_not_ready_has_an_error_to_show_for_it(bench: Bench, code: str) -> None:
    for case in (FIRES[code], SILENT[code]):
        report = bench.check(case)
        errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
        assert (report.verdict is Verdict.READY) == (not errors), report.findings


def test_findings_are_ordered_by_severity_code_and_line(bench: Bench) -> None:
    case = env("tool=1.1, winonly, tooool, foo_bar", channels="[lab, gone, noarch-only]", more="owner: lee\n")
    findings = bench.check(case).findings
    order = list(Severity)
    keys = [(order.index(one.severity), one.code, one.line or 0) for one in findings]
    assert keys == sorted(keys)
    assert {one.severity for one in findings} == set(Severity)


def test_select_and_ignore_leave_the_verdict_alone(bench: Bench) -> None:
    case = env("tool, winonly")
    assert bench.codes(case) == {"EC402"}
    hidden = bench.check(replace(case, request={"ignore": ("EC4",)}))
    assert hidden.findings == ()
    assert hidden.verdict is Verdict.FIXABLE


def test_a_cut_off_character_is_remarked_upon(bench: Bench) -> None:
    source = "name: x\nchannels: [lab]\ndependencies: [python=3.10]\n".encode("utf-16") + b"\n"
    finding = next(one for one in bench.check(Case(source=source)).findings if one.code == "EC101")
    assert "its last character is cut off" in finding.message


def test_a_channel_that_is_no_text_is_reported(bench: Bench) -> None:
    case = env("tool", channels="[lab, [nested]]")
    finding = next(one for one in bench.check(case).findings if one.code == "EC305")
    assert finding.subject == "an entry (not a text)"


def test_pypi_among_the_channels_is_reported_once(bench: Bench) -> None:
    report = bench.check(env("tool", channels="[lab, pypi]"))
    assert [(one.code, one.subject, one.line) for one in report.findings] == [("EC305", "pypi", 2)]


# ---------------------------------------------------------------------------------------------------------------------
# The list of rules
# ---------------------------------------------------------------------------------------------------------------------


def test_codes_are_unique_sorted_and_of_the_right_form() -> None:
    for rules in (RULES, LOCK_RULES):
        codes = [rule.code for rule in rules]
        assert sorted(set(codes)) == codes
        assert all(re.fullmatch(r"EC[1-8]\d\d", code) for code in codes)
    for attribute in ("code", "title", "check"):
        assert len({getattr(rule, attribute) for rule in DOCUMENTED_RULES}) == len(DOCUMENTED_RULES)


@pytest.mark.parametrize("rule", DOCUMENTED_RULES, ids=lambda rule: rule.code)
def test_the_docstring_says_what_why_and_how(rule: Rule[Any]) -> None:
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", rule.documentation)]
    what, *why, fix = paragraphs
    assert what.endswith(".")
    assert fix.startswith("Fix: ")
    assert fix.endswith(".")
    assert why
    assert all(paragraph.endswith(".") for paragraph in why)


def test_rules_are_found_whatever_the_letter_case() -> None:
    assert find_rule("ec402") is find_rule("EC402") is not None
    assert find_rule("EC999") is None


# ---------------------------------------------------------------------------------------------------------------------
# Damage
# ---------------------------------------------------------------------------------------------------------------------


def _facts(*damage: Damage) -> Facts:
    """The facts of a row and some damage, for rules that look at nothing else."""
    row = Requirement(name="spare", line=3, text="spare")
    export = Export(
        path="x.yml", kind=SourceKind.ENVIRONMENT_YAML, encoding="utf-8", requirements=(row,), damage=damage
    )
    environment: Environment = normalize(export, "linux-64")
    return Facts(
        export=export,
        environment=environment,
        target=Target(platform="linux-64", virtual_packages=(), channels=()),
        channel_edits=(),
        non_channels=(),
        denied_channels=(),
        statuses=(),
        availability=(),
        pip=(),
        package_index_trouble="",
        as_written=None,
        intent=Intent(direct=()),
        plan=Plan(),
    )


@pytest.mark.parametrize("kind", DamageKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("read_as", [None, "numpy"])
def test_every_kind_of_damage_is_a_finding_of_exactly_one_rule(kind: DamageKind, read_as: str | None) -> None:
    damage = Damage(kind=kind, subject="thing", line=7, text="thing", read_as=read_as)
    findings = apply_rules(_facts(damage))
    assert len(findings) == 1
    assert findings[0].line in (1, 7)
    assert apply_rules(_facts()) == ()


def test_damage_of_the_fixtures_is_all_reported(bench: Bench) -> None:
    folder = Path(__file__).parents[3] / "fixtures" / "exports"
    for name in ("environment.damaged.yml", "list-export.damaged.txt", "list-table.console.txt"):
        data = (folder / name).read_bytes()
        export = read_source(data, name)
        reported = {finding.line for finding in bench.check(Case(source=data, name=name)).findings}
        assert {damage.line for damage in export.damage} <= reported, name


@pytest.mark.parametrize(
    "case",
    [env("", channels="[]"), env("", more="foo: 1\n"), env("", channels="[lab, pypi]")],
    ids=lambda case: case.source,
)
def test_what_takes_no_requirement_away_does_not_hide_that_none_is_there(bench: Bench, case: Case) -> None:
    assert "EC108" in {finding.code for finding in bench.check(case).findings}


def test_channels_that_were_looked_at_need_not_be_those_of_the_machine(bench: Bench) -> None:
    case = replace(env("tool", channels="[]"), request={"channels": ("more",)})
    found = next(finding for finding in bench.check(case).findings if finding.code == "EC311")
    assert (
        found.message == "the file's list of channels is empty, so that each machine's own count; looked at here: more"
    )
