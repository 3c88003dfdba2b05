"""A Dockerfile before it is built, and one that installs its environments from locks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from envcheck.api.arguments import bytes_of, codes, name_of, texts
from envcheck.api.session import Resources, Session, resources_of
from envcheck.errors import ConfigurationError
from envcheck.language import say

if TYPE_CHECKING:
    from envcheck.docker.asked import Asked
    from envcheck.docker.instructions import Dockerfile
    from envcheck.docker.preflight import CheckedSource, Question
    from envcheck.docker.writing_files import WrittenFiles
    from envcheck.lock_file import LockFile
    from envcheck.model import Finding, Report, Verdict
    from envcheck.reports.dockerfile import DockerReport
    from envcheck.request import Request
    from envcheck.verify import LockReport

__all__ = ["check_dockerfile", "write_dockerfile"]

# Docker's words for the targets that it builds for elsewhere than on a PC.
_ARCHITECTURES = {"linux-aarch64": "linux/arm64", "linux-ppc64le": "linux/ppc64le"}


def check_dockerfile(
    dockerfile: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    context: str | os.PathLike[str] | None = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platforms: Sequence[str] = (),
    image: str | None = None,
    channels: Sequence[str] = (),
    override_channels: bool = False,
    virtual_packages: Sequence[str] = (),
    no_pip: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    session: Session | None = None,
) -> DockerReport:
    """Check the environments that a Dockerfile makes, and the Dockerfile itself, as ``envcheck docker`` does.

    Nothing of it is executed and no image is fetched; files come from the build context alone.

    Args:
        dockerfile: The file to read, a folder that has one, or its bytes.
        name: What the report calls it; without a name its path, and ``-`` for bytes.
        context: The folder that is the build context; without one the Dockerfile's own, and for bytes none is known.
        build_args: As for ``docker build``.
        target: The stage to build; without one the last.
        platforms: The targets' conda subdirs; without any, those that the Dockerfile asks for.
        image: The base image whose C library and CUDA driver the target has, in place of the Dockerfile's.
        channels: Put before the channels of the commands.
        override_channels: Whether ``channels`` are the only ones.
        virtual_packages: More that the target has, as ``NAME=VERSION``; later ones win.
        no_pip: Whether the Python package index is left out.
        select: Only findings whose codes begin with one of these.
        ignore: No findings whose codes begin with one of these; verdicts are formed from all of them.
        session: What this call shares with others; without one, it has its own, with the user's configuration.

    Returns:
        The Dockerfile's findings, and for each environment that it makes a report, or why there is none.

    Raises:
        SourceError: The Dockerfile cannot be read, or is none.
        ConfigurationError: An option or a configuration value cannot be used, or there is no such context.
        EngineError: The engine broke.
        TypeError: An argument that takes several texts was given one.
        ValueError: An argument has a value that there is not.

    Example:
        ::

            report = check_dockerfile("Dockerfile", build_args={"PYTHON": "3.11"})
            for environment in report.checked:
                print(environment.made.line, environment.path, environment.verdict)
    """
    from envcheck.docker.asked import Asked

    path = None if isinstance(dockerfile, bytes) else Path(dockerfile)
    if path is not None and path.is_dir():
        path /= "Dockerfile"
    if context is not None and not Path(context).is_dir():
        raise ConfigurationError(say("There is no folder {context!r} for the context.", context=os.fspath(context)))
    folder = Path(context) if context is not None else None if path is None else path.parent
    data = bytes_of(path or dockerfile, where_from=say("of a folder the file Dockerfile is read"))
    asked = Asked(
        data=data,
        path=path,
        context=folder,
        image=image,
        channels=texts("channels", channels),
        override_channels=override_channels,
        virtual_packages=texts("virtual_packages", virtual_packages),
        no_pip=no_pip,
        select=codes("select", select),
        ignore=codes("ignore", ignore),
    )
    wanted = tuple(dict.fromkeys(texts("platforms", platforms)))
    parsed = _parsed(data, name_of(path or data, name), build_args or {}, wanted)
    with resources_of(session) as resources:
        return _preflight(parsed, asked, resources, target=target, platforms=wanted, context_named=context is not None)


def write_dockerfile(
    report: DockerReport,
    path: str | os.PathLike[str],
    *,
    style: Literal["micromamba", "conda-lock", "pixi", "conda"] = "micromamba",
    ignore_file: bool = False,
    session: Session | None = None,
) -> WrittenFiles:
    """Write a Dockerfile that installs the environments from locks, and the locks beside it.

    This is what ``envcheck docker --write`` writes. What is at ``path`` is replaced, also the Dockerfile that was
    checked, if that is named; other files are replaced only where envcheck wrote them.

    Args:
        report: What `check_dockerfile` gave, for one platform.
        path: The Dockerfile to write, in the build context.
        style: What the written Dockerfile makes the environments with.
        ignore_file: Whether a ``.dockerignore`` is written too, where there is none.
        session: What this call shares with others: the one that the Dockerfile was checked in spares it the loading.

    Returns:
        The paths that were written, and what is to know about them.

    Raises:
        OutputError: There is nothing to write, or a file that is not envcheck's would have to make way.
        ConfigurationError: A configuration value cannot be used.
        EngineError: The engine broke.
        ValueError: The report is not one of `check_dockerfile`, or there is no such style.

    Example:
        ::

            report = check_dockerfile("Dockerfile")
            for written in write_dockerfile(report, "Dockerfile.locked").paths:
                print("wrote", written)
    """
    from envcheck.docker.context import open_context
    from envcheck.docker.writing_builder import STYLES
    from envcheck.docker.writing_files import Destination, write_files
    from envcheck.pip.metadata import described

    if style not in STYLES:
        raise ValueError(f"There is no style {style!r}; there are {', '.join(STYLES)}.")
    asked = report.asked
    if asked is None:
        raise ValueError("The report is not one of check_dockerfile.")
    with resources_of(session) as resources:
        return write_files(
            Destination(
                path=Path(path),
                context=asked.context or Path(path).parent,
                style=style,
                ignore_file=ignore_file,
            ),
            asked.data,
            report.followed,
            report.checked,
            lambda question: _check(question, asked, resources),
            context=open_context(asked.context, asked.path),
            variables=os.environ,
            describe=lambda one: described(one, resources.services.describe),
        )


def _parsed(data: bytes, name: str, build_args: Mapping[str, str], platforms: Sequence[str]) -> Dockerfile:
    from envcheck.docker.instructions import read_dockerfile

    platform = next((_ARCHITECTURES[one] for one in platforms if one in _ARCHITECTURES), "linux/amd64")
    return read_dockerfile(data, name, build_args, platform=platform)


def _preflight(
    parsed: Dockerfile,
    asked: Asked,
    resources: Resources,
    *,
    target: str | None,
    platforms: tuple[str, ...],
    context_named: bool,
) -> DockerReport:
    """Follow a Dockerfile, check everything that it installs, and judge the Dockerfile itself."""
    from envcheck.docker.context import open_context
    from envcheck.docker.following import follow
    from envcheck.docker.preflight import check_environments
    from envcheck.reports.dockerfile import DockerReport
    from envcheck.rules import select_findings
    from envcheck.rules.about_dockerfiles import apply_docker_rules
    from envcheck.rules.docker_facts import DockerFacts

    followed = follow(parsed, open_context(asked.context, asked.path), target=target)
    checked = check_environments(
        followed,
        lambda question: _check(question, asked, resources),
        lambda question, lock: _verify(question, lock, asked, resources),
        platforms=platforms,
        image=asked.image,
    )
    findings = apply_docker_rules(DockerFacts(followed=followed, checked=checked, context_named=context_named))
    return DockerReport(
        followed=followed,
        findings=select_findings(findings, asked.select, asked.ignore),
        own_verdict=_own_verdict(findings),
        checked=tuple(_narrowed(one, asked) for one in checked),
        asked=asked,
    )


def _own_verdict(findings: Sequence[Finding]) -> Verdict:
    """What the Dockerfile's own findings come to: an error that has no remedy blocks it."""
    from envcheck.model import Severity, Verdict

    errors = [one for one in findings if one.severity is Severity.ERROR]
    if not errors:
        return Verdict.READY
    return Verdict.FIXABLE if all(one.remedies for one in errors) else Verdict.BLOCKED


