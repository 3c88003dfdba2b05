"""Small universes with Pythons and variants, built as conda-forge and pkgs/main build theirs.

Two or three minor versions of Python with their ``python_abi``; packages built once per Python beside noarch ones;
builds of one version that differ in their string, in ``track_features`` or in the build of ``blas`` that they need.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.property.plan_universes import CHANNELS, Package, Spec
from tests.property.reference import is_match

__all__ = ["LIBRARIES", "VARIANTS", "python_questions", "python_universes"]

LIBRARIES = ("a", "b", "c")

VARIANTS = ("cpu", "cuda", "mkl", "openblas")
"""What a source may have chosen; nobody chooses between the first two and the last two."""

_VERSIONS = ("1.0", "1.0", "1.0.1", "1.1", "2.0")
_MINORS = (("3.9", "3.10"), ("3.9", "3.10"), ("3.9", "3.10", "3.11"), ("3.10", "3.11"), ("3.10",))
_PATCHES = (("1",), ("5",), ("1", "5"))
# The variants of one build each: by name alone, with and without numbers, with two words.
_BUILDS = (("cpu", "cuda"), ("cpu", "gpu"), ("x", "cuda"), ("mkl", "openblas"), ("cpu_mkl", "cuda_mkl"), ("x", "y"))
_LOOSE = ("", "", ">=1.0", "<3", "1.0.*", ">=1.1", "<2", "* *cuda*", "* *cpu*", "!=1.0")
_ANY_PYTHON = ("", "", ">=3.9", ">=3.10", "<3.11", ">=3.10,<3.12", "!=3.9.5")
_ASKED = ("", "", ">=1.0", "1.0.*", "==1.0", "==1.1", ">=1.1", "* *cuda*", "* *cpu*", "* *py310*", "* *mkl*", "1.* x*")


def _compact(minor: str) -> str:
    return minor.replace(".", "")


def _after(minor: str) -> str:
    major, _, last = minor.partition(".")
    return f"{major}.{int(last) + 1}"


def _bound(minor: str) -> tuple[Spec, ...]:
    """What a package built for a Python depends on."""
    return ("python", f">={minor},<{_after(minor)}.0a0"), ("python_abi", f"{minor}.* *_cp{_compact(minor)}")


def _pythons(draw: st.DrawFn, minors: Sequence[str], *, pypy: bool) -> list[Package]:
    # One channel mostly has all of them.
    channel = draw(st.sampled_from((*CHANNELS, "high")))
    found = []
    for minor in minors:
        abi = ("python_abi", f"{minor}.* *_cp{_compact(minor)}")
        found += [
            Package("python", f"{minor}.{patch}", channel=channel, constrains=draw(st.sampled_from(((), (abi,)))))
            for patch in draw(st.sampled_from(_PATCHES))
        ]
        # Some of pkgs/main's forget to say which Python they are for.
        own = (("python", f"{minor}.*"),)
        depends, constrains = draw(st.sampled_from(((own, ()), ((), own), ((), own), ((), ()))))
        build = f"0_cp{_compact(minor)}"
        found.append(Package("python_abi", minor, build, channel=channel, depends=depends, constrains=constrains))
    if pypy and draw(st.sampled_from((True, False, False, False))):
        found.append(Package("python", f"{minors[0]}.5", "0_73_pypy", channel=channel))
    return found


def _blas(draw: st.DrawFn) -> list[Package]:
    slow = draw(st.sampled_from(("", "mkl", "openblas")))
    return [
        Package("blas", "1.0", word, number=draw(st.integers(0, 1)), features=word == slow)
        for word in ("mkl", "openblas")
    ]


@st.composite
def _needs(draw: st.DrawFn, name: str) -> tuple[Spec, ...]:
    other = draw(st.sampled_from([one for one in LIBRARIES if one != name]))
    return draw(st.sampled_from(((), (), ((other, draw(st.sampled_from(_LOOSE))),))))


@st.composite
def _builds(draw: st.DrawFn, name: str, minors: Sequence[str]) -> list[Package]:
    """All builds of one version: noarch, one for each Python, one for each variant, or one for each of both."""
    version = draw(st.sampled_from(_VERSIONS))
    channel = draw(st.sampled_from((*CHANNELS, "high")))
    needs = draw(_needs(name))
    kind = draw(st.sampled_from(("noarch", "python", "python", "variants", "variants", "both")))
    if kind == "noarch":
        depends = (*needs, ("python", draw(st.sampled_from(_ANY_PYTHON))))
        return [Package(name, version, "pyh_0", channel=channel, noarch=True, depends=depends)]
    pythons = [minor for minor in minors if draw(st.integers(0, 3))] if kind != "variants" else []
    variants = draw(st.sampled_from(_BUILDS)) if kind != "python" else ("",)
    slow, first = draw(st.sampled_from(("", *variants))), draw(st.sampled_from(variants))
    found = []
    for variant in variants:
        more = needs if draw(st.integers(0, 2)) else draw(_needs(name))
        if variant in ("mkl", "openblas"):
            more = (*more, ("blas", f"* {variant}"))
        elif variant in ("cuda", "gpu") and not draw(st.integers(0, 3)):
            more = (*more, ("__cuda", ""))
        constrains = draw(st.sampled_from(((), (), (), draw(_needs(name)), (("python", "3.10.*"),))))
        for minor in pythons or [None]:
            # As pkgs/main does, the variant to take has the higher number, or the other one has a feature.
            number = int(variant == first)
            words = [word for word in (variant, f"py{_compact(minor)}" if minor else "") if word] or ["x"]
            found.append(
                Package(
                    name,
                    version,
                    f"{'_'.join(words)}_{number}",
                    number=number,
                    channel=channel,
                    depends=(*more, *(_bound(minor) if minor else ())),
                    constrains=constrains,
                    features=bool(variant) and variant == slow,
                )
            )
    return found


@st.composite
def python_universes(draw: st.DrawFn, *, most: int = 22, pypy: bool = True) -> tuple[Package, ...]:
    """A small universe with Pythons, builds for them, and variants.

    Args:
        draw: Hypothesis's.
        most: How many packages it may have.
        pypy: Whether one of the Pythons may be PyPy.
    """
    minors = draw(st.sampled_from(_MINORS))
    # With few packages there is one of each Python at most.
    pythons = _pythons(draw, minors if most > 12 else minors[:2], pypy=pypy)
    groups = [draw(_builds(name, minors)) for name in (*LIBRARIES, *LIBRARIES)]
    groups = groups[: draw(st.integers(3, 6))]
    libraries = [one for group in groups for one in group]
    if any(name == "blas" for one in libraries for name, _ in one.depends):
        pythons += _blas(draw)
    libraries = draw(st.permutations(libraries))[: max(most - len(pythons), 2)]
    # A build is in a channel once, in one subdir of it.
    return tuple({one.key: one for one in (*libraries, *pythons[:most])}.values())


@st.composite
def python_questions(draw: st.DrawFn, packages: Sequence[Package], priority: str) -> tuple[Spec, ...]:
    """Specs about such a universe: a Python for most, and some libraries by version and variant.

    Args:
        draw: Hypothesis's.
        packages: The universe.
        priority: That of channels; nothing here asks for a channel.
    """
    del priority
    pythons = sorted({one.version for one in packages if one.name == "python"})
    specs: list[Spec] = []
    if pythons and draw(st.integers(0, 3)):
        minors = [f"{version.rpartition('.')[0]}.*" for version in pythons]
        specs.append(("python", draw(st.sampled_from((*minors, *minors, *(f"=={version}" for version in pythons))))))
    names = sorted({one.name for one in packages} - {"python", "python_abi"})
    for name in draw(st.permutations(names))[: draw(st.integers(1, 3))]:
        own = [one for one in packages if one.name == name]
        few = [text for text in _ASKED if any(is_match(one.version, one.build, text) for one in own)]
        specs.append((name, draw(st.sampled_from(few if draw(st.integers(0, 9)) and few else _ASKED))))
    return tuple(specs)
