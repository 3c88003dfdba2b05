"""What checks of one session share: indexes, and that a channel is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.engines import LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.engines.shared import SharedIndexes
from envcheck.errors import ChannelError
from envcheck.model import ChannelState
from tests.support.channels import LINUX, channel, record, write_channel
from tests.support.server import Misbehaviour, ServerFactory


@pytest.fixture
def options(tmp_path: Path) -> LoadOptions:
    return LoadOptions(cache_directory=str(tmp_path / "cache"))


def test_what_is_loaded_is_loaded_once(options: LoadOptions, tmp_path: Path) -> None:
    directory = write_channel(tmp_path / "channel", {"linux-64": [record("a")], "noarch": []})
    shared = SharedIndexes(RattlerEngine())
    first = shared.load([channel(directory)], "linux-64", LINUX, options=options)
    (directory / "linux-64" / "repodata.json").unlink()

    again = shared.load([channel(directory)], "linux-64", LINUX, options=options)

    assert again.records("a") == first.records("a") != ()
    assert [status.state for status in again.statuses] == [ChannelState.LOADED]


def test_a_channel_that_is_not_there_is_asked_once(
    options: LoadOptions, loopback_server: ServerFactory, tmp_path: Path
) -> None:
    server = loopback_server(tmp_path)
    shared = SharedIndexes(RattlerEngine())
    for _ in range(3):
        with pytest.raises(ChannelError, match="it has neither linux-64 nor noarch"):
            shared.load([channel(server.url)], "linux-64", LINUX, options=options)
        asked = len(server.requests)
        server.requests.clear()
    assert asked == 0


def test_a_channel_that_does_not_answer_is_asked_again(
    options: LoadOptions, loopback_server: ServerFactory, tmp_path: Path
) -> None:
    server = loopback_server(write_channel(tmp_path / "channel", {"linux-64": [record("a")], "noarch": []}))
    server.misbehave("/", Misbehaviour.SERVER_ERROR)
    shared = SharedIndexes(RattlerEngine())
    with pytest.raises(ChannelError, match="500"):
        shared.load([channel(server.url)], "linux-64", LINUX, options=options)
    server.behave()

    assert shared.load([channel(server.url)], "linux-64", LINUX, options=options).records("a")


def test_what_was_refused_keeps_nothing_of_who_asked(options: LoadOptions, tmp_path: Path) -> None:
    shared = SharedIndexes(RattlerEngine())
    depths = []
    for _ in range(4):
        with pytest.raises(ChannelError) as found:
            shared.load([channel(tmp_path / "nowhere")], "linux-64", LINUX, options=options)
        depths.append(len(found.traceback))
        assert found.value.answered
        assert found.value.hint
    assert depths[1] == depths[2] == depths[3] < depths[0]
    for number in range(100):
        with pytest.raises(ChannelError):
            shared.load([channel(tmp_path / f"nowhere{number}")], "linux-64", LINUX, options=options)
    assert len(shared._refused) <= 64
