"""TOML, parsed under bounds."""

from __future__ import annotations

import sys
from typing import Any

from envcheck.language import say
from envcheck.limits import MAX_LINE_LENGTH

__all__ = ["parse_toml"]


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML document.

    Args:
        text: The file's text.

    Raises:
        ValueError: The text is no TOML (``tomllib.TOMLDecodeError``), or has a line or a number of such a length that
            reading it takes long: a key of ten thousand parts takes the square of that.
        RecursionError: Its values are nested too deeply.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    if len(text) > MAX_LINE_LENGTH and max(map(len, text.split("\n"))) > MAX_LINE_LENGTH:
        raise ValueError(say("it has a line of more than {count} characters", count=format(MAX_LINE_LENGTH, ",")))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ValueError(say("it has a number of more digits than are read")) from None
