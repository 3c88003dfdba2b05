"""What is in the files that a plan becomes, and the next command to type; the writing is `envcheck.files`'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from envcheck.locks import CHOICES
from envcheck.model import Channel, Environment, PipResolution, Presence, Report, Requirement
from envcheck.pip.section import pip_lines, planned_pip_lines
from envcheck.secrets import strip_secrets

if TYPE_CHECKING:
    from envcheck.locks.contents import PlatformLock

__all__ = [
    "PLATFORM",
    "environment_text",
    "explicit_text",
    "explicit_texts",
    "lock_format",
    "lock_text",
    "normalized_text",
    "output_texts",
    "sbom_text",
]

PLATFORM = "{platform}"
"""What stands for the platform in the name of a file of which every platform has one."""


def lock_format(path: str) -> str:
    """The format that a lock's name asks for.

    ``*.txt`` is an explicit list, and so is ``conda-linux-64.lock``, as conda-lock calls those; any other ``*.lock`` is
    a ``pixi.lock``; whatever else it is called, it is a ``conda-lock.yml``, unless a format has just this name.
    """
    name = PurePath(path).name
    for choice in CHOICES.values():
        if choice.filename == name:
            return choice.format
    if name.endswith(".txt") or (name.startswith("conda-") and name.endswith(".lock")):
        return "explicit"
    return "pixi-lock-v7" if name.endswith(".lock") else "conda-lock-v1"


def lock_text(
    reports: Sequence[Report],
    *,
    path: str,
    format_name: str = "conda-lock-v1",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The lock for the solved plans of one source, one report per platform.

    Args:
        reports: The reports; every plan is solved.
        path: Where the lock will stand; the source is named relative to it.
        format_name: A format of `envcheck.locks.CHOICES` other than ``explicit``.
        variables: The environment variables: conda-lock.yml names those that hold the channels' secrets.

    Raises:
        OutputError: A package cannot be locked (no md5).
    """
    from envcheck.locks import load_format
    from envcheck.locks.contents import LockDraft

    draft = LockDraft(
        platforms=tuple(_platform_locks(reports)),
        channels=tuple({channel.url: channel for report in reports for channel in _channels(report)}.values()),
        indexes=_indexes(reports),
        sources=tuple(dict.fromkeys(_source_name(report) for report in reports)),
        filename=PurePath(path).name,
        variables=variables,
    )
    text: str = load_format(format_name).render_lock(draft)
    return text


def sbom_text(reports: Sequence[Report], *, date: int | None = None) -> str:
    """The bill of materials of the solved plans of one source, one report per platform.

    Args:
        reports: The reports; every plan is solved.
        date: When it is made, in seconds since 1970; ``None`` leaves that out.

    Raises:
        OutputError: A package cannot be locked.
    """
    from envcheck.locks.sbom import render

    rows = [row.name for report in reports for row in report.environment.pip if row.name is not None]
    direct = [name for report in reports for name in report.plan.direct]
    return render(_platform_locks(reports), name=reports[0].environment.name, direct=[*direct, *rows], date=date)


def _platform_locks(reports: Sequence[Report]) -> list[PlatformLock]:
    """What is locked for each platform."""
    from envcheck.locks.contents import PlatformLock

    locks = []
    for report in reports:
        resolution = report.pip_resolution or PipResolution()
        lock = PlatformLock(
            platform=report.target.platform,
            packages=report.plan.packages,
            requirements=report.plan.requirements,
            virtual_packages=report.target.virtual_packages,
            distributions=resolution.distributions,
            pip_requirements=_pip_lines(report),
            provided=resolution.provided,
        )
        locks.append(lock)
    return locks


def explicit_text(report: Report) -> str:
    """The ``@EXPLICIT`` list of a solved plan's packages (CEP 23).

    Raises:
        OutputError: A package has no hash.
    """
    from envcheck.locks.explicit import render

    return render(report.plan.packages, platform=report.target.platform)


