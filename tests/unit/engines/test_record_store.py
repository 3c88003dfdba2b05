from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from envcheck.engines.record_store import RepodataState, StoreDamagedError, open_store
from envcheck.engines.record_store_building import BuildOrder, build_store, order_text
from envcheck.engines.repodata_scanning import UnsuitableError
from envcheck.engines.stored_rows import record_of, rows_of
from tests.support.channels import record, write_channel

MD5, SHA256 = "d41d8cd98f00b204e9800998ecf8427e", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def order(tmp_path: Path, *records: dict[str, Any], subdir: str = "linux-64") -> BuildOrder:
    write_channel(tmp_path / "channel", {subdir: records})
    return order_for(tmp_path, tmp_path / "channel" / subdir / "repodata.json", subdir)


def order_for(tmp_path: Path, repodata: Path, subdir: str = "linux-64") -> BuildOrder:
    found = repodata.stat()
    state = RepodataState(size=found.st_size, modified=found.st_mtime_ns)
    return BuildOrder(repodata=str(repodata), subdir=subdir, store=str(tmp_path / "stores" / "a.records"), state=state)


def write_repodata(tmp_path: Path, document: Any) -> BuildOrder:
    path = tmp_path / "repodata.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return order_for(tmp_path, path)


def test_a_store_gives_back_what_the_repodata_says(tmp_path: Path) -> None:
    asked = order(
        tmp_path,
        record("numpy", "1.21.2", "py310_0", depends=["python >=3.10,<3.11.0a0", "libblas"], md5=MD5.upper()),
        record("numpy", "1.22.0", "py310_0", depends=["conda-forge::python", "Libcblas>=3"], timestamp=1_700_000_000),
        record("zlib", constrains=["zlib-ng *"], track_features="a b", noarch="generic"),
    )

    assert build_store(asked)
    store = open_store(Path(asked.store))

    assert store is not None
    assert store.names == {"numpy", "zlib"}
    assert store.state == asked.state
    assert store.needs("numpy") == {"python", "libblas", "libcblas"}
    rows = rows_of(store.members("numpy"))
    records = [record_of(filename, row, "https://example.org/c", "linux-64") for filename, row in rows.items()]
    assert [(one.version, one.url) for one in records] == [
        ("1.21.2", "https://example.org/c/linux-64/numpy-1.21.2-py310_0.conda"),
        ("1.22.0", "https://example.org/c/linux-64/numpy-1.22.0-py310_0.conda"),
    ]
    assert records[0].md5 == MD5
    assert records[1].timestamp == 1_700_000_000_000
    (zlib,) = (record_of("f", row, "c", "s") for row in rows_of(store.members("zlib")).values())
    assert (zlib.constrains, zlib.track_features, zlib.noarch) == (("zlib-ng *",), ("a", "b"), "generic")
    assert rows_of(store.members("absent")) == {}
    assert store.needs("absent") == frozenset()


def test_members_of_a_name_may_stand_apart(tmp_path: Path) -> None:
    row = {"version": "1", "build": "0", "build_number": 0, "depends": ["x"]}
    asked = write_repodata(
        tmp_path,
        {
            "packages.conda": {"a-1-0.conda": {"name": "a", **row}, "b-1-0.conda": {"name": "b", **row}},
            "packages": {
                "a-1-0.tar.bz2": {"name": "a", **row, "depends": ["y"]},
                "b-1-0.tar.bz2": {"name": "b", **row},
                "a-2-0.tar.bz2": {"name": "a", **row, "version": "2", "depends": []},
            },
        },
    )

    build_store(asked)
    store = open_store(Path(asked.store))

    assert store is not None
    assert sorted(rows_of(store.members("a"))) == ["a-1-0.conda", "a-1-0.tar.bz2", "a-2-0.tar.bz2"]
    assert store.needs("a") == {"x", "y"}
    assert store.info == "{}"


@pytest.mark.parametrize(
    "changes",
    [
        {"build_number": "3"},
        {"build_number": -1},
        {"noarch": "foo"},
        {"depends": None},
        {"depends": ["a", 5]},
        {"md5": ""},
        {"sha256": "ab"},
        {"size": -1},
        {"timestamp": 1.5},
        {"version": 1.0},
        {"name": "b"},
        {"name": "../../a"},
        {"name": ""},
        {"subdir": "win-64"},
        {"track_features": None},
    ],
    ids=str,
)
def test_records_that_rattler_may_refuse_are_left_to_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    row = {"name": "a", "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64", **changes}
    asked = write_repodata(tmp_path, {"packages.conda": {"a-1-0.conda": row}})

    with pytest.raises(UnsuitableError):
        build_store(asked)

    assert open_store(Path(asked.store)) is None
    assert not list((tmp_path / "stores").glob("*.building"))


