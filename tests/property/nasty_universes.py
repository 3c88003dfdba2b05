"""Small universes in the grammar that channels really use, and what may be asked of them.

Versions that are equal though they are spelled differently, epochs, pre-releases and local versions; constraints with
every operator, bars and commas; builds by glob; the same build in two channels; virtual packages by version and build.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.property.plan_universes import ABIS, CHANNELS, PYTHONS, Package, Spec
from tests.property.reference import is_match

__all__ = ["NAMES", "constraints", "priorities", "questions", "universes"]

NAMES = ("a", "b", "c", "d")
"""The libraries of every universe; some have Pythons, too."""

_VERSIONS = (
    "1.0",
    "1.0",
    "1.1",
    "2.0",
    "2.0",
    "1.0.0",
    "1.10",
    "2.0rc1",
    "2.0.post1",
    "1!0.5",
    "2.0+cpu",
    "1.1a",
    "2.0.dev1",
)
_BUILDS = ("x_0", "x_0", "x_1", "y_0", "py39_x_0", "py310_x_0")

# Often something that most versions satisfy; sometimes what few or none do.
_CONSTRAINTS = (
    *("", "", "", "*", ">=1.0", ">=1.0,<2", ">=1.1,<3", "<2", ">=2.0", "1.0.*", "1.*", "2.*", "2.0.*", "==2.0", "1.0"),
    *(
        "=1.0",
        "=1",
        "=2.0",
        "1.1*",
        "2.0*",
        "~=1.0",
        "~=1.0.0",
        "~=2.0.0",
        "!=1.1",
        "!=1.0.*",
        "!=2.0",
        ">1.0",
        "<=1.1",
    ),
    *("1.0|2.0", ">=1.0,<1.1|>=2.0", "1.0.*|2.0.*", "<1.1|>1.1,<2.0a0", "<1.1,!=1.0|2.0.*", ">=2.0a0", "<2.0a0"),
    *(">=2.0.dev1,<2.0", "<2.0.post1", "==2.0+cpu", ">2.0,<2.1", "==1!0.5", ">=1!0", "<1!0", "==1.0.0", ">=1.0.0"),
    *("* x_*", "* *x_0", "* *_0", "2.0.* x_*", ">=1.0 *x*", "1.0 x_0", "* y_0", "* py39_*", ">=1.0,<2 x_*", "2.0 y_*"),
)
_PYTHON: tuple[tuple[Spec, ...], ...] = (
    (),
    (),
    (("python", ">=3.9"),),
    (("python", "3.9.*"),),
    (("python", ">=3.10,<3.11.0a0"), ("python_abi", "3.10.* *_cp310")),
    (("python", ">=3.9,<3.10.0a0"), ("python_abi", "3.9.* *_cp39")),
    (("python", ""), ("python_abi", "3.9.*")),
    (("python_abi", "3.10 0_cp310"),),
    (("python", "3.9|3.9.*"),),
    (("python", "<3.10|>=3.10.2"),),
    (("python", "3.9.1.*"),),
)
_MACHINE: tuple[Spec, ...] = (
    *(("__unix", ""), ("__glibc", ">=2.17"), ("__glibc", ">=2.17,<3.0.a0"), ("__linux", ">=4"), ("__archspec", "1 0")),
    *(("__glibc", ">=2.40"), ("__cuda", ""), ("__cuda", ">=11"), ("__win", ""), ("__archspec", "* x86_64_v4")),
    ("__archspec", "1 *"),
)
_SELDOM = ((),) * 6

_LOOSE = ("", "", "*", ">=1.0", "<3", ">=1.0,<3", "!=1.1", "1.0.*|2.0.*", "* *_0", "1.*|2.*")
_SPECS = st.tuples(st.sampled_from(NAMES), st.sampled_from(_LOOSE * 6 + _CONSTRAINTS))
_NEEDS = st.lists(st.one_of(*[_SPECS] * 12, st.just(("missing", ""))), max_size=3, unique_by=lambda spec: spec[0]).map(
    tuple
)
_ON_MACHINE = st.sampled_from(_SELDOM * 8 + tuple((spec,) for spec in _MACHINE))
_CONSTRAINS = st.one_of(
    st.just(()),
    st.just(()),
    _SPECS.map(lambda spec: (spec,)),
    st.sampled_from((*_SELDOM, *(((name, text),) for name, text in _MACHINE))),
)
_CONSTRAINS_PYTHON = st.sampled_from((*_SELDOM, (("python", "3.9.*"),), (("python", ">=3.10"),)))


@st.composite
def _package(draw: st.DrawFn, name: str, *, python: bool) -> Package:
    build = draw(st.sampled_from(_BUILDS))
    depends = draw(_NEEDS) + (draw(st.sampled_from(_PYTHON)) if python else ()) + draw(_ON_MACHINE)
    constrains = draw(_CONSTRAINS) + (draw(_CONSTRAINS_PYTHON) if python else ())
    return Package(
        name,
        draw(st.sampled_from(_VERSIONS)),
        build,
        number=int(build[-1]),
        channel=draw(st.sampled_from((*CHANNELS, "high"))),
        noarch=draw(st.booleans()),
        # Engines do not agree on what it means that a package constrains itself.
        depends=tuple(spec for spec in depends if spec[0] != name),
        constrains=tuple(spec for spec in constrains if spec[0] != name),
        features=draw(st.sampled_from((False, False, False, True))),
    )


def _pythons(draw: st.DrawFn) -> list[Package]:
    found = [
        Package("python", version, channel=draw(st.sampled_from(CHANNELS)))
        for version in draw(st.lists(st.sampled_from(PYTHONS), min_size=1, unique=True))
    ]
    for version in draw(st.lists(st.sampled_from(ABIS), unique=True)):
        # Some of pkgs/main's forget to say which Python they are for.
        depends = draw(st.sampled_from(((), (("python", f"{version}.*"),))))
        found.append(Package("python_abi", version, f"0_cp{version.replace('.', '')}", depends=depends))
    return found


@st.composite
def universes(draw: st.DrawFn, *, python: bool | None = None, most: int = 14) -> tuple[Package, ...]:
    """Any small universe.

    Args:
        draw: Hypothesis's.
        python: Whether there are Pythons; ``None`` for half of the universes.
        most: How many packages it may have.
    """
    python = draw(st.booleans()) if python is None else python
    pythons = _pythons(draw) if python else []
    # Lists of Hypothesis are short as a rule, and a name that is not there is dull.
    count = draw(st.integers(min(6, most - len(pythons)), most - len(pythons)))
    names = (NAMES * most)[: min(count, len(NAMES))] + tuple(
        draw(st.sampled_from(NAMES)) for _ in range(count - len(NAMES))
    )
    packages = [draw(_package(name, python=python)) for name in names]
    # A build is in a channel once, in one subdir of it.
    return tuple({one.key: one for one in (*packages, *pythons)}.values())


def constraints() -> st.SearchStrategy[str]:
    """What may stand behind a name."""
    return st.sampled_from(_CONSTRAINTS)


def priorities() -> st.SearchStrategy[str]:
    """The priorities of channels that conda knows."""
    return st.sampled_from(("flexible", "strict", "disabled"))


@st.composite
def questions(draw: st.DrawFn, packages: Sequence[Package], priority: str) -> tuple[Spec, ...]:
    """One to four specs, each about another name; most of them about what the universe has.

    Args:
        draw: Hypothesis's.
        packages: The universe.
        priority: That of channels. Where it is strict no channel is asked for: conda hides what another one has.
    """
    names = draw(st.permutations(sorted({one.name for one in packages})))[: draw(st.sampled_from((1, 1, 2, 2, 3, 4)))]
    specs: list[Spec] = []
    for name in names:
        own = [one for one in packages if one.name == name]
        if name.startswith("python"):
            specs.append((name, draw(st.sampled_from([f"{one.version.rpartition('.')[0]}.*" for one in own]))))
            continue
        # Now and then it may be about nothing that there is.
        few = [text for text in _CONSTRAINTS if any(is_match(one.version, one.build, text) for one in own)]
        text = draw(st.sampled_from(few if draw(st.integers(0, 24)) else _CONSTRAINTS))
        channel = priority != "strict" and draw(st.sampled_from(("", "", "", "", "", f"{own[0].channel}::")))
        specs.append(((channel or "") + name, text))
    return tuple(specs)
