"""Every command and option, run as users run it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from envcheck import __version__
from envcheck.rules.documented import DOCUMENTED_RULES
from tests.cli.running import CommandLine, condarc_text
from tests.support.channels import record, write_channel

# ---------------------------------------------------------------------------------------------------------------------
# check
# ---------------------------------------------------------------------------------------------------------------------


def test_check_of_a_clean_environment(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml")
    assert run.status == 0
    verdict, sentence, *_ = run.output.splitlines()
    assert verdict == "READY for linux-64: no problems in clean.yml"
    assert sentence == "it installs on linux-64 as written (dry-solved)"
    assert run.errors == "next: envcheck lock clean.yml\n"
    assert envcheck.files() == {"clean.yml", "windows.txt"}


def test_check_of_a_windows_export(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt")
    assert run.status == 1
    assert "FIXABLE" in run.output
    assert "pywin32" in run.output
    assert run.errors.startswith("next: envcheck check windows.txt --lock conda-lock.yml")


def test_check_reads_standard_input(envcheck: CommandLine) -> None:
    run = envcheck("check", "-", "--format", "json", data=(envcheck.directory / "windows.txt").read_bytes())
    assert run.status == 1
    assert run.report()["source"] == {
        "path": "-",
        "kind": "list-export",
        "platform": "win-64",
        "encoding": "utf-8",
        "conda": 3,
        "pip": 0,
    }


def test_check_of_several_sources_and_platforms(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "windows.txt", "-p", "linux-64", "-p", "win-64", "--format", "json")
    assert run.status == 1
    document = run.report()
    assert set(document) == {"schema_version", "reports"}
    assert [(one["source"]["path"], one["target"]["platform"], one["verdict"]) for one in document["reports"]] == [
        ("clean.yml", "linux-64", "ready"),
        ("clean.yml", "win-64", "ready"),
        ("windows.txt", "linux-64", "fixable"),
        ("windows.txt", "win-64", "ready"),
    ]


def test_one_unreadable_source_of_several_stops_the_run(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "missing.yml")
    assert (run.status, run.output) == (2, "")


def test_the_report_goes_to_a_file(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt", "--format", "json", "-o", "report.json")
    assert (run.status, run.output) == (1, "")
    assert json.loads((envcheck.directory / "report.json").read_text("utf-8"))["verdict"] == "fixable"


def test_quiet_prints_the_report_alone(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt", "-q")
    assert "FIXABLE" in run.output
    assert run.errors == ""


def test_verbose_shows_every_finding(envcheck: CommandLine) -> None:
    names = "ucrt vc vc14_runtime pywin32-ctypes getopt-win32 msys2-conda-epoch vs2015_runtime m2w64-gmp winpty"
    rows = "".join(f"{name}=1=0\n" for name in names.split())
    envcheck.write("many.txt", f"# platform: win-64\npython=3.10.13=h4de0772_0_cpython\n{rows}")
    short = envcheck("check", "many.txt").output
    assert "and 1 more (-v shows all)" in short
    verbose = envcheck("check", "many.txt", "-v").output
    assert all(f"{name} (line" in " ".join(verbose.split()) for name in names.split())
    assert "(-v shows" not in verbose
    assert "win-64: the header says platform: win-64 (line 1)" in verbose


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ((), 1),
        (("--fail-on", "error"), 1),
        (("--fail-on", "warning"), 1),
        (("--fail-on", "never"), 0),
        (("--ignore", "EC4"), 0),
        (("--ignore", "ec401", "--ignore", "EC402"), 0),
        (("--select", "EC402"), 1),
        (("--select", "EC5"), 0),
        (("--select", "EC4", "--ignore", "EC402", "--ignore", "EC401"), 0),
    ],
)
def test_the_exit_status_follows_the_findings_that_are_shown(
    envcheck: CommandLine, options: tuple[str, ...], status: int
) -> None:
    assert envcheck("check", "windows.txt", *options).status == status


def test_fail_on_warning_tells_warnings_from_errors(envcheck: CommandLine) -> None:
    envcheck.write("warned.yml", "name: w\nchannels: [conda-forge]\ndependencies: [python=3.10]\nowner: me\n")
    assert envcheck("check", "warned.yml").status == 0
    assert envcheck("check", "warned.yml", "--fail-on", "warning").status == 1


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_code_that_no_finding_has_is_refused(envcheck: CommandLine, option: str) -> None:
    run = envcheck("check", "windows.txt", option, "EC999")
    assert run.status == 2
    assert "No finding's code begins with 'EC999'" in run.errors


# ---------------------------------------------------------------------------------------------------------------------
# The target
# ---------------------------------------------------------------------------------------------------------------------


def test_channels_of_the_command_line_come_first(envcheck: CommandLine) -> None:
    document = envcheck("check", "clean.yml", "-c", "bioconda", "-c", "defaults", "--format", "json").report()
    assert [channel["name"] for channel in document["target"]["channels"]] == ["bioconda", "pkgs/main", "conda-forge"]


def test_override_channels_leaves_only_those_of_the_command_line(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "-c", "bioconda", "--override-channels", "--format", "json")
    assert [channel["name"] for channel in run.report()["target"]["channels"]] == ["bioconda"]
    assert run.status == 1


def test_a_channel_by_its_file_url(envcheck: CommandLine, channels_directory: Path) -> None:
    envcheck.configure("channels: [conda-forge]\n")
    url = (channels_directory / "conda-forge").as_uri()
    run = envcheck("check", "clean.yml", "-c", url, "--override-channels", "--format", "json")
    assert run.status == 0
    assert run.report()["target"]["channels"] == [{"name": url, "url": url}]


def test_the_address_of_a_configured_mirror_is_the_channel(envcheck: CommandLine, channels_directory: Path) -> None:
    url = (channels_directory / "conda-forge").as_uri()
    run = envcheck("check", "clean.yml", "-c", url, "--override-channels", "--format", "json")
    assert run.report()["target"]["channels"] == [
        {"name": "conda-forge", "url": "https://conda.anaconda.org/conda-forge"}
    ]


def test_offline_asks_no_server(envcheck: CommandLine) -> None:
    envcheck.configure(condarc_text({"conda-forge": "http://192.0.2.1/conda-forge"}, more="offline: false\n"))
    started = time.monotonic()
    run = envcheck("check", "clean.yml", "--offline")
    assert time.monotonic() - started < 10
    assert run.status == 3
    assert "nothing is cached for it and --offline forbids asking" in run.errors


def test_exclude_newer_takes_older_packages(envcheck: CommandLine, tmp_path: Path) -> None:
    moments = {"1.0": 1_600_000_000_000, "2.0": 1_700_000_000_000}  # September 2020, November 2023
    records = [record("tool", version, timestamp=moment) for version, moment in moments.items()]
    lab = write_channel(tmp_path / "lab", {"linux-64": records, "noarch": []})
    envcheck.configure(condarc_text({"lab": lab.as_uri()}, channels="[lab]"))
    envcheck.write("tool.yml", "name: t\nchannels: [lab]\ndependencies: [tool]\n")

    def tool(*options: str) -> str:
        packages = envcheck("check", "tool.yml", "--offline", "--format", "json", *options).report()["packages"]
        return str(packages[0]["version"])

    assert tool("--exclude-newer", "2030-01-01") == tool() == "2.0"
    for date in ("2022-01-01", "2022-01-01T12:00:00Z", "2023-11-14T22:13:19+00:00"):
        assert tool("--exclude-newer", date) == "1.0"


def test_image_and_virtual_package_describe_the_target(envcheck: CommandLine) -> None:
    def virtual(*options: str) -> dict[str, str]:
        packages: dict[str, str] = envcheck("check", "clean.yml", "--format", "json", *options).report()["target"][
            "virtual_packages"
        ]
        return packages

    assert virtual("--image", "debian:12")["__glibc"] == "2.36"
    assert virtual("--virtual-package", "__glibc=2.17")["__glibc"] == "2.17"
    assert virtual("--virtual-package", "__cuda=12.4")["__cuda"] == "12.4"
    assert "__cuda" not in virtual()


def test_pins_say_how_far_versions_may_change(envcheck: CommandLine) -> None:
    envcheck.write("pins.yml", "name: p\nchannels: [conda-forge]\ndependencies: [python=3.10, hdf5=1.14.2]\n")

    def hdf5(*options: str) -> tuple[str, str | None]:
        document = envcheck("check", "pins.yml", "--format", "json", *options).report()
        return document["verdict"], next(
            (one["version"] for one in document["packages"] if one["name"] == "hdf5"), None
        )

    assert hdf5() == hdf5("--pins", "preserve")
    assert hdf5("--pins", "none") == ("fixable", "1.14.3")
    assert hdf5("--pins", "minor")[1] in ("1.14.0", "1.14.3")


def test_the_rattler_engine_is_named(envcheck: CommandLine) -> None:
    engine = envcheck("check", "clean.yml", "--engine", "rattler", "--format", "json").report()["engine"]
    assert engine["name"] == "rattler"


def test_no_pip_leaves_the_package_index_alone(envcheck: CommandLine) -> None:
    source = "name: p\nchannels: [conda-forge]\ndependencies: [python=3.10, pip, {pip: [nosuchproject==1.0]}]\n"
    envcheck.write("pip.yml", source)
    assert "EC602" in envcheck("check", "pip.yml", "--format", "json").codes()
    assert envcheck("check", "pip.yml", "--no-pip", "--format", "json").codes() == {"EC613"}


def test_index_url_names_another_index(envcheck: CommandLine, package_index_directory: Path) -> None:
    envcheck.write(
        "pip.yml", "name: p\nchannels: [conda-forge]\ndependencies: [python=3.10, pip, {pip: [attrs==23.1.0]}]\n"
    )
    nowhere = (envcheck.directory / "nowhere").as_uri()
    assert envcheck("check", "pip.yml", "--format", "json", "--index-url", nowhere).codes() == {"EC613"}
    own = package_index_directory.as_uri()
    assert envcheck("check", "pip.yml", "--format", "json", "--index-url", own, PIP_INDEX_URL=nowhere).codes() == set()


# ---------------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------------


def test_lock_writes_a_lock_and_says_how_to_use_it(envcheck: CommandLine) -> None:
    run = envcheck("lock", "clean.yml")
    assert run.status == 0
    assert "wrote conda-lock.yml" in run.errors
    assert "micromamba create -n clean -f conda-lock.yml" in run.errors
    lock = yaml.safe_load((envcheck.directory / "conda-lock.yml").read_text("utf-8"))
    assert lock["metadata"]["sources"] == ["clean.yml"]
    assert {package["platform"] for package in lock["package"]} == {"linux-64"}


def test_the_same_inputs_give_the_same_bytes(envcheck: CommandLine) -> None:
    for name in ("one", "two"):
        files = ("--lock", f"{name}.yml", "--explicit", f"{name}.txt", "--environment", f"{name}.env.yml")
        assert envcheck("check", "windows.txt", *files).status == 1
    for kind in ("txt", "env.yml"):
        assert (envcheck.directory / f"one.{kind}").read_bytes() == (envcheck.directory / f"two.{kind}").read_bytes()
    one, two = ((envcheck.directory / f"{name}.yml").read_text("utf-8") for name in ("one", "two"))
    assert one.replace("one.yml", "two.yml") == two


def test_lock_for_two_platforms_in_one_file(envcheck: CommandLine) -> None:
    run = envcheck("lock", "clean.yml", "-p", "linux-64", "-p", "win-64", "--lock", "both.yml")
    assert run.status == 0
    lock = yaml.safe_load((envcheck.directory / "both.yml").read_text("utf-8"))
    assert lock["metadata"]["platforms"] == ["linux-64", "win-64"]
    assert set(lock["metadata"]["content_hash"]) == {"linux-64", "win-64"}
    pythons = {package["platform"]: package["url"] for package in lock["package"] if package["name"] == "python"}
    assert "/linux-64/" in pythons["linux-64"]
    assert "/win-64/" in pythons["win-64"]


def test_a_platform_named_twice_is_locked_once(envcheck: CommandLine) -> None:
    assert envcheck("lock", "clean.yml", "-p", "linux-64", "-p", "linux-64").status == 0
    lock = yaml.safe_load((envcheck.directory / "conda-lock.yml").read_text("utf-8"))
    names = [package["name"] for package in lock["package"]]
    assert len(names) == len(set(names))


def test_nothing_is_written_for_an_unsolved_plan(envcheck: CommandLine) -> None:
    envcheck.write("never.yml", "name: n\nchannels: [conda-forge]\ndependencies: [nosuchpackage]\n")
    old = envcheck.write("conda-lock.yml", "what was there before\n")
    run = envcheck("lock", "never.yml", "--explicit", "list.txt", "--environment", "env.yml")
    assert run.status == 1
    for name in ("conda-lock.yml", "list.txt", "env.yml"):
        assert f"{name} was not written: there is no solved plan" in run.errors
    assert old.read_text() == "what was there before\n"
    assert not {"list.txt", "env.yml"} & envcheck.files()


def test_a_lock_is_a_source(envcheck: CommandLine) -> None:
    envcheck("lock", "windows.txt")
    document = envcheck("check", "conda-lock.yml", "--format", "json").report()
    assert document["source"]["kind"] == "conda-lock"
    assert document["verdict"] == "ready"


@pytest.mark.parametrize("option", ["--lock", "--explicit", "--environment"])
def test_files_take_one_source(envcheck: CommandLine, option: str) -> None:
    run = envcheck("check", "clean.yml", "windows.txt", option, "file")
    assert run.status == 2
    assert "take one SOURCE" in run.errors


@pytest.mark.parametrize("option", ["--explicit", "--environment"])
def test_explicit_and_environment_take_one_platform(envcheck: CommandLine, option: str) -> None:
    run = envcheck("check", "clean.yml", "-p", "linux-64", "-p", "win-64", option, "file")
    assert run.status == 2
    assert f"{option} takes one --platform" in run.errors


# ---------------------------------------------------------------------------------------------------------------------
# normalize
# ---------------------------------------------------------------------------------------------------------------------


def test_normalize_loads_nothing_and_writes_yaml(envcheck: CommandLine) -> None:
    envcheck.configure("channels: [http://192.0.2.1/never-asked]\n")
    run = envcheck("normalize", "windows.txt")
    assert run.status == 0
    assert yaml.safe_load(run.output) == {
        "name": "environment",
        "dependencies": ["numpy==1.26.2", "python==3.10.13", "pywin32==306"],
    }
    assert run.errors == ""


def test_normalize_of_its_own_output_changes_nothing(envcheck: CommandLine) -> None:
    assert envcheck("normalize", "windows.txt", "-o", "once.yml").status == 0
    assert envcheck("normalize", "once.yml", "-o", "twice.yml").status == 0
    once, twice = ((envcheck.directory / f"{name}.yml").read_text() for name in ("once", "twice"))
    assert once == twice


# ---------------------------------------------------------------------------------------------------------------------
# rules, help, version
# ---------------------------------------------------------------------------------------------------------------------


def test_rules_lists_every_rule(envcheck: CommandLine) -> None:
    lines = envcheck("rules").output.splitlines()
    assert lines == [f"{rule.code}  {rule.title}" for rule in DOCUMENTED_RULES]


@pytest.mark.parametrize("code", ["EC402", "ec402"])
def test_rules_explains_one(envcheck: CommandLine, code: str) -> None:
    run = envcheck("rules", code)
    assert run.status == 0
    assert run.output.startswith("EC402: Only for another platform\n\nA package exists only for another platform")
    assert "\nFix: " in run.output
    assert not any(line.startswith(" ") for line in run.output.splitlines())


def test_rules_of_an_unknown_code(envcheck: CommandLine) -> None:
    run = envcheck("rules", "EC999")
    assert (run.status, run.output) == (2, "")
    assert "There is no finding 'EC999'; 'envcheck rules' lists them." in run.errors


@pytest.mark.parametrize("command", [(), ("check",), ("lock",), ("normalize",), ("rules",)])
def test_help_fits_eighty_columns_and_shows_how(envcheck: CommandLine, command: tuple[str, ...]) -> None:
    run = envcheck(*command, "--help")
    assert run.status == 0
    assert run.output.startswith("Usage: ")
    assert max(map(len, run.output.splitlines())) <= 80
    if command:
        assert "Example" in run.output


def test_version(envcheck: CommandLine) -> None:
    assert envcheck("--version").output == f"envcheck, version {__version__}\n"


def test_help_imports_no_engine() -> None:
    program = (
        "import sys, runpy\n"
        "sys.argv = ['envcheck', '--help']\n"
        "try: runpy.run_module('envcheck', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(sorted({'rattler', 'libmambapy', 'requests', 'yaml', 'rich', 'conda_lock'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
