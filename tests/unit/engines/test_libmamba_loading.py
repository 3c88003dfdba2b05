"""How repodata gets to libmamba: whose copies are used, what older versions do instead, and what is not believed."""

from __future__ import annotations

import gc
import gzip
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from envcheck.engines import LoadOptions
from envcheck.engines.libmamba_compat import can_download
from envcheck.engines.libmamba_downloading import PlainDownloader, Wanted
from envcheck.engines.libmamba_loading import LoadedChannel, Loader
from envcheck.engines.record_stores import RecordStores
from envcheck.model import Channel, ChannelState
from tests.support.channels import LINUX, channel, record, write_channel
from tests.support.server import Misbehaviour, ServerFactory

# ---------------------------------------------------------------------------------------------------------------------
# The plain downloader, which needs no libmamba
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_channel(tmp_path / "small", {"linux-64": [record("a"), record("b")], "noarch": [record("c")]})


@pytest.fixture
def packed_server() -> Iterator[str]:
    """The URL of a channel whose server packs 3 MB of blanks for the way."""
    packed = gzip.compress(b"{" + b" " * 2_999_998 + b"}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def names(path: Path | None) -> set[str]:
    assert path is not None
    content = json.loads(path.read_text())
    return {one["name"] for one in content["packages.conda"].values()}


def test_plain_downloads_are_kept_with_their_tag(small: Path, tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(small, prefix="/t/tk-123-secret")
    wanted = [Wanted(channel=channel(server.url), subdir="linux-64")]
    first = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted)[0]
    again = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted)[0]
    offline = PlainDownloader(tmp_path / "cache", LoadOptions(offline=True)).fetch(wanted)[0]
    assert first is not None
    assert names(first.json) == {"a", "b"}
    assert first == again == offline
    assert [one.status for one in server.requests] == [200, 304]
    assert "secret" not in repr(first)
    write_channel(small, {"linux-64": [record("new")]})
    renewed = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted)[0]
    assert renewed is not None
    assert names(renewed.json) == {"new"}


