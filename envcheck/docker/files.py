"""Where the files of an image come from, COPY and ADD above all, with what the build context says of each."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from envcheck.docker.commands import TOOLS
from envcheck.docker.context import Context
from envcheck.docker.followed import ContextUse, FileFate, UsedFile
from envcheck.docker.instructions import Dockerfile, Instruction
from envcheck.docker.shell import Word
from envcheck.docker.state import Brought, Configured, Mount, State, is_configuration

__all__ = ["BroughtFiles"]

_MOST_SOURCES = 500  # of one COPY
_VARIABLE = re.compile(r"\$\{?(\w+)")


class BroughtFiles:
    """Follows files into the images of stages, and notes what the context does not give."""

    def __init__(self, dockerfile: Dockerfile, context: Context) -> None:
        self.dockerfile = dockerfile
        self.context = context
        self.states: dict[int, State] = {}
        self.context_uses: list[ContextUse] = []
        self.channel_changes: list[Configured] = []
        self.copies = 0

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
                self._fetched(source, line, state)
                self._bring(state, Brought(path=target, line=line, directory=True, stage=-1))
            else:
                before = len(self.context_uses)
                self._copy_source(source, target, into_folder=into_folder, line=line, state=state)
                if not certain:
                    del self.context_uses[before:]

    def _fetched(self, address: str, line: int, state: State) -> None:
        """ADD fetches a file; what that means for an image is for who knows of commands."""

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
        if name in TOOLS:
            state.tools.add(name)
        elif before is None:
            state.may_have_tools = True
        else:
            state.tools |= before.tools
            state.may_have_tools = state.may_have_tools or before.may_have_tools or before.ran_unknown
        # Of a folder its content is copied, of a file the file.
        whole = before is not None and any(one.path.startswith(path.rstrip("/") + "/") for one in before.brought)
        placed = posixpath.join(target, name) if into_folder and name and not whole else target
        if before is None or other is None:
            self._bring(state, Brought(path=target, line=line, directory=True, stage=-1))
            return
        # As a list, for a stage may copy from itself.
        for prefix, (label, made) in list(before.environments.items()):
            if prefix == path or prefix.startswith(path.rstrip("/") + "/"):
                state.environments[target + prefix[len(path) :]] = (label, made)
        if not self._bring_from(before, path, placed, line=line, state=state):
            self._bring(state, Brought(path=target, line=line, directory=True, stage=other.index))

    def _bring_from(self, before: State, source: str, target: str, *, line: int, state: State) -> bool:
        """What another stage has at a path, or below it; whether that is known."""
        path = posixpath.normpath("/" + source.lstrip("/"))
        known = before.find(path)
        if isinstance(known, Brought):
            inside = path[len(known.path) :].strip("/") if known.directory else ""
            context_path = known.context_path
            if context_path is not None and inside:
                context_path = posixpath.join(context_path, inside)
            self._bring(state, replace(known, path=target, line=line, context_path=context_path))
            return True
        below = [one for one in before.brought if one.path.startswith(path.rstrip("/") + "/")]
        for one in below:
            self._bring(state, replace(one, path=target.rstrip("/") + one.path[len(path.rstrip("/")) :], line=line))
        return bool(below)

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
        quiet = BroughtFiles(self.dockerfile, self.context)
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
