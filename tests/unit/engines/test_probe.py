"""Why a channel could not be loaded, as its server or its folder tells."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.engines.probe import ask_why
from envcheck.engines.watching import GivenUpError
from envcheck.language import in_language, say, speaking
from envcheck.model import ChannelState
from tests.support.channels import record, write_channel
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory

SECRET = "tk-12345678-secret"  # noqa: S105  # opens nothing


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_channel(tmp_path / "channel", {"linux-64": [record("zlib")]})


@pytest.fixture
def server(directory: Path, loopback_server: Callable[..., LoopbackServer]) -> LoopbackServer:
    return loopback_server(directory, prefix=f"/t/{SECRET}")


# ---------------------------------------------------------------------------------------------------------------------
# Folders
# ---------------------------------------------------------------------------------------------------------------------


def test_no_folder(tmp_path: Path) -> None:
    assert ask_why((tmp_path / "missing").as_uri(), "linux-64") == (
        ChannelState.NOT_FOUND,
        "there is no such directory",
    )


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert ask_why((tmp_path / "file").as_uri(), "linux-64")[0] is ChannelState.NOT_FOUND


def test_no_such_platform(directory: Path) -> None:
    assert ask_why(directory.as_uri(), "win-64") == (ChannelState.NO_SUBDIR, "it has no win-64/repodata.json")


@pytest.mark.parametrize("filename", ["repodata.json", "repodata.json.zst"])
def test_a_file_that_is_there_is_what_failed(tmp_path: Path, filename: str) -> None:
    folder = tmp_path / "a channel" / "linux-64"
    folder.mkdir(parents=True)
    (folder / filename).write_bytes(b"{")

    state, detail = ask_why((tmp_path / "a channel").as_uri(), "linux-64")
    assert state is ChannelState.DAMAGED
    assert "linux-64/repodata.json cannot be read" in detail


def test_folders_are_asked_offline_too(directory: Path) -> None:
    assert ask_why(directory.as_uri(), "win-64", offline=True)[0] is ChannelState.NO_SUBDIR


# ---------------------------------------------------------------------------------------------------------------------
# Servers
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misbehaviour", "state", "words"),
    [
        (Misbehaviour.NOT_FOUND, ChannelState.NO_SUBDIR, "it has no linux-64/repodata.json (HTTP 404)"),
        (Misbehaviour.FORBIDDEN, ChannelState.FORBIDDEN, "it refuses access (HTTP 403)"),
        (Misbehaviour.SERVER_ERROR, ChannelState.UNREACHABLE, "it answers HTTP 500"),
        (
            Misbehaviour.WEB_PAGE,
            ChannelState.DAMAGED,
            "it answers with a web page instead of repodata (a login or proxy page?)",
        ),
        (Misbehaviour.RESET, ChannelState.UNREACHABLE, "no connection could be made, or it was broken off"),
    ],
)
def test_what_a_server_answers(
    server: LoopbackServer, misbehaviour: Misbehaviour, state: ChannelState, words: str
) -> None:
    server.misbehave("/linux-64", misbehaviour)

    assert ask_why(server.url, "linux-64") == (state, words)


def test_a_file_that_begins_well_is_damaged_further_on(server: LoopbackServer) -> None:
    server.misbehave("/linux-64", Misbehaviour.TRUNCATED)

    assert ask_why(server.url, "linux-64") == (
        ChannelState.DAMAGED,
        "its repodata.json is truncated or damaged, or a record in it is none",
    )


def test_a_file_that_begins_badly_is_no_repodata(server: LoopbackServer, directory: Path) -> None:
    (directory / "linux-64" / "repodata.json").write_bytes(b"\x00\x01\x02")

    assert ask_why(server.url, "linux-64") == (ChannelState.DAMAGED, "its repodata.json is not repodata")


def test_an_empty_answer_is_no_repodata(server: LoopbackServer, directory: Path) -> None:
    (directory / "linux-64" / "repodata.json").write_bytes(b"")

    assert ask_why(server.url, "linux-64")[0] is ChannelState.DAMAGED


def test_the_compressed_file_is_asked_for_first(server: LoopbackServer, directory: Path) -> None:
    (directory / "linux-64" / "repodata.json.zst").write_bytes(b"\x28\xb5\x2f\xfd broken")

    state, detail = ask_why(server.url + "/", "linux-64")
    assert (state, detail) == (
        ChannelState.DAMAGED,
        "its repodata.json.zst is truncated or damaged, or a record in it is none",
    )
    assert [path.rpartition("/")[2] for path in server.paths()] == ["repodata.json.zst"]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert ask_why(f"http://127.0.0.1:{port}/ch", "noarch")[0] is ChannelState.UNREACHABLE


def test_no_answer_in_time(server: LoopbackServer) -> None:
    server.misbehave("/linux-64", Misbehaviour.SILENT)

    assert ask_why(server.url, "linux-64", timeouts=(0.2, 0.2)) == (
        ChannelState.UNREACHABLE,
        "it did not answer in time",
    )


TOO_LITTLE = GivenUpError("too little came", stalled=True)
TOO_MUCH = GivenUpError("too much came", stalled=False)


@pytest.mark.parametrize("given_up", [TOO_LITTLE, TOO_MUCH])
@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.WEB_PAGE,
        Misbehaviour.FORBIDDEN,
        Misbehaviour.SERVER_ERROR,
        Misbehaviour.NOT_FOUND,
        Misbehaviour.RESET,
        Misbehaviour.FLOOD,
    ],
)
def test_what_a_server_is_seen_to_do_goes_before_what_the_engine_gave_up_for(
    server: LoopbackServer, misbehaviour: Misbehaviour, given_up: GivenUpError
) -> None:
    server.misbehave("/", misbehaviour)

    assert ask_why(server.url, "linux-64", given_up=given_up) == ask_why(server.url, "linux-64")


@pytest.mark.parametrize(
    ("misbehaviour", "said"),
    [
        (Misbehaviour.TRUNCATED, "its repodata.json is truncated or damaged, or a record in it is none"),
        (Misbehaviour.BIT_FLIPPED, "its repodata.json is truncated or damaged, or a record in it is none"),
        (Misbehaviour.BROKEN_OFF, "no connection could be made, or it was broken off"),
        (Misbehaviour.TRICKLE, "too little came"),
        (Misbehaviour.HUGE_CLAIM, "too little came"),
        (Misbehaviour.SILENT, "it did not answer in time"),
    ],
)
def test_what_does_not_get_on_is_told_from_what_is_over(
    server: LoopbackServer, misbehaviour: Misbehaviour, said: str
) -> None:
    server.misbehave("/", misbehaviour)

    assert ask_why(server.url, "linux-64", timeouts=(0.5, 0.5), given_up=TOO_LITTLE)[1] == said


def test_too_much_is_told_of_what_begins_well(server: LoopbackServer) -> None:
    assert ask_why(server.url, "linux-64", given_up=TOO_MUCH) == (ChannelState.UNREACHABLE, "too much came")


@pytest.mark.parametrize("stalled", [False, True])
def test_why_it_was_given_up_is_told_in_the_language_of_the_report(server: LoopbackServer, *, stalled: bool) -> None:
    words = say("it did not answer in time")
    given_up = GivenUpError(words, stalled=stalled)
    server.misbehave("/", Misbehaviour.TRICKLE)

    details = [
        ask_why(server.url, "linux-64", timeouts=(0.5, 0.5), given_up=given_up)[1],
        ask_why(server.url, "linux-64", offline=not stalled, timeouts=(0.5, 0.5), given_up=given_up)[1],
    ]
    with speaking("zh"):
        assert [in_language(detail) for detail in details] == [in_language(words)] * 2
        assert not in_language(words).isascii()


def test_too_much_is_told_of_a_folder_that_has_repodata(directory: Path) -> None:
    found = [ask_why(directory.as_uri(), subdir, given_up=TOO_MUCH) for subdir in ("linux-64", "win-64")]
    assert found == [
        (ChannelState.UNREACHABLE, "too much came"),
        (ChannelState.NO_SUBDIR, "it has no win-64/repodata.json"),
    ]
    missing = (directory / "missing").as_uri()
    assert ask_why(missing, "linux-64", given_up=TOO_MUCH)[0] is ChannelState.NOT_FOUND


def test_a_proxy_that_refuses(server: LoopbackServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxies = (("http", f"http://me:{SECRET}@127.0.0.1:{port}"),)

    state, detail = ask_why(server.url, "linux-64", proxies=proxies)
    assert (state, detail) == (ChannelState.UNREACHABLE, "the configured proxy refused or did not answer")
    assert server.requests == []


def test_an_address_that_is_none() -> None:
    assert ask_why("http://", "linux-64")[0] is ChannelState.UNREACHABLE


def test_nothing_is_asked_offline(server: LoopbackServer) -> None:
    assert ask_why(server.url, "linux-64", offline=True) == (
        ChannelState.UNREACHABLE,
        "nothing is cached for it and --offline forbids asking",
    )
    assert server.requests == []


@pytest.mark.parametrize("misbehaviour", [one for one in Misbehaviour if one is not Misbehaviour.SLOW])
def test_no_answer_tells_the_address(
    server: LoopbackServer, loopback_server: ServerFactory, misbehaviour: Misbehaviour
) -> None:
    server.misbehave("/", misbehaviour)
    _, detail = ask_why(server.url, "linux-64", timeouts=(1.0, 1.0))

    assert detail
    assert SECRET not in detail
    assert "127.0.0.1" not in detail
