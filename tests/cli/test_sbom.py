"""The bill of materials that ``--sbom`` writes beside a lock, or without one."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envcheck.locks import conda_lock_v1
from tests.cli.running import CommandLine


def test_the_bill_holds_what_the_lock_holds(envcheck: CommandLine) -> None:
    run = envcheck("lock", "clean.yml", "-p", "linux-64", "-p", "win-64", "--sbom", "sbom.cdx.json")
    assert run.status == 0
    assert run.errors.startswith("wrote conda-lock.yml\nwrote sbom.cdx.json\n")
    text = (envcheck.directory / "sbom.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    lock = conda_lock_v1.read((envcheck.directory / "conda-lock.yml").read_text("utf-8"))
    locked = {(one.name, one.url, one.platform) for one in lock.packages}
    told = {
        (one["name"], one["externalReferences"][0]["url"], platform["value"])
        for one in bill["components"]
        for platform in one["properties"]
    }
    assert told == locked
    (root,) = [one["dependsOn"] for one in bill["dependencies"] if one["ref"] == "environment"]
    assert {one.partition("@")[0] for one in root} == {"pkg:conda/python", "pkg:conda/numpy"}


@pytest.mark.parametrize("changes", [{"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_the_same_bytes_wherever_it_is_written(envcheck: CommandLine, changes: dict[str, str]) -> None:
    assert envcheck("check", "clean.yml", "--sbom", "a.json").status == 0
    assert envcheck("check", "clean.yml", "--sbom", "b.json", **changes).status == 0
    assert (envcheck.directory / "a.json").read_bytes() == (envcheck.directory / "b.json").read_bytes()
    assert envcheck("check", "clean.yml", "--sbom", "c.json", SOURCE_DATE_EPOCH="1700000000").status == 0
    dated = json.loads((envcheck.directory / "c.json").read_text("utf-8"))
    assert dated["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_without_a_plan_there_is_no_bill(envcheck: CommandLine) -> None:
    envcheck.write("bad.yml", "channels: [conda-forge]\ndependencies: [python=3.10, numpy=99]\n")
    run = envcheck("check", "bad.yml", "--pins", "exact", "--sbom", "sbom.json")
    assert run.status == 1
    assert "sbom.json was not written: there is no solved plan" in run.errors


def test_one_bill_for_one_source(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "windows.txt", "--sbom", "sbom.json")
    assert run.status == 2
    assert "--sbom take one SOURCE" in run.errors
