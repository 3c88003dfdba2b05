"""Findings 3xx: channels and mirrors."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import plural, say
from envcheck.model import ChannelState, DamageKind, Presence, Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, Facts, some_of
from envcheck.secrets import mask
from envcheck.urls import split_url

__all__ = [
    "channel_denied",
    "channel_from_builds",
    "channel_lacks_platform",
    "channel_mended",
    "channel_not_found",
    "channel_unreadable",
    "frozen_channel",
    "missing_conda_forge",
    "none_named",
    "not_a_channel",
    "plain_http",
]


def channel_not_found(facts: Facts) -> Iterator[Draft]:
    """A channel or mirror does not have what its name promises: it answers, but there is no such channel.

    Mirrors carry only some channels, and channels are removed. conda stops at the first one with ``HTTP 404``.

    Fix: remove the channel, or name another mirror of it.
    """
    for status in facts.statuses:
        if status.state is ChannelState.NOT_FOUND:
            channel = status.channel
            where = say(" on the {mirror} mirror", mirror=channel.mirror) if channel.mirror else ""
            yield Draft(
                severity=Severity.ERROR,
                subject=channel.name,
                message=say(
                    "the channel does not exist{where} for {platform}: {detail}",
                    where=where,
                    platform=facts.target.platform,
                    detail=status.detail,
                ),
                line=channel.line,
                remedies=(
                    Remedy(action=RemedyAction.EDIT, summary=say("remove the channel {name}", name=channel.name)),
                ),
            )


def channel_unreadable(facts: Facts) -> Iterator[Draft]:
    """A channel or mirror could not be read, so nothing can be said of the packages it may have.

    This is about the channel and not about the packages: while it is silent, a package that no other channel has is
    reported as unknown, and no plan or lock is made.

    Fix: run again later, check network, proxy and credentials, or name another mirror.
    """
    for status in facts.statuses:
        if status.silent:
            channel = status.channel
            where = say("the {mirror} mirror of ", mirror=channel.mirror) if channel.mirror else ""
            yield Draft(
                severity=Severity.ERROR,
                subject=channel.name,
                message=say(
                    "{where}{name} could not be read: {detail}", where=where, name=channel.name, detail=status.detail
                ),
                line=channel.line,
                remedies=(
                    Remedy(
                        action=RemedyAction.EDIT,
                        summary=say("run again later, or name another mirror with -c URL --override-channels"),
                    ),
                ),
            )


def channel_lacks_platform(facts: Facts) -> Iterator[Draft]:
    """A channel exists but has nothing for the target's platform (or no ``noarch``).

    ``pkgs/msys2``, for one, is a channel of Windows packages.

    Fix: nothing has to be done; a channel that only Windows uses can be removed.
    """
    for status in facts.statuses:
        if status.state is ChannelState.NO_SUBDIR:
            yield Draft(
                severity=Severity.INFO,
                subject=status.channel.name,
                message=status.detail,
                line=status.channel.line,
            )


def channel_mended(facts: Facts) -> Iterator[Draft]:
    """A channel is written in a way that does not name a channel, such as a URL that ends in ``/win-64``.

    conda appends the platform itself and asks for ``…/win-64/linux-64``.

    Fix: write the channel without the platform.
    """
    for edit in facts.channel_edits:
        yield Draft(
            severity=Severity.WARNING,
            subject=edit.subject,
            message=say("{reason}: {before}", reason=edit.reason, before=edit.before),
            line=edit.line,
            remedies=(
                Remedy(
                    action=RemedyAction.EDIT,
                    summary=say("remove it") if edit.after is None else say("write {spec}", spec=edit.after),
                    spec=edit.after,
                ),
            ),
        )


def not_a_channel(facts: Facts) -> Iterator[Draft]:
    """Something that is no channel stands among the channels, mostly ``pypi``.

    ``pypi`` is what ``conda list`` prints for packages that pip installed; conda would look for a channel of that name.

    Fix: remove it.
    """
    # Readers leave out what is no channel in any file; the rest shows only when channels are resolved.
    written = [
        (one.subject if one.subject == one.text.strip() else say("an entry ({text})", text=one.text), one.line)
        for one in facts.export.damage
        if one.kind is DamageKind.NON_CHANNEL
    ]
    resolved = [(reference.text, reference.line) for reference in facts.non_channels]
    for text, line in dict.fromkeys([*written, *resolved]):
        name = mask(text)
        yield Draft(
            severity=Severity.ERROR,
            subject=name,
            message=say("{name} is no channel; conda would look for one of that name", name=name),
            line=line or None,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("remove {name} from the channels", name=name)),),
        )


def none_named(facts: Facts) -> Iterator[Draft]:
    """The file has a list of channels, and nothing is in it.

    conda then takes the channels of its configuration, and without any the ``defaults``; another machine may have
    others. envcheck judges by those of the machine that it runs on.

    Fix: list the channels in the file; ``nodefaults`` keeps those of the configuration out.
    """
    damage = next((one for one in facts.export.damage if one.kind is DamageKind.NO_CHANNELS), None)
    if damage is None:
        return
    names = some_of([channel.name for channel in facts.target.channels])
    yield Draft(
        severity=Severity.INFO,
        subject="channels",
        message=say(
            "the file's list of channels is empty, so that each machine's own count; looked at here: {names}",
            names=names,
        )
        if names
        else say("the file's list of channels is empty, so that each machine's own count"),
        line=damage.line,
        remedies=(Remedy(action=RemedyAction.EDIT, summary=say("list the channels in the file")),),
    )


def missing_conda_forge(facts: Facts) -> Iterator[Draft]:
    """Packages are missing that conda-forge has, and conda-forge is not among the channels.

    This is the most frequent reason for ``PackagesNotFoundError`` on a machine other than the exporter's: its channels
    were configured there and the export does not carry them.

    Fix: add conda-forge to the channels (``conda config --add channels conda-forge``, or in the file).
    """
    told = [row.name for channel, rows in facts.told_channels if channel.name == "conda-forge" for row in rows]
    if not told and any(channel.name == "conda-forge" for channel in facts.target.channels):
        return
    names = told or [
        one.requirement.name
        for one in facts.availability
        if one.presence is Presence.OTHER_CHANNEL and any(s.channel == "conda-forge" for s in one.sightings)
    ]
    if not names:
        return
    listed = some_of(names)
    adopted = bool(told) or any(channel.name == "conda-forge" for channel in facts.plan.added_channels)
    yield Draft(
        severity=Severity.ERROR,
        subject="conda-forge",
        message=say("conda-forge is not among the channels and has {listed}", listed=listed),
        remedies=(
            Remedy(
                action=RemedyAction.ADD_CHANNEL,
                summary=say("add conda-forge to the channels"),
                spec="conda-forge",
                verified=facts.plan.solved and adopted,
            ),
        ),
    )


def channel_from_builds(facts: Facts) -> Iterator[Draft]:
    """Rows are builds that only another channel has: the environment used it, and the source does not name it.

    ``conda list`` prints no channels unless it is asked to, and an export names the configured ones only. The channel
    was put behind the others.

    Fix: name the channel (``-c CHANNEL``, or in the file); say ``--override-channels`` to do without it.
    """
    for channel, rows in facts.told_channels:
        if channel.name == "conda-forge":
            continue  # It has a finding of its own.
        yield Draft(
            severity=Severity.ERROR,
            subject=channel.name,
            message=plural(
                len(rows),
                "{names} is a build of this channel, which the source does not name",
                "{names} are builds of this channel, which the source does not name",
                names=some_of([f"{row.name} {row.pin} {row.build}" for row in rows], 3),
            ),
            line=rows[0].line,
            remedies=(
                Remedy(
                    action=RemedyAction.ADD_CHANNEL,
                    summary=say("add {name} to the channels", name=channel.name),
                    spec=channel.name,
                    verified=facts.plan.solved,
                ),
            ),
        )


def frozen_channel(facts: Facts) -> Iterator[Draft]:
    """``pkgs/free`` is among the channels: it has been frozen since 2017 and left ``defaults`` with conda 4.7.

    Its packages are too old for any current Python, and they slow the solver down.

    Fix: remove it; use ``pkgs/main`` or conda-forge.
    """
    for channel in facts.target.channels:
        if channel.name == "pkgs/free":
            yield Draft(
                severity=Severity.WARNING,
                subject=channel.name,
                message=say("pkgs/free has been frozen since 2017; it has nothing for Python 3.7 and later"),
                line=channel.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("remove pkgs/free from the channels")),),
            )


def plain_http(facts: Facts) -> Iterator[Draft]:
    """A channel of the source is asked over plain HTTP, so packages could be replaced on the way.

    Loopback addresses are not meant.

    Fix: write ``https://``.
    """
    for channel in facts.target.channels:
        first = channel.locations[0] if channel.locations else ""
        address = split_url(first)
        host = address.hostname or ""
        loopback = host in ("localhost", "::1") or host.startswith("127.")
        if channel.origin == "source" and address.scheme == "http" and not loopback:
            yield Draft(
                severity=Severity.WARNING,
                subject=channel.name,
                message=say("the channel is asked over plain HTTP"),
                line=channel.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("write https:// in its address")),),
            )


def channel_denied(facts: Facts) -> Iterator[Draft]:
    """The configuration's ``allowlist_channels`` or ``denylist_channels`` keep a channel out.

    conda refuses the whole file; envcheck goes on without the channel.

    Fix: remove the channel from the file, or have the list changed.
    """
    for channel in facts.denied_channels:
        yield Draft(
            severity=Severity.ERROR,
            subject=channel.name,
            message=say("the configuration does not allow this channel"),
            line=channel.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("remove the channel {name}", name=channel.name)),),
        )
