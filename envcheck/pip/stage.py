"""The pip section of a plan: looked up, resolved beside the plan's conda packages, moved to conda where pip cannot."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from envcheck.engines import Index
from envcheck.language import say
from envcheck.model import (
    Availability,
    DistributionFile,
    Environment,
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipResolution,
    Plan,
    Record,
    Target,
)
from envcheck.pip.extras import Describe, asked_by, host_of, with_extras
from envcheck.pip.grammar import project_of
from envcheck.pip.installed import Installed, installed_distributions
from envcheck.pip.markers import holds
from envcheck.pip.references import as_named, as_project, file_of, listed_files, locked_reference
from envcheck.pip.resolution import Settled, requirement_text, settle, sorted_out
from envcheck.pip.resolver import PipTarget, Resolved, Resolver
from envcheck.pip.rows import PLAN, PipStage, named_indexes, rows_for_pip
from envcheck.pip.to_conda import move_to_conda

__all__ = ["PackageQuestions", "PipStage", "named_indexes", "rows_for_pip", "run_pip_stage"]

# The part of the time that may go into moving rows to conda, and how long is waited for an answer in any case.
_PART_TO_MOVE = 0.25
_LEAST_SECONDS = 1.0


class PackageQuestions(Protocol):
    """What the stage asks beside the resolver."""

    def about_rows(
        self, rows: Sequence[PipRequirement], python: str | None
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """What the package index has of the rows' projects for a Python of the target."""
        ...

    def files_of(self, names: Iterable[str]) -> Mapping[str, tuple[DistributionFile, ...]]:
        """Every file that the package index has of some projects; those of which it tells nothing are left out."""
        ...

    @property
    def package_index_trouble(self) -> str:
        """Why the package index gave no answers; empty while nothing went wrong."""
        ...


def run_pip_stage(
    *,
    environment: Environment,
    plan: Plan,
    availability: Sequence[Availability],
    target: Target,
    index: Index,
    questions: PackageQuestions,
    resolver: Resolver | None,
    python: str | None,
    trust_source_indexes: bool = False,
    effort: float = 60.0,
    preferred: tuple[tuple[str, str], ...] = (),
    describe: Describe | None = None,
) -> PipStage:
    """Look up and resolve the pip section for the plan's Python, beside the plan's conda packages.

    Args:
        environment: The normalized environment.
        plan: The plan.
        availability: Where every conda requirement stands.
        target: The target.
        index: The plan's channels, loaded.
        questions: The package index.
        resolver: Whom to have resolve it; ``None`` leaves it at the look-ups.
        python: The Python to judge for where the plan has none.
        trust_source_indexes: Whether indexes that only the source names are asked.
        effort: Seconds that taking apart what does not go together may take.
        preferred: Names and versions of distributions to take wherever there is a choice.
        describe: Reads what distributions need; without it extras of conda's packages bring nothing.
    """
    rows = rows_for_pip(environment, plan, availability)
    if not rows:
        return PipStage(plan=plan)
    python = next((one.version for one in plan.packages if one.name == "python"), python)
    by_url = [row for row in rows if file_of(row) and row.name is not None]
    listed = listed_files(by_url, questions.files_of([row.name or "" for row in by_url]) if by_url else {})
    # A file that the index lists is asked for by its version, so that its needs are resolved.
    stand_ins = {row: one for row, file in listed.items() if (one := as_named(row, file)) is not None}
    stand_ins |= {row: one for row in rows if (one := as_project(row)) is not None}
    answers = questions.about_rows([stand_ins.get(row, row) for row in rows], python)
    resolution = PipResolution(trouble=_trouble(plan, questions, resolver, python))
    if resolution.trouble or resolver is None or python is None:
        return PipStage(plan=plan, answers=tuple(answers.values()), resolution=resolution)
    indexes, links = named_indexes(rows) if trust_source_indexes else ((), ())
    pip_target = PipTarget(
        python=python, platform=target.platform, glibc=_glibc(target), indexes=indexes, find_links=links
    )
    if trouble := resolver.trouble(pip_target):
        return PipStage(plan=plan, answers=tuple(answers.values()), resolution=replace(resolution, trouble=trouble))
    return _Stage(
        rows=[stand_ins.get(row, row) for row in rows],
        references=tuple((row, listed.get(row)) for row in rows if row.url is not None),
        plan=plan,
        target=pip_target,
        index=index,
        answers=answers,
        questions=questions,
        resolver=resolver,
        effort=effort,
        preferred=preferred,
        describe=describe,
    ).run()


