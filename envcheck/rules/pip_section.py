"""Findings 6xx: what pip would install."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envcheck.model import (
    DamageKind,
    PipAvailability,
    PipConflict,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    Presence,
    Remedy,
    RemedyAction,
    Severity,
    SourceKind,
)
from envcheck.pip.grammar import admits, project_of
from envcheck.rules.facts import Draft, Facts, counted, some_of
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "conda_spec_under_pip",
    "contradicting_rows",
    "editable",
    "excluded_by_marker",
    "given_by_conda",
    "index_not_asked",
    "local_path",
    "needs_what_cannot_be_had",
    "no_such_project",
    "no_such_version",
    "no_wheel_for_target",
    "not_followed",
    "not_resolved",
    "pip_missing",
    "pip_rows",
    "reference_by_url",
    "replaced_by_pip",
    "source_index",
    "source_only",
    "vcs_reference",
    "yanked",
]


def _rows_of(facts: Facts, *presences: PipPresence) -> Iterator[tuple[PipRequirement, PipAvailability]]:
    """The rows of which the index said one of these, but for those that are installed as they are all the same."""
    fine = _names_that_are_fine(facts)
    answers = {(one.name, one.pin): one for one in facts.pip}
    for row in facts.environment.pip:
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
            remedies=(*_index_of_label(answer.name, row.pin), *_nearest(answer)),
        )


# https://pytorch.org/get-started/previous-versions/ names the index of each label for these projects.
_PYTORCH = frozenset({"torch", "torchvision", "torchaudio", "torchtext", "torchdata"})
_PYTORCH_LABEL = re.compile(r"(?:cu\d+|cpu|rocm\d+(?:\.\d+)*|xpu)")


def _index_of_label(name: str, pin: str | None) -> tuple[Remedy, ...]:
    """Where PyTorch's builds with a local label come from."""
    label = (pin or "").partition("+")[2]
    if name not in _PYTORCH or _PYTORCH_LABEL.fullmatch(label) is None:
        return ()
    url = f"https://download.pytorch.org/whl/{label}"
    return (Remedy(action=RemedyAction.EDIT, summary=f"name its index: PIP_EXTRA_INDEX_URL={url}"),)


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
    moved = dict(facts.pip_resolution.moved) if facts.pip_resolution is not None else {}
    for row, answer in _rows_of(facts, PipPresence.SOURCE_ONLY):
        conda = moved.get(answer.name)
        built = "is built from source" if conda is None else "would be built from source"
        yield Draft(
            severity=Severity.WARNING,
            subject=answer.name,
            message=f"{answer.version or row.pin or 'it'} has no wheel for the target and {built}",
            line=row.line,
            remedies=_nearest(answer) if conda is None else (_to_conda(facts, conda),),
        )


def _to_conda(facts: Facts, name: str) -> Remedy:
    """What the plan has done: a package of conda's in place of one of pip's, dry-solved with all the others."""
    version = next((one.version for one in facts.plan.packages if one.name == name), None)
    return Remedy(
        action=RemedyAction.MOVE_TO_CONDA,
        summary=f"take {name} {version} from conda, as the plan does",
        spec=f"{name}=={version}",
        verified=facts.plan.solved and version is not None,
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
        pinned = re.search(r"@[0-9a-f]{40}(?:[#?]|$)", row.url or "") is not None
        summary = "have git in the image" if pinned else "pin it to a commit and have git in the image"
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=f"comes from version control: {mask(row.url or row.text)}; it is kept and not looked into",
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=summary),),
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


