"""libmamba over record stores: what is read, by whom the stores were made, and what happens to damaged ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envcheck.engines import LoadOptions
from envcheck.engines.record_store_building import BuildOrder
from envcheck.engines.record_stores import RecordStores
from envcheck.model import ChannelState
from tests.support.channels import LINUX, channel, record, solved, write_channel
from tests.support.server import ServerFactory
from tests.support.stores import StoredRattlerEngine, build_at_once, eager_stores

pytest.importorskip("libmambapy", reason="libmambapy is not installed")

from envcheck.engines.libmamba import LibmambaEngine


@pytest.fixture
def options(tmp_path: Path) -> LoadOptions:
    return LoadOptions(cache_directory=str(tmp_path / "cache"), record_directory=str(tmp_path / "records"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_channel(
        tmp_path / "channel",
        {
            "linux-64": [record("a", depends=["b"]), record("a", "2.0", depends=["b"]), record("other")],
            "noarch": [record("b", noarch="generic"), record("c", depends=["a"], noarch="generic")],
        },
    )


def load(options: LoadOptions, *locations: Path | str, make: Any = eager_stores, priority: str = "flexible") -> Any:
    channels = [channel(one, f"channel{number}") for number, one in enumerate(locations)]
    return LibmambaEngine(make).load(channels, "linux-64", LINUX, options=options, channel_priority=priority)


def in_database(index: Any) -> set[str]:
    database = index._lookups.database
    every = (index._specs.MatchSpec.parse(name) for name in index.names())
    return {one.name for spec in every for one in database.packages_matching(spec)}


def test_what_is_not_asked_for_is_not_read(options: LoadOptions, directory: Path) -> None:
    assert in_database(load(options, directory)) == {"a", "b", "c", "other"}, "the first time there are no stores"

    index = load(options, directory)
    assert index.names() == {"a", "b", "c", "other"}
    assert in_database(index) == set()
    assert [one.version for one in index.records("a")] == ["2.0", "1.0"]
    assert in_database(index) == {"a"}
    assert {name: one.version for name, one in solved(index.solve(["c"])).items()} == {
        "a": "2.0",
        "b": "1.0",
        "c": "1.0",
    }
    assert in_database(index) == {"a", "b", "c"}


def test_channels_keep_their_order_however_late_a_name_is_read(options: LoadOptions, tmp_path: Path) -> None:
    first = write_channel(tmp_path / "first", {"linux-64": [record("a", "1.0"), record("x")], "noarch": []})
    second = write_channel(
        tmp_path / "second",
        {"linux-64": [record("a", "2.0"), record("d", depends=["a"]), record("x", "5")], "noarch": []},
    )
    for priority, version in (("strict", "1.0"), ("flexible", "1.0"), ("disabled", "2.0")):
        load(options, first, second)
        index = load(options, first, second, priority=priority)
        assert index.records("x")[0].version == "1.0"
        assert solved(index.solve(["d"]))["a"].version == version
        assert solved(index.solve(["a", "d", "x"]))["a"].version == version


def test_one_channel_without_stores_has_all_read_whole(options: LoadOptions, directory: Path, tmp_path: Path) -> None:
    load(options, directory)
    other = write_channel(tmp_path / "late", {"linux-64": [record("z", depends=["a"])], "noarch": []})
    orders: list[Sequence[BuildOrder]] = []

    def make(wanted: LoadOptions) -> RecordStores:
        return RecordStores(wanted, start=orders.append)

    index = load(options, directory, other, make=make)

    assert in_database(index) == {"a", "b", "c", "other", "z"}
    assert {Path(one.repodata).parent.parent.name for each in orders for one in each} == {"channel", "late"}


def test_small_repodata_has_no_stores(options: LoadOptions, directory: Path) -> None:
    orders: list[Sequence[BuildOrder]] = []
    load(options, directory, make=lambda wanted: RecordStores(wanted, start=orders.append))
    assert orders == []
    load(replace(options, record_directory=None), directory)
    assert not Path(options.record_directory or "").exists()


def test_both_engines_use_the_stores_of_a_folder(options: LoadOptions, directory: Path) -> None:
    shared = replace(options, record_directory=f"{options.cache_directory}-records")
    StoredRattlerEngine().load([channel(directory)], "linux-64", LINUX, options=shared)

    index = load(shared, directory, make=lambda wanted: RecordStores(wanted, start=_refuse))

    assert in_database(index) == set()


def _refuse(orders: Sequence[BuildOrder]) -> None:
    raise AssertionError(orders)


def test_a_store_that_a_servers_etag_vouches_for_is_used(
    options: LoadOptions, directory: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(directory)
    shared = replace(options, record_directory=f"{options.cache_directory}-records")
    StoredRattlerEngine().load([channel(server.url)], "linux-64", LINUX, options=shared)

    index = load(shared, server.url, make=lambda wanted: RecordStores(wanted, start=_refuse))

    assert in_database(index) == set()
    assert solved(index.solve(["c"])).keys() == {"a", "b", "c"}


def test_another_state_of_a_server_is_read_whole_and_stored_anew(
    options: LoadOptions, directory: Path, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(directory)
    load(options, server.url)
    assert in_database(load(options, server.url)) == set()
    write_channel(directory, {"linux-64": [record("a", "3.0")], "noarch": []})
    for path in (tmp_path / "cache" / "cache").glob("*.json"):
        os.utime(path, (0, 0))  # what mamba has just fetched it takes for new for a while

    index = load(options, server.url)

    assert in_database(index) == {"a"}
    again = load(options, server.url)
    assert [one.version for one in again.records("a")] == ["3.0"]
    assert again.names() == {"a"}


def test_records_newer_than_asked_for_stay_out(options: LoadOptions, tmp_path: Path) -> None:
    dates = [record("a", "1.0", timestamp=1_000_000_000_000), record("a", "2.0", timestamp=1_600_000_000_000)]
    directory = write_channel(tmp_path / "dates", {"linux-64": dates, "noarch": []})
    load(options, directory)

    index = load(replace(options, exclude_newer=1_500_000_000_000), directory)

    assert [one.version for one in index.records("a")] == ["1.0"]
    assert solved(index.solve(["a"]))["a"].version == "1.0"


@pytest.mark.parametrize("question", ["records", "prefetch", "matching", "builds", "solve", "preferred"])
def test_a_damaged_store_is_put_right_while_it_is_asked(options: LoadOptions, directory: Path, question: str) -> None:
    load(options, directory)
    for path in Path(options.record_directory or "").glob("*.records"):
        content = bytearray(path.read_bytes())
        # Every packed body begins with zstd's magic number: what follows the header is flipped.
        place = content.find(b"\x28\xb5\x2f\xfd")
        while place >= 0:
            content[place + 12] ^= 0xFF
            place = content.find(b"\x28\xb5\x2f\xfd", place + 4)
        path.write_bytes(content)
    plain = load(replace(options, record_directory=None), directory)

    index = load(options, directory)

    asked: dict[str, Any] = {
        "records": lambda one: one.records("a"),
        "prefetch": lambda one: (one.prefetch(["a", "b"]), one.records("b"))[1],
        "matching": lambda one: one.matching("a <2"),
        "builds": lambda one: one.builds([("a", "1.0", "0")]),
        "solve": lambda one: one.solve(["c"]),
        "preferred": lambda one: one.solve(["c"], preferred=plain.matching("a <2")),
    }
    assert asked[question](index) == asked[question](plain)
    assert [status.state for status in index.statuses] == [ChannelState.LOADED]


def test_a_subdir_that_is_not_there_keeps_nothing_from_stores(options: LoadOptions, tmp_path: Path) -> None:
    directory = write_channel(tmp_path / "half", {"noarch": [record("a", noarch="generic")]})
    load(options, directory)

    index = load(options, directory)

    assert in_database(index) == set()
    assert [status.state for status in index.statuses] == [ChannelState.NO_SUBDIR]
    assert solved(index.solve(["a"])).keys() == {"a"}


def test_a_builder_that_fails_leaves_everything_as_it_was(options: LoadOptions, directory: Path) -> None:
    def nothing(orders: Sequence[BuildOrder]) -> None:
        build_at_once([replace(one, state=replace(one.state, size=1)) for one in orders])

    load(options, directory, make=lambda wanted: RecordStores(wanted, start=nothing, smallest=0))
    assert in_database(load(options, directory, make=RecordStores)) == {"a", "b", "c", "other"}


def test_an_answer_does_not_hang_on_what_was_asked_before(options: LoadOptions, tmp_path: Path) -> None:
    records = [record("x", depends=["a", "b"]), record("a", "1", depends=["c"]), record("a", "2", depends=["c <2"])]
    records += [
        record("b", "1", depends=["c"]),
        record("b", "2", depends=["c >=2"]),
        record("c", "1"),
        record("c", "2"),
    ]
    directory = write_channel(tmp_path / "torn", {"linux-64": records, "noarch": []})
    whole = load(options, directory)
    expected = {name: one.version for name, one in solved(whole.solve(["x"])).items()}
    for asked in (
        lambda index: index.solve(["b"]),
        lambda index: index.records("b"),
        lambda index: index.matching("b >=1"),
        lambda index: index.prefetch(["b", "c"]),
        lambda index: index.solve_each(["c", "b"]),
        lambda index: index.solve(["x"], preferred=index.matching("b >=2")),
    ):
        index = load(options, directory)
        asked(index)
        assert {name: one.version for name, one in solved(index.solve(["x"])).items()} == expected


def test_a_file_that_is_gone_when_it_is_read_is_no_fault_of_envcheck(
    options: LoadOptions, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from envcheck.engines import libmamba_loading

    other = write_channel(tmp_path / "gone", {"linux-64": [record("z")], "noarch": []})
    load(options, directory, other)
    read = libmamba_loading._read

    def vanished(repodata: Any, subdir: str) -> Any:
        return None if "gone" in repodata.url else read(repodata, subdir)

    monkeypatch.setattr(libmamba_loading, "_read", vanished)
    index = load(options, directory, other)
    assert {one.state for one in index.statuses} == {ChannelState.LOADED}
    assert index.names() == {"a", "b", "c", "other", "z"}
