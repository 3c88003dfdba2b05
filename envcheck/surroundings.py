"""What a check takes from where it runs: the user's configuration, package index and caches, and the file to read.

The one place above the pipeline where environment variables, home and working directory are looked at: what is made of
them is a `Request` and its `Services`. `envcheck.api`, and with it every command, comes through here.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck.condarc import Configuration, load_configuration
from envcheck.engines import LARGEST_VARIABLE
from envcheck.errors import ConfigurationError, SourceError
from envcheck.language import say
from envcheck.limits import MAX_BYTES
from envcheck.model import PinPolicy
from envcheck.request import Request
from envcheck.secrets import mask
from envcheck.urls import split_url
from envcheck.world import Services

if TYPE_CHECKING:
    from envcheck.model import PipResolution
    from envcheck.pip.configuration import IndexSettings
    from envcheck.pip.lookup import PackageIndex
    from envcheck.pip.resolver import Resolver

__all__ = [
    "cache_directory",
    "home_directory",
    "open_services",
    "package_index_settings",
    "pages_directory",
    "read_file",
    "refuse_index_url",
    "refuse_no_name",
    "request_for",
    "unreadable",
    "user_configuration",
]

_SIZE = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>[MG])B", re.ASCII | re.IGNORECASE)


def user_configuration(home: Path | None) -> Configuration:
    """Conda's and mamba's configuration for this user and directory, and what a variable says beside it.

    Raises:
        ConfigurationError: Some of it cannot be used.
    """
    found = load_configuration(os.environ, home=home, working_directory=Path.cwd(), windows=sys.platform == "win32")
    return replace(found, largest_repodata=_largest_repodata(os.environ.get(LARGEST_VARIABLE, "")))


def _largest_repodata(text: str) -> int | None:
    """A number of bytes in MB or GB; ``None`` where nothing is said."""
    if not text.strip():
        return None
    found = _SIZE.fullmatch(text.strip())
    size = 0 if found is None else round(float(found["number"]) * {"M": 10**6, "G": 10**9}[found["unit"].upper()])
    if size <= 0:
        raise ConfigurationError(
            say("{variable} must be a size, but is '{text}'.", variable=LARGEST_VARIABLE, text=mask(text)),
            hint=say("Write a number greater than zero in MB or GB, such as 2GB."),
        )
    return size


def package_index_settings(index_url: str | None, home: Path | None) -> IndexSettings:
    """Where this user and directory have pip packages come from; ``index_url`` is ``--index-url``.

    Raises:
        ConfigurationError: ``index_url`` is no URL that an index can have, or a configuration file cannot be parsed.
    """
    from envcheck.pip.configuration import index_settings

    if index_url is not None:
        refuse_index_url(index_url)
    return index_settings(index_url, os.environ, home=home, working_directory=Path.cwd())


def refuse_index_url(text: str) -> None:
    """Refuse what no package index can have for a URL; where no row of a source is pip's, nobody would ever miss it.

    Raises:
        ConfigurationError: It has another scheme, no host, or a port that there is not.
    """
    parts = split_url(text)
    try:
        has_place = parts.hostname is not None and parts.port != 0
    except ValueError:
        has_place = False
    if parts.scheme != "file" and not (parts.scheme in ("http", "https") and has_place):
        raise ConfigurationError(
            say("{text!r} is not the URL of an index: https://..., http://... or file://...", text=mask(text))
        )


def request_for(
    source: str,
    data: bytes,
    platform: str,
    services: Services,
    configuration: Configuration,
    *,
    channels: tuple[str, ...],
    override_channels: bool,
    image: str | None,
    virtual_packages: tuple[str, ...],
    offline: bool,
    cache_dir: str | None,
    exclude_newer: int | None,
    no_pip: bool,
    pins: str | None = None,
    effort: float | None = None,
    keep_variants: bool = False,
    trust_source_indexes: bool = False,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    preferred: tuple[tuple[str, str, str], ...] = (),
    preferred_pip: tuple[tuple[str, str], ...] = (),
) -> Request:
    """The request of one source and platform.

    Args:
        source: The source as the user named it.
        data: Its bytes.
        platform: The target's platform.
        services: Those of the run.
        configuration: The user's.
        channels: As on the command line, like everything that follows; ``None`` is what `Request` has by itself.
        override_channels: ``--override-channels``.
        image: ``--image``.
        virtual_packages: ``--virtual-package``; those of the environment variables go before.
        offline: ``--offline``.
        cache_dir: ``--cache-dir``.
        exclude_newer: ``--exclude-newer`` in milliseconds since 1970.
        no_pip: ``--no-pip``.
        pins: ``--pins``.
        effort: ``--effort``.
        keep_variants: ``--keep-variants``.
        trust_source_indexes: ``--trust-source-indexes``.
        select: ``--select``.
        ignore: ``--ignore``.
        preferred: The conda packages of the lock after ``--from-lock``.
        preferred_pip: Its distributions.

    Raises:
        ConfigurationError: A variable has a value that cannot be used, or no cache a place.
    """
    from envcheck.caches import rattler_cache
    from envcheck.virtual_packages import overrides_from_environment

    engines = {one.info.name for one in (services.engine, services.second_engine) if one is not None}
    request = Request(
        path=source,
        data=data,
        configuration=configuration,
        platform=platform,
        channels=channels,
        override_channels=override_channels,
        image=image,
        virtual_packages=(*overrides_from_environment(os.environ, platform), *virtual_packages),
        offline=offline,
        cache_directory=rattler_cache(cache_dir, os.environ, offline=offline or configuration.offline)
        if "rattler" in engines
        else cache_dir,
        record_directory=str(cache_directory(cache_dir) / "records"),
        exclude_newer=exclude_newer,
        keep_variants=keep_variants,
        check_pip=not no_pip,
        trust_source_indexes=trust_source_indexes,
        select=tuple(code.upper() for code in select),
        ignore=tuple(code.upper() for code in ignore),
        preferred=preferred,
        preferred_pip=preferred_pip,
    )
    if pins is not None:
        request = replace(request, pins=PinPolicy(pins))
    return request if effort is None else replace(request, effort=effort)


def open_services(
    settings: IndexSettings,
    *,
    engine: str,
    cross_check: bool = False,
    offline: bool,
    cache_dir: str | None,
    exclude_newer: int | None,
) -> Services:
    """The services of a run, without anywhere to tell progress.

    Args:
        settings: Where the Python package index is.
        engine: ``--engine``.
        cross_check: ``--cross-check``.
        offline: ``--offline``, or what the configuration says of it.
        cache_dir: ``--cache-dir``.
        exclude_newer: ``--exclude-newer`` in milliseconds since 1970.

    Raises:
        EngineError: The engine asked for is not there.
    """
    from envcheck.caches import uv_cache
    from envcheck.engines.choice import choose_engine
    from envcheck.pip.postponed import PostponedIndex, PostponedResolver

    chosen = choose_engine(engine)
    pages = pages_directory(cache_dir)

    def index() -> PackageIndex:
        from envcheck.pip.index import open_index

        return open_index(settings, cache_directory=pages, offline=offline)

    def resolver() -> Resolver:
        from envcheck.pip.uv import UvResolver

        return UvResolver(
            settings=settings,
            environment=os.environ,
            cache_directory=uv_cache(cache_dir, os.environ),
            offline=offline,
            exclude_newer=exclude_newer,
        )

    def describe(resolution: PipResolution, hosts: frozenset[str]) -> PipResolution:
        from envcheck.pip.metadata import with_metadata

        return with_metadata(resolution, settings, hosts=hosts, cache_directory=pages, offline=offline)

    return Services(
        engine=chosen,
        second_engine=choose_engine("rattler" if chosen.info.name == "libmamba" else "libmamba")
        if cross_check
        else None,
        package_index=PostponedIndex(index),
        resolver=PostponedResolver(resolver),
        describe=describe,
    )


def cache_directory(cache_dir: str | None) -> Path:
    """Where envcheck keeps what is its own."""
    from envcheck.caches import own_cache

    return own_cache(cache_dir)


def pages_directory(cache_dir: str | None) -> Path:
    """Where the package index's answers are kept."""
    return cache_directory(cache_dir) / "package-index"


