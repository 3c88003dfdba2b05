"""What programs have beside a check: locks verified, packages explained, Dockerfiles and fleets, as the commands do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envcheck import (
    AuditVerdict,
    ConfigurationError,
    DockerReport,
    LockVerdict,
    Session,
    Severity,
    SourceError,
    audit_environments,
    check,
    check_dockerfile,
    explain_package,
    lock_files,
    verify_lock,
    write_dockerfile,
)
from tests.cli.conftest import CLEAN, WINDOWS
from tests.cli.running import CommandLine, condarc_text, fixture_locations

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "audit_from_python.py"

DOCKERFILE = """\
FROM mambaorg/micromamba:2.3.0
COPY clean.yml /tmp/
RUN micromamba create -y -n app -f /tmp/clean.yml
"""


@pytest.fixture(autouse=True)
def configured(
    tmp_path: Path, channels_directory: Path, package_index_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's configuration: the fixture channels and the fixture package index."""
    condarc = tmp_path / "condarc"
    condarc.write_text(condarc_text(fixture_locations(channels_directory)), encoding="utf-8")
    monkeypatch.setenv("CONDARC", str(condarc))
    monkeypatch.setenv("PIP_INDEX_URL", package_index_directory.as_uri())
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Path("clean.yml").write_text(CLEAN, encoding="utf-8")
    Path("windows.txt").write_text(WINDOWS, encoding="utf-8")
    Path("Dockerfile").write_text(DOCKERFILE, encoding="utf-8")


@pytest.fixture
def program(channels_directory: Path, package_index_directory: Path, configured: None) -> CommandLine:
    """``envcheck(...)`` runs the program in the same folder."""
    return CommandLine(
        Path.cwd(), condarc_text(fixture_locations(channels_directory)), package_index_directory.as_uri()
    )


def codes_of(document: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in document["findings"]]


def test_a_lock_is_verified_as_the_command_does(program: CommandLine) -> None:
    reports = [check("clean.yml", platform=platform, for_lock=True) for platform in ("linux-64", "win-64")]
    (text,) = lock_files(reports, lock="conda-lock.yml").values()
    Path("conda-lock.yml").write_text(text.replace("sha256: ", "sha256: 0", 1), encoding="utf-8")

    told = program("verify", "conda-lock.yml", "--format", "json").report()["reports"]
    found = verify_lock("conda-lock.yml")

    assert [one.target.platform for one in found] == [one["target"]["platform"] for one in told]
    assert [one.verdict.value for one in found] == [one["verdict"] for one in told]
    assert [[finding.code for finding in one.findings] for one in found] == [codes_of(one) for one in told]
    assert {one.verdict for one in found} == {LockVerdict.UNSOUND, LockVerdict.SOUND}
    assert verify_lock(Path("conda-lock.yml").read_bytes(), name="conda-lock.yml") == found
    (sound,) = verify_lock(text.encode(), platforms=["linux-64"], drift=True)
    assert (sound.verdict, sound.lock.path) == (LockVerdict.SOUND, "-")
    with pytest.raises(ConfigurationError, match="nothing for osx-64"):
        verify_lock("conda-lock.yml", platforms=["osx-64"])
    with pytest.raises(SourceError, match="no lock of a known format"):
        verify_lock("clean.yml")
    with pytest.raises(SourceError) as caught:
        verify_lock("none.yml")
    assert "envcheck lock SOURCE" in str(caught.value.hint)


@pytest.mark.parametrize("spec", ["numpy", "numpy=1.26", "pywin32=306", "no-such-package"])
@pytest.mark.parametrize("source", [None, "clean.yml"])
def test_a_package_is_explained_as_the_command_does(program: CommandLine, spec: str, source: str | None) -> None:
    ran = program("explain", spec, *(() if source is None else ("--in", source)), "--format", "json")
    told = json.loads(ran.output)

    explanation = explain_package(spec, source=source)

    assert ran.status == int(not explanation.fine)
    assert [(one.channel, one.newest) for one in explanation.places] == [
        (one["channel"], one["newest"]) for one in told["places"]
    ]
    assert (explanation.standing is None) == (source is None)


@pytest.mark.parametrize("spec", ["", "conda-forge::numpy", "numpy=1.26=a=b", "numpy >="])
def test_what_is_no_package(spec: str) -> None:
    with pytest.raises(ValueError, match=r"is no package|Name the channel"):
        explain_package(spec)


def test_a_dockerfile_is_checked_as_the_command_does(program: CommandLine) -> None:
    told = program("docker", ".", "--format", "json").report()

    report = check_dockerfile(".")

    assert report.followed.dockerfile.path == "Dockerfile"
    assert [finding.code for finding in report.findings] == codes_of(told)
    assert [(one.path, one.verdict) for one in report.checked] == [
        (one["source"], one["verdict"]) for one in told["dockerfile"]["environments"]
    ]
    assert [one.verdict for one in report.checked] == ["ready"]
    assert check_dockerfile(Path("Dockerfile")) == report
    # Of bytes alone no build context is known, so that the file is in none.
    assert check_dockerfile(DOCKERFILE.encode()).checked[0].verdict is None
    assert check_dockerfile(DOCKERFILE.encode(), context=".").checked[0].verdict == "ready"


