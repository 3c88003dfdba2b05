"""Reports of real exports in every format: valid by the published schemas, bounded, and quick to make.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/`` and ``channels/``. Its files are spoken of by the start of
their content's SHA-256 alone.
"""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from envcheck.model import Report
from envcheck.reports import report_json
from envcheck.reports.formats import render_accounts
from envcheck.reports.markdown import MOST_BYTES
from envcheck.reports.text import account
from tests.cli.running import CommandLine, condarc_text
from tests.shared.test_corpus_checks import EXPORTS, WINDOWS, checked
from tests.unit.reports.test_github import understood
from tests.unit.reports.test_json_schema import valid
from tests.unit.reports.test_sarif import run_of

pytestmark = pytest.mark.shared

SAMPLE = WINDOWS[::6]


@pytest.fixture(scope="module", params=SAMPLE)
def report(request: pytest.FixtureRequest, real_channels: Path) -> Report:
    return checked(EXPORTS[request.param], real_channels)


def test_the_json_report_is_valid(report: Report) -> None:
    valid(json.loads(report_json.render(report)), "check")


def test_every_format_holds_it(report: Report) -> None:
    accounts = [account(report, None)]
    started = time.monotonic()
    texts = {name: render_accounts(name, accounts) for name in ("sarif", "markdown", "github", "junit")}
    assert time.monotonic() - started < 10
    assert len(run_of(texts["sarif"])["results"]) == len(report.findings)
    assert len(texts["markdown"].encode()) <= MOST_BYTES
    assert sum(1 for one in understood(texts["github"]) if one.name == "error") <= 10
    root = ET.fromstring(texts["junit"].encode())  # noqa: S314 - our own output
    assert int(root.get("tests", "0")) >= len({one.name for one in report.export.requirements})


def test_the_command_line_writes_them(shared_directory: Path, real_channels: Path, tmp_path: Path) -> None:
    directory = tmp_path / "work"
    directory.mkdir()
    locations = {name: (real_channels / name).as_uri() for name in ("conda-forge", "pkgs/main", "pkgs/r")}
    program = CommandLine(directory, condarc_text(locations), (tmp_path / "no-index").as_uri())
    program.write("export.txt", EXPORTS[SAMPLE[0]].read_bytes())
    run = program("check", "export.txt", "--format", "json", "--engine", "rattler", "--no-pip", "-q")
    valid(run.report(), "check")
