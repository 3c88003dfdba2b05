"""``envcheck audit``: many sources, one table."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_baseline import BaselineFile, open_baseline
from envcheck.cli_language import Command
from envcheck.cli_support import (
    BASELINE_OPTIONS,
    FINDING_OPTIONS,
    PLAN_OPTIONS,
    emit,
    index_options,
    place_options,
    platform_option,
    refuse_unknown_codes,
    say,
    show,
    status,
    with_options,
)
from envcheck.completion import files
from envcheck.errors import OutputError, SourceError
from envcheck.language import tell

if TYPE_CHECKING:
    from envcheck.api.auditing import AuditRun
    from envcheck.baseline import Looked
    from envcheck.fleet import AuditResult

__all__ = ["audit"]

_INTERRUPTED = 130
_FORMATS = ("text", "json", "jsonl", "markdown", "html")


def _audit_options(function: Any) -> Any:
    own = [
        platform_option(help="Target; repeatable. [linux-64]"),
        click.option("-0", "null", is_flag=True, help="The names on standard input end with NUL characters."),
        click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: the cores]"),
        click.option(
            "--scheduler", metavar="ADDRESS", help="Check on the Dask cluster of this scheduler (envcheck[dask])."
        ),
        click.option("--fresh", is_flag=True, help="Check again what is known from before."),
    ]
    report = [
        click.option(
            "--format",
            "format_name",
            type=click.Choice(_FORMATS),
            default="text",
            show_default=True,
            help="How the report is written; jsonl writes each result when it is there.",
        ),
        click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file."),
        click.option(
            "--no-times", is_flag=True, help="Leave out how long checks took: the same fleet, the same bytes."
        ),
        *FINDING_OPTIONS,
        *BASELINE_OPTIONS,
    ]
    return with_options(place_options(index_options(with_options(function, [*report, *PLAN_OPTIONS]))), own)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How results are shown."""

    format_name: str
    output: str | None
    times: bool
    known: BaselineFile


@click.command(cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=files)
@_audit_options
def audit(
    paths: tuple[str, ...],
    *,
    platforms: tuple[str, ...],
    null: bool,
    jobs: int | None,
    scheduler: str | None,
    fresh: bool,
    format_name: str,
    output: str | None,
    no_times: bool,
    fail_on: str,
    baseline: str | None,
    update_baseline: bool,
    quiet: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    **options: Any,
) -> int:
    """Diagnose many environments: one table, worst first, and what they have in common.

    PATH is a file, a folder with everything below it, a glob in quotes, or - for a list of names on standard input.
    Of a folder, a glob and a list those files count that look like exports; what git ignores, installed environments
    and caches are passed over, and so are Dockerfiles, which are for: envcheck docker

    What was found is kept, and a source is checked again only when its content, an option or a channel has changed
    (where the Python package index was asked, after a day, too). Ctrl-C shows what is there; the next run goes on.

    \b
    Examples:
      envcheck audit .
      envcheck audit "**/environment*.yml" --format markdown -o audit.md
      git ls-files -z | envcheck audit - -0 --format jsonl
    """
    from envcheck.api.auditing import audit_environments
    from envcheck.rules import RULES

    refuse_unknown_codes((*select, *ignore), RULES)
    known = open_baseline(baseline, update=update_baseline, rules=RULES, select=select, ignore=ignore)
    run = audit_environments(
        [path for path in paths if path != "-"],
        listed=_listed(paths, null=null),
        platforms=tuple(dict.fromkeys(platforms)) or ("linux-64",),
        jobs=jobs,
        scheduler=scheduler,
        fresh=fresh,
        select=select,
        ignore=ignore,
        **options,
    )
    shown = _Shown(
        format_name=format_name,
        output=output,
        times=not no_times,
        known=known,
    )
    results, looked, interrupted = _results(run, shown, quiet=quiet)
    if format_name != "jsonl":
        _report(results, shown, interrupted=run.total if interrupted else 0)
    if not quiet and not interrupted and format_name != "text":
        reused = sum(1 for result in results if result.reused)
        say(
            tell(
                "{count} of {wanted} done, {reused} of them known from before",
                count=len(results),
                wanted=run.total,
                reused=reused,
            )
        )
    if interrupted:
        return _INTERRUPTED
    known.close(looked, complete=_complete(results), quiet=quiet)
    if not quiet:
        _tell_next(results)
    return _status(results, fail_on)


def _listed(paths: Sequence[str], *, null: bool) -> tuple[str, ...] | None:
    """The names on standard input, ``None`` where no ``-`` asks for them."""
    from envcheck.audit_sources import listed_paths

    if "-" not in paths:
        if null:
            raise click.UsageError(tell("-0 is about the list of names that - reads from standard input."))
        return None
    if sys.stdin is None:
        raise SourceError(tell("standard input is closed"), path="-", hint=tell("Pipe a list of names in."))
    return listed_paths(sys.stdin.buffer.read(), null=null)


