"""The wheel tags that a target accepts (PEP 425), from its conda subdir, its Python and its glibc (PEP 600)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from envcheck.language import say

__all__ = ["LINUX_ARCHITECTURES", "platform_tags", "supported_tags"]

LINUX_ARCHITECTURES = {
    "linux-64": "x86_64",
    "linux-32": "i686",
    "linux-aarch64": "aarch64",
    "linux-ppc64le": "ppc64le",
    "linux-s390x": "s390x",
    "linux-riscv64": "riscv64",
}
# PEP 600: the older names are aliases; manylinux1 and manylinux2010 exist for x86 only.
_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_X86 = ("x86_64", "i686")
# The macOS that conda-lock and conda-forge take for granted when nothing else is said.
_MACOS = (11, 0)
# Beyond every glibc there is: for a target whose glibc nobody told, no manylinux wheel is ruled out.
_ANY_GLIBC_MINOR = 99


def _glibc_minor(glibc: str | None) -> int:
    match = re.match(r"2\.(\d+)", glibc or "")
    return int(match.group(1)) if match else _ANY_GLIBC_MINOR


@functools.lru_cache(maxsize=64)
def platform_tags(platform: str, glibc: str | None) -> tuple[str, ...]:
    """Platform tags of a conda subdir, best first; empty for one that no wheel is built for."""
    if platform == "win-64":
        return ("win_amd64",)
    if platform == "win-32":
        return ("win32",)
    if platform == "win-arm64":
        return ("win_arm64",)
    if platform == "osx-64":
        return tuple(mac_platforms(_MACOS, "x86_64"))
    if platform == "osx-arm64":
        return tuple(mac_platforms(_MACOS, "arm64"))
    architecture = LINUX_ARCHITECTURES.get(platform)
    if architecture is None:
        return ()
    # PEP 600: the floor is glibc 2.5 (manylinux1) on x86 and 2.17 (manylinux2014) elsewhere.
    floor = 5 if architecture in _X86 else 17
    tags: list[str] = []
    for minor in range(_glibc_minor(glibc), floor - 1, -1):
        tags.append(f"manylinux_2_{minor}_{architecture}")
        if minor in _LEGACY_MANYLINUX:
            tags.append(f"{_LEGACY_MANYLINUX[minor]}_{architecture}")
    return (*tags, f"linux_{architecture}")


@functools.lru_cache(maxsize=64)
def supported_tags(python: str, platform: str, glibc: str | None) -> Mapping[Tag, int]:
    """Every wheel tag that a CPython on a target accepts, with its rank (0 is the best match).

    Args:
        python: Major and minor version (``3.10``); more parts are ignored.
        platform: A conda subdir.
        glibc: The target's glibc version, ``None`` if unknown (then none is too new).

    Raises:
        ValueError: ``python`` names no minor version.
    """
    version = _python_version(python)
    interpreter = f"cp{version[0]}{version[1]}"
    platforms = list(platform_tags(platform, glibc))
    # Until 3.7 the ABI tag said that the interpreter was built with pymalloc; Linux builds of 2.7 had wide characters.
    flags = "mu" if version < (3, 3) else "m" if version < (3, 8) else ""
    if not platforms:
        # Nothing is known about the platform: only pure wheels are certain.
        ordered = list(compatible_tags(version, interpreter, ["any"]))
    else:
        ordered = [
            *cpython_tags(version, [f"{interpreter}{flags}"], platforms),
            *compatible_tags(version, interpreter, platforms),
        ]
    ranks: dict[Tag, int] = {}
    for rank, tag in enumerate(ordered):
        ranks.setdefault(tag, rank)
    return MappingProxyType(ranks)


def _python_version(python: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", python)
    if match is None:
        raise ValueError(say("{python!r} is not a Python version such as 3.10", python=python))
    return int(match.group(1)), int(match.group(2))
