"""Accounts made by hand: ordinary ones, and one with a hostile text in every place that can hold one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from envcheck.model import Severity
from envcheck.reports.account import Account
from envcheck.reports.text import account
from tests.unit.reports.making import finding, full_report, report_about

__all__ = ["ANY_TEXT", "HOSTILE", "account_about", "bare_account", "full_account"]

SOURCE = "python=3.10\nhdf5=1.0\npywin32=306\nmeteva=1.0\nattrs==23.1.0\n"

HOSTILE = {
    "bar": "num|py",
    "escaped bar": "num\\|py",
    "backticks": "``num`py``",
    "mention": "@octocat and (@octo/team)",
    "reference": "#123 GH-123 owner/repo#1 0123456789abcdef0123456789abcdef01234567",
    "link": "[click](https://evil.example.org)",
    "reference link": "[click][1]",
    "image": "![x](https://evil.example.org/x.png)",
    "bare link": "https://evil.example.org/x www.evil.example.org me@evil.example.org",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "end of fold": "</details></summary>",
    "comment": "<!-- envcheck report --> -->",
    "heading": "# numpy",
    "list": "- numpy",
    "number": "1. numpy",
    "fence": "``` numpy ```",
    "emoji": ":smile: numpy",
    "emphasis": "**numpy** _x_ ~~y~~ $z$",
    "entity": "&lt;numpy&#64;octocat",
    "workflow command": "::error file=x::numpy",
    "old workflow command": "x ##[error]numpy ##[add-mask]numpy",
    "escapes": "100%25 numpy%0A::error::x",
    "property": "a,line=1:b",
    "new line": "numpy\n::stop-commands::x\n",
    "terminal": "numpy\x1b[2J\x07\x00",
    "direction": "\u202egnp.exe\u2066",
    "no character": "num\ufffepy\uffff\udcff\ud800",
    "CDATA": "]]><x>",
    "placeholder": "{0} numpy {name}",
    "secret": "https://lee:hunter2@conda.example.org/t/tk-hunter2-1234/x",
    "empty": "",
    "blank": "  ",
    "path": "../../etc/passwd\\x:y%2e#?",
    "long": "n" * 100_000,
}

ANY_TEXT = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text("|`\\@#[](){}<>!*_~-+.:/&;%,= \n\r\tanx019", max_size=60),
    st.sampled_from([text for text in HOSTILE.values() if len(text) < 1_000]),
)


def full_account() -> Account:
    """A fixable export with findings of every severity and a plan."""
    return account(full_report(), SOURCE)


def bare_account(path: str, *subjects: str, verdict: str = "unsound", **changes: object) -> Account:
    """An account without a report, with an error about every subject."""
    made = Account(
        path=path,
        kind="conda-lock",
        platform="linux-64",
        verdict=verdict,
        sentence="the lock does not hold",
        findings=tuple(
            finding("EC715", Severity.ERROR, subject, f"{subject} is gone", line=number)
            for number, subject in enumerate(subjects, start=1)
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def account_about(text: str) -> Account:
    """The full account with a text of the source's author in every place that can hold one."""
    return replace(account(report_about(text), f"{text}\n{text}"), sentence=text, kind=text, origin=(text, 3))
