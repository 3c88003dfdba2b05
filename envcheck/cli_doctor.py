"""``envcheck doctor``: what a check on this machine would use."""

from __future__ import annotations

import os

import click

from envcheck.cli_language import Command
from envcheck.cli_support import emit, index_url_option, one_platform_option
from envcheck.errors import EnvcheckError

__all__ = ["doctor"]


@click.command(cls=Command)
@one_platform_option
@click.option("-c", "--channel", "channels", multiple=True, help="Look at this channel too; repeatable.")
@click.option("--offline", is_flag=True, help="Make no request.")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where repodata is kept.")
@index_url_option
def doctor(
    platform: str, channels: tuple[str, ...], offline: bool, cache_dir: str | None, index_url: str | None
) -> int:
    """Say which engines, configuration, channels and caches a check on this machine would use.

    \b
    Example:
      envcheck doctor -c bioconda
    """
    from envcheck.caches import rattler_cache, rattler_directory
    from envcheck.doctor import diagnose
    from envcheck.engines.choice import choose_engine
    from envcheck.pip.index import open_index
    from envcheck.surroundings import (
        cache_directory,
        home_directory,
        package_index_settings,
        pages_directory,
        user_configuration,
    )
    from envcheck.world import configured_options

    home = home_directory()
    configuration = user_configuration(home)
    settings = package_index_settings(index_url, home)
    pages = pages_directory(cache_dir)
    offline = offline or configuration.offline
    diagnosis = diagnose(
        configuration,
        choose_engine,
        open_index(settings, cache_directory=pages, offline=offline),
        settings,
        target=platform,
        channels=channels,
        options=configured_options(
            configuration, cache_directory=rattler_cache(cache_dir, os.environ, offline=offline), offline=offline
        ),
        cache_directory=str(pages),
        record_directory=str(cache_directory(cache_dir) / "records"),
        repodata_directory=None if (place := rattler_directory(cache_dir, os.environ)) is None else str(place),
    )
    emit(diagnosis.text(), None)
    return 0 if diagnosis.healthy else EnvcheckError.exit_status
