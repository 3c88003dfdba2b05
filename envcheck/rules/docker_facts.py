"""What a rule about a Dockerfile is given: the Dockerfile, what following it found, and the checked environments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.model import Remedy, RemedyAction

if TYPE_CHECKING:
    from envcheck.docker.followed import Followed, MadeEnvironment
    from envcheck.docker.instructions import Dockerfile, Instruction, Stage
    from envcheck.docker.preflight import CheckedSource

__all__ = ["DockerFacts", "called", "edit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerFacts:
    """Everything that was found out about a Dockerfile.

    ``context_named`` is false where the context was taken to be the Dockerfile's folder because nobody named one.
    """

    followed: Followed
    checked: tuple[CheckedSource, ...]
    context_named: bool = True

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile."""
        return self.followed.dockerfile

    def stages(self) -> Iterator[Stage]:
        """The stages that are built."""
        return (stage for stage in self.dockerfile.stages if stage.index in self.followed.stages)

    def instructions(self, *keywords: str) -> Iterator[Instruction]:
        """The instructions of the stages that are built."""
        for stage in self.stages():
            yield from (one for one in stage.instructions if not keywords or one.keyword in keywords)

    def final_chain(self) -> tuple[Stage, ...]:
        """The last stage and those it is FROM, the bottom one first: what the finished image is made of."""
        stage = self.dockerfile.stages[self.followed.stages[-1]]
        found = [stage]
        while stage.parent is not None:
            stage = self.dockerfile.stages[stage.parent]
            found.insert(0, stage)
        return tuple(found)

    def last_of(self, keyword: str) -> tuple[int, tuple[str, ...], bool] | None:
        """Line, words and whether it is the shell form of the instruction of a kind that counts in the end."""
        found = None
        for stage in self.final_chain():
            for one in stage.instructions:
                if one.keyword == keyword:
                    words = one.arguments if one.arguments is not None else one.words
                    found = (one.first_line, tuple(words), one.arguments is None)
        return None if found is None or not found[1] else found

    def conda_commands(self) -> Iterator[MadeEnvironment]:
        """The commands of conda and its like that make environments."""
        return (made for made in self.followed.environments if made.conda is not None)


def edit(summary: str, spec: str | None = None) -> tuple[Remedy, ...]:
    """The one remedy that an edit of the Dockerfile is."""
    return (Remedy(action=RemedyAction.EDIT, summary=summary, spec=spec),)


def called(made: MadeEnvironment) -> str:
    """``conda env create``, as a finding names a command."""
    return f"{made.tool} {made.conda.action if made.conda is not None else 'install'}"
