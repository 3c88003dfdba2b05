"""Which engine to use: the one table of engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envcheck.engines import Engine, Index, LoadOptions, ProgressCallback
from envcheck.errors import EngineError
from envcheck.language import say
from envcheck.model import Channel, EngineInfo, VirtualPackage

__all__ = ["ENGINES", "choose_engine"]

ENGINES = ("auto", "libmamba", "rattler")
"""What ``--engine`` accepts."""

_GET_LIBMAMBA = 'conda install -c conda-forge "libmambapy>=2"'


def choose_engine(name: str = "auto") -> Engine:
    """The engine of a name.

    Args:
        name: One of `ENGINES`; ``auto`` is libmamba where it can be used, otherwise rattler.

    Raises:
        EngineError: The engine asked for is not there.
    """
    if name == "rattler":
        return _Chosen(_rattler(), say("asked for"))
    if name == "libmamba":
        return _Chosen(_libmamba(), say("asked for"))
    try:
        return _Chosen(_libmamba(), say("libmambapy is installed; --engine rattler takes the other one"))
    except EngineError as error:
        return _Chosen(_rattler(), say("{message}: {hint}", message=error.message, hint=_GET_LIBMAMBA))


def _libmamba() -> Engine:
    from envcheck.engines.libmamba import LibmambaEngine

    return LibmambaEngine()


def _rattler() -> Engine:
    from envcheck.engines.rattler import RattlerEngine

    return RattlerEngine()


class _Chosen:
    """An engine that can say why it is the one."""

    def __init__(self, engine: Engine, reason: str) -> None:
        self._engine = engine
        self._reason = reason

    @property
    def info(self) -> EngineInfo:
        """Name and version of the library, and why it was chosen."""
        return replace(self._engine.info, reason=self._reason)

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
        """Load repodata of every channel; see `envcheck.engines.Engine.load`."""
        return self._engine.load(
            channels,
            platform,
            virtual_packages,
            channel_priority=channel_priority,
            options=options,
            progress=progress,
        )
