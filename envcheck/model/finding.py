"""Facts about the user's environment, and what can be done about them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Remedy", "RemedyAction", "Severity"]


class Severity(str, enum.Enum):
    """How bad a finding is; ``ERROR``: the environment does not build on the target as it stands."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class RemedyAction(str, enum.Enum):
    """The kind of edit that a remedy makes to the environment."""

    CHANGE_VERSION = "change-version"
    DROP_BUILD = "drop-build"
    DROP = "drop"
    REPLACE = "replace"
    RENAME = "rename"
    ADD_CHANNEL = "add-channel"
    MOVE_TO_PIP = "move-to-pip"
    MOVE_TO_CONDA = "move-to-conda"
    EDIT = "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """An edit that answers a finding; ``verified`` only once a dry-solve with it succeeded."""

    action: RemedyAction
    summary: str
    spec: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fact about the user's environment, with a stable code; ``line`` is 1-based, ``None`` for the whole file."""

    code: str
    title: str
    severity: Severity
    subject: str
    message: str
    line: int | None = None
    remedies: tuple[Remedy, ...] = ()