def _narrowed(one: CheckedSource, asked: Asked) -> CheckedSource:
    """What was checked with the findings that were asked for; its verdict was formed from all of them."""
    from envcheck.rules import select_findings

    selected = select_findings(one.findings, asked.select, asked.ignore)
    if one.report is not None:
        return replace(one, report=replace(one.report, findings=selected))
    if one.lock_report is not None:
        return replace(one, lock_report=replace(one.lock_report, findings=selected))
    return one


def _check(question: Question, asked: Asked, resources: Resources) -> Report:
    from envcheck.pipeline import check

    return check(_request(question, asked, resources), resources.services)


def _verify(question: Question, lock: LockFile, asked: Asked, resources: Resources) -> LockReport:
    from envcheck.verify import verify

    return verify(_request(question, asked, resources), resources.services, lock)


def _request(question: Question, asked: Asked, resources: Resources) -> Request:
    """The request of one environment: the caller's word first, then the Dockerfile's.

    Every finding is asked for, whatever is to be shown: verdicts and the Dockerfile's own findings are formed from all.
    """
    request = resources.request(
        question.path,
        question.data,
        question.platform,
        channels=asked.channels if asked.override_channels else (*asked.channels, *question.channels),
        override_channels=asked.override_channels or question.override_channels,
        image=question.image,
        virtual_packages=(*question.virtual_packages, *asked.virtual_packages),
        no_pip=asked.no_pip,
    )
    return replace(request, configuration=question.configuration(request.configuration))
