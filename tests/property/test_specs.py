"""Laws of versions, specs and builds, for any of them."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.builds import python_of_build, variant_of_build
from envcheck.specs import (
    dependency_parts,
    exact_spec,
    is_version,
    nearest_versions,
    parse_requirement,
    satisfies,
    sort_versions,
    spec_text,
    version_key,
)

LAWS = settings(derandomize=True, deadline=None, max_examples=150)

NUMBERS = st.integers(0, 12).map(str)
VERSIONS = st.builds(
    lambda epoch, parts, suffix: epoch + ".".join(parts) + suffix,
    st.sampled_from(["", "", "", "1!"]),
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.sampled_from(["", "", "", "rc1", ".post1", "a0", "+cpu"]),
)
RELEASES = st.lists(NUMBERS, min_size=2, max_size=3).map(".".join)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}([-_.][a-z0-9]{1,4}){0,2}", fullmatch=True)
BUILDS = st.from_regex(r"(py3[0-9]{1,2})?h[0-9a-f]{7}_[0-9]{1,3}", fullmatch=True)


@LAWS
@given(st.lists(VERSIONS, max_size=8))
def test_sorting_is_a_total_order_on_distinct_texts(versions: list[str]) -> None:
    ordered = sort_versions(versions)

    assert set(ordered) == set(versions)
    assert len(ordered) == len(set(versions))
    assert all(version_key(left) <= version_key(right) for left, right in itertools.pairwise(ordered))
    assert sort_versions(reversed(versions)) == ordered
    assert sort_versions(versions, newest_first=True) == ordered[::-1]


@LAWS
@given(RELEASES, st.lists(RELEASES, max_size=12), st.integers(0, 12))
def test_nearest_versions_obey_their_order(wanted: str, available: list[str], limit: int) -> None:
    every = nearest_versions(wanted, available, limit=len(available))
    parts = wanted.split(".")

    def closeness(version: str) -> int:
        """0: same minor version, 1: same major version, 2: neither."""
        other = version.split(".")
        return 0 if other[:2] == parts[:2] else 1 if other[0] == parts[0] else 2

    assert sorted(every) == sorted(set(available))
    assert nearest_versions(wanted, available[::-1], limit=limit) == every[:limit]
    assert [closeness(version) for version in every] == sorted(closeness(version) for version in every)
    for group in (0, 1, 2):
        members = [version for version in every if closeness(version) == group]
        newer = [version for version in members if version_key(version) >= version_key(wanted)]
        older = [version for version in members if version_key(version) < version_key(wanted)]
        # On either side the nearer comes first, and the two sides take turns, the newer one first.
        assert newer == sort_versions(newer)
        assert older == sort_versions(older, newest_first=True)
        turns = [version for pair in zip(newer, older, strict=False) for version in pair]
        assert members[: len(turns)] == turns


@LAWS
@given(VERSIONS)
def test_a_version_satisfies_what_names_it(version: str) -> None:
    assert is_version(version)
    assert satisfies(version, f"=={version}")
    assert satisfies(version, f">={version},<={version}")
    assert not satisfies(version, f"!={version}")
    assert satisfies(version, None)


@LAWS
@given(VERSIONS, VERSIONS)
def test_constraints_agree_with_the_order(left: str, right: str) -> None:
    assert satisfies(left, f"<={right}") == (version_key(left) <= version_key(right))
    assert satisfies(left, f"<{right}") != satisfies(left, f">={right}")


@LAWS
@given(NAMES, RELEASES, st.none() | BUILDS)
def test_an_exact_spec_reads_back(name: str, version: str, build: str | None) -> None:
    found = parse_requirement(exact_spec(name, version, build), line=1)

    assert (found.name, found.pin, found.build) == (name, version, build)
    assert spec_text(found) == exact_spec(name, version, build)
    assert dependency_parts(spec_text(found)) == (name, f"=={version}", build)


@LAWS
@given(st.text(max_size=40))
def test_no_dependency_and_no_build_is_too_strange(text: str) -> None:
    name, _, _ = dependency_parts(text)
    python = python_of_build(text)
    variant = variant_of_build(text)

    assert name == name.lower()
    assert python is None or python.startswith(("2.", "3."))
    assert variant is None or variant.strip("*") in text.lower()


@LAWS
@given(BUILDS)
def test_a_hash_names_no_variant(build: str) -> None:
    assert variant_of_build(build) is None


@LAWS
@given(st.sampled_from(["2.7", "3.6", "3.8", "3.9", "3.10", "3.13"]), st.from_regex(r"h[0-9a-f]{7}", fullmatch=True))
def test_a_build_bound_to_a_python_says_which(python: str, digest: str) -> None:
    short = python.replace(".", "")

    for build in (f"py{short}{digest}_0", f"py{short}_0", f"cuda112py{short}{digest}_1", f"py{python}_cuda11.8_0"):
        assert python_of_build(build) == python
