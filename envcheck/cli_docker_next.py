"""What ``envcheck docker`` tells last: the files that it wrote, and the command to type next, which has to work."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envcheck.cli_outputs import options_to_repeat, tell_step
from envcheck.cli_support import say
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import docker_platform
from envcheck.docker.writing import MARK
from envcheck.docker.writing_environments import can_be_written
from envcheck.errors import SourceError
from envcheck.language import tell, told
from envcheck.reports.plain import plain
from envcheck.reports.shell import shell_name
from envcheck.secrets import mask
from envcheck.sources.encoding import decode

if TYPE_CHECKING:
    from envcheck.docker.asked import Asked
    from envcheck.docker.writing_files import WrittenFiles
    from envcheck.reports.dockerfile import DockerReport

__all__ = ["tell_next"]

_NAMES = ("Dockerfile.locked", "Dockerfile.envcheck")
"""What the written Dockerfile is to be called: the first that is not somebody else's file."""


def tell_next(report: DockerReport, written: WrittenFiles | None) -> None:
    """On standard error: what was written, and what to do next.

    Args:
        report: What was found out about the Dockerfile.
        written: What was written from it, ``None`` where nothing was to be.
    """
    if written is not None:
        _tell_written(written)
    if report.asked is None or report.asked.path is None:
        return
    step = _writing(report, report.asked, report.asked.path) if written is None else _build(report, written)
    if step is not None:
        tell_step(step)


def _tell_written(written: WrittenFiles) -> None:
    for note in written.notes:
        where = "" if note.line is None else tell("line {line}: ", line=note.line)
        say(tell("note: {text}", text=plain(mask(where + told(note.text)))))
    for path in written.paths:
        say(tell("wrote {path}", path=plain(path)))


def _writing(report: DockerReport, asked: Asked, path: Path) -> str | None:
    """The command that writes a Dockerfile which works, if there is something to mend and it can be written."""
    context = click.get_current_context()
    platforms: tuple[str | None, ...] = tuple(dict.fromkeys(context.params["platforms"]))
    # --write takes one of several platforms; where there is one or none, the options have it.
    several = len(platforms) > 1
    tried = platforms if several else (None,)
    found = next(((one,) for one in tried if _is_to_be_written(report, one)), None)
    place = _place(asked, path)
    if found is None or place is None or _is_written(asked, path):
        return None
    options = options_to_repeat(context, "docker", without=["platforms"] if several else [])
    words = ["envcheck", "docker", shell_name(str(path)), *filter(None, [options])]
    words += (f"-p {one}" for one in found if one is not None)
    return " ".join([*words, "--write", shell_name(str(place))])


def _is_to_be_written(report: DockerReport, platform: str | None) -> bool:
    """Whether an environment is not as it should be and all can be locked: for a platform, or for all there are."""
    checked = [one for one in report.checked if platform in (None, one.platform)]
    mended = any(one.report is not None and one.report.plan.solved and one.verdict != "ready" for one in checked)
    return mended and can_be_written(report.followed, checked)


def _is_written(asked: Asked, path: Path) -> bool:
    """Whether the Dockerfile was written by envcheck; none is written from such a one."""
    return MARK in decode(asked.data, str(path)).text


def _place(asked: Asked, path: Path) -> Path | None:
    """Where the written Dockerfile goes: beside the other, or where that is not in the context to the top of this."""
    folder = path.parent
    if asked.context is not None and not folder.resolve().is_relative_to(asked.context.resolve()):
        folder = asked.context
    return next((folder / name for name in _NAMES if _is_free(folder / name)), None)


def _is_free(path: Path) -> bool:
    """Whether nothing of somebody else's is there."""
    try:
        return MARK.encode() in path.read_bytes()
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _build(report: DockerReport, written: WrittenFiles) -> str | None:
    """The build of what was written, with what the Dockerfile was checked for."""
    asked, params = report.asked, click.get_current_context().params
    if asked is None:
        return None
    path = written.paths[-1]
    words = ["docker", "build", "-f", shell_name(path)]
    for argument in params["build_args"]:
        words += ["--build-arg", shlex.quote(mask(argument))]
    if params["target"] is not None and (target := _target(report, path, params["target"])) is not None:
        words += ["--target", shlex.quote(target)]
    if (platform := _platform(report, asked_for=bool(params["platforms"]))) is not None:
        words += ["--platform", platform]
    return " ".join([*words, shell_name(str(asked.context))])


def _target(report: DockerReport, path: str, target: str) -> str | None:
    """The stage as the written Dockerfile has it: numbers count the stages that make the environments, too."""
    before = report.followed.dockerfile
    stage = before.stage(target)
    if stage is None or stage.name == target.lower():
        return target
    if stage.name is not None:
        return stage.name
    try:
        after = read_dockerfile(Path(path).read_bytes(), path)
    except (OSError, SourceError):
        return None
    # They stand before the first stage that has an environment, and so before the one that is built.
    return str(stage.index + len(after.stages) - len(before.stages))


def _platform(report: DockerReport, *, asked_for: bool) -> str | None:
    """Docker's platform of the locks, where the build would not have it of itself."""
    found = {one.platform for one in report.checked}
    if len(found) != 1 or not (asked_for or (found != {"linux-64"} and not report.followed.platform)):
        return None
    return docker_platform(found.pop())
