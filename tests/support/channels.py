"""Small helpers of tests about channels: channels of a few records, and the words for asking an engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from envcheck.model import Channel, Outcome, Record, Solved, VirtualPackage

__all__ = ["LINUX", "channel", "record", "solved", "versions", "virtual_packages", "write_channel"]

ANACONDA = "https://conda.anaconda.org"


def record(name: str, version: str = "1.0", build: str = "0", number: int = 0, **fields: Any) -> dict[str, Any]:
    """One record of a repodata, with hashes derived from its name; ``fields`` add to it or replace."""
    identity = f"{name}-{version}-{build}"
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "depends": [],
        "md5": hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(identity.encode()).hexdigest(),
        "size": 1000,
        "timestamp": 1_700_000_000_000,
        **fields,
    }


def write_channel(directory: Path, subdirs: Mapping[str, Iterable[Mapping[str, Any]]]) -> Path:
    """Write the ``repodata.json`` of a channel's subdirs from a few records; gives the channel's directory."""
    for subdir, records in subdirs.items():
        folder = directory / subdir
        folder.mkdir(parents=True, exist_ok=True)
        packages = {
            f"{one['name']}-{one['version']}-{one['build']}.conda": {**one, "subdir": subdir} for one in records
        }
        content = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages, "repodata_version": 1}
        (folder / "repodata.json").write_text(json.dumps(content), encoding="utf-8")
    return directory


def channel(location: Path | str, name: str = "conda-forge") -> Channel:
    """A channel with anaconda.org's canonical URL that is really at ``location`` (a directory or a base URL)."""
    url = location if isinstance(location, str) else location.as_uri()
    return Channel(name=name, url=f"{ANACONDA}/{name}", locations=(url,))


def virtual_packages(**versions: str) -> tuple[VirtualPackage, ...]:
    """Virtual packages without their underscores: ``virtual_packages(glibc="2.28")``."""
    return tuple(VirtualPackage(name=f"__{name}", version=version) for name, version in versions.items())


LINUX = virtual_packages(unix="0", linux="5.10", glibc="2.28", archspec="1")
"""What a usual linux-64 image has."""


def solved(outcome: Outcome) -> dict[str, Record]:
    """The solution by name; fails with the engine's words when there is none."""
    assert isinstance(outcome, Solved), outcome.explanation
    return {package.name: package for package in outcome.packages}


def versions(records: Iterable[Record]) -> list[str]:
    """The versions of records, in order."""
    return [one.version for one in records]
