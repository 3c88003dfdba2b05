"""The virtual packages of a target (CEP 30), from tables: per platform, and per base image of a container.

envcheck asks what another machine could install, so it never looks at the one it runs on. Two choices matter:

- ``__glibc`` is 2.28 on Linux, as in conda-lock (``default-virtual-packages.yaml``) and rattler
  (``crates/rattler_virtual_packages/src/defaults.rs``): that of RHEL 8 and Debian 10, which every image still built
  today has or exceeds. ``__linux`` is 4.18, as in rattler: a container has the kernel of its host, so the oldest one in
  service is the one to prove against (conda-lock says 5.10).
- ``__cuda`` is absent. conda-lock pretends 11.4; but ``docker build`` has no GPU driver, and CEP 30 has the package
  absent without one, so a solve that assumes it proves something else than what the build does. Whoever wants CUDA
  builds asks for them: with ``__cuda=12.4``, with ``CONDA_OVERRIDE_CUDA``, with an ``nvidia/cuda`` base image, or by
  having them in the source (`envcheck.variants.cuda_asked_for`), which is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envcheck.errors import ConfigurationError
from envcheck.model import VirtualPackage

__all__ = ["IMAGES", "PLATFORMS", "overrides_from_environment", "virtual_packages_for"]

# CEP 30: __unix is always 0; the build strings of __archspec are those of its appendix A, with the version 1 that
# names of the archspec database have. __osx 11.0 is conda-lock's; __win 0 says "any Windows", as in rattler.
_LINUX = (("__glibc", "2.28"), ("__linux", "4.18"), ("__unix", "0"))
_OSX = (("__osx", "11.0"), ("__unix", "0"))
_WIN = (("__win", "0"),)

_PLATFORMS: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "linux-64": (_LINUX, "x86_64"),
    "linux-aarch64": (_LINUX, "aarch64"),
    "linux-ppc64le": (_LINUX, "ppc64le"),
    "osx-64": (_OSX, "x86_64"),
    "osx-arm64": (_OSX, "aarch64"),
    "win-64": (_WIN, "x86_64"),
}
PLATFORMS: tuple[str, ...] = tuple(_PLATFORMS)

# glibc by distribution and release, newest first; ``None`` for a C library that is not glibc. The versions are those of
# the distributions' own package lists: packages.debian.org and packages.ubuntu.com (libc6), the RHEL, Amazon Linux and
# Fedora release notes (glibc). Code names stand for releases. Where a tag moves (``latest``), the oldest release that
# it may still mean in somebody's cache is taken: a proof for an older glibc holds for a newer one.
_RELEASES: Mapping[str, tuple[tuple[tuple[str, ...], str | None], ...]] = {
    "debian": (
        (("13", "trixie"), "2.41"),
        (("12", "bookworm", "stable", "latest"), "2.36"),
        (("11", "bullseye", "oldstable"), "2.31"),
        (("10", "buster"), "2.28"),
        (("9", "stretch"), "2.24"),
        (("8", "jessie"), "2.19"),
    ),
    "ubuntu": (
        (("26.04", "resolute"), "2.43"),
        (("25.10", "questing"), "2.42"),
        (("25.04", "plucky"), "2.41"),
        (("24.10", "oracular"), "2.40"),
        (("24.04", "noble", "latest", "rolling"), "2.39"),
        (("22.04", "jammy"), "2.35"),
        (("20.04", "focal"), "2.31"),
        (("18.04", "bionic"), "2.27"),
        (("16.04", "xenial"), "2.23"),
    ),
    # RHEL and its rebuilds share their major releases' glibc.
    "rhel": (
        (("10",), "2.39"),
        (("9",), "2.34"),
        (("8", "latest"), "2.28"),
        (("7",), "2.17"),
        (("6",), "2.12"),
    ),
    "amazonlinux": ((("2023", "latest"), "2.34"), (("2",), "2.26")),
    "fedora": (
        (("43",), "2.42"),
        (("42", "latest"), "2.41"),
        (("41",), "2.40"),
        (("40",), "2.39"),
    ),
    "alpine": ((("latest", "edge", "3", ""), None),),  # musl: conda's Linux packages do not run on it
    "alpine-glibc": ((("latest",), "2.34"),),  # frolvlad/alpine-glibc puts a glibc beside it, at least this one
}
_REPOSITORY_RELEASES: Mapping[str, str] = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "rockylinux": "rhel",
    "rockylinux/rockylinux": "rhel",
    "almalinux": "rhel",
    "centos": "rhel",
    "centos/centos": "rhel",
    "redhat/ubi7": "rhel",
    "redhat/ubi8": "rhel",
    "redhat/ubi9": "rhel",
    "redhat/ubi10": "rhel",
    "oraclelinux": "rhel",
    "amazonlinux": "amazonlinux",
    "amazonlinux/amazonlinux": "amazonlinux",
    "fedora": "fedora",
    "alpine": "alpine",
}
# Words in tags and image names that name a distribution: 3.12-slim-bookworm, 12.4.1-runtime-ubuntu22.04, base-debian12,
# ubi9, cos7 (conda-forge's linux-anvil images), alpine3.20. Code names are found besides.
_DISTRIBUTION_WORD = re.compile(
    r"(?<![a-z])(?P<name>debian|ubuntu|rockylinux|rocky|almalinux|alma|centos|cos|rhel|ubi|oraclelinux|fedora"
    r"|amazonlinux|alpine)-?(?P<release>\d+(?:\.\d+)?)?(?![a-z])"
)
_WORD_RELEASES = dict.fromkeys(
    ("rockylinux", "rocky", "almalinux", "alma", "centos", "cos", "rhel", "ubi", "oraclelinux"), "rhel"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """An image that is built upon a distribution: by the version in the tag, newest first, else by ``moving``.

    ``since`` pairs the lowest version with the release it is built upon; ``moving`` is for ``latest`` and tags without
    a version, the older release where the tag changed lately.
    """

    moving: tuple[str, str]
    since: tuple[tuple[tuple[int, ...], tuple[str, str]], ...] = ()


# The Dockerfiles' FROM lines over time: anaconda/docker-images (miniconda3/debian/Dockerfile), which publishes under
# continuumio/ (deprecated) and anaconda/ alike.
_MINICONDA_SINCE = (
    ((25, 11), ("debian", "13")),
    ((24, 4), ("debian", "12")),
    ((22,), ("debian", "11")),
    ((4, 8), ("debian", "10")),
    ((0,), ("debian", "8")),
)
_ANACONDA_SINCE = (
    ((2025, 12), ("debian", "13")),
    ((2024, 6), ("debian", "12")),
    ((2022,), ("debian", "11")),
    ((2019,), ("debian", "10")),
    ((0,), ("debian", "8")),
)
_IMAGES: Mapping[str, _Image] = {
    "continuumio/miniconda3": _Image(moving=("debian", "12"), since=_MINICONDA_SINCE),
    "continuumio/anaconda3": _Image(moving=("debian", "12"), since=_ANACONDA_SINCE),
    "anaconda/miniconda": _Image(moving=("debian", "12"), since=_MINICONDA_SINCE),
    "anaconda/anaconda": _Image(moving=("debian", "12"), since=_ANACONDA_SINCE),
    # conda-forge/miniforge-images, ubuntu/Dockerfile: focal in 2023, noble by the first release of 2025.
    "condaforge/miniforge3": _Image(
        moving=("ubuntu", "24.04"), since=(((25,), ("ubuntu", "24.04")), ((0,), ("ubuntu", "20.04")))
    ),
    "condaforge/mambaforge": _Image(moving=("ubuntu", "20.04")),
    # mamba-org/micromamba-docker, .github/workflows/push_latest.yml: Debian 13 since May 2026, 12 since September 2024.
    "mambaorg/micromamba": _Image(
        moving=("debian", "12"), since=(((2, 7), ("debian", "13")), ((2,), ("debian", "12")), ((0,), ("debian", "11")))
    ),
    "frolvlad/alpine-glibc": _Image(moving=("alpine-glibc", "latest")),
    # prefix-dev/pixi-docker, .github/workflows/build.yml: noble since August 2026, jammy before.
    "prefix-dev/pixi": _Image(moving=("ubuntu", "22.04")),
    # NVIDIA's tags name the distribution; those of before 2018 that do not are Ubuntu 16.04.
    "nvidia/cuda": _Image(moving=("ubuntu", "16.04")),
    # pytorch/pytorch, docker.Makefile: BASE_IMAGE was Ubuntu 18.04 and 20.04 before 22.04.
    "pytorch/pytorch": _Image(
        moving=("ubuntu", "22.04"), since=(((2,), ("ubuntu", "20.04")), ((0,), ("ubuntu", "18.04")))
    ),
    # docker-library/python moves to each Debian release when it comes out, for the Pythons then supported: bookworm in
    # June 2023, trixie in August 2025. A tag with a patch release may be as old as that release.
    "python": _Image(
        moving=("debian", "12"),
        since=(
            ((3, 14), ("debian", "13")),
            ((3, 12), ("debian", "12")),
            ((3, 10), ("debian", "11")),
            ((3, 7), ("debian", "10")),
            ((0,), ("debian", "8")),
        ),
    ),
    # jupyter/docker-stacks: images on Docker Hub ended in October 2023 on Ubuntu 22.04, those on Quay go on with 24.04.
    "jupyter/minimal-notebook": _Image(moving=("ubuntu", "22.04")),
    "jupyter/base-notebook": _Image(moving=("ubuntu", "22.04")),
    "jupyter/scipy-notebook": _Image(moving=("ubuntu", "22.04")),
    "jupyter/datascience-notebook": _Image(moving=("ubuntu", "22.04")),
}
# Known by name, with a C library that their name does not tell: asking is better than guessing.
_UNKNOWABLE = frozenset({"busybox", "scratch"})

IMAGES: tuple[str, ...] = tuple(sorted({*_REPOSITORY_RELEASES, *_IMAGES}))

_REGISTRY = re.compile(r"^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?)/")
_TAG_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")
_CUDA_WORD = re.compile(r"(?<![a-z])cuda-?(\d+\.\d+)")
_VERSION = re.compile(r"[0-9A-Za-z_.!+*]+")  # the characters of a version, CEP 33
_KERNEL = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?(\.[0-9]+)?")  # CEP 30, CONDA_OVERRIDE_LINUX


def virtual_packages_for(
    platform: str, *, image: str | None = None, overrides: Sequence[str] = (), cuda: str | None = None
) -> tuple[VirtualPackage, ...]:
    """The virtual packages that a target has.

    Args:
        platform: The conda platform, one of `PLATFORMS`.
        image: The container's base image as a Dockerfile names it; ``None`` for the platform's defaults.
        overrides: ``NAME=VERSION`` or ``NAME=VERSION=BUILD``, later ones first in rank; the underscores of the name may
            be left out, and an empty version removes the package.
        cuda: The version of ``__cuda`` where neither an image nor an override has a say.

    Returns:
        The packages, sorted by name.

    Raises:
        ConfigurationError: The platform or the image is not known, or an override cannot be read.
    """
    if platform not in _PLATFORMS:
        raise ConfigurationError(
            f"The platform '{platform}' is not known.{_did_you_mean(platform, PLATFORMS)}",
            hint=f"Choose one of {', '.join(PLATFORMS)}.",
        )
    versions, architecture = _PLATFORMS[platform]
    packages = {name: VirtualPackage(name=name, version=version) for name, version in versions}
    packages["__archspec"] = VirtualPackage(name="__archspec", version="1", build=architecture)
    if cuda is not None and image is None:
        packages["__cuda"] = VirtualPackage(name="__cuda", version=cuda)
    if image is not None:
        if not platform.startswith("linux-"):
            raise ConfigurationError(
                f"The image '{image}' cannot be asked for on {platform}.",
                hint="Choose a Linux platform, or leave out the image.",
            )
        glibc, cuda = _image_versions(image)
        for name, version in (("__glibc", glibc), ("__cuda", cuda)):
            if version is None:
                packages.pop(name, None)
            else:
                packages[name] = VirtualPackage(name=name, version=version)
    for override in overrides:
        _apply(override, packages)
    return tuple(packages[name] for name in sorted(packages))


def overrides_from_environment(environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    """The ``CONDA_OVERRIDE_*`` variables that have a say on a platform, in the form that `virtual_packages_for` takes.

    As CEP 30 has it: ``UNIX`` has no effect, those of another platform are ignored, ``ARCHSPEC`` sets the build. An
    empty ``CUDA`` or ``GLIBC`` takes the package away, as in conda; any other empty value is ignored.

    Args:
        environ: The environment variables.
        platform: The conda platform of the target.

    Returns:
        ``NAME=VERSION`` texts, to be put before the user's own so that those win.
    """
    family = platform.partition("-")[0]
    overrides: list[str] = []
    for name, families, removable in (
        ("CUDA", {"linux", "win", "osx"}, True),
        ("GLIBC", {"linux"}, True),
        ("LINUX", {"linux"}, False),
        ("OSX", {"osx"}, False),
        ("WIN", {"win"}, False),
    ):
        value = environ.get(f"CONDA_OVERRIDE_{name}")
        if value is None or family not in families:
            continue
        value = value.strip()
        pattern = _KERNEL if name == "LINUX" else _VERSION
        if pattern.fullmatch(value) or (removable and not value):
            overrides.append(f"__{name.lower()}={value}")
    if archspec := environ.get("CONDA_OVERRIDE_ARCHSPEC", "").strip():
        overrides.append(f"__archspec=1={archspec}")
    return tuple(overrides)


# ---------------------------------------------------------------------------------------------------------------------
# Overrides
# ---------------------------------------------------------------------------------------------------------------------


def _apply(override: str, packages: dict[str, VirtualPackage]) -> None:
    name, separator, rest = override.strip().partition("=")
    name = "__" + name.strip().lower().lstrip("_")
    version, _, build = rest.partition("=")
    version, build = version.strip(), build.strip()
    readable = separator and re.fullmatch(r"__[a-z0-9][a-z0-9_.-]*", name)
    if not readable or (version and not _VERSION.fullmatch(version)) or not re.fullmatch(r"[0-9A-Za-z_.+]*", build):
        raise ConfigurationError(
            f"'{override}' is no virtual package.", hint="Write NAME=VERSION, for example __glibc=2.31 or __cuda=12.4."
        )
    if not version:
        packages.pop(name, None)
        return
    if not build:
        # An architecture keeps its build string when only its version is given; all others have build 0 (CEP 30).
        build = packages[name].build if name == "__archspec" and name in packages else "0"
    packages[name] = VirtualPackage(name=name, version=version, build=build)


# ---------------------------------------------------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------------------------------------------------


def _image_versions(image: str) -> tuple[str | None, str | None]:
    """The ``__glibc`` and ``__cuda`` of an image; ``None`` for absent."""
    repository, tag = _split_image(image)
    if repository in _UNKNOWABLE:
        raise ConfigurationError(
            f"The image '{image}' does not tell which C library it has.",
            hint="Name a distribution's image, or say it with --virtual-package __glibc=VERSION.",
        )
    release = _release_of(repository, tag)
    if release is None:
        raise ConfigurationError(
            f"The image '{image}' is not known.{_did_you_mean(repository, IMAGES)}",
            hint="Name the image that it is built upon, such as debian:12, or use --virtual-package __glibc=VERSION.",
        )
    # Whoever builds upon a CUDA image runs it where a driver is: NVIDIA's images refuse to start without one that is
    # recent enough (NVIDIA_REQUIRE_CUDA).
    found = _TAG_VERSION.match(tag) if repository == "nvidia/cuda" else _CUDA_WORD.search(tag)
    cuda = None if found is None else ".".join(found[1].split(".")[:2])
    return _glibc(*release), cuda


def _split_image(image: str) -> tuple[str, str]:
    """Repository without registry and ``library/``, and tag without digest, in lower case."""
    name = image.strip().lower().partition("@")[0]
    name = _REGISTRY.sub("", name).removeprefix("library/")
    repository, _, tag = name.partition(":")
    return repository, tag or "latest"


def _release_of(repository: str, tag: str) -> tuple[str, str] | None:
    """The distribution and release below an image, ``None`` where nothing tells."""
    if (distribution := _REPOSITORY_RELEASES.get(repository)) is not None:
        # Of ubi9 and its like the release stands in the name.
        in_name = re.search(r"\d+$", repository)
        return _known(distribution, tag if in_name is None else in_name[0])
    if "alpine" in tag and repository == "mambaorg/micromamba":
        repository = "frolvlad/alpine-glibc"  # alpine.Dockerfile of mamba-org/micromamba-docker is built upon it
    if repository == "frolvlad/alpine-glibc":
        return _IMAGES[repository].moving
    for text in (tag, repository):
        if (found := _named_in(text)) is not None:
            return found
    if (known := _IMAGES.get(repository)) is None:
        return None
    version = _TAG_VERSION.match(tag)
    if version is not None:
        numbers = tuple(int(part) for part in version[1].split("."))
        if repository == "python" and len(numbers) < 3 and numbers >= (3, 9):
            return known.moving  # a minor version's tag moves for as long as that Python is supported
        for lowest, release in known.since:
            if numbers >= lowest:
                return release
    return known.moving


def _named_in(text: str) -> tuple[str, str] | None:
    """A distribution that a tag or an image's name mentions, by code name or by name and release."""
    words = set(re.split(r"[^a-z0-9.]+", text))
    for distribution, releases in _RELEASES.items():
        for names, _ in releases:
            if any(name.isalpha() and name in words for name in names if name not in _MOVING):
                return distribution, names[0]
    if (found := _DISTRIBUTION_WORD.search(text)) is None:
        return None
    return _known(_WORD_RELEASES.get(found["name"], found["name"]), found["release"] or "latest")


_MOVING = frozenset({"latest", "stable", "oldstable", "rolling", "edge"})


def _known(distribution: str, tag: str) -> tuple[str, str] | None:
    """The release that a distribution's tag names: ``12-slim``, ``noble-20240101``, ``8.10``, ``stream9``."""
    if distribution == "alpine":
        return distribution, "latest"
    words = re.split(r"[^a-z0-9.]+", tag.replace("stream", "").replace("ubi", ""))
    for word in (part for part in words if part):
        for names, _ in _RELEASES[distribution]:
            if word in names or (names[0].isdigit() and word.partition(".")[0] == names[0]):
                return distribution, names[0]
            if word.startswith(f"{names[0]}."):
                return distribution, names[0]
    return None


def _glibc(distribution: str, release: str) -> str | None:
    return next(glibc for names, glibc in _RELEASES[distribution] if release in names)


def _did_you_mean(text: str, known: Sequence[str]) -> str:
    from rapidfuzz import process

    close = [str(match[0]) for match in process.extract(text, known, limit=3, score_cutoff=70)]
    return f" Close names: {', '.join(close)}." if close else ""
