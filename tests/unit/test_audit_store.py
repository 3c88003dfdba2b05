from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from envcheck.audit_channels import Place
from envcheck.audit_store import Kept, Store, open_store
from envcheck.fleet import AuditResult, AuditVerdict, Cause
from envcheck.model import Severity

NOW = 1_800_000_000.0
RESULT = AuditResult(
    path="",
    platform="linux-64",
    verdict=AuditVerdict.FIXABLE,
    kind="list-export",
    sentence="it builds",
    rows=3,
    pins=2,
    kept=1,
    causes=(Cause(code="EC401", subject="vc", severity=Severity.ERROR, title="t", line=4),),
    added_channels=("conda-forge",),
    seconds=1.25,
)
PLACE = Place(location="file:///c/conda-forge", subdir="noarch")
KEPT = Kept(result=RESULT, places=((PLACE, "state"),), asked_index=True, stored=NOW)


def test_what_was_put_in_comes_out_in_the_next_run(tmp_path: Path) -> None:
    store = open_store(tmp_path, now=NOW)
    store.put("key", KEPT)
    store.close()

    assert open_store(tmp_path, now=NOW + 1).get("key") == KEPT
    assert open_store(tmp_path, now=NOW + 1).get("other") is None


def test_old_results_are_forgotten(tmp_path: Path) -> None:
    store = open_store(tmp_path, now=NOW)
    store.put("key", KEPT)
    store.close()

    assert open_store(tmp_path, now=NOW + 91 * 86400).get("key") is None


def test_no_credentials_are_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path, now=NOW)
    secret = Place(location="https://me:hunter2@host/t/tk-123456/ch", subdir="noarch")
    cause = Cause(code="EC301", subject="https://me:hunter2@host/x", severity=Severity.ERROR, title="t")
    result = AuditResult(path="", platform="linux-64", verdict=AuditVerdict.READY, causes=(cause,))
    store.put("key", Kept(result=result, places=((secret, "s"),), asked_index=False, stored=NOW))
    store.close()

    written = b"".join(path.read_bytes() for path in (tmp_path / "audit").iterdir())
    assert b"hunter2" not in written
    assert b"tk-123456" not in written


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "results.sqlite3"
    path.write_bytes(damage)
    store = Store(path, now=NOW)
    store.put("key", KEPT)

    assert store.get("key") == KEPT
    assert not store.trouble
    assert (tmp_path / "results.sqlite3.damaged").read_bytes() == damage


def test_damage_in_the_middle_is_found(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite3"
    store = Store(path, now=NOW)
    for number in range(400):
        store.put(f"key{number}", KEPT)
    store.close()
    data = bytearray(path.read_bytes())
    data[8192:60000] = b"\xaa" * (60000 - 8192)
    path.write_bytes(data)

    store = Store(path, now=NOW)
    store.put("new", KEPT)
    assert store.get("new") == KEPT


def test_a_row_that_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite3"
    Store(path, now=NOW).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO results VALUES ('key', ?, 0, '[]', '{\"path\": 1}')", (NOW,))
    connection.close()

    assert Store(path, now=NOW).get("key") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file, where a folder is needed")
    store = open_store(tmp_path, now=NOW)
    store.put("key", KEPT)

    assert store.get("key") is None
    assert store.trouble


def test_two_audits_at_once(tmp_path: Path) -> None:
    troubles = []

    def work(name: str) -> None:
        store = open_store(tmp_path, now=NOW)
        for number in range(50):
            store.put(f"{name}{number % 10}", KEPT)
            store.get(f"other{number % 10}")
        troubles.append(store.trouble)
        store.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles == ["", "", ""]
    assert open_store(tmp_path, now=NOW).get("two9") == KEPT
