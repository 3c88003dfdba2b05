"""Taking out of an output what differs from machine to machine."""

from __future__ import annotations

import re

__all__ = ["scrubbed"]

_ENGINE = re.compile(r"engine\s+(?:rattler|libmamba)\s+\d\S*(?:\s+\([^)]*\))?")
_JSON_ENGINE = re.compile(r'("engine": \{\s+"name": "\w+",\s+"version": )"[^"]+"')
_INDEX = re.compile(r"file://[^\s\"]*/files/")
_UV = re.compile(r"\buv \d+\.\d+\.\d+")
_JSON_VERSION = re.compile(r'("envcheck": )"[^"]+"')


def scrubbed(output: str) -> str:
    """An output without versions of the engine, of uv and of envcheck, and without the folder of the package index."""
    output = _ENGINE.sub("engine NAME VERSION", output)
    output = _UV.sub("uv VERSION", _INDEX.sub("file:///INDEX/files/", output))
    output = _JSON_ENGINE.sub(r'\1"VERSION"', output)
    return _JSON_VERSION.sub(r'\1"VERSION"', output)
