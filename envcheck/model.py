"""The types that travel between the stages of the pipeline.

Every type is a frozen, slotted, keyword-only dataclass that holds tuples and never lists or dictionaries, so a value
can be shared, compared and hashed. Nothing here does input or output. The stages are

    bytes -> Export -> Environment -> Availability + Outcome -> Plan + Findings -> Report
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

__all__ = [
    "Availability",
    "Channel",
    "ChannelReference",
    "ChannelState",
    "ChannelStatus",
    "Damage",
    "DamageKind",
    "DistributionFile",
    "EngineInfo",
    "Environment",
    "Evidence",
    "Export",
    "Finding",
    "Intent",
    "LockedDistribution",
    "NormalizedEdit",
    "Outcome",
    "PinPolicy",
    "PipAvailability",
    "PipConflict",
    "PipPresence",
    "PipRequirement",
    "PipRequirementKind",
    "PipResolution",
    "Plan",
    "PlanAdded",
    "PlanChanged",
    "PlanDropped",
    "PlanKept",
    "PlanObstacle",
    "Presence",
    "PythonCount",
    "Record",
    "Remedy",
    "RemedyAction",
    "Report",
    "Requirement",
    "Severity",
    "Sighting",
    "Solved",
    "SourceKind",
    "Target",
    "Unsolved",
    "Verdict",
    "VirtualPackage",
]


# ---------------------------------------------------------------------------------------------------------------------
# What a source file says
# ---------------------------------------------------------------------------------------------------------------------


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
    ``evidence`` what it was inferred from, strongest first. ``name_claims`` is the platform that the file's own name
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


# ---------------------------------------------------------------------------------------------------------------------
# What it is checked against
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel, resolved.

    ``name`` is the short canonical name (``conda-forge``, ``pkgs/main``) or the URL where there is none; ``url`` the
    canonical base URL without secrets, as it may stand in a lock; ``locations`` the base URLs that are really asked, in
    order (mirrors, ``file://`` trees, URLs with tokens: never shown, logged or written). ``mirror`` is the name of the
    known mirror that the first location belongs to. ``origin`` tells who asked for it: ``source``, ``command line``,
    ``condarc``, ``default``, or the ``builds`` of the source's rows; ``line`` the source's line.
    """

    name: str
    url: str
    locations: tuple[str, ...] = field(repr=False)
    mirror: str | None = None
    origin: str = "source"
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPackage:
    """A virtual package of the target (CEP 30): ``__glibc 2.28``."""

    name: str
    version: str
    build: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the environment is wanted. ``channel_priority`` is ``strict``, ``flexible`` or ``disabled``."""

    platform: str
    virtual_packages: tuple[VirtualPackage, ...]
    channels: tuple[Channel, ...]
    channel_priority: str = "flexible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What of a source was asked for.

    ``direct`` are names in source order; ``needed_by`` gives for each transitive name the rows that need it, in name
    order; ``variants`` the words of the builds that name a variant (``cuda``, ``mkl``), for the names that have some;
    ``identified`` the channel's URL of every row whose very record was found, in source order.
    """

    direct: tuple[str, ...]
    needed_by: tuple[tuple[str, tuple[str, ...]], ...] = ()
    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    identified: tuple[tuple[str, str], ...] = ()


