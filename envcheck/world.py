"""What a check can ask: indexes loaded by the engine when they are first needed, and the Python package index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from envcheck.channels import resolve_channels
from envcheck.condarc import Configuration
from envcheck.engines import Engine, Index, LoadOptions, ProgressCallback
from envcheck.errors import ChannelError
from envcheck.model import (
    Channel,
    ChannelReference,
    DistributionFile,
    Environment,
    PipAvailability,
    PipRequirement,
    PipRequirementKind,
    PipResolution,
    PythonCount,
    Target,
)
from envcheck.pip.lookup import IndexUnavailable, PackageIndex, ProjectFiles
from envcheck.request import Request
from envcheck.survey import newest_python
from envcheck.virtual_packages import virtual_packages_for

if TYPE_CHECKING:
    from envcheck.pip.resolver import Resolver

__all__ = ["LoadedWorld", "Services", "configured_options", "load_options"]

# Where a package that the configured channels lack is looked for: the channels that public environments mostly use.
_WELL_KNOWN_CHANNELS = ("conda-forge", "defaults", "bioconda", "pytorch", "nvidia")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a check uses outside itself, and where it tells its progress.

    A second engine is for ``--cross-check``; without a resolver the pip section is looked up and not resolved.
    ``describe`` fills in what resolved distributions need in turn, which a lock tells; it is given the hosts to ask.
    """

    engine: Engine
    second_engine: Engine | None = None
    package_index: PackageIndex
    resolver: Resolver | None = None
    describe: Callable[[PipResolution, frozenset[str]], PipResolution] | None = None
    progress: ProgressCallback | None = None


def load_options(request: Request) -> LoadOptions:
    """The engine's options for a request."""
    options = configured_options(
        request.configuration, cache_directory=request.cache_directory, offline=request.offline
    )
    return replace(options, exclude_newer=request.exclude_newer, record_directory=request.record_directory)


def configured_options(configuration: Configuration, *, cache_directory: str | None, offline: bool) -> LoadOptions:
    """The engine's options that a user's configuration and command line say."""
    options = LoadOptions(
        cache_directory=cache_directory,
        offline=offline or configuration.offline,
        verify_tls=configuration.ssl_verify,
        proxies=configuration.proxy_servers,
        package_directories=configuration.pkgs_dirs,
        connect_timeout=configuration.remote_connect_timeout_secs,
        read_timeout=configuration.remote_read_timeout_secs,
    )
    largest = configuration.largest_repodata
    return options if largest is None else replace(options, largest_download=largest)


