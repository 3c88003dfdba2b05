"""The one way through: bytes in, report out."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace

from envcheck import __version__
from envcheck.channels import resolve_channels
from envcheck.fallbacks import fall_back_to_pip, find_uninstallable
from envcheck.intent import infer_intent
from envcheck.language import say
from envcheck.locks.judge import judge_solution
from envcheck.model import (
    Availability,
    Environment,
    Export,
    Finding,
    Outcome,
    Plan,
    Presence,
    Report,
    Requirement,
    Severity,
    Solved,
    Target,
    Verdict,
)
from envcheck.normalize import is_full_export, normalize, platform_differs
from envcheck.pip.rows import PipStage, named_indexes, rows_for_pip
from envcheck.plan import make_plan
from envcheck.provenance import Provenance, trace
from envcheck.request import Request
from envcheck.rules import Facts, apply_rules, select_findings
from envcheck.second_opinion import ask_second_engine
from envcheck.secrets import strip_secrets
from envcheck.sources import read_source
from envcheck.specs import spec_text
from envcheck.survey import World, survey
from envcheck.variants import cuda_asked_for
from envcheck.virtual_packages import virtual_packages_for
from envcheck.world import LoadedWorld, Services, load_options

__all__ = ["check"]


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Leave the collector out of a check.

    It makes a million small objects that live as long as it does; to look for garbage among them again and again takes
    a quarter of its time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                # To the old objects with what was made: as young ones the collector would walk them all at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@_without_garbage_collection()
def check(request: Request, services: Services) -> Report:
    """Check one source for one target.

    Args:
        request: The source and every option.
        services: The engine and the package index.

    Returns:
        The report.

    Raises:
        SourceError: The source cannot be read.
        ConfigurationError: An option or a configuration value cannot be used.
        ChannelError: No channel at all could be loaded.
    """
    export = read_source(request.data, request.path)
    environment = normalize(export, request.platform, keep_variants=request.keep_variants)
    resolution = resolve_channels(
        environment.channels,
        request.configuration,
        command_line=request.channels,
        override=request.override_channels,
        platform=request.platform,
    )
    cuda = cuda_asked_for(export.requirements) if request.platform.startswith("linux-") else None
    target = Target(
        platform=request.platform,
        virtual_packages=virtual_packages_for(
            request.platform,
            image=request.image,
            overrides=request.virtual_packages,
            cuda=None if cuda is None else cuda.version,
        ),
        channels=resolution.channels,
        channel_priority=request.configuration.channel_priority,
    )
    if cuda is not None and (request.image is not None or _cuda_of(target) != cuda.version):
        cuda = None  # The user has decided.
    rows = _one_per_name(export)
    world = LoadedWorld(request, target, services, environment.channels, python=environment.python)
    provenance = _trace(rows, export, world, request.platform)
    if provenance.channels:
        added = tuple(replace(channel, origin="builds", line=None) for channel, _ in provenance.channels)
        target = replace(target, channels=(*target.channels, *added))
        world = LoadedWorld(request, target, services, environment.channels, python=environment.python)
    environment, python_counts = world.with_python_of_wheels(environment)
    availability = survey(environment, target, world, source_platform=export.platform)
    as_written = _solve_as_written(export, environment, target, availability, world)
    intent = infer_intent(
        rows,
        [index for index in (world.for_platform(export.platform or target.platform), world.index) if index is not None],
        full_export=is_full_export(export),
        records=provenance.records,
    )
    plan = make_plan(
        environment,
        target,
        availability,
        world,
        intent,
        pins=request.pins,
        effort=request.effort,
        preferred=request.preferred,
        as_written=as_written,
    )
    plan, availability = fall_back_to_pip(plan, availability, world, source_platform=export.platform)
    plan = find_uninstallable(plan, availability, world.with_channels(plan.added_channels))
    plan = _judged(plan, target, world)
    pip = _pip(
        plan, availability, environment=environment, target=target, world=world, request=request, services=services
    )
    if pip.plan is not plan:
        plan = _judged(pip.plan, target, world)
    second_opinion = None
    if services.second_engine is not None:
        second_opinion = ask_second_engine(
            services.second_engine,
            world.index,
            plan,
            target,
            names=[name for name in intent.direct if name in world.index.names()],
            options=load_options(request),
        )
    facts = Facts(
        export=export,
        environment=environment,
        target=target,
        channel_edits=resolution.mended,
        non_channels=resolution.non_channels,
        denied_channels=resolution.denied,
        statuses=world.index.statuses,
        availability=availability,
        pip=pip.answers,
        pip_resolution=pip.resolution,
        # Only a pip section names indexes that these are held against.
        asked_indexes=services.resolver.indexes if services.resolver is not None and environment.pip else (),
        source_indexes_asked=request.trust_source_indexes,
        package_index_trouble=world.package_index_trouble,
        as_written=as_written,
        intent=intent,
        plan=plan,
        second_opinion=second_opinion,
        told_channels=provenance.channels,
        cuda=None if cuda is None else (cuda.version, cuda.row),
        python_counts=python_counts,
    )
    findings = apply_rules(facts)
    return Report(
        envcheck_version=__version__,
        export=export,
        environment=environment,
        target=target,
        engine=services.engine.info,
        verdict=_verdict(findings, as_written, plan, availability),
        findings=select_findings(findings, request.select, request.ignore),
        plan=plan,
        availability=availability,
        pip=pip.answers,
        pip_resolution=pip.resolution,
        channel_statuses=world.index.statuses,
        intent=intent,
        source_indexes=_asked_source_indexes(environment, facts.asked_indexes, trusted=request.trust_source_indexes),
    )


def _pip(
    plan: Plan,
    availability: Sequence[Availability],
    *,
    environment: Environment,
    target: Target,
    world: LoadedWorld,
    request: Request,
    services: Services,
) -> PipStage:
    """What comes of the pip section; what resolves it is not even imported for a source that has none."""
    if not rows_for_pip(environment, plan, availability):
        return PipStage(plan=plan)
    from envcheck.pip.stage import run_pip_stage

    return run_pip_stage(
        environment=environment,
        plan=plan,
        availability=availability,
        target=target,
        index=world.with_channels(plan.added_channels),
        questions=world,
        resolver=services.resolver,
        python=world.python_minor,
        trust_source_indexes=request.trust_source_indexes,
        effort=request.effort,
        preferred=request.preferred_pip,
        describe=services.describe,
    )


def _asked_source_indexes(environment: Environment, asked: Sequence[str], *, trusted: bool) -> tuple[str, ...]:
    """The indexes that the source names and that are asked: all if they are trusted, else those of the user's own."""
    named = dict.fromkeys(strip_secrets(url).rstrip("/") for urls in named_indexes(environment.pip) for url in urls)
    return tuple(url for url in named if trusted or url in asked)


