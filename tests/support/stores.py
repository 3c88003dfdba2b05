"""The rattler engine with everything that it loads in record stores, made on the spot."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from envcheck.engines import Engine, Index, LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.engines.record_store_building import BuildOrder, build_store
from envcheck.engines.record_stores import RecordStores
from envcheck.engines.repodata_scanning import UnsuitableError
from envcheck.errors import ChannelError
from envcheck.model import Channel, VirtualPackage

__all__ = ["StoredRattlerEngine", "build_at_once", "eager_stores", "have_stores_made"]


def build_at_once(orders: Sequence[BuildOrder]) -> None:
    """Make stores here and now; what has no place in one goes without, as with the builder of a process."""
    with contextlib.suppress(UnsuitableError):
        for order in orders:
            build_store(order)


def eager_stores(options: LoadOptions) -> RecordStores:
    """Stores that are made at once, however small the repodata is."""
    return RecordStores(options, start=build_at_once, smallest=0)


def have_stores_made(
    engine: Engine,
    channels: Sequence[Channel],
    platform: str,
    virtual_packages: Sequence[VirtualPackage],
    options: LoadOptions | None,
) -> LoadOptions:
    """Load channels once, so that they have stores, and say by which options those are found."""
    options = options or LoadOptions()
    if options.cache_directory is not None:
        options = replace(options, record_directory=f"{options.cache_directory}-records")
    with contextlib.suppress(ChannelError):  # it is told when they are loaded again
        engine.load(channels, platform, virtual_packages, options=options)
    return options


class StoredRattlerEngine(RattlerEngine):
    """Loads everything twice: first to have the stores made, then from them."""

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        options: LoadOptions | None = None,
        **more: Any,
    ) -> Index:
        options = have_stores_made(RattlerEngine(eager_stores), channels, platform, virtual_packages, options)
        self._stores = eager_stores
        self._networks.clear()
        return super().load(channels, platform, virtual_packages, options=options, **more)