def test_repodata_that_changes_meanwhile_makes_no_store(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a"))
    Path(asked.repodata).write_text('{"packages": {}}')

    with pytest.raises(UnsuitableError, match="changed"):
        build_store(asked)

    assert open_store(Path(asked.store)) is None


def test_a_failed_build_leaves_the_store_that_was_there(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a"))
    build_store(asked)

    with pytest.raises(UnsuitableError):
        build_store(write_repodata(tmp_path, '{"packages": {'))

    store = open_store(Path(asked.store))
    assert store is not None
    assert store.names == {"a"}


def test_a_new_state_replaces_the_old_one_under_readers(tmp_path: Path) -> None:
    build_store(order(tmp_path, record("a")))
    reader = open_store(tmp_path / "stores" / "a.records")
    asked = order(tmp_path, record("b"), record("c"))

    assert build_store(asked)
    assert not build_store(asked)

    renewed = open_store(Path(asked.store))
    assert reader is not None
    assert renewed is not None
    assert reader.members("a").conda
    assert renewed.names == {"b", "c"}


def test_two_builders_make_one_store(tmp_path: Path) -> None:
    asked = order(tmp_path, *(record(f"p{number}") for number in range(3000)))
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(build_store(asked))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made.count(True) == 1
    store = open_store(Path(asked.store))
    assert store is not None
    assert len(store.names) == 3000


def test_what_a_killed_builder_left_is_removed(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a"))
    left = tmp_path / "stores" / "a.records.4242.building"
    left.parent.mkdir()
    left.write_bytes(b"half")

    build_store(asked)

    assert not left.exists()
    assert open_store(Path(asked.store)) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_builder_that_is_killed_leaves_no_store_and_no_lock(tmp_path: Path) -> None:
    asked = order(tmp_path, *(record(f"p{number}", depends=["x"] * 50) for number in range(20_000)))
    builder = subprocess.Popen([sys.executable, "-m", "envcheck.engines.record_store_building"], stdin=subprocess.PIPE)
    assert builder.stdin is not None
    builder.stdin.write(order_text([asked]).encode())
    builder.stdin.close()
    deadline = time.monotonic() + 20
    while not list((tmp_path / "stores").glob("*.building")) and time.monotonic() < deadline:
        time.sleep(0.005)
    builder.kill()
    builder.wait()

    found = open_store(Path(asked.store))

    if found is None:  # it was quick enough
        assert build_store(asked)
    assert open_store(Path(asked.store)) is not None


def test_the_builder_is_a_program(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a"))
    unused = tmp_path / "stores" / "old.records"
    unused.parent.mkdir()
    unused.write_bytes(b"")
    os.utime(unused, (1, 1))

    done = subprocess.run(
        [sys.executable, "-m", "envcheck.engines.record_store_building"],
        input=order_text([asked]),
        text=True,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert open_store(Path(asked.store)) is not None
    assert not unused.exists()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = order(tmp_path, *(record(f"p{number}") for number in range(500)))
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 4")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)

    with pytest.raises(OSError, match="full"):
        build_store(asked)

    assert [path.name for path in (tmp_path / "stores").iterdir() if not path.name.endswith(".lock")] == []


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, -4096, -1])
def test_a_torn_store_is_thrown_away(tmp_path: Path, keep: int) -> None:
    asked = order(tmp_path, *(record(f"p{number}") for number in range(500)))
    build_store(asked)
    path = Path(asked.store)
    path.write_bytes(path.read_bytes()[:keep])

    assert open_store(path) is None
    assert not path.exists()


def test_a_store_of_another_layout_is_not_read(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a"))
    build_store(asked)
    connection = sqlite3.connect(asked.store)
    connection.execute("PRAGMA user_version = 999")
    connection.close()

    assert open_store(Path(asked.store)) is None


def test_a_flipped_bit_is_seen_when_it_is_read(tmp_path: Path) -> None:
    asked = order(tmp_path, record("a", depends=["b >=1"]))
    build_store(asked)
    path = Path(asked.store)
    connection = sqlite3.connect(path)
    (body,) = connection.execute("SELECT body FROM part").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    content[content.index(body) + len(body) // 2] ^= 4
    path.write_bytes(content)

    store = open_store(path)

    assert store is not None
    with pytest.raises(StoreDamagedError):
        store.members("a")
