"""A reason is a minimal unsatisfiable set, whatever the universe; checked by trying every environment."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from envcheck.clauses import Clauses
from envcheck.conflicts import Conflicts
from envcheck.universe import Universe
from tests.property.plan_universes import Found, Package, environments, loaded, universes

Version = tuple[str, str]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(universes(), st.data())
def test_reasons(packages: tuple[Package, ...], data: st.DataObject) -> None:
    every = environments(packages)
    # What is kept goes together: it is a part of an environment, the larger the better.
    largest = sorted(every, key=len)[-8:]
    kept: Found = data.draw(st.sampled_from(largest))
    versions = sorted({(one.name, one.version) for one in packages})
    wishes = [one for one in versions if one[0] not in kept or kept[one[0]].version != one[1]]
    assume(wishes)

    def together(some: Iterable[Version]) -> bool:
        return any(all(name in one and one[name].version == version for name, version in some) for one in every)

    with loaded(packages) as (target, index):
        clauses = Clauses(Universe(sorted({one.name for one in packages}), index, target, None))
    literals: dict[str, int] = {}
    for name, one in kept.items():
        literal = clauses.any_of(r for r in clauses.universe.records[name] if r.version == one.version)
        assert literal is not None
        literals[name] = literal
    with Conflicts(clauses, literals) as conflicts:
        for wish in wishes:
            name, version = wish
            records = [record for record in clauses.universe.records[name] if record.version == version]
            reason = conflicts.reason(name, records)
            others = [(other, one.version) for other, one in kept.items() if other != name]

            event(f"{'no' if reason is None else len(reason)} conflict")
            assert (reason is None) == together([wish, *others])
            assert (reason == ()) == (not together([wish]))
            if reason:
                members = [(other, kept[other].version) for other in reason]
                assert list(reason) == sorted(set(reason) - {name})
                assert not together([wish, *members])
                assert all(together([wish, *fewer]) for fewer in itertools.combinations(members, len(members) - 1))
            # The object is asked again and again, and what it loads for one answer changes no other.
            assert conflicts.reason(name, records) == reason


@settings(derandomize=True, deadline=None, max_examples=40)
@given(universes(), st.data())
def test_all_minimal(packages: tuple[Package, ...], data: st.DataObject) -> None:
    every = environments(packages)
    versions = sorted({(one.name, one.version) for one in packages})
    asked = dict(data.draw(st.permutations(versions)))

    def together(names: Iterable[str]) -> bool:
        return any(all(name in one and one[name].version == asked[name] for name in names) for one in every)

    with loaded(packages) as (target, index):
        clauses = Clauses(Universe(sorted(asked), index, target, None))
    literals = {
        name: literal
        for name, version in asked.items()
        if (literal := clauses.any_of(r for r in clauses.universe.records[name] if r.version == version)) is not None
    }
    with Conflicts(clauses, literals) as conflicts:
        found = conflicts.all_minimal()

    subsets = [
        names for size in range(1, len(literals) + 1) for names in itertools.combinations(sorted(literals), size)
    ]
    impossible = [set(names) for names in subsets if not together(names)]
    minimal = [names for names in subsets if set(names) in impossible and not any(o < set(names) for o in impossible)]
    event(f"{len(found)} sets")
    # In this order too: the smallest first, then by name.
    assert list(found) == minimal
