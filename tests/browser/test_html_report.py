"""The HTML report in a real browser: the system's own Chromium, driven by Playwright, with nothing to load from.

``ENVCHECK_CHROMIUM`` names a browser that is not at one of the usual places.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcheck.model import PlanKept, Severity
from envcheck.reports.html_fleet import render_fleet
from envcheck.reports.html_report import render
from envcheck.reports.text import account
from tests.unit.reports.making import finding, full_report
from tests.unit.reports.test_html_fleet import FLEET
from tests.unit.reports.test_html_report import HOSTILE, everywhere, with_conflict

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Read before a test's own environment hides it.
NAMED = os.environ.get("ENVCHECK_CHROMIUM")
USUAL = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SOURCE = "name: x\n- hdf5=1.0\n- pywin32=1.0\n- numpy\n- attrs\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = NAMED or next((found for name in USUAL if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium on this system; name one with ENVCHECK_CHROMIUM")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


class Watched:
    """A page and what must not happen on it: messages of the console, requests, dialogs."""

    def __init__(self, context: BrowserContext, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        self.events: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.events.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.events.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.events.append(f"request: {request.url}"))
        self.page.goto(path.as_uri())
        assert self.events == [f"request: {path.as_uri()}"]
        self.events.clear()

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert isinstance(wider, int)
        return wider


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", permissions=["clipboard-read", "clipboard-write"]
    )
    made.set_default_timeout(5_000)
    yield made
    made.close()


def test_filters_find_what_is_asked_for_and_say_how_much_that_is(context: BrowserContext, tmp_path: Path) -> None:
    report = with_conflict()
    alike = tuple(finding("EC402", Severity.ERROR, name, "only for win-64", line=3) for name in ("vc", "ucrt"))
    seen = Watched(
        context, tmp_path / "a.html", render([account(replace(report, findings=(*alike, *report.findings)), SOURCE)])
    )
    page = seen.page
    form = page.get_by_role("search", name="Filter the findings")
    tally = form.get_by_role("status")
    items = page.locator("#a1-list [data-item]")
    assert tally.inner_text() == "All 6 findings shown"

    form.get_by_label("error").uncheck()
    assert tally.inner_text() == "2 of 6 findings shown"
    assert not page.get_by_role("heading", name="Title of EC501").is_visible()
    form.get_by_label("error").check()
    form.get_by_label("Code").select_option("EC402")
    assert tally.inner_text() == "3 of 6 findings shown"
    form.get_by_label("Package or word").fill("VC")
    assert tally.inner_text() == "1 of 6 findings shown"
    assert [one.inner_text() for one in items.locator(".subject:visible").all()] == ["vc line 3"]

    # A link from the source to what the filter hides shows it.
    page.locator("#a1-L2 a.mark").click()
    assert tally.inner_text() == "All 6 findings shown"
    assert page.evaluate("document.activeElement.dataset.code") == "EC501"
    assert seen.events == []


def test_the_table_is_filtered_and_sorted(context: BrowserContext, tmp_path: Path) -> None:
    full = full_report()
    many = replace(full.plan, kept=tuple(PlanKept(name=f"kept{number}", version="1") for number in range(80)))
    seen = Watched(context, tmp_path / "a.html", render([account(replace(full, plan=many), SOURCE)]))
    page = seen.page
    form = page.get_by_role("search", name="Filter the versions")
    rows = page.locator("#a1-table tbody tr:visible")
    assert rows.count() == 3
    form.get_by_label("kept").check()
    assert form.get_by_role("status").inner_text() == "84 of 85 packages shown"
    form.get_by_label("Package or word").fill("only for win-64")
    assert rows.count() == 1

    fleet = Watched(context, tmp_path / "b.html", render_fleet(FLEET))
    table = fleet.page.locator("#table")
    heading = table.get_by_role("columnheader", name="Source")
    for order, first in (("ascending", "a.yml"), ("descending", "ready.yml")):
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == order
        assert table.locator("tbody tr").first.locator("summary").inner_text() == first
    fleet.page.get_by_label("Path, package or code").fill("hdf5")
    assert table.locator("tbody tr:visible").count() == 1
    table.locator("tbody tr:visible summary").click()
    assert table.get_by_text("hdf5 (line 1)").is_visible()
    assert seen.events + fleet.events == []


def test_copying_and_the_choice_of_colours(context: BrowserContext, tmp_path: Path) -> None:
    seen = Watched(context, tmp_path / "a.html", render([account(full_report(), SOURCE)]))
    page = seen.page
    page.get_by_role("button", name="Copy envcheck check").click()
    page.get_by_text("Copied", exact=True).first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("envcheck check requirements.txt --lock conda-lock.yml")

    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == light, "a choice outlives the system's"
    assert [one for one in seen.events if not one.startswith("request: file:")] == []


def test_the_keyboard_reaches_everything_and_can_skip(context: BrowserContext, tmp_path: Path) -> None:
    seen = Watched(context, tmp_path / "a.html", render([account(with_conflict(), SOURCE)]))
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + (document.activeElement.type ?? '')"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        # Playwright's own way to wait evaluates text in the page, which its policy forbids.
        # Where the link has led to has none, and now and then the browser takes no notice of the first key there.
        outlined = f"document.activeElement.matches('body, main') || {outline} !== 'none'"
        looks = 0
        while not page.evaluate(outlined):
            looks += 1
            assert looks < 100
            page.wait_for_timeout(20)
    assert reached >= {"BUTTONbutton", "INPUTcheckbox", "SELECTselect-one", "INPUTsearch", "SUMMARY", "A", "DIV"}
    assert seen.events == []


def test_hostile_text_stays_text(context: BrowserContext, tmp_path: Path) -> None:
    seen = Watched(context, tmp_path / "a.html", everywhere(" ".join(HOSTILE)))
    assert seen.page.locator("script, img, style").count() == 2
    assert "<script>alert(1)</script>" in seen.page.locator("h2").first.inner_text()
    assert seen.events == []


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_is_wider_than_the_window(context: BrowserContext, tmp_path: Path, width: int) -> None:
    long = replace(full_report().export, path="a/very/long/path/" * 8 + "environment.yml")
    pages = {
        "one": render([account(replace(with_conflict(), export=long), SOURCE + "x" * 900)]),
        "two": render([account(full_report(), SOURCE), account(replace(with_conflict(), export=long), None)]),
        "fleet": render_fleet([*FLEET, replace(FLEET[1], path="team/" * 40)]),
    }
    for name, text in pages.items():
        seen = Watched(context, tmp_path / f"{name}.html", text)
        seen.page.set_viewport_size({"width": width, "height": 780})
        seen.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        assert seen.overflow() == 0, name
        seen.page.close()


def test_without_script_everything_is_shown(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    seen = Watched(context, tmp_path / "a.html", render([account(with_conflict(), SOURCE)]))
    for words in (
        "Title of EC701",
        "it exists only for win-64",
        "numpy needs it",
        "What stands in the way of hdf5 1.0",
    ):
        assert seen.page.get_by_text(words).first.count() == 1
    assert seen.page.locator("form:visible, button:visible").count() == 0
    context.close()