def test_plain_downloads_that_fail(small: Path, tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(small)
    server.misbehave("/noarch", Misbehaviour.SERVER_ERROR)
    server.misbehave("/linux-64", Misbehaviour.RESET)
    downloader = PlainDownloader(tmp_path / "cache", LoadOptions())
    wanted = [Wanted(channel=channel(server.url), subdir=subdir) for subdir in ("linux-64", "noarch")]
    assert downloader.fetch(wanted) == [None, None]
    assert PlainDownloader(tmp_path / "cache", LoadOptions(offline=True)).fetch(wanted) == [None, None]


def test_the_next_location_and_local_ones(small: Path, tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(small)
    server.misbehave("/", Misbehaviour.NOT_FOUND)
    mirrored = Channel(name="small", url="https://example.org/small", locations=(server.url, small.as_uri()))
    found = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch([Wanted(channel=mirrored, subdir="noarch")])[0]
    assert found is not None
    assert found.json == small / "noarch" / "repodata.json"


def test_plain_downloads_end_where_they_are_too_large(tmp_path: Path, packed_server: str) -> None:
    wanted = [Wanted(channel=channel(packed_server), subdir="linux-64")]
    for _ in range(2):
        downloader = PlainDownloader(tmp_path / "cache", LoadOptions(largest_download=1_000_000))
        assert downloader.fetch(wanted) == [None]
        assert "larger than 0.001 GB" in downloader.given_up[wanted[0].channel].message
        assert list((tmp_path / "cache" / "envcheck").iterdir()) == []
    found = PlainDownloader(tmp_path / "cache", LoadOptions(largest_download=3_000_000)).fetch(wanted)[0]
    assert found is not None
    assert found.json.stat().st_size == 3_000_000


def test_what_breaks_off_leaves_the_copy_that_was_there(
    small: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(small)
    wanted = [Wanted(channel=channel(server.url), subdir="linux-64")]
    first = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted)[0]
    assert first is not None
    kept = {path: path.read_bytes() for path in first.json.parent.iterdir()}
    write_channel(small, {"linux-64": [record("new")]})
    server.misbehave("/", Misbehaviour.BROKEN_OFF)
    assert PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted) == [None]
    assert {path: path.read_bytes() for path in first.json.parent.iterdir()} == kept


def test_a_plain_copy_is_discarded_and_a_local_channel_is_not(
    small: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    for location, is_left in ((loopback_server(small).url, False), (small.as_uri(), True)):
        wanted = [Wanted(channel=channel(location), subdir="linux-64")]
        found = PlainDownloader(tmp_path / "cache", LoadOptions()).fetch(wanted)[0]
        assert found is not None
        found.discard()
        assert found.json.exists() is is_left


# ---------------------------------------------------------------------------------------------------------------------
# With libmamba
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def library() -> Any:
    return pytest.importorskip("libmambapy", reason="libmambapy is not installed")


@pytest.fixture
def old_library(library: Any) -> Any:
    """The library without what its younger versions have: mirrors that can be named, and dates in its database."""
    younger = {"MirrorMap", "SubdirIndexLoader"}
    members = {name: value for name, value in vars(library).items() if name not in younger}
    libsolv = SimpleNamespace(**vars(library.solver.libsolv))
    libsolv.Database = lambda parameters: library.solver.libsolv.Database(parameters)  # noqa: PLW0108  # no keywords
    return SimpleNamespace(**{**members, "solver": SimpleNamespace(libsolv=libsolv)})


def load(library: Any, options: LoadOptions, where: Sequence[Channel]) -> tuple[Any, Sequence[LoadedChannel]]:
    loaded = Loader(library, "linux-64", options, RecordStores(options)).load(where, None)
    return loaded.database, loaded.channels


def packages(database: Any, library: Any, name: str) -> list[str]:
    return [one.version for one in database.packages_matching(library.specs.MatchSpec.parse(name))]


def test_an_old_library_loads_all_the_same(
    library: Any, old_library: Any, small: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    assert not can_download(old_library)
    server = loopback_server(small)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    database, loaded = load(old_library, options, [channel(server.url)])
    assert loaded[0].status.state is ChannelState.LOADED
    assert loaded[0].names == {"a", "b", "c"}
    assert packages(database, library, "a") == ["1.0"]


def test_an_old_library_drops_newer_records(library: Any, old_library: Any, tmp_path: Path) -> None:
    records = [record("a", "1.0", timestamp=1_000_000_000_000), record("a", "2.0", timestamp=1_600_000_000_000)]
    records.append(record("b", "1.0", timestamp=1_600_000_000_000))
    directory = write_channel(tmp_path / "dates", {"linux-64": records, "noarch": []})
    options = LoadOptions(cache_directory=str(tmp_path / "cache"), exclude_newer=1_500_000_000_000)
    for one in (library, old_library):
        database, loaded = load(one, options, [channel(directory)])
        assert packages(database, library, "a") == ["1.0"]
        assert loaded[0].names == {"a", "b"}, "as stores and rattler tell names"


def test_a_solv_file_is_written_and_read(
    library: Any, channels_directory: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(channels_directory)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    where = [channel(f"{server.url}/conda-forge")]
    first, _ = load(library, options, where)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "cache").glob("*.solv")}
    assert len(written) == 2
    second, loaded = load(library, options, where)
    assert packages(first, library, "numpy") == packages(second, library, "numpy")
    assert loaded[0].names >= {"numpy", "geopandas"}
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_dates_leave_no_solv_file(
    library: Any, channels_directory: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(channels_directory)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"), exclude_newer=1_500_000_000_000)
    load(library, options, [channel(f"{server.url}/conda-forge")])
    assert not list((tmp_path / "cache" / "cache").glob("*.solv"))


def test_names_are_those_of_the_records(library: Any, channels_directory: Path, tmp_path: Path) -> None:
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    database, loaded = load(library, options, [channel(channels_directory / "conda-forge")])
    exact = {one.name for repository in loaded[0].repositories for one in database.packages_in_repo(repository)}
    assert loaded[0].names == exact


def test_a_copy_of_mamba_is_used_if_it_is_of_the_same_address(
    library: Any, small: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(small)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    # What mamba would do for a channel of that name with that address: it is canonical, so that the name is its own.
    canonical = Channel(name="small", url=server.url, locations=(server.url,))
    load(library, options, [canonical])
    asked = len(server.requests)
    named = library.cache_filename_from_url("small/linux-64")
    assert (tmp_path / "cache" / "cache" / named).is_file()
    mirrored = Channel(name="small", url="https://example.org/small", locations=(server.url,))
    load(library, options, [mirrored])
    assert len(server.requests) == asked, "the same address under another canonical one"
    other = loopback_server(write_channel(tmp_path / "other", {"linux-64": [record("z")], "noarch": []}))
    elsewhere = Channel(name="small", url=other.url, locations=(other.url,))
    _, loaded = load(library, options, [elsewhere])
    assert loaded[0].names == {"z"}, "another address under the same name"


def test_a_solve_in_this_very_process_leaves_no_trace(library: Any, channels_directory: Path, tmp_path: Path) -> None:
    # Where processes cannot be forked a solve happens in the database that later look-ups and solves use.
    from envcheck.engines.libmamba import LibmambaEngine

    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    index: Any = LibmambaEngine().load(
        [channel(channels_directory / "conda-forge")], "linux-64", LINUX, options=options
    )
    specs = [index._match_spec(text) for text in ("python 3.10.*", "pandas")]
    first = index._solve(specs, [], [])
    records = index.matching("numpy")
    favoured = [index._original(index.matching("numpy ==1.26.2 py310*")[0])]
    changed = index._solve(specs, index._constraint("pandas <2.2"), favoured)
    assert changed != first
    assert isinstance(index._solve(specs, index._constraint("numpy <1.0"), []), str)
    assert index._solve(specs, [], []) == first
    index._records.clear()
    assert index.matching("numpy") == records


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal since Python 3.12")
def test_loading_takes_no_references_of_none(library: Any, small: Path, tmp_path: Path) -> None:
    # libmambapy's download takes one with every call; without enough of them the process ends.
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    channels = [channel(small), channel(tmp_path / "missing")]

    def references_after(loads: int) -> int:
        for _ in range(loads):
            load(library, options, channels)
        gc.collect()
        return sys.getrefcount(None)

    assert abs(references_after(30) - references_after(30)) < 15


def test_what_is_too_large_is_refused_where_nobody_watched(library: Any, small: Path, tmp_path: Path) -> None:
    repodata = small / "linux-64" / "repodata.json"
    repodata.write_text(repodata.read_text() + " " * 100_000 + "\n")
    options = LoadOptions(cache_directory=str(tmp_path / "cache"), largest_download=100_000)
    good = write_channel(tmp_path / "good", {"linux-64": [record("a")], "noarch": []})
    _, (refused, loaded) = load(library, options, [channel(small, "small"), channel(good, "good")])
    assert refused.status.state is ChannelState.UNREACHABLE
    assert "larger than 0.0001 GB" in refused.status.detail
    assert loaded.status.state is ChannelState.LOADED
    assert repodata.is_file()
