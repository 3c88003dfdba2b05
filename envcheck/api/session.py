"""What several calls share, so that repodata is loaded once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from envcheck.condarc import Configuration
    from envcheck.request import Request
    from envcheck.world import Services

__all__ = ["Resources", "Session", "resources_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a session holds for those who answer in it; the options are those of `Session`."""

    services: Services
    configuration: Configuration
    offline: bool
    cache_dir: str | None
    exclude_newer: int | None

    def request(self, name: str, data: bytes, platform: str, **options: Any) -> Request:
        """The request of one source and platform.

        Args:
            name: What the source is called.
            data: Its bytes.
            platform: The target's platform.
            options: What else `envcheck.surroundings.request_for` takes.
        """
        from envcheck.surroundings import request_for

        return request_for(
            name,
            data,
            platform,
            self.services,
            self.configuration,
            offline=self.offline,
            cache_dir=self.cache_dir,
            exclude_newer=self.exclude_newer,
            **options,
        )


class Session:
    """What several calls share: the engine, the package index, the user's configuration, and repodata once loaded.

    What a channel said to one call holds for the next ones, however long the session lasts; only a channel that did
    not answer is asked again. A session is for one thread at a time. It is closed by a ``with`` statement or `close`.

    Args:
        engine: The solver. ``auto`` is libmamba where it is installed, otherwise rattler.
        cross_check: Whether the other engine solves as well, so that any disagreement becomes a finding.
        index_url: The Python package index; without one, that of the user's pip and uv configuration.
        offline: Whether nothing is requested: what is cached and ``file://`` channels have to do.
        cache_dir: The folder where repodata and other answers are kept; without one, the user's caches.
        exclude_newer: Packages that are newer are ignored: milliseconds since 1970, in UTC.
        configuration: Channels, mirrors, proxies and time limits, in place of the user's ``.condarc`` files and
            environment variables.
        progress: Called while repodata is loaded, with what was loaded last, how much is done, and how much there is.

    Raises:
        ConfigurationError: ``index_url`` is no URL of an index, a configuration file or variable has a value that
            cannot be used, or no cache a place.
        EngineError: The engine that is asked for is not installed.
        ValueError: There is no engine of this name.

    Example:
        ::

            with Session(engine="rattler") as session:
                reports = [check(path, session=session) for path in ("cpu.yml", "gpu.yml")]
    """

    def __init__(
        self,
        *,
        engine: Literal["auto", "libmamba", "rattler"] = "auto",
        cross_check: bool = False,
        index_url: str | None = None,
        offline: bool = False,
        cache_dir: str | os.PathLike[str] | None = None,
        exclude_newer: int | None = None,
        configuration: Configuration | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        from envcheck.engines.choice import ENGINES
        from envcheck.engines.shared import SharedIndexes
        from envcheck.surroundings import home_directory, open_services, package_index_settings, user_configuration

        if engine not in ENGINES:
            raise ValueError(f"There is no engine {engine!r}; there are {', '.join(ENGINES)}.")
        home = home_directory()
        configuration = user_configuration(home) if configuration is None else configuration
        folder = None if cache_dir is None else os.fspath(cache_dir)
        services = open_services(
            package_index_settings(index_url, home),
            engine=engine,
            cross_check=cross_check,
            offline=offline or configuration.offline,
            cache_dir=folder,
            exclude_newer=exclude_newer,
        )
        second = services.second_engine
        self._resources = Resources(
            services=replace(
                services,
                engine=SharedIndexes(services.engine),
                second_engine=None if second is None else SharedIndexes(second),
                progress=progress,
            ),
            configuration=configuration,
            offline=offline,
            cache_dir=folder,
            exclude_newer=exclude_newer,
        )

    def __enter__(self) -> Session:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the Python package index; a session is not used after that."""
        self._resources.services.package_index.close()


@contextlib.contextmanager
def resources_of(session: Session | None, **options: Any) -> Iterator[Resources]:
    """What a session holds, or one that is opened for this alone.

    Args:
        session: The caller's session.
        options: Those of `Session`, where the caller has none.
    """
    with contextlib.ExitStack() as own:
        if session is None:
            session = own.enter_context(Session(**options))
        yield session._resources  # noqa: SLF001  # callers have no business with it, and answers come through here alone
