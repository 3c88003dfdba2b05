"""Base images: which conda tool each has, where, with which channels, as tables with their sources.

Distribution, C library and CUDA of an image are in `envcheck.virtual_packages`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Image", "find_image", "image_variables", "split_reference"]

_CONDA_PATH = (("PATH", "/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a kind of image brings along.

    ``tools`` are the commands that make environments; ``channels`` what they use by default; ``prefix`` the base
    environment; ``shell_activates`` that the image's shell and entry point activate it; ``variables`` its ENV;
    ``deprecated`` what to use instead, with the reason.
    """

    tools: tuple[str, ...]
    channels: tuple[str, ...] = ()
    prefix: str = "/opt/conda"
    shell_activates: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    deprecated: str = ""


_ANACONDA = Image(tools=("conda",), channels=("defaults",), variables=_CONDA_PATH)
_MINIFORGE = Image(
    tools=("conda", "mamba"), channels=("conda-forge",), variables=(("CONDA_DIR", "/opt/conda"), *_CONDA_PATH)
)

# The ENV and RUN lines of each image's Dockerfile: anaconda/docker-images, conda-forge/miniforge-images,
# mamba-org/micromamba-docker (debian.Dockerfile: no .condarc, so no channel but those that are asked for),
# prefix-dev/pixi-docker, jupyter/docker-stacks (docker-stacks-foundation).
_IMAGES: Mapping[str, Image] = {
    "continuumio/miniconda3": _ANACONDA,
    "continuumio/anaconda3": _ANACONDA,
    "anaconda/miniconda": _ANACONDA,
    "anaconda/anaconda": _ANACONDA,
    "condaforge/miniforge3": _MINIFORGE,
    "condaforge/mambaforge": _MINIFORGE,
    "mambaorg/micromamba": Image(
        tools=("micromamba",),
        shell_activates=True,
        variables=(
            ("ENV_NAME", "base"),
            ("MAMBA_ROOT_PREFIX", "/opt/conda"),
            ("MAMBA_EXE", "/bin/micromamba"),
            ("MAMBA_USER", "mambauser"),
        ),
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
    return _IMAGES.get(split_reference(reference)[0])


def image_variables(reference: str) -> tuple[tuple[str, str], ...]:
    """The ENV variables that an image sets, as far as the table knows."""
    image = find_image(reference)
    return () if image is None else image.variables
