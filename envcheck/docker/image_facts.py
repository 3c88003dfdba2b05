"""The tables behind `envcheck.docker.images`, each row with its source. Last compared with them on 2026-11-23."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envcheck.image_tables import DOCKER_STACKS, REPOSITORIES
from envcheck.language import say

__all__ = [
    "DEPRECATED",
    "IMAGES",
    "LINUX_ANVIL",
    "NAMES_OF_DISTRIBUTIONS",
    "PYTHON_ENDED",
    "WITHOUT_CONDA",
    "WITHOUT_LATEST",
    "Deprecation",
    "Image",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a kind of image brings along.

    ``tools`` are the commands that make environments; ``channels`` what they use by default, in ``priority``;
    ``prefix`` the base environment; ``run_shell`` its SHELL; ``user`` whom it runs as; ``variables`` are its ENV.
    ``on_build`` are the commands that its ONBUILD instructions run in the build context, each with the file that it
    needs there, of which the first counts whose file is there (an empty name: none is needed).
    """

    tools: tuple[str, ...]
    channels: tuple[str, ...] = ()
    priority: str | None = None
    prefix: str = "/opt/conda"
    run_shell: tuple[str, ...] = ()
    user: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    on_build: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """What is wrong with an image, as the end of a sentence, and the image to use in its place."""

    why: str
    instead: str


_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONDA_PATH = (("PATH", f"/opt/conda/bin:{_SYSTEM_PATH}"),)

# anaconda/docker-images, miniconda3/debian/Dockerfile and anaconda3/debian/Dockerfile.
_ANACONDA = Image(tools=("conda",), channels=("defaults",), variables=_CONDA_PATH)

# conda-forge/miniforge-images, ubuntu/Dockerfile. Miniforge3 has mamba since 23.3.1, which is taken for granted.
_MINIFORGE = Image(
    tools=("conda", "mamba"), channels=("conda-forge",), variables=(("CONDA_DIR", "/opt/conda"), *_CONDA_PATH)
)

# conda-forge/docker-images, scripts/run_commands; conda is on the PATH of login shells only.
LINUX_ANVIL = Image(
    tools=("conda", "mamba", "micromamba", "pixi"),
    channels=("conda-forge",),
    priority="strict",
    variables=(("CONDA_DIR", "/opt/conda"),),
)
"""What conda-forge's images to build packages in have."""

# jupyter/docker-stacks, images/docker-stacks-foundation: Dockerfile and initial-condarc.
_JUPYTER = Image(
    tools=("conda", "mamba"),
    channels=("conda-forge",),
    user="jovyan",
    variables=(("CONDA_DIR", "/opt/conda"), ("HOME", "/home/jovyan"), *_CONDA_PATH),
)

IMAGES: Mapping[str, Image] = {
    "continuumio/miniconda3": _ANACONDA,
    "continuumio/anaconda3": _ANACONDA,
    "anaconda/miniconda": _ANACONDA,
    "anaconda/anaconda": _ANACONDA,
    # microsoft/vscode-dev-containers, containers/python-3-anaconda/.devcontainer/base.Dockerfile: FROM
    # continuumio/anaconda3, conda for the group of that name.
    "vscode/devcontainers/anaconda": _ANACONDA,
    "devcontainers/anaconda": _ANACONDA,
    "condaforge/miniforge3": _MINIFORGE,
    "condaforge/mambaforge": _MINIFORGE,
    # mamba-org/micromamba-docker, debian.Dockerfile: no .condarc, so no channel but those that are asked for.
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
        DOCKER_STACKS,
        _JUPYTER,
    ),
    # prefix-dev/pixi-docker, Dockerfile.
    "prefix-dev/pixi": Image(tools=("pixi",), channels=("conda-forge",), prefix=""),
    # pangeo-data/pangeo-docker-images, base-image/Dockerfile: its ENV lines, its Miniforge, and its ONBUILD lines.
    "pangeo/base-image": Image(
        tools=("conda", "mamba", "conda-lock"),
        channels=("conda-forge",),
        prefix="/srv/conda",
        user="jovyan",
        variables=(
            ("CONDA_ENV", "notebook"),
            ("NB_USER", "jovyan"),
            ("CONDA_DIR", "/srv/conda"),
            ("NB_PYTHON_PREFIX", "/srv/conda/envs/notebook"),
            ("HOME", "/home/jovyan"),
            ("PATH", f"/srv/conda/envs/notebook/bin:/srv/conda/bin:{_SYSTEM_PATH}"),
        ),
        on_build=(
            ("conda-lock.yml", "conda-lock install --name notebook"),
            ("environment.yml", "mamba env create --name notebook --file environment.yml"),
            ("", "mamba create --yes --name notebook pangeo-notebook"),
        ),
    ),
}

