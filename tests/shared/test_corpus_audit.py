"""Which files of the real corpus an audit takes for exports, by the start of their content's SHA-256 alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envcheck.audit_sources import find_sources

pytestmark = pytest.mark.shared

# Written by hand, names and ranges: named it is read, found it may be anybody's list of wishes.
WISHES = {"142559b1bbdd"}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_every_export_is_found_and_nothing_else(shared_directory: Path) -> None:
    folder = shared_directory / "corpus" / "exports"
    found = {one.path for one in find_sources([str(folder)])}
    missed = {path for path in folder.iterdir() if path not in found}

    assert {digest(path) for path in missed} == WISHES


def test_what_lies_beside_dockerfiles_is_told_apart(shared_directory: Path) -> None:
    folder = shared_directory / "corpus" / "docker"
    found = {one.path.name for one in find_sources([str(folder)])}

    assert all(name.endswith(("yml", "yaml", "lock", "txt")) for name in found)
    assert not any("renv" in name or "Dockerfile" in name or "noop" in name for name in found)
    assert len(found) > 15
