from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from envcheck.engines import LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.engines.record_store import RepodataState
from envcheck.engines.record_store_building import BuildOrder
from envcheck.engines.record_stores import RecordStores, start_builder
from envcheck.errors import ChannelError
from tests.support.channels import LINUX, channel, record, solved, write_channel
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory
from tests.support.stores import StoredRattlerEngine, build_at_once, eager_stores

SUBDIRS = ("linux-64", "noarch")


@pytest.fixture
def options(tmp_path: Path) -> LoadOptions:
    return LoadOptions(cache_directory=str(tmp_path / "cache"), record_directory=str(tmp_path / "records"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_channel(
        tmp_path / "channel",
        {"linux-64": [record("a", depends=["b"]), record("a", "2.0")], "noarch": [record("b", noarch="generic")]},
    )


def make(options: LoadOptions, location: str) -> None:
    """Have a channel's stores made; one on a server is fetched by rattler first."""
    if location.startswith("http"):
        StoredRattlerEngine().load([channel(location)], "linux-64", LINUX, options=options)
        folder = Path(f"{options.cache_directory}-records")
        folder.rename(options.record_directory or "")
    else:
        eager_stores(options).want([(location, SUBDIRS)])


def test_without_a_directory_there_are_no_stores(directory: Path) -> None:
    stores = eager_stores(LoadOptions())
    stores.want([(directory.as_uri(), SUBDIRS)])

    assert stores.find(directory.as_uri(), SUBDIRS) is None


def test_a_store_is_found_once_it_is_made(options: LoadOptions, directory: Path) -> None:
    assert eager_stores(options).find(directory.as_uri(), SUBDIRS) is None
    make(options, directory.as_uri())

    found = eager_stores(options).find(directory.as_uri(), SUBDIRS)

    assert found is not None
    assert {subdir: store.names for subdir, store in found.items()} == {"linux-64": {"a"}, "noarch": {"b"}}
    assert eager_stores(options).find(directory.as_uri(), ("win-64", "noarch")) is None


def test_a_directory_that_changed_has_no_store(options: LoadOptions, directory: Path) -> None:
    make(options, directory.as_uri())
    repodata = directory / "noarch" / "repodata.json"
    os.utime(repodata, ns=(0, repodata.stat().st_mtime_ns + 1))

    assert eager_stores(options).find(directory.as_uri(), SUBDIRS) is None


def test_a_store_is_made_once_in_a_run_and_only_of_what_is_large(options: LoadOptions, directory: Path) -> None:
    ordered: list[Sequence[BuildOrder]] = []
    stores = RecordStores(options, start=ordered.append, smallest=0)
    stores.want([(directory.as_uri(), SUBDIRS)])
    stores.want([(directory.as_uri(), SUBDIRS)])
    RecordStores(options, start=ordered.append, smallest=1_000_000).want([(directory.as_uri(), SUBDIRS)])
    RecordStores(options, start=ordered.append, smallest=0).want([((directory / "absent").as_uri(), SUBDIRS)])

    assert [[order.subdir for order in orders] for orders in ordered] == [["linux-64", "noarch"]]


def test_secrets_are_in_no_file_name_and_no_order(options: LoadOptions, directory: Path) -> None:
    ordered: list[Sequence[BuildOrder]] = []
    location = directory.as_uri().replace("file://", "file://user:hunter2@localhost")
    stores = RecordStores(options, start=ordered.append, smallest=0)
    stores.want([(location, SUBDIRS)])

    assert "hunter2" not in repr(ordered)


def test_a_server_is_asked_whether_it_has_what_it_had(
    options: LoadOptions, directory: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(directory)
    make(options, server.url)
    server.requests.clear()

    found = eager_stores(options).find(server.url, SUBDIRS)

    assert found is not None
    asked = [(one.method, one.path, one.status) for one in server.requests]
    assert sorted(asked) == [
        ("GET", "/linux-64/repodata.json", 304),
        ("GET", "/noarch/repodata.json", 304),
    ]


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.NOT_FOUND,
        Misbehaviour.FORBIDDEN,
        Misbehaviour.SERVER_ERROR,
        Misbehaviour.WEB_PAGE,
        Misbehaviour.BIT_FLIPPED,
        Misbehaviour.RESET,
    ],
    ids=lambda one: one.name,
)
def test_an_answer_of_any_other_kind_means_that_rattler_asks(
    options: LoadOptions, directory: Path, loopback_server: ServerFactory, misbehaviour: Misbehaviour
) -> None:
    server = loopback_server(directory)
    make(options, server.url)
    server.misbehave("/noarch", misbehaviour)

    assert eager_stores(options).find(server.url, SUBDIRS) is None


def test_a_server_with_something_new_is_not_answered_for(
    options: LoadOptions, directory: Path, loopback_server: ServerFactory
) -> None:
    server = loopback_server(directory)
    make(options, server.url)
    write_channel(directory, {"linux-64": [record("a", "3.0")], "noarch": []})
    renewed = StoredRattlerEngine()

    index = renewed.load([channel(server.url)], "linux-64", LINUX, options=options)

    assert [one.version for one in index.records("a")] == ["3.0"]


def test_offline_the_last_state_is_used(options: LoadOptions, directory: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(directory)
    make(options, server.url)
    server.requests.clear()

    found = eager_stores(dataclasses.replace(options, offline=True)).find(server.url, SUBDIRS)

    assert found is not None
    assert server.requests == []


@pytest.mark.parametrize(
    ("cache_control", "seconds", "asks"),
    [
        ("public, max-age=30", 20, False),
        ("public, max-age=30", 40, True),
        ("max-age=30, must-revalidate", 20, True),
        ("no-cache, max-age=30", 20, True),
        ("public", 20, True),
        ("", 20, True),
        ("max-age=99999999999999999999", 20, True),
    ],
)
def test_a_server_is_not_asked_for_as_long_as_it_said(
    options: LoadOptions,
    directory: Path,
    loopback_server: ServerFactory,
    cache_control: str,
    seconds: int,
    *,
    asks: bool,
) -> None:
    server = loopback_server(directory)
    make(options, server.url)
    for note in Path(options.cache_directory or "").glob("*.info.json"):
        said = json.loads(note.read_text())
        note.write_text(json.dumps({**said, "cache_control": cache_control}))
    for store in Path(options.record_directory or "").glob("*.records"):
        store.unlink()
    eager_stores(options).want([(server.url, SUBDIRS)])
    server.requests.clear()

    found = RecordStores(options, now=lambda: time.time() + seconds).find(server.url, SUBDIRS)

    assert found is not None
    assert bool(server.requests) is asks


def test_a_server_that_names_no_state_cannot_be_held_to_it(options: LoadOptions, directory: Path) -> None:
    location = "https://example.invalid/channel"
    stores = RecordStores(options)
    for subdir in SUBDIRS:
        path = directory / subdir / "repodata.json"
        state = RepodataState(size=path.stat().st_size, modified=path.stat().st_mtime_ns, file="repodata.json.zst")
        build_at_once(
            [BuildOrder(repodata=str(path), subdir=subdir, store=str(stores._path(location, subdir)), state=state)]
        )
    assert stores.find(location, SUBDIRS) is None


def test_the_builder_runs_by_itself(options: LoadOptions, directory: Path) -> None:
    RecordStores(options, start=start_builder, smallest=0).want([(directory.as_uri(), SUBDIRS)])
    deadline = time.monotonic() + 60
    while eager_stores(options).find(directory.as_uri(), SUBDIRS) is None and time.monotonic() < deadline:
        time.sleep(0.05)

    assert eager_stores(options).find(directory.as_uri(), SUBDIRS) is not None


# ---------------------------------------------------------------------------------------------------------------------
# An index over stores that turn out to be damaged
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(loopback_server: ServerFactory, tmp_path: Path) -> LoopbackServer:
    """A second channel, of which there is never a store."""
    directory = write_channel(tmp_path / "other", {"linux-64": [record("c", depends=["a >=2"])], "noarch": []})
    return loopback_server(directory)


def damage(options: LoadOptions) -> None:
    """Spoil what the stores hold and leave what they say of themselves."""
    import sqlite3

    for path in Path(f"{options.cache_directory}-records").glob("*.records"):
        connection = sqlite3.connect(path)
        connection.execute("UPDATE part SET body = zeroblob(length(body))")
        connection.commit()
        connection.close()


def test_nothing_of_an_excerpt_is_left_on_disk(
    options: LoadOptions, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "temporary"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    index = StoredRattlerEngine().load([channel(directory)], "linux-64", LINUX, options=options)

    # While the index is in use: a process may end without letting go of anything.
    assert {name: one.version for name, one in solved(index.solve(["a <2"])).items()} == {"a": "1.0", "b": "1.0"}
    assert list(aside.iterdir()) == []
    assert solved(index.solve(["a <2"], preferred=index.matching("a <2")))


@pytest.mark.parametrize("question", ["records", "matching", "builds", "solve"])
def test_a_damaged_store_is_put_right_while_it_is_asked(options: LoadOptions, directory: Path, question: str) -> None:
    engine = StoredRattlerEngine()
    here = channel(directory)
    engine.load([here], "linux-64", LINUX, options=options)
    damage(options)
    engine._networks.clear()
    index = super(StoredRattlerEngine, engine).load(
        [here],
        "linux-64",
        LINUX,
        options=dataclasses.replace(options, record_directory=f"{options.cache_directory}-records"),
    )

    if question == "records":
        assert [one.version for one in index.records("a")] == ["2.0", "1.0"]
    elif question == "matching":
        assert [one.version for one in index.matching("a <2")] == ["1.0"]
    elif question == "builds":
        assert [one.version for one in index.builds([("a", "1.0", "0")])] == ["1.0"]
    else:
        assert {name: one.version for name, one in solved(index.solve(["a <2"])).items()} == {"a": "1.0", "b": "1.0"}
    again = eager_stores(dataclasses.replace(options, record_directory=f"{options.cache_directory}-records"))
    stores = again.find(directory.as_uri(), SUBDIRS)
    assert stores is not None, "it has been made again"
    assert stores["linux-64"].members("a").conda


def test_a_stored_channel_and_one_that_is_not_go_together(
    options: LoadOptions, directory: Path, other: LoopbackServer
) -> None:
    eager_stores(options).want([(directory.as_uri(), SUBDIRS)])
    engine = StoredRattlerEngine(lambda wanted: RecordStores(wanted, start=lambda _: None))
    engine_load = super(StoredRattlerEngine, engine).load

    index = engine_load([channel(other.url, "other"), channel(directory)], "linux-64", LINUX, options=options)

    assert {name: one.version for name, one in solved(index.solve(["c"])).items()} == {"a": "2.0", "c": "1.0"}
    assert [one.version for one in index.matching("a")] == ["2.0", "1.0"]
    preferred = index.matching("a ==2.0")
    assert {one.name for one in solved(index.solve(["c"], preferred=preferred)).values()} == {"a", "c"}


def test_damage_that_shows_while_the_solver_asks_is_put_right(
    options: LoadOptions, directory: Path, other: LoopbackServer
) -> None:
    engine = StoredRattlerEngine()
    engine.load([channel(directory)], "linux-64", LINUX, options=options)
    damage(options)
    engine._networks.clear()
    index = super(StoredRattlerEngine, engine).load(
        [channel(other.url, "other"), channel(directory)],
        "linux-64",
        LINUX,
        options=dataclasses.replace(options, record_directory=f"{options.cache_directory}-records"),
    )

    assert {name: one.version for name, one in solved(index.solve(["c"])).items()} == {"a": "2.0", "c": "1.0"}


@pytest.mark.parametrize("missing", SUBDIRS)
def test_a_directory_without_a_subdir_has_stores_of_the_other(
    options: LoadOptions, directory: Path, missing: str
) -> None:
    (directory / missing / "repodata.json").unlink()
    plain = RattlerEngine().load([channel(directory)], "linux-64", LINUX, options=LoadOptions())

    index: Any = StoredRattlerEngine().load([channel(directory)], "linux-64", LINUX, options=options)

    assert index._usable[0].stored is not None
    assert index.statuses == plain.statuses
    assert index.names() == plain.names()
    (name,) = index.names()
    assert index.records(name) == plain.records(name)
    assert index.solve([f"{name} 1.0"]) == plain.solve([f"{name} 1.0"])


def damaged_index(options: LoadOptions, directory: Path) -> Any:
    """An index over stores that were spoilt before it was loaded."""
    engine = StoredRattlerEngine()
    engine.load([channel(directory)], "linux-64", LINUX, options=options)
    damage(options)
    engine._networks.clear()
    stored = dataclasses.replace(options, record_directory=f"{options.cache_directory}-records")
    return super(StoredRattlerEngine, engine).load([channel(directory)], "linux-64", LINUX, options=stored)


def test_a_damaged_store_that_cannot_be_removed_is_not_opened_again(
    options: LoadOptions, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = damaged_index(options, directory)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert [one.version for one in index.records("a")] == ["2.0", "1.0"]


def test_damage_of_a_channel_that_is_gone_is_told(options: LoadOptions, directory: Path) -> None:
    index = damaged_index(options, directory)
    for subdir in SUBDIRS:
        (directory / subdir / "repodata.json").unlink()

    with pytest.raises(ChannelError, match="could not be loaded again: conda-forge"):
        index.records("a")
