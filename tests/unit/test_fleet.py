from __future__ import annotations

from dataclasses import replace

from envcheck.fleet import (
    AuditResult,
    AuditVerdict,
    Cause,
    findings_of,
    frequent_causes,
    result_document,
    result_from_document,
    totals,
    with_accepted,
)
from envcheck.model import Severity
from envcheck.next_steps import steps_after_audit


def cause(code: str, subject: str, severity: Severity = Severity.ERROR) -> Cause:
    return Cause(code=code, subject=subject, severity=severity, title=f"title of {code}")


def result(
    path: str, *causes: Cause, verdict: AuditVerdict = AuditVerdict.FIXABLE, pins: int = 0, kept: int = 0
) -> AuditResult:
    return AuditResult(
        path=path, platform="linux-64", verdict=verdict, causes=causes, pins=pins, kept=kept, seconds=1.5
    )


def test_totals_count_every_verdict_worst_first() -> None:
    fleet = [
        result("a", verdict=AuditVerdict.READY, pins=3, kept=3),
        result("b", cause("EC401", "vc"), verdict=AuditVerdict.FIXABLE, pins=4, kept=2),
        result("c", cause("EC301", "x", Severity.WARNING), verdict=AuditVerdict.UNREADABLE),
        result("d", verdict=AuditVerdict.FIXABLE),
    ]

    found = totals(fleet)

    assert found.verdicts == (
        (AuditVerdict.UNREADABLE, 1),
        (AuditVerdict.FIXABLE, 2),
        (AuditVerdict.READY, 1),
    )
    assert (found.sources, found.pins, found.kept) == (4, 7, 5)
    assert (found.errors, found.warnings) == (1, 1)
    assert found.seconds == 6.0


def test_frequent_causes_count_sources_and_not_rows() -> None:
    fleet = [
        result("a", cause("EC401", "vc"), cause("EC401", "ucrt")),
        result("b", cause("EC401", "vc"), cause("EC701", "it", Severity.INFO)),
        result("c", cause("EC301", "conda-forge")),
    ]

    assert [(one.code, one.subject, one.sources) for one in frequent_causes(fleet)] == [
        ("EC401", "vc", 2),
        ("EC301", "conda-forge", 1),
        ("EC401", "ucrt", 1),
    ]
    assert len(frequent_causes(fleet, most=1)) == 1


def test_nothing_has_nothing_in_common() -> None:
    assert frequent_causes([]) == ()
    assert totals([]).verdicts == ()


def test_a_baseline_knows_each_finding_behind_a_cause() -> None:
    twice = Cause(code="EC202", subject="numpy", severity=Severity.ERROR, title="t", count=2)
    found = result("a", twice, cause("EC401", "vc"))

    findings = findings_of(found)
    left = with_accepted(found, findings[1:2], (findings[0], findings[2]))

    assert [(one.code, one.subject) for one in findings] == [("EC202", "numpy"), ("EC202", "numpy"), ("EC401", "vc")]
    assert [(one.subject, one.count) for one in left.causes] == [("numpy", 1)]
    assert left.accepted == 2
    assert with_accepted(found, findings, ()) is found
    assert result_from_document(result_document(left)) == left


def test_a_channel_is_blamed_where_one_was_silent_and_for_nothing_else() -> None:
    failed = replace(result("a.yml", verdict=AuditVerdict.FAILED), complete=False)
    blocked = result("b.yml", verdict=AuditVerdict.BLOCKED)

    assert steps_after_audit([failed, blocked])[:2] == (
        "envcheck doctor   (what checks use here, and whether it answers)",
        "envcheck check b.yml",
    )
    assert steps_after_audit([replace(blocked, complete=False), failed])[0] == (
        "envcheck doctor   (which channel does not answer)"
    )
    assert steps_after_audit([blocked]) == ("envcheck check b.yml",)
