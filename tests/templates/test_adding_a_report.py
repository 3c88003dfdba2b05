"""Template: a new report format. Copy the steps; `docs/contributing/adding.md` explains them."""

from __future__ import annotations

from envcheck.reports.formats import FORMATS
from tests.templates.workshop import Workshop

# 1. The format, envcheck/reports/table_tsv.py: a pure function of accounts, which every command makes of what it found.
#    Whatever comes from the input goes through `shown`: it masks credentials and takes control characters out.
MODULE = '''
"""Tab-separated values: a row for each finding, for spreadsheets and ``cut``."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.reports.account import Account
from envcheck.reports.groups import shown

__all__ = ["render"]

_HEAD = ("file", "platform", "line", "severity", "code", "subject", "message")


def render(accounts: Sequence[Account]) -> str:
    """The findings of every account, with a final newline."""
    rows = [_HEAD]
    for account in accounts:
        for one in account.findings:
            line = "" if one.line is None else str(one.line)
            place = (account.path, account.platform or "", line)
            rows.append((*place, one.severity.value, one.code, one.subject, one.message))
    return "".join("\\t".join(shown(cell).replace("\\t", " ") for cell in row) + "\\n" for row in rows)
'''

# 2. Its line in the table of formats: a function that imports the module when it is called, so that help stays quick.
FUNCTION = """\
def _tsv(accounts: Sequence[Account]) -> str:
    from envcheck.reports import table_tsv

    return table_tsv.render(accounts)
"""


def register(workshop: Workshop) -> None:
    workshop.add("envcheck/reports/table_tsv.py", MODULE)
    workshop.insert_above("envcheck/reports/formats.py", before="FORMATS: ", text=FUNCTION)
    workshop.insert("envcheck/reports/formats.py", after='"html": _html,', line='"tsv": _tsv,')


def test_a_new_report_format_takes_part(workshop: Workshop) -> None:
    workshop.write("broken.yml", "channels: [conda-forge]\ndependencies: [python=3.10, no-such-thing]\n")
    workshop.write("Dockerfile", "FROM ubuntu\nRUN conda install -y numpy\n")
    assert workshop.run("check", "broken.yml", "--format", "tsv").status == 2
    register(workshop)

    run = workshop.run("check", "broken.yml", "--format", "tsv", "--also", "tsv=beside.tsv")

    head, *rows = (row.split("\t") for row in run.output.splitlines())
    assert run.status == 1
    assert head[:2] == ["file", "platform"]
    assert {len(row) for row in rows} == {7}
    assert ["broken.yml", "linux-64", "2", "error"] in [row[:4] for row in rows if row[5] == "no-such-thing"]
    assert workshop.read("beside.tsv") == run.output
    # Every command that has accounts has it.
    assert "\nDockerfile\t\t2\terror\t" in workshop.run("docker", "Dockerfile", "--format", "tsv").output


def test_every_format_says_something_of_nothing() -> None:
    assert [name for name, render in FORMATS.items() if not isinstance(render([]), str)] == []
