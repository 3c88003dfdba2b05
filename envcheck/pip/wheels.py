"""Which files of a project install on a target without being built: a pure judgement over an index's answer.

The rules are pip's: wheel names (PEP 427) and tags (`envcheck.pip.tags`), ``Requires-Python`` (PEP 345, 503),
yanked files (PEP 592), pre-releases and local versions (PEP 440). Source distributions count as not installable,
because to use one means to run its build code inside the image.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envcheck.language import joined, say
from envcheck.model import PipAvailability, PipPresence
from envcheck.pip.lookup import IndexUnavailable, Lookup, ProjectUnreadable
from envcheck.pip.releases import Candidate, Release, WheelTarget, parsed_version, releases_of
from envcheck.pip.tags import LINUX_ARCHITECTURES

__all__ = ["judge"]

_NEAREST = 5


# ---------------------------------------------------------------------------------------------------------------------
# The judgement
# ---------------------------------------------------------------------------------------------------------------------


def judge(
    name: str,
    found: Lookup,
    *,
    pin: str | None = None,
    specifier: str = "",
    python: str | None,
    platform: str,
    glibc: str | None = None,
) -> PipAvailability:
    """Say whether a project installs on a target from wheels alone, and which versions would if not.

    ``YANKED`` is told of a version that would install and was withdrawn: with ``file`` set, pip still installs it
    because it is pinned; without, pip refuses. ``SOURCE_ONLY`` means that there is code to build and no wheel.

    Args:
        name: The project, in any spelling.
        found: What the index said of it.
        pin: The one version asked for with ``==`` or ``===``.
        specifier: The PEP 440 specifier set; empty and with a pin, ``==pin`` is meant.
        python: The target's Python (``3.10``), ``None`` if unknown: then only the platform is judged.
        platform: The target's conda subdir.
        glibc: The target's glibc, ``None`` if unknown: then no manylinux wheel is too new.

    Raises:
        ValueError: ``python`` names no minor version.
    """
    project = canonicalize_name(name)
    answer = functools.partial(PipAvailability, name=project, pin=pin)
    if isinstance(found, IndexUnavailable | ProjectUnreadable):
        return answer(presence=PipPresence.NOT_CHECKED, detail=found.reason)
    if found is None:
        return answer(presence=PipPresence.NO_PROJECT, detail=say("no such project"))
    target = WheelTarget(python=python, platform=platform, glibc=glibc)
    releases = releases_of(project, found.files, target)
    matching = _matching(releases, pin, specifier)
    pinned = pin is not None
    usable = [release for release in matching if pinned or not release.yanked]

    def nearest() -> tuple[str, ...]:
        return _nearest(releases, _reference(pin, specifier), exclude=matching)

    if not matching:
        return answer(
            presence=PipPresence.NO_VERSION, nearest=nearest(), detail=_no_version_detail(releases, pin, specifier)
        )
    if not usable:
        detail = say("every matching version was withdrawn from the index")
        return answer(presence=PipPresence.YANKED, nearest=nearest(), detail=detail)
    for release in usable:
        wheel = release.wheel(allow_yanked=pinned)
        if wheel is not None:
            return _installable(answer, release, wheel, nearest)
    for release in usable:
        source = release.source()
        if source is not None:
            return answer(
                presence=PipPresence.SOURCE_ONLY,
                version=str(release.version),
                nearest=nearest(),
                file=source.file,
                detail=_source_detail(release, target),
            )
    presence, why = _obstacle(usable[0].candidates, target)
    return answer(presence=presence, version=str(usable[0].version), nearest=nearest(), detail=why)


def _installable(
    answer: functools.partial[PipAvailability],
    release: Release,
    wheel: Candidate,
    nearest: Callable[[], tuple[str, ...]],
) -> PipAvailability:
    version = str(release.version)
    if wheel.file.yanked:
        detail = say("withdrawn from the index; pip installs it only because it is pinned")
        return answer(presence=PipPresence.YANKED, version=version, nearest=nearest(), file=wheel.file, detail=detail)
    presence = PipPresence.PURE_WHEEL if wheel.is_pure else PipPresence.WHEEL
    return answer(presence=presence, version=version, file=wheel.file)


def _matching(releases: dict[Version, Release], pin: str | None, specifier: str) -> list[Release]:
    """The releases that a requirement admits, newest first; pre-releases by PEP 440's rule."""
    text = specifier or (f"=={pin}" if pin is not None else "")
    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        return []
    admitted = specifiers.filter(sorted(releases, reverse=True))
    return [releases[version] for version in admitted]


def _reference(pin: str | None, specifier: str) -> Version | None:
    """The version that near ones should be near to: the pin, else the newest that the specifier mentions."""
    texts = [pin] if pin is not None else re.findall(r"[^\s,<>=!~]+", specifier)
    versions = [version for version in map(_version_or_none, texts) if version is not None]
    return max(versions, default=None)


def _version_or_none(text: str | None) -> Version | None:
    return parsed_version((text or "").removesuffix(".*"))


