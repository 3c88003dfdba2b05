"""An independent judge of a solution: it solves nothing and believes no solver.

Given packages, requirements and a target, it checks what a solution is by definition: one package per name, every
requirement satisfied, every dependency of every package met and none of their ``constrains`` violated, virtual packages
respected (CEP 30), every package one that the index has, for the target's platform. Matching is by MatchSpec (CEP 29).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envcheck.engines import Index
from envcheck.model import Record, Target, VirtualPackage
from envcheck.specs import dependency_parts, matches, satisfies

__all__ = ["Objection", "ObjectionKind", "judge_solution"]


class ObjectionKind(str, enum.Enum):
    """The ways in which packages fail to be a solution."""

    TWICE = "twice"
    WRONG_PLATFORM = "wrong-platform"
    NOT_IN_INDEX = "not-in-index"
    OTHER_HASH = "other-hash"
    REQUIREMENT = "requirement"
    DEPENDENCY = "dependency"
    CONSTRAINT = "constraint"
    VIRTUAL_PACKAGE = "virtual-package"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One thing that is wrong with a solution: which package, what it asks for, and what is there instead."""

    kind: ObjectionKind
    subject: str
    spec: str
    found: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        instead = f", found {self.found}" if self.found else ""
        return f"{self.subject}: {self.kind.value} {self.spec}{instead}"


def judge_solution(
    packages: Sequence[Record], requirements: Sequence[str], target: Target, index: Index | None
) -> tuple[Objection, ...]:
    """Check that packages are a solution of requirements on a target.

    Args:
        packages: The packages.
        requirements: MatchSpecs that have to be satisfied; a channel before ``::`` is checked against the record's.
        target: The target, for its platform, its virtual packages and the names of its channels.
        index: What the channels have; ``None`` leaves out whether the packages exist there.

    Returns:
        Everything that is wrong, in the order of the packages; empty for a solution.
    """
    by_name: dict[str, Record] = {}
    objections: list[Objection] = []
    for record in packages:
        if record.name in by_name:
            other = by_name[record.name]
            objections.append(
                Objection(kind=ObjectionKind.TWICE, subject=record.name, spec=record.version, found=other.version)
            )
        by_name.setdefault(record.name, record)
    known = {} if index is None else _known(packages, index)
    for record in packages:
        objections += _of_package(record, by_name, target)
        if index is not None:
            objections += _in_index(record, known.get(record.url))
    objections += _of_python(by_name)
    objections += [objection for text in requirements for objection in _of_requirement(text, by_name, target)]
    return tuple(objections)


def _of_package(record: Record, by_name: Mapping[str, Record], target: Target) -> Iterator[Objection]:
    if record.subdir not in (target.platform, "noarch"):
        yield Objection(kind=ObjectionKind.WRONG_PLATFORM, subject=record.name, spec=record.subdir)
    virtual = {package.name: package for package in target.virtual_packages}
    for dependency in record.depends:
        name = dependency_parts(dependency)[0]
        if name.startswith("__"):
            present = virtual.get(name)
            if present is None or not _is_there(present, dependency):
                found = _shown_virtual(present, dependency)
                yield Objection(kind=ObjectionKind.VIRTUAL_PACKAGE, subject=record.name, spec=dependency, found=found)
            continue
        chosen = by_name.get(name)
        if chosen is None or not matches(dependency, chosen):
            yield Objection(kind=ObjectionKind.DEPENDENCY, subject=record.name, spec=dependency, found=_shown(chosen))
    for constraint in record.constrains:
        name = dependency_parts(constraint)[0]
        present = virtual.get(name)
        chosen = by_name.get(name)
        if present is not None and not _is_there(present, constraint):
            found = _shown_virtual(present, constraint)
            yield Objection(kind=ObjectionKind.CONSTRAINT, subject=record.name, spec=constraint, found=found)
        if chosen is not None and not matches(constraint, chosen):
            yield Objection(kind=ObjectionKind.CONSTRAINT, subject=record.name, spec=constraint, found=_shown(chosen))


def _is_there(package: VirtualPackage, spec: str) -> bool:
    """Whether a virtual package is what a spec asks for; ``__archspec`` has the microarchitecture for its build."""
    _, version, build = dependency_parts(spec)
    return satisfies(package.version, version) and (build is None or fnmatchcase(package.build, build))


def _shown_virtual(package: VirtualPackage | None, spec: str) -> str:
    if package is None:
        return ""
    return package.version if dependency_parts(spec)[2] is None else f"{package.version} {package.build}"


def _of_python(by_name: Mapping[str, Record]) -> Iterator[Objection]:
    """Whether the packages are built for the Python that is there.

    ``python_abi`` is what compiled packages are bound to their Python by (conda-forge's documentation). It constrains
    Python to its own version, but for some builds of pkgs/main whose metadata forget it.
    """
    python, abi = by_name.get("python"), by_name.get("python_abi")
    if python is not None and abi is not None and not satisfies(python.version, f"{abi.version}.*"):
        yield Objection(
            kind=ObjectionKind.CONSTRAINT, subject="python_abi", spec=f"python {abi.version}.*", found=_shown(python)
        )


def _known(packages: Sequence[Record], index: Index) -> dict[str, Record]:
    """What the index has under the URLs of packages."""
    found = index.builds((record.name, record.version, record.build) for record in packages)
    return {record.url: record for record in found}


def _in_index(record: Record, known: Record | None) -> Iterator[Objection]:
    if known is None:
        yield Objection(kind=ObjectionKind.NOT_IN_INDEX, subject=record.name, spec=record.url)
        return
    for ours, theirs in ((record.md5, known.md5), (record.sha256, known.sha256)):
        if ours is not None and theirs is not None and ours != theirs:
            yield Objection(kind=ObjectionKind.OTHER_HASH, subject=record.name, spec=ours, found=theirs)


def _of_requirement(text: str, by_name: Mapping[str, Record], target: Target) -> Iterator[Objection]:
    channel_name, separator, spec = text.rpartition("::")
    name = dependency_parts(spec)[0]
    chosen = by_name.get(name)
    if chosen is None or not matches(spec, chosen):
        yield Objection(kind=ObjectionKind.REQUIREMENT, subject=name, spec=text, found=_shown(chosen))
        return
    if separator:
        urls = {channel.url.rstrip("/") for channel in target.channels if channel_name in (channel.name, channel.url)}
        if chosen.channel.rstrip("/") not in urls:
            yield Objection(kind=ObjectionKind.REQUIREMENT, subject=name, spec=text, found=chosen.channel)


def _shown(record: Record | None) -> str:
    return "" if record is None else f"{record.name} {record.version} {record.build}"
