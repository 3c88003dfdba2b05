"""The files that a plan becomes are read back as that plan, tell no secret and are the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.locks import load_format
from envcheck.model import (
    ChannelState,
    ChannelStatus,
    DamageKind,
    Finding,
    LockedDistribution,
    PipResolution,
    Plan,
    PlanDropped,
    Report,
    Severity,
    SourceKind,
    Verdict,
)
from envcheck.next_steps import next_steps
from envcheck.outputs import (
    environment_text,
    explicit_text,
    explicit_texts,
    lock_format,
    lock_text,
    normalized_text,
    output_texts,
)
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.sources import read_source
from envcheck.world import Services
from tests.support.channels import record
from tests.support.fakes import FakePackageIndex, Universe
from tests.support.server import ServerFactory

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures" / "demo" / "requirements.txt"
TOKEN = "tk-1f2e3d4c-5b6a-7988-secret"  # noqa: S105  # opens nothing


def request(
    data: bytes, channels: Path, cache: Path, *, path: str = "requirements.txt", platform: str = "linux-64"
) -> Request:
    names = ("conda-forge", "pkgs/main", "bioconda")
    mirrors = tuple((name, ((channels / name).as_uri(),)) for name in names)
    return Request(
        path=path,
        data=data,
        configuration=Configuration(default_channels=("pkgs/main",), mirrored_channels=mirrors),
        channels=("conda-forge",),
        platform=platform,
        offline=True,
        cache_directory=str(cache),
    )


def services() -> Services:
    return Services(engine=RattlerEngine(), package_index=FakePackageIndex())


@pytest.fixture(scope="module")
def report(channels_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return check(request(DEMO.read_bytes(), channels_directory, tmp_path_factory.mktemp("cache")), services())


def test_the_plan_of_the_demo_is_solved(report: Report) -> None:
    assert report.plan.solved
    assert report.verdict is Verdict.FIXABLE


# ---------------------------------------------------------------------------------------------------------------------
# Reading back
# ---------------------------------------------------------------------------------------------------------------------


def test_the_environment_file_asks_for_exactly_the_plan(report: Report) -> None:
    export = read_source(environment_text(report).encode(), "environment.linux-64.yml")
    versions = {one.name: one.version for one in report.plan.packages}

    assert export.kind is SourceKind.ENVIRONMENT_YAML
    assert export.damage == ()
    assert {one.name for one in export.requirements} >= {row.name for row in report.plan.kept}
    # ==, because pytz=2023.3 would be 2023.3.post1 too.
    assert all(one.version == f"=={versions[one.name]}" for one in export.requirements if one.name != "pip")
    assert [one.text for one in export.channels] == [
        channel.name for channel in (*report.target.channels, *report.plan.added_channels)
    ]
    assert {one.name for one in export.pip} <= {one.name for one in report.environment.pip} | {
        row.name for row in report.plan.to_pip
    }


def test_the_environment_file_is_ready_on_linux(report: Report, channels_directory: Path, tmp_path: Path) -> None:
    text = environment_text(report)
    again = check(request(text.encode(), channels_directory, tmp_path, path="environment.linux-64.yml"), services())

    assert (again.plan.changed, again.plan.dropped) == ((), ())
    assert again.verdict is Verdict.READY


def test_the_direct_file_is_a_part_of_the_whole_that_the_plan_fulfils(report: Report) -> None:
    whole, direct = (
        read_source(environment_text(report, direct_only=only).encode(), "environment.yml") for only in (False, True)
    )
    versions = {one.name: one.version for one in report.plan.packages}
    names = [one.name for one in direct.requirements]

    assert {one.text for one in direct.requirements} < {one.text for one in whole.requirements}
    assert set(names) <= {*report.plan.direct, "python", "pip"}
    assert set(names) >= {"python", *(row.name for row in report.plan.kept if row.name in report.plan.direct)}
    assert all(one.pin == versions[one.name] for one in direct.requirements if one.name != "pip")
    assert [one.text for one in direct.pip] == [one.text for one in whole.pip]
    assert direct.channels == whole.channels


def test_the_direct_file_is_ready_on_linux(report: Report, channels_directory: Path, tmp_path: Path) -> None:
    text = environment_text(report, direct_only=True)
    again = check(request(text.encode(), channels_directory, tmp_path, path="environment.linux-64.yml"), services())

    assert again.verdict is Verdict.READY


def test_the_direct_file_says_a_python_that_only_came_along(channels_directory: Path, tmp_path: Path) -> None:
    rows = b"channels: [conda-forge]\ndependencies: [pandas=2.1.4]\n"
    found = check(request(rows, channels_directory, tmp_path), services())
    export = read_source(environment_text(found, direct_only=True).encode(), "environment.yml")

    assert [one.name for one in export.requirements] == ["python", "pandas"]


def test_python_is_in_the_environment_file_though_only_builds_told_it(channels_directory: Path, tmp_path: Path) -> None:
    rows = b"# platform: win-64\nnumpy=1.26.2=py310hf667824_0\npandas=2.1.4=py310hecd3228_0\n"
    found = check(request(rows, channels_directory, tmp_path), services())
    export = read_source(environment_text(found).encode(), "environment.yml")
    python = next(one for one in export.requirements if one.name == "python")

    assert found.plan.solved
    assert python.version is not None
    assert python.version.startswith("==3.10.")
    assert "python=3.10" in normalized_text(found.environment)


def test_the_normalized_file_says_what_was_asked(report: Report) -> None:
    export = read_source(normalized_text(report.environment).encode(), "environment.yml")

    assert [(one.name, one.pin) for one in export.requirements] == [
        (one.name, one.pin) for one in report.environment.requirements
    ]
    assert [one.name for one in export.pip] == [one.name for one in report.environment.pip]
    assert all(one.build is None for one in export.requirements)


def test_the_lock_holds_exactly_the_plan(report: Report) -> None:
    text = lock_text([report], path="out/conda-lock.yml")
    export = read_source(text.encode(), "conda-lock.yml")

    assert export.kind is SourceKind.CONDA_LOCK
    assert [(one.name, one.pin, one.md5) for one in export.requirements] == [
        (one.name, one.version, one.md5) for one in report.plan.packages
    ]
    assert "requirements.txt" in text
    assert "out/" not in text


def test_the_explicit_list_holds_exactly_the_plan(report: Report) -> None:
    export = read_source(explicit_text(report).encode(), "explicit.txt")

    assert export.kind is SourceKind.EXPLICIT
    assert {(one.name, one.pin, one.build, one.url) for one in export.requirements} == {
        (one.name, one.version, one.build, one.url) for one in report.plan.packages
    }


def test_nothing_depends_on_the_directory_of_the_source(report: Report) -> None:
    elsewhere = replace(report, export=replace(report.export, path="/home/somebody/private/requirements.txt"))

    assert lock_text([elsewhere], path="conda-lock.yml") == lock_text([report], path="conda-lock.yml")
    assert "somebody" not in lock_text([elsewhere], path="/home/somebody/conda-lock.yml")


# ---------------------------------------------------------------------------------------------------------------------
# What pip is to install
# ---------------------------------------------------------------------------------------------------------------------

COMMIT = "2d4ad799442f4592db8ad53b179bfb33db8c69ac"
RESOLUTION = PipResolution(
    distributions=(
        LockedDistribution(
            name="mike",
            version="2.2.0",
            url=f"git+https://github.com/example/mike@{COMMIT}",
            filename="",
            sha256=None,
        ),
        LockedDistribution(
            name="requests",
            version="2.28",
            url="https://files.example/requests-2.28-py3-none-any.whl",
            filename="requests-2.28-py3-none-any.whl",
            sha256="ab" * 32,
            requires=("urllib3>=1.21",),
        ),
    ),
    provided=(("urllib3", "urllib3"),),
    resolver="uv",
)
PIP = """\
dependencies:
- pip
- pip:
  - --extra-index-url https://me:secret@index.example/simple
  - Requests[socks]>=2 ; python_version > "3"
  - git+https://github.com/example/mike
  - urllib3
