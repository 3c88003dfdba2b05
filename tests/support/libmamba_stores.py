"""The libmamba engine with everything that it loads in record stores, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envcheck.engines import Index, LoadOptions
from envcheck.engines.libmamba import LibmambaEngine
from envcheck.model import Channel, VirtualPackage
from tests.support.stores import eager_stores, have_stores_made

__all__ = ["StoredLibmambaEngine"]


class StoredLibmambaEngine(LibmambaEngine):
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
        options = have_stores_made(LibmambaEngine(eager_stores), channels, platform, virtual_packages, options)
        self._make_stores = eager_stores
        self._stores.clear()
        return super().load(channels, platform, virtual_packages, options=options, **more)
