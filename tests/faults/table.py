"""The table of observed faults: kept as JSON beside the tests, and as a page of the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from filelock import FileLock

from tests.faults.faults import FAULTS
from tests.faults.stage import Observed

__all__ = ["OBSERVED", "PAGE", "compare", "page_text", "read"]

OBSERVED = Path(__file__).with_name("observed.json")
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "channel-faults.md"

NAMES = {"rattler": "rattler", "stored": "rattler with its record store", "libmamba": "libmamba"}
_BEGIN, _END = "<!-- table: begin -->\n", "<!-- table: end -->\n"

_Rows = Mapping[str, Mapping[str, Mapping[str, str | int]]]


def read() -> dict[str, dict[str, dict[str, str | int]]]:
    """What was observed: by fault and way."""
    found: dict[str, dict[str, dict[str, str | int]]] = (
        json.loads(OBSERVED.read_text(encoding="utf-8")) if OBSERVED.is_file() else {}
    )
    return found


def compare(config: pytest.Config, name: str, way: str, observed: Observed) -> None:
    """Hold an observation against the kept one; with ``--snapshot-update`` keep it."""
    if not config.getoption("update_snapshots"):
        assert read().get(name, {}).get(way) == asdict(observed)
        return
    with FileLock(f"{OBSERVED}.lock"):
        known = read()
        known.setdefault(name, {})[way] = asdict(observed)
        ordered = {
            fault: {one: known[fault][one] for one in NAMES if one in known[fault]}
            for fault in FAULTS
            if fault in known
        }
        OBSERVED.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(page_text(ordered), encoding="utf-8")


def page_text(rows: _Rows) -> str:
    """The page with these rows in its table."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    return before + _BEGIN + _table(rows) + _END + rest.partition(_END)[2]


def _table(rows: _Rows) -> str:
    lines = ["| The channel | Engine | What is said of it | Exit status | What stays in the cache | The next run |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, ways in rows.items():
        alike: dict[str, list[str]] = {}
        for way, row in ways.items():
            cells = [str(row[key]).replace("|", "\\|") for key in ("said", "status", "kept", "next_run")]
            alike.setdefault(" | ".join(cells), []).append(NAMES[way])
        for cells_text, engines in alike.items():
            which = "both" if len(alike) == 1 and len(engines) == len(NAMES) else ", ".join(engines)
            lines.append(f"| {FAULTS[name].title} | {which} | {cells_text} |")
    return "\n".join(lines) + "\n"
