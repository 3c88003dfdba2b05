"""The command line: click commands become one `Request` each. Only here is anything printed, caught or exited."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn, TextIO

import click

from envcheck import __version__
from envcheck.cli_commands import LazyCommands, LazyGroup
from envcheck.cli_language import language_option
from envcheck.cli_settings import use_settings
from envcheck.errors import EnvcheckError
from envcheck.language import tell

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line and end with its status (0, 1, 2, 3; 128 and its number after a signal)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a closed one
            # A terminal that cannot show a character must not stop the report.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # A signal that the parent has set to be ignored stays so (nohup).
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    _leave(_run())


def _have_a_home() -> None:
    """Give a user without a home one for temporary files: libraries ask for it, some when they are imported."""
    # os.path leaves the tilde where there is neither a variable nor an entry in the password database.
    if os.path.expanduser("~") == "~":  # noqa: PTH111  # pathlib is one of those that raise, and no start needs it
        from envcheck.caches import writable_instead_of

        os.environ["HOME"] = str(writable_instead_of(None))


def _stop(number: int, _: object) -> NoReturn:
    """Turn a signal into an exception, so that whatever is half-done is cleaned up on the way out."""
    # Destructors of what was only half made have nothing to say that anybody should read.
    sys.unraisablehook = lambda _: None
    # A second one finds it on its way out.
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _run() -> int:
    """The command line's status; everything that may be raised ends here."""
    try:
        _have_a_home()
        status = cli(standalone_mode=False, prog_name="envcheck")
    except click.ClickException as error:
        from envcheck.cli_next import words_of_usage

        _say(words_of_usage(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(tell("envcheck: interrupted; nothing was left half-written"))
        return 130
    except EnvcheckError as error:
        _complain(error)
        return error.exit_status
    except OSError as error:
        # A full disk most of all, where only temporary files are written: what the user named has errors of its own.
        reason = error.strerror or type(error).__name__
        where = f"{reason}: {error.filename}" if error.filename else reason
        _complain(EnvcheckError(tell("the system refuses ({reason})", reason=where)))
        return EnvcheckError.exit_status
    except SystemExit as leaving:
        # Raised by `_stop`, and by click where a pipe was closed.
        if isinstance(leaving.code, int) and leaving.code > 128:
            _say(tell("envcheck: stopped by a signal; nothing was left half-written"))
        return leaving.code if isinstance(leaving.code, int) else 1
    return status if isinstance(status, int) else 0


def _leave(status: int) -> NoReturn:
    """End the process.

    py-rattler's threads may still be letting go of Python objects, most of all after a channel failed, and an
    interpreter that shuts down under them crashes; and before Python 3.11 one that cannot flush standard output while
    it shuts down ends with a status of its own. By now every file is closed, so there is nothing it has left to do.
    """
    flushed = [_flushed(stream) for stream in (sys.stdout, sys.stderr)]
    if all(flushed) and "rattler" not in sys.modules:
        sys.exit(status)
    os._exit(status)


def _flushed(stream: TextIO | None) -> bool:
    """Whether everything written to a stream has gone where it should."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _say(words: str) -> None:
    # With the options of the commands beside it, of which a start needs none.
    from envcheck.cli_support import say

    say(words)


def _complain(error: EnvcheckError) -> None:
    from envcheck.cli_next import words_of_error

    # The context of the command is gone with its exception.
    _say(words_of_error(error, sys.argv[1:]))


@click.group(
    cls=LazyGroup,
    commands=LazyCommands(),
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, prog_name="envcheck")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    envvar="ENVCHECK_CONFIG",
    help="The settings file.  [default: the nearest envcheck.toml, or pyproject.toml with [tool.envcheck]; "
    "env: ENVCHECK_CONFIG]",
)
@click.option("--no-config", is_flag=True, help="Use no settings file.")
@language_option
@click.pass_context
def cli(context: click.Context, config: str | None, no_config: bool) -> None:
    """Will this conda environment build on Linux? Every reason at once, the closest environment that does, its lock.

    \b
    Examples:
      envcheck check environment.yml
      envcheck lock environment.yml
      envcheck --lang zh check environment.yml
    """
    if context.invoked_subcommand is None:
        # As click does where a command is missing: its page on standard error, and the status of wrong usage.
        from pathlib import Path

        from envcheck.cli_start import first_page

        _say(first_page(Path.cwd()))
        context.exit(2)
    use_settings(context, named=config, enabled=not no_config)
