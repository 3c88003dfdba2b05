"""The HTML report of a fleet: its structure, its order, and that it stays small."""

from __future__ import annotations

import re

from envcheck.fleet import AuditResult, AuditVerdict, Cause
from envcheck.model import Severity
from envcheck.reports.html_fleet import render_fleet
from tests.unit.reports.parsed_page import ParsedPage


def cause(code: str, subject: str, severity: Severity = Severity.ERROR, line: int | None = 1) -> Cause:
    return Cause(code=code, subject=subject, severity=severity, title=f"Title of {code}", line=line)


def result(path: str, verdict: AuditVerdict, *causes: Cause, **more: object) -> AuditResult:
    fields: dict[str, object] = {"platform": "linux-64", "pins": 10, "kept": 9, "seconds": 1.25, "sentence": "so it is"}
    return AuditResult(path=path, verdict=verdict, causes=causes, **{**fields, **more})  # type: ignore[arg-type]


FLEET = [
    result("ready.yml", AuditVerdict.READY, kept=10),
    result("a.yml", AuditVerdict.FIXABLE, cause("EC402", "vc"), cause("EC701", "python", Severity.INFO, None)),
    result("b.yml", AuditVerdict.FIXABLE, cause("EC402", "vc"), cause("EC501", "hdf5"), added_channels=("bioconda",)),
    result("c.yml", AuditVerdict.BLOCKED, cause("EC510", "plan")),
    result("broken.yml", AuditVerdict.UNREADABLE, trouble="this is no export", pins=0, kept=0),
    result("dead.yml", AuditVerdict.FAILED, trouble="its channels did not answer", pins=0, kept=0),
]


def test_sources_stand_worst_first_whatever_their_order() -> None:
    page = render_fleet(FLEET, title="The laboratory")
    assert re.findall(r"<summary>([\w.]+)", page) == [
        "dead.yml", "broken.yml", "c.yml", "b.yml", "a.yml", "ready.yml",
    ]  # fmt: skip
    assert page == render_fleet(FLEET[::-1], title="The laboratory")


def test_totals_and_frequent_causes_come_first() -> None:
    page = ParsedPage(render_fleet(FLEET, title="The laboratory"))
    text = page.text
    places = [
        text.index(words)
        for words in (
            "The laboratory",
            "pins kept, of 40",
            "37 92 %",
            "2 fixable 33 %",
            "1 of 6 needs bioconda",
            "Every",
        )
    ]
    assert places[1:] == sorted(places[1:])
    assert re.search(r"2\s*vc\s*error EC402 Title of EC402", text)
    assert "this is no export" in text
    assert "vc (line 1)" in text


def test_the_structure_holds_and_nothing_is_loaded() -> None:
    for fleet in (FLEET, FLEET[:1], []):
        page = ParsedPage(render_fleet(fleet))
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        assert {one.removeprefix("#") for one in page.values("href")} <= set(ids)
        assert page.headings[0] == 1
        assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
        assert not {"src", "style"} & {name for _, name, _ in page.attributes}
        assert page.tags.count("table") == page.tags.count("caption")


def test_hostile_text_stays_text_and_secrets_are_hidden() -> None:
    def fleet(text: str) -> list[AuditResult]:
        return [result(text, AuditVerdict.FAILED, cause("EC501", text), trouble=text, added_channels=(text,))]

    plain = ParsedPage(render_fleet(fleet("x"), title="x"))
    for text in ("</script><script>alert(1)</script>", "\"><img src=x onerror='x'>", "{{ 1 }}", "\u202e\x00\ud800"):
        assert ParsedPage(render_fleet(fleet(text), title=text)).tags == plain.tags
    assert "geheim7" not in render_fleet(fleet("https://anna:geheim7@conda.example.org/c"))


def test_two_thousand_sources_make_a_page_that_a_browser_opens() -> None:
    verdicts = list(AuditVerdict)
    fleet = [
        result(
            f"team{number % 40}/project{number}/environment.yml",
            verdicts[number % 5],
            *(cause(f"EC50{one % 6}", f"package-{number + one}", line=one) for one in range(number % 40)),
        )
        for number in range(2_000)
    ]
    page = render_fleet(fleet)
    assert page.count("<tr data-item") == 2_000
    assert len(page) < 4_000_000
