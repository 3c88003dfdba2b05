"""The pip section of a plan, through the whole pipeline: a channel and an index on the disk, rattler and uv."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import PipResolution, RemedyAction, Report, Verdict
from envcheck.outputs import environment_text
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.index import open_index
from envcheck.pip.uv import UvResolver
from envcheck.pipeline import check
from envcheck.reports.text import render
from envcheck.request import Request
from envcheck.world import Services
from tests.support.channels import record, write_channel
from tests.support.package_index import source, wheel, write_index

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    folder = tmp_path_factory.mktemp("stage")
    python = [record("python", "3.10.13"), record("python", "3.11.7")]
    bound = {"noarch": "python", "depends": ["python >=3.8"]}
    records = [
        record("pip", "24.0", **bound),
        record("base", "2.0", **bound),
        record("docopt", "0.6.2", **bound),
        record("needs-sources", "1.5", noarch="python", depends=["python", "docopt"]),
        record("geos", "3.4.1", **bound),
    ]
    write_channel(folder / "lab", {"linux-64": python, "noarch": records})
    index = write_index(
        folder / "index",
        wheel("base", "2.0"),
        wheel("base", "3.0"),
        wheel("any", "1.0", "base"),
        wheel("new", "1.0", "base>=3"),
        wheel("needs-sources", "1.0", "docopt"),
        wheel("elsewhere", "1.0", tag="cp310-cp310-win_amd64"),
        wheel("elsewhere", "0.9"),
        source("docopt", "0.6.2"),
        source("geos", "3.4.3"),
        source("lonely", "1.0"),
        wheel("torch", "1.13.0"),
    )
    settings = IndexSettings(url=index.as_uri(), origin="test")
    return Services(
        engine=RattlerEngine(),
        package_index=open_index(settings),
        resolver=UvResolver(settings=settings, environment={}, cache_directory=folder / "uv", offline=True),
    )


def checked(
    services: Services, *lines: str, listed: str = "python=3.10, pip", uv: bool = True, **options: object
) -> Report:
    assert isinstance(services.resolver, UvResolver)
    lab = Path(services.resolver.settings.url.removeprefix("file://")).parent / "lab"
    rows = "".join(f'      - "{line}"\n' for line in lines)
    names = "".join(f"  - {name.strip()}\n" for name in listed.split(","))
    request = Request(
        path="environment.yml",
        data=f"name: x\nchannels: [lab]\ndependencies:\n{names}  - pip:\n{rows}".encode(),
        configuration=Configuration(mirrored_channels=(("lab", (lab.as_uri(),)),)),
        offline=True,
        override_channels=False,
        **options,  # type: ignore[arg-type]
    )
    return check(request, services if uv else replace(services, resolver=None))


def resolution(report: Report) -> PipResolution:
    assert report.pip_resolution is not None
    return report.pip_resolution


def locked(report: Report) -> dict[str, str]:
    return {one.name: one.version for one in resolution(report).distributions}


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_a_section_beside_conda_packages(services: Services) -> None:
    report = checked(services, "any", listed="python=3.10, pip, base")

    assert locked(report) == {"any": "1.0"}
    assert resolution(report).provided == (("base", "base"),)
    assert resolution(report).resolver.startswith("uv ")
    assert report.verdict is Verdict.READY
    assert "pip: 1 locked, 1 provided by conda\n" in render(report)


def test_it_is_judged_for_the_python_of_the_plan(services: Services) -> None:
    assert resolution(checked(services, "any; python_version == '3.11'", listed="python, pip")).distributions


def test_what_has_no_wheel_moves_to_conda_with_a_proof(services: Services) -> None:
    report = checked(services, "docopt==0.6.2", "geos==3.4.3", "any")

    assert resolution(report).moved == (("docopt", "docopt"), ("geos", "geos"))
    packages = {one.name: one.version for one in report.plan.packages}
    assert (packages["docopt"], packages["geos"]) == ("0.6.2", "3.4.1")
    assert {"docopt", "geos"} <= {row.name for row in report.plan.added}
    remedies = [one.remedies[0] for one in report.findings if one.code == "EC605"]
    assert [(one.action, one.spec, one.verified) for one in remedies] == [
        (RemedyAction.MOVE_TO_CONDA, "docopt==0.6.2", True),
        (RemedyAction.MOVE_TO_CONDA, "geos==3.4.1", True),
    ]
    text = environment_text(report)
    assert "docopt==0.6.2\n" in text
    assert "geos==3.4.1\n" in text
    assert text.count("docopt") == text.count("geos") == 1, "it is no row of the pip section any more"


def test_what_needs_such_a_thing_moves_as_well(services: Services) -> None:
    report = checked(services, "needs-sources==1.0", "any")

    assert resolution(report).moved == (("needs-sources", "needs-sources"),)
    assert locked(report) == {"any": "1.0", "base": "3.0"}
    assert "EC616" in codes(report)


def test_what_neither_has_is_left_out_and_told(services: Services) -> None:
    report = checked(services, "lonely==1.0", "any")

    assert locked(report).keys() == {"any", "base"}
    assert resolution(report).moved == ()
    assert "EC605" in codes(report)
    assert "1 left out" in render(report)


def test_the_nearest_version_stands_in_the_lock_and_in_the_file(services: Services) -> None:
    report = checked(services, "elsewhere==1.0")

    assert locked(report) == {"elsewhere": "0.9"}
    assert "elsewhere==0.9" in environment_text(report)
    assert codes(report) == {"EC604"}


def test_a_dependency_that_conda_has_too_old_is_replaced_and_told(services: Services) -> None:
    report = checked(services, "new==1.0", listed="python=3.10, pip, base")

    assert locked(report) == {"base": "3.0", "new": "1.0"}
    assert resolution(report).replaced == (("base", "base"),)
    (told,) = [one for one in report.findings if one.code == "EC618"]
    assert told.message == ("the pip section needs other versions than conda's: pip replaces base 2.0 with 3.0")


def test_references_are_kept_and_nothing_of_them_is_fetched(services: Services) -> None:
    digest = "a" * 64
    report = checked(
        services,
        f"git+https://lee:hunter2@git.example.org/x.git@{COMMIT}#egg=x",
        "y @ git+https://git.example.org/y.git@main",
        f"https://example.org/z-1.0-py3-none-any.whl#sha256={digest}",
        "https://example.org/w-1.0-cp310-cp310-win_amd64.whl",
    )
    found = {one.name: (one.version, one.url, one.sha256) for one in resolution(report).distributions}
    assert found == {
        "x": (COMMIT, f"git+https://git.example.org/x.git@{COMMIT}", None),
        "z": ("1.0", "https://example.org/z-1.0-py3-none-any.whl", digest),
    }
    assert "hunter2" not in render(report, verbose=True) + repr(report.findings)


def test_a_local_version_names_its_index(services: Services) -> None:
    report = checked(services, "torch==1.13.0+cu118")
    (told,) = [one for one in report.findings if one.code == "EC603"]
    assert "https://download.pytorch.org/whl/cu118" in told.remedies[0].summary


def test_an_index_of_the_source_is_asked_only_when_trusted(services: Services, tmp_path: Path) -> None:
    other = write_index(tmp_path / "other", wheel("private", "1.0")).as_uri()
    lines = (f"--extra-index-url {other}", "private==1.0", "any")

    wary = checked(services, *lines)
    assert locked(wary).keys() == {"any", "base"}
    (told,) = [one for one in wary.findings if one.code == "EC614"]
    assert "private" in told.message
    assert "--trust-source-indexes" in told.remedies[0].summary

    trusting = checked(services, *lines, trust_source_indexes=True)
    assert locked(trusting).keys() == {"any", "base", "private"}
    assert codes(trusting) == set()


def test_without_an_answer_nothing_fails(services: Services) -> None:
    report = checked(services, "any", uv=False)
    assert resolution(report).trouble == "no resolver was given"
    assert "pip: not resolved (no resolver was given)" in render(report)

    report = checked(services, "any", check_pip=False)
    assert resolution(report).trouble == "--no-pip"
    assert report.plan.solved
