"""Engines and the judge of locks against a search of every environment of small universes."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from envcheck.engines import Engine, Index
from envcheck.engines.rattler import RattlerEngine
from envcheck.locks.judge import judge_solution
from envcheck.model import Record, Solved, Target
from tests.property.nasty_universes import NAMES, constraints, priorities, questions, universes
from tests.property.plan_universes import Found, Package, Spec, loaded, package_of
from tests.property.python_universes import python_questions, python_universes
from tests.property.reference import environments, granted, is_bound, is_match, is_valid, visible, within

ENGINES = {
    "rattler": ("envcheck.engines.rattler", "RattlerEngine"),
    "rattler-stored": ("tests.support.stores", "StoredRattlerEngine"),
    "libmamba": ("envcheck.engines.libmamba", "LibmambaEngine"),
    "libmamba-stored": ("tests.support.libmamba_stores", "StoredLibmambaEngine"),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param.startswith("libmamba") and importlib.util.find_spec("libmambapy") is None:
        pytest.skip("libmambapy is not installed")
    module, class_name = ENGINES[request.param]
    made: Engine = getattr(importlib.import_module(module), class_name)()
    return made


def text_of(spec: Spec) -> str:
    return " ".join(spec).strip()


def readable(packages: Sequence[Package], engine: Engine) -> tuple[Package, ...]:
    """A universe in words that an engine reads as conda does; see `test_what_libmamba_reads_otherwise`."""
    if engine.info.name != "libmamba":
        return tuple(packages)
    plain = [
        replace(
            one,
            version=one.version.replace("2.0+cpu", "2.1"),
            depends=tuple((name, spelled(text, engine)) for name, text in one.depends),
            constrains=tuple((name, spelled(text, engine)) for name, text in one.constrains),
        )
        for one in packages
    ]
    return tuple({one.key: one for one in plain}.values())


def spelled(text: str, engine: Engine) -> str:
    """A constraint in words that an engine reads as conda does: no comma beside a bar, no local version."""
    if engine.info.name != "libmamba":
        return text
    return (text.partition("|")[0] if "," in text else text).replace("2.0+cpu", "2.1")


def reachable(found: Found, specs: Sequence[Spec]) -> set[str]:
    """The names that an environment has for a reason: asked for, or needed by such."""
    pending = [spec[0].rpartition("::")[2] for spec in specs]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in found and name not in seen:
            seen.add(name)
            pending += [needed for needed, _ in found[name].depends]
    return seen


def are_enough(cases: settings) -> bool:
    """Whether the kinds of cases can be held to a share: a hundred that are always the same, or many."""
    return cases.max_examples >= (100 if cases.derandomize else 500)


def shares(seen: Counter[str]) -> dict[str, float]:
    """What part of the cases each kind is; told to whoever runs the tests with ``-s``."""
    total = seen["cases"]
    print({kind: round(count / total, 3) for kind, count in seen.items()}, total, "cases")  # noqa: T201
    return {kind: count / total for kind, count in seen.items()}


# ---------------------------------------------------------------------------------------------------------------------
# The judge
# ---------------------------------------------------------------------------------------------------------------------


def records_of(packages: Sequence[Package], index: Index) -> dict[tuple[str, str, str, str], Record]:
    every = (record for name in {one.name for one in packages} for record in index.records(name))
    return {package_of(record, packages).key: record for record in every}


@pytest.mark.parametrize("kind", ["nasty", "python"])
def test_the_judge_accepts_exactly_what_is_an_environment(kind: str, cases: settings) -> None:
    engine: Engine = RattlerEngine()
    seen: Counter[str] = Counter()
    asking = python_questions if kind == "python" else questions

    # Every universe is asked some two hundred times, one with Pythons up to a thousand times.
    @settings(cases, max_examples=cases.max_examples // (10 if kind == "python" else 5))
    @given(packages=python_universes(most=8) if kind == "python" else universes(most=8), data=st.data())
    def law(packages: tuple[Package, ...], data: st.DataObject) -> None:
        specs = data.draw(asking(packages, "flexible"))
        texts = [text_of(spec) for spec in specs]
        with loaded(packages, engine=engine) as (target, index):
            records = records_of(packages, index)
            assert len(records) == len(packages)
            for size in range(len(packages) + 1):
                for some in itertools.combinations(packages, size):
                    found = {one.name: one for one in some}
                    valid = is_valid(some) and is_bound(found)
                    chosen = [records[one.key] for one in some]
                    assert (judge_solution(chosen, (), target, index) == ()) == valid, some
                    asked = valid and all(granted(found, spec) for spec in specs)
                    if valid:
                        assert (judge_solution(chosen, texts, target, index) == ()) == asked, (some, texts)
                    seen.update(("cases", "asked for" if asked else "valid" if valid else "invalid"))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert part["valid"] > 0.02
        assert part["asked for"] > 0.002


# ---------------------------------------------------------------------------------------------------------------------
# Engines
# ---------------------------------------------------------------------------------------------------------------------


def check_answer(
    packages: tuple[Package, ...], every: Sequence[Found], specs: tuple[Spec, ...], target: Target, index: Index
) -> str:
    """Hold an engine's answer to the truth; the kind of the case."""
    named = {name: channel for channel, _, name in (spec[0].rpartition("::") for spec in specs) if channel}
    seen = visible(packages, target.channel_priority, named)
    keys = {one.key for one in seen}
    fitting = [
        one
        for one in every
        if all(granted(one, spec) for spec in specs) and all(package.key in keys for package in one.values())
    ]
    texts = [text_of(spec) for spec in specs]
    outcome = index.solve(texts)
    assert isinstance(outcome, Solved) == bool(fitting), texts
    if not isinstance(outcome, Solved):
        missing = any(not any(granted({one.name: one}, spec) for one in seen) for spec in specs)
        return "something is not there" if missing else "conflict"
    found = {one.name: package_of(one, packages) for one in outcome.packages}
    assert len(found) == len(outcome.packages)
    assert found in fitting
    assert set(found) == reachable(found, specs), "nothing comes without a reason"
    assert (judge_solution(outcome.packages, texts, target, index) == ()) == is_bound(found)
    return "solved" if len(found) > len(specs) else "solved with nothing besides"


