"""Progress on a terminal: what is being loaded, how far, for how long."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["Progress"]


class Progress:
    """A progress bar on standard error, on a terminal only.

    Args:
        enabled: Whether to show anything at all.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None
        self._tasks: dict[int, Any] = {}

    def __enter__(self) -> Progress:  # noqa: PYI034  # typing.Self needs Python 3.11
        if self._enabled:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, label: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps are done, the last one being ``label``."""
        if self._bar is None:
            return
        from envcheck.reports.plain import plain

        task = self._tasks.get(total)
        if task is None:
            task = self._tasks[total] = self._bar.add_task("loading", total=total)
        self._bar.update(task, completed=done, description=f"loading {plain(label)}")
