"""Every environment of a Dockerfile checked as its command would make it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from envcheck.condarc import Configuration
from envcheck.docker.followed import Followed, MadeEnvironment
from envcheck.docker.images import find_image
from envcheck.docker.sources import EnvironmentSource, NotRead, sources_of
from envcheck.errors import ChannelError, ConfigurationError, SourceError
from envcheck.language import clause, say
from envcheck.lock_file import LockFile, contents_for
from envcheck.model import Finding, Report, Severity, SourceKind, Verdict
from envcheck.verify import LockReport
from envcheck.virtual_packages import PLATFORMS, overrides_from_environment, virtual_packages_for

__all__ = [
    "CheckedSource",
    "Question",
    "check_environments",
    "conda_platform",
    "docker_platform",
    "known_image",
    "oldest_image",
]

# Docker's platforms (containerd's platform package) in conda's words.
_PLATFORMS: Mapping[str, str] = {
    "linux/amd64": "linux-64",
    "linux/x86_64": "linux-64",
    "linux/arm64": "linux-aarch64",
    "linux/arm64/v8": "linux-aarch64",
    "linux/aarch64": "linux-aarch64",
    "linux/ppc64le": "linux-ppc64le",
    "linux/s390x": "linux-s390x",
    "linux/riscv64": "linux-riscv64",
}
_ABOUT_WHAT_WAS_ASKED = ("EC615", "EC616", "EC617", "EC618", "EC622", "EC63", "EC701")
"""Findings about what pip would choose, and about what somebody chose: a list of hashed files has both behind it."""

_LOCKS = frozenset({SourceKind.CONDA_LOCK, SourceKind.PIXI_LOCK, SourceKind.EXPLICIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the pipeline is asked about one source: everything of a `Request` that the Dockerfile decides."""

    path: str
    data: bytes = field(repr=False)
    platform: str
    image: str | None
    virtual_packages: tuple[str, ...]
    channels: tuple[str, ...] = field(repr=False)
    override_channels: bool
    configured: tuple[str, ...] = field(repr=False)
    channel_priority: str

    def configuration(self, user: Configuration) -> Configuration:
        """The user's configuration with the image's channels: mirrors and credentials are still the user's."""
        return replace(user, channels=self.configured, channel_priority=self.channel_priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """One source of one command with its report, or why there is none.

    A lock that is for the platform is verified, as it is installed without solving; anything else is checked.
    ``image_known`` is false where the base image tells no C library; ``source`` is ``None`` where nothing was read;
    ``unanswered`` where there is no report because no channel could be loaded.
    """

    made: MadeEnvironment
    path: str
    source: EnvironmentSource | None = None
    report: Report | None = None
    lock_report: LockReport | None = None
    platform: str = ""
    reason: str = ""
    image_known: bool = True
    unanswered: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the source."""
        return next((one.findings for one in (self.report, self.lock_report) if one is not None), ())

    @property
    def verdict(self) -> str | None:
        """The report's verdict, ``None`` where there is no report."""
        return next((one.verdict.value for one in (self.report, self.lock_report) if one is not None), None)

    @property
    def complete(self) -> bool:
        """Whether every channel answered that was asked."""
        if self.unanswered:
            return False
        return all(one.complete for one in (self.report, self.lock_report) if one is not None)


def conda_platform(docker: str) -> str | None:
    """Docker's word for a platform in conda's; ``linux-64`` where none is asked for, ``None`` where there is none."""
    return _PLATFORMS.get(docker.lower()) if docker else "linux-64"


def docker_platform(subdir: str) -> str | None:
    """Docker's word for a platform of conda; ``None`` where Docker builds for no such."""
    return next((docker for docker, conda in _PLATFORMS.items() if conda == subdir), None)


def check_environments(
    followed: Followed,
    ask: Callable[[Question], Report],
    verify: Callable[[Question, LockFile], LockReport],
    *,
    platforms: Sequence[str] = (),
    image: str | None = None,
) -> tuple[CheckedSource, ...]:
    """Check everything that the commands of a Dockerfile ask for.

    Args:
        followed: The Dockerfile, followed.
        ask: Checks one source.
        verify: Verifies one lock.
        platforms: Those of the command line; the Dockerfile's where empty.
        image: ``--image``, in place of the Dockerfile's.

    Returns:
        A result for every source of every command and every platform, in the order of the Dockerfile.
    """
    found: list[CheckedSource] = []
    path = followed.dockerfile.path
    for made in followed.environments:
        for platform in platforms or (_platform_of(made),):
            python = _python_before(made, platform, found, followed) if made.pip is not None else None
            for source in sources_of(made, path, python=python):
                if isinstance(source, NotRead):
                    found.append(CheckedSource(made=made, path=source.path, platform=platform, reason=source.reason))
                else:
                    base = image or oldest_image(followed.bases_of(made), platform)
                    found.append(_checked(made, source, ask, verify, platform=platform, image=base))
    return tuple(found)


def _python_before(
    pip: MadeEnvironment, platform: str, checked: Sequence[CheckedSource], followed: Followed
) -> str | None:
    """The Python (``3.12``) of the environment that pip adds to, from what was found of its commands before."""
    places = {(stage, pip.prefix) for stage in followed.stages_under(pip.stage)}
    places |= {(one.stage, one.prefix) for one in followed.moved if (one.into, one.prefix) in places}
    for one in reversed(checked):
        if one.made.pip is not None or one.platform != platform or (one.made.stage, one.made.prefix) not in places:
            continue
        found: list[str] = []
        if one.report is not None:
            found = [record.version for record in one.report.plan.packages if record.name == "python"]
        elif one.lock_report is not None:
            locked = contents_for(one.lock_report.lock, platform).packages
            found = [
                package.version
                for package in (located.package for located in locked)
                if package.name == "python" and package.manager == "conda"
            ]
        if found:
            return ".".join(found[0].split(".")[:2])
    return None


def _platform_of(made: MadeEnvironment) -> str:
    variables = dict(made.variables)
    asked = (made.conda.platform if made.conda is not None else None) or variables.get("CONDA_SUBDIR")
    return asked if asked in PLATFORMS else conda_platform(made.platform) or "linux-64"


def _checked(
    made: MadeEnvironment,
    source: EnvironmentSource,
    ask: Callable[[Question], Report],
    verify: Callable[[Question, LockFile], LockReport],
    *,
    platform: str,
    image: str,
) -> CheckedSource:
    base, known = known_image(image, platform)
    result = CheckedSource(made=made, path=source.path, source=source, platform=platform, image_known=known)
    other = bool(source.lock_platforms) and platform not in source.lock_platforms
    # What was listed on another platform has a closest environment; a lock of several platforms has been solved.
    if other and source.kind is not SourceKind.EXPLICIT:
        others = ", ".join(source.lock_platforms)
        return replace(
            result, reason=say("it is locked for {others} and not for {platform}", others=others, platform=platform)
        )
    question = Question(
        path=source.path,
        data=source.data,
        platform=platform,
        image=base,
        virtual_packages=overrides_from_environment(dict(made.variables), platform),
        channels=tuple(text for text, _ in made.channels),
        override_channels=made.conda is not None and made.conda.override_channels and bool(made.channels),
        configured=_configured(made, source),
        channel_priority=made.priority if made.priority in ("strict", "flexible", "disabled") else "flexible",
    )
    try:
        if source.lock is not None and not other:
            return replace(result, lock_report=verify(question, source.lock))
        report = ask(question)
    except (SourceError, ConfigurationError, ChannelError) as error:
        return replace(result, reason=clause(error.message), unanswered=isinstance(error, ChannelError))
    if _is_lock_of_pip(made):
        # As with any lock, what was asked for is no matter; and what a file needs may be conda's, or beside it.
        kept = tuple(one for one in report.findings if not one.code.startswith(_ABOUT_WHAT_WAS_ASKED))
        as_it_stands = report.plan.solved and not (report.plan.changed or report.plan.dropped)
        ready = as_it_stands and not any(one.severity is Severity.ERROR for one in kept)
        report = replace(report, findings=kept, verdict=Verdict.READY if ready else report.verdict)
    return replace(result, report=_relocated(report, source))


def _is_lock_of_pip(made: MadeEnvironment) -> bool:
    """Whether pip installs just the files of its lists, each with its hash, and looks for nothing besides."""
    return made.pip is not None and {"--no-deps", "--require-hashes"} <= set(made.pip.words) and not made.specs


def oldest_image(images: Sequence[str], platform: str) -> str:
    """Of the images that an environment is in, the one with the oldest glibc: what runs there runs in all of them."""
    known = [(glibc, index) for index, one in enumerate(images) if (glibc := _glibc(one, platform)) is not None]
    return images[min(known)[1]] if known and _glibc(images[0], platform) is not None else images[0]


def _glibc(image: str, platform: str) -> tuple[int, ...] | None:
    base, _ = known_image(image, platform)
    packages = () if base is None else virtual_packages_for(platform, image=base)
    version = next((one.version for one in packages if one.name == "__glibc"), None)
    return None if version is None else tuple(int(part) for part in re.findall(r"\d+", version))


def known_image(image: str, platform: str) -> tuple[str | None, bool]:
    """The image if its C library can be told from its name, and whether it can."""
    if not platform.startswith("linux-"):
        return None, True
    try:
        virtual_packages_for(platform, image=image)
    except ConfigurationError:
        return None, False
    return image, True


def _configured(made: MadeEnvironment, source: EnvironmentSource) -> tuple[str, ...]:
    """The channels of conda's configuration in the image, as this command reads them."""
    listed = tuple(one.text for one in made.configured)
    if source.kind in _LOCKS:
        return ("nodefaults",) if source.names_channels else listed
    if listed:
        return listed
    if made.tool in ("micromamba", "pixi", "pip", "conda-lock"):
        # micromamba knows no channels but those that it is told of; it and the others never fall back to `defaults`.
        return ("nodefaults",) if made.channels or source.names_channels else ("conda-forge",)
    # An image of which nothing is known may be of either kind; what both lack is missing for certain.
    return ("defaults",) if find_image(made.base) is not None else ("conda-forge", "defaults")


def _relocated(report: Report, source: EnvironmentSource) -> Report:
    """The report with the lines of where the source's lines came from."""
    if not source.lines:
        return report
    count = len(source.lines)
    return replace(
        report,
        findings=tuple(
            replace(one, line=source.lines[one.line - 1]) if one.line and one.line <= count else one
            for one in report.findings
        ),
    )
