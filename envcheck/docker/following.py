"""A Dockerfile followed from stage to stage as a build would, without executing or fetching anything.

Only the stages that the wanted one is built from count: those of its FROM chain and those that it copies from, as
BuildKit leaves the others out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from envcheck.docker.commands import (
    CONDA_LIKE,
    CondaCommand,
    PipCommand,
    read_conda,
    read_config,
    read_pip,
    unwrapped,
)
from envcheck.docker.context import Context
from envcheck.docker.followed import Activation, ContextUse, FileFate, Followed, MadeEnvironment, Step, UsedFile
from envcheck.docker.images import find_image, has_musl, python_of
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.shell import ShellCommand, Word, read_shell
from envcheck.docker.state import Brought, Configured, Mount, State, is_configuration
from envcheck.errors import SourceError

__all__ = ["follow"]

_DEEPEST = 5  # ``bash -c "bash -c …"``
_MOST_SOURCES = 500  # of one COPY
_VARIABLE = re.compile(r"\$\{?(\w+)")
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


class _Follower:
    """Goes through the stages in order and notes what it sees."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        self.dockerfile = dockerfile
        self.context = context
        self.states: dict[int, State] = {}
        self.environments: list[MadeEnvironment] = []
        self.steps: list[Step] = []
        self.activations: list[Activation] = []
        self.context_uses: list[ContextUse] = []
        self.channel_changes: list[Configured] = []
        self.copies = 0
        self._specs: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}
        self._channels: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}

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
    # Files
    # -----------------------------------------------------------------------------------------------------------------

    def _copy(self, instruction: Instruction, state: State) -> None:
        words = [word for word in instruction.words if word]
        if len(words) < 2:
            return
        *sources, destination = words
        into_folder = destination.endswith(("/", "/.")) or len(sources) > 1 or destination in (".", "./")
        target = state.absolute(destination)
        line = instruction.first_line
        origin = instruction.flag("from")
        documents = {one.name: one for one in instruction.heredocs}
        # What a build argument without a value stands for, only `docker build` is told.
        named = {found[1] for found in _VARIABLE.finditer(instruction.value)}
        certain = named <= {name for name, _ in instruction.variables}
        for source in sources[:_MOST_SOURCES]:
            if source.startswith("<<"):
                name = source.lstrip("<-").strip("\"'")
                if name in documents:
                    path = posixpath.join(target, name) if into_folder else target
                    body = documents[name].body.encode("utf-8", "replace")
                    self._bring(state, Brought(path=path, line=line, data=body))
            elif origin is not None:
                self._copy_from(origin, source, target, into_folder=into_folder, line=line, state=state)
            elif re.match(r"(?:https?|git|ssh)://|git@", source):
                self._bring(state, Brought(path=target, line=line, directory=True, stage=-1))
            else:
                before = len(self.context_uses)
                self._copy_source(source, target, into_folder=into_folder, line=line, state=state)
                if not certain:
                    del self.context_uses[before:]

    def _copy_source(self, source: str, target: str, *, into_folder: bool, line: int, state: State) -> None:
        """One source of the context, with what the context says of it."""
        self.copies += 1
        if self.context.root is None:
            name = posixpath.basename(source.rstrip("/"))
            path = posixpath.join(target, name) if into_folder and "*" not in source else target
            self._bring(state, Brought(path=path, line=line, context_path=source))
            return
        cleaned = posixpath.normpath("/" + source).lstrip("/")
        found = self.context.matching(source)
        wild = any(mark in source for mark in "*?[")
        if not found and not wild and cleaned:
            self.context_uses.append(ContextUse(line=line, path=source, fate=FileFate.MISSING))
        for path in found or (cleaned,):
            pattern = self.context.ignoring(path) if path else None
            if pattern is not None and found and not wild and not self._keeps_below(path):
                self.context_uses.append(
                    ContextUse(line=line, path=source, fate=FileFate.IGNORED, pattern=pattern.text)
                )
            if self.context.is_directory(path):
                # What is in a folder is copied, not the folder.
                inner = posixpath.join(target, posixpath.basename(path)) if wild and len(found) > 1 else target
                self._bring(state, Brought(path=inner, line=line, context_path=path, directory=True))
            else:
                placed = posixpath.join(target, posixpath.basename(path)) if into_folder or wild else target
                self._bring(state, Brought(path=placed, line=line, context_path=path))

    def _keeps_below(self, path: str) -> bool:
        """Whether the ignore file brings back something below a folder."""
        return self.context.is_directory(path) and any(one.keeps for one in self.context.patterns)

    def _copy_from(self, origin: str, source: str, target: str, *, into_folder: bool, line: int, state: State) -> None:
        """COPY --from: another stage's or image's file or folder."""
        path = posixpath.normpath("/" + source.lstrip("/"))
        other = self.dockerfile.stage(origin)
        before = None if other is None else self.states.get(other.index)
        name = posixpath.basename(path)
        if name in CONDA_LIKE | {"pixi"}:
            state.tools.add(name)
        placed = posixpath.join(target, name) if into_folder and name else target
        if before is None or other is None:
            self._bring(state, Brought(path=target, line=line, directory=True, stage=-1))
            return
        for prefix, (label, made) in before.environments.items():
            if prefix == path or prefix.startswith(path.rstrip("/") + "/"):
                state.environments[target + prefix[len(path) :]] = (label, made)
        known = before.find(path)
        if isinstance(known, Brought):
            inside = path[len(known.path) :].strip("/") if known.directory else ""
            context_path = known.context_path
            if context_path is not None and inside:
                context_path = posixpath.join(context_path, inside)
            self._bring(state, replace(known, path=placed, line=line, context_path=context_path))
        else:
            self._bring(state, Brought(path=target, line=line, directory=True, stage=other.index))

    def _bring(self, state: State, brought: Brought) -> None:
        state.brought.append(brought)
        if is_configuration(brought.path) and not brought.directory:
            data = self._bytes(brought, brought.path)
            if data is not None:
                before = list(state.channels or ())
                state.read_configuration(data, brought.line)
                self._note_channels(before, state)

    def _note_channels(self, before: Sequence[Configured], state: State) -> None:
        self.channel_changes += [one for one in state.channels or () if one not in before]

    def _bytes(self, brought: Brought, path: str) -> bytes | None:
        """The bytes of a file of the image."""
        if brought.data is not None:
            return brought.data
        if brought.context_path is None or self.context.root is None:
            return None
        inside = path[len(brought.path) :].lstrip("/") if brought.directory else ""
        name = posixpath.join(brought.context_path, inside)
        if self.context.ignoring(name) is not None:
            return None
        return self.context.read(name)

    def _used(self, word: Word, state: State, folder: str, line: int, later: Sequence[Instruction]) -> UsedFile:
        """What a command finds under a path."""
        path = state.absolute(word.text, folder)
        found = state.find(path) if word.certain else None
        if found is None:
            copied = self._comes_later(path, state, later) if word.certain else None
            fate = FileFate.UNKNOWN if copied is None else FileFate.LATE
            return UsedFile(path=word.text, fate=fate, line=line, copied_on=copied)
        if isinstance(found, Mount):
            inside = path[len(found.target) :].lstrip("/")
            name = posixpath.normpath(posixpath.join(found.context_path, inside))
            found = Brought(path=path, line=line, context_path=name)
        data = self._bytes(found, path)
        name_in_context = found.context_path
        if name_in_context is not None and found.directory:
            name_in_context = posixpath.join(name_in_context, path[len(found.path) :].lstrip("/"))
        fate = FileFate.READ
        if data is None:
            fate = FileFate.UNKNOWN
            if name_in_context is not None and self.context.root is not None:
                ignored = self.context.is_file(name_in_context) and self.context.ignoring(name_in_context)
                fate = FileFate.IGNORED if ignored else FileFate.MISSING
                if fate is FileFate.MISSING and found.directory and state.ran_unknown:
                    fate = FileFate.UNKNOWN  # A command may have made it in the folder.
        return UsedFile(
            path=word.text, fate=fate, line=line, context_path=name_in_context, copied_on=found.line, data=data
        )

    def _comes_later(self, path: str, state: State, later: Sequence[Instruction]) -> int | None:
        """The line of a COPY that brings a file after it is used."""
        probe = state.copied()
        quiet = _Follower(self.dockerfile, self.context)
        for instruction in later:
            probe.variables = dict(instruction.variables)
            if instruction.keyword == "WORKDIR" and instruction.words:
                probe.workdir = probe.absolute(" ".join(instruction.words))
            elif instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None:
                before = len(probe.brought)
                quiet._copy(instruction, probe)
                for one in probe.brought[before:]:
                    if one.path == path and not one.directory:
                        return instruction.first_line
                    if one.directory and one.context_path is not None and path.startswith(one.path.rstrip("/") + "/"):
                        name = posixpath.join(one.context_path, path[len(one.path) :].lstrip("/"))
                        if self.context.is_file(name) and self.context.ignoring(name) is None:
                            return instruction.first_line
        return None

    # -----------------------------------------------------------------------------------------------------------------
    # Commands
    # -----------------------------------------------------------------------------------------------------------------

    def _run(self, stage: Stage, instruction: Instruction, state: State) -> None:
        state.mounts = tuple(_mounts(instruction, state))
        run = _Run(stage, instruction, state, self._later(stage, instruction))
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

    def _text(self, text: str, run: _Run, depth: int, line: int | None = None) -> None:
        commands = read_shell(text, run.state.variables)
        self._commands(commands, run, offset_line=line, depth=depth, text=text)

    def _commands(
        self,
        commands: Sequence[ShellCommand],
        run: _Run,
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
        for position, written in enumerate(commands):
            command = unwrapped(written)
            scope = written.scope
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
                folders[written.scope] = run.state.absolute(command.words[1].text, run.folder)
            elif name in _SHELLS and depth < _DEEPEST and (inner := _inline(command)) is not None:
                outer = run.shell, run.login
                run.shell, run.login = name, any(_is_login(word) for word in command.arguments)
                self._text(inner.text, run, depth + 1, line_at(inner.offset))
                run.shell, run.login = outer
            elif name in ("activate", "conda", "mamba", "micromamba", ".", "source") and _activates(command):
                used = any(one.words and not _quiet(one) for one in commands[position + 1 :])
                self.activations.append(
                    Activation(
                        stage=run.stage.index,
                        line=line,
                        words=tuple(word.text for word in command.words),
                        used=used,
                        hooked=run.login or "BASH_ENV" in run.state.variables or _hooked(commands[:position], text),
                        shell=run.shell,
                    )
                )
                run.active = next((w for w in command.arguments[::-1] if w not in ("activate", "")), "base")
            elif name in CONDA_LIKE and (ran := _conda_run(command)) is not None:
                before_active, run.active = run.active, ran[0]
                self._commands([ran[1]], run, offset_line=line, depth=depth + 1)
                run.active = before_active
            else:
                self._command(command, line, lines, run)
            self._redirects(command, run, line)
        run.folder = folders[()]
        if depth == 0:
            run.state.variables = before

    def _note(self, command: ShellCommand, line: int, lines: tuple[int, ...], run: _Run) -> None:
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

    def _command(self, command: ShellCommand, line: int, lines: tuple[int, ...], run: _Run) -> None:
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

    def _make(self, made: CondaCommand, command: ShellCommand, lines: tuple[int, ...], run: _Run) -> None:
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

    def _pip(self, pip: PipCommand, command: ShellCommand, lines: tuple[int, ...], run: _Run) -> None:
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
                prefix=_named(run.active or "base", state),
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

    def _redirects(self, command: ShellCommand, run: _Run, line: int) -> None:
        """Files that ``echo … > file`` and ``cat <<EOF > file`` write."""
        for redirect in command.redirects:
            if redirect.operator not in (">", ">>", ">|") or not redirect.certain or not redirect.target:
                continue
            path = run.state.absolute(redirect.target, run.folder)
            data = _written(command)
            if data is None:
                run.state.ran_unknown = run.state.ran_unknown or not path.startswith("/dev/")
                continue
            if redirect.operator == ">>":
                known = run.state.find(path)
                if isinstance(known, Brought):
                    data = (self._bytes(known, path) or b"") + data
            self._bring(run.state, Brought(path=path, line=line, data=data))


class _Run:
    """One RUN instruction while it is followed."""

    def __init__(self, stage: Stage, instruction: Instruction, state: State, later: Sequence[Instruction]) -> None:
        self.stage = stage
        self.instruction = instruction
        self.state = state
        self.later = later
        self.folder = state.workdir
        self.active = _environment_of_shell(state.shell)
        self.heredoc_line: int | None = None
        # Who reads the commands, and whether it has read what ``conda init`` wrote.
        self.shell = state.shell[0].rsplit("/", 1)[-1] if state.shell else "sh"
        self.login = self.shell == "_dockerfile_shell.sh" or any(map(_is_login, state.shell[1:]))


def _is_login(word: str) -> bool:
    return word == "--login" or re.fullmatch(r"-[a-z]*[li][a-z]*", word) is not None


def _environment_of_shell(shell: Sequence[str]) -> str | None:
    """``SHELL ["conda", "run", "-n", "demo", "/bin/bash", "-c"]`` runs everything in that environment."""
    words = tuple(Word(text=one) for one in shell)
    if words and words[0].text.rsplit("/", 1)[-1] in CONDA_LIKE:
        found = _conda_run(ShellCommand(words=words))
        return None if found is None else found[0]
    return None


def _mounts(instruction: Instruction, state: State) -> Iterator[Mount]:
    for flag in instruction.flags:
        if flag.name != "mount":
            continue
        options = dict(part.partition("=")[::2] for part in flag.value.split(","))
        target = options.get("target") or options.get("dst") or options.get("destination")
        if options.get("type", "bind") == "bind" and "from" not in options and target:
            source = options.get("source") or options.get("src") or "."
            yield Mount(target=state.absolute(target), context_path=source)


def _inline(command: ShellCommand) -> Word | None:
    """The text that ``bash -lc '…'`` is given."""
    for position, word in enumerate(command.words[1:], start=1):
        if re.fullmatch(r"-[a-z]*c[a-z]*", word.text) and position + 1 < len(command.words):
            return next((one for one in command.words[position + 1 :] if not one.text.startswith("-")), None)
    return None


def _activates(command: ShellCommand) -> bool:
    words = [word.text for word in command.words]
    if command.name in (".", "source"):
        return len(words) > 1 and words[1].rsplit("/", 1)[-1] == "activate"
    return command.name == "activate" or (len(words) > 1 and words[1] == "activate")


def _quiet(command: ShellCommand) -> bool:
    """Whether a command behind an activation does nothing in the environment."""
    words = [word.text for word in command.words]
    return command.name in ("echo", "true", ":", "cd", "rm") or words[1:2] in (["deactivate"], ["clean"])


def _hooked(commands: Sequence[ShellCommand], text: str) -> bool:
    """Whether the shell was told of ``conda activate`` before, in the same RUN."""
    if re.search(r"shell\.?\w*[ .]hook|conda\.sh|mamba\.sh|shell hook", text):
        return True
    return any(one.name in (".", "source") for one in commands)


def _conda_run(command: ShellCommand) -> tuple[str, ShellCommand] | None:
    """``conda run -n NAME command``: the environment and the command."""
    words = list(command.words)
    if len(words) < 2 or words[1].text != "run":
        return None
    position = 2
    name = "base"
    while position < len(words) and words[position].text.startswith("-"):
        option, equals, value = words[position].text.partition("=")
        if option in ("-n", "--name", "-p", "--prefix", "--cwd", "-r", "--root-prefix", "-e", "--env"):
            if not equals and position + 1 < len(words):
                position += 1
                value = words[position].text
            if option in ("-n", "--name", "-p", "--prefix"):
                name = value
        position += 1
    return name, replace(command, words=tuple(words[position:]), redirects=())


def _prefix(made: CondaCommand, state: State, run: _Run, files: Sequence[UsedFile] = ()) -> str:
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


def _name_in(data: bytes | None) -> str | None:
    """The ``name:`` of an environment file."""
    match = re.search(rb"^name:[ \t]*[\"']?([\w.-]+)", data or b"", re.MULTILINE)
    return None if match is None else match[1].decode()


def _written(command: ShellCommand) -> bytes | None:
    """What a command writes to its output, where that is plain to see."""
    for redirect in command.redirects:
        if redirect.body is not None and command.name in ("cat", "tee", ""):
            return redirect.body.encode("utf-8", "replace")
    if command.name not in ("echo", "printf") or not all(word.certain for word in command.words):
        return None
    words = [word.text for word in command.words[1:]]
    while words and words[0] in ("-e", "-n", "-E", "-ne", "-en", "--"):
        del words[0]
    text = " ".join(words)
    if command.name == "printf" and words and "%s" in words[0]:
        text = "".join(words[0].replace("%s", one) for one in words[1:])
    return (text.replace("\\n", "\n").replace("\\t", "\t") + "\n").encode("utf-8", "replace")
