"""Where people work: the pre-commit hooks and the GitHub Action, carried out over the fixture channels.

Of the action, every step with a script is run by bash as a runner would, with its environment made from the inputs;
the steps that use another action are not, and are named here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import CLEAN, WINDOWS
from tests.cli.running import CommandLine, fixture_program

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
USED = {
    "Set up Python": "actions/setup-python@v6",
    "Upload to code scanning": "github/codeql-action/upload-sarif@v4",
}
SECRET = "hunter2" + "hunter2"

BASH = shutil.which("bash")
JQ = shutil.which("jq")
needs_bash = pytest.mark.skipif(BASH is None or sys.platform == "win32", reason="there is no bash")


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    program.write("environment.yml", CLEAN)
    program.write("environment.win.yml", "channels: [conda-forge]\ndependencies: [python=3.10, pywin32]\n")
    program.write("windows.txt", WINDOWS)
    program.write("envcheck.toml", "no-pip = true\n")
    return program


# ---------------------------------------------------------------------------------------------------------------------
# The action, as a file
# ---------------------------------------------------------------------------------------------------------------------


def test_the_action_is_one_by_its_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("zizmor") is None, reason="zizmor is not installed")
def test_the_action_has_no_known_weakness() -> None:
    # A major version is what users pin actions by, too; the hash of a release would be none of ours to vouch for.
    done = subprocess.run(
        ["zizmor", "--offline", "--no-progress", "--format", "json", "--persona", "auditor", "action.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert {finding["ident"] for finding in json.loads(done.stdout)} <= {"unpinned-uses"}, done.stdout


def test_no_expression_gets_into_a_script() -> None:
    for name, step in STEPS.items():
        if "uses" in step:
            assert step["uses"] == USED[name]
            continue
        assert "${{" not in step["run"], name
        assert step["shell"] == "bash"
        for value in step["env"].values():
            assert re.fullmatch(r"\$\{\{ [a-z_.-]+ \}\}", value), value


def test_inputs_and_outputs_are_those_that_are_used() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8").partition("\nruns:\n")[2]
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    written = set(re.findall(r"steps\.check\.outputs\.([a-z]+)", json.dumps(ACTION["outputs"])))
    assert written == set(ACTION["outputs"])
    for declared in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert declared["description"]


def test_the_readme_tells_of_every_input() -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## In CI\n")[2].partition("\n## ")[0]
    assert {name for name in ACTION["inputs"] if f"`{name}`" not in told and f"{name}:" not in told} == set()


def test_the_comment_is_found_by_the_marker_of_the_report() -> None:
    from envcheck.reports.markdown import MARKER

    assert f'startswith("{MARKER}")' in STEPS["Comment on the pull request"]["run"]


# ---------------------------------------------------------------------------------------------------------------------
# The action, carried out
# ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Runner:
    """A runner of one job: its files, and what steps told each other."""

    program: CommandLine
    inputs: Mapping[str, str]
    contexts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temporary = self.program.directory.parent / "runner"
        self.temporary.mkdir()
        self.path = self.temporary / "path"
        self.path.mkdir()
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            (self.temporary / name).touch()
        defaults = {name: declared.get("default", "") for name, declared in ACTION["inputs"].items()}
        assert set(self.inputs) <= set(defaults)
        self.values = {f"inputs.{name}": value for name, value in {**defaults, **self.inputs}.items()}
        self.values |= {"steps.install.outputs.programs": str(self.path), **self.contexts}
        self.script("envcheck", f'exec "{sys.executable}" -m envcheck "$@"')
        self.script("python", f'exec "{sys.executable}" "$@"')

    def script(self, name: str, text: str) -> None:
        path = self.path / name
        path.write_text(f"#!{BASH}\n{text}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def step(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run the script of a step, with the options that the runner gives bash."""
        step = STEPS[name]
        environment = {variable: self.values.get(expression[4:-3], "") for variable, expression in step["env"].items()}
        done = subprocess.run(
            [str(BASH), "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.program.directory / self.values["inputs.working-directory"],
            env=self.program.environment(
                PATH=f"{self.path}{os.pathsep}{os.environ['PATH']}",
                PYTHONPATH=str(ROOT),
                RUNNER_TEMP=str(self.temporary),
                GITHUB_OUTPUT=str(self.temporary / "GITHUB_OUTPUT"),
                GITHUB_STEP_SUMMARY=str(self.temporary / "GITHUB_STEP_SUMMARY"),
                GITHUB_REPOSITORY="somebody/something",
                GITHUB_ACTIONS="true",
                **environment,
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def outputs(self) -> dict[str, str]:
        lines = (self.temporary / "GITHUB_OUTPUT").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def summary(self) -> str:
        return (self.temporary / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")


@needs_bash
def test_a_good_environment_passes(envcheck: CommandLine) -> None:
    runner = Runner(envcheck, {})
    done = runner.step("Check")
    assert done.returncode == 0, done.stderr
    outputs = runner.outputs()
    assert outputs["status"] == "0"
    assert outputs["verdict"] == "ready"
    assert outputs["findings"] == "0"
    assert "::error" not in done.stdout
    assert runner.summary().startswith("<!-- envcheck report -->\n")
    assert json.loads(Path(outputs["json"]).read_text(encoding="utf-8"))["verdict"] == "ready"
    assert json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert Path(outputs["markdown"]).read_text(encoding="utf-8") == runner.summary()


@needs_bash
def test_several_files_for_several_platforms(envcheck: CommandLine) -> None:
    runner = Runner(
        envcheck,
        {
            "files": "environment.yml\n\n  environment.win.yml  \nwindows.txt",
            "platforms": "linux-64\nlinux-aarch64\n",
            "channels": "bioconda\nconda-forge",
            "format": "json",
            "summary": "false",
        },
    )
    done = runner.step("Check")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    found = [(report["source"]["path"], report["target"]["platform"]) for report in document["reports"]]
    assert found == [
        (path, platform)
        for path in ("environment.yml", "environment.win.yml", "windows.txt")
        for platform in ("linux-64", "linux-aarch64")
    ]
    assert [one["name"] for one in document["reports"][0]["target"]["channels"]][:2] == ["bioconda", "conda-forge"]
    assert {report["verdict"] for report in document["reports"]} == {"ready", "fixable", "blocked"}
    assert runner.outputs()["verdict"] == "blocked"
    counted = sum(finding["severity"] != "info" for report in document["reports"] for finding in report["findings"])
    assert runner.outputs()["findings"] == str(counted)
    assert runner.summary() == ""


@needs_bash
def test_findings_stand_beside_their_lines(envcheck: CommandLine) -> None:
    done = Runner(envcheck, {"files": "environment.win.yml"}).step("Check")
    assert done.returncode == 1
    assert re.search(r"^::error file=environment\.win\.yml,line=2,title=", done.stdout, re.MULTILINE)


@needs_bash
def test_threshold_baseline_settings_and_folder(envcheck: CommandLine) -> None:
    assert Runner(envcheck, {"files": "environment.win.yml", "fail-on": "never"}).step("Check").returncode == 0
    shutil.rmtree(envcheck.directory.parent / "runner")
    accept = envcheck("check", "environment.win.yml", "--baseline", "base.json", "--update-baseline")
    assert accept.status == 0, accept.errors
    accepted = Runner(envcheck, {"files": "environment.win.yml", "baseline": "base.json"})
    assert accepted.step("Check").returncode == 0
    assert accepted.outputs()["findings"] == "0"
    shutil.rmtree(envcheck.directory.parent / "runner")
    envcheck.write("lenient.toml", 'no-pip = true\nfail-on = "never"\n')
    folder = envcheck.directory / "sub folder"
    folder.mkdir()
    shutil.copy(envcheck.directory / "environment.win.yml", folder)
    inputs = {"files": "environment.win.yml", "config": "../lenient.toml", "working-directory": "sub folder"}
    assert Runner(envcheck, inputs).step("Check").returncode == 0


@needs_bash
def test_locks_and_dockerfiles(envcheck: CommandLine) -> None:
    assert envcheck("lock", "environment.yml").status == 0
    lock = Runner(envcheck, {"command": "verify", "files": "conda-lock.yml"})
    assert lock.step("Check").returncode == 0
    assert lock.outputs()["verdict"] == "sound"
    shutil.rmtree(lock.temporary)
    envcheck.write(
        "Dockerfile", "FROM mambaorg/micromamba:2.3.3\nRUN micromamba create -y -n a -c conda-forge pywin32\n"
    )
    dockerfile = Runner(envcheck, {"command": "docker", "files": "Dockerfile"})
    assert dockerfile.step("Check").returncode == 1
    assert dockerfile.outputs()["verdict"] == "blocked"


@needs_bash
@pytest.mark.parametrize(
    "hostile",
    ["$(touch owned)", "`touch owned`", '"; touch owned; "', "'; touch owned #", "--output=owned", "x\n&& touch owned"],
)
@pytest.mark.parametrize(
    "name", ["files", "channels", "platforms", "fail-on", "format", "baseline", "config", "command"]
)
def test_an_input_is_text_and_nothing_else(envcheck: CommandLine, hostile: str, name: str) -> None:
    runner = Runner(envcheck, {name: hostile})
    done = runner.step("Check")
    assert done.returncode in (2, 3), done.stdout
    assert "owned" not in envcheck.files()


@needs_bash
@pytest.mark.parametrize("version", ["1.0 --index-url=http://127.0.0.1:9", "../..", "-r x", "1.0;touch owned", "1\n2"])
def test_a_version_is_a_version(envcheck: CommandLine, version: str) -> None:
    runner = Runner(envcheck, {"version": version}, {"steps.python.outputs.python-path": "false"})
    done = runner.step("Install envcheck")
    assert done.returncode == 2
    assert "is no version" in done.stdout
    assert not (runner.temporary / "envcheck-venv").exists()


@needs_bash
@pytest.mark.network
def test_the_action_installs_itself(envcheck: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(envcheck, {}, {"steps.python.outputs.python-path": sys.executable, "github.action_path": str(ROOT)})
    # The fixture index is for checks; what is installed comes from the one that the machine has.
    for name in list(runner.program._environment):
        if name == "PIP_INDEX_URL":
            del runner.program._environment[name]
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    runner.program._environment.update(kept)
    done = runner.step("Install envcheck")
    assert done.returncode == 0, done.stderr
    programs = Path(runner.outputs()["programs"])
    told = subprocess.run([programs / "envcheck", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("envcheck")


# ---------------------------------------------------------------------------------------------------------------------
# The comment
# ---------------------------------------------------------------------------------------------------------------------

# GitHub's API as gh has it: comments in a file, every call in another.
GH = """\
import json, os, subprocess, sys
from pathlib import Path

here = Path(os.environ["RUNNER_TEMP"])
arguments = sys.argv[1:]
with (here / "calls").open("a") as stream:
    print(json.dumps(arguments), file=stream)
assert os.environ["GH_TOKEN"]
assert arguments[0] == "api"
comments = json.loads((here / "comments").read_text())
if arguments[1] == "user":
    print('{"message": "Resource not accessible by integration"}')
    sys.exit(1)
if "--paginate" in arguments:
    query = arguments[arguments.index("--jq") + 1]
    sys.exit(subprocess.run(["jq", "-r", query], input=json.dumps(comments), text=True).returncode)
if (here / "forbidden").exists():
    print("HTTP 403", file=sys.stderr)
    sys.exit(1)
name, _, value = arguments[arguments.index("--field") + 1].partition("=@")
body = Path(value).read_text()
where = next(one for one in arguments if one.startswith("repos/"))
if "PATCH" in arguments:
    (one,) = [one for one in comments if where == f"repos/somebody/something/issues/comments/{one['id']}"]
    one["body"] = body
else:
    assert where == "repos/somebody/something/issues/12/comments"
    comments.append({"id": 1000 + len(comments), "user": {"login": "github-actions[bot]"}, "body": body})
(here / "comments").write_text(json.dumps(comments))
"""

OTHERS = [
    {"id": 1, "user": {"login": "somebody"}, "body": "Looks good."},
    {"id": 2, "user": {"login": "mallory"}, "body": "<!-- envcheck report -->\nmine"},
    {"id": 3, "user": {"login": "github-actions[bot]"}, "body": "coverage: 90%"},
]


@pytest.fixture
def commenting(envcheck: CommandLine) -> Runner:
    markdown = envcheck.write("report.md", "<!-- envcheck report -->\n## one `$(touch owned)`\n")
    runner = Runner(
        envcheck,
        {"token": SECRET},
        {"steps.check.outputs.markdown": str(markdown), "github.event.pull_request.number": "12"},
    )
    (runner.temporary / "gh.py").write_text(GH, encoding="utf-8")
    runner.script("gh", f'exec "{sys.executable}" "{runner.temporary / "gh.py"}" "$@"')
    (runner.temporary / "comments").write_text(json.dumps(OTHERS), encoding="utf-8")
    return runner


def comments(runner: Runner) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((runner.temporary / "comments").read_text(encoding="utf-8"))
    return found


@needs_bash
@pytest.mark.skipif(JQ is None, reason="there is no jq, which answers for gh here")
def test_one_comment_is_made_and_then_replaced(commenting: Runner) -> None:
    first = commenting.step("Comment on the pull request")
    assert first.returncode == 0, first.stderr
    assert comments(commenting)[:3] == OTHERS
    assert comments(commenting)[3]["body"].startswith("<!-- envcheck report -->\n## one")

    commenting.program.write("report.md", "<!-- envcheck report -->\n## two\n")
    again = commenting.step("Comment on the pull request")
    assert again.returncode == 0, again.stderr
    assert comments(commenting)[:3] == OTHERS
    assert [one["body"] for one in comments(commenting)[3:]] == ["<!-- envcheck report -->\n## two\n"]
    assert SECRET not in first.stdout + first.stderr + (commenting.temporary / "calls").read_text(encoding="utf-8")
    assert "owned" not in commenting.program.files()


@needs_bash
@pytest.mark.skipif(JQ is None, reason="there is no jq, which answers for gh here")
def test_a_token_that_may_not_write_fails_nothing(commenting: Runner) -> None:
    (commenting.temporary / "forbidden").touch()
    done = commenting.step("Comment on the pull request")
    assert done.returncode == 0
    assert "::warning title=envcheck::No comment could be written" in done.stdout
    assert comments(commenting) == OTHERS


@needs_bash
def test_without_a_pull_request_there_is_no_comment(commenting: Runner) -> None:
    commenting.values["github.event.pull_request.number"] = ""
    done = commenting.step("Comment on the pull request")
    assert done.returncode == 0
    assert "no pull request" in done.stdout
    assert not (commenting.temporary / "calls").exists()


# ---------------------------------------------------------------------------------------------------------------------
# Several reports of one run
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("check", "windows.txt"), ("verify", "conda-lock.yml"), ("docker", "Dockerfile")])
def test_reports_of_one_run_are_those_of_runs_of_their_own(envcheck: CommandLine, command: tuple[str, ...]) -> None:
    envcheck.write("Dockerfile", "FROM mambaorg/micromamba:2.3.3\nCOPY windows.txt .\nRUN conda activate x\n")
    assert envcheck("lock", "environment.yml").status == 0
    formats = ("text", "json", "sarif", "markdown", "junit", "github")
    also = [argument for name in formats for argument in ("--also", f"{name}=report=.{name}")]
    run = envcheck(*command, *also)
    alone = envcheck(*command)
    assert (run.status, run.output) == (alone.status, alone.output)
    for name in formats:
        envcheck(*command, "--format", name, "-o", "alone")
        written = (envcheck.directory / f"report=.{name}").read_bytes()
        assert written == (envcheck.directory / "alone").read_bytes(), name


@pytest.mark.parametrize("value", ["sarif", "sarif=", "=x", "xml=x", "jsonl=x"])
def test_what_is_no_report_is_refused(envcheck: CommandLine, value: str) -> None:
    run = envcheck("check", "environment.yml", "--also", value)
    assert (run.status, run.output) == (2, "")
    assert "is not FORMAT=FILE" in run.errors
    assert envcheck("check", "environment.yml", "--also", "json=no/x.json").status == 3


# ---------------------------------------------------------------------------------------------------------------------
# The hooks
# ---------------------------------------------------------------------------------------------------------------------

FILES = {
    "envcheck": {
        "environment.yml": True,
        "environment.yaml": True,
        "a/b/environment.linux-64.yml": True,
        "environment_windows.yml": True,
        "environment-dev.yaml": True,
        "my.env.yml": True,
        "gpu-environment.yml": True,
        "environments.yml": False,
        "environment.py": False,
        "myenvironment.yml": False,
        ".github/workflows/test.yml": False,
        "docker-compose.yml": False,
    },
    "envcheck-verify": {
        "conda-lock.yml": True,
        "a/conda-lock.yaml": True,
        "dev.conda-lock.yml": True,
        "pixi.lock": True,
        "conda-linux-64.lock": True,
        "conda-osx-arm64.txt": True,
        "poetry.lock": False,
        "environment.yml": False,
        "conda-lock.yml.orig": False,
    },
    "envcheck-docker": {"Dockerfile": True, "a/Dockerfile": False, "Dockerfile.dev": False},
}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_look_at_what_is_meant(hook: dict[str, Any]) -> None:
    # pre-commit searches with Python's re.
    found = {name: re.search(hook["files"], name) is not None for name in FILES[hook["id"]]}
    assert found == FILES[hook["id"]]


def git(directory: Path, *arguments: str) -> None:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "somebody"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "somebody@example.org"),
    }
    subprocess.run(["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True)


def pre_commit(program: CommandLine, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=program.directory,
        env=program.environment(
            PRE_COMMIT_HOME=str(program.directory.parent / "pre-commit"),
            PRE_COMMIT_COLOR="never",
            PYTHONPATH=str(ROOT),
            **variables,
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )


@pytest.fixture
def repository(envcheck: CommandLine) -> CommandLine:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    git(envcheck.directory, "init", "--quiet")
    return envcheck


def test_the_manifest_is_one(repository: CommandLine) -> None:
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", repository.directory)
    done = pre_commit(repository, "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def test_hooks_stop_what_would_not_build(repository: CommandLine) -> None:
    """The hooks' own commands, run by pre-commit in a repository; installing them is the next test's."""
    local = [
        {**hook, "language": "system", "entry": f"{sys.executable} -m {hook['entry']}"}
        for hook in HOOKS
    ]  # fmt: skip
    repository.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": local}]}))
    assert repository("lock", "environment.yml").status == 0
    (repository.directory / "environment.win.yml").unlink()
    repository.write("dev.env.yml", CLEAN)
    git(repository.directory, "add", ".")
    good = pre_commit(repository, "run", "--all-files")
    assert good.returncode == 0, good.stdout + good.stderr
    assert re.search(r"^envcheck check\.+Passed$", good.stdout, re.MULTILINE)
    assert re.search(r"^envcheck verify\.+Passed$", good.stdout, re.MULTILINE)
    assert re.search(r"^envcheck docker\.+\(no files to check\)Skipped$", good.stdout, re.MULTILINE)

    repository.write("environment.win.yml", "channels: [conda-forge]\ndependencies: [python=3.10, pywin32]\n")
    git(repository.directory, "add", ".")
    bad = pre_commit(repository, "run")
    assert bad.returncode == 1
    assert re.search(r"^envcheck check\.+Failed$", bad.stdout, re.MULTILINE)
    assert "EC402" in bad.stdout


@pytest.mark.network
def test_hooks_are_installed_from_a_checkout(repository: CommandLine) -> None:
    git(repository.directory, "add", ".")
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    repository._environment.pop("PIP_INDEX_URL")
    source = repository.directory.parent / "checkout"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", ".mypy_cache", ".ruff_cache", "tests", "fixtures")
    )
    (source / "tests").mkdir()
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "-m", "A checkout")
    done = pre_commit(repository, "try-repo", str(source), "envcheck", "--all-files", **kept)
    assert done.returncode == 1, done.stderr
    assert "EC402" in done.stdout
