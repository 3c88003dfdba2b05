"""The images of a Dockerfile that envcheck writes: those of its builders, and what takes the place of a conda image.

Digests cannot be looked up without asking a registry, so that every image is pinned by its tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from envcheck.docker.images import split_reference
from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.virtual_packages import virtual_packages_for

__all__ = [
    "BUILDERS",
    "CONDA_LOCK",
    "CONDA_LOCK_PYTHON",
    "FinalBase",
    "base_user",
    "final_base",
    "holds_conda",
    "packages_for",
]

BUILDERS: Mapping[str, str] = {
    # mamba-org/micromamba-docker, docs/tags.rst (full version numbers are tags) and debian.Dockerfile (ARG VERSION).
    "micromamba": "mambaorg/micromamba:2.6.1",
    "conda-lock": "mambaorg/micromamba:2.6.1",
    # conda-forge/miniforge-images, .github/workflows/docker-build.yml: the tag is MINIFORGE_VERSION.
    "conda": "condaforge/miniforge3:26.3.2-3",
    # prefix-dev/pixi-docker, Dockerfile (ARG PIXI_VERSION); 0.68 is the first that reads version 7 of the lock.
    "pixi": "ghcr.io/prefix-dev/pixi:0.76.1",
}
"""The image that each style's environment is made in."""

CONDA_LOCK = "4.0.2"
"""The version of conda-lock that its style installs, from conda-forge."""

CONDA_LOCK_PYTHON = "3.13"
"""The Python of conda-lock's own environment."""

# Images that are a distribution, conda and little else: repository → what their Dockerfiles have apt-get install, and
# their ENV and user. anaconda/docker-images (miniconda3/debian, anaconda3/debian), conda-forge/miniforge-images
# (ubuntu/Dockerfile), mamba-org/micromamba-docker (debian.Dockerfile), prefix-dev/pixi-docker (Dockerfile).
_ANACONDA_PACKAGES = (
    "bzip2", "ca-certificates", "git", "libglib2.0-0", "libsm6", "libxext6", "libxrender1", "mercurial",
    "openssh-client", "procps", "subversion", "wget",
)  # fmt: skip
_MINIFORGE_PACKAGES = ("bzip2", "ca-certificates", "git", "tini", "wget")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CondaImage:
    packages: tuple[str, ...] = ()
    user: str = ""
    much_more: bool = False


_CONDA_IMAGES: Mapping[str, _CondaImage] = {
    "continuumio/miniconda3": _CondaImage(packages=_ANACONDA_PACKAGES),
    "continuumio/miniconda": _CondaImage(packages=_ANACONDA_PACKAGES),
    "continuumio/anaconda3": _CondaImage(packages=_ANACONDA_PACKAGES, much_more=True),
    "continuumio/anaconda": _CondaImage(packages=_ANACONDA_PACKAGES, much_more=True),
    "anaconda/miniconda": _CondaImage(packages=_ANACONDA_PACKAGES),
    "anaconda/anaconda": _CondaImage(packages=_ANACONDA_PACKAGES, much_more=True),
    "condaforge/miniforge3": _CondaImage(packages=_MINIFORGE_PACKAGES),
    "condaforge/mambaforge": _CondaImage(packages=_MINIFORGE_PACKAGES),
    "mambaorg/micromamba": _CondaImage(packages=("ca-certificates",), user="mambauser"),
    "prefix-dev/pixi": _CondaImage(packages=("ca-certificates",)),
}

# Programs that Dockerfiles call and that a slim image lacks, with Debian's and Ubuntu's package for each
# (packages.debian.org, packages.ubuntu.com: "Search the contents of packages").
_PROGRAM_PACKAGES: Mapping[str, str] = {
    "bzip2": "bzip2",
    "git": "git",
    "hg": "mercurial",
    "ps": "procps",
    "pkill": "procps",
    "scp": "openssh-client",
    "ssh": "openssh-client",
    "svn": "subversion",
    "tini": "tini",
    "wget": "wget",
}

