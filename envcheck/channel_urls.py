"""The addresses of channels and of their files: what can be told of a URL or a path without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from envcheck.condarc import Configuration
from envcheck.mirrors import ANACONDA_ORG, REPO_ANACONDA_COM, recognise
from envcheck.secrets import strip_secrets

__all__ = [
    "KNOWN_SUBDIRS",
    "URL",
    "PackageUrl",
    "below",
    "channel_of_url",
    "custom_base",
    "is_bare_url",
    "is_path",
    "is_readable",
    "join",
    "on_public_host",
    "path_to_url",
    "stems",
    "without_index",
    "without_platform",
]

# KNOWN_SUBDIRS in conda/base/constants.py.
KNOWN_SUBDIRS = frozenset(
    {"noarch", "emscripten-wasm32", "wasi-wasm32", "freebsd-64", "zos-z"}
    | {"linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l", "linux-ppc64", "linux-ppc64le"}
    | {"linux-riscv64", "linux-s390x", "osx-64", "osx-arm64", "win-32", "win-64", "win-arm64"}
)

# Addresses of the public channels under other hosts: repo.continuum.io is repo.anaconda.com's former name, binstar
# anaconda.org's; conda-static is the host behind conda.anaconda.org; anaconda.org/NAME is the page one looks at.
_PUBLIC_HOSTS = {
    "conda.anaconda.org": ANACONDA_ORG,
    "conda-static.anaconda.org": ANACONDA_ORG,
    "conda.binstar.org": ANACONDA_ORG,
    "anaconda.org": ANACONDA_ORG,
    "www.anaconda.org": ANACONDA_ORG,
    "repo.anaconda.com": REPO_ANACONDA_COM,
    "repo.continuum.io": REPO_ANACONDA_COM,
}

_PAGE_HOSTS = frozenset({"anaconda.org", "www.anaconda.org"})

URL = re.compile(r"(https?|ftp|s3|file|oci)://", re.IGNORECASE)
"""How the address of a channel begins."""

_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_LOCAL_PATH = re.compile(r"/|~|\.{1,2}(?:[\\/]|$)")
_INDEX_FILE = re.compile(r"/(?:(?:current_)?repodata(?:_shards)?\.[a-z0-9.]+|index\.html?)$")
_PACKAGE_FILE = re.compile(r"[^/]+\.(?:conda|tar\.bz2)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUrl:
    """The parts of a package's URL; ``channel`` is the base as written, which may hold credentials."""

    channel: str = field(repr=False)
    subdir: str
    filename: str


def channel_of_url(url: str) -> PackageUrl | None:
    """Split the URL of a package file (CEP 23) into channel, platform and file.

    Args:
        url: The URL, with or without credentials, query and checksum fragment.

    Returns:
        The parts, or ``None`` where the URL does not end in ``<subdir>/<file>.conda`` or ``….tar.bz2``.
    """
    address = re.split(r"[?#]", url.strip(), maxsplit=1)[0]
    base, _, filename = address.rpartition("/")
    channel, _, subdir = base.rpartition("/")
    if not channel or subdir not in KNOWN_SUBDIRS or not _PACKAGE_FILE.fullmatch(filename):
        return None
    return PackageUrl(channel=channel, subdir=subdir, filename=unquote(filename))


def stems(name: str) -> Iterator[str]:
    """``a/b/c``, ``a/b``, ``a``."""
    while name:
        yield name
        name = name.rpartition("/")[0]


def join(base: str, name: str) -> str:
    """A channel below an address."""
    return f"{base.rstrip('/')}/{name.strip('/')}"


def below(url: str, base: str) -> str | None:
    """What follows an address in a URL that lies below it."""
    return url[len(base) + 1 :] if url.startswith(f"{base}/") and len(url) > len(base) + 1 else None


def is_readable(text: str) -> bool:
    """Whether a URL has a host and a port that can be told apart; a name always has none to tell."""
    url = f"https://{text}" if is_bare_url(text) else text
    return not URL.match(url) or (_has_address(url) and _has_address(strip_secrets(url)))


def _has_address(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def is_bare_url(text: str) -> bool:
    """Whether ``text`` is a public or mirror address, or one with credentials, whose ``https://`` was forgotten."""
    if URL.match(text) or "/" not in text:
        return False
    host, url = text.partition("/")[0], f"https://{text}"
    return host.lower() in _PUBLIC_HOSTS or "@" in host or recognise(url) is not None


def custom_base(name: str, value: str, configuration: Configuration) -> str:
    """The base that a custom channel's name goes behind; one that ends with the name already counts without it.

    conda appends the name in any case, yet its own page on mirroring shows the name in the value, and libmamba merges
    the two (``add_conda_params_custom_channel`` in ``libmamba/src/core/channel_context.cpp``).
    """
    base = path_to_url(value, configuration) if is_path(value) else value.rstrip("/")
    return base.removesuffix(f"/{name}")


def without_index(url: str) -> str:
    """A URL without doubled and closing slashes and without the index file's name."""
    if url[:5].lower() == "file:":
        url = url.replace("\\", "/")
    scheme, separator, rest = url.partition("://")
    lead = "/" if rest.startswith("/") else ""
    rest = lead + re.sub(r"/{2,}", "/", rest.lstrip("/"))
    return _INDEX_FILE.sub("", f"{scheme.lower()}{separator}{rest}").rstrip("/")


def without_platform(url: str) -> str:
    """A URL that ends before the platform's folder."""
    url = url.rstrip("/")
    stem, _, last = url.rpartition("/")
    return stem if last in KNOWN_SUBDIRS and not stem.endswith("/") else url


def on_public_host(url: str) -> str | None:
    """The address on the public servers, over https and on today's host, credentials kept; ``None`` elsewhere."""
    if not _has_address(url):
        return None  # of the configuration; the engine says what it makes of it
    parts = urlsplit(url)
    origin = _PUBLIC_HOSTS.get((parts.hostname or "").lower())
    if origin is None or parts.scheme not in {"http", "https"} or not parts.path.strip("/"):
        return None
    if origin == REPO_ANACONDA_COM and not parts.path.startswith("/pkgs/"):
        return None
    path = parts.path.rstrip("/")
    if (parts.hostname or "").lower() in _PAGE_HOSTS:
        # https://anaconda.org/NAME/PACKAGE shows a package; only the name and a label belong to the channel.
        path = re.sub(r"^(?:/channels)?(/(?:t/[^/]+/)?[^/]+(?:/label/[^/]+)?)(?:/.*)?$", r"\1", path)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(("https", f"{user}{at}{urlsplit(origin).netloc}", path, "", ""))


def is_path(text: str) -> bool:
    """Whether a text is a path of either system."""
    return bool(_WINDOWS_PATH.match(text) or _LOCAL_PATH.match(text))


def path_to_url(path: str, configuration: Configuration) -> str:
    """A ``file://`` URL for a path of either system, relative to the configuration's directories."""
    path = path.replace("\\", "/")
    if path.startswith("//"):
        return f"file:{quote(path).rstrip('/')}"  # \\server\share
    if path.startswith("~") and configuration.home:
        path = configuration.home.replace("\\", "/") + path[1:]
    elif path.startswith(".") and configuration.working_directory:
        path = f"{configuration.working_directory}/{path}".replace("\\", "/")
    drive = path[:2] if _WINDOWS_PATH.match(path) else ""
    parts: list[str] = []
    for part in path[len(drive) :].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "file://" + ("/" + drive if drive else "") + "/" + quote("/".join(parts))
