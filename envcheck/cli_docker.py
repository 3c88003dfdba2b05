"""``envcheck docker``: a Dockerfile before it is built."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    place_options,
    platform_option,
    refuse_unknown_codes,
    say,
    show,
    status,
    with_options,
)
from envcheck.completion import files
from envcheck.errors import EnvcheckError
from envcheck.language import tell, told

if TYPE_CHECKING:
    from envcheck.baseline import Judged, Looked
    from envcheck.docker.instructions import Dockerfile
    from envcheck.docker.preflight import Question
    from envcheck.docker.writing_files import WrittenFiles
    from envcheck.lock_file import LockFile
    from envcheck.model import Report
    from envcheck.reports.dockerfile import DockerReport
    from envcheck.verify import LockReport
    from envcheck.world import Services

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
    style: str | None,
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
    from envcheck.docker.context import open_context
    from envcheck.docker.following import follow
    from envcheck.docker.preflight import check_environments
    from envcheck.docker.writing_files import Destination, write_files
    from envcheck.pip.metadata import described
    from envcheck.pipeline import check as check_one
    from envcheck.progress import Progress
    from envcheck.reports import dockerfile as rendering
    from envcheck.rules import select_findings
    from envcheck.rules.about_dockerfiles import apply_docker_rules
    from envcheck.rules.docker_facts import DockerFacts
    from envcheck.rules.documented import DOCUMENTED_RULES
    from envcheck.verify import verify as verify_one

    refuse_unknown_codes((*options["select"], *options["ignore"]), DOCUMENTED_RULES)
    known = open_baseline(
        baseline, update=update_baseline, rules=DOCUMENTED_RULES, select=options["select"], ignore=options["ignore"]
    )
    if write is None and ((style and given("style")) or write_ignore):
        raise click.UsageError(tell("--style and --write-ignore are about the file that --write FILE writes."))
    if write is not None and len(set(platforms)) > 1:
        raise click.UsageError(tell("--write takes one --platform."))
    path, data, parsed = _read(dockerfile, build_args, platforms)
    root = _context_folder(path, context)
    opened = open_context(root, path)
    followed = follow(parsed, opened, target=target)
    with Progress(enabled=not quiet) as progress:
        services: Services | None = None

        def ask(question: Question) -> Report:
            nonlocal services
            request, services = _prepared(question, services, progress, image=question.image, **options)
            return check_one(request, services)

        def verify(question: Question, lock: LockFile) -> LockReport:
            nonlocal services
            request, services = _prepared(question, services, progress, image=question.image, **options)
            return verify_one(request, services, lock)

        checked = check_environments(followed, ask, verify, platforms=tuple(dict.fromkeys(platforms)), image=image)
        written: WrittenFiles | EnvcheckError | None = None
        if write is not None:
            try:
                written = write_files(
                    Destination(
                        path=Path(write),
                        context=root or Path(write).parent,
                        style=style or "micromamba",
                        ignore_file=write_ignore,
                    ),
                    data,
                    followed,
                    checked,
                    ask,
                    context=opened,
                    variables=os.environ,
                    describe=lambda report: described(report, None if services is None else services.describe),
                )
            except EnvcheckError as error:  # told behind the report
                written = error
    facts = DockerFacts(followed=followed, checked=checked, context_named=context is not None)
    findings = select_findings(
        apply_docker_rules(facts),
        tuple(code.upper() for code in options["select"]),
        tuple(code.upper() for code in options["ignore"]),
    )
    report = rendering.DockerReport(followed=followed, findings=findings, checked=checked)
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
    if written is not None and not quiet:
        _tell_written(written)
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


def _read(name: str, build_args: tuple[str, ...], platforms: tuple[str, ...]) -> tuple[Path | None, bytes, Dockerfile]:
    """The Dockerfile's path, ``None`` for standard input, its bytes, and what is in it."""
    from envcheck.cli_input import read
    from envcheck.docker.instructions import read_dockerfile

    path = None if name == "-" else Path(name)
    if path is not None and path.is_dir():
        path /= "Dockerfile"
    shown = name if path is None else str(path)
    architecture = {"linux-aarch64": "linux/arm64", "linux-ppc64le": "linux/ppc64le"}
    platform = next((architecture[one] for one in platforms if one in architecture), "linux/amd64")
    data = read(shown, where_from=tell("of a folder the file Dockerfile is read"))
    return path, data, read_dockerfile(data, shown, _pairs(build_args), platform=platform)


def _pairs(build_args: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in build_args:
        name, equals, value = text.partition("=")
        if not equals or not name:
            # Without a value docker takes the variable of its own environment, which is not envcheck's to read.
            raise click.UsageError(tell("--build-arg {text!r} has no value; write NAME=VALUE.", text=text))
        found[name] = value
    return found


def _context_folder(path: Path | None, context: str | None) -> Path | None:
    """The build context: the one named, or the Dockerfile's folder; ``None`` for standard input."""
    if context is None:
        return None if path is None else path.parent
    if not Path(context).is_dir():
        raise click.UsageError(tell("There is no folder {context!r} for --context.", context=context))
    return Path(context)


def _prepared(
    question: Question,
    services: Services | None,
    progress: Any,
    *,
    channels: tuple[str, ...],
    override_channels: bool,
    virtual_packages: tuple[str, ...],
    **options: Any,
) -> Any:
    """The request of one environment: the command line's word first, then the Dockerfile's."""
    from envcheck.surroundings import prepare

    request, services = prepare(
        question.path,
        question.data,
        question.platform,
        services,
        progress.step,
        channels=channels if override_channels else (*channels, *question.channels),
        override_channels=override_channels or question.override_channels,
        virtual_packages=(*question.virtual_packages, *virtual_packages),
        **options,
    )
    return replace(request, configuration=question.configuration(request.configuration)), services


def _tell_written(written: WrittenFiles) -> None:
    """On standard error: what was written, and what is to know about it."""
    from envcheck.reports.plain import plain
    from envcheck.secrets import mask

    for note in written.notes:
        where = "" if note.line is None else tell("line {line}: ", line=note.line)
        say(tell("note: {text}", text=plain(mask(where + told(note.text)))))
    for path in written.paths:
        say(tell("wrote {path}", path=plain(path)))
