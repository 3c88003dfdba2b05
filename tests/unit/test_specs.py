"""Conda's grammar: what is read as what, and how versions are ordered."""

from __future__ import annotations

import pytest

from envcheck.model import Record
from envcheck.specs import (
    dependency_parts,
    exact_spec,
    is_version,
    matches,
    nearest_versions,
    parse_requirement,
    satisfies,
    sort_versions,
    spec_text,
    version_key,
)


@pytest.mark.parametrize(
    ("text", "version", "pin", "build"),
    [
        ("numpy", None, None, None),
        ("numpy=1.2", "1.2.*", "1.2", None),
        ("numpy =1.2", "1.2.*", "1.2", None),
        ("numpy=1.2.*", "1.2.*", "1.2", None),
        ("numpy 1.2.*", "1.2.*", "1.2", None),
        ("numpy==1.2", "==1.2", "1.2", None),
        ("numpy 1.2", "==1.2", "1.2", None),
        ("numpy=1.2=py39_0", "==1.2", "1.2", "py39_0"),
        ("numpy 1.2 py39_0", "==1.2", "1.2", "py39_0"),
        ("numpy 1!2.0", "==1!2.0", "1!2.0", None),
        ("numpy>=1.2,<2", ">=1.2,<2", None, None),
        ("numpy ~=1.2", "~=1.2", None, None),
        ("numpy !=1.2", "!=1.2", None, None),
        ("numpy 1.2|1.3", "==1.2|==1.3", None, None),
        ("numpy * mkl", "*", None, "mkl"),
        ("numpy=*=*cuda*", "*", None, "*cuda*"),
        ("numpy[version='>=1.2',build='py39*']", ">=1.2", None, "py39*"),
        ("numpy ==custom", "==custom", None, None),
        ("  numpy  1.2 ", "==1.2", "1.2", None),
    ],
)
def test_forms_of_a_spec(text: str, version: str | None, pin: str | None, build: str | None) -> None:
    found = parse_requirement(text, line=7)

    assert (found.name, found.version, found.pin, found.build) == ("numpy", version, pin, build)
    assert (found.line, found.text) == (7, text.strip())


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("conda-forge::numpy=1.2", "conda-forge"),
        ("pkgs/main::numpy", "pkgs/main"),
        ("numpy[channel=conda-forge]", "conda-forge"),
        ("https://host.example/ch::numpy=1", "https://host.example/ch"),
        ("numpy", None),
    ],
)
def test_channel_of_a_spec(text: str, channel: str | None) -> None:
    assert parse_requirement(text, line=1).channel == channel


def test_names_are_lower_case_and_what_was_written_is_kept() -> None:
    found = parse_requirement("NumPy", line=1, written="- NumPy  # comment")

    assert (found.name, found.text) == ("numpy", "- NumPy  # comment")


@pytest.mark.parametrize("text", ["", "*", "nump*", "numpy=", "numpy===1.2", "numpy@1", "numpy[md5=abc]"])
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_requirement(text, line=1)


@pytest.mark.parametrize(
    "text", ["numpy", "numpy ==1.2", "numpy 1.2.*", "numpy >=1.2,<2", "numpy * mkl", "numpy ==1.2 py39_0"]
)
def test_spec_text_reads_back(text: str) -> None:
    first = parse_requirement(text, line=1)
    again = parse_requirement(spec_text(first), line=1)

    assert spec_text(first) == text
    assert (again.version, again.pin, again.build) == (first.version, first.pin, first.build)


def test_exact_spec() -> None:
    assert exact_spec("numpy", "1.26.4") == "numpy ==1.26.4"
    assert exact_spec("numpy", "1.26.4", "py310h_0") == "numpy ==1.26.4 py310h_0"


@pytest.mark.parametrize("text", ["1", "1.2.3", "1!2.0", "2022.08.1", "1.0rc1", "1.0+cpu", "2022_1", "v1.2", "9e"])
def test_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize("text", ["custom", "", "latest", "1.2 3", "1..2", "1.2=0", "pypi", "*"])
def test_what_names_no_release(text: str) -> None:
    assert not is_version(text)


def test_a_word_that_is_no_version_has_no_place_in_the_order() -> None:
    with pytest.raises(ValueError, match="not a conda version"):
        version_key("1..2")


