"""The commands of a Dockerfile that make environments or add to them, with what was in force when they ran."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from envcheck.docker.commands import TOOLS, CondaCommand
from envcheck.docker.context import Context
from envcheck.docker.files import BroughtFiles
from envcheck.docker.followed import FileFate, MadeEnvironment, MovedEnvironment, UsedFile
from envcheck.docker.images import has_musl, python_of
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.nested import environment_of_shell, is_login
from envcheck.docker.pip_commands import PipCommand, with_configured_indexes
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
        self.script: str | None = None
        self.triggered = False
        # Who reads the commands, and whether it has read what ``conda init`` wrote.
        self.shell = state.shell[0].rsplit("/", 1)[-1] if state.shell else "sh"
        self.login = self.shell == "_dockerfile_shell.sh" or any(map(is_login, state.shell[1:]))


class EnvironmentMaker(BroughtFiles):
    """Notes every environment that a command makes, and what it is made of."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        super().__init__(dockerfile, context)
        self.environments: list[MadeEnvironment] = []
        self.moved: list[MovedEnvironment] = []
        self._specs: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}
        self._channels: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}

    def _make(self, made: CondaCommand, command: ShellCommand, lines: tuple[int, ...], run: Run) -> None:
        state, line = run.state, lines[0]
        if made.clone or made.action == "update" or (made.everything and not made.files):
            return
        files = self._files(made, command, lines, run)
        specs = tuple(
            (word.text, self._line_of(word, command, lines)) for word in made.specs if word.certain and word.text
        )
        prefix = _prefix(made, state, run, files)
        if not files and not specs and not made.unknown:
            if made.action == "create":
                state.environments[prefix] = (made.name or made.prefix or "", line)
            return
        if made.tool == "pixi" and made.runs and prefix in state.environments:
            return  # ``pixi run`` installs only what is not there yet.
        environment = dict(state.variables) | dict(command.assignments)
        key = (run.stage.index, prefix)
        earlier = self._specs.get(key, ()) if not files else ()
        channels = tuple((word.text, self._line_of(word, command, lines)) for word in made.channels)
        # What was installed before came from the channels of then.
        channels += tuple(
            one for one in self._channels.get(key, ()) if earlier and one[0] not in {text for text, _ in channels}
        )
        priority = environment.get("CONDA_CHANNEL_PRIORITY") or environment.get("MAMBA_CHANNEL_PRIORITY")
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
                configured=_configured(state, environment, line),
                priority=made.priority or priority or state.priority or "flexible",
                yes=_answers(made, command, state, environment),
                uses_defaults_installer=state.anaconda_installer,
                tos_accepted=state.tos_accepted
                or environment.get("CONDA_PLUGINS_AUTO_ACCEPT_TOS", "").lower() in _TRUE,
                musl=has_musl(state.base) and not state.has_glibc_package,
                variables=tuple(environment.items()),
                script=run.script,
                triggered=run.triggered,
                existed=prefix in (_named("base", state), *state.environments),
                root=_named("base", state),
                conditional=command.conditional,
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
        names = {re.split(r"[\s=<>!~\[]", text.rpartition("::")[2], maxsplit=1)[0] for text, _ in specs}
        state.tools |= TOOLS & names
        # What a file brings may be one of them.
        state.may_have_tools = state.may_have_tools or (bool(files) and prefix == state.prefix)

    def _files(
        self, made: CondaCommand, command: ShellCommand, lines: tuple[int, ...], run: Run
    ) -> tuple[UsedFile, ...]:
        """The files that a command reads."""
        words = made.files
        if not words and made.action.startswith("env"):
            # ``conda env create`` alone reads environment.yml.
            words = (Word(text="environment.yml", offset=command.offset),)
        files = tuple(
            self._used(word, run.state, run.folder, self._line_of(word, command, lines), run.later) for word in words
        )
        # Without a lock pixi solves its manifest; and a condition may ask whether the file is there.
        unlocked = made.tool == "pixi" and not {"--locked", "--frozen"} & set(made.words)
        if unlocked or command.conditional:
            files = tuple(replace(one, fate=FileFate.UNKNOWN) if one.fate is FileFate.MISSING else one for one in files)
        return files

    def _pip(self, pip: PipCommand, command: ShellCommand, lines: tuple[int, ...], run: Run) -> None:
        state = run.state
        files = tuple(self._used(word, state, run.folder, self._line_of(word, command, lines), run.later)
                      for word in pip.files)  # fmt: skip
        specs = tuple((word.text, self._line_of(word, command, lines)) for word in pip.specs if word.certain)
        state.tools |= TOOLS & {re.split(r"[^\w-]", text)[0] for text, _ in specs}
        specs = tuple(one for one in specs if re.split(r"[^\w-]", one[0])[0] not in ("pip", "setuptools", "wheel"))
        if not files and not specs:
            return
        python = python_of(state.base)
        for text, _ in self._specs.get((run.stage.index, _named(run.active or "base", state)), ()):
            if match := re.fullmatch(r"python={1,2}(\d+\.\d+)[\d.*]*", text):
                python = match[1]
        environment = dict(state.variables) | dict(command.assignments)
        self.environments.append(
            MadeEnvironment(
                stage=run.stage.index,
                line=lines[0],
                tool="pip",
                base=state.base,
                platform=state.platform,
                prefix=_prefix_of_program(command, state) or _named(run.active or "base", state),
                pip=with_configured_indexes(pip, environment | state.pip_settings),
                files=files,
                specs=specs,
                configured=tuple(state.channels or ()),
                priority=state.priority or "flexible",
                variables=tuple(environment.items()),
                python=python,
                script=run.script,
                triggered=run.triggered,
            )
        )

    def _copy_from(self, origin: str, source: str, target: str, *, into_folder: bool, line: int, state: State) -> None:
        super()._copy_from(origin, source, target, into_folder=into_folder, line=line, state=state)
        stage = self.dockerfile.stage(origin)
        if stage is None or stage.index not in self.states:
            return
        path = posixpath.normpath("/" + source.lstrip("/")).rstrip("/")
        chain = {stage.index}
        while stage.parent is not None:
            stage = self.dockerfile.stages[stage.parent]
            chain.add(stage.index)
        here = [(one.stage, one.prefix) for one in self.environments if one.stage in chain]
        here += [(one.stage, one.prefix) for one in self.moved if one.into in chain]
        into = next(index for index, known in self.states.items() if known is state)
        musl = has_musl(state.base) and not state.has_glibc_package
        for made_in, prefix in dict.fromkeys(here):
            if prefix == path or prefix.startswith(path + "/"):
                moved = MovedEnvironment(
                    stage=made_in,
                    prefix=prefix,
                    line=line,
                    base=state.base,
                    into=into,
                    platform=state.platform,
                    musl=musl,
                )
                self.moved.append(moved)

    def _line_of(self, word: Word, command: ShellCommand, lines: tuple[int, ...]) -> int:
        """The line of a word: that of the command's word that stands at the same place."""
        for one, line in zip(command.words, lines, strict=False):
            if one.offset >= word.offset:
                return line if one.offset == word.offset else lines[0]
        return lines[0]


