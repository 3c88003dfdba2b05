"""The exceptions of envcheck: what stops it from doing its work, each with what the user can do about it.

Facts about the user's environment are never exceptions; they are findings (`envcheck.model.Finding`).
"""

from __future__ import annotations

__all__ = ["ChannelError", "ConfigurationError", "EngineError", "EnvcheckError", "OutputError", "SourceError"]


class EnvcheckError(Exception):
    """Base of every exception that envcheck raises on purpose.

    Args:
        message: One sentence that says what went wrong, free of secrets.
        path: The file concerned, if any.
        line: The 1-based line in that file, if any.
        hint: What to do about it, a sentence in the imperative.
    """

    exit_status = 3

    def __init__(
        self, message: str, *, path: str | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.hint = hint

    @property
    def location(self) -> str:
        """``path:line``, ``path`` or the empty string."""
        if self.path is None:
            return ""
        return self.path if self.line is None else f"{self.path}:{self.line}"


class SourceError(EnvcheckError):
    """The source cannot be read or is no export of any known kind."""

    exit_status = 2


class ConfigurationError(EnvcheckError):
    """A ``.condarc``, an option or an environment variable has a value that cannot be used."""

    exit_status = 2


class OutputError(EnvcheckError):
    """An output file cannot be written; what was there before is untouched."""


class ChannelError(EnvcheckError):
    """No channel could be loaded.

    Attributes:
        answered: Whether all channels gave an answer, which will be the same if they are asked again.
    """

    answered = False

    def again(self) -> ChannelError:
        """The same error for somebody else, without the frames of who got it first."""
        error = ChannelError(self.message, path=self.path, line=self.line, hint=self.hint)
        error.answered = self.answered
        return error


class EngineError(EnvcheckError):
    """The asked-for engine is missing or failed in a way that says nothing about the environment."""
