"""Findings about single commands of a Dockerfile."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, called, edit
from envcheck.rules.facts import Draft

__all__ = [
    "cache_in_layer",
    "question_unanswered",
    "unquoted_greater_than",
]


def question_unanswered(facts: DockerFacts) -> Iterator[Draft]:
    """``conda install`` or ``create`` asks whether to go on, and nobody is there to answer.

    With its input at an end conda takes the default answer; other versions of the tools stop. A build should not depend
    on that.

    Fix: add ``-y``, or set ``CONDA_ALWAYS_YES=true``.
    """
    for made in facts.conda_commands():
        if not made.yes:
            yield Draft(
                severity=Severity.WARNING,
                subject=called(made),
                message="the command asks before it installs, and nobody answers in a build",
                line=made.line,
                remedies=edit("add -y"),
            )


def cache_in_layer(facts: DockerFacts) -> Iterator[Draft]:
    """A RUN leaves downloaded packages in the image.

    What another RUN deletes stays in the layer below.

    Fix: ``&& conda clean -afy`` (``micromamba clean --all --yes``) in the same RUN, ``pip install --no-cache-dir``, or
    ``RUN --mount=type=cache``.
    """
    final = {stage.index for stage in facts.final_chain()}
    told: set[tuple[int, str]] = set()
    for made in facts.followed.environments:
        steps = [one for one in facts.followed.steps if one.stage == made.stage]
        here = [one for one in steps if one.instruction.first_line <= made.line <= one.instruction.last_line]
        if made.stage not in final or not here:
            continue
        instruction = here[0].instruction
        cached = any(one.name == "mount" and "type=cache" in one.value for one in instruction.flags)
        cleaned = any("clean" in one.words[1:3] or "rm" in one.words[:1] for one in here if one.line >= made.line)
        tool = "pip" if made.pip is not None else "conda"
        if cached or (instruction.first_line, tool) in told or made.tool == "pixi":
            continue
        variables = dict(made.variables)
        if made.pip is not None:
            if made.pip.no_cache or variables.get("PIP_NO_CACHE_DIR") or made.pip.words[0] == "uv":
                continue
            fix = "add --no-cache-dir"
        else:
            if cleaned:
                continue
            fix = f"add && {'micromamba clean --all --yes' if made.tool == 'micromamba' else 'conda clean -afy'}"
        told.add((instruction.first_line, tool))
        yield Draft(
            severity=Severity.INFO,
            subject=called(made),
            message="the downloaded packages stay in the image",
            line=made.line,
            remedies=edit(f"{fix} in the same RUN, or mount a cache (RUN --mount=type=cache,target=…)"),
        )


def unquoted_greater_than(facts: DockerFacts) -> Iterator[Draft]:
    """A ``>`` of a version constraint is not quoted, so the shell writes a file and the constraint is lost.

    ``conda install numpy>=1.20`` installs any numpy and writes conda's output to a file called ``=1.20``.

    Fix: quote it: ``"numpy>=1.20"``.
    """
    for made in facts.conda_commands():
        for target in made.conda.redirected if made.conda is not None else ():
            yield Draft(
                severity=Severity.ERROR,
                subject=f">{target}",
                message=f"the shell takes '>' for a redirection to a file called '{target}'; the constraint is lost",
                line=made.line,
                remedies=edit("put the specification in quotes"),
            )