WITHOUT_CONDA = frozenset({*REPOSITORIES, "python", "nvidia/cuda"})
"""Images of a distribution, of Python and of CUDA: their Dockerfiles install no conda."""

# docker-library/official-images: library/rockylinux and library/oraclelinux list no tag `latest`;
# gitlab.com/nvidia/container-images/cuda, doc/README.md, "Deprecated: latest tag" (removed in January 2021).
WITHOUT_LATEST = frozenset({"rockylinux", "oraclelinux", "nvidia/cuda"})

NAMES_OF_DISTRIBUTIONS: Mapping[str, str] = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "centos": "CentOS",
    "rhel": "RHEL",
    "oraclelinux": "Oracle Linux",
    "amazonlinux": "Amazon Linux",
    "fedora": "Fedora",
    "alpine": "Alpine",
}

# devguide.python.org/versions: the end of life of each minor version, as far as it has passed.
PYTHON_ENDED: Mapping[str | None, str] = {
    "3.10": "2026-10-31",
    "3.9": "2025-10-31",
    "3.8": "2024-10-07",
    "3.7": "2023-06-27",
    "3.6": "2021-12-23",
    "3.5": "2020-09-30",
}

_ON_QUAY = say("is made on quay.io only since 2023-10-20")

# Repositories of which their owners say so.
DEPRECATED: Mapping[str, Deprecation] = {
    # anaconda/docker-images, README.md, and the message of miniconda3/debian/Dockerfile's entry point.
    "continuumio/miniconda3": Deprecation(
        why=say("is deprecated and gets no updates after Miniconda 26.7"), instead="anaconda/miniconda"
    ),
    "continuumio/anaconda3": Deprecation(why=say("is deprecated"), instead="anaconda/anaconda"),
    # Their Dockerfiles (Miniconda2, Anaconda2) left ContinuumIO/docker-images in 2020.
    "continuumio/miniconda": Deprecation(why=say("has Python 2 and is no longer made"), instead="anaconda/miniconda"),
    "continuumio/anaconda": Deprecation(why=say("has Python 2 and is no longer made"), instead="anaconda/anaconda"),
    # conda-forge.org/news/2024/07/29/sunsetting-mambaforge; the last images are those of 24.9.2 (November 2024).
    "condaforge/mambaforge": Deprecation(
        why=say("is no longer made; Miniforge has had mamba since 2023"), instead="condaforge/miniforge3"
    ),
    "condaforge/mambaforge-pypy3": Deprecation(why=say("is no longer made"), instead="condaforge/miniforge3"),
    # docker-library/official-images, library/rockylinux: nothing newer than 9.3 and 8.9 of November 2023.
    "rockylinux": Deprecation(why=say("has had no updates since 2023-11-19"), instead="rockylinux/rockylinux:9"),
    # hub.docker.com/_/centos, "Deprecation notice"; centos.org/centos-linux-eol (8: 2021-12-31, 7: 2024-06-30).
    "centos": Deprecation(why=say("gets no more updates"), instead="rockylinux/rockylinux:9"),
    # microsoft/vscode-dev-containers, README.md: moved to devcontainers/images.
    "vscode/devcontainers/anaconda": Deprecation(
        why=say("has moved and is no longer made"), instead="mcr.microsoft.com/devcontainers/anaconda"
    ),
    # jupyter/docker-stacks, README.md.
    **{name: Deprecation(why=_ON_QUAY, instead=f"quay.io/{name}") for name in IMAGES if name.startswith("jupyter/")},
}
