"""The tables behind `envcheck.base_images`, each row with its source. Last compared with them on 2026-11-23.

Where a source is a Dockerfile's history, the release is that of the FROM line when an image of that version was built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "CUDA_DRIVERS",
    "DOCKER_STACKS",
    "ENDED",
    "IMAGES_BUILT_UPON",
    "MOVING",
    "RELEASES",
    "REPOSITORIES",
    "UNKNOWABLE",
    "BuiltUpon",
]

MOVING = frozenset({"latest", "stable", "oldstable", "oldoldstable", "rolling", "edge"})
"""Tags that mean another release from time to time."""

# Release names with their glibc, newest first. glibc's versions are those of the distributions' own package lists:
# packages.debian.org and packages.ubuntu.com (libc6), the release notes of RHEL, of Amazon Linux and of Fedora
# (toolchain changes). Code names stand for releases. What `latest` and its like mean is that of
# docker-library/official-images (library/debian, ubuntu, almalinux, amazonlinux, fedora) in August 2026, or the release
# before it where that changed in 2026 (ubuntu: 24.04 before 26.04, fedora: 43 before 44).
RELEASES: Mapping[str, tuple[tuple[tuple[str, ...], str | None], ...]] = {
    "debian": (
        (("13", "trixie", "stable", "latest"), "2.41"),
        (("12", "bookworm", "oldstable"), "2.36"),
        (("11", "bullseye", "oldoldstable"), "2.31"),
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
        (("23.10", "mantic"), "2.38"),
        (("23.04", "lunar"), "2.37"),
        (("22.10", "kinetic"), "2.36"),
        (("22.04", "jammy"), "2.35"),
        (("21.10", "impish"), "2.34"),
        (("20.04", "focal"), "2.31"),
        (("18.04", "bionic"), "2.27"),
        (("16.04", "xenial"), "2.23"),
        (("14.04", "trusty"), "2.19"),
    ),
    # docs.redhat.com, "Considerations in adopting RHEL": glibc 2.39, 2.34, 2.28; those of 7 and 6 by their packages.
    "rhel": (
        (("10",), "2.39"),
        (("9",), "2.34"),
        (("8", "latest"), "2.28"),
        (("7",), "2.17"),
        (("6",), "2.12"),
    ),
    # docs.aws.amazon.com/linux, "Comparing AL2 and AL2023".
    "amazonlinux": ((("2023", "latest"), "2.34"), (("2",), "2.26")),
    # fedoraproject.org/wiki/Changes, "The GNU Toolchain Update" or "glibc" of each release.
    "fedora": (
        (("44",), "2.43"),
        (("43", "latest"), "2.42"),
        (("42",), "2.41"),
        (("41",), "2.40"),
        (("40",), "2.39"),
        (("39",), "2.38"),
        (("38",), "2.37"),
    ),
    # Docker-Hub-frolvlad/docker-alpine-glibc, Dockerfile (GLIBC_VERSION, ALPINE_GLIBC_PACKAGE_VERSION) over time: the
    # lowest that a release of Alpine was built with. `latest` has had 2.42 since September 2025.
    "alpine-glibc": (
        (("3.22",), "2.42"),
        (("3.21", "latest", "3"), "2.41"),
        (("3.20",), "2.34"),
        (("3.19",), "2.34"),
        (("3.18",), "2.34"),
        (("3.17",), "2.34"),
        (("3.16",), "2.34"),
        (("3.15",), "2.33"),
        (("3.14",), "2.33"),
        (("3.13",), "2.32"),
        (("3.12",), "2.31"),
        (("3.11",), "2.30"),
        (("3.10",), "2.29"),
    ),
}

# Distribution and release → the day of the last updates that everybody gets; only days that have passed. Debian: the
# end of LTS (wiki.debian.org/LTS); Ubuntu: of standard support (ubuntu.com/about/release-cycle); CentOS:
# www.centos.org/centos-linux-eol and blog.centos.org; RHEL: access.redhat.com/support/policy/updates/errata; Oracle:
# "Oracle Linux and Unbreakable Linux Network" support policy; Amazon: aws.amazon.com/amazon-linux-2/faqs; Fedora:
# docs.fedoraproject.org, "Fedora Linux Release Life Cycle"; Alpine: alpinelinux.org/releases. All of them compared with
# endoflife-date/endoflife.date (products/*.md) as of August 2026.
ENDED: Mapping[tuple[str, str], str] = {
    ("debian", "11"): "2026-08-31",
    ("debian", "10"): "2024-06-30",
    ("debian", "9"): "2022-07-01",
    ("debian", "8"): "2020-06-30",
    ("ubuntu", "25.10"): "2026-07-01",
    ("ubuntu", "25.04"): "2026-01-17",
    ("ubuntu", "24.10"): "2025-07-10",
    ("ubuntu", "23.10"): "2024-07-12",
    ("ubuntu", "23.04"): "2024-01-20",
    ("ubuntu", "22.10"): "2023-07-20",
    ("ubuntu", "21.10"): "2022-07-14",
    ("ubuntu", "20.04"): "2025-05-31",
    ("ubuntu", "18.04"): "2023-05-31",
    ("ubuntu", "16.04"): "2021-04-02",
    ("ubuntu", "14.04"): "2019-04-25",
    ("centos", "8"): "2021-12-31",
    ("centos", "7"): "2024-06-30",
    ("centos", "6"): "2020-11-30",
    ("centos-stream", "8"): "2024-05-31",
    ("rhel", "7"): "2024-06-30",
    ("rhel", "6"): "2020-11-30",
    ("oraclelinux", "7"): "2024-12-31",
    ("oraclelinux", "6"): "2021-03-31",
    ("amazonlinux", "2"): "2026-06-30",
    ("fedora", "42"): "2026-05-27",
    ("fedora", "41"): "2025-12-15",
    ("fedora", "40"): "2025-05-13",
    ("fedora", "39"): "2024-11-26",
    ("fedora", "38"): "2024-05-21",
    ("alpine", "3.21"): "2026-11-01",
    ("alpine", "3.20"): "2026-04-01",
    ("alpine", "3.19"): "2025-11-01",
    ("alpine", "3.18"): "2025-05-09",
    ("alpine", "3.17"): "2024-11-22",
    ("alpine", "3.16"): "2024-05-23",
    ("alpine", "3.15"): "2023-11-01",
    ("alpine", "3.14"): "2023-05-01",
    ("alpine", "3.13"): "2022-11-01",
    ("alpine", "3.12"): "2022-05-01",
}

# Repositories of distributions: docker-library/official-images (library/*), quay.io/centos/centos, catalog.redhat.com
# (ubi), hub.docker.com/u/rockylinux, gallery.ecr.aws/amazonlinux.
REPOSITORIES: Mapping[str, str] = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "rockylinux": "rockylinux",
    "rockylinux/rockylinux": "rockylinux",
    "almalinux": "almalinux",
    "centos": "centos",
    "centos/centos": "centos",
    "redhat/ubi7": "rhel",
    "redhat/ubi8": "rhel",
    "redhat/ubi9": "rhel",
    "redhat/ubi10": "rhel",
    "oraclelinux": "oraclelinux",
    "amazonlinux": "amazonlinux",
    "amazonlinux/amazonlinux": "amazonlinux",
    "fedora": "fedora",
    "alpine": "alpine",
}

UNKNOWABLE = frozenset({"busybox", "scratch"})
"""Known by name, with a C library that their name does not tell: asking is better than guessing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltUpon:
    """An image that is built upon a distribution: by the version in the tag, newest first, else by ``moving``.

    ``since`` pairs the lowest version with the release it is built upon; ``moving`` is for ``latest`` and tags without
    a version; ``moving_since`` is the lowest minor version whose tag is still made anew.
    """

    moving: tuple[str, str]
    since: tuple[tuple[tuple[int, ...], tuple[str, str]], ...] = ()
    moving_since: tuple[int, ...] = ()


