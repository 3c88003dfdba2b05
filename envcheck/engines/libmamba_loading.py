"""How the libmamba engine comes by its records: repodata fetched into mamba's cache, then loaded into a `Database`."""

from __future__ import annotations

import hashlib
import json
import mmap
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from envcheck.caches import writable_instead_of
from envcheck.engines import LoadOptions, ProgressCallback
from envcheck.engines import libmamba_compat as compat
from envcheck.engines.apart import run_apart
from envcheck.engines.probe import ask_why
from envcheck.engines.watching import DownloadWatch, GivenUpError
from envcheck.language import say
from envcheck.locations import local_path, open_session
from envcheck.model import Channel, ChannelState, ChannelStatus
from envcheck.secrets import strip_secrets

__all__ = ["Downloader", "LoadedChannel", "Loader", "NativeDownloader", "PlainDownloader", "Repodata", "Wanted"]

NOARCH = "noarch"

# A record's name in a repodata.json, whose records hold no other key of that name.
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One subdir of a channel to fetch."""

    channel: Channel
    subdir: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repodata:
    """Repodata on disk.

    ``url``, ``etag`` and ``modified`` say what it is a copy of; a ``.solv`` file is taken for a copy of the same only
    if it says the same. ``solv`` is the one to read, ``solv_to_write`` where the next one belongs; ``discard`` removes
    the copy from the cache when it turns out to be damaged.
    """

    json: Path
    url: str
    etag: str = ""
    modified: str = ""
    solv: Path | None = None
    solv_to_write: Path | None = None
    discard: Callable[[], object] = field(default=lambda: None, repr=False, compare=False)


class Downloader(Protocol):
    """Brings repodata to this machine."""

    given_up: dict[Channel, GivenUpError]
    """The channels whose download did not get on, and in a few words why it was ended."""

    def fetch(self, wanted: Sequence[Wanted]) -> list[Repodata | None]:
        """The repodata of each subdir, in order; ``None`` where it cannot be had."""
        ...


class NativeDownloader:
    """libmamba's own: its cache with all of its rules, its mirrors, zst, ETag, netrc, stored credentials.

    It knows shards only from within: the bindings have no way to load them.
    """

    def __init__(self, library: Any, options: LoadOptions) -> None:
        self.given_up: dict[Channel, GivenUpError] = {}
        self._library = library
        self._options = options
        context = compat.shared_context(library)
        directories = compat.package_directories(context, options)
        self._caches = compat.package_cache(library, context, directories)
        if _is_read_only(self._caches) and not options.offline:
            # libmamba reads the others, too.
            instead = writable_instead_of(directories[0] if directories else None)
            self._caches = compat.package_cache(library, context, [*directories, instead])
        self._authentication = compat.authentication(library)
        self._mirrors = library.MirrorMap()

    def fetch(self, wanted: Sequence[Wanted]) -> list[Repodata | None]:
        """The repodata of each subdir; see `Downloader.fetch`."""
        found = [_local(one) for one in wanted]
        loaders = {
            position: loader
            for position, one in enumerate(wanted)
            if found[position] is None and not _is_empty(one) and (loader := self._loader(one)) is not None
        }
        # What a loader knows of its copy of a local channel dies with it, so that these are copied here, and only where
        # there is something to copy: each call of libmamba's function takes a reference of None that it has not
        # (libmambapy 2.8), and before Python 3.12 some thousands of them end the process.
        local = [loader for loader in loaders.values() if loader.caching_is_forbidden()]
        if local:
            self._download(local)
        missing = [
            position
            for position, loader in loaders.items()
            if not loader.caching_is_forbidden() and not loader.valid_cache_found()
        ]
        if missing and not self._options.offline:
            for position in self._arrived(loaders, missing, wanted):
                # Whatever its age: it has been fetched or found unchanged just now.
                loaders[position] = self._loader(wanted[position], trust_cache=True)
        for position, loader in loaders.items():
            found[position] = _cached(loader)
        return found

    def _arrived(self, loaders: Mapping[int, Any], missing: Sequence[int], wanted: Sequence[Wanted]) -> list[int]:
        """Download what is missing; the positions of what could be had.

        All at once; where that does not get on, channel by channel, so that each is judged by its own server.
        """

        def download(positions: Sequence[int]) -> list[int]:
            def work() -> list[bool]:
                return self._download([loaders[position] for position in positions])

            arrived = run_apart(work, watch=self._watch())
            return [position for position, is_here in zip(positions, arrived, strict=True) if is_here]

        channels = list(dict.fromkeys(wanted[position].channel for position in missing))
        if len(channels) > 1:
            with suppress(GivenUpError):
                return download(missing)
        found: list[int] = []
        for channel in channels:
            try:
                found += download([position for position in missing if wanted[position].channel == channel])
            except GivenUpError as error:  # noqa: PERF203  # dear as a download is
                self.given_up[channel] = error
        return found

    def _watch(self) -> DownloadWatch:
        folder = Path(str(self._caches.first_writable_path)) / "cache"
        return DownloadWatch([folder], patience=self._options.read_timeout, largest=self._options.largest_download)

    def _download(self, loaders: Sequence[Any]) -> list[bool]:
        """Download what the loaders lack; which of them have something now."""
        library = self._library

        def download(some: Sequence[Any]) -> None:
            library.SubdirIndexLoader.download_required_indexes(
                some,
                library.SubdirDownloadParams(offline=self._options.offline, repodata_check_zst=True),
                self._authentication,
                self._mirrors,
                library.DownloadOptions(),
                compat.remote_fetch_parameters(library, self._options),
            )

        try:
            download(loaders)
        except Exception:  # noqa: BLE001  # which of them failed is asked of the loaders
            # A noarch subdir that cannot be had ends the downloads of all others, wherever they are.
            for loader in loaders:
                with suppress(Exception):
                    if not loader.valid_cache_found():
                        download([loader])
        return [bool(loader.valid_cache_found()) for loader in loaders]

    def _loader(self, wanted: Wanted, *, trust_cache: bool = False) -> Any:
        """The `SubdirIndexLoader` of a subdir, ``None`` where the channel's addresses make no sense to libmamba."""
        specs = self._library.specs
        locations = [location.rstrip("/") for location in wanted.channel.locations if "://" in location]
        if not locations:
            return None
        platforms = {wanted.subdir, NOARCH}
        resolving = specs.ChannelResolveParams(platforms=platforms, authentication_db=self._authentication)
        try:
            urls = [
                specs.Channel.resolve(specs.UnresolvedChannel.parse(location), resolving)[0].url
                for location in locations
            ]
            loader = None
            for identity in self._identities(wanted.channel, locations[0]):
                channel = specs.Channel(urls[0], identity, platforms)
                parameters = self._library.SubdirParams(offline=trust_cache or self._options.offline)
                loader = self._library.SubdirIndexLoader.create(parameters, channel, wanted.subdir, self._caches)
                # mamba calls a channel as the user does: what it keeps under the name may be another address's.
                known = loader.metadata().url()
                if known == loader.repodata_url().str() or (not known and _is_canonical(wanted.channel)):
                    break
            for url in urls:
                self._mirrors.add_mirror_from_url(identity, url.str(credentials=specs.CondaURL.Credentials.Show))
        except (ValueError, RuntimeError):
            return None
        return loader

    @staticmethod
    def _identities(channel: Channel, location: str) -> list[str]:
        """What the channel may be called in mamba's cache, whose files are named by it; the last one always will do."""
        address = strip_secrets(location)
        if urlsplit(location).scheme == "file":
            return [address]
        return [channel.name, address]


