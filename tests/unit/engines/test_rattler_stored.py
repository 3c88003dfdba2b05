from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rattler import PackageName, SparseRepoData

from envcheck.engines import record_store
from envcheck.engines.rattler_stored import Excerpt, StoredChannel
from envcheck.engines.record_store import RecordStore, RepodataState, StoreDamagedError, open_store
from envcheck.engines.record_store_building import BuildOrder, build_store
from envcheck.engines.stored_rows import rows_of
from tests.support.channels import record, write_channel

RECORDS = (
    record("app", "1.0", "0", depends=["lib >=1"]),
    record("app", "2.0", "0", depends=["lib >=2", "extra"]),
    record("app", "2.0", "1", depends=["lib >=2", "other"]),
    record("lib", "1.0", "0"),
    record("lib", "2.0", "0", depends=["base"]),
    *(record(name) for name in ("base", "extra", "other", "aside")),
)


def stored(tmp_path: Path, *records: dict[str, Any]) -> RecordStore:
    write_channel(tmp_path / "channel", {"linux-64": records})
    path = tmp_path / "channel" / "linux-64" / "repodata.json"
    state = RepodataState(size=path.stat().st_size, modified=path.stat().st_mtime_ns)
    order = BuildOrder(repodata=str(path), subdir="linux-64", store=str(tmp_path / "stores" / "a.records"), state=state)
    assert build_store(order)
    store = open_store(Path(order.store))
    assert store is not None
    return store


def channel(tmp_path: Path) -> StoredChannel:
    return StoredChannel((tmp_path / "channel").as_uri(), {"linux-64": stored(tmp_path, *RECORDS)})


def files(found: SparseRepoData) -> set[str]:
    names = ("app", "lib", "base", "extra", "other", "aside")
    return {one.file_name.removesuffix(".conda") for name in names for one in found.load_records(PackageName(name))}


def test_what_is_pinned_is_read_alone_and_so_is_what_it_needs(tmp_path: Path) -> None:
    here = channel(tmp_path)
    (found,) = Excerpt([here]).pinned(["app"], {"app": ("2.0", "1"), "base": ("9", "9")})[here]

    assert files(found) == {"app-2.0-1", "lib-1.0-0", "lib-2.0-0", "other-1.0-0"}


def test_an_excerpt_has_all_that_a_question_reaches_and_serves_questions_of_its_size(tmp_path: Path) -> None:
    here = channel(tmp_path)
    excerpt = Excerpt([here])
    large = excerpt.reaching(["app"])
    smaller = excerpt.reaching(["lib", "extra", "other"])
    small = excerpt.reaching(["base"])

    assert files(large[here][0]) == {one["fn"].removesuffix(".conda") for one in _with_names(RECORDS[:-1])}
    assert smaller is large
    assert files(small[here][0]) == {"base-1.0-0"}


def test_what_is_asked_name_by_name_adds_up(tmp_path: Path) -> None:
    here = channel(tmp_path)
    excerpt = Excerpt([here])
    excerpt.including("aside")

    assert files(excerpt.including("lib")[here][0]) == {"aside-1.0-0", "lib-1.0-0", "lib-2.0-0", "base-1.0-0"}


def test_an_excerpt_remembers_that_a_store_was_damaged(tmp_path: Path) -> None:
    here = channel(tmp_path)
    here.stores["linux-64"]._connection.close()
    excerpt = Excerpt([here])

    with pytest.raises(StoreDamagedError):
        excerpt.pinned(["app"], {"app": ("2.0", "1")})
    assert excerpt.damage is not None


def test_a_store_forgets_what_was_long_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = stored(tmp_path, *RECORDS)
    monkeypatch.setattr(record_store, "_MOST_KEPT", 3 * store.members("base").size - 1)
    for name in ("base", "extra", "base", "other"):
        store.members(name)

    assert list(store._known) == ["base", "other"]
    assert set(rows_of(store.members("extra"))) == {"extra-1.0-0.conda"}


def test_records_are_made_once_for_all_indexes_over_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = channel(tmp_path)
    second = StoredChannel(first.channel.base_url, first.stores)
    before = list(first.builds("app", "1", "https://example.org/c"))
    made = list(first.records("app", "https://example.org/c"))

    assert [(one.version, one.build) for one in made] == [("1.0", "0"), ("2.0", "0"), ("2.0", "1")]
    assert all(one is other for one, other in zip(made, second.records("app", "https://example.org/c"), strict=True))
    assert list(second.builds("app", "1", "https://example.org/c")) == before == made[2:]
    assert list(second.builds("app", "*", "https://example.org/c")) == made
    elsewhere = list(second.records("app", "https://example.org/mirror"))
    assert [one.channel for one in elsewhere] == ["https://example.org/mirror"] * 3
    assert list(first.records("absent", "https://example.org/c")) == []

    store = first.stores["linux-64"]
    monkeypatch.setattr(record_store, "_MOST_RECORDS", 7)
    list(first.records("base", "https://example.org/c"))
    list(first.records("app", "https://example.org/c"))
    list(first.records("extra", "https://example.org/c"))
    assert store.known_records("app", "https://example.org/mirror") is None, "what was asked for longest ago"
    assert store.known_records("app", "https://example.org/c") is not None


def _with_names(records: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [{**one, "fn": f"{one['name']}-{one['version']}-{one['build']}.conda"} for one in records]
