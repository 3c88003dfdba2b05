"""The pip section of a plan, through the whole pipeline: a channel and an index on the disk, rattler and uv."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import Finding, PipResolution, RemedyAction, Report, Severity, Verdict
from envcheck.outputs import environment_text
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.index import open_index
from envcheck.pip.metadata import with_metadata
from envcheck.pip.uv import UvResolver
from envcheck.pipeline import check
from envcheck.reports.text import render
from envcheck.request import Request
from envcheck.world import Services
from tests.support.channels import record, write_channel
from tests.support.package_index import source, wheel, write_index
from tests.support.server import ServerFactory

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FoundEngine(RattlerEngine):
    """The engine, and the folder that a test finds its channel in."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


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
        record("frame", "2023.1", **bound),
        record("other", "1.0", **bound),
        record("unlisted", "5.0", **bound),
    ]
    write_channel(folder / "lab", {"linux-64": python, "linux-ppc64le": python, "noarch": records})
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
        wheel(
            "frame",
            "2023.1",
            "heavy",
            "frame[plot] ; extra == 'complete'",
            "lines >=1 ; extra == 'plot' and python_version >= '3.10'",
            "other[more] ; extra == 'complete'",
            "never ; extra == 'plot' and sys_platform == 'win32'",
            extras=("complete", "plot"),
        ),
        wheel("frame", "2024.1", extras=("complete",)),
        wheel("other", "1.0", "deep ; extra == 'more'", extras=("more",)),
        wheel("asks", "1.0", "frame[plot]"),
        wheel("lines", "1.5"),
        wheel("deep", "0.1"),
        wheel("unlisted", "4.0"),
        wheel("built", "1.0", "base<3", tag="cp310-cp310-manylinux_2_17_x86_64"),
        wheel("built", "1.0", tag="cp310-cp310-win_amd64"),
        source("built", "1.0"),
        source("torch-scatter", "2.1.1"),
        wheel("geos", "3.5.0"),
        wheel("wants-geos", "1.0", "geos>=3.5"),
        wheel("many", "1.0"),
        source("many", "1.5"),
        wheel("many", "1.6"),
        wheel("wants-old", "1.0", "many<1.5"),
    )
    settings = IndexSettings(url=index.as_uri(), origin="test")
    return Services(
        engine=FoundEngine(folder),
        package_index=open_index(settings),
        resolver=UvResolver(settings=settings, environment={}, cache_directory=folder / "uv", offline=True),
        describe=lambda resolution, hosts: with_metadata(resolution, settings, hosts=hosts, offline=True),
    )


@pytest.fixture
def served(services: Services, loopback_server: ServerFactory, tmp_path: Path) -> Services:
    """The same with the index on loopback: only files on the web have URLs that a row could name."""
    settings = IndexSettings(url=loopback_server(folder_of(services) / "index").url, origin="test")
    return replace(
        services,
        package_index=open_index(settings),
        resolver=UvResolver(settings=settings, environment={"UV_HTTP_RETRIES": "0"}, cache_directory=tmp_path / "uv"),
        describe=lambda resolution, hosts: with_metadata(resolution, settings, hosts=hosts),
    )


def folder_of(services: Services) -> Path:
    """The folder that channel and index lie in, whoever serves it."""
    assert isinstance(services.engine, FoundEngine)
    return services.engine.folder


def file_url(services: Services, filename: str) -> str:
    assert isinstance(services.resolver, UvResolver)
    return f"{services.resolver.settings.url}/files/{filename}"


def checked(
    services: Services, *lines: str, listed: str = "python=3.10, pip", uv: bool = True, **options: object
) -> Report:
    lab = folder_of(services) / "lab"
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


def told(report: Report, code: str) -> Finding:
    (finding,) = [one for one in report.findings if one.code == code]
    return finding


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


def test_a_url_without_a_hash_is_in_no_lock_and_a_wheel_for_another_platform_is_an_error(services: Services) -> None:
    report = checked(services, "z @ https://example.org/z-1.0-py3-none-any.whl", "any")
    assert locked(report).keys() == {"any", "base"}
    finding = told(report, "EC621")
    assert finding.severity is Severity.WARNING
    assert "not locked, as it has no hash" in finding.message
    assert [one.summary[:9] for one in finding.remedies] == ["put it on", "add its h"]

    report = checked(services, f"https://example.org/w-1.0-cp310-cp310-win_amd64.whl#sha256={'a' * 64}", "any")
    assert locked(report).keys() == {"any", "base"}
    assert told(report, "EC621").severity is Severity.ERROR
    assert report.verdict is Verdict.FIXABLE


