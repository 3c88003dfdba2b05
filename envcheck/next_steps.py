"""What to do after a check, a lock and an audit: commands that are ready to be typed, the most useful first."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from envcheck.fleet import AuditResult, AuditVerdict, frequent_causes, worst_first
from envcheck.language import tell
from envcheck.model import PipResolution, Report, Verdict
from envcheck.outputs import PLATFORM, lock_format
from envcheck.pip.section import planned_pip_lines
from envcheck.reports.shell import shell_name
from envcheck.secrets import split_secrets, strip_secrets

__all__ = ["next_steps", "steps_after_audit"]

_MOST_STEPS = 3
_MANY = 8
"""From how many findings or changes on a report does not show each."""


def next_steps(
    reports: Sequence[Report],
    *,
    lock: str | None,
    environment: str | None,
    format_name: str | None = None,
    verbose: bool = False,
    options: Callable[..., str] = lambda *_, **__: "",
) -> tuple[str, ...]:
    """What to do next, the most useful first, three at the most: commands are ready to be typed.

    Args:
        reports: The reports of the run.
        lock: The lock that was written, if any, with ``{platform}`` where every platform has its own.
        environment: The environment file that was written, if any.
        format_name: The lock's format; by default the one that its name asks for.
        verbose: Whether everything has been shown already.
        options: Those that the answer depends on, as they were typed, as far as a command has them, but for those of
            the parameters ``without``: what is asked next is to be about the same question.
    """
    if not reports:
        return ()
    report = min(reports, key=_worst)
    steps: list[str] = []
    if lock is not None and len(reports) > 1:
        steps += _after_shared_lock(reports, lock, format_name or lock_format(lock), options)
    elif lock is not None:
        lock = lock.replace(PLATFORM, report.target.platform)
        steps += _after_lock(report, lock, format_name or lock_format(lock), environment, options)
    elif environment is not None:
        steps.append(f"conda env create -f {shlex.quote(environment)}")
    else:
        steps += _after_check(report, options, verbose=verbose, one_of_many=len(reports) > 1)
    return tuple(steps[:_MOST_STEPS])


def steps_after_audit(
    results: Sequence[AuditResult], *, options: Callable[..., str] = lambda *_, **__: ""
) -> tuple[str, ...]:
    """What to do after an audit: look at the worst source, and at what is most frequent.

    Args:
        results: What was found of every source.
        options: As for `next_steps`.
    """
    fleet = worst_first(results)
    shown = [one for one in fleet if one.verdict is not AuditVerdict.FAILED]
    # A file that is no export is told of in the table; one that does not build has more to say.
    worst = next((one for one in shown if one.verdict in (AuditVerdict.BLOCKED, AuditVerdict.FIXABLE)), None)
    worst = worst or next(iter(shown), None)
    several = len({one.platform for one in fleet}) > 1
    steps = []
    doctor = partial(_doctor, options=options, one_of_many=several)
    silent = next((one for one in shown if not one.complete), None)
    if silent is not None:
        steps.append(tell("{doctor}   (which channel does not answer)", doctor=doctor(silent.platform)))
    elif len(shown) < len(fleet):
        # Channels are not the only ones that may have failed it.
        steps.append(
            tell("{doctor}   (what checks use here, and whether it answers)", doctor=doctor(fleet[0].platform))
        )
    if worst is not None:
        command = "lock" if worst.verdict is AuditVerdict.READY else "check"
        asked = _narrowed(options, worst.platform)(command) if several else options(command)
        steps.append(f"envcheck {command} {shell_name(worst.path, below_home=True)} {asked}".rstrip())
    means = (
        tell("envcheck rules {code}   (what {code} means)", code=cause.code)
        for cause in frequent_causes(results, most=1)
    )
    return (*steps, *means)


def _worst(report: Report) -> int:
    """Where a report stands among several: the one that most stands in the way comes first."""
    return 0 if not report.complete else (Verdict.BLOCKED, Verdict.FIXABLE, Verdict.READY).index(report.verdict) + 1


def _narrowed(options: Callable[..., str], platform: str) -> Callable[[str], str]:
    """The options for a command about one platform of several."""
    return lambda command: f"-p {platform} {options(command, without=('platforms',))}".rstrip()


def _doctor(platform: str, options: Callable[..., str], one_of_many: bool) -> str:
    asked = _narrowed(options, platform) if one_of_many else options
    return f"envcheck doctor {asked('doctor')}".rstrip()


def _after_check(
    report: Report, options: Callable[..., str], *, verbose: bool, one_of_many: bool = False
) -> Iterator[str]:
    """What a check leads to where nothing was written yet."""
    about_it = _narrowed(options, report.target.platform) if one_of_many else options
    path = shell_name(report.export.path)
    # What came from another command has to come from it again.
    pipe = "... | " if path == "-" else ""

    def again(command: str, asked: Callable[..., str] = options) -> str:
        return f"{path} {asked(command)}".rstrip()

    everything = tell(
        "{pipe}envcheck check -v {source}   (every finding and change)", pipe=pipe, source=again("check", about_it)
    )
    if not report.complete:
        doctor = _doctor(report.target.platform, options, one_of_many)
        yield tell("{doctor}   (which channel does not answer)", doctor=doctor)
    elif report.verdict is Verdict.FIXABLE:
        platform = PLATFORM if one_of_many else report.target.platform
        files = f"--lock conda-lock.yml --environment {shlex.quote(f'environment.{platform}.yml')}"
        yield f"{pipe}envcheck check {again('check')} {files}"
    elif report.verdict is Verdict.READY and (report.export.requirements or report.export.pip):
        yield f"{pipe}envcheck lock {again('lock')}"
    elif report.verdict is Verdict.BLOCKED:
        if not verbose:
            yield everything
        for row in report.plan.dropped[:1]:
            yield tell(
                "{pipe}envcheck explain {name} --in {source}   (what keeps it out)",
                pipe=pipe,
                name=shlex.quote(row.name),
                source=again("explain", about_it),
            )
    if report.findings:
        code = report.findings[0].code
        yield tell("envcheck rules {code}   (what {code} means)", code=code)
    long = len(report.findings) > _MANY or len(report.plan.changed) + len(report.plan.dropped) > _MANY
    if long and not verbose and report.verdict is not Verdict.BLOCKED:
        yield everything


def _after_shared_lock(
    reports: Sequence[Report], lock: str, format_name: str, options: Callable[..., str]
) -> Iterator[str]:
    """How to look at what was written for several platforms, and to install it."""
    names = dict.fromkeys(lock.replace(PLATFORM, report.target.platform) for report in reports)
    # A list is for its own platform, any other lock for all of them; and findings about locks have codes of their own.
    asked = options("verify", without=("platforms", "select", "ignore", "baseline", "fail_on"))
    yield f"envcheck verify {' '.join(map(shlex.quote, names))} {asked}".rstrip()
    if format_name == "conda-lock-v1":
        yield next(_after_lock(reports[0], lock, format_name, None, options))


def _after_lock(
    report: Report, lock: str, format_name: str, environment: str | None, options: Callable[..., str]
) -> Iterator[str]:
    """How to install a lock, and what it does not hold."""
    name, quoted = shlex.quote(report.environment.name), shlex.quote(lock)
    resolved = report.pip_resolution is not None and not report.pip_resolution.trouble
    if format_name == "pixi-lock-v7":
        imported = shlex.quote(environment or f"environment.{report.target.platform}.yml")
        if environment is None:
            asked = [shell_name(report.export.path), options("lock"), "--lock", quoted]
            asked += [] if lock_format(lock) == format_name else ["--lock-format", "pixi"]
            pipe = "... | " if report.export.path == "-" else ""
            yield tell(
                "{command}   (pixi wants a manifest beside its lock)",
                command=f"{pipe}envcheck lock {' '.join(filter(None, asked))} --environment {imported}",
            )
        yield f"pixi init --import {imported} && pixi install --frozen"
    elif format_name == "explicit":
        yield tell(
            "micromamba create -n {name} -f {quoted}   (or: conda create -n {name} --file {quoted})",
            name=name,
            quoted=quoted,
        )
        if resolved and report.pip_resolution is not None and report.pip_resolution.distributions:
            yield tell("then install the requirements file beside it, as its first lines say")
    elif _is_for_micromamba(report):
        yield tell(
            "micromamba create -n {name} -f {quoted}   (or: conda-lock install -n {name} …)", name=name, quoted=quoted
        )
    else:
        yield f"conda-lock install -n {name} {quoted}"
    pip = planned_pip_lines(report)
    if pip and not resolved:
        where = (
            tell("in {environment}", environment=environment)
            if environment is not None
            else tell("in the file that --environment writes")
        )
        yield tell(
            "the lock holds the conda packages; the {count} pip requirements stand {where}", count=len(pip), where=where
        )


def _is_for_micromamba(report: Report) -> bool:
    """Whether micromamba can do with every URL of a conda-lock.yml; those of channels with a secret have variables."""
    from envcheck.locks.conda_lock_v1 import micromamba_reads

    resolution = report.pip_resolution or PipResolution()
    secret = any(
        split_secrets(place).has_secrets and strip_secrets(place).rstrip("/") == one.url
        for one in (*report.target.channels, *report.plan.added_channels)
        for place in one.locations[:1]
    )
    return not secret and all(micromamba_reads(one.url) for one in resolution.distributions)
