"""How many cases a law is tried with, and which: the same hundred each time, unless somebody asks for others.

``--hypothesis-seed=N`` asks for others, ``--hypothesis-profile=trust`` for five times as many others.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("trust", max_examples=500)


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> settings:
    """What a law over small universes is tried with; derandomized, a seed would mean nothing."""
    option = request.config.getoption
    chosen = option("--hypothesis-seed") is not None or option("--hypothesis-profile") is not None
    engine = request.node.callspec.params.get("engine") if hasattr(request.node, "callspec") else None
    # To make record stores of a universe takes longer than all that is asked of it.
    examples = settings().max_examples // (4 if engine == "rattler-stored" else 1)
    return settings(max_examples=examples, derandomize=not chosen, deadline=None)
