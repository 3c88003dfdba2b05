"""``envcheck explain``'s answer: text that is short enough to be read, and JSON with all of it."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from envcheck.explain import Build, Explanation, Place
from envcheck.kept_out import Obstacle, Opponent, Standing
from envcheck.language import ENGLISH, in_language, joined, language, plural, say, tell, tell_plural, told
from envcheck.model import Availability, PipPresence, Presence
from envcheck.reports.plain import plain
from envcheck.secrets import mask, mask_document
from envcheck.wide_text import cell_width, padded, wrapped

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
    explanation = in_language(explanation)
    lines = [
        tell(
            "{asked} on {platform}: {answer}",
            asked=_asked(explanation),
            platform=explanation.platform,
            answer=_answer(explanation),
        )
    ]
    lines += [
        tell(
            "{name} could not be read ({detail})", name=status.channel.name, detail=status.detail or status.state.value
        )
        for status in explanation.silent
    ]
    lines += ["", *_where(explanation)]
    if explanation.unknown is not None:
        lines += _unknown(explanation.unknown, explanation)
    if explanation.builds:
        lines += ["", *_builds(explanation)]
    if explanation.standing is not None:
        lines += ["", *_standing(explanation.standing, explanation)]
    page = [line for text in lines for line in (_wrapped(plain(mask(text)), width) if text else [""])]
    return "\n".join(page).rstrip("\n") + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    if language() != ENGLISH:
        # A line that fits keeps its columns.
        return [text] if cell_width(text) <= width else wrapped(text, width, indent=indent, hanging=f"{indent}    ")
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
        return tell("it exists, but something keeps it out of the environment")
    if explanation.found:
        return tell("it exists")
    if explanation.silent:
        return tell("not found, but not every channel could be read")
    own = [place for place in explanation.places if place.own]
    needs = next((place.needs for place in own if place.needs), None)
    if needs is not None:
        return tell("only in builds that need {needs}, which the target does not have", needs=needs)
    if any(place.count for place in own):
        return tell("the channels have the package, but not this")
    if any(place.count for place in explanation.places):
        return tell("only in channels that are not among yours")
    return tell("only for other platforms") if explanation.elsewhere else tell("no channel has it")


def _where(explanation: Explanation) -> list[str]:
    rows = [
        (_channel_words(place), _versions_words(place), _has_words(place, explanation)) for place in explanation.places
    ]
    lines = [f"  {line}" for line in _columns(rows)]
    with_it = {place.channel for place in explanation.places}
    without = [name for name in explanation.channels if name not in with_it]
    if without:
        lines.append(tell("  not in {without}", without=", ".join(without)))
    outside = [place for place in explanation.places if not place.own and place.count and place.has is not False]
    if outside and not explanation.found:
        lines.append(tell("  use it with -c {channel}", channel=outside[0].channel))
    needs = next((place.needs for place in explanation.places if place.own and place.needs), None)
    if needs is not None and not explanation.found:
        lines.append(tell("  where it has one: --virtual-package {name}=VERSION, or --image", name=needs.split()[0]))
    if explanation.nearest:
        lines.append(tell("  nearest versions: {nearest}", nearest=", ".join(explanation.nearest)))
    for platform in dict.fromkeys(place.platform for place in explanation.elsewhere):
        there = [place for place in explanation.elsewhere if place.platform == platform]
        if explanation.requirement.pin is not None:
            lines.append(
                tell(
                    "  {platform} has {pin}: {names}",
                    platform=platform,
                    pin=explanation.requirement.pin,
                    names=_some([one.channel for one in there]),
                )
            )
        else:
            words = [
                tell("{channel} ({versions})", channel=place.channel, versions=_versions_words(place))
                for place in there
            ]
            lines.append(tell("  {platform} has it: {words}", platform=platform, words=_some(words)))
    return lines


def _channel_words(place: Place) -> str:
    return place.channel if place.own else tell("{channel} (not among your channels)", channel=place.channel)


def _versions_words(place: Place) -> str:
    if not place.count:
        return tell("nothing that can be used")
    if place.count == 1:
        return tell("1 version, {newest}", newest=place.newest)
    return tell("{count} versions, {oldest} to {newest}", count=place.count, oldest=place.oldest, newest=place.newest)


def _has_words(place: Place, explanation: Explanation) -> str:
    if place.needs is not None:
        return tell("needs {needs}", needs=place.needs)
    if place.has is None:
        return ""
    what = (
        tell("this build")
        if explanation.requirement.build is not None
        else explanation.requirement.pin or tell("such a version")
    )
    return tell("has {what}", what=what) if place.has else tell("lacks {what}", what=what)


def _builds(explanation: Explanation) -> list[str]:
    shown = _telling(explanation.builds)[:_BUILDS]
    title = tell("Builds of {name} {version}:", name=explanation.requirement.name, version=explanation.builds_of)
    if explanation.requirement.pin is not None and not any(place.has for place in explanation.places):
        title = tell(
            "Builds of {name} {version} (the newest):",
            name=explanation.requirement.name,
            version=explanation.builds_of,
        )
    lines = [title, *(f"  {line}" for line in _columns([_build_cells(build) for build in shown]))]
    rest = [build for build in explanation.builds if build not in shown]
    if rest:
        pythons = {build.python for build in rest if build.python} - {build.python for build in shown}
        also = tell(" (Python {names})", names=", ".join(sorted(pythons))) if pythons else ""
        lines.append(tell("  and {count} more{also}", count=len(rest), also=also))
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
        need.partition(",<3.0.a0")[0] + (tell(" (not on the target)") if need == build.lacks else "")
        for need in sorted(build.needs, key=lambda need: (need != build.lacks, need))
    )
    return (
        build.build,
        f"python {build.python}" if build.python else tell("any python") if build.noarch else "",
        "noarch" if build.noarch else "",
        build.channel,
        tell("needs {needs}", needs=needs) if needs else "",
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their cells below each other."""
    widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
        for row in rows
    ]


