"""Progress on a terminal: what is being loaded, how far, for how long."""

from __future__ import annotations

import sys
from typing import Any

from envcheck.language import tell, translation

__all__ = ["FleetProgress", "Progress"]


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
            task = self._tasks[total] = self._bar.add_task(tell("loading"), total=total)
        self._bar.update(task, completed=done, description=tell("loading {label}", label=plain(translation(label))))


class FleetProgress:
    """How far an audit is, how fast it goes and how long it will take; on standard error, on a terminal only.

    Args:
        total: How many results there will be.
        enabled: Whether to show anything at all.
    """

    def __init__(self, total: int, *, enabled: bool) -> None:
        self._total = total
        self._enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> FleetProgress:  # noqa: PYI034  # typing.Self needs Python 3.11
        if self._enabled:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn(tell("auditing")),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn(tell("left")),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
                # Checks take seconds: a rate over less than a minute would jump.
                speed_estimate_period=120,
            )
            self._bar.start()
            self._task = self._bar.add_task("auditing", total=self._total, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self) -> None:
        """Show that one more result is there."""
        if self._bar is not None:
            self._bar.advance(self._task)
            speed = self._bar.tasks[0].speed
            self._bar.update(self._task, rate=f"{speed:.1f}/s" if speed else "")
