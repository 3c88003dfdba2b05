"""An existing lock against the channels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from envcheck.api.arguments import bytes_of, codes, name_of, texts
from envcheck.api.session import Session, resources_of
from envcheck.language import say

if TYPE_CHECKING:
    from envcheck.verify import LockReport

__all__ = ["verify_lock"]


def verify_lock(
    lock: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    platforms: Sequence[str] = (),
    drift: bool = False,
    online: bool = False,
    channels: Sequence[str] = (),
    override_channels: bool = False,
    image: str | None = None,
    virtual_packages: Sequence[str] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    session: Session | None = None,
) -> tuple[LockReport, ...]:
    """Verify a lock, as ``envcheck verify`` does: is every file still in its channel, with the same hash?

    Channels are those that the lock names, or that the URLs of a list name; no package is downloaded.

    Args:
        lock: The file to read (``conda-lock.yml``, ``pixi.lock``, ``@EXPLICIT``), or its bytes.
        name: What the report calls the lock; without one its path, and ``-`` for bytes.
        platforms: Those to look at; without any, all of the lock's.
        drift: Whether newer builds and versions are told.
        online: Whether the Python package index is asked about pip packages.
        channels: Put before those of the lock.
        override_channels: Whether ``channels`` are the only ones.
        image: The base image whose C library and CUDA driver the target has.
        virtual_packages: More that the target has, as ``NAME=VERSION``; later ones win.
        select: Only findings whose codes begin with one of these.
        ignore: No findings whose codes begin with one of these; the verdict is formed from all of them.
        session: What this call shares with others; without one, it has its own, with the user's configuration.

    Returns:
        A report for each platform, in the order of the lock or of ``platforms``.

    Raises:
        SourceError: The file cannot be read, or is no lock.
        ConfigurationError: An option or a configuration value cannot be used, or the lock is not for a platform.
        EngineError: The engine broke.
        TypeError: An argument that takes several texts was given one.
        ValueError: An argument has a value that there is not.

    Example:
        ::

            for report in verify_lock("conda-lock.yml", platforms=["linux-64"]):
                assert report.verdict is LockVerdict.SOUND, report.findings
    """
    options = {
        "channels": texts("channels", channels),
        "override_channels": override_channels,
        "image": image,
        "virtual_packages": texts("virtual_packages", virtual_packages),
        "no_pip": not online,
        "select": codes("select", select),
        "ignore": codes("ignore", ignore),
    }
    wanted = texts("platforms", platforms)
    data, name = bytes_of(lock, where_from=say("'envcheck lock SOURCE' writes one")), name_of(lock, name)

    from envcheck.lock_file import platforms_to_verify, read_lock
    from envcheck.verify import verify

    found = read_lock(data, name)
    with resources_of(session) as resources:
        return tuple(
            verify(
                resources.request(name, data, platform, **options),
                resources.services,
                found,
                drift=drift,
                online=online,
            )
            for platform in platforms_to_verify(found, wanted)
        )
