"""An older lock of the same environment, for ``--from-lock``: what is to be kept of it where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envcheck.lock_file import read_lock
from envcheck.locks.contents import LockContents, LockedPackage

__all__ = ["PreviousLock", "read_previous_lock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousLock:
    """A lock that was read; whatever it holds is a preference and no requirement."""

    contents: LockContents

    def conda(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        """Name, version and build of every conda package that it holds for a platform, by name."""
        rows = {one.name: one for one in self._packages(platform, "conda") if one.build is not None}
        return tuple((one.name, one.version, one.build or "") for _, one in sorted(rows.items()))

    def pip(self, platform: str) -> tuple[tuple[str, str], ...]:
        """Normalized name and version of every distribution that it has pip install on a platform, by name."""
        from packaging.utils import canonicalize_name

        rows = {canonicalize_name(one.name): one.version for one in self._packages(platform, "pip") if one.version}
        return tuple(sorted(rows.items()))

    def _packages(self, platform: str, manager: str) -> Iterator[LockedPackage]:
        """The rows of one platform; of the environments of a pixi.lock those of the one installed by default."""
        environments = {one.environment for one in self.contents.packages if one.platform == platform}
        chosen = "default" if "default" in environments else min(environments, default="")
        for one in self.contents.packages:
            if (one.platform, one.manager, one.environment) == (platform, manager, chosen):
                yield one


def read_previous_lock(data: bytes, path: str) -> PreviousLock:
    """Read an older lock: a conda-lock.yml, a pixi.lock or an ``@EXPLICIT`` list.

    Args:
        data: The whole file.
        path: Its name, for messages.

    Raises:
        SourceError: It is no lock of a known format.
    """
    return PreviousLock(contents=read_lock(data, path).contents)
