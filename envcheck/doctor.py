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
from envcheck.language import say, tell, told
from envcheck.model import ChannelState, ChannelStatus
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
    record_directory: str,
    repodata_directory: str | None,
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
        record_directory: Where records of repodata are kept by package name.
        repodata_directory: Where rattler keeps repodata if nobody tells it otherwise.
    """
    engine, engines = _engines(engine_of)
    return Diagnosis(
        sections=(
            Section(
                title=f"envcheck {__version__}",
                lines=(
                    tell(
                        "Python {version} on {platform}",
                        version=platform.python_version(),
                        platform=sys.platform,
                    ),
                ),
            ),
            engines,
            _configuration(configuration),
            _channels(engine, configuration, target, channels, options),
            _package_index(package_index, index_settings),
            Section(
                title=tell("Caches"),
                lines=(
                    tell("repodata: {place}", place=_repodata_place(engine, options, repodata_directory)),
                    tell("what was read from it: {path}", path=record_directory),
                    tell("package index: {path}", path=str(cache_directory)),
                ),
            ),
        )
    )


def _repodata_place(engine: Engine | None, options: LoadOptions, of_rattler: str | None) -> str:
    """Where repodata is kept: the folder that was named, rattler's own, or mamba's, which has several."""
    if options.cache_directory:
        return options.cache_directory
    if engine is not None and engine.info.name == "rattler" and of_rattler:
        return of_rattler
    return say("where the engine keeps it")


def _engines(engine_of: Callable[[str], Engine]) -> tuple[Engine | None, Section]:
    lines = [_engine_line(engine_of, name) for name in ("libmamba", "rattler")]
    try:
        engine = engine_of("auto")
    except EngineError as error:
        return None, Section(
            title=tell("Engines"),
            lines=(*lines, tell("none can be used: {message}", message=told(error.message))),
            healthy=False,
        )
    reason = tell(" ({reason})", reason=told(engine.info.reason)) if engine.info.reason else ""
    return engine, Section(
        title=tell("Engines"),
        lines=(*lines, tell("--engine auto takes {name}{reason}", name=engine.info.name, reason=reason)),
    )


def _engine_line(engine_of: Callable[[str], Engine], name: str) -> str:
    try:
        info = engine_of(name).info
    except EngineError as error:
        return tell("{name}: {message}", name=name, message=told(error.message)) + (
            tell(" ({hint})", hint=told(error.hint)) if error.hint else ""
        )
    return f"{info.name} {info.version}"


def _configuration(configuration: Configuration) -> Section:
    lines = [tell("read {source}", source=source) for source in configuration.sources] or [
        tell("no .condarc or .mambarc was found")
    ]
    lines.append(tell("channel priority {priority}", priority=configuration.channel_priority))
    if configuration.ssl_verify is not True:
        lines.append(f"ssl_verify {configuration.ssl_verify}")
    lines += [tell("proxy for {scheme}: {url}", scheme=scheme, url=url) for scheme, url in configuration.proxy_servers]
    return Section(title=tell("Configuration"), lines=tuple(lines))


def _channels(
    engine: Engine | None, configuration: Configuration, target: str, channels: Sequence[str], options: LoadOptions
) -> Section:
    resolved = resolve_channels((), configuration, command_line=channels, platform=target).channels
    title = tell("Channels for {target}", target=target)
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
    lines.append(tell("{count} names, loaded in {seconds} s", count=len(index.names()), seconds=format(seconds, ".1f")))
    return Section(title=title, lines=tuple(lines), healthy=not any(status.silent for status in index.statuses))


_STATES = {
    ChannelState.LOADED: say("loaded"),
    ChannelState.NO_SUBDIR: say("no-subdir"),
    ChannelState.NOT_FOUND: say("not-found"),
    ChannelState.FORBIDDEN: say("forbidden"),
    ChannelState.UNREACHABLE: say("unreachable"),
    ChannelState.DAMAGED: say("damaged"),
}


def _status_line(status: ChannelStatus) -> str:
    detail = tell(": {detail}", detail=told(status.detail)) if status.detail else ""
    mirror = tell(", from the {mirror} mirror", mirror=status.channel.mirror) if status.channel.mirror else ""
    return tell(
        "{name} ({url}{mirror}): {state}{detail}",
        name=status.channel.name,
        url=status.channel.url,
        mirror=mirror,
        state=told(_STATES[status.state]),
        detail=detail,
    )


def _package_index(package_index: PackageIndex, settings: IndexSettings) -> Section:
    answer = package_index.project("pip")
    lines = [tell("{url} (from {origin})", url=settings.url, origin=settings.origin)]
    lines += [
        tell("besides: {url} (from {origin})", url=url, origin=settings.origin_of(url)) for url in settings.extra_urls
    ]
    lines += [
        tell("files: {url} (from {origin})", url=url, origin=settings.origin_of(url)) for url in settings.find_links
    ]
    if isinstance(answer, IndexUnavailable):
        lines.append(tell("not usable: {reason}", reason=told(answer.reason)))
    else:
        lines.append(tell("answers"))
    return Section(title=tell("Python package index"), lines=tuple(lines))
