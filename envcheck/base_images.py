"""What base images are built upon: distribution, C library, CUDA, and whether they still get updates. Tables only.

The tables are in `envcheck.image_tables`. Nothing here asks a registry, so what a tag means today is known only as far
as its owners' repositories say; where a tag moved lately, the older of the two releases is taken, since a proof for an
older glibc holds for a newer one, and somebody's cache may still hold the older image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from envcheck.image_tables import (
    CUDA_DRIVERS,
    ENDED,
    IMAGES_BUILT_UPON,
    MOVING,
    RELEASES,
    REPOSITORIES,
    UNKNOWABLE,
    BuiltUpon,
)

__all__ = [
    "IMAGES",
    "UNKNOWABLE",
    "Release",
    "cuda_driver_of",
    "cuda_of",
    "named_release",
    "release_of",
    "split_reference",
]

IMAGES: tuple[str, ...] = tuple(sorted({*REPOSITORIES, *IMAGES_BUILT_UPON}))
"""The repositories that the tables know by name."""

# Words in tags and image names that name a distribution: 3.12-slim-bookworm, 12.4.1-runtime-ubuntu22.04, base-debian12,
# ubi9, cos7 and alma9 (conda-forge's linux-anvil images), amazon2023 (micromamba's), alpine3.20. Code names are found
# besides.
_WORD = re.compile(
    r"(?<![a-z])(?P<name>debian|ubuntu|rockylinux|rocky|almalinux|alma|centos|cos|rhel|ubi|oraclelinux|fedora"
    r"|amazonlinux|amazon|alpine)-?(?P<release>\d+(?:\.\d+)?)?(?![a-z])"
)
_WORDS: Mapping[str, str] = {
    "rocky": "rockylinux",
    "alma": "almalinux",
    "cos": "centos",
    "ubi": "rhel",
    "amazon": "amazonlinux",
}
# RHEL and its rebuilds share their major releases' glibc.
_LIKE_RHEL = frozenset({"rockylinux", "almalinux", "centos", "oraclelinux"})

_REGISTRY = re.compile(r"^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?)/")
_TAG_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")
_CUDA_WORD = re.compile(r"(?<![a-z])cuda-?(\d+\.\d+)")
_GLIBC_WORD = re.compile(r"glibc-(\d+\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A distribution's release: ``glibc`` is ``None`` for a C library that is not glibc.

    ``ended`` is the day (ISO) of the last updates that everybody gets, ``None`` while there are some.
    """

    distribution: str
    name: str
    glibc: str | None
    ended: str | None = None


def split_reference(reference: str) -> tuple[str, str | None, str | None]:
    """An image reference's repository (without registry and ``library/``), tag and digest.

    The registry is told from a name by a dot, a port or ``localhost`` (distribution/reference).
    """
    name, _, digest = reference.strip().partition("@")
    name = _REGISTRY.sub("", name.lower()).removeprefix("library/")
    repository, _, tag = name.partition(":")
    return repository, tag or None, digest or None


def release_of(image: str) -> Release | None:
    """The release that an image is built upon, ``None`` where nothing tells."""
    repository, tag = _repository_and_tag(image)
    if repository in UNKNOWABLE:
        return None
    named = _named(repository, tag)
    if named is not None:
        return named
    known = IMAGES_BUILT_UPON.get(repository)
    return None if known is None else _by_version(known, repository, tag)


def named_release(image: str) -> Release | None:
    """The release that an image's own name or tag tells, ``None`` where only a table of images would."""
    repository, tag = _repository_and_tag(image)
    if repository in UNKNOWABLE:
        return None
    return _mentioned(repository) if tag in MOVING else _named(repository, tag)


def cuda_of(image: str) -> str | None:
    """The CUDA (``12.4``) that an image has, as its tag tells; ``None`` for none."""
    repository, tag = _repository_and_tag(image)
    found = _TAG_VERSION.match(tag) if repository == "nvidia/cuda" else _CUDA_WORD.search(tag)
    return None if found is None else ".".join(found[1].split(".")[:2])


