"""The commands of a Dockerfile that make environments or add to them, with what was in force when they ran."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from envcheck.docker.commands import CondaCommand
from envcheck.docker.context import Context
from envcheck.docker.files import BroughtFiles
from envcheck.docker.followed import FileFate, MadeEnvironment, UsedFile
from envcheck.docker.images import has_musl, python_of
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.nested import environment_of_shell, is_login
from envcheck.docker.pip_commands import PipCommand
from envcheck.docker.shell import ShellCommand, Word
from envcheck.docker.state import Configured, State

__all__ = ["EnvironmentMaker", "Run"]

_TRUE = frozenset({"true", "yes", "1", "on", "y"})


class Run:
    """One RUN instruction while it is followed."""

    def __init__(self, stage: Stage, instruction: Instruction, state: State, later: Sequence[Instruction]) -> None:
        self.stage = stage
        self.instruction = instruction
        self.state = state
        self.later = later
        self.folder = state.workdir
        self.active = environment_of_shell(state.shell)
        self.heredoc_line: int | None = None
        # Who reads the commands, and whether it has read what ``conda init`` wrote.
        self.shell = state.shell[0].rsplit("/", 1)[-1] if state.shell else "sh"
        self.login = self.shell == "_dockerfile_shell.sh" or any(map(is_login, state.shell[1:]))


class EnvironmentMaker(BroughtFiles):
    """Notes every environment that a command makes, and what it is made of."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        super().__init__(dockerfile, context)
        self.environments: list[MadeEnvironment] = []
        self._specs: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}
        self._channels: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}

    def _make(self, made: CondaCommand, command: ShellCommand, lines: tuple[int, ...], run: Run) -> None:
        state = run.state
        line = lines[0]
        if made.clone or made.action == "update" or (made.everything and not made.files):
            return
        files = tuple(self._used(word, state, run.folder, self._line_of(word, command, lines), run.later)
                      for word in made.files)  # fmt: skip
        specs = tuple(
            (word.text, self._line_of(word, command, lines)) for word in made.specs if word.certain and word.text
        )
        if made.tool == "pixi" and not {"--locked", "--frozen"} & set(made.words):
            # Without a lock pixi solves its manifest.
            files = tuple(replace(one, fate=FileFate.UNKNOWN) if one.fate is FileFate.MISSING else one for one in files)
        if not files and not specs:
            if made.action.startswith("env"):
                # ``conda env create`` alone reads environment.yml.
                word = Word(text="environment.yml", offset=command.offset)
                files = (self._used(word, state, run.folder, line, run.later),)
            elif made.action == "create" and not made.unknown:
                state.environments[_prefix(made, state, run)] = (made.name or made.prefix or "", line)
                return
            else:
                return
        prefix = _prefix(made, state, run, files)
        environment = dict(state.variables) | dict(command.assignments)
        key = (run.stage.index, prefix)
        earlier = self._specs.get(key, ()) if not files else ()
        channels = tuple((word.text, self._line_of(word, command, lines)) for word in made.channels)
        # What was installed before came from the channels of then.
        channels += tuple(
            one for one in self._channels.get(key, ()) if earlier and one[0] not in {text for text, _ in channels}
        )
        self.environments.append(
            MadeEnvironment(
                stage=run.stage.index,
                line=line,
                tool=made.tool,
                base=state.base,
                platform=state.platform,
                prefix=prefix,
                conda=made,
                files=files,
                specs=specs,
                earlier=earlier,
                channels=channels,
                configured=self._configured(state, environment, line),
                priority=made.priority or environment.get("CONDA_CHANNEL_PRIORITY") or state.priority or "flexible",
                yes=made.yes
                or made.action.startswith("env")
                or state.always_yes
                or command.piped
                or any(
                    environment.get(name, "").lower() in _TRUE
                    for name in ("CONDA_ALWAYS_YES", "MAMBA_ALWAYS_YES", "CONDA_YES")
                ),
                uses_defaults_installer=state.anaconda_installer,
                tos_accepted=state.tos_accepted
                or environment.get("CONDA_PLUGINS_AUTO_ACCEPT_TOS", "").lower() in _TRUE,
                musl=has_musl(state.base) and not state.has_glibc_package,
                variables=tuple(environment.items()),
            )
        )
        if made.action == "create" or earlier:
            self._specs[key] = (*earlier, *specs)
            self._channels[key] = channels
        if (
            "create" in made.action
            or made.action.startswith("env")
            or prefix in state.environments
            or made.tool in ("conda-lock", "pixi")
        ):
            state.environments.setdefault(prefix, (posixpath.basename(prefix), line))

    def _configured(self, state: State, environment: dict[str, str], line: int) -> tuple[Configured, ...]:
        listed = environment.get("CONDA_CHANNELS") or environment.get("MAMBA_CHANNELS")
        if listed:
            return tuple(Configured(text=one.strip(), line=line) for one in listed.split(",") if one.strip())
        return tuple(state.channels or ())

    def _pip(self, pip: PipCommand, command: ShellCommand, lines: tuple[int, ...], run: Run) -> None:
        state = run.state
        files = tuple(self._used(word, state, run.folder, self._line_of(word, command, lines), run.later)
                      for word in pip.files)  # fmt: skip
        specs = tuple((word.text, self._line_of(word, command, lines)) for word in pip.specs if word.certain)
        specs = tuple(one for one in specs if re.split(r"[^\w-]", one[0])[0] not in ("pip", "setuptools", "wheel"))
        if not files and not specs:
            return
        python = python_of(state.base)
        for text, _ in self._specs.get((run.stage.index, _named(run.active or "base", state)), ()):
            if match := re.fullmatch(r"python={1,2}(\d+\.\d+)[\d.*]*", text):
                python = match[1]
        self.environments.append(
            MadeEnvironment(
                stage=run.stage.index,
                line=lines[0],
                tool="pip",
                base=state.base,
                platform=state.platform,
                prefix=_prefix_of_program(command, state) or _named(run.active or "base", state),
                pip=pip,
                files=files,
                specs=specs,
                configured=tuple(state.channels or ()),
                priority=state.priority or "flexible",
                variables=tuple(state.variables.items()),
                python=python,
            )
        )

    def _line_of(self, word: Word, command: ShellCommand, lines: tuple[int, ...]) -> int:
        """The line of a word: that of the command's word that stands at the same place."""
        for one, line in zip(command.words, lines, strict=False):
            if one.offset >= word.offset:
                return line if one.offset == word.offset else lines[0]
        return lines[0]


