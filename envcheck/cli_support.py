"""What commands of the command line share: options, and how words and data leave the program."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from envcheck.completion import codes, platforms
from envcheck.errors import ConfigurationError, EnvcheckError, OutputError, SourceError
from envcheck.language import ENGLISH, in_language, language, speaking, tell, told
from envcheck.reports.formats import FORMATS, render_accounts

if TYPE_CHECKING:
    from envcheck.fleet import Cause
    from envcheck.model import Finding
    from envcheck.reports.account import Account
    from envcheck.rules import Rule

__all__ = [
    "ALSO_OPTIONS",
    "BASELINE_OPTIONS",
    "FINDING_OPTIONS",
    "PLAN_OPTIONS",
    "REPORT_OPTIONS",
    "decoded",
    "emit",
    "given",
    "index_options",
    "index_url_option",
    "of_session",
    "one_platform_option",
    "place_options",
    "platform_option",
    "refuse_unknown_codes",
    "say",
    "show",
    "status",
    "with_options",
]

_F = TypeVar("_F", bound=Callable[..., Any])

# The severities that each ``--fail-on`` lets a run end with status 1 for.
_FAIL_ON = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


class _Words(Protocol):
    """A report as text for people."""

    def __call__(self, *, width: int, colour: bool, verbose: bool) -> str: ...


def say(words: str) -> None:
    """Tell the user something on standard error; that nobody listens there any more changes nothing else."""
    with contextlib.suppress(OSError):
        click.echo(words, err=True)


FINDING_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--fail-on",
        type=click.Choice(list(_FAIL_ON)),
        default="error",
        show_default=True,
        help="From which severity on findings make the exit status 1.",
    ),
    click.option(
        "--select",
        multiple=True,
        metavar="CODE",
        shell_complete=codes,
        help="Show only these findings (prefix); repeatable.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="CODE",
        shell_complete=codes,
        help="Leave these findings out (prefix); repeatable.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but the report."),
)
"""What every command that tells findings takes; each adds its own ``--verbose``."""

_ALSO = "envcheck.also"

FOR_MACHINES = frozenset({"json", "jsonl", "sarif", "junit"})
"""Formats that other programs read: they are English whatever language is spoken."""


def _also(context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> None:
    """Keep what ``--also`` asks for where `show` finds it."""
    wanted = []
    for value in values:
        format_name, equals, path = value.partition("=")
        if format_name not in ("text", "json", *FORMATS) or not equals or not path:
            raise click.BadParameter(
                tell(
                    "{value!r} is not FORMAT=FILE with one of {formats}.",
                    value=value,
                    formats=", ".join(("text", "json", *FORMATS)),
                )
            )
        wanted.append((format_name, path))
    context.meta[_ALSO] = tuple(wanted)


ALSO_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--also",
        multiple=True,
        metavar="FORMAT=FILE",
        expose_value=False,
        callback=_also,
        help="Write the report into this file, too, in this format; repeatable.",
    ),
)
"""What every command takes that shows its report by `show`: other forms of it, from the same run."""

REPORT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--format",
        "format_name",
        type=click.Choice(["text", "json", *FORMATS]),
        default="text",
        show_default=True,
        help="How the report is written.",
    ),
    click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file."),
)
"""How a report is written, and where."""


BASELINE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--baseline",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Findings that this file accepts do not count and are only told in a number (-v shows them).",
    ),
    click.option(
        "--update-baseline",
        is_flag=True,
        help="Accept what is found: write it into the file of --baseline, and take out what is gone.",
    ),
)
"""What every command takes that can leave accepted findings out."""


def with_options(function: _F, options: Sequence[Callable[[_F], _F]]) -> _F:
    """A command with options, which its help shows in the order given."""
    for option in reversed(options):
        function = option(function)
    return function


def platform_option(*, help: str) -> Callable[[_F], _F]:  # noqa: A002 - the name by which texts are collected
    """``-p``, which may be repeated; what it is for differs from command to command."""
    return click.option(
        "-p", "--platform", "platforms", multiple=True, metavar="SUBDIR", shell_complete=platforms, help=help
    )


one_platform_option = click.option(
    "-p",
    "--platform",
    default="linux-64",
    show_default=True,
    metavar="SUBDIR",
    shell_complete=platforms,
    help="Target.",
)
"""``-p`` of commands that answer for one target."""


def _milliseconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """A date as milliseconds since 1970."""
    if text is None:
        return None
    import datetime as dt

    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise click.BadParameter(tell("{text!r} is not an ISO 8601 date.", text=text)) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return round(moment.timestamp() * 1000)


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """A time to wait; a day is more than any search takes, and what timers can still count."""
    if not 0 < value <= 24 * 60 * 60:  # nan is neither
        raise click.BadParameter(
            tell("{value} is not a number of seconds between 0 and 86400.", value=format(value, "g"))
        )
    return value


def _index_address(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """A URL that a package index can have."""
    if text is None:
        return None
    from envcheck.surroundings import refuse_index_url

    try:
        refuse_index_url(text)
    except ConfigurationError as error:
        raise click.BadParameter(told(error.message)) from None
    return text


index_url_option = click.option("--index-url", metavar="URL", callback=_index_address, help="The Python package index.")
"""``--index-url``, for every command that may ask the index."""

PLAN_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--pins",
        type=click.Choice(["preserve", "exact", "minor", "none"]),
        default="preserve",
        show_default=True,
        help="Which versions may change: preserve, as few as can be; exact, none; minor, patch versions; none, any.",
    ),
    click.option("--keep-variants", is_flag=True, help="Keep cuda/mkl/cpu builds as constraints."),
    click.option(
        "--trust-source-indexes",
        is_flag=True,
        help="Ask the Python package indexes that a source's pip section names, too.",
    ),
    click.option(
        "--effort",
        type=float,
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        callback=_seconds,
        help="How long the search for the closest environment may take; "
        "when the time is up, the plan is the best one proven by then.",
    ),
)
"""How the closest environment is looked for."""


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
                "--engine",
                type=click.Choice(["auto", "libmamba", "rattler"]),
                default="auto",
                show_default=True,
                help="The solver; auto is libmamba where it is installed.",
            ),
            click.option("--image", metavar="NAME", help="Base image whose C library and driver the target has."),
            click.option(
                "--virtual-package",
                "virtual_packages",
                multiple=True,
                metavar="NAME=VERSION",
                help="What the target has besides, such as __cuda=12.4; repeatable.",
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
            index_url_option,
        ],
    )


def of_session(options: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's options that `Session` takes, as they are the same for everything that it asks.

    They are taken out of ``options``.
    """
    names = ("engine", "cross_check", "index_url", "offline", "cache_dir", "exclude_newer")
    return {name: options.pop(name) for name in names if name in options}


