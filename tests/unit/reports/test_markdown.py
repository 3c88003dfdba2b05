"""Markdown: what stands in a comment, how long it may get, and that GitHub's parser makes nothing of hostile names."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from envcheck.model import Severity
from envcheck.reports.bounded import Part, fitted
from envcheck.reports.markdown import MARKER, MOST_BYTES, render, words
from tests.unit.reports.accounts import ANY_TEXT, HOSTILE, account_about, bare_account, full_account
from tests.unit.reports.making import finding, full_report

cmarkgfm = pytest.importorskip("cmarkgfm", reason="GitHub's parser of Markdown is not installed")

TAGS = {"h2", "h3", "p", "strong", "em", "code", "ul", "li", "br", "details", "summary", "table", "thead", "tbody"}
CELLS = {"tr", "th", "td"}


def page(markdown: str) -> str:
    """The HTML that GitHub's parser makes of it, before GitHub takes out what it does not allow."""
    made: str = cmarkgfm.markdown_to_html_with_extensions(
        markdown, options=cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE,
        extensions=["table", "autolink", "strikethrough", "tasklist"],
    )  # fmt: skip
    return made


def outside_code(made: str) -> str:
    return re.sub(r"<code>.*?</code>", "", made, flags=re.DOTALL)


def test_the_comment_of_a_report() -> None:
    told = render([full_account()])
    assert told.startswith(f"{MARKER}\n## envcheck: \u26a0\ufe0f fixable\n")
    assert "**error EC402 Title of EC402**\n\n- `pywin32` (line 3): only for win-64, not for linux-64\n" in told
    assert "  <br>fix: take 1.1 **[verified]**, or take 0.9\n" in told
    assert "<details><summary>1 warning</summary>" in told
    assert "Plan: 1 kept, 1 changed, 1 dropped, 1 moved to pip, 1 added; 3 packages in all." in told
    assert "| `hdf5` | `1.0` | `1.1` | 1.0 is not for linux-64 |\n" in told
    assert "2 errors, 1 warning, 1 note" in told
    assert told.endswith("\n")
    assert "Left out" not in told


def test_several_files_begin_with_a_table() -> None:
    told = render([full_account(), bare_account("conda-lock.yml", verdict="sound")])
    assert "| `requirements.txt` | linux-64 | \u26a0\ufe0f fixable | 2 errors, 1 warning, 1 note |\n" in told
    assert "| `conda-lock.yml` | linux-64 | \u2705 sound | none |\n" in told
    assert told.index("| File |") < told.index("### `requirements.txt`") < told.index("### `conda-lock.yml`")


def test_what_was_not_finished_is_said() -> None:
    assert "\u2754 unsound (not everybody answered)" in render([bare_account("a.lock", complete=False)])


def test_where_a_file_was_installed_and_what_is_accepted() -> None:
    told = render([replace(full_account(), origin=("Dockerfile", 7), accepted=full_account().findings[:1])])
    assert "Installed by `Dockerfile`, line 7." in told
    assert "Accepted by the baseline, and not told here: 1 error." in told


def test_environments_of_a_dockerfile_are_told_apart_by_their_lines() -> None:
    told = render([bare_account("Dockerfile"), bare_account("Dockerfile", origin=("Dockerfile", 7))])
    assert "| `Dockerfile`, line 7 | linux-64 |" in told


def test_standard_input_has_no_name() -> None:
    assert "### standard input for linux-64" in render([bare_account("-", "numpy")])


def test_an_unsolved_plan_is_not_shown() -> None:
    report = full_report()
    assert "Plan:" not in render(
        [replace(full_account(), report=replace(report, plan=replace(report.plan, solved=False)))]
    )


def test_those_alike_are_told_once() -> None:
    findings = tuple(
        finding("EC402", Severity.ERROR, f"n{line}", "only for win-64", line=line) for line in range(1, 31)
    )
    told = render([bare_account("a.yml", findings=findings)])
    assert told.count("only for win-64") == 1
    assert "`n12` (line 12) and 18 more: only for win-64" in told


