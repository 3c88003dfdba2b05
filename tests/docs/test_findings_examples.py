"""Each finding of the reference is shown as a run prints it: made here, kept beside the hook that makes the page.

``pytest tests/docs --snapshot-update`` writes what is seen into ``docs/hooks/findings.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.model import Finding
from envcheck.reports.text import FindingsWriter
from envcheck.rules import RULES
from envcheck.rules.about_dockerfiles import DOCKER_RULES
from envcheck.rules.about_locks import LOCK_RULES
from envcheck.rules.documented import DOCUMENTED_RULES
from tests.docs.pages import DOCS, generated_pages
from tests.support.channels import record
from tests.support.dockerfiles import build
from tests.support.locks import Verifier
from tests.unit import test_verify
from tests.unit.rules import cases, test_docker

KEPT = DOCS / "hooks" / "findings.json"

WITHOUT = frozenset({"EC823"})
"""Rules whose example takes more than a small file: a solved environment with CUDA in an image."""

MOST_LINES = 14
"""How long a file may be that is shown before what is found in it."""


class Shown(FindingsWriter):
    """Findings of one code, as every text report has them."""

    def of(self, findings: Sequence[Finding]) -> str:
        self._group(list(findings))
        return self.text().strip("\n")


def example(code: str, findings: Sequence[Finding], source: str | bytes, name: str, folder: Path) -> dict[str, str]:
    found = [finding for finding in findings if finding.code == code]
    assert found, code
    output = Shown(width=80, colour=False, verbose=False).of(found)
    text = source.rstrip("\n") if isinstance(source, str) else ""
    shown = text if text.count("\n") < MOST_LINES and text.replace("\n", "").isprintable() else ""
    # Where the channels of the example lie.
    return {"name": name, "source": shown, "output": re.sub(rf"{re.escape(str(folder))}[/\w]*", "/srv", output)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, package_index_directory: Path) -> dict[str, dict[str, str]]:
    """The example of every rule that has one."""
    folder = tmp_path_factory.mktemp("examples")
    bench = cases.Bench(folder / "bench", package_index_directory.as_uri())
    found = {}
    for rule in RULES:
        case = cases.FIRES[rule.code]
        found[rule.code] = example(rule.code, bench.check(case).findings, case.source, case.name, folder)
    for rule in LOCK_RULES:
        text, reports = locks(rule.code, folder / rule.code)
        findings = [one for report in reports for one in report]
        name = "conda-linux-64.lock" if "@EXPLICIT" in text else "conda-lock.yml"
        found[rule.code] = example(rule.code, findings, text, name, folder)
    for rule in DOCKER_RULES:
        if rule.code not in WITHOUT:
            text = next(row[1] for row in test_docker.FIRES if row[0] == rule.code)
            (folder / rule.code).mkdir()
            findings = build(folder / rule.code, text, test_docker.FILES).findings
            found[rule.code] = example(rule.code, findings, text, "Dockerfile", folder)
    return dict(sorted(found.items()))


def locks(code: str, folder: Path) -> tuple[str, list[tuple[Finding, ...]]]:
    folder.mkdir()
    text, options = test_verify.FIRES[code]
    options = dict(options)
    newer = [record("libz", "1.3", "h2_1", 1), record("libz", "1.4", "h2_0"), record("libz", "1.2", "h2_9", 9)]
    asked = Verifier(folder, {"linux-64": newer}) if options.pop("newer", None) else Verifier(folder)
    if options.pop("configuration", None):
        asked.configuration = replace(asked.configuration, mirrored_channels=(("lab", ("http://127.0.0.1:9/lab",)),))
    return text, [report.findings for report in asked(text, **options)]


def test_every_rule_has_the_example_that_is_kept(
    made: dict[str, dict[str, str]], request: pytest.FixtureRequest
) -> None:
    assert set(made) == {rule.code for rule in DOCUMENTED_RULES} - WITHOUT
    if request.config.option.update_snapshots:
        KEPT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    assert json.loads(KEPT.read_text("utf-8")) == made


def test_examples_hold_nothing_of_the_machine_that_made_them() -> None:
    outputs = [kept["output"] for kept in json.loads(KEPT.read_text("utf-8")).values()]
    assert not re.search(r"\btmp\b|pytest|/home|/root|hunter2|secret/", "\n".join(outputs))


def test_the_page_shows_each_of_them() -> None:
    page = generated_pages()["reference/findings.md"]
    for code, kept in json.loads(KEPT.read_text("utf-8")).items():
        section = page.split(f"{{ #{code.lower()} }}")[1].split("\n##")[0]
        assert f"```text\n{kept['output']}\n```" in section
    for code in WITHOUT:
        section = page.split(f"{{ #{code.lower()} }}")[1].split("\n##")[0]
        assert "There is no example" in section
