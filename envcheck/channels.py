"""Channel names and URLs, as sources and users write them, resolved to what is fetched and what may be written down.

The rules are conda's (``conda/models/channel.py``, version 26.7): a name is looked up among the multichannels, then the
custom channels, then put behind the channel alias. On top of that stand three things conda does not do. URLs are mended
(platform suffixes, old hosts); known mirrors are recognised, so that a lock names the channel and not the mirror; and
every change is kept as an edit, for the user to read.

Pure functions: the configuration is read elsewhere (`envcheck.condarc`), nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from envcheck.condarc import Configuration
from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.mirrors import ANACONDA_ORG, REPO_ANACONDA_COM, recognise
from envcheck.model import Channel, ChannelReference, NormalizedEdit
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "KNOWN_SUBDIRS",
    "ChannelResolution",
    "PackageUrl",
    "canonical_channel",
    "channel_of_url",
    "resolve_channels",
]

# KNOWN_SUBDIRS in conda/base/constants.py.
KNOWN_SUBDIRS = frozenset(
    {"noarch", "emscripten-wasm32", "wasi-wasm32", "freebsd-64", "zos-z"}
    | {"linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l", "linux-ppc64", "linux-ppc64le"}
    | {"linux-riscv64", "linux-s390x", "osx-64", "osx-arm64", "win-32", "win-64", "win-arm64"}
)

# What stands in channel lists without being a channel: the source of pip rows (``pypi``, ``<pip>``) and of develop
# installs, packages from nowhere (UNKNOWN_CHANNEL in conda/base/constants.py), and the folder of conda-build's output.
_NON_CHANNELS = frozenset({"", "pypi", "pip", "<pip>", "<develop>", "<unknown>", "unknown", "none", "null", "local"})

# Addresses of the public channels under other hosts: repo.continuum.io is repo.anaconda.com's former name, binstar
# anaconda.org's; conda-static is the host behind conda.anaconda.org; anaconda.org/NAME is the page one looks at.
_PUBLIC_HOSTS = {
    "conda.anaconda.org": ANACONDA_ORG,
    "conda-static.anaconda.org": ANACONDA_ORG,
    "conda.binstar.org": ANACONDA_ORG,
    "anaconda.org": ANACONDA_ORG,
    "www.anaconda.org": ANACONDA_ORG,
    "repo.anaconda.com": REPO_ANACONDA_COM,
    "repo.continuum.io": REPO_ANACONDA_COM,
}

_PAGE_HOSTS = frozenset({"anaconda.org", "www.anaconda.org"})

_URL = re.compile(r"(https?|ftp|s3|file|oci)://", re.IGNORECASE)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_LOCAL_PATH = re.compile(r"/|~|\.{1,2}(?:[\\/]|$)")
_INDEX_FILE = re.compile(r"/(?:(?:current_)?repodata(?:_shards)?\.[a-z0-9.]+|index\.html?)$")
_PACKAGE_FILE = re.compile(r"[^/]+\.(?:conda|tar\.bz2)$")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUrl:
    """The parts of a package's URL; ``channel`` is the base as written, which may hold credentials."""

    channel: str = field(repr=False)
    subdir: str
    filename: str


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
        elif text.lower() in _NON_CHANNELS or not _is_readable(text):
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
    if text.strip().lower() in _NON_CHANNELS or not _is_readable(text):
        return strip_secrets(text.strip()), ""
    mention = _Mention(text, "source")
    name, _ = _mended(mention, text.strip(), configuration)
    if _multichannel(name, configuration, "linux-64") is not None:
        return name, ""
    channel = _channel(name, mention, configuration)
    return channel.name, channel.url


def channel_of_url(url: str) -> PackageUrl | None:
    """Split the URL of a package file (CEP 23) into channel, platform and file.

    Args:
        url: The URL, with or without credentials, query and checksum fragment.

    Returns:
        The parts, or ``None`` where the URL does not end in ``<subdir>/<file>.conda`` or ``….tar.bz2``.
    """
    address = re.split(r"[?#]", url.strip(), maxsplit=1)[0]
    base, _, filename = address.rpartition("/")
    channel, _, subdir = base.rpartition("/")
    if not channel or subdir not in KNOWN_SUBDIRS or not _PACKAGE_FILE.fullmatch(filename):
        return None
    return PackageUrl(channel=channel, subdir=subdir, filename=unquote(filename))