def _results(run: AuditRun, shown: _Shown, *, quiet: bool) -> tuple[list[AuditResult], list[Looked], bool]:
    """The results, what a baseline is to know of them, and whether Ctrl-C ended the run before all were there."""
    from envcheck.progress import FleetProgress

    results: list[AuditResult] = []
    looked: list[Looked] = []
    interrupted = False
    with (
        _line_writer(shown) as write,
        contextlib.closing(run.results()) as made,
        FleetProgress(run.total, enabled=not quiet) as progress,
    ):
        try:
            for result in made:
                chosen, found = _judged(result, shown.known)
                looked += found
                results.append(chosen)
                write(chosen)
                progress.step()
        except KeyboardInterrupt:
            interrupted = True
            made.close()
        if run.trouble and not quiet:
            say(tell("envcheck: results are not kept for the next run: {trouble}", trouble=run.trouble))
    if interrupted:
        say(
            tell(
                "envcheck: interrupted; {count} of {total} are done, and the next run goes on from there",
                count=len(results),
                total=run.total,
            )
        )
    return results, looked, interrupted


def _judged(result: AuditResult, known: BaselineFile) -> tuple[AuditResult, list[Looked]]:
    """A result without what the baseline accepts, and what was found in it."""
    from envcheck.fleet import AuditVerdict, findings_of, with_accepted

    if known.path is None or result.verdict in (AuditVerdict.FAILED, AuditVerdict.UNREADABLE):
        return result, []
    looked = known.looked(result.path, result.platform, findings_of(result))
    (judged,) = known.judge([looked], complete=result.complete)
    return with_accepted(result, judged.new, judged.accepted), [looked]


@contextlib.contextmanager
def _line_writer(shown: _Shown) -> Iterator[Callable[[AuditResult], None]]:
    """Writes each result when it is there, in the format that is made for that; otherwise nothing."""
    from envcheck.reports.fleet import render_line

    if shown.format_name != "jsonl":
        yield lambda _: None
    elif shown.output is None:
        yield lambda result: emit(render_line(result, times=shown.times), None, data=True)
    else:
        with _told(shown.output):
            # Unbuffered: what is in the file ends with a whole line, whenever the process may end.
            stream = open(shown.output, "wb", buffering=0)  # noqa: PTH123, SIM115  # closed below

        def write(result: AuditResult) -> None:
            with _told(shown.output):
                line = memoryview(render_line(result, times=shown.times).encode("utf-8", "backslashreplace"))
                while line:
                    line = line[stream.write(line) :]

        with stream:
            yield write


@contextlib.contextmanager
def _told(path: str | None) -> Iterator[None]:
    """Say it in envcheck's words where a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            tell("Cannot write {path}: {reason}.", path=path, reason=error.strerror or str(error)),
            path=path,
            hint=tell("Choose a directory that exists and that you may write to."),
        ) from error


def _report(results: Sequence[AuditResult], shown: _Shown, *, interrupted: int) -> None:
    from envcheck.reports.fleet import render_json, render_markdown, render_text

    if shown.format_name == "html":
        from envcheck.reports.html_fleet import render_fleet

        emit(render_fleet([_untimed(one, shown) for one in results]), shown.output, data=True)
        return
    if shown.format_name == "markdown":
        emit(render_markdown(results, times=shown.times, interrupted=interrupted), shown.output, data=True)
        return
    show(
        shown.format_name,
        shown.output,
        verbose=0,
        text=lambda *, width, colour, verbose: render_text(  # noqa: ARG005  # lines are not wrapped
            results, colour=colour, times=shown.times, interrupted=interrupted
        ),
        json=partial(render_json, results, times=shown.times, interrupted=interrupted),
        accounts=tuple,
    )


def _tell_next(results: Sequence[AuditResult]) -> None:
    """On standard error: what to look at first."""
    from envcheck.cli_outputs import options_to_repeat, tell_step
    from envcheck.next_steps import steps_after_audit

    for step in steps_after_audit(results, options=partial(options_to_repeat, click.get_current_context())):
        tell_step(step)


def _untimed(result: AuditResult, shown: _Shown) -> AuditResult:
    return result if shown.times else replace(result, seconds=0.0)


def _status(results: Sequence[AuditResult], fail_on: str) -> int:
    """3 where envcheck could not do its work on a source, 2 where one is unreadable, then as for every command."""
    from envcheck.fleet import AuditVerdict

    complete = _complete(results)
    if complete and any(result.verdict is AuditVerdict.UNREADABLE for result in results):
        return SourceError.exit_status
    return status((cause for result in results for cause in result.causes), complete=complete, fail_on=fail_on)


def _complete(results: Sequence[AuditResult]) -> bool:
    """Whether everybody answered who was asked about a source that could be read."""
    from envcheck.fleet import AuditVerdict

    return all(
        result.verdict is not AuditVerdict.FAILED and result.complete
        for result in results
        if result.verdict is not AuditVerdict.UNREADABLE
    )
