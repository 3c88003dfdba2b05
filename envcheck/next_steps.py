"""What to do after a check, and after a lock: commands that are ready to be typed, the most useful first."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence

from envcheck.language import tell
from envcheck.model import PipResolution, Report, Verdict
from envcheck.outputs import lock_format
from envcheck.pip.section import planned_pip_lines
from envcheck.secrets import mask, split_secrets, strip_secrets

__all__ = ["next_steps"]

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
    options: Callable[[str], str] = lambda _: "",
) -> tuple[str, ...]:
    """What to do next, the most useful first, three at the most: commands are ready to be typed.

    Args:
        reports: The reports of the run.
        lock: The lock that was written, if any.
        environment: The environment file that was written, if any.
        format_name: The lock's format; by default the one that its name asks for.
        verbose: Whether everything has been shown already.
        options: Those that the answer depends on, as they were typed, as far as a command has them: what is asked next
            is to be about the same question.
    """
    if len(reports) != 1:
        return ()
    report = reports[0]
    steps: list[str] = []
    if lock is not None:
        steps += _after_lock(report, lock, format_name or lock_format(lock), environment, options)
    elif environment is not None:
        steps.append(f"conda env create -f {shlex.quote(environment)}")
    else:
        steps += _after_check(report, options, verbose=verbose)
    return tuple(steps[:_MOST_STEPS])


def _after_check(report: Report, options: Callable[[str], str], *, verbose: bool) -> Iterator[str]:
    """What a check leads to where nothing was written yet."""
    path = shlex.quote(mask(report.export.path))
    # What came from another command has to come from it again.
    pipe = "... | " if path == "-" else ""

    def again(command: str) -> str:
        return f"{path} {options(command)}".rstrip()

    everything = tell("{pipe}envcheck check -v {source}   (every finding and change)", pipe=pipe, source=again("check"))
    if not report.complete:
        doctor = f"envcheck doctor {options('doctor')}".rstrip()
        yield tell("{doctor}   (which channel does not answer)", doctor=doctor)
    elif report.verdict is Verdict.FIXABLE:
        files = f"--lock conda-lock.yml --environment environment.{report.target.platform}.yml"
        yield f"{pipe}envcheck check {again('check')} {files}"
    elif report.verdict is Verdict.READY:
        yield f"{pipe}envcheck lock {again('lock')}"
    elif report.verdict is Verdict.BLOCKED:
        if not verbose:
            yield everything
        for row in report.plan.dropped[:1]:
            yield tell(
                "{pipe}envcheck explain {name} --in {source}   (what keeps it out)",
                pipe=pipe,
                name=shlex.quote(row.name),
                source=again("explain"),
            )
    if report.findings:
        code = report.findings[0].code
        yield tell("envcheck rules {code}   (what {code} means)", code=code)
    long = len(report.findings) > _MANY or len(report.plan.changed) + len(report.plan.dropped) > _MANY
    if long and not verbose and report.verdict is not Verdict.BLOCKED:
        yield everything


def _after_lock(
    report: Report, lock: str, format_name: str, environment: str | None, options: Callable[[str], str]
) -> Iterator[str]:
    """How to install a lock, and what it does not hold."""
    name, quoted = shlex.quote(report.environment.name), shlex.quote(lock)
    resolved = report.pip_resolution is not None and not report.pip_resolution.trouble
    if format_name == "pixi-lock-v7":
        imported = shlex.quote(environment or f"environment.{report.target.platform}.yml")
        if environment is None:
            asked = [shlex.quote(mask(report.export.path)), options("lock"), "--lock", quoted]
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