def _mended(mention: _Mention, text: str, configuration: Configuration) -> tuple[str, tuple[NormalizedEdit, ...]]:
    """The mention without what does not belong to a channel, as a name or a URL."""
    edits: list[NormalizedEdit] = []
    if _is_path(text):
        text = _path_to_url(text, configuration)
    elif _is_bare_url(text):
        text = f"https://{text}"
        edits.append(_edit(mention, mask(text), say("an address begins with https://")))
    if not _URL.match(text):
        name = _SUBDIR_SELECTOR.sub("", text).strip("/")
        stem, _, last = name.rpartition("/")
        if stem and last in KNOWN_SUBDIRS:
            name = stem
        name = strip_secrets(name)
        if name != text.strip("/"):
            edits.append(_edit(mention, name, say("a channel is named without a platform")))
        return name, tuple(edits)
    cleaned = _without_index(text)
    channel = _without_platform(cleaned)
    if channel != cleaned:
        edits.append(_edit(mention, mask(channel), say("a channel's URL ends before the platform")))
    elif cleaned.rstrip("/") != text.rstrip("/"):
        edits.append(_edit(mention, mask(channel), say("a channel's URL names no file and no empty folder")))
    if (public := _on_public_host(channel)) is not None:
        if strip_secrets(public) != strip_secrets(channel):
            edits.append(_edit(mention, strip_secrets(public), say("the channel's address today")))
        channel = public
    return channel, tuple(edits)


def _channel(text: str, mention: _Mention, configuration: Configuration) -> Channel:
    """The channel that one name or mended URL stands for."""
    location = text if _URL.match(text) else _location_of_name(text, configuration)
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
    for stem in _stems(name):
        if stem in custom:
            return _join(_custom_base(stem, custom[stem], configuration), name)
    if name.startswith("pkgs/"):
        # Members of the default channels are known by their short names, so a mirror that is configured for `defaults`
        # serves them, too.
        for member in configuration.default_channels:
            location = _location_of_member(member, configuration)
            if (match := recognise(location)) is not None and match.channel == name:
                return location
        return _join(REPO_ANACONDA_COM, name)
    return _join(configuration.channel_alias, name)


def _identify(text: str, location: str, configuration: Configuration) -> tuple[str, str]:
    """The canonical name and URL of the channel at ``location``, which was written as ``text``."""
    clean = strip_secrets(location).rstrip("/")
    if (match := recognise(clean)) is not None:
        return match.channel, match.url
    for origin in (ANACONDA_ORG, REPO_ANACONDA_COM):
        if (name := _below(clean, origin)) is not None:
            return name, clean
    for custom, value in sorted(configuration.custom_channels, key=lambda item: -len(item[0])):
        base = strip_secrets(_custom_base(custom, value, configuration))
        if clean == _join(base, custom) or _below(clean, _join(base, custom)) is not None:
            return clean[len(base.rstrip("/")) + 1 :], clean
    for key, mirrors in configuration.mirrored_channels:
        if clean in {strip_secrets(mirror).rstrip("/") for mirror in mirrors}:
            # Given by the address of one of its mirrors, the channel is still the one that they mirror.
            named = _without_platform(key) if _URL.match(key) else _location_of_name(key.strip("/"), configuration)
            named = strip_secrets(named).rstrip("/")
            if named != clean:
                return _identify(key, named, replace(configuration, mirrored_channels=()))
    if (name := _below(clean, strip_secrets(configuration.channel_alias).rstrip("/"))) is not None:
        return name, clean
    return (clean if _URL.match(text) else text), clean


def _configured_locations(name: str, url: str, location: str, configuration: Configuration) -> tuple[str, ...]:
    """Where the channel is fetched from: the configured mirrors, a configured known mirror, or ``location``."""
    for key, mirrors in configuration.mirrored_channels:
        mirrored = key.rstrip("/") if _URL.match(key) else _location_of_name(key.strip("/"), configuration)
        if mirrors and url in {strip_secrets(mirrored), _identify(key, mirrored, configuration)[1]}:
            return tuple(_without_platform(mirror) for mirror in mirrors)
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
    return tuple(_join(REPO_ANACONDA_COM, member) for member in members)


def _location_of_member(member: str, configuration: Configuration) -> str:
    """A member of a multichannel is a URL or goes behind the channel alias (``Channel.make_simple_channel``)."""
    member = member.strip()
    if _is_path(member):
        member = _path_to_url(member, configuration)
    if _URL.match(member):
        cleaned = _without_platform(_without_index(member))
        return _on_public_host(cleaned) or cleaned
    if member.startswith("pkgs/") and not dict(configuration.custom_channels).get(member):
        return _join(REPO_ANACONDA_COM, member)
    return _location_of_name(member.strip("/"), configuration)


