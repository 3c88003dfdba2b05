"""What a source file says, in its own words."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = [
    "ChannelReference",
    "Damage",
    "DamageKind",
    "Evidence",
    "Export",
    "PipRequirement",
    "PipRequirementKind",
    "Requirement",
    "SourceKind",
]


class SourceKind(str, enum.Enum):
    """The dialect of a source file, found from its content; the value is the JSON report's ``source.kind``."""

    ENVIRONMENT_YAML = "environment-yaml"
    LIST_EXPORT = "list-export"
    EXPLICIT = "explicit"
    LIST_TABLE = "list-table"
    LIST_JSON = "list-json"
    PIP_FREEZE = "pip-freeze"
    CONDA_LOCK = "conda-lock"
    PIXI_LOCK = "pixi-lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One conda requirement as a source wrote it (or, in an `Environment`, as it is asked of the target).

    ``version`` is the version part of a MatchSpec (CEP 29): ``==1.21.2``, ``1.21.*``, ``>=1.2,<2`` or ``None`` for any.
    ``pin`` is the one version that the line names (``1.21.2`` for ``=1.21.2`` and ``==1.21.2``), ``None`` where the
    constraint is a range or absent. ``build`` is a literal build string or a glob. ``channel`` is what the line says,
    unresolved. ``url``, ``md5`` and ``sha256`` come from ``@EXPLICIT`` lines and lock files.
    """

    name: str
    version: str | None = None
    pin: str | None = None
    build: str | None = None
    channel: str | None = None
    subdir: str | None = None
    url: str | None = None
    md5: str | None = None
    sha256: str | None = None
    line: int
    text: str


class PipRequirementKind(str, enum.Enum):
    """What a line of a pip section is; only ``NAMED`` lines can be looked up on an index."""

    NAMED = "named"
    URL = "url"
    VCS = "vcs"
    LOCAL_PATH = "local-path"
    EDITABLE = "editable"
    REQUIREMENTS_FILE = "requirements-file"
    CONSTRAINTS_FILE = "constraints-file"
    OPTION = "option"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipRequirement:
    """One line of a pip section, of a ``pip freeze``, or a conda row with a ``pypi_0`` build.

    ``name`` is the PEP 503 normalized project name (``None`` for options and references that do not tell);
    ``specifier`` is the PEP 440 specifier set as text (``==1.2``), ``pin`` the version named with ``==`` or ``===``;
    ``marker`` is the PEP 508 marker; ``url`` what follows ``@`` or ``-e`` or the option's argument, secrets included
    (mask it before showing it). ``origin`` says where in the source it stood.
    """

    kind: PipRequirementKind
    name: str | None = None
    specifier: str = ""
    pin: str | None = None
    extras: tuple[str, ...] = ()
    marker: str | None = None
    url: str | None = None
    origin: str = "pip section"
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReference:
    """A channel as the source names it (name, URL, ``defaults``, ``nodefaults``), with its line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One observation that speaks for a source platform.

    ``platform`` is a conda subdir (``win-64``) or a family where the subdir is not told (``win``, ``linux``, ``osx``,
    ``unix``); ``weight`` is the strength of the observation, a positive integer, where 100 alone decides.
    """

    platform: str
    weight: int
    reason: str
    line: int | None = None


class DamageKind(str, enum.Enum):
    """Ways in which a line of a source is broken or questionable; each is turned into a finding by a rule."""

    TRAILING_EQUALS = "trailing-equals"
    NO_VERSION = "no-version"
    BUILD_IN_VERSION = "build-in-version"
    CONDA_SPEC_UNDER_PIP = "conda-spec-under-pip"
    PIP_SPEC_UNDER_CONDA = "pip-spec-under-conda"
    SELECTOR = "selector"
    UNREADABLE_LINE = "unreadable-line"
    UNKNOWN_KEY = "unknown-key"
    PIP_SECTION_WITHOUT_PIP = "pip-section-without-pip"
    NON_CHANNEL = "non-channel"
    NO_CHANNELS = "no-channels"
    DUPLICATE_KEY = "duplicate-key"
    UNUSUAL_ENCODING = "unusual-encoding"
    CONSOLE_PASTE = "console-paste"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something wrong in the source: what, about whom, where, and what was made of it.

    ``subject`` is the package, key or channel concerned; ``text`` the offending text as written; ``read_as`` what
    envcheck took it for (``None``: the line was left out).
    """

    kind: DamageKind
    subject: str
    line: int
    text: str
    read_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A parsed source: everything it says, in the order it says it, nothing resolved and nothing lost.

    ``platform`` is the inferred source platform (a conda subdir, e.g. ``win-64``, or ``None`` when nothing tells) and
    ``evidence`` what it was inferred from, strongest first. ``name_claims`` is the platform that the
    file's own name speaks of.
    """

    path: str
    kind: SourceKind
    encoding: str
    environment_name: str | None = None
    prefix: str | None = None
    channels: tuple[ChannelReference, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    pip: tuple[PipRequirement, ...] = ()
    platform: str | None = None
    name_claims: str | None = None
    evidence: tuple[Evidence, ...] = ()
    damage: tuple[Damage, ...] = ()