def given(parameter: str) -> bool:
    """Whether the running command has a parameter's value from the command line, and not as anybody's default."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.COMMANDLINE


def refuse_unknown_codes(prefixes: Sequence[str], rules: Sequence[Rule[Any]]) -> None:
    """A misspelled code in ``--select`` would hide every finding and look like success."""
    # Those of a settings file were looked at there, and may be another command's.
    elsewhere = () if given("ignore") else click.get_current_context().params.get("ignore", ())
    for prefix in prefixes:
        if prefix not in elsewhere and not any(rule.code.startswith(prefix.upper()) for rule in rules):
            raise click.UsageError(
                tell("No finding's code begins with {prefix!r}; 'envcheck rules' lists them.", prefix=prefix)
            )


def emit(text: str, output: str | None, *, data: bool = False) -> None:
    """Write to a file, or to standard output: words in the terminal's encoding, data in UTF-8 whatever that is."""
    if output is not None:
        from envcheck.files import write_atomically

        write_atomically(output, text)
        return
    try:
        click.echo(text.encode("utf-8", "backslashreplace") if data else text, nl=False)
    except OSError as error:
        # The reader has seen enough (`envcheck ... | head`): no reason to complain, nor to change the status. Windows
        # says so in other words.
        if isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        raise OutputError(
            tell("Cannot write to standard output: {reason}.", reason=error.strerror or str(error)),
            hint=tell("Name a file with -o FILE."),
        ) from error


def show(
    format_name: str,
    output: str | None,
    *,
    verbose: int,
    text: _Words,
    json: Callable[[], str],
    accounts: Callable[[], Sequence[Account]],
) -> None:
    """Write a report in the format asked for, to a file or to standard output; first, what ``--also`` asks for.

    Args:
        format_name: ``--format``.
        output: ``--output``.
        verbose: How often ``--verbose`` was given.
        text: The command's text.
        json: The command's JSON.
        accounts: What the command tells of each file, for every other format.
    """
    wanted = click.get_current_context().meta.get(_ALSO, ())
    for name, path in (*wanted, (format_name, output)):
        if name == "text":
            width, colour = _page_style(to_file=path is not None)
            emit(text(width=width, colour=colour, verbose=verbose > 0), path)
            continue
        with speaking(ENGLISH if name in FOR_MACHINES else language()):
            page = json() if name == "json" else render_accounts(name, in_language(tuple(accounts())))
        emit(page, path, data=True)


def status(findings: Iterable[Finding | Cause], *, complete: bool, fail_on: str) -> int:
    """0, 1 where a finding is at or above the threshold, 3 where not everybody answered who was asked."""
    if not complete:
        return EnvcheckError.exit_status
    return int(any(finding.severity.value in _FAIL_ON[fail_on] for finding in findings))


def decoded(data: bytes) -> str | None:
    """The text of a file, as the lines of findings count it; ``None`` where it is none."""
    from envcheck.sources.encoding import decode

    try:
        return decode(data, "").text
    except SourceError:
        return None


def _page_style(*, to_file: bool) -> tuple[int, bool]:
    """The columns to wrap a text at, and whether to colour it: a terminal's own, and plain elsewhere."""
    if to_file or sys.stdout is None or not sys.stdout.isatty():
        return 80, False
    import shutil

    return min(max(shutil.get_terminal_size().columns, 60), 160), "NO_COLOR" not in os.environ
