"""The libmamba engine with everything that it loads in record stores, made on the spot."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from envcheck.engines import Index, LoadOptions
from envcheck.engines.libmamba import LibmambaEngine
from envcheck.errors import ChannelError
from envcheck.model import Channel, VirtualPackage
from tests.support.stores import eager_stores

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
        options = options or LoadOptions()
        if options.cache_directory is not None:
            options = replace(options, record_directory=f"{options.cache_directory}-records")
        with contextlib.suppress(ChannelError):  # it will be told below
            LibmambaEngine(eager_stores).load(channels, platform, virtual_packages, options=options)
        self._make_stores = eager_stores
        self._stores.clear()
        return super().load(channels, platform, virtual_packages, options=options, **more)
