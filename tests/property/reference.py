"""What conda's documents say, written down once more: a second opinion that shares no code with envcheck or an engine.

Versions are CEP 33, MatchSpecs CEP 29, virtual packages CEP 30, ``depends`` and ``constrains`` CEP 36, and the priority
of channels is https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html. Slow and plain.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from tests.property.plan_universes import CHANNELS, Found, Package
from tests.support.channels import LINUX

__all__ = [
    "compare",
    "environments",
    "granted",
    "is_bound",
    "is_match",
    "is_valid",
    "usable",
    "visible",
    "within",
]

_MACHINE: Mapping[str, tuple[str, str]] = {one.name: (one.version, one.build) for one in LINUX}
"""The virtual packages of the target: their versions and builds."""

Atom = int | float | str
Version = tuple[int, list[list[Atom]], list[list[Atom]]]


# ---------------------------------------------------------------------------------------------------------------------
# Versions
# ---------------------------------------------------------------------------------------------------------------------


@functools.cache
def _version(text: str) -> Version:
    """Epoch, segments and local segments."""
    epoch, separator, rest = text.lower().rpartition("!")
    main, _, local = rest.partition("+")
    return int(epoch) if separator else 0, _segments(main), _segments(local) if local else []


def _segments(text: str) -> list[list[Atom]]:
    found: list[list[Atom]] = []
    for segment in re.split(r"[._]", text):
        words = {"post": math.inf, "dev": "DEV"}
        atoms: list[Atom] = [
            int(atom) if atom.isdigit() else words.get(atom, atom) for atom in re.findall(r"[0-9]+|[^0-9]+", segment)
        ]
        # A segment that begins with a letter has a zero before it.
        found.append(atoms if segment[:1].isdigit() else [0, *atoms])
    return found


def _compare_atoms(left: Atom, right: Atom) -> int:
    if isinstance(left, str) != isinstance(right, str):
        return -1 if isinstance(left, str) else 1
    return (left > right) - (left < right)  # type: ignore[operator]  # both are texts or both are numbers


def _compare_segments(left: list[list[Atom]], right: list[list[Atom]]) -> int:
    for ours, theirs in zip_longest(left, right, fillvalue=[]):
        for pair in zip_longest(ours, theirs, fillvalue=0):
            if order := _compare_atoms(*pair):
                return order
    return 0


@functools.cache
def compare(left: str, right: str) -> int:
    """Below, at or above zero as a version comes before another one, is equal to it, or comes after it."""
    ours, theirs = _version(left), _version(right)
    if ours[0] != theirs[0]:
        return ours[0] - theirs[0]
    return _compare_segments(ours[1], theirs[1]) or _compare_segments(ours[2], theirs[2])


@functools.cache
def _starts_with(version: str, prefix: str) -> bool:
    """Whether a version is one of those that ``prefix.*`` means: all segments but the last equal, that one begun."""
    ours, wanted = _version(version), _version(prefix)
    if ours[0] != wanted[0]:
        return False
    if wanted[2]:
        return not _compare_segments(ours[1], wanted[1]) and _begins(ours[2], wanted[2])
    return _begins(ours[1], wanted[1])


def _begins(ours: list[list[Atom]], wanted: list[list[Atom]]) -> bool:
    last = len(wanted) - 1
    if _compare_segments(ours[:last], wanted[:last]):
        return False
    segment = ours[last] if len(ours) > last else []
    end = len(wanted[last]) - 1
    if _compare_segments([segment[:end]], [wanted[last][:end]]):
        return False
    atom, beginning = segment[end] if len(segment) > end else 0, wanted[last][end]
    if isinstance(beginning, str):
        return isinstance(atom, str) and atom.startswith(beginning)
    return _compare_atoms(atom, beginning) == 0


@functools.cache
def within(version: str, constraint: str) -> bool:
    """Whether a version is allowed by a constraint such as ``>=1.2,<2|==3.0``; a comma binds closer than a bar."""
    return any(all(_one(version, part.strip()) for part in choice.split(",")) for choice in constraint.split("|"))


def _one(version: str, part: str) -> bool:
    match = re.fullmatch(r"(~=|==|!=|<=|>=|<|>|=)?\s*(.+)", part)
    assert match, part
    operator, text = match[1] or "", match[2]
    if text == "*":
        return True
    starred = text.removesuffix("*").removesuffix(".") if text.endswith("*") else None
    if operator in ("<", "<=", ">", ">="):
        order = compare(version, starred or text)
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]
    if operator == "~=":
        return compare(version, text) >= 0 and _starts_with(version, text.rpartition(".")[0])
    if starred is not None or operator == "=":
        return _starts_with(version, starred or text) != (operator == "!=")
    return (compare(version, text) == 0) != (operator == "!=")


# ---------------------------------------------------------------------------------------------------------------------
# Specs
# ---------------------------------------------------------------------------------------------------------------------


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


@functools.cache
def is_match(version: str, build: str, asked: str) -> bool:
    """Whether a version and build are what ``CONSTRAINT BUILD`` asks for; both may be left out."""
    constraint, _, wanted = asked.partition(" ")
    return (not constraint or within(version, constraint)) and (
        not wanted or _glob(wanted).fullmatch(build) is not None
    )


def granted(found: Found, spec: tuple[str, str]) -> bool:
    """Whether an environment has what a spec asks for: a name, with a channel perhaps, and the rest."""
    channel, _, name = spec[0].rpartition("::")
    one = found.get(name)
    return one is not None and channel in ("", one.channel) and is_match(one.version, one.build, spec[1])


# ---------------------------------------------------------------------------------------------------------------------
# Environments
# ---------------------------------------------------------------------------------------------------------------------


def usable(package: Package) -> bool:
    """Whether the machine has the virtual packages that a package needs, and none that it rules out."""
    return all(
        name in _MACHINE and is_match(*_MACHINE[name], asked)
        for name, asked in package.depends
        if name.startswith("__")
    ) and all(name not in _MACHINE or is_match(*_MACHINE[name], asked) for name, asked in package.constrains)


def visible(packages: Sequence[Package], priority: str, named: Mapping[str, str] | None = None) -> list[Package]:
    """What a solver may choose of.

    Args:
        packages: The channels' packages.
        priority: With ``strict`` a name comes from the first channel that has it, in whatever version.
        named: The channels of names that are asked for from a channel.
    """
    named = named or {}
    first = {
        one.name: min(CHANNELS.index(other.channel) for other in packages if other.name == one.name) for one in packages
    }
    return [
        one
        for one in packages
        if usable(one)
        and (priority != "strict" or one.name in named or CHANNELS.index(one.channel) == first[one.name])
        and named.get(one.name) in (None, one.channel)
    ]


def _accepts(one: Package, other: Package) -> bool:
    return all(
        is_match(other.version, other.build, asked)
        for name, asked in (*one.depends, *one.constrains)
        if name == other.name
    )


def _together(one: Package, other: Package) -> bool:
    return _accepts(one, other) and _accepts(other, one)


def is_bound(found: Found) -> bool:
    """Whether builds are for the Python that is there, whatever a forgetful ``python_abi`` allows: envcheck's own."""
    abi, python = found.get("python_abi"), found.get("python")
    return abi is None or python is None or python.version.startswith(f"{abi.version}.")


