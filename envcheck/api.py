"""What Python programs have of envcheck: one check, the files of its plan, and what several checks share.

    from envcheck import check

    report = check("environment.yml")

All of it is had from the package itself (``from envcheck import check``), under names that stay. The command line goes
through `check` and `lock_files`, too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from envcheck.errors import OutputError
from envcheck.language import say

if TYPE_CHECKING:
    from envcheck.condarc import Configuration
    from envcheck.model import Report
    from envcheck.previous_lock import PreviousLock

__all__ = ["Session", "check", "lock_files"]

_LONGEST_EFFORT = 24 * 60 * 60.0  # more than any search takes, and what timers can still count


class Session:
    """What several checks share: the engine, the package index, the user's configuration, and repodata once loaded.

    What a channel said to one check holds for the next ones, however long the session lasts; only a channel that did
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
        ConfigurationError: A configuration file or variable has a value that cannot be used, or no cache a place.
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
        from dataclasses import replace

        from envcheck.engines.choice import ENGINES
        from envcheck.engines.shared import SharedIndexes
        from envcheck.surroundings import home_directory, open_services, package_index_settings, user_configuration

        if engine not in ENGINES:
            raise ValueError(f"There is no engine {engine!r}; there are {', '.join(ENGINES)}.")
        home = home_directory()
        self._configuration = user_configuration(home) if configuration is None else configuration
        self._offline = offline
        self._cache_dir = None if cache_dir is None else os.fspath(cache_dir)
        self._exclude_newer = exclude_newer
        services = open_services(
            package_index_settings(index_url, home),
            engine=engine,
            cross_check=cross_check,
            offline=offline or self._configuration.offline,
            cache_dir=self._cache_dir,
            exclude_newer=exclude_newer,
        )
        second = services.second_engine
        self._services = replace(
            services,
            engine=SharedIndexes(services.engine),
            second_engine=None if second is None else SharedIndexes(second),
            progress=progress,
        )

    def __enter__(self) -> Session:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the Python package index; a session is not used after that."""
        self._services.package_index.close()

    def _check(
        self,
        name: str,
        data: bytes,
        platform: str,
        from_lock: str | os.PathLike[str] | bytes | PreviousLock | None,
        *,
        for_lock: bool,
        **options: Any,
    ) -> Report:
        """Check a source; the arguments are those of `check`."""
        from envcheck.pipeline import check as check_one
        from envcheck.surroundings import request_for

        if from_lock is not None:
            from envcheck.previous_lock import PreviousLock, read_previous_lock

            if not isinstance(from_lock, PreviousLock):
                path = "-" if isinstance(from_lock, bytes) else os.fspath(from_lock)
                from_lock = read_previous_lock(_bytes(from_lock), path)
            options |= {"preferred": from_lock.conda(platform), "preferred_pip": from_lock.pip(platform)}
        request = request_for(
            name,
            data,
            platform,
            self._services,
            self._configuration,
            offline=self._offline,
            cache_dir=self._cache_dir,
            exclude_newer=self._exclude_newer,
            **options,
        )
        report = check_one(request, self._services)
        if not for_lock:
            return report
        from envcheck.pip.metadata import described

        return described(report, self._services.describe)


def check(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    platform: str = "linux-64",
    channels: Sequence[str] = (),
    override_channels: bool = False,
    image: str | None = None,
    virtual_packages: Sequence[str] = (),
    pins: Literal["preserve", "exact", "minor", "none"] = "preserve",
    effort: float = 60.0,
    keep_variants: bool = False,
    no_pip: bool = False,
    trust_source_indexes: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    from_lock: str | os.PathLike[str] | bytes | PreviousLock | None = None,
    for_lock: bool = False,
    session: Session | None = None,
    engine: Literal["auto", "libmamba", "rattler"] = "auto",
    cross_check: bool = False,
    index_url: str | None = None,
    offline: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    exclude_newer: int | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Check one source for one platform, as ``envcheck check`` does.

    Findings about the environment are values in the report; exceptions mean that there is none.

    Args:
        source: The file to read (``environment.yml``, ``conda list``, ``@EXPLICIT``, ``pip freeze``,
            ``conda-lock.yml``, ``pixi.lock``), or its bytes. Its kind is found from its content.
        name: What the report calls the source; without one its path, and ``-`` for bytes.
        platform: The target's conda subdir.
        channels: Put before the channels of the source.
        override_channels: Whether ``channels`` are the only ones.
        image: The base image whose C library and CUDA driver the target has (``ubuntu:22.04``).
        virtual_packages: More that the target has, as ``NAME=VERSION``; later ones win.
        pins: How much of the versions a plan may change.
        effort: How many seconds the search for the closest environment may take, at most a day.
        keep_variants: Whether builds that name a variant (``cuda``, ``mkl``) stay constraints.
        no_pip: Whether the Python package index is left out.
        trust_source_indexes: Whether package indexes are asked that only the source names.
        select: Only findings whose codes begin with one of these.
        ignore: No findings whose codes begin with one of these; the verdict is formed from all of them.
        from_lock: An older lock, or its bytes: what it holds is kept where nothing that is asked for speaks against it.
        for_lock: Whether `lock_files` is to make a lock or bill of materials of the report: what the distributions need
            in turn is looked up then.
        session: What this check shares with others; everything below is said to the session then.
        engine: See `Session`, here and below.
        cross_check: See `Session`.
        index_url: See `Session`.
        offline: See `Session`.
        cache_dir: See `Session`.
        exclude_newer: See `Session`.
        configuration: See `Session`.

    Returns:
        The report: verdict, findings, plan, and everything they were made from. Texts of the source that may hold
        credentials are as they were written.

    Raises:
        SourceError: The source or the older lock cannot be read.
        ConfigurationError: An option or a configuration value cannot be used.
        ChannelError: No channel at all could be loaded.
        EngineError: The engine that is asked for is not installed, or broke.
        TypeError: A session is given, and something that is said to a session as well.
        ValueError: An argument has a value that there is not.

    Example:
        ::

            report = check("environment.yml", channels=["conda-forge"], image="ubuntu:22.04")
            if report.verdict is not Verdict.READY:
                for finding in report.findings:
                    print(finding.severity.value, finding.code, finding.subject, finding.message)
    """
    of_session = {
        "engine": engine != "auto",
        "cross_check": cross_check,
        "index_url": index_url is not None,
        "offline": offline,
        "cache_dir": cache_dir is not None,
        "exclude_newer": exclude_newer is not None,
        "configuration": configuration is not None,
    }
    if session is not None and any(of_session.values()):
        twice = ", ".join(argument for argument, said in of_session.items() if said)
        raise TypeError(f"{twice}: said to the session, and not to a check in it")
    if not 0 < effort <= _LONGEST_EFFORT:  # nan is neither
        raise ValueError(f"effort is a number of seconds between 0 and {_LONGEST_EFFORT:.0f}, and not {effort!r}")
    options = {
        "channels": _texts("channels", channels),
        "override_channels": override_channels,
        "image": image,
        "virtual_packages": _texts("virtual_packages", virtual_packages),
        "pins": pins,
        "effort": effort,
        "keep_variants": keep_variants,
        "no_pip": no_pip,
        "trust_source_indexes": trust_source_indexes,
        "select": _codes("select", select),
        "ignore": _codes("ignore", ignore),
    }
    data = _bytes(source)
    if name is None:
        name = "-" if isinstance(source, bytes) else os.fspath(source)
    with contextlib.ExitStack() as own:
        if session is None:
            session = Session(
                engine=engine,
                cross_check=cross_check,
                index_url=index_url,
                offline=offline,
                cache_dir=cache_dir,
                exclude_newer=exclude_newer,
                configuration=configuration,
            )
            own.enter_context(session)
        return session._check(name, data, platform, from_lock, for_lock=for_lock, **options)  # noqa: SLF001


