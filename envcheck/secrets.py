"""Credentials in text and URLs: hiding them before anything is shown, logged or written, and taking them off URLs.

Conda URLs carry credentials in three places: a token in the path (``/t/<TOKEN>/``, anaconda.org and Anaconda Server),
user information before the host (``user:password@``) and, on some servers, a query parameter (``?token=…``). The path
form is conda's own (``split_anaconda_token`` in ``conda/common/url.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SplitUrl", "mask", "mask_document", "split_secrets", "strip_secrets"]

# What stands where a secret stood. conda writes <TOKEN> too, so its users know what it means.
_TOKEN_MASK = "<TOKEN>"  # noqa: S105 - the mask itself, no secret
_MASK = "***"

# Names that address a service, not a person: ``git+ssh://git@github.com/…`` has nothing to hide.
_PUBLIC_USERS = frozenset({"git", "hg", "svn"})

_QUERY_NAMES = (
    "token|access_token|auth_token|private_token|api_key|apikey|auth|password|passwd|secret|sig|signature"
    "|x-amz-signature|x-amz-credential|x-amz-security-token|awsaccesskeyid"
)

# Bounded, like every search here that starts anew at each of many places: no text takes the square of its length.
_SCHEME = r"(?:\b[A-Za-z][A-Za-z0-9+.\-]{0,40}:)?//"

# User information ends at the last @ before the path, query or fragment.
_USER = re.compile(rf"(?P<scheme>{_SCHEME})(?P<user>[^\s/?#\"'`]*)@")
# After ``name:`` only digits are a port; anything else is a password, even one with a raw / ? or # in it.
_RAW_PASSWORD = re.compile(rf"(?P<scheme>{_SCHEME})(?P<user>[^\s:/@?#\"'`]+:(?!\d*(?:[/?#\s\"'`]|$))[^\s@]{{0,8192}})@")
# A path token inside a URL of a network scheme; /home/t/data and file:///t/data hold none.
_URL_TOKEN = re.compile(
    r"(?P<lead>\b(?!file:)[A-Za-z][A-Za-z0-9+.\-]{0,40}://(?:(?!/t/)\S){0,8192}?/t/)(?P<token>[^\s/?#\"'`]+)"
)
# One token is all that servers know, but a second would be as secret as the first.
_MORE_TOKENS = re.compile(rf"(?<=/t/{_TOKEN_MASK})(?:/t/[^\s/?#\"'`]+)+")
# Without a scheme, where either the host or the shape of the token says what it is.
_BARE_TOKEN = re.compile(
    r"(?P<lead>(?:\b(?:anaconda\.(?:org|com)|prefix\.dev)/(?:[^\s/]+/){0,20}?t/)|/t/(?=[A-Za-z]{2}-[0-9a-fA-F]))"
    r"(?P<token>[^\s/?#\"'`]+)"
)
_PARAMETER = re.compile(rf"(?P<lead>[?&;](?:{_QUERY_NAMES})=)(?P<value>[^\s&#\"'`;]+)", re.IGNORECASE)
_PARAMETER_TO_REMOVE = re.compile(rf"(?P<lead>[?&;])(?:{_QUERY_NAMES})=[^\s&#;]*", re.IGNORECASE)

# Variables of the environment and arguments of a build whose names say what they hold. In capitals alone: packages are
# called ``tokenizers=0.15`` and ``secretstorage=3.3``. A reference to another variable gives nothing away.
_VARIABLE_NAME = (
    r"(?:[A-Z0-9]+_){0,8}(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|APIKEY|API_KEY|ACCESS_KEY|SECRET_KEY|CREDENTIALS)"
)
_VARIABLE = re.compile(
    rf"(?P<lead>(?<![A-Za-z0-9_])(?:ENV[ \t]+{_VARIABLE_NAME}[ \t]+|{_VARIABLE_NAME}=))"
    r"(?P<value>\"[^\"$\n]+\"|'[^'\n]+'|[^\s\"'`&;$]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitUrl:
    """A URL and the credentials that were taken off it.

    ``url`` is free of secrets; ``user_information`` is what stood before ``@``, ``token`` what stood after ``/t/``.
    """

    url: str
    user_information: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def has_secrets(self) -> bool:
        """Whether the URL carried user information or a token."""
        return self.user_information is not None or self.token is not None


def mask(text: str) -> str:
    """Hide every credential in ``text``.

    Args:
        text: Any text: a URL, a line of a file, an error message of a library.

    Returns:
        The same text with ``<TOKEN>`` for path tokens and ``***`` for user information, query parameters and values of
        variables that are called a token, a password or the like. Text
        without credentials is returned unchanged, and masking twice is masking once.
    """
    given = text
    if "//" in text:
        text = _RAW_PASSWORD.sub(_hide_user, text)
        text = _USER.sub(_hide_user, text)
    if "t/" in text:
        text = _URL_TOKEN.sub(rf"\g<lead>{_TOKEN_MASK}", text)
        text = _BARE_TOKEN.sub(rf"\g<lead>{_TOKEN_MASK}", text)
        text = _MORE_TOKENS.sub("", text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\g<lead>{_MASK}", text)
    if "=" in text or "ENV" in text:
        text = _VARIABLE.sub(rf"\g<lead>{_MASK}", text)
    # The very object: a message that has nothing to hide stays one.
    return given if text == given else text


def split_secrets(url: str) -> SplitUrl:
    """Take the credentials off one URL.

    Args:
        url: A URL; a channel name or a path is returned as it is.

    Returns:
        The URL without user information, ``/t/<TOKEN>`` and secret query parameters, and the first two of these.
    """
    user_information: str | None = None
    token: str | None = None
    if found := (_RAW_PASSWORD.match(url) or _USER.match(url)):
        user_information = found["user"]
        if user_information not in _PUBLIC_USERS:
            url = found["scheme"] + url[found.end() :]
        else:
            user_information = None
    # One token is all that servers know, but a second would be as secret as the first.
    while found := (_URL_TOKEN.match(url) or _BARE_TOKEN.search(url)):
        token = token if token is not None else found["token"]
        url = found.string[: found.start("token") - len("/t/")] + url[found.end("token") :]
    return SplitUrl(url=_without_parameters(url), user_information=user_information, token=token)


def strip_secrets(url: str) -> str:
    """``url`` without credentials: what may stand in a lock or a report.

    Args:
        url: A URL, a channel name or a path.

    Returns:
        The URL that `mask` has nothing to hide in.
    """
    # What stands before the URL, or a second one behind it, is no part of a URL that could be taken apart.
    return mask(split_secrets(url).url)


def _hide_user(found: re.Match[str]) -> str:
    if found["user"] in _PUBLIC_USERS:
        return found[0]
    return f"{found['scheme']}{_MASK}@"


def _without_parameters(url: str) -> str:
    cleaned = _PARAMETER_TO_REMOVE.sub(r"\g<lead>", url)
    if cleaned == url:
        return url
    head, mark, fragment = cleaned.partition("#")
    path, _, query = head.partition("?")
    kept = "&".join(part for part in re.split("[&;]", query) if part)
    return f"{path}?{kept}{mark}{fragment}" if kept else f"{path}{mark}{fragment}"


def mask_document(value: Any) -> Any:
    """A JSON document with every credential in it hidden, wherever it may have got to."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: mask_document(item) for key, item in value.items()}
    return [mask_document(item) for item in value] if isinstance(value, list) else value
