"""``envcheck docker``: a Dockerfile before it is built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_support import (
    FAIL_ON,
    emit,
    index_options,
    page_style,
    place_options,
    refuse_unknown_codes,
    with_options,
)
from envcheck.errors import EnvcheckError

if TYPE_CHECKING:
    from envcheck.docker.instructions import Dockerfile
    from envcheck.docker.preflight import Question
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
            click.option(
                "-p",
                "--platform",
                "platforms",
                multiple=True,
                metavar="SUBDIR",
                help="Target; repeatable. [as FROM says]",
            ),
        ],
    )
    function = place_options(function)
    return with_options(
        index_options(function),
        [
            click.option(
                "--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True
            ),
            click.option("-o", "--output", type=file, help="Write the report to a file."),
            click.option("--fail-on", type=click.Choice(list(FAIL_ON)), default="error", show_default=True),
            click.option(
                "--select", multiple=True, metavar="CODE", help="Show only these findings (prefix); repeatable."
            ),
            click.option(
                "--ignore", multiple=True, metavar="CODE", help="Leave these findings out (prefix); repeatable."
            ),
            click.option("-q", "--quiet", is_flag=True, help="Print nothing but the report."),
            click.option("-v", "--verbose", count=True, help="Show every finding and change."),
        ],
    )


@click.command()
@click.argument("dockerfile", metavar="DOCKERFILE")
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
    quiet: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Pre-flight of a Dockerfile: will the environments that it makes build, and is the rest in order?

    DOCKERFILE is a Dockerfile, a folder that has one, or - for standard input. Nothing of it is executed and no image
    is fetched; files come from the build context alone.

    \b
    Examples:
      envcheck docker . && docker build .
      envcheck docker docker/Dockerfile --context . --build-arg PYTHON=3.11
    """
    from envcheck.docker.context import open_context
    from envcheck.docker.following import follow
    from envcheck.docker.preflight import check_environments
    from envcheck.pipeline import check as check_one
    from envcheck.progress import Progress
    from envcheck.reports.dockerfile import DockerReport
    from envcheck.rules import DOCKER_RULES, LOCK_RULES, RULES, apply_docker_rules, select_findings
    from envcheck.rules.docker_facts import DockerFacts
    from envcheck.verify import verify as verify_one

    refuse_unknown_codes((*options["select"], *options["ignore"]), (*RULES, *LOCK_RULES, *DOCKER_RULES))
    path, parsed = _read(dockerfile, build_args, platforms)
    root = _context_folder(path, context)
    followed = follow(parsed, open_context(root, path), target=target)
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
    facts = DockerFacts(followed=followed, checked=checked, context_named=context is not None)
    findings = select_findings(
        apply_docker_rules(facts),
        tuple(code.upper() for code in options["select"]),
        tuple(code.upper() for code in options["ignore"]),
    )
    report = DockerReport(followed=followed, findings=findings, checked=checked)
    emit(_render(report, format_name, output, verbose=verbose > 0), output, data=format_name != "text")
    return _status(report, fail_on)


def _read(name: str, build_args: tuple[str, ...], platforms: tuple[str, ...]) -> tuple[Path | None, Dockerfile]:
    """The Dockerfile's path, ``None`` for standard input, and what is in it."""
    from envcheck.cli_input import read
    from envcheck.docker.instructions import read_dockerfile

    path = None if name == "-" else Path(name)
    if path is not None and path.is_dir():
        path /= "Dockerfile"
    shown = name if path is None else str(path)
    architecture = {"linux-aarch64": "linux/arm64", "linux-ppc64le": "linux/ppc64le"}
    platform = next((architecture[one] for one in platforms if one in architecture), "linux/amd64")
    return path, read_dockerfile(read(shown), shown, _pairs(build_args), platform=platform)


def _pairs(build_args: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in build_args:
        name, equals, value = text.partition("=")
        if not equals or not name:
            # Without a value docker takes the variable of its own environment, which is not envcheck's to read.
            raise click.UsageError(f"--build-arg {text!r} has no value; write NAME=VALUE.")
        found[name] = value
    return found


def _context_folder(path: Path | None, context: str | None) -> Path | None:
    """The build context: the one named, or the Dockerfile's folder; ``None`` for standard input."""
    if context is None:
        return None if path is None else path.parent
    if not Path(context).is_dir():
        raise click.UsageError(f"There is no folder {context!r} for --context.")
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
    from dataclasses import replace

    from envcheck.cli_input import prepare

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


def _render(report: DockerReport, format_name: str, output: str | None, *, verbose: bool) -> str:
    from envcheck.reports.dockerfile import render_json, render_text

    if format_name == "json":
        return render_json(report)
    width, colour = page_style(to_file=output is not None)
    return render_text(report, width=width, colour=colour, verbose=verbose)


def _status(report: DockerReport, fail_on: str) -> int:
    """0, 1, or 3 where a channel did not answer."""
    if not report.complete:
        return EnvcheckError.exit_status
    severities = FAIL_ON[fail_on]
    found = [*report.findings, *(finding for one in report.checked for finding in one.findings)]
    return int(any(finding.severity.value in severities for finding in found))
