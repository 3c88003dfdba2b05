"""The command line: click commands become one `Request` each. Only here is anything printed, caught or exited."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import NoReturn, TextIO

import click

from envcheck import __version__
from envcheck.cli_audit import audit
from envcheck.cli_check import check, lock
from envcheck.cli_docker import docker
from envcheck.cli_doctor import doctor
from envcheck.cli_explain import explain
from envcheck.cli_settings import use_settings
from envcheck.cli_support import emit, say
from envcheck.cli_verify import verify
from envcheck.errors import EnvcheckError

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line and end with its status (0, 1, 2, 3; 128 and its number after a signal)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a closed one
            # A terminal that cannot show a character must not stop the report.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that the parent has set to be ignored stays so (nohup).
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    _leave(_run())


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
        status = cli(standalone_mode=False, prog_name="envcheck")
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("envcheck: interrupted; nothing was left half-written")
        return 130
    except EnvcheckError as error:
        _complain(error)
        return error.exit_status
    except SystemExit as leaving:
        # Raised by `_stop`, and by click where a pipe was closed.
        if isinstance(leaving.code, int) and leaving.code > 128:
            say("envcheck: stopped by a signal; nothing was left half-written")
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


def _complain(error: EnvcheckError) -> None:
    from envcheck.reports.plain import plain
    from envcheck.secrets import mask

    where = f"{error.location}: " if error.location else ""
    say(f"envcheck: {plain(mask(where + error.message))}")
    if error.hint:
        say(f"hint: {plain(mask(error.hint))}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
@click.pass_context
def cli(context: click.Context, config: str | None, no_config: bool) -> None:
    """Will this conda environment build on Linux? Every reason at once, the closest environment that does, its lock."""
    use_settings(context, named=config, enabled=not no_config)


for _command in (audit, check, docker, doctor, explain, lock, verify):
    cli.add_command(_command)


@cli.command()
@click.argument("source", metavar="SOURCE")
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR")
@click.option("--keep-variants", is_flag=True, help="Keep cuda/mkl/cpu builds as constraints.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file instead of standard output.")
def normalize(source: str, platform: str, keep_variants: bool, output: str | None) -> int:
    """Write the cleaned environment.yml only: nothing is loaded and nothing solved.

    \b
    Example:
      envcheck normalize requirements.txt > environment.yml
    """
    from envcheck.cli_input import read
    from envcheck.normalize import normalize as normalize_export
    from envcheck.outputs import normalized_text
    from envcheck.sources import read_source

    environment = normalize_export(read_source(read(source), source), platform, keep_variants=keep_variants)
    emit(normalized_text(environment), output, data=True)
    return 0


@cli.command()
@click.argument("code", required=False)
def rules(code: str | None) -> int:
    """Say what each finding means, or all about one.

    \b
    Example:
      envcheck rules EC402
    """
    from inspect import cleandoc

    from envcheck.rules.documented import DOCUMENTED_RULES, find_rule

    if code is None:
        emit("".join(f"{rule.code}  {rule.title}\n" for rule in DOCUMENTED_RULES), None)
        return 0
    found = find_rule(code)
    if found is None:
        raise click.UsageError(f"There is no finding {code!r}; 'envcheck rules' lists them.")
    emit(f"{found.code}: {found.title}\n\n{cleandoc(found.documentation)}\n", None)
    return 0
