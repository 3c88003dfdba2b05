"""What base images are built upon, and whether that still gets updates."""

from __future__ import annotations

import re

import pytest

from envcheck.base_images import cuda_driver_of, cuda_of, named_release, release_of
from envcheck.image_tables import CUDA_DRIVERS, ENDED, IMAGES_BUILT_UPON, RELEASES


@pytest.mark.parametrize(
    ("image", "distribution", "name", "ended"),
    [
        ("debian:bullseye-slim", "debian", "11", "2026-08-31"),
        ("debian:12", "debian", "12", None),
        ("ubuntu:20.04", "ubuntu", "20.04", "2025-05-31"),
        ("tomcat:9-jdk17-temurin-focal", "ubuntu", "20.04", "2025-05-31"),
        ("nvidia/cuda:11.7.1-base-ubuntu18.04", "ubuntu", "18.04", "2023-05-31"),
        ("amazonlinux:2.0.20260615.0", "amazonlinux", "2", "2026-06-30"),
        ("centos:7", "centos", "7", "2024-06-30"),
        ("quay.io/centos/centos:stream8", "centos", "8", "2024-05-31"),
        ("quay.io/centos/centos:stream9", "centos", "9", None),
        ("rockylinux/rockylinux:8", "rockylinux", "8", None),
        ("redhat/ubi7", "rhel", "7", "2024-06-30"),
        ("quay.io/condaforge/linux-anvil-cos7-x86_64", "centos", "7", "2024-06-30"),
        ("alpine:3.19.1", "alpine", "3.19", "2025-11-01"),
    ],
)
def test_the_name_of_an_image_tells_its_release(image: str, distribution: str, name: str, ended: str | None) -> None:
    found = named_release(image)
    assert found is not None
    assert (found.distribution, found.name, found.ended) == (distribution, name, ended)
    assert release_of(image) == found


@pytest.mark.parametrize(
    "image", ["continuumio/miniconda3:4.7.12", "python:3.8", "ubuntu", "debian:stable", "team/own"]
)
def test_what_only_a_table_tells_is_not_named(image: str) -> None:
    assert named_release(image) is None


def test_drivers_rise_with_cuda() -> None:
    found = [cuda_driver_of(one) for one in sorted(CUDA_DRIVERS, key=lambda text: tuple(map(int, text.split("."))))]
    assert found == sorted(found, key=lambda one: one or 0)
    assert cuda_driver_of("12.4") == 550
    assert cuda_driver_of("99.0") is None
    assert cuda_of("nvidia/cuda:12.4.1-runtime-ubuntu22.04") == "12.4"
    assert cuda_of("nvidia/cuda") is None


def test_the_tables_fit_together() -> None:
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", day) for day in ENDED.values())
    for known in IMAGES_BUILT_UPON.values():
        assert [lowest for lowest, _ in known.since] == sorted((lowest for lowest, _ in known.since), reverse=True)
        for distribution, name in (known.moving, *(release for _, release in known.since)):
            assert any(name in names for names, _ in RELEASES[distribution])
