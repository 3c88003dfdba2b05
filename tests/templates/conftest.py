"""Every template has a workshop."""

from __future__ import annotations

from tests.templates.workshop import workshop

__all__ = ["workshop"]
