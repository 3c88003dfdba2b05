"""Package URLs as ``@EXPLICIT`` files and lock files write them (CEP 23): channel, subdir, name, build, hash."""

from __future__ import annotations

import re
from urllib.parse import unquote

from envcheck.sources.rows import CONDA_NAME, Row

__all__ = ["is_package_url", "parse_distribution", "parse_package_url"]

_EXTENSIONS = (".conda", ".tar.bz2")
_SUBDIR = re.compile(r"noarch|(?:linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9_]+")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:|[\\/]|[A-Za-z]:[\\/]|\.)", re.IGNORECASE)
_MD5 = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_package_url(text: str) -> bool:
    """Whether a text is a URL or path of a conda package, with or without a hash."""
    return _URL.match(text) is not None and text.partition("#")[0].lower().endswith(_EXTENSIONS)


def parse_distribution(text: str) -> tuple[str, str, str] | None:
    """Split ``name-version-build`` at its last two dashes; ``None`` if it has not two (CEP 26)."""
    parts = text.rsplit("-", 2)
    if len(parts) != 3 or not all(parts) or not CONDA_NAME.fullmatch(parts[0]):
        return None
    return parts[0], parts[1], parts[2]


def parse_package_url(text: str) -> Row | None:
    """Read a package URL with an optional ``#md5`` or ``#sha256:…``.

    Tokens (``/t/<TOKEN>/``) stay in ``url`` and ``channel``: they are needed to ask for it, and masked where shown.

    Returns:
        The row, or ``None`` if the text is no package URL.
    """
    url, _, digest = text.strip().partition("#")
    lowered = url.lower()
    extension = next((item for item in _EXTENSIONS if lowered.endswith(item)), None)
    if extension is None:
        return None
    *folders, filename = re.split(r"[\\/]", url[: -len(extension)])
    distribution = parse_distribution(unquote(filename))
    if distribution is None:
        return None
    name, version, build = distribution
    subdir = folders[-1] if folders and _SUBDIR.fullmatch(folders[-1]) else None
    md5, sha256 = _digests(digest)
    return Row(
        name=name,
        version=version,
        build=build,
        channel="/".join(folders[:-1]) or None if subdir is not None else None,
        subdir=subdir,
        url=url,
        md5=md5,
        sha256=sha256,
    )


def _digests(text: str) -> tuple[str | None, str | None]:
    """CEP 23's digest after ``#``: ``<md5>``, ``sha256:<sha256>``; a bare sha256 and ``md5:`` are met as well."""
    digest = text.strip().lower()
    for prefix in ("sha256:", "sha256=", "md5:", "md5="):
        digest = digest.removeprefix(prefix)
    if _MD5.fullmatch(digest):
        return digest, None
    return None, digest if _SHA256.fullmatch(digest) else None