def is_valid(packages: Sequence[Package]) -> bool:
    """Whether packages are an environment: all usable, no name twice, none excluded, nothing left out."""
    names = {one.name for one in packages}
    return (
        len(names) == len(packages)
        and all(map(usable, packages))
        and all(_together(one, other) for one in packages for other in packages if one.name < other.name)
        and all(name in names for one in packages for name, _ in one.depends if not name.startswith("__"))
    )


def environments(packages: Sequence[Package]) -> list[Found]:
    """Every environment that can be made of packages, the empty one included, by trying."""
    by_name: dict[str, list[Package]] = {}
    for one in packages:
        if usable(one):
            by_name.setdefault(one.name, []).append(one)
    # Most packages are bound to a Python: what that leaves is seen early.
    groups = [by_name[name] for name in sorted(by_name, key=lambda name: (not name.startswith("python"), name))]
    allowed = {
        one.key: {other.key for group in groups for other in group if _together(one, other)}
        for group in groups
        for one in group
    }
    found: list[Found] = []

    def grow(position: int, chosen: dict[str, Package]) -> None:
        if position == len(groups):
            needed = {name for one in chosen.values() for name, _ in one.depends if not name.startswith("__")}
            if needed <= chosen.keys():
                found.append(dict(chosen))
            return
        grow(position + 1, chosen)
        for one in groups[position]:
            if all(one.key in allowed[other.key] for other in chosen.values()):
                grow(position + 1, {**chosen, one.name: one})

    grow(0, {})
    return found