def test_versions_are_in_condas_order() -> None:
    # The order that CEP 33 gives as its example, with dates and post releases between.
    ordered = ["0.4.1.rc", "0.4.1", "0.5a1", "0.5b3", "0.5", "0.9.6", "1.0rc1", "1.0", "1.0.post1", "1.1", "2020.1"]

    assert sort_versions(reversed(ordered)) == ordered
    assert sort_versions(ordered, newest_first=True) == ordered[::-1]


def test_equal_versions_are_told_apart_by_their_text_only() -> None:
    assert sort_versions(["1.0.0", "1.0", "1", "1.0"]) == ["1", "1.0", "1.0.0"]


@pytest.mark.parametrize(
    ("version", "constraint", "answer"),
    [
        ("1.2.3", None, True),
        ("1.2.3", "*", True),
        ("1.2.3", "1.2.*", True),
        ("1.20", "1.2.*", False),
        ("1.2.0", "==1.2", True),
        ("1.2.1", "==1.2", False),
        ("2.0", ">=1,<2.0a0", False),
        ("2.0rc1", ">=1,<2", True),
        ("1.3", "==1.2|==1.3", True),
        ("1.5", "!=1.5", False),
    ],
)
def test_satisfies(version: str, constraint: str | None, answer: bool) -> None:
    assert satisfies(version, constraint) is answer


@pytest.mark.parametrize(
    ("dependency", "parts"),
    [
        ("python", ("python", None, None)),
        ("python >=3.10,<3.11.0a0", ("python", ">=3.10,<3.11.0a0", None)),
        ("python_abi 3.10.* *_cp310", ("python_abi", "3.10.*", "*_cp310")),
        ("blas * mkl", ("blas", "*", "mkl")),
        ("__glibc >=2.17,<3.0.a0", ("__glibc", ">=2.17,<3.0.a0", None)),
        ("foo 1.0.*|2.0", ("foo", "1.0.*|==2.0", None)),
        ("pytz <=2020.*", ("pytz", "<=2020", None)),
        ("Foo_Bar 1", ("foo_bar", "==1", None)),
        # Entries that stand in real repodata and that no parser accepts.
        ("foo >=1.8,<2.0a0,!=1.9.*,", ("foo", None, None)),
        ("x 1.2.3.*.4", ("x", None, None)),
        ("Foo ==", ("foo", None, None)),
        ("", ("", None, None)),
    ],
)
def test_dependency_parts(dependency: str, parts: tuple[str, str | None, str | None]) -> None:
    assert dependency_parts(dependency) == parts


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("numpy", True),
        ("NumPy >=1.26,<2", True),
        ("numpy ==1.26.4 py310h1234567_0", True),
        ("numpy * py310*", True),
        ("numpy * py311*", False),
        ("numpy 1.25.*", False),
        ("scipy", False),
        ("numpy >=1.8,<2.0a0,!=1.9.*,", True),
        ("scipy >=1.8,<2.0a0,!=1.9.*,", False),
    ],
)
def test_matches(spec: str, answer: bool) -> None:
    numpy = Record(
        name="numpy",
        version="1.26.4",
        build="py310h1234567_0",
        build_number=0,
        subdir="linux-64",
        channel="https://host.example/ch",
        url="https://host.example/ch/linux-64/numpy-1.26.4-py310h1234567_0.conda",
        md5="0" * 32,
        sha256="0" * 64,
    )

    assert matches(spec, numpy) is answer


def test_nearest_versions_same_minor_then_same_major_then_the_rest() -> None:
    available = ["2.0", "1.22.0", "1.21.0", "0.9", "1.20.3", "1.21.5", "1.21.6"]

    assert nearest_versions("1.21.2", available, limit=9) == (
        "1.21.5",
        "1.21.0",
        "1.21.6",
        "1.22.0",
        "1.20.3",
        "2.0",
        "0.9",
    )
    assert nearest_versions("1.21.2", available) == ("1.21.5", "1.21.0", "1.21.6")


def test_nearest_versions_reads_numbers_and_not_texts() -> None:
    # certifi and tzdata write months with and without a leading zero.
    assert nearest_versions("2022.09.24", ["2022.12.7", "2022.9.14"], limit=1) == ("2022.9.14",)


def test_nearest_versions_of_nothing_and_of_no_version() -> None:
    assert nearest_versions("1.0", []) == ()
    with pytest.raises(ValueError, match="not a conda version"):
        nearest_versions("1..0", ["1.0"])
