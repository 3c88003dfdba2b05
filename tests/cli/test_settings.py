"""Settings files as users have them: defaults of every command's options, and one clear message for what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from envcheck.cli import cli
from envcheck.cli_settings import settable_options
from tests.cli.running import CommandLine

README = Path(__file__).parents[2] / "README.md"


def configured(envcheck: CommandLine, text: str) -> None:
    envcheck.write("envcheck.toml", text)


# ---------------------------------------------------------------------------------------------------------------------
# What a setting does
# ---------------------------------------------------------------------------------------------------------------------


def test_settings_are_defaults_and_the_command_line_wins(envcheck: CommandLine) -> None:
    configured(envcheck, 'format = "json"\n\n[check]\nfail-on = "never"\nplatform = ["linux-aarch64"]\n')
    run = envcheck("check", "windows.txt", "--no-pip")
    assert run.status == 0
    assert run.report()["target"]["platform"] == "linux-aarch64"

    won = envcheck("check", "windows.txt", "--no-pip", "--fail-on", "error", "-p", "linux-64")
    assert won.status == 1
    assert won.report()["target"]["platform"] == "linux-64"
    # The other command has the common part alone.
    assert envcheck("lock", "windows.txt", "--no-pip").status == 1


def test_pyproject_and_envcheck_toml_say_the_same(envcheck: CommandLine) -> None:
    text = 'fail-on = "never"\nno-pip = true\nverbose = 1\n'
    configured(envcheck, text)
    own = envcheck("check", "windows.txt")
    (envcheck.directory / "envcheck.toml").unlink()
    envcheck.write("pyproject.toml", f'[project]\nname = "x"\n\n[tool.envcheck]\n{text}')
    assert envcheck("check", "windows.txt") == own
    assert own.status == 0


def test_a_file_can_be_named_and_left_out(envcheck: CommandLine) -> None:
    configured(envcheck, 'fail-on = "never"\n')
    envcheck.write("strict.toml", 'fail-on = "error"\n')
    check = ("check", "windows.txt", "--no-pip")
    assert envcheck(*check).status == 0
    assert envcheck("--no-config", *check).status == 1
    assert envcheck("--config", "strict.toml", *check).status == 1
    assert envcheck(*check, ENVCHECK_CONFIG="strict.toml").status == 1
    assert envcheck("--config", "envcheck.toml", *check, ENVCHECK_CONFIG="strict.toml").status == 0
    missing = envcheck("--config", "missing.toml", *check)
    assert (missing.status, missing.output) == (2, "")
    assert missing.errors.startswith("envcheck: missing.toml: The settings cannot be read: ")


def test_paths_are_relative_to_the_file(envcheck: CommandLine, channels_directory: Path) -> None:
    envcheck.write("clean.yml", "channels: [nodefaults]\ndependencies: [python=3.10, numpy]\n")
    (envcheck.directory / "mirror").symlink_to(channels_directory / "conda-forge", target_is_directory=True)
    configured(envcheck, 'channel = ["./mirror"]\ncache-dir = "kept"\noverride-channels = true\n')
    inner = envcheck.directory / "inner"
    inner.mkdir()
    (inner / "clean.yml").write_bytes((envcheck.directory / "clean.yml").read_bytes())

    envcheck.directory = inner
    run = envcheck("check", "clean.yml", "--no-pip", "--format", "json")

    assert run.report()["verdict"] == "ready", run.errors
    assert str(Path("..", "kept")) in envcheck("doctor").output
    assert {path.name for path in inner.iterdir()} == {"clean.yml"}


def test_a_command_takes_of_a_common_value_what_it_knows(envcheck: CommandLine) -> None:
    configured(envcheck, 'platform = ["linux-aarch64", "linux-64"]\nfail-on = "never"\nignore = ["EC4", "EC71"]\n')
    explained = envcheck("explain", "numpy", "--format", "json")
    assert explained.report()["platform"] == "linux-aarch64"  # it looks at one alone
    # EC4 is none of a lock's findings, EC71 none of a check's.
    document = envcheck("check", "windows.txt", "--no-pip", "--format", "json").report()
    found = {finding["code"] for report in document["reports"] for finding in report["findings"]}
    assert found
    assert not {code for code in found if code.startswith("EC4")}


def test_dates_need_no_quotes(envcheck: CommandLine) -> None:
    for text in ("exclude-newer = 2000-01-01\n", "exclude-newer = 2000-01-01T00:00:00Z\n"):
        configured(envcheck, text)
        assert envcheck("check", "clean.yml", "--no-pip").status == 1
    assert envcheck("--no-config", "check", "clean.yml", "--no-pip").status == 0


def test_what_a_preference_is_about_need_not_be_there(envcheck: CommandLine) -> None:
    configured(envcheck, 'lock-format = "pixi"\n\n[docker]\nstyle = "pixi"\n')
    assert envcheck("check", "clean.yml", "--no-pip").status == 0
    assert envcheck("lock", "clean.yml", "--no-pip").status == 0
    assert "pixi.lock" in envcheck.files()
    envcheck.write("Dockerfile", "FROM debian:12\n")
    assert envcheck("docker", "Dockerfile").status == 0


# ---------------------------------------------------------------------------------------------------------------------
# What is wrong in it
# ---------------------------------------------------------------------------------------------------------------------

WRONG = {
    "unknown": ('chanel = ["a"]', "There is no setting 'chanel'.", "Did you mean channel"),
    "underscore": ('fail_on = "never"', "There is no setting 'fail_on'.", "Did you mean fail-on?"),
    "parameter": ('platforms = ["a"]', "There is no setting 'platforms'.", "Did you mean platform?"),
    "nonsense": ("qwertz = 1", "There is no setting 'qwertz'.", "'envcheck COMMAND --help' lists"),
    "table": ("[chek]\npins = 1", "There is no setting 'chek'.", "Did you mean check?"),
    "prefix": ("[tool.envcheck]", "There is no setting 'tool'.", "without tool.envcheck"),
    "no table": ("check = 1", "'check' is no table.", "below [check]"),
    "other command": ("[check]\ndrift = true", "There is no setting 'drift' of check.", "It is one of verify."),
    "choice": ('fail-on = "sometimes"', "fail-on: 'sometimes' is not one of", "what --fail-on takes"),
    "callback": ('exclude-newer = "soon"', "exclude-newer: 'soon' is not an ISO 8601 date.", "--exclude-newer"),
    "range": ("effort = -1", "effort: -1 is not a number of seconds", "--effort"),
    "not a list": ('channel = "a"', "channel: this is a list of texts.", 'Write channel = ["..."]'),
    "list of others": ("channel = [1]", "channel: this is a list of texts.", 'Write channel = ["..."]'),
    "not a text": ("index-url = 1", "index-url: this is a text.", 'Write index-url = "...".'),
    "not a switch": ('offline = "yes"', "offline: this is a switch.", "Write offline = true, or false."),
    "switch as number": ("offline = 1", "offline: this is a switch.", "Write offline = true"),
    "not a number": ('effort = "60"', "effort: this is a number.", "Write effort = "),
    "number as switch": ("effort = true", "effort: this is a number.", "Write effort = "),
    "not a count": ("verbose = true", "verbose: this is a small number.", "Write verbose = 1."),
    "code": ('ignore = ["ED4"]', "ignore: no finding's code begins with 'ED4'.", "'envcheck rules'"),
    "output": ('[lock]\nlock = "x.yml"', "lock cannot be set in a file: what is written", "on the command line"),
    "output for all": ('output = "x.yml"', "output cannot be set in a file", "on the command line"),
    "trust": ("trust-source-indexes = true", "trust-source-indexes cannot be set in a file", "on the command line"),
    "select for all": ('select = ["EC4"]', "select cannot be set for all commands", "below [check]"),
    "no TOML": ("channel = [", "This is no TOML", "--no-config"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_line(envcheck: CommandLine, name: str) -> None:
    text, message, hint = WRONG[name]
    configured(envcheck, f"# settings\n{text}\n")
    run = envcheck("check", "clean.yml")
    assert (run.status, run.output) == (2, "")
    first, second, *_ = run.errors.splitlines()
    # A key of a table stands below the table's head; only a broken document has no line of its own.
    line = 2 + (text.count("\n") if "setting 'chek'" not in message else 0)
    where = "envcheck.toml: " if name == "no TOML" else f"envcheck.toml:{line}: "
    assert first.startswith(f"envcheck: {where}{message}")
    assert second.startswith("hint: ")
    assert hint in second


def test_the_whole_file_is_looked_at_whatever_runs(envcheck: CommandLine) -> None:
    configured(envcheck, "[docker]\ncontxt = 1\n")
    assert envcheck("check", "clean.yml").status == 2
    assert envcheck("normalize", "clean.yml").status == 2


def test_a_wrong_file_is_in_nobodys_way_who_asks_for_help(envcheck: CommandLine) -> None:
    plain = {arguments: envcheck(*arguments) for arguments in (("--help",), ("check", "--help"), ("verify", "-h"))}
    configured(envcheck, "chanel = 1\n")
    for arguments, run in plain.items():
        assert envcheck(*arguments) == run
        assert run.status == 0
    assert envcheck("rules").status == 0  # it has nothing to be set
    assert envcheck("--no-config", "check", "clean.yml", "--no-pip").status == 0


def test_secrets_are_not_shown(envcheck: CommandLine) -> None:
    secret = "hunter2" + "hunter2"
    for text in (
        f'engine = "https://me:{secret}@example.org/simple"\n',
        f'exclude-newer = "https://example.org/?token={secret}"\n',
        f'channel = ["https://me:{secret}@example.org", 1]\n',
        f'"https://me:{secret}@example.org" = 1\n',
    ):
        configured(envcheck, text)
        run = envcheck("check", "clean.yml")
        assert run.status == 2
        assert secret not in run.output + run.errors


def test_controls_of_a_terminal_are_not_obeyed(envcheck: CommandLine) -> None:
    configured(envcheck, '"\\u001b[31mred" = 1\n')
    assert "\x1b" not in envcheck("check", "clean.yml").errors


# ---------------------------------------------------------------------------------------------------------------------
# Every option is known
# ---------------------------------------------------------------------------------------------------------------------


def settable() -> set[str]:
    return {key for command in cli.commands.values() for key in settable_options(command)}


def section(title: str) -> str:
    text = README.read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_readme_names_every_setting_and_what_is_none() -> None:
    told = set(re.findall(r"`([a-z-]+)`", section("Configuration")))
    flags = {
        flag.removeprefix("--")
        for command in cli.commands.values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("--")
    }
    assert sorted(settable() - told) == []
    assert sorted(flags - told - {"help"}) == []
    commands = set(cli.commands)
    assert sorted(told - flags - commands) == []


def test_every_settable_option_takes_a_value_of_its_own_kind(envcheck: CommandLine) -> None:
    """An option of a kind that settings do not know would refuse whatever is written."""
    for command in cli.commands.values():
        for key, option in settable_options(command).items():
            assert len([flag for flag in option.opts if flag.startswith("--")]) == 1
            assert option.nargs == 1
            assert not option.is_flag or isinstance(option.type, click.types.BoolParamType), key
