"""What commands of the command line share: options, and how words and data leave the program."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from envcheck.rules import Rule

__all__ = [
    "FAIL_ON",
    "FINDING_OPTIONS",
    "emit",
    "index_options",
    "page_style",
    "place_options",
    "refuse_unknown_codes",
    "say",
    "with_options",
]

_F = TypeVar("_F", bound=Callable[..., Any])

FAIL_ON = {"error": ("error",), "warning": ("error", "warning"), "never": ()}
"""The severities that each ``--fail-on`` lets a run end with status 1 for."""


def say(words: str) -> None:
    """Tell the user something on standard error; that nobody listens there any more changes nothing else."""
    with contextlib.suppress(OSError):
        click.echo(words, err=True)


FINDING_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--fail-on", type=click.Choice(list(FAIL_ON)), default="error", show_default=True),
    click.option("--select", multiple=True, metavar="CODE", help="Show only these findings (prefix); repeatable."),
    click.option("--ignore", multiple=True, metavar="CODE", help="Leave these findings out (prefix); repeatable."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but the report."),
)
"""What every command that tells findings takes; each adds its own ``--verbose``."""


def with_options(function: _F, options: Sequence[Callable[[_F], _F]]) -> _F:
    """A command with options, which its help shows in the order given."""
    for option in reversed(options):
        function = option(function)
    return function


def _milliseconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """A date as milliseconds since 1970."""
    if text is None:
        return None
    import datetime as dt

    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not an ISO 8601 date.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return round(moment.timestamp() * 1000)


def place_options(function: _F) -> _F:
    """The options that say where packages come from and what the target has."""
    return with_options(
        function,
        [
            click.option(
                "-c", "--channel", "channels", multiple=True, help="Put before the source's channels; repeatable."
            ),
            click.option("--override-channels", is_flag=True, help="Use only the channels given with -c."),
            click.option(
                "--engine", type=click.Choice(["auto", "libmamba", "rattler"]), default="auto", show_default=True
            ),
            click.option("--image", metavar="NAME", help="Base image whose C library and driver the target has."),
            click.option(
                "--virtual-package", "virtual_packages", multiple=True, metavar="NAME=VERSION", help="Repeatable."
            ),
            click.option("--offline", is_flag=True, help="Make no request; use what is cached and file:// channels."),
            click.option("--cache-dir", type=click.Path(file_okay=False), help="Where repodata is kept."),
            click.option(
                "--exclude-newer",
                metavar="DATE",
                callback=_milliseconds,
                help="Ignore packages newer than an ISO 8601 date.",
            ),
        ],
    )


def index_options(function: _F) -> _F:
    """The options about the Python package index."""
    return with_options(
        function,
        [
            click.option("--no-pip", is_flag=True, help="Do not ask the Python package index."),
            click.option("--index-url", metavar="URL", help="The Python package index."),
        ],
    )


def refuse_unknown_codes(prefixes: Sequence[str], rules: Sequence[Rule[Any]]) -> None:
    """A misspelled code in ``--select`` would hide every finding and look like success."""
    for prefix in prefixes:
        if not any(rule.code.startswith(prefix.upper()) for rule in rules):
            raise click.UsageError(f"No finding's code begins with {prefix!r}; 'envcheck rules' lists them.")


def emit(text: str, output: str | None, *, data: bool = False) -> None:
    """Write to a file, or to standard output: words in the terminal's encoding, data in UTF-8 whatever that is."""
    if output is not None:
        from envcheck.files import write_atomically

        write_atomically(output, text)
        return
    from envcheck.errors import OutputError

    try:
        click.echo(text.encode("utf-8", "backslashreplace") if data else text, nl=False)
    except BrokenPipeError:
        # The reader has seen enough (`envcheck ... | head`): no reason to complain, nor to change the status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise OutputError(
            f"Cannot write to standard output: {error.strerror or error}.", hint="Name a file with -o FILE."
        ) from error


def page_style(*, to_file: bool) -> tuple[int, bool]:
    """The columns to wrap a text at, and whether to colour it: a terminal's own, and plain elsewhere."""
    if to_file or sys.stdout is None or not sys.stdout.isatty():
        return 80, False
    import shutil

    return min(max(shutil.get_terminal_size().columns, 60), 160), "NO_COLOR" not in os.environ
