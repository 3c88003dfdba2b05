"""``envcheck docker``: a Dockerfile before it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from envcheck.cli_baseline import BaselineFile, open_baseline
from envcheck.cli_language import Command
from envcheck.cli_support import (
    ALSO_OPTIONS,
    BASELINE_OPTIONS,
    FINDING_OPTIONS,
    REPORT_OPTIONS,
    decoded,
    given,
    index_options,
    of_session,
    place_options,
    platform_option,
    refuse_unknown_codes,
    show,
    status,
    with_options,
)
from envcheck.completion import files
from envcheck.errors import EnvcheckError
from envcheck.language import tell

if TYPE_CHECKING:
    from envcheck.baseline import Judged, Looked
    from envcheck.docker.writing_files import WrittenFiles
    from envcheck.reports.dockerfile import DockerReport

__all__ = ["docker"]


def _docker_options(function: Any) -> Any:
    file = click.Path(dir_okay=False)
    function = with_options(
        function,
        [
            click.option(
                "--context",
                type=click.Path(file_okay=False),
                metavar="DIR",
                help="The build context. [the Dockerfile's folder]",
            ),
            click.option(
                "--build-arg",
                "build_args",
                multiple=True,
                metavar="NAME=VALUE",
                help="As for docker build; repeatable.",
            ),
            click.option("--target", metavar="STAGE", help="The stage to build. [the last]"),
            platform_option(help="Target; repeatable. [FROM's]"),
        ],
    )
    function = place_options(function)
    return with_options(
        index_options(function),
        [
            *REPORT_OPTIONS,
            *ALSO_OPTIONS,
            click.option(
                "--write",
                type=file,
                metavar="FILE",
                help="Write a Dockerfile that works, and beside it the locks that it installs.",
            ),
            click.option(
                "--style",
                type=click.Choice(["micromamba", "conda-lock", "pixi", "conda"]),
                help="What the written Dockerfile makes the environment with.  [default: micromamba]",
            ),
            click.option(
                "--write-ignore", is_flag=True, help="With --write: a .dockerignore too, where there is none."
            ),
            *FINDING_OPTIONS,
            *BASELINE_OPTIONS,
            click.option("-v", "--verbose", count=True, help="Show every finding and change."),
        ],
    )


@click.command(cls=Command)
@click.argument("dockerfile", metavar="DOCKERFILE", shell_complete=files)
@_docker_options
def docker(
    dockerfile: str,
    *,
    context: str | None,
    build_args: tuple[str, ...],
    target: str | None,
    platforms: tuple[str, ...],
    image: str | None,
    format_name: str,
    output: str | None,
    fail_on: str,
    baseline: str | None,
    update_baseline: bool,
    quiet: bool,
    verbose: int,
    write: str | None,
    style: Literal["micromamba", "conda-lock", "pixi", "conda"] | None,
    write_ignore: bool,
    **options: Any,
) -> int:
    """Pre-flight of a Dockerfile: will its environments build?

    DOCKERFILE is a Dockerfile, a folder that has one, or - for standard input. Nothing of it is executed and no image
    is fetched; files come from the build context alone.

    \b
    Examples:
      envcheck docker . && docker build .
      envcheck docker docker/Dockerfile --context . --build-arg PYTHON=3.11
      envcheck docker . --write Dockerfile.locked
    """
    from envcheck.api.dockerfiles import check_dockerfile, write_dockerfile
    from envcheck.api.session import Session
    from envcheck.cli_input import read
    from envcheck.progress import Progress
    from envcheck.reports import dockerfile as rendering
    from envcheck.rules.documented import DOCUMENTED_RULES

    refuse_unknown_codes((*options["select"], *options["ignore"]), DOCUMENTED_RULES)
    known = open_baseline(
        baseline, update=update_baseline, rules=DOCUMENTED_RULES, select=options["select"], ignore=options["ignore"]
    )
    if write is None and ((style and given("style")) or write_ignore):
        raise click.UsageError(tell("--style and --write-ignore are about the file that --write FILE writes."))
    if write is not None and len(set(platforms)) > 1:
        raise click.UsageError(tell("--write takes one --platform."))
    if context is not None and not Path(context).is_dir():
        raise click.UsageError(tell("There is no folder {context!r} for --context.", context=context))
    arguments = _pairs(build_args)
    written: WrittenFiles | EnvcheckError | None = None
    with Progress(enabled=not quiet) as progress, Session(**of_session(options), progress=progress.step) as session:
        report = check_dockerfile(
            read("-") if dockerfile == "-" else dockerfile,
            context=context,
            build_args=arguments,
            target=target,
            platforms=platforms,
            image=image,
            session=session,
            **options,
        )
        if write is not None:
            try:
                written = write_dockerfile(
                    report, write, style=style or "micromamba", ignore_file=write_ignore, session=session
                )
            except EnvcheckError as error:  # told behind the report
                written = error
    data = report.asked.data if report.asked is not None else b""
    looked = _looked(known, report)
    report = _judged(report, known.judge(looked, complete=report.complete))
    show(
        format_name,
        output,
        verbose=verbose,
        text=partial(rendering.render_text, report),
        json=partial(rendering.render_json, report),
        accounts=lambda: rendering.accounts(report, data, decoded),
    )
    known.close(looked, complete=report.complete, quiet=quiet)
    if isinstance(written, EnvcheckError):
        raise written
    if not quiet:
        from envcheck.cli_docker_next import tell_next

        tell_next(report, written)
    return status(
        (*report.findings, *(finding for one in report.checked for finding in one.findings)),
        complete=report.complete,
        fail_on=fail_on,
    )


def _looked(known: BaselineFile, report: DockerReport) -> list[Looked]:
    """The Dockerfile's own findings, then those of each environment; what stands in the Dockerfile is found there."""
    path = report.followed.dockerfile.path
    return [
        known.looked(path, report.followed.platform, report.findings),
        *(
            known.looked(path if one.path.startswith(f"{path}:") else one.path, one.platform, one.findings)
            for one in report.checked
        ),
    ]


def _judged(report: DockerReport, judged: Sequence[Judged]) -> DockerReport:
    """A report whose findings are the new ones; `_looked` has the order."""
    own, *others = judged
    checked = []
    for one, parts in zip(report.checked, others, strict=True):
        if one.report is not None:
            found = replace(one.report, findings=parts.new, accepted=parts.accepted)
            checked.append(replace(one, report=found))
        elif one.lock_report is not None:
            verified = replace(one.lock_report, findings=parts.new, accepted=parts.accepted)
            checked.append(replace(one, lock_report=verified))
        else:
            checked.append(one)
    return replace(report, findings=own.new, accepted=own.accepted, checked=tuple(checked))


def _pairs(build_args: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in build_args:
        name, equals, value = text.partition("=")
        if not equals or not name:
            # Without a value docker takes the variable of its own environment, which is not envcheck's to read.
            raise click.UsageError(tell("--build-arg {text!r} has no value; write NAME=VALUE.", text=text))
        found[name] = value
    return found