def _configured(state: State, environment: Mapping[str, str], line: int) -> tuple[Configured, ...]:
    """The channels of conda's configuration, or of the variable that goes before it."""
    listed = environment.get("CONDA_CHANNELS") or environment.get("MAMBA_CHANNELS")
    if listed:
        return tuple(Configured(text=one.strip(), line=line) for one in listed.split(",") if one.strip())
    return tuple(state.channels or ())


def _answers(made: CondaCommand, command: ShellCommand, state: State, environment: Mapping[str, str]) -> bool:
    """Whether a command asks nothing, or is answered."""
    variables = ("CONDA_ALWAYS_YES", "MAMBA_ALWAYS_YES", "CONDA_YES")
    return (
        made.yes
        or made.action.startswith("env")
        or state.always_yes
        or command.piped
        or any(environment.get(name, "").lower() in _TRUE for name in variables)
    )


def _prefix(made: CondaCommand, state: State, run: Run, files: Sequence[UsedFile] = ()) -> str:
    """Where the environment lies."""
    if made.prefix is not None:
        return state.absolute(made.prefix, run.folder)
    if made.tool == "pixi":
        return posixpath.join(run.folder, ".pixi/envs", made.name or "default")
    name = made.name
    program = re.fullmatch(r"(/.+)/(?:bin|condabin)/(?:conda|mamba)", made.words[0])
    if program is not None and not program[1].startswith("/usr"):
        root = program[1]  # conda that is called by its path has its environments beside it
        if name is not None:
            return root if name == "base" else posixpath.join(root, "envs", name)
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
