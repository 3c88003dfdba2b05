"""What a build string says (`conda-build`'s conventions): the Python it is bound to, and the variant it stands for."""

from __future__ import annotations

import functools
import re

__all__ = ["VARIANT_FAMILIES", "implementation_of_build", "python_of_build", "variant_of_build", "variant_words"]

# py310h1234567_0, py38_0, np119py39h…, cuda112py38h…, py3.10_cuda11.8_cudnn8_0, 1_cp310 (python_abi)
_PYTHON = re.compile(r"(?:py|cp)(?P<major>[23])\.?(?P<minor>\d{1,2})(?=h[0-9a-f]{7}|_|$)")

VARIANT_FAMILIES = (
    frozenset({"cuda", "rocm", "cpu"}),
    frozenset({"mkl", "openblas"}),
    frozenset({"openmpi", "mpich", "nompi"}),
)
"""The words that upstream recipes put into build strings for a choice, by what is chosen between."""

_SYNONYMS = {"gpu": "cuda"}
_VARIANTS = ("cuda", "rocm", "mkl", "openblas", "cpu", "gpu", "openmpi", "mpich", "nompi")


def python_of_build(build: str) -> str | None:
    """The Python minor version that a build string is bound to.

    >>> python_of_build("py310h839b4a8_0")
    '3.10'
    >>> python_of_build("py3.8_cuda11.3_cudnn8_0")
    '3.8'
    >>> python_of_build("pyhd8ed1ab_0") is None
    True
    """
    match = _PYTHON.search(build)
    if match is None:
        return None
    return f"{match['major']}.{match['minor']}"


def implementation_of_build(build: str) -> str:
    """Which Python a build of ``python`` is; conda-forge has others than CPython under that name.

    >>> implementation_of_build("0_73_pypy")
    'pypy'
    """
    return next((name for name in ("pypy", "graalpy") if name in build), "cpython")


def variant_of_build(build: str) -> str | None:
    """The variant that a build string names, as a glob that means the same on another platform (``*cuda*``).

    Only words that upstream recipes use for a choice between variants count; hashes never do.
    """
    words = _words(build)
    for variant in _VARIANTS:
        if variant in words:
            return f"*{variant}*"
    return None


@functools.lru_cache(maxsize=65536)
def variant_words(build: str) -> frozenset[str]:
    """All words of a build string that name a variant, in the words of `VARIANT_FAMILIES`.

    >>> sorted(variant_words("cpu_mkl_py310hd0d5a1c_100"))
    ['cpu', 'mkl']
    """
    words = {_SYNONYMS.get(word, word) for word in _words(build)}
    return frozenset(words).intersection(frozenset().union(*VARIANT_FAMILIES))


def _words(build: str) -> list[str]:
    return re.split(r"[^a-z]+", re.sub(r"h[0-9a-f]{7,}", " ", build.lower()))
