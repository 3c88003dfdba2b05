"""Which environments a written Dockerfile makes: what several commands put into one is checked again as one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from envcheck.docker.followed import Followed, MadeEnvironment
from envcheck.docker.preflight import CheckedSource, Question, known_image, oldest_image
from envcheck.docker.sources import EnvironmentSource, NotRead, sources_of
from envcheck.docker.writing import EnvironmentToWrite, NothingToWriteError, can_be_locked
from envcheck.docker.writing_images import final_base
from envcheck.language import say
from envcheck.model import PipRequirement, Report, Requirement, SourceKind
from envcheck.sources import read_source
from envcheck.virtual_packages import overrides_from_environment

__all__ = ["can_be_written", "environments_to_write", "merged_source"]

# What is installed only to make environments with.
_TOOLS = frozenset(
    {"conda", "mamba", "micromamba", "conda-lock", "conda-libmamba-solver", "libmamba-solver", "pip", "conda-pack"}
)


def environments_to_write(
    followed: Followed,
    checked: Sequence[CheckedSource],
    ask: Callable[[Question], Report],
) -> tuple[EnvironmentToWrite, ...]:
    """The environments of a Dockerfile, each with one report of everything that is installed into it.

    Args:
        followed: The Dockerfile, followed.
        checked: What came of checking each source of each command.
        ask: Checks one source.

    Raises:
        NothingToWriteError: A part of what is installed cannot be read: a lock without it would be another environment.
    """
    found: list[EnvironmentToWrite] = []
    for (stage, prefix), wanted in _groups(followed).items():
        for made in wanted:
            _require_in_the_dockerfile(made, followed)
        used = [(made, source) for made in wanted for source in _sources(made, followed)]
        report = _report(used, checked, ask, followed)
        found.append(
            EnvironmentToWrite(
                report=report,
                name=_name(prefix, wanted),
                stage=stage,
                lines=tuple(dict.fromkeys(_instruction_line(made, followed) for made in wanted)),
                files=tuple(
                    dict.fromkeys(one.context_path for made in wanted for one in made.files if one.context_path)
                ),
                commands=tuple(made.pip.words for made in wanted if made.pip is not None and not made.pip.local),
                unknown=tuple(made.line for made in wanted if _unknown(made)),
                prefix=prefix,
                only_dependencies=tuple(text for made in wanted if _only_deps(made) for text, _ in made.specs),
            )
        )
    return tuple(found)


def can_be_written(followed: Followed, checked: Sequence[CheckedSource]) -> bool:
    """Whether `environments_to_write` has something to give, and a lock can be made of each part of it.

    Nothing is asked for it: that parts which can be locked go together in one environment is not known yet.

    Args:
        followed: The Dockerfile, followed.
        checked: What came of checking each source of each command, for one platform.
    """
    commands = [made for wanted in _groups(followed).values() for made in wanted]
    for made in commands:
        parts = [one for one in checked if one.made == made]
        if not _is_in_the_dockerfile(made) or not parts or not all(map(_can_be_locked, parts)):
            return False
    return bool(commands)


def _can_be_locked(one: CheckedSource) -> bool:
    if one.lock_report is not None:
        return one.complete and one.verdict == "sound"
    return one.report is not None and can_be_locked(one.report)


def _groups(followed: Followed) -> dict[tuple[int, str], list[MadeEnvironment]]:
    """The commands of each environment of conda, by its stage and prefix; those of mere tools are left out."""
    groups: dict[tuple[int, str], list[MadeEnvironment]] = {}
    for made in followed.environments:
        groups.setdefault((made.stage, made.prefix), []).append(made)
    wanted = {key: [one for one in commands if not _only_tools(one)] for key, commands in groups.items()}
    return {key: commands for key, commands in wanted.items() if commands and _of_conda(commands)}


def _is_in_the_dockerfile(made: MadeEnvironment) -> bool:
    return made.script is None and not made.triggered


def _require_in_the_dockerfile(made: MadeEnvironment, followed: Followed) -> None:
    """What makes an environment has to be replaced, and only an instruction of the stage itself can be.

    Raises:
        NothingToWriteError: A script makes it, or an ONBUILD instruction.
    """
    if _is_in_the_dockerfile(made):
        return
    what = say("an ONBUILD instruction") if made.script is None else say("the script {path}", path=made.script)
    raise NothingToWriteError(
        say("No Dockerfile was written: {what} makes the environment, and would go on making it.", what=what),
        path=followed.dockerfile.path,
        line=made.line,
        hint=say("Put the command that makes the environment into a RUN of the Dockerfile."),
    )


def _only_tools(made: MadeEnvironment) -> bool:
    names = {re.split(r"[\s=<>!~\[]", text.rpartition("::")[2], maxsplit=1)[0] for text, _ in made.specs}
    return not made.files and bool(names) and names <= _TOOLS


def _of_conda(commands: Sequence[MadeEnvironment]) -> bool:
    """Whether conda makes it, or pip adds to what an image of conda has."""
    return any(one.pip is None for one in commands) or final_base(commands[0].base).image is not None


def _unknown(made: MadeEnvironment) -> bool:
    return (made.conda is not None and made.conda.unknown) or (made.pip is not None and made.pip.unknown)


def _only_deps(made: MadeEnvironment) -> bool:
    return made.conda is not None and bool({"--only-deps", "--deps-only"} & set(made.conda.words))


def _sources(made: MadeEnvironment, followed: Followed) -> list[EnvironmentSource]:
    found: list[EnvironmentSource] = []
    for source in sources_of(made, followed.dockerfile.path):
        if isinstance(source, NotRead):
            raise NothingToWriteError(
                say(
                    "No Dockerfile was written: {path} is not read, because {reason}.",
                    path=source.path,
                    reason=source.reason,
                ),
                path=followed.dockerfile.path,
                line=made.line,
                hint=say(
                    "Name the build context with --context; a lock without this file would be another environment."
                ),
            )
        found.append(source)
    return found


def _report(
    used: Sequence[tuple[MadeEnvironment, EnvironmentSource]],
    checked: Sequence[CheckedSource],
    ask: Callable[[Question], Report],
    followed: Followed,
) -> Report:
    """The report of the one source, or of all of them put together."""
    known = [one for made, source in used for one in checked if one.made == made and one.path == source.path]
    for one in known:
        if one.reason:
            raise NothingToWriteError(
                say(
                    "No Dockerfile was written: {path} is not checked, because {reason}.",
                    path=one.path,
                    reason=one.reason,
                ),
                line=one.made.line,
            )
    if len(used) == 1 and (report := next((one.report for one in known if one.report is not None), None)) is not None:
        return report
    platform = next((one.platform for one in known if one.platform), "linux-64")
    source = used[0][1] if len(used) == 1 else merged_source([source for _, source in used])
    return ask(_question([made for made, _ in used], source, platform, followed))


def _question(
    commands: Sequence[MadeEnvironment], source: EnvironmentSource, platform: str, followed: Followed
) -> Question:
    """What is asked about everything that some commands install together."""
    conda = next((one for one in commands if one.pip is None), commands[0])
    configured = tuple(dict.fromkeys(channel.text for channel in conda.configured))
    named = source.names_channels or any(one.channels for one in commands)
    if source.lock is not None or not configured:
        # What a lock names is all that it needs.
        configured = ("nodefaults",) if named else configured or ("conda-forge",)
    return Question(
        path=source.path,
        data=source.data,
        platform=platform,
        image=known_image(oldest_image(followed.bases_of(conda), platform), platform)[0],
        virtual_packages=overrides_from_environment(dict(conda.variables), platform),
        channels=tuple(dict.fromkeys(text for one in commands for text, _ in one.channels)),
        override_channels=False,
        configured=configured,
        channel_priority=conda.priority if conda.priority in ("strict", "flexible", "disabled") else "flexible",
    )


def merged_source(sources: Sequence[EnvironmentSource]) -> EnvironmentSource:
    """One environment file of several sources, each row once, in order."""
    channels: dict[str, None] = {}
    conda: dict[str, None] = {}
    pip: dict[str, None] = {}
    for source in sources:
        export = read_source(source.data, source.path)
        channels.update(dict.fromkeys(one.text for one in export.channels))
        rows = [_conda_text(one) for one in export.requirements]
        if conda and export.pip:
            # What pip's own files are checked with says only which Python there is.
            rows = [one for one in rows if not re.match(r"(?:python|pip)\b", one) or source.kind is not _WRITTEN]
        conda.update(dict.fromkeys(rows))
        pip.update(dict.fromkeys(_pip_text(one) for one in export.pip))
    if pip:
        conda.setdefault("pip")
    lines = ["channels:", *(f"  - {json.dumps(one)}" for one in channels)] if channels else []
    lines += ["dependencies:", *(f"  - {json.dumps(one, ensure_ascii=False)}" for one in conda)]
    if pip:
        lines += ["  - pip:", *(f"    - {json.dumps(one, ensure_ascii=False)}" for one in pip)]
    return EnvironmentSource(
        path=sources[0].path,
        data=("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"),
        names_channels=bool(channels),
        kind=SourceKind.ENVIRONMENT_YAML,
    )


_WRITTEN = SourceKind.ENVIRONMENT_YAML


def _conda_text(row: Requirement) -> str:
    """A row as a MatchSpec of an environment file."""
    channel = f"{row.channel}::" if row.channel else ""
    version = f" {row.version}" if row.version else ""
    build = f" {row.build}" if row.build and row.version else ""
    return f"{channel}{row.name}{version}{build}"


def _pip_text(row: PipRequirement) -> str:
    return row.text.strip()


def _name(prefix: str, commands: Sequence[MadeEnvironment]) -> str:
    """What the Dockerfile calls it; the base environment of the image is ``base``."""
    for one in commands:
        if one.conda is not None and one.conda.name:
            return one.conda.name
    parent, _, name = prefix.rpartition("/")
    return name if parent.endswith("/envs") else "base"


def _instruction_line(made: MadeEnvironment, followed: Followed) -> int:
    for instruction in followed.dockerfile.stages[made.stage].instructions:
        if instruction.first_line <= made.line <= instruction.last_line:
            return instruction.first_line
    return made.line
