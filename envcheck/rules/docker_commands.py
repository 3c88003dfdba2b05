"""Findings about single commands of a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envcheck.docker.commands import TOOLS
from envcheck.docker.followed import FileFate, Step
from envcheck.docker.images import find_image, split_reference
from envcheck.language import say
from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, called, edit
from envcheck.rules.facts import Draft

__all__ = [
    "cache_in_layer",
    "environment_exists",
    "gone_option",
    "missing_tool",
    "question_unanswered",
    "unquoted_greater_than",
]


def question_unanswered(facts: DockerFacts) -> Iterator[Draft]:
    """``conda install`` or ``create`` asks whether to go on, and nobody is there to answer.

    In a build the input is at an end, and conda, mamba and micromamba then take the default answer, which is to go on.
    Where the commands themselves are the input (``bash <<EOF``), the next of them is taken for the answer.

    Fix: add ``-y``, or set ``CONDA_ALWAYS_YES=true``.
    """
    for made in facts.conda_commands():
        if not made.yes:
            yield Draft(
                severity=Severity.INFO,
                subject=called(made),
                message=say("the command asks before it installs, and nobody answers in a build"),
                line=made.line,
                remedies=edit(say("add -y")),
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
        if made.stage not in final or not here or here[0].instruction.keyword == "FROM":
            continue  # The image's own ONBUILD instructions clean up.
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
            fix = say("add --no-cache-dir")
        else:
            if cleaned:
                continue
            fix = say(
                "add && {command}",
                command="micromamba clean --all --yes" if made.tool == "micromamba" else "conda clean -afy",
            )
        told.add((instruction.first_line, tool))
        yield Draft(
            severity=Severity.INFO,
            subject=called(made),
            message=say("the downloaded packages stay in the image"),
            line=made.line,
            remedies=edit(say("{fix} in the same RUN, or mount a cache (RUN --mount=type=cache,target=…)", fix=fix)),
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
                message=say(
                    "the shell takes '>' for a redirection to a file called '{target}'; the constraint is lost",
                    target=target,
                ),
                line=made.line,
                remedies=edit(say("put the specification in quotes")),
            )


def missing_tool(facts: DockerFacts) -> Iterator[Draft]:
    """conda, mamba or another program that makes environments is called, and is not in the image.

    ``FROM python`` and ``FROM ubuntu`` have no conda, ``continuumio/miniconda3`` has no mamba, and a stage has nothing
    of another that it is not built upon: the build stops with "not found". Said only of images that are known, and
    where nothing was run that may have brought the program.

    Fix: build upon an image that has it, install it before, or copy it: ``COPY --from=mambaorg/micromamba``.
    """
    for one in facts.followed.missing_tools:
        yield _not_there(one.name, one.base, one.line)
    tools = facts.followed.tools
    told = {one.name for one in facts.followed.missing_tools}
    for keyword in ("ENTRYPOINT", "CMD"):
        found = facts.last_of(keyword)
        if tools is None or found is None or found[1][0] not in TOOLS - tools - told:
            continue
        yield _not_there(found[1][0], facts.followed.base, found[0])
        return


def _not_there(name: str, base: str, line: int) -> Draft:
    return Draft(
        severity=Severity.ERROR,
        subject=name,
        message=say("{base} does not have it, and nothing before this line installs it", base=base),
        line=line,
        remedies=edit(
            say(
                "build upon {image}, or install {name} before this line",
                image=_IMAGES_WITH[name],
                name=name,
            )
        ),
    )


_IMAGES_WITH: Mapping[str, str] = {
    "conda": "condaforge/miniforge3",
    "mamba": "condaforge/miniforge3",
    "micromamba": "mambaorg/micromamba",
    "pixi": "ghcr.io/prefix-dev/pixi",
    "conda-lock": say("mambaorg/micromamba, which installs conda-lock.yml itself"),
}


def gone_option(facts: DockerFacts) -> Iterator[Draft]:
    """``conda clean`` is given ``-s`` (``--source-cache``), mostly as ``-tipsy``, which conda no longer has.

    conda 4.6 deprecated it and conda 4.13 has it no more: it stops with "ignored explicit argument". The caches of
    sources are conda-build's, and no image of a user has them.

    Fix: ``conda clean -afy``.
    """
    for step in facts.followed.steps:
        if step.name not in ("conda", "mamba") or step.words[1:2] != ("clean",) or step.conditional:
            continue
        option = next((one for one in step.words[2:] if re.fullmatch(r"--source-cache|-[a-z]*s[a-z]*", one)), None)
        if option is None or not _has_new_conda(facts, step):
            continue
        yield Draft(
            severity=Severity.ERROR,
            subject=option,
            message=say("conda clean has no -s (--source-cache) since conda 4.13, and stops"),
            line=step.line,
            remedies=edit(say("write conda clean -afy")),
        )


def _has_new_conda(facts: DockerFacts, step: Step) -> bool:
    """Whether the image's conda is 4.13 or newer, as far as its name tells: images of conda without a tag are."""
    stage = facts.dockerfile.stages[step.stage]
    while stage.parent is not None:
        stage = facts.dockerfile.stages[stage.parent]
    image, (_, tag, digest) = find_image(stage.base), split_reference(stage.base)
    if image is None or "conda" not in image.tools or digest is not None:
        return False
    version = re.match(r"v?(\d+)\.(\d+)", tag or "")
    return tag in (None, "latest") or (version is not None and (int(version[1]), int(version[2])) >= (4, 13))


def environment_exists(facts: DockerFacts) -> Iterator[Draft]:
    """``conda env create`` is to make an environment that is there already, mostly the base environment.

    A file that says ``name: base``, or no name at all, means the base environment, which the image has; conda stops
    with "prefix already exists".

    Fix: ``conda env update -n base -f FILE``, or give the environment another name with ``-n``.
    """
    for made in facts.conda_commands():
        conda, base = made.conda, made.prefix == made.root
        if conda is None or made.tool != "conda" or not made.existed or conda.unknown:
            continue
        named = conda.name is not None or conda.prefix is not None
        known = named or all(used.fate is FileFate.READ for used in made.files)
        replaced = not base and bool({"--force", "--yes", "-y"} & set(conda.words))
        fails = conda.action == "env create" or (base and conda.action == "create")
        if not known or replaced or not fails:
            continue
        yield Draft(
            severity=Severity.WARNING if made.conditional else Severity.ERROR,
            subject=called(made),
            message=say("there is an environment at {prefix} already", prefix=made.prefix)
            + (say(", that of the image") if base else ""),
            line=made.line,
            remedies=edit(say("use conda env update, or give it another name with -n")),
        )
