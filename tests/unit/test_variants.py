"""Which variants an export chose, and which CUDA it was made for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envcheck.model import Record
from envcheck.variants import agreeing, cuda_asked_for, shared_word
from tests.support.fakes import rows


def built(build: str) -> Record:
    return Record(name="a", version="1", build=build, build_number=0, subdir="linux-64", channel="c", url=build)


BUILDS = [
    built(text) for text in ("cpu_mkl_py310_0", "cpu_generic_py310_0", "cuda118_py310_0", "py310_0", "openblas_0")
]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"cuda"}, ["cuda118_py310_0"]),
        ({"cpu"}, ["cpu_mkl_py310_0", "cpu_generic_py310_0"]),
        ({"mkl"}, ["cpu_mkl_py310_0"]),
        ({"cuda", "mkl"}, ["cuda118_py310_0"]),
        ({"mpich"}, []),
        (set(), []),
    ],
)
def test_agreeing(asked: set[str], found: list[str]) -> None:
    assert [record.build for record in agreeing(frozenset(asked), BUILDS)] == found


def test_the_word_that_holds_a_variant() -> None:
    assert shared_word(frozenset({"cpu", "mkl"}), built("cpu_mkl_py310_0")) == "cpu"
    assert shared_word(frozenset({"mkl"}), built("cpu_mkl_py310_0")) == "mkl"
    assert shared_word(frozenset({"cuda"}), built("py310_0")) is None


@pytest.mark.parametrize(
    ("specs", "version", "name"),
    [
        (("pytorch=2.1.0=py3.9_cuda12.1_cudnn8_0", "pytorch-cuda=12.1=h1_0"), "12.1", "pytorch-cuda"),
        (("pytorch=2.1.0=cuda118py39h1234567_0",), "11.8", "pytorch"),
        (("cudatoolkit=11.3.1=h59b6b97_2",), "11.3", "cudatoolkit"),
        (("cudatoolkit=11.3.1=h59b6b97_2", "jaxlib=0.4=cuda112py39h1234567_0"), "11.3", "cudatoolkit"),
        (("cuda=12", "numpy=1.26"), "12.0", "cuda"),
        (("cuda-toolkit=11.6.1=h0_0", "cuda-cudart=12.1.105=0"), "12.1", "cuda-cudart"),
        (("pytorch=2.1.0=cpu_py39h1234567_0", "numpy=1.26"), None, None),
        (("cuda=unclear",), None, None),
    ],
)
def test_the_cuda_that_is_asked_for(specs: tuple[str, ...], version: str | None, name: str | None) -> None:
    found = cuda_asked_for(rows(*specs))
    assert (found and found.version, found and found.row.name) == (version, name)


def test_a_build_without_a_version_says_nothing() -> None:
    row = replace(rows("tensorflow=2.6")[0], build="gpu_py39h1234567_0")
    assert cuda_asked_for([row]) is None
