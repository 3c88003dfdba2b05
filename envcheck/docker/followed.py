"""What following a Dockerfile finds: the environments that it makes, and what else was seen on the way."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from envcheck.docker.commands import CondaCommand
from envcheck.docker.instructions import Dockerfile, Instruction
from envcheck.docker.pip_commands import PipCommand
from envcheck.docker.state import Configured

__all__ = [
    "Activation",
    "ContextUse",
    "FileFate",
    "Followed",
    "MadeEnvironment",
    "MissingStart",
    "MissingTool",
    "MovedEnvironment",
    "Step",
    "UsedFile",
]


class FileFate(str, enum.Enum):
    """What became of a file that a command uses or that COPY brings in."""

    READ = "read"
    MISSING = "missing"
    IGNORED = "ignored"
    LATE = "late"
    UNKNOWN = "unknown"
    """It comes from the base image, from a command, or from where nothing is known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFile:
    """A file that a command reads: its path as the command names it, where it came from, and its bytes.

    ``context_path`` is relative to the build context; ``copied_on`` the line of the instruction that brought it, or for
    `FileFate.LATE` will bring it.
    """

    path: str
    fate: FileFate
    line: int
    context_path: str | None = None
    copied_on: int | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of a RUN with what was in force when it runs.

    ``line`` is the command's own line; ``words`` are its words; ``words_lines`` the line of each.
    """

    stage: int
    line: int
    name: str
    words: tuple[str, ...]
    words_lines: tuple[int, ...]
    instruction: Instruction = field(repr=False)
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeEnvironment:
    """A command that makes an environment or adds to one.

    ``base`` is the image at the bottom of the stage's FROM chain; ``platform`` Docker's word for it (``linux/amd64``),
    empty where none is asked for; ``configured`` are the channels of conda's configuration; ``files`` what it reads.
    ``earlier`` are specifications that the same environment was made with before; ``yes`` is true where no question
    will be asked; ``python`` what is known of the Python that pip installs for; ``script`` the file of the context that
    holds the command, ``None`` where the Dockerfile does; ``triggered`` says that an ONBUILD instruction does;
    ``existed`` that the prefix had an environment before, ``root`` being the base environment's; ``conditional`` that
    the command may not run.
    """

    stage: int
    line: int
    tool: str
    base: str
    platform: str
    prefix: str
    conda: CondaCommand | None = None
    pip: PipCommand | None = None
    files: tuple[UsedFile, ...] = ()
    specs: tuple[tuple[str, int], ...] = ()
    earlier: tuple[tuple[str, int], ...] = ()
    channels: tuple[tuple[str, int], ...] = ()
    configured: tuple[Configured, ...] = ()
    priority: str = "flexible"
    yes: bool = True
    uses_defaults_installer: tuple[str, int] | None = None
    tos_accepted: bool = False
    musl: bool = False
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    python: str | None = None
    script: str | None = None
    triggered: bool = False
    existed: bool = False
    root: str = ""
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """``conda activate`` or ``source activate`` in a RUN: does anything of the same RUN come after it?

    ``hooked`` says that the shell knows ``conda activate``; ``shell`` which one it is.
    """

    stage: int
    line: int
    words: tuple[str, ...]
    used: bool
    hooked: bool
    shell: str = "sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEnvironment:
    """An environment that COPY --from brings from the stage that made it into another stage, upon ``base``."""

    stage: int
    prefix: str
    line: int
    base: str
    into: int
    platform: str = ""
    musl: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingTool:
    """A program that a command calls, and that nothing has brought into the image."""

    name: str
    line: int
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingStart:
    """A script that CMD or ENTRYPOINT starts, and that nothing brings into the image.

    ``folder_line`` is the line of the COPY that brings its folder without it, ``None`` where none does.
    """

    path: str
    line: int
    folder_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextUse:
    """A source of COPY or ADD that the context does not give; ``pattern`` is the ignore file's line about it."""

    line: int
    path: str
    fate: FileFate
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Everything that following one Dockerfile to one stage found.

    ``tools`` are the programs of conda and its like that the finished image has, ``None`` where that is not known;
    ``unread_scripts`` are shell scripts that are run and of which nothing is known, with the line.
    """

    dockerfile: Dockerfile
    stages: tuple[int, ...]
    environments: tuple[MadeEnvironment, ...]
    steps: tuple[Step, ...]
    activations: tuple[Activation, ...]
    context_uses: tuple[ContextUse, ...]
    copies: int
    channel_changes: tuple[Configured, ...]
    base: str
    platform: str
    prefixes: tuple[tuple[str, int], ...]
    variables: tuple[tuple[str, str], ...]
    shell: tuple[str, ...]
    context_known: bool
    ignore_file: str = ".dockerignore"
    ran_unknown: bool = False
    moved: tuple[MovedEnvironment, ...] = ()
    missing_tools: tuple[MissingTool, ...] = ()
    tools: frozenset[str] | None = None
    missing_starts: tuple[MissingStart, ...] = ()
    unread_scripts: tuple[tuple[str, int], ...] = ()

    def bases_of(self, made: MadeEnvironment) -> tuple[str, ...]:
        """The images that an environment is in: where it is made first, then those that it is copied into."""
        moved = (one.base for one in self.moved if (one.stage, one.prefix) == (made.stage, made.prefix))
        return tuple(dict.fromkeys((made.base, *moved)))

    def stages_under(self, index: int) -> tuple[int, ...]:
        """A stage and those of its FROM chain, by their numbers."""
        found = [index]
        while (parent := self.dockerfile.stages[found[-1]].parent) is not None:
            found.append(parent)
        return tuple(found)
