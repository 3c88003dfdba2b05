from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.locations import local_path, open_session


def test_a_folder_is_found_again_from_its_address(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20c#é"

    assert local_path(folder.as_uri()) == folder


@pytest.mark.parametrize("url", ["https://example.org/a", "http://localhost/a", "conda-forge", ""])
def test_other_addresses_are_no_folder(url: str) -> None:
    assert local_path(url) is None


def test_a_session_has_the_users_settings() -> None:
    with open_session("/ca.pem", {"https": "http://proxy:3128"}) as session:
        assert session.verify == "/ca.pem"
        assert session.proxies == {"https": "http://proxy:3128"}
