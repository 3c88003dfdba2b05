"""How many of the machine's cores there are for this process."""

from __future__ import annotations

import os

__all__ = ["available_cores", "own_cores", "use_cores"]


class _Share:
    """How many cores whoever started this process gave it; ``None`` for all that there are."""

    cores: int | None = None


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def own_cores() -> int:
    """How many cores this process is to keep busy: all that it may use, or its share beside others like it."""
    return available_cores() if _Share.cores is None else min(_Share.cores, available_cores())


def use_cores(count: int) -> None:
    """Keep so many cores busy from now on, and one at least."""
    _Share.cores = max(1, count)