def test_engines_tell_the_truth(engine: Engine, cases: settings) -> None:
    seen: Counter[str] = Counter()

    @cases
    @given(packages=universes(), priority=priorities(), data=st.data())
    def law(packages: tuple[Package, ...], priority: str, data: st.DataObject) -> None:
        packages = readable(packages, engine)
        every = environments(packages)
        drawn = data.draw(st.lists(questions(packages, priority), min_size=3, max_size=3))
        asked = [tuple((name, spelled(text, engine)) for name, text in specs) for specs in drawn]
        with loaded(packages, priority=priority, engine=engine) as (target, index):
            for specs in asked:
                kind = check_answer(packages, every, specs, target, index)
                event(kind)
                seen.update(("cases", kind, priority))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert min(part["solved"], part["solved with nothing besides"], part["conflict"]) > 0.02
        assert min(part["strict"], part["flexible"], part["disabled"]) > 0.05


def test_engines_tell_the_truth_about_pythons_and_variants(engine: Engine, cases: settings) -> None:
    seen: Counter[str] = Counter()

    @settings(cases, max_examples=cases.max_examples // 2)
    @given(packages=python_universes(), priority=priorities(), data=st.data())
    def law(packages: tuple[Package, ...], priority: str, data: st.DataObject) -> None:
        every = environments(packages)
        asked = data.draw(st.lists(python_questions(packages, priority), min_size=4, max_size=4))
        with loaded(packages, priority=priority, engine=engine) as (target, index):
            for specs in asked:
                kind = check_answer(packages, every, specs, target, index)
                event(kind)
                seen.update(("cases", kind, priority))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert min(part["solved"], part["conflict"]) > 0.02
        assert min(part["strict"], part["flexible"], part["disabled"]) > 0.05


def test_engines_read_specs_as_conda_does(engine: Engine, cases: settings) -> None:
    seen: Counter[str] = Counter()

    @cases
    @given(packages=universes(), asked=st.lists(constraints(), min_size=6, max_size=6))
    def law(packages: tuple[Package, ...], asked: list[str]) -> None:
        packages = readable(packages, engine)
        with loaded(packages, engine=engine) as (_, index):
            for name, text in itertools.product(NAMES, [spelled(text, engine) for text in asked]):
                truth = {one.key for one in packages if one.name == name and is_match(one.version, one.build, text)}
                found = {package_of(one, packages).key for one in index.matching(text_of((name, text)))}
                assert found == truth, (name, text)
                seen.update(("cases", "some" if truth else "none"))

    law()
    part = shares(seen)
    if are_enough(cases):
        assert min(part["some"], part["none"]) > 0.15


@pytest.mark.parametrize(("text", "versions"), [("<1.1,!=1.0|2.0", {"0.9"}), ("<2.0", {"1.1", "1.0", "0.9"})])
def test_what_libmamba_reads_otherwise(text: str, versions: set[str]) -> None:
    # A bar binds closer than the comma before it, and a local version comes after the version without.
    pytest.importorskip("libmambapy")
    engine: Engine = importlib.import_module("envcheck.engines.libmamba").LibmambaEngine()
    packages = [Package("a", version) for version in ("0.9", "1.0", "1.1", "2.0", "2.0+cpu")]
    with loaded(packages, engine=engine) as (_, index):
        found = {one.version for one in index.matching(f"a {text}")}
    assert found != {one.version for one in packages if within(one.version, text)}
    assert found == versions
