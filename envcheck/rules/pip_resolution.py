"""Findings 615 to 618: what came of resolving the pip section beside the plan's conda packages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.language import joined, plural, say
from envcheck.model import (
    PipConflict,
    PipPresence,
    Remedy,
    RemedyAction,
    Severity,
)
from envcheck.pip.grammar import project_of
from envcheck.rules.facts import Draft, Facts, some_of
from envcheck.rules.pip_facts import conda_instead, rows_of

__all__ = [
    "contradicting_rows",
    "extras_not_told",
    "given_by_conda",
    "needs_what_cannot_be_had",
    "replaced_by_pip",
]


def contradicting_rows(facts: Facts) -> Iterator[Draft]:
    """Requirements of the pip section need different versions of the same project, so that pip installs none of them.

    pip stops at ``ResolutionImpossible`` after having tried for minutes. Each set that is named is minimal: without any
    one of its members the others go together.

    Fix: take the version that was found in place of the last one, or leave one of them out.
    """
    for conflict in _conflicts(facts):
        if len(conflict.requirements) > 1:
            *others, last = conflict.requirements
            yield Draft(
                severity=Severity.ERROR,
                subject=project_of(last),
                message=say("{last} does not go together with {others}", last=last, others=some_of(others)),
                line=_line(facts, last),
                remedies=_given(conflict),
            )
    unexplained = facts.pip_resolution.unexplained if facts.pip_resolution is not None else ()
    if unexplained:
        yield Draft(
            severity=Severity.ERROR,
            subject=plural(len(unexplained), "{count} requirement", "{count} requirements"),
            message=say(
                "cannot stay as pinned beside the others: {names}", names=joined(", ", _with_fate(facts, unexplained))
            ),
            line=_line(facts, unexplained[0]),
            remedies=(
                Remedy(
                    action=RemedyAction.CHANGE_VERSION,
                    summary=say("take the versions of the lock, which were found to go together"),
                    verified=True,
                ),
            ),
        )


def _with_fate(facts: Facts, texts: Sequence[str]) -> list[str]:
    """Requirements with the versions that were found in their place."""
    found = {record.name: record.version for record in facts.plan.packages}
    if facts.pip_resolution is not None:
        found |= {one.name: one.version for one in facts.pip_resolution.distributions}
    versions = [found.get(project_of(text)) for text in texts]
    return [
        say("{text} (now {version})", text=text, version=version) if version else say("{text} (left out)", text=text)
        for text, version in zip(texts, versions, strict=True)
    ]


def needs_what_cannot_be_had(facts: Facts) -> Iterator[Draft]:
    """A requirement of the pip section has a wheel, but something that it needs has none for the target.

    What it needs exists as source only, for another platform, for another Python, or no longer at all.

    Fix: take it from conda, or in the version that was found.
    """
    moved = dict(facts.pip_resolution.moved) if facts.pip_resolution is not None else {}
    missing = [presence for presence in PipPresence if presence.absent]
    known = {answer.name for _, answer in rows_of(facts, PipPresence.SOURCE_ONLY, *missing)} | moved.keys()
    for conflict in _conflicts(facts):
        if len(conflict.requirements) == 1 and project_of(conflict.requirements[0]) not in known:
            (text,) = conflict.requirements
            yield Draft(
                severity=Severity.ERROR,
                subject=project_of(text),
                message=say("{text} needs something that cannot be installed on the target from wheels", text=text),
                line=_line(facts, text),
                remedies=_given(conflict),
            )
    told = {answer.name for _, answer in rows_of(facts, PipPresence.SOURCE_ONLY)}
    for row in facts.environment.pip:
        if row.name in moved and row.name not in told:
            yield Draft(
                severity=Severity.WARNING,
                subject=row.name or row.text,
                message=say("needs something that cannot be installed on the target from wheels"),
                line=row.line,
                remedies=(conda_instead(facts, moved[row.name or ""]),),
            )


def _conflicts(facts: Facts) -> Iterator[PipConflict]:
    if facts.pip_resolution is not None:
        yield from facts.pip_resolution.conflicts


def _given(conflict: PipConflict) -> tuple[Remedy, ...]:
    """What became of the requirement that gave way."""
    last = conflict.requirements[-1]
    if conflict.remedy is None:
        return (Remedy(action=RemedyAction.DROP, summary=say("leave {name} out", name=project_of(last))),)
    return (
        Remedy(
            action=RemedyAction.CHANGE_VERSION,
            summary=say("take {remedy}, which goes together with the rest", remedy=conflict.remedy),
            spec=conflict.remedy,
            verified=True,
        ),
    )


def _line(facts: Facts, text: str) -> int | None:
    name = project_of(text)
    return next((row.line for row in facts.environment.pip if row.name == name), None)


def given_by_conda(facts: Facts) -> Iterator[Draft]:
    """The pip section asks for what the conda packages hold already, in a version that will do.

    pip finds the requirement satisfied and installs nothing. Only one of the two lines is needed.

    Fix: nothing has to be done; the line below ``pip:`` may go.
    """
    if facts.pip_resolution is None:
        return
    moved = dict(facts.pip_resolution.moved)
    provided = {name for name, _ in facts.pip_resolution.provided if name not in moved}
    rows = [row for row in facts.environment.pip if row.name in provided]
    if rows:
        yield Draft(
            severity=Severity.INFO,
            subject=plural(len(rows), "{count} row", "{count} rows"),
            message=say("already given by conda: {names}", names=some_of([row.name or row.text for row in rows], 8)),
            line=rows[0].line,
        )


def replaced_by_pip(facts: Facts) -> Iterator[Draft]:
    """Pip replaces a package that conda has installed, with another version.

    conda does not notice: its list goes on showing the old version, packages that were built for it may break, and the
    next change by conda overwrites pip's files.

    Fix: ask conda for the version that pip would install, and take the line out of the pip section.
    """
    if facts.pip_resolution is None:
        return
    packages = {one.name: one.version for one in facts.plan.packages}
    locked = {one.name: one.version for one in facts.pip_resolution.distributions}
    rows = {row.name: row for row in facts.environment.pip}
    needed = []
    for name, conda in facts.pip_resolution.replaced:
        if name not in rows:
            needed.append(
                say("{conda} {version} with {other}", conda=conda, version=packages[conda], other=locked[name])
            )
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=name,
            message=say(
                "pip replaces conda's {conda} {version} with {other}",
                conda=conda,
                version=packages[conda],
                other=locked[name],
            ),
            line=rows[name].line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say("ask conda for {conda} {other}, or let conda's stand", conda=conda, other=locked[name]),
                ),
            ),
        )
    if needed:
        yield Draft(
            severity=Severity.WARNING,
            subject=plural(len(needed), "{count} conda package", "{count} conda packages"),
            message=say(
                "the pip section needs other versions than conda's: pip replaces {needed}", needed=some_of(needed)
            ),
        )


def extras_not_told(facts: Facts) -> Iterator[Draft]:
    """An extra is asked of what conda gives, and what the extra needs could not be told.

    conda knows no extras: its package brings the base requirements alone, and pip would install the rest. That stands
    in the metadata of that very version on the package index, which does not have it or does not serve metadata.

    Fix: list what the extra brings, or ask conda for a version that the package index has too.
    """
    resolution = facts.pip_resolution
    if resolution is None:
        return
    packages = {one.name: one.version for one in facts.plan.packages}
    provided = dict(resolution.provided)
    for text in resolution.untold:
        conda = provided.get(project_of(text), project_of(text))
        yield Draft(
            severity=Severity.WARNING,
            subject=project_of(text),
            message=say(
                "{text} is given by conda's {conda} {version} without its extras, and the package index does "
                "not tell what these need: nothing of that is locked",
                text=text,
                conda=conda,
                version=packages.get(conda, ""),
            ),
            line=_line(facts, text),
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say(
                        "list in the pip section what the extra brings, or ask conda for a version of {conda} "
                        "that the index has",
                        conda=conda,
                    ),
                ),
            ),
        )
