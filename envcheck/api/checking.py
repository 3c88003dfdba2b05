"""One source for one platform, and the files that its plan becomes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from envcheck.api.arguments import bytes_of, codes, name_of, seconds, texts
from envcheck.api.session import Session, resources_of
from envcheck.errors import OutputError
from envcheck.language import say

if TYPE_CHECKING:
    from envcheck.condarc import Configuration
    from envcheck.model import Report
    from envcheck.previous_lock import PreviousLock

__all__ = ["check", "lock_files"]


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
    from_lock: str | os.PathLike[str] | bytes | None = None,
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
        TypeError: A session is given, and something that is said to a session as well; or an argument that takes
            several texts was given one.
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
    options = {
        "channels": texts("channels", channels),
        "override_channels": override_channels,
        "image": image,
        "virtual_packages": texts("virtual_packages", virtual_packages),
        "pins": pins,
        "effort": seconds("effort", effort),
        "keep_variants": keep_variants,
        "no_pip": no_pip,
        "trust_source_indexes": trust_source_indexes,
        "select": codes("select", select),
        "ignore": codes("ignore", ignore),
    }
    data = bytes_of(source)
    with resources_of(
        session,
        engine=engine,
        cross_check=cross_check,
        index_url=index_url,
        offline=offline,
        cache_dir=cache_dir,
        exclude_newer=exclude_newer,
        configuration=configuration,
    ) as resources:
        from envcheck.pipeline import check as check_one

        older = None if from_lock is None else _previous(from_lock)
        if older is not None:
            options |= {"preferred": older.conda(platform), "preferred_pip": older.pip(platform)}
        report = check_one(resources.request(name_of(source, name), data, platform, **options), resources.services)
        if not for_lock:
            return report
        from envcheck.pip.metadata import described

        return described(report, resources.services.describe)


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
        OutputError: There is no report, one has no solved plan, a channel did not answer, or a package cannot be
            locked.
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
    if not given:
        raise OutputError(say("there is no solved plan"))
    for report in given:
        if not report.plan.solved or not report.complete:
            raise OutputError(say("there is no solved plan"), path=report.export.path)
    written = output_texts(
        given,
        lock=lock,
        format_name=None if lock_format is None else CHOICES[lock_format].format,
        explicit=explicit,
        environment=environment,
        sbom=sbom,
        direct_only=direct_only,
        variables=os.environ,
    )
    return dict(written)


def _previous(lock: str | os.PathLike[str] | bytes | PreviousLock) -> PreviousLock:
    """An older lock, read if it is not yet: the command line hands in one that it has read once for all its checks."""
    from envcheck.previous_lock import PreviousLock, read_previous_lock

    return lock if isinstance(lock, PreviousLock) else read_previous_lock(bytes_of(lock), name_of(lock, None))
