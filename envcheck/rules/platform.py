"""Findings 4xx: what binds the environment to another platform."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.model import Availability, Plan, Presence, Remedy, RemedyAction, Severity
from envcheck.normalize import platform_differs
from envcheck.rules.facts import Draft, Facts

__all__ = ["cuda_asked_for", "foreign_builds", "needs_virtual_package", "platform_only"]


def foreign_builds(facts: Facts) -> Iterator[Draft]:
    """Requirements carry builds of another platform.

    A build string such as ``h12be248_0`` names one file of one platform. The same version has other builds on Linux, so
    conda answers ``PackagesNotFoundError`` or ``ResolvePackageNotFound`` for nearly every row.

    Fix: export with ``conda env export --no-builds``, or use the environment file that envcheck writes.
    """
    if not platform_differs(facts.export, facts.target.platform):
        return
    rows = [row for row in facts.export.requirements if row.build is not None and "*" not in row.build]
    explicit = [row for row in facts.export.requirements if row.url is not None]
    if not rows and not explicit:
        return
    urls = len(explicit) > len(rows) / 2
    first = (explicit or rows)[0]
    count = max(len(rows), len(explicit))
    yield Draft(
        severity=Severity.ERROR,
        subject=plural(count, "{count} URL", "{count} URLs")
        if urls
        else plural(count, "{count} build", "{count} builds"),
        message=say(
            "{count} of {rows} rows carry URLs of {origin}, which {platform} does not have: {spec}"
            if urls
            else "{count} of {rows} rows carry builds of {origin}, which {platform} does not have: {spec}",
            count=count,
            rows=len(facts.export.requirements),
            origin=facts.export.platform,
            platform=facts.target.platform,
            spec=f"{first.name}={first.pin or ''}={first.build or ''}",
        ),
        line=first.line,
        remedies=(
            Remedy(
                action=RemedyAction.DROP_BUILD,
                summary=say("drop the builds and keep the versions"),
                verified=facts.plan.solved,
            ),
        ),
    )


def platform_only(facts: Facts) -> Iterator[Draft]:
    """A package exists only for another platform: in no channel for the target, or only with ``__win`` as dependency.

    Found by look-up in the repodata, not by a list of names. Most are run-time libraries that came along on Windows and
    need no replacement; where something does the same job on Linux it is named.

    Fix: drop the package, or use the counterpart that is named.
    """
    for one in facts.availability:
        if one.presence is not Presence.PLATFORM_ONLY:
            continue
        requirement = one.requirement
        where = one.sightings[0].subdir if one.sightings else facts.export.platform or say("another platform")
        because = (
            say("a noarch package that needs {virtual_package}", virtual_package=one.virtual_package)
            if one.virtual_package
            else say("only for {where}", where=where)
        )
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say("{because}, not for {platform}", because=because, platform=facts.target.platform),
            line=requirement.line,
            remedies=_drop_remedies(one, facts.plan),
        )


def _drop_remedies(one: Availability, plan: Plan) -> tuple[Remedy, ...]:
    name = one.requirement.name
    dropped = plan.solved and any(row.name == name for row in plan.dropped)
    present = {record.name for record in plan.packages}
    remedies = [Remedy(action=RemedyAction.DROP, summary=say("drop it"), verified=dropped)]
    remedies += [
        Remedy(
            action=RemedyAction.REPLACE,
            summary=say("{other} does its job on the target", other=other),
            spec=other,
            verified=plan.solved and other in present,
        )
        for other in one.counterparts
    ]
    return tuple(remedies)


def needs_virtual_package(facts: Facts) -> Iterator[Draft]:
    """All candidates need a virtual package that the target does not have, such as ``__cuda`` or a newer ``__glibc``.

    Virtual packages stand for the machine: its kernel, C library and GPU driver (CEP 30). While an image is built there
    is no GPU driver, so ``__cuda`` is absent unless it is asked for.

    Fix: name the image or the virtual package (``--virtual-package __cuda=12.4``), or take another version.
    """
    for one in facts.availability:
        if one.presence is not Presence.NEEDS_VIRTUAL_PACKAGE:
            continue
        requirement = one.requirement
        wanted = f" {requirement.pin}" if requirement.pin else ""
        name, _, version = (one.virtual_package or "").partition(" ")
        example = version.lstrip("<>=! ").split(",")[0] or "VERSION"
        remedies = [
            Remedy(
                action=RemedyAction.EDIT,
                summary=say(
                    "if the target has it, say so: --virtual-package {name}={example}", name=name, example=example
                ),
            )
        ]
        remedies += [
            Remedy(
                action=RemedyAction.CHANGE_VERSION,
                summary=say("take {name} {version}", name=requirement.name, version=version),
                spec=f"{requirement.name}={version}",
                verified=_in_plan(facts.plan, requirement.name, version),
            )
            for version in one.nearest
        ]
        yield Draft(
            severity=Severity.ERROR,
            subject=requirement.name,
            message=say(
                "every build of{wanted} needs {virtual_package}, which the target does not have",
                wanted=wanted or say(" it"),
                virtual_package=one.virtual_package,
            ),
            line=requirement.line,
            remedies=tuple(sorted(remedies, key=lambda remedy: not remedy.verified)),
        )


def _in_plan(plan: Plan, name: str, version: str) -> bool:
    return plan.solved and any(record.name == name and record.version == version for record in plan.packages)


def cuda_asked_for(facts: Facts) -> Iterator[Draft]:
    """The source has CUDA builds, so CUDA builds are chosen for the target: ``__cuda`` is taken for present.

    While an image is built there is no GPU driver, and conda would refuse what needs ``__cuda`` (CEP 30).

    Fix: install the lock, which is not solved again, or set ``CONDA_OVERRIDE_CUDA`` in the Dockerfile before
    ``conda env create``. For the CPU instead, say ``--virtual-package __cuda=``; for another version of the driver,
    ``--virtual-package __cuda=VERSION`` or the base image.
    """
    if facts.cuda is not None:
        version, row = facts.cuda
        asked = " ".join(filter(None, (row.name, row.pin, row.build)))
        yield Draft(
            severity=Severity.INFO,
            subject="__cuda",
            message=say(
                "{asked} asks for CUDA: the target is taken to have __cuda={version} (for the CPU say "
                "--virtual-package __cuda=)",
                asked=asked,
                version=version,
            ),
            line=row.line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say(
                        "install the lock, or set CONDA_OVERRIDE_CUDA={version} where the image is built",
                        version=version,
                    ),
                ),
            ),
        )
