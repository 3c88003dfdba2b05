"""Where a run keeps what it fetches: the user's caches, and a folder for temporary files where those cannot be written.

A read-only home, a home that is not there and a full disk cost time, and no answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from envcheck.errors import ConfigurationError
from envcheck.language import say

__all__ = [
    "has_room",
    "own_cache",
    "rattler_cache",
    "rattler_directory",
    "uv_cache",
    "why_not_kept",
    "writable_instead_of",
]

# With less than this a cache is of no use.
_LEAST_BYTES = 1024 * 1024
# Repodata of the largest channels takes about half of it.
_ROOMY_BYTES = 1024 * 1024 * 1024
# What is written to see whether something large could be.
_TRIED_BYTES = 32 * 1024 * 1024


def own_cache(named: str | None) -> Path:
    """Where envcheck keeps what is its own.

    Args:
        named: ``--cache-dir``.

    Raises:
        ConfigurationError: Nothing can be kept anywhere.
    """
    return writable_instead_of(Path(named) if named is not None else _user_cache("envcheck"))


def rattler_cache(named: str | None, environment: Mapping[str, str], *, offline: bool) -> str | None:
    """Where rattler is to keep repodata; ``None`` for its own place.

    rattler does not even read where it cannot write: without a network, a folder that takes the place of another one
    has its files. With one it fetches them again, as it changes what it finds unchanged.

    Args:
        named: ``--cache-dir``.
        environment: The environment variables.
        offline: Whether requests are forbidden.

    Raises:
        ConfigurationError: Nothing can be kept anywhere.
    """
    usual = rattler_directory(named, environment)
    found = writable_instead_of(usual)
    if found == usual:
        return named
    if offline and usual is not None and not any(found.glob("*.json")):
        found /= "borrowed"
        _borrow(usual, found)
    return str(found)


def rattler_directory(named: str | None, environment: Mapping[str, str]) -> Path | None:
    """Where rattler keeps repodata if nobody tells it otherwise; ``None`` for a user without a home.

    Args:
        named: ``--cache-dir``.
        environment: The environment variables.
    """
    if named or environment.get("RATTLER_CACHE_DIR"):
        return Path(named or environment["RATTLER_CACHE_DIR"])
    home = _user_cache("rattler")
    return None if home is None else home / "cache"


def uv_cache(named: str | None, environment: Mapping[str, str]) -> Path | None:
    """Where uv is to keep what it read (https://docs.astral.sh/uv/concepts/cache/); ``None`` for its own place.

    Args:
        named: ``--cache-dir``.
        environment: The environment variables.

    Raises:
        ConfigurationError: Nothing can be kept anywhere.
    """
    if named is not None:
        return writable_instead_of(Path(named) / "uv")
    usual = _usual_uv_cache(environment)
    found = writable_instead_of(usual)
    return None if found == usual else found


def _usual_uv_cache(environment: Mapping[str, str]) -> Path | None:
    if environment.get("UV_CACHE_DIR"):
        return Path(environment["UV_CACHE_DIR"])
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA", "")) / "uv" / "cache"
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "uv"
    try:
        return Path.home() / ".cache" / "uv"
    except RuntimeError:
        return None


def has_room(place: Path) -> bool:
    """Whether something can be kept in a folder, which need not be there yet."""
    with contextlib.suppress(OSError):
        there = _nearest(place)
        return there.is_dir() and os.access(there, os.W_OK | os.X_OK) and _free_bytes(there) >= _LEAST_BYTES
    return False


def _free_bytes(place: Path) -> int:
    """How much this user may still write in a folder, which need not be there yet.

    Raises:
        OSError: Nobody knows.
    """
    return shutil.disk_usage(_nearest(place)).free


def why_not_kept(place: Path) -> str:
    """What may have kept a program from keeping something large in a folder; empty where nothing is known of it.

    Args:
        place: The folder; it need not be there yet.
    """
    try:
        free = _free_bytes(place)
        if free < _ROOMY_BYTES:
            return say("the disk has {free} MB left", free=free >> 20)
        # A quota shows only where something is written.
        with tempfile.TemporaryFile(dir=_nearest(place)) as stream:
            for _ in range(_TRIED_BYTES // _LEAST_BYTES):
                stream.write(b"\0" * _LEAST_BYTES)
            stream.flush()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def writable_instead_of(place: Path | None) -> Path:
    """A folder itself, or where it cannot be written one that stands for it among the temporary files.

    Args:
        place: The folder, which need not be there yet; ``None`` where there is no home that it could be in.

    Raises:
        ConfigurationError: Nothing can be kept among the temporary files either.
    """
    if place is not None and has_room(place):
        return place
    try:
        name = hashlib.sha256(os.fsencode(place or "")).hexdigest()[:16]
        instead = _private_folder(Path(tempfile.gettempdir())) / name
    except OSError as error:
        instead, reason = None, error.strerror or type(error).__name__
    else:
        reason = say("there is no room")
    if instead is None or not has_room(instead):
        where = say("anywhere, as there is no home") if place is None else say("in {place}", place=str(place))
        raise ConfigurationError(
            say("Nothing can be kept {where}, nor among the temporary files: {reason}.", where=where, reason=reason),
            hint=say("Make room, or name a folder that can be written with --cache-dir."),
        )
    return instead


def _user_cache(program: str) -> Path | None:
    """The user's cache folder of a program, ``None`` for a user without a home."""
    from platformdirs import user_cache_path

    try:
        return user_cache_path(program)
    except RuntimeError:  # neither HOME nor an entry in the password database
        return None


def _nearest(place: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(one for one in (place.absolute(), *place.absolute().parents) if one.exists())


def _private_folder(parent: Path) -> Path:
    """A folder of this user's alone among everybody's temporary files: what another could write is not believed.

    Raises:
        OSError: It cannot be made.
    """
    user = getattr(os, "getuid", lambda: None)()
    folder = parent / ("envcheck" if user is None else f"envcheck-{user}")
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(20, "not a folder", str(folder))
    if user is not None and (found.st_uid != user or found.st_mode & 0o077):
        raise PermissionError(13, "somebody else's folder", str(folder))
    return folder


def _borrow(place: Path, instead: Path) -> None:
    """Let a folder have the repodata of another one; what cannot be linked to is fetched."""
    with contextlib.suppress(OSError):
        instead.mkdir(parents=True, exist_ok=True)
        for file in place.absolute().glob("*.json"):
            with contextlib.suppress(FileExistsError):
                (instead / file.name).symlink_to(file)
