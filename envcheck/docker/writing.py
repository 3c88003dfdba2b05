"""A Dockerfile that works, from one that was checked: the environment is made from its lock in a stage of its own.

What the user wrote is carried over in place and order but for what only conda needs; whatever is left out, replaced or
added is told. Nothing is executed, and the same arguments give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from envcheck.docker.instructions import Dockerfile, Stage
from envcheck.docker.writing_activation import activation_variables, unset_variables
from envcheck.docker.writing_builder import STYLES, builder_stage, lock_of, prefix_of_style
from envcheck.docker.writing_carrying import Carrier, affected_stages
from envcheck.docker.writing_images import final_base, holds_conda
from envcheck.docker.writing_instructions import Note, Placed
from envcheck.errors import OutputError
from envcheck.language import say
from envcheck.model import PipRequirementKind, Report
from envcheck.pip.section import planned_pip_lines
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "MARK",
    "STYLES",
    "EnvironmentToWrite",
    "Note",
    "NothingToWriteError",
    "WrittenDockerfile",
    "can_be_locked",
    "write_dockerfile",
]


_MOST_NAMES = 8  # packages that one note lists

_LOCAL = frozenset({PipRequirementKind.EDITABLE, PipRequirementKind.LOCAL_PATH})

MARK = "# Written by envcheck"
"""The beginning of a line of every Dockerfile that was written."""


class NothingToWriteError(OutputError):
    """The Dockerfile makes nothing that could be locked; that is the user's affair, and the findings say why."""

    exit_status = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentToWrite:
    """One environment of a Dockerfile, checked.

    ``name`` is what the Dockerfile calls it (``base`` for that of the image) and ``prefix`` where it makes it, as far
    as that is known; ``stage`` is the index of the stage that does, ``lines`` are the first lines of the instructions
    by which it is made, and ``files`` the paths in the build context of the files that only they need. ``commands``
    are the words of calls of pip that the lock stands for; ``unknown`` the lines with words that no reading tells;
    ``only_dependencies`` the specifications of commands with ``--only-deps``.
    """

    report: Report
    name: str
    stage: int
    lines: tuple[int, ...]
    files: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    unknown: tuple[int, ...] = ()
    prefix: str | None = None
    only_dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDockerfile:
    """The Dockerfile, the files to put beside it as pairs of a name relative to it and a text, and what is to know."""

    text: str
    files: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]


def write_dockerfile(
    dockerfile: Dockerfile,
    source: str,
    environments: Sequence[EnvironmentToWrite],
    *,
    style: str = "micromamba",
    folder: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
    taken: Callable[[str], bool] = lambda _: False,
) -> WrittenDockerfile:
    """Write the Dockerfile and the locks that it installs.

    Args:
        dockerfile: The Dockerfile as it was read.
        source: Its text, with line feeds as line ends.
        environments: What it makes, in order, with the report of each.
        style: One of `STYLES`.
        folder: Where the written Dockerfile will stand, relative to the build context; empty for its root.
        variables: The environment variables, for the names of those that hold the channels' secrets.
        taken: Whether a file of this name beside the Dockerfile is the user's own.

    Raises:
        NothingToWriteError: There is no environment, one has no solved plan, or its pip section was not resolved.
        OutputError: A package cannot be locked.
    """
    if MARK in source:
        raise NothingToWriteError(
            say("No Dockerfile was written: this one was written by envcheck, and installs its locks already."),
            path=dockerfile.path,
            hint=say("Name the Dockerfile that it was written from."),
        )
    _require_solved(dockerfile, environments)
    notes: list[Note] = []
    placed = _placed(dockerfile, environments, notes, style=style, folder=folder, variables=variables, taken=taken)
    carrier = Carrier(
        dockerfile=dockerfile,
        lines=source.split("\n"),
        placed=placed,
        affected=affected_stages(dockerfile, {one.stage for one in placed}),
        files=frozenset(file for one in environments for file in one.files),
        commands=frozenset(words for one in environments for words in one.commands),
    )
    blocks = [_header(dockerfile, placed), *carrier.arguments()]
    first = min(carrier.affected)
    for stage in dockerfile.stages:
        if stage.index == first:
            blocks += [_builder(one, dockerfile) for one in placed]
        blocks.append(carrier.stage(stage))
    text = "\n".join(block.strip("\n") + "\n" for block in blocks if block.strip())
    if dockerfile.escape != "\\":
        text = _with_escape(text, dockerfile.escape)
    return WrittenDockerfile(
        text=text,
        files=tuple(file for one in placed for file in one.lock.files),
        notes=tuple(sorted((*notes, *carrier.notes), key=lambda note: (note.line is None, note.line or 0))),
    )


