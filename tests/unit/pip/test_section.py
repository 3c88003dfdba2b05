"""What is written below ``pip:``."""

from __future__ import annotations

import pytest

from envcheck.model import (
    Availability,
    EngineInfo,
    Environment,
    Export,
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    Plan,
    PlanDropped,
    Presence,
    Report,
    SourceKind,
    Target,
    Verdict,
)
from envcheck.pip.section import pip_lines, planned_pip_lines
from envcheck.sources.pip_lines import read_pip_line
from tests.support.fakes import rows


def row(text: str) -> PipRequirement:
    found = read_pip_line(text, line=1).pip
    assert found is not None
    return found


def answer(name: str, pin: str | None, presence: PipPresence, *nearest: str) -> PipAvailability:
    return PipAvailability(name=name, pin=pin, presence=presence, nearest=nearest)


def report(*, pip: tuple[PipRequirement, ...] = (), plan: Plan, availability: tuple[Availability, ...] = ()) -> Report:
    return Report(
        envcheck_version="0",
        export=Export(path="x", kind=SourceKind.ENVIRONMENT_YAML, encoding="utf-8"),
        environment=Environment(platform="linux-64", name="x", requirements=(), pip=pip),
        target=Target(platform="linux-64", virtual_packages=(), channels=()),
        engine=EngineInfo(name="rattler", version="0"),
        verdict=Verdict.FIXABLE,
        findings=(),
        plan=plan,
        availability=availability,
    )


@pytest.mark.parametrize(
    "text",
    [
        "requests",
        "requests==2.31.0",
        "requests[security,socks]<3,>=2",
        'colorama==0.4.6 ; sys_platform == "win32"',
        "--pre",
        "-r more.txt",
        "-e .",
        "git+https://host.example/x.git@v1#egg=x",
        "thing @ https://host.example/thing-1-py3-none-any.whl",
    ],
)
def test_lines_that_pip_can_read_stay_as_they_are(text: str) -> None:
    assert pip_lines([row(text)]) == (text,)


def test_lines_that_nobody_can_read_are_left_out() -> None:
    assert pip_lines([row("%%%")]) == ()


def test_a_path_of_the_exporters_machine_becomes_the_project() -> None:
    assert pip_lines([row("numpy @ file:///C:/ci/numpy_165")]) == ("numpy",)


def test_rows_of_listings_become_lines_that_pip_can_read() -> None:
    row_of_list = PipRequirement(
        kind=PipRequirementKind.EDITABLE,
        name="mylib",
        specifier="==0.3.0",
        pin="0.3.0",
        origin="pypi row",
        line=1,
        text="mylib=0.3.0=dev_0",
    )

    assert pip_lines([row_of_list]) == ("mylib==0.3.0",)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("--extra-index-url https://me:secret@host.example/simple", "--extra-index-url https://host.example/simple"),
        ("--index-url=https://me:secret@host.example/simple", "--index-url=https://host.example/simple"),
        ("git+https://secret@host.example/x.git", "git+https://host.example/x.git"),
        ("-e git+ssh://git@host.example/x.git#egg=x", "-e git+ssh://git@host.example/x.git#egg=x"),
        ("thing @ https://me:secret@host.example/thing-1.zip", "thing @ https://host.example/thing-1.zip"),
    ],
)
def test_credentials_are_taken_off(text: str, written: str) -> None:
    assert pip_lines([row(text)]) == (written,)


@pytest.mark.parametrize("presence", list(PipPresence))
def test_what_cannot_be_had_gets_the_nearest_version_or_goes(presence: PipPresence) -> None:
    gone = presence in {
        PipPresence.OTHER_PLATFORM,
        PipPresence.OTHER_PYTHON,
        PipPresence.NO_VERSION,
        PipPresence.NO_PROJECT,
    }
    with_nearest = pip_lines([row("thing[x]==1.0")], [answer("thing", "1.0", presence, "1.1", "0.9")])
    without = pip_lines([row("thing[x]==1.0")], [answer("thing", "1.0", presence)])

    assert with_nearest == (("thing[x]==1.1",) if gone else ("thing[x]==1.0",))
    assert without == (() if gone else ("thing[x]==1.0",))


def test_a_marker_survives_the_nearest_version() -> None:
    marked = row('thing==1.0 ; python_version < "3.12"')

    assert pip_lines([marked], [answer("thing", "1.0", PipPresence.NO_VERSION, "1.1")]) == (
        'thing==1.1 ; python_version < "3.12"',
    )


def test_an_answer_about_another_pin_says_nothing() -> None:
    assert pip_lines([row("thing==1.0")], [answer("thing", "2.0", PipPresence.NO_VERSION)]) == ("thing==1.0",)


def test_a_line_stands_once() -> None:
    assert pip_lines([row("thing==1.0"), row("thing == 1.0")]) == ("thing==1.0",)


def test_what_moves_from_conda_has_its_name_on_the_index() -> None:
    moved = PlanDropped(name="msgpack-python", version="1.0.7", reason="")
    pypi = PipAvailability(name="msgpack", pin="1.0.7", presence=PipPresence.WHEEL, version="1.0.7")
    found = Availability(requirement=rows("msgpack-python=1.0.7")[0], presence=Presence.PYPI_ONLY, pypi=pypi)

    assert planned_pip_lines(report(plan=Plan(to_pip=(moved,)), availability=(found,))) == ("msgpack==1.0.7",)


def test_what_moves_follows_what_is_there_and_never_stands_twice() -> None:
    plan = Plan(
        to_pip=(
            PlanDropped(name="thing", version="2.0", reason=""),
            PlanDropped(name="other", version=None, reason=""),
        )
    )
    found = report(pip=(row("requests"), row("thing==1.0")), plan=plan)

    # pip refuses a project that is asked for in two versions; the pip section's is what runs today.
    assert planned_pip_lines(found) == ("requests", "thing==1.0", "other")
