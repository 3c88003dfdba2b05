"""The pip section, resolved: every row that can be had, and for each other one why not, in one run.

A resolver stops at the first contradiction. So rows that do not go together are found by asking again: first for the
rows in any version, with their own as preferences, which in one answer shows what can stay; then, in halves, whether
more can stay than that. QuickXplain (Junker, AAAI 2004) finds for each row that had to change a minimal set of rows
that it does not resolve with.

conda's packages are taken as installed and stay as they are wherever the rows leave a choice. Where they leave none,
pip replaces what conda installed, here as in the image.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from envcheck.model import PipAvailability, PipConflict, PipPresence, PipRequirement, PipRequirementKind
from envcheck.pip.grammar import admits, parsed_requirement, project_of
from envcheck.pip.installed import Installed
from envcheck.pip.resolver import Answer, Resolved, Session, Unresolved

__all__ = ["Settled", "requirement_text", "settle", "sorted_out"]

_RUNS = 200
_SECONDS = 60.0
# Until when, in parts of the time, it is tried to keep more rows as they are, to leave more of conda's packages as they
# are, and to tell why. The first answer that holds is waited for in any case.
_UNTIL_KEPT = 0.1
_UNTIL_BESIDE_CONDA = 0.2
_UNTIL_EXPLAINED = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of asking: the last answer that held, what gave way, and which rows cannot be had even alone.

    ``unexplained`` are rows that had to give way, too, and for which the time ran out before it was known to what;
    ``trouble`` is why nothing can be said.
    """

    resolved: Resolved | None = None
    conflicts: tuple[PipConflict, ...] = ()
    alone: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    trouble: str = ""


def requirement_text(row: PipRequirement) -> str | None:
    """The PEP 508 text of a row that a resolver can be asked, ``None`` for any other row."""
    if row.kind is not PipRequirementKind.NAMED or row.name is None:
        return None
    text = _text(row, row.specifier)
    try:
        # A leftover of an interrupted pip (``-umpy``) is listed by conda like any other, and no resolver can read it.
        for one in Requirement(text).specifier:
            if one.operator == "===":
                Version(one.version)
    except (InvalidRequirement, InvalidVersion):
        return None
    return text


def _text(row: PipRequirement, specifier: str) -> str:
    extras = f"[{','.join(row.extras)}]" if row.extras else ""
    marker = f" ; {row.marker}" if row.marker else ""
    return f"{row.name}{extras}{specifier}{marker}"


def sorted_out(
    rows: Iterable[PipRequirement],
    answers: Mapping[tuple[str, str | None], PipAvailability],
    installed: Mapping[str, Installed],
) -> dict[PipRequirement, str | None]:
    """What look-ups say that a resolver is to be asked in place of the rows as they are written.

    Args:
        rows: The rows that can be asked.
        answers: What the index said of them.
        installed: What conda has installed: where that meets a row, the index need not have it.

    Returns:
        For each row that the index cannot serve, the nearest version that it can, ``None`` to leave it out.
    """
    found: dict[PipRequirement, str | None] = {}
    for row in rows:
        answer = answers.get((row.name or "", row.pin))
        there = installed.get(row.name or "")
        if answer is None or (there is not None and there.meets(row.specifier)):
            continue
        presence = answer.presence
        withdrawn = presence is PipPresence.YANKED and answer.file is None
        if presence.absent or presence is PipPresence.SOURCE_ONLY or withdrawn:
            found[row] = _text(row, f"=={answer.nearest[0]}") if answer.nearest else None
    return found


class _Budget:
    """How often and how long may be asked; ``share`` is the part of the time that may be spent so far."""

    def __init__(self, runs: int, seconds: float) -> None:
        self._runs = runs
        self._seconds = seconds
        self._started = time.monotonic()
        self.share = 1.0

    def spend(self) -> bool:
        """Take one run, if there is one left."""
        self._runs -= 1
        return self._runs >= 0 and time.monotonic() - self._started < self._seconds * self.share


class _TroubleError(Exception):
    """The resolver gives no answer."""


class _CutShortError(Exception):
    """The budget is spent."""


def settle(
    session: Session,
    texts: Sequence[str],
    *,
    rows: Mapping[str, PipRequirement],
    installed: Mapping[str, Installed],
    runs: int = _RUNS,
    seconds: float = _SECONDS,
) -> Settled:
    """Resolve requirements, and where they do not go together, as many as do.

    Args:
        session: Whom to ask.
        texts: PEP 508 texts in the order of the rows; earlier ones are kept rather than later ones.
        rows: The row that each text stands for, to loosen its version.
        installed: What conda has installed, by name.
        runs: How often the resolver may be asked beyond the first time.
        seconds: How long that may take.
    """
    replaced = frozenset(
        row.name
        for row in rows.values()
        if row.name is not None and row.name in installed and not installed[row.name].meets(row.specifier)
    )
    asking = _Asking(session, installed, replaced, _Budget(runs, seconds))
    try:
        first = asking.hard(texts)
        if isinstance(first, Resolved):
            return Settled(resolved=first)
        return asking.untangle(texts, rows)
    except _TroubleError as trouble:
        return Settled(trouble=trouble.args[0])