def test_a_dockerfile_is_written_as_the_command_does(program: CommandLine) -> None:
    program("docker", ".", "--write", "told/Dockerfile", "--quiet")
    with Session() as session:
        report = check_dockerfile(".", session=session)
        written = write_dockerfile(report, "own/Dockerfile", session=session)

    assert [Path(path).as_posix() for path in written.paths] == ["own/conda-linux-64.lock", "own/Dockerfile"]
    for path in Path("own").iterdir():
        assert path.read_text("utf-8").replace("own/", "told/") == (Path("told") / path.name).read_text("utf-8")


def test_a_dockerfile_that_is_none() -> None:
    with pytest.raises(SourceError) as caught:
        check_dockerfile("none")
    assert caught.value.message == "there is no such file"
    with pytest.raises(ConfigurationError, match="no folder 'none'"):
        check_dockerfile("Dockerfile", context="none")
    report = check_dockerfile("Dockerfile")
    with pytest.raises(ValueError, match="no style 'npm'"):
        write_dockerfile(report, "x", style="npm")  # type: ignore[arg-type]
    made = DockerReport(followed=report.followed, findings=(), checked=())
    with pytest.raises(ValueError, match="not one of check_dockerfile"):
        write_dockerfile(made, "x")
    assert not Path("x").exists()


def test_a_fleet_is_audited_as_the_command_does(program: CommandLine, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    ran = program("audit", "clean.yml", "windows.txt", "--format", "jsonl", "--no-times", "--cache-dir", cache)
    told = {one["path"]: one for one in map(json.loads, ran.output.splitlines())}

    run = audit_environments(["clean.yml", Path("windows.txt")], cache_dir=cache, jobs=1)
    results = {result.path: result for result in run}

    assert run.total == 2
    assert run.trouble == ""
    assert {path: result.verdict.value for path, result in results.items()} == {
        path: one["verdict"] for path, one in told.items()
    }
    assert results["clean.yml"].verdict is AuditVerdict.READY
    assert results["windows.txt"].count(Severity.ERROR) > 0
    (some,) = audit_environments("windows.txt", cache_dir=cache, jobs=1, select=["ec402"])
    assert some.reused
    assert {cause.code for cause in some.causes} == {"EC402"}


def test_a_fleet_that_is_none() -> None:
    Path("nothing").mkdir()

    with pytest.raises(SourceError, match="nothing there looks like an export"):
        audit_environments("nothing")
    assert list(audit_environments((), listed=())) == []


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"platforms": []}, ValueError, "platforms is empty"),
        ({"platforms": "linux-64"}, TypeError, "platforms is a sequence"),
        ({"jobs": 0}, ValueError, "jobs is a number of processes from 1 on, and not 0"),
        ({"jobs": -3}, ValueError, "and not -3"),
        ({"platforms": ["linux-64", "nonsense"]}, ConfigurationError, "The platform 'nonsense' is not known"),
        ({"image": "nosuchimage"}, ConfigurationError, "nosuchimage"),
        ({"virtual_packages": ["glibc"]}, ConfigurationError, "glibc"),
    ],
)
def test_a_fleet_for_what_there_is_not(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        audit_environments("clean.yml", **arguments)


def test_a_variable_counts_for_its_own_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_OVERRIDE_GLIBC", "2.5")
    Path("new.yml").write_text("channels: [conda-forge]\ndependencies: [python=3.11, h5py=3.11.0]\n", encoding="utf-8")
    old = check("new.yml", no_pip=True).verdict

    def verdict(*platforms: str) -> str:
        run = audit_environments("new.yml", platforms=platforms, jobs=1, no_pip=True, cache_dir=tmp_path / "cache")
        return next(result.verdict.value for result in run if result.platform == "linux-64")

    assert old.value != "ready"
    assert verdict("win-64", "linux-64") == verdict("linux-64") == old.value


def test_an_audit_that_is_left_ends_its_processes(tmp_path: Path) -> None:
    results = audit_environments(["clean.yml", "windows.txt"], cache_dir=tmp_path / "cache", jobs=1).results()
    first = next(results)
    results.close()

    assert first.verdict is not AuditVerdict.FAILED
    assert list(results) == []


def test_the_example_of_an_audit_runs() -> None:
    answer = subprocess.run([sys.executable, "-W", "error", str(EXAMPLE)], capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert sorted(line.partition(": ")[2] for line in answer.stdout.splitlines()) == [
        "environments/new.yml is ready, 0 errors",
        "environments/old.yml is ready, 0 errors",
    ]
