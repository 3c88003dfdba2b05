"""A Dockerfile followed from stage to stage as a build would, without executing or fetching anything.

Only the stages that the wanted one is built from count: those of its FROM chain and those that it copies from, as
BuildKit leaves the others out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from envcheck.docker.commands import CONDA_LIKE, TOOLS, unwrapped
from envcheck.docker.context import Context
from envcheck.docker.effects import SHELLS, CommandEffects
from envcheck.docker.followed import Activation, Followed, MissingTool, Step
from envcheck.docker.images import find_image, lacks_conda
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.making import Run
from envcheck.docker.nested import activates, conda_run, hooked, inline, is_login, quiet
from envcheck.docker.shell import Redirect, ShellCommand, Word, read_shell
from envcheck.docker.starting import missing_starts
from envcheck.docker.state import Brought, Configured, Mount, State
from envcheck.errors import SourceError
from envcheck.language import say

__all__ = ["follow"]

_DEEPEST = 5  # ``bash -c "bash -c …"``


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
            say("there is no stage {target!r}", target=target),
            path=dockerfile.path,
            hint=say(
                "Its stages: {stages}.", stages=", ".join(one.name or str(one.index) for one in dockerfile.stages)
            ),
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
        moved=tuple(follower.moved),
        missing_tools=tuple(follower.missing_tools),
        tools=None if state.may_have_tools or state.ran_unknown else frozenset(state.tools),
        missing_starts=missing_starts(follower, last, state),
        unread_scripts=tuple(dict.fromkeys(follower.unread_scripts)),
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


class _Follower(CommandEffects):
    """Goes through the stages in order and notes what it sees."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        super().__init__(dockerfile, context)
        self.steps: list[Step] = []
        self.activations: list[Activation] = []
        self.missing_tools: list[MissingTool] = []
        self.unread_scripts: list[tuple[str, int]] = []

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
                state.priority = image.priority
                state.prefix = image.prefix
                state.user = image.user
                state.shell = image.run_shell
            else:
                state.may_have_tools = not lacks_conda(stage.base)
        self.states[stage.index] = state
        if stage.parent is None:
            self._on_build(stage, state)
        for instruction in stage.instructions:
            state.variables = dict(instruction.variables)
            self._instruction(stage, instruction, state)
        state.variables = dict(stage.environment)

    def _on_build(self, stage: Stage, state: State) -> None:
        """What the ONBUILD instructions of the base image do with the build context."""
        image = find_image(stage.base)
        if image is None or not image.on_build or self.context.root is None:
            return
        folders = [name for name in ("binder", ".binder") if self.context.is_directory(name)] or [""]
        home = dict(image.variables).get("HOME", "/")
        state.variables = dict(image.variables)
        state.workdir = posixpath.join(home, folders[0])
        self._bring(state, Brought(path=home, line=stage.origin.first_line, context_path="", directory=True))
        for name, command in image.on_build:
            if not name or self.context.is_file(posixpath.join(folders[0], name)):
                run = Run(stage, stage.origin, state, ())
                run.triggered = True
                self._text(command, run, 0, stage.origin.first_line)
                break
        state.workdir = home

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
        brought = len(state.brought)
        self._mount_stages(instruction, state)
        mounted = state.brought[brought:]
        run = Run(stage, instruction, state, self._later(stage, instruction))
        run.triggered = instruction.triggered
        if instruction.arguments is not None:
            words = tuple(Word(text=one) for one in instruction.arguments)
            self._commands([ShellCommand(words=words)], run, offset_line=None)
        elif instruction.heredocs and instruction.value.lstrip().startswith("<<"):
            for document in instruction.heredocs:
                run.heredoc_line = document.first_line
                if _is_shell_text(document.body):
                    self._text(document.body, run, 0)
                else:
                    state.ran_unknown = True
                run.heredoc_line = None
        elif instruction.heredocs:
            text = instruction.value + "\n" + "".join(f"{one.body}{one.name}\n" for one in instruction.heredocs)
            self._text(text, run, 0)
        else:
            self._text(instruction.value, run, 0)
        state.mounts = ()
        state.brought = [one for one in state.brought if one not in mounted]

    def _mount_stages(self, instruction: Instruction, state: State) -> None:
        """``--mount=type=bind,from=STAGE``: what one instruction sees of another stage."""
        for options in _mount_options(instruction):
            target = _target(options)
            other = self.dockerfile.stage(options.get("from", ""))
            if target is not None and other is not None and other.index in self.states:
                source = options.get("source") or options.get("src") or "/"
                line = instruction.first_line
                self._bring_from(self.states[other.index], source, state.absolute(target), line=line, state=state)

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
            behind = len(run.instruction.value) + 1
            if run.instruction.heredocs and offset >= behind:
                return run.instruction.heredocs[0].first_line + text.count("\n", behind, offset)
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
            if name in TOOLS and not command.conditional:
                self._call(command, line, run)
            if name == "cd" and len(command.words) > 1 and command.words[1].certain:
                folders[command.scope] = run.state.absolute(command.words[1].text, run.folder)
            elif depth < _DEEPEST and self._within(command, run, depth, line_at, offset_line):
                pass
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

    def _within(
        self, command: ShellCommand, run: Run, depth: int, line_at: Callable[[int], int], offset_line: int | None
    ) -> bool:
        """Take in what a shell is given to run: as a word, as its input, or as a file of the context; if it is one."""
        name = command.name
        if name in SHELLS and (inner := inline(command)) is not None:
            outer = run.shell, run.login
            run.shell, run.login = name, any(is_login(word) for word in command.arguments)
            self._text(inner.text, run, depth + 1, line_at(inner.offset))
            run.shell, run.login = outer
        elif name in SHELLS and (body := _document(command)) is not None:
            outer_line, run.heredoc_line = run.heredoc_line, line_at(body.offset) + 1
            self._text(body.body or "", run, depth + 1, offset_line)
            run.heredoc_line = outer_line
        elif (script := self._script(command, run)) is not None:
            outer_script, run.script = run.script, script[0]
            self._text(script[1], run, depth + 1, line_at(command.words[0].offset))
            run.script = outer_script
        else:
            script_name = next((word.text for word in command.words[:2] if word.text.endswith(".sh")), None)
            called = name in SHELLS or "/" in command.words[0].text
            if script_name is not None and called and not run.state.installer:
                self.unread_scripts.append((script_name, line_at(command.words[0].offset)))
            return False
        return True

    def _call(self, command: ShellCommand, line: int, run: Run) -> None:
        """Note a call of conda or its like that is not in the image."""
        state = run.state
        if command.name in state.tools or state.may_have_tools or state.ran_unknown:
            return
        self.missing_tools.append(MissingTool(name=command.name, line=line, base=state.base))
        state.tools.add(command.name)  # told once

    def _script(self, command: ShellCommand, run: Run) -> tuple[str, str] | None:
        """The path and the text of a script of the build context that a command runs, else ``None``."""
        words = [word for word in command.words if not word.text.startswith("-")]
        if command.name in SHELLS:
            del words[:1]
        elif "/" not in command.words[0].text:
            return None
        if not words or not words[0].certain:
            return None
        path = run.state.absolute(words[0].text, run.folder)
        known = run.state.find(path)
        if not isinstance(known, Brought):
            return None
        data = self._bytes(known, path)
        text = "" if data is None else data.decode("utf-8", "replace")
        if not text or (command.name not in SHELLS and not text.startswith("#!")) or not _is_shell_text(text):
            return None
        return words[0].text, text

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


def _document(command: ShellCommand) -> Redirect | None:
    """The text that a shell is given as its input: ``bash -e <<EOF``."""
    if any(not word.text.startswith("-") for word in command.words[1:]):
        return None
    return next((one for one in command.redirects if one.body is not None), None)


def _is_shell_text(text: str) -> bool:
    """Whether a script is for a shell: its first line names one, or none."""
    first = text.split("\n", 1)[0]
    return not first.startswith("#!") or re.search(r"\b(?:ba|da|z|a)?sh\b", first) is not None


def _mounts(instruction: Instruction, state: State) -> Iterator[Mount]:
    for options in _mount_options(instruction):
        target = _target(options)
        if "from" not in options and target is not None:
            source = options.get("source") or options.get("src") or "."
            yield Mount(target=state.absolute(target), context_path=source)


def _mount_options(instruction: Instruction) -> Iterator[dict[str, str]]:
    """The options of each ``--mount`` that binds files."""
    for flag in instruction.flags:
        if flag.name == "mount":
            options = dict(part.partition("=")[::2] for part in flag.value.split(","))
            if options.get("type", "bind") == "bind":
                yield options


def _target(options: Mapping[str, str]) -> str | None:
    return options.get("target") or options.get("dst") or options.get("destination")
