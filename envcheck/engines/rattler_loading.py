"""How the rattler engine loads channels: side by side, from the first location that answers, failures explained."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rattler import Channel as RattlerChannel
from rattler import Gateway, PackageName
from rattler.exceptions import GatewayError, InvalidChannelError

from envcheck.caches import rattler_directory, why_not_kept
from envcheck.engines import LoadOptions, ProgressCallback
from envcheck.engines.probe import ask_redirect, ask_why
from envcheck.engines.rattler_network import Gateways, Network, Place
from envcheck.engines.rattler_stored import StoredChannel
from envcheck.engines.watching import DownloadWatch, GivenUpError, await_watched
from envcheck.language import say
from envcheck.locations import local_path
from envcheck.model import Channel, ChannelState, ChannelStatus
from envcheck.secrets import split_secrets

if TYPE_CHECKING:
    from rattler import RepoDataRecord, Subdir

__all__ = ["NOARCH", "GatewaySource", "LoadedChannel", "Loader"]

NOARCH = "noarch"


class LoadedChannel:
    """One channel with the location that answered and what holds its records: a gateway, or stores.

    ``location`` is free of secrets: it is what rattler calls the channel.
    """

    def __init__(
        self,
        status: ChannelStatus,
        location: str,
        gateway: Gateway | None,
        subdirs: tuple[str, ...],
        *,
        names: frozenset[str] = frozenset(),
        stored: StoredChannel | None = None,
        network: Network | None = None,
        gateways: Gateways | None = None,
    ) -> None:
        self.status = status
        self.location = location.rstrip("/")
        self.subdirs = subdirs
        self.names = names
        self.stored = stored
        self._network = network
        self._gateway = gateway
        self._gateways = gateways

    def watch(self) -> DownloadWatch:
        """A look at what is read of the channel from now on, and downloaded, where it has shards."""
        if self._network is None:
            raise ValueError(f"{self.status.channel.name} has no gateway")
        return self._network.watch(downloads=self._is_sharded)

    @property
    def _is_sharded(self) -> bool:
        return self._gateways is not None and self._gateway is self._gateways.sharded

    def forgo_shards(self) -> bool:
        """Have the channel read without its shards from the next load on; false where it was read so already."""
        if self._network is None or self.location in self._network.without_shards:
            return False
        self._network.without_shards.add(self.location)
        return self._is_sharded

    @property
    def gateway(self) -> Gateway:
        """The gateway of a channel that is not stored."""
        if self._gateway is None:
            raise ValueError(f"{self.status.channel.name} has no gateway")
        return self._gateway

    def is_asked_like(self, other: LoadedChannel) -> bool:
        """Whether one's gateway has the other's credentials, too."""
        return self._gateways is other._gateways


class Loader:
    """Loads channels side by side and finds out about those that fail."""

    def __init__(
        self, network: Network, platform: str, options: LoadOptions, progress: ProgressCallback | None, *, steps: int
    ) -> None:
        self._network = network
        self._platform = platform
        self._options = options
        self._progress = progress
        self._steps = steps
        self._done = 0
        self._given_up: dict[tuple[str, str], GivenUpError] = {}
        self._refused: GivenUpError | None = None
        self._is_alone = True
        self._gateways: Mapping[Place, Gateways] = {}

    async def load_all(self, channels: Sequence[Channel]) -> list[LoadedChannel]:
        """Load channels, and have stores made of those that have none."""
        places = []
        for location in (location for channel in channels for location in channel.locations):
            with suppress(InvalidChannelError):  # told where it is loaded
                places.append(Place.of(location))
        self._gateways = self._network.gateways(places)
        loaded = await self._load_each(channels)
        read = [(one.location, self._present(one)) for one in loaded if one.stored is None]
        self._network.stores.want(
            [(location, subdirs) for location, subdirs in read if subdirs],
            beside=any(one.stored is not None for one in loaded),
        )
        return loaded

    async def _load_each(self, channels: Sequence[Channel]) -> list[LoadedChannel]:
        """Load channels side by side, and one by one those that were given up because a file became too large.

        All of them write to the same folder, and whose file it is can only be told of a channel that is alone. What
        became too much for the memory is not begun again: it cannot be stopped, and may still grow.
        """
        self._is_alone = len(channels) == 1
        found = await asyncio.gather(*(self._load(channel) for channel in channels))
        self._is_alone = True
        if None in found:
            self._begin_anew()
        loaded = [one or await self._load(channel) for channel, one in zip(channels, found, strict=True)]
        if any(not error.stalled for error in self._given_up.values()):
            self._network.forget()
        return [one for one in loaded if one is not None]

    def _begin_anew(self) -> None:
        """Take new gateways: the old ones may yet come to what they were to give up, and keep it in memory."""
        self._network.forget()
        self._gateways = self._network.gateways(self._gateways)

    async def _load(self, channel: Channel) -> LoadedChannel | None:
        """Load a channel from the first of its locations that answers; ``None`` where it has to be loaded alone."""
        status = ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail=say("it has no address"))
        result = LoadedChannel(status, "", None, ())
        for location in channel.locations:
            try:
                result = await self._load_location(channel, location)
            except GivenUpError:
                return None
            if result.subdirs:
                break
        self._done += 1
        if self._progress is not None:
            self._progress(channel.name, self._done, self._steps)
        return result

    async def _load_location(self, channel: Channel, location: str) -> LoadedChannel:
        try:
            place = Place.of(location)
        except InvalidChannelError:
            status = ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail=say("its address is no URL"))
            return LoadedChannel(status, location, None, ())
        if leak := await asyncio.to_thread(self._leak, location):
            status = ChannelStatus(channel=channel, state=ChannelState.UNREACHABLE, detail=leak)
            return LoadedChannel(status, place.url, None, ())
        stored = await self._load_stored(channel, place)
        if stored is not None:
            return stored
        loaded = None
        if place.url.rstrip("/") not in self._network.without_shards:
            loaded = await self._load_through(self._gateways[place].sharded, channel, place)
        if loaded is None or loaded.status.state is ChannelState.DAMAGED:
            # Some servers answer 403 or 500 where they have no shards, which rattler takes for the channel's failure.
            loaded = await self._load_through(self._gateways[place].unsharded, channel, place)
        return loaded

    def _leak(self, location: str) -> str:
        """Why a location must not be shown to rattler, which tells every host that it is redirected to whence it came.

        ``Referer`` has no user and no password, but a token is a part of the path.
        """
        if self._options.offline or split_secrets(location).token is None or local_path(location) is not None:
            return ""
        return ask_redirect(
            location,
            (self._platform, NOARCH),
            verify_tls=self._options.verify_tls,
            proxies=self._options.proxies,
            timeouts=(self._options.connect_timeout, self._options.read_timeout),
        )

    async def _load_stored(self, channel: Channel, place: Place) -> LoadedChannel | None:
        """A channel from stores, where it has them in the state that it is in."""
        absent = self._absent(place.asked)
        wanted = tuple(subdir for subdir in (self._platform, NOARCH) if subdir not in absent)
        stores = await asyncio.to_thread(self._network.stores.find, place.asked, wanted) if wanted else None
        if stores is None:
            return None
        stored = StoredChannel(place.url, stores)
        status = ChannelStatus(channel=channel, state=ChannelState.LOADED)
        for detail in absent.values():
            status = ChannelStatus(channel=channel, state=ChannelState.NO_SUBDIR, detail=detail)
        return LoadedChannel(status, place.url, None, wanted, names=stored.names, stored=stored)

    def _present(self, one: LoadedChannel) -> tuple[str, ...]:
        """The subdirs of a channel that rattler has read: one that is not there it reads as an empty one."""
        absent = self._absent(one.location) if one.status.state is ChannelState.NO_SUBDIR else {}
        return tuple(subdir for subdir in one.subdirs if subdir not in absent)

    def _absent(self, location: str) -> Mapping[str, str]:
        """The subdirs that a directory is seen not to have, and what is said of it."""
        directory = local_path(location)
        if directory is None:
            return {}
        missing = [one for one in (self._platform, NOARCH) if not (directory / one / "repodata.json").is_file()]
        answers = {subdir: self._ask(location, subdir) for subdir in missing}
        return {subdir: detail for subdir, (state, detail) in answers.items() if state is ChannelState.NO_SUBDIR}

    async def _load_through(self, gateway: Gateway, channel: Channel, place: Place) -> LoadedChannel:
        wanted = (self._platform, NOARCH)
        names = await asyncio.gather(*(self._names(gateway, place, subdir) for subdir in wanted))
        if not self._is_alone:
            self._refuse_files(place)
        status = self._judge(channel, place.asked, names)
        usable = status.state in (ChannelState.LOADED, ChannelState.NO_SUBDIR)
        return LoadedChannel(
            status,
            place.url,
            gateway,
            tuple(subdir for subdir, found in zip(wanted, names, strict=True) if usable and found is not None),
            names=frozenset().union(*(found for found in names if found)),
            network=self._network,
            gateways=self._gateways[place],
        )

    def _refuse_files(self, place: Place) -> None:
        """Refuse what was given up for the size of a file that may have been another channel's.

        Raises:
            GivenUpError: It was given up so.
        """
        given_up = [self._given_up.get((place.asked, subdir)) for subdir in (self._platform, NOARCH)]
        for error in given_up:
            if error is not None and not error.stalled and not error.in_memory:
                raise error

    async def _names(self, gateway: Gateway, place: Place, subdir: str) -> frozenset[str] | None:
        """The names of one subdir, or ``None`` when it could not be loaded."""
        self._given_up.pop((place.asked, subdir), None)
        refused_before = self._refused
        names = None
        try:
            asking = gateway.names([RattlerChannel(place.url)], [subdir], channel_relations="disabled")  # type: ignore[list-item]
            names = await await_watched(asking, self._network.watch())
        except GatewayError:
            pass
        except GivenUpError as error:
            self._given_up[place.asked, subdir] = error
            if not error.stalled and not error.in_memory:
                self._refused = error
        if self._refused is not None and self._refused is not refused_before:
            # It may have been this one's file that another's watch saw first, and removed.
            self._given_up[place.asked, subdir] = self._refused
            return None
        return None if names is None else frozenset(name.normalized for name in names)

    def _judge(self, channel: Channel, location: str, names: Sequence[frozenset[str] | None]) -> ChannelStatus:
        """The status of a channel whose platform subdir and noarch gave these names (`None`: failed)."""
        troubles = []
        for subdir, found in zip((self._platform, NOARCH), names, strict=True):
            # rattler gives a platform subdir that is not there as an empty one.
            if not found:
                troubles.append((found is None, *self._ask(location, subdir)))
        fatal = [
            (state, detail) for failed, state, detail in troubles if failed and state is not ChannelState.NO_SUBDIR
        ]
        if fatal:
            return ChannelStatus(channel=channel, state=fatal[0][0], detail=fatal[0][1])
        absent = [detail for _, state, detail in troubles if state is ChannelState.NO_SUBDIR]
        if len(absent) == 2:
            return ChannelStatus(
                channel=channel,
                state=ChannelState.NOT_FOUND,
                detail=say("it has neither {platform} nor noarch", platform=self._platform),
            )
        gone = [(state, detail) for _, state, detail in troubles if state is ChannelState.NOT_FOUND]
        if gone:
            return ChannelStatus(channel=channel, state=gone[0][0], detail=gone[0][1])
        if absent:
            return ChannelStatus(channel=channel, state=ChannelState.NO_SUBDIR, detail=absent[0])
        return ChannelStatus(channel=channel, state=ChannelState.LOADED)

    def _ask(self, location: str, subdir: str) -> tuple[ChannelState, str]:
        state, detail = ask_why(
            location,
            subdir,
            offline=self._options.offline,
            verify_tls=self._options.verify_tls,
            proxies=self._options.proxies,
            timeouts=(self._options.connect_timeout, self._options.read_timeout),
            given_up=self._given_up.get((location, subdir)),
        )
        if state is ChannelState.DAMAGED and local_path(location) is None:
            # What a server sends may be sound and yet not fit on the disk, of which rattler tells in prose alone.
            place = rattler_directory(self._options.cache_directory, os.environ)
            trouble = "" if place is None else why_not_kept(place)
            if trouble:
                detail += say("; or it cannot be kept in the cache: {trouble}", trouble=trouble)
        return state, detail


class GatewaySource:
    """A channel that the solver's own gateway cannot ask.

    It has no ``noarch`` (CEP 26 wants it everywhere), without which a gateway fails, or its credentials are another's.

    Args:
        gateway: The gateway to ask.
        channel: The channel as rattler calls it.
        subdirs: The subdirs that it has.
    """

    def __init__(self, gateway: Gateway, channel: RattlerChannel, subdirs: Sequence[str]) -> None:
        self._gateway = gateway
        self._channel = channel
        self._subdirs = frozenset(subdirs)

    async def fetch_package_records(self, platform: Subdir, name: PackageName) -> list[RepoDataRecord]:
        """The records of a name for one subdir."""
        if str(platform) not in self._subdirs:
            return []
        answer = await self._gateway.query(
            [self._channel], [platform], [name.normalized], recursive=False, channel_relations="disabled"
        )
        return [record for records in answer for record in records]

    def package_names(self, platform: Subdir) -> list[str]:  # noqa: ARG002  # the protocol's signature
        """Nothing: names are asked of the gateway."""
        return []
