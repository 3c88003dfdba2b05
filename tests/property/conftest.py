"""How many cases a law is tried with: a hundred with ``make test``, thousands with ``--hypothesis-profile=trust``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("trust", max_examples=2000)
