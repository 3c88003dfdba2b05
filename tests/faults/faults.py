"""What a channel can do wrong, each as something to do to a `Stage`, and what a user may read of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from tests.support.channels import record, write_channel
from tests.support.server import LoopbackServer, Misbehaviour

__all__ = ["FAULTS", "Fault", "compress", "good_records", "write_good"]

Records = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: what it is called in the table, and what brings it about on a server over a folder of a channel.

    ``status`` is the exit status of the run that meets it, but for the engines of ``otherwise``; ``warm`` faults are
    about what a client has already.
    """

    title: str
    arrange: Callable[[LoopbackServer, Path], None]
    status: int
    warm: bool = False
    otherwise: Mapping[str, int] = field(default_factory=dict)


def good_records() -> Records:
    """What the channel holds when all is well: enough to be worth a record store."""
    filler = [record(f"filler{number}", license="x" * 4000) for number in range(300)]
    return {
        "linux-64": [record("gadget", depends=["spare 1.*"]), *filler],
        "noarch": [record("spare", noarch="generic")],
    }


def write_good(folder: Path) -> None:
    """Write the channel as it should be."""
    shutil.rmtree(folder, ignore_errors=True)
    write_channel(folder, good_records())
    compress(folder)


def compress(folder: Path) -> None:
    """Serve zst as real channels do; the plain file stays, as the other way to ask."""
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    for path in folder.rglob("repodata.json"):
        path.with_suffix(".json.zst").write_bytes(compressor.compress(path.read_bytes()))


def _misbehaving(misbehaviour: Misbehaviour, path: str = "/") -> Callable[[LoopbackServer, Path], None]:
    def arrange(server: LoopbackServer, folder: Path) -> None:
        server.misbehave(path, misbehaviour)

    return arrange


def _refuse(server: LoopbackServer, folder: Path) -> None:
    server.refuse()


def _written(change: Callable[[dict[str, Any]], None]) -> Callable[[LoopbackServer, Path], None]:
    """A fault of the platform's repodata itself."""

    def arrange(server: LoopbackServer, folder: Path) -> None:
        path = folder / "linux-64" / "repodata.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        compress(folder)

    return arrange


def _add(content: dict[str, Any], filename: str, **fields: Any) -> None:
    content["packages.conda"][filename] = {**record("gadget", "9.0"), "subdir": "linux-64", **fields}


def _path_tricks(content: dict[str, Any]) -> None:
    for filename in ("../../gadget-9.0-0.conda", "/gadget-9.0-0.conda", "..\\gadget-9.0-0.conda", "../../x.conda"):
        _add(content, filename)


def _path_fields(content: dict[str, Any]) -> None:
    _add(content, "gadget-9.0-0.conda", subdir="../../elsewhere", fn="../../x.conda", url="file:///etc/x.conda")


def _wrong_types(content: dict[str, Any]) -> None:
    _add(content, "gadget-9.0-0.conda", depends="spare", build_number="many", size=[1], version=9)


def _missing_hashes(content: dict[str, Any]) -> None:
    for key in ("md5", "sha256"):
        del content["packages.conda"]["gadget-1.0-0.conda"][key]


def _long_strings(content: dict[str, Any]) -> None:
    _add(content, f"gadget-0.9-{'b' * 1_000_000}.conda", version="0.9", build="b" * 1_000_000)
    _add(content, "gadget-0.8-0.conda", version="0.8", depends=["spare " + "1" * 1_000_000], license="l" * 1_000_000)


def _unknown_keys(content: dict[str, Any]) -> None:
    content["packages.cpio"] = {"gadget-9.0-0.cpio": record("gadget", "9.0")}
    content["x"] = [[1, {"y": None}]]


def _duplicates(server: LoopbackServer, folder: Path) -> None:
    """The same file twice in one object, and a third time in the other one, each time as something else."""
    path = folder / "linux-64" / "repodata.json"
    first = json.dumps({**record("gadget", "1.0", depends=["spare 1.*"]), "subdir": "linux-64"})
    text = path.read_text()
    key = '"gadget-1.0-0.conda": '
    assert text.count(key) == 1
    text = text.replace(key, f"{key}{first}, {key}")
    text = text.replace('"packages": {}', f'"packages": {{"gadget-1.0-0.tar.bz2": {first}}}')
    path.write_text(text)
    compress(folder)


def _bz2_only(server: LoopbackServer, folder: Path) -> None:
    import bz2

    for path in folder.rglob("repodata.json"):
        path.with_suffix(".json.bz2").write_bytes(bz2.compress(path.read_bytes()))
        path.with_suffix(".json.zst").unlink()
        path.unlink()


def _changed(records: Records, folder: Path, *subdirs: str) -> None:
    write_channel(folder, {subdir: records[subdir] for subdir in subdirs})
    compress(folder)


def _newer() -> Records:
    return {
        "linux-64": [record("gadget", depends=["spare 2.*"]), *good_records()["linux-64"][1:]],
        "noarch": [record("spare", "2.0", noarch="generic")],
    }


def _between(server: LoopbackServer, folder: Path) -> None:
    """linux-64 is still of before a change, noarch is of after it."""
    _changed(_newer(), folder, "noarch")


def _same_etag(misbehaviour: Misbehaviour) -> Callable[[LoopbackServer, Path], None]:
    def arrange(server: LoopbackServer, folder: Path) -> None:
        server.misbehave("/", misbehaviour)
        _changed(_newer(), folder, "linux-64", "noarch")

    return arrange