"""


@pytest.fixture(scope="module")
def resolved(report: Report) -> Report:
    rows = read_source(PIP.encode(), "environment.yml").pip
    return replace(
        report,
        environment=replace(report.environment, pip=rows),
        pip=(),
        plan=replace(report.plan, to_pip=()),
        pip_resolution=RESOLUTION,
    )


def test_every_lock_holds_what_pip_is_to_install(resolved: Report) -> None:
    for format_name in ("conda-lock-v1", "pixi-lock-v7"):
        text = lock_text([resolved], path="x", format_name=format_name)
        contents = load_format(format_name).read(text)
        found = {one.name: one for one in contents.packages if one.manager == "pip"}
        assert set(found) == {"mike", "requests"}
        assert (found["requests"].url, found["requests"].sha256) == (RESOLUTION.distributions[1].url, "ab" * 32)
        assert COMMIT in found["mike"].url
        assert "secret" not in text
        conda = {(one.name, one.version, one.url) for one in contents.packages if one.manager == "conda"}
        assert conda == {(one.name, one.version, one.url) for one in resolved.plan.packages}


def test_a_pixi_lock_names_the_indexes_that_were_asked(resolved: Report) -> None:
    def indexes(report: Report) -> list[str]:
        text = lock_text([report], path="x", format_name="pixi-lock-v7")
        found: list[str] = yaml.safe_load(text)["environments"]["default"]["indexes"]
        return found

    assert indexes(resolved) == ["https://pypi.org/simple"]
    asked = replace(resolved, source_indexes=("https://index.example/simple",))
    assert indexes(asked) == ["https://pypi.org/simple", "https://index.example/simple"]


def test_the_requirements_stand_beside_the_explicit_list(resolved: Report, report: Report) -> None:
    texts = dict(explicit_texts(resolved, path="out/list.txt"))
    assert list(texts) == ["out/list.txt", "out/list.pip.txt", "out/list.pip-vcs.txt"]
    assert texts["out/list.txt"] == explicit_text(report)
    lines = texts["out/list.pip.txt"].splitlines()
    assert [line for line in lines if not line.startswith("#")] == [f"requests==2.28 --hash=sha256:{'ab' * 32}"]
    assert texts["out/list.pip-vcs.txt"].splitlines()[-1] == f"mike @ git+https://github.com/example/mike@{COMMIT}"
    assert [path for path, _ in explicit_texts(report, path="list.txt")] == ["list.txt"]


def test_what_an_index_of_the_source_gave_is_named_by_its_url(resolved: Report) -> None:
    asked = replace(resolved, source_indexes=("https://index.example/simple",))
    text = dict(explicit_texts(asked, path="list.txt"))["list.pip.txt"]
    (line,) = (line for line in text.splitlines() if not line.startswith("#"))
    assert line == f"requests @ {RESOLUTION.distributions[1].url} --hash=sha256:{'ab' * 32}"


def test_the_environment_file_pins_what_was_resolved(resolved: Report) -> None:
    export = read_source(environment_text(resolved).encode(), "environment.yml")
    assert [row.text for row in export.pip] == [
        "--extra-index-url https://index.example/simple",
        'requests[socks]==2.28 ; python_version > "3"',
        "git+https://github.com/example/mike",
        "urllib3",
    ]


@pytest.mark.parametrize(
    ("path", "format_name"),
    [
        ("conda-lock.yml", "conda-lock-v1"),
        ("out/env-lock.yaml", "conda-lock-v1"),
        ("lock", "conda-lock-v1"),
        ("pixi.lock", "pixi-lock-v7"),
        ("out.lock/env.lock", "pixi-lock-v7"),
        ("list.txt", "explicit"),
        ("conda-linux-64.lock", "explicit"),
    ],
)
def test_the_name_of_a_lock_tells_its_format(path: str, format_name: str) -> None:
    assert lock_format(path) == format_name


def test_every_platform_has_its_own_list_and_all_share_a_lock(resolved: Report) -> None:
    arm = replace(resolved, target=replace(resolved.target, platform="linux-aarch64"), pip_resolution=None)
    texts = output_texts(
        [resolved, arm],
        lock="conda-{platform}.lock",
        explicit="list-{platform}.txt",
        environment="environment.{platform}.yml",
    )
    assert [path for path, _ in texts] == [
        "conda-linux-64.lock",
        "conda-linux-64.pip.txt",
        "conda-linux-64.pip-vcs.txt",
        "list-linux-64.txt",
        "list-linux-64.pip.txt",
        "list-linux-64.pip-vcs.txt",
        "environment.linux-64.yml",
        "conda-linux-aarch64.lock",
        "list-linux-aarch64.txt",
        "environment.linux-aarch64.yml",
    ]
    (shared,) = output_texts([resolved, arm], lock="x", format_name="pixi-lock-v7")
    assert load_format("pixi-lock-v7").read(shared[1]).platforms == ("linux-64", "linux-aarch64")


# ---------------------------------------------------------------------------------------------------------------------
# The same every time
# ---------------------------------------------------------------------------------------------------------------------


def test_the_same_question_has_the_same_answer(report: Report, channels_directory: Path, tmp_path: Path) -> None:
    again = check(request(DEMO.read_bytes(), channels_directory, tmp_path), services())

    assert again == report
    assert lock_text([again], path="x.yml") == lock_text([report], path="x.yml")


def test_no_answer_depends_on_the_order_of_hashes(channels_directory: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "condarc"
    mirrors = "".join(
        f"  {name}: [{(channels_directory / name).as_uri()}]\n" for name in ("conda-forge", "pkgs/main", "bioconda")
    )
    configuration.write_text(
        f"channels: [defaults]\ndefault_channels: [pkgs/main]\nmirrored_channels:\n{mirrors}", encoding="utf-8"
    )
    command = [sys.executable, "-m", "envcheck", "check", str(DEMO), "--offline", "--no-pip", "--format", "json"]
    answers = []
    for seed in ("0", "42"):
        folder = tmp_path / seed
        folder.mkdir()
        answer = subprocess.run(
            [*command, "--lock", "conda-lock.yml", "--environment", "environment.yml"],
            capture_output=True,
            check=False,
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "CONDARC": str(configuration), "PYTHONPATH": str(ROOT)},
        )
        assert answer.returncode == 1, answer.stderr
        answers.append(
            (answer.stdout, (folder / "conda-lock.yml").read_bytes(), (folder / "environment.yml").read_bytes())
        )

    assert answers[0][0].startswith(b"{")
    assert answers[0] == answers[1]


# ---------------------------------------------------------------------------------------------------------------------
# Nothing secret
# ---------------------------------------------------------------------------------------------------------------------


def test_no_file_holds_a_token(loopback_server: ServerFactory, tmp_path: Path) -> None:
    Universe(tmp_path / "channels", {"private": {"linux-64": [record("thing", "1.0"), record("thing", "2.0")]}})
    server = loopback_server(tmp_path / "channels", prefix=f"/t/{TOKEN}")
    text = f"channels: [{server.url}/private]\ndependencies:\n- {server.url}/private::thing=2.0\n- pip:\n  - -e git+https://{TOKEN}@host.example/x.git\n"
    wanted = Request(
        path=f"https://me:{TOKEN}@host.example/environment.yml",
        data=text.encode(),
        configuration=Configuration(),
        channels=(f"{server.url}/private",),
        override_channels=True,
        cache_directory=str(tmp_path / "cache"),
        check_pip=False,
    )
    found = check(wanted, services())
    assert found.plan.solved
    assert any(TOKEN in path for path in server.paths())

    written = [
        environment_text(found),
        normalized_text(found.environment),
        explicit_text(found),
        lock_text([found], path="conda-lock.yml"),
        *next_steps([found], lock=None, environment=None),
        *next_steps([found], lock="conda-lock.yml", environment="environment.yml"),
    ]
    assert "thing" in written[0]
    assert [text for text in written if TOKEN in text] == []


# ---------------------------------------------------------------------------------------------------------------------
# What to do next
# ---------------------------------------------------------------------------------------------------------------------


def steps(report: Report, verdict: Verdict, *, lock: str | None = None, environment: str | None = None) -> list[str]:
    return list(next_steps([replace(report, verdict=verdict)], lock=lock, environment=environment))


def test_the_next_step_is_a_command(report: Report) -> None:
    bare = replace(report, findings=(), plan=replace(report.plan, changed=(), dropped=()))
    assert steps(bare, Verdict.READY) == ["envcheck lock requirements.txt"]
    assert steps(bare, Verdict.FIXABLE) == [
        "envcheck check requirements.txt --lock conda-lock.yml --environment environment.linux-64.yml"
    ]
    assert steps(report, Verdict.BLOCKED)[0].startswith("envcheck check -v requirements.txt")
    assert steps(report, Verdict.FIXABLE, environment="e.yml") == ["conda env create -f e.yml"]


def test_three_steps_are_told_at_the_most_the_most_useful_first(report: Report) -> None:
    one = Finding(code="EC501", title="t", severity=Severity.ERROR, subject="hdf5", message="gone", remedies=())
    dropped = replace(report.plan, dropped=(PlanDropped(name="pywin32", version="306", reason="it is for win-64"),))
    long = replace(report, findings=(one,) * 9, plan=dropped)

    assert steps(long, Verdict.FIXABLE)[1:] == [
        "envcheck rules EC501   (what EC501 means)",
        "envcheck check -v requirements.txt   (every finding and change)",
    ]
    assert steps(replace(long, findings=(one,)), Verdict.READY)[1:] == ["envcheck rules EC501   (what EC501 means)"]
    assert steps(long, Verdict.BLOCKED) == [
        "envcheck check -v requirements.txt   (every finding and change)",
        "envcheck explain pywin32 --in requirements.txt   (what keeps it out)",
        "envcheck rules EC501   (what EC501 means)",
    ]
    shown = next_steps([replace(long, verdict=Verdict.BLOCKED)], lock=None, environment=None, verbose=True)
    assert [step for step in shown if " -v " in step] == []
    status = ChannelStatus(channel=report.target.channels[0], state=ChannelState.UNREACHABLE)
    silent = replace(long, channel_statuses=(status,))
    assert steps(silent, Verdict.BLOCKED)[0] == "envcheck doctor   (which channel does not answer)"


def test_after_a_lock_comes_its_installation(report: Report) -> None:
    export = read_source(b"dependencies:\n- pip\n- pip:\n  - requests\n", "environment.yml")
    with_pip = replace(report, environment=replace(report.environment, pip=export.pip), pip=())
    first, second = steps(with_pip, Verdict.FIXABLE, lock="conda-lock.yml", environment="e.yml")

    assert first.startswith("micromamba create -n environment -f conda-lock.yml")
    assert "pip requirements" in second
    assert "e.yml" in second


def test_the_words_after_a_lock_are_those_of_its_format(resolved: Report) -> None:
    assert len(steps(resolved, Verdict.FIXABLE, lock="conda-lock.yml")) == 1
    (pixi,) = steps(resolved, Verdict.FIXABLE, lock="pixi.lock", environment="e.yml")
    assert pixi == "pixi init --import e.yml && pixi install --frozen"
    manifest, pixi, *_ = steps(resolved, Verdict.FIXABLE, lock="pixi.lock")
    assert "--lock pixi.lock --environment environment.linux-64.yml" in manifest
    assert pixi == "pixi init --import environment.linux-64.yml && pixi install --frozen"
    listed, beside = steps(resolved, Verdict.FIXABLE, lock="list.txt")
    assert "conda create -n environment --file list.txt" in listed
    assert "requirements file" in beside
    failed = replace(resolved, pip_resolution=PipResolution(trouble="offline"))
    assert "pip requirements stand" in steps(failed, Verdict.FIXABLE, lock="conda-lock.yml")[1]


def test_what_micromamba_cannot_read_is_installed_by_conda_lock(resolved: Report) -> None:
    assert resolved.pip_resolution is not None
    one = resolved.pip_resolution.distributions[0]
    over_ssh = replace(one, url=f"git+ssh://git@host.example/one@{'0' * 40}", sha256=None)
    held = replace(resolved, pip_resolution=replace(resolved.pip_resolution, distributions=(over_ssh,)))
    assert steps(held, Verdict.FIXABLE, lock="conda-lock.yml") == ["conda-lock install -n environment conda-lock.yml"]
    channel = resolved.target.channels[0]
    host, _, name = channel.url.rpartition("/")
    secret = replace(channel, locations=(f"{host}/t/tk-123-secret/{name}",))
    behind = replace(resolved, target=replace(resolved.target, channels=(secret,)))
    assert steps(behind, Verdict.FIXABLE, lock="conda-lock.yml") == ["conda-lock install -n environment conda-lock.yml"]


def test_names_that_a_shell_would_take_apart_are_quoted(report: Report) -> None:
    odd = replace(report, export=replace(report.export, path="my file; rm -rf x.txt"))

    assert steps(odd, Verdict.READY)[0] == "envcheck lock 'my file; rm -rf x.txt'"
    assert steps(odd, Verdict.FIXABLE, environment="a b.yml")[0] == "conda env create -f 'a b.yml'"


def test_of_several_reports_the_worst_is_looked_at(report: Report) -> None:
    arm = replace(report, target=replace(report.target, platform="linux-aarch64"), findings=())
    ready, fixable, blocked = (
        replace(arm, verdict=verdict) for verdict in (Verdict.READY, Verdict.FIXABLE, Verdict.BLOCKED)
    )
    first = replace(report, verdict=Verdict.READY, findings=())

    def steps_of(*reports: Report) -> tuple[str, ...]:
        return next_steps(reports, lock=None, environment=None)

    assert steps_of(first, ready)[0] == "envcheck lock requirements.txt"
    files = "--lock conda-lock.yml --environment 'environment.{platform}.yml'"
    assert steps_of(first, fixable)[0] == f"envcheck check requirements.txt {files}"
    everything = "envcheck check -v requirements.txt -p linux-aarch64   (every finding and change)"
    assert steps_of(fixable, blocked, first)[0] == everything
    status = ChannelStatus(channel=report.target.channels[0], state=ChannelState.UNREACHABLE)
    silent = replace(ready, channel_statuses=(status,))
    doctor = "envcheck doctor -p linux-aarch64   (which channel does not answer)"
    assert steps_of(blocked, silent)[0] == doctor
    assert steps_of() == ()


def test_what_was_locked_for_several_platforms_is_verified(report: Report) -> None:
    both = (report, replace(report, target=replace(report.target, platform="linux-aarch64")))
    verify, install = next_steps(both, lock="conda-lock.yml", environment=None)
    assert verify == "envcheck verify conda-lock.yml"
    assert install.startswith("micromamba create -n environment -f conda-lock.yml")
    assert next_steps(both, lock="pixi.lock", environment=None) == ("envcheck verify pixi.lock",)
    lists = next_steps(both, lock="a {platform}.txt", environment=None)
    assert lists == ("envcheck verify 'a linux-64.txt' 'a linux-aarch64.txt'",)


def test_what_asks_for_nothing_is_not_to_be_locked(report: Report) -> None:
    asked = replace(report, findings=(), plan=replace(report.plan, changed=(), dropped=()))
    empty = replace(asked, export=replace(report.export, requirements=(), pip=()))
    assert steps(asked, Verdict.READY) == ["envcheck lock requirements.txt"]
    assert steps(empty, Verdict.READY) == []


def test_no_pip_requirements_no_words_about_them(report: Report) -> None:
    without = replace(report, environment=replace(report.environment, pip=()), plan=replace(report.plan, to_pip=()))

    assert len(next_steps([without], lock="conda-lock.yml", environment=None)) == 1


def test_an_unreadable_row_of_the_pip_section_is_not_written(report: Report) -> None:
    export = read_source(b"dependencies:\n- pip\n- pip:\n  - '%%%'\n", "environment.yml")
    assert DamageKind.UNREADABLE_LINE in {one.kind for one in export.damage}

    found = replace(report, environment=replace(report.environment, pip=export.pip), plan=Plan())
    assert "%%%" not in environment_text(found)
