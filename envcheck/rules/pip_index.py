"""Findings 602 to 606: what the package index has of the rows of the pip section."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envcheck.language import say
from envcheck.model import PipPresence, PipRequirementKind, Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, Facts
from envcheck.rules.pip_facts import conda_instead, nearest_versions_of, rows_of, rows_of_kind
from envcheck.secrets import strip_secrets

__all__ = [
    "no_such_project",
    "no_such_version",
    "no_wheel_for_target",
    "source_only",
    "yanked",
]


def no_such_project(facts: Facts) -> Iterator[Draft]:
    """The package index has no project of this name.

    It may be misspelled, private, or gone; pip stops at it and installs nothing at all.

    Fix: correct the name, or name the index that has it (``--index-url``).
    """
    for row, answer in rows_of(facts, PipPresence.NO_PROJECT):
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message=say("the package index has no such project"),
            line=row.line,
            remedies=(
                Remedy(action=RemedyAction.EDIT, summary=say("correct the name, or name its index with --index-url")),
            ),
        )


def no_such_version(facts: Facts) -> Iterator[Draft]:
    """The project exists on the package index, but not in this version.

    A local version such as ``+cu118`` comes from another index than PyPI.

    Fix: take one of the versions named, or name the index that has it.
    """
    for row, answer in rows_of(facts, PipPresence.NO_VERSION):
        local = say(" (a local version: it comes from another index)") if "+" in (row.pin or "") else ""
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message=say("the package index has no version {pin}{local}", pin=row.pin or row.specifier, local=local),
            line=row.line,
            remedies=_by_proof(
                [*_index_of_label(facts, answer.name, row.pin), *nearest_versions_of(facts, answer)]
                or [
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("drop it, or name an index that has it: {reason}", reason=_NO_OTHER),
                    )
                ]
            ),
        )


_NO_OTHER = say("no version here has a wheel for the target")


def _by_proof(remedies: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """What is verified goes first."""
    return tuple(sorted(remedies, key=lambda one: not one.verified))


# https://pytorch.org/get-started/previous-versions/ names the index of each label for these projects.
_PYTORCH = frozenset({"torch", "torchvision", "torchaudio", "torchtext", "torchdata"})
_PYTORCH_LABEL = re.compile(r"(?:cu\d+|cpu|rocm\d+(?:\.\d+)*|xpu)")
# https://pytorch-geometric.readthedocs.io/en/latest/install/installation.html names a page for each PyTorch and CUDA.
_GEOMETRIC = frozenset({"pyg-lib", "torch-cluster", "torch-scatter", "torch-sparse", "torch-spline-conv"})
_GEOMETRIC_LABEL = re.compile(r"pt(\d)(\d+)(cu\d+|cpu)")


def _index_of_label(facts: Facts, name: str, pin: str | None) -> tuple[Remedy, ...]:
    """Where PyTorch's builds with a local label, and those of what is built for it, come from."""
    label = (pin or "").partition("+")[2]
    geometric = _GEOMETRIC_LABEL.fullmatch(label)
    if name in _PYTORCH and _PYTORCH_LABEL.fullmatch(label) is not None:
        url = f"https://download.pytorch.org/whl/{label}"
        summary = say("name its index: PIP_EXTRA_INDEX_URL={url}", url=url)
    elif name in _GEOMETRIC and geometric is not None:
        url = f"https://data.pyg.org/whl/torch-{geometric[1]}.{geometric[2]}.0+{geometric[3]}.html"
        summary = say("name its place of files: PIP_FIND_LINKS={url}", url=url)
    else:
        return ()
    named = [strip_secrets(row.url or "").rstrip("/") for row in rows_of_kind(facts, PipRequirementKind.OPTION)]
    if url in named and not facts.source_indexes_asked:
        summary = say("the source names its index: if you trust it, --trust-source-indexes")
    return (Remedy(action=RemedyAction.EDIT, summary=summary),)


def no_wheel_for_target(facts: Facts) -> Iterator[Draft]:
    """The version has wheels, but none for the target's platform or Python, and no source distribution to build from.

    pip answers ``No matching distribution found``, as if the version did not exist.

    Fix: take a version that has one, or drop the package where it makes sense on Windows alone.
    """
    for row, answer in rows_of(facts, PipPresence.OTHER_PLATFORM, PipPresence.OTHER_PYTHON):
        remedies = nearest_versions_of(facts, answer)
        if not remedies:
            remedies = (
                Remedy(
                    action=RemedyAction.DROP,
                    summary=say("drop {name}: nothing of it is for the target", name=answer.name),
                ),
            )
        yield Draft(
            severity=Severity.ERROR,
            subject=answer.name,
            message=say(
                "{version} cannot be installed on the target: {detail}",
                version=answer.version or row.pin or say("it"),
                detail=answer.detail,
            ),
            line=row.line,
            remedies=remedies,
        )


def source_only(facts: Facts) -> Iterator[Draft]:
    """The version has no wheel for the target, only a source distribution that would be built in the image.

    That runs the project's own code during the build and needs compilers and headers that slim images lack.

    Fix: take a version with a wheel, or the conda package where there is one.
    """
    moved = dict(facts.pip_resolution.moved) if facts.pip_resolution is not None else {}
    resolution = facts.pip_resolution
    locked = {one.name for one in resolution.distributions} if resolution is not None else set()
    for row, answer in rows_of(facts, PipPresence.SOURCE_ONLY):
        conda = moved.get(answer.name)
        kept = conda is None and answer.name not in locked
        built = say("is built from source; no lock holds it") if kept else say("would be built from source")
        yield Draft(
            severity=Severity.WARNING,
            subject=answer.name,
            message=say(
                "{version} has no wheel for the target and {built}",
                version=answer.version or row.pin or say("it"),
                built=built,
            ),
            line=row.line,
            remedies=nearest_versions_of(facts, answer) if conda is None else (conda_instead(facts, conda),),
        )


def yanked(facts: Facts) -> Iterator[Draft]:
    """The version was withdrawn by its authors (PEP 592).

    pip installs it only because it is pinned exactly. Authors withdraw what is broken, and indexes may delete it.

    Fix: take another version.
    """
    for row, answer in rows_of(facts, PipPresence.YANKED):
        yield Draft(
            severity=Severity.WARNING,
            subject=answer.name,
            message=say("{pin} was withdrawn by its authors", pin=row.pin or answer.version),
            line=row.line,
            remedies=nearest_versions_of(facts, answer),
        )
