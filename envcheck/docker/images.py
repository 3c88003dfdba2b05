"""Base images: which conda tool each has, where, with which channels, and which are no longer kept up.

Distribution, C library and CUDA of an image are in `envcheck.base_images`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from envcheck.base_images import cuda_of, named_release, release_of, split_reference
from envcheck.docker.image_facts import (
    DEPRECATED,
    IMAGES,
    LINUX_ANVIL,
    NAMES_OF_DISTRIBUTIONS,
    PYTHON_ENDED,
    WITHOUT_CONDA,
    WITHOUT_LATEST,
    Deprecation,
    Image,
)
from envcheck.language import say

__all__ = [
    "Deprecation",
    "Image",
    "deprecation",
    "find_image",
    "has_latest",
    "has_musl",
    "image_variables",
    "lacks_conda",
    "python_of",
    "split_reference",
]


def find_image(reference: str) -> Image | None:
    """The table's entry of an image, ``None`` where it has none."""
    repository = split_reference(reference)[0]
    if repository.startswith("condaforge/linux-anvil"):
        return LINUX_ANVIL
    return IMAGES.get(repository)


def image_variables(reference: str) -> tuple[tuple[str, str], ...]:
    """The ENV variables that an image sets, as far as the table knows."""
    image = find_image(reference)
    if image is None:
        return ()
    cuda = cuda_of(reference)
    if "micromamba" in image.tools and cuda is not None:
        # debian.Dockerfile of mamba-org/micromamba-docker: ENV CONDA_OVERRIDE_CUDA="${CUDA_VERSION:-}".
        return (*image.variables, ("CONDA_OVERRIDE_CUDA", cuda))
    return image.variables


def lacks_conda(reference: str) -> bool:
    """Whether an image is known to come without conda and its like: a distribution, Python or CUDA and no more."""
    return split_reference(reference)[0] in WITHOUT_CONDA


def has_latest(reference: str) -> bool:
    """Whether a repository has a tag ``latest``, as far as is known."""
    return split_reference(reference)[0] not in WITHOUT_LATEST


def has_musl(reference: str) -> bool:
    """Whether an image has musl and no glibc beside it, so that conda's packages do not run on it."""
    repository = split_reference(reference)[0]
    release = release_of(reference)
    if release is not None:
        return release.glibc is None
    return repository == "busybox" or repository.startswith("frolvlad/alpine-")


def python_of(reference: str) -> str | None:
    """The Python (``3.10``) that an image of the ``python`` repository has."""
    repository, tag, _ = split_reference(reference)
    match = re.match(r"(3\.\d+)", tag or "") if repository == "python" else None
    return None if match is None else match[1]


def deprecation(reference: str) -> Deprecation | None:
    """Why an image should no longer be used, and what to use in its place; ``None`` where nothing is known."""
    repository = split_reference(reference)[0]
    if repository.startswith("jupyter/") and re.match(r"(?:docker\.io/)?jupyter/", reference.strip().lower()) is None:
        return None  # quay.io has those that are kept up
    if (known := DEPRECATED.get(repository)) is not None:
        return known
    python = python_of(reference)
    if python in PYTHON_ENDED:
        why = say(
            "has Python {python}, which has had no updates since {date}",
            python=python,
            date=PYTHON_ENDED[python],
        )
        return Deprecation(why=why, instead="python:3.13-slim")
    release = named_release(reference)
    if release is None or release.ended is None:
        return None
    name = f"{NAMES_OF_DISTRIBUTIONS.get(release.distribution, release.distribution)} {release.name}"
    why = say("is {name}", name=name) if repository == release.distribution else say("is built upon {name}", name=name)
    instead = _IN_PLACE_OF.get(release.distribution, "debian:13-slim")
    return Deprecation(
        why=say("{why}, which has had no updates since {ended}", why=why, ended=release.ended), instead=instead
    )


_IN_PLACE_OF: Mapping[str, str] = {
    "debian": "debian:13-slim",
    "ubuntu": "ubuntu:24.04",
    "centos": "rockylinux/rockylinux:9",
    "rhel": "redhat/ubi9",
    "oraclelinux": "oraclelinux:9",
    "amazonlinux": "amazonlinux:2023",
    "fedora": "fedora:44",
}
