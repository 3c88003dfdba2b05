"""What a source may ask of a universe with Pythons and variants, and which environments are closest to it: by trying.

The source's Python is kept in its minor version. Only what is built for other Pythons alone may change that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from envcheck.model import PinPolicy
from tests.property.plan_universes import Found, Package
from tests.property.python_universes import LIBRARIES, VARIANTS
from tests.property.reference import compare, environments, is_bound, is_match, usable, visible, within
from tests.property.test_right_plans import nearest

__all__ = ["Asked", "Truth", "agrees", "minor_of", "sources"]

FAMILIES = (frozenset({"cpu", "cuda"}), frozenset({"mkl", "openblas"}))
"""Which variants are chosen between."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source asks for: rows by name, the direct ones in their order, and the variants that it had."""

    rows: Mapping[str, str]
    direct: Sequence[str]
    variants: Mapping[str, frozenset[str]] = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------------------------------
# What is asked for
# ---------------------------------------------------------------------------------------------------------------------


@st.composite
def sources(draw: st.DrawFn, packages: Sequence[Package], *, exact: bool = False) -> Asked:
    """Rows over a universe: mostly a Python, libraries at versions that there are, some with a build or a variant.

    Args:
        draw: Hypothesis's.
        packages: The universe.
        exact: Whether all rows are versions that somebody has, and direct.
    """
    rows: dict[str, str] = {}
    variants: dict[str, frozenset[str]] = {}
    every = [one for one in environments(packages) if is_bound(one) and len(one.keys() & {*LIBRARIES}) > 1]
    # As an export of what goes together; then something is changed, for some.
    whole = draw(st.sampled_from(sorted(every, key=len)[-50:])) if every else {}
    python = whole.get("python")
    pythons = sorted({one.version for one in packages if one.name == "python"})
    kind = draw(st.sampled_from(("same", "same", "same", "any", "any", "any", "any", "gone", "none")))
    if kind == "same" and python is not None:
        rows["python"] = draw(st.sampled_from((f"=={python.version}", f"{minor_of(python.version)}.*")))
    elif kind in ("same", "any") or exact:
        rows["python"] = draw(st.sampled_from([f"=={version}" for version in pythons]))
    elif kind == "gone":
        rows["python"] = draw(st.sampled_from(("==3.9.3", "==3.10.3", "==3.12.0")))
    # An export of the target's own platform has builds, that of another one only says which variant it was.
    with_builds = draw(st.booleans())
    names = draw(st.permutations(sorted({one.name for one in packages} & {*LIBRARIES, "blas"})))
    for name in names[: draw(st.sampled_from((2, 3, 3, 4)))]:
        here = whole.get(name)
        one = draw(st.sampled_from([one for one in packages if one.name == name and (not here or one is here)]))
        if draw(st.sampled_from((False, False, False, True))):
            one = draw(st.sampled_from([one for one in packages if one.name == name]))
        rows[name] = f"=={one.version}"
        if not exact and draw(st.sampled_from((False,) * 7 + (True,))):
            rows[name] = draw(st.sampled_from(("==1.0.5", "==1.2", "==3.0")))
        elif with_builds and draw(st.sampled_from((True, True, False))):
            rows[name] += f" {one.build}"
        if draw(st.booleans()):
            variants[name] = words(one.build) or frozenset({draw(st.sampled_from(VARIANTS))})
    direct = [name for name in rows if exact or name == "python" or draw(st.sampled_from((True, True, False)))]
    return Asked(rows, direct, variants)


# ---------------------------------------------------------------------------------------------------------------------
# The truth
# ---------------------------------------------------------------------------------------------------------------------


def words(build: str) -> frozenset[str]:
    """The variants that a build says it is."""
    return frozenset("cuda" if word == "gpu" else word for word in build.split("_")) & set(VARIANTS)


def agrees(build: str, variant: frozenset[str]) -> bool:
    """Whether a build is of a variant: it has one of the words, and of no family another one."""
    here = words(build)
    return bool(here & variant) and not any(
        here & family and variant & family and not here & variant & family for family in FAMILIES
    )


def minor_of(version: str) -> str:
    return ".".join(version.split(".")[:2])


def is_built_for(one: Package, python: str | None) -> bool:
    """Whether a package may be beside a Python, by what it says itself."""
    versions = {"python": python or "", "python_abi": minor_of(python or "")}
    return python is None or all(
        name not in versions or within(versions[name], text.partition(" ")[0] or "*") for name, text in one.depends
    )


def newest(versions: Iterable[str]) -> str | None:
    best: str | None = None
    for version in versions:
        if best is None or compare(version, best) > 0:
            best = version
    return best


