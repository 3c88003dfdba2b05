"""Base images: which conda tool each has, where, with which channels, as tables with their sources.

Distribution, C library and CUDA of an image are in `envcheck.virtual_packages`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "Image",
    "deprecation",
    "find_image",
    "has_musl",
    "image_variables",
    "python_of",
    "split_reference",
]

_CONDA_PATH = (("PATH", "/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a kind of image brings along.

    ``tools`` are the commands that make environments; ``channels`` what they use by default; ``prefix`` the base
    environment; ``run_shell`` its SHELL; ``user`` whom it runs as;
    ``variables`` are its ENV.
    """

    tools: tuple[str, ...]
    channels: tuple[str, ...] = ()
    prefix: str = "/opt/conda"
    run_shell: tuple[str, ...] = ()
    user: str = ""
    variables: tuple[tuple[str, str], ...] = ()


_ANACONDA = Image(tools=("conda",), channels=("defaults",), variables=_CONDA_PATH)
_MINIFORGE = Image(
    tools=("conda", "mamba"), channels=("conda-forge",), variables=(("CONDA_DIR", "/opt/conda"), *_CONDA_PATH)
)

_JUPYTER = Image(
    tools=("conda", "mamba"),
    channels=("conda-forge",),
    user="jovyan",
    variables=(("CONDA_DIR", "/opt/conda"), ("HOME", "/home/jovyan"), *_CONDA_PATH),
)

# The ENV and RUN lines of each image's Dockerfile: anaconda/docker-images, conda-forge/miniforge-images,
# mamba-org/micromamba-docker (debian.Dockerfile: no .condarc, so no channel but those that are asked for),
# conda-forge/docker-images (linux-anvil), prefix-dev/pixi-docker, jupyter/docker-stacks (docker-stacks-foundation).
_IMAGES: Mapping[str, Image] = {
    "continuumio/miniconda3": _ANACONDA,
    "continuumio/anaconda3": _ANACONDA,
    "anaconda/miniconda": _ANACONDA,
    "anaconda/anaconda": _ANACONDA,
    "condaforge/miniforge3": _MINIFORGE,
    "condaforge/mambaforge": _MINIFORGE,
    "mambaorg/micromamba": Image(
        tools=("micromamba",),
        run_shell=("/usr/local/bin/_dockerfile_shell.sh",),
        user="mambauser",
        variables=(
            ("ENV_NAME", "base"),
            ("MAMBA_ROOT_PREFIX", "/opt/conda"),
            ("MAMBA_EXE", "/bin/micromamba"),
            ("MAMBA_USER", "mambauser"),
        ),
    ),
    **dict.fromkeys(
        (
            "jupyter/base-notebook",
            "jupyter/minimal-notebook",
            "jupyter/scipy-notebook",
            "jupyter/datascience-notebook",
            "jupyter/pyspark-notebook",
            "jupyter/tensorflow-notebook",
        ),
        _JUPYTER,
    ),
    "prefix-dev/pixi": Image(tools=("pixi",), channels=("conda-forge",), prefix=""),
}

_REGISTRY = re.compile(r"^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?)/")


def split_reference(reference: str) -> tuple[str, str | None, str | None]:
    """An image reference's repository (without registry and ``library/``), tag and digest.

    The registry is told from a name by a dot, a port or ``localhost`` (distribution/reference).
    """
    name, _, digest = reference.strip().partition("@")
    name = _REGISTRY.sub("", name.lower()).removeprefix("library/")
    repository, _, tag = name.partition(":")
    return repository, tag or None, digest or None


def find_image(reference: str) -> Image | None:
    """The table's entry of an image, ``None`` where it has none."""
    repository = split_reference(reference)[0]
    if repository.startswith("condaforge/linux-anvil"):
        return _MINIFORGE
    return _IMAGES.get(repository)


def image_variables(reference: str) -> tuple[tuple[str, str], ...]:
    """The ENV variables that an image sets, as far as the table knows."""
    image = find_image(reference)
    return () if image is None else image.variables


def has_musl(reference: str) -> bool:
    """Whether an image has musl in place of glibc, so that conda's packages do not run on it."""
    repository, tag, _ = split_reference(reference)
    if repository in ("frolvlad/alpine-glibc", "mambaorg/micromamba") or "glibc" in (tag or ""):
        return False
    return repository in ("alpine", "busybox") or "alpine" in (tag or "") or repository.startswith("frolvlad/alpine-")


def python_of(reference: str) -> str | None:
    """The Python (``3.10``) that an image of the ``python`` repository has."""
    repository, tag, _ = split_reference(reference)
    match = re.match(r"(3\.\d+)", tag or "") if repository == "python" else None
    return None if match is None else match[1]


# Repositories whose owners say so: hub.docker.com/r/continuumio/miniconda3 (and its entry point's message),
# conda-forge.org/news/2024/07/29/sunsetting-mambaforge, jupyter-docker-stacks on quay.io since October 2023,
# CentOS Linux 8 (end of 2021) and 7 (June 2024) at blog.centos.org.
_DEPRECATED: Mapping[str, tuple[str, str]] = {
    "continuumio/miniconda3": ("is deprecated; it ends with Miniconda 26.7", "anaconda/miniconda"),
    "continuumio/anaconda3": ("is deprecated", "anaconda/anaconda"),
    "continuumio/miniconda": ("has Python 2 and is no longer made", "anaconda/miniconda"),
    "continuumio/anaconda": ("has Python 2 and is no longer made", "anaconda/anaconda"),
    "condaforge/mambaforge": ("is no longer made; Miniforge has had mamba since 2023", "condaforge/miniforge3"),
    "condaforge/mambaforge-pypy3": ("is no longer made", "condaforge/miniforge3"),
    "centos": ("gets no more updates", "rockylinux/rockylinux:9"),
}


def deprecation(reference: str) -> tuple[str, str] | None:
    """Why an image should no longer be used, and what to use in its place."""
    repository = split_reference(reference)[0]
    return _DEPRECATED.get(repository)
