"""Findings 710 to 729: whether a lock that somebody made still says what the channels and the package index say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.locks.contents import LockedPackage, ProblemKind
from envcheck.locks.judge import ObjectionKind
from envcheck.model import ChannelState, Remedy, RemedyAction, Severity
from envcheck.rules.facts import Draft, counted, some_of
from envcheck.rules.lock_facts import ClosureProblem, FileState, LockEntry, LockFacts, Place, WheelFit
from envcheck.secrets import mask, strip_secrets

__all__ = [
    "channel_not_asked",
    "channel_unreadable",
    "constraint_violated",
    "contradiction",
    "credentials",
    "dependency_not_met",
    "file_gone",
    "file_hash_differs",
    "file_not_checked",
    "file_yanked",
    "gone",
    "hash_differs",
    "hash_not_compared",
    "needs_virtual_package",
    "newer_build",
    "newer_version",
    "no_hash",
    "other_platform",
    "other_python",
]

_LOCK_AGAIN = Remedy(action=RemedyAction.EDIT, summary="make the lock again")


def _name(package: LockedPackage) -> str:
    return package.name or strip_secrets(package.url)


def _shown(package: LockedPackage) -> str:
    """Name, version and build."""
    return " ".join(part for part in (_name(package), package.version, package.build) if part)


def _of_problems(facts: LockFacts, severity: Severity, *kinds: ProblemKind) -> Iterator[Draft]:
    for problem in facts.problems:
        if problem.kind in kinds:
            message = problem.message.removesuffix(".")
            yield Draft(
                severity=severity,
                subject=problem.subject if problem.package is None else _name(problem.package),
                message=message[:1].lower() + message[1:],
                line=facts.line_of(problem.package),
                remedies=(_LOCK_AGAIN,),
            )


def _at(facts: LockFacts, *places: Place) -> list[LockEntry]:
    return [entry for entry in facts.entries if entry.place in places]


def _by_channel(entries: Sequence[LockEntry]) -> dict[str, list[LockEntry]]:
    grouped: dict[str, list[LockEntry]] = {}
    for entry in entries:
        grouped.setdefault(entry.channel, []).append(entry)
    return grouped


def _listed(entries: Sequence[LockEntry]) -> str:
    return some_of(list(dict.fromkeys(_name(entry.package) for entry in entries)), 4)


# ---------------------------------------------------------------------------------------------------------------------
# What the lock says of itself
# ---------------------------------------------------------------------------------------------------------------------


def contradiction(facts: LockFacts) -> Iterator[Draft]:
    """The lock contradicts itself: a URL is not that of the package it stands with, or a package is locked twice.

    Installers believe the URL and report the other; somebody has edited the file or merged two versions of it.

    Fix: make the lock again instead of mending it by hand.
    """
    yield from _of_problems(
        facts, Severity.ERROR, ProblemKind.FORM, ProblemKind.URL, ProblemKind.TWICE, ProblemKind.BROKEN_HASH
    )


def credentials(facts: LockFacts) -> Iterator[Draft]:
    """A URL in the lock holds a token or a password.

    Whoever can read the file has them, and so has everybody who reads its history once it was committed.

    Fix: withdraw the token, make the lock again, and keep credentials in the configuration or in the environment.
    """
    yield from _of_problems(facts, Severity.WARNING, ProblemKind.CREDENTIALS)


def no_hash(facts: LockFacts) -> Iterator[Draft]:
    """The lock states no hash for a package.

    A file that was exchanged on the server, or cut off on the way, is installed without a word.

    Fix: make it again with a tool that writes hashes: ``conda list --explicit --md5``, conda-lock, pixi, envcheck.
    """
    problems = [one for one in facts.problems if one.kind is ProblemKind.NO_HASH]
    if problems:
        names = list(dict.fromkeys(one.subject if one.package is None else _name(one.package) for one in problems))
        yield Draft(
            severity=Severity.WARNING,
            subject=counted(len(names), "package"),
            message=f"no hash is given, so that an exchanged file would go unnoticed: {some_of(names, 4)}",
            line=facts.line_of(problems[0].package),
            remedies=(_LOCK_AGAIN,),
        )


def other_platform(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock is built for another platform than the lock is for.

    Explicit lists are installed without a look at the platform: conda unpacks Windows programs into a Linux image.

    Fix: make the lock for this platform; ``envcheck lock`` does so from an export of another one.
    """
    remedies = (Remedy(action=RemedyAction.EDIT, summary=f"make the lock for {facts.platform}"),)
    yield from (
        Draft(
            severity=draft.severity,
            subject=draft.subject,
            message=f"{draft.message}, not for {facts.platform}",
            line=draft.line,
            remedies=remedies,
        )
        for draft in _of_problems(facts, Severity.ERROR, ProblemKind.PLATFORM)
    )
    for entry in facts.entries:
        if entry.fit is WheelFit.OTHER_PLATFORM:
            yield Draft(
                severity=Severity.ERROR,
                subject=_name(entry.package),
                message=f"the wheel is built for {entry.tags}, not for {facts.platform}",
                line=entry.line,
                remedies=remedies,
            )


