"""Locks of a few packages for tests, in every format that is verified, and what a test needs to verify them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.lock_file import platforms_to_verify, read_lock
from envcheck.pip.lookup import Lookup, PackageIndex
from envcheck.request import Request
from envcheck.verify import LockReport, verify
from envcheck.world import Services
from tests.support.channels import record, write_channel
from tests.support.fakes import FakePackageIndex

__all__ = ["GOOD", "Locked", "Verifier", "conda_lock", "explicit", "locked", "pip_locked", "pixi_lock"]

BASE = "https://conda.anaconda.org/lab"
WHEELS = "https://files.pythonhosted.org/packages"

_RECORDS: dict[str, list[dict[str, Any]]] = {
    "linux-64": [
        record("python", "3.11.7", "h1_0_cpython", depends=["libz >=1.2,<2"]),
        record("libz", "1.3", "h2_0", constrains=["oldie <1"]),
        record("numpy", "1.26.4", "py311h3_0", depends=["python >=3.11,<3.12.0a0", "libz >=1.2"]),
        record("cudaish", "1.0", "h4_0", depends=["__cuda >=12"]),
        record("oldie", "1.0", "h5_0"),
        record("narrowed", "1.0", "h6_0", depends=["libz >=1.2,<1.3"]),
    ],
    "win-64": [record("python", "3.11.7", "h7_0_cpython"), record("ucrt", "10.0", "h8_0")],
    "noarch": [
        record("app", "2.0", "pyh9_0", noarch="python", depends=["numpy >=1.20", "python >=3.8"]),
        record("winner", "1.0", "pyh10_0", noarch="generic", depends=["__win"]),
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One entry of a lock that is yet to be written."""

    name: str
    version: str
    build: str = "0"
    platform: str = "linux-64"
    subdir: str = "linux-64"
    manager: str = "conda"
    url: str
    md5: str | None = None
    sha256: str | None = None
    depends: tuple[tuple[str, str], ...] = ()


def locked(wanted: str, *, platform: str = "linux-64", **changes: Any) -> Locked:
    """The entry of a package of the lab, as a lock of its channel has it."""
    subdir, found = next(
        (subdir, one)
        for subdir in (platform, "noarch", "linux-64", "win-64")
        for one in _RECORDS[subdir]
        if one["name"] == wanted
    )
    entry = Locked(
        name=wanted,
        version=found["version"],
        build=found["build"],
        platform=platform,
        subdir=subdir,
        url=f"{BASE}/{subdir}/{wanted}-{found['version']}-{found['build']}.conda",
        md5=found["md5"],
        sha256=found["sha256"],
        depends=tuple(
            (text.partition(" ")[0], text.partition(" ")[2]) for text in found["depends"] if not text.startswith("__")
        ),
    )
    return replace(entry, **changes)


def pip_locked(filename: str = "idna-3.7-py3-none-any.whl", **changes: Any) -> Locked:
    """The entry of a pip package, from its wheel's name."""
    name, version = filename.split("-")[:2]
    entry = Locked(
        name=name, version=version, manager="pip", url=f"{WHEELS}/{filename}", sha256="a" * 64, platform="linux-64"
    )
    return replace(entry, **changes)


GOOD = tuple(locked(name) for name in ("app", "libz", "numpy", "python"))
"""A lock that holds."""


# ---------------------------------------------------------------------------------------------------------------------
# Formats
# ---------------------------------------------------------------------------------------------------------------------


