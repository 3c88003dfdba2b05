"""Which platform a source comes from, as a sum of observations that are kept to be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PureWindowsPath

from envcheck.language import plural, say
from envcheck.model import DamageKind, Evidence, PipRequirement, Requirement
from envcheck.sources.document import Document
from envcheck.sources.platform_facts import FRAGMENT, FRAGMENTS, NAMES, PIP_NAMES, SUFFIXED_NAME
from envcheck.sources.reading import Reading

__all__ = ["gather_evidence", "infer_platform", "name_claims"]

#: The weight from which one observation decides alone.
_DECISIVE = 100

_DEFAULT_SUBDIRS = {"win": "win-64", "linux": "linux-64", "osx": "osx-64"}

_DRIVE_REFERENCE = re.compile(r"(?:file:/{0,3})?/?[A-Za-z]:[\\/]", re.IGNORECASE)
#: Where the macOS builds of conda-forge and Anaconda are made. Paths of their Linux machines (``/home/conda``,
#: ``/tmp/build``, ``/croot``, ``/opt/conda``) stand in every freeze: noarch packages are built there.
_OSX_REFERENCE = re.compile(r"file:/{2,3}(?:Users/(?:runner|builder)/|private/var/folders/)")
_COMMENT_PATH = re.compile(r"#.*?(?<![A-Za-z])(?P<path>[A-Za-z]:\\[\w.\\ -]+)")

_CLAIMS = (
    ("win", frozenset(("win", "windows", "mswin"))),
    ("linux", frozenset(("linux", "ubuntu", "debian", "centos", "fedora", "rhel", "wsl"))),
    ("osx", frozenset(("mac", "macos", "osx", "darwin", "macosx"))),
)


def name_claims(path: str) -> str | None:
    """The platform family that a file's own name speaks of, ``None`` for none or several."""
    name = PureWindowsPath(path).name
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = set(re.findall(r"[a-z]+", spaced.lower()))
    claims = [family for family, tokens in _CLAIMS if words & tokens]
    return claims[0] if len(claims) == 1 else None


def gather_evidence(reading: Reading, document: Document) -> tuple[Evidence, ...]:
    """Every observation about the source platform, strongest first."""
    found = [
        *reading.evidence,
        *_prefix(reading),
        *_subdirs(reading.requirements),
        *_builds(reading.requirements),
        *_names(_unselected(reading)),
        *_pip_names(reading.pip),
        *_references(reading.pip),
        *_prompts(document),
        *_comments(document),
    ]
    return tuple(sorted(found, key=lambda item: (-item.weight, item.platform, item.reason, item.line or 0)))


def infer_platform(evidence: Iterable[Evidence]) -> str | None:
    """The subdir that the evidence speaks for, ``None`` if it does not or is balanced.

    Decisive observations outvote all others. ``unix`` decides nothing by itself: it is Linux or macOS, and weighs
    against Windows only.
    """
    every = tuple(evidence)
    decisive = tuple(item for item in every if item.weight >= _DECISIVE)
    considered = decisive or every
    scores: Counter[str] = Counter()
    for item in considered:
        scores[_family(item.platform)] += item.weight
    unix = scores.pop("unix", 0)
    if not scores:
        return None
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    family, score = ranked[0]
    if len(ranked) > 1 and ranked[1][1] == score:
        return None
    if family == "win" and unix >= score:
        return None
    subdirs: Counter[str] = Counter()
    for item in every:
        if "-" in item.platform and _family(item.platform) == family:
            subdirs[item.platform] += item.weight
    if not subdirs:
        return _DEFAULT_SUBDIRS.get(family)
    return min(subdirs, key=lambda subdir: (-subdirs[subdir], subdir))


def _family(platform: str) -> str:
    return platform.partition("-")[0]


def _prefix(reading: Reading) -> Iterator[Evidence]:
    prefix = reading.prefix
    if prefix is None:
        return
    if re.match(r"[A-Za-z]:[\\/]|\\\\", prefix):
        platform, weight = "win", 90
    elif prefix.startswith("/Users/"):
        platform, weight = "osx", 60
    elif prefix.startswith(("/home/", "/root/", "/mnt/", "/scratch/")):
        platform, weight = "linux", 60
    elif prefix.startswith(("/", "~")):
        platform, weight = "unix", 30
    else:
        return
    yield Evidence(
        platform=platform, weight=weight, reason=say("the prefix is {prefix}", prefix=prefix), line=reading.prefix_line
    )


def _subdirs(requirements: Iterable[Requirement]) -> Iterator[Evidence]:
    """Subdirs in package URLs and JSON rows; the most frequent one decides, others are worth a mention."""
    found = [item for item in requirements if item.subdir not in (None, "noarch")]
    counts = Counter(item.subdir for item in found if item.subdir is not None)
    for rank, (subdir, count) in enumerate(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))):
        first = next(item for item in found if item.subdir == subdir)
        reason = say(
            "{packages} from {subdir}, {name} among them", packages=_packages(count), subdir=subdir, name=first.name
        )
        yield Evidence(platform=subdir, weight=_DECISIVE if rank == 0 else 10, reason=reason, line=first.line)


