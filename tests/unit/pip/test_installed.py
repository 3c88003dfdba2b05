"""conda's packages as a resolver has to see them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from envcheck.model import Record
from envcheck.pip.installed import Installed, installed_distributions, write_wheels


def record(name: str, version: str, *depends: str, noarch: str | None = None) -> Record:
    url = "https://conda.example.org/lab"
    return Record(
        name=name,
        version=version,
        build="0",
        build_number=0,
        subdir="linux-64",
        channel=url,
        url=f"{url}/{name}.conda",
        depends=depends,
        noarch=noarch,
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (record("numpy", "1.26.4", "python >=3.10"), {"numpy": "1.26.4"}),
        (record("typing_extensions", "4.9.0", noarch="python"), {"typing-extensions": "4.9.0"}),
        (record("pytorch", "2.1.0", "python"), {"torch": "2.1.0"}),
        (record("attrs", "23.1.0+local", "python"), {"attrs": "23.1.0"}),
        (record("_ipyw_jlab_nb_ext_conf", "0.1.0", "python"), {}),
        (record("openssl", "3.2.0"), {}),
        (record("oddity", "2024a_b", "python"), {}),
    ],
)
def test_what_a_conda_package_brings(one: Record, expected: dict[str, str]) -> None:
    assert {name: it.version for name, it in installed_distributions([one]).items()} == expected


def test_a_wheel_of_metadata_needs_nothing(tmp_path: Path) -> None:
    one = Installed(name="foo-bar", version="1.0", conda_name="foo_bar")
    write_wheels(tmp_path, [one], {"foo-bar": {"extra"}})

    (path,) = tmp_path.iterdir()
    assert path.name == "foo_bar-1.0+conda-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        metadata = archive.read("foo_bar-1.0+conda.dist-info/METADATA").decode()
    assert "Provides-Extra: extra" in metadata
    assert "Requires-Dist" not in metadata


@pytest.mark.parametrize(("specifier", "met"), [("", True), ("==1.0", True), (">=1.1", False), ("~=1.0", True)])
def test_a_specifier_ignores_the_label(specifier: str, *, met: bool) -> None:
    assert Installed(name="x", version="1.0", conda_name="x").meets(specifier) is met


def test_extras_state_what_they_need(tmp_path: Path) -> None:
    needs = ("more>=1 ; extra == 'x'", 'other ; python_version > "3" and extra == "y-z"')
    write_wheels(tmp_path, [Installed(name="demo", version="1.0", conda_name="demo", needs=needs)], {"demo": {"asked"}})
    (wheel,) = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("demo-1.0+conda.dist-info/METADATA").decode()
    assert [line for line in metadata.splitlines() if line.startswith(("Provides", "Requires"))] == [
        "Provides-Extra: asked",
        "Provides-Extra: x",
        "Provides-Extra: y-z",
        *(f"Requires-Dist: {line}" for line in needs),
    ]