def _unknown(unknown: Availability, explanation: Explanation) -> list[str]:
    lines = []
    if unknown.presence is Presence.RENAMED:
        lines.append(tell("  here it is called {close_name}", close_name=unknown.close_names[0]))
    elif unknown.close_names:
        lines.append(tell("  close names: {close_names}", close_names=", ".join(unknown.close_names)))
    if unknown.counterparts:
        lines.append(
            tell(
                "  on {platform} its job is done by {counterparts}",
                platform=explanation.platform,
                counterparts=", ".join(unknown.counterparts),
            )
        )
    pypi = unknown.pypi
    if pypi is None:
        if not explanation.silent and not unknown.close_names and not explanation.elsewhere:
            lines.append(tell("  the Python package index was not asked or did not answer"))
    elif pypi.presence in _ON_PACKAGE_INDEX:
        kind = say("only its source") if pypi.presence is PipPresence.SOURCE_ONLY else say("a wheel")
        lines.append(
            tell(
                "  the Python package index has {name} {version} ({kind}): pip can install it",
                name=pypi.name,
                version=pypi.version,
                kind=kind,
            )
        )
    elif pypi.presence is PipPresence.NO_PROJECT:
        lines.append(tell("  the Python package index has no project of that name"))
    elif pypi.presence is not PipPresence.NOT_CHECKED:
        detail = tell(" ({detail})", detail=pypi.detail) if pypi.detail else ""
        lines.append(
            tell(
                "  the Python package index has {name}, but not for this target{detail}", name=pypi.name, detail=detail
            )
        )
    return lines


