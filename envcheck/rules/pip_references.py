"""Findings 607 to 610 and 621: rows of the pip section that name where they come from themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envcheck.language import say
from envcheck.model import (
    PipRequirement,
    PipRequirementKind,
    Remedy,
    RemedyAction,
    Severity,
)
from envcheck.rules.facts import Draft, Facts, some_of
from envcheck.rules.pip_facts import conda_instead, glibc_of, python_of, rows_of_kind
from envcheck.secrets import mask

__all__ = [
    "editable",
    "local_path",
    "not_followed",
    "reference_by_url",
    "vcs_reference",
]


def local_path(facts: Facts) -> Iterator[Draft]:
    """A requirement points at a file or directory of the exporter's machine, which the image does not have.

    ``pip freeze`` in a conda environment writes ``name @ file:///C:/ci/…`` for packages that conda installed.

    Fix: write the name and version instead.
    """
    had = _had_from_elsewhere(facts)
    for group in _by_shape(rows_of_kind(facts, PipRequirementKind.LOCAL_PATH), had):
        first = group[0]
        more = say(" and {count} more like it", count=len(group) - 1) if len(group) > 1 else ""
        names = some_of([row.name or "?" for row in group], 8)
        if first.name is None:
            summary = say("copy it into the image")
        elif had is None or first.name in had:
            summary = say("write names and versions instead: {names}", names=names)
        else:
            summary = say("copy them into the image, or name an index that has them: {names}", names=names)
        yield Draft(
            severity=Severity.ERROR,
            subject=first.name or mask(first.text),
            message=say("points at the exporter's machine: {text}{more}", text=mask(first.text), more=more),
            line=first.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=summary),),
        )


def _had_from_elsewhere(facts: Facts) -> set[str] | None:
    """The names that the lock or conda has; ``None`` where nothing was resolved."""
    resolution = facts.pip_resolution
    if resolution is None or resolution.trouble:
        return None
    return {one.name for one in resolution.distributions} | dict((*resolution.provided, *resolution.moved)).keys()


def _by_shape(rows: Sequence[PipRequirement], had: set[str] | None) -> list[list[PipRequirement]]:
    """Named references together (one cause, one finding) by whether there is another source, each path on its own."""
    named = [row for row in rows if row.name is not None and (had is None or row.name in had)]
    private = [row for row in rows if row.name is not None and row not in named]
    return [group for group in (named, private) if group] + [[row] for row in rows if row.name is None]


def vcs_reference(facts: Facts) -> Iterator[Draft]:
    """A requirement is taken from version control.

    The image needs git and the network to install it, and what a branch holds today it may not hold tomorrow.

    Fix: pin it to a commit, and have git in the image.
    """
    for row in rows_of_kind(facts, PipRequirementKind.VCS, PipRequirementKind.URL):
        if row.kind is PipRequirementKind.URL:
            continue
        pinned = re.search(r"@[0-9a-f]{40}(?:[#?]|$)", row.url or "") is not None
        summary = say("have git in the image") if pinned else say("pin it to a commit and have git in the image")
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=say(
                "comes from version control: {url}; it is kept and not looked into", url=mask(row.url or row.text)
            ),
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=summary),),
        )


def editable(facts: Facts) -> Iterator[Draft]:
    """A requirement is an editable install of a directory.

    The directory is one of the exporter's machine and must be in the image, at that path, before pip runs.

    Fix: copy the project into the image and install it there after the environment.
    """
    for row in rows_of_kind(facts, PipRequirementKind.EDITABLE):
        yield Draft(
            severity=Severity.WARNING,
            subject=row.name or mask(row.text),
            message=say("is an editable install of a local directory: {text}", text=mask(row.text)),
            line=row.line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT, summary=say("copy the project into the image and install it afterwards")
                ),
            ),
        )


def not_followed(facts: Facts) -> Iterator[Draft]:
    """The pip section refers to another file, which envcheck keeps and does not follow.

    The file is looked for beside the environment file while the image is built. What it asks for is not judged.

    Fix: have the file in the image, and check it on its own.
    """
    kinds = (PipRequirementKind.REQUIREMENTS_FILE, PipRequirementKind.CONSTRAINTS_FILE)
    for row in rows_of_kind(facts, *kinds):
        yield Draft(
            severity=Severity.WARNING,
            subject=row.url or row.text,
            message=say("{text} is kept and not followed", text=mask(row.text)),
            line=row.line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say("check it on its own: envcheck check {url}", url=row.url or ""),
                ),
            ),
        )


def reference_by_url(facts: Facts) -> Iterator[Draft]:
    """A requirement names the URL of a file that no configured index lists, or of one that is not for the target.

    Nothing is fetched because a file points at it. A wheel elsewhere is locked if its name fits the target and its hash
    is given, but what it needs in turn is not known and not locked. A file that a configured index lists is resolved
    like any other requirement. pip refuses a wheel for another platform or Python.

    Fix: put the file on an index or into a folder of ``PIP_FIND_LINKS`` and write name and version.
    """
    resolution = facts.pip_resolution
    resolved = resolution is not None and not resolution.trouble
    for row in rows_of_kind(facts, PipRequirementKind.URL):
        other = _not_for_target(facts, row) if resolved else None
        if other is not None:
            yield other
        elif resolution is None or row.name not in resolution.listed:
            yield _elsewhere(facts, row, resolved=resolved)


def _not_for_target(facts: Facts, row: PipRequirement) -> Draft | None:
    """What is wrong with the file itself: made for something else, to be built, or another than the row says."""
    from envcheck.pip.references import digest_of, file_of, fits_target, same_file

    resolution, python, name = facts.pip_resolution, python_of(facts), file_of(row)
    if resolution is None or python is None or not name:
        return None
    wheel = name.endswith(".whl")
    fits = fits_target(name, python=python, platform=facts.target.platform, glibc=glibc_of(facts))
    found = next((one for one in resolution.distributions if one.name == row.name), None)
    if wheel and not fits:
        severity, message = Severity.ERROR, say("is the URL of a wheel that is not for the target")
    elif not wheel and row.name in resolution.listed:
        severity, message = Severity.WARNING, say("is the URL of a source distribution, which would be built")
    elif found is not None and same_file(found.url, row.url or "") and digest_of(row) not in (None, found.sha256):
        severity, message = (
            Severity.ERROR,
            say("gives its file another hash than the package index does"),
        )
    else:
        return None
    moved = dict(resolution.moved)
    if row.name in moved:
        remedies: tuple[Remedy, ...] = (conda_instead(facts, moved[row.name]),)
    elif found is not None and found.filename != name:
        spec = f"{found.name}=={found.version}"
        summary = say("write {spec}, of which the index has a wheel for the target", spec=spec)
        remedies = (Remedy(action=RemedyAction.CHANGE_VERSION, summary=summary, spec=spec, verified=True),)
    elif fits:
        remedies = (
            Remedy(action=RemedyAction.EDIT, summary=say("correct the hash, or find out who changed the file")),
        )
    else:
        remedies = (Remedy(action=RemedyAction.EDIT, summary=say("write a name and version that an index has")),)
    return Draft(
        severity=severity,
        subject=row.name or mask(row.text),
        message=say("{message}: {url}", message=message, url=mask(row.url or row.text)),
        line=row.line,
        remedies=remedies,
    )


def _elsewhere(facts: Facts, row: PipRequirement, *, resolved: bool) -> Draft:
    """A file of which nobody who is asked knows anything."""
    from envcheck.pip.references import digest_of, file_of, same_file

    resolution = facts.pip_resolution
    found = [one for one in resolution.distributions if one.name == row.name] if resolution is not None else []
    kept = any(same_file(one.url, row.url or "") for one in found)
    if not resolved:
        fate = say("it is kept and was not looked into")
    elif kept:
        fate = say("it is locked as it is, and what it needs in turn is not known")
    elif digest_of(row) is None and file_of(row).endswith(".whl"):
        fate = say("it is not locked, as it has no hash, and what it needs in turn is not known")
    else:
        fate = say("it is not locked, and what it needs in turn is not known")
    remedies = [
        Remedy(
            action=RemedyAction.EDIT,
            summary=say("put it on an index or into a folder of PIP_FIND_LINKS, and write name and version"),
        )
    ]
    if resolved and not kept and digest_of(row) is None and file_of(row).endswith(".whl"):
        remedies.append(Remedy(action=RemedyAction.EDIT, summary=say("add its hash (#sha256=...): then it is locked")))
    return Draft(
        severity=Severity.WARNING,
        subject=row.name or mask(row.text),
        message=say(
            "comes from a URL that no configured index lists; {fate}: {url}", fate=fate, url=mask(row.url or row.text)
        ),
        line=row.line,
        remedies=tuple(remedies),
    )
