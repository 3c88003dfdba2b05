from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.locks.channel_variables import holds_credentials, written_channel
from envcheck.model import Channel

TOKEN = "tk-1f2e3d4c-5b6a-7988-secret"  # noqa: S105  # opens nothing
HOST = "https://host.example/conda/private"


def channel(location: str, url: str = HOST) -> Channel:
    return Channel(name="private", url=url, locations=(location,))


@pytest.mark.parametrize(
    ("location", "environment", "written", "variables"),
    [
        (HOST, {"A_TOKEN": TOKEN}, HOST, ()),
        (
            f"https://host.example/t/{TOKEN}/conda/private",
            {"A": TOKEN, "MY_REPO_TOKEN": TOKEN},
            "https://host.example/t/${MY_REPO_TOKEN}/conda/private",
            ("MY_REPO_TOKEN",),
        ),
        (
            f"https://host.example/conda/t/{TOKEN}/private",
            {"ANY": TOKEN},
            "https://host.example/conda/t/${ANY}/private",
            ("ANY",),
        ),
        (f"https://host.example/t/{TOKEN}/conda/private", {"A_TOKEN": "other", "BASH_FUNC_x%%": TOKEN}, HOST, ()),
        (
            "https://host.example/t/$SPELLED_OUT/conda/private",
            {},
            "https://host.example/t/${SPELLED_OUT}/conda/private",
            ("SPELLED_OUT",),
        ),
        (
            "https://me:p%40ss@host.example/conda/private",
            {"REPO_USER": "me", "REPO_PASSWORD": "p@ss"},
            "https://${REPO_USER}:${REPO_PASSWORD}@host.example/conda/private",
            ("REPO_PASSWORD", "REPO_USER"),
        ),
        ("https://me:secret@host.example/conda/private", {"REPO_PASSWORD": "secret"}, HOST, ()),
        (
            f"https://me@host.example/t/{TOKEN}/conda/private/",
            {"USER": "me", "KEY": TOKEN},
            "https://${USER}@host.example/t/${KEY}/conda/private",
            ("KEY", "USER"),
        ),
        # A mirror is not what the lock names.
        (f"https://mirror.example/t/{TOKEN}/conda/private", {"A_TOKEN": TOKEN}, HOST, ()),
    ],
)
def test_a_secret_becomes_the_variable_that_holds_it(
    location: str, environment: dict[str, str], written: str, variables: tuple[str, ...]
) -> None:
    found = written_channel(channel(location), environment)
    assert (found.url, found.written, found.variables) == (HOST, written, variables)
    assert not holds_credentials(found.written)
    assert found.package_url(f"{HOST}/noarch/x-1-0.conda") == f"{written}/noarch/x-1-0.conda"
    assert found.package_url(f"{HOST}2/noarch/x-1-0.conda") == f"{HOST}2/noarch/x-1-0.conda"


def test_conda_lock_writes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = pytest.importorskip("conda_lock.models.channel", exc_type=ImportError)
    environment = {"MY_REPO_TOKEN": TOKEN, "REPO_USER": "me", "REPO_PASSWORD": "secret"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for location in (f"https://host.example/t/{TOKEN}/conda/private", "https://me:secret@host.example/conda/private"):
        theirs = channels.Channel.from_string(location)
        ours = written_channel(channel(location), environment)
        assert (ours.written, ours.variables) == (theirs.url, theirs.used_env_vars)
        assert theirs.env_replaced_url() == location


@given(
    st.text(alphabet="abcXYZ019-", min_size=8, max_size=20),
    st.dictionaries(st.sampled_from(["A", "B_TOKEN", "USER", "KEY"]), st.text("abcXYZ019-", min_size=8, max_size=20)),
    st.booleans(),
)
def test_no_value_of_a_secret_is_ever_written(token: str, environment: dict[str, str], held: bool) -> None:
    if held:
        environment = {**environment, "HELD": token}
    found = written_channel(channel(f"https://host.example/t/{token}/conda/private"), environment)
    assert token not in found.written
    assert bool(found.variables) is (token in environment.values())


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("https://host.example/t/${A_TOKEN}/x/linux-64/x-1-0.conda", False),
        ("https://host.example/t/$A_TOKEN/x/linux-64/x-1-0.conda", False),
        ("https://${U}:${P}@host.example/x", False),
        ("https://host.example/t/tk-123-abc/x", True),
        ("https://host.example/t/${A}tk-123-abc/x", True),
        ("https://${U}:secret@host.example/x", True),
        ("https://${U}:${P}@host.example/t/tk-123-abc/x", True),
    ],
)
def test_a_variable_is_no_secret(url: str, holds: bool) -> None:
    assert holds_credentials(url) is holds
