"""Findings 7xx: whether the same file gives the same environment tomorrow."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, Facts, some_of

__all__ = ["engines_disagree", "python_not_pinned", "without_md5"]


def python_not_pinned(facts: Facts) -> Iterator[Draft]:
    """Nothing says which Python is wanted.

    Every build of the image may bring another one, and with it other versions of nearly everything.

    Fix: add ``python=3.X`` to the dependencies.
    """
    chosen = next((record.version for record in facts.plan.packages if record.name == "python"), None)
    if facts.environment.python is not None or chosen is None:
        return
    minor = ".".join(chosen.split(".")[:2])
    yield Draft(
        severity=Severity.INFO,
        subject="python",
        message=say("no Python version is asked for; today that gives {chosen}", chosen=chosen),
        remedies=(
            Remedy(
                action=RemedyAction.EDIT,
                summary=say("add python={minor} to the dependencies", minor=minor),
                spec=f"python={minor}",
                verified=facts.plan.solved,
            ),
        ),
    )


def without_md5(facts: Facts) -> Iterator[Draft]:
    """The channel states no md5 for a package of the plan.

    conda-lock.yml needs one for every conda package, so it cannot be written.

    Fix: ask the channel's owner to index it again; ``--explicit`` files can hold the sha256 instead.
    """
    names = [record.name for record in facts.plan.packages if record.md5 is None]
    if names:
        listed = some_of(names)
        yield Draft(
            severity=Severity.WARNING,
            subject=names[0],
            message=say("the channel states no md5, so conda-lock.yml cannot be written: {listed}", listed=listed),
        )


def engines_disagree(facts: Facts) -> Iterator[Draft]:
    """A second engine says otherwise about whether the plan can be installed (``--cross-check``).

    Whoever installs with a tool of the other engine may see what it saw. Two different solutions are no disagreement.

    Fix: install from the lock, which was judged without any solver; report the case.
    """
    opinion = facts.second_opinion
    if opinion is not None and not opinion.agrees:
        yield Draft(
            severity=Severity.WARNING,
            subject=opinion.engine.name,
            message=say(
                "{name} {version} does not agree: {explanation}",
                name=opinion.engine.name,
                version=opinion.engine.version,
                explanation=opinion.explanation,
            ),
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("install from the lock, and report the case")),),
        )