def _trace(rows: Sequence[Requirement], export: Export, world: World, platform: str) -> Provenance:
    """Where the rows of an export from another platform came from; what is asked for by hand came from nowhere."""
    source = export.platform
    if source is None or source == platform or not is_full_export(export):
        return Provenance(records={})
    return trace(rows, world.for_platform(source), lambda: world.other_channels(source))


def _cuda_of(target: Target) -> str | None:
    return next((package.version for package in target.virtual_packages if package.name == "__cuda"), None)


def _one_per_name(export: Export) -> tuple[Requirement, ...]:
    return tuple({requirement.name: requirement for requirement in reversed(export.requirements)}.values())[::-1]


def _solve_as_written(
    export: Export, environment: Environment, target: Target, availability: Sequence[Availability], world: World
) -> Outcome | None:
    """Solve the source's rows unchanged, unless look-ups have already ruled that out.

    What a pip section implies is asked for with them; where that alone is in the way the rows are asked by themselves.
    """
    if platform_differs(export, target.platform) and any(row.build or row.url for row in export.requirements):
        return None
    if any(one.presence is not Presence.AVAILABLE for one in availability):
        return None
    rows = [
        spec_text(row) if row.channel is None else f"{row.channel}::{spec_text(row)}" for row in export.requirements
    ]
    implied = [name for name in environment.implied if world.index.records(name)]
    if implied and isinstance(outcome := world.index.solve([*rows, *implied]), Solved):
        return outcome
    return world.index.solve(rows)


def _judged(plan: Plan, target: Target, world: World) -> Plan:
    """The plan, if its solution holds before a judge that knows no solver; otherwise the plan as an unsolved one.

    An engine that gives a wrong solution has a bug, and so has repodata that lets it: neither may reach a lock.
    """
    if not plan.solved:
        return plan
    extended = replace(target, channels=(*target.channels, *plan.added_channels))
    objections = judge_solution(plan.packages, plan.requirements, extended, world.with_channels(plan.added_channels))
    if not objections:
        return plan
    reasons = "; ".join(str(objection) for objection in objections[:3])
    return replace(
        plan,
        solved=False,
        packages=(),
        explanation=say("the engine's solution does not hold: {reasons}", reasons=reasons),
    )


def _verdict(
    findings: Sequence[Finding], as_written: Outcome | None, plan: Plan, availability: Sequence[Availability]
) -> Verdict:
    """Ready, fixable or blocked, as `Verdict` defines them."""
    if isinstance(as_written, Solved) and not any(one.severity is Severity.ERROR for one in findings):
        return Verdict.READY
    if not plan.solved:
        return Verdict.BLOCKED
    direct = frozenset(plan.direct)
    dropped = {row.name for row in plan.dropped} - set(plan.uninstallable)
    lost = [one for one in availability if one.requirement.name in direct & dropped and one.presence.exists]
    return Verdict.BLOCKED if lost else Verdict.FIXABLE
