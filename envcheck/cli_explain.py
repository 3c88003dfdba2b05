"""``envcheck explain``: where a package exists, and what keeps it out."""

from __future__ import annotations

from typing import Any

import click

from envcheck.cli_language import Command
from envcheck.cli_support import emit, index_options, of_session, one_platform_option, place_options
from envcheck.completion import files
from envcheck.errors import EnvcheckError
from envcheck.language import told

__all__ = ["explain"]


@click.command(cls=Command)
@click.argument("spec", metavar="NAME[=VERSION[=BUILD]]")
@click.option(
    "--in", "source", metavar="SOURCE", shell_complete=files, help="Say what keeps it out of this environment."
)
@one_platform_option
@place_options
@index_options
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the answer.")
def explain(spec: str, source: str | None, platform: str, format_name: str, quiet: bool, **options: Any) -> int:
    """Say where a package exists: channels, versions, platforms, builds; and why an environment cannot have it.

    Without --in the channels are those of the configuration and of -c. The exit status is 0 where the package is
    there and nothing keeps it out, otherwise 1.

    \b
    Examples:
      envcheck explain hdf5=1.14.2
      envcheck explain numpy=2.0 --in environment.yml
    """
    from envcheck.api.explaining import explain_package
    from envcheck.api.session import Session
    from envcheck.cli_input import read
    from envcheck.explain import asked_package
    from envcheck.progress import Progress
    from envcheck.reports.explanation import render_json, render_text

    try:
        requirement = asked_package(spec)
    except ValueError as error:
        raise click.UsageError(told(error.args[0])) from None
    data = None if source is None else read(source)
    with Progress(enabled=not quiet) as progress, Session(**of_session(options), progress=progress.step) as session:
        explanation = explain_package(
            requirement, source=data, name=source, platform=platform, session=session, **options
        )
    emit(
        render_json(explanation) if format_name == "json" else render_text(explanation),
        None,
        data=format_name != "text",
    )
    if explanation.silent:
        return EnvcheckError.exit_status
    return int(not explanation.fine)
