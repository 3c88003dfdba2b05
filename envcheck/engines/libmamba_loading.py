"""How the libmamba engine comes by its records: repodata is fetched, then put into a `Database`, whole or in part."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envcheck.engines import LoadOptions, ProgressCallback
from envcheck.engines import libmamba_compat as compat
from envcheck.engines.libmamba_downloading import (
    NOARCH,
    Downloader,
    NativeDownloader,
    PlainDownloader,
    Repodata,
    Wanted,
)
from envcheck.engines.libmamba_stored import StoredRepodata, StoredSubdir
from envcheck.engines.probe import ask_why
from envcheck.engines.record_store import RecordStore, StoreDamagedError
from envcheck.engines.record_stores import ReadRepodata, RecordStores, file_state, max_age_of
from envcheck.engines.watching import GivenUpError, refuse_many_objects
from envcheck.language import say
from envcheck.model import Channel, ChannelState, ChannelStatus

__all__ = ["Loaded", "LoadedChannel", "Loader"]

# A record's name in a repodata.json, whose records hold no other key of that name.
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]+)"')


def _address(found: Sequence[Repodata | None]) -> str:
    """The base URL that a channel's records have in the `Database`; empty if it has none."""
    return next((one.url.rsplit("/", 1)[0] for one in found if one is not None), "")


def _word(channel: Channel, found: Sequence[Repodata | None]) -> str:
    return _address(found) if "://" in channel.name else channel.name


def _read(repodata: Repodata, subdir: str) -> ReadRepodata | None:
    """Repodata as stores know it, ``None`` where it is gone."""
    state = file_state(repodata.json)
    if state is None:
        return None
    served = replace(
        state,
        file=repodata.file,
        etag=repodata.etag,
        last_modified=repodata.modified,
        max_age=max_age_of(repodata.cache_control),
    )
    return ReadRepodata(location=repodata.url.rpartition("/")[0], subdir=subdir, path=repodata.json, state=served)


def _names(repodata: Repodata) -> set[str]:
    """The names in repodata, those included whose records are all newer than anybody wants.

    libmamba gives names with whole records only, which takes ten times as long as to load them.
    """
    with repodata.json.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return {name.decode() for name in set(_NAME.findall(content))}


def _is_whole(path: Path) -> bool:
    """Whether a JSON file goes to its end, which libmamba does not see: it takes what there is for all there is.

    As many braces opened as closed is proof enough of wholeness; otherwise some stand in a text, or the end is missing.
    """
    opened = closed = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            opened += chunk.count(b"{")
            closed += chunk.count(b"}")
            last = chunk.rstrip()[-1:] or last
    if last != b"}" or opened == closed:
        return last == b"}"
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


