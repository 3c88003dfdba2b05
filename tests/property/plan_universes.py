"""Small universes of packages, and a judge of environments over them that shares nothing with envcheck.

Constraints come from fixed tables that say what they allow, so that the judge needs nobody's parser; environments are
found by trying every combination of records, so that it needs nobody's clauses either.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from envcheck.engines import Engine, Index, LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import Channel, PipAvailability, Record, Target
from tests.support.channels import LINUX, channel, record, write_channel

__all__ = [
    "CHANNELS",
    "LIBRARIES",
    "WANTED",
    "Found",
    "OneIndexWorld",
    "Package",
    "environments",
    "loaded",
    "package_of",
    "shuffled",
    "universes",
    "wanted_by",
    "wishes",
]

CHANNELS = ("high", "low")
"""The channels of every universe, by priority."""

LIBRARIES = ("a", "b", "c", "d")
VERSIONS = ("1.0", "1.1", "2.0", "2.1")
PYTHONS = ("3.9.1", "3.9.5", "3.10.2")
ABIS = ("3.9", "3.10")


def _all(*versions: str) -> dict[str, None]:
    return dict.fromkeys(versions)


# Every constraint: the versions that it allows, each with the beginning of the build that it asks for, if any.
_LIBRARY: Mapping[str, Mapping[str, str | None]] = {
    "": _all(*VERSIONS),
    ">=1.1": _all("1.1", "2.0", "2.1"),
    "<2": _all("1.0", "1.1"),
    ">=2,<3.0a0": _all("2.0", "2.1"),
    ">=1.1,<2.1": _all("1.1", "2.0"),
    "1.0.*": _all("1.0"),
    "==2.0": _all("2.0"),
    "!=1.1": _all("1.0", "2.0", "2.1"),
    "1.0|2.1": _all("1.0", "2.1"),
    ">=3": {},
    "* x_*": dict.fromkeys(VERSIONS, "x_"),
    "1.1 y_0": {"1.1": "y_0"},
    ">=2 y_*": {"2.0": "y_", "2.1": "y_"},
}
_PYTHON: Mapping[str, Mapping[str, str | None]] = {
    "": _all(*PYTHONS),
    "3.9.*": _all("3.9.1", "3.9.5"),
    "3.10.*": _all("3.10.2"),
    ">=3.10": _all("3.10.2"),
    ">=3.9,<3.10.0a0": _all("3.9.1", "3.9.5"),
    "<3.10": _all("3.9.1", "3.9.5"),
    # As conda-forge's cpython is bound to its patch.
    "3.9.1.*": _all("3.9.1"),
}
_ABI: Mapping[str, Mapping[str, str | None]] = {
    "3.9.*": _all("3.9"),
    "3.10.*": _all("3.10"),
    "3.9.* *_cp39": _all("3.9"),
    "3.10.* *_cp310": _all("3.10"),
}
# Virtual packages: whether a usual image has what is asked for.
_VIRTUAL = {
    ("__cuda", ""): False,
    ("__cuda", ">=11"): False,
    ("__glibc", ">=2.17"): True,
    ("__glibc", ">=2.40"): False,
    ("__unix", ""): True,
    ("__win", ""): False,
}

_NOT_THERE = ("__cuda", "__win")

WANTED: Mapping[str, Sequence[str]] = {
    "": VERSIONS,
    "==1.0": ("1.0",),
    "==1.1": ("1.1",),
    "==2.0": ("2.0",),
    "==2.1": ("2.1",),
    "1.1.*": ("1.1",),
    ">=1.1": ("1.1", "2.0", "2.1"),
    "<2": ("1.0", "1.1"),
}
"""What may be asked for of a library, and the versions that this allows."""

WANTED_PYTHON: Mapping[str, Sequence[str]] = {
    "==3.9.1": ("3.9.1",),
    "==3.9.5": ("3.9.5",),
    "3.9.*": ("3.9.1", "3.9.5"),
    "3.10.*": ("3.10.2",),
    "==3.10.2": ("3.10.2",),
}

Spec = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Package:
    """One record; specs are pairs of a name and a constraint of the tables above."""

    name: str
    version: str
    build: str = "x_0"
    number: int = 0
    channel: str = "high"
    noarch: bool = False
    depends: tuple[Spec, ...] = ()
    constrains: tuple[Spec, ...] = ()
    features: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.channel, self.name, self.version, self.build


# ---------------------------------------------------------------------------------------------------------------------
# The judge
# ---------------------------------------------------------------------------------------------------------------------


def allowed(package: Package, constraint: str) -> bool:
    """Whether a package is what a constraint on its name asks for."""
    table = {"python": _PYTHON, "python_abi": _ABI}.get(package.name, _LIBRARY)
    versions = table[constraint]
    return package.version in versions and package.build.startswith(versions[package.version] or "")


def usable(package: Package) -> bool:
    """Whether the image has the virtual packages that a package asks for."""
    return all(_VIRTUAL[spec] for spec in package.depends if spec[0].startswith("__")) and all(
        # What is constrained need not be there.
        _VIRTUAL[spec] or spec[0] in _NOT_THERE
        for spec in package.constrains
        if spec[0].startswith("__")
    )


def together(one: Package, other: Package) -> bool:
    """Whether two packages of different names can be in one environment."""
    for left, right in ((one, other), (other, one)):
        if not all(allowed(right, text) for name, text in (*left.depends, *left.constrains) if name == right.name):
            return False
    # Builds for another Python cannot be imported, whatever a forgetful python_abi allows.
    versions = {one.name: one.version, other.name: other.version}
    if versions.keys() == {"python", "python_abi"}:
        return versions["python"].startswith(versions["python_abi"] + ".")
    return True


Found = Mapping[str, Package]
"""An environment: its packages by name."""


def environments(packages: Sequence[Package], *, priority: str = "flexible") -> list[Found]:
    """Every consistent environment, the empty one included."""
    first = {name: min(CHANNELS.index(one.channel) for one in packages if one.name == name) for name in names(packages)}
    choices = {
        name: [
            one
            for one in packages
            if one.name == name
            and usable(one)
            and (priority != "strict" or CHANNELS.index(one.channel) == first[one.name])
        ]
        for name in names(packages)
    }
    compatible = {
        one.key: {other.key for group in choices.values() for other in group if together(one, other)}
        for group in choices.values()
        for one in group
    }
    found: list[Found] = []
    order = list(choices)

    def grow(position: int, chosen: dict[str, Package]) -> None:
        if position == len(order):
            needed = {name for one in chosen.values() for name, _ in one.depends if not name.startswith("__")}
            if needed <= chosen.keys():
                found.append(dict(chosen))
            return
        grow(position + 1, chosen)
        for one in choices[order[position]]:
            if all(one.key in compatible[other.key] for other in chosen.values()):
                grow(position + 1, {**chosen, one.name: one})

    grow(0, {})
    return found


def names(packages: Sequence[Package]) -> list[str]:
    return sorted({one.name for one in packages})


def wanted_by(package: Package, wish: str) -> bool:
    """Whether a package has a version that was asked for."""
    table = WANTED_PYTHON if package.name == "python" else WANTED
    return package.version in table[wish]


# ---------------------------------------------------------------------------------------------------------------------
# Strategies
# ---------------------------------------------------------------------------------------------------------------------

_ON_LIBRARIES = st.lists(
    # Now and then something that no channel has.
    st.sampled_from([(name, text) for name in LIBRARIES for text in _LIBRARY] + [("missing", "")] * 3),
    max_size=2,
    unique_by=lambda spec: spec[0],
).map(tuple)
_ON_PYTHON: Sequence[tuple[Spec, ...]] = (
    (),
    (),
    (("python", "3.9.*"),),
    (("python", "3.10.*"),),
    (("python", ">=3.9,<3.10.0a0"), ("python_abi", "3.9.* *_cp39")),
    (("python", ">=3.10"), ("python_abi", "3.10.* *_cp310")),
    (("python", ""), ("python_abi", "3.9.*")),
    (("python", ""), ("python_abi", "3.10.*")),
    (("python", ""),),
    (("python", "<3.10"),),
    (("python", "3.9.1.*"),),
)
_ON_IMAGE: Sequence[tuple[Spec, ...]] = ((),) * 12 + tuple((spec,) for spec in _VIRTUAL)
_CONSTRAINS: Sequence[tuple[Spec, ...]] = (
    *((),) * 20,
    *(((name, text),) for name in LIBRARIES for text in _LIBRARY),
    *((spec,) for spec in _VIRTUAL),
)
_CONSTRAINS_PYTHON: Sequence[tuple[Spec, ...]] = ((("python", "3.9.*"),), (("python", ">=3.10"),)) * 4


@st.composite
def _variants(draw: st.DrawFn, *, python: bool) -> list[Package]:
    """The builds of one version: they differ in nothing, in their channel, in their number or in what they need."""
    name, version = draw(st.sampled_from(LIBRARIES)), draw(st.sampled_from(VERSIONS))
    needs = st.tuples(
        _ON_LIBRARIES,
        st.sampled_from(_ON_PYTHON) if python else st.just(()),
        st.sampled_from(_ON_IMAGE),
        st.sampled_from((*_CONSTRAINS, *_CONSTRAINS_PYTHON) if python else _CONSTRAINS),
    )
    first = draw(needs)
    found = []
    for build in draw(st.sampled_from((("x_0",), ("y_0",), ("x_0", "x_1"), ("x_0", "y_0"), ("x_0", "x_1", "y_0")))):
        *depends, constrains = first if build == "x_0" or draw(st.booleans()) else draw(needs)
        found.append(
            Package(
                name,
                version,
                build,
                number=int(build[-1]),
                channel=draw(st.sampled_from((*CHANNELS, "high"))),
                noarch=draw(st.booleans()),
                # Engines do not agree on what it means that a package constrains itself.
                depends=tuple(spec for part in depends for spec in part if spec[0] != name),
                constrains=tuple(spec for spec in constrains if spec[0] != name),
                features=draw(st.sampled_from((False, False, False, True))),
            )
        )
    return found


@st.composite
def universes(draw: st.DrawFn, *, python: bool | None = None) -> tuple[Package, ...]:
    """Any small universe, half of them with Pythons and builds bound to these.

    Args:
        draw: Hypothesis's.
        python: Whether there are Pythons.
    """
    python = draw(st.booleans()) if python is None else python
    groups = draw(st.lists(_variants(python=python), min_size=4, max_size=8))
    packages = [one for group in groups for one in group]
    if python:
        packages += [
            Package("python", version, channel=draw(st.sampled_from(CHANNELS)))
            for version in draw(st.lists(st.sampled_from(PYTHONS), min_size=1, unique=True))
        ]
        for version in draw(st.lists(st.sampled_from(ABIS), unique=True)):
            # Some of pkgs/main's forget to say which Python they are for.
            depends = draw(st.sampled_from(((), (("python", f"{version}.*"),))))
            packages.append(Package("python_abi", version, f"0_cp{version.replace('.', '')}", depends=depends))
    # Sixteen are as many as can be judged in no time.
    return tuple({one.key: one for one in packages[-16:]}.values())


def wishes(*, python: bool) -> st.SearchStrategy[dict[str, str]]:
    """What may be asked for: names and constraints of the tables above."""
    libraries = st.dictionaries(st.sampled_from(LIBRARIES), st.sampled_from(tuple(WANTED)), min_size=2)
    pythons = st.sampled_from(tuple(WANTED_PYTHON)).map(lambda text: {"python": text})
    return st.tuples(libraries, pythons if python else st.just({})).map(lambda parts: parts[0] | parts[1])


# ---------------------------------------------------------------------------------------------------------------------
# On disk, and loaded
# ---------------------------------------------------------------------------------------------------------------------


def _spec_texts(specs: Sequence[Spec]) -> list[str]:
    return [f"{name} {constraint}".strip() for name, constraint in specs]


def _as_record(package: Package) -> dict[str, Any]:
    more: dict[str, Any] = {"noarch": "generic"} if package.noarch else {}
    if package.features:
        more["track_features"] = "slow"
    return record(
        package.name,
        package.version,
        package.build,
        package.number,
        depends=_spec_texts(package.depends),
        constrains=_spec_texts(package.constrains),
        **more,
    )


def shuffled(packages: Sequence[Package], seed: int) -> tuple[Package, ...]:
    """The same packages in another order."""
    return tuple(random.Random(seed).sample(packages, len(packages)))  # noqa: S311  # no secret


@contextmanager
def loaded(
    packages: Sequence[Package], *, priority: str = "flexible", engine: Engine | None = None
) -> Iterator[tuple[Target, Index]]:
    """A usual image's target and its channels, which hold these packages in this order."""
    with tempfile.TemporaryDirectory() as directory:
        channels = []
        for name in CHANNELS:
            own = [one for one in packages if one.channel == name]
            subdirs = {
                "noarch": [_as_record(one) for one in own if one.noarch],
                "linux-64": [_as_record(one) for one in own if not one.noarch],
            }
            channels.append(channel(write_channel(Path(directory) / name, subdirs), name))
        target = Target(
            platform="linux-64", virtual_packages=LINUX, channels=tuple(channels), channel_priority=priority
        )
        yield (
            target,
            (engine or RattlerEngine()).load(
                target.channels,
                target.platform,
                target.virtual_packages,
                channel_priority=priority,
                options=LoadOptions(cache_directory=str(Path(directory) / "cache"), offline=True),
            ),
        )


def package_of(found: Record, packages: Sequence[Package]) -> Package:
    """The package that a record was made of."""
    key = (found.channel.rpartition("/")[2], found.name, found.version, found.build)
    return next(one for one in packages if one.key == key)


@dataclass(frozen=True, slots=True)
class OneIndexWorld:
    """An `envcheck.survey.World` with nothing beyond the target's own channels."""

    index: Index

    def for_platform(self, platform: str) -> Index | None:
        return None

    def other_channels(self, platform: str) -> Sequence[tuple[Channel, Index]]:
        return ()

    def with_channels(self, added: Sequence[Channel]) -> Index:
        assert not added
        return self.index

    def on_package_index(
        self, projects: Sequence[tuple[str, str | None]]
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        return {}
