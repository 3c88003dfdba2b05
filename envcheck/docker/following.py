"""A Dockerfile followed from stage to stage as a build would, without executing or fetching anything.

Only the stages that the wanted one is built from count: those of its FROM chain and those that it copies from, as
BuildKit leaves the others out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from envcheck.docker.commands import CONDA_LIKE, read_conda, unwrapped
from envcheck.docker.config_commands import read_config
from envcheck.docker.context import Context
from envcheck.docker.followed import Activation, Followed, Step
from envcheck.docker.images import find_image
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.making import EnvironmentMaker, Run
from envcheck.docker.nested import activates, conda_run, hooked, inline, is_login, quiet, written
from envcheck.docker.pip_commands import read_pip
from envcheck.docker.shell import ShellCommand, Word, read_shell
from envcheck.docker.state import Brought, Configured, Mount, State
from envcheck.errors import SourceError

__all__ = ["follow"]

_DEEPEST = 5  # ``bash -c "bash -c …"``
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "_dockerfile_shell.sh"})
# The installers' names: Miniconda3-py311_25.5.1-1-Linux-x86_64.sh, Anaconda3-2025.06-0-…; Miniforge3-… and Mambaforge.
_INSTALLER = re.compile(r"(?P<kind>Miniconda|Anaconda|Miniforge|Mambaforge|Micromamba)3?-[^\s\"']*\.sh", re.IGNORECASE)
# Commands that put no environment file anywhere.
_HARMLESS = frozenset(
    {"apt-get", "apt", "apk", "yum", "dnf", "microdnf", "mkdir", "echo", "rm", "chmod", "chown", "find"}
    | {"ln", "useradd", "groupadd", "adduser", "addgroup", "set", "export", "cd", "true", ":", "ls", "cat"}
    | {"printf", "sha256sum", "which", "touch", "usermod", "groupmod", "chgrp", "id", "locale-gen"}
)
_TRUE = frozenset({"true", "yes", "1", "on", "y"})


def follow(dockerfile: Dockerfile, context: Context, *, target: str | None = None) -> Followed:
    """Follow a Dockerfile to one stage.

    Args:
        dockerfile: The Dockerfile.
        context: The build context.
        target: The stage to build, by name or number; the last one by default.

    Raises:
        SourceError: There is no such stage.
    """
    last = dockerfile.stages[-1] if target is None else dockerfile.stage(target)
    if last is None:
        raise SourceError(
            f"there is no stage {target!r}",
            path=dockerfile.path,
            hint=f"Its stages: {', '.join(one.name or str(one.index) for one in dockerfile.stages)}.",
        )
    wanted = tuple(sorted(_needed(dockerfile, last)))
    follower = _Follower(dockerfile, context)
    for index in wanted:
        follower.stage(dockerfile.stages[index])
    state = follower.states[last.index]
    return Followed(
        dockerfile=dockerfile,
        stages=wanted,
        environments=tuple(follower.environments),
        steps=tuple(follower.steps),
        activations=tuple(follower.activations),
        context_uses=tuple(follower.context_uses),
        copies=follower.copies,
        channel_changes=tuple(follower.channel_changes),
        base=state.base,
        platform=state.platform,
        prefixes=tuple((name, line) for name, line in state.environments.values()),
        variables=tuple(state.variables.items()),
        shell=state.shell,
        context_known=context.root is not None,
        ignore_file=context.ignore_file,
        ran_unknown=state.ran_unknown,
    )


def _needed(dockerfile: Dockerfile, last: Stage) -> set[int]:
    """The stages that a stage is built from."""
    found: set[int] = set()
    waiting = [last]
    while waiting:
        stage = waiting.pop()
        if stage.index in found:
            continue
        found.add(stage.index)
        if stage.parent is not None:
            waiting.append(dockerfile.stages[stage.parent])
        for instruction in stage.instructions:
            for name in _sources(instruction):
                other = dockerfile.stage(name)
                if other is not None and other.index < stage.index:
                    waiting.append(other)
    return found


def _sources(instruction: Instruction) -> Iterator[str]:
    """The stages that an instruction copies or mounts from."""
    if (name := instruction.flag("from")) is not None:
        yield name
    for flag in instruction.flags:
        if flag.name == "mount":
            options = dict(part.partition("=")[::2] for part in flag.value.split(","))
            if "from" in options:
                yield options["from"]


class _Follower(EnvironmentMaker):
    """Goes through the stages in order and notes what it sees."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        super().__init__(dockerfile, context)
        self.steps: list[Step] = []
        self.activations: list[Activation] = []

    # -----------------------------------------------------------------------------------------------------------------
    # Stages and their instructions
    # -----------------------------------------------------------------------------------------------------------------

    def stage(self, stage: Stage) -> None:
        """Follow one stage to its end."""
        if stage.parent is not None and stage.parent in self.states:
            state = self.states[stage.parent].copied()
            state.platform = stage.platform or state.platform
        else:
            state = State(base=stage.base, platform=stage.platform or "")
            image = find_image(stage.base)
            if image is not None:
                state.tools = set(image.tools)
                state.channels = [Configured(text=name, line=0) for name in image.channels]
                state.prefix = image.prefix
                state.user = image.user
                state.shell = image.run_shell
        self.states[stage.index] = state
        for instruction in stage.instructions:
            state.variables = dict(instruction.variables)
            self._instruction(stage, instruction, state)
        state.variables = dict(stage.environment)

    def _instruction(self, stage: Stage, instruction: Instruction, state: State) -> None:
        keyword = instruction.keyword
        if keyword == "RUN":
            self._run(stage, instruction, state)
        elif keyword in ("COPY", "ADD"):
            self._copy(instruction, state)
        elif keyword == "WORKDIR" and instruction.words:
            state.workdir = state.absolute(" ".join(instruction.words))
        elif keyword == "USER" and instruction.words:
            state.user = instruction.words[0]
        elif keyword == "SHELL" and instruction.arguments is not None:
            state.shell = instruction.arguments

    # -----------------------------------------------------------------------------------------------------------------
    # Commands
    # -----------------------------------------------------------------------------------------------------------------

    def _run(self, stage: Stage, instruction: Instruction, state: State) -> None:
        state.mounts = tuple(_mounts(instruction, state))
        run = Run(stage, instruction, state, self._later(stage, instruction))
        if instruction.arguments is not None:
            words = tuple(Word(text=one) for one in instruction.arguments)
            self._commands([ShellCommand(words=words)], run, offset_line=None)
        elif instruction.heredocs and instruction.value.lstrip().startswith("<<"):
            for document in instruction.heredocs:
                run.heredoc_line = document.first_line
                self._text(document.body, run, 0)
                run.heredoc_line = None
        elif instruction.heredocs:
            text = instruction.value + "\n" + "".join(f"{one.body}{one.name}\n" for one in instruction.heredocs)
            self._text(text, run, 0)
        else:
            self._text(instruction.value, run, 0)
        state.mounts = ()

    def _later(self, stage: Stage, instruction: Instruction) -> Sequence[Instruction]:
        return [one for one in stage.instructions if one.first_line > instruction.last_line]

    def _text(self, text: str, run: Run, depth: int, line: int | None = None) -> None:
        commands = read_shell(text, run.state.variables)
        self._commands(commands, run, offset_line=line, depth=depth, text=text)

    def _commands(
        self,
        commands: Sequence[ShellCommand],
        run: Run,
        *,
        offset_line: int | None,
        depth: int = 0,
        text: str = "",
    ) -> None:
        """Take in the commands of one shell text; ``offset_line`` is their line where they stand inside a word."""
        folders: dict[tuple[int, ...], str] = {(): run.folder}

        def line_at(offset: int) -> int:
            if offset_line is not None:
                return offset_line
            if run.heredoc_line is not None:
                return run.heredoc_line + text.count("\n", 0, offset)
            return run.instruction.line_at(offset)

        before: dict[str, str] = dict(run.state.variables)
        for position, command in enumerate(map(unwrapped, commands)):
            scope = command.scope
            while scope and scope not in folders:
                scope = scope[:-1]
            run.folder = folders.get(scope, run.state.workdir)
            if not command.words:
                run.state.variables.update(dict(command.assignments))
                self._redirects(command, run, line_at(command.offset))
                continue
            line = line_at(command.words[0].offset)
            lines = tuple(line_at(word.offset) for word in command.words)
            self._note(command, line, lines, run)
            name = command.name
            if name == "cd" and len(command.words) > 1 and command.words[1].certain:
                folders[command.scope] = run.state.absolute(command.words[1].text, run.folder)
            elif name in _SHELLS and depth < _DEEPEST and (inner := inline(command)) is not None:
                outer = run.shell, run.login
                run.shell, run.login = name, any(is_login(word) for word in command.arguments)
                self._text(inner.text, run, depth + 1, line_at(inner.offset))
                run.shell, run.login = outer
            elif name in ("activate", "conda", "mamba", "micromamba", ".", "source") and activates(command):
                used = any(one.words and not quiet(one) for one in commands[position + 1 :])
                self.activations.append(
                    Activation(
                        stage=run.stage.index,
                        line=line,
                        words=tuple(word.text for word in command.words),
                        used=used,
                        hooked=run.login or "BASH_ENV" in run.state.variables or hooked(commands[:position], text),
                        shell=run.shell,
                    )
                )
                run.active = next((w for w in command.arguments[::-1] if w not in ("activate", "")), "base")
            elif name in CONDA_LIKE and (ran := conda_run(command)) is not None:
                before_active, run.active = run.active, ran[0]
                self._commands([ran[1]], run, offset_line=line, depth=depth + 1)
                run.active = before_active
            else:
                self._command(command, line, lines, run)
            self._redirects(command, run, line)
        run.folder = folders[()]
        if depth == 0:
            run.state.variables = before

    def _note(self, command: ShellCommand, line: int, lines: tuple[int, ...], run: Run) -> None:
        self.steps.append(
            Step(
                stage=run.stage.index,
                line=line,
                name=command.name,
                words=tuple(word.text for word in command.words),
                words_lines=lines,
                instruction=run.instruction,
                conditional=command.conditional,
            )
        )

    def _command(self, command: ShellCommand, line: int, lines: tuple[int, ...], run: Run) -> None:
        """One command that is neither a shell nor an activation."""
        state = run.state
        words = " ".join(word.text for word in command.words)
        if changes := read_config(command):
            before = list(state.channels or ())
            for change in changes:
                state.configure(change, line)
            self._note_channels(before, state)
        elif (made := read_conda(command)) is not None:
            self._make(made, command, lines, run)
        elif (pip := read_pip(command)) is not None:
            self._pip(pip, command, lines, run)
        elif command.name in CONDA_LIKE and " tos " in f" {words} ":
            state.tos_accepted = True
        elif (found := _INSTALLER.search(words)) is not None:
            self._installer(found, command, line, state)
        elif command.name in ("cp", "mv") and len(command.words) == 3:
            source, target = (state.absolute(word.text, run.folder) for word in command.words[1:])
            known = state.find(source)
            if isinstance(known, Brought) and known.path == source:
                into = target + "/" + posixpath.basename(source) if command.words[2].text.endswith("/") else target
                self._bring(state, replace(known, path=into, line=line))
        elif command.name in ("apk", "apt-get") and re.search(r"\b(?:glibc|gcompat|libc6-compat)\b", words):
            state.has_glibc_package = True
        elif "micromamba" in words and command.name in ("curl", "wget", "tar"):
            state.tools.add("micromamba")
        elif command.name not in _HARMLESS | CONDA_LIKE:
            state.ran_unknown = True

    def _installer(self, found: re.Match[str], command: ShellCommand, line: int, state: State) -> None:
        """A conda that is installed by its installer comes with its channels."""
        anaconda = found["kind"].lower() in ("miniconda", "anaconda")
        if command.name in ("curl", "wget") or state.anaconda_installer is None:
            state.anaconda_installer = (found[0], line) if anaconda else None
            state.tos_accepted = state.tos_accepted and anaconda
        state.tools |= {"conda"} if anaconda else {"conda", "mamba"}
        if state.channels is None:
            state.channels = [Configured(text="defaults" if anaconda else "conda-forge", line=0)]

    def _redirects(self, command: ShellCommand, run: Run, line: int) -> None:
        """Files that ``echo … > file`` and ``cat <<EOF > file`` write."""
        for redirect in command.redirects:
            if redirect.operator not in (">", ">>", ">|") or not redirect.certain or not redirect.target:
                continue
            path = run.state.absolute(redirect.target, run.folder)
            data = written(command)
            if data is None:
                run.state.ran_unknown = run.state.ran_unknown or not path.startswith("/dev/")
                continue
            if redirect.operator == ">>":
                known = run.state.find(path)
                if isinstance(known, Brought):
                    data = (self._bytes(known, path) or b"") + data
            self._bring(run.state, Brought(path=path, line=line, data=data))


def _mounts(instruction: Instruction, state: State) -> Iterator[Mount]:
    for flag in instruction.flags:
        if flag.name != "mount":
            continue
        options = dict(part.partition("=")[::2] for part in flag.value.split(","))
        target = options.get("target") or options.get("dst") or options.get("destination")
        if options.get("type", "bind") == "bind" and "from" not in options and target:
            source = options.get("source") or options.get("src") or "."
            yield Mount(target=state.absolute(target), context_path=source)