class _Asking:
    """The questions of one `settle`."""

    def __init__(
        self, session: Session, installed: Mapping[str, Installed], replaced: frozenset[str], budget: _Budget
    ) -> None:
        self._session = session
        self._installed = installed
        self._replaced = replaced
        self._budget = budget

    def hard(
        self,
        texts: Sequence[str],
        also: frozenset[str] = frozenset(),
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Resolve beside everything that is installed but what rows ask for in another version."""
        return self._told(self._session.resolve(texts, replaceable=self._replaced | also, preferred=preferred))

    def _soft(self, texts: Sequence[str], preferred: tuple[tuple[str, str], ...] = ()) -> Answer:
        """Resolve where everything may be replaced: whether the rows go together at all."""
        if not self._budget.spend():
            raise _CutShortError
        answer = self._session.resolve(texts, replaceable=frozenset(self._installed), preferred=preferred)
        return self._told(answer)

    def _told(self, answer: Answer) -> Answer:
        if isinstance(answer, Unresolved) and answer.failed:
            raise _TroubleError(answer.explanation)
        return answer

    def _goes(self, texts: Sequence[str]) -> bool:
        return isinstance(self._soft(texts), Resolved)

    def untangle(self, texts: Sequence[str], rows: Mapping[str, PipRequirement]) -> Settled:
        """The rows that go together, the others in a version that does, and then why, as long as there is time."""
        pins = tuple({row.name: row.pin for row in reversed([*rows.values()]) if row.name and row.pin}.items())
        kept: list[str] = []
        conflicts: dict[str, PipConflict] = {}
        free = {text: _text(rows[text], "") for text in texts}
        present, near = self._nearest(texts, free, pins)
        if near is not None:
            versions = {one.name: one.version for one in near.distributions}
            versions |= {name: self._installed[name].version for name, _ in near.provided}
            kept = [text for text in present if project_of(text) not in versions or _is_met(text, versions)]
        looser = {text: free[text] for text in present if text not in kept}
        self._budget.share = _UNTIL_KEPT
        with contextlib.suppress(_CutShortError):
            # The resolver holds on to what it prefers as it comes along; something more may still be had.
            kept += self._tightened(kept, {text: text for text in looser}, looser)
            looser = {text: one for text, one in looser.items() if text not in kept}
            minors = {text: some[0] for text in looser if len(some := _loosened(rows[text])) > 1}
            tight = self._tightened(kept, minors, looser)
            looser |= {text: minors[text] for text in tight}
        kept = [text for text in texts if text in kept]
        self._budget.share = _UNTIL_BESIDE_CONDA
        resolved = self._beside_conda([*kept, *looser.values()], pins)
        self._budget.share = _UNTIL_EXPLAINED
        # What gave way and came out as it was asked for all the same has lost nothing.
        had = {} if resolved is None else {one.name: one.version for one in resolved.distributions}
        lost = [text for text in texts if text not in kept and not _is_met(text, had)]
        with contextlib.suppress(_CutShortError):
            for text in lost:
                answer = self._soft([text])
                if isinstance(answer, Unresolved):
                    conflicts[text] = PipConflict(requirements=(text,), explanation=answer.explanation)
            for text in lost:
                # One that goes along with all that was kept has only others to blame that had to change as well.
                if text not in conflicts and not self._goes([*kept, text]):
                    conflicts[text] = self._conflict(kept, text)
        told = [replace(conflicts[text], remedy=looser.get(text)) for text in lost if text in conflicts]
        return Settled(
            resolved=resolved,
            conflicts=tuple(_with_version(one, rows, resolved, self._installed) for one in told),
            unexplained=tuple(text for text in lost if text not in conflicts),
            alone=tuple(text for text, one in conflicts.items() if one.requirements == (text,)),
        )

    def _nearest(
        self, texts: Sequence[str], free: Mapping[str, str], pins: tuple[tuple[str, str], ...]
    ) -> tuple[list[str], Resolved | None]:
        """The rows that can be had together in whatever versions, and those versions, near to the pins."""
        present: list[str] = []

        def go(some: Sequence[str]) -> bool:
            return isinstance(self._soft([free[text] for text in some], pins), Resolved)

        with contextlib.suppress(_CutShortError):
            _grow(present, texts, go)
        answer = self._told(
            self._session.resolve(
                [free[text] for text in present], replaceable=frozenset(self._installed), preferred=pins
            )
        )
        return present, answer if isinstance(answer, Resolved) else None

    def _tightened(self, held: Sequence[str], tighter: Mapping[str, str], looser: Mapping[str, str]) -> list[str]:
        """As many rows as go along in their tighter form beside what is held and the looser form of the others."""
        added: list[str] = []

        def go(some: Sequence[str]) -> bool:
            rest = [one for text, one in looser.items() if text not in some]
            return self._goes([*held, *(tighter[text] for text in some), *rest])

        with contextlib.suppress(_CutShortError):
            _grow(added, list(tighter), go)
        return added

    def _conflict(self, good: Sequence[str], text: str) -> PipConflict:
        """A minimal set of texts, ``text`` among them, that does not resolve."""
        others = _quick_explain(list(good), lambda chosen: not self._goes([*chosen, text]))
        answer = self._soft([*others, text])
        return PipConflict(
            requirements=(*others, text), explanation=answer.explanation if isinstance(answer, Unresolved) else ""
        )

    def _beside_conda(self, texts: Sequence[str], preferred: tuple[tuple[str, str], ...]) -> Resolved | None:
        """Resolve rows that go together so that as little as can be of what conda installed is replaced."""
        if not texts:
            return Resolved(distributions=())
        answer = self.hard(texts, preferred=preferred)
        if isinstance(answer, Resolved):
            return answer
        free = self._told(self._session.resolve(texts, replaceable=frozenset(self._installed), preferred=preferred))
        if not isinstance(free, Resolved):
            return None
        # What is not replaced when everything may be need not be; of the rest as much stays as can.
        loose = frozenset(one.name for one in free.distributions if one.name in self._installed) - self._replaced

        def stay(names: Sequence[str]) -> bool:
            if not self._budget.spend():
                raise _CutShortError
            return isinstance(self.hard(texts, loose - frozenset(names), preferred), Resolved)

        kept: list[str] = []
        with contextlib.suppress(_CutShortError):
            _grow(kept, sorted(loose), stay)
        best = self.hard(texts, loose - frozenset(kept), preferred)
        return best if isinstance(best, Resolved) else free


def _grow(good: list[str], items: Sequence[str], goes: Callable[[Sequence[str]], bool]) -> None:
    """Add to ``good`` the items that go along with it, in their order."""
    if not items or goes([*good, *items]):
        good += items
    elif len(items) > 1:
        half = len(items) // 2
        _grow(good, items[:half], goes)
        _grow(good, items[half:], goes)


def _is_met(text: str, versions: Mapping[str, str]) -> bool:
    """Whether a requirement has a version that it admits."""
    requirement = parsed_requirement(text)
    version = versions.get(project_of(text))
    return requirement is not None and version is not None and admits(str(requirement.specifier), version)


def _with_version(
    conflict: PipConflict,
    rows: Mapping[str, PipRequirement],
    resolved: Resolved | None,
    installed: Mapping[str, Installed],
) -> PipConflict:
    """A conflict whose remedy is the version that was resolved."""
    if conflict.remedy is None or resolved is None:
        return replace(conflict, remedy=None)
    row = rows[conflict.requirements[-1]]
    version = next((one.version for one in resolved.distributions if one.name == row.name), None)
    if version is None and row.name is not None and row.name in installed:
        version = installed[row.name].version
    return conflict if version is None else replace(conflict, remedy=_text(row, f"=={version}"))


def _loosened(row: PipRequirement) -> tuple[str, ...]:
    """The requirements to try in place of a row: the same minor version, then any."""
    if row.pin is None:
        return (_text(row, ""),) if row.specifier else ()
    try:
        release = Version(row.pin).release
    except InvalidVersion:
        return (_text(row, ""),)
    minor = (_text(row, f"=={release[0]}.{release[1]}.*"),) if len(release) > 1 else ()
    return (*minor, _text(row, ""))


def _quick_explain(items: list[str], conflicting: Callable[[Sequence[str]], bool]) -> list[str]:
    """A minimal subset that conflicts, by QuickXplain (Junker, AAAI 2004); ``items`` themselves do.

    Args:
        items: What to choose from, what should rather be blamed at the end.
        conflicting: Whether a selection conflicts; a larger selection does if a smaller one does.
    """
    if conflicting([]):
        return []

    def explain(background: list[str], added: bool, rest: list[str]) -> list[str]:
        if added and conflicting(background):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        found_second = explain([*background, *first], bool(first), second)
        found_first = explain([*background, *found_second], bool(found_second), first)
        return [*found_first, *found_second]

    return explain([], False, items)
