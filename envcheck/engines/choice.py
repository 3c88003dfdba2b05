"""Which engine to use: the one table of engines."""

from __future__ import annotations

from importlib.util import find_spec

from envcheck.engines import Engine
from envcheck.errors import EngineError

__all__ = ["choose_engine"]


def choose_engine(name: str = "auto") -> Engine:
    """The engine of a name.

    Args:
        name: ``rattler``, ``libmamba``, or ``auto`` for the best one that is there.

    Raises:
        EngineError: The engine asked for is not there.
    """
    if name == "libmamba":
        detail = (
            "is installed, but this version of envcheck cannot use it yet" if find_spec("libmambapy") else "is missing"
        )
        raise EngineError(f"the libmamba engine {detail}", hint="Use --engine rattler, or leave --engine out.")
    from envcheck.engines.rattler import RattlerEngine

    return RattlerEngine()
