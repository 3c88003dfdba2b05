"""Findings 607 to 610 and 621: rows of the pip section that name where they come from themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envcheck.model import (
    PipRequirement,
    PipRequirementKind,
    Remedy,
    RemedyAction,
    Severity,
)
from envcheck.rules.facts import Draft, Facts
from envcheck.rules.pip_facts import rows_of_kind
from envcheck.secrets import mask, strip_secrets

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
    rows = rows_of_kind(facts, PipRequirementKind.LOCAL_PATH)
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
    for row in rows_of_kind(facts, PipRequirementKind.VCS, PipRequirementKind.URL):
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
    for row in rows_of_kind(facts, PipRequirementKind.EDITABLE):
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
    for row in rows_of_kind(facts, *kinds):
        yield Draft(
            severity=Severity.WARNING,
            subject=row.url or row.text,
            message=f"{mask(row.text)} is kept and not followed",
            line=row.line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary=f"check it on its own: envcheck check {row.url or ''}"),
            ),
        )


def reference_by_url(facts: Facts) -> Iterator[Draft]:
    """A requirement names the URL of its file, which is kept and not fetched.

    A wheel whose name fits the target is locked as it is; what it needs in turn is not looked into. A source
    distribution, or a wheel for another platform, is not.

    Fix: write a name and version that the package index has, or add the hash (``#sha256=…``).
    """
    resolution = facts.pip_resolution
    locked = {one.name: one for one in resolution.distributions} if resolution is not None else {}
    for row in rows_of_kind(facts, PipRequirementKind.URL):
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