def _prefix(made: CondaCommand, state: State, run: Run, files: Sequence[UsedFile] = ()) -> str:
    """Where the environment lies."""
    if made.prefix is not None:
        return state.absolute(made.prefix, run.folder)
    if made.tool == "pixi":
        return posixpath.join(run.folder, ".pixi/envs", made.name or "default")
    name = made.name
    if name is None and made.action != "install":
        name = next((found for one in files if (found := _name_in(one.data)) is not None), None)
    return _named(name or run.active or "base", state)


def _named(name: str, state: State) -> str:
    root = state.variables.get("MAMBA_ROOT_PREFIX") or state.prefix or "/opt/conda"
    if name.startswith("/"):
        return name
    return root if name == "base" else posixpath.join(root, "envs", name)


def _prefix_of_program(command: ShellCommand, state: State) -> str | None:
    """The environment whose own Python or pip is called by its path (``/opt/conda/envs/demo/bin/python -m pip``)."""
    match = re.fullmatch(r"(/.+)/bin/(?:python|pip)[\d.]*", command.words[0].text) if command.words else None
    return match[1] if match is not None and match[1] in state.environments else None


def _name_in(data: bytes | None) -> str | None:
    """The ``name:`` of an environment file."""
    match = re.search(rb"^name:[ \t]*[\"']?([\w.-]+)", data or b"", re.MULTILINE)
    return None if match is None else match[1].decode()