def _trouble(plan: Plan, questions: PackageQuestions, resolver: Resolver | None, python: str | None) -> str:
    if questions.package_index_trouble:
        return questions.package_index_trouble
    if not plan.solved:
        return say("there is no solved plan to install beside")
    if python is None:
        return say("the plan has no Python")
    return say("no resolver was given") if resolver is None else ""


def _glibc(target: Target) -> str | None:
    return next((one.version for one in target.virtual_packages if one.name == "__glibc"), None)


class _Stage:
    """One run over rows that can be asked."""

    def __init__(
        self,
        *,
        rows: Sequence[PipRequirement],
        references: tuple[tuple[PipRequirement, DistributionFile | None], ...],
        plan: Plan,
        target: PipTarget,
        index: Index,
        answers: Mapping[tuple[str, str | None], PipAvailability],
        questions: PackageQuestions,
        resolver: Resolver,
        effort: float,
        preferred: tuple[tuple[str, str], ...],
        describe: Describe | None,
    ) -> None:
        self._references = references
        self._questions = questions
        self._describe = describe
        self._untold: frozenset[str] = frozenset()
        self._preferred = preferred
        self._rows = rows
        self._plan = plan
        self._target = target
        self._index = index
        self._answers = answers
        self._resolver = resolver
        self._deadline = time.monotonic() + effort
        self._seconds_to_move = effort * _PART_TO_MOVE
        self._extras: dict[str, set[str]] = {}
        for row in rows:
            self._extras.setdefault(row.name or "", set()).update(row.extras)

    def run(self) -> PipStage:
        """Move to conda what has no wheel; resolve; move what turns out to need such a thing, and resolve again."""
        target = self._target
        asked = [
            row
            for row in self._rows
            if requirement_text(row) is not None and holds(row.marker, python=target.python, platform=target.platform)
        ]
        plan, moved = self._move(self._plan, self._source_only(asked))
        settled, installed = self._settle(asked, plan, [row for row, _ in moved])
        if not settled.trouble and (stuck := _alone(asked, settled)):
            plan, more = self._move(plan, stuck)
            if more:
                moved += more
                settled, installed = self._settle(asked, plan, [row for row, _ in moved])
        if self._may_ask_more(settled, installed):
            settled = self._described(settled)
            if self._asks_more(settled, installed):
                settled, installed = self._settle(asked, plan, [row for row, _ in moved])
        return PipStage(
            plan=plan,
            answers=tuple(self._answers.values()),
            resolution=self._resolution(settled, installed, moved),
        )

    def _move(
        self, plan: Plan, rows: Sequence[PipRequirement]
    ) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
        """Move to conda what it can give, as long as there is time for that."""
        movable = _movable(rows)
        if not movable:
            return plan, ()
        started = time.monotonic()
        found = move_to_conda(plan, movable, self._index, seconds=max(self._seconds_to_move, _LEAST_SECONDS))
        self._seconds_to_move -= time.monotonic() - started
        return found

    def _may_ask_more(self, settled: Settled, installed: Mapping[str, Installed]) -> bool:
        """Whether what was resolved may ask extras of conda's packages that no row asks.

        To read that in the metadata of each distribution takes a request for each. conda's packages that are needed
        are few: with their extras told, the resolver adds something to its answer if one is asked that brings anything.
        """
        resolved = settled.resolved
        if resolved is None or self._describe is None:
            return False
        if any(listed is not None for _, listed in self._references):
            return True  # Their needs are those of the version that was resolved.
        needed = {name: {""} for name, _ in resolved.provided if name in self._untold or not self._extras.get(name)}
        told = with_extras(installed, needed, self._questions.files_of, self._describe)
        if told.untold or not any(told.installed[name].needs for name in needed):
            return bool(told.untold)
        versions = [(one.name, one.version) for one in resolved.distributions]
        versions += [(name, told.installed[name].labelled) for name, _ in resolved.provided]
        asked = {name: f"[{','.join(sorted(extras))}]" for name, extras in self._extras.items() if extras}
        texts = [f"{name}{asked.get(name, '')}=={version}" for name, version in versions]
        replaced = frozenset(one.name for one in resolved.distributions if one.name in installed)
        with self._resolver.open(self._target, told.installed.values(), self._extras) as session:
            answer = session.resolve(texts, replaceable=replaced)
        found = {one.name for one in answer.distributions} if isinstance(answer, Resolved) else None
        return found != {one.name for one in resolved.distributions}

    def _described(self, settled: Settled) -> Settled:
        """What was resolved, with what it needs in turn."""
        if self._describe is None or settled.resolved is None:
            return settled
        hosts = frozenset(host_of(one.file.url) for one in self._answers.values() if one.file is not None)
        told = self._describe(PipResolution(distributions=settled.resolved.distributions), hosts)
        return replace(settled, resolved=replace(settled.resolved, distributions=told.distributions))

    def _asks_more(self, settled: Settled, installed: Mapping[str, Installed]) -> bool:
        """Whether what was resolved asks extras of conda's packages that no row asks; they are noted."""
        found = asked_by(
            line for one in (settled.resolved or Resolved(distributions=())).distributions for line in one.requires
        )
        more = False
        for name in found.keys() & installed.keys():
            more = more or not found[name] <= self._extras.get(name, set())
            self._extras.setdefault(name, set()).update(found[name])
        return more

    def _source_only(self, asked: Sequence[PipRequirement]) -> list[PipRequirement]:
        """The rows that pip would have to build, but for those that conda's packages meet."""
        installed = installed_distributions(self._plan.packages)
        found = []
        for row in asked:
            answer, there = self._answers.get((row.name or "", row.pin)), installed.get(row.name or "")
            met = there is not None and there.meets(row.specifier)
            if answer is not None and answer.presence is PipPresence.SOURCE_ONLY and not met:
                found.append(row)
        return found

    def _settle(
        self, asked: Sequence[PipRequirement], plan: Plan, gone: Collection[PipRequirement]
    ) -> tuple[Settled, Mapping[str, Installed]]:
        """Resolve rows, without those that look-ups know to be missing or with their nearest versions."""
        told = with_extras(
            installed_distributions(plan.packages), self._extras, self._questions.files_of, self._describe
        )
        installed, self._untold = told.installed, told.untold
        # What conda gives in place of pip is there in the version that conda has; its extras are pip's affair still.
        asked = [
            replace(row, specifier="", pin=None) if row in gone else row
            for row in asked
            if row not in gone or row.extras
        ]
        with self._resolver.open(self._target, installed.values(), self._extras, preferred=self._preferred) as session:
            texts = {text: row for row in asked if (text := requirement_text(row)) is not None}
            missing = sorted_out(asked, self._answers, installed)
            # Where sources are asked that look-ups do not see, only the resolver knows what is missing.
            if not missing or self._resolver.sees_more(self._target):
                return settle(session, list(texts), rows=texts, installed=installed, seconds=self._left()), installed
            rest = {text: row for row in asked if (text := missing.get(row, requirement_text(row))) is not None}
            return settle(session, list(rest), rows=rest, installed=installed, seconds=self._left()), installed

    def _left(self) -> float:
        """The seconds left for taking apart what does not go together."""
        return max(self._deadline - time.monotonic(), 0.0)

    def _resolution(
        self,
        settled: Settled,
        installed: Mapping[str, Installed],
        moved: Sequence[tuple[PipRequirement, Record]],
    ) -> PipResolution:
        resolved = settled.resolved or Resolved(distributions=())
        locked = {one.name: one for one in resolved.distributions}
        for row, listed in self._references:
            reference = locked_reference(
                row,
                python=self._target.python,
                platform=self._target.platform,
                glibc=self._target.glibc,
                listed=listed,
            )
            if reference is None:
                continue
            if listed is None:
                locked[reference.name] = reference
            elif reference.name in locked and locked[reference.name].version == reference.version:
                # The very file that the row names, and not another wheel of its version.
                needs = locked[reference.name]
                locked[reference.name] = replace(
                    reference, requires=needs.requires, requires_python=needs.requires_python
                )
        trouble = settled.trouble
        if settled.resolved is None and not trouble:
            trouble = say("nothing of it resolves")
        return PipResolution(
            distributions=() if trouble else tuple(locked[name] for name in sorted(locked)),
            provided=resolved.provided,
            replaced=tuple((name, installed[name].conda_name) for name in sorted(locked) if name in installed),
            # What pip has to replace all the same, because others need it so, did not move.
            moved=tuple((row.name or "", record.name) for row, record in moved if row.name not in locked),
            conflicts=settled.conflicts,
            resolver=self._resolver.name,
            trouble=trouble,
            unexplained=settled.unexplained,
            listed=tuple(sorted({row.name or "" for row, listed in self._references if listed is not None})),
            untold=tuple(
                f"{name}[{','.join(sorted(self._extras[name]))}]"
                for name, _ in sorted(resolved.provided)
                if name in self._untold
            ),
        )


def _alone(asked: Sequence[PipRequirement], settled: Settled) -> list[PipRequirement]:
    """The rows that do not resolve even alone: something that they need has no wheel."""
    alone = {project_of(text) for text in settled.alone}
    return [row for row in asked if row.name in alone]


def _movable(rows: Sequence[PipRequirement]) -> list[PipRequirement]:
    """The rows that conda may be asked for: what the plan itself gives to pip, conda has in no version."""
    return [row for row in rows if row.origin != PLAN]
