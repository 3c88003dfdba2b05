"""What build strings of real packages say."""

from __future__ import annotations

import pytest

from envcheck.builds import python_of_build, variant_of_build, variant_words


@pytest.mark.parametrize(
    ("build", "python", "variant"),
    [
        ("py310h839b4a8_0", "3.10", None),
        ("py39haa95532_0", "3.9", None),
        ("py39hd77b12b_0", "3.9", None),
        ("py36_1000", "3.6", None),
        ("py312_0", "3.12", None),
        ("py27_vc9_0", "2.7", None),
        ("np119py39h1234567_0", "3.9", None),
        ("r42py39h1234567_0", "3.9", None),
        ("1_cp310", "3.10", None),
        ("2_cp38", "3.8", None),
        ("cuda112py38h1234567_0", "3.8", "*cuda*"),
        ("cuda118_py310h1234567_200", "3.10", "*cuda*"),
        ("py3.8_cuda11.3_cudnn8_0", "3.8", "*cuda*"),
        ("py3.10_cpu_0", "3.10", "*cpu*"),
        ("gpu_py38hb782248_0", "3.8", "*gpu*"),
        ("cpu_mkl_py312h1234567_101", "3.12", "*mkl*"),
        ("cpu_generic_py39h1234567_1", "3.9", "*cpu*"),
        ("nompi_py310h6477780_100", "3.10", "*nompi*"),
        ("mpi_openmpi_py39h1234567_0", "3.9", "*openmpi*"),
        ("mpi_mpich_h1234567_0", None, "*mpich*"),
        ("20_win64_mkl", None, "*mkl*"),
        ("20_linux64_openblas", None, "*openblas*"),
        ("mkl", None, "*mkl*"),
        ("pyhd8ed1ab_0", None, None),
        ("pyh1a96a4e_2", None, None),
        ("win_pyh7428d3b_0", None, None),
        ("py_0", None, None),
        ("py3_0", None, None),
        ("h4de0772_0_cpython", None, None),
        ("hcfcfb64_1", None, None),
        ("hcudacafe_0", None, None),
        ("0", None, None),
        ("main", None, None),
        ("", None, None),
    ],
)
def test_builds(build: str, python: str | None, variant: str | None) -> None:
    assert python_of_build(build) == python
    assert variant_of_build(build) == variant


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("py3.9_cuda12.1_cudnn8_0", {"cuda"}),
        ("gpu_py39h29c2da4_0", {"cuda"}),
        ("cpu_mkl_py310hd0d5a1c_100", {"cpu", "mkl"}),
        ("mpi_mpich_py310h1234567_0", {"mpich"}),
        ("py310h839b4a8_0", set()),
        ("", set()),
    ],
)
def test_variant_words(build: str, words: set[str]) -> None:
    assert variant_words(build) == words
