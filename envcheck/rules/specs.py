"""Findings 2xx: single specifications."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from envcheck.builds import python_of_build
from envcheck.language import joined, say
from envcheck.model import Damage, DamageKind, Remedy, RemedyAction, Requirement, Severity
from envcheck.rules.facts import Draft, Facts, some_of

__all__ = [
    "build_in_version",
    "contradicting_pythons",
    "duplicate_requirement",
    "no_version",
    "pip_spec_under_conda",
    "selector",
    "trailing_equals",
]


def _damages(facts: Facts, kind: DamageKind) -> Iterator[Damage]:
    return (damage for damage in facts.export.damage if damage.kind is kind)


def _write_instead(damage: Damage) -> tuple[Remedy, ...]:
    if damage.read_as is None:
        return (Remedy(action=RemedyAction.EDIT, summary=say("correct or remove the line")),)
    return (Remedy(action=RemedyAction.EDIT, summary=say("write {spec}", spec=damage.read_as), spec=damage.read_as),)


def trailing_equals(facts: Facts) -> Iterator[Draft]:
    """A specification ends in ``=``: a build was cut off and its separator left behind.

    conda reads ``name=1.2=`` in some versions and refuses it in others.

    Fix: remove the trailing ``=``.
    """
    for damage in _damages(facts, DamageKind.TRAILING_EQUALS):
        yield Draft(
            severity=Severity.WARNING,
            subject=damage.subject,
            message=say("{text!r} ends in '='", text=damage.text),
            line=damage.line,
            remedies=_write_instead(damage),
        )


def no_version(facts: Facts) -> Iterator[Draft]:
    """What stands in the version's place is no version of a release, such as ``anaconda=custom``.

    conda writes ``custom`` for a metapackage whose parts were changed by hand; no channel has that version anywhere.

    Fix: write a real version or none.
    """
    for damage in _damages(facts, DamageKind.NO_VERSION):
        yield Draft(
            severity=Severity.ERROR,
            subject=damage.subject,
            message=say("{text!r} names no version that a channel could have", text=damage.text),
            line=damage.line,
            remedies=_write_instead(damage),
        )


def build_in_version(facts: Facts) -> Iterator[Draft]:
    """A build string is glued to the version.

    The two together are taken for a version, and no channel has one of that name. It comes of a lost ``=`` or tab.

    Fix: separate them with ``=``, or leave the build out.
    """
    for damage in _damages(facts, DamageKind.BUILD_IN_VERSION):
        yield Draft(
            severity=Severity.ERROR,
            subject=damage.subject,
            message=say("the version in {text!r} contains a build string", text=damage.text),
            line=damage.line,
            remedies=_write_instead(damage),
        )


def duplicate_requirement(facts: Facts) -> Iterator[Draft]:
    """A conda package is listed twice, with versions that cannot both be installed.

    Names that differ by ``-`` and ``_`` are different conda packages and are not meant here. Two mentions that agree
    are merged without a finding.

    Fix: keep the line that is meant.
    """
    mentions: dict[str, list[Requirement]] = defaultdict(list)
    for requirement in facts.export.requirements:
        mentions[requirement.name].append(requirement)
    for name, rows in mentions.items():
        pins = list(dict.fromkeys(row.pin for row in rows if row.pin is not None))
        if len(pins) > 1:
            lines = ", ".join(str(row.line) for row in rows)
            yield Draft(
                severity=Severity.ERROR,
                subject=name,
                message=say(
                    "listed as {pins} (lines {lines}); only one can be installed",
                    pins=joined(" and as ", pins),
                    lines=lines,
                ),
                line=rows[1].line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("keep {name}={pin} or the other one", name=name, pin=pins[0]),
                    ),
                ),
            )


def selector(facts: Facts) -> Iterator[Draft]:
    """A line carries a platform selector (``# [win]`` of conda-lock, ``sel(win):`` of micromamba), unknown to conda.

    conda takes the line for every platform, or refuses the file.

    Fix: keep one file per platform, or use the one that envcheck writes for the target.
    """
    for damage in _damages(facts, DamageKind.SELECTOR):
        yield Draft(
            severity=Severity.WARNING,
            subject=damage.subject,
            message=say("{text!r} carries a platform selector, which conda does not understand", text=damage.text),
            line=damage.line,
            remedies=_write_instead(damage),
        )


def pip_spec_under_conda(facts: Facts) -> Iterator[Draft]:
    """A pip requirement stands among the conda dependencies (markers, URLs, ``-e``).

    conda's grammar has none of these: it stops at the line, or takes it for something else.

    Fix: move it below ``pip:``.
    """
    for damage in _damages(facts, DamageKind.PIP_SPEC_UNDER_CONDA):
        yield Draft(
            severity=Severity.ERROR,
            subject=damage.subject,
            message=say("{text!r} is a pip requirement among the conda dependencies", text=damage.text),
            line=damage.line,
            remedies=(
                Remedy(action=RemedyAction.MOVE_TO_PIP, summary=say("move it below 'pip:'"), spec=damage.read_as),
            ),
        )


def contradicting_pythons(facts: Facts) -> Iterator[Draft]:
    """Builds are bound to different Python versions, or to another one than the ``python`` line asks for.

    A package built for one Python minor version does not work with another; conda reports a conflict that names
    neither.

    Fix: decide for one Python; envcheck takes the one of the ``python`` line, or else the one most builds are bound to.
    """
    python = facts.environment.python
    if python is None:
        return
    chosen = python.removesuffix(".*")
    bound: dict[str, list[Requirement]] = defaultdict(list)
    for requirement in facts.export.requirements:
        minor = python_of_build(requirement.build) if requirement.build is not None else None
        if minor is not None and python.endswith(".*") and minor != chosen:
            bound[minor].append(requirement)
    for minor, rows in sorted(bound.items()):
        names = some_of([row.name for row in rows], 3)
        yield Draft(
            severity=Severity.ERROR,
            subject=rows[0].name,
            message=say(
                "built for Python {minor}, while the environment is for {chosen}: {names}",
                minor=minor,
                chosen=chosen,
                names=names,
            ),
            line=rows[0].line,
            remedies=(
                Remedy(
                    action=RemedyAction.DROP_BUILD,
                    summary=say("drop these builds; take builds for Python {chosen}", chosen=chosen),
                ),
            ),
        )
