"""Findings 630 to 639: pip requirements that install and then get in the way. The facts are in `hazard_facts`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.language import joined, say
from envcheck.model import PipRequirement, PipRequirementKind, Record, Remedy, RemedyAction, Severity
from envcheck.pip.grammar import admits
from envcheck.rules.facts import Draft, Facts
from envcheck.rules.hazard_facts import BACKPORTS, BROKEN, LOOK_ALIKES, SAME_IMPORTS

__all__ = ["breaks_on_python", "in_conda_and_pip", "look_alike", "same_import", "standard_library"]


# Where conda's package has a name of its own, `same_import` tells of the pair.
_TOLD_BY_IMPORT = frozenset().union(*(fact.projects for fact in SAME_IMPORTS if fact.conda - fact.projects))


def _rows(facts: Facts) -> list[tuple[str, PipRequirement]]:
    """Name and row of what pip is asked for whatever the environment, each name once."""
    named = {
        row.name: row
        for row in reversed(facts.environment.pip)
        if row.kind is PipRequirementKind.NAMED and row.name is not None and row.marker is None
    }
    return list(named.items())[::-1]


def _python(facts: Facts) -> tuple[int, int] | None:
    """The minor version of the Python that the environment gets, or else asks for."""
    chosen = next((one.version for one in facts.plan.packages if one.name == "python"), facts.environment.python)
    found = re.match(r"[=~>]*(\d+)\.(\d+)", chosen or "")
    return (int(found[1]), int(found[2])) if found else None


def _at_least(version: str | None, bound: str) -> bool:
    """Whether a version is at or above a bound; without a pin pip takes the newest."""
    if version is None:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version) >= Version(bound)
    except InvalidVersion:
        return False


def standard_library(facts: Facts) -> Iterator[Draft]:
    """A pip requirement is a backport of a module that this Python has in its standard library.

    The copy is never better than the module, and tools that put it in front of the standard library, or look for such
    copies, fail in ways that do not name it.

    Fix: drop it.
    """
    python = _python(facts)
    for name, row in _rows(facts):
        fact = BACKPORTS.get(name)
        if fact is None or python is None or python < fact.since:
            continue
        if fact.harmless_from is not None and _at_least(row.pin, fact.harmless_from):
            continue
        breaks = say("; {breaks}", breaks=fact.breaks) if fact.breaks else ""
        since = ".".join(map(str, fact.since))
        yield Draft(
            severity=Severity.WARNING if fact.breaks else Severity.INFO,
            subject=name,
            message=say(
                "the module {module} is in the standard library since Python {since}{breaks} ({source})",
                module=fact.module,
                since=since,
                breaks=breaks,
                source=fact.source,
            ),
            line=row.line,
            remedies=(Remedy(action=RemedyAction.DROP, summary=say("drop {name}", name=name)),),
        )


def look_alike(facts: Facts) -> Iterator[Draft]:
    """A pip requirement is not the project that its name suggests.

    It is installed without a word, or fails with an error of its own; what the program imports is missing either way.

    Fix: name the project that was meant.
    """
    for name, row in _rows(facts):
        fact = LOOK_ALIKES.get(name)
        if fact is None or (fact.since is not None and not _at_least(row.pin, fact.since)):
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=name,
            message=say("this is {what} ({source})", what=fact.what, source=fact.source),
            line=row.line,
            remedies=(
                Remedy(
                    action=RemedyAction.RENAME,
                    summary=say("write {meant} if that was meant", meant=fact.meant),
                    spec=fact.meant,
                ),
            ),
        )


def same_import(facts: Facts) -> Iterator[Draft]:
    """Two distributions install the same package of Python, one over the other.

    Which of them is left depends on the order of installation, files of both may be mixed, and to remove one breaks the
    other.

    Fix: keep one of them.
    """
    rows = dict(_rows(facts))
    conda = dict.fromkeys(
        [row.name for row in facts.environment.requirements] + [record.name for record in facts.plan.packages]
    )
    for fact in SAME_IMPORTS:
        pip = [name for name in rows if name in fact.projects]
        # The same distribution from both sides is another finding.
        others = [name for name in conda if name in fact.conda and name not in pip]
        if not pip or len(pip) + len(others) < 2:
            continue
        listed = joined(" and ", [*pip, *(f"{name} (conda)" for name in others)])
        yield Draft(
            severity=Severity.WARNING,
            subject=pip[-1],
            message=say(
                "{listed} install the same package {module} ({source})",
                listed=listed,
                module=fact.module,
                source=fact.source,
            ),
            line=rows[pip[-1]].line,
            remedies=(Remedy(action=RemedyAction.DROP, summary=say("keep one of them")),),
        )


def breaks_on_python(facts: Facts) -> Iterator[Draft]:
    """The last release of a pip requirement does not work on the environment's Python.

    It installs, as it says nothing about Python versions, and fails when it is used.

    Fix: take what has replaced it, or an older Python.
    """
    python = _python(facts)
    for name, row in _rows(facts):
        fact = BROKEN.get(name)
        if fact is None or python is None or python < fact.since:
            continue
        words = ".".join(map(str, python))
        yield Draft(
            severity=Severity.WARNING,
            subject=name,
            message=say(
                "it does not work on Python {python}: {why} ({source})", python=words, why=fact.why, source=fact.source
            ),
            line=row.line,
            remedies=(
                Remedy(
                    action=RemedyAction.REPLACE, summary=say("take {instead}", instead=fact.instead), spec=fact.instead
                ),
            ),
        )


def in_conda_and_pip(facts: Facts) -> Iterator[Draft]:
    """Pip is to install another version of a distribution that conda installs.

    pip removes the files of the conda package and puts its own in their place. conda does not know: it goes on to
    believe in its version, and the next ``conda install`` mixes the two. EC618 says the same of a pip section that was
    resolved, dependencies included; this is what can be said without.

    Fix: ask for it on one side only; conda's, where other conda packages need it.
    """
    if facts.pip_resolution is not None and not facts.pip_resolution.trouble:
        return
    rows = dict(_rows(facts))
    for record in facts.plan.packages if rows else ():
        for name in _distributions(record):
            row = rows.get(name)
            if row is None or name in _TOLD_BY_IMPORT or _admits(row, record.version):
                continue
            yield Draft(
                severity=Severity.WARNING,
                subject=name,
                message=say(
                    "conda installs {package}, and pip puts {requirement} over it",
                    package=f"{record.name} {record.version}",
                    requirement=f"{name}{row.specifier}",
                ),
                line=row.line,
                remedies=(
                    Remedy(action=RemedyAction.DROP, summary=say("drop {name} from the pip section", name=name)),
                    Remedy(
                        action=RemedyAction.CHANGE_VERSION,
                        summary=say("let both have one version, such as {version}", version=record.version),
                        spec=f"{name}=={record.version}",
                    ),
                ),
            )


def _distributions(record: Record) -> tuple[str, ...]:
    """The PyPI projects that a conda package is known to hold.

    Names alone prove nothing (``graphviz`` is a C program to conda and its binding to PyPI): either the map of names
    says so, or the package needs Python itself.
    """
    from packaging.utils import canonicalize_name

    from envcheck.names import is_distribution, pypi_names_for_conda

    if is_distribution(record.name):
        return pypi_names_for_conda(record.name)
    needs_python = any(re.split(r"[ =<>!~]", dependency, maxsplit=1)[0] == "python" for dependency in record.depends)
    return (canonicalize_name(record.name),) if needs_python else ()


def _admits(row: PipRequirement, version: str) -> bool:
    """Whether pip is content with the conda package's version; what cannot be read is not held against it."""
    return admits(row.specifier, version, unreadable=True)
