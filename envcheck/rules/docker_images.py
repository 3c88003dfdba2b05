"""Findings about the base images of a Dockerfile, and what they have or lack."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.base_images import cuda_driver_of, cuda_of
from envcheck.docker.images import deprecation, has_latest, split_reference
from envcheck.language import say
from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, edit
from envcheck.rules.facts import Draft

__all__ = [
    "cuda_without_driver",
    "deprecated_image",
    "driver_needed",
    "musl_image",
    "unknown_image",
    "unpinned_image",
]


def unpinned_image(facts: DockerFacts) -> Iterator[Draft]:
    """A base image has no tag, or ``latest``.

    What is built tomorrow is then built upon another image, with another Python and another conda. Of some repositories
    there is no ``latest`` at all, and the build stops with "manifest unknown".

    Fix: name a version, best with its digest.
    """
    for stage in facts.stages():
        if stage.parent is not None or stage.base in ("scratch", "") or facts.dockerfile.stage(stage.base) is not None:
            continue
        _, tag, digest = split_reference(stage.base)
        if digest is None and tag in (None, "latest"):
            moves = has_latest(stage.base)
            message = say("the image has no tag") if tag is None else say("the tag 'latest' moves")
            yield Draft(
                severity=Severity.WARNING if moves else Severity.ERROR,
                subject=stage.base,
                message=message
                if moves
                else say("there is no tag 'latest' in this repository, so there is no such image"),
                line=stage.origin.first_line,
                remedies=edit(say("name a version, for example {image}", image=_example(stage.base))),
            )


# What is there to name in place of `latest`: the tags of docker-library/official-images (August 2026), and those that
# the images' own repositories list (see `envcheck.image_tables`).
_TAGS = {
    "anaconda/miniconda": "v26.5.3-1",
    "condaforge/miniforge3": "26.3.2-3",
    "mambaorg/micromamba": "2.6.1",
    "prefix-dev/pixi": "0.76.1",
    "ubuntu": "24.04",
    "debian": "13-slim",
    "python": "3.13-slim",
    "rockylinux/rockylinux": "9",
    "oraclelinux": "9",
    "nvidia/cuda": "12.9.1-base-ubuntu24.04",
}


def _example(base: str) -> str:
    found = deprecation(base)
    image = split_reference(base)[0] if found is None else found.instead
    repository, tag, _ = split_reference(image)
    return image if tag is not None else f"{image}:{_TAGS.get(repository, 'VERSION')}"


def deprecated_image(facts: DockerFacts) -> Iterator[Draft]:
    """A base image is no longer made or kept up by its owners, or is built upon a release that has come to its end.

    It gets no security updates, its conda may be too old for channels of today, and the packages of a distribution that
    has come to its end may have moved to where ``apt-get`` and ``yum`` do not look for them.

    Fix: use the image that took its place.
    """
    for stage in facts.stages():
        found = deprecation(stage.base) if stage.parent is None else None
        if found is not None:
            yield Draft(
                severity=Severity.WARNING,
                subject=stage.base,
                message=say("the image {why}", why=found.why),
                line=stage.origin.first_line,
                remedies=edit(say("use {instead}", instead=found.instead), found.instead),
            )


def musl_image(facts: DockerFacts) -> Iterator[Draft]:
    """Conda's Linux packages are put into an image with musl, where they do not run.

    They are linked against glibc, wherever they are copied from. Alpine has musl; its ``gcompat`` runs some programs
    and not CPython's extensions.

    Fix: use an image with glibc, such as ``debian:13-slim`` or ``mambaorg/micromamba``.
    """
    found = [(made.base, made.line) for made in facts.conda_commands() if made.musl]
    made_with_conda = {(made.stage, made.prefix) for made in facts.conda_commands() if not made.musl}
    found += [
        (one.base, one.line) for one in facts.followed.moved if one.musl and (one.stage, one.prefix) in made_with_conda
    ]
    for base, line in found[:1]:
        yield Draft(
            severity=Severity.ERROR,
            subject=base,
            message=say("the image has musl, and conda's packages for Linux need glibc"),
            line=line,
            remedies=edit(say("use an image with glibc, such as debian:13-slim or mambaorg/micromamba")),
        )


def unknown_image(facts: DockerFacts) -> Iterator[Draft]:
    """Nothing is known of a base image.

    Its C library was taken to be the platform's default, and its conda to know conda-forge and Anaconda's channels.

    Fix: say what it is built upon: ``--image debian:12``, or ``--virtual-package __glibc=2.36``.
    """
    told: set[str] = set()
    for one in facts.checked:
        if not one.image_known and one.made.base not in told:
            told.add(one.made.base)
            stage = facts.dockerfile.stages[one.made.stage]
            yield Draft(
                severity=Severity.INFO,
                subject=one.made.base,
                message=say(
                    "nothing is known of this image: a usual C library and, unless told otherwise, the "
                    "channels conda-forge and defaults were taken for granted"
                ),
                line=stage.origin.first_line,
                remedies=edit(say("say what it is built upon with --image")),
            )


def cuda_without_driver(facts: DockerFacts) -> Iterator[Draft]:
    """Packages need ``__cuda``, which conda sees only where a driver is, and a build has none.

    conda asks the machine for its driver. While an image is built there is none, so the solver takes CPU builds or
    stops.

    Fix: ``ENV CONDA_OVERRIDE_CUDA=12.4`` (or before the command).
    """
    for one in facts.checked:
        if one.report is None or "CONDA_OVERRIDE_CUDA" in dict(one.made.variables) or one.made.conda is None:
            continue
        version = next((p.version for p in one.report.target.virtual_packages if p.name == "__cuda"), None)
        needing = [r.name for r in one.report.plan.packages if any(d.split()[0] == "__cuda" for d in r.depends)]
        if version is None or not needing or (one.source is not None and one.source.lock_platforms):
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=needing[0],
            message=say(
                "it needs __cuda, and no driver is there while the image is built: another build of "
                "{name} is taken, or none",
                name=needing[0],
            ),
            line=one.made.line,
            remedies=edit(say("set ENV CONDA_OVERRIDE_CUDA={version}", version=version)),
        )


def driver_needed(facts: DockerFacts) -> Iterator[Draft]:
    """The finished image has CUDA, and runs only where the driver is recent enough.

    NVIDIA's images say with ``NVIDIA_REQUIRE_CUDA`` which CUDA the driver has to have; on an older one the container
    does not start. Each version of CUDA came with a branch of the driver that has it first.

    Fix: see ``nvidia-smi`` on the machines that are to run it, or build upon an older CUDA.
    """
    stage = facts.final_chain()[0]
    cuda = cuda_of(stage.base)
    if cuda is None:
        return
    branch = cuda_driver_of(cuda)
    driver = (
        say("a driver of branch {branch} or newer", branch=branch)
        if branch is not None
        else say("a driver that has CUDA {cuda}", cuda=cuda)
    )
    yield Draft(
        severity=Severity.INFO,
        subject=stage.base,
        message=say("whoever runs the image needs an NVIDIA GPU with {driver}", driver=driver),
        line=stage.origin.first_line,
        remedies=edit(say("see what nvidia-smi tells where it is to run, or build upon an older CUDA")),
    )
