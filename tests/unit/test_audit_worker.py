from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from envcheck.audit_channels import ABSENT, SILENT, ChannelStates, Place
from envcheck.audit_worker import Job, SharedEngine, failed, run_job
from envcheck.condarc import Configuration
from envcheck.engines import Index
from envcheck.engines.rattler import RattlerEngine
from envcheck.errors import ChannelError
from envcheck.fleet import AuditVerdict
from envcheck.model import Channel, ChannelState, ChannelStatus, EngineInfo
from envcheck.pip.configuration import IndexSettings
from envcheck.request import Request
from tests.support.channels import record, write_channel

HERE = "file:///here"


@dataclass
class FakeIndex:
    statuses: tuple[ChannelStatus, ...]
    platform: str = "linux-64"


class FakeEngine:
    """Loads what it is asked for and counts; channels named in ``silent`` do not answer."""

    def __init__(self, *silent: str) -> None:
        self.silent = silent
        self.loads: list[str] = []

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(name="fake", version="1")

    def load(self, channels: Sequence[Channel], platform: str, *_: Any, **__: Any) -> Index:
        self.loads.append(" ".join(channel.name for channel in channels) + f" {platform}")
        if all(channel.name in self.silent for channel in channels):
            raise ChannelError("nobody answers")
        states = [ChannelState.UNREACHABLE if one.name in self.silent else ChannelState.LOADED for one in channels]
        statuses = tuple(
            ChannelStatus(channel=channel, state=state) for channel, state in zip(channels, states, strict=True)
        )
        return cast("Index", FakeIndex(statuses))


def channel(name: str, line: int | None = None, *locations: str) -> Channel:
    return Channel(name=name, url=f"https://c/{name}", locations=locations or (f"{HERE}/{name}",), line=line)


def states(**known: str | None) -> ChannelStates:
    """The same state for both subdirs of each channel."""
    subdirs = ("linux-64", "win-64", "noarch")
    return ChannelStates(
        (Place(location=f"{HERE}/{name}", subdir=subdir), state) for name, state in known.items() for subdir in subdirs
    )


def test_sources_that_use_the_same_channels_share_an_index_and_have_their_own_lines() -> None:
    engine = FakeEngine()
    shared = SharedEngine(engine, states(a="1", b="1"))
    first = shared.load([channel("a", 3), channel("b", 4)], "linux-64", ())
    second = shared.load([channel("a", 7), channel("b")], "linux-64", ())
    shared.load([channel("b"), channel("a")], "linux-64", ())
    shared.load([channel("a"), channel("b")], "win-64", ())

    assert engine.loads == ["a b linux-64", "b a linux-64", "a b win-64"]
    assert [status.channel.line for status in first.statuses] == [3, 4]
    assert [status.channel.line for status in second.statuses] == [7, None]
    assert second.platform == "linux-64"


def test_the_places_that_an_index_rests_on_are_told_to_whoever_shares_it() -> None:
    shared = SharedEngine(FakeEngine(), states(a="1"))
    for _ in range(2):
        shared.places.clear()
        shared.load([channel("a")], "linux-64", ())
        assert {(place.location, place.subdir): state for place, state in shared.places.items()} == {
            (f"{HERE}/a", "linux-64"): "1",
            (f"{HERE}/a", "noarch"): "1",
        }


def test_a_channel_that_does_not_answer_is_waited_for_once() -> None:
    engine = FakeEngine("a")
    shared = SharedEngine(engine, states(a=SILENT))
    for _ in range(3):
        shared.places.clear()
        with pytest.raises(ChannelError):
            shared.load([channel("a")], "linux-64", ())
        assert set(shared.places.values()) == {SILENT}
    assert len(engine.loads) == 1


@pytest.mark.parametrize(
    ("silent", "state", "certain"),
    [
        (("a",), SILENT, SILENT),
        (("a",), ABSENT, ABSENT),
        (("a",), "1", None),
        ((), "1", "1"),
        ((), ABSENT, ABSENT),
        ((), SILENT, None),  # an engine's own copy was used
        ((), None, None),
    ],
)
def test_only_what_goes_together_is_certain(silent: tuple[str, ...], state: str | None, certain: str | None) -> None:
    shared = SharedEngine(FakeEngine(*silent), states(a=state))
    try:
        shared.load([channel("a")], "linux-64", ())
    except ChannelError:
        assert silent
    assert set(shared.places.values()) == {certain}


