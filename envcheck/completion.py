"""What shells offer for values that click knows nothing of: platforms, codes of findings, files.

click has the rest of it: the scripts for bash, zsh and fish, commands, options and choices
(https://click.palletsprojects.com/en/stable/shell-completion/). Each function is given to a parameter as its
``shell_complete`` and is called when somebody presses the key, so what it needs is imported then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["codes", "files", "platforms"]


def platforms(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The platforms that can be targets."""
    from click.shell_completion import CompletionItem

    from envcheck.virtual_packages import PLATFORMS

    return [CompletionItem(name) for name in PLATFORMS if name.startswith(incomplete)]


def codes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The codes of findings, in either case, with their titles."""
    from click.shell_completion import CompletionItem

    from envcheck.language import translation
    from envcheck.rules.documented import DOCUMENTED_RULES

    return [
        # bash goes on only with what begins as it was typed.
        CompletionItem(incomplete + rule.code[len(incomplete) :], help=translation(rule.title))
        for rule in DOCUMENTED_RULES
        if rule.code.startswith(incomplete.upper())
    ]


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, which the shell finds by itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]
