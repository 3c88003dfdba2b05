"""The variants of packages that an export chose: CUDA or CPU, MKL or OpenBLAS, which MPI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envcheck.builds import VARIANT_FAMILIES, variant_words
from envcheck.model import Record, Requirement
from envcheck.specs import is_version, sort_versions

__all__ = ["CudaAsked", "agreeing", "cuda_asked_for", "shared_word"]

# What says the CUDA version outright, the most telling first; its many other parts have versions of their own.
_CUDA_PACKAGES = ("pytorch-cuda", "cuda-version", "cudatoolkit", "cuda-toolkit", "cuda-runtime", "cuda", "cuda-cudart")
# cuda11.8, cuda118, cuda_12.1, cu121; before CUDA 10 nobody wrote it without a point.
_CUDA_BUILD = re.compile(r"(?<![a-z])cu(?:da)?_?(?P<major>\d{2})\.?(?P<minor>\d)(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaAsked:
    """The CUDA version that a source was made for, ``major.minor``, and the row that says so."""

    version: str
    row: Requirement


def agreeing(asked: frozenset[str], records: Iterable[Record]) -> list[Record]:
    """The records whose builds name a variant that was asked for, and none that contradicts it."""
    found = []
    for record in records:
        words = variant_words(record.build)
        contradicted = any(
            words & family and asked & family and not words & asked & family for family in VARIANT_FAMILIES
        )
        if words & asked and not contradicted:
            found.append(record)
    return found


def shared_word(asked: frozenset[str], record: Record) -> str | None:
    """The word that a MatchSpec can hold a record's variant by (``*cuda*``), if it is one that was asked for."""
    words = [word for family in VARIANT_FAMILIES for word in sorted(asked & family)]
    return next((word for word in words if word in record.build), None)


def cuda_asked_for(rows: Sequence[Requirement]) -> CudaAsked | None:
    """The newest CUDA version that rows need: a driver for it runs the older ones too."""
    by_name = {row.name: row for row in rows}
    found: dict[str, Requirement] = {}
    for name in _CUDA_PACKAGES:
        row = by_name.get(name)
        version = None if row is None or row.pin is None else _minor(row.pin)
        if row is not None and version is not None:
            found.setdefault(version, row)
    for row in rows:
        match = _CUDA_BUILD.search((row.build or "").lower()) if "cuda" in variant_words(row.build or "") else None
        if match is not None:
            found.setdefault(f"{match['major']}.{match['minor']}", row)
    if not found:
        return None
    version = sort_versions(found, newest_first=True)[0]
    return CudaAsked(version=version, row=found[version])


def _minor(version: str) -> str | None:
    if not is_version(version):
        return None
    parts = version.split(".")
    return ".".join([*parts, "0"][:2]) if parts[0].isdigit() else None