def _nearest(
    releases: dict[Version, Release], reference: Version | None, *, exclude: Sequence[Release]
) -> tuple[str, ...]:
    """Versions with a wheel for the target, best first: same minor version first, then closest, newer before older."""
    # What matched and installs is the answer and not an alternative; what matched and does not install has no wheel.
    excluded = {release.version for release in exclude}
    wants_prerelease = reference is not None and reference.is_prerelease
    eligible = sorted(
        version for version in releases if version not in excluded and (wants_prerelease or not version.is_prerelease)
    )

    def closest(versions: Iterable[Version]) -> list[Version]:
        return list(itertools.islice((one for one in versions if releases[one].wheel() is not None), _NEAREST))

    if reference is None:
        return tuple(str(version) for version in closest(reversed(eligible)))
    # Closeness is counted in releases that install, not in numbers: 2023.12 and 2024.1 are neighbours. On either side
    # the order is that of the steps, because those with the same minor version lie next to the reference.
    split = bisect.bisect_right(eligible, reference)
    found = [(steps, False, version) for steps, version in enumerate(closest(eligible[split:]))]
    found += [(steps, True, version) for steps, version in enumerate(closest(reversed(eligible[:split])))]

    def order(item: tuple[int, bool, Version]) -> tuple[bool, bool, int, bool]:
        steps, older, version = item
        # 1.13.0 is the next best thing to 1.13.0+cu118.
        return version.public != reference.public, _minor(version) != _minor(reference), steps, older

    return tuple(str(version) for _, _, version in sorted(found, key=order)[:_NEAREST])


def _minor(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


# ---------------------------------------------------------------------------------------------------------------------
# A few words about why not
# ---------------------------------------------------------------------------------------------------------------------


def _no_version_detail(releases: dict[Version, Release], pin: str | None, specifier: str) -> str:
    if not releases:
        return say("the project has no files")
    text = specifier or f"=={pin}"
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return say("{pin} is not a version that PEP 440 knows", pin=pin or specifier)
    wanted = _version_or_none(pin)
    if wanted is not None and wanted.local is not None:
        public = Version(wanted.public)
        if any(version.public == str(public) for version in releases):
            return say(
                "the index has {public} without the local label +{local}", public=str(public), local=wanted.local
            )
        return say("local versions such as +{local} are not on this index", local=wanted.local)
    return say("no such version")


def _source_detail(release: Release, target: WheelTarget) -> str:
    wheels = tuple(one for one in release.candidates if one.is_wheel)
    if not wheels:
        return say("source distribution only")
    return say("source distribution; {obstacle}", obstacle=_obstacle(wheels, target)[1])


def _obstacle(candidates: Sequence[Candidate], target: WheelTarget) -> tuple[PipPresence, str]:
    """Why no file of a release can be used: the Python it needs, or the platforms it is built for."""
    here = [one for one in candidates if one.tags is None or target.has_platform(one.tags)]
    if here and not any(one.accepts_python for one in here):
        needed = sorted({one.file.requires_python for one in here if one.file.requires_python})
        return PipPresence.OTHER_PYTHON, say("needs Python {needed}", needed=joined(" or ", needed))
    if here:
        interpreters = {tag.interpreter for one in here for tag in one.tags or ()}
        return PipPresence.OTHER_PYTHON, say(
            "wheels only for {interpreters}", interpreters=_interpreter_names(interpreters)
        )
    platforms = sorted({tag.platform for one in candidates for tag in one.tags or ()})
    newer = _glibc_needed(platforms, target)
    if newer is not None:
        return PipPresence.OTHER_PLATFORM, say("wheels need glibc 2.{newer} or newer", newer=newer)
    return PipPresence.OTHER_PLATFORM, say("wheels only for {platforms}", platforms=", ".join(platforms))


def _glibc_needed(platforms: Iterable[str], target: WheelTarget) -> int | None:
    architecture = LINUX_ARCHITECTURES.get(target.platform)
    if architecture is None:
        return None
    found = (re.fullmatch(rf"manylinux_2_(\d+)_{architecture}", platform) for platform in platforms)
    return min((int(match.group(1)) for match in found if match), default=None)


def _interpreter_order(interpreter: str) -> tuple[str, int]:
    match = re.fullmatch(r"([a-z]+)(\d+)", interpreter)
    if match is None:
        return interpreter, 0
    digits = match.group(2)
    return match.group(1), int(digits[0]) * 1000 + int(digits[1:] or 0)


def _interpreter_names(interpreters: Iterable[str]) -> str:
    """``CPython 3.8, 3.9, PyPy 3.9`` for ``cp38``, ``cp39``, ``pp39``."""
    words: list[str] = []
    last = ""
    for interpreter in sorted(interpreters, key=_interpreter_order):
        match = re.fullmatch(r"(cp|py|pp)(\d)(\d*)", interpreter)
        if match is None:
            words.append(interpreter)
            continue
        kind = {"cp": "CPython", "py": "Python", "pp": "PyPy"}[match.group(1)]
        version = f"{match.group(2)}.{match.group(3)}".removesuffix(".")
        words.append(version if kind == last else f"{kind} {version}")
        last = kind
    return ", ".join(words)
