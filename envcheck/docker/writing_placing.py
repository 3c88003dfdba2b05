"""Where the environments go in the user's stages: where they were made, and where they are copied."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from envcheck.docker.instructions import Instruction, Stage
from envcheck.docker.substitution import pairs
from envcheck.docker.writing_instructions import InstructionCarrier, Placed
from envcheck.language import say

__all__ = ["EnvironmentPlacer"]


class EnvironmentPlacer(InstructionCarrier):
    """Puts environments into stages, with what activating them would have set."""

    def _stages_on(self, stage: Stage) -> list[Instruction]:
        """The instructions of a stage and of those that are built upon it."""
        found = {stage.index}
        for other in self._dockerfile.stages:
            if other.parent in found:
                found.add(other.index)
        return [one for index in sorted(found) for one in self._dockerfile.stages[index].instructions]

    def _environment(self, one: Placed, stage: Stage, chown: str | None = None) -> str:
        """The environment, copied from where it was made, and what activating it would have set."""
        owner = self._owner(stage)
        if chown is None and owner:
            chown = f"{owner}:{owner}"
        flag = f"--chown={chown} " if chown else ""
        lines = ["", f"COPY --from={one.builder} {flag}{one.prefix} {one.prefix}", *self._variables(one)]
        mentioned = any(one.wanted in text.text for text in self._stages_on(stage))
        if one.prefix != one.wanted and mentioned:
            folder = posixpath.dirname(one.wanted)
            lines.append(f"RUN mkdir -p {folder} && ln -s {one.prefix} {one.wanted}")
            self._tell(
                stage.origin,
                say("the environment is at {place}; {link} is a link to it", place=one.prefix, link=one.wanted),
            )
        return "\n".join(lines) + "\n"  # an empty line before it: it stands for what a RUN did

    @staticmethod
    def _variables(one: Placed) -> list[str]:
        """The ENV of the environment that is put on PATH."""
        if not one.main:
            return []
        values = [("CONDA_PREFIX", one.prefix), *one.variables, ("PATH", f"{one.prefix}/bin:$PATH")]
        return ["ENV " + " \\\n    ".join(f"{name}={value}" for name, value in values)]

    def _brought_by(self, instruction: Instruction, stage: Stage) -> str | None:
        """A COPY --from that brings environments of another stage, with what they need here; ``None`` for any other."""
        origin = instruction.flag("from")
        other = None if instruction.keyword != "COPY" or origin is None else self._dockerfile.stage(origin)
        if other is None or len(instruction.words) != 2 or other.index >= stage.index:
            return None
        indexes = {one.index for one in self._chain(other)} | {other.index}
        here = [one for one in self._placed if one.stage in indexes or other.index in self._brought.get(one.name, ())]
        source, target = (posixpath.normpath("/" + word.lstrip("/")) for word in instruction.words)
        found = [one for one in here if source == target and _holds(source, one.wanted)]
        if not found:
            return None
        text = self._renumbered(self._masked(instruction, instruction.text)) + "\n"
        for one in found:
            self._brought.setdefault(one.name, set()).add(stage.index)
        if all(_holds(source, one.prefix) for one in found):
            return text + "".join(f"{line}\n" for one in found for line in self._variables(one))
        # The style has put it elsewhere; what the image of the other stage had there is copied besides.
        there = self._bottom(other)[1].image is None
        moved = [one for one in found if not _holds(source, one.prefix)]
        return (text if there else "") + "".join(
            self._environment(one, stage, instruction.flag("chown") or "").lstrip("\n") for one in moved
        )

    def _owner(self, stage: Stage) -> str:
        """The user of a replaced image that worked in the environment as its own."""
        bottom, base = self._bottom(stage)
        return base.user if self._has_user(bottom) else ""

    def _has_user(self, stage: Stage) -> bool:
        """Whether anything of a replaced image's user is left: the last stage is built upon it, or something runs."""
        last = self._chain(self._dockerfile.stages[-1])
        return stage in last or any(
            one.keyword in ("RUN", "USER", "COPY", "ADD", "WORKDIR")
            and one.first_line not in self._makers
            and not (one.keyword in ("COPY", "ADD") and all(self._is_locked(word, one) for word in one.words[:-1]))
            for one in self._stages_on(stage)
        )

    def _path_again(self, instruction: Instruction, stage: Stage, pending: Sequence[Placed]) -> str:
        """PATH with the environment, behind an ENV that sets it without what was on it."""
        main = next((one for one in self._placed if one.main and one not in pending), None)
        if main is None or (main.stage != stage.index and stage.index not in self._brought.get(main.name, ())):
            return ""
        if instruction.keyword != "ENV":
            return ""
        for name, value in pairs(instruction.value, escape=self._dockerfile.escape):
            if name == "PATH" and value and not re.search(r"\$\{?PATH\b", value) and main.prefix not in value:
                self._tell(instruction, say("PATH is set without the environment, which is put back on it"))
                return f"ENV PATH={main.prefix}/bin:$PATH\n"
        return ""


def _holds(folder: str, path: str) -> bool:
    """Whether a path is a folder, or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