# ---------------------------------------------------------------------------------------------------------------------
# URLs and paths
# ---------------------------------------------------------------------------------------------------------------------


def _stems(name: str) -> Iterator[str]:
    """``a/b/c``, ``a/b``, ``a``."""
    while name:
        yield name
        name = name.rpartition("/")[0]


def _join(base: str, name: str) -> str:
    return f"{base.rstrip('/')}/{name.strip('/')}"


def _below(url: str, base: str) -> str | None:
    return url[len(base) + 1 :] if url.startswith(f"{base}/") and len(url) > len(base) + 1 else None


def _is_readable(text: str) -> bool:
    """Whether a URL has a host and a port that can be told apart; a name always has none to tell."""
    url = f"https://{text}" if _is_bare_url(text) else text
    return not _URL.match(url) or (_has_address(url) and _has_address(strip_secrets(url)))


def _has_address(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_bare_url(text: str) -> bool:
    """Whether ``text`` is a public or mirror address, or one with credentials, whose ``https://`` was forgotten."""
    if _URL.match(text) or "/" not in text:
        return False
    host, url = text.partition("/")[0], f"https://{text}"
    return host.lower() in _PUBLIC_HOSTS or "@" in host or recognise(url) is not None


def _custom_base(name: str, value: str, configuration: Configuration) -> str:
    """The base that a custom channel's name goes behind; one that ends with the name already counts without it.

    conda appends the name in any case, yet its own page on mirroring shows the name in the value, and libmamba merges
    the two (``add_conda_params_custom_channel`` in ``libmamba/src/core/channel_context.cpp``).
    """
    base = _path_to_url(value, configuration) if _is_path(value) else value.rstrip("/")
    return base.removesuffix(f"/{name}")


def _without_index(url: str) -> str:
    """A URL without doubled and closing slashes and without the index file's name."""
    if url[:5].lower() == "file:":
        url = url.replace("\\", "/")
    scheme, separator, rest = url.partition("://")
    lead = "/" if rest.startswith("/") else ""
    rest = lead + re.sub(r"/{2,}", "/", rest.lstrip("/"))
    return _INDEX_FILE.sub("", f"{scheme.lower()}{separator}{rest}").rstrip("/")


def _without_platform(url: str) -> str:
    url = url.rstrip("/")
    stem, _, last = url.rpartition("/")
    return stem if last in KNOWN_SUBDIRS and not stem.endswith("/") else url


def _on_public_host(url: str) -> str | None:
    """The address on the public servers, over https and on today's host, credentials kept; ``None`` elsewhere."""
    if not _has_address(url):
        return None  # of the configuration; the engine says what it makes of it
    parts = urlsplit(url)
    origin = _PUBLIC_HOSTS.get((parts.hostname or "").lower())
    if origin is None or parts.scheme not in {"http", "https"} or not parts.path.strip("/"):
        return None
    if origin == REPO_ANACONDA_COM and not parts.path.startswith("/pkgs/"):
        return None
    path = parts.path.rstrip("/")
    if (parts.hostname or "").lower() in _PAGE_HOSTS:
        # https://anaconda.org/NAME/PACKAGE shows a package; only the name and a label belong to the channel.
        path = re.sub(r"^(?:/channels)?(/(?:t/[^/]+/)?[^/]+(?:/label/[^/]+)?)(?:/.*)?$", r"\1", path)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(("https", f"{user}{at}{urlsplit(origin).netloc}", path, "", ""))


def _is_path(text: str) -> bool:
    return bool(_WINDOWS_PATH.match(text) or _LOCAL_PATH.match(text))


def _path_to_url(path: str, configuration: Configuration) -> str:
    """A ``file://`` URL for a path of either system, relative to the configuration's directories."""
    path = path.replace("\\", "/")
    if path.startswith("//"):
        return f"file:{quote(path).rstrip('/')}"  # \\server\share
    if path.startswith("~") and configuration.home:
        path = configuration.home.replace("\\", "/") + path[1:]
    elif path.startswith(".") and configuration.working_directory:
        path = f"{configuration.working_directory}/{path}".replace("\\", "/")
    drive = path[:2] if _WINDOWS_PATH.match(path) else ""
    parts: list[str] = []
    for part in path[len(drive) :].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "file://" + ("/" + drive if drive else "") + "/" + quote("/".join(parts))
