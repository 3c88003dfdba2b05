"""The engine of a plain ``pip install``: py-rattler, with its gateway, its repodata cache and its resolvo solver."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Coroutine, Sequence
from importlib.metadata import version as distribution_version
from typing import TYPE_CHECKING, TypeVar

from rattler import (
    BuildString,
    ChannelPriority,
    Client,
    Config,
    Gateway,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    SourceConfig,
    Version,
    solve,
)
from rattler import Channel as RattlerChannel
from rattler.exceptions import GatewayError, InvalidChannelError, InvalidMatchSpecError, SolverError

from envcheck.engines import Index, LoadOptions, ProgressCallback
from envcheck.engines.probe import ask_why
from envcheck.errors import ChannelError, EngineError
from envcheck.model import (
    Channel,
    ChannelState,
    ChannelStatus,
    EngineInfo,
    Outcome,
    Record,
    Solved,
    Unsolved,
    VirtualPackage,
)

if TYPE_CHECKING:
    from rattler import RepoDataRecord, Subdir

__all__ = ["RattlerEngine"]

_T = TypeVar("_T")
_NOARCH = "noarch"


class RattlerEngine:
    """The `envcheck.engines.Engine` over py-rattler."""

    def __init__(self) -> None:
        self._networks: dict[LoadOptions, _Network] = {}

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return EngineInfo(name="rattler", version=distribution_version("py-rattler"))

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        channel_priority: str = "flexible",
        options: LoadOptions | None = None,
        progress: ProgressCallback | None = None,
    ) -> Index:
        """Load repodata of every channel; see `envcheck.engines.Engine.load`."""
        options = options or LoadOptions()
        loop = asyncio.new_event_loop()
        network = self._networks.get(options)
        if network is None:
            network = self._networks[options] = _Network(options)
        loader = _Loader(network, platform, options, progress, steps=len(channels))

        async def load_all() -> list[_LoadedChannel]:
            return await asyncio.gather(*(loader.load(channel) for channel in channels))

        loaded = loop.run_until_complete(load_all())
        if channels and not any(one.subdirs for one in loaded):
            reasons = "; ".join(f"{one.status.channel.name}: {one.status.detail}" for one in loaded)
            loop.close()
            raise ChannelError(
                f"no channel could be loaded for {platform}: {reasons}",
                hint="Check the channel's address and your network; name another one with "
                "-c CHANNEL --override-channels, or a local copy with -c file:///path/to/channel.",
            )
        return _RattlerIndex(
            platform=platform,
            loaded=loaded,
            virtual_packages=virtual_packages,
            channel_priority=channel_priority,
            exclude_newer=options.exclude_newer,
            loop=loop,
        )


class _LoadedChannel:
    """One channel with the location that answered and the gateway that holds its records."""

    def __init__(self, status: ChannelStatus, location: str, gateway: Gateway, subdirs: tuple[str, ...]) -> None:
        self.status = status
        self.location = location.rstrip("/")
        self.gateway = gateway
        self.subdirs = subdirs
        self.names: frozenset[str] = frozenset()


class _Network:
    """The gateways of one set of load options; what they have loaded once is never loaded again."""

    def __init__(self, options: LoadOptions) -> None:
        client = Client.from_config(Config.from_toml(_network_settings(options)), max_retries=1)
        self.sharded = _gateway(client, options, sharded=True)
        self.unsharded = _gateway(client, options, sharded=False)


def _gateway(client: Client, options: LoadOptions, *, sharded: bool) -> Gateway:
    action = "force-cache-only" if options.offline else "cache-or-fetch"
    return Gateway(
        cache_dir=options.cache_directory,  # type: ignore[arg-type]  # a str is accepted
        default_config=SourceConfig(sharded_enabled=sharded, cache_action=action),  # type: ignore[arg-type]
        client=client,
    )


class _Loader:
    """Loads channels side by side and finds out about those that fail."""

    def __init__(
        self, network: _Network, platform: str, options: LoadOptions, progress: ProgressCallback | None, *, steps: int
    ) -> None:
        self._network = network
        self._platform = platform
        self._options = options
        self._progress = progress
        self._steps = steps
        self._done = 0

    async def load(self, channel: Channel) -> _LoadedChannel:
        """Load a channel from the first of its locations that answers."""
        status = ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail="it has no address")
        result = _LoadedChannel(status, "", self._network.sharded, ())
        for location in channel.locations:
            result = await self._load_location(channel, location)
            if result.subdirs:
                break
        self._done += 1
        if self._progress is not None:
            self._progress(channel.name, self._done, self._steps)
        return result

    async def _load_location(self, channel: Channel, location: str) -> _LoadedChannel:
        try:
            source = RattlerChannel(location)
        except InvalidChannelError:
            status = ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail="its address is no URL")
            return _LoadedChannel(status, location, self._network.sharded, ())
        loaded = await self._load_through(self._network.sharded, channel, source, location)
        if loaded.status.state is ChannelState.DAMAGED:
            # Some servers answer 403 or 500 where they have no shards, which rattler takes for the channel's failure.
            loaded = await self._load_through(self._network.unsharded, channel, source, location)
        return loaded

    async def _load_through(
        self, gateway: Gateway, channel: Channel, source: RattlerChannel, location: str
    ) -> _LoadedChannel:
        wanted = (self._platform, _NOARCH)
        names = await asyncio.gather(*(self._names(gateway, source, subdir) for subdir in wanted))
        status = self._judge(channel, location, names)
        usable = status.state in (ChannelState.LOADED, ChannelState.NO_SUBDIR)
        subdirs = tuple(subdir for subdir, found in zip(wanted, names, strict=True) if found is not None)
        loaded = _LoadedChannel(status, location, gateway, subdirs if usable else ())
        loaded.names = frozenset().union(*(found for found in names if found))
        return loaded

    async def _names(self, gateway: Gateway, source: RattlerChannel, subdir: str) -> frozenset[str] | None:
        """The names of one subdir, or ``None`` when it could not be loaded."""
        try:
            names = await gateway.names([source], [subdir], channel_relations="disabled")  # type: ignore[list-item]
        except GatewayError:
            return None
        return frozenset(name.normalized for name in names)

    def _judge(self, channel: Channel, location: str, names: Sequence[frozenset[str] | None]) -> ChannelStatus:
        """The status of a channel whose platform subdir and noarch gave these names (`None`: failed)."""
        troubles = []
        for subdir, found in zip((self._platform, _NOARCH), names, strict=True):
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
                channel=channel, state=ChannelState.NOT_FOUND, detail=f"it has neither {self._platform} nor {_NOARCH}"
            )
        gone = [(state, detail) for _, state, detail in troubles if state is ChannelState.NOT_FOUND]
        if gone:
            return ChannelStatus(channel=channel, state=gone[0][0], detail=gone[0][1])
        if absent:
            return ChannelStatus(channel=channel, state=ChannelState.NO_SUBDIR, detail=absent[0])
        return ChannelStatus(channel=channel, state=ChannelState.LOADED)

    def _ask(self, location: str, subdir: str) -> tuple[ChannelState, str]:
        return ask_why(
            location,
            subdir,
            offline=self._options.offline,
            verify_tls=self._options.verify_tls,
            proxies=self._options.proxies,
        )


class _PlatformOnlySource:
    """A channel without ``noarch`` (CEP 26 wants it everywhere), for which rattler's gateway would fail."""

    def __init__(self, gateway: Gateway, channel: RattlerChannel) -> None:
        self._gateway = gateway
        self._channel = channel

    async def fetch_package_records(self, platform: Subdir, name: PackageName) -> list[RepoDataRecord]:
        """The records of a name for one subdir."""
        if str(platform) == _NOARCH:
            return []
        answer = await self._gateway.query(
            [self._channel], [platform], [name.normalized], recursive=False, channel_relations="disabled"
        )
        return [record for records in answer for record in records]

    def package_names(self, platform: Subdir) -> list[str]:  # noqa: ARG002  # the protocol's signature
        """Nothing: names are asked of the gateway."""
        return []


