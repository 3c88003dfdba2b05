"""What contributors are told is true: targets, paths, the map of the house, and fragments of the changelog."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from envcheck.rules import RULES
from envcheck.sources import DIALECTS

ROOT = Path(__file__).parents[1]
MAP = ROOT / "docs" / "contributing" / "architecture.md"
PAGES = [
    ROOT / "CONTRIBUTING.md",
    MAP,
    ROOT / "docs" / "contributing" / "adding.md",
    ROOT / "changelog.d" / "README.md",
]
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
FRAGMENTS = sorted(path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md")
FRAGMENT = re.compile(r"(?:\+[a-z0-9]+(?:-[a-z0-9]+)*|[0-9]+)\.(?:added|changed|deprecated|removed|fixed|security)\.md")
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "envcheck").rglob("*.py"))


def paths_in(page: Path) -> list[str]:
    """The paths of the repository that a page names in code, patterns among them."""
    places = ("envcheck/", "tests/", "fixtures/", "docs/", "changelog.d/", ".ci/")
    return [code for code in CODE.findall(page.read_text("utf-8")) if code.startswith(places)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links_lead_somewhere(page: Path) -> None:
    missing = [path for path in paths_in(page) if not any(ROOT.glob(path.rstrip("/")))]
    missing += [
        link
        for link in LINK.findall(page.read_text("utf-8"))
        if "://" not in link
        and "/reference/" not in link
        and link != "modules.md"
        and not (page.parent / link).exists()
    ]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_of_make_are_there(page: Path) -> None:
    named = {code.split()[1] for code in CODE.findall(page.read_text("utf-8")) if code.startswith("make ")}

    assert named - TARGETS == set()
    if page.name == "CONTRIBUTING.md":
        assert TARGETS - named == {"help"}, "CONTRIBUTING.md names every target"


def test_every_module_is_on_the_map() -> None:
    table = MAP.read_text("utf-8").partition("## The map of the house")[2].partition("\n## ")[0]
    named = [code for code in CODE.findall(table) if code.startswith("envcheck/")]

    def on_the_map(module: str) -> bool:
        return any(module.startswith(one) if one.endswith("/") else fnmatch(module, one) for one in named)

    aside = {"envcheck/__main__.py"}  # calls cli.py and holds nothing
    assert [module for module in MODULES if module not in aside and not on_the_map(module)] == []


def test_the_places_to_register_at_are_called_as_the_page_says() -> None:
    page = (ROOT / "docs" / "contributing" / "adding.md").read_text("utf-8")
    templates = {path.name for path in (ROOT / "tests" / "templates").glob("test_adding_*.py")}

    assert set(re.findall(r"tests/templates/(test_adding_\w+\.py)", page)) == templates
    assert isinstance(DIALECTS, tuple)
    assert isinstance(RULES, tuple)
    for name, module in re.findall(r"\| `([A-Z]+)` in `(envcheck/[\w/]+\.py)`", page):
        assert re.search(rf"^{name}\b.*=", (ROOT / module).read_text("utf-8"), re.MULTILINE), (name, module)


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_fragments_are_well_formed(path: Path) -> None:
    text = path.read_text("utf-8")

    assert FRAGMENT.fullmatch(path.name), "as 12.fixed.md or +a-few-words.added.md"
    assert text.endswith(".\n"), "whole sentences"
    assert text == text.strip() + "\n"
    assert not text.startswith(("-", "*", "#")), "the heading and the dash are put there by make changelog"


def test_a_release_tells_every_fragment(tmp_path: Path) -> None:
    towncrier = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--date", "2030-01-01"]
    answer = subprocess.run(towncrier, cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.lstrip().startswith("## 9.9.9 - 2030-01-01\n")
    told = " ".join(answer.stdout.split())
    assert [path.name for path in FRAGMENTS if " ".join(path.read_text("utf-8").split()) not in told] == []
    assert (ROOT / "CHANGELOG.md").read_text("utf-8").count("<!-- new releases are written below -->\n") == 1