def lock_files(
    reports: Report | Sequence[Report],
    *,
    lock: str | None = None,
    lock_format: str | None = None,
    explicit: str | None = None,
    environment: str | None = None,
    sbom: str | None = None,
    direct_only: bool = False,
) -> dict[str, str]:
    """The files that ``envcheck lock`` would write of solved plans; nothing is written.

    Args:
        reports: The report of one source, or one for each platform. For a lock or bill of materials they are made with
            ``for_lock``.
        lock: The name of the lock. ``{platform}`` in it, as in the names below, becomes the platform.
        lock_format: ``conda-lock``, ``pixi`` or ``explicit``. Without it the lock's name tells: ``*.lock`` is pixi's,
            ``*.txt`` and ``conda-*.lock`` an ``@EXPLICIT`` list, anything else a ``conda-lock.yml``.
        explicit: The name of an ``@EXPLICIT`` list (CEP 23); requirements files for pip stand beside it.
        environment: The name of an environment file.
        sbom: The name of a bill of materials (CycloneDX 1.6, JSON); it is dated if ``SOURCE_DATE_EPOCH`` is set.
        direct_only: Whether the environment file leaves out what only came along with something else.

    Returns:
        The text of every file by its name, with a final newline; to be written in UTF-8 with line feeds as they are.

    Raises:
        OutputError: A report has no solved plan, or a channel did not answer, or a package cannot be locked.
        ValueError: There is no such format.

    Example:
        ::

            report = check("environment.yml", for_lock=True)
            for name, text in lock_files(report, lock="conda-lock.yml").items():
                Path(name).write_text(text, encoding="utf-8", newline="")
    """
    from envcheck.locks import CHOICES
    from envcheck.model import Report
    from envcheck.outputs import output_texts

    if lock_format is not None and lock_format not in CHOICES:
        raise ValueError(f"There is no lock format {lock_format!r}; there are {', '.join(CHOICES)}.")
    given = (reports,) if isinstance(reports, Report) else tuple(reports)
    for report in given:
        if not report.plan.solved or not report.complete:
            raise OutputError(say("there is no solved plan"), path=report.export.path)
    texts = output_texts(
        given,
        lock=lock,
        format_name=None if lock_format is None else CHOICES[lock_format].format,
        explicit=explicit,
        environment=environment,
        sbom=sbom,
        direct_only=direct_only,
        variables=os.environ,
    )
    return dict(texts)


def _bytes(source: str | os.PathLike[str] | bytes) -> bytes:
    """The content of a file that is named, or that is at hand."""
    from envcheck.surroundings import read_file

    return source if isinstance(source, bytes) else read_file(os.fspath(source))


def _texts(argument: str, values: Sequence[str]) -> tuple[str, ...]:
    """Several texts; one text alone would be taken for its letters."""
    if isinstance(values, str):
        raise TypeError(f"{argument} is a sequence of texts: [{values!r}]")
    return tuple(values)


def _codes(argument: str, prefixes: Sequence[str]) -> tuple[str, ...]:
    """Beginnings of codes; a misspelled one would hide every finding and look like success."""
    found = tuple(prefix.upper() for prefix in _texts(argument, prefixes))
    if found:
        from envcheck.rules.documented import DOCUMENTED_RULES

        for prefix in found:
            if not any(rule.code.startswith(prefix) for rule in DOCUMENTED_RULES):
                raise ValueError(f"{argument}: no finding's code begins with {prefix!r}")
    return found