# Images with more in them than conda, whose base environment must not be written into; and users other than root that
# images end with: jupyter/docker-stacks (NB_USER), pangeo-data/pangeo-docker-images (NB_USER).
_WITH_CONDA = re.compile(r"(?:^|/)(?:pytorch/pytorch|jupyter/.+|pangeo/.+|.*linux-anvil.*|.*anaconda.*|.*conda.*)$")
_USERS = re.compile(r"^(?:jupyter|pangeo)/")

# Debian 11 and older and Ubuntu 20.04 and older get no more updates, and apt-get finds their packages no longer where
# it looks for them (wiki.debian.org/LTS, ubuntu.com/about/release-cycle).
_GLIBC_OF_DEBIAN = {"2.36": "12", "2.41": "13"}
_GLIBC_OF_UBUNTU = {"2.35": "22.04", "2.39": "24.04"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalBase:
    """What the written stage is built upon.

    ``image`` is the reference to write, ``None`` to keep what stands there; ``packages`` are what the image that was
    there had installed with apt-get; ``user`` its user other than root; ``much_more`` that its base environment holds
    hundreds of packages; ``moved`` the release that had to be left, as text.
    """

    image: str | None = None
    packages: tuple[str, ...] = ()
    user: str = ""
    much_more: bool = False
    moved: str = ""


def final_base(reference: str) -> FinalBase:
    """What takes the place of an image: the distribution it is built upon where there is only conda besides."""
    repository, tag, _ = split_reference(reference)
    if repository in ("debian", "ubuntu") and tag in (None, "latest") and "@" not in reference:
        releases = _GLIBC_OF_DEBIAN if repository == "debian" else _GLIBC_OF_UBUNTU
        pinned = releases.get(_glibc(reference) or "")
        return FinalBase() if pinned is None else FinalBase(image=f"{repository}:{pinned}")
    known = _CONDA_IMAGES.get(repository)
    if known is None or "cuda" in (tag or "") or "alpine" in (tag or "") or "amazon" in (tag or ""):
        return FinalBase()
    glibc = _glibc(reference)
    ubuntu = glibc in _GLIBC_OF_UBUNTU or (repository.startswith(("condaforge/", "prefix-dev/")) and glibc is not None)
    if ubuntu and glibc not in _GLIBC_OF_DEBIAN:
        release = _GLIBC_OF_UBUNTU.get(glibc or "", "24.04")
        image, moved = f"ubuntu:{release}", "" if glibc in _GLIBC_OF_UBUNTU else say("its release of Ubuntu")
    else:
        release = _GLIBC_OF_DEBIAN.get(glibc or "", "12")
        image, moved = f"debian:{release}-slim", "" if glibc in _GLIBC_OF_DEBIAN else say("its release of Debian")
    return FinalBase(
        image=image, packages=known.packages, user=known.user, much_more=known.much_more, moved=moved
    )  # fmt: skip


def _glibc(reference: str) -> str | None:
    try:
        packages = virtual_packages_for("linux-64", image=reference)
    except ConfigurationError:
        return None
    return next((one.version for one in packages if one.name == "__glibc"), None)


def holds_conda(reference: str) -> bool:
    """Whether an image that is kept has a base environment of its own."""
    return _WITH_CONDA.search(split_reference(reference)[0]) is not None


def base_user(reference: str) -> str | None:
    """How a user is added in an image that starts as root: ``useradd``; ``None`` where that is not known to work."""
    repository, _, _ = split_reference(reference)
    if _USERS.match(repository):
        return None
    try:
        packages = virtual_packages_for("linux-64", image=reference)
    except ConfigurationError:
        return None
    without = repository.startswith(("amazonlinux", "alpine", "frolvlad/")) or "minimal" in repository
    return None if without or not any(one.name == "__glibc" for one in packages) else "useradd"


def packages_for(called: Collection[str], available: Collection[str]) -> tuple[str, ...]:
    """The apt packages of the replaced image that hold the programs which the Dockerfile calls."""
    return tuple(
        sorted({_PROGRAM_PACKAGES[one] for one in called if one in _PROGRAM_PACKAGES} & set(available))
    )  # fmt: skip
