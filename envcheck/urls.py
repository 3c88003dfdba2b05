"""Taking URLs apart that somebody else wrote."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

__all__ = ["split_url"]


def split_url(url: str) -> SplitResult:
    """The parts of a URL, as `urllib.parse.urlsplit` has them.

    What cannot be one (``https://[x``, a host that changes under normalization), at which `urlsplit` raises, has no
    part but its path: nobody takes it for an address, nor for anything but what it is.

    Args:
        url: Any text.
    """
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")