def _is_canonical(channel: Channel) -> bool:
    return strip_secrets(channel.locations[0]).rstrip("/") == channel.url.rstrip("/")


def _local(wanted: Wanted) -> Repodata | None:
    """The repodata of a channel on this machine, read where it lies: libmamba would copy it each time."""
    for location in wanted.channel.locations[:1]:
        directory = local_path(location)
        if directory is not None and (path := directory / wanted.subdir / "repodata.json").is_file():
            return Repodata(json=path, url=f"{location.rstrip('/')}/{wanted.subdir}")
    return None


def _is_empty(wanted: Wanted) -> bool:
    """Whether a subdir of a channel on this machine has no repodata in any form that libmamba reads."""
    directories = [local_path(location) for location in wanted.channel.locations]
    return all(
        directory is not None and not any((directory / wanted.subdir).glob("repodata.json*"))
        for directory in directories
    )


def _is_read_only(caches: Any) -> bool:
    """Whether there is none among mamba's package caches that can be written to."""
    return str(caches.first_writable_path) in ("", ".")


def _cached(loader: Any) -> Repodata | None:
    """What a loader has in the cache."""
    if loader is None or not loader.valid_cache_found():
        return None
    metadata = loader.metadata()
    solv: Path | None = None
    with suppress(Exception):  # raised where there is none
        solv = Path(str(loader.valid_libsolv_cache_path()))
    return Repodata(
        json=Path(str(loader.valid_json_cache_path())),
        url=metadata.url().rsplit("/", 1)[0],
        etag=metadata.etag(),
        modified=metadata.last_modified(),
        solv=solv,
        solv_to_write=Path(str(loader.writable_libsolv_cache_path())),
        discard=loader.clear_valid_cache_files,
    )