def other_python(facts: LockFacts) -> Iterator[Draft]:
    """A pip package of the lock is not for the lock's own Python, or there is no Python to install it with.

    The installer refuses the wheel, after everything else was installed.

    Fix: make the lock again, conda and pip packages together.
    """
    for entry in facts.entries:
        if entry.fit is WheelFit.OTHER_PYTHON:
            yield Draft(
                severity=Severity.ERROR,
                subject=_name(entry.package),
                message=f"the wheel is for {entry.tags}, not for the Python of the lock",
                line=entry.line,
                remedies=(_LOCK_AGAIN,),
            )
    for environment in dict.fromkeys(entry.package.environment for entry in facts.entries):
        entries = [entry for entry in facts.entries if entry.package.environment == environment]
        names = {entry.package.name for entry in entries if entry.package.manager == "conda"}
        pip = [entry for entry in entries if entry.package.manager == "pip"]
        if pip and "python" not in names:
            yield Draft(
                severity=Severity.ERROR,
                subject="python",
                message=f"pip packages are locked and no Python: {_listed(pip)}",
                line=pip[0].line,
                remedies=(_LOCK_AGAIN,),
            )


# ---------------------------------------------------------------------------------------------------------------------
# What the channels say
# ---------------------------------------------------------------------------------------------------------------------