def test_a_url_elsewhere_is_what_is_locked_although_the_index_has_the_project(services: Services) -> None:
    url = f"https://example.org/base-2.5-py3-none-any.whl#sha256={'a' * 64}"
    report = checked(services, f"base @ {url}", "any")
    assert locked(report) == {"any": "1.0", "base": "2.5"}
    assert "what it needs in turn is not known" in told(report, "EC621").message


def test_a_url_that_the_index_lists_is_resolved_like_any_other(served: Services) -> None:
    name = "built-1.0-cp310-cp310-manylinux_2_17_x86_64.whl"
    url = file_url(served, name)
    report = checked(served, f"built @ {url}", "any")
    assert locked(report) == {"any": "1.0", "base": "2.0", "built": "1.0"}
    built = next(one for one in resolution(report).distributions if one.name == "built")
    assert (built.url, built.filename, built.requires) == (url, name, ("base<3",))
    assert built.sha256 is not None
    assert len(built.sha256) == 64
    assert codes(report) == set()
    assert f"built @ {url}" in environment_text(report)
    assert "pip: 3 locked\n" in render(report)

    same = checked(served, f"built @ {url}#sha256={built.sha256}", "any")
    assert resolution(same).distributions == resolution(report).distributions
    other = checked(served, f"built @ {url}#sha256={'0' * 64}", "any")
    assert told(other, "EC621").severity is Severity.ERROR
    assert "another hash" in told(other, "EC621").message


@pytest.mark.parametrize(
    ("name", "severity"),
    [("built-1.0-cp310-cp310-win_amd64.whl", Severity.ERROR), ("built-1.0.tar.gz", Severity.WARNING)],
)
def test_another_file_of_the_index_gives_way_to_the_wheel_for_the_target(
    served: Services, name: str, severity: Severity
) -> None:
    report = checked(served, f"built @ {file_url(served, name)}")
    assert locked(report) == {"base": "2.0", "built": "1.0"}
    finding = told(report, "EC621")
    assert finding.severity is severity
    assert [(one.spec, one.verified) for one in finding.remedies] == [("built==1.0", True)]
    assert "      - built==1.0\n" in environment_text(report).replace("    - built", "      - built")


def test_a_reference_for_another_platform_by_its_marker_is_no_concern(services: Services) -> None:
    report = checked(
        services,
        "w @ https://example.org/w-1.0-cp310-cp310-win_amd64.whl ; sys_platform == 'win32'",
        "v @ git+https://git.example.org/v.git@main ; sys_platform == 'win32'",
        "any",
    )
    assert codes(report) == {"EC619"}
    assert told(report, "EC619").subject == "2 rows"
    assert locked(report).keys() == {"any", "base"}


# ---------------------------------------------------------------------------------------------------------------------
# Extras of what conda gives
# ---------------------------------------------------------------------------------------------------------------------


def test_extras_of_conda_packages_bring_what_they_need_and_nothing_else(services: Services) -> None:
    report = checked(services, "frame[complete]==2023.1", listed="python=3.10, pip, frame, other")
    assert locked(report) == {"deep": "0.1", "lines": "1.5"}, "heavy is a base requirement: conda's affair"
    assert resolution(report).provided == (("frame", "frame"), ("other", "other"))
    assert resolution(report).untold == ()
    assert codes(report) == {"EC617"}


def test_an_extra_that_a_distribution_asks_counts_too(services: Services) -> None:
    report = checked(services, "asks==1.0", listed="python=3.10, pip, frame")
    assert locked(report) == {"asks": "1.0", "lines": "1.5"}


def test_without_extras_they_bring_nothing(services: Services) -> None:
    report = checked(services, "frame==2023.1", listed="python=3.10, pip, frame")
    assert locked(report) == {}


def test_what_an_extra_needs_and_the_index_does_not_tell_is_told(services: Services) -> None:
    report = checked(services, "unlisted[all]", "any", listed="python=3.10, pip, unlisted")
    assert locked(report).keys() == {"any", "base"}
    finding = told(report, "EC622")
    assert (finding.subject, finding.line) == ("unlisted", 8)
    assert "unlisted[all] is given by conda's unlisted 5.0 without its extras" in finding.message

    deaf = replace(services, describe=None)
    assert "EC622" in codes(checked(deaf, "frame[complete]", listed="python=3.10, pip, frame"))


@pytest.mark.parametrize(
    ("row", "beside", "described"),
    [
        pytest.param("lines==1.5", "frame", [], id="nothing of conda's is needed"),
        pytest.param("any==1.0", "base", ["base"], id="what is needed has no extras"),
        pytest.param("frame==2023.1", "frame", ["frame", "other"], id="nothing asks for its extras"),
        pytest.param("asks==1.0", "frame", ["asks", "frame", "other"], id="something does"),
    ],
)
def test_metadata_is_read_only_where_an_extra_may_be_asked(
    services: Services, row: str, beside: str, described: list[str]
) -> None:
    asked: set[str] = set()

    def describe(some: PipResolution, hosts: frozenset[str]) -> PipResolution:
        asked.update(one.name for one in some.distributions)
        assert services.describe is not None
        return services.describe(some, hosts)

    checked(replace(services, describe=describe), row, listed=f"python=3.10, pip, {beside}, other")
    assert sorted(asked) == described


