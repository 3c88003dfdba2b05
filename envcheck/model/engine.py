"""What engines and their channels answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from envcheck.model.target import Channel

__all__ = ["ChannelState", "ChannelStatus", "EngineInfo", "Outcome", "Record", "Solved", "Unsolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One package record of a channel (CEP 36), in the words of both engines.

    ``channel`` is the canonical base URL of the channel, ``url`` the canonical URL of the file, neither with secrets;
    ``md5`` and ``sha256`` are lower-case hexadecimal; ``size`` is in bytes, ``timestamp`` in milliseconds since 1970.
    """

    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    channel: str
    url: str
    md5: str | None = None
    sha256: str | None = None
    size: int | None = None
    timestamp: int | None = None
    noarch: str | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    track_features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A dry-solve succeeded; ``packages`` are sorted by name."""

    packages: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsolved:
    """A dry-solve failed; ``explanation`` is the engine's own prose, to be shown and never parsed."""

    explanation: str
    cancelled: bool = False


Outcome = Solved | Unsolved
"""What a dry-solve came to."""


class ChannelState(str, enum.Enum):
    """How one channel answered."""

    LOADED = "loaded"
    NO_SUBDIR = "no-subdir"
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """What came of asking one channel for one platform; ``detail`` is shown to the user and free of secrets."""

    channel: Channel
    state: ChannelState
    detail: str = ""

    @property
    def silent(self) -> bool:
        """Whether it did not tell what it has, so that nothing can be said about packages it may have."""
        return self.state in (ChannelState.UNREACHABLE, ChannelState.DAMAGED, ChannelState.FORBIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Which solver answered."""

    name: str
    version: str
    reason: str = ""
