"""Every question is asked at most once, and only when somebody wants the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from envcheck.condarc import Configuration
from envcheck.engines import Index, LoadOptions, ProgressCallback
from envcheck.engines.rattler import RattlerEngine
from envcheck.errors import ChannelError
from envcheck.model import (
    Channel,
    ChannelReference,
    DistributionFile,
    EngineInfo,
    PipPresence,
    Target,
    VirtualPackage,
)
from envcheck.pip.lookup import IndexUnavailable, Lookup, ProjectFiles
from envcheck.request import Request
from envcheck.world import LoadedWorld, Services, load_options
from tests.support.channels import LINUX, record, write_channel
from tests.support.fakes import FakePackageIndex

CHANNELS = ("conda-forge", "bioconda", "pkgs/main", "mine")


class CountingEngine:
    """The real engine, with a list of what it was asked to load."""

    def __init__(self) -> None:
        self._engine = RattlerEngine()
        self.loaded: list[tuple[str, ...]] = []
        self.virtual_packages: list[tuple[VirtualPackage, ...]] = []

    @property
    def info(self) -> EngineInfo:
        return self._engine.info

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        channel_priority: str = "flexible",
        options: LoadOptions | None = None,
        progress: ProgressCallback | None = None,
    ) -> Index:
        self.loaded.append((platform, *(channel.name for channel in channels)))
        self.virtual_packages.append(tuple(virtual_packages))
        return self._engine.load(
            channels, platform, virtual_packages, channel_priority=channel_priority, options=options, progress=progress
        )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in CHANNELS:
        own = name.replace("/", "-")
        write_channel(
            tmp_path / name,
            {
                "linux-64": [record(f"{own}-linux")],
                "win-64": [record(f"{own}-windows")],
                "noarch": [record(f"{own}-any")],
            },
        )
    return tmp_path


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


def a_world(
    directory: Path,
    engine: CountingEngine,
    *names: str,
    index: FakePackageIndex | None = None,
    configured: tuple[str, ...] = (),
    python: str | None = "3.10.*",
    **options: Any,
) -> LoadedWorld:
    mirrors = tuple((name, ((directory / name).as_uri(),)) for name in CHANNELS)
    settings = Configuration(
        channels=configured, default_channels=("pkgs/main",), mirrored_channels=mirrors[:3], channel_priority="flexible"
    )
    request = Request(
        path="x", data=b"", configuration=settings, offline=True, cache_directory=str(directory / "cache"), **options
    )
    channels = tuple(
        Channel(
            name=name,
            url="https://repo.anaconda.com/pkgs/main" if name == "pkgs/main" else f"https://conda.anaconda.org/{name}",
            locations=((directory / name).as_uri(),),
        )
        for name in names
    )
    target = Target(platform="linux-64", virtual_packages=LINUX, channels=channels)
    references = [ChannelReference(text=name, line=1) for name in names]
    services = Services(engine=engine, package_index=index or FakePackageIndex())
    return LoadedWorld(request, target, services, references, python=python)


def test_nothing_is_loaded_before_it_is_wanted(directory: Path, engine: CountingEngine) -> None:
    a_world(directory, engine, "conda-forge")

    assert engine.loaded == []


def test_the_targets_index_is_loaded_once(directory: Path, engine: CountingEngine) -> None:
    world = a_world(directory, engine, "conda-forge", "bioconda")

    assert world.index is world.index
    assert world.index is world.for_platform("linux-64")
    assert world.index is world.with_channels(())
    assert engine.loaded == [("linux-64", "conda-forge", "bioconda")]
    assert world.index.names() == {"conda-forge-linux", "conda-forge-any", "bioconda-linux", "bioconda-any"}
    assert engine.virtual_packages == [LINUX]


def test_another_platform_is_loaded_once_with_its_own_virtual_packages(directory: Path, engine: CountingEngine) -> None:
    world = a_world(directory, engine, "conda-forge")
    windows = world.for_platform("win-64")

    assert windows is not None
    assert windows is world.for_platform("win-64")
    assert windows.names() == {"conda-forge-windows", "conda-forge-any"}
    assert engine.loaded == [("win-64", "conda-forge")]
    assert "__win" in {package.name for package in engine.virtual_packages[0]}


def test_a_platform_that_cannot_be_loaded_is_no_answer_and_not_asked_again(
    directory: Path, engine: CountingEngine
) -> None:
    (directory / "conda-forge").rename(directory / "gone")
    world = a_world(directory, engine, "conda-forge")

    assert world.for_platform("win-64") is None
    assert world.for_platform("win-64") is None
    assert len(engine.loaded) == 1
    with pytest.raises(ChannelError):
        _ = world.index


def test_other_channels_are_the_well_known_ones_that_the_target_lacks(directory: Path, engine: CountingEngine) -> None:
    world = a_world(directory, engine, "bioconda")
    others = world.other_channels("linux-64")

    assert [channel.name for channel, _ in others] == ["conda-forge", "pkgs/main"]
    assert [index.names() for _, index in others] == [
        {"conda-forge-linux", "conda-forge-any"},
        {"pkgs-main-linux", "pkgs-main-any"},
    ]
    assert world.other_channels("linux-64") is others
    asked = ("conda-forge", "pkgs/main", "pytorch", "nvidia")
    assert engine.loaded == [("linux-64", name) for name in asked], "the last two do not exist here"


def test_other_channels_that_cannot_be_loaded_are_left_out(directory: Path, engine: CountingEngine) -> None:
    (directory / "bioconda").rename(directory / "gone")
    world = a_world(directory, engine, "conda-forge")

    assert [channel.name for channel, _ in world.other_channels("linux-64")] == ["pkgs/main"]


def test_override_channels_asks_no_other(directory: Path, engine: CountingEngine) -> None:
    world = a_world(directory, engine, "conda-forge", channels=("conda-forge",), override_channels=True)

    assert world.other_channels("linux-64") == ()
    assert engine.loaded == []


def test_added_channels_stand_behind_the_targets(directory: Path, engine: CountingEngine) -> None:
    world = a_world(directory, engine, "conda-forge")
    added = [channel for channel, _ in world.other_channels("linux-64") if channel.name == "bioconda"]
    extended = world.with_channels(added)

    assert world.with_channels(added) is extended
    assert [status.channel.name for status in extended.statuses] == ["conda-forge", "bioconda"]
    assert {"conda-forge-linux", "bioconda-linux"} <= extended.names()


# ---------------------------------------------------------------------------------------------------------------------
# The package index
# ---------------------------------------------------------------------------------------------------------------------


def project(name: str, *filenames: str) -> ProjectFiles:
    files = tuple(
        DistributionFile(
            filename=filename, url=f"https://host.example/{filename}", sha256=None, requires_python=None, yanked=False
        )
        for filename in filenames
    )
    return ProjectFiles(name=name, files=files)


def test_the_package_index_is_asked_once_for_all_projects(directory: Path, engine: CountingEngine) -> None:
    answers: dict[str, Lookup] = {"thing": project("thing", "thing-1.0-py3-none-any.whl", "thing-2.0-py3-none-any.whl")}
    index = FakePackageIndex(answers)
    world = a_world(directory, engine, "conda-forge", index=index)
    questions = (("thing", "1.0"), ("thing", None), ("thing", "3.0"), ("missing", None))
    found = world.on_package_index(questions)

    assert index.asked == [("thing", "missing")]
    assert tuple(found) == questions
    assert [found[one].presence for one in questions] == [
        PipPresence.PURE_WHEEL,
        PipPresence.PURE_WHEEL,
        PipPresence.NO_VERSION,
        PipPresence.NO_PROJECT,
    ]
    assert found["thing", None].version == "2.0"
    assert world.package_index_trouble == ""


def test_wheels_are_judged_for_the_target(directory: Path, engine: CountingEngine) -> None:
    answers: dict[str, Lookup] = {
        "bound": project("bound", "bound-1.0-cp310-cp310-manylinux_2_17_x86_64.whl"),
        "newer": project("newer", "newer-1.0-cp310-cp310-manylinux_2_99_x86_64.whl"),
        "windows": project("windows", "windows-1.0-cp310-cp310-win_amd64.whl"),
    }
    write_channel(directory / "conda-forge", {"linux-64": [record("python", "3.10.13"), record("python", "3.12.1")]})
    questions = tuple((name, "1.0") for name in answers)
    by_python = {
        python: [
            one.presence
            for one in a_world(directory, engine, "conda-forge", index=FakePackageIndex(answers), python=python)
            .on_package_index(questions)
            .values()
        ]
        for python in ("3.10.*", ">=3.9,<3.13")
    }

    assert by_python["3.10.*"][0] is PipPresence.WHEEL
    assert by_python["3.10.*"][1] is not PipPresence.WHEEL  # needs a newer glibc than the target's 2.28
    assert by_python["3.10.*"][2] is PipPresence.OTHER_PLATFORM
    assert by_python[">=3.9,<3.13"][0] is PipPresence.OTHER_PYTHON  # the newest that is allowed is 3.12


def test_a_package_index_that_does_not_answer_is_told_and_answers_nothing(
    directory: Path, engine: CountingEngine
) -> None:
    index = FakePackageIndex({"thing": IndexUnavailable(reason="it answers HTTP 503")})
    world = a_world(directory, engine, "conda-forge", index=index)

    assert world.on_package_index([("thing", "1.0")]) == {}
    assert world.package_index_trouble == "it answers HTTP 503"


def test_without_pip_and_without_questions_nothing_is_asked(directory: Path, engine: CountingEngine) -> None:
    index = FakePackageIndex()

    assert a_world(directory, engine, "conda-forge", index=index).on_package_index([]) == {}
    without = a_world(directory, engine, "conda-forge", index=index, check_pip=False)
    assert without.on_package_index([("thing", None)]) == {}
    assert without.package_index_trouble == "--no-pip"
    assert index.asked == []


@pytest.mark.parametrize(("flag", "configured"), [(True, False), (False, True), (False, False)])
def test_load_options(flag: bool, configured: bool) -> None:
    settings = Configuration(ssl_verify="/etc/ca.pem", proxy_servers=(("https", "http://proxy"),), offline=configured)
    request = Request(
        path="x", data=b"", configuration=settings, offline=flag, cache_directory="/cache", exclude_newer=17
    )

    assert load_options(request) == LoadOptions(
        cache_directory="/cache",
        offline=flag or configured,
        exclude_newer=17,
        verify_tls="/etc/ca.pem",
        proxies=(("https", "http://proxy"),),
    )
