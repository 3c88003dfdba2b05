"""Addresses of known mirrors are told apart from all others."""

from __future__ import annotations

import pytest

from envcheck.mirrors import MIRRORS, recognise


@pytest.mark.parametrize(
    ("url", "mirror", "channel", "canonical"),
    [
        (
            "https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main",
            "TUNA",
            "pkgs/main",
            "https://repo.anaconda.com/pkgs/main",
        ),
        (
            "http://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud//pytorch/",
            "TUNA",
            "pytorch",
            "https://conda.anaconda.org/pytorch",
        ),
        (
            "https://mirrors.bfsu.edu.cn/anaconda/cloud/bioconda",
            "BFSU",
            "bioconda",
            "https://conda.anaconda.org/bioconda",
        ),
        ("https://mirror.nju.edu.cn/anaconda/pkgs/msys2", "NJU", "pkgs/msys2", "https://repo.anaconda.com/pkgs/msys2"),
        (
            "https://mirrors.ustc.edu.cn/anaconda/cloud/conda-forge",
            "USTC",
            "conda-forge",
            "https://conda.anaconda.org/conda-forge",
        ),
        ("https://mirror.sjtu.edu.cn/anaconda/pkgs/r", "SJTU", "pkgs/r", "https://repo.anaconda.com/pkgs/r"),
        (
            "https://anaconda.mirrors.sjtug.sjtu.edu.cn/cloud/conda-forge",
            "SJTU",
            "conda-forge",
            "https://conda.anaconda.org/conda-forge",
        ),
        ("http://mirrors.aliyun.com/anaconda/cloud/menpo", "Aliyun", "menpo", "https://conda.anaconda.org/menpo"),
        ("https://repo.prefix.dev/conda-forge", "prefix.dev", "conda-forge", "https://conda.anaconda.org/conda-forge"),
        (
            "https://MIRRORS.tuna.tsinghua.edu.cn:443/anaconda/cloud/conda-forge/label/dev",
            "TUNA",
            "conda-forge/label/dev",
            "https://conda.anaconda.org/conda-forge/label/dev",
        ),
    ],
)
def test_mirror_is_recognised(url: str, mirror: str, channel: str, canonical: str) -> None:
    found = recognise(url)
    assert found is not None
    assert (found.mirror.name, found.channel, found.url) == (mirror, channel, canonical)


@pytest.mark.parametrize(
    "url",
    [
        "https://conda.anaconda.org/conda-forge",
        "https://mirrors.tuna.tsinghua.edu.cn/anaconda",
        "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/",
        "https://mirrors.tuna.tsinghua.edu.cn/anaconda/conda-forge",
        "https://mirrors.tuna.tsinghua.edu.cn/anacondas/cloud/conda-forge",
        "https://mirrors.tuna.tsinghua.edu.cn.evil.example/anaconda/cloud/conda-forge",
        "https://prefix.dev/somebody",
        "file:///mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge",
        "conda-forge",
        "https://[broken",
        "",
    ],
)
def test_other_addresses_are_not(url: str) -> None:
    assert recognise(url) is None


def test_what_a_mirror_lacks_is_known() -> None:
    nvidia = recognise("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/nvidia")
    main = recognise("https://mirrors.ustc.edu.cn/anaconda/pkgs/main")
    unknown = recognise("https://mirrors.aliyun.com/anaconda/cloud/nvidia")
    assert nvidia is not None
    assert main is not None
    assert unknown is not None
    assert (nvidia.carried, main.carried, unknown.carried) == (False, False, None)


def test_names_and_bases_are_unique() -> None:
    bases = [base for mirror in MIRRORS for base in (*mirror.bases, *mirror.roots)]
    assert len(bases) == len(set(bases))
    assert len({mirror.name for mirror in MIRRORS}) == len(MIRRORS)