class PlainDownloader:
    """In the place of libmamba's where it cannot be told what to download: plain repodata.json, kept with its ETag."""

    def __init__(self, directory: Path, options: LoadOptions) -> None:
        self.given_up: dict[Channel, GivenUpError] = {}
        self._directory = directory / "envcheck"
        self._options = options

    def fetch(self, wanted: Sequence[Wanted]) -> list[Repodata | None]:
        """The repodata of each subdir; see `Downloader.fetch`."""
        return [self._fetch(one) for one in wanted]

    def _fetch(self, wanted: Wanted) -> Repodata | None:
        for location in wanted.channel.locations:
            base = f"{location.rstrip('/')}/{wanted.subdir}"
            directory = local_path(base)
            path = self._download(f"{base}/repodata.json") if directory is None else directory / "repodata.json"
            if path is not None and path.is_file():
                return Repodata(json=path, url=strip_secrets(base), discard=lambda: None)
        return None

    def _download(self, url: str) -> Path | None:
        import requests

        identity = hashlib.sha256(strip_secrets(url).encode()).hexdigest()[:16]
        kept, tag = (self._directory / f"{identity}{suffix}" for suffix in (".json", ".etag"))
        if self._options.offline:
            return kept
        headers = {"If-None-Match": tag.read_text(encoding="utf-8")} if kept.is_file() and tag.is_file() else {}
        self._directory.mkdir(parents=True, exist_ok=True)
        with open_session(self._options.verify_tls, dict(self._options.proxies)) as session:
            try:
                timeouts = (self._options.connect_timeout, self._options.read_timeout)
                answer = session.get(url, headers=headers, timeout=timeouts)
            except requests.exceptions.RequestException:
                return None
        if answer.status_code == requests.codes.not_modified:
            return kept
        if not answer.ok:
            return None
        # The tag goes first: a copy without one is fetched again, a new tag beside an old copy would keep it for ever.
        tag.unlink(missing_ok=True)
        fresh = kept.with_suffix(".part")
        fresh.write_bytes(answer.content)
        fresh.replace(kept)
        tag.write_text(answer.headers.get("ETag", ""), encoding="utf-8")
        return kept


def _address(found: Sequence[Repodata | None]) -> str:
    """The base URL that a channel's records have in the `Database`; empty if it has none."""
    return next((one.url.rsplit("/", 1)[0] for one in found if one is not None), "")


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
    """One channel with its repositories in the `Database`; none where it could not be loaded.

    ``word`` is what a MatchSpec has to call it.
    """

    def __init__(self, status: ChannelStatus, repositories: Sequence[Any], names: Iterable[str], *, word: str) -> None:
        self.status = status
        self.repositories = tuple(repositories)
        self.names = frozenset(names)
        self.word = word


class Loader:
    """Loads channels into one `Database` and finds out about those that fail."""

    def __init__(self, library: Any, platform: str, options: LoadOptions) -> None:
        self._library = library
        self._options = options
        self._subdirs = tuple(dict.fromkeys((platform, NOARCH)))
        # libmamba counts in seconds, envcheck in milliseconds.
        self._cutoff = None if options.exclude_newer is None else options.exclude_newer // 1000
        self._downloader = self._make_downloader()

    def load(self, channels: Sequence[Channel], progress: ProgressCallback | None) -> tuple[Any, list[LoadedChannel]]:
        """A `Database` of channels, and how each of them fared."""
        wanted = [Wanted(channel=channel, subdir=subdir) for channel in channels for subdir in self._subdirs]
        fetched = iter(self._downloader.fetch(wanted))
        found = [(channel, [next(fetched) for _ in self._subdirs]) for channel in channels]
        database, drops_newer = compat.new_database(self._library, self._parameters(found), self._cutoff)
        loaded = []
        for done, (channel, repodata) in enumerate(found, start=1):
            loaded.append(self._load(database, channel, repodata, drops_newer))
            if progress is not None:
                progress(channel.name, done, len(channels))
        return database, loaded

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
        self, database: Any, channel: Channel, found: Sequence[Repodata | None], drops_newer: bool
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
            names |= self._names(database, repository, repodata)
        status = self._judge(channel, failed)
        if status.state not in (ChannelState.LOADED, ChannelState.NO_SUBDIR):
            for repository in repositories:
                database.remove_repo(repository)
            return LoadedChannel(status, (), (), word=channel.name)
        word = _address(found) if "://" in channel.name else channel.name
        return LoadedChannel(status, repositories, names, word=word)

    def _add(self, database: Any, channel: Channel, repodata: Repodata) -> Any:
        """Add a repository to a `Database`, from a ``.solv`` file where there is a good one; ``None``: it is damaged.

        The records are given the canonical URL as their channel, so that nothing has to be told from their addresses.
        """
        origin = self._library.solver.libsolv.RepodataOrigin(
            url=repodata.url, etag=repodata.etag, mod=repodata.modified
        )
        identity = channel.url.rstrip("/")
        if not _is_whole(repodata.json):
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

    def _names(self, database: Any, repository: Any, repodata: Repodata) -> set[str]:
        """The names in a repository.

        libmamba gives them with whole records only, which takes ten times as long as to load them.
        """
        if self._cutoff is not None:
            return {one.name for one in database.packages_in_repo(repository)}
        with repodata.json.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return {name.decode() for name in set(_NAME.findall(content))}

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
