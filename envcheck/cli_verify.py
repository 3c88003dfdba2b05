"""``envcheck verify``: an existing lock against the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_support import (
    FAIL_ON,
    FINDING_OPTIONS,
    emit,
    page_style,
    place_options,
    refuse_unknown_codes,
    with_options,
)
from envcheck.errors import EnvcheckError

if TYPE_CHECKING:
    from envcheck.verify import LockReport
    from envcheck.world import Services

__all__ = ["verify"]


def _verify_options(function: Any) -> Any:
    return with_options(
        place_options(function),
        [
            click.option(
                "-p",
                "--platform",
                "platforms",
                multiple=True,
                metavar="SUBDIR",
                help="Only this; repeatable. [all]",
            ),
            click.option("--drift", is_flag=True, help="Tell newer builds and versions, too."),
            click.option("--online", is_flag=True, help="Ask the Python package index about pip packages."),
            click.option("--index-url", metavar="URL", help="The Python package index."),
            click.option(
                "--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True
            ),
            click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file."),
            *FINDING_OPTIONS,
            click.option("-v", "--verbose", count=True, help="Show every finding."),
        ],
    )


@click.command()
@click.argument("lock", metavar="LOCK")
@_verify_options
def verify(
    lock: str,
    *,
    platforms: tuple[str, ...],
    drift: bool,
    online: bool,
    format_name: str,
    output: str | None,
    fail_on: str,
    quiet: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Verify a lock: is every file still in its channel, with the same hash, and does it all go together?

    LOCK is a conda-lock.yml, a pixi.lock or an @EXPLICIT list that any tool wrote, or - for standard input. Channels
    are those that the lock names, or that the URLs of a list name; nothing is installed and no package is downloaded.

    \b
    Examples:
      envcheck verify conda-lock.yml
      envcheck verify pixi.lock -p linux-64 --drift
      envcheck verify conda-linux-64.lock --format json
    """
    from envcheck.cli_input import prepare, read
    from envcheck.lock_file import platforms_to_verify, read_lock
    from envcheck.progress import Progress
    from envcheck.rules.about_locks import LOCK_RULES
    from envcheck.verify import verify as verify_one

    refuse_unknown_codes((*options["select"], *options["ignore"]), LOCK_RULES)
    data = read(lock)
    found = read_lock(data, lock)
    reports: list[LockReport] = []
    with Progress(enabled=not quiet) as progress:
        services: Services | None = None
        for platform in platforms_to_verify(found, platforms):
            request, services = prepare(lock, data, platform, services, progress.step, no_pip=not online, **options)
            reports.append(verify_one(request, services, found, drift=drift, online=online))
    emit(_render(reports, format_name, output, verbose=verbose > 0), output, data=format_name != "text")
    if not all(report.complete for report in reports):
        return EnvcheckError.exit_status
    return int(any(one.severity.value in FAIL_ON[fail_on] for report in reports for one in report.findings))


def _render(reports: Sequence[LockReport], format_name: str, output: str | None, *, verbose: bool) -> str:
    from envcheck.reports.verification import render_json, render_text

    if format_name == "json":
        return render_json(reports)
    width, colour = page_style(to_file=output is not None)
    return render_text(reports, width=width, colour=colour, verbose=verbose)