def _require_solved(dockerfile: Dockerfile, environments: Sequence[EnvironmentToWrite]) -> None:
    path = dockerfile.path
    if not environments:
        raise NothingToWriteError(
            say("No Dockerfile was written: this one makes no environment that could be locked."),
            path=path,
            hint=say("Written is what installs a conda environment from a file or from specs in RUN."),
        )
    for one in environments:
        if not one.report.plan.solved or not one.report.complete:
            raise NothingToWriteError(
                say("No Dockerfile was written: there is no solved plan for the environment '{name}'.", name=one.name),
                path=path,
                hint=say("The findings say what stands in its way."),
            )
        if not _pip_is_locked(one.report):
            resolution = one.report.pip_resolution
            why = say(": {reason}", reason=resolution.trouble) if resolution is not None else ""
            raise NothingToWriteError(
                say(
                    "No Dockerfile was written: the pip section of '{name}' is not locked{why}.", name=one.name, why=why
                ),
                path=path,
                hint=say("Run it where a Python package index is reachable, without --no-pip."),
            )


def can_be_locked(report: Report) -> bool:
    """Whether everything that an environment's report plans can be put into a lock."""
    return report.plan.solved and report.complete and _pip_is_locked(report)


def _pip_is_locked(report: Report) -> bool:
    resolution = report.pip_resolution
    return not planned_pip_lines(report) or (resolution is not None and not resolution.trouble)


def _placed(
    dockerfile: Dockerfile,
    environments: Sequence[EnvironmentToWrite],
    notes: list[Note],
    *,
    style: str,
    folder: str,
    variables: Mapping[str, str],
    taken: Callable[[str], bool],
) -> tuple[Placed, ...]:
    """Every environment with its place in the image, its lock, and the stage that makes it."""
    main = _main_environment(dockerfile, environments)
    found: list[Placed] = []
    stages = {stage.name for stage in dockerfile.stages}
    for index, one in enumerate(environments):
        several = len(environments) > 1
        label = _label(one.name, index) if several else ""
        stage = dockerfile.stages[one.stage]
        wanted = one.prefix or _usual_prefix(one.name)
        root = _root_of(dockerfile, stage)
        if wanted == "/opt/conda" and final_base(root.base).image is None and holds_conda(root.base):
            wanted = "/opt/env"
            text = say("{image} has packages of its own in /opt/conda", image=root.base)
            notes.append(Note(line=stage.origin.first_line, text=text))
        prefix = prefix_of_style(style, wanted)
        if several and style == "pixi":
            prefix = prefix.replace("/opt/pixi/", f"/opt/pixi-{label}/")
        names = [package.name for package in one.report.plan.packages]
        name = f"environment-{label}" if several else "environment"
        while name in stages:
            name = f"locked-{name}"
        stages.add(name)
        lock = lock_of(one.report, style=style, folder=folder, label=label, variables=variables)
        if any(taken(file) for file, _ in lock.files):
            other = f"{label}-locked" if label else "locked"
            lock = lock_of(one.report, style=style, folder=folder, label=other, variables=variables)
        found.append(
            Placed(
                name=one.name,
                stage=one.stage,
                lines=frozenset(one.lines),
                builder=name,
                prefix=prefix,
                wanted=wanted,
                variables=activation_variables(names, prefix),
                main=index == main,
                report=one.report,
                lock=lock,
            )
        )
        notes += _environment_notes(one, names)
    return tuple(found)


