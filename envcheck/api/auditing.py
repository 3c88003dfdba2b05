"""Many sources at once."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from envcheck.api.arguments import codes, seconds, texts
from envcheck.api.session import Session, resources_of
from envcheck.errors import SourceError
from envcheck.language import say

if TYPE_CHECKING:
    from envcheck.audit import Plan
    from envcheck.audit_sources import Found
    from envcheck.audit_work import Workers
    from envcheck.condarc import Configuration
    from envcheck.fleet import AuditResult

__all__ = ["AuditRun", "audit_environments"]


class AuditRun:
    """The results of an audit, each as soon as it is there; checks are made while somebody asks for the next one.

    It is gone through once, by ``for`` or `results`. Whoever stops before the end ends what is being checked, and the
    next run goes on from there.

    Args:
        sources: What to check.
        plan: What is asked of each source.
        cache_dir: The folder where results are kept; without one, the user's cache.
        jobs: How many processes check; without a number, as many as there are cores.
        scheduler: The address of the Dask cluster that checks instead.
        select: Only causes whose codes begin with one of these.
        ignore: No causes whose codes begin with one of these.
    """

    def __init__(
        self,
        sources: Sequence[Found],
        plan: Plan,
        *,
        cache_dir: str | None,
        jobs: int | None,
        scheduler: str | None,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
    ) -> None:
        self._sources = sources
        self._plan = plan
        self._cache_dir = cache_dir
        self._jobs = jobs
        self._scheduler = scheduler
        self._select = select
        self._ignore = ignore
        self.total = len(sources) * len(plan.platforms)
        """How many results there will be: one for every source and platform."""
        self.trouble = ""
        """Why results are not kept for the next run, known when all are there; empty where they are."""

    def __iter__(self) -> Iterator[AuditResult]:
        return self.results()

    def results(self) -> Generator[AuditResult, None, None]:
        """Make the checks; each source and platform gives one result, whatever happens."""
        from envcheck.audit import Audit
        from envcheck.audit_channels import ChannelStates
        from envcheck.audit_store import open_store
        from envcheck.fleet import selected
        from envcheck.surroundings import cache_directory, read_file

        request = self._plan.job.request
        states = ChannelStates(
            offline=request.offline or request.configuration.offline,
            verify_tls=request.configuration.ssl_verify,
            proxies=request.configuration.proxy_servers,
        )
        with contextlib.ExitStack() as stack:
            store = open_store(cache_directory(self._cache_dir), now=self._plan.now)
            stack.callback(store.close)
            workers = self._workers()
            stack.callback(workers.stop)
            run = Audit(
                self._plan, read=lambda found: read_file(str(found.path)), workers=workers, states=states, store=store
            )
            try:
                for result in run.run(self._sources):
                    yield selected(result, self._select, self._ignore)
            finally:
                self.trouble = store.trouble

    def _workers(self) -> Workers:
        if self._scheduler is not None:
            from envcheck.audit_cluster import ClusterWorkers

            return ClusterWorkers(self._scheduler)
        from envcheck.audit_work import LocalWorkers
        from envcheck.cores import available_cores

        return LocalWorkers(max(1, min(self._jobs or available_cores(), self.total)))


def audit_environments(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    listed: Sequence[str] | None = None,
    platforms: Sequence[str] = ("linux-64",),
    jobs: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
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
    engine: Literal["auto", "libmamba", "rattler"] = "auto",
    index_url: str | None = None,
    offline: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    exclude_newer: int | None = None,
    configuration: Configuration | None = None,
) -> AuditRun:
    """Check many sources, as ``envcheck audit`` does: side by side, and only what has changed since the last run.

    Checks run in processes of their own, which are started afresh: a script that calls this from its top level does so
    below ``if __name__ == "__main__":``.

    Args:
        paths: Files, folders with everything below them, and globs: one of them, or several.
        listed: More files, of a list that may be empty; like those of folders they count only where they look like
            exports.
        platforms: The targets' conda subdirs, one at least.
        jobs: How many processes check, one at least; without a number, as many as there are cores.
        scheduler: The address of a Dask cluster's scheduler, which checks instead.
        fresh: Whether to check again what is known from before.
        channels: See `check`, here and below.
        override_channels: See `check`.
        image: See `check`.
        virtual_packages: See `check`.
        pins: See `check`.
        effort: See `check`.
        keep_variants: See `check`.
        no_pip: See `check`.
        trust_source_indexes: See `check`.
        select: See `check`.
        ignore: See `check`.
        engine: See `Session`, here and below.
        index_url: See `Session`.
        offline: See `Session`.
        cache_dir: See `Session`.
        exclude_newer: See `Session`.
        configuration: See `Session`.

    Returns:
        The run, which gives the results one by one, in the order of completion. Whatever is wrong with one source is
        its result.

    Raises:
        SourceError: Nothing at the paths looks like an export.
        ConfigurationError: An option or a configuration value cannot be used.
        EngineError: The engine that is asked for is not installed.
        TypeError: An argument that takes several texts was given one.
        ValueError: An argument has a value that there is not.

    Example:
        ::

            for result in audit_environments("environments/"):
                print(result.verdict.value, result.path, result.count(Severity.ERROR))
    """
    from envcheck.audit_sources import find_sources
    from envcheck.surroundings import home_directory

    wanted = tuple(dict.fromkeys(texts("platforms", platforms)))
    if not wanted:
        raise ValueError("platforms is empty: name the conda subdir of a target, such as linux-64")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs is a number of processes from 1 on, and not {jobs!r}")
    asked = {
        "channels": texts("channels", channels),
        "override_channels": override_channels,
        "image": image,
        "virtual_packages": texts("virtual_packages", virtual_packages),
        "pins": pins,
        "effort": seconds("effort", effort),
        "keep_variants": keep_variants,
        "no_pip": no_pip,
        "trust_source_indexes": trust_source_indexes,
    }
    chosen = {"select": codes("select", select), "ignore": codes("ignore", ignore)}
    names = [os.fspath(path) for path in ((paths,) if isinstance(paths, str | os.PathLike) else paths)]
    sources = find_sources(names, () if listed is None else texts("listed", listed), home=home_directory())
    if not sources and listed is None:
        raise SourceError(
            say("nothing there looks like an export of an environment"),
            path=" ".join(names),
            hint=say("A file that is named is read whatever it looks like: envcheck audit FILE"),
        )
    folder = None if cache_dir is None else os.fspath(cache_dir)
    session = Session(
        engine=engine,
        index_url=index_url,
        offline=offline,
        cache_dir=folder,
        exclude_newer=exclude_newer,
        configuration=configuration,
    )
    with session:
        plan = _plan(session, wanted, asked, index_url=index_url, fresh=fresh)
    return AuditRun(sources, plan, cache_dir=folder, jobs=jobs, scheduler=scheduler, **chosen)


def _plan(
    session: Session, platforms: tuple[str, ...], asked: dict[str, object], *, index_url: str | None, fresh: bool
) -> Plan:
    """What is asked of every source."""
    from envcheck.audit import Plan
    from envcheck.audit_channels import known_locations
    from envcheck.audit_worker import Job
    from envcheck.surroundings import home_directory, package_index_settings
    from envcheck.virtual_packages import virtual_packages_for

    with resources_of(session) as resources:
        # Variables such as CONDA_OVERRIDE_GLIBC have a say on some platforms only.
        requests = {platform: resources.request("", b"", platform, **asked) for platform in platforms}
        services = resources.services
    for platform, one in requests.items():
        # A target that there is not would be every source's failure, one by one.
        virtual_packages_for(platform, image=one.image, overrides=one.virtual_packages)
    request = requests[platforms[0]]
    configuration = request.configuration
    addresses = [
        *request.channels,
        configuration.channel_alias,
        *configuration.channels,
        *configuration.default_channels,
        *(location for _, location in configuration.custom_channels),
        *(one for _, members in configuration.custom_multichannels for one in members),
        *(one for _, mirrors in configuration.mirrored_channels for one in mirrors),
    ]
    return Plan(
        job=Job(
            run=secrets.token_hex(6),
            request=request,
            settings=package_index_settings(index_url, home_directory()),
            engine=services.engine.info.name,
            engine_version=f"{services.engine.info.name} {services.engine.info.version}",
        ),
        platforms=platforms,
        versions=(
            *((name, _version(name)) for name in ("conda-pypi", "packaging", "py-rattler", "python-sat")),
            ("resolver", services.resolver.name if services.resolver is not None else ""),
        ),
        now=time.time(),
        fresh=fresh,
        locations=known_locations(addresses),
        virtual_packages={platform: one.virtual_packages for platform, one in requests.items()},
    )


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""  # a package of conda's need not say
