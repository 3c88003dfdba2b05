"""Text from a source made harmless for a terminal or a page."""

from __future__ import annotations

import unicodedata

__all__ = ["plain"]


def plain(text: str) -> str:
    """A text on one line without control, formatting or bidirectional characters, each shown as its code point.

    A package name may hold terminal escape sequences or right-to-left marks; what is printed must be what is there.
    """
    return "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        else " "
        if character in "\n\t"
        else f"\\u{ord(character):04x}"
        for character in text
    )
