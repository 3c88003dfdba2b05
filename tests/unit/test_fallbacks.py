"""What a plan had to leave out goes to pip where the package index has a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.fallbacks import fall_back_to_pip, find_uninstallable
from envcheck.model import Availability, PipAvailability, PipPresence, Plan, PlanDropped, Presence
from tests.support.channels import record
from tests.support.fakes import FakeWorld, Universe, on_pypi, rows

NAMES = ("left", "right", "clib", "gone")


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    records = [*(record(name, "2.0", depends=["python"]) for name in ("left", "right")), record("clib", "2.0")]
    return Universe(tmp_path_factory.mktemp("universe"), {"conda-forge": {"linux-64": records}})


def moved(universe: Universe, pypi: dict[str, PipAvailability], **fields: object) -> tuple[dict[str, str], FakeWorld]:
    """What went to pip and in which version, and the world that was asked."""
    world = FakeWorld(universe, universe.target("conda-forge"), pypi=pypi)
    presences = {"gone": Presence.NOWHERE}
    availability = [
        Availability(requirement=row, presence=presences.get(row.name, Presence.AVAILABLE))
        for row in rows(*(f"{name}=1.0" for name in NAMES))
    ]
    dropped = tuple(PlanDropped(name=name, version="1.0", reason="not together with x 1.0") for name in NAMES)
    options = {"solved": True, "direct": NAMES, **fields}
    plan = Plan(dropped=dropped, **options)  # type: ignore[arg-type]
    found, answered = fall_back_to_pip(plan, availability, world, source_platform="win-64")
    assert {row.name for row in (*found.dropped, *found.to_pip)} == set(NAMES)
    assert [one.requirement.name for one in answered] == list(NAMES)
    assert all("the package index has a wheel" in row.reason for row in found.to_pip)
    return {row.name: row.version or "" for row in found.to_pip}, world


def test_a_distribution_with_a_wheel_goes_to_pip(universe: Universe) -> None:
    found, world = moved(universe, {"left": on_pypi("left"), "clib": on_pypi("clib"), "gone": on_pypi("gone")})

    assert found == {"left": "1.0"}
    assert world.asked == ["package index left right"], "what no Python is in is another thing on the package index"


def test_the_nearest_version_will_do(universe: Universe) -> None:
    missing = PipAvailability(name="left", pin="1.0", presence=PipPresence.NO_VERSION, nearest=("1.1", "2.0"))

    assert moved(universe, {"left": missing})[0] == {"left": "1.1"}


@pytest.mark.parametrize("presence", [PipPresence.SOURCE_ONLY, PipPresence.OTHER_PYTHON, PipPresence.NO_PROJECT])
def test_without_a_wheel_it_stays_out(universe: Universe, presence: PipPresence) -> None:
    assert moved(universe, {"left": on_pypi("left", presence=presence)})[0] == {}


@pytest.mark.parametrize("fields", [{"solved": False}, {"direct": ()}])
def test_only_what_was_asked_for_and_only_beside_a_plan(universe: Universe, fields: dict[str, object]) -> None:
    found, world = moved(universe, {"left": on_pypi("left")}, **fields)

    assert found == {}
    assert world.asked == []


def test_what_cannot_be_installed_even_alone_is_told_from_what_does_not_go_along(tmp_path: Path) -> None:
    records = [record("torn", depends=["nowhere"]), record("driver", depends=["__cuda >=99"]), record("fine")]
    universe = Universe(tmp_path, {"conda-forge": {"linux-64": records}})
    index = universe.index(universe.target("conda-forge"))
    names = ("torn", "driver", "fine", "unheard-of")
    availability = [Availability(requirement=row, presence=Presence.AVAILABLE) for row in rows(*names)]
    dropped = tuple(PlanDropped(name=name, version=None, reason="as it was") for name in names)

    found = find_uninstallable(
        Plan(dropped=dropped, direct=names, uninstallable=names, solved=True), availability, index
    )

    assert found.uninstallable == ("torn", "driver")
    assert [row.reason == "as it was" for row in found.dropped] == [False, False, True, True]
    for plan in (
        Plan(dropped=dropped, uninstallable=names, solved=True),
        Plan(dropped=dropped, direct=names, solved=True),
        Plan(dropped=dropped, direct=names, uninstallable=names),
    ):
        assert find_uninstallable(plan, availability, index).uninstallable == ()