def test_extras_of_what_pip_replaces_are_the_index_s(services: Services) -> None:
    report = checked(services, "frame[complete]==2024.1", listed="python=3.10, pip, frame")
    assert locked(report) == {"frame": "2024.1"}
    assert codes(report) == {"EC618"}


# ---------------------------------------------------------------------------------------------------------------------
# Places and platforms
# ---------------------------------------------------------------------------------------------------------------------


def test_a_local_version_names_its_index(services: Services) -> None:
    report = checked(services, "torch==1.13.0+cu118", "torch-scatter==2.1.1+pt113cu117")
    first, second = (one for one in report.findings if one.code == "EC603")
    assert [one.summary for one in first.remedies] == [
        "take torch==1.13.0, which has a wheel",
        "name its index: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cu118",
    ]
    assert [one.summary for one in second.remedies] == [
        "name its place of files: PIP_FIND_LINKS=https://data.pyg.org/whl/torch-1.13.0+cu117.html"
    ]


def test_an_index_that_the_source_names_need_not_be_named_again(services: Services) -> None:
    report = checked(services, "--extra-index-url https://download.pytorch.org/whl/cu118", "torch==1.13.0+cu118")
    finding = told(report, "EC603")
    assert finding.remedies[-1].summary == "the source names its index: if you trust it, --trust-source-indexes"


def test_a_version_without_any_other_says_what_to_do(services: Services) -> None:
    report = checked(services, "lonely==2.0")
    (remedy,) = told(report, "EC603").remedies
    assert remedy.summary.startswith("drop it, or name an index that has it")


# ---------------------------------------------------------------------------------------------------------------------
# Every row is accounted for
# ---------------------------------------------------------------------------------------------------------------------


def test_named_paths_of_the_exporter_s_machine_are_resolved_by_their_names(services: Services) -> None:
    report = checked(
        services,
        "any @ file:///home/conda/feedstock_root/any_1670263926556/work",
        "base @ file:///C:/wheels/base-2.0-py3-none-any.whl",
        "nobodys @ file:///C:/work/nobodys",
        "/srv/thing",
    )
    assert locked(report) == {"any": "1.0", "base": "2.0"}
    assert [one.remedies[0].summary for one in report.findings] == [
        "write names and versions instead: any, base",
        "copy them into the image, or name an index that has them: nobodys",
        "copy it into the image",
    ]
    assert {one.code for one in report.findings} == {"EC607"}, "and not that the index has no such project"
    text = environment_text(report)
    assert "- any==1.0\n" in text
    assert "- base==2.0\n" in text


def test_what_is_not_for_the_target_by_its_marker_is_neither_moved_nor_missed(services: Services) -> None:
    report = checked(
        services, "docopt==0.6.2; sys_platform == 'win32'", "elsewhere==9.9; sys_platform == 'win32'", "any"
    )
    assert resolution(report).moved == ()
    assert codes(report) == {"EC619"}
    assert told(report, "EC619").message == "not for the target by its marker: docopt, elsewhere"


def test_what_pip_replaces_all_the_same_did_not_move(services: Services) -> None:
    report = checked(services, "geos==3.4.3", "wants-geos==1.0")
    assert resolution(report).moved == ()
    assert locked(report) == {"geos": "3.5.0", "wants-geos": "1.0"}
    summaries = [remedy.summary for one in report.findings for remedy in one.remedies]
    assert not any("as the plan does" in one for one in summaries)


def test_what_the_lock_has_goes_before_what_is_near(services: Services) -> None:
    report = checked(services, "many==1.5", "wants-old==1.0")
    assert locked(report) == {"many": "1.0", "wants-old": "1.0"}
    remedies = told(report, "EC605").remedies
    assert [(one.spec, one.verified) for one in remedies] == [("many==1.0", True), ("many==1.6", False)]


def test_a_platform_that_uv_does_not_know_is_told_plainly(services: Services) -> None:
    report = checked(services, "any==1.0", listed="pip", platform="linux-ppc64le")
    finding = told(report, "EC620")
    assert finding.message == (
        "the pip section was not resolved: uv cannot resolve for linux-ppc64le; each row was looked up by itself, "
        "and no lock holds any of them"
    )
    assert "environment file" in finding.remedies[0].summary
    assert locked(report) == {}
    assert "any==1.0" in environment_text(report)


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
