"""What the Python package index, and the resolver that asks it, answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = [
    "DistributionFile",
    "LockedDistribution",
    "PipAvailability",
    "PipConflict",
    "PipPresence",
    "PipResolution",
    "PythonCount",
]


class PipPresence(str, enum.Enum):
    """Where one pip requirement stands on the package index for the target."""

    WHEEL = "wheel"
    PURE_WHEEL = "pure-wheel"
    SOURCE_ONLY = "source-only"
    OTHER_PLATFORM = "other-platform"
    OTHER_PYTHON = "other-python"
    NO_VERSION = "no-version"
    NO_PROJECT = "no-project"
    YANKED = "yanked"
    NOT_CHECKED = "not-checked"

    @property
    def absent(self) -> bool:
        """Whether there is nothing of it for the target: no wheel, and no source either."""
        return self in (
            PipPresence.OTHER_PLATFORM,
            PipPresence.OTHER_PYTHON,
            PipPresence.NO_VERSION,
            PipPresence.NO_PROJECT,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionFile:
    """A file of a project on a package index; ``url`` is free of secrets."""

    filename: str
    url: str
    sha256: str | None
    requires_python: str | None
    yanked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PipAvailability:
    """What the package index says of one project for the target's platform and Python.

    ``version`` is the version that was judged (the pin, or the best one); ``nearest`` the installable versions closest
    to the pin, best first; ``detail`` a few words such as the platforms for which wheels exist.
    """

    name: str
    pin: str | None
    presence: PipPresence
    version: str | None = None
    nearest: tuple[str, ...] = ()
    file: DistributionFile | None = None
    detail: str = ""

    @property
    def has_wheel(self) -> bool:
        """Whether the version that was judged installs from a wheel."""
        return self.presence in (PipPresence.WHEEL, PipPresence.PURE_WHEEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedDistribution:
    """One distribution that pip is to install on the target, down to the file.

    ``name`` is normalized (PEP 503); ``url`` is free of secrets, the wheel's, or ``git+https://…@commit`` with
    ``sha256`` ``None``. ``requires_python`` and ``requires`` (Requires-Dist texts, PEP 508) are the file's own metadata
    where it was asked for.
    """

    name: str
    version: str
    url: str
    filename: str
    sha256: str | None
    requires_python: str | None = None
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PipConflict:
    """A minimal set of pip requirements that do not go together on the target.

    ``requirements`` are PEP 508 texts of rows of the pip section, in its order; with one alone, it needs something
    that cannot be installed from wheels or contradicts the conda packages. ``explanation`` is the resolver's own prose,
    to be shown and never parsed; ``remedy`` the requirement that was resolved in place of the last of them, ``None``
    where that was left out.
    """

    requirements: tuple[str, ...]
    explanation: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCount:
    """How many pinned rows of a pip section a Python's minor version has to install, and how many have a wheel."""

    minor: str
    rows: int
    wheels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PipResolution:
    """The pip section, resolved for the plan's Python beside the plan's conda packages.

    ``distributions`` are sorted by name; ``provided`` are pairs of a distribution's name and the conda package that
    already holds it, ``replaced`` those whose conda package pip overwrites with another version, ``moved`` those of
    rows that conda gives in place of pip; ``conflicts`` what had to give way. ``resolver`` is its name and version;
    ``trouble`` says why nothing was resolved (``offline``), and is empty if it was; ``unexplained`` are requirements
    that had to give way, too, and for which the time ran out before it was known to what. ``listed`` are names of rows
    by URL whose very file the package index lists; ``untold`` are extras (``dask[complete]``) of conda's packages of
    which could not be told what they need.
    """

    distributions: tuple[LockedDistribution, ...] = ()
    provided: tuple[tuple[str, str], ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[PipConflict, ...] = ()
    resolver: str = ""
    trouble: str = ""
    unexplained: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
