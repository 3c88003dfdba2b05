"""How many cases a law is tried with: a hundred as a rule, five hundred with ``--hypothesis-profile=trust``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("trust", max_examples=500)
