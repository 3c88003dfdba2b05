"""Indexes that several checks share: loaded for the first one that asks, and told to each as its own source has it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from envcheck.engines import Engine, Index, LoadOptions, ProgressCallback
from envcheck.errors import ChannelError
from envcheck.model import Channel, EngineInfo, VirtualPackage

__all__ = ["KeptIndexes", "SharedIndexes", "bare_channels", "told_index"]

_MOST_INDEXES = 16
"""Sources ask for the same few lists of channels; each index keeps what it has read of them."""

_MOST_REFUSED = 64


class KeptIndexes:
    """Loaded indexes by what they were asked for; those that were long not asked for are let go."""

    def __init__(self) -> None:
        self._indexes: OrderedDict[object, Index] = OrderedDict()

    def find(self, key: object) -> Index | None:
        """The index of a key, if it is kept."""
        index = self._indexes.get(key)
        if index is not None:
            self._indexes.move_to_end(key)
        return index

    def keep(self, key: object, index: Index) -> None:
        """Keep an index."""
        self._indexes[key] = index
        while len(self._indexes) > _MOST_INDEXES:
            self._indexes.popitem(last=False)

    def drop(self, key: object) -> None:
        """Let an index go, if it is kept."""
        self._indexes.pop(key, None)


class SharedIndexes:
    """An `envcheck.engines.Engine` that loads what it has not loaded before.

    What a channel answered holds for as long as this does, except for silence: an index of which a channel did not
    answer is loaded again.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._indexes = KeptIndexes()
        self._refused: OrderedDict[object, ChannelError] = OrderedDict()

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library."""
        return self._engine.info

    def load(
        self,
        channels: Sequence[Channel],
        platform: str,
        virtual_packages: Sequence[VirtualPackage],
        *,
        channel_priority: str = "flexible",
        options: LoadOptions | None = None,
        progress: ProgressCallback | None = None,
    ) -> Index:
        """Load repodata, or give what is loaded; see `envcheck.engines.Engine.load`."""
        bare = bare_channels(channels)
        key = (bare, platform, tuple(virtual_packages), channel_priority, options)
        if key in self._refused:
            raise self._refused[key].again()
        index = self._indexes.find(key)
        if index is None:
            try:
                index = self._engine.load(
                    bare,
                    platform,
                    virtual_packages,
                    channel_priority=channel_priority,
                    options=options,
                    progress=progress,
                )
            except ChannelError as error:
                if error.answered:
                    # Without the frames of whoever asked, which it would keep alive.
                    self._refused[key] = error.again()
                    if len(self._refused) > _MOST_REFUSED:
                        self._refused.popitem(last=False)
                raise
            if not any(status.silent for status in index.statuses):
                self._indexes.keep(key, index)
        return told_index(index, channels)


def bare_channels(channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """Channels without who named them and in which line: that differs between sources that use the same ones."""
    return tuple(replace(channel, origin="source", line=None) for channel in channels)


def told_index(index: Index, channels: Sequence[Channel]) -> Index:
    """A shared index that tells of its channels as one source has them."""
    return cast("Index", _Told(index, channels))


class _Told:
    """An `envcheck.engines.Index` with other statuses."""

    def __init__(self, index: Index, channels: Sequence[Channel]) -> None:
        self._index = index
        self.statuses = tuple(
            replace(status, channel=channel) for status, channel in zip(index.statuses, channels, strict=True)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)
