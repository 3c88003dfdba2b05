"""``envcheck doctor``: which engines, configuration, channels and caches a check on this machine would use."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envcheck import __version__
from envcheck.channels import resolve_channels
from envcheck.condarc import Configuration
from envcheck.engines import Engine, Index, LoadOptions
from envcheck.errors import ChannelError, EngineError
from envcheck.model import ChannelStatus
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.lookup import IndexUnavailable, PackageIndex
from envcheck.secrets import mask
from envcheck.virtual_packages import virtual_packages_for

__all__ = ["Diagnosis", "Section", "diagnose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with lines below it; ``healthy`` is false when a check would fail because of it."""

    title: str
    lines: tuple[str, ...]
    healthy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that the doctor found."""

    sections: tuple[Section, ...]

    @property
    def healthy(self) -> bool:
        """Whether a check could do its work here."""
        return all(section.healthy for section in self.sections)

    def text(self) -> str:
        """The diagnosis as text, without secrets."""
        blocks = ["\n".join([section.title, *(f"  {line}" for line in section.lines)]) for section in self.sections]
        return mask("\n\n".join(blocks)) + "\n"


def diagnose(
    configuration: Configuration,
    engine_of: Callable[[str], Engine],
    package_index: PackageIndex,
    index_settings: IndexSettings,
    *,
    target: str,
    channels: Sequence[str],
    options: LoadOptions,
    cache_directory: str,
) -> Diagnosis:
    """Look at everything that a check would use.

    Args:
        configuration: The user's configuration.
        engine_of: Gives the engine of a name, or raises `EngineError`.
        package_index: The package index.
        index_settings: Where it is and who says so.
        target: The platform to load channels for.
        channels: The channels of the command line.
        options: How repodata is loaded.
        cache_directory: Where the package index's answers are kept.
    """
    engine, engines = _engines(engine_of)
    return Diagnosis(
        sections=(
            Section(
                title=f"envcheck {__version__}",
                lines=(f"Python {platform.python_version()} on {sys.platform}",),
            ),
            engines,
            _configuration(configuration),
            _channels(engine, configuration, target, channels, options),
            _package_index(package_index, index_settings),
            Section(
                title="Caches",
                lines=(
                    "repodata: " + (options.cache_directory or "where the engine keeps it"),
                    f"package index: {cache_directory}",
                ),
            ),
        )
    )


def _engines(engine_of: Callable[[str], Engine]) -> tuple[Engine | None, Section]:
    lines = [_engine_line(engine_of, name) for name in ("libmamba", "rattler")]
    try:
        engine = engine_of("auto")
    except EngineError as error:
        return None, Section(title="Engines", lines=(*lines, f"none can be used: {error.message}"), healthy=False)
    reason = f" ({engine.info.reason})" if engine.info.reason else ""
    return engine, Section(title="Engines", lines=(*lines, f"--engine auto takes {engine.info.name}{reason}"))


def _engine_line(engine_of: Callable[[str], Engine], name: str) -> str:
    try:
        info = engine_of(name).info
    except EngineError as error:
        return f"{name}: {error.message}" + (f" ({error.hint})" if error.hint else "")
    return f"{info.name} {info.version}"


def _configuration(configuration: Configuration) -> Section:
    lines = [f"read {source}" for source in configuration.sources] or ["no .condarc or .mambarc was found"]
    lines.append(f"channel priority {configuration.channel_priority}")
    if configuration.ssl_verify is not True:
        lines.append(f"ssl_verify {configuration.ssl_verify}")
    lines += [f"proxy for {scheme}: {url}" for scheme, url in configuration.proxy_servers]
    return Section(title="Configuration", lines=tuple(lines))


def _channels(
    engine: Engine | None, configuration: Configuration, target: str, channels: Sequence[str], options: LoadOptions
) -> Section:
    resolved = resolve_channels((), configuration, command_line=channels, platform=target).channels
    title = f"Channels for {target}"
    if engine is None:
        return Section(title=title, lines=tuple(channel.name for channel in resolved))
    started = time.monotonic()
    try:
        index: Index = engine.load(
            resolved,
            target,
            virtual_packages_for(target),
            channel_priority=configuration.channel_priority,
            options=options,
        )
    except ChannelError as error:
        return Section(title=title, lines=(error.message, *((error.hint,) if error.hint else ())), healthy=False)
    seconds = time.monotonic() - started
    lines = [_status_line(status) for status in index.statuses]
    lines.append(f"{len(index.names())} names, loaded in {seconds:.1f} s")
    return Section(title=title, lines=tuple(lines), healthy=not any(status.silent for status in index.statuses))


def _status_line(status: ChannelStatus) -> str:
    detail = f": {status.detail}" if status.detail else ""
    mirror = f", from the {status.channel.mirror} mirror" if status.channel.mirror else ""
    return f"{status.channel.name} ({status.channel.url}{mirror}): {status.state.value}{detail}"


def _package_index(package_index: PackageIndex, settings: IndexSettings) -> Section:
    answer = package_index.project("pip")
    lines = [f"{settings.url} (from {settings.origin})"]
    lines += [f"besides: {url} (from {settings.origin_of(url)})" for url in settings.extra_urls]
    lines += [f"files: {url} (from {settings.origin_of(url)})" for url in settings.find_links]
    if isinstance(answer, IndexUnavailable):
        lines.append(f"not usable: {answer.reason}")
    else:
        lines.append("answers")
    return Section(title="Python package index", lines=tuple(lines))
