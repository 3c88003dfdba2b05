"""No credential survives masking or stripping, and nothing else is touched."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.secrets import mask, split_secrets, strip_secrets

_WORD = st.text(string.ascii_letters + string.digits, min_size=12, max_size=20)
_PLAIN = st.sampled_from(
    (
        "",
        "conda-forge",
        "https://conda.anaconda.org/conda-forge",
        "https://conda.anaconda.org/conda-forge/label/t/x/linux-64",
        "file:///home/t/channel",
        "/home/t/tk/channel",
        "C:\\Users\\t\\channel",
        "git+ssh://git@github.com/team/project.git@v1.2",
        "numpy @ file:///C:/ci/numpy_1/work",
        "python=3.10.4=h12debd9_0",
        "https://host:8080/path?a=b&c=d#md5=0123",
        "write to me@example.org",
    )
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://conda.anaconda.org/t/tk-1-2/team/linux-64", "https://conda.anaconda.org/t/<TOKEN>/team/linux-64"),
        ("https://user:pass@host/ch", "https://***@host/ch"),
        ("https://ghp_0123@github.com/x", "https://***@github.com/x"),
        ("https://user:pa/ss@host/ch", "https://***@host/ch"),
        ("https://user:p@ss@host/ch", "https://***@host/ch"),
        ("https://host/ch?token=abc&x=1", "https://host/ch?token=***&x=1"),
        ("https://host/api/t/abc?x", "https://host/api/t/<TOKEN>?x"),
        ("anaconda.org/t/abc/ch", "anaconda.org/t/<TOKEN>/ch"),
        ("ARG PIP_TOKEN=abc X=1", "ARG PIP_TOKEN=*** X=1"),
        ('ENV DB_PASSWORD "a b"', "ENV DB_PASSWORD ***"),
        ("ENV API_KEY=$OTHER tokenizers=0.15 TOKENS=3", "ENV API_KEY=$OTHER tokenizers=0.15 TOKENS=3"),
        ("https://host/t/a/t/b/team", "https://host/t/<TOKEN>/team"),
        ("two: https://a:b@h/x, https://h/t/k/y", "two: https://***@h/x, https://h/t/<TOKEN>/y"),
    ],
)
def test_each_form_of_credential_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(_PLAIN)
def test_text_without_secrets_is_unchanged(text: str) -> None:
    # /t/x after a host is a token wherever it stands, so that one URL is excepted.
    if "/label/t/" not in text:
        assert mask(text) == text
        assert strip_secrets(text) == text


@given(secrets=st.tuples(_WORD, _WORD, _WORD, _WORD), before=_PLAIN, after=_PLAIN)
def test_no_secret_survives(secrets: tuple[str, str, str, str], before: str, after: str) -> None:
    user, password, token, value = secrets
    url = f"https://{user}:{password}@host.example/conda/t/{token}/channel?access_token={value}"
    for text in (mask(f"{before} {url} {after}"), strip_secrets(url), repr(split_secrets(url))):
        assert not [secret for secret in secrets if secret in text]


@given(st.text(alphabet="ht ps:/@?&=#t.a<>*-", max_size=60))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(user=_WORD, password=_WORD, token=_WORD)
def test_stripped_urls_have_nothing_to_mask(user: str, password: str, token: str) -> None:
    clean = strip_secrets(f"https://{user}:{password}@host/t/{token}/channel")
    assert clean == "https://host/channel"
    assert mask(clean) == clean == strip_secrets(clean)


def test_splitting_gives_the_parts_back() -> None:
    found = split_secrets("https://user:pass@host/t/tok/channel?token=x&keep=1#md5=0")
    assert (found.url, found.user_information, found.token) == ("https://host/channel?keep=1#md5=0", "user:pass", "tok")
    assert found.has_secrets
    assert not split_secrets("https://host/channel").has_secrets