class PinPolicy(str, enum.Enum):
    """How much of the versions a plan may change (``--pins``)."""

    PRESERVE = "preserve"
    EXACT = "exact"
    MINOR = "minor"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedEdit:
    """One change that normalization made, for the user to read: ``before`` and ``after`` are spec texts."""

    subject: str
    before: str
    after: str | None
    reason: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An `Export` made ready for one target: platform-bound parts removed, pip rows moved, Python determined.

    ``platform`` is the target's; ``requirements`` are asked of it, in source order, one per name; ``pip`` is the pip
    section with the moved ``pypi_0`` rows. ``python`` is the version constraint of the Python to have (``3.10.*``),
    ``None`` if nothing tells, and ``python_reason`` where that was read. ``implied`` are names that the environment
    needs without saying so (``pip`` for a pip section).
    """

    name: str
    platform: str
    requirements: tuple[Requirement, ...]
    pip: tuple[PipRequirement, ...]
    channels: tuple[ChannelReference, ...] = ()
    python: str | None = None
    python_reason: str | None = None
    implied: tuple[str, ...] = ()
    edits: tuple[NormalizedEdit, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# What engines and indexes answer
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One package record of a channel (CEP 36), in the words of both engines.

    ``channel`` is the canonical base URL of the channel, ``url`` the canonical URL of the file, neither with secrets;
    ``md5`` and ``sha256`` are lower-case hexadecimal; ``size`` is in bytes, ``timestamp`` in milliseconds since 1970.
    """

    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    channel: str
    url: str
    md5: str | None = None
    sha256: str | None = None
    size: int | None = None
    timestamp: int | None = None
    noarch: str | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    track_features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A dry-solve succeeded; ``packages`` are sorted by name."""

    packages: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsolved:
    """A dry-solve failed; ``explanation`` is the engine's own prose, to be shown and never parsed."""

    explanation: str
    cancelled: bool = False


Outcome = Solved | Unsolved