def gone(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock is no longer in its channel.

    It was withdrawn because it is broken, or never was there: the download may still work today, and from a mirror or
    tomorrow it does not.

    Fix: make the lock again; pin another build or version of the package if it is pinned to this one.
    """
    for entry in _at(facts, Place.GONE):
        package = entry.package
        there = f", but other builds of {package.version}" if entry.others else ""
        remedies = tuple(
            Remedy(
                action=RemedyAction.DROP_BUILD,
                summary=f"take the build {one.build} of {one.name} {one.version}",
                spec=f"{one.name} =={one.version} {one.build}",
            )
            for one in entry.others[:1]
        )
        yield Draft(
            severity=Severity.ERROR,
            subject=_name(package),
            message=f"{entry.channel} has no {_filename(package)} any more{there}",
            line=entry.line,
            remedies=remedies or (_LOCK_AGAIN,),
        )
    for place, words in (
        (Place.NO_CHANNEL, "the channel does not exist"),
        (Place.NO_SUBDIR, f"the channel has nothing for {facts.platform}"),
    ):
        for channel, entries in _by_channel(_at(facts, place)).items():
            yield Draft(
                severity=Severity.ERROR,
                subject=channel,
                message=f"{words}, where the lock has {counted(len(entries), 'package')} from: {_listed(entries)}",
                line=entries[0].line,
                remedies=(_LOCK_AGAIN,),
            )


def _filename(package: LockedPackage) -> str:
    return mask(package.url.partition("#")[0].rpartition("/")[2])


def hash_differs(facts: LockFacts) -> Iterator[Draft]:
    """The channel states another hash for this very file than the lock.

    The file was exchanged after the lock was made, or the lock was tampered with; installers refuse the download.

    Fix: find out which of the two happened before making the lock again.
    """
    for entry in _at(facts, Place.FOUND):
        package, record = entry.package, entry.record
        for kind, locked, there in (
            ("md5", package.md5, record and record.md5),
            ("sha256", package.sha256, record and record.sha256),
        ):
            if locked and there and locked.lower() != there:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=_name(package),
                    message=f"the lock says {kind} {locked}, {entry.channel} says {there}",
                    line=entry.line,
                    remedies=(Remedy(action=RemedyAction.EDIT, summary="find out why, then make the lock again"),),
                )


def hash_not_compared(facts: LockFacts) -> Iterator[Draft]:
    """A file of the lock could not be compared with its channel's record of it.

    Where a channel has a build as ``.tar.bz2`` and as ``.conda``, solvers read the ``.conda`` only; and a lock and a
    channel that state different kinds of hash have nothing to compare.

    Fix: nothing has to be done; a lock that is made again names the ``.conda``.
    """
    twins = _at(facts, Place.TWIN)
    if twins:
        yield Draft(
            severity=Severity.INFO,
            subject=counted(len(twins), "package"),
            message=f"of the build only the .conda was seen, not the .tar.bz2 that is locked: {_listed(twins)}",
            line=twins[0].line,
        )
    other_kinds = [entry for entry in _at(facts, Place.FOUND) if _has_hash(entry) and not _is_comparable(entry)]
    if other_kinds:
        yield Draft(
            severity=Severity.INFO,
            subject=counted(len(other_kinds), "package"),
            message=f"the channel states no hash of the kind that the lock has: {_listed(other_kinds)}",
            line=other_kinds[0].line,
        )


def _has_hash(entry: LockEntry) -> bool:
    return bool(entry.package.md5 or entry.package.sha256)


def _is_comparable(entry: LockEntry) -> bool:
    record = entry.record
    return record is not None and bool(
        (entry.package.md5 and record.md5) or (entry.package.sha256 and record.sha256)
    )  # fmt: skip


def channel_not_asked(facts: LockFacts) -> Iterator[Draft]:
    """Packages of the lock come from a channel that neither the lock nor you named as one of its channels.

    No address of a lock is asked only because a package's URL points at it, so nothing was verified of these.

    Fix: name the channel with ``-c``.
    """
    for channel, entries in _by_channel(_at(facts, Place.NOT_ASKED)).items():
        yield Draft(
            severity=Severity.WARNING,
            subject=mask(channel),
            message=f"{counted(len(entries), 'package')} not verified, the channel is none of the lock's: "
            f"{_listed(entries)}",
            line=entries[0].line,
            remedies=(Remedy(action=RemedyAction.ADD_CHANNEL, summary=f"add -c {mask(channel)}", spec=mask(channel)),),
        )


def channel_unreadable(facts: LockFacts) -> Iterator[Draft]:
    """A channel of the lock did not answer, or its index cannot be read.

    Nothing can be said about the packages that come from it; everything else was verified.

    Fix: try again, or name a mirror in the configuration (``mirrored_channels``).
    """
    if facts.channel_trouble:
        yield Draft(severity=Severity.WARNING, subject="channels", message=mask(facts.channel_trouble))
    silent = _by_channel(_at(facts, Place.SILENT))
    for status in facts.statuses:
        if status.state in (ChannelState.UNREACHABLE, ChannelState.DAMAGED, ChannelState.FORBIDDEN):
            entries = silent.get(status.channel.name, [])
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(status.channel.name),
                message=f"{mask(status.detail or status.state.value)}; {counted(len(entries), 'package')} not verified",
                line=status.channel.line or None,
            )


# ---------------------------------------------------------------------------------------------------------------------
# Whether it goes together
# ---------------------------------------------------------------------------------------------------------------------


def _of_judge(facts: LockFacts, kind: ObjectionKind) -> list[ClosureProblem]:
    return [one for one in facts.closure if one.objection.kind is kind]


def _is_about_machine(problem: ClosureProblem) -> bool:
    """Whether it is a virtual package (CEP 30) that does not fit."""
    return problem.objection.spec.startswith("__")


def _in(problem: ClosureProblem) -> str:
    return "" if problem.environment == "default" else f" (environment {problem.environment})"


def _closure_drafts(facts: LockFacts, kind: ObjectionKind, verb: str) -> Iterator[Draft]:
    for problem in _of_judge(facts, kind):
        objection = problem.objection
        if _is_about_machine(problem):
            continue
        instead = objection.found or "nothing of that name"
        since = (
            "; what the lock itself says it needs is met: the channel has changed this since" if problem.amended else ""
        )
        yield Draft(
            severity=Severity.WARNING if problem.amended else Severity.ERROR,
            subject=objection.subject,
            message=f"{verb} {objection.spec}, and the lock has {instead}{_in(problem)}{since}",
            line=problem.line,
            remedies=(_LOCK_AGAIN,),
        )


def dependency_not_met(facts: LockFacts) -> Iterator[Draft]:
    """A package of the lock needs something that the lock does not have, or has in another version.

    Locks are installed without a solver, so nobody notices before the program is run. Where everything is there that
    the lock itself says the package needs, the channel has changed the requirements later, as a rule because they
    turned out too wide.

    Fix: make the lock again.
    """
    yield from _closure_drafts(facts, ObjectionKind.DEPENDENCY, "needs")


def constraint_violated(facts: LockFacts) -> Iterator[Draft]:
    """A package of the lock does not go along with another one (``constrains`` of its record).

    Locks are installed without a solver, so nobody notices before the program is run.

    Fix: make the lock again.
    """
    yield from _closure_drafts(facts, ObjectionKind.CONSTRAINT, "goes only with")


def needs_virtual_package(facts: LockFacts) -> Iterator[Draft]:
    """Packages of the lock need something of the machine that the target was not taken to have.

    They install everywhere, and run only where the driver or the C library is there. A package that needs ``__win`` is
    for Windows although its file is ``noarch``.

    Fix: say what the machine has, with ``--virtual-package`` or ``--image``; or lock for what it has.
    """
    needed: dict[str, list[ClosureProblem]] = {}
    for problem in filter(_is_about_machine, facts.closure):
        needed.setdefault(problem.objection.spec, []).append(problem)
    families = {f"__{family}" for family in ("win", "linux", "osx", "unix")}
    for spec, problems in needed.items():
        names = list(dict.fromkeys(one.objection.subject for one in problems))
        has = problems[0].objection.found
        of_system = spec.split()[0] in families and not has
        yield Draft(
            severity=Severity.ERROR if of_system else Severity.WARNING,
            subject=names[0] if len(names) == 1 else counted(len(names), "package"),
            message=f"needs {spec}, which {facts.platform} {'has not' if not has else f'has in version {has}'}"
            + (f": {some_of(names, 4)}" if len(names) > 1 else ""),
            line=problems[0].line,
        )
    for entry in facts.entries:
        if entry.fit is WheelFit.NEWER_GLIBC:
            glibc = next((one.version for one in facts.target.virtual_packages if one.name == "__glibc"), "?")
            yield Draft(
                severity=Severity.WARNING,
                subject=_name(entry.package),
                message=f"the wheel is for {entry.tags}, and the target has glibc {glibc}",
                line=entry.line,
            )


# ---------------------------------------------------------------------------------------------------------------------
# Drift
# ---------------------------------------------------------------------------------------------------------------------


def newer_build(facts: LockFacts) -> Iterator[Draft]:
    """The channel has a newer build of the locked version (``--drift``).

    A new build of the same version mends the package: metadata, a patch, a rebuild for a library with a security fix.

    Fix: make the lock again when it suits you.
    """
    for entry in facts.entries:
        if entry.record is not None and entry.newer_build is not None:
            newer = entry.newer_build
            yield Draft(
                severity=Severity.INFO,
                subject=_name(entry.package),
                message=f"{newer.version} has build {newer.build}, locked is {entry.record.build}",
                line=entry.line,
            )


def newer_version(facts: LockFacts) -> Iterator[Draft]:
    """The channel has a newer version of a package for the lock's Python (``--drift``).

    Whether it goes along with the rest of the environment is not asked here.

    Fix: make the lock again when it suits you.
    """
    for entry in facts.entries:
        if entry.record is not None and entry.newer_version is not None:
            yield Draft(
                severity=Severity.INFO,
                subject=_name(entry.package),
                message=f"{entry.newer_version.version} is there, locked is {entry.record.version}",
                line=entry.line,
            )


# ---------------------------------------------------------------------------------------------------------------------
# What the package index says
# ---------------------------------------------------------------------------------------------------------------------


def file_gone(facts: LockFacts) -> Iterator[Draft]:
    """The package index does not offer a pip package's file any more (``--online``).

    Its authors deleted it; a lock that names it cannot be installed.

    Fix: make the lock again with another version.
    """
    for entry in facts.entries:
        if entry.file is FileState.GONE:
            yield Draft(
                severity=Severity.ERROR,
                subject=_name(entry.package),
                message=f"the package index does not offer {_filename(entry.package)} any more",
                line=entry.line,
                remedies=(_LOCK_AGAIN,),
            )


def file_hash_differs(facts: LockFacts) -> Iterator[Draft]:
    """The package index states another hash for a pip package's file than the lock (``--online``).

    An index never exchanges a file (PyPI refuses to), so the lock was edited or made from somewhere else.

    Fix: find out where the lock's file came from before making the lock again.
    """
    for entry in facts.entries:
        if entry.file is FileState.OTHER_HASH:
            yield Draft(
                severity=Severity.ERROR,
                subject=_name(entry.package),
                message=f"the lock says sha256 {entry.package.sha256}, the package index says {entry.answer}",
                line=entry.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary="find out why, then make the lock again"),),
            )


def file_yanked(facts: LockFacts) -> Iterator[Draft]:
    """A pip package's file was withdrawn by its authors (``--online``; PEP 592).

    It can still be installed by a lock, and was withdrawn because something is wrong with it.

    Fix: make the lock again with another version.
    """
    for entry in facts.entries:
        if entry.file is FileState.YANKED:
            yield Draft(
                severity=Severity.WARNING,
                subject=_name(entry.package),
                message=f"{entry.package.version} was withdrawn by its authors",
                line=entry.line,
                remedies=(_LOCK_AGAIN,),
            )


def file_not_checked(facts: LockFacts) -> Iterator[Draft]:
    """A pip package's file was not found out about although that was asked for (``--online``).

    The package index did not answer, or the file comes from somewhere else, which is not asked.

    Fix: run again with the index reachable, or name the one that has the file (``--index-url``).
    """
    if facts.package_index_trouble:
        yield Draft(
            severity=Severity.WARNING,
            subject="package index",
            message=f"pip packages were not verified: {facts.package_index_trouble}",
        )
    for entry in facts.entries:
        if entry.file is FileState.ELSEWHERE:
            words = f"the file comes from {entry.answer}, not from the package index"
        elif entry.file is FileState.UNREADABLE:
            words = f"the package index's answer cannot be used: {entry.answer}"
        else:
            continue
        yield Draft(severity=Severity.INFO, subject=_name(entry.package), message=words, line=entry.line)
