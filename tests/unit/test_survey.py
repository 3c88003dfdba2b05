"""Every place where a requirement can stand, in a universe that is small enough to see through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.model import Availability, Presence, Record, Sighting
from envcheck.survey import Installable, installable, missing_virtual_package, survey
from tests.support.channels import record
from tests.support.fakes import FakeWorld, Universe, environment, on_pypi

PY310 = ["python >=3.10,<3.11.0a0", "python_abi 3.10.* *_cp310"]
PY312 = ["python >=3.12,<3.13.0a0", "python_abi 3.12.* *_cp312"]

CHANNELS = {
    "conda-forge": {
        "linux-64": [
            record("python", "3.10.13"),
            record("python", "3.12.1"),
            record("numpy", "1.26.4", "py310_0", depends=PY310),
            record("numpy", "1.26.4", "py312_0", depends=PY312),
            record("numpy", "2.0.0", "py312_0", depends=PY312),
            record("numpy", "1.21.6", "py310_0", depends=PY310),
            record("numpy", "1.22.0", "py310_0", depends=PY310),
            record("numpy", "1.20.0", "py310_0", depends=PY310),
            record("zlib", "1.2.13", "h1234567_5"),
            record("jax-gpu", "1.0", depends=["__cuda >=12"]),
            record("torch", "2.0", "cpu_0"),
            record("torch", "2.1", "cuda_0", depends=["__cuda"]),
            record("torch", "2.3", "cuda_0", depends=["__cuda"]),
            record("torch", "2.4", "cpu_0"),
            record("modern", "1.0", depends=["__archspec 1 x86_64_v4"]),
            record("fresh", "1.0", timestamp=1_900_000_000_000),
        ],
        "noarch": [
            record("typing-extensions", "4.9.0", noarch="python"),
            record("opencv", "4.9", noarch="generic"),
            record("win_only", "1.0", noarch="generic", depends=["__win"]),
            record("shortcuts", "1.0", noarch="generic", depends=["__win"]),
            record("matplotlib", "3.8", noarch="python"),
            record("old-noarch", "0.1", noarch="python", depends=["python <3.8"]),
        ],
        "win-64": [
            record("vc", "14.3"),
            record("pywinpty", "2.0"),
            record("numpy", "1.21.2", "py310_0", depends=PY310),
            record("winlib", "1.0", depends=["vc"]),
        ],
    },
    "bioconda": {
        "linux-64": [record("samtools", "1.19"), record("samtools", "1.18"), record("numpy", "1.21.2", "py310_0")],
        "noarch": [record("shortcuts", "1.0", noarch="generic"), record("darwinist", "1.0", depends=["__osx"])],
        "win-64": [record("biowin", "1.0")],
    },
    "other": {"linux-64": [record("zlib", "1.3.1"), record("numpy", "9.9")]},
}


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    return Universe(tmp_path_factory.mktemp("universe"), CHANNELS)


@pytest.fixture
def world(universe: Universe) -> FakeWorld:
    pypi = {"only-on-pypi": on_pypi("only-on-pypi"), "winlib": on_pypi("winlib"), "numpy": on_pypi("numpy", "1.21.2")}
    return FakeWorld(universe, universe.target("conda-forge"), others=["bioconda"], pypi=pypi)


def ask(universe: Universe, world: FakeWorld, *specs: str, source_platform: str | None = "win-64") -> Availability:
    """The answer about the last of some specs."""
    return survey(environment(*specs), universe.target("conda-forge"), world, source_platform=source_platform)[-1]


# ---------------------------------------------------------------------------------------------------------------------
# In the target's own channels
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["numpy", "numpy=1.26", "numpy=1.26.4=py310_0", "numpy >=1.20,<2", "zlib 1.2.*"])
def test_available(universe: Universe, world: FakeWorld, spec: str) -> None:
    found = ask(universe, world, "python=3.10", spec)

    assert found == Availability(requirement=found.requirement, presence=Presence.AVAILABLE)


def test_nothing_is_asked_while_nothing_is_missing(universe: Universe, world: FakeWorld) -> None:
    ask(universe, world, "python=3.10", "numpy=1.26", "zlib")

    assert world.asked == []


def test_another_build(universe: Universe, world: FakeWorld) -> None:
    assert ask(universe, world, "zlib=1.2.13=hcfcfb64_5").presence is Presence.BUILD_ELSEWHERE
    assert ask(universe, world, "zlib=1.2.13=h1234567_5").presence is Presence.AVAILABLE


def test_another_version_with_the_nearest_first(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "python=3.10", "numpy=1.21.2")

    assert found.presence is Presence.VERSION_ELSEWHERE
    assert found.nearest == ("1.21.6", "1.22.0", "1.20.0")  # same minor; then newer and older; 2.0.0 lacks Python 3.10
    assert found.sightings == (Sighting(channel="bioconda", subdir="linux-64", newest="1.21.2", has_pin=True),)
    assert found.pypi is not None


def test_a_range_that_nothing_satisfies_gets_the_newest(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "numpy >=3")

    assert (found.presence, found.nearest) == (Presence.VERSION_ELSEWHERE, ("2.0.0", "1.26.4", "1.22.0"))


def test_a_version_for_other_pythons_only(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "python=3.10", "numpy=2.0.0")

    assert (found.presence, found.detail) == (Presence.VERSION_ELSEWHERE, "not built for Python 3.10")
    assert found.nearest == ("1.26.4", "1.22.0", "1.21.6")
    assert ask(universe, world, "python=3.12", "numpy=2.0.0").presence is Presence.AVAILABLE


def test_no_version_for_this_python_at_all(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "python=3.12", "old-noarch")

    assert (found.presence, found.nearest) == (Presence.VERSION_ELSEWHERE, ())


@pytest.mark.parametrize(
    ("spec", "presence"),
    [
        ("other::zlib=1.3.1", Presence.AVAILABLE),
        ("conda-forge::zlib=1.2.13", Presence.AVAILABLE),
        ("conda-forge::zlib=1.3.1", Presence.VERSION_ELSEWHERE),
    ],
)
def test_a_channel_that_a_spec_names(universe: Universe, spec: str, presence: Presence) -> None:
    target = universe.target("conda-forge", "other")
    found = survey(environment(spec), target, FakeWorld(universe, target), source_platform=None)

    assert found[0].presence is presence


def test_hidden_by_strict_priority(universe: Universe) -> None:
    for priority, presence in (
        ("strict", Presence.HIDDEN_BY_PRIORITY),
        ("flexible", Presence.AVAILABLE),
        ("disabled", Presence.AVAILABLE),
    ):
        target = universe.target("conda-forge", "other", priority=priority)
        found = survey(environment("zlib=1.3.1"), target, FakeWorld(universe, target), source_platform=None)[0]
        assert found.presence is presence
        assert found.detail == ("other" if presence is Presence.HIDDEN_BY_PRIORITY else "")


def test_needs_a_virtual_package(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "jax-gpu")
    assert (found.presence, found.virtual_package) == (Presence.NEEDS_VIRTUAL_PACKAGE, "__cuda >=12")

    with_cuda = universe.target("conda-forge", virtual=["__cuda=12.4"])
    answer = survey(environment("jax-gpu"), with_cuda, FakeWorld(universe, with_cuda), source_platform=None)[0]
    assert answer.presence is Presence.AVAILABLE

    too_old = universe.target("conda-forge", virtual=["__cuda=11.8"])
    answer = survey(environment("jax-gpu"), too_old, FakeWorld(universe, too_old), source_platform=None)[0]
    assert answer.presence is Presence.NEEDS_VIRTUAL_PACKAGE


def test_one_version_needs_a_virtual_package(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "torch=2.1")

    assert (found.presence, found.virtual_package) == (Presence.NEEDS_VIRTUAL_PACKAGE, "__cuda")
    assert found.nearest == ("2.4", "2.0")


def test_a_virtual_package_of_another_build(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "modern")

    assert found.presence is Presence.NEEDS_VIRTUAL_PACKAGE
    assert found.virtual_package == "__archspec 1 x86_64_v4"


def test_a_name_whose_records_are_all_left_out(universe: Universe) -> None:
    target = universe.target("conda-forge")
    world = FakeWorld(universe, target, exclude_newer=1_800_000_000_000)
    found = survey(environment("zlib", "fresh"), target, world, source_platform=None)

    assert [one.presence for one in found] == [Presence.AVAILABLE, Presence.NOWHERE]


# ---------------------------------------------------------------------------------------------------------------------
# On other platforms and in other channels
# ---------------------------------------------------------------------------------------------------------------------


def test_only_for_another_platform(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "vc=14.3")

    assert found.presence is Presence.PLATFORM_ONLY
    assert found.sightings == (Sighting(channel="conda-forge", subdir="win-64", newest="14.3", has_pin=True),)


def test_only_for_another_platform_of_another_channel(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "biowin=2.0")

    assert found.presence is Presence.PLATFORM_ONLY
    assert found.sightings == (Sighting(channel="bioconda", subdir="win-64", newest="1.0", has_pin=False),)


def test_the_usual_platforms_are_asked_where_the_source_tells_none(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "vc", source_platform=None)

    assert found.presence is Presence.PLATFORM_ONLY
    assert found.sightings[0].subdir == "win-64"


def test_noarch_for_windows(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "win_only=1.0")

    assert (found.presence, found.virtual_package) == (Presence.PLATFORM_ONLY, "__win")


def test_noarch_for_another_system_in_another_channel(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "darwinist")

    assert (found.presence, found.virtual_package) == (Presence.PLATFORM_ONLY, "__osx")


def test_other_channel(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "samtools=1.18")

    assert found.presence is Presence.OTHER_CHANNEL
    assert found.sightings == (Sighting(channel="bioconda", subdir="linux-64", newest="1.19", has_pin=True),)


def test_other_channel_has_for_linux_what_ours_has_for_windows(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "shortcuts")

    assert found.presence is Presence.OTHER_CHANNEL
    assert [(one.channel, one.subdir) for one in found.sightings] == [("bioconda", "noarch")]
    assert found.virtual_package is None


# ---------------------------------------------------------------------------------------------------------------------
# Under other names, on the package index, nowhere
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "name"), [("typing_extensions=4.9.0", "typing-extensions"), ("opencv-python", "opencv")]
)
def test_renamed(universe: Universe, world: FakeWorld, spec: str, name: str) -> None:
    found = ask(universe, world, spec)

    assert found.presence is Presence.RENAMED
    assert found.close_names[0] == name


def test_only_on_the_package_index(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "only-on-pypi=1.0")

    assert found.presence is Presence.PYPI_ONLY
    assert found.pypi is not None
    assert found.pypi.name == "only-on-pypi"


def test_nowhere_with_names_that_may_have_been_meant(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "matplotlb=3.8")

    assert found.presence is Presence.NOWHERE
    assert found.close_names[0] == "matplotlib"


def test_nowhere_and_like_nothing(universe: Universe, world: FakeWorld) -> None:
    found = ask(universe, world, "qqqqqqqqqq")

    assert (found.presence, found.close_names, found.sightings) == (Presence.NOWHERE, (), ())


def test_the_package_index_is_asked_once_and_only_about_python_distributions(
    universe: Universe, world: FakeWorld
) -> None:
    specs = ("python=3.10", "numpy=1.21.2", "vc", "only-on-pypi", "zlib=9", "nowhere-at-all")
    survey(environment(*specs), universe.target("conda-forge"), world, source_platform="win-64")

    # zlib and vc are no Python distributions as far as their records tell, so that their namesakes mean nothing.
    assert [question for question in world.asked if question.startswith("package index")] == [
        "package index nowhere-at-all numpy only-on-pypi"
    ]


def test_a_namesake_on_the_package_index_of_no_python_package_is_not_offered(
    universe: Universe, world: FakeWorld
) -> None:
    assert ask(universe, world, "winlib").pypi is None


# ---------------------------------------------------------------------------------------------------------------------
# While a channel is silent
# ---------------------------------------------------------------------------------------------------------------------


def test_unknown_while_a_channel_cannot_be_read(tmp_path: Path) -> None:
    universe = Universe(tmp_path, CHANNELS)
    (tmp_path / "bioconda" / "linux-64" / "repodata.json").write_text('{"packages": {', encoding="utf-8")
    target = universe.target("conda-forge", "bioconda")
    world = FakeWorld(universe, target)
    found = survey(environment("zlib", "samtools", "numpy=7", "vc"), target, world, source_platform="win-64")

    assert [one.presence for one in found] == [Presence.AVAILABLE, *[Presence.UNKNOWN] * 3]


def test_a_channel_without_the_platform_is_no_reason_for_doubt(tmp_path: Path) -> None:
    universe = Universe(tmp_path, {**CHANNELS, "noarch-only": {"noarch": [record("pure")]}})
    target = universe.target("conda-forge", "noarch-only")
    found = survey(environment("pure", "zlib=7"), target, FakeWorld(universe, target), source_platform=None)

    assert [one.presence for one in found] == [Presence.AVAILABLE, Presence.VERSION_ELSEWHERE]


# ---------------------------------------------------------------------------------------------------------------------
# Records by themselves
# ---------------------------------------------------------------------------------------------------------------------

BARE = Record(name="x", version="1", build="0", build_number=0, subdir="linux-64", channel="c", url="u")


@pytest.mark.parametrize(
    ("depends", "python", "answer"),
    [
        ((), "3.10.13", True),
        (("python",), "3.10.13", True),
        (("python >=3.10,<3.11.0a0",), "3.10.13", True),
        (("python >=3.10,<3.11.0a0",), "3.12.1", False),
        (("python_abi 3.10.* *_cp310",), "3.10.13", True),
        (("python_abi 3.10.* *_cp310",), "3.12.1", False),
        (("python_abi 3.10.* *_cp310",), None, True),
        (("python-dateutil >=99",), "3.12.1", True),
        (("conda-forge::python 3.8.*",), "3.11.0", False),
        (("__glibc >=2.17",), None, True),
        (("__glibc >=2.99",), None, False),
        (("__win",), None, False),
        (("__unix",), None, True),
    ],
)
def test_installable(universe: Universe, depends: tuple[str, ...], python: str | None, answer: bool) -> None:
    target = universe.target("conda-forge")
    one = replace(BARE, depends=depends)

    assert installable(one, target, python) is answer
    of_many = Installable(target, None if python is None else (python,))
    assert [of_many(one), of_many(one)] == [answer, answer]


@pytest.mark.parametrize(
    ("constrains", "answer"),
    [(("__glibc >=2.17",), True), (("__glibc >=2.99",), False), (("__cuda >=13",), True)],
)
def test_constrains_ask_for_virtual_packages_that_are_there(
    universe: Universe, constrains: tuple[str, ...], answer: bool
) -> None:
    # cuda-version constrains __cuda: an older driver rules it out, and no driver does not.
    target = universe.target("conda-forge")
    assert installable(replace(BARE, constrains=constrains), target, None) is answer
    assert Installable(target, None)(replace(BARE, constrains=constrains)) is answer


def test_the_first_missing_virtual_package_is_named(universe: Universe) -> None:
    target = universe.target("conda-forge")
    one = replace(BARE, depends=("zlib", "__glibc >=2.17", "__cuda >=12", "__win"))

    assert missing_virtual_package(one, target) == "__cuda >=12"