class Truth:
    """What is wished for in a universe, and how far each environment grants it.

    Args:
        packages: The universe.
        asked: The source.
        priority: That of channels.
        policy: What may change.
    """

    def __init__(self, packages: Sequence[Package], asked: Asked, priority: str, policy: PinPolicy) -> None:
        self.packages, self.asked = packages, asked
        self.seen = visible(packages, priority)
        self.pins = {name: text.split(" ")[0].lstrip("=").removesuffix(".*") for name, text in asked.rows.items()}
        pinned = self.pins.get("python")
        self.python = newest(
            one.version
            for one in packages
            if one.name == "python" and pinned and minor_of(one.version) == minor_of(pinned)
        )
        self.every = [one for one in environments(self.seen) if is_bound(one) and not self._is_other_python(one)]
        if policy is PinPolicy.MINOR:
            self.every = [
                one
                for one in self.every
                if all(minor_of(one[name].version) == minor_of(pin) for name, pin in self.pins.items() if name in one)
            ]
        self.rows = {name: self._row(name) for name in asked.rows}
        self.near = {name: self._nearest(name) for name in asked.rows}

    @staticmethod
    def _is_other_python(found: Found) -> bool:
        """No row asks for PyPy."""
        return "python" in found and "pypy" in found["python"].build

    def possible(self, name: str) -> list[Package]:
        """What there is of a name for the Python."""
        return [one for one in self.seen if one.name == name and is_built_for(one, self.python)]

    def _row(self, name: str) -> str:
        """A row, with its build only where somebody has that, and the version for the Python."""
        text = self.asked.rows[name]
        version, _, _ = text.partition(" ")
        has_build = any(is_match(one.version, one.build, text) for one in self.packages if one.name == name)
        return text if has_build and any(is_match(one.version, "", version) for one in self.possible(name)) else version

    def _nearest(self, name: str) -> str | None:
        """For a version that nobody has, the one to take instead."""
        own = self.possible(name)
        if any(is_match(one.version, "", self.asked.rows[name].partition(" ")[0]) for one in own):
            return None
        return nearest(self.pins[name], {one.version for one in own}) if own else None

    def value(self, found: Found) -> tuple[int, ...]:
        """How good an environment is, the most important first."""
        direct, others = self.asked.direct, self.asked.rows.keys() - set(self.asked.direct)

        def exact(names: Iterable[str]) -> int:
            return sum(
                name in found and is_match(found[name].version, found[name].build, self.rows[name]) for name in names
            )

        def of_version(names: Iterable[str]) -> int:
            return sum(
                name in found and is_match(found[name].version, "", self.rows[name].partition(" ")[0]) for name in names
            )

        def variant(names: Iterable[str]) -> int:
            variants = self.asked.variants
            return sum(name in found and agrees(found[name].build, variants.get(name, frozenset())) for name in names)

        def alike(names: Iterable[str], count: int) -> int:
            return sum(
                name in found and found[name].version.split(".")[:count] == self.pins[name].split(".")[:count]
                for name in names
            )

        return (
            sum(name in found for name in direct),
            *(exact(direct), of_version(direct), variant(direct)),
            sum(name in found and found[name].version == self.near[name] for name in direct),
            *(alike(direct, 2), alike(direct, 1), exact(others)),
            *(of_version(others), variant(others), alike(others, 2)),
            -sum(name not in self.asked.rows for name in found),
        )

    def best(self) -> tuple[str, list[Found]]:
        """What kind of case it is, and all environments that nothing is better than."""
        if self.python is None:
            return "any Python", self._best_of(self.every)
        here = self._best_of(self._with_minor(minor_of(self.python)))
        lost = [name for name in self.asked.direct if here and name not in here[0]]
        there = {one.name for one in self.seen if is_built_for(one, self.python)}
        if here and all(name in there for name in lost):
            return "the Python", here
        # The closest two minors that all that is lost is built for; of equally close ones the newer.
        own = int(minor_of(self.python).split(".")[1])
        pythons = {minor_of(one.version): one.version for one in self.packages if one.name == "python"}
        others = [
            (abs(int(minor.split(".")[1]) - own), int(minor.split(".")[1]) < own, minor)
            for minor, version in pythons.items()
            if minor != minor_of(self.python)
            and all(
                any(is_built_for(one, version) for one in self.packages if one.name == name and usable(one))
                for name in lost
            )
        ]
        fewest, better = (len(lost) if here else None), here
        for _, _, minor in sorted(others)[:2]:
            moved = self._best_of(self._with_minor(minor))
            count = sum(name not in moved[0] for name in self.asked.direct) if moved else None
            if count is not None and (fewest is None or count < fewest):
                fewest, better = count, moved
        return ("the Python" if better is here else "another Python"), better

    def _with_minor(self, minor: str) -> list[Found]:
        return [one for one in self.every if "python" in one and minor_of(one["python"].version) == minor]

    def _best_of(self, some: Sequence[Found]) -> list[Found]:
        best = max(map(self.value, some), default=None)
        return [one for one in some if self.value(one) == best]