def test_mirrors_are_looked_at_until_one_has_the_channel() -> None:
    shared = SharedEngine(FakeEngine(), states(a=ABSENT, b="1", c="1"))
    shared.load([channel("x", None, *(f"{HERE}/{name}" for name in "abc"))], "linux-64", ())

    assert {place.location[-1] for place in shared.places} == {"a", "b"}


def job(folder: Path, data: bytes, **changes: Any) -> Job:
    configuration = Configuration(channels=("conda-forge",), mirrored_channels=(("conda-forge", (folder.as_uri(),)),))
    request = Request(
        path="a.yml",
        data=data,
        configuration=configuration,
        override_channels=True,
        channels=("conda-forge",),
        cache_directory=str(folder / "cache"),
        check_pip=False,
    )
    found = Job(
        run=str(folder),
        request=request,
        settings=IndexSettings(url="https://index.invalid/simple", origin="test"),
        engine="rattler",
        engine_version=f"rattler {RattlerEngine().info.version}",
    )
    return replace(found, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_channel(tmp_path, {"linux-64": [record("zlib", "1.3")], "noarch": []})


def test_a_job_gives_a_result_and_what_it_rests_on(folder: Path) -> None:
    done = run_job(job(folder, b"channels: [conda-forge]\ndependencies:\n- zlib=1.3\n"))

    assert done.result.verdict is AuditVerdict.READY
    assert (done.result.pins, done.result.kept) == (1, 1)
    assert done.reusable
    assert not done.asked_index
    assert {place.subdir for place, _ in done.places} == {"linux-64", "noarch"}
    assert all(place.location == folder.as_uri() for place, _ in done.places)


def test_what_is_no_export_is_a_result(folder: Path) -> None:
    done = run_job(job(folder, b"jobs:\n  a: b\n"))

    assert done.result.verdict is AuditVerdict.UNREADABLE
    assert "no environment file" in done.result.trouble
    assert done.reusable


def test_a_worker_of_another_version_says_so(folder: Path) -> None:
    data = b"channels: [conda-forge]\ndependencies:\n- zlib\n"
    for other in (job(folder, data, engine_version="rattler 0"), job(folder, data, envcheck="0.0.0", run="x")):
        done = run_job(other)
        assert done.result.verdict is AuditVerdict.FAILED
        assert done.result.trouble.startswith("the worker has envcheck")
        assert not done.reusable


def test_a_job_that_cannot_be_done_is_a_result(tmp_path: Path) -> None:
    done = run_job(job(tmp_path, b"channels: [conda-forge]\ndependencies:\n- zlib\n", run="none"))

    assert done.result.verdict is AuditVerdict.FAILED
    assert "no channel could be loaded" in done.result.trouble
    assert not done.reusable


def test_a_bug_is_a_result_that_says_where_it_is(folder: Path) -> None:
    broken = job(folder, b"channels: [conda-forge]\ndependencies:\n- zlib\n- nowhere-at-all\n")
    done = run_job(replace(broken, request=replace(broken.request, effort="ten")))  # type: ignore[arg-type]

    assert done.result.verdict is AuditVerdict.FAILED
    assert done.result.trouble.startswith("envcheck has a bug (TypeError: ")
    assert re.search(r" at \w+\.py:\d+\)$", done.result.trouble)


def test_a_job_shows_no_secret(folder: Path) -> None:
    settings = IndexSettings(url="https://me:hunter2@index/", origin="x")
    shown = repr(job(folder, b"channels: [https://me:hunter2@host/c]", settings=settings))

    assert "hunter2" not in shown
    assert failed(job(folder, b""), "why").trouble == "why"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not begin with another's memory")
def test_a_worker_is_not_said_to_need_what_the_process_that_started_it_has() -> None:
    worker = "from envcheck.audit_worker import _peak_memory; print(_peak_memory())"
    parent = f"import subprocess, sys; much = b'1' * 600_000_000; subprocess.run([sys.executable, '-c', {worker!r}])"
    peak = int(subprocess.run([sys.executable, "-c", parent], capture_output=True, check=True, text=True).stdout)
    assert 1_000_000 < peak < 500_000_000
