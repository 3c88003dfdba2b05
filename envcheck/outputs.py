"""What is in the files that a plan becomes, and the next command to type; the writing is `envcheck.files`'."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from envcheck.model import Channel, Environment, Presence, Report, Requirement, Verdict
from envcheck.pip.section import pip_lines, planned_pip_lines
from envcheck.secrets import mask, strip_secrets

__all__ = ["environment_text", "explicit_text", "lock_text", "next_steps", "normalized_text"]


def lock_text(reports: Sequence[Report], *, path: str) -> str:
    """``conda-lock.yml`` for the solved plans of one source, one report per platform.

    Args:
        reports: The reports; every plan is solved.
        path: Where the lock will stand; the source is named relative to it.

    Raises:
        OutputError: A package cannot be locked (no md5).
    """
    from envcheck.locks.conda_lock_v1 import PlatformLock, render_platforms

    locks = [
        PlatformLock(
            platform=report.target.platform,
            packages=report.plan.packages,
            requirements=report.plan.requirements,
            virtual_packages=report.target.virtual_packages,
        )
        for report in reports
    ]
    channels = {channel.url: channel for report in reports for channel in _channels(report)}
    return render_platforms(
        locks,
        channels=tuple(channels.values()),
        sources=tuple(dict.fromkeys(_source_name(report) for report in reports)),
        filename=PurePath(path).name,
    )


def explicit_text(report: Report) -> str:
    """The ``@EXPLICIT`` list of a solved plan's packages (CEP 23).

    Raises:
        OutputError: A package has no hash.
    """
    from envcheck.locks.explicit import render

    return render(report.plan.packages, platform=report.target.platform)


def environment_text(report: Report, *, direct_only: bool = False) -> str:
    """The environment file of a solved plan: the source's requirements at the plan's versions, and the pip section.

    Args:
        report: The report; its plan is solved.
        direct_only: Whether to leave out what only came along with something else. Nothing is added or loosened, so
            that the plan's own packages are a solution of the shorter file too.
    """
    from envcheck.locks.environment_yaml import render

    return render(
        report.environment.name,
        platform=report.target.platform,
        channels=[channel.name for channel in _channels(report)],
        specs=_direct_specs(report) if direct_only else _planned_specs(report),
        pip=planned_pip_lines(report),
    )


def normalized_text(environment: Environment) -> str:
    """The environment file of an environment as it was normalized; reading and normalizing it changes nothing."""
    from envcheck.locks.environment_yaml import render

    return render(
        environment.name,
        platform=environment.platform,
        channels=[reference.text for reference in environment.channels],
        specs=[*_specs(environment), *environment.implied],
        pip=pip_lines(environment.pip),
    )


def next_steps(reports: Sequence[Report], *, lock: str | None, environment: str | None) -> tuple[str, ...]:
    """What to do next, a line each: commands are ready to be typed.

    Args:
        reports: The reports of the run.
        lock: The lock that was written, if any.
        environment: The environment file that was written, if any.
    """
    if len(reports) != 1:
        return ()
    report = reports[0]
    source = shlex.quote(mask(report.export.path))
    name = shlex.quote(report.environment.name)
    pip = planned_pip_lines(report)
    steps: list[str] = []
    if lock is not None:
        steps.append(f"micromamba create -n {name} -f {shlex.quote(lock)}   (or: conda-lock install -n {name} …)")
        if pip:
            where = f"in {environment}" if environment is not None else "in the file that --environment writes"
            steps.append(f"the lock holds the conda packages; the {len(pip)} pip requirements stand {where}")
    elif environment is not None:
        steps.append(f"conda env create -f {shlex.quote(environment)}")
    elif report.verdict is Verdict.BLOCKED:
        steps.append(f"envcheck check -v {source}   (every finding and change)")
    elif report.verdict is Verdict.FIXABLE:
        steps.append(
            f"envcheck check {source} --lock conda-lock.yml --environment environment.{report.target.platform}.yml"
        )
    elif report.export.path != "-":
        steps.append(f"envcheck lock {source}")
    return tuple(steps)


def _channels(report: Report) -> tuple[Channel, ...]:
    return (*report.target.channels, *report.plan.added_channels)


def _source_name(report: Report) -> str:
    """The source as it may stand in a lock: its name alone, because a directory is the author's affair."""
    return "stdin" if report.export.path == "-" else PurePath(report.export.path).name


def _planned_specs(report: Report) -> list[str]:
    """The plan's requirements, and the Python that it is made for where only the source's builds told it."""
    # ``name=1.2`` would be any 1.2.*: the file asks for what was solved.
    specs = [requirement.replace(" ==", "==") for requirement in report.plan.requirements]
    return _with_python(specs, report) if report.environment.python is not None else specs


def _direct_specs(report: Report) -> list[str]:
    """The plan's requirements that were asked for, and the Python of the plan, whoever needed it."""
    # The plan names what was asked for as the source does, and its requirements as the target does.
    renamed = {
        one.requirement.name: one.close_names[0] for one in report.availability if one.presence is Presence.RENAMED
    }
    direct = {renamed.get(name, name) for name in report.plan.direct} | {"python"}
    return _with_python([spec for spec in _planned_specs(report) if spec.partition("==")[0] in direct], report)


def _with_python(specs: list[str], report: Report) -> list[str]:
    """Some specs and the plan's Python, if it has one and they do not say it."""
    python = next((one for one in report.plan.packages if one.name == "python"), None)
    if python is None or any(spec.startswith("python==") for spec in specs):
        return specs
    return [f"python=={python.version}", *specs]


def _specs(environment: Environment) -> list[str]:
    """The requirements, and the Python that only builds told: they are gone from the file, it must not be."""
    specs = [_spec(requirement) for requirement in environment.requirements]
    row = next((one for one in environment.requirements if one.name == "python"), None)
    if environment.python is not None and (row is None or row.version is None):
        python = f"python={environment.python.removesuffix('.*')}"
        return [python, *specs] if row is None else [python if spec == "python" else spec for spec in specs]
    return specs


def _spec(requirement: Requirement) -> str:
    """A requirement as people write it in an environment file; it reads back as the same requirement."""
    version = requirement.version or ""
    channel = f"{strip_secrets(requirement.channel)}::" if requirement.channel else ""
    if requirement.build is not None:
        text = f"{requirement.name}={version.removeprefix('==')}={requirement.build}"
        if not version.startswith("=="):
            text = f"{requirement.name} {version or '*'} {requirement.build}"
    elif version.endswith(".*") and requirement.pin == version[:-2]:
        text = f"{requirement.name}={requirement.pin}"
    elif version and version[0] in "<>=!~":
        text = f"{requirement.name}{version}"
    else:
        text = f"{requirement.name} {version}".strip()
    return channel + text
