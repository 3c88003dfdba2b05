from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from envcheck.locks.contents import LockError, PlatformLock
from envcheck.locks.sbom import purl_of_distribution, purl_of_record, render
from tests.unit.locks.making import COMMIT, DISTRIBUTIONS, PACKAGES, conda, wheel

LINUX = PlatformLock(
    platform="linux-64", packages=PACKAGES, distributions=DISTRIBUTIONS, provided=(("typing-extensions", "six"),)
)


def document(*locks: PlatformLock, **more: Any) -> dict[str, Any]:
    """The bill as JSON, valid by CycloneDX's own schema."""
    text = render(locks, name="trust", **more)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def needs(bill: dict[str, Any]) -> dict[str, set[str]]:
    """Who needs whom, by name."""

    def name(reference: str) -> str:
        return reference if reference == "environment" else PackageURL.from_string(reference).name

    return {
        name(one["ref"]): {name(other) for other in one.get("dependsOn", ())}
        for one in bill["dependencies"]
        if one["ref"] != "envcheck"
    }


def test_every_file_of_the_lock_is_a_component_with_its_hashes_and_its_address() -> None:
    bill = document(LINUX)
    components = {one["name"]: one for one in bill["components"]}
    assert set(components) == {one.name for one in (*PACKAGES, *DISTRIBUTIONS)}
    for record in PACKAGES:
        found = components[record.name]
        assert {one["alg"]: one["content"] for one in found["hashes"]} == {"MD5": record.md5, "SHA-256": record.sha256}
        assert found["externalReferences"] == [{"type": "distribution", "url": record.url}]
        assert found["version"] == record.version
        assert found["bom-ref"] == found["purl"] == purl_of_record(record)
    assert components["mike"]["externalReferences"][0]["type"] == "vcs"
    assert "hashes" not in components["mike"]
    assert components["zlib"]["properties"] == [{"name": "envcheck:platform", "value": "linux-64"}]


@pytest.mark.parametrize(
    ("channel", "shown"),
    [
        ("https://conda.anaconda.org/conda-forge", "conda-forge"),
        ("https://conda.anaconda.org/conda-forge/label/dev", "conda-forge/label/dev"),
        ("https://repo.anaconda.com/pkgs/main/", "main"),
        ("https://mirror.example.org/conda/private", "https://mirror.example.org/conda/private"),
        ("https://lee:hunter2@mirror.example.org/t/tk-12345678/private", "https://mirror.example.org/private"),
    ],
)
def test_the_package_url_of_a_conda_package(channel: str, shown: str) -> None:
    record = replace(conda("zlib", "1.3.1", "hb9d3cd8_2"), channel=channel)
    found = PackageURL.from_string(purl_of_record(record))
    assert (found.type, found.namespace, found.name, found.version) == ("conda", None, "zlib", "1.3.1")
    assert found.qualifiers == {"build": "hb9d3cd8_2", "channel": shown, "subdir": "linux-64", "type": "conda"}


def test_the_example_of_the_specification() -> None:
    record = replace(
        conda("absl-py", "0.4.1", "py36h06a4308_0"),
        channel="https://repo.anaconda.com/pkgs/main",
        url="https://repo.anaconda.com/pkgs/main/linux-64/absl-py-0.4.1-py36h06a4308_0.tar.bz2",
    )
    expected = "pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64&type=tar.bz2"
    assert purl_of_record(record) == expected


def test_the_package_url_of_a_distribution() -> None:
    pypi, elsewhere, commit = wheel("requests", "2.28"), wheel("inner", "1.0+cu118"), DISTRIBUTIONS[2]
    elsewhere = replace(elsewhere, url="https://wheels.example.org/inner-1.0%2Bcu118-py3-none-any.whl")
    assert purl_of_distribution(pypi) == "pkg:pypi/requests@2.28?file_name=requests-2.28-py3-none-any.whl"
    found = PackageURL.from_string(purl_of_distribution(elsewhere))
    assert (found.version, found.qualifiers["download_url"]) == ("1.0+cu118", elsewhere.url)  # type: ignore[index]
    told = PackageURL.from_string(purl_of_distribution(commit)).qualifiers
    assert told == {"vcs_url": f"git+https://github.com/example/mike@{COMMIT}"}


def test_the_graph_is_that_of_the_records_and_of_the_metadata() -> None:
    graph = needs(document(LINUX, direct=["six", "requests", "mike"]))
    assert graph["zlib"] == {"libgcc"}  # no virtual package
    assert graph["python"] == {"zlib", "libgcc", "pip"}
    assert graph["pip"] == {"python"}
    assert graph["requests"] == {"urllib3", "python"}  # no extra
    assert graph["mike"] == {"six", "python"}
    assert graph["environment"] == {"six", "requests", "mike"}


def test_without_a_word_of_what_was_asked_for_the_environment_needs_what_nobody_else_does() -> None:
    lock = PlatformLock(platform="linux-64", packages=(conda("a", "1", "0", "b"), conda("b", "1", "0")))
    assert needs(document(lock))["environment"] == {"a"}


def test_several_platforms_share_a_bill_and_what_is_the_same_stands_in_it_once() -> None:
    windows = PlatformLock(
        platform="win-64", packages=(PACKAGES[2], conda("python", "3.10.14", "h0_0_cpython", subdir="win-64"))
    )
    bill = document(LINUX, windows)
    (six,) = [one for one in bill["components"] if one["name"] == "six"]
    assert [one["value"] for one in six["properties"]] == ["linux-64", "win-64"]
    pythons = [one["bom-ref"] for one in bill["components"] if one["name"] == "python"]
    assert len(pythons) == 2
    (edges,) = [one["dependsOn"] for one in bill["dependencies"] if one["ref"] == six["bom-ref"]]
    assert sorted(edges) == sorted(pythons)


def test_the_same_lock_gives_the_same_bytes_and_another_one_another_number() -> None:
    first, second = render([LINUX], name="trust"), render([LINUX], name="trust")
    assert first == second
    backwards = replace(LINUX, packages=PACKAGES[::-1], distributions=DISTRIBUTIONS[::-1])
    assert render([backwards], name="trust") == first
    bill, other = document(LINUX), document(replace(LINUX, packages=PACKAGES[:-1]))
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f-]{17}", bill["serialNumber"])
    assert bill["serialNumber"] != other["serialNumber"]
    assert "timestamp" not in bill["metadata"]
    assert document(LINUX, date=1_700_000_000)["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("url", ["https://lee:hunter2@example.org/linux-64/a-1-0.conda", ""])
def test_no_secret_and_no_unknown_place_gets_in(url: str) -> None:
    lock = PlatformLock(platform="linux-64", packages=(replace(conda("a", "1", "0"), url=url),))
    with pytest.raises(LockError):
        render([lock], name="x")


def test_an_empty_lock_has_a_bill_too() -> None:
    bill = document(PlatformLock(platform="linux-64", packages=()))
    assert bill["metadata"]["component"]["name"] == "trust"
    assert bill.get("components", []) == []