def _missing_shard(server: LoopbackServer, folder: Path) -> None:
    """Shards beside the whole repodata (CEP 16), of which the one of ``gadget`` is not there."""
    for subdir, records in good_records().items():
        hashes: dict[str, bytes] = {}
        for one in records:
            content = {f"{one['name']}-{one['version']}-{one['build']}.conda": _binary({**one, "subdir": subdir})}
            shard = zstandard.compress(msgspec.msgpack.encode({"packages": {}, "packages.conda": content}))
            digest = hashlib.sha256(shard)
            hashes[one["name"]] = digest.digest()
            if one["name"] != "gadget":
                (folder / subdir / f"{digest.hexdigest()}.msgpack.zst").write_bytes(shard)
        about = {"subdir": subdir, "base_url": "", "shards_base_url": "", "created_at": "2026-01-01T00:00:00Z"}
        index = msgspec.msgpack.encode({"info": about, "shards": hashes})
        (folder / subdir / "repodata_shards.msgpack.zst").write_bytes(zstandard.compress(index))


def _binary(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "md5": bytes.fromhex(one["md5"]), "sha256": bytes.fromhex(one["sha256"])}


FAULTS: dict[str, Fault] = {
    "refuses": Fault(title="refuses connections", arrange=_refuse, status=3),
    "resets": Fault(title="resets connections", arrange=_misbehaving(Misbehaviour.RESET), status=3),
    "silent": Fault(title="never answers", arrange=_misbehaving(Misbehaviour.SILENT), status=3),
    "401": Fault(title="answers 401", arrange=_misbehaving(Misbehaviour.UNAUTHORIZED), status=3),
    "403": Fault(title="answers 403", arrange=_misbehaving(Misbehaviour.FORBIDDEN), status=3),
    "404": Fault(title="answers 404", arrange=_misbehaving(Misbehaviour.NOT_FOUND), status=1),
    "429": Fault(
        title="answers 429 with `Retry-After: 3600`", arrange=_misbehaving(Misbehaviour.TOO_MANY_REQUESTS), status=3
    ),
    "500": Fault(title="answers 500", arrange=_misbehaving(Misbehaviour.SERVER_ERROR), status=3),
    "500-once": Fault(
        title="answers 500, then as it should", arrange=_misbehaving(Misbehaviour.ERROR_AT_FIRST), status=0
    ),
    "html": Fault(title="answers a web page with 200", arrange=_misbehaving(Misbehaviour.WEB_PAGE), status=3),
    "truncated": Fault(
        title="sends half of a file as the whole", arrange=_misbehaving(Misbehaviour.TRUNCATED), status=3
    ),
    "broken-off": Fault(title="breaks off in a file", arrange=_misbehaving(Misbehaviour.BROKEN_OFF), status=3),
    "bit-flipped": Fault(
        title="turns a bit of repodata.json.zst over",
        arrange=_misbehaving(Misbehaviour.BIT_FLIPPED, "/bad/linux-64/repodata.json.zst"),
        status=3,
    ),
    "bz2-only": Fault(title="has repodata.json.bz2 alone", arrange=_bz2_only, status=0, otherwise={"libmamba": 1}),
    "one-etag": Fault(
        title="keeps its ETag when its files change", arrange=_same_etag(Misbehaviour.ONE_ETAG), status=0, warm=True
    ),
    "stale": Fault(
        title="answers 304 when its files have changed", arrange=_same_etag(Misbehaviour.STALE), status=0, warm=True
    ),
    "changes": Fault(title="changes between linux-64 and noarch", arrange=_between, status=1),
    "redirect-loop": Fault(title="redirects to itself", arrange=_misbehaving(Misbehaviour.REDIRECT_LOOP), status=3),
    "redirect-away": Fault(
        title="redirects to another host",
        arrange=_misbehaving(Misbehaviour.REDIRECT_AWAY),
        status=3,
        otherwise={"libmamba": 0},
    ),
    "missing-shard": Fault(title="lacks a shard of its index", arrange=_missing_shard, status=0),
    "trickle": Fault(
        title="sends 10 bytes a second", arrange=_misbehaving(Misbehaviour.TRICKLE), status=3, otherwise={"stored": 0}
    ),
    "huge-claim": Fault(
        title="announces 20 GB, sends a file and then nothing",
        arrange=_misbehaving(Misbehaviour.HUGE_CLAIM),
        status=0,
        otherwise={"libmamba": 3},
    ),
    "flood": Fault(
        title="sends 20 GB of zeros", arrange=_misbehaving(Misbehaviour.FLOOD), status=3, otherwise={"stored": 0}
    ),
    "path-tricks": Fault(title="has records named `../../x.conda`", arrange=_written(_path_tricks), status=3),
    "path-fields": Fault(
        title="has a record of the subdir `../../x`",
        arrange=_written(_path_fields),
        status=0,
        otherwise={"libmamba": 3},
    ),
    "wrong-types": Fault(
        title="has a record of wrong types", arrange=_written(_wrong_types), status=3, otherwise={"libmamba": 0}
    ),
    "no-hashes": Fault(title="has a record without md5 and sha256", arrange=_written(_missing_hashes), status=3),
    "duplicates": Fault(title="has a file twice", arrange=_duplicates, status=0),
    "long-strings": Fault(title="has texts of a megabyte", arrange=_written(_long_strings), status=0),
    "unknown-keys": Fault(title="has unknown top-level keys", arrange=_written(_unknown_keys), status=0),
}
