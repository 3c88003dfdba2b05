"""Channels with credentials as locks name them: by the environment variables that hold the secrets, as conda-lock does.

conda-lock's rules (``models/channel.py`` of version 4): a secret that is the value of an environment variable becomes
``${VARIABLE}`` in the channel's URL and in those of its packages, and its installer puts the value back. A variable
whose name ends in what such variables are usually called goes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from envcheck.model import Channel
from envcheck.secrets import split_secrets, strip_secrets

__all__ = ["WrittenChannel", "holds_credentials", "written_channel"]

_TOKEN_NAMES = ("TOKEN", "CRED", "PASSWORD", "PASS", "KEY")
_USER_NAMES = ("USERNAME", "USER")
_PASSWORD_NAMES = ("PASSWORD", "PASS", "TOKEN", "KEY")

_REFERENCE = r"\$(?:\{\w+\}|\w+)"
_WHOLE_REFERENCE = re.compile(rf"{_REFERENCE}\Z")
_REFERENCES = re.compile(rf"/t/{_REFERENCE}(?=/|\Z)|(?<=//){_REFERENCE}(?::{_REFERENCE})?@")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenChannel:
    """A channel as it stands in a lock: its canonical URL, and the one with variables, sorted, for its secrets."""

    url: str
    written: str
    variables: tuple[str, ...] = ()

    def package_url(self, url: str) -> str:
        """The URL of a package of this channel as it stands in the lock; any other stays as it is."""
        return self.written + url.removeprefix(self.url) if url.startswith(f"{self.url}/") else url


def written_channel(channel: Channel, environment: Mapping[str, str]) -> WrittenChannel:
    """How a lock names a channel.

    A secret without a variable of its value is left out. So are those of a mirror, which the lock does not name.

    Args:
        channel: The channel; where it is fetched from may hold secrets.
        environment: The environment variables; only names of them get into the result.
    """
    url = strip_secrets(channel.url).rstrip("/")
    location = channel.locations[0] if channel.locations else ""
    found = split_secrets(location)
    if not found.has_secrets or found.url.rstrip("/") != url:
        return WrittenChannel(url=url, written=url)
    written, variables = url, set[str]()
    token = _variable(found.token, _TOKEN_NAMES, environment)
    if token is not None:
        # What stands before the token is the same in both, once the user information is gone.
        place = location.replace(f"{found.user_information}@", "", 1).index(f"/t/{found.token}")
        written = f"{written[:place]}/t/${{{token}}}{written[place:]}"
        variables.add(token)
    user, separator, password = (found.user_information or "").partition(":")
    names = [_variable(user, _USER_NAMES, environment)]
    if separator:
        names.append(_variable(password, _PASSWORD_NAMES, environment))
    known = [name for name in names if name is not None]
    if len(known) == len(names):
        scheme, _, rest = written.partition("://")
        written = f"{scheme}://{':'.join(f'${{{name}}}' for name in known)}@{rest}"
        variables.update(known)
    return WrittenChannel(url=url, written=written, variables=tuple(sorted(variables)))


def _variable(secret: str | None, endings: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    """The variable that holds a secret, or that stands in its place already."""
    if not secret:
        return None
    if _WHOLE_REFERENCE.match(secret):
        return secret.lstrip("$").strip("{}")
    holders = sorted(name for name, value in environment.items() if value in (secret, unquote(secret)))
    for ending in (*endings, ""):
        for name in holders:
            if name.upper().endswith(ending) and re.fullmatch(r"\w+", name):
                return name
    return None


def holds_credentials(url: str) -> bool:
    """Whether a URL of a lock holds a secret; the name of a variable is none."""
    without = _REFERENCES.sub("", url)
    return strip_secrets(without) != without
