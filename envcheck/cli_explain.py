"""``envcheck explain``: where a package exists, and what keeps it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_language import Command
from envcheck.cli_support import emit, index_options, place_options
from envcheck.completion import files, platforms
from envcheck.errors import EnvcheckError
from envcheck.language import tell

if TYPE_CHECKING:
    from envcheck.model import Requirement

__all__ = ["explain"]


@click.command(cls=Command)
@click.argument("spec", metavar="NAME[=VERSION[=BUILD]]")
@click.option(
    "--in", "source", metavar="SOURCE", shell_complete=files, help="Say what keeps it out of this environment."
)
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR", shell_complete=platforms)
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
    from envcheck.cli_input import read
    from envcheck.explain import configured_target
    from envcheck.explain import explain as explain_package
    from envcheck.kept_out import standing_in
    from envcheck.pipeline import check as check_one
    from envcheck.progress import Progress
    from envcheck.reports.explanation import render_json, render_text
    from envcheck.surroundings import prepare
    from envcheck.world import LoadedWorld

    requirement = _package_spec(spec)
    data = b"" if source is None else read(source)
    with Progress(enabled=not quiet) as progress:
        request, services = prepare(source or "", data, platform, None, progress.step, **options)
        if source is None:
            target, standing = configured_target(request), None
            world = LoadedWorld(request, target, services, (), python=None)
        else:
            report = check_one(request, services)
            target, environment = report.target, report.environment
            world = LoadedWorld(request, target, services, environment.channels, python=environment.python)
            standing = standing_in(requirement, report, world)
        explanation = explain_package(requirement, target, world, standing=standing)
    emit(
        render_json(explanation) if format_name == "json" else render_text(explanation),
        None,
        data=format_name != "text",
    )
    if explanation.silent:
        return EnvcheckError.exit_status
    return int(not explanation.fine)


def _package_spec(text: str) -> Requirement:
    """What ``explain`` is asked about."""
    from envcheck.specs import parse_requirement

    try:
        requirement = parse_requirement(text, line=0)
    except ValueError as error:
        raise click.UsageError(tell("{text!r} is no package: {error}.", text=text, error=str(error))) from None
    if requirement.channel is not None or requirement.subdir is not None:
        raise click.UsageError(tell("Name the channel with -c and the platform with -p."))
    if requirement.build is not None and not {" ", "="}.isdisjoint(requirement.build):
        raise click.UsageError(tell("{text!r} is no package: there is nothing behind a build.", text=text))
    return requirement
