"""Every lock of the real corpus is verified against real repodata; each verdict is checked against the bare JSON.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/`` and ``channels/``. Its files are spoken of by the start of
their content's SHA-256 alone. The repodata is a part of the channels at another time than the locks, so that files are
missing from it; what matters here is that verify says so of exactly those.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.lock_file import LockFile, platforms_to_verify, read_lock
from envcheck.pip.index import UnavailableIndex
from envcheck.request import Request
from envcheck.rules.lock_facts import Place
from envcheck.verify import LockReport, verify
from envcheck.world import Services

SHARED = os.environ.get("ENVCHECK_SHARED")

pytestmark = pytest.mark.shared

CHANNELS = (
    *("conda-forge", "pkgs/main", "pkgs/r", "pkgs/msys2", "pkgs/free", "bioconda", "pytorch", "nvidia"),
    # Not in the snapshot: mapped as well, so that they are missing channels and not unreachable ones.
    *("anaconda", "gurobi", "huggingface"),
)
_LOCK = re.compile(rb"^(?:@EXPLICIT\s*$|package:\s*$|environments:\s*$)", re.MULTILINE)


def _locks() -> Iterator[tuple[str, Path]]:
    if SHARED is None:
        return
    for path in sorted((Path(SHARED) / "corpus").rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if _LOCK.search(data) and b"://" in data and path.suffix != ".md":
                yield hashlib.sha256(data).hexdigest()[:12], path


LOCKS = dict(_locks())


@cache
def _listed(channels: Path, channel: str, subdir: str) -> dict[str, Any]:
    """Every file of a subdir with its record, read without any engine."""
    path = channels / channel / subdir / "repodata.json"
    if not path.exists():
        return {}
    repodata = json.loads(path.read_bytes())
    return {**repodata["packages"], **repodata["packages.conda"]}


def _verified(lock: LockFile, data: bytes, channels: Path) -> tuple[LockReport, ...]:
    mirrors = tuple((name, ((channels / name).as_uri(),)) for name in CHANNELS)
    services = Services(engine=RattlerEngine(), package_index=UnavailableIndex("not in this test"))
    return tuple(
        verify(
            Request(
                path=lock.path, data=data, platform=platform, configuration=Configuration(mirrored_channels=mirrors)
            ),
            services,
            lock,
        )
        for platform in platforms_to_verify(lock, ())
    )


@pytest.mark.parametrize("key", sorted(LOCKS))
def test_every_lock_is_verified_and_every_place_is_true(key: str, real_channels: Path) -> None:
    data = LOCKS[key].read_bytes()
    if data.lstrip().startswith(b"FROM "):
        pytest.skip("a Dockerfile that holds a list")
    lock = read_lock(data, "a.lock")
    for report in _verified(lock, data, real_channels):
        assert report.complete
        told = [finding for finding in report.findings if finding.code in ("EC715", "EC716")]
        of_channels = {channel.name for channel in report.target.channels}
        expected = set()
        for entry in report.entries:
            package = entry.package
            if package.manager != "conda":
                continue
            subdir, filename = package.url.rsplit("/", 2)[1:]
            record = _listed(real_channels, entry.channel, subdir).get(filename)
            if entry.place is Place.FOUND:
                assert record is not None
                differs = any(
                    locked and record.get(kind) and locked != record[kind]
                    for kind, locked in (("md5", package.md5), ("sha256", package.sha256))
                )
                if differs:
                    expected.add(package.name)
            elif entry.place is Place.TWIN:
                assert filename.removesuffix(".tar.bz2") + ".conda" in _listed(real_channels, entry.channel, subdir)
            else:
                assert record is None
                assert entry.channel in of_channels
                if entry.place is Place.GONE:
                    expected.add(package.name)
                else:
                    assert not _listed(real_channels, entry.channel, subdir)
        assert {finding.subject for finding in told if "where the lock has" not in finding.message} == expected
        assert all(one.line is not None for one in lock.packages)
        # Nothing here was made by hand, and no platform was mixed up.
        assert not {"EC710", "EC711", "EC713", "EC714", "EC718"} & {finding.code for finding in report.findings}
