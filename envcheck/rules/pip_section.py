"""Findings 6xx: what pip would install."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.model import (
    DamageKind,
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    Presence,
    Remedy,
    RemedyAction,
    Severity,
    SourceKind,
)
from envcheck.rules.facts import Draft, Facts, counted, some_of
from envcheck.secrets import mask

__all__ = [
    "conda_spec_under_pip",
    "editable",
    "index_not_asked",
    "local_path",
    "no_such_project",
    "no_such_version",
    "no_wheel_for_target",
    "not_followed",
    "pip_missing",
    "pip_rows",
    "source_only",
    "vcs_reference",
    "yanked",
]


def _rows_of(facts: Facts, *presences: PipPresence) -> Iterator[tuple[PipRequirement, PipAvailability]]:
    answers = {(one.name, one.pin): one for one in facts.pip}
    for row in facts.environment.pip:
        answer = answers.get((row.name or "", row.pin))
        if answer is not None and answer.presence in presences:
            yield row, answer


def _rows_of_kind(facts: Facts, *kinds: PipRequirementKind) -> list[PipRequirement]:
    return [row for row in facts.environment.pip if row.kind in kinds]


def _nearest(answer: PipAvailability) -> tuple[Remedy, ...]:
    return tuple(
        Remedy(
            action=RemedyAction.CHANGE_VERSION,
            summary=f"take {answer.name}=={version}, which has a wheel",
            spec=f"{answer.name}=={version}",
        )
        for version in answer.nearest
    )


def pip_rows(facts: Facts) -> Iterator[Draft]:
    """Rows of a ``conda list`` are packages that pip installed (build ``pypi_0``); no conda channel has them.

    ``conda create --file`` looks for them in channels and answers ``PackagesNotFoundError`` for each.

    Fix: move them below ``pip:`` of an environment file; envcheck writes one.
    """
    if facts.export.kind is SourceKind.LIST_JSON:
        return
    rows = [row for row in facts.export.pip if row.origin == "pypi row"]
    if not rows:
        return
    listed = some_of([row.name or row.text for row in rows], 4)
    yield Draft(
        severity=Severity.ERROR,
        subject=counted(len(rows), "row"),
        message=f"installed by pip, in no channel: {listed}",
        line=rows[0].line,
        remedies=(
            Remedy(action=RemedyAction.MOVE_TO_PIP, summary="move them below 'pip:' (the environment file does)"),
        ),
    )


def no_such_project(facts: Facts) -> Iterator[Draft]:
    """The package index has no project of this name.

    It may be misspelled, private, or gone; pip stops at it and installs nothing at all.

    Fix: correct the name, or name the index that has it (``--index-url``).
    """
    for row, answer in _rows_of(facts, PipPresence.NO_PROJECT):
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message="the package index has no such project",
            line=row.line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary="correct the name, or name its index with --index-url"),
            ),
        )


def no_such_version(facts: Facts) -> Iterator[Draft]:
    """The project exists on the package index, but not in this version.

    A local version such as ``+cu118`` comes from another index than PyPI.

    Fix: take one of the versions named, or name the index that has it.
    """
    for row, answer in _rows_of(facts, PipPresence.NO_VERSION):
        local = " (a local version: it comes from another index)" if "+" in (row.pin or "") else ""
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message=f"the package index has no version {row.pin or row.specifier}{local}",
            line=row.line,
            remedies=_nearest(answer),
        )


def no_wheel_for_target(facts: Facts) -> Iterator[Draft]:
    """The version has wheels, but none for the target's platform or Python, and no source distribution to build from.

    pip answers ``No matching distribution found``, as if the version did not exist.

    Fix: take a version that has one, or drop the package where it makes sense on Windows alone.
    """
    for row, answer in _rows_of(facts, PipPresence.OTHER_PLATFORM, PipPresence.OTHER_PYTHON):
        remedies = _nearest(answer)
        if not remedies:
            remedies = (
                Remedy(action=RemedyAction.DROP, summary=f"drop {answer.name}: nothing of it is for the target"),
            )
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message=f"{answer.version or row.pin or 'it'} cannot be installed on the target: {answer.detail}",
            line=row.line,
            remedies=remedies,
        )


def source_only(facts: Facts) -> Iterator[Draft]:
    """The version has no wheel for the target, only a source distribution that would be built in the image.

    That runs the project's own code during the build and needs compilers and headers that slim images lack.

    Fix: take a version with a wheel, or the conda package where there is one.
    """
    for row, answer in _rows_of(facts, PipPresence.SOURCE_ONLY):
        yield Draft(
            severity=Severity.WARNING,
            subject=answer.name,
            message=f"{answer.version or row.pin or 'it'} has no wheel for the target and is built from source",
            line=row.line,
            remedies=_nearest(answer),
        )


def yanked(facts: Facts) -> Iterator[Draft]:
    """The version was withdrawn by its authors (PEP 592).

    pip installs it only because it is pinned exactly. Authors withdraw what is broken, and indexes may delete it.

    Fix: take another version.
    """
    for row, answer in _rows_of(facts, PipPresence.YANKED):
        yield Draft(
            severity=Severity.WARNING,
            subject=answer.name,
            message=f"{row.pin or answer.version} was withdrawn by its authors",
            line=row.line,
            remedies=_nearest(answer),
        )


def local_path(facts: Facts) -> Iterator[Draft]:
    """A requirement points at a file or directory of the exporter's machine, which the image does not have.

    ``pip freeze`` in a conda environment writes ``name @ file:///C:/ci/…`` for packages that conda installed.

    Fix: write the name and version instead.
    """
    rows = _rows_of_kind(facts, PipRequirementKind.LOCAL_PATH)
    for group in _by_shape(rows):
        first = group[0]
        more = f" and {len(group) - 1} more like it" if len(group) > 1 else ""
        names = ", ".join(row.name or "?" for row in group[:4])
        yield Draft(
            severity=Severity.ERROR,
            subject=first.name or mask(first.text),
            message=f"points at the exporter's machine: {mask(first.text)}{more}",
            line=first.line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=f"write names and versions instead: {names}" if first.name else "copy it into the image",
                ),
            ),
        )


def _by_shape(rows: Sequence[PipRequirement]) -> list[list[PipRequirement]]:
    """Named references together (one cause, one finding), each unnamed path on its own."""
    named = [row for row in rows if row.name is not None]
    return ([named] if named else []) + [[row] for row in rows if row.name is None]


def vcs_reference(facts: Facts) -> Iterator[Draft]:
    """A requirement is taken from version control.

    The image needs git and the network to install it, and what a branch holds today it may not hold tomorrow.

    Fix: pin it to a commit, and have git in the image.
    """
    for row in _rows_of_kind(facts, PipRequirementKind.VCS, PipRequirementKind.URL):
        if row.kind is PipRequirementKind.URL:
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=f"comes from version control: {mask(row.url or row.text)}; it is kept and not looked into",
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary="pin it to a commit and have git in the image"),),
        )


def editable(facts: Facts) -> Iterator[Draft]:
    """A requirement is an editable install of a directory.

    The directory is one of the exporter's machine and must be in the image, at that path, before pip runs.

    Fix: copy the project into the image and install it there after the environment.
    """
    for row in _rows_of_kind(facts, PipRequirementKind.EDITABLE):
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=f"is an editable install of a local directory: {mask(row.text)}",
            line=row.line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary="copy the project into the image and install it afterwards"),
            ),
        )


def not_followed(facts: Facts) -> Iterator[Draft]:
    """The pip section refers to another file, which envcheck keeps and does not follow.

    The file is looked for beside the environment file while the image is built. What it asks for is not judged.

    Fix: have the file in the image, and check it on its own.
    """
    kinds = (PipRequirementKind.REQUIREMENTS_FILE, PipRequirementKind.CONSTRAINTS_FILE)
    for row in _rows_of_kind(facts, *kinds):
        yield Draft(
            severity=Severity.WARNING,
            subject=row.url or row.text,
            message=f"{mask(row.text)} is kept and not followed",
            line=row.line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary=f"check it on its own: envcheck check {row.url or ''}"),
            ),
        )


def pip_missing(facts: Facts) -> Iterator[Draft]:
    """There is a pip section, but ``pip`` is not among the dependencies.

    conda adds it with a warning, or takes the pip of another environment. envcheck's environment file lists it.

    Fix: add ``pip`` to the dependencies.
    """
    for damage in facts.export.damage:
        if damage.kind is DamageKind.PIP_SECTION_WITHOUT_PIP:
            yield Draft(
                severity=Severity.WARNING,
                subject="pip",
                message="there is a pip section, but pip itself is not listed",
                line=damage.line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary="add pip to the dependencies",
                        spec="pip",
                        verified=facts.plan.solved and any(record.name == "pip" for record in facts.plan.packages),
                    ),
                ),
            )


def conda_spec_under_pip(facts: Facts) -> Iterator[Draft]:
    """A conda specification (``name=1.2=build``) stands in the pip section.

    pip refuses a single ``=`` as invalid and installs nothing of the section.

    Fix: write ``==``, or move it to the conda dependencies.
    """
    for damage in facts.export.damage:
        if damage.kind is DamageKind.CONDA_SPEC_UNDER_PIP:
            yield Draft(
                severity=Severity.ERROR,
                subject=damage.subject,
                message=f"{damage.text!r} is a conda specification in the pip section",
                line=damage.line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=f"write {damage.read_as}" if damage.read_as else "correct or move the line",
                        spec=damage.read_as,
                    ),
                ),
            )


def index_not_asked(facts: Facts) -> Iterator[Draft]:
    """The Python package index was not asked (``--offline``, ``--no-pip``) or did not answer.

    Whatever depends on it is left open: pip fallbacks, and whether the pip section can be installed.

    Fix: run again with the index reachable, or name another one with ``--index-url``.
    """
    asked_for = any(row.kind is PipRequirementKind.NAMED for row in facts.environment.pip)
    missing = any(one.presence is not Presence.AVAILABLE for one in facts.availability)
    if facts.package_index_trouble and (asked_for or missing):
        yield Draft(
            severity=Severity.INFO,
            subject="package index",
            message=f"pip packages were not checked: {facts.package_index_trouble}",
        )