def cuda_driver_of(cuda: str) -> int | None:
    """The first branch of NVIDIA's drivers that has a version of CUDA, ``None`` where the table has no such version."""
    return CUDA_DRIVERS.get(cuda)


def _repository_and_tag(image: str) -> tuple[str, str]:
    repository, tag, _ = split_reference(image)
    return repository, tag or "latest"


def _named(repository: str, tag: str) -> Release | None:
    if (distribution := REPOSITORIES.get(repository)) is not None:
        # Of ubi9 and its like the release stands in the name.
        in_name = re.search(r"\d+$", repository)
        return _release(distribution, tag if in_name is None else in_name[0])
    if repository == "frolvlad/alpine-glibc" or ("alpine" in tag and repository in _WITH_GLIBC_ON_ALPINE):
        return _alpine_with_glibc(tag)
    if repository == "frolvlad/alpine-miniconda3":
        return _alpine_with_glibc("")
    for text in (tag, repository):
        if (found := _mentioned(text)) is not None:
            return found
    return None


# Their Dockerfiles for Alpine are FROM frolvlad/alpine-glibc: mamba-org/micromamba-docker (alpine.Dockerfile),
# ContinuumIO/docker-images (miniconda3/alpine/Dockerfile, until 2023).
_WITH_GLIBC_ON_ALPINE = frozenset({"mambaorg/micromamba", "continuumio/miniconda3"})


def _alpine_with_glibc(tag: str) -> Release:
    """Alpine with a glibc beside its musl, as frolvlad/alpine-glibc has it."""
    if (told := _GLIBC_WORD.search(tag)) is not None:
        return Release(distribution="alpine-glibc", name=told[1], glibc=told[1])
    release = re.search(r"alpine-?(3\.\d+)", tag)
    return _release("alpine-glibc", release[1] if release is not None else "latest") or Release(
        distribution="alpine-glibc", name="", glibc="2.34"
    )


def _by_version(known: BuiltUpon, repository: str, tag: str) -> Release | None:
    """What a table of images says: by the version in the tag, else by what tags without one mean."""
    version = _TAG_VERSION.match(tag)
    if version is not None:
        numbers = tuple(int(part) for part in version[1].split("."))
        # A minor version's tag moves for as long as that Python is supported.
        moves = repository == "python" and len(numbers) < 3 and numbers >= known.moving_since
        for lowest, release in () if moves else known.since:
            if numbers >= lowest:
                return _release(*release)
    return _release(*known.moving)


def _mentioned(text: str) -> Release | None:
    """A distribution that a tag or an image's name mentions, by code name or by name and release."""
    words = set(re.split(r"[^a-z0-9.]+", text))
    for distribution, releases in RELEASES.items():
        for names, _ in releases:
            if any(name.isalpha() and name in words for name in names if name not in MOVING):
                return _release(distribution, names[0])
    found = _WORD.search(text)
    if found is None or (found["release"] is None and text in REPOSITORIES):
        return None
    return _release(_WORDS.get(found["name"], found["name"]), found["release"] or "latest")


def _release(distribution: str, tag: str) -> Release | None:
    """The release that a distribution's tag names: ``12-slim``, ``noble-20240101``, ``8.10``, ``stream9``."""
    if distribution == "alpine":
        return _alpine(tag)
    stream = "stream" in tag
    words = re.split(r"[^a-z0-9.]+", tag.replace("stream", "").replace("ubi", ""))
    for word in (part for part in words if part):
        for names, glibc in RELEASES["rhel" if distribution in _LIKE_RHEL else distribution]:
            major = names[0].isdigit() and word.partition(".")[0] == names[0]
            if word in names or major or word.startswith(f"{names[0]}."):
                ended = ENDED.get(("centos-stream" if stream else distribution, names[0]))
                return Release(distribution=distribution, name=names[0], glibc=glibc, ended=ended)
    return None


def _alpine(tag: str) -> Release:
    version = re.match(r"(3\.\d+)", tag)
    name = version[1] if version is not None else "latest"
    return Release(distribution="alpine", name=name, glibc=None, ended=ENDED.get(("alpine", name)))
