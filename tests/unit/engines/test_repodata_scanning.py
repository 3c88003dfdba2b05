from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.engines import repodata_scanning
from envcheck.engines.repodata_scanning import UnsuitableError, scan_repodata

TEXT = st.text(alphabet=st.sampled_from('ab{}[]",:\\ \n\té中'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.dictionaries(TEXT, st.dictionaries(TEXT, VALUES, max_size=4), max_size=12)


def scanned(text: str) -> dict[str, Any]:
    """All that was found, put together again."""
    found: dict[str, Any] = {}
    for key, part in scan_repodata(io.StringIO(text)):
        if key == "info":
            found[key] = part
        else:
            found.setdefault(key, {}).update({name: msgspec.json.decode(raw) for name, raw in part.items()})
    return {key: value for key, value in found.items() if value}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that every member is cut somewhere."""
    monkeypatch.setattr(repodata_scanning, "_PIECE", 23)


@given(
    packages=MEMBERS,
    conda=MEMBERS,
    info=st.none() | st.dictionaries(TEXT, VALUES, max_size=3),
    indent=st.sampled_from([None, 0, 1, 4]),
    spaced=st.booleans(),
)
def test_everything_is_found_wherever_it_is_cut(
    packages: dict[str, Any], conda: dict[str, Any], info: Any, indent: int | None, *, spaced: bool
) -> None:
    document = {"info": info, "packages": packages, "removed": ["a-1-0.conda"], "packages.conda": conda}
    separators = (" , ", " : ") if spaced else (",", ":")

    for ascii_only in (True, False):
        text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only)
        expected = {key: document[key] for key in ("info", "packages", "packages.conda") if document[key]}
        assert scanned(text) == expected


def test_large_members_are_decoded_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repodata_scanning, "_PIECE", 5000)
    conda = {f"p{number}-1.0-0.conda": {"name": f"p{number}", "depends": ["a >=1,<2"]} for number in range(1000)}
    text = json.dumps({"packages": {}, "packages.conda": conda})

    parts = [part for key, part in scan_repodata(io.StringIO(text)) if key == "packages.conda"]

    assert sum(len(part) for part in parts) == 1000
    assert 5 < len(parts) < 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "[]",
        "<html>",
        '{"packages": {"a": {"b": 1}',
        '{"packages": {"a": {"b": 1},',
        '{"packages": {"a": {"b": 1}}',
        '{"packages": {"a": {"b": 1} "c": {}}}',
        '{"packages": null}',
        '{"packages": {1: {}}}',
        '{"packages": {}, "v3": {}}',
        '{"packages": {}, "repodata_version": 3}',
        '{"packages": {"a": {"b": tru}}}',
        '{"info": ' + "[" * 100_000,
    ],
)
def test_what_is_no_repodata_is_refused(text: str) -> None:
    with pytest.raises(UnsuitableError):
        scanned(text)


def test_a_number_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repodata_scanning, "_PIECE", len('{"repodata_version": 1'))

    with pytest.raises(UnsuitableError, match="12"):
        scanned('{"repodata_version": 12, "packages": {}}')


def test_other_encodings_are_refused() -> None:
    stream = io.TextIOWrapper(io.BytesIO(b'{"packages": {"\xff": {}}}'), encoding="utf-8")

    with pytest.raises(UnsuitableError, match="UTF-8"):
        list(scan_repodata(stream))
