"""``envcheck check`` and ``envcheck lock``: sources checked, reported, and written as locks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from envcheck.cli_language import Command
from envcheck.cli_support import (
    ALSO_OPTIONS,
    BASELINE_OPTIONS,
    FINDING_OPTIONS,
    PLAN_OPTIONS,
    REPORT_OPTIONS,
    decoded,
    given,
    index_options,
    of_session,
    place_options,
    platform_option,
    refuse_unknown_codes,
    say,
    show,
    status,
    with_options,
)
from envcheck.completion import files
from envcheck.language import tell
from envcheck.locks import CHOICES

if TYPE_CHECKING:
    from envcheck.model import Report

__all__ = ["check", "lock"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _target_options(function: _F) -> _F:
    """The options that say where the environment is wanted."""
    platform = platform_option(help="Target; repeatable. [linux-64]")
    return platform(place_options(function))


def _check_options(function: _F) -> _F:
    """The options that say how the environment is judged and how that is told."""
    file = click.Path(dir_okay=False)
    function = with_options(
        function,
        [
            *REPORT_OPTIONS,
            *ALSO_OPTIONS,
            click.option(
                "--lock-format",
                type=click.Choice(list(CHOICES)),
                help="The lock's format; by default its name tells: *.lock is pixi's, *.txt an @EXPLICIT list.",
            ),
            click.option(
                "--from-lock", type=file, metavar="FILE", help="Keep what this older lock has where that is possible."
            ),
            click.option(
                "--explicit",
                type=file,
                metavar="FILE",
                help="Write an @EXPLICIT list, and a hashed requirements file beside it for the pip section.",
            ),
            click.option("--environment", type=file, metavar="FILE", help="Write the plan's environment file."),
            click.option(
                "--direct-only",
                is_flag=True,
                help="Put into --environment only what was asked for, and not what came along; "
                "telling them apart takes the channels, so normalize cannot.",
            ),
            click.option(
                "--sbom",
                type=file,
                metavar="FILE",
                help="Write a bill of materials of what is locked: CycloneDX 1.6 as JSON, for all platforms.",
            ),
            *FINDING_OPTIONS,
            *BASELINE_OPTIONS,
            click.option("-v", "--verbose", count=True, help="Show every finding and change."),
        ],
    )
    return with_options(
        index_options(function),
        [
            click.option("--cross-check", is_flag=True, help="Solve with both engines and report any disagreement."),
            *PLAN_OPTIONS,
        ],
    )


@click.command(cls=Command)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", shell_complete=files)
@_target_options
@_check_options
@click.option("--lock", type=click.Path(dir_okay=False), metavar="FILE", help="Write the lock.")
def check(sources: tuple[str, ...], **options: Any) -> int:
    """Diagnose environments: what would fail, why, and the closest environment that does not.

    SOURCE is an export of any kind (environment.yml, conda list, @EXPLICIT, pip freeze, conda-lock.yml, pixi.lock),
    or - for standard input. Its kind is found from its content. Without one, the source that lies in the working
    directory is taken, and named.

    \b
    Examples:
      envcheck check
      envcheck check environment.yml
      envcheck check requirements.txt -c conda-forge --lock conda-lock.yml
      conda list --export | envcheck check - --format json
    """
    return _check_and_report(sources or _source_here("check", quiet=options["quiet"]), **options)


@click.command(cls=Command)
@click.argument("source", metavar="[SOURCE]", required=False, shell_complete=files)
@_target_options
@_check_options
@click.option("--lock", type=click.Path(dir_okay=False), metavar="FILE", help="The lock.  [default: conda-lock.yml]")
def lock(source: str | None, **options: Any) -> int:
    """Diagnose one environment, then write its lock.

    Without SOURCE, the one that lies in the working directory is taken, and named; no lock is taken for one.
    Several platforms share one file; where a format has a file for each, {platform} stands in its name.

    \b
    Examples:
      envcheck lock environment.yml -p linux-64 -p linux-aarch64
      envcheck lock environment.yml --lock pixi.lock --from-lock pixi.lock
    """
    if options["lock"] is None:
        options["lock"] = CHOICES[options["lock_format"] or "conda-lock"].filename
    sources = _source_here("lock", quiet=options["quiet"]) if source is None else (source,)
    return _check_and_report(sources, **options)


def _source_here(command: str, *, quiet: bool) -> tuple[str]:
    """The source of the working directory; which one it is, and which others are there, is told beside the report."""
    from pathlib import Path

    from envcheck.cli_start import chosen_source

    name, words = chosen_source(Path.cwd(), command=command)
    if not quiet:
        say(tell("note: {text}", text=words))
    return (name,)


def _check_and_report(
    sources: Sequence[str],
    *,
    lock: str | None,
    lock_format: str | None,
    from_lock: str | None,
    explicit: str | None,
    environment: str | None,
    sbom: str | None,
    direct_only: bool,
    platforms: tuple[str, ...],
    format_name: str,
    output: str | None,
    fail_on: str,
    baseline: str | None,
    update_baseline: bool,
    quiet: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Check every source for every platform, write the files asked for, report, and give the exit status."""
    from envcheck.cli_outputs import Outputs, refuse_shared_names, tell_what_next, write_outputs

    outputs = Outputs(
        lock=lock,
        lock_format=lock_format,
        explicit=explicit,
        environment=environment,
        sbom=sbom,
        direct_only=direct_only,
    )
    wanted = tuple(dict.fromkeys(platforms)) or ("linux-64",)
    if len(sources) > 1 and any((lock, explicit, environment, sbom)):
        raise click.UsageError(tell("--lock, --explicit, --environment and --sbom take one SOURCE."))
    refuse_shared_names(outputs, wanted)
    if lock_format and not lock and given("lock_format"):
        raise click.UsageError(tell("--lock-format is about the file that --lock FILE writes."))
    if direct_only and not environment:
        raise click.UsageError(tell("--direct-only is about the file that --environment FILE writes."))
    from envcheck.cli_baseline import open_baseline
    from envcheck.rules import RULES

    refuse_unknown_codes((*options["select"], *options["ignore"]), RULES)
    known = open_baseline(
        baseline, update=update_baseline, rules=RULES, select=options["select"], ignore=options["ignore"]
    )
    from dataclasses import replace

    from envcheck.api.checking import check as check_one
    from envcheck.api.session import Session
    from envcheck.cli_input import read
    from envcheck.progress import Progress
    from envcheck.reports.report_json import render_all
    from envcheck.reports.text import account

    if from_lock is not None:
        from envcheck.previous_lock import read_previous_lock

        # Read once, for all checks.
        options["from_lock"] = read_previous_lock(read(from_lock), from_lock)
    reports: list[Report] = []
    read_data: list[bytes] = []
    with Progress(enabled=not quiet) as progress, Session(**of_session(options), progress=progress.step) as session:
        for source in sources:
            data = read(source)
            for platform in wanted:
                read_data.append(data)
                reports.append(
                    check_one(
                        data,
                        name=source,
                        platform=platform,
                        for_lock=lock is not None or sbom is not None,
                        session=session,
                        **options,
                    )
                )
    complete = all(report.complete for report in reports)
    looked = [known.looked(report.export.path, report.target.platform, report.findings) for report in reports]
    judged = known.judge(looked, complete=complete)
    reports = [
        replace(report, findings=one.new, accepted=one.accepted) for report, one in zip(reports, judged, strict=True)
    ]
    written = write_outputs(reports, outputs)
    show(
        format_name,
        output,
        verbose=verbose,
        text=partial(_text, reports),
        json=partial(render_all, reports),
        accounts=lambda: [account(report, decoded(data)) for report, data in zip(reports, read_data, strict=True)],
    )
    known.close(looked, complete=complete, quiet=quiet)
    if not quiet:
        tell_what_next(reports, outputs, written, verbose=verbose > 0)
    return status(
        (finding for report in reports for finding in report.findings), complete=complete, fail_on=fail_on
    )  # fmt: skip


def _text(reports: Sequence[Report], *, width: int, colour: bool, verbose: bool) -> str:
    from envcheck.reports.text import render

    return "\n".join(render(report, width=width, colour=colour, verbose=verbose) for report in reports)
