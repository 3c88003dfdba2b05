"""Which client asks which channel, and what it is told of credentials."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from rattler import Config
from rattler.exceptions import InvalidChannelError

from envcheck.engines import LoadOptions
from envcheck.engines import rattler_network as network
from envcheck.engines.rattler import RattlerEngine
from envcheck.engines.rattler_network import Access, Place, arrange
from envcheck.errors import ChannelError
from envcheck.model import Channel, ChannelState, Solved
from envcheck.toml_bounds import parse_toml
from tests.support.channels import record, write_channel
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory

PUBLIC = "https://repo.example/main"
TOKEN = "https://repo.example/t/tk-12/team"  # noqa: S105  # opens nothing
USER = "https://lee:p%2Fw@repo.example/private"
BOTH = "https://lee:p%2Fw@Other.Example:8443/api/t/tk-34/team/"


def place(location: str) -> Place:
    return Place.of(location)


# ---------------------------------------------------------------------------------------------------------------------
# Places
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "url", "real", "user", "host"),
    [
        (PUBLIC, PUBLIC, PUBLIC, None, "repo.example"),
        (TOKEN, "https://repo.example/team", TOKEN, None, "repo.example"),
        (USER, "https://repo.example/private", "https://repo.example/private", "lee:p%2Fw", "repo.example"),
        (
            BOTH,
            "https://Other.Example:8443/api/team/",
            "https://Other.Example:8443/api/t/tk-34/team/",
            "lee:p%2Fw",
            "other.example",
        ),
        ("https://key@[::1]:8080/c", "https://[::1]:8080/c", "https://[::1]:8080/c", "key", "[::1]"),
        ("https://h/t/one/t/two/c", "https://h/c", "https://h/t/one/t/two/c", None, "h"),
        ("https://h/c?token=secret", "https://h/c", "https://h/c", None, "h"),
    ],
)
def test_a_place_is_an_address_and_its_secrets(location: str, url: str, real: str, user: str | None, host: str) -> None:
    found = place(location)
    assert (found.asked, found.url, found.real, found.user, found.host) == (location, url, real, user, host)


def test_a_place_shows_no_secret() -> None:
    for word in ("lee", "p%2Fw", "tk-34"):
        assert word not in repr(place(BOTH))


def test_a_folder_is_a_place_of_its_own(tmp_path: Path) -> None:
    location = (tmp_path / "t" / "tk-12" / "channel").as_uri()
    assert place(location) == Place(asked=location, url=location, real=location)


def test_what_is_no_address_has_no_place() -> None:
    with pytest.raises(InvalidChannelError):
        place("https://")


# ---------------------------------------------------------------------------------------------------------------------
# Clients
# ---------------------------------------------------------------------------------------------------------------------


def test_channels_without_secrets_share_a_client_that_knows_nothing() -> None:
    one, other = place(PUBLIC), place("https://conda.example/forge")
    assert arrange([one, other, one]) == {one: Access(), other: Access()}


def test_a_token_is_a_mirror_and_what_lies_below_is_not_asked_there() -> None:
    below = place("https://repo.example/team/label/dev")
    found = arrange([place(TOKEN), below, place(PUBLIC)])
    assert set(found.values()) == {
        Access(
            mirrors=(
                ("https://repo.example/team/", TOKEN),
                ("https://repo.example/team/label/dev/", "https://repo.example/team/label/dev"),
            )
        )
    }


def test_what_is_beyond_the_first_plane_of_unicode_is_told_as_it_is() -> None:
    credentials = '/home/\U0001f40d "quoted"\\\x7f\t/credentials.json'
    url, real = "https://h/\U0001f40d/", "https://h/t/tk-12/\U0001f40d/"
    options = LoadOptions(verify_tls=False, proxies=(("http", "http://proxy/\U0001f40d"),))
    settings = network._network_settings(options, Access(mirrors=((url, real),)), credentials)

    assert parse_toml(settings) == {
        "tls-no-verify": True,
        "authentication-override-file": credentials,
        "proxy-config": {"http": "http://proxy/\U0001f40d"},
        "mirrors": {url: [real]},
    }
    Config.from_toml(settings)


def test_two_tokens_of_one_address_are_two_clients() -> None:
    one, other, plain = place(TOKEN), place(TOKEN.replace("tk-12", "tk-13")), place("https://repo.example/team")
    found = arrange([one, other, plain])
    assert len({found[one], found[other], found[plain]}) == 3
    assert found[plain] == Access()


def test_who_has_a_user_is_not_asked_by_the_client_of_who_has_none() -> None:
    found = arrange([place(PUBLIC), place(USER), place(BOTH)])
    assert found[place(PUBLIC)] == Access()
    assert found[place(USER)] == found[place(BOTH)]
    assert found[place(USER)] == Access(
        mirrors=(("https://other.example:8443/api/team/", place(BOTH).real),),
        users=(("other.example", "lee:p%2Fw"), ("repo.example", "lee:p%2Fw")),
    )


def test_two_users_of_one_host_are_two_clients() -> None:
    one, other = place(USER), place(USER.replace("lee", "kim"))
    found = arrange([one, other])
    assert found[one].users == (("repo.example", "lee:p%2Fw"),)
    assert found[other].users == (("repo.example", "kim:p%2Fw"),)


@pytest.mark.parametrize("has_memory_files", [True, False])
def test_credentials_are_read_once_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_memory_files: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not has_memory_files:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with network._read_once("secret") as file:
        assert Path(file).read_text(encoding="utf-8") == "secret"
        if not has_memory_files:
            assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
            assert stat.S_IMODE(Path(file).parent.stat().st_mode) == 0o700
        elif hasattr(os, "memfd_create"):
            assert list(tmp_path.iterdir()) == []
    assert not Path(file).exists()
    assert list(tmp_path.iterdir()) == []


def test_credentials_stand_in_the_file_as_they_are_meant() -> None:
    assert json.loads(network._credentials((("h", "lee:p%2Fw%40x"), ("k", "key")))) == {
        "h": {"BasicHTTP": {"username": "lee", "password": "p/w@x"}},
        "k": {"BasicHTTP": {"username": "key", "password": ""}},
    }
    assert network._credentials(()) == ""


# ---------------------------------------------------------------------------------------------------------------------
# On a server
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def servers(tmp_path: Path, loopback_server: ServerFactory) -> tuple[LoopbackServer, LoopbackServer]:
    """Two on one host, each with a channel of its own."""
    found = []
    for name in ("first", "second"):
        folder = tmp_path / name
        write_channel(folder / name, {"linux-64": [record(name)], "noarch": []})
        server = loopback_server(folder, prefix=f"/t/tk-{name}")
        server.cache_control = "max-age=0"
        found.append(server)
    return found[0], found[1]


def channel(server: LoopbackServer, name: str, user: str) -> Channel:
    location = f"{server.url}/{name}"
    if user:
        location = location.replace("://", f"://{user}@")
    return Channel(name=name, url=f"https://conda.example/{name}", locations=(location,))


def authorizations(server: LoopbackServer) -> set[str | None]:
    return {
        dict(request.headers).get("Authorization", dict(request.headers).get("authorization"))
        for request in server.requests
    }


@pytest.mark.parametrize("users", [("", ""), ("lee:p%2Fw", ""), ("", "kim:x"), ("lee:p%2Fw", "kim:x")])
def test_each_channel_is_asked_with_its_own_credentials(
    servers: tuple[LoopbackServer, LoopbackServer], tmp_path: Path, users: tuple[str, str]
) -> None:
    wanted = {"": None, "lee:p%2Fw": "Basic bGVlOnAvdw==", "kim:x": "Basic a2ltOng="}
    first, second = servers
    channels = (channel(first, "first", users[0]), channel(second, "second", users[1]))
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    for _ in range(2):
        index = RattlerEngine().load(channels, "linux-64", (), options=options)
        assert [status.state for status in index.statuses] == [ChannelState.LOADED] * 2
        solved = index.solve(["first", "second"])
        assert isinstance(solved, Solved)
        assert [one.channel for one in solved.packages] == [one.url for one in channels]
    assert authorizations(first) == {wanted[users[0]]}
    assert authorizations(second) == {wanted[users[1]]}
    # What the second engine found was held against the server, and is what the first one had fetched.
    assert 304 in {request.status for request in first.requests}
    assert 304 in {request.status for request in second.requests}
    for file in (tmp_path / "cache").iterdir():
        for secret in (b"lee", b"p%2Fw", b"kim", b"tk-first", b"tk-second"):
            assert secret not in file.read_bytes()
            assert secret not in os.fsencode(file.name)


def test_a_user_does_not_follow_a_redirect_to_another_port(
    servers: tuple[LoopbackServer, LoopbackServer], tmp_path: Path, loopback_server: ServerFactory
) -> None:
    first = servers[0]
    plain, elsewhere = (loopback_server(first.directory) for _ in range(2))
    plain.elsewhere = elsewhere.url
    plain.misbehave("/", Misbehaviour.REDIRECT_AWAY)
    options = LoadOptions(cache_directory=str(tmp_path / "cache"))
    index = RattlerEngine().load((channel(plain, "first", "lee:p%2Fw"),), "linux-64", (), options=options)
    assert index.names() == {"first"}
    assert authorizations(plain) == {"Basic bGVlOnAvdw=="}
    assert authorizations(elsewhere) == {None}
    assert not any("lee" in value for request in elsewhere.requests for _, value in request.headers)


def test_proxies_stand_in_no_file(
    servers: tuple[LoopbackServer, LoopbackServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    first = servers[0]
    proxies = (("https", "http://pat:proxysecret@127.0.0.1:9"), ("http", "http://pat:proxysecret@127.0.0.1:9"))
    options = LoadOptions(cache_directory=str(tmp_path / "cache"), proxies=proxies, connect_timeout=1, read_timeout=2)
    with pytest.raises(ChannelError) as found:
        RattlerEngine().load((channel(first, "first", "lee:x"),), "linux-64", (), options=options)
    assert "proxysecret" not in str(found.value)
    assert first.requests == []
    for file in (tmp_path / "cache").rglob("*"):
        assert b"proxysecret" not in file.read_bytes()


def test_a_warm_cache_serves_offline_whatever_the_credentials(
    servers: tuple[LoopbackServer, LoopbackServer], tmp_path: Path
) -> None:
    first = servers[0]
    cache = str(tmp_path / "cache")
    RattlerEngine().load(
        (channel(first, "first", "lee:x"),), "linux-64", (), options=LoadOptions(cache_directory=cache)
    )
    asked = len(first.requests)
    offline = LoadOptions(cache_directory=cache, offline=True)
    index = RattlerEngine().load((channel(first, "first", "lee:renewed"),), "linux-64", (), options=offline)
    assert index.names() == {"first"}
    assert len(first.requests) == asked
