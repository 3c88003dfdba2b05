"""The virtual packages of targets and images."""

from __future__ import annotations

import pytest

from envcheck.base_images import IMAGES
from envcheck.errors import ConfigurationError
from envcheck.virtual_packages import PLATFORMS, overrides_from_environment, virtual_packages_for


def versions(*args: object, **kwargs: object) -> dict[str, str]:
    return {package.name: package.version for package in virtual_packages_for(*args, **kwargs)}  # type: ignore[arg-type]


def test_linux_by_default() -> None:
    packages = virtual_packages_for("linux-64")
    assert [(package.name, package.version, package.build) for package in packages] == [
        ("__archspec", "1", "x86_64"),
        ("__glibc", "2.28", "0"),
        ("__linux", "4.18", "0"),
        ("__unix", "0", "0"),
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_its_family_and_architecture(platform: str) -> None:
    names = [package.name for package in virtual_packages_for(platform)]
    assert names == sorted(names)
    assert "__archspec" in names
    assert "__cuda" not in names
    assert ("__win" in names) is platform.startswith("win-")
    assert ("__unix" in names) is not platform.startswith("win-")
    assert ("__glibc" in names) is platform.startswith("linux-")


@pytest.mark.parametrize(
    ("image", "glibc"),
    [
        ("debian:12", "2.36"),
        ("debian:13.5-slim@sha256:28de", "2.41"),
        ("docker.io/library/debian:bookworm-20240101", "2.36"),
        ("ubuntu:22.04", "2.35"),
        ("ubuntu:noble-20260410", "2.39"),
        ("rockylinux:9", "2.34"),
        ("rockylinux:8.9.20231119", "2.28"),
        ("almalinux:9-minimal", "2.34"),
        ("amazonlinux:2023", "2.34"),
        ("amazonlinux:2.0.20260615.0", "2.26"),
        ("centos:7.9.2009", "2.17"),
        ("quay.io/centos/centos:stream9", "2.34"),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", "2.34"),
        ("continuumio/miniconda3", "2.36"),
        ("continuumio/miniconda3:24.1.2-0", "2.31"),
        ("continuumio/anaconda3:2023.09-0", "2.31"),
        ("anaconda/miniconda:v26.5.3-1", "2.41"),
        ("condaforge/miniforge3:latest", "2.39"),
        ("mambaorg/micromamba:1.5.8-jammy", "2.35"),
        ("continuumio/miniconda3:4.12.0-alpine", "2.41"),
        ("continuumio/miniconda3:4.7.12", "2.24"),
        ("continuumio/miniconda3:4.3.11", "2.19"),
        ("continuumio/anaconda3:2019.03", "2.24"),
        ("continuumio/anaconda3:5.3.0", "2.24"),
        ("condaforge/miniforge3:24.11.3-2", "2.31"),
        ("condaforge/miniforge3:4.8.3-1", "2.27"),
        ("mambaorg/micromamba:2.6.1", "2.41"),
        ("mambaorg/micromamba:2.3.2", "2.36"),
        ("mambaorg/micromamba:1.5.0", "2.31"),
        ("mambaorg/micromamba:0.15.3", "2.28"),
        ("mambaorg/micromamba:2.6.1-amazon2023", "2.34"),
        ("mambaorg/micromamba:2.6.1-alpine3.22", "2.42"),
        ("frolvlad/alpine-glibc:alpine-3.10", "2.29"),
        ("frolvlad/alpine-glibc:alpine-3.16_glibc-2.34", "2.34"),
        ("quay.io/condaforge/linux-anvil-cos7-x86_64:latest", "2.17"),
        ("quay.io/condaforge/linux-anvil-x86_64:alma9", "2.34"),
        ("quay.io/jupyter/scipy-notebook:2025-03-14", "2.39"),
        ("jupyter/scipy-notebook:2023-10-20", "2.35"),
        ("ghcr.io/prefix-dev/pixi:0.76.1", "2.39"),
        ("ghcr.io/prefix-dev/pixi:bullseye-slim", "2.31"),
        ("bioconductor/r-ver:3.19", "2.35"),
        ("fedora:44", "2.43"),
        ("ghcr.io/prefix-dev/pixi:0.40.0", "2.35"),
        ("ghcr.io/prefix-dev/pixi:0.40.0-noble", "2.39"),
        ("python:3.12-slim", "2.41"),
        ("python:3.9-slim", "2.41"),
        ("python:3.8-slim", "2.28"),
        ("python:3.10.4-slim", "2.31"),
        ("python:3.12-slim-bullseye", "2.31"),
        ("gcr.io/distroless/base-debian12", "2.36"),
        ("localhost:5000/team/base-ubuntu22.04", "2.35"),
        ("alpine:3.20", None),
        ("python:3.12-alpine", None),
    ],
)
def test_images_have_the_glibc_of_their_distribution(image: str, glibc: str | None) -> None:
    assert versions("linux-64", image=image).get("__glibc") == glibc


@pytest.mark.parametrize(
    ("image", "cuda", "glibc"),
    [
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "12.4", "2.35"),
        ("nvidia/cuda:12.2.0-base-ubi8", "12.2", "2.28"),
        ("pytorch/pytorch:2.3.0-cuda12.1-cudnn8-runtime", "12.1", "2.31"),
        ("ghcr.io/prefix-dev/pixi:0.40.0-noble-cuda-12.9.1", "12.9", "2.39"),
    ],
)
def test_cuda_images_have_their_cuda(image: str, cuda: str, glibc: str) -> None:
    found = versions("linux-64", image=image)
    assert (found["__cuda"], found["__glibc"]) == (cuda, glibc)