def _builds(requirements: Iterable[Requirement]) -> Iterator[Evidence]:
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        match = FRAGMENT.search(requirement.build or "")
        subdir = None if match is None else FRAGMENTS.get(match["fragment"])
        if subdir is not None:
            found.setdefault(subdir, []).append(requirement)
    for subdir, items in found.items():
        first = items[0]
        reason = say(
            "{builds} made for {subdir} only, {name} {build} among them",
            builds=_builds_word(len(items)),
            subdir=subdir,
            name=first.name,
            build=first.build,
        )
        yield Evidence(platform=subdir, weight=min(85, 15 + 15 * len(items)), reason=reason, line=first.line)


def _unselected(reading: Reading) -> Iterator[Requirement]:
    """The requirements without a selector: ``pywin32  # [win]`` is how a file for all platforms is written."""
    selected = {item.line for item in reading.damage if item.kind is DamageKind.SELECTOR}
    return (item for item in reading.requirements if item.line not in selected)


def _names(selected: Iterable[Requirement]) -> Iterator[Evidence]:
    requirements = tuple(selected)
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        family = next((family for family, names in NAMES if requirement.name in names), None)
        if family is None:
            match = SUFFIXED_NAME.fullmatch(requirement.name)
            family = None if match is None else _family(match["subdir"] or "win")
        if family is not None:
            found.setdefault(family, []).append(requirement)
    for family, items in found.items():
        weight = min(80, 20 + 20 * len({item.name for item in items}))
        if family == "unix":
            weight //= 2  # many hand-written files name readline or ncurses for no reason
        reason = say("only {family} has {listed}", family=family, listed=_listed(item.name for item in items))
        yield Evidence(platform=family, weight=weight, reason=reason, line=items[0].line)
    hint = next((item for item in requirements if item.name == "libcxx"), None)
    if hint is not None:
        # Every macOS environment has it; on other platforms it exists and is rare.
        yield Evidence(platform="osx", weight=15, reason=say("libcxx is macOS's C++ runtime"), line=hint.line)


def _pip_names(pip: Iterable[PipRequirement]) -> Iterator[Evidence]:
    found: dict[str, list[PipRequirement]] = {}
    for requirement in pip:
        if requirement.marker is not None:
            continue  # a marker is how a portable file names what one platform needs
        for family, names in PIP_NAMES:
            if requirement.name in names:
                found.setdefault(family, []).append(requirement)
    for family, items in found.items():
        reason = say(
            "only {family} has {listed} of PyPI", family=family, listed=_listed(str(item.name) for item in items)
        )
        yield Evidence(platform=family, weight=min(60, 15 + 15 * len(items)), reason=reason, line=items[0].line)


def _references(pip: Iterable[PipRequirement]) -> Iterator[Evidence]:
    """``name @ file:///C:/ci/…``: the package was built on Windows, so it is no noarch package and runs there."""
    windows: list[PipRequirement] = []
    macos: list[PipRequirement] = []
    for item in pip:
        if item.url is not None and _DRIVE_REFERENCE.match(item.url):
            windows.append(item)
        elif item.url is not None and _OSX_REFERENCE.match(item.url):
            macos.append(item)
    for family, items, most in (("win", windows, 80), ("osx", macos, 50)):
        if items:
            weight = min(most, 20 + 20 * len(items))
            what = plural(len(items), "{count} pip line refers", "{count} pip lines refer")
            reason = say(
                "{what} to files of a {family} machine, {name} among them",
                what=what,
                family=family,
                name=items[0].name or items[0].text,
            )
            yield Evidence(platform=family, weight=weight, reason=reason, line=items[0].line)


def _prompts(document: Document) -> Iterator[Evidence]:
    first = next((prompt for prompt in document.prompts if prompt.family), None)
    if first is not None:
        weight = 60 if first.family == "win" else 30
        yield Evidence(
            platform=first.family,
            weight=weight,
            reason=say("a console prompt: {text}", text=first.text[:60]),
            line=first.line,
        )


def _comments(document: Document) -> Iterator[Evidence]:
    for number, line in document.numbered():
        match = _COMMENT_PATH.fullmatch(line) if line.startswith("#") and not line.startswith("# packages in") else None
        if match is not None:
            yield Evidence(
                platform="win", weight=20, reason=say("a comment names {path}", path=match["path"].strip()), line=number
            )
            return


def _packages(count: int) -> str:
    return plural(count, "{count} package is", "{count} packages are")


def _builds_word(count: int) -> str:
    return plural(count, "{count} build is", "{count} builds are")


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(set(names))
    shown = ", ".join(ordered[:5])
    return shown if len(ordered) <= 5 else say("{names} and {count} more", names=shown, count=len(ordered) - 5)
