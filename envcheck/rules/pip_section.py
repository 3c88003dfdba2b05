"""Findings 6xx about the pip section as a whole: how it is written, and whether it could be looked into."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.model import (
    DamageKind,
    PipPresence,
    PipRequirementKind,
    Presence,
    Remedy,
    RemedyAction,
    Severity,
    SourceKind,
)
from envcheck.rules.facts import Draft, Facts, some_of
from envcheck.rules.pip_facts import is_for_target, rows_of, rows_of_kind
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "conda_spec_under_pip",
    "excluded_by_marker",
    "index_not_asked",
    "not_resolved",
    "pip_missing",
    "pip_rows",
    "python_of_wheels",
    "source_index",
]


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
        subject=plural(len(rows), "{count} row", "{count} rows"),
        message=say("installed by pip, in no channel: {listed}", listed=listed),
        line=rows[0].line,
        remedies=(
            Remedy(action=RemedyAction.MOVE_TO_PIP, summary=say("move them below 'pip:' (the environment file does)")),
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
                message=say("there is a pip section, but pip itself is not listed"),
                line=damage.line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("add pip to the dependencies"),
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
                message=say("{text!r} is a conda specification in the pip section", text=damage.text),
                line=damage.line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("write {spec}", spec=damage.read_as)
                        if damage.read_as
                        else say("correct or move the line"),
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
            subject=say("package index"),
            message=say(
                "pip packages were not checked: {trouble}",
                trouble=facts.package_index_trouble,
            ),
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
    needing = [row.name or row.text for row, _ in rows_of(facts, *missing)]
    for row in rows_of_kind(facts, PipRequirementKind.OPTION):
        if row.url is None or re.match(r"--(?:extra-)?index-url|-i|--find-links|-f", row.text) is None:
            continue
        if strip_secrets(row.url).rstrip("/") in facts.asked_indexes:
            continue
        need = say("; {needing} may be there", needing=some_of(needing)) if needing else ""
        yield Draft(
            severity=Severity.WARNING if needing else Severity.INFO,
            subject=strip_secrets(row.url),
            message=say("is a package index that only the source names, and is not asked{need}", need=need),
            line=row.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("if you trust it: --trust-source-indexes")),),
        )


def excluded_by_marker(facts: Facts) -> Iterator[Draft]:
    """A requirement of the pip section has a marker that is not true on the target (``; sys_platform == 'win32'``).

    pip leaves it out, as its author meant it to.

    Fix: nothing has to be done.
    """
    resolution = facts.pip_resolution
    if resolution is None or resolution.trouble:
        return
    rows = [row for row in facts.environment.pip if not is_for_target(facts, row)]
    if rows:
        yield Draft(
            severity=Severity.INFO,
            subject=plural(len(rows), "{count} row", "{count} rows"),
            message=say(
                "not for the target by its marker: {names}", names=some_of([row.name or row.text for row in rows], 8)
            ),
            line=rows[0].line,
        )


def not_resolved(facts: Facts) -> Iterator[Draft]:
    """The pip section was looked up, but what it needs in turn was not resolved.

    uv may be missing, or the index may not answer it; for platforms such as linux-ppc64le uv resolves nothing. Each row
    is then looked up by itself, and stays in the environment file. Nothing of pip is in a lock.

    Fix: what is named; then run again.
    """
    resolution = facts.pip_resolution
    if resolution is None or facts.package_index_trouble or not facts.plan.solved:
        return
    if resolution.trouble:
        yield Draft(
            severity=Severity.WARNING,
            subject=say("pip section"),
            message=say(
                "the pip section was not resolved: {trouble}; each row was looked up by itself, and no "
                "lock holds any of them",
                trouble=mask(resolution.trouble),
            ),
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say("have pip install the rows from the environment file (--environment), after the lock"),
                ),
            ),
        )


def python_of_wheels(facts: Facts) -> Iterator[Draft]:
    """Nothing says which Python is wanted, and the pinned rows of the pip section do not all have wheels for every one.

    Wheels are built for the Pythons of their time. In an image with the newest Python pip would have to build old
    versions from source or refuse them. envcheck takes the Python that the most rows have a wheel for; it warns where
    that is not the newest.

    Fix: name the Python that the file was made with, ``python=3.X`` among the dependencies of an environment file; the
    one that envcheck writes does.
    """
    if not facts.python_counts:
        return
    best, compared = facts.python_counts
    chosen = next((record.version for record in facts.plan.packages if record.name == "python"), None)
    minor = best.minor if chosen is None else ".".join(chosen.split(".")[:2])
    older = tuple(map(int, best.minor.split("."))) < tuple(map(int, compared.minor.split(".")))
    other = say("; with conda's packages the plan has Python {minor}", minor=minor) if minor != best.minor else ""
    yield Draft(
        severity=Severity.WARNING if older else Severity.INFO,
        subject="python",
        message=say(
            "no Python version is asked for; for Python {best} there are wheels of {best_wheels} of "
            "{rows}, for {compared} of {compared_wheels}{other}",
            best=best.minor,
            best_wheels=best.wheels,
            rows=plural(best.rows, "{count} pinned pip row", "{count} pinned pip rows"),
            compared=compared.minor,
            compared_wheels=compared.wheels,
            other=other,
        ),
        remedies=(
            Remedy(
                action=RemedyAction.EDIT,
                summary=say("add python={minor} to the dependencies, as the plan does", minor=minor),
                spec=f"python={minor}",
                verified=facts.plan.solved and chosen is not None,
            ),
        ),
    )
