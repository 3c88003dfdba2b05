"""The pip section of a plan: looked up, resolved beside the plan's conda packages, moved to conda where pip cannot."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from envcheck.engines import Index
from envcheck.model import (
    Availability,
    Environment,
    LockedDistribution,
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    PipResolution,
    Plan,
    PlanAdded,
    Record,
    Solved,
    Target,
)
from envcheck.names import conda_names_for_pypi
from envcheck.pip.grammar import project_of
from envcheck.pip.installed import Installed, installed_distributions
from envcheck.pip.resolution import Settled, requirement_text, settle, sorted_out
from envcheck.pip.resolver import PipTarget, Resolved, Resolver
from envcheck.pip.tags import supported_tags
from envcheck.secrets import strip_secrets
from envcheck.specs import dependency_parts, exact_spec, nearest_versions
from envcheck.universe import python_constraints

__all__ = ["PackageQuestions", "PipStage", "named_indexes", "rows_for_pip", "run_pip_stage"]

_SOLVE_SECONDS = 30.0
_PLAN = "plan"
_MOVED = "pip has no wheel of it"


class PackageQuestions(Protocol):
    """What the stage asks beside the resolver."""

    def about_rows(
        self, rows: Sequence[PipRequirement], python: str | None
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """What the package index has of the rows' projects for a Python of the target."""
        ...

    @property
    def package_index_trouble(self) -> str:
        """Why the package index gave no answers; empty while nothing went wrong."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PipStage:
    """What came of the pip section: the plan with what moved to conda, the index's answers, the resolution."""

    plan: Plan
    answers: tuple[PipAvailability, ...] = ()
    resolution: PipResolution | None = None


def rows_for_pip(environment: Environment, plan: Plan, availability: Iterable[Availability]) -> list[PipRequirement]:
    """The rows of the pip section, and what the plan moves there from conda, by its name on the package index."""
    listed = {row.name for row in environment.pip}
    asked = {one.requirement.name: one for one in availability}
    rows = list(environment.pip)
    for moved in plan.to_pip:
        one = asked.get(moved.name)
        name = canonicalize_name(one.pypi.name if one is not None and one.pypi is not None else moved.name)
        if name in listed:
            continue
        rows.append(
            PipRequirement(
                kind=PipRequirementKind.NAMED,
                name=name,
                specifier=f"=={moved.version}" if moved.version else "",
                pin=moved.version,
                origin=_PLAN,
                line=one.requirement.line if one is not None else 0,
                text=name,
            )
        )
    return rows


def named_indexes(rows: Iterable[PipRequirement]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The index URLs and the find-links that options of a pip section name; secrets included."""
    options = [row for row in rows if row.kind is PipRequirementKind.OPTION and row.url]
    indexes = [row.url for row in options if re.match(r"--extra-index-url|--index-url|-i", row.text)]
    links = [row.url for row in options if re.match(r"--find-links|-f", row.text)]
    return tuple(filter(None, indexes)), tuple(filter(None, links))


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
    """
    rows = rows_for_pip(environment, plan, availability)
    if not rows:
        return PipStage(plan=plan)
    python = next((one.version for one in plan.packages if one.name == "python"), python)
    answers = questions.about_rows(rows, python)
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
        rows=rows,
        plan=plan,
        target=pip_target,
        index=index,
        answers=answers,
        resolver=resolver,
        effort=effort,
        preferred=preferred,
    ).run()


def _trouble(plan: Plan, questions: PackageQuestions, resolver: Resolver | None, python: str | None) -> str:
    if questions.package_index_trouble:
        return questions.package_index_trouble
    if not plan.solved:
        return "there is no solved plan to install beside"
    if python is None:
        return "the plan has no Python"
    return "no resolver was given" if resolver is None else ""


def _glibc(target: Target) -> str | None:
    return next((one.version for one in target.virtual_packages if one.name == "__glibc"), None)


class _Stage:
    """One run over rows that can be asked."""

    def __init__(
        self,
        *,
        rows: Sequence[PipRequirement],
        plan: Plan,
        target: PipTarget,
        index: Index,
        answers: Mapping[tuple[str, str | None], PipAvailability],
        resolver: Resolver,
        effort: float,
        preferred: tuple[tuple[str, str], ...],
    ) -> None:
        self._preferred = preferred
        self._rows = rows
        self._plan = plan
        self._target = target
        self._index = index
        self._answers = answers
        self._resolver = resolver
        self._deadline = time.monotonic() + effort
        self._extras: dict[str, set[str]] = {}
        for row in rows:
            self._extras.setdefault(row.name or "", set()).update(row.extras)

    def run(self) -> PipStage:
        """Move to conda what has no wheel; resolve; move what turns out to need such a thing, and resolve again."""
        asked = [row for row in self._rows if requirement_text(row) is not None]
        plan, moved = _move_to_conda(self._plan, self._source_only(asked), self._index)
        settled, installed = self._settle(asked, plan, [row for row, _ in moved])
        if not settled.trouble and (stuck := _alone(asked, settled)):
            plan, more = _move_to_conda(plan, stuck, self._index)
            if more:
                moved += more
                settled, installed = self._settle(asked, plan, [row for row, _ in moved])
        return PipStage(
            plan=plan,
            answers=tuple(self._answers.values()),
            resolution=self._resolution(settled, installed, moved),
        )

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
        installed = installed_distributions(plan.packages)
        # What conda gives in place of pip is there in the version that conda has.
        asked = [row for row in asked if row not in gone]
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
        for row in self._rows:
            reference = _referenced(row, self._target)
            if reference is not None:
                locked.setdefault(reference.name, reference)
        trouble = settled.trouble
        if settled.resolved is None and not trouble:
            trouble = "nothing of it resolves"
        return PipResolution(
            distributions=() if trouble else tuple(locked[name] for name in sorted(locked)),
            provided=resolved.provided,
            replaced=tuple((name, installed[name].conda_name) for name in sorted(locked) if name in installed),
            moved=tuple((row.name or "", record.name) for row, record in moved),
            conflicts=settled.conflicts,
            resolver=self._resolver.name,
            trouble=trouble,
            unexplained=settled.unexplained,
        )