class LoadedChannel:
    """One channel with its repositories in the `Database`, to which stores may add more of them.

    It has neither where it could not be loaded. ``word`` is what a MatchSpec has to call it.
    """

    def __init__(
        self,
        status: ChannelStatus,
        names: Iterable[str],
        *,
        word: str,
        repositories: Sequence[Any] = (),
        has_stores: bool = False,
    ) -> None:
        self.status = status
        self.names = frozenset(names)
        self.word = word
        self.repositories = tuple(repositories)
        self.is_usable = has_stores or bool(repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A `Database`, its channels, and from which stores more is put into it; ``None`` where it is all there."""

    database: Any
    channels: tuple[LoadedChannel, ...]
    stored: StoredRepodata | None


class Loader:
    """Loads channels into one `Database` and finds out about those that fail."""

    def __init__(self, library: Any, platform: str, options: LoadOptions, stores: RecordStores) -> None:
        self._library = library
        self._options = options
        self._stores = stores
        self._subdirs = tuple(dict.fromkeys((platform, NOARCH)))
        # libmamba counts in seconds, envcheck in milliseconds.
        self._cutoff = None if options.exclude_newer is None else options.exclude_newer // 1000
        self._downloader = self._make_downloader()

    def load(self, channels: Sequence[Channel], progress: ProgressCallback | None) -> Loaded:
        """A `Database` of channels, and how each of them fared.

        Stores are used where all repodata has them: what whole repodata depends on is not to be told in time.
        """
        wanted = [Wanted(channel=channel, subdir=subdir) for channel in channels for subdir in self._subdirs]
        fetched = iter(self._downloader.fetch(wanted))
        found = [(channel, [next(fetched) for _ in self._subdirs]) for channel in channels]
        parameters = self._parameters(found)
        database, drops_newer = compat.new_database(self._library, parameters, self._cutoff)
        stores = {
            repodata.url: None if (read := _read(repodata, subdir)) is None else self._stores.made_from(read)
            for _, each in found
            for subdir, repodata in zip(self._subdirs, each, strict=True)
            if repodata is not None
        }
        whole = {url: store for url, store in stores.items() if store is not None}
        are_stored = len(whole) == len(stores) > 0
        loaded = []
        pieces: list[StoredSubdir] = []
        for done, (channel, repodata) in enumerate(found, start=1):
            if are_stored:
                one, some = self._stored(channel, repodata, whole, drops_newer=drops_newer)
                pieces += (replace(piece, channel=done - 1) for piece in some)
            else:
                one = self._load(database, channel, repodata, drops_newer=drops_newer)
            loaded.append(one)
            if progress is not None:
                progress(channel.name, done, len(channels))
        if not are_stored:
            self._want_stores(found, loaded, beside=bool(whole))
        stored = (
            StoredRepodata(pieces, lambda: compat.new_database(self._library, parameters, self._cutoff)[0])
            if are_stored
            else None
        )
        return Loaded(database=database, channels=tuple(loaded), stored=stored)

    def _stored(
        self,
        channel: Channel,
        found: Sequence[Repodata | None],
        stores: Mapping[str, RecordStore],
        *,
        drops_newer: bool,
    ) -> tuple[LoadedChannel, list[StoredSubdir]]:
        """A channel whose repodata is in stores."""
        status = self._judge(channel, [subdir for subdir, one in zip(self._subdirs, found, strict=True) if one is None])
        if status.state not in (ChannelState.LOADED, ChannelState.NO_SUBDIR):
            return LoadedChannel(status, (), word=channel.name), []
        present = [one for one in found if one is not None]
        pieces = [
            StoredSubdir(channel=0, store=stores[one.url], add=self._adding(channel, one, drops_newer=drops_newer))
            for one in present
        ]
        names = frozenset().union(*(stores[one.url].names for one in present))
        return LoadedChannel(status, names, word=_word(channel, found), has_stores=True), pieces

    def _adding(self, channel: Channel, repodata: Repodata, *, drops_newer: bool) -> Callable[[Any, Path], Any]:
        """How a piece of repodata is added to a `Database`."""

        def add(database: Any, path: Path) -> Any:
            try:
                repository = database.add_repo_from_repodata_json(str(path), repodata.url, channel.url.rstrip("/"))
            except Exception as error:
                raise StoreDamagedError(str(error)) from error
            return repository if drops_newer else self._without_newer(database, repository)

        return add

    def _want_stores(
        self,
        found: Sequence[tuple[Channel, Sequence[Repodata | None]]],
        loaded: Sequence[LoadedChannel],
        *,
        beside: bool,
    ) -> None:
        """Have stores made of what has been read whole."""
        self._stores.want_read(
            [
                [
                    _read(repodata, subdir)
                    for subdir, repodata in zip(self._subdirs, each, strict=True)
                    if repodata is not None
                ]
                for (_, each), one in zip(found, loaded, strict=True)
                if one.is_usable
            ],
            beside=beside,
        )

    def _make_downloader(self) -> Downloader:
        if compat.can_download(self._library):
            return NativeDownloader(self._library, self._options)
        context = compat.shared_context(self._library)
        return PlainDownloader(compat.package_directories(context, self._options)[0], self._options)

    def _parameters(self, found: Sequence[tuple[Channel, Sequence[Repodata | None]]]) -> Any:
        """What a channel's name in a MatchSpec stands for: where its records really came from."""
        specs = self._library.specs
        known = {
            channel.name: specs.Channel(specs.CondaURL.parse(address), channel.name, set(self._subdirs))
            for channel, repodata in found
            if "://" not in channel.name and (address := _address(repodata))
        }
        return specs.ChannelResolveParams(
            platforms=set(self._subdirs),
            channel_alias=specs.CondaURL.parse("https://conda.anaconda.org"),
            custom_channels=specs.ChannelResolveParams.ChannelMap(known),
        )

    def _load(
        self, database: Any, channel: Channel, found: Sequence[Repodata | None], *, drops_newer: bool
    ) -> LoadedChannel:
        repositories: list[Any] = []
        names: set[str] = set()
        failed: list[str] = []
        for subdir, repodata in zip(self._subdirs, found, strict=True):
            repository = None if repodata is None else self._add(database, channel, repodata)
            if repodata is None or repository is None:
                failed.append(subdir)
                continue
            if not drops_newer:
                repository = self._without_newer(database, repository)
            repositories.append(repository)
            names |= _names(repodata)
        status = self._judge(channel, failed)
        if status.state not in (ChannelState.LOADED, ChannelState.NO_SUBDIR):
            for repository in repositories:
                database.remove_repo(repository)
            return LoadedChannel(status, (), word=channel.name)
        return LoadedChannel(status, names, word=_word(channel, found), repositories=repositories)

    def _add(self, database: Any, channel: Channel, repodata: Repodata) -> Any:
        """Add a repository to a `Database`, from a ``.solv`` file where there is a good one; ``None``: it is damaged.

        The records are given the canonical URL as their channel, so that nothing has to be told from their addresses.
        """
        origin = self._library.solver.libsolv.RepodataOrigin(
            url=repodata.url, etag=repodata.etag, mod=repodata.modified
        )
        identity = channel.url.rstrip("/")
        is_whole = False
        try:
            refuse_many_objects(repodata.json, self._options.largest_download)
            is_whole = _is_whole(repodata.json)
        except GivenUpError as error:
            self._downloader.given_up[channel] = error
        except OSError:  # it was there a moment ago
            pass
        if not is_whole:
            repodata.discard()
            return None
        if self._cutoff is None and repodata.solv is not None:
            with suppress(Exception):  # an outdated or damaged one is as good as none
                return database.add_repo_from_native_serialization(str(repodata.solv), origin, identity)
        try:
            repository = database.add_repo_from_repodata_json(str(repodata.json), repodata.url, identity)
        except Exception:  # noqa: BLE001  # each kind of damage has an exception of its own
            repodata.discard()
            return None
        # Records that were dropped for their date must not be missing from a file that others read.
        if self._cutoff is None and repodata.solv_to_write is not None:
            with suppress(Exception):
                database.native_serialize_repo(repository, str(repodata.solv_to_write), origin)
        return repository

    def _without_newer(self, database: Any, repository: Any) -> Any:
        """The same repository without records newer than the cutoff, for a `Database` that keeps them all."""
        kept = [one for one in database.packages_in_repo(repository) if one.timestamp <= (self._cutoff or 0)]
        name = repository.name
        database.remove_repo(repository)
        return database.add_repo_from_packages(kept, name)

    def _judge(self, channel: Channel, failed: Sequence[str]) -> ChannelStatus:
        """The status of a channel of which these subdirs could not be loaded."""
        if not channel.locations:
            return ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail=say("it has no address"))
        given_up = self._downloader.given_up.get(channel)
        troubles = [self._ask(channel.locations[-1], subdir, given_up) for subdir in failed]
        fatal = [trouble for trouble in troubles if trouble[0] is not ChannelState.NO_SUBDIR]
        if fatal:
            return ChannelStatus(channel=channel, state=fatal[0][0], detail=fatal[0][1])
        if len(troubles) == len(self._subdirs):
            detail = say("it has neither {platform} nor noarch", platform=self._subdirs[0])
            return ChannelStatus(channel=channel, state=ChannelState.NOT_FOUND, detail=detail)
        if troubles:
            return ChannelStatus(channel=channel, state=troubles[0][0], detail=troubles[0][1])
        return ChannelStatus(channel=channel, state=ChannelState.LOADED)

    def _ask(self, location: str, subdir: str, given_up: GivenUpError | None) -> tuple[ChannelState, str]:
        if "://" not in location:
            return ChannelState.NOT_FOUND, say("its address is no URL")
        return ask_why(
            location,
            subdir,
            offline=self._options.offline,
            verify_tls=self._options.verify_tls,
            proxies=self._options.proxies,
            timeouts=(self._options.connect_timeout, self._options.read_timeout),
            given_up=given_up,
        )