class _RattlerIndex:
    """The `envcheck.engines.Index` over loaded gateways."""

    def __init__(
        self,
        *,
        platform: str,
        loaded: Sequence[_LoadedChannel],
        virtual_packages: Sequence[VirtualPackage],
        channel_priority: str,
        exclude_newer: int | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._platform = platform
        self._statuses = tuple(one.status for one in loaded)
        self._usable = [one for one in loaded if one.subdirs]
        self._names = frozenset().union(*(one.names for one in self._usable))
        self._virtual_packages = [
            GenericVirtualPackage(PackageName(package.name), Version(package.version), BuildString(package.build))
            for package in virtual_packages
        ]
        self._channel_priority = channel_priority
        self._exclude_newer = exclude_newer
        self._loop = loop
        self._sources = [self._source(one) for one in self._usable]
        self._by_location = {RattlerChannel(one.location).base_url: one for one in self._usable}
        self._records: dict[str, tuple[Record, ...]] = {}
        self._originals: dict[str, RepoDataRecord] = {}

    def __del__(self) -> None:
        if not self._loop.is_closed():
            self._loop.close()

    @property
    def platform(self) -> str:
        return self._platform

    @property
    def statuses(self) -> tuple[ChannelStatus, ...]:
        return self._statuses

    def names(self) -> frozenset[str]:
        return self._names

    def records(self, name: str) -> tuple[Record, ...]:
        known = self._records.get(name)
        if known is None:
            known = self._records[name] = self._query(name) if name in self._names else ()
        return known

    def matching(self, spec: str) -> tuple[Record, ...]:
        match_spec, channel = self._match_spec(spec)
        return tuple(
            record
            for record in self.records(match_spec.name.normalized)
            if (channel is None or record.channel == channel) and match_spec.matches(self._originals[record.url])
        )

    def solve(
        self,
        specs: Sequence[str],
        *,
        preferred: Sequence[Record] = (),
        constraints: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Outcome:
        # rattler has no flexible priority. Where the strict reading has a solution it is also a flexible one; only
        # where it has none may a channel of lower priority supply what a higher one has in other versions.
        priorities = {
            "strict": (ChannelPriority.Strict,),
            "flexible": (ChannelPriority.Strict, ChannelPriority.Disabled),
            "disabled": (ChannelPriority.Disabled,),
        }[self._channel_priority]
        outcome: Outcome = Unsolved(explanation="")
        for priority in priorities:
            outcome = self._solve(specs, preferred, constraints, timeout, priority)
            if isinstance(outcome, Solved):
                break
        return outcome

    def _solve(
        self,
        specs: Sequence[str],
        preferred: Sequence[Record],
        constraints: Sequence[str],
        timeout: float | None,
        priority: ChannelPriority,
    ) -> Outcome:
        started = time.monotonic()
        try:
            solution = self._run(
                solve(
                    self._sources,
                    [self._located(spec) for spec in specs],
                    gateway=self._usable[0].gateway if self._usable else None,
                    platforms=[self._platform, _NOARCH],  # type: ignore[list-item]
                    locked_packages=[self._originals[record.url] for record in preferred],
                    virtual_packages=self._virtual_packages,
                    timeout=None if timeout is None else dt.timedelta(seconds=timeout),
                    channel_priority=priority,
                    exclude_newer=_as_datetime(self._exclude_newer),
                    constraints=[self._located(spec) for spec in constraints],
                    channel_relations="disabled",
                )
            )
        except SolverError as error:
            cancelled = timeout is not None and time.monotonic() - started >= timeout
            return Unsolved(explanation=str(error).strip(), cancelled=cancelled)
        except GatewayError as error:
            raise EngineError(
                "rattler failed while it loaded records", hint="Run again; if it persists, clear the repodata cache."
            ) from error
        packages = sorted((self._convert(record) for record in solution), key=lambda record: record.name)
        return Solved(packages=tuple(packages))

    def _source(self, one: _LoadedChannel) -> RattlerChannel | _PlatformOnlySource:
        channel = RattlerChannel(one.location)
        return channel if _NOARCH in one.subdirs else _PlatformOnlySource(one.gateway, channel)

    def _query(self, name: str) -> tuple[Record, ...]:
        found: list[Record] = []
        for one in self._usable:
            if name not in one.names:
                continue
            answer = self._run(
                one.gateway.query(
                    [RattlerChannel(one.location)],
                    list(one.subdirs),  # type: ignore[arg-type]
                    [name],
                    recursive=False,
                    channel_relations="disabled",
                )
            )
            records = [record for records in answer for record in records]
            records = [record for record in records if self._is_old_enough(record)]
            records.sort(key=lambda record: (str(record.subdir), record.file_name))
            records.sort(key=lambda record: (record.version, record.build_number), reverse=True)
            found.extend(self._convert(record) for record in records)
        return tuple(found)

    def _is_old_enough(self, record: RepoDataRecord) -> bool:
        if self._exclude_newer is None:
            return True
        return record.timestamp is not None and _milliseconds(record.timestamp) <= self._exclude_newer

    def _match_spec(self, text: str) -> tuple[MatchSpec, str | None]:
        """A MatchSpec without its channel, and the canonical URL of the channel it named."""
        prefix, separator, bare = text.rpartition("::")
        try:
            spec = MatchSpec(bare, strict=False)
        except InvalidMatchSpecError as error:
            raise ValueError(str(error)) from error
        if not separator:
            return spec, None
        one = self._channel_named(prefix)
        return spec, prefix if one is None else one.status.channel.url

    def _channel_named(self, text: str) -> _LoadedChannel | None:
        for one in self._usable:
            if text.rstrip("/") in (one.status.channel.name, one.status.channel.url.rstrip("/"), one.location):
                return one
        return None

    def _located(self, text: str) -> MatchSpec:
        """A MatchSpec whose channel, if it names one, is the location that was loaded for it."""
        prefix, separator, bare = text.rpartition("::")
        one = self._channel_named(prefix) if separator else None
        try:
            return MatchSpec(text if one is None else f"{one.location}::{bare}", strict=False)
        except InvalidMatchSpecError as error:
            raise ValueError(str(error)) from error

    def _convert(self, original: RepoDataRecord) -> Record:
        """A rattler record in envcheck's words, with the canonical channel in place of the location."""
        one = self._by_location[original.channel]
        channel = one.status.channel.url.rstrip("/")
        url = f"{channel}/{original.subdir}/{original.file_name}"
        if url not in self._originals:
            self._originals[url] = original
        noarch = original.noarch
        return Record(
            name=original.name.normalized,
            version=str(original.version),
            build=str(original.build),
            build_number=original.build_number,
            subdir=str(original.subdir),
            channel=channel,
            url=url,
            md5=original.md5.hex() if original.md5 else None,
            sha256=original.sha256.hex() if original.sha256 else None,
            size=original.size,
            timestamp=_milliseconds(original.timestamp) if original.timestamp else None,
            noarch="python" if noarch.python else "generic" if noarch.generic else None,
            depends=tuple(original.depends),
            constrains=tuple(original.constrains),
            track_features=tuple(original.track_features),
        )

    def _run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        return self._loop.run_until_complete(coroutine)


def _network_settings(options: LoadOptions) -> str:
    """Render rattler's TOML configuration for the TLS and proxy settings."""
    lines: list[str] = []
    if options.verify_tls is False:
        lines.append("tls-no-verify = true")
    proxies = [(scheme, url) for scheme, url in options.proxies if scheme in ("http", "https")]
    if proxies:
        lines.append("[proxy-config]")
        lines += [f"{scheme} = {json.dumps(url)}" for scheme, url in proxies]
    return "\n".join(lines)


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _as_datetime(milliseconds: int | None) -> dt.datetime | None:
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.timezone.utc)
