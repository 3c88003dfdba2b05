from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.audit_channels import ABSENT, SILENT, ChannelStates, Place, _is_settled
from tests.support.server import Misbehaviour, ServerFactory


def channel(folder: Path, name: str = "repodata.json") -> Path:
    path = folder / "linux-64" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    return path


def here(folder: Path) -> Place:
    return Place(location=folder.as_uri(), subdir="linux-64")


def test_a_channel_in_a_folder(tmp_path: Path) -> None:
    assert ChannelStates()(here(tmp_path)) == ABSENT
    path = channel(tmp_path)
    first = ChannelStates()(here(tmp_path))
    assert first not in (None, ABSENT)
    assert ChannelStates()(here(tmp_path)) == first
    path.write_text("{ }")
    second = ChannelStates()(here(tmp_path))
    channel(tmp_path, "repodata.json.zst")
    third = ChannelStates()(here(tmp_path))
    assert len({first, second, third}) == 3


def test_each_place_is_asked_once_and_what_was_told_is_believed(tmp_path: Path) -> None:
    states = ChannelStates([(here(tmp_path), "told")])
    other = Place(location=tmp_path.as_uri(), subdir="noarch")
    assert states(here(tmp_path)) == "told"
    assert states(other) == ABSENT
    states.learn([(here(tmp_path), "other"), (other, "other")])
    assert dict(states.all()) == {here(tmp_path): "told", other: ABSENT}


def test_a_channel_on_a_server(tmp_path: Path, loopback_server: ServerFactory) -> None:
    server = loopback_server(tmp_path)
    place = Place(location=server.url, subdir="linux-64")
    assert ChannelStates()(place) == ABSENT
    path = channel(tmp_path)
    first = ChannelStates()(place)
    assert first not in (None, ABSENT)
    assert ChannelStates()(place) == first
    path.write_text("{ }")
    assert ChannelStates()(place) != first
    assert {request.method for request in server.requests} == {"HEAD"}


NOW = "Wed, 21 Oct 2026 12:00:00 GMT"
BEFORE = "Wed, 21 Oct 2026 11:50:00 GMT"
LONG_AGO = "Mon, 19 Oct 2026 11:50:00 GMT"


@pytest.mark.parametrize(
    ("headers", "settled"),
    [
        ({"Last-Modified": BEFORE, "Cache-Control": "public, max-age=300"}, True),
        # Engines may still take their older copy for fresh.
        ({"Last-Modified": BEFORE, "Cache-Control": "public, max-age=1200"}, False),
        ({"Last-Modified": BEFORE, "Cache-Control": "max-age=0"}, True),
        ({"Last-Modified": BEFORE, "Cache-Control": "no-cache"}, True),
        ({"Last-Modified": BEFORE}, False),
        ({"Last-Modified": LONG_AGO}, True),
        ({"Cache-Control": "max-age=60"}, False),
        ({"Last-Modified": "yesterday", "Cache-Control": "max-age=60"}, False),
        ({}, True),
    ],
)
def test_a_channel_that_has_just_changed_is_unknown(headers: dict[str, str], settled: bool) -> None:
    assert _is_settled({"Date": NOW, **headers}) is settled


@pytest.mark.parametrize("kind", [Misbehaviour.FORBIDDEN, Misbehaviour.SERVER_ERROR])
def test_a_server_that_refuses_is_silent(tmp_path: Path, loopback_server: ServerFactory, kind: Misbehaviour) -> None:
    channel(tmp_path)
    server = loopback_server(tmp_path)
    server.misbehave("/linux-64/repodata.json", kind)
    assert ChannelStates()(Place(location=server.url, subdir="linux-64")) == SILENT


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    place = Place(location="http://127.0.0.1:9/x", subdir="noarch")
    assert ChannelStates()(place) == SILENT
    assert ChannelStates(offline=True)(place) == SILENT
    assert ChannelStates()(Place(location="s3://bucket/x", subdir="noarch")) is None
    assert "secret" not in repr(Place(location="https://secret@host/", subdir="noarch"))
