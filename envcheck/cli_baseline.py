"""``--baseline``: accepted findings are told in a number and do not count; ``--update-baseline`` accepts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_support import say
from envcheck.errors import ConfigurationError
from envcheck.language import plural, tell
from envcheck.limits import MAX_BASELINE_BYTES

if TYPE_CHECKING:
    from envcheck.baseline import Baseline, Judged, Looked
    from envcheck.model import Finding
    from envcheck.rules import Rule

__all__ = ["BaselineFile", "open_baseline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFile:
    """The baseline of a run; ``path`` is ``None`` where there is none, and then everything is new.

    ``asked`` says whether the run can find a code, ``update`` whether what it finds is accepted.
    """

    path: str | None
    baseline: Baseline
    asked: Callable[[str], bool]
    update: bool

    def looked(self, path: str, platform: str | None, findings: Sequence[Finding]) -> Looked:
        """What was found in one file, its path as the baseline has it."""
        from envcheck.baseline import Looked

        return Looked(path=self._relative(path), platform=platform or "", findings=tuple(findings))

    def _relative(self, path: str) -> str:
        if self.path is None or path == "-":
            return path
        folder = Path(self.path).absolute().parent
        try:
            return Path(os.path.relpath(path, folder)).as_posix()
        except ValueError:  # on another drive of Windows
            return Path(path).as_posix()

    def judge(self, looked: Sequence[Looked], *, complete: bool) -> tuple[Judged, ...]:
        """Tell new findings from accepted ones; with an update, all that counts is accepted."""
        writing = self.update and complete
        return (self.baseline.updated(looked, self.asked) if writing else self.baseline).judge(looked)

    def close(self, looked: Sequence[Looked], *, complete: bool, quiet: bool) -> None:
        """Write the baseline if that was asked, or tell what in it is gone.

        A run in which somebody did not answer knows neither everything that there is nor what is gone.
        """
        if self.path is None:
            return
        from envcheck.baseline import baseline_text
        from envcheck.files import write_atomically
        from envcheck.reports.plain import plain

        shown = plain(self.path)
        gone = self.baseline.gone(looked, self.asked) if complete else ()
        if not self.update:
            if gone and not quiet:
                words = plural(len(gone), "{count} entry is", "{count} entries are")
                say(
                    tell(
                        "note: {words} gone from what {shown} accepts; --update-baseline takes them out",
                        words=words,
                        shown=shown,
                    )
                )
            return
        if not complete:
            say(tell("envcheck: {shown} was not written: not everybody answered who was asked", shown=shown))
            return
        after = self.baseline.updated(looked, self.asked)
        write_atomically(self.path, baseline_text(after))
        if not quiet:
            new = len(after.entries) + len(gone) - len(self.baseline.entries)
            say(
                tell(
                    "wrote {shown}: {count} accepted, {new} of them new; {gone} gone",
                    shown=shown,
                    count=len(after.entries),
                    new=new,
                    gone=len(gone),
                )
            )


def open_baseline(
    path: str | None, *, update: bool, rules: Sequence[Rule[Any]], select: Sequence[str], ignore: Sequence[str]
) -> BaselineFile:
    """The baseline of a run.

    Args:
        path: ``--baseline``.
        update: ``--update-baseline``.
        rules: The rules of the command.
        select: ``--select``.
        ignore: ``--ignore``.

    Raises:
        ConfigurationError: The file cannot be read or is no baseline.
    """
    from envcheck.baseline import Baseline, parse_baseline

    if update and path is None:
        raise click.UsageError(tell("--update-baseline is about the file that --baseline FILE names."))
    selected, ignored = (tuple(code.upper() for code in codes) for codes in (select, ignore))
    codes = frozenset(
        rule.code
        for rule in rules
        if (not selected or rule.code.startswith(selected)) and not (ignored and rule.code.startswith(ignored))
    )
    text = None if path is None else _read(path, may_be_missing=update)
    return BaselineFile(
        path=path,
        baseline=Baseline() if text is None or path is None else parse_baseline(text, path),
        asked=codes.__contains__,
        update=update,
    )


def _read(path: str, *, may_be_missing: bool) -> str | None:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BASELINE_BYTES + 1)
    except FileNotFoundError:
        if may_be_missing:
            return None
        raise ConfigurationError(
            tell("There is no such baseline."), path=path, hint=tell("Check the name; --update-baseline writes it.")
        ) from None
    except OSError as error:
        raise ConfigurationError(
            tell("The baseline cannot be read: {reason}.", reason=error.strerror or str(error)),
            path=path,
            hint=tell("Check its permissions."),
        ) from None
    if len(data) > MAX_BASELINE_BYTES:
        raise ConfigurationError(
            tell("This is no baseline: it is larger than {size} MiB.", size=MAX_BASELINE_BYTES // 1048576),
            path=path,
            hint=tell("Check the name."),
        )
    # What is no UTF-8 is no JSON either, and says so.
    return data.decode("utf-8-sig", "replace")
