"""Channel names and URLs, as sources and users write them, resolved to what is fetched and what may be written down.

The rules are conda's (``conda/models/channel.py``, version 26.7): a name is looked up among the multichannels, then the
custom channels, then put behind the channel alias. On top of that stand three things conda does not do. URLs are mended
(platform suffixes, old hosts); known mirrors are recognised, so that a lock names the channel and not the mirror; and
every change is kept as an edit, for the user to read.

Pure functions: the configuration is read elsewhere (`envcheck.condarc`), nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envcheck.channel_urls import (
    KNOWN_SUBDIRS,
    URL,
    below,
    custom_base,
    is_bare_url,
    is_path,
    is_readable,
    join,
    on_public_host,
    path_to_url,
    stems,
    without_index,
    without_platform,
)
from envcheck.condarc import Configuration
from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.mirrors import ANACONDA_ORG, REPO_ANACONDA_COM, recognise
from envcheck.model import Channel, ChannelReference, NormalizedEdit
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "ChannelResolution",
    "canonical_channel",
    "resolve_channels",
]

# What stands in channel lists without being a channel: the source of pip rows (``pypi``, ``<pip>``) and of develop
# installs, packages from nowhere (UNKNOWN_CHANNEL in conda/base/constants.py), and the folder of conda-build's output.
_NON_CHANNELS = frozenset({"", "pypi", "pip", "<pip>", "<develop>", "<unknown>", "unknown", "none", "null", "local"})

_SUBDIR_SELECTOR = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelResolution:
    """The channels of a target, in order of priority, and how they came about.

    ``edits`` are all changes on the way; ``mended`` those among them that correct an address that is written wrongly.
    ``non_channels`` are references that name no channel (``pypi``); ``denied`` are channels that the configuration's
    allow and deny lists keep out; neither is among ``channels``.
    """

    channels: tuple[Channel, ...]
    edits: tuple[NormalizedEdit, ...] = ()
    mended: tuple[NormalizedEdit, ...] = ()
    non_channels: tuple[ChannelReference, ...] = ()
    denied: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """A channel as somebody named it."""

    text: str
    origin: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What one mention stands for, and the edits that it took."""

    channels: tuple[Channel, ...]
    edits: tuple[NormalizedEdit, ...] = ()
    mended: tuple[NormalizedEdit, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# The list of channels
# ---------------------------------------------------------------------------------------------------------------------


def resolve_channels(
    references: Sequence[ChannelReference],
    configuration: Configuration,
    *,
    command_line: Sequence[str] = (),
    override: bool = False,
    platform: str,
) -> ChannelResolution:
    """Resolve every channel that has a say, in order of priority.

    The order is conda's: the command line's channels, the source's, then the configuration's, which are left out when
    the source says ``nodefaults`` (``_solve`` in ``conda/env/installers/conda.py``); ``defaults`` where nobody names
    any.

    Args:
        references: The channels of the source, in its order.
        configuration: The user's configuration.
        command_line: The values of ``--channel``.
        override: ``--override-channels``: the command line's channels only.
        platform: The platform of the target; ``defaults`` has one channel more on Windows.

    Returns:
        The channels, each once, with the edits made.

    Raises:
        ConfigurationError: ``override`` without any channel on the command line.
    """
    if override and not command_line:
        raise ConfigurationError(
            say("--override-channels needs at least one --channel."),
            hint=say("Add, for example, '--channel conda-forge'."),
        )
    channels: list[Channel] = []
    edits: list[NormalizedEdit] = []
    mended: list[NormalizedEdit] = []
    non_channels: list[ChannelReference] = []
    for mention in _mentions(references, configuration, command_line=command_line, override=override):
        text = mention.text.strip()
        if text == "nodefaults":
            if mention.origin != "condarc":
                edits.append(_edit(mention, None, say("nodefaults: the configured and default channels are not added")))
        elif text.lower() in _NON_CHANNELS or not is_readable(text):
            edits.append(_edit(mention, None, say("names no conda channel")))
            non_channels.append(ChannelReference(text=mention.text, line=mention.line or 0))
        else:
            resolved = _resolve(mention, text, configuration, platform)
            edits.extend(resolved.edits)
            mended.extend(resolved.mended)
            for channel in resolved.channels:
                if any(known.url == channel.url for known in channels):
                    if mention.origin in {"source", "command line"}:
                        edits.append(
                            _edit(mention, channel.name, say("the channel is named before; the first place counts"))
                        )
                else:
                    channels.append(channel)
    denied = [channel for channel in channels if _is_denied(channel, configuration, platform)]
    edits += [
        NormalizedEdit(
            subject=channel.name,
            before=channel.name,
            after=None,
            reason=say("allowlist_channels or denylist_channels of the configuration keep the channel out"),
            line=channel.line,
        )
        for channel in denied
    ]
    return ChannelResolution(
        channels=tuple(channel for channel in channels if channel not in denied),
        edits=tuple(edits),
        mended=tuple(mended),
        non_channels=tuple(non_channels),
        denied=tuple(denied),
    )


def _mentions(
    references: Sequence[ChannelReference],
    configuration: Configuration,
    *,
    command_line: Sequence[str],
    override: bool,
) -> list[_Mention]:
    mentions = [_Mention(text, "command line") for text in command_line]
    if override:
        return mentions
    mentions += [_Mention(reference.text, "source", reference.line) for reference in references]
    no_defaults = any(mention.text.strip() == "nodefaults" for mention in mentions)
    if not no_defaults:
        mentions += [_Mention(text, "condarc") for text in configuration.channels]
        no_defaults = "nodefaults" in configuration.channels
    named = any(mention.text.strip().lower() not in _NON_CHANNELS for mention in mentions)
    if not named and not no_defaults:
        mentions.append(_Mention("defaults", "default"))
    return mentions


def _resolve(mention: _Mention, text: str, configuration: Configuration, platform: str) -> _Resolved:
    name, edits = _mended(mention, text, configuration)
    if (members := _multichannel(name, configuration, platform)) is not None:
        channels = tuple(_channel(member, mention, configuration) for member in members)
        listed = ", ".join(channel.name for channel in channels)
        return _Resolved(
            channels, (*edits, _edit(mention, listed, say("'{name}' stands for several channels", name=name))), edits
        )
    return _Resolved((_channel(name, mention, configuration),), edits, edits)


def _is_denied(channel: Channel, configuration: Configuration, platform: str) -> bool:
    """Whether the lists keep a channel out (``validate_channels`` in ``conda/base/context.py``)."""

    def urls(texts: Sequence[str]) -> set[str]:
        return {found.url for text in texts for found in _members(text, configuration, platform)}

    if channel.url in urls(configuration.denylist_channels):
        return True
    return bool(configuration.allowlist_channels) and channel.url not in urls(configuration.allowlist_channels)


def _members(text: str, configuration: Configuration, platform: str) -> tuple[Channel, ...]:
    return _resolve(_Mention(text, "condarc"), text.strip(), configuration, platform).channels


def _edit(mention: _Mention, after: str | None, reason: str) -> NormalizedEdit:
    before = mask(mention.text)
    return NormalizedEdit(subject=before, before=before, after=after, reason=reason, line=mention.line)


# ---------------------------------------------------------------------------------------------------------------------
# One channel
# ---------------------------------------------------------------------------------------------------------------------


def canonical_channel(text: str, configuration: Configuration) -> tuple[str, str]:
    """The canonical name and URL of a channel, however it is written.

    Args:
        text: A name, a URL of any host, with or without a platform and credentials, or a path.
        configuration: The user's configuration.

    Returns:
        The short name (the URL where there is none) and the base URL without secrets. A multichannel such as
        ``defaults`` has no URL of its own, nor has what is no channel (``pypi``): their URL is the empty string.
    """
    if text.strip().lower() in _NON_CHANNELS or not is_readable(text):
        return strip_secrets(text.strip()), ""
    mention = _Mention(text, "source")
    name, _ = _mended(mention, text.strip(), configuration)
    if _multichannel(name, configuration, "linux-64") is not None:
        return name, ""
    channel = _channel(name, mention, configuration)
    return channel.name, channel.url


def _mended(mention: _Mention, text: str, configuration: Configuration) -> tuple[str, tuple[NormalizedEdit, ...]]:
    """The mention without what does not belong to a channel, as a name or a URL."""
    edits: list[NormalizedEdit] = []
    if is_path(text):
        text = path_to_url(text, configuration)
    elif is_bare_url(text):
        text = f"https://{text}"
        edits.append(_edit(mention, mask(text), say("an address begins with https://")))
    if not URL.match(text):
        name = _SUBDIR_SELECTOR.sub("", text).strip("/")
        stem, _, last = name.rpartition("/")
        if stem and last in KNOWN_SUBDIRS:
            name = stem
        name = strip_secrets(name)
        if name != text.strip("/"):
            edits.append(_edit(mention, name, say("a channel is named without a platform")))
        return name, tuple(edits)
    cleaned = without_index(text)
    channel = without_platform(cleaned)
    if channel != cleaned:
        edits.append(_edit(mention, mask(channel), say("a channel's URL ends before the platform")))
    elif cleaned.rstrip("/") != text.rstrip("/"):
        edits.append(_edit(mention, mask(channel), say("a channel's URL names no file and no empty folder")))
    if (public := on_public_host(channel)) is not None:
        if strip_secrets(public) != strip_secrets(channel):
            edits.append(_edit(mention, strip_secrets(public), say("the channel's address today")))
        channel = public
    return channel, tuple(edits)


def _channel(text: str, mention: _Mention, configuration: Configuration) -> Channel:
    """The channel that one name or mended URL stands for."""
    location = text if URL.match(text) else _location_of_name(text, configuration)
    name, url = _identify(text, location, configuration)
    # The user knows their network: what they configured for a channel wins over what somebody else's file says.
    locations = _configured_locations(name, url, location, configuration)
    match = recognise(locations[0])
    return Channel(
        name=name,
        url=url,
        locations=locations,
        mirror=None if match is None else match.mirror.name,
        origin=mention.origin,
        line=mention.line,
    )


def _location_of_name(name: str, configuration: Configuration) -> str:
    """Where conda would fetch a named channel from (``_get_channel_for_name``)."""
    custom = dict(configuration.custom_channels)
    for stem in stems(name):
        if stem in custom:
            return join(custom_base(stem, custom[stem], configuration), name)
    if name.startswith("pkgs/"):
        # Members of the default channels are known by their short names, so a mirror that is configured for `defaults`
        # serves them, too.
        for member in configuration.default_channels:
            location = _location_of_member(member, configuration)
            if (match := recognise(location)) is not None and match.channel == name:
                return location
        return join(REPO_ANACONDA_COM, name)
    return join(configuration.channel_alias, name)


def _identify(text: str, location: str, configuration: Configuration) -> tuple[str, str]:
    """The canonical name and URL of the channel at ``location``, which was written as ``text``."""
    clean = strip_secrets(location).rstrip("/")
    if (match := recognise(clean)) is not None:
        return match.channel, match.url
    for origin in (ANACONDA_ORG, REPO_ANACONDA_COM):
        if (name := below(clean, origin)) is not None:
            return name, clean
    for custom, value in sorted(configuration.custom_channels, key=lambda item: -len(item[0])):
        base = strip_secrets(custom_base(custom, value, configuration))
        if clean == join(base, custom) or below(clean, join(base, custom)) is not None:
            return clean[len(base.rstrip("/")) + 1 :], clean
    for key, mirrors in configuration.mirrored_channels:
        if clean in {strip_secrets(mirror).rstrip("/") for mirror in mirrors}:
            # Given by the address of one of its mirrors, the channel is still the one that they mirror.
            named = without_platform(key) if URL.match(key) else _location_of_name(key.strip("/"), configuration)
            named = strip_secrets(named).rstrip("/")
            if named != clean:
                return _identify(key, named, replace(configuration, mirrored_channels=()))
    if (name := below(clean, strip_secrets(configuration.channel_alias).rstrip("/"))) is not None:
        return name, clean
    return (clean if URL.match(text) else text), clean


def _configured_locations(name: str, url: str, location: str, configuration: Configuration) -> tuple[str, ...]:
    """Where the channel is fetched from: the configured mirrors, a configured known mirror, or ``location``."""
    for key, mirrors in configuration.mirrored_channels:
        mirrored = key.rstrip("/") if URL.match(key) else _location_of_name(key.strip("/"), configuration)
        if mirrors and url in {strip_secrets(mirrored), _identify(key, mirrored, configuration)[1]}:
            return tuple(without_platform(mirror) for mirror in mirrors)
    # A canonical address names the channel and no server in particular, so that locks work behind a user's mirror.
    if location == url and (match := recognise(named := _location_of_name(name, configuration))) and match.url == url:
        return (named,)
    return (location,)


def _multichannel(name: str, configuration: Configuration, platform: str) -> tuple[str, ...] | None:
    """The members of a multichannel, ``None`` for a plain channel (``custom_multichannels`` in conda's context)."""
    for key, members in configuration.custom_multichannels:
        if key == name:
            return tuple(_location_of_member(member, configuration) for member in members)
    if name != "defaults":
        return None
    if configuration.default_channels:
        return tuple(_location_of_member(member, configuration) for member in configuration.default_channels)
    # DEFAULT_CHANNELS_UNIX and DEFAULT_CHANNELS_WIN in conda/base/constants.py; it is the target that decides.
    members = ("pkgs/main", "pkgs/r", "pkgs/msys2") if platform.startswith("win-") else ("pkgs/main", "pkgs/r")
    return tuple(join(REPO_ANACONDA_COM, member) for member in members)


def _location_of_member(member: str, configuration: Configuration) -> str:
    """A member of a multichannel is a URL or goes behind the channel alias (``Channel.make_simple_channel``)."""
    member = member.strip()
    if is_path(member):
        member = path_to_url(member, configuration)
    if URL.match(member):
        cleaned = without_platform(without_index(member))
        return on_public_host(cleaned) or cleaned
    if member.startswith("pkgs/") and not dict(configuration.custom_channels).get(member):
        return join(REPO_ANACONDA_COM, member)
    return _location_of_name(member.strip("/"), configuration)