class LoadedWorld:
    """The `envcheck.survey.World` of one request and target; every question is asked at most once."""

    def __init__(
        self,
        request: Request,
        target: Target,
        services: Services,
        references: Sequence[ChannelReference],
        *,
        python: str | None,
    ) -> None:
        self._request = request
        self._target = target
        self._services = services
        self._references = references
        self._python = python
        self._others: dict[str, tuple[tuple[Channel, Index], ...]] = {}
        self._platforms: dict[str, Index | None] = {}
        self._extended: dict[tuple[str, ...], Index] = {}
        self._package_index_trouble = "" if request.check_pip else "--no-pip"

    @cached_property
    def index(self) -> Index:
        """The target's channels for the target's platform.

        Raises:
            ChannelError: None of them could be loaded.
        """
        return self._load(self._target.channels, self._target.platform)

    def for_platform(self, platform: str) -> Index | None:
        """The target's channels for another platform, where they can be loaded."""
        if platform == self._target.platform:
            return self.index
        if platform not in self._platforms:
            resolution = resolve_channels(
                self._references,
                self._request.configuration,
                command_line=self._request.channels,
                override=self._request.override_channels,
                platform=platform,
            )
            known = {channel.url for channel in resolution.channels}
            # What builds told of the target's channels holds for every platform.
            told = [one for one in self._target.channels if one.origin == "builds" and one.url not in known]
            self._platforms[platform] = self._try_load((*resolution.channels, *told), platform)
        return self._platforms[platform]

    def other_channels(self, platform: str) -> Sequence[tuple[Channel, Index]]:
        """The well-known and configured channels that the target lacks; none with ``--override-channels``."""
        if self._request.override_channels:
            return ()
        if platform not in self._others:
            self._others[platform] = self._load_others(platform)
        return self._others[platform]

    def _load_others(self, platform: str) -> tuple[tuple[Channel, Index], ...]:
        configuration = self._request.configuration
        texts = dict.fromkeys(
            (
                *_WELL_KNOWN_CHANNELS,
                *configuration.channels,
                *(name for name, _ in configuration.custom_channels),
                *(name for name, _ in configuration.mirrored_channels),
            )
        )
        resolution = resolve_channels(
            [ChannelReference(text="nodefaults", line=0)],
            configuration,
            command_line=tuple(texts),
            platform=platform,
        )
        used = {channel.url for channel in self._target.channels}
        found = []
        for channel in resolution.channels:
            index = self._try_load((channel,), platform) if channel.url not in used else None
            if index is not None and index.names():
                found.append((channel, index))
        return tuple(found)

    def with_channels(self, added: Sequence[Channel]) -> Index:
        """The target's channels with others behind them."""
        key = tuple(channel.url for channel in added)
        if not key:
            return self.index
        if key not in self._extended:
            self._extended[key] = self._load((*self._target.channels, *added), self._target.platform)
        return self._extended[key]

    def on_package_index(
        self, projects: Sequence[tuple[str, str | None]]
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """What the Python package index has of projects for the target."""
        return self._judged(dict.fromkeys(projects, ""), self.python_minor)

    def about_rows(
        self, rows: Sequence[PipRequirement], python: str | None
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """What the Python package index has of the rows of a pip section for a Python of the target.

        Args:
            rows: The rows; those that name no project of the index are left out.
            python: The version of Python; the newest that the environment allows where it is ``None``.
        """
        questions: dict[tuple[str, str | None], str] = {}
        for row in rows:
            if row.kind is PipRequirementKind.NAMED and row.name is not None:
                questions.setdefault((row.name, row.pin), row.specifier)
        return self._judged(questions, python or self.python_minor)

    def with_python_of_wheels(self, environment: Environment) -> tuple[Environment, tuple[PythonCount, ...]]:
        """Have the Python that most pins of an environment have wheels for; see `envcheck.pip.python_choice`."""
        if environment.python is not None or not self._request.check_pip:
            return environment, ()
        from envcheck.pip.python_choice import with_python_of_wheels

        chosen, counts = with_python_of_wheels(
            environment, self._target, self.index, self.files_of, preferred=self._request.preferred
        )
        self._python = chosen.python
        return chosen, counts

    def files_of(self, names: Iterable[str]) -> Mapping[str, tuple[DistributionFile, ...]]:
        """Every file that the package index has of some projects; those of which it tells nothing are left out."""
        names = list(dict.fromkeys(names))
        if not self._request.check_pip or not names:
            return {}
        answers = self._services.package_index.projects(names, progress=self._services.progress)
        return {name: one.files for name, one in answers.items() if isinstance(one, ProjectFiles)}

    def _judged(
        self, questions: Mapping[tuple[str, str | None], str], python: str | None
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        """The index's answers about projects, pins and specifiers."""
        from envcheck.pip.wheels import judge

        if not self._request.check_pip or not questions:
            return {}
        names = list(dict.fromkeys(name for name, _ in questions))
        answers = self._services.package_index.projects(names, progress=self._services.progress)
        trouble = next((answer for answer in answers.values() if isinstance(answer, IndexUnavailable)), None)
        if trouble is not None:
            self._package_index_trouble = trouble.reason
            return {}
        glibc = next((one.version for one in self._target.virtual_packages if one.name == "__glibc"), None)
        return {
            (name, pin): judge(
                name,
                answers[name],
                pin=pin,
                specifier=specifier,
                python=python,
                platform=self._target.platform,
                glibc=glibc,
            )
            for (name, pin), specifier in questions.items()
        }

    @cached_property
    def python_minor(self) -> str | None:
        """The minor version of the newest Python on the target that the environment allows, to judge wheels by."""
        python = newest_python(self.index, self._python)
        return None if python is None else ".".join(python.split(".")[:2])

    @property
    def package_index_trouble(self) -> str:
        """Why the package index gave no answers; empty while nothing went wrong."""
        return self._package_index_trouble

    def _load(self, channels: Sequence[Channel], platform: str) -> Index:
        virtual_packages = (
            self._target.virtual_packages if platform == self._target.platform else virtual_packages_for(platform)
        )
        return self._services.engine.load(
            channels,
            platform,
            virtual_packages,
            channel_priority=self._target.channel_priority,
            options=load_options(self._request),
            progress=self._services.progress,
        )

    def _try_load(self, channels: Sequence[Channel], platform: str) -> Index | None:
        try:
            return self._load(channels, platform)
        except ChannelError:
            return None