def test_many_of_one_cause_are_folded() -> None:
    told = render([bare_account("a.yml", *(f"n{number}" for number in range(20)))])
    assert "<details><summary>12 more</summary>" in told
    assert page(told).count("<details>") == page(told).count("</details>") == 1


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_a_comment_is_never_too_long_and_says_what_is_left_out(count: int) -> None:
    full = full_account()
    report = full_report()
    changed = tuple(replace(report.plan.changed[0], name=f"package{number}") for number in range(count))
    notes = tuple(finding("EC701", Severity.INFO, f"n{number}", f"message {number}") for number in range(count))
    account = replace(
        full, findings=(*full.findings, *notes), report=replace(report, plan=replace(report.plan, changed=changed))
    )
    told = render([account])
    assert len(told.encode()) <= MOST_BYTES
    assert "only for win-64" in told
    left = re.search(r"Left out, as a comment holds no more: (?:(\d+) findings, )?(\d+) plan changes\.", told)
    assert left is not None
    notes_shown = len(re.findall(r"^- `n\d+`", told, flags=re.MULTILINE))
    changes_shown = len(re.findall(r"^\| `(?:package\d+|pywin32|meteva)`", told, flags=re.MULTILINE))
    assert int(left[1] or 0) + notes_shown == count
    assert int(left[2]) + changes_shown == count + 2
    made = page(told)
    assert made.count("<details>") == made.count("</details>") > 0


def test_more_files_than_fit() -> None:
    told = render([bare_account(f"{number}/environment.yml", "x") for number in range(5_000)])
    assert len(told.encode()) <= MOST_BYTES
    assert re.search(r"\d+ findings, \d+ files|\d+ files, \d+ findings", told)


# ---------------------------------------------------------------------------------------------------------------------
# Hostile text
# ---------------------------------------------------------------------------------------------------------------------


def check_harmless(told: str) -> None:
    """GitHub's parser finds the elements that are ours, and nothing that GitHub turns into something afterwards."""
    made = page(told)
    assert set(re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", made)) <= TAGS | CELLS
    assert made.count("<!--") == 1
    text = html.unescape(re.sub(r"<[^>]*>", " ", outside_code(made)))
    assert not re.search(r"@\w|#\d|\bGH-\d|www\.|://|:\w+:|\b[0-9a-f]{7,40}\b", text.replace("<!--", ""), re.IGNORECASE)
    for row in re.findall(r"<tr>.*?</tr>", made, flags=re.DOTALL):
        assert len(re.findall(r"<t[dh]", row)) in (3, 4)
    assert "hunter2" not in told
    assert len(told.encode()) <= MOST_BYTES


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text(hostile: str) -> None:
    check_harmless(render([account_about(hostile)]))
    check_harmless(render([account_about(hostile), bare_account(hostile, hostile)]))


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_any_text_stays_text(text: str) -> None:
    check_harmless(render([account_about(text), bare_account(text, text)]))


@pytest.mark.parametrize("cell", [False, True])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the channels do not have 1.0 for linux-64", "the channels do not have 1.0 for linux-64"),
        ("take numpy=1.2, or (@octocat).", "take `numpy=1.2`, or (`@octocat`)."),
        ("a b_c d_e f", "a `b_c d_e` f"),
        ("it's 'conda activate x', isn't it", "it's `'conda activate x'`, isn't it"),
        ("see www.example.org", "see `www.example.org`"),
        ("at 0123abc of GH-12", "at `0123abc` of `GH-12`"),
        ("`x`", "`` `x` ``"),
        ("", ""),
    ],
)
def test_plain_words_are_left_and_the_rest_is_code(text: str, shown: str, *, cell: bool) -> None:
    assert words(text, cell=cell) == shown


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_what_is_shown_is_what_was_there(text: str) -> None:
    """Read by GitHub's parser, the words are those of the text, apart from code points and secrets."""
    from envcheck.reports.groups import shown

    made = html.unescape(re.sub(r"</?(?:p|code)>", "", page(f"x {words(text)}")))
    assert made.split() == ["x", *shown(text).split()]


# ---------------------------------------------------------------------------------------------------------------------
# The bounded page
# ---------------------------------------------------------------------------------------------------------------------


def test_the_last_rank_goes_first_and_the_order_of_the_page_stays() -> None:
    parts = [
        Part(head="[", tail="]", parts=(Part(head="aaaa", rank=2, kind="a", count=3), Part(head="b", rank=0))),
        Part(head="cc", rank=1),
    ]
    assert fitted(parts, 100) == ("[aaaab]cc", {})
    assert fitted(parts, 5) == ("[b]cc", {"a": 3})
    assert fitted(parts, 3) == ("[b]", {"a": 3})
    assert fitted(parts, 2) == ("cc", {"a": 3})
