"""What a command tells of one file, in the words that the reports of every command share."""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.model import Finding, Report

__all__ = ["Account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One file for one target: what was thought of it, and what was found in it.

    ``path`` is the file that the lines of ``findings`` are of, as the user named it (``-``: standard input), ``kind``
    what it is (``environment-yaml``, ``Dockerfile``, ``conda-lock``), ``platform`` the target's, ``None`` where there
    is none. ``verdict`` is a word (``fixable``, ``unsound``; empty where nothing was judged) and ``sentence`` says it
    whole. ``complete`` is false where somebody did not answer who was asked. ``text`` is the file's text, ``None``
    where it is not at hand; it is as the user wrote it, secrets included, so it is masked before it is shown.
    ``report`` is what `envcheck.pipeline.check` found, where that was asked. ``origin`` is where another file's command
    asked for this one: a path and a line. ``accepted`` are findings that a baseline accepts; they are not among
    ``findings``.
    """

    path: str
    kind: str
    platform: str | None
    verdict: str
    sentence: str
    findings: tuple[Finding, ...]
    complete: bool = True
    text: str | None = field(default=None, repr=False)
    report: Report | None = None
    origin: tuple[str, int] | None = None
    accepted: tuple[Finding, ...] = ()
