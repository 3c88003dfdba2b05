"""How the libmamba engine comes by repodata: fetched into mamba's cache, by libmamba itself where it can be told to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from envcheck.caches import writable_instead_of
from envcheck.engines import LoadOptions
from envcheck.engines import libmamba_compat as compat
from envcheck.engines.apart import run_apart
from envcheck.engines.watching import DownloadWatch, GivenUpError, too_large
from envcheck.locations import local_path, open_session
from envcheck.model import Channel
from envcheck.secrets import strip_secrets

if TYPE_CHECKING:
    import requests

__all__ = ["NOARCH", "Downloader", "NativeDownloader", "PlainDownloader", "Repodata", "Wanted"]

NOARCH = "noarch"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One subdir of a channel to fetch."""

    channel: Channel
    subdir: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repodata:
    """Repodata on disk.

    ``url``, ``etag`` and ``modified`` say what it is a copy of; a ``.solv`` file is taken for a copy of the same only
    if it says the same. ``file`` is what was downloaded, and ``cache_control`` what the server said of it. ``solv`` is
    the one to read, ``solv_to_write`` where the next one belongs; ``discard`` removes the copy from the cache when it
    turns out to be damaged.
    """

    json: Path
    url: str
    etag: str = ""
    modified: str = ""
    file: str = ""
    cache_control: str = ""
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
        file="repodata.json.zst" if metadata.has_up_to_date_zst() else "repodata.json",
        cache_control=metadata.cache_control(),
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
            try:
                path = self._download(f"{base}/repodata.json") if directory is None else directory / "repodata.json"
            except GivenUpError as error:
                self.given_up[wanted.channel] = error
                continue
            if path is not None and path.is_file():
                kept = partial(path.unlink, missing_ok=True) if directory is None else lambda: None
                return Repodata(json=path, url=strip_secrets(base), discard=kept)
        return None

    def _download(self, url: str) -> Path | None:
        import requests

        identity = hashlib.sha256(strip_secrets(url).encode()).hexdigest()[:16]
        kept, tag = (self._directory / f"{identity}{suffix}" for suffix in (".json", ".etag"))
        if self._options.offline:
            return kept
        headers = {"If-None-Match": tag.read_text(encoding="utf-8")} if kept.is_file() and tag.is_file() else {}
        self._directory.mkdir(parents=True, exist_ok=True)
        timeouts = (self._options.connect_timeout, self._options.read_timeout)
        fresh = kept.with_suffix(".part")
        try:
            with (
                open_session(self._options.verify_tls, dict(self._options.proxies)) as session,
                session.get(url, headers=headers, timeout=timeouts, stream=True) as answer,
            ):
                if answer.status_code == requests.codes.not_modified:
                    return kept
                if not answer.ok:
                    return None
                self._write(answer, fresh)
            # The tag goes first: a copy without one is fetched again, a new tag beside an old copy would keep it for
            # ever.
            tag.unlink(missing_ok=True)
            fresh.replace(kept)
        except requests.exceptions.RequestException:
            return None
        finally:
            fresh.unlink(missing_ok=True)
        tag.write_text(answer.headers.get("ETag", ""), encoding="utf-8")
        return kept

    def _write(self, answer: requests.Response, path: Path) -> None:
        """Write what an answer brings.

        Raises:
            GivenUpError: It is more than repodata may have.
            requests.exceptions.RequestException: It breaks off.
        """
        size = 0
        with path.open("wb") as file:
            for part in answer.iter_content(_CHUNK):
                size += len(part)
                if size > self._options.largest_download:
                    raise too_large(self._options.largest_download)
                file.write(part)
