"""``envcheck explain`` as its users run it."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import CommandLine, condarc_text


def test_help_fits_eighty_columns_and_shows_how(envcheck: CommandLine) -> None:
    run = envcheck("explain", "--help")
    assert run.status == 0
    assert max(map(len, run.output.splitlines())) <= 80
    assert "Example" in run.output


def test_a_version_that_is_there(envcheck: CommandLine) -> None:
    run = envcheck("explain", "hdf5=1.14.3")
    assert run.status == 0
    assert run.output.startswith("hdf5 1.14.3 on linux-64: it exists\n")
    assert "nompi_h4f84152_100" in run.output
    assert run.errors == ""


def test_a_version_that_only_windows_has(envcheck: CommandLine) -> None:
    run = envcheck("explain", "hdf5=1.14.2")
    assert run.status == 1
    assert "nearest versions: 1.14.3, 1.14.0" in run.output
    assert "win-64 has 1.14.2: conda-forge" in run.output


def test_another_platform_can_be_asked_about(envcheck: CommandLine) -> None:
    run = envcheck("explain", "hdf5=1.14.2", "-p", "win-64")
    assert run.status == 0
    assert "nompi_h73e8ff5_100" in run.output


def test_channels_of_the_command_line(envcheck: CommandLine) -> None:
    run = envcheck("explain", "samtools", "--format", "json")
    assert run.status == 1
    assert [(one["channel"], one["among_channels"]) for one in run.report()["places"]] == [("bioconda", False)]
    run = envcheck("explain", "samtools", "-c", "bioconda", "--format", "json")
    assert run.status == 0
    assert [(one["channel"], one["among_channels"]) for one in run.report()["places"]] == [("bioconda", True)]
    run = envcheck("explain", "numpy", "-c", "bioconda", "--override-channels")
    assert run.status == 1


def test_an_unknown_name(envcheck: CommandLine) -> None:
    run = envcheck("explain", "nunpy")
    assert run.status == 1
    assert "no channel has it" in run.output
    assert "close names: numpy" in run.output


def test_what_keeps_a_package_out_of_an_environment(envcheck: CommandLine) -> None:
    envcheck.write("geo.yml", "channels: [conda-forge]\ndependencies: [python=3.10, libnetcdf=4.9.2]\n")
    run = envcheck("explain", "hdf5=1.14.0", "--in", "geo.yml")
    assert run.status == 1
    assert "the plan holds hdf5 1.14.3, which libnetcdf needs" in run.output
    assert "libnetcdf 4.9.2: needs hdf5 >=1.14.2,<1.14.4.0a0" in run.output
    assert len(run.output.splitlines()) < 40


def test_a_row_that_came_along_says_with_what(envcheck: CommandLine) -> None:
    rows = "libnetcdf=4.9.2=nompi_h07c049d_113\nhdf5=1.14.2=nompi_h73e8ff5_100\n"
    envcheck.write("rows.txt", f"# platform: win-64\n{rows}")
    run = envcheck("explain", "hdf5", "--in", "rows.txt", "--format", "json")
    assert run.status == 1
    standing = run.report()["environment"]
    assert (standing["direct"], standing["needed_by"], standing["held"]) == (False, ["libnetcdf"], "1.14.3")
    assert (standing["obstacle"], standing["row"]["line"]) == ("absent", 3)


def test_the_environment_can_be_piped_in(envcheck: CommandLine) -> None:
    run = envcheck("explain", "numpy", "--in", "-", data=(envcheck.directory / "clean.yml").read_bytes())
    assert run.status == 0
    assert "the plan holds numpy" in run.output


def test_the_json_is_stable(envcheck: CommandLine) -> None:
    runs = [envcheck("explain", "numpy", "--format", "json", PYTHONHASHSEED=seed) for seed in ("0", "42")]
    assert runs[0].output == runs[1].output
    assert list(runs[0].report()) == sorted(runs[0].report())
    assert runs[0].report()["schema_version"] == 1


@pytest.mark.parametrize(
    "text", ["", "*", "numpy=", "conda-forge::numpy", "http://example.org/x.conda", "numpy=1=2=3=4"]
)
def test_what_is_no_package(envcheck: CommandLine, text: str) -> None:
    run = envcheck("explain", text)
    assert (run.status, run.output) == (2, "")


def test_a_missing_environment(envcheck: CommandLine) -> None:
    run = envcheck("explain", "numpy", "--in", "missing.yml")
    assert (run.status, run.output) == (2, "")
    assert "there is no such file" in run.errors


def test_an_unknown_platform(envcheck: CommandLine) -> None:
    run = envcheck("explain", "numpy", "-p", "linux-65")
    assert run.status in (2, 3)
    assert run.errors.startswith("envcheck: ")


def test_a_channel_that_cannot_be_read(envcheck: CommandLine) -> None:
    envcheck.configure(condarc_text({"conda-forge": (envcheck.directory / "gone").as_uri()}))
    run = envcheck("explain", "numpy")
    assert (run.status, run.output) == (3, "")
    assert "hint: " in run.errors


def test_nothing_is_written(envcheck: CommandLine) -> None:
    envcheck("explain", "numpy", "--in", "clean.yml")
    assert envcheck.files() == {"clean.yml", "windows.txt"}
    assert json.loads(envcheck("explain", "numpy", "-q", "--format", "json").output)["fine"] is True
