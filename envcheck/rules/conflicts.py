"""Findings 5xx about requirements beside each other: what cannot be installed, alone or together."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.model import Presence, Remedy, RemedyAction, Severity, Unsolved
from envcheck.rules.facts import Draft, Facts, some_of

__all__ = ["does_not_go_together", "nothing_solves", "uninstallable"]


def uninstallable(facts: Facts) -> Iterator[Draft]:
    """The channels have builds of the package for the target, and none of them can be installed, even alone.

    Something that they need does not exist there: another package, or a virtual package such as a newer ``__cuda`` than
    the target's. Each such package was dry-solved by itself.

    Fix: drop it, or let the target have what it needs (``envcheck explain NAME`` shows what that is).
    """
    lines = {one.requirement.name: one.requirement.line for one in facts.availability}
    for name in facts.plan.uninstallable:
        yield Draft(
            severity=Severity.ERROR,
            subject=name,
            message=say("no version of it can be installed on {platform}, even alone", platform=facts.target.platform),
            line=lines.get(name),
            remedies=(Remedy(action=RemedyAction.DROP, summary=say("drop it"), verified=facts.plan.solved),),
        )


def does_not_go_together(facts: Facts) -> Iterator[Draft]:
    """Every single requirement exists for the target, but they cannot all be installed at once in these versions.

    Libraries are built against other versions on another platform. The plan changes as little as its search found
    necessary; each change is listed with its reason. With ``--pins exact``, where nothing may change, there is a
    finding for each minimal set of requirements that do not go together.

    Fix: use the versions of the plan.
    """
    for conflict in facts.plan.conflicts:
        lines = {row.name: row.line for row in facts.export.requirements}
        names = [spec.split(" ")[0].rpartition("::")[2] for spec in conflict]
        yield Draft(
            severity=Severity.ERROR,
            subject=", ".join(names),
            message=say(
                "do not go together for {platform}: {conflict}",
                platform=facts.target.platform,
                conflict=", ".join(conflict),
            ),
            line=next((lines[name] for name in names if lines.get(name)), None),
            remedies=(
                Remedy(action=RemedyAction.CHANGE_VERSION, summary=say("let one of them change (--pins preserve)")),
            ),
        )
    if not facts.plan.solved:
        return
    settled = (Presence.AVAILABLE, Presence.BUILD_ELSEWHERE)
    available = {one.requirement.name: one for one in facts.availability if one.presence in settled}
    changed = [row for row in facts.plan.changed if row.name in available]
    direct = frozenset(facts.intent.direct)
    dropped = [row for row in facts.plan.dropped if row.name in available and row.name in direct]
    if not changed and not dropped:
        return
    names = [*(row.name for row in changed), *(row.name for row in dropped)]
    listed = some_of(names)
    yield Draft(
        severity=Severity.ERROR,
        subject=plural(len(names), "{count} package", "{count} packages"),
        message=say(
            "cannot be had together as pinned, though each exists for {platform}: {listed}",
            platform=facts.target.platform,
            listed=listed,
        ),
        line=available[names[0]].requirement.line,
        remedies=(
            Remedy(action=RemedyAction.CHANGE_VERSION, summary=say("use the versions of the plan"), verified=True),
        ),
    )


def nothing_solves(facts: Facts) -> Iterator[Draft]:
    """No version of the direct packages that exist for the target could be found to go together.

    Something that every version of one of them needs is missing, or is ruled out by another.

    Fix: read the solver's own words, where it has any; drop or free the packages that it names.
    """
    presences = {one.presence for one in facts.availability}
    if facts.plan.solved or Presence.UNKNOWN in presences or not any(one.exists for one in presences):
        return
    as_written = facts.as_written.explanation if isinstance(facts.as_written, Unsolved) else ""
    explanation = facts.plan.explanation or as_written
    yield Draft(
        severity=Severity.ERROR,
        subject=say("environment"),
        message=say("no plan was found")
        + (say("; the solver says: {explanation}", explanation=explanation) if explanation else ""),
    )