def _alone(asked: Sequence[PipRequirement], settled: Settled) -> list[PipRequirement]:
    """The rows that do not resolve even alone: something that they need has no wheel."""
    alone = {project_of(text) for text in settled.alone}
    return [row for row in asked if row.name in alone]


# ---------------------------------------------------------------------------------------------------------------------
# References
# ---------------------------------------------------------------------------------------------------------------------

_COMMIT = re.compile(r"(?P<repository>git\+.+)@(?P<commit>[0-9a-f]{40})(?:[#?].*)?")


def _referenced(row: PipRequirement, target: PipTarget) -> LockedDistribution | None:
    """What a row that names its source itself locks: a commit, or a wheel that fits; nothing of it is fetched."""
    if row.name is None or row.url is None:
        return None
    if row.kind is PipRequirementKind.VCS:
        commit = _COMMIT.fullmatch(row.url)
        if commit is None:
            return None
        url = f"{strip_secrets(commit['repository'])}@{commit['commit']}"
        return LockedDistribution(name=row.name, version=commit["commit"], url=url, filename="", sha256=None)
    if row.kind is not PipRequirementKind.URL:
        return None
    parts = urlsplit(row.url)
    filename = unquote(parts.path.rsplit("/", 1)[-1])
    try:
        _, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    if tags.isdisjoint(supported_tags(target.python, target.platform, target.glibc)):
        return None
    digest = re.search(r"sha256[=:]([0-9a-fA-F]{64})", parts.fragment)
    return LockedDistribution(
        name=row.name,
        version=str(version),
        url=strip_secrets(row.url.partition("#")[0]),
        filename=filename,
        sha256=None if digest is None else digest[1].lower(),
    )


# ---------------------------------------------------------------------------------------------------------------------
# To conda
# ---------------------------------------------------------------------------------------------------------------------


def _move_to_conda(
    plan: Plan, rows: Sequence[PipRequirement], index: Index
) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
    """The plan with the conda packages of rows that pip cannot install, each proven by a dry-solve beside the rest."""
    # What the plan itself gives to pip, conda could not give in any version.
    rows = [row for row in rows if row.origin != _PLAN]
    wanted = [(row, specs) for row in rows if (specs := _conda_specs(row, index))]
    best = _solved_with(plan, [specs[0] for _, specs in wanted], index) if wanted else None
    if best is not None:
        return _moved(plan, [(row, specs[0]) for row, specs in wanted], best)
    chosen: list[tuple[PipRequirement, str]] = []
    packages: tuple[Record, ...] = ()
    for row, specs in wanted:
        for spec in specs:
            found = _solved_with(plan, [*(one for _, one in chosen), spec], index)
            if found is not None:
                chosen.append((row, spec))
                packages = found
                break
    return _moved(plan, chosen, packages) if chosen else (plan, ())


def _conda_specs(row: PipRequirement, index: Index) -> tuple[str, ...]:
    """What to ask conda for: the row's version, else the nearest, else any."""
    known = index.names()
    name = next((one for one in conda_names_for_pypi(row.name or "") if one in known), None)
    if name is None:
        return ()
    versions = {record.version for record in index.records(name)}
    if row.pin is None:
        return (name,)
    near = nearest_versions(row.pin, versions, limit=1)
    exact = (exact_spec(name, row.pin),) if row.pin in versions else ()
    return tuple(dict.fromkeys([*exact, *(exact_spec(name, one) for one in near), name]))


def _solved_with(plan: Plan, specs: Sequence[str], index: Index) -> tuple[Record, ...] | None:
    """The plan's packages and what some specs add to them; none of them changes."""
    pinned = [exact_spec(one.name, one.version, one.build) for one in plan.packages]
    python = next((one.version for one in plan.packages if one.name == "python"), None)
    outcome = index.solve(
        [*pinned, *specs],
        preferred=plan.packages,
        constraints=python_constraints(python),
        timeout=_SOLVE_SECONDS,
    )
    return outcome.packages if isinstance(outcome, Solved) else None


def _moved(
    plan: Plan, chosen: Sequence[tuple[PipRequirement, str]], packages: tuple[Record, ...]
) -> tuple[Plan, tuple[tuple[PipRequirement, Record], ...]]:
    by_name = {record.name: record for record in packages}
    before = {record.name for record in plan.packages}
    moved = tuple((row, by_name[dependency_parts(spec)[0]]) for row, spec in chosen)
    names = {record.name for _, record in moved}
    needed_by: dict[str, str] = {}
    for record in packages:
        for dependency in record.depends:
            needed_by.setdefault(dependency_parts(dependency)[0], record.name)
    added = tuple(
        PlanAdded(
            name=record.name,
            version=record.version,
            reason=f"the pip section asks for it, and {_MOVED}"
            if record.name in names
            else f"{needed_by.get(record.name, 'the plan')} needs it",
        )
        for record in packages
        if record.name not in before
    )
    listed = {dependency_parts(one)[0] for one in plan.requirements}
    specs = tuple(exact_spec(record.name, record.version) for _, record in moved if record.name not in listed)
    return (
        replace(plan, packages=packages, added=(*plan.added, *added), requirements=(*plan.requirements, *specs)),
        moved,
    )
