"""What a pre-flight was asked: what writing a Dockerfile from its report needs again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A Dockerfile's bytes, where it and its build context are, and what was said about every environment in it.

    ``path`` is ``None`` for bytes that were handed in, and ``context`` for a folder that is not known. ``channels``,
    ``virtual_packages`` and ``image`` are the caller's word, which goes before the Dockerfile's.
    """

    data: bytes = field(repr=False)
    path: Path | None
    context: Path | None
    image: str | None = None
    channels: tuple[str, ...] = field(default=(), repr=False)
    override_channels: bool = False
    virtual_packages: tuple[str, ...] = ()
    no_pip: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