class ChannelState(str, enum.Enum):
    """How one channel answered."""

    LOADED = "loaded"
    NO_SUBDIR = "no-subdir"
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """What came of asking one channel for one platform; ``detail`` is shown to the user and free of secrets."""

    channel: Channel
    state: ChannelState
    detail: str = ""

    @property
    def silent(self) -> bool:
        """Whether it did not tell what it has, so that nothing can be said about packages it may have."""
        return self.state in (ChannelState.UNREACHABLE, ChannelState.DAMAGED, ChannelState.FORBIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Which solver answered."""

    name: str
    version: str
    reason: str = ""


class Presence(str, enum.Enum):
    """Where one conda requirement stands with respect to the target, found by look-ups alone."""

    AVAILABLE = "available"
    BUILD_ELSEWHERE = "build-elsewhere"
    VERSION_ELSEWHERE = "version-elsewhere"
    HIDDEN_BY_PRIORITY = "hidden-by-priority"
    PLATFORM_ONLY = "platform-only"
    NEEDS_VIRTUAL_PACKAGE = "needs-virtual-package"
    OTHER_CHANNEL = "other-channel"
    RENAMED = "renamed"
    PYPI_ONLY = "pypi-only"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"

    @property
    def exists(self) -> bool:
        """Whether the target can have it in some form: a plan that leaves such a direct package out loses something."""
        return self in (
            Presence.AVAILABLE,
            Presence.BUILD_ELSEWHERE,
            Presence.VERSION_ELSEWHERE,
            Presence.HIDDEN_BY_PRIORITY,
            Presence.OTHER_CHANNEL,
            Presence.RENAMED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A place where a package was found: channel name, subdir, newest version there, whether the pin is there too."""

    channel: str
    subdir: str
    newest: str
    has_pin: bool


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The classification of one requirement and what there is to offer instead.

    ``nearest`` are versions on the target closest to the pin, best first; ``sightings`` other channels and platforms
    that have the name; ``close_names`` names on the target that may have been meant, best first; ``counterparts``
    packages that do the same job on the target (empty with ``PLATFORM_ONLY``: nothing is needed);
    ``virtual_package`` what the only candidates need that the target has not (``__win``); ``pypi`` the package index's
    answer when it was asked; ``detail`` a few words that make the presence precise.
    """

    requirement: Requirement
    presence: Presence
    nearest: tuple[str, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    close_names: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()
    virtual_package: str | None = None
    pypi: PipAvailability | None = None
    detail: str = ""


# ---------------------------------------------------------------------------------------------------------------------
# What the user is told
# ---------------------------------------------------------------------------------------------------------------------


class Severity(str, enum.Enum):
    """How bad a finding is; ``ERROR``: the environment does not build on the target as it stands."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class RemedyAction(str, enum.Enum):
    """The kind of edit that a remedy makes to the environment."""

    CHANGE_VERSION = "change-version"
    DROP_BUILD = "drop-build"
    DROP = "drop"
    REPLACE = "replace"
    RENAME = "rename"
    ADD_CHANNEL = "add-channel"
    MOVE_TO_PIP = "move-to-pip"
    MOVE_TO_CONDA = "move-to-conda"
    EDIT = "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """An edit that answers a finding; ``verified`` only once a dry-solve with it succeeded."""

    action: RemedyAction
    summary: str
    spec: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fact about the user's environment, with a stable code; ``line`` is 1-based, ``None`` for the whole file."""

    code: str
    title: str
    severity: Severity
    subject: str
    message: str
    line: int | None = None
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKept:
    """A requirement that the plan satisfies as it was asked."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """A requirement that the plan satisfies with another version; ``from_version`` is the asked constraint."""

    name: str
    from_version: str
    to_version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDropped:
    """A requirement that the plan leaves out, or (in ``Plan.to_pip``) has pip install."""

    name: str
    version: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAdded:
    """A package that the export did not list and the plan installs; ``reason`` names what needs it."""

    name: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanObstacle:
    """What keeps a version that the target has out of the plan.

    ``name`` is the requirement's; ``record`` is of the version's builds the one that the plan comes nearest to, and
    ``against`` are the names of a minimal set of the plan's packages that no such build goes together with, in name
    order: empty where it goes together with them and more would have to change, or with nothing at all.
    """

    name: str
    record: Record
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The closest environment found for the target.

    Every conda requirement of the source stands in exactly one of ``kept``, ``changed``, ``dropped`` and ``to_pip``.
    ``solved`` is true when a dry-solve of exactly these packages succeeded; ``packages`` is then its solution,
    otherwise empty. ``requirements`` are the specs to write into an environment file, ``direct`` the names that the
    user asked for as far as the source tells, ``added_channels`` what the plan needs beyond the source's channels.
    ``optimal`` is false when the search for the optimum was cut short; ``disagreements`` counts the candidates that the
    engine refused although the encoding allowed them. Where nothing may change and the requirements do not go together,
    ``conflicts`` are minimal sets of MatchSpecs that do not. ``uninstallable`` are direct names of which the target has
    records and no version can be installed, even alone. ``obstacles`` stand for what was changed or dropped although
    the target has it.
    """

    kept: tuple[PlanKept, ...] = ()
    changed: tuple[PlanChanged, ...] = ()
    dropped: tuple[PlanDropped, ...] = ()
    to_pip: tuple[PlanDropped, ...] = ()
    added: tuple[PlanAdded, ...] = ()
    requirements: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    added_channels: tuple[Channel, ...] = ()
    packages: tuple[Record, ...] = ()
    solved: bool = False
    explanation: str = ""
    optimal: bool = True
    disagreements: int = 0
    conflicts: tuple[tuple[str, ...], ...] = ()
    uninstallable: tuple[str, ...] = ()
    obstacles: tuple[PlanObstacle, ...] = ()


class Verdict(str, enum.Enum):
    """``READY``: installs as written; ``FIXABLE``: the plan solves and loses nothing Linux has; else ``BLOCKED``."""

    READY = "ready"
    FIXABLE = "fixable"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one check of one source for one target found.

    ``pip`` holds what the index says of the rows of the pip section, ``pip_resolution`` what pip is to install
    (``None``: nothing). ``accepted`` are findings that a baseline accepts; they are not among ``findings``.
    ``source_indexes`` are the package indexes and places of files that the source names and that were asked, without
    secrets.
    """

    envcheck_version: str
    export: Export
    environment: Environment
    target: Target
    engine: EngineInfo
    verdict: Verdict
    findings: tuple[Finding, ...]
    plan: Plan
    availability: tuple[Availability, ...] = ()
    pip: tuple[PipAvailability, ...] = ()
    pip_resolution: PipResolution | None = None
    channel_statuses: tuple[ChannelStatus, ...] = ()
    intent: Intent | None = None
    accepted: tuple[Finding, ...] = ()
    source_indexes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every channel could be asked; if not, the verdict speaks only of those that could."""
        return not any(status.silent for status in self.channel_statuses)