def _environment_notes(one: EnvironmentToWrite, names: Sequence[str]) -> list[Note]:
    """What of an environment is not in its lock, or has to be known to build from it."""
    found: list[Note] = []
    line = min(one.lines, default=None)
    if "python" not in names:
        found.append(Note(line=line, text=say("the environment '{name}' has no Python", name=one.name)))
    found += [
        Note(
            line=line,
            text=say(
                "'{row}' is not in the lock: copy the project and install it behind it", row=mask(row.text.strip())
            ),
        )
        for row in one.report.environment.pip
        if row.kind in _LOCAL
    ]
    if one.only_dependencies:
        names_of = _listed(one.only_dependencies)
        text = say("only the dependencies of {names} were asked for; the lock has it too", names=names_of)
        found.append(Note(line=line, text=text))
    plan = one.report.plan
    if plan.changed:
        versions = _listed([f"{row.name} {row.to_version}" for row in plan.changed])
        text = say("the lock has other versions than were asked for: {versions}", versions=versions)
        found.append(Note(line=line, text=text))
    if plan.dropped:
        names_left_out = _listed([row.name for row in plan.dropped])
        text = say("the lock leaves out {names}: the report says why", names=names_left_out)
        found.append(Note(line=line, text=text))
    found += [
        Note(
            line=line,
            text=say("{package}'s activation sets compiler variables that ENV cannot tell", package=package),
        )
        for package in unset_variables(names)
    ]
    text = say("what is known only while it is built is not in the lock")
    found += [Note(line=where, text=text) for where in one.unknown]
    channels = (*one.report.target.channels, *one.report.plan.added_channels)
    for channel in channels:
        if any(strip_secrets(location) != location for location in channel.locations):
            text = say(
                "{channel} asks for credentials, which the build needs too: RUN --mount=type=secret",
                channel=channel.name,
            )
            found.append(Note(line=line, text=text))
        elif channel.mirror is not None:
            text = say(
                "the lock names {url} itself: the mirror ({mirror}) is not asked in the build",
                url=channel.url,
                mirror=channel.mirror,
            )
            found.append(Note(line=line, text=text))
    return found


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_MOST_NAMES]) + (", ..." if len(texts) > _MOST_NAMES else "")


def _main_environment(dockerfile: Dockerfile, environments: Sequence[EnvironmentToWrite]) -> int:
    """The environment that is on PATH: the last one that is activated or run, else the first."""
    if len(environments) == 1:
        return 0
    lines = [line for stage in dockerfile.stages for one in stage.instructions for line in one.text.split("\n")]
    uses = []
    for index, one in enumerate(environments):
        called = rf"(?:activate\s+(?:\S*/)?|(?:-n|--name)[\s\",=]+|/envs/){re.escape(one.name)}(?![\w.-])"
        found = [
            (number, -match.start(), -index)
            for number, line in enumerate(lines)
            if (match := re.search(called, line)) and not re.search(r"\b(?:create|install|update|env)\s", line)
        ]
        uses.append(max(found, default=(-1, 0, -index)))
    return -max(uses)[2]


def _label(name: str, index: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or str(index)


def _usual_prefix(name: str) -> str:
    """Where conda, mamba and micromamba put an environment in the images that have them in /opt/conda."""
    return "/opt/conda" if name in ("base", "root", "") else f"/opt/conda/envs/{name}"


def _root_of(dockerfile: Dockerfile, stage: Stage) -> Stage:
    while stage.parent is not None:
        stage = dockerfile.stages[stage.parent]
    return stage


def _builder(one: Placed, dockerfile: Dockerfile) -> str:
    root = _root_of(dockerfile, dockerfile.stages[one.stage])
    platform = re.search(r"--platform=(\S+)", root.origin.text)
    return builder_stage(
        one.report,
        one.lock,
        name=one.builder,
        prefix=one.prefix,
        platform=platform[1] if platform else None,
        base_exists=one.lock.style == "micromamba" and one.prefix == "/opt/conda",
    )


def _header(dockerfile: Dockerfile, placed: Sequence[Placed]) -> str:
    directives = dict(dockerfile.directives)
    lines = [f"# syntax={directives.pop('syntax', 'docker/dockerfile:1')}"]
    lines += [f"# {name}={value}" for name, value in directives.items()]
    platforms = " and ".join(dict.fromkeys(one.report.target.platform for one in placed))
    lines += [
        f"{MARK}: the environment is that of the lock beside this file, for {platforms}.",
        "# A tag can be moved by its owner: put each image's digest behind it (IMAGE:TAG@sha256:...) to fix the bytes.",
        "# docker buildx imagetools inspect IMAGE:TAG tells it; envcheck asks no registry.",
    ]
    return "\n".join(lines) + "\n"


def _with_escape(text: str, escape: str) -> str:
    """Text with another escape character at the ends of the lines that were written with a backslash."""
    return re.sub(r"\\$", lambda _: escape, text, flags=re.MULTILINE)
