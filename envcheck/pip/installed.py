"""The conda packages of a plan as a Python resolver has to see them: distributions that are already installed.

A resolver knows nothing of conda. It is shown a folder of wheels that hold metadata alone, one for each distribution
that a conda package brings, under a local version (PEP 440) that no index has: ``numpy 1.26.4+conda``. A requirement
``numpy==1.26.4`` is met by it, because a specifier without a local label ignores the candidate's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envcheck.model import Record
from envcheck.names import is_distribution, pypi_names_for_conda
from envcheck.pip.grammar import admits
from envcheck.specs import dependency_parts

__all__ = ["Installed", "installed_distributions", "write_wheels"]

_LABEL = "conda"
# What a project can be called (PEP 508), normalized; conda's names may begin with an underscore.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# How a marker names an extra (PEP 508).
_EXTRA = re.compile(r"\bextra\s*==\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A distribution that a conda package brings; ``name`` is normalized, ``version`` without the label.

    ``needs`` are the requirements of its extras (PEP 508, with the extra as marker), of which conda knows nothing.
    """

    name: str
    version: str
    conda_name: str
    needs: tuple[str, ...] = ()

    @property
    def labelled(self) -> str:
        """The version that the resolver is shown."""
        return f"{self.version}+{_LABEL}"

    @property
    def pin(self) -> str:
        """The requirement that only this distribution meets."""
        return f"{self.name}=={self.labelled}"

    def meets(self, specifier: str) -> bool:
        """Whether a PEP 440 specifier set admits it; a pre-release is as good as any version that is there already."""
        return admits(specifier, self.version)


def installed_distributions(records: Iterable[Record]) -> Mapping[str, Installed]:
    """The distributions that conda packages bring, by their normalized names.

    A package counts if it is made for Python, or if the name map knows it: ``blosc`` is a C library for conda and
    another thing on the package index. Versions that are none by PEP 440 cannot be told to a resolver.

    Args:
        records: The packages of a plan.
    """
    from packaging.version import InvalidVersion, Version

    found: dict[str, Installed] = {}
    for record in records:
        for_python = record.noarch == "python" or any(dependency_parts(one)[0] == "python" for one in record.depends)
        if not for_python and not is_distribution(record.name):
            continue
        try:
            version = Version(record.version)
        except InvalidVersion:
            continue
        for name in filter(_NAME.fullmatch, pypi_names_for_conda(record.name)):
            found.setdefault(name, Installed(name=name, version=version.public, conda_name=record.name))
    return found


def write_wheels(
    directory: Path, distributions: Iterable[Installed], extras: Mapping[str, Collection[str]] | None = None
) -> None:
    """Write the wheels of metadata, which state no dependency but those of extras: conda has seen to the others.

    Args:
        directory: An empty folder.
        distributions: What is installed.
        extras: The extras that are asked of them, so that the resolver does not warn of unknown ones.
    """
    for one in distributions:
        stem = f"{one.name.replace('-', '_')}-{one.labelled}"
        _write_wheel(
            directory / f"{stem}-py3-none-any.whl",
            f"{stem}.dist-info",
            [
                "Metadata-Version: 2.1",
                f"Name: {one.name}",
                f"Version: {one.labelled}",
                *(f"Provides-Extra: {extra}" for extra in _extras_of(one, (extras or {}).get(one.name, ()))),
                *(f"Requires-Dist: {line}" for line in one.needs),
            ],
        )


def _extras_of(one: Installed, asked: Collection[str]) -> list[str]:
    """The extras that are asked of a distribution, and those of which it is known what they need."""
    told = {name for line in one.needs for name in _EXTRA.findall(line)}
    return sorted({*asked, *told})


def _write_wheel(path: Path, folder: str, metadata: Sequence[str]) -> None:
    wheel = "Wheel-Version: 1.0\nGenerator: envcheck\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (("METADATA", "\n".join(metadata) + "\n"), ("WHEEL", wheel), ("RECORD", "")):
            # Dated by the format's beginning: the same wheel, the same bytes, and it knows nothing before 1980.
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), text)
