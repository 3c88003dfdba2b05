"""The HTML report: its structure, what it may load, that text stays text, and what stands in it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.model import Plan, PlanObstacle, Remedy, RemedyAction, Report, Severity, Verdict
from envcheck.reports import html_report
from envcheck.reports.account import Account
from envcheck.reports.formats import render_accounts
from envcheck.reports.text import account
from tests.unit.reports.making import finding, full_report, report_about
from tests.unit.reports.parsed_page import ParsedPage

ROOT = Path(__file__).parents[3]
STYLE = (ROOT / "envcheck/reports/templates/report.css").read_text(encoding="utf-8")
SOURCE = "name: x\n- hdf5=1.0\n- pywin32=1.0\n- numpy\n- attrs\n"
SECRETS = {
    "https://anna:geheim7@conda.example.org/c": "geheim7",
    "https://conda.anaconda.org/t/an-0123abcd-ef/c": "0123abcd",
    "--index-url https://pypi.example.org/simple?token=s3cr3tvalue": "s3cr3tvalue",
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "{{ 7 * 7 }}{% raw %}{# x #}",
    "<!-- <svg><title>]]>",
    "&lt;b&gt;&amp;amp;",
    "javascript:alert(1)",
    "\x1b[31mred\x1b[0m\u202egnp.exe\u200b\x00\ufeff",
    "\ud800lone",
]


def rendered(report: Report, text: str | None = SOURCE) -> str:
    return html_report.render([account(report, text)])


def docker_accounts() -> list[Account]:
    """A Dockerfile and the environment that it makes, as ``envcheck docker`` tells of them."""
    dockerfile = Account(
        path="Dockerfile",
        kind="Dockerfile",
        platform=None,
        verdict="",
        sentence="1 environment made",
        findings=(finding("EC801", Severity.WARNING, "ubuntu:latest", "the tag moves", line=1),),
        text="FROM ubuntu:latest\nRUN conda env create\n",
    )
    return [dockerfile, replace(account(full_report(), SOURCE), origin=("Dockerfile", 2))]


def with_conflict() -> Report:
    """The full report with a version that is in nobody's way but numpy's."""
    full = full_report()
    hdf5, gcc, numpy = full.plan.packages
    needing = (
        hdf5,
        gcc,
        replace(numpy, depends=("hdf5 >=1.1,<1.2", "python >=3.10"), constrains=("pywin32 <1",)),
    )
    asked = replace(hdf5, version="1.0", depends=("libgcc-ng >=15", "zlib"))
    plan = replace(
        full.plan, packages=needing, obstacles=(PlanObstacle(name="hdf5", record=asked, against=("numpy",)),)
    )
    return replace(full, plan=plan)


PAGES: dict[str, Callable[[], str]] = {
    "one": lambda: rendered(full_report()),
    "conflict": lambda: rendered(with_conflict()),
    "pins that do not go together": lambda: rendered(
        replace(full_report(), plan=Plan(conflicts=(("a ==1", "b >=2"), ("c ==1",))), verdict=Verdict.BLOCKED)
    ),
    "nothing found": lambda: rendered(replace(full_report(), findings=(), verdict=Verdict.READY), None),
    "two": lambda: html_report.render([account(full_report(), SOURCE), account(with_conflict(), None)]),
    "docker": lambda: html_report.render(docker_accounts()),
    "nothing at all": lambda: html_report.render([]),
}


@pytest.fixture(params=PAGES)
def parsed(request: pytest.FixtureRequest) -> ParsedPage:
    return ParsedPage(PAGES[request.param]())


# ---------------------------------------------------------------------------------------------------------------------
# Structure
# ---------------------------------------------------------------------------------------------------------------------


def test_every_reference_within_the_page_leads_somewhere(parsed: ParsedPage) -> None:
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    references = [value.removeprefix("#") for value in parsed.values("href")]
    references += [one for value in parsed.values("aria-labelledby") for one in value.split()]
    references += parsed.values("for") + parsed.values("data-filters")
    references += [value[5:-1] for value in parsed.values("marker-end")]
    assert set(references) <= set(ids)
    assert not any(re.search(r"\s", one) for one in ids)


def test_headings_are_in_order_and_landmarks_are_there(parsed: ParsedPage) -> None:
    assert parsed.headings[:1] in ([1], [])
    assert parsed.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(parsed.headings, parsed.headings[1:], strict=False))
    assert [parsed.tags.count(tag) for tag in ("main", "nav", "title", "html", "footer")][:1] == [1]
    assert ("html", "lang", "en") in parsed.attributes
    assert ("a", "href", "#main") in parsed.attributes
    for tag in ("th",):
        assert parsed.tags.count(tag) == sum(1 for one, name, _ in parsed.attributes if (one, name) == (tag, "scope"))
    assert parsed.tags.count("table") == parsed.tags.count("caption")
    assert ("p", "aria-live", "polite") in parsed.attributes


def test_nothing_is_loaded_from_anywhere(parsed: ParsedPage) -> None:
    assert not {"img", "iframe", "link", "object", "embed", "base", "audio", "video"} & set(parsed.tags)
    assert all(value.startswith("#") for value in parsed.values("href"))
    names = {name for _, name, _ in parsed.attributes}
    assert not {"src", "srcset", "style", "action", "xlink:href", "ping"} & names
    assert not [name for name in names if name.startswith("on")]
    style, script = "".join(parsed.texts["style"]), "".join(parsed.texts["script"])
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?:|fetch|XMLHttp|import\(|eval|innerHTML|insertAdjacentHTML|document\.write", script)


def test_the_policy_allows_this_style_and_this_script_alone(parsed: ParsedPage) -> None:
    policy = next(value for value in parsed.values("content") if value.startswith("default-src"))
    rules = dict(one.split(" ", 1) for one in policy.split("; "))
    for tag in ("style", "script"):
        (text,) = parsed.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")


def test_without_script_everything_is_there_and_filters_are_not(parsed: ParsedPage) -> None:
    hidden = [tag for tag, name, _ in parsed.attributes if name == "hidden"]
    assert hidden == ["form"] * parsed.tags.count("form")
    assert "button" not in parsed.tags


def test_the_same_accounts_give_the_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import sys; from tests.unit.reports.test_html_report import PAGES\n"
        "sys.stdout.buffer.write(''.join(make() for make in PAGES.values()).encode())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT)},
    )
    assert answer.stdout == "".join(make() for make in PAGES.values()).encode()


# ---------------------------------------------------------------------------------------------------------------------
# Contrast (WCAG 2.2, 1.4.3 and 1.4.11)
# ---------------------------------------------------------------------------------------------------------------------

COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
}  # fmt: skip
TEXTS = ("ink", "quiet", "link", "error", "warning", "info", "good")
PAIRS = [
    *((text, ground, 4.5) for text in TEXTS for ground in ("ground", "sheet", "sunk")),
    *((text, f"{text}-wash", 4.5) for text in ("error", "warning", "info", "good")),
    *((text, f"{wash}-wash", 4.5) for text in ("ink", "quiet") for wash in ("error", "warning", "info")),
    *((name, ground, 3.0) for name in COLOURS if name.startswith("fate-") for ground in ("ground", "sheet")),
    *(("edge", ground, 3.0) for ground in ("ground", "sheet")),
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(scheme: int) -> None:
    low = {}
    for one, other, least in PAIRS:
        bright, dim = sorted((luminance(COLOURS[one][scheme]), luminance(COLOURS[other][scheme])), reverse=True)
        if (ratio := (bright + 0.05) / (dim + 0.05)) < least:
            low[one, other] = round(ratio, 2)
    assert low == {}


# ---------------------------------------------------------------------------------------------------------------------
# Hostile text and secrets
# ---------------------------------------------------------------------------------------------------------------------


def everywhere(text: str) -> str:
    """A page with a text in every place that can hold one of a source's or a channel's author."""
    report = report_about(text)
    # An engine has read every dependency, so none holds a lone surrogate.
    entry = f"zlib {text}".encode(errors="replace").decode()
    record = replace(report.plan.packages[0], name="hdf5", version="1.0", depends=(entry,))
    plan = replace(report.plan, obstacles=(PlanObstacle(name=text, record=record, against=(text,)),))
    told = account(replace(report, plan=plan), f"first\n{text}\n")
    return html_report.render([replace(told, sentence=text, kind=text, origin=(text, 1)), told])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text: str) -> None:
    page, harmless = ParsedPage(everywhere(text)), ParsedPage(everywhere("x"))
    assert page.tags == harmless.tags
    assert [(tag, name) for tag, name, _ in page.attributes] == [(tag, name) for tag, name, _ in harmless.attributes]
    assert page.comments == []
    assert page.texts["script"] == harmless.texts["script"]


@given(text=st.text(min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_no_text_changes_the_structure(text: str) -> None:
    page = everywhere(text.replace("\n", " "))
    assert ParsedPage(page).tags == ParsedPage(everywhere("x")).tags
    page.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", page)


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_is_shown(text: str) -> None:
    page = everywhere(text)
    assert SECRETS[text] not in page
    twice = html_report.render([replace(account(full_report(), None), path=text)] * 2)
    assert SECRETS[text] not in twice
    assert "***" in ParsedPage(page).text or "<TOKEN>" in ParsedPage(page).text


def test_a_secret_at_the_end_of_a_line_that_is_cut_is_not_shown() -> None:
    page = rendered(full_report(), f"- {'x' * 460} https://anna:geheim7{'y' * 600}@conda.example.org/c\n")
    assert "geheim7" not in page


# ---------------------------------------------------------------------------------------------------------------------
# Content
# ---------------------------------------------------------------------------------------------------------------------


def test_the_verdict_its_sentence_counts_and_the_next_command_come_first() -> None:
    text = ParsedPage(rendered(full_report())).text
    places = [
        text.index(words)
        for words in (
            "Fixable: It does not build on linux-64 as it stands; the plan below does (dry-solved).",
            "2 errors",
            "2 kept",
            "envcheck check requirements.txt --lock conda-lock.yml",
            "linux-64 with __glibc 2.28",
            "rattler 0.28.0",
            "Title of EC402",
        )
    ]
    assert places == sorted(places)


def test_a_finding_links_to_its_line_and_the_line_to_its_finding() -> None:
    page = rendered(full_report())
    item = re.search(r'<li class="item" id="(a1-f\d+)" data-item data-severity="error" data-code="EC501"', page)
    assert item is not None
    row = page[page.index('<tr id="a1-L2"') :]
    assert row.startswith('<tr id="a1-L2" class="marked error">')
    assert f'href="#{item[1]}"' in row[: row.index("</tr>")]
    assert '<a href="#a1-L2">line 2</a>' in page[item.start() :]


def test_findings_that_say_the_same_stand_together_and_verified_fixes_say_so() -> None:
    drop = Remedy(action=RemedyAction.DROP, summary="drop it", spec="x>1", verified=True)
    alike = tuple(finding("EC402", Severity.ERROR, name, "only for win-64", drop, line=3) for name in ("vc", "ucrt"))
    page = rendered(replace(full_report(), findings=alike))
    assert page.count('<li class="item"') == 1
    text = ParsedPage(page).text
    assert "vc line 3 ucrt line 3 only for win-64 drop itverified x>1" in text.replace(
        "drop it verified", "drop itverified"
    )
    assert "What EC402 means" in text
    assert "<code data-copy>x&gt;1</code>" in page


def test_the_account_of_a_dockerfile_leads_to_the_line_that_asked_for_an_environment() -> None:
    page = html_report.render(docker_accounts())
    assert 'Asked for by <a href="#a1-L2">Dockerfile, line 2</a>' in page
    assert '<tr id="a1-L2"' in page


def test_an_answer_that_is_missing_is_said() -> None:
    told = replace(account(full_report(), None), complete=False)
    assert "did not answer" in ParsedPage(html_report.render([told])).text


def test_what_a_baseline_accepts_is_counted_and_not_told() -> None:
    told = replace(account(full_report(), None), accepted=(finding("EC999", Severity.ERROR, "old", "known"),))
    text = ParsedPage(html_report.render([told])).text
    assert "1 more finding is accepted by the baseline" in text
    assert "EC999" not in text


def test_the_format_is_known_by_its_name() -> None:
    told = [account(full_report(), SOURCE)]
    assert render_accounts("html", told) == html_report.render(told)


def test_a_picture_has_a_title_a_description_and_its_words() -> None:
    page = rendered(with_conflict())
    assert '<title id="a1-c1-t">What stands in the way of hdf5 1.0</title>' in page
    text = ParsedPage(page).text
    assert text.count("numpy 1.0 needs hdf5 &gt;=1.1,&lt;1.2") == 0
    assert text.count("numpy 1.0 needs hdf5 >=1.1,<1.2, which 1.0 is not.") == 2
    assert "hdf5 1.0 needs libgcc-ng >=15; the plan has 14.2.0." in text