def source_index(facts: Facts) -> Iterator[Draft]:
    """The pip section names a package index (``--extra-index-url``, ``--find-links``) that envcheck does not ask.

    Whoever wrote the file would decide which servers this machine talks to, and every name would be told to them.
    Packages that only that index has are not found.

    Fix: put the index into pip's configuration, or trust those of the source with ``--trust-source-indexes``.
    """
    if facts.source_indexes_asked:
        return
    missing = {PipPresence.NO_PROJECT, PipPresence.NO_VERSION}
    needing = [row.name or row.text for row, _ in _rows_of(facts, *missing)]
    for row in _rows_of_kind(facts, PipRequirementKind.OPTION):
        if row.url is None or re.match(r"--(?:extra-)?index-url|-i|--find-links|-f", row.text) is None:
            continue
        if strip_secrets(row.url).rstrip("/") in facts.asked_indexes:
            continue
        need = f"; {some_of(needing)} may be there" if needing else ""
        yield Draft(
            severity=Severity.WARNING if needing else Severity.INFO,
            subject=strip_secrets(row.url),
            message=f"is a package index that only the source names, and is not asked{need}",
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary="if you trust it: --trust-source-indexes"),),
        )


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
                message=f"{last} does not go together with {some_of(others)}",
                line=_line(facts, last),
                remedies=_given(conflict),
            )
    unexplained = facts.pip_resolution.unexplained if facts.pip_resolution is not None else ()
    if unexplained:
        yield Draft(
            severity=Severity.ERROR,
            subject=counted(len(unexplained), "requirement"),
            message=f"cannot stay as pinned beside the others: {some_of(_with_fate(facts, unexplained), 8)}",
            line=_line(facts, unexplained[0]),
            remedies=(
                Remedy(
                    action=RemedyAction.CHANGE_VERSION,
                    summary="take the versions of the lock, which were found to go together",
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
        f"{text} ({f'now {version}' if version else 'left out'})" for text, version in zip(texts, versions, strict=True)
    ]


def needs_what_cannot_be_had(facts: Facts) -> Iterator[Draft]:
    """A requirement of the pip section has a wheel, but something that it needs has none for the target.

    What it needs exists as source only, for another platform, for another Python, or no longer at all.

    Fix: take it from conda, or in the version that was found.
    """
    moved = dict(facts.pip_resolution.moved) if facts.pip_resolution is not None else {}
    missing = [presence for presence in PipPresence if presence.absent]
    known = {answer.name for _, answer in _rows_of(facts, PipPresence.SOURCE_ONLY, *missing)} | moved.keys()
    for conflict in _conflicts(facts):
        if len(conflict.requirements) == 1 and project_of(conflict.requirements[0]) not in known:
            (text,) = conflict.requirements
            yield Draft(
                severity=Severity.ERROR,
                subject=project_of(text),
                message=f"{text} needs something that cannot be installed on the target from wheels",
                line=_line(facts, text),
                remedies=_given(conflict),
            )
    told = {answer.name for _, answer in _rows_of(facts, PipPresence.SOURCE_ONLY)}
    for row in facts.environment.pip:
        if row.name in moved and row.name not in told:
            yield Draft(
                severity=Severity.WARNING,
                subject=row.name or row.text,
                message="needs something that cannot be installed on the target from wheels",
                line=row.line,
                remedies=(_to_conda(facts, moved[row.name or ""]),),
            )


def _conflicts(facts: Facts) -> Iterator[PipConflict]:
    if facts.pip_resolution is not None:
        yield from facts.pip_resolution.conflicts


def _given(conflict: PipConflict) -> tuple[Remedy, ...]:
    """What became of the requirement that gave way."""
    last = conflict.requirements[-1]
    if conflict.remedy is None:
        return (Remedy(action=RemedyAction.DROP, summary=f"leave {project_of(last)} out"),)
    return (
        Remedy(
            action=RemedyAction.CHANGE_VERSION,
            summary=f"take {conflict.remedy}, which goes together with the rest",
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
            subject=counted(len(rows), "row"),
            message=f"already given by conda: {some_of([row.name or row.text for row in rows], 8)}",
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
            needed.append(f"{conda} {packages[conda]} with {locked[name]}")
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=name,
            message=f"pip replaces conda's {conda} {packages[conda]} with {locked[name]}",
            line=rows[name].line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary=f"ask conda for {conda} {locked[name]}, or let conda's stand"),
            ),
        )
    if needed:
        yield Draft(
            severity=Severity.WARNING,
            subject=counted(len(needed), "conda package"),
            message=f"the pip section needs other versions than conda's: pip replaces {some_of(needed)}",
        )


def excluded_by_marker(facts: Facts) -> Iterator[Draft]:
    """A requirement of the pip section has a marker that is not true on the target (``; sys_platform == 'win32'``).

    pip leaves it out, as its author meant it to.

    Fix: nothing has to be done.
    """
    resolution = facts.pip_resolution
    if resolution is None or resolution.trouble:
        return
    found = {one.name for one in resolution.distributions} | {name for name, _ in resolution.provided}
    found |= {name for name, _ in resolution.moved} | {project_of(one.requirements[-1]) for one in resolution.conflicts}
    found |= {project_of(text) for text in resolution.unexplained}
    missing = {answer.name for answer in facts.pip if not answer.has_wheel}
    rows = [
        row
        for row in facts.environment.pip
        if row.marker and row.kind is PipRequirementKind.NAMED and row.name not in found | missing
    ]
    if rows:
        yield Draft(
            severity=Severity.INFO,
            subject=counted(len(rows), "row"),
            message=f"not for the target by its marker: {some_of([row.name or row.text for row in rows], 8)}",
            line=rows[0].line,
        )


def not_resolved(facts: Facts) -> Iterator[Draft]:
    """The pip section was looked up, but what it needs in turn was not resolved.

    uv may be missing, or the index may not answer it. Nothing of pip is in a lock then.

    Fix: what is named; then run again.
    """
    resolution = facts.pip_resolution
    if resolution is None or facts.package_index_trouble or not facts.plan.solved:
        return
    if resolution.trouble:
        message = f"the pip section was not resolved: {mask(resolution.trouble)}"
        yield Draft(severity=Severity.WARNING, subject="pip section", message=message)


def reference_by_url(facts: Facts) -> Iterator[Draft]:
    """A requirement names the URL of its file, which is kept and not fetched.

    A wheel whose name fits the target is locked as it is; what it needs in turn is not looked into. A source
    distribution, or a wheel for another platform, is not.

    Fix: write a name and version that the package index has, or add the hash (``#sha256=…``).
    """
    resolution = facts.pip_resolution
    locked = {one.name: one for one in resolution.distributions} if resolution is not None else {}
    for row in _rows_of_kind(facts, PipRequirementKind.URL):
        one = locked.get(row.name or "")
        kept = one is not None and one.url == strip_secrets((row.url or "").partition("#")[0])
        fate = "is locked without what it needs" if kept else "is not locked"
        if one is not None and kept and one.sha256 is None:
            fate += ", and without a hash"
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=f"comes from a URL, {fate}: {mask(row.url or row.text)}",
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary="write a name and version that the index has"),),
        )
