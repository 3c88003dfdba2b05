"""What both engines say where no channel could be loaded."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.errors import ChannelError
from envcheck.language import joined, say
from envcheck.model import ChannelStatus

__all__ = ["nothing_loaded"]


def nothing_loaded(platform: str, statuses: Sequence[ChannelStatus]) -> ChannelError:
    """The error that no channel could be loaded.

    Args:
        platform: The conda subdir that was asked for.
        statuses: How each channel answered.
    """
    reasons = joined("; ", (say("{name}: {detail}", name=one.channel.name, detail=one.detail) for one in statuses))
    error = ChannelError(
        say("no channel could be loaded for {platform}: {reasons}", platform=platform, reasons=reasons),
        hint=say(
            "Check the channel's address and your network; name another one with -c CHANNEL "
            "--override-channels, or a local copy with -c file:///path/to/channel."
        ),
    )
    error.answered = not any(one.silent for one in statuses)
    return error
