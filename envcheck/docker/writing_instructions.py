"""One instruction of the user's at a time: carried over as it is, without what only conda needs, or not at all."""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.substitution import pairs
from envcheck.docker.writing_builder import Lock
from envcheck.docker.writing_images import FinalBase, final_base
from envcheck.docker.writing_shell import Scope, ShellRest, exec_rest, shell_rest
from envcheck.docker.writing_words import mentions_conda
from envcheck.language import say
from envcheck.model import Report
from envcheck.secrets import mask

__all__ = ["InstructionCarrier", "Note", "Placed"]

_CONFIGURATION = frozenset({".condarc", "condarc", ".mambarc", ".condarc.yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to know about the written file; ``line`` is that of the Dockerfile that was read."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An environment's place: ``builder`` makes it at ``prefix``; ``wanted`` is where the Dockerfile had it.

    ``main`` is the one that is put on PATH; ``lines`` are those of the instructions that made it.
    """

    name: str
    stage: int
    lines: frozenset[int]
    builder: str
    prefix: str
    wanted: str
    variables: tuple[tuple[str, str], ...]
    main: bool
    report: Report = field(repr=False)
    lock: Lock = field(repr=False)


class InstructionCarrier:
    """Carries single instructions over; ``notes`` are what there is to tell afterwards.

    Args:
        dockerfile: The Dockerfile.
        lines: Its lines.
        placed: The environments.
        affected: The indexes of the stages that have to do with them.
        files: The files of the build context that the locks stand for.
        commands: The words of calls of pip that they stand for.
    """

    def __init__(
        self,
        *,
        dockerfile: Dockerfile,
        lines: Sequence[str],
        placed: Sequence[Placed],
        affected: frozenset[int],
        files: frozenset[str],
        commands: frozenset[tuple[str, ...]] = frozenset(),
    ) -> None:
        self.affected = affected
        self.notes: list[Note] = []
        self._dockerfile = dockerfile
        self._lines = lines
        self._placed = placed
        self._files = frozenset(_normal(file) for file in files)
        self._scope = Scope(files=frozenset(file.rpartition("/")[2] for file in files), commands=commands)
        self._makers = frozenset(line for one in placed for line in one.lines)
        self._shift = (min(affected), len(placed))
        # Environment → the stages that it was copied into from the one that has it.
        self._brought: dict[str, set[int]] = {}

    def _bottom(self, stage: Stage) -> tuple[Stage, FinalBase]:
        """The stage at the bottom of a chain of FROMs, and what it is built upon in the written file."""
        while stage.parent is not None:
            stage = self._dockerfile.stages[stage.parent]
        return stage, final_base(stage.base) if stage.index in self.affected else FinalBase()

    def _chain(self, stage: Stage) -> list[Stage]:
        """The stages that a stage is built upon, itself last."""
        found = [stage]
        while found[0].parent is not None:
            found.insert(0, self._dockerfile.stages[found[0].parent])
        return found

    # -- One instruction -----------------------------------------------------------------------------------------

    def _carried(self, instruction: Instruction, stage: Stage) -> str | None:
        """An instruction's text in the written file, ``None`` where nothing of it is left."""
        keyword = instruction.keyword
        text: str | None
        if keyword == "RUN":
            text = self._run(instruction)
        elif keyword in ("CMD", "ENTRYPOINT"):
            text = self._start(instruction)
        elif keyword == "HEALTHCHECK":
            text = self._healthcheck(instruction)
        elif keyword == "SHELL":
            text = self._shell(instruction, stage)
        elif keyword in ("COPY", "ADD"):
            text = self._copy(instruction)
        elif keyword == "ENV" and self._is_our_path(instruction, stage):
            text = None
        elif keyword == "ARG" and instruction.value.startswith("MAMBA_DOCKERFILE_ACTIVATE"):
            self._tell(instruction, say("left out: the environment is on PATH without being activated"))
            text = None
        else:
            text = instruction.text
        return None if text is None else self._renumbered(self._masked(instruction, text)) + "\n"

    def _run(self, instruction: Instruction) -> str | None:
        making = any(instruction.first_line in one.lines for one in self._placed)
        if instruction.arguments is not None:
            words, reason = exec_rest(instruction.arguments, self._scope)
            if reason is not None:
                self._tell(instruction, reason)
                return f"RUN {_exec_form(words)}" if words else None
            if mentions_conda(" ".join(instruction.arguments)):
                rest = shell_rest(" ".join(instruction.arguments), self._scope)
                self._tell_rest(instruction, rest, making=making)
                return None
            return instruction.text
        documents = instruction.heredocs
        if documents:
            if not instruction.value.strip().startswith("<<") or len(documents) != 1:
                return instruction.text
            rest = shell_rest(documents[0].body, self._scope)
            self._tell_rest(instruction, rest, making=making)
            if not rest.changed:
                return instruction.text
            if not rest.commands:
                return None
            head = instruction.text.split("\n", 1)[0]
            body = "\n".join(
                f"{one.text}{'' if one.operator == chr(10) else ' ' + one.operator}".rstrip() for one in rest.commands
            )
            return f"{head}\n{body}\n{documents[0].name}"
        rest = shell_rest(_continued(instruction), self._scope)
        self._tell_rest(instruction, rest, making=making)
        if not rest.changed:
            return instruction.text
        if not rest.commands:
            return None
        flags = "".join(f"--{one.name}{'=' + one.value if one.value else ''} " for one in instruction.flags)
        return f"RUN {flags}{_formatted(rest)}"

    def _start(self, instruction: Instruction) -> str | None:
        """CMD and ENTRYPOINT."""
        if instruction.arguments is not None:
            words, reason = exec_rest(instruction.arguments, self._scope)
            self._tell_missing(instruction, words)
            if words and (other := self._where_it_is(words[0])) is not None:
                reason = say("{program} is not in the image, {other} is", program=words[0], other=other)
                words = (other, *words[1:])
            if reason is None:
                return instruction.text
            self._tell(instruction, reason)
            return f"{instruction.keyword} {_exec_form(words)}" if words else None
        rest = shell_rest(_continued(instruction), self._scope)
        self._tell_rest(instruction, rest, making=False)
        if not rest.changed:
            return instruction.text
        return f"{instruction.keyword} {_formatted(rest)}" if rest.commands else None

    def _healthcheck(self, instruction: Instruction) -> str:
        before, keyword, after = instruction.text.partition("CMD")
        if not keyword:
            return instruction.text
        try:
            arguments = json.loads(after)
        except ValueError:
            rest = shell_rest(after.strip(), self._scope)
            self._tell_rest(instruction, rest, making=False)
            return f"{before}CMD {_formatted(rest)}" if rest.changed and rest.commands else instruction.text
        words, reason = exec_rest(arguments, self._scope)
        if reason is None or not words:
            return instruction.text
        self._tell(instruction, reason)
        return f"{before}CMD {_exec_form(words)}"

    def _shell(self, instruction: Instruction, stage: Stage) -> str | None:
        arguments = instruction.arguments or ()
        if arguments and arguments[0].endswith("_dockerfile_shell.sh"):
            if self._bottom(stage)[1].image is None:
                return instruction.text  # it was copied into the image
            self._tell(instruction, say("left out: micromamba's shell activates what is on PATH already"))
            return None
        words, reason = exec_rest(arguments)
        if reason is None:
            return instruction.text
        self._tell(instruction, say("SHELL is {words}: {reason}", words=_exec_form(words), reason=reason))
        return f"SHELL {_exec_form(words)}"

    def _copy(self, instruction: Instruction) -> str | None:
        """COPY and ADD without the files that the lock stands for."""
        origin = instruction.flag("from")
        if origin is not None:
            return self._copied_tool(instruction, origin)
        if instruction.heredocs or len(instruction.words) < 2:
            return instruction.text
        *sources, target = instruction.words
        if re.search(r"/(?:de)?activate\.d/?$", target):
            self._tell(instruction, say("nothing is activated in the image: put what the scripts set into ENV"))
        locked = [one for one in sources if self._is_locked(one, instruction)]
        if not locked:
            return instruction.text
        others = [one for one in sources if one not in locked]
        for one in locked:
            self._tell(instruction, say("{path} is not copied: the lock stands for it", path=one))
        if not others:
            return None
        flags = "".join(f"--{one.name}{'=' + one.value if one.value else ''} " for one in instruction.flags)
        if instruction.arguments is None and not re.search(r"[\s\"'$]", "".join((*others, target))):
            return f"{instruction.keyword} {flags}{' '.join((*others, target))}"
        return f"{instruction.keyword} {flags}{_exec_form((*others, target))}"

    def _copied_tool(self, instruction: Instruction, origin: str) -> str | None:
        """Micromamba itself, copied out of a stage that has lost it: it is where the environment is made."""
        stage = self._dockerfile.stage(origin)
        if stage is None or self._bottom(stage)[1].image is None or len(instruction.words) != 2:
            return instruction.text
        if not re.search(r"/bin/(?:micromamba|mamba|conda)$", instruction.words[0]):
            return instruction.text
        builder = self._placed[0]
        if builder.lock.style in ("micromamba", "conda-lock") and instruction.words[0].endswith("/micromamba"):
            return f"COPY --from={builder.builder} /bin/micromamba {instruction.words[1]}"
        self._tell(instruction, say("left out: {program} is in no stage any more", program=instruction.words[0]))
        return None

    def _is_locked(self, source: str, instruction: Instruction) -> bool:
        name = source.rpartition("/")[2]
        if name in _CONFIGURATION:
            return True
        path = _normal(source)
        if path not in self._files and not any(
            fnmatch.fnmatchcase(file, path) for file in self._files if any(mark in path for mark in "*?[")
        ):
            return False
        # Something else may read it.
        rests = [
            shell_rest(_continued(one), self._scope).text
            for stage in self._dockerfile.stages
            for one in stage.instructions
            if one.keyword in ("RUN", "CMD", "ENTRYPOINT") and one.arguments is None and one is not instruction
        ]
        return not any(re.search(rf"(?<![\w.-]){re.escape(name)}\b", rest) for rest in rests)

    def _is_our_path(self, instruction: Instruction, stage: Stage) -> bool:
        """Whether an ENV only puts on PATH what is there already."""
        main = next(one for one in self._placed if one.main)
        chain = {one.index for one in self._chain(stage)}
        if main.stage not in chain and chain.isdisjoint(self._brought.get(main.name, ())):
            return False
        found = pairs(instruction.value, escape=self._dockerfile.escape)
        if len(found) != 1 or found[0][0] != "PATH":
            return False
        before = dict(instruction.variables)
        value = re.sub(
            r"\$\{?(\w+)\}?",
            lambda m: m[0] if m[1] == "PATH" else before.get(m[1], m[0]),
            (found[0][1] or "").strip("\"'"),
        )
        ours = {f"{main.wanted}/bin", f"{main.prefix}/bin"}
        conda = {"/opt/conda/bin", "/opt/conda/condabin"}
        parts = value.split(":")
        if parts[-1:] not in (["$PATH"], ["${PATH}"]) or not parts[:-1] or not set(parts[:-1]) <= ours | conda:
            return False
        self._tell(instruction, say("left out: the environment is on PATH"))
        return True

    # -- Text ----------------------------------------------------------------------------------------------------

    def _comments(self, instruction: Instruction) -> str:
        """The comments directly above an instruction, and whether an empty line was before them."""
        index = instruction.first_line - 2
        found: list[str] = []
        while index >= 0 and self._lines[index].strip().startswith("#"):
            found.append(self._lines[index].strip())
            index -= 1
        if index < 0:  # the head of the file, where directives may stand
            count = len(self._dockerfile.directives)
            found = found[: len(found) - count] if count else found
        empty = index >= 0 and not self._lines[index].strip()
        return ("\n" if empty else "") + "".join(f"{mask(line)}\n" for line in reversed(found))

    def _masked(self, instruction: Instruction, text: str) -> str:
        shown = mask(text)
        if shown != text:
            self._tell(instruction, say("credentials are not written: hand them in with RUN --mount=type=secret"))
        return shown

    def _renumbered(self, text: str) -> str:
        """``--from=1`` where stages were put before the one that it means."""
        first, count = self._shift

        def moved(match: re.Match[str]) -> str:
            index = int(match[1])
            return f"--from={index + count if index >= first else index}"

        return re.sub(r"--from=(\d+)(?=\s)", moved, text)

    def _tell(self, instruction: Instruction, text: str) -> None:
        masked = mask(text)  # which is no message any more, where it differs
        note = Note(line=instruction.first_line, text=text if masked == text else masked)
        if note not in self.notes:
            self.notes.append(note)

    def _tell_rest(self, instruction: Instruction, rest: ShellRest, *, making: bool) -> None:
        reasons: dict[str | None, list[str]] = {}
        for one in rest.removed:
            reasons.setdefault(None if one.making and not making else one.reason, []).append(_shown(one.text))
        for reason, shown in reasons.items():
            commands = ", ".join(dict.fromkeys(shown))
            if reason is None:
                text = say("left out {commands}, and what it installs is not in the lock", commands=commands)
            else:
                text = say("left out {commands}: {reason}", commands=commands, reason=reason)
            self._tell(instruction, text)
        for command in rest.calling:
            text = say(
                "{command} is kept as it is, and calls conda, which is not in the image", command=_shown(command)
            )
            self._tell(instruction, text)

    def _tell_missing(self, instruction: Instruction, words: Sequence[str]) -> None:
        """A script that the image starts with and that nothing brings into it."""
        for word in words:
            if not re.fullmatch(r"/[\w./-]+\.(?:py|sh|R)", word):
                continue
            parents = {str(parent) for parent in PurePosixPath(word).parents}
            brought = any(self._brings(one, parents | {word}) for stage in self._dockerfile.stages
                          for one in stage.instructions)  # fmt: skip
            if not brought:
                self._tell(instruction, say("nothing copies {path} into the image, which it starts with", path=word))

    @staticmethod
    def _brings(instruction: Instruction, paths: Collection[str]) -> bool:
        """Whether an instruction may bring a file to one of these paths: a RUN that names it, or a COPY of a folder."""
        if instruction.keyword not in ("COPY", "ADD") or not instruction.words:
            return instruction.keyword == "RUN" and max(paths, key=len) in instruction.text
        *sources, target = instruction.words
        folder = target.rstrip("/") or "/"
        if not target.startswith("/"):
            return True  # below the working directory
        names = {f"{folder.rstrip('/')}/{source.rstrip('/').rpartition('/')[2]}" for source in sources}
        whole = any("." not in source.rstrip("/").rpartition("/")[2].strip(".") for source in sources)
        return folder == max(paths, key=len) or bool(names & set(paths)) or (whole and folder in paths)

    def _where_it_is(self, program: str) -> str | None:
        """Where a program of an environment that is not in the image is in the one that is on PATH, if it is there."""
        match = re.fullmatch(r"(/opt/conda(?:/envs/[^/]+)?)/bin/([^/]+)", program)
        if match is None or any(match[1] in (one.prefix, one.wanted) for one in self._placed):
            return None
        return match[2]


def _shown(text: str) -> str:
    """A command for a note, on one line and not too long."""
    shown = mask(re.sub(r"\s+", " ", text.replace("\\\n", " ")))
    return f"'{shown}'" if len(shown) <= 60 else f"'{shown[:57]}...'"


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path.replace("\\", "/").lstrip("/")).lstrip("/")


def _continued(instruction: Instruction) -> str:
    """An instruction's text with its line breaks, as a shell would read them."""
    pieces = [piece.text.rstrip() for piece in instruction.pieces]
    return "\\\n".join(pieces) if pieces else instruction.value


def _formatted(rest: ShellRest) -> str:
    """What is left of a RUN, a command a line."""
    found = []
    for index, one in enumerate(rest.commands):
        if index == len(rest.commands) - 1:
            found.append(one.text)
        elif one.operator == "&&":
            found.append(f"{one.text} && \\\n    ")
        else:
            found.append(f"{one.text}{'' if one.operator == ';' else ' '}{one.operator} \\\n    ")
    return "".join(found)


def _exec_form(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False)
