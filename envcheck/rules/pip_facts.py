"""What several rules about the pip section ask of the facts."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import (
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    Remedy,
    RemedyAction,
)
from envcheck.pip.grammar import admits
from envcheck.rules.facts import Facts

__all__ = [
    "conda_instead",
    "glibc_of",
    "is_for_target",
    "nearest_versions_of",
    "python_of",
    "rows_of",
    "rows_of_kind",
]


def rows_of(facts: Facts, *presences: PipPresence) -> Iterator[tuple[PipRequirement, PipAvailability]]:
    """The rows of which the index said one of these, but for those that are installed as they are all the same."""
    fine = _names_that_are_fine(facts)
    answers = {(one.name, one.pin): one for one in facts.pip}
    for row in rows_of_kind(facts, PipRequirementKind.NAMED):
        answer = answers.get((row.name or "", row.pin))
        if answer is None or answer.presence not in presences:
            continue
        if (row.name, row.pin) not in fine or answer.presence is PipPresence.YANKED:
            yield row, answer


def _names_that_are_fine(facts: Facts) -> set[tuple[str | None, str | None]]:
    """Names and pins that are installed as they are asked for, by another source than the look-ups know or by conda."""
    resolution = facts.pip_resolution
    if resolution is None:
        return set()
    packages = {one.name: one.version for one in facts.plan.packages}
    moved = dict(resolution.moved)
    there = {name: packages[conda] for name, conda in resolution.provided if conda in packages and name not in moved}
    there |= {one.name: one.version for one in resolution.distributions}
    return {
        (row.name, row.pin)
        for row in facts.environment.pip
        if row.name in there and admits(row.specifier, there[row.name])
    }


def rows_of_kind(facts: Facts, *kinds: PipRequirementKind) -> list[PipRequirement]:
    """The rows of some kinds that are for the target by their markers."""
    return [row for row in facts.environment.pip if row.kind in kinds and is_for_target(facts, row)]


def is_for_target(facts: Facts, row: PipRequirement) -> bool:
    """Whether the marker of a row is true on the target."""
    from envcheck.pip.markers import holds

    return holds(row.marker, python=python_of(facts), platform=facts.target.platform)


def python_of(facts: Facts) -> str | None:
    """The Python of the plan, if it has one."""
    return next((one.version for one in facts.plan.packages if one.name == "python"), None)


def glibc_of(facts: Facts) -> str | None:
    """The glibc of the target, if it has one."""
    return next((one.version for one in facts.target.virtual_packages if one.name == "__glibc"), None)


def nearest_versions_of(facts: Facts, answer: PipAvailability) -> tuple[Remedy, ...]:
    """A remedy for each of the versions that install; the one of the lock goes first, as it was resolved."""
    resolution = facts.pip_resolution
    locked = [one.version for one in resolution.distributions if one.name == answer.name] if resolution else []
    locked = [version for version in locked if version != answer.version]
    return tuple(
        Remedy(
            action=RemedyAction.CHANGE_VERSION,
            summary=say("take {name}=={version}, which has a wheel", name=answer.name, version=version),
            spec=f"{answer.name}=={version}",
            verified=version in locked,
        )
        for version in dict.fromkeys([*locked, *answer.nearest])
    )


def conda_instead(facts: Facts, name: str) -> Remedy:
    """What the plan has done: a package of conda's in place of one of pip's, dry-solved with all the others."""
    version = next((one.version for one in facts.plan.packages if one.name == name), None)
    return Remedy(
        action=RemedyAction.MOVE_TO_CONDA,
        summary=say("take {name} {version} from conda, as the plan does", name=name, version=version),
        spec=f"{name}=={version}",
        verified=facts.plan.solved and version is not None,
    )
