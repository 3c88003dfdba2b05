"""``--effort`` and ``--direct-only``."""

from __future__ import annotations

import pytest
import yaml

from tests.cli.running import CommandLine

ROWS = """\
# platform: win-64
python=3.10.13=h4de0772_0_cpython
libnetcdf=4.9.2=nompi_h07c049d_113
hdf5=1.14.2=nompi_h73e8ff5_100
numpy=1.26.2=py310hf667824_0
pywin32=306=py310h00ffb61_2
pip-only=1.0=pypi_0
"""


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e9", "soon"])
@pytest.mark.parametrize("command", ["check", "lock"])
def test_effort_is_a_number_of_seconds(envcheck: CommandLine, command: str, value: str) -> None:
    run = envcheck(command, "clean.yml", "--effort", value)
    assert (run.status, run.output) == (2, "")
    assert "--effort" in run.errors
    assert "conda-lock.yml" not in envcheck.files()


@pytest.mark.parametrize("value", ["0.001", "5", "86400"])
def test_a_plan_is_found_with_any_effort(envcheck: CommandLine, value: str) -> None:
    run = envcheck("check", "windows.txt", "--effort", value, "--format", "json")
    assert run.report()["verdict"] == "fixable"


def test_lock_takes_an_effort(envcheck: CommandLine) -> None:
    assert envcheck("lock", "clean.yml", "--effort", "30").status == 0
    assert "conda-lock.yml" in envcheck.files()


def written(envcheck: CommandLine, *options: str) -> list[object]:
    envcheck.write("rows.txt", ROWS)
    assert envcheck("check", "rows.txt", "--environment", "out.yml", *options).status == 1
    found: list[object] = yaml.safe_load((envcheck.directory / "out.yml").read_text("utf-8"))["dependencies"]
    return found


def test_direct_only_leaves_out_what_came_along(envcheck: CommandLine) -> None:
    everything = written(envcheck)
    direct = written(envcheck, "--direct-only")
    left_out = [row for row in everything if row not in direct]
    assert [str(row).partition("==")[0] for row in left_out] == ["hdf5"]
    assert [row for row in direct if row not in everything] == []
    assert [str(row).partition("==")[0] for row in direct if isinstance(row, str)] == ["libnetcdf", "numpy", "python"]


def test_direct_only_says_the_python_that_only_came_along(envcheck: CommandLine) -> None:
    envcheck.write("one.yml", "channels: [conda-forge]\ndependencies: [pandas=2.1.4]\n")
    envcheck("check", "one.yml", "--environment", "out.yml", "--direct-only")
    rows = yaml.safe_load((envcheck.directory / "out.yml").read_text("utf-8"))["dependencies"]
    assert [row.partition("==")[0] for row in rows] == ["python", "pandas"]


def test_what_direct_only_writes_is_ready(envcheck: CommandLine) -> None:
    envcheck.write("bare.txt", "".join(line for line in ROWS.splitlines(keepends=True) if "pypi_0" not in line))
    assert envcheck("check", "bare.txt", "--environment", "out.yml", "--direct-only").status == 1
    run = envcheck("check", "out.yml", "--format", "json")
    assert (run.status, run.report()["verdict"]) == (0, "ready")


@pytest.mark.parametrize("options", [(), ("--lock", "conda-lock.yml"), ("--explicit", "explicit.txt")])
def test_direct_only_is_about_the_environment_file(envcheck: CommandLine, options: tuple[str, ...]) -> None:
    run = envcheck("check", "windows.txt", "--direct-only", *options)
    assert (run.status, run.output) == (2, "")
    assert "--environment FILE" in run.errors
