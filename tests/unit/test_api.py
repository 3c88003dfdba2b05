"""The public Python API: its names, what they take, and that the command line goes the same way."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import envcheck
from envcheck import (
    ChannelError,
    Configuration,
    ConfigurationError,
    OutputError,
    Report,
    Session,
    Severity,
    SourceError,
    Verdict,
    check,
    lock_files,
)
from envcheck.engines.rattler import RattlerEngine
from tests.cli.conftest import CLEAN, WINDOWS
from tests.cli.running import CommandLine, condarc_text, fixture_locations

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "check_from_python.py"


@pytest.fixture(autouse=True)
def configured(
    tmp_path: Path, channels_directory: Path, package_index_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's configuration: the fixture channels and the fixture package index."""
    condarc = tmp_path / "condarc"
    condarc.write_text(condarc_text(fixture_locations(channels_directory)), encoding="utf-8")
    monkeypatch.setenv("CONDARC", str(condarc))
    monkeypatch.setenv("PIP_INDEX_URL", package_index_directory.as_uri())
    monkeypatch.chdir(tmp_path)
    Path("clean.yml").write_text(CLEAN, encoding="utf-8")


@pytest.fixture
def program(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    """``envcheck(...)`` runs the program."""
    directory = tmp_path / "work"
    directory.mkdir()
    return CommandLine(directory, condarc_text(fixture_locations(channels_directory)), package_index_directory.as_uri())


# ---------------------------------------------------------------------------------------------------------------------
# Names that stay
# ---------------------------------------------------------------------------------------------------------------------


def described(name: str) -> str:
    """A public name with everything that a program may use of it."""
    value = getattr(envcheck, name)
    if isinstance(value, str):
        return f"{name}: str"
    if not inspect.isclass(value):
        return f"{name}{inspect.signature(value)}"
    if issubclass(value, enum.Enum):
        return f"{name}: " + ", ".join(f"{one.name}={one.value}" for one in value)
    if dataclasses.is_dataclass(value):
        fields = (
            f"\n    {one.name}: {one.type}{'' if one.default is dataclasses.MISSING else f' = {one.default!r}'}"
            for one in dataclasses.fields(value)
        )
        return name + "".join(fields)
    if issubclass(value, Exception):
        return f"{name}({value.__base__.__name__}){inspect.signature(value)}"
    methods = [one for one in vars(value) if not one.startswith("_")]
    return f"{name}{inspect.signature(value)}: " + ", ".join(sorted(methods))


def test_the_public_names_stay(snapshot: SnapshotAssertion) -> None:
    assert sorted(envcheck.__all__) == envcheck.__all__

    assert "\n".join(described(name) for name in envcheck.__all__) == snapshot


@pytest.mark.parametrize("name", sorted(set(envcheck.__all__) - {"__version__"}))
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(envcheck, name)
    documentation = inspect.getdoc(value)

    assert documentation
    if inspect.isfunction(value) or value is Session:
        assert "Example:" in documentation
        assert "Raises:" in documentation
        told = documentation.partition("Args:")[2]
        for parameter in inspect.signature(value).parameters:
            assert f"\n    {parameter}: " in told, parameter
    elif dataclasses.is_dataclass(value):
        assert not documentation.startswith(f"{name}("), "that is what dataclass itself puts there"


def test_signatures_have_public_types() -> None:
    """What a function takes and gives has a name that a program can import."""
    functions = [value for value in (getattr(envcheck, name) for name in envcheck.__all__) if inspect.isfunction(value)]
    assert len(functions) >= 7
    for function in [*functions, Session]:
        signature = inspect.signature(function)
        annotations = [one.annotation for one in signature.parameters.values()] + [signature.return_annotation]
        names = set(re.findall(r"\b[A-Z]\w+", " ".join(annotations))) - {"None"}
        assert names <= {*envcheck.__all__, "PathLike", "Callable", "Mapping", "Sequence", "Literal"}, function


def test_every_function_that_asks_takes_a_session() -> None:
    functions = [name for name in envcheck.__all__ if inspect.isfunction(getattr(envcheck, name))]
    without = {name for name in functions if "session" not in inspect.signature(getattr(envcheck, name)).parameters}

    assert without == {"audit_environments", "lock_files"}
    page = (ROOT / "docs" / "how-to" / "python-api.md").read_text("utf-8").partition("## Several calls")[2]
    assert all(f"`{name}`" in page.partition("\n## ")[0] for name in without)


def test_names_are_found_before_they_are_loaded() -> None:
    code = """
        import sys, envcheck
        assert not [one for one in sys.modules if one.startswith("envcheck.")], sys.modules
        assert set(envcheck.__all__) <= set(dir(envcheck))
        assert not hasattr(envcheck, "no_such_name")
        from envcheck import Severity
        loaded = [one for one in sys.modules if one.startswith("envcheck.")]
        assert loaded and all(one.startswith("envcheck.model") for one in loaded), loaded
        from envcheck import *
        assert check.__module__ == "envcheck.api.checking"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import envcheck; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert set(answer.stdout.split()) <= {"envcheck", "__future__"}


def test_type_checkers_see_the_names(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(EXAMPLE.read_text("utf-8"), encoding="utf-8")
    (tmp_path / "wrong.py").write_text(
        "import envcheck\n\n"
        'envcheck.check("a.yml", platfrom="linux-64")\n'
        'envcheck.check("a.yml", engine="conda")\n'
        'report: int = envcheck.check("a.yml")\n',
        encoding="utf-8",
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "c")]

    right = subprocess.run([*mypy, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = subprocess.run([*mypy, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (right.returncode, right.stderr) == (0, ""), right.stdout
    # mypy tells of one wrong argument, of another one, and of the wrong type that is assigned.
    assert [line.partition(": error: ")[0] for line in wrong.stdout.splitlines() if ": error: " in line] == [
        "wrong.py:3",
        "wrong.py:4",
        "wrong.py:5",
    ]


# ---------------------------------------------------------------------------------------------------------------------
# What they do
# ---------------------------------------------------------------------------------------------------------------------


def test_a_file_is_checked_by_its_name_its_path_or_its_bytes() -> None:
    reports = [
        check("clean.yml", no_pip=True),
        check(Path("clean.yml"), no_pip=True),
        check(CLEAN.encode(), name="clean.yml", no_pip=True),
    ]

    assert reports[0] == reports[1] == reports[2]
    assert reports[0].verdict is Verdict.READY
    assert reports[0].export.path == "clean.yml"
    assert check(CLEAN.encode(), no_pip=True).export.path == "-"


def test_the_command_line_says_the_same(program: CommandLine) -> None:
    program.write("windows.txt", WINDOWS)
    told = program("check", "windows.txt", "--format", "json", "--lock", "conda-lock.yml").report()

    report = check(WINDOWS.encode(), name="windows.txt", for_lock=True)

    assert [finding["code"] for finding in told["findings"]] == [finding.code for finding in report.findings]
    assert told["verdict"] == report.verdict.value
    locked = lock_files(report, lock="conda-lock.yml")
    assert list(locked) == ["conda-lock.yml"]
    assert locked["conda-lock.yml"].encode() == (program.directory / "conda-lock.yml").read_bytes()


def test_a_session_loads_the_same_channels_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, tuple[str, ...]]] = []
    load = RattlerEngine.load

    def counted(self: RattlerEngine, channels: Any, platform: str, *arguments: Any, **options: Any) -> Any:
        loaded.append((platform, tuple(channel.name for channel in channels)))
        return load(self, channels, platform, *arguments, **options)

    monkeypatch.setattr(RattlerEngine, "load", counted)
    apart = check("clean.yml", no_pip=True, engine="rattler")
    of_one = len(loaded)
    loaded.clear()
    with Session(engine="rattler") as session:
        first = check("clean.yml", no_pip=True, session=session)
        other = check(b"channels: [conda-forge]\n# more\ndependencies: [numpy]\n", no_pip=True, session=session)
        check("clean.yml", no_pip=True, platform="win-64", session=session)

    assert first == apart
    # What is told of a channel is what this source says of it, although another one had it loaded.
    assert [status.channel.line for status in other.channel_statuses] == [1]
    assert [status.channel.line for status in first.channel_statuses] == [3]
    assert len(loaded) == len(set(loaded)) == 2 * of_one


def test_a_channel_that_gave_no_answer_is_asked_again(tmp_path: Path, channels_directory: Path) -> None:
    places = fixture_locations(channels_directory)
    broken = tmp_path / "broken"
    configuration = Configuration(
        mirrored_channels=(("conda-forge", (places["conda-forge"],)), ("own", (broken.as_uri(),)))
    )
    for subdir in ("linux-64", "noarch"):
        (broken / subdir).mkdir(parents=True)
        (broken / subdir / "repodata.json").write_text("{", encoding="utf-8")
    source = b"channels: [conda-forge, own]\ndependencies: [python=3.10]\n"
    with Session(engine="rattler", configuration=configuration) as session:
        silent = check(source, no_pip=True, session=session)
        for subdir in ("linux-64", "noarch"):
            (broken / subdir / "repodata.json").write_text('{"packages": {}, "packages.conda": {}}', encoding="utf-8")
        answered = check(source, no_pip=True, session=session)

    assert not silent.complete
    assert answered.complete
    with pytest.raises(OutputError, match="there is no solved plan"):
        lock_files(silent, lock="x.yml")


def test_a_configuration_takes_the_place_of_the_users(channels_directory: Path) -> None:
    place = fixture_locations(channels_directory)["conda-forge"]
    configuration = Configuration(channels=("own",), mirrored_channels=(("own", (place,)),))

    report = check(b"dependencies: [numpy]\n", configuration=configuration, no_pip=True)

    assert [channel.name for channel in report.target.channels] == ["own"]


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    with Session(progress=lambda *step: told.append(step)) as session:
        check("clean.yml", no_pip=True, session=session)

    assert told
    assert all(0 < done <= total for _, done, total in told)


def test_an_older_lock_is_kept_to() -> None:
    source = b"channels: [conda-forge]\ndependencies: [python, numpy]\n"
    old = check(b"channels: [conda-forge]\ndependencies: [python=3.10, numpy]\n", for_lock=True)
    (text,) = lock_files(old, lock="conda-lock.yml").values()
    Path("conda-lock.yml").write_text(text, encoding="utf-8")

    from_file = check(source, from_lock="conda-lock.yml")
    from_bytes = check(source, from_lock=text.encode())

    assert from_file == from_bytes
    assert from_file.plan.packages == old.plan.packages
    assert check(source).plan.packages != old.plan.packages
    with pytest.raises(SourceError, match="no lock"):
        check(source, from_lock="clean.yml")


def test_every_file_of_a_plan(tmp_path: Path) -> None:
    reports = [check("clean.yml", platform=platform, for_lock=True) for platform in ("linux-64", "win-64")]

    files = lock_files(
        reports, lock="pixi.lock", explicit="{platform}.txt", environment="{platform}.yml", sbom="sbom.json"
    )

    assert sorted(files) == ["linux-64.txt", "linux-64.yml", "pixi.lock", "sbom.json", "win-64.txt", "win-64.yml"]
    assert all(text.endswith("\n") for text in files.values())
    as_list = lock_files(reports[0], lock="any.name", lock_format="explicit")
    assert as_list == {"any.name": files["linux-64.txt"]}
    assert not any(path.name in files for path in tmp_path.iterdir())
    with pytest.raises(OutputError, match="there is no solved plan"):
        lock_files([], lock="x")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"channels": "conda-forge"}, TypeError, "channels is a sequence"),
        ({"ignore": "EC4"}, TypeError, "ignore is a sequence"),
        ({"select": ["EX1"]}, ValueError, "no finding's code begins with 'EX1'"),
        ({"effort": 0}, ValueError, "effort is a number of seconds"),
        ({"effort": float("nan")}, ValueError, "effort is a number of seconds"),
        ({"engine": "conda"}, ValueError, "no engine 'conda'"),
        ({"pins": "all"}, ValueError, "all"),
        ({"channels": ["nowhere-at-all"], "override_channels": True, "offline": True}, ChannelError, "no channel"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        check("clean.yml", no_pip=True, **arguments)


def test_what_is_said_to_a_session_is_said_once() -> None:
    with Session() as session, pytest.raises(TypeError, match="engine, offline: said to the session"):
        check("clean.yml", session=session, engine="rattler", offline=True)
    report = check("clean.yml", no_pip=True)
    with pytest.raises(ValueError, match="no lock format 'conda'"):
        lock_files(report, lock="x", lock_format="conda")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SourceError) as caught:
        check("none.yml")

    assert (caught.value.path, caught.value.message) == ("none.yml", "there is no such file")
    assert caught.value.hint


@pytest.mark.parametrize("url", ["nonsense", "", "https://h:port/", "https://me:hunter2@h:99999/simple", "https://"])
def test_an_index_has_a_url(url: str) -> None:
    for ask in (Session, partial(check, "clean.yml"), partial(envcheck.audit_environments, "clean.yml")):
        with pytest.raises(ConfigurationError, match="is not the URL of an index") as caught:
            ask(index_url=url)
        assert "hunter2" not in str(caught.value)
    with Session(index_url="HTTPS://[::1]:9/simple", offline=True):
        pass


@pytest.mark.parametrize("name", ["no\0pe", "no/\ud800pe"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    for ask in (check, envcheck.verify_lock, envcheck.check_dockerfile, envcheck.audit_environments):
        with pytest.raises(SourceError, match="no file can have this name"):
            ask(name)  # type: ignore[operator]
    with pytest.raises(SourceError, match="no file can have this name"):
        check("clean.yml", from_lock=name)


def test_findings_are_selected() -> None:
    every = check(WINDOWS.encode(), name="windows.txt", no_pip=True)
    some = check(WINDOWS.encode(), name="windows.txt", no_pip=True, select=["ec4"])

    assert {finding.code[:3] for finding in some.findings} == {"EC4"}
    assert set(some.findings) < set(every.findings)
    assert some.verdict is every.verdict
    assert Severity.ERROR in {finding.severity for finding in every.findings}
    assert isinstance(some, Report)


def test_the_example_runs(tmp_path: Path) -> None:
    answer = subprocess.run([sys.executable, "-W", "error", str(EXAMPLE)], capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0] == "fixable on linux-64"
    assert "old.yml on linux-64: ready" in lines
    assert "new.yml on win-64: ready" in lines
    for name in ("conda-lock.yml", "environment.linux-64.yml", "Dockerfile.locked"):
        assert f"wrote {name}" in lines
        assert (tmp_path / name).exists()
    assert "nothing keeps it out" in lines
    assert "line 2 makes an environment that is ready" in lines
    assert any(line.startswith("linux-64 is sound with ") for line in lines)
    assert lines[-1].startswith("there is no such file -- ")
