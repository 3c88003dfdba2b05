"""The text report: verdict first, then the problems grouped and short, then the plan."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from envcheck.language import ENGLISH, Message, in_language, joined, language, plural, say, tell, tell_plural, told
from envcheck.model import EngineInfo, Finding, Intent, Report, Severity, Target, Verdict
from envcheck.reports.account import Account
from envcheck.reports.groups import (
    SEVERITY_WORDS,
    alike,
    by_cause,
    pip_line,
    remedy_words,
    severity_counts,
    verdict_word,
)
from envcheck.reports.plain import plain
from envcheck.secrets import mask
from envcheck.wide_text import line_ends

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["FindingsWriter", "account", "page_console", "render", "target_words"]

_SHOWN_PER_CODE = 4
_SHOWN_SUBJECTS = 8
_SHOWN_CHANGES = 8
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}
_VERDICT_STYLES = {Verdict.READY: "bold green", Verdict.FIXABLE: "bold yellow", Verdict.BLOCKED: "bold red"}


def render(report: Report, *, width: int = 80, colour: bool = False, verbose: bool = False) -> str:
    """One report as text.

    Args:
        report: The report.
        width: Columns to wrap at.
        colour: Whether to emit terminal styles; nothing depends on them.
        verbose: Whether to show every finding, every change and the evidence, instead of the first few of each.

    Returns:
        The text, with a final newline.
    """
    writer = _Writer(width=width, colour=colour, verbose=verbose)
    writer.write(in_language(report))
    return writer.text()


def account(report: Report, text: str | None) -> Account:
    """What a check tells of its source.

    Args:
        report: The check's report.
        text: The source's text, where it is at hand.
    """
    return Account(
        path=report.export.path,
        kind=report.export.kind.value,
        platform=report.target.platform,
        verdict=report.verdict.value,
        sentence=_verdict_sentence(report),
        findings=report.findings,
        complete=report.complete,
        text=text,
        report=report,
        accepted=report.accepted,
    )


def page_console(page: io.StringIO, *, width: int | None = None, colour: bool) -> Console:
    """What prints on a page: nothing in a text is taken for markup, and nothing depends on where envcheck runs.

    Args:
        page: Where the text goes.
        width: Columns to wrap at; rich's own where lines are not wrapped.
        colour: Whether to emit terminal styles.
    """
    from rich.console import Console

    return Console(
        file=page,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def target_words(target: Target, engine: EngineInfo, *, with_reason: bool) -> str:
    """What something was checked for, and by what: platform, system, channels, engine.

    Args:
        target: The target.
        engine: The engine.
        with_reason: Whether to say why this engine was taken.
    """
    versions = {one.name: one.version for one in target.virtual_packages}
    shown = [
        tell(", {name} {version}", name=name[2:], version=versions[name])
        for name in ("__glibc", "__cuda")
        if name in versions
    ]
    channels = ", ".join(plain(mask(channel.name)) for channel in target.channels)
    reason = tell(" ({reason})", reason=engine.reason) if with_reason and engine.reason else ""
    return tell(
        "target {platform}{shown}; channels {channels}; engine {engine}",
        platform=target.platform,
        shown="".join(shown),
        channels=channels or say("none"),
        engine=f"{engine.name} {engine.version}{reason}",
    )


class FindingsWriter:
    """What the text reports of every command share: a page to write on, and how findings stand on it.

    Args:
        width: Columns to wrap at.
        colour: Whether to emit terminal styles.
        verbose: Whether to show every finding.
    """

    def __init__(self, *, width: int, colour: bool, verbose: bool) -> None:
        self._verbose = verbose
        self._page = io.StringIO()
        self._console = page_console(self._page, width=width, colour=colour)

    def text(self) -> str:
        """The page, with a final newline."""
        return "\n".join(line.rstrip() for line in self._page.getvalue().splitlines()) + "\n"

    def _line(self, text: Text | str = "", *, indent: int = 0) -> None:
        from rich.padding import Padding
        from rich.text import Text as RichText

        content = RichText(text) if isinstance(text, str) else text
        if language() != ENGLISH:
            # rich breaks lines at spaces, of which Chinese has none.
            for part in content.divide(line_ends(content.plain, self._console.width - indent)):
                part.rstrip()
                self._console.print(Padding(part, (0, 0, 0, indent)))
            return
        if indent:
            self._console.print(Padding(content, (0, 0, 0, indent)))
        else:
            self._console.print(content)

    def _verdict_line(
        self,
        word: tuple[str, str] | None,
        path: str,
        platform: str,
        findings: Sequence[Finding],
        accepted: Sequence[Finding],
        *,
        hidden: bool,
    ) -> None:
        """The first line of a page: what came out, for what, and how much there is to say; a path may be long.

        ``word`` is the verdict and its style, ``None`` where nothing was judged; ``hidden`` says that there may be
        findings which ``--select`` or ``--ignore`` left out.
        """
        from rich.text import Text as RichText

        none = tell("no problems shown") if hidden else tell("no problems")
        counts = severity_counts(findings) or (tell("no new problems") if accepted else none)
        path = tell("standard input") if path == "-" else plain(mask(path))
        if word is None:
            self._line(tell("{counts} in {path}", counts=counts, path=path))
            return
        if platform:
            rest = tell(" for {platform}: {counts} in {path}", platform=platform, counts=counts, path=path)
        else:
            rest = tell(": {counts} in {path}", counts=counts, path=path)
        self._line(RichText.assemble(word, rest))

    def _findings(self, findings: Sequence[Finding], accepted: Sequence[Finding]) -> None:
        if accepted and not self._verbose:
            self._line(
                tell(
                    "accepted by the baseline: {counts} (-v shows them)",
                    counts=severity_counts(accepted),
                )
            )
            self._line()
        for cause in by_cause(findings):
            self._group(cause)
        if accepted and self._verbose:
            self._line(tell("Accepted by the baseline: {counts}", counts=severity_counts(accepted)))
            self._line()
            for cause in by_cause(accepted):
                self._group(cause)

    def _group(self, findings: list[Finding]) -> None:
        from rich.text import Text as RichText

        first = findings[0]
        head = RichText.assemble(
            (told(SEVERITY_WORDS[first.severity]), _STYLES[first.severity]),
            (f" {first.code} ", "bold"),
            first.title + (tell(" ({count})", count=len(findings)) if len(findings) > 1 else ""),
        )
        self._line(head)
        groups = alike(findings)
        shown = groups if self._verbose else groups[:_SHOWN_PER_CODE]
        for group in shown:
            self._line(
                tell("{subjects}: {message}", subjects=self._subjects(group), message=plain(mask(group[0].message))),
                indent=2,
            )
            remedies = group[0].remedies if self._verbose else group[0].remedies[:2]
            if remedies:
                self._line(
                    tell("fix: {remedies}", remedies=joined(", or ", (remedy_words(remedy) for remedy in remedies))),
                    indent=4,
                )
        rest = [finding for group in groups[len(shown) :] for finding in group]
        if rest:
            names = ", ".join(plain(mask(finding.subject)) for finding in rest[:12])
            names = tell("{names} and {count} more", names=names, count=len(rest) - 12) if len(rest) > 12 else names
            self._line(tell("likewise {names} (-v shows each)", names=names), indent=2)
        self._line()

    def _subjects(self, group: Sequence[Finding]) -> str:
        """``vc (line 12), ucrt (line 14)``: the subjects of findings that say the same."""
        shown = group if self._verbose else group[:_SHOWN_SUBJECTS]
        words = [
            plain(mask(finding.subject)) + (tell(" (line {line})", line=finding.line) if finding.line else "")
            for finding in shown
        ]
        listed = told(joined(", ", words))
        rest = len(group) - len(shown)
        return tell("{names} and {count} more", names=listed, count=rest) if rest else listed


class _Writer(FindingsWriter):
    def write(self, report: Report) -> None:
        self._verdict(report)
        self._facts(report)
        self._findings(report.findings, report.accepted)
        self._plan(report)
        if self._verbose and report.intent is not None:
            self._intent(report.intent, {channel.url.rstrip("/"): channel.name for channel in report.target.channels})

    def _facts(self, report: Report) -> None:
        """What was looked at, and what for."""
        export, target = report.export, report.target
        origin = tell(" from {platform}", platform=export.platform) if export.platform else ""
        rows = tell_plural(len(export.requirements), "{count} conda row", "{count} conda rows")
        pip = (
            tell(" and {count}", count=plural(len(export.pip), "{count} pip row", "{count} pip rows"))
            if export.pip
            else ""
        )
        self._line(
            tell(
                "source {kind}{origin}, {encoding}, {rows}{pip}",
                kind=export.kind.value,
                origin=origin,
                encoding=export.encoding,
                rows=rows,
                pip=pip,
            )
        )
        if self._verbose:
            for evidence in export.evidence:
                where = tell(" (line {line})", line=evidence.line) if evidence.line else ""
                self._line(
                    tell(
                        "{platform}: {reason}{where}",
                        platform=evidence.platform,
                        reason=plain(mask(evidence.reason)),
                        where=where,
                    ),
                    indent=2,
                )
        self._line(target_words(target, report.engine, with_reason=self._verbose))
        self._line()

    def _verdict(self, report: Report) -> None:
        verdict = verdict_word(report.verdict.value, upper=True)
        if not report.complete:
            verdict += tell(" ({reason})", reason=tell("unproven"))
        self._verdict_line(
            (verdict, _VERDICT_STYLES[report.verdict]),
            report.export.path,
            report.target.platform,
            report.findings,
            report.accepted,
            # Where something is wrong and nothing is said of it, it was left out.
            hidden=report.verdict is not Verdict.READY,
        )
        self._line(told(_verdict_sentence(report)))
        plan = report.plan
        if plan.solved:
            parts = [
                tell("{count} kept", count=len(plan.kept)),
                tell("{count} changed", count=len(plan.changed)),
                tell("{count} dropped", count=len(plan.dropped)),
                tell("{count} to pip", count=len(plan.to_pip)),
                tell("{count} added", count=len(plan.added)),
            ]
            self._line(
                tell(
                    "plan: {parts}; {count} in all",
                    parts=joined(", ", parts),
                    count=plural(len(plan.packages), "{count} package", "{count} packages"),
                )
            )
            if (pip := pip_line(report)) is not None:
                self._line(pip)
            if not plan.optimal:
                self._line(tell("the search was cut short: a plan closer to the source may exist"))
        self._line()

    def _plan(self, report: Report) -> None:
        plan = report.plan
        if not plan.solved:
            return
        if plan.added_channels:
            names = ", ".join(plain(mask(channel.name)) for channel in plan.added_channels)
            self._line(tell("Channels added: {names}", names=names))
            self._line()
        self._list(
            tell("Changed"),
            (
                tell(
                    "{name} {from_version} -> {to_version}: {reason}",
                    name=row.name,
                    from_version=row.from_version,
                    to_version=row.to_version,
                    reason=row.reason,
                )
                for row in plan.changed
            ),
        )
        self._list(
            tell("Dropped"), (tell("{name}: {reason}", name=row.name, reason=row.reason) for row in plan.dropped)
        )
        self._list(
            tell("Moved to pip"),
            (
                tell("{name} {version}: {reason}", name=row.name, version=row.version or "", reason=row.reason)
                for row in plan.to_pip
            ),
        )

    def _intent(self, intent: Intent, names: Mapping[str, str]) -> None:
        """What was taken for asked for, and by which evidence the rest came along."""
        known = {name: tell(" (a build of {channel})", channel=names.get(url, url)) for name, url in intent.identified}
        self._list(
            tell("Asked for"),
            (
                tell("{name}: nothing else needs it{known}", name=name, known=known.get(name, ""))
                for name in intent.direct
            ),
        )
        self._list(
            tell("Came along"),
            (
                tell_plural(
                    len(needed_by),
                    "{name}: {needed_by} needs it{known}",
                    "{name}: {needed_by} need it{known}",
                    name=name,
                    needed_by=", ".join(needed_by[:_SHOWN_SUBJECTS]),
                    known=known.get(name, ""),
                )
                for name, needed_by in intent.needed_by
            ),
        )

    def _list(self, title: str, rows: Iterable[str]) -> None:
        rows = list(rows)
        if not rows:
            return
        self._line(tell("{title}:", title=title))
        shown = rows if self._verbose else rows[:_SHOWN_CHANGES]
        for row in shown:
            self._line(plain(mask(row)), indent=2)
        if len(rows) > len(shown):
            self._line(tell("and {count} more (-v shows all)", count=len(rows) - len(shown)), indent=2)
        self._line()


def _verdict_sentence(report: Report) -> Message:
    platform = report.target.platform
    if not report.complete:
        return say(
            "not every channel could be read, so nothing certain can be said about {platform}", platform=platform
        )
    if report.verdict is Verdict.READY:
        return say("it installs on {platform} as written (dry-solved)", platform=platform)
    if report.verdict is Verdict.FIXABLE:
        return say("it does not build on {platform} as it stands; the plan below does (dry-solved)", platform=platform)
    if report.plan.solved:
        return say(
            "it does not build on {platform}, and the closest plan loses packages that were asked for",
            platform=platform,
        )
    return say("it does not build on {platform}, and no plan was found", platform=platform)