def _standing(standing: Standing, explanation: Explanation) -> list[str]:
    lines = [f"{standing.source}:", f"  {_row_words(standing)}", f"  {_held_words(standing, explanation)}"]
    name, asked = explanation.requirement.name, _spec_words(standing.asked)
    python = tell(" with Python {python}", python=standing.python) if standing.python else ""
    match standing.obstacle:
        case Obstacle.HELD:
            pass
        case Obstacle.NONE:
            changed = (
                tell_plural(
                    standing.changes, "{count} other version would change", "{count} other versions would change"
                )
                if standing.changes
                else tell("all other versions stay")
            )
            lines.append(
                tell(
                    "  nothing keeps {name} {closest} out; {changed} (dry-solved)",
                    name=name,
                    closest=standing.closest,
                    changed=changed,
                )
            )
        case Obstacle.ABSENT:
            lines.append(
                tell(
                    "  {asked} does not exist for {platform} in its channels",
                    asked=asked,
                    platform=explanation.platform,
                )
            )
        case Obstacle.PYTHON if standing.opponents:
            lines.append(
                tell(
                    "  {asked} is kept out by {packages}:",
                    asked=asked,
                    packages=plural(len(standing.opponents), "{count} package", "{count} packages"),
                )
            )
            lines += _opponents(standing.opponents)
        case Obstacle.PYTHON:
            built = tell(", but for {pythons}", pythons=", ".join(standing.pythons)) if standing.pythons else ""
            lines.append(
                tell(
                    "  {asked} is not built for Python {python}{built}",
                    asked=asked,
                    python=standing.python,
                    built=built,
                )
            )
        case Obstacle.CONFLICT:
            proof = tell(" (dry-solved)") if standing.confirmed else ""
            lines.append(
                tell(
                    "  {asked}{python} does not go together with this{proof}:", asked=asked, python=python, proof=proof
                )
            )
            lines += _opponents(standing.opponents)
            lines += _prose(tell("the solver says"), standing.detail)
            if not any(opponent.direct for opponent in standing.opponents):
                lines.append(tell("  none of these was asked for by name: other versions of them may let it in"))
        case Obstacle.MISSING:
            what = standing.detail or tell("something further down")
            lines.append(
                tell("  {asked} needs {what}, which cannot be had{python}", asked=asked, what=what, python=python)
            )
        case Obstacle.ENGINE:
            lines.append(tell("  {asked} does not go together with the rest", asked=asked))
            lines += _prose(tell("the solver says"), standing.detail)
        case Obstacle.NO_PLAN:
            lines.append(tell("  no plan was found to compare with; envcheck check says why"))
    if not standing.fine and standing.held is None and standing.closest is not None:
        lines.append(
            tell(
                "  {name} {closest} would go together with what was asked for (dry-solved)",
                name=name,
                closest=standing.closest,
            )
        )
    return lines


def _prose(title: str, prose: str) -> list[str]:
    """The beginning of what an engine says, if it says anything."""
    said = prose.splitlines()
    more = ["    …"] if len(said) > _PROSE_LINES else []
    return [tell("  {title}:", title=title), *(f"    {line}" for line in said[:_PROSE_LINES]), *more] if said else []


def _opponents(opponents: Sequence[Opponent]) -> list[str]:
    lines = []
    for opponent in opponents[:_OPPONENTS]:
        origin = "" if opponent.direct else tell(" (came along)")
        clash = tell(": {clash}", clash=opponent.clash) if opponent.clash else ""
        lines.append(f"    {opponent.name} {opponent.version}{origin}{clash}")
    if len(opponents) > _OPPONENTS:
        lines.append(tell("    and {count} more", count=len(opponents) - _OPPONENTS))
    return lines


def _row_words(standing: Standing) -> str:
    if standing.row is None:
        return tell("it is not listed")
    origin = tell("asked for by name")
    if not standing.direct:
        origin = (
            tell("came along with {needed_by}", needed_by=_some(standing.needed_by))
            if standing.needed_by
            else tell("came along")
        )
    row = standing.row
    text = row.text if row.url is None else f"{row.name} {row.pin or ''}".rstrip()
    return tell("line {line}: {text}; {origin}", line=row.line, text=text, origin=origin)


def _held_words(standing: Standing, explanation: Explanation) -> str:
    if standing.held is not None:
        needed = ""
        if standing.needed_there:
            names = _some(standing.needed_there)
            needed = tell_plural(
                len(standing.needed_there), ", which {names} needs", ", which {names} need", names=names
            )
        return tell(
            "the plan holds {name} {held}{needed}", name=explanation.requirement.name, held=standing.held, needed=needed
        )
    reason = tell(": {plan_reason}", plan_reason=standing.plan_reason) if standing.plan_reason else ""
    return tell("the plan does not hold it{reason}", reason=reason)


def _spec_words(spec: str) -> str:
    """``numpy 1.21.2`` for ``numpy ==1.21.2`` and ``numpy 1.21.2.*``."""
    return spec.replace(" ==", " ").removesuffix(".*")


def _some(names: Sequence[str]) -> str:
    if len(names) > _NAMES:
        listed = joined(", ", names[: _NAMES - 1])
        return tell("{names} and {count} more", names=listed, count=len(names) - _NAMES + 1)
    return told(joined(" and ", filter(None, [told(joined(", ", names[:-1])), names[-1]])))


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