_DEBIAN_13, _DEBIAN_12, _DEBIAN_11 = ("debian", "13"), ("debian", "12"), ("debian", "11")
_DEBIAN_10, _DEBIAN_9, _DEBIAN_8 = ("debian", "10"), ("debian", "9"), ("debian", "8")
_UBUNTU_24, _UBUNTU_22, _UBUNTU_20 = ("ubuntu", "24.04"), ("ubuntu", "22.04"), ("ubuntu", "20.04")
_UBUNTU_18 = ("ubuntu", "18.04")

# anaconda/docker-images (before: ContinuumIO/docker-images), miniconda3/debian/Dockerfile, which publishes under
# continuumio/ and anaconda/ alike: Debian 12 since 24.5.0 (26 June 2024; 24.3.0 was made upon 11), 13 since 25.11.1
# (23 January 2026). 4.8 to 4.12 upon buster, before that debian:latest of their day: jessie until June 2017, stretch
# until July 2019.
_MINICONDA = BuiltUpon(
    moving=_DEBIAN_12,
    since=(
        ((25, 11), _DEBIAN_13),
        ((24, 5), _DEBIAN_12),
        ((22,), _DEBIAN_11),
        ((4, 8), _DEBIAN_10),
        ((4, 4), _DEBIAN_9),
        ((0,), _DEBIAN_8),
    ),
)
# anaconda3/debian/Dockerfile of the same: 2024.06 upon Debian 12; 2024.10 was made upon 12 in October 2024 and upon 13
# again in 2026, so the older one counts.
_ANACONDA = BuiltUpon(
    moving=_DEBIAN_12,
    since=(
        ((2025, 12), _DEBIAN_13),
        ((2024, 6), _DEBIAN_12),
        ((2022,), _DEBIAN_11),
        ((2019, 7), _DEBIAN_10),
        ((2018,), _DEBIAN_9),
        ((5, 1), _DEBIAN_9),
        ((0,), _DEBIAN_8),
    ),
)
# conda-forge/miniforge-images, ubuntu/Dockerfile: bionic for 4.8, focal from 4.9 to 24.11.3 (April 2025), noble since.
_MINIFORGE = BuiltUpon(moving=_UBUNTU_24, since=(((25,), _UBUNTU_24), ((4, 9), _UBUNTU_20), ((0,), _UBUNTU_18)))
# jupyter/docker-stacks, ARG ROOT_CONTAINER/ROOT_IMAGE: 22.04 since October 2022, 24.04 since August 2024. Tags are days
# (2023-10-20), of which the year is read as the version. Docker Hub's images ended on 2023-10-20, upon 22.04.
DOCKER_STACKS = (
    "jupyter/docker-stacks-foundation",
    "jupyter/minimal-notebook",
    "jupyter/base-notebook",
    "jupyter/scipy-notebook",
    "jupyter/datascience-notebook",
    "jupyter/julia-notebook",
    "jupyter/r-notebook",
    "jupyter/pyspark-notebook",
    "jupyter/all-spark-notebook",
    "jupyter/pytorch-notebook",
    "jupyter/tensorflow-notebook",
)
"""The images of jupyter/docker-stacks, which share a base."""

