"""``--baseline`` as users meet it: an old environment is adopted, and only what is new counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import CommandLine, condarc_text

BASE = ("--baseline", "base.json")
UPDATE = (*BASE, "--update-baseline")


def entries(envcheck: CommandLine, name: str = "base.json") -> list[dict[str, Any]]:
    document = json.loads((envcheck.directory / name).read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = document["findings"]
    return found


def test_an_old_environment_is_adopted_and_what_is_new_counts(envcheck: CommandLine) -> None:
    check = ("check", "windows.txt", "--no-pip", *BASE)
    first = envcheck(*check, "--update-baseline")
    assert first.status == 0
    assert "wrote base.json: " in first.errors
    assert {entry["path"] for entry in entries(envcheck)} == {"windows.txt"}
    assert "pywin32" in {entry["subject"] for entry in entries(envcheck)}

    again = envcheck(*check)
    assert again.status == 0
    assert again.output.startswith("FIXABLE for linux-64: 1 note in windows.txt\n")
    assert "\naccepted by the baseline: " in again.output
    assert "EC402" not in again.output
    assert "error EC402" in envcheck(*check, "-v").output
    assert ": no new problems in windows.txt\n" in envcheck(*check, "--ignore", "EC613").output

    lines = (envcheck.directory / "windows.txt").read_text(encoding="utf-8")
    envcheck.write("windows.txt", lines.replace("numpy=", "# moved\n\nvc=14.3=hb6edc58_4\nnumpy="))
    worse = envcheck(*check)
    assert worse.status == 1
    assert "vc (line 6)" in worse.output
    assert "pywin32" not in worse.output.partition("Dropped:")[0]


def test_programs_are_told_apart_what_is_accepted(envcheck: CommandLine) -> None:
    plain = envcheck("check", "windows.txt", "--no-pip", "--format", "json").report()
    assert "accepted" not in plain
    envcheck("check", "windows.txt", "--no-pip", *UPDATE)
    report = envcheck("check", "windows.txt", "--no-pip", *BASE, "--format", "json").report()
    counting = [finding for finding in plain["findings"] if finding["severity"] != "info"]
    assert report["accepted"] == counting
    assert report["findings"] == [finding for finding in plain["findings"] if finding["severity"] == "info"]
    assert report["verdict"] == plain["verdict"]


def test_what_is_gone_is_told_and_taken_out(envcheck: CommandLine) -> None:
    check = ("check", "windows.txt", "--no-pip", *BASE)
    envcheck(*check, "--update-baseline")
    before = entries(envcheck)
    text = (envcheck.directory / "windows.txt").read_text(encoding="utf-8")
    envcheck.write("windows.txt", "".join(line for line in text.splitlines(True) if "pywin32" not in line))
    run = envcheck(*check)
    assert run.status == 0
    assert "gone from what base.json accepts; --update-baseline takes " in run.errors
    assert envcheck(*check, "-q").errors == ""
    assert entries(envcheck) == before
    envcheck(*check, "--update-baseline")
    assert "pywin32" not in {entry["subject"] for entry in entries(envcheck)}
    assert "gone" not in envcheck(*check).errors


def test_an_update_of_one_file_leaves_the_others(envcheck: CommandLine) -> None:
    envcheck.write("other.txt", (envcheck.directory / "windows.txt").read_bytes())
    envcheck("check", "windows.txt", "--no-pip", *UPDATE)
    mine = entries(envcheck)
    envcheck("check", "other.txt", "--no-pip", *UPDATE)
    assert [entry for entry in entries(envcheck) if entry["path"] == "windows.txt"] == mine
    envcheck("check", "other.txt", "--no-pip", *UPDATE, "--ignore", "EC4")
    assert {entry["code"] for entry in entries(envcheck) if entry["path"] == "other.txt"} >= {"EC401", "EC402"}


def test_the_file_is_the_same_each_time_and_from_everywhere(envcheck: CommandLine) -> None:
    envcheck("check", "windows.txt", "clean.yml", "--no-pip", *UPDATE, PYTHONHASHSEED="1")
    first = (envcheck.directory / "base.json").read_bytes()
    envcheck("check", "clean.yml", "windows.txt", "--no-pip", *UPDATE, PYTHONHASHSEED="2")
    assert (envcheck.directory / "base.json").read_bytes() == first

    folder = envcheck.directory / "ci"
    folder.mkdir()
    (envcheck.directory / "base.json").unlink()
    envcheck("check", "windows.txt", "--no-pip", "--baseline", "ci/base.json", "--update-baseline")
    assert {entry["path"] for entry in entries(envcheck, "ci/base.json")} == {"../windows.txt"}
    source = str(envcheck.directory / "windows.txt")
    envcheck.directory = folder
    for name in ("../windows.txt", source):
        assert envcheck("check", name, "--no-pip", *BASE).status == 0


def test_settings_name_it_for_every_command(envcheck: CommandLine) -> None:
    envcheck.write("envcheck.toml", 'baseline = "base.json"\n')
    assert envcheck("check", "windows.txt", "--no-pip").status == 2
    assert envcheck("check", "windows.txt", "--no-pip", "--update-baseline").status == 0
    assert envcheck("check", "windows.txt", "--no-pip").status == 0


def test_a_lock_is_adopted(envcheck: CommandLine) -> None:
    assert envcheck("lock", "clean.yml", "--no-pip").status == 0
    text = (envcheck.directory / "conda-lock.yml").read_text(encoding="utf-8")
    before, _, after = text.partition("md5: ")
    envcheck.write("conda-lock.yml", f"{before}md5: {'f' * 32}{after[32:]}")
    assert envcheck("verify", "conda-lock.yml").status == 1
    assert envcheck("verify", "conda-lock.yml", *UPDATE).status == 0
    assert {entry["code"] for entry in entries(envcheck)} == {"EC716"}
    run = envcheck("verify", "conda-lock.yml", *BASE, "--format", "json")
    assert run.status == 0
    assert [finding["code"] for finding in run.report()["accepted"]] == ["EC716"]
    assert run.report()["counts"]["error"] == 0
    # What a check of it would find is none of a verification's: its entries are not gone for that.
    assert "gone" not in envcheck("check", "conda-lock.yml", "--no-pip", *BASE).errors


DOCKERFILE = """\
FROM mambaorg/micromamba:1.5.8
COPY windows.txt /tmp/
RUN micromamba create -n one -c conda-forge pywin32
RUN micromamba create -n two -c conda-forge --file /tmp/windows.txt
RUN conda activate one
"""


def test_a_dockerfile_is_adopted(envcheck: CommandLine) -> None:
    envcheck.write("Dockerfile", DOCKERFILE)
    docker = ("docker", "Dockerfile", "--no-pip")
    assert envcheck(*docker).status == 1
    assert envcheck(*docker, *UPDATE).status == 0
    paths = {entry["path"] for entry in entries(envcheck)}
    assert paths == {"Dockerfile", "windows.txt"}
    again = envcheck(*docker, *BASE)
    assert again.status == 0, again.output
    assert "gone" not in again.errors
    # Lines that come before change nothing.
    envcheck.write("Dockerfile", DOCKERFILE.replace("COPY", "# a word\n\nCOPY"))
    assert envcheck(*docker, *BASE).status == 0
    document = envcheck(*docker, *BASE, "--format", "json").report()
    assert document["accepted"]
    assert all(report["accepted"] for report in document["reports"])
    envcheck.write("Dockerfile", DOCKERFILE.replace("pywin32", "pywin32 vc"))
    assert envcheck(*docker, *BASE).status == 1


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be used
# ---------------------------------------------------------------------------------------------------------------------


def test_a_missing_baseline(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", *BASE)
    assert (run.status, run.output) == (2, "")
    assert run.errors == (
        "envcheck: base.json: There is no such baseline.\nhint: Check the name; --update-baseline writes it.\n"
    )


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", b'{"version": "2.1.0", "runs": []}', b"[1]"])
@pytest.mark.parametrize("update", [(), ("--update-baseline",)])
def test_a_file_that_is_no_baseline_is_refused_and_not_replaced(
    envcheck: CommandLine, content: bytes, update: tuple[str, ...]
) -> None:
    path = envcheck.write("base.json", content)
    for command in (("check", "clean.yml"), ("verify", "clean.yml"), ("docker", ".")):
        run = envcheck(*command, *BASE, *update)
        assert (run.status, run.output) == (2, "")
    assert path.read_bytes() == content


def test_wrong_usage(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "--update-baseline")
    assert run.status == 2
    assert "--update-baseline is about the file that --baseline FILE names." in run.errors
    assert envcheck("check", "clean.yml", "--baseline", ".").status == 2
    assert envcheck("check", "clean.yml", "--no-pip", "--baseline", "no/b.json", "--update-baseline").status == 3


def test_a_run_that_could_not_ask_everybody_accepts_nothing(envcheck: CommandLine, channels_directory: Path) -> None:
    envcheck("check", "windows.txt", "--no-pip", *UPDATE)
    before = entries(envcheck)
    there = {"conda-forge": "http://127.0.0.1:9/conda-forge", "pkgs/main": (channels_directory / "pkgs/main").as_uri()}
    envcheck.configure(condarc_text(there))
    run = envcheck("check", "clean.yml", "windows.txt", "--no-pip", "-c", "pkgs/main", *UPDATE)
    assert run.status == 3
    assert "base.json was not written: not everybody answered who was asked" in run.errors
    assert "gone" not in run.errors
    assert entries(envcheck) == before
