"""What every test stands on: fixture channels, a loopback server, and a world without the user's configuration."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from fixtures.build_channel import build_channels
from fixtures.build_index import build_index
from tests.support import ready_program
from tests.support.server import ServerFactory

CONFIGURATION = ("CONDA", "MAMBA", "RATTLER_", "PIXI_", "XDG_", "ENVCHECK_", "LC_", "LANG")
"""Beginnings of the environment variables that no test may see."""

CONNECTION = (
    "PIP_",
    "UV_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NETRC",
    "REQUESTS_CA_BUNDLE",
    "SSL_",
)
"""Beginnings of those, in either case, that only tests of the network may see: they need them to get there."""

# How long an example takes says how busy the machine is; a test that hangs has its timeout.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SHARED = os.environ.get("ENVCHECK_SHARED")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--network", action="store_true", help="run the tests that reach the Python package index")


def pytest_configure() -> None:
    # A shell that runs something in the background has it ignore interrupts, and so whatever the tests start would.
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    no_network = pytest.mark.skip(reason="reaches the network; run with --network")
    no_shared = pytest.mark.skip(reason="needs the real repodata and exports; set ENVCHECK_SHARED to their folder")
    for item in items:
        if "network" in item.keywords and not config.getoption("--network"):
            item.add_marker(no_network)
        if "shared" in item.keywords and not SHARED:
            item.add_marker(no_shared)


def pytest_unconfigure() -> None:
    ready_program.end()


@pytest.fixture(autouse=True)
def isolated_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Hide the user's home, configuration and caches."""
    home = tmp_path_factory.mktemp("home")
    hidden = CONFIGURATION if "network" in request.keywords else CONFIGURATION + CONNECTION
    for name in list(os.environ):
        if name.upper().startswith(hidden):
            monkeypatch.delenv(name)
    # ``--lang`` sets it where it goes against the locale: set here, it is as before after the test.
    monkeypatch.setenv("LANGUAGE", "")
    monkeypatch.delenv("LANGUAGE")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))


@pytest.fixture(scope="session")
def channels_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture channels as repodata only, one folder per channel; every xdist worker builds its own."""
    directory = tmp_path_factory.mktemp("channels")
    build_channels(directory)
    return directory


@pytest.fixture(scope="session")
def package_channels_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture channels with packages that can be installed."""
    directory = tmp_path_factory.mktemp("package-channels")
    build_channels(directory, packages=True)
    return directory


@pytest.fixture(scope="session")
def package_index_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture package index: serve it, its base URL is the index URL."""
    directory = tmp_path_factory.mktemp("package-index")
    build_index(directory)
    return directory


@pytest.fixture(scope="session")
def shared_directory() -> Path:
    """The folder of real repodata and exports; see the ``shared`` marker."""
    if not SHARED:
        pytest.skip("needs the real repodata and exports; set ENVCHECK_SHARED to their folder")
    return Path(SHARED)


@pytest.fixture
def loopback_server() -> Iterator[ServerFactory]:
    """Starts loopback servers: ``loopback_server(directory)``; they end with the test."""
    factory = ServerFactory()
    yield factory
    factory.close()