def conda_lock(
    entries: Sequence[Locked], *, channels: Sequence[str] = ("lab",), platforms: Sequence[str] = ("linux-64",)
) -> str:
    """A ``conda-lock.yml``."""
    lines = ["version: 1", "metadata:", "  content_hash:"]
    lines += [f"    {platform}: {'c' * 64}" for platform in platforms]
    lines += ["  channels:"]
    lines += [f"  - url: {channel}\n    used_env_vars: []" for channel in channels]
    lines += ["  platforms:", *(f"  - {platform}" for platform in platforms)]
    lines += ["  sources:", "  - environment.yml", "package:"]
    for one in entries:
        lines += [f"- name: {one.name}", f"  version: '{one.version}'", f"  manager: {one.manager}"]
        lines += [f"  platform: {one.platform}"]
        depends = [f"    {name}: '{constraint}'" for name, constraint in one.depends]
        lines += ["  dependencies:", *depends] if depends else ["  dependencies: {}"]
        lines += [f"  url: {one.url}", "  hash:" if one.md5 or one.sha256 else "  hash: {}"]
        lines += [f"    {kind}: {value}" for kind, value in (("md5", one.md5), ("sha256", one.sha256)) if value]
        lines += ["  category: main", "  optional: false"]
        lines += [f"  build: {one.build}"] if one.manager == "conda" else []
    return "\n".join(lines) + "\n"


def explicit(entries: Sequence[Locked], *, head: str = "") -> str:
    """An ``@EXPLICIT`` list with md5 sums."""
    lines = [f"{one.url}#{one.md5}" if one.md5 else one.url for one in entries if one.manager == "conda"]
    return "\n".join([*head.splitlines(), "@EXPLICIT", *lines]) + "\n"


def pixi_lock(entries: Sequence[Locked], *, channel: str = BASE, environments: Sequence[str] = ("default",)) -> str:
    """A ``pixi.lock`` of version 6."""
    lines = ["version: 6", "environments:"]
    for environment in environments:
        lines += [f"  {environment}:", "    channels:", f"    - url: {channel}/", "    packages:"]
        for platform in dict.fromkeys(one.platform for one in entries):
            lines += [f"      {platform}:"]
            lines += [
                f"      - {'conda' if one.manager == 'conda' else 'pypi'}: {one.url}"
                for one in entries
                if one.platform == platform
            ]
    lines += ["packages:"]
    for one in {one.url: one for one in entries}.values():
        if one.manager == "conda":
            lines += [f"- conda: {one.url}"]
            lines += [f"  {kind}: {value}" for kind, value in (("sha256", one.sha256), ("md5", one.md5)) if value]
            depends = [f"  - {name} {constraint}".rstrip() for name, constraint in one.depends]
            lines += ["  depends:", *depends] if depends else []
        else:
            lines += [f"- pypi: {one.url}", f"  name: {one.name}", f"  version: '{one.version}'"]
            lines += [f"  sha256: {one.sha256}"]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------------------------------
# Verifying
# ---------------------------------------------------------------------------------------------------------------------


class Verifier:
    """Verifies locks against channels in a directory, of which the channel ``lab`` has what `locked` locks."""

    def __init__(self, directory: Path, more: Mapping[str, Iterable[Mapping[str, Any]]] | None = None) -> None:
        self.lab = directory / "lab"
        subdirs = {subdir: [*records, *(more or {}).get(subdir, ())] for subdir, records in _RECORDS.items()}
        write_channel(self.lab, subdirs)
        self.configuration = Configuration(
            mirrored_channels=(("lab", (self.lab.as_uri(),)), ("gone", ((directory / "gone").as_uri(),)))
        )
        self._cache = str(directory / "cache")
        self._engine = RattlerEngine()

    def __call__(
        self,
        text: str,
        *,
        platforms: Sequence[str] = (),
        drift: bool = False,
        index: PackageIndex | Mapping[str, Lookup] | None = None,
        **request: Any,
    ) -> tuple[LockReport, ...]:
        """The reports of a lock's platforms; with an index pip packages are looked up."""
        lock = read_lock(text.encode(), "a.lock")
        fake = FakePackageIndex(index) if isinstance(index, Mapping) else index
        services = Services(engine=self._engine, package_index=fake or FakePackageIndex())
        return tuple(
            verify(
                Request(
                    path="a.lock",
                    data=text.encode(),
                    configuration=self.configuration,
                    platform=platform,
                    cache_directory=self._cache,
                    offline=True,
                    **request,
                ),
                services,
                lock,
                drift=drift,
                online=index is not None,
            )
            for platform in platforms_to_verify(lock, platforms)
        )
