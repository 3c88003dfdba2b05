"""The report formats that every command has besides its own text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.reports.account import Account

__all__ = ["FORMATS", "render_accounts"]


FORMATS: Mapping[str, Callable[[Sequence[Account]], str]] = {}
"""Each format by its name on the command line; a function that imports its module when it is called."""


def render_accounts(format_name: str, accounts: Sequence[Account]) -> str:
    """The accounts in a format, with a final newline.

    Raises:
        KeyError: There is no such format.
    """
    return FORMATS[format_name](accounts)
