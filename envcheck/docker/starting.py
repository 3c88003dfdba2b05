"""What the finished image starts with, and whether it is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envcheck.docker.files import BroughtFiles
from envcheck.docker.followed import MissingStart
from envcheck.docker.images import find_image, lacks_conda
from envcheck.docker.instructions import Instruction, Stage
from envcheck.docker.shell import read_shell
from envcheck.docker.state import Brought, State

__all__ = ["missing_starts"]

_SCRIPT = re.compile(r"[\w./-]+\.(?:py|sh|R|jl)")
# Where images keep what is theirs.
_SYSTEM = ("/bin/", "/etc/", "/lib/", "/opt/conda/", "/sbin/", "/usr/", "/srv/conda/")


def missing_starts(files: BroughtFiles, stage: Stage, state: State) -> tuple[MissingStart, ...]:
    """The scripts of CMD and ENTRYPOINT that nothing brings into the image.

    Args:
        files: What was followed.
        stage: The last stage.
        state: What it holds at its end.

    Returns:
        None where a command was run that may have made them, where the image is not known, or where a volume is.
    """
    if state.ran_unknown or not (find_image(state.base) is not None or lacks_conda(state.base)):
        return ()
    chain = [stage]
    while chain[0].parent is not None:
        chain.insert(0, files.dockerfile.stages[chain[0].parent])
    instructions = [one for link in chain for one in link.instructions]
    if any(one.keyword == "VOLUME" for one in instructions):
        return ()
    found: list[MissingStart] = []
    for keyword in ("ENTRYPOINT", "CMD"):
        last = next((one for one in reversed(instructions) if one.keyword == keyword), None)
        if last is not None:
            found += [one for word in _scripts(last) if (one := _missing(word, last, files, state)) is not None]
    return tuple(found)


def _scripts(instruction: Instruction) -> Iterator[str]:
    if instruction.arguments is not None:
        words = list(instruction.arguments)
    else:
        commands = read_shell(instruction.value, dict(instruction.variables))
        if len(commands) != 1:
            return
        words = [word.text for word in commands[0].words if word.certain]
    for index, word in enumerate(words):
        # The first script is what is started; what follows are its arguments.
        if _SCRIPT.fullmatch(word) and (index == 0 or not words[index - 1].startswith("-") or words[index - 1] == "-u"):
            yield word
            return


def _missing(word: str, instruction: Instruction, files: BroughtFiles, state: State) -> MissingStart | None:
    path = state.absolute(word)
    if path.startswith(_SYSTEM):
        return None
    found = state.find(path)
    if found is None:
        # A folder that the context has not is told of where it is copied.
        if any(path.startswith(one.path.rstrip("/") + "/") for one in state.brought):
            return None
        return MissingStart(path=path, line=instruction.first_line)
    if (
        not isinstance(found, Brought)
        or not found.directory
        or found.context_path is None
        or files.context.root is None
    ):
        return None
    name = posixpath.join(found.context_path, path[len(found.path) :].lstrip("/"))
    if files.context.is_file(name) and files.context.ignoring(name) is None:
        return None
    return MissingStart(path=path, line=instruction.first_line, folder_line=found.line)
