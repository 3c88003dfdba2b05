"""``envcheck explain``'s answer: text that is short enough to be read, and JSON with all of it."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from envcheck.explain import Build, Explanation, Place
from envcheck.kept_out import Obstacle, Opponent, Standing
from envcheck.model import Availability, PipPresence, Presence
from envcheck.reports.plain import plain
from envcheck.secrets import mask, mask_document

__all__ = ["SCHEMA_VERSION", "render_json", "render_text"]

SCHEMA_VERSION = 1

_BUILDS = 8
_NAMES = 4
_OPPONENTS = 6
_PROSE_LINES = 8
_HASH = re.compile(r"h[0-9a-f]{7}")
_ON_PACKAGE_INDEX = (PipPresence.WHEEL, PipPresence.PURE_WHEEL, PipPresence.SOURCE_ONLY)


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------


def render_text(explanation: Explanation, *, width: int = 80) -> str:
    """An explanation as text, a screen at most.

    Args:
        explanation: The explanation.
        width: Columns to wrap at.

    Returns:
        The text, with a final newline.
    """
    lines = [f"{_asked(explanation)} on {explanation.platform}: {_answer(explanation)}"]
    lines += [
        f"{status.channel.name} could not be read ({status.detail or status.state.value})"
        for status in explanation.silent
    ]
    lines += ["", *_where(explanation)]
    if explanation.unknown is not None:
        lines += _unknown(explanation.unknown, explanation)
    if explanation.builds:
        lines += ["", *_builds(explanation)]
    if explanation.standing is not None:
        lines += ["", *_standing(explanation.standing, explanation)]
    wrapped = [line for text in lines for line in (_wrapped(plain(mask(text)), width) if text else [""])]
    return "\n".join(wrapped).rstrip("\n") + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(
        text, width, subsequent_indent=f"{indent}    ", break_long_words=False, break_on_hyphens=False
    ) or [""]


def _asked(explanation: Explanation) -> str:
    requirement = explanation.requirement
    if requirement.build is not None or requirement.pin is None:
        return requirement.text
    return f"{requirement.name} {requirement.pin}"


def _answer(explanation: Explanation) -> str:
    standing = explanation.standing
    if standing is not None and explanation.found and not standing.fine:
        return "it exists, but something keeps it out of the environment"
    if explanation.found:
        return "it exists"
    if explanation.silent:
        return "not found, but not every channel could be read"
    own = [place for place in explanation.places if place.own]
    needs = next((place.needs for place in own if place.needs), None)
    if needs is not None:
        return f"only in builds that need {needs}, which the target does not have"
    if any(place.count for place in own):
        return "the channels have the package, but not this"
    if any(place.count for place in explanation.places):
        return "only in channels that are not among yours"
    return "only for other platforms" if explanation.elsewhere else "no channel has it"


def _where(explanation: Explanation) -> list[str]:
    rows = [
        (_channel_words(place), _versions_words(place), _has_words(place, explanation)) for place in explanation.places
    ]
    lines = [f"  {line}" for line in _columns(rows)]
    with_it = {place.channel for place in explanation.places}
    without = [name for name in explanation.channels if name not in with_it]
    if without:
        lines.append(f"  not in {', '.join(without)}")
    outside = [place for place in explanation.places if not place.own and place.count and place.has is not False]
    if outside and not explanation.found:
        lines.append(f"  use it with -c {outside[0].channel}")
    needs = next((place.needs for place in explanation.places if place.own and place.needs), None)
    if needs is not None and not explanation.found:
        lines.append(f"  where it has one: --virtual-package {needs.split()[0]}=VERSION, or --image")
    if explanation.nearest:
        lines.append(f"  nearest versions: {', '.join(explanation.nearest)}")
    for platform in dict.fromkeys(place.platform for place in explanation.elsewhere):
        there = [place for place in explanation.elsewhere if place.platform == platform]
        if explanation.requirement.pin is not None:
            lines.append(f"  {platform} has {explanation.requirement.pin}: {_some([one.channel for one in there])}")
        else:
            words = [f"{place.channel} ({_versions_words(place)})" for place in there]
            lines.append(f"  {platform} has it: {_some(words)}")
    return lines


def _channel_words(place: Place) -> str:
    return place.channel if place.own else f"{place.channel} (not among your channels)"


def _versions_words(place: Place) -> str:
    if not place.count:
        return "nothing that can be used"
    if place.count == 1:
        return f"1 version, {place.newest}"
    return f"{place.count} versions, {place.oldest} to {place.newest}"


def _has_words(place: Place, explanation: Explanation) -> str:
    if place.needs is not None:
        return f"needs {place.needs}"
    if place.has is None:
        return ""
    what = (
        "this build" if explanation.requirement.build is not None else explanation.requirement.pin or "such a version"
    )
    return f"has {what}" if place.has else f"lacks {what}"


def _builds(explanation: Explanation) -> list[str]:
    shown = _telling(explanation.builds)[:_BUILDS]
    title = f"Builds of {explanation.requirement.name} {explanation.builds_of}"
    if explanation.requirement.pin is not None and not any(place.has for place in explanation.places):
        title += " (the newest)"
    lines = [f"{title}:", *(f"  {line}" for line in _columns([_build_cells(build) for build in shown]))]
    rest = [build for build in explanation.builds if build not in shown]
    if rest:
        pythons = {build.python for build in rest if build.python} - {build.python for build in shown}
        also = f" (Python {', '.join(sorted(pythons))})" if pythons else ""
        lines.append(f"  and {len(rest)} more{also}")
    return lines


def _telling(builds: Sequence[Build]) -> list[Build]:
    """The builds without those that are the same again: an earlier build number, other hashes."""
    kinds: dict[tuple[object, ...], Build] = {}
    for build in builds:
        kind = _HASH.sub("", build.build.removesuffix(f"_{build.build_number}"))
        kinds.setdefault((build.channel, build.python, build.needs, kind), build)
    return list(kinds.values())


def _build_cells(build: Build) -> tuple[str, ...]:
    needs = ", ".join(
        # The upper bound of a build for glibc is the next major version, which will never be.
        need.partition(",<3.0.a0")[0] + (" (not on the target)" if need == build.lacks else "")
        for need in sorted(build.needs, key=lambda need: (need != build.lacks, need))
    )
    return (
        build.build,
        f"python {build.python}" if build.python else "any python" if build.noarch else "",
        "noarch" if build.noarch else "",
        build.channel,
        f"needs {needs}" if needs else "",
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip() for row in rows
    ]


def _unknown(unknown: Availability, explanation: Explanation) -> list[str]:
    lines = []
    if unknown.presence is Presence.RENAMED:
        lines.append(f"  here it is called {unknown.close_names[0]}")
    elif unknown.close_names:
        lines.append(f"  close names: {', '.join(unknown.close_names)}")
    if unknown.counterparts:
        lines.append(f"  on {explanation.platform} its job is done by {', '.join(unknown.counterparts)}")
    pypi = unknown.pypi
    if pypi is None:
        if not explanation.silent and not unknown.close_names and not explanation.elsewhere:
            lines.append("  the Python package index was not asked or did not answer")
    elif pypi.presence in _ON_PACKAGE_INDEX:
        kind = "only its source" if pypi.presence is PipPresence.SOURCE_ONLY else "a wheel"
        lines.append(f"  the Python package index has {pypi.name} {pypi.version} ({kind}): pip can install it")
    elif pypi.presence is PipPresence.NO_PROJECT:
        lines.append("  the Python package index has no project of that name")
    elif pypi.presence is not PipPresence.NOT_CHECKED:
        detail = f" ({pypi.detail})" if pypi.detail else ""
        lines.append(f"  the Python package index has {pypi.name}, but not for this target{detail}")
    return lines


def _standing(standing: Standing, explanation: Explanation) -> list[str]:
    lines = [f"{standing.source}:", f"  {_row_words(standing)}", f"  {_held_words(standing, explanation)}"]
    name, asked = explanation.requirement.name, _spec_words(standing.asked)
    python = f" with Python {standing.python}" if standing.python else ""
    match standing.obstacle:
        case Obstacle.HELD:
            pass
        case Obstacle.NONE:
            changed = (
                f"{_counted(standing.changes, 'other version')} would change"
                if standing.changes
                else "all other versions stay"
            )
            lines.append(f"  nothing keeps {name} {standing.closest} out; {changed} (dry-solved)")
        case Obstacle.ABSENT:
            lines.append(f"  {asked} does not exist for {explanation.platform} in its channels")
        case Obstacle.PYTHON if standing.opponents:
            lines.append(f"  {asked} is kept out by {_counted(len(standing.opponents), 'package')}:")
            lines += _opponents(standing.opponents)
        case Obstacle.PYTHON:
            built = f", but for {', '.join(standing.pythons)}" if standing.pythons else ""
            lines.append(f"  {asked} is not built for Python {standing.python}{built}")
        case Obstacle.CONFLICT:
            proof = " (dry-solved)" if standing.confirmed else ""
            lines.append(f"  {asked}{python} does not go together with this{proof}:")
            lines += _opponents(standing.opponents)
            lines += _prose("the solver says", standing.detail)
            if not any(opponent.direct for opponent in standing.opponents):
                lines.append("  none of these was asked for by name: other versions of them may let it in")
        case Obstacle.MISSING:
            what = standing.detail or "something further down"
            lines.append(f"  {asked} needs {what}, which cannot be had{python}")
        case Obstacle.ENGINE:
            lines.append(f"  {asked} does not go together with the rest")
            lines += _prose("the solver says", standing.detail)
        case Obstacle.NO_PLAN:
            lines.append("  no plan was found to compare with; envcheck check says why")
    if not standing.fine and standing.held is None and standing.closest is not None:
        lines.append(f"  {name} {standing.closest} would go together with what was asked for (dry-solved)")
    return lines


def _prose(title: str, prose: str) -> list[str]:
    """The beginning of what an engine says, if it says anything."""
    said = prose.splitlines()
    more = ["    …"] if len(said) > _PROSE_LINES else []
    return [f"  {title}:", *(f"    {line}" for line in said[:_PROSE_LINES]), *more] if said else []


def _opponents(opponents: Sequence[Opponent]) -> list[str]:
    lines = []
    for opponent in opponents[:_OPPONENTS]:
        origin = "" if opponent.direct else " (came along)"
        clash = f": {opponent.clash}" if opponent.clash else ""
        lines.append(f"    {opponent.name} {opponent.version}{origin}{clash}")
    if len(opponents) > _OPPONENTS:
        lines.append(f"    and {len(opponents) - _OPPONENTS} more")
    return lines


def _row_words(standing: Standing) -> str:
    if standing.row is None:
        return "it is not listed"
    origin = "asked for by name"
    if not standing.direct:
        origin = f"came along with {_some(standing.needed_by)}" if standing.needed_by else "came along"
    row = standing.row
    text = row.text if row.url is None else f"{row.name} {row.pin or ''}".rstrip()
    return f"line {row.line}: {text}; {origin}"


def _held_words(standing: Standing, explanation: Explanation) -> str:
    if standing.held is not None:
        needed = f", which {_some(standing.needed_there)} need" if standing.needed_there else ""
        needed += "s" if len(standing.needed_there) == 1 else ""
        return f"the plan holds {explanation.requirement.name} {standing.held}{needed}"
    reason = f": {standing.plan_reason}" if standing.plan_reason else ""
    return f"the plan does not hold it{reason}"


def _spec_words(spec: str) -> str:
    """``numpy 1.21.2`` for ``numpy ==1.21.2`` and ``numpy 1.21.2.*``."""
    return spec.replace(" ==", " ").removesuffix(".*")


def _some(names: Sequence[str]) -> str:
    if len(names) > _NAMES:
        return f"{', '.join(names[: _NAMES - 1])} and {len(names) - _NAMES + 1} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# ---------------------------------------------------------------------------------------------------------------------
# JSON
# ---------------------------------------------------------------------------------------------------------------------


def render_json(explanation: Explanation) -> str:
    """An explanation as JSON text, with sorted keys and a final newline; nothing is left out of it."""
    requirement = explanation.requirement
    document = {
        "schema_version": SCHEMA_VERSION,
        "name": requirement.name,
        "version": requirement.version,
        "build": requirement.build,
        "platform": explanation.platform,
        "channels": list(explanation.channels),
        "found": explanation.found,
        "fine": explanation.fine,
        "places": [_place(place) for place in explanation.places],
        "elsewhere": [_place(place) for place in explanation.elsewhere],
        "nearest": list(explanation.nearest),
        "builds": [_build(build) for build in explanation.builds],
        "unknown": None if explanation.unknown is None else _availability(explanation.unknown),
        "environment": None if explanation.standing is None else _standing_document(explanation.standing),
        "unread_channels": [
            {"name": status.channel.name, "state": status.state.value, "detail": status.detail}
            for status in explanation.silent
        ],
    }
    # Escaped to ASCII, so that no terminal obeys anything in it.
    return json.dumps(mask_document(document), indent=2, sort_keys=True) + "\n"


def _place(place: Place) -> dict[str, Any]:
    return {
        "channel": place.channel,
        "platform": place.platform,
        "among_channels": place.own,
        "versions": place.count,
        "oldest": place.oldest or None,
        "newest": place.newest or None,
        "has_asked": place.has,
        "needs": place.needs,
    }


def _build(build: Build) -> dict[str, Any]:
    return {
        "version": build.version,
        "build": build.build,
        "build_number": build.build_number,
        "subdir": build.subdir,
        "channel": build.channel,
        "python": build.python,
        "needs": list(build.needs),
        "lacks": build.lacks,
    }


def _availability(unknown: Availability) -> dict[str, Any]:
    pypi = unknown.pypi
    return {
        "presence": unknown.presence.value,
        "close_names": list(unknown.close_names),
        "counterparts": list(unknown.counterparts),
        "pypi": None if pypi is None else {"name": pypi.name, "presence": pypi.presence.value, "version": pypi.version},
    }


def _standing_document(standing: Standing) -> dict[str, Any]:
    row = standing.row
    return {
        "source": standing.source,
        "row": None if row is None else {"line": row.line, "text": row.text},
        "direct": standing.direct,
        "needed_by": list(standing.needed_by),
        "held": standing.held,
        "needed_in_plan_by": list(standing.needed_there),
        "plan_reason": standing.plan_reason or None,
        "asked": standing.asked,
        "obstacle": standing.obstacle.value,
        "opponents": [_opponent(opponent) for opponent in standing.opponents],
        "python": standing.python,
        "built_for_python": list(standing.pythons),
        "detail": standing.detail or None,
        "closest": standing.closest,
        "other_changes": standing.changes if standing.obstacle is Obstacle.NONE else None,
        "confirmed": standing.confirmed,
    }


def _opponent(opponent: Opponent) -> dict[str, Any]:
    return {
        "name": opponent.name,
        "version": opponent.version,
        "direct": opponent.direct,
        "clash": opponent.clash or None,
    }