_JUPYTER = BuiltUpon(moving=_UBUNTU_22, since=(((2025,), _UBUNTU_24), ((2023,), _UBUNTU_22)))

IMAGES_BUILT_UPON: Mapping[str, BuiltUpon] = {
    "continuumio/miniconda3": _MINICONDA,
    "continuumio/anaconda3": _ANACONDA,
    "anaconda/miniconda": _MINICONDA,
    "anaconda/anaconda": _ANACONDA,
    "condaforge/miniforge3": _MINIFORGE,
    "condaforge/mambaforge": BuiltUpon(moving=_UBUNTU_20),  # its last, 24.9.2, was made upon focal
    # mamba-org/micromamba-docker, debian.Dockerfile (ARG BASE_IMAGE): buster until 0.15.3 (September 2021), bullseye
    # until 1.5.0, bookworm from 1.5.1 (September 2023) to 2.3.2 (August 2025), 13 since.
    "mambaorg/micromamba": BuiltUpon(
        moving=_DEBIAN_13,
        since=(
            ((2, 3, 3), _DEBIAN_13),
            ((1, 5, 1), _DEBIAN_12),
            ((0, 16), _DEBIAN_11),
            ((0,), _DEBIAN_10),
        ),
    ),
    "frolvlad/alpine-glibc": BuiltUpon(moving=("alpine-glibc", "latest")),
    "frolvlad/alpine-miniconda3": BuiltUpon(moving=("alpine-glibc", "latest")),
    # prefix-dev/pixi-docker, .github/workflows/build.yml (DEFAULT_BASE_IMAGE): jammy until 0.40.0, noble since January
    # 2025. Other tags name their distribution.
    "prefix-dev/pixi": BuiltUpon(moving=_UBUNTU_24, since=(((0, 41), _UBUNTU_24), ((0,), _UBUNTU_22))),
    # NVIDIA's tags name the distribution (gitlab.com/nvidia/container-images/cuda, doc/supported-tags.md); those of
    # before 2018 that do not are Ubuntu 16.04.
    "nvidia/cuda": BuiltUpon(moving=("ubuntu", "16.04")),
    # pytorch/pytorch, docker.Makefile (BASE_IMAGE): Ubuntu 18.04 and 20.04 before 22.04. Not compared again in 2026.
    "pytorch/pytorch": BuiltUpon(moving=_UBUNTU_22, since=(((2,), _UBUNTU_20), ((0,), _UBUNTU_18))),
    # pangeo-data/pangeo-docker-images, base-image/Dockerfile: 18.04 in 2020, 20.04 until 2022, 22.04 until July 2025,
    # 24.04 since. Tags are days, of which the year is read as the version.
    "pangeo/base-image": BuiltUpon(
        moving=_UBUNTU_24,
        since=(((2026,), _UBUNTU_24), ((2023,), _UBUNTU_22), ((2021,), _UBUNTU_20), ((0,), _UBUNTU_18)),
    ),
    # docker-library/python moves to each Debian release when it comes out, for the Pythons then supported: buster in
    # July 2019, bullseye in August 2021, bookworm in June 2023, trixie in August 2025. A tag with a patch release may
    # be as old as that; one without is made anew for the Pythons of library/python (3.10 to 3.14 in August 2026, 3.9
    # until October 2025).
    "python": BuiltUpon(
        moving=_DEBIAN_13,
        since=(
            ((3, 14), _DEBIAN_13),
            ((3, 12), _DEBIAN_12),
            ((3, 10), _DEBIAN_11),
            ((3, 7), _DEBIAN_10),
            ((0,), _DEBIAN_8),
        ),
        moving_since=(3, 9),
    ),
    # Built FROM continuumio/anaconda3 (microsoft/vscode-dev-containers, containers/python-3-anaconda, base.Dockerfile,
    # and devcontainers/images, src/anaconda). Not verified: of which day their last images are.
    "vscode/devcontainers/anaconda": BuiltUpon(moving=_DEBIAN_11),
    "devcontainers/anaconda": BuiltUpon(moving=_DEBIAN_12),
    # rocker-org/rocker-versioned2: each R upon the LTS release that was current when R came out, 4.6 upon noble in its
    # Dockerfiles. Not verified: the releases of 4.2, 4.4.2 and later 4.4, so that the older one counts for them.
    "rocker/r-ver": BuiltUpon(
        moving=_UBUNTU_24, since=(((4, 5), _UBUNTU_24), ((4, 3), _UBUNTU_22), ((4,), _UBUNTU_20))
    ),
    # FROM rocker/r-ver of the R of that Bioconductor (bioconductor.org/about/release-announcements: 3.17 has R 4.3,
    # 3.21 has 4.5). Not verified by its own Dockerfiles.
    "bioconductor/r-ver": BuiltUpon(
        moving=_UBUNTU_24, since=(((3, 21), _UBUNTU_24), ((3, 17), _UBUNTU_22), ((0,), _UBUNTU_20))
    ),
    **dict.fromkeys(
        DOCKER_STACKS,
        _JUPYTER,
    ),
}

# CUDA → the first branch of NVIDIA's Linux drivers that has it ("CUDA Toolkit and Corresponding Driver Versions" in
# docs.nvidia.com/cuda/cuda-toolkit-release-notes, and the archive's notes of 8.0 to 12.8). nvidia/cuda's images set
# NVIDIA_REQUIRE_CUDA to their CUDA, so that a container does not start on an older driver; data-centre drivers of some
# older branches are let through for their forward compatibility. 13.1 and later were not compared, so they have no row.
CUDA_DRIVERS: Mapping[str, int] = {
    "13.0": 580,
    "12.9": 575,
    "12.8": 570,
    "12.6": 560,
    "12.5": 555,
    "12.4": 550,
    "12.3": 545,
    "12.2": 535,
    "12.1": 530,
    "12.0": 525,
    "11.8": 520,
    "11.7": 515,
    "11.6": 510,
    "11.5": 495,
    "11.4": 470,
    "11.3": 465,
    "11.2": 460,
    "11.1": 455,
    "11.0": 450,
    "10.2": 440,
    "10.1": 418,
    "10.0": 410,
    "9.2": 396,
    "9.1": 390,
    "9.0": 384,
    "8.0": 367,
}
