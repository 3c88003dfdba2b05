"""What both engines do where a record store turns out to be damaged in the middle of a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from envcheck.engines.record_store import StoreDamagedError
from envcheck.errors import ChannelError, EngineError
from envcheck.language import joined, say
from envcheck.model import ChannelState, ChannelStatus

__all__ = ["answer_despite_damage", "refuse_less"]

# A damaged store is one reason to load again, shards that are not complete are another.
_MOST_RELOADS = 2
_USABLE = (ChannelState.LOADED, ChannelState.NO_SUBDIR)

_T = TypeVar("_T")


def answer_despite_damage(ask: Callable[[], _T], reload: Callable[[], None]) -> _T:
    """An answer; where a store turns out to be damaged, one from the repodata itself.

    Args:
        ask: Finds the answer.
        reload: Loads everything again, without the stores.

    Raises:
        ChannelError: What was loaded before cannot be loaded any more.
        EngineError: It is damaged again and again.
    """
    for _ in range(_MOST_RELOADS):
        try:
            return ask()
        except StoreDamagedError:  # noqa: PERF203  # once in a long time
            reload()
    try:
        return ask()
    except StoreDamagedError:
        raise EngineError(
            say("what is kept of the repodata is damaged, and to load it again did not help"),
            hint=say("Name another folder to keep it in: --cache-dir DIR."),
        ) from None


def refuse_less(before: Sequence[ChannelStatus], after: Sequence[ChannelStatus]) -> None:
    """Refuse to go on with fewer channels than there were, as questions were already answered from all of them.

    Args:
        before: How the channels had been loaded.
        after: How the same ones were loaded again.

    Raises:
        ChannelError: One that had been loaded is not.
    """
    lost = [now for was, now in zip(before, after, strict=True) if was.state in _USABLE and now.state not in _USABLE]
    if lost:
        reasons = joined("; ", (say("{name}: {detail}", name=one.channel.name, detail=one.detail) for one in lost))
        raise ChannelError(
            say(
                "what is kept of the repodata is damaged, and it could not be loaded again: {reasons}", reasons=reasons
            ),
            hint=say("Run again once the channel answers."),
        )
