"""The report formats that every command has besides its own text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.reports.account import Account

__all__ = ["FORMATS", "render_accounts"]


def _markdown(accounts: Sequence[Account]) -> str:
    from envcheck.reports import markdown

    return markdown.render(accounts)


def _sarif(accounts: Sequence[Account]) -> str:
    from envcheck.reports import sarif

    return sarif.render(accounts)


def _github(accounts: Sequence[Account]) -> str:
    from envcheck.reports import github

    return github.render(accounts)


def _junit(accounts: Sequence[Account]) -> str:
    from envcheck.reports import junit

    return junit.render(accounts)


def _html(accounts: Sequence[Account]) -> str:
    from envcheck.reports import html_report

    return html_report.render(accounts)


FORMATS: Mapping[str, Callable[[Sequence[Account]], str]] = {
    "markdown": _markdown,
    "sarif": _sarif,
    "github": _github,
    "junit": _junit,
    "html": _html,
}
"""Each format by its name on the command line; a function that imports its module when it is called."""


def render_accounts(format_name: str, accounts: Sequence[Account]) -> str:
    """The accounts in a format, with a final newline.

    Raises:
        KeyError: There is no such format.
    """
    return FORMATS[format_name](accounts)