def explicit_texts(report: Report, *, path: str) -> tuple[tuple[str, str], ...]:
    """The ``@EXPLICIT`` list of a solved plan and, beside it, what pip is to install: pairs of path and text.

    Args:
        report: The report; its plan is solved.
        path: Where the list will stand.

    Raises:
        OutputError: A package or a distribution has no hash.
    """
    from envcheck.locks import pip_requirements

    resolution = report.pip_resolution or PipResolution()
    hashed_path, commits_path = pip_requirements.filenames(path)
    references = {strip_secrets(row.url.partition("#")[0]) for row in report.environment.pip if row.url is not None}
    if report.source_indexes:
        # Nothing tells which index a file is of, pip and uv would not search these in the way it was found, and an
        # index that was not asked has no place in the file at all.
        references |= {one.url for one in resolution.distributions}
    hashed = pip_requirements.render(
        resolution.distributions,
        references=references,
        filename=PurePath(hashed_path).name,
    )
    commits = pip_requirements.render_commits(resolution.distributions, filename=PurePath(commits_path).name)
    beside = ((hashed_path, hashed), (commits_path, commits))
    return ((path, explicit_text(report)), *((one, text) for one, text in beside if text is not None))


def output_texts(
    reports: Sequence[Report],
    *,
    lock: str | None = None,
    format_name: str | None = None,
    explicit: str | None = None,
    environment: str | None = None,
    sbom: str | None = None,
    direct_only: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[tuple[str, str], ...]:
    """Every file that is to be written, as pairs of path and text.

    Args:
        reports: The reports, one per platform; every plan is solved.
        lock: Where the lock will stand.
        format_name: The lock's format; by default the one that its name asks for.
        explicit: Where the explicit list will stand; with several platforms ``{platform}`` is in the name.
        environment: Where the environment file will stand; likewise.
        sbom: Where the bill of materials will stand, one for all platforms.
        direct_only: Whether the environment file leaves out what only came along.
        variables: The environment variables.

    Raises:
        OutputError: A package cannot be locked.
    """
    texts: list[tuple[str, str]] = []
    format_name = format_name or lock_format(lock or "")
    if lock is not None and format_name != "explicit":
        texts.append((lock, lock_text(reports, path=lock, format_name=format_name, variables=variables)))
    for report in reports:
        for path in (lock if format_name == "explicit" else None, explicit):
            if path is not None:
                texts += explicit_texts(report, path=path.replace(PLATFORM, report.target.platform))
        if environment is not None:
            path = environment.replace(PLATFORM, report.target.platform)
            texts.append((path, environment_text(report, direct_only=direct_only)))
    if sbom is not None:
        date = variables.get("SOURCE_DATE_EPOCH", "")
        texts.append((sbom, sbom_text(reports, date=int(date) if date.isascii() and date.isdigit() else None)))
    return tuple(texts)


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
        pip=_pip_lines(report),
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


def _pip_lines(report: Report) -> tuple[str, ...]:
    """The plan's pip section, with the versions that were resolved."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    resolution = report.pip_resolution or PipResolution()
    versions = {one.name: one.version for one in resolution.distributions}
    lines: list[str] = []
    for line in planned_pip_lines(report):
        try:
            asked = Requirement(line)
        except InvalidRequirement:  # an option, an editable
            lines.append(line)
            continue
        version = versions.get(canonicalize_name(asked.name))
        if version is None or asked.url is not None:
            lines.append(line)
            continue
        extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
        marker = f" ; {asked.marker}" if asked.marker else ""
        lines.append(f"{asked.name}{extras}=={version}{marker}")
    return tuple(dict.fromkeys(lines))


def _indexes(reports: Sequence[Report]) -> tuple[str, ...]:
    """The package indexes that were asked: PyPI, whatever the user has in its place, then those of the sources.

    rattler takes a distribution that tells no index for one of the first.
    """
    from envcheck.locks.pip_requirements import index_options
    from envcheck.pip.configuration import DEFAULT_INDEX_URL

    named = [
        (option.split(" ", 1), report.source_indexes)
        for report in reports
        for option in index_options(report.environment.pip)
    ]
    asked = [url for (flag, url), known in named if flag != "--find-links" and url.rstrip("/") in known]
    return tuple(dict.fromkeys([DEFAULT_INDEX_URL, *asked]))


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