def home_directory() -> Path | None:
    """The user's home, ``None`` where there is none."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME and no entry in the password database
        return None


def read_file(path: str, *, where_from: str | None = None) -> bytes:
    """The bytes of a file, at most one more than a reader accepts.

    Args:
        path: Its name.
        where_from: How such a file is had, for whoever names one that is not there; by default an export.

    Raises:
        SourceError: There is no such file, or it cannot be read.
    """
    refuse_no_name(path)
    try:
        with Path(path).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        where_from = where_from or say("'conda env export > environment.yml' makes one")
        raise SourceError(
            say("there is no such file"),
            path=path,
            hint=say("Check the name; {where_from}.", where_from=where_from),
        ) from None
    except IsADirectoryError:
        raise SourceError(
            say("this is a directory, not an export"),
            path=path,
            hint=say("Name a file in it, such as environment.yml."),
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def refuse_no_name(path: str) -> None:
    """Refuse what no system takes for the name of a file: Python has a `ValueError` for it, whoever asks.

    Raises:
        SourceError: It holds a NUL character, or half a character.
    """
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        # Names go into messages, which are printed in UTF-8.
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        raise SourceError(say("no file can have this name"), path=shown, hint=say("Check the name."))


def unreadable(path: str, error: OSError) -> SourceError:
    """What is raised for a file that is there and cannot be read."""
    return SourceError(
        say("the file cannot be read: {reason}", reason=error.strerror),
        path=path,
        hint=say("Check its permissions."),
    )
