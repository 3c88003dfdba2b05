"""Template: a new kind of source. Copy the steps; `docs/contributing/adding.md` explains them."""

from __future__ import annotations

import json

from envcheck.audit_candidates import _JUDGES
from envcheck.model import SourceKind
from envcheck.sources import DIALECTS
from tests.templates.workshop import ROOT, Workshop

# 1. The reader, envcheck/sources/history.py: what it is known by, and what it says. Every entry goes through one of the
#    readers of specifications, which know what may be wrong with one, and keeps its line.
MODULE = '''
"""``conda-meta/history``: what conda was asked for, in its own diary of an environment."""

from __future__ import annotations

import re

from envcheck.model import SourceKind
from envcheck.sources.conda_specs import read_spec
from envcheck.sources.document import Document
from envcheck.sources.reading import Reading, reading_of

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.HISTORY

_REVISION = re.compile(r"==> \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d <==")
_SPECS = re.compile(r"# (?:update|install) specs: \\[(?P<specs>.*)\\]")
_SPEC = re.compile(r"'(?P<spec>[^']+)'")


def matches(document: Document) -> bool:
    """Whether a line is the head of a revision, which no other kind has."""
    return any(_REVISION.fullmatch(line) for _, line in document.numbered())


def read(document: Document) -> Reading:
    """Read what was asked for; what was linked in between is conda's own answer."""
    entries = [
        read_spec(spec["spec"], line=number)
        for number, line in document.numbered()
        if (told := _SPECS.fullmatch(line)) is not None
        for spec in _SPEC.finditer(told["specs"])
    ]
    return reading_of(entries)
'''

HISTORY = """\
==> 2024-03-01 10:00:00 <==
# cmd: conda create -n work python=3.10 numpy
+conda-forge/win-64::python-3.10.13-h4de0772_0_cpython
# update specs: ['python=3.10', 'numpy']
==> 2024-03-02 10:00:00 <==
# update specs: ['no-such-package-anywhere']
"""


def register(workshop: Workshop) -> None:
    workshop.add("envcheck/sources/history.py", MODULE)
    # 2. The kind: a word of the JSON report, so it stays.
    workshop.insert("envcheck/model/source.py", after='PIXI_LOCK = "pixi-lock"', line='HISTORY = "history"')
    workshop.insert("envcheck/reports/schema_1.json", after='"list-export",', line='"history",')
    # 3. The table of dialects, in the order of asking: an unmistakable mark comes early.
    workshop.insert("envcheck/sources/__init__.py", after="explicit,", line="history,")
    workshop.insert(
        "envcheck/sources/__init__.py",
        after="Dialect(kind=explicit.KIND, matches=explicit.matches, read=explicit.read),",
        line="Dialect(kind=history.KIND, matches=history.matches, read=history.read),",
    )
    # 4. What an audit that looks through folders takes for one.
    workshop.insert(
        "envcheck/audit_candidates.py",
        after="SourceKind.EXPLICIT: _is_explicit,",
        line="SourceKind.HISTORY: _is_explicit,",
    )


def test_a_new_kind_of_source_takes_part(workshop: Workshop) -> None:
    workshop.write("history", HISTORY)
    assert "no export of a known kind" in workshop.run("check", "history").errors

    register(workshop)

    run = workshop.run("check", "history", "-c", "conda-forge", "--format", "json")
    report = run.report()
    assert report["source"]["kind"] == "history"
    found = {(finding["subject"], finding["location"]["line"]) for finding in report["findings"]}
    assert ("no-such-package-anywhere", 6) in found
    assert workshop.run("check", "history", "-c", "conda-forge").status == 1
    normalized = workshop.run("normalize", "history").output
    assert "- python=3.10" in normalized
    assert "- numpy" in normalized


def test_every_kind_is_registered_everywhere() -> None:
    kinds = {kind.value for kind in SourceKind}
    schema = json.loads((ROOT / "envcheck" / "reports" / "schema_1.json").read_text("utf-8"))

    assert {dialect.kind.value for dialect in DIALECTS} == kinds
    assert {kind.value for kind in _JUDGES} == kinds
    assert set(schema["$defs"]["source"]["properties"]["kind"]["enum"]) == kinds
