"""How rattler reaches channels: by addresses without secrets, which its client puts back where it sends a request.

rattler keeps beside its repodata the address that it was given, whole. So it is given one that may be seen, and its
client is told the rest: a token in the path as a mirror of the address, a user and password as the host's entry of an
``authentication-override-file`` (https://pixi.sh/latest/reference/pixi_configuration/ names both).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rattler import Channel as RattlerChannel
from rattler import Client, Config, Gateway, SourceConfig

from envcheck.engines.record_stores import rattler_folder
from envcheck.engines.watching import DownloadWatch
from envcheck.locations import local_path
from envcheck.secrets import split_secrets

if TYPE_CHECKING:
    from envcheck.engines import LoadOptions
    from envcheck.engines.record_stores import RecordStores

__all__ = ["Access", "Gateways", "Network", "Place", "arrange"]

_PORT = re.compile(r":\d*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a channel is.

    ``asked`` is its address with all secrets, ``url`` the one that rattler is given, ``real`` the same with the token
    that stands in its path; ``user`` is what stood before ``@``.
    """

    asked: str = field(repr=False)
    url: str
    real: str = field(repr=False)
    user: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, location: str) -> Place:
        """The place of a channel's location.

        Raises:
            InvalidChannelError: It is no URL.
        """
        if local_path(location) is not None:
            RattlerChannel(location)
            return cls(asked=location, url=location, real=location)
        split = split_secrets(location)
        RattlerChannel(split.url)
        if not split.has_secrets:
            return cls(asked=location, url=split.url, real=split.url)
        user = split.user_information
        bare = location if user is None else location.replace(f"//{user}@", "//", 1)
        real = split.url if split.token is None else bare.partition("?")[0].partition("#")[0]
        return cls(asked=location, url=split.url, real=real, user=user)

    @property
    def host(self) -> str:
        """The host as rattler looks for its credentials: without a port, an IPv6 address in brackets."""
        return _PORT.sub("", urlsplit(RattlerChannel(self.url).base_url).netloc.rpartition("@")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client knows of the places it asks.

    ``mirrors`` are pairs of an address and the one to ask in its place, ``users`` pairs of a host and the user
    information for it, as a URL has it.
    """

    mirrors: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    users: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def arrange(places: Iterable[Place]) -> dict[Place, Access]:
    """Put as many places as go together behind one client.

    A client knows one user for a host and one address behind another; and one that was told of users does not look for
    the user's own stored credentials (``rattler auth login``, netrc), which places without a user may need.
    """
    groups: list[list[Place]] = []
    for place in dict.fromkeys(places):
        group = next((one for one in groups if all(_go_together(place, other) for other in one)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return {place: access for group in groups for access in [_access(group)] for place in group}


def _go_together(one: Place, other: Place) -> bool:
    if (one.user is None) != (other.user is None) or (one.url == other.url and one.real != other.real):
        return False
    return one.user == other.user or one.host != other.host


def _access(group: Sequence[Place]) -> Access:
    mirrors = {_folder(place.url): place.real for place in group if place.real != place.url}
    # What lies below an address that has a mirror is not to be asked there.
    apart = {
        _folder(place.url): place.url
        for place in group
        if place.real == place.url and any(_folder(place.url).startswith(start) for start in mirrors)
    }
    return Access(
        mirrors=tuple(sorted({**mirrors, **apart}.items())),
        users=tuple(sorted({(place.host, place.user) for place in group if place.user is not None})),
    )


def _folder(url: str) -> str:
    """An address as rattler writes it."""
    return f"{RattlerChannel(url).base_url.rstrip('/')}/"


class Gateways:
    """The gateways of one client."""

    def __init__(self, access: Access, options: LoadOptions) -> None:
        self._access = access
        self._options = options

    @cached_property
    def sharded(self) -> Gateway:
        """Reads shards where a channel has them."""
        return self._gateway(sharded=True)

    @cached_property
    def unsharded(self) -> Gateway:
        """Reads whole repodata."""
        return self._gateway(sharded=False)

    def _gateway(self, *, sharded: bool) -> Gateway:
        action = "force-cache-only" if self._options.offline else "cache-or-fetch"
        return Gateway(
            cache_dir=self._options.cache_directory,  # type: ignore[arg-type]  # a str is accepted
            default_config=SourceConfig(sharded_enabled=sharded, cache_action=action),  # type: ignore[arg-type]
            client=self._client,
        )

    @cached_property
    def _client(self) -> Client:
        with _read_once(_credentials(self._access.users)) as file:
            settings = _network_settings(self._options, self._access, file)
            return Client.from_config(Config.from_toml(settings), max_retries=1)


class Network:
    """The gateways and stores of one set of load options.

    What a gateway has loaded it does not load again. A channel may have another one from load to load: which channels
    share a client depends on the credentials of those beside it (`arrange`), and after what was refused all are new.
    """

    def __init__(self, options: LoadOptions, stores: RecordStores) -> None:
        self._options = options
        self._gateways: dict[Access, Gateways] = {}
        self.stores = stores
        self.without_shards: set[str] = set()
        """The addresses whose shards turned out not to be all there."""

    def watch(self, *, downloads: bool = True) -> DownloadWatch:
        """A look at the downloads that begin now, or only at what is made of what is there."""
        folder = rattler_folder(self._options.cache_directory)
        return DownloadWatch(
            [folder] if downloads else [],
            patience=self._options.read_timeout if downloads else math.inf,
            largest=self._options.largest_download,
        )

    def forget(self) -> None:
        """Have new gateways made from now on."""
        self._gateways.clear()

    def gateways(self, places: Iterable[Place]) -> dict[Place, Gateways]:
        """The gateways for places that are asked together."""
        found = arrange(places)
        for access in found.values():
            if access not in self._gateways:
                self._gateways[access] = Gateways(access, self._options)
        return {place: self._gateways[access] for place, access in found.items()}


def _credentials(users: Sequence[tuple[str, str]]) -> str:
    """Users of hosts as a file of rattler's credentials has them; empty where there are none."""
    entries = {}
    for host, user in users:
        name, _, password = user.partition(":")
        entries[host] = {"BasicHTTP": {"username": unquote(name), "password": unquote(password)}}
    return json.dumps(entries) if entries else ""


@contextlib.contextmanager
def _read_once(text: str) -> Iterator[str]:
    """The path of a file with a text, which nobody else can read and which is gone afterwards; empty for no text.

    Linux has files without a place on any disk.
    """
    if not text:
        yield ""
        return
    with contextlib.ExitStack() as stack:
        path = ""
        with contextlib.suppress(AttributeError, OSError):
            file = stack.enter_context(os.fdopen(os.memfd_create("envcheck"), "w", encoding="utf-8"))
            path = f"/proc/self/fd/{file.fileno()}"
        if not path or not Path(path).exists():
            path = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "credentials.json")
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            file = stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8"))
        file.write(text)
        file.flush()
        yield path


def _network_settings(options: LoadOptions, access: Access, credentials: str) -> str:
    """Render rattler's TOML configuration for credentials, mirrors, TLS and proxies."""
    lines: list[str] = []
    if options.verify_tls is False:
        lines.append("tls-no-verify = true")
    if credentials:
        lines.append(f"authentication-override-file = {_toml_text(credentials)}")
    proxies = [(scheme, url) for scheme, url in options.proxies if scheme in ("http", "https")]
    if proxies:
        lines.append("[proxy-config]")
        lines += [f"{scheme} = {_toml_text(url)}" for scheme, url in proxies]
    if access.mirrors:
        lines.append("[mirrors]")
        lines += [f"{_toml_text(url)} = [{_toml_text(real)}]" for url, real in access.mirrors]
    return "\n".join(lines)


def _toml_text(text: str) -> str:
    """A text as a basic string of TOML (https://toml.io/en/v1.0.0#string).

    It is as in JSON, but there are no surrogate pairs, and DEL is no text either.
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
