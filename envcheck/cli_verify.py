"""``envcheck verify``: an existing lock against the channels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_baseline import open_baseline
from envcheck.cli_language import Command
from envcheck.cli_support import (
    ALSO_OPTIONS,
    BASELINE_OPTIONS,
    FINDING_OPTIONS,
    REPORT_OPTIONS,
    decoded,
    index_url_option,
    of_session,
    place_options,
    platform_option,
    refuse_unknown_codes,
    show,
    status,
    with_options,
)
from envcheck.completion import files
from envcheck.language import tell

if TYPE_CHECKING:
    from envcheck.verify import LockReport

__all__ = ["verify"]


def _verify_options(function: Any) -> Any:
    return with_options(
        place_options(function),
        [
            platform_option(help="Only this; repeatable. [all]"),
            click.option("--drift", is_flag=True, help="Tell newer builds and versions, too."),
            click.option("--online", is_flag=True, help="Ask the Python package index about pip packages."),
            index_url_option,
            *REPORT_OPTIONS,
            *ALSO_OPTIONS,
            *FINDING_OPTIONS,
            *BASELINE_OPTIONS,
            click.option("-v", "--verbose", count=True, help="Show every finding."),
        ],
    )


@click.command(cls=Command)
@click.argument("locks", nargs=-1, required=True, metavar="LOCK...", shell_complete=files)
@_verify_options
def verify(
    locks: tuple[str, ...],
    *,
    platforms: tuple[str, ...],
    drift: bool,
    online: bool,
    format_name: str,
    output: str | None,
    fail_on: str,
    baseline: str | None,
    update_baseline: bool,
    quiet: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Verify locks: is every file still in its channel, with the same hash, and does it all go together?

    LOCK is a conda-lock.yml, a pixi.lock or an @EXPLICIT list that any tool wrote, or - for standard input. Channels
    are those that the lock names, or that the URLs of a list name; nothing is installed and no package is downloaded.

    \b
    Examples:
      envcheck verify conda-lock.yml
      envcheck verify pixi.lock -p linux-64 --drift
      envcheck verify conda-linux-64.lock --format json
    """
    from envcheck.api.session import Session
    from envcheck.api.verifying import verify_lock
    from envcheck.cli_input import read
    from envcheck.progress import Progress
    from envcheck.reports import verification
    from envcheck.rules.about_locks import LOCK_RULES

    refuse_unknown_codes((*options["select"], *options["ignore"]), LOCK_RULES)
    known = open_baseline(
        baseline, update=update_baseline, rules=LOCK_RULES, select=options["select"], ignore=options["ignore"]
    )
    reports: list[LockReport] = []
    read_data: list[bytes] = []
    with Progress(enabled=not quiet) as progress, Session(**of_session(options), progress=progress.step) as session:
        for lock in locks:
            data = read(lock, where_from=tell("'envcheck lock SOURCE' writes one"))
            found = verify_lock(
                data, name=lock, platforms=platforms, drift=drift, online=online, session=session, **options
            )
            reports += found
            read_data += [data] * len(found)
    complete = all(report.complete for report in reports)
    looked = [known.looked(report.lock.path, report.target.platform, report.findings) for report in reports]
    judged = known.judge(looked, complete=complete)
    reports = [
        replace(report, findings=one.new, accepted=one.accepted) for report, one in zip(reports, judged, strict=True)
    ]
    show(
        format_name,
        output,
        verbose=verbose,
        text=partial(verification.render_text, reports),
        json=partial(verification.render_json, reports),
        accounts=lambda: [
            verification.account(report, decoded(data)) for report, data in zip(reports, read_data, strict=True)
        ],
    )
    known.close(looked, complete=complete, quiet=quiet)
    return status(
        (finding for report in reports for finding in report.findings), complete=complete, fail_on=fail_on
    )  # fmt: skip