@pytest.mark.parametrize("image", IMAGES)
def test_every_listed_image_is_known_without_a_tag(image: str) -> None:
    assert "__linux" in versions("linux-64", image=image)


@pytest.mark.parametrize("image", ["busybox:1.36", "scratch", "ubunto:22.04", "team/own", "ubuntu:99.04", ""])
def test_unknown_images_are_asked_about(image: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        virtual_packages_for("linux-64", image=image)
    assert caught.value.hint


def test_close_names_are_offered() -> None:
    with pytest.raises(ConfigurationError, match="ubuntu"):
        virtual_packages_for("linux-64", image="ubunto:22.04")
    with pytest.raises(ConfigurationError, match="linux-64"):
        virtual_packages_for("linux64")


def test_images_are_for_linux() -> None:
    with pytest.raises(ConfigurationError):
        virtual_packages_for("win-64", image="debian:12")


def test_overrides_set_add_and_remove() -> None:
    found = versions("linux-64", image="debian:12", overrides=("__glibc=2.17", "cuda=12.4", "__linux=", "__glibc=2.31"))
    assert found == {"__archspec": "1", "__glibc": "2.31", "__cuda": "12.4", "__unix": "0"}


def test_an_override_may_name_the_build() -> None:
    packages = {package.name: package for package in virtual_packages_for("linux-64", overrides=("archspec=1=zen4",))}
    assert packages["__archspec"].build == "zen4"


@pytest.mark.parametrize("override", ["", "=", "__cuda", "=1", "__cuda=1 2", "__cuda=a/b", "__cuda=1=b c"])
def test_unreadable_overrides_are_refused(override: str) -> None:
    with pytest.raises(ConfigurationError, match="virtual package"):
        virtual_packages_for("linux-64", overrides=(override,))


def test_environment_variables_follow_the_standard() -> None:
    environ = {
        "CONDA_OVERRIDE_CUDA": "12.4",
        "CONDA_OVERRIDE_GLIBC": "",
        "CONDA_OVERRIDE_LINUX": "not-a-kernel",
        "CONDA_OVERRIDE_OSX": "13.0",
        "CONDA_OVERRIDE_UNIX": "7",
        "CONDA_OVERRIDE_ARCHSPEC": "x86_64_v3",
    }
    overrides = overrides_from_environment(environ, "linux-64")
    assert overrides == ("__cuda=12.4", "__glibc=", "__archspec=1=x86_64_v3")
    assert overrides_from_environment(environ, "osx-arm64") == (
        "__cuda=12.4",
        "__osx=13.0",
        "__archspec=1=x86_64_v3",
    )
    assert "__glibc" not in versions("linux-64", overrides=overrides)
    assert overrides_from_environment({}, "linux-64") == ()
