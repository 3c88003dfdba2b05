"""The command line: click commands become one `Request` each. Only here is anything printed, caught or exited."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from envcheck import __version__
from envcheck.cli_audit import audit
from envcheck.cli_baseline import BASELINE_OPTIONS, open_baseline
from envcheck.cli_docker import docker
from envcheck.cli_settings import use_settings
from envcheck.cli_support import (
    ALSO_OPTIONS,
    FINDING_OPTIONS,
    REPORT_OPTIONS,
    decoded,
    emit,
    given,
    index_options,
    place_options,
    refuse_unknown_codes,
    say,
    show,
    status,
    with_options,
)
from envcheck.cli_verify import verify
from envcheck.errors import EnvcheckError

if TYPE_CHECKING:
    from envcheck.model import Report, Requirement
    from envcheck.world import Services

__all__ = ["cli", "main"]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outputs:
    """The files that a command was asked to write, ``None`` for those it was not, and what goes in."""

    lock: str | None = None
    lock_format: str | None = None
    explicit: str | None = None
    environment: str | None = None
    direct_only: bool = False


def main() -> None:
    """Run the command line and end with its status (0, 1, 2, 3; 128 and its number after a signal)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a closed one
            # A terminal that cannot show a character must not stop the report.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that the parent has set to be ignored stays so (nohup).
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    _leave(_run())


def _stop(number: int, _: object) -> NoReturn:
    """Turn a signal into an exception, so that whatever is half-done is cleaned up on the way out."""
    # Destructors of what was only half made have nothing to say that anybody should read.
    sys.unraisablehook = lambda _: None
    raise SystemExit(128 + number)


def _run() -> int:
    """The command line's status; everything that may be raised ends here."""
    try:
        status = cli(standalone_mode=False, prog_name="envcheck")
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("envcheck: interrupted; nothing was left half-written")
        return 130
    except EnvcheckError as error:
        _complain(error)
        return error.exit_status
    except SystemExit as leaving:
        # Raised by `_stop`, and by click where a pipe was closed.
        if isinstance(leaving.code, int) and leaving.code > 128:
            say("envcheck: stopped by a signal; nothing was left half-written")
        return leaving.code if isinstance(leaving.code, int) else 1
    return status if isinstance(status, int) else 0


def _leave(status: int) -> NoReturn:
    """End the process.

    py-rattler's threads may still be letting go of Python objects, most of all after a channel failed, and an
    interpreter that shuts down under them crashes; and before Python 3.11 one that cannot flush standard output while
    it shuts down ends with a status of its own. By now every file is closed, so there is nothing it has left to do.
    """
    flushed = [_flushed(stream) for stream in (sys.stdout, sys.stderr)]
    if all(flushed) and "rattler" not in sys.modules:
        sys.exit(status)
    os._exit(status)


def _flushed(stream: TextIO | None) -> bool:
    """Whether everything written to a stream has gone where it should."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _complain(error: EnvcheckError) -> None:
    from envcheck.reports.plain import plain
    from envcheck.secrets import mask

    where = f"{error.location}: " if error.location else ""
    say(f"envcheck: {plain(mask(where + error.message))}")
    if error.hint:
        say(f"hint: {plain(mask(error.hint))}")


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """A time to wait; a day is more than any search takes, and what timers can still count."""
    if not 0 < value <= 24 * 60 * 60:  # nan is neither
        raise click.BadParameter(f"{value:g} is not a number of seconds between 0 and 86400.")
    return value


def _target_options(function: _F) -> _F:
    """The options that say where the environment is wanted."""
    platform = click.option(
        "-p", "--platform", "platforms", multiple=True, metavar="SUBDIR", help="Target; repeatable. [linux-64]"
    )
    return platform(place_options(function))


# The formats of a lock by what the command line calls them, with the name that a lock of each has by default.
_LOCK_FORMATS = {
    "conda-lock": ("conda-lock-v1", "conda-lock.yml"),
    "pixi": ("pixi-lock-v7", "pixi.lock"),
    "explicit": ("explicit", "conda-{platform}.lock"),
}


def _check_options(function: _F) -> _F:
    """The options that say how the environment is judged and how that is told."""
    file = click.Path(dir_okay=False)
    function = with_options(
        function,
        [
            *REPORT_OPTIONS,
            *ALSO_OPTIONS,
            click.option(
                "--lock-format",
                type=click.Choice(list(_LOCK_FORMATS)),
                help="The lock's format; by default its name tells: *.lock is pixi's, *.txt an @EXPLICIT list.",
            ),
            click.option(
                "--from-lock", type=file, metavar="FILE", help="Keep what this older lock has where that is possible."
            ),
            click.option(
                "--explicit",
                type=file,
                metavar="FILE",
                help="Write an @EXPLICIT list, and a hashed requirements file beside it for the pip section.",
            ),
            click.option("--environment", type=file, metavar="FILE", help="Write the plan's environment file."),
            click.option(
                "--direct-only",
                is_flag=True,
                help="Put into --environment only what was asked for, and not what came along; "
                "telling them apart takes the channels, so normalize cannot.",
            ),
            *FINDING_OPTIONS,
            *BASELINE_OPTIONS,
            click.option("-v", "--verbose", count=True, help="Show every finding and change."),
        ],
    )
    return with_options(
        index_options(function),
        [
            click.option("--cross-check", is_flag=True, help="Solve with both engines and report any disagreement."),
            click.option(
                "--pins",
                type=click.Choice(["preserve", "exact", "minor", "none"]),
                default="preserve",
                show_default=True,
            ),
            click.option("--keep-variants", is_flag=True, help="Keep cuda/mkl/cpu builds as constraints."),
            click.option(
                "--trust-source-indexes",
                is_flag=True,
                help="Ask the Python package indexes that the source's pip section names, too.",
            ),
            click.option(
                "--effort",
                type=float,
                default=60.0,
                show_default=True,
                metavar="SECONDS",
                callback=_seconds,
                help="How long the search for the closest environment may take; "
                "when the time is up, the plan is the best one proven by then.",
            ),
        ],
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="envcheck")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    envvar="ENVCHECK_CONFIG",
    help="The settings file.  [default: the nearest envcheck.toml, or pyproject.toml with [tool.envcheck]; "
    "env: ENVCHECK_CONFIG]",
)
@click.option("--no-config", is_flag=True, help="Use no settings file.")
@click.pass_context
def cli(context: click.Context, config: str | None, no_config: bool) -> None:
    """Will this conda environment build on Linux? Every reason at once, the closest environment that does, its lock."""
    use_settings(context, named=config, enabled=not no_config)


cli.add_command(audit)
cli.add_command(docker)
cli.add_command(verify)


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@_target_options
@_check_options
@click.option("--lock", type=click.Path(dir_okay=False), metavar="FILE", help="Write the lock.")
def check(sources: tuple[str, ...], **options: Any) -> int:
    """Diagnose environments: what would fail, why, and the closest environment that does not.

    SOURCE is an export of any kind (environment.yml, conda list, @EXPLICIT, pip freeze, conda-lock.yml, pixi.lock),
    or - for standard input. Its kind is found from its content.

    \b
    Examples:
      envcheck check environment.yml
      envcheck check requirements.txt -c conda-forge --lock conda-lock.yml
      conda list --export | envcheck check - --format json
    """
    return _check_and_report(sources, **options)


@cli.command()
@click.argument("source", metavar="SOURCE")
@_target_options
@_check_options
@click.option("--lock", type=click.Path(dir_okay=False), metavar="FILE", help="The lock.  [default: conda-lock.yml]")
def lock(source: str, **options: Any) -> int:
    """Diagnose one environment, then write its lock.

    Several platforms share one file; where a format has a file for each, {platform} stands in its name.

    \b
    Examples:
      envcheck lock environment.yml -p linux-64 -p linux-aarch64
      envcheck lock environment.yml --lock pixi.lock --from-lock pixi.lock
    """
    if options["lock"] is None:
        options["lock"] = _LOCK_FORMATS[options["lock_format"] or "conda-lock"][1]
    return _check_and_report((source,), **options)


@cli.command()
@click.argument("source", metavar="SOURCE")
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR")
@click.option("--keep-variants", is_flag=True, help="Keep cuda/mkl/cpu builds as constraints.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file instead of standard output.")
def normalize(source: str, platform: str, keep_variants: bool, output: str | None) -> int:
    """Write the cleaned environment.yml only: nothing is loaded and nothing solved.

    \b
    Example:
      envcheck normalize requirements.txt > environment.yml
    """
    from envcheck.cli_input import read
    from envcheck.normalize import normalize as normalize_export
    from envcheck.outputs import normalized_text
    from envcheck.sources import read_source

    environment = normalize_export(read_source(read(source), source), platform, keep_variants=keep_variants)
    emit(normalized_text(environment), output, data=True)
    return 0


@cli.command()
@click.argument("spec", metavar="NAME[=VERSION[=BUILD]]")
@click.option("--in", "source", metavar="SOURCE", help="Say what keeps it out of this environment.")
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR")
@place_options
@index_options
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the answer.")
def explain(spec: str, source: str | None, platform: str, format_name: str, quiet: bool, **options: Any) -> int:
    """Say where a package exists: channels, versions, platforms, builds; and why an environment cannot have it.

    Without --in the channels are those of the configuration and of -c. The exit status is 0 where the package is
    there and nothing keeps it out, otherwise 1.

    \b
    Examples:
      envcheck explain hdf5=1.14.2
      envcheck explain numpy=2.0 --in environment.yml
    """
    from envcheck.cli_input import prepare, read
    from envcheck.explain import configured_target
    from envcheck.explain import explain as explain_package
    from envcheck.kept_out import standing_in
    from envcheck.pipeline import check as check_one
    from envcheck.progress import Progress
    from envcheck.reports.explanation import render_json, render_text
    from envcheck.world import LoadedWorld

    requirement = _package_spec(spec)
    data = b"" if source is None else read(source)
    with Progress(enabled=not quiet) as progress:
        request, services = prepare(source or "", data, platform, None, progress.step, **options)
        if source is None:
            target, standing = configured_target(request), None
            world = LoadedWorld(request, target, services, (), python=None)
        else:
            report = check_one(request, services)
            target, environment = report.target, report.environment
            world = LoadedWorld(request, target, services, environment.channels, python=environment.python)
            standing = standing_in(requirement, report, world)
        explanation = explain_package(requirement, target, world, standing=standing)
    emit(
        render_json(explanation) if format_name == "json" else render_text(explanation),
        None,
        data=format_name != "text",
    )
    if explanation.silent:
        return EnvcheckError.exit_status
    return int(not explanation.fine)


def _package_spec(text: str) -> Requirement:
    """What ``explain`` is asked about."""
    from envcheck.specs import parse_requirement

    try:
        requirement = parse_requirement(text, line=0)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no package: {error}.") from None
    if requirement.channel is not None or requirement.subdir is not None:
        raise click.UsageError("Name the channel with -c and the platform with -p.")
    if requirement.build is not None and not {" ", "="}.isdisjoint(requirement.build):
        raise click.UsageError(f"{text!r} is no package: there is nothing behind a build.")
    return requirement


@cli.command()
@click.argument("code", required=False)
def rules(code: str | None) -> int:
    """Say what each finding means, or all about one.

    \b
    Example:
      envcheck rules EC402
    """
    from inspect import cleandoc

    from envcheck.rules.documented import DOCUMENTED_RULES, find_rule

    if code is None:
        emit("".join(f"{rule.code}  {rule.title}\n" for rule in DOCUMENTED_RULES), None)
        return 0
    found = find_rule(code)
    if found is None:
        raise click.UsageError(f"There is no finding {code!r}; 'envcheck rules' lists them.")
    emit(f"{found.code}: {found.title}\n\n{cleandoc(found.documentation)}\n", None)
    return 0


@cli.command()
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR")
@click.option("-c", "--channel", "channels", multiple=True, help="Look at this channel too; repeatable.")
@click.option("--offline", is_flag=True, help="Make no request.")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where repodata is kept.")
@click.option("--index-url", metavar="URL", help="The Python package index.")
def doctor(
    platform: str, channels: tuple[str, ...], offline: bool, cache_dir: str | None, index_url: str | None
) -> int:
    """Say which engines, configuration, channels and caches a check on this machine would use.

    \b
    Example:
      envcheck doctor -c bioconda
    """
    from envcheck.cli_input import home_directory, package_index_settings, pages_directory, user_configuration
    from envcheck.doctor import diagnose
    from envcheck.engines.choice import choose_engine
    from envcheck.pip.index import open_index
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
        options=configured_options(configuration, cache_directory=cache_dir, offline=offline),
        cache_directory=str(pages),
    )
    emit(diagnosis.text(), None)
    return 0 if diagnosis.healthy else EnvcheckError.exit_status


def _check_and_report(
    sources: Sequence[str],
    *,
    lock: str | None,
    lock_format: str | None,
    from_lock: str | None,
    explicit: str | None,
    environment: str | None,
    direct_only: bool,
    platforms: tuple[str, ...],
    format_name: str,
    output: str | None,
    fail_on: str,
    baseline: str | None,
    update_baseline: bool,
    quiet: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Check every source for every platform, write the files asked for, report, and give the exit status."""
    outputs = _Outputs(
        lock=lock,
        lock_format=None if lock_format is None else _LOCK_FORMATS[lock_format][0],
        explicit=explicit,
        environment=environment,
        direct_only=direct_only,
    )
    wanted = tuple(dict.fromkeys(platforms)) or ("linux-64",)
    if len(sources) > 1 and any((lock, explicit, environment)):
        raise click.UsageError("--lock, --explicit and --environment take one SOURCE.")
    _refuse_shared_names(outputs, wanted)
    if lock_format and not lock and given("lock_format"):
        raise click.UsageError("--lock-format is about the file that --lock FILE writes.")
    if direct_only and not environment:
        raise click.UsageError("--direct-only is about the file that --environment FILE writes.")
    from envcheck.rules import RULES

    refuse_unknown_codes((*options["select"], *options["ignore"]), RULES)
    known = open_baseline(
        baseline, update=update_baseline, rules=RULES, select=options["select"], ignore=options["ignore"]
    )
    from envcheck.cli_input import prepare, read
    from envcheck.pip.metadata import described
    from envcheck.pipeline import check as check_one
    from envcheck.progress import Progress
    from envcheck.reports.report_json import render_all
    from envcheck.reports.text import account

    previous = None
    if from_lock is not None:
        from envcheck.previous_lock import read_previous_lock

        previous = read_previous_lock(read(from_lock), from_lock)
    reports: list[Report] = []
    read_data: list[bytes] = []
    with Progress(enabled=not quiet) as progress:
        services: Services | None = None
        for source in sources:
            data = read(source)
            for platform in wanted:
                if previous is not None:
                    options |= {"preferred": previous.conda(platform), "preferred_pip": previous.pip(platform)}
                request, services = prepare(source, data, platform, services, progress.step, **options)
                report = check_one(request, services)
                read_data.append(data)
                reports.append(described(report, services.describe) if lock is not None else report)
    complete = all(report.complete for report in reports)
    looked = [known.looked(report.export.path, report.target.platform, report.findings) for report in reports]
    judged = known.judge(looked, complete=complete)
    reports = [
        replace(report, findings=one.new, accepted=one.accepted) for report, one in zip(reports, judged, strict=True)
    ]
    written = _write_outputs(reports, outputs)
    show(
        format_name,
        output,
        verbose=verbose,
        text=partial(_text, reports),
        json=partial(render_all, reports),
        accounts=lambda: [account(report, decoded(data)) for report, data in zip(reports, read_data, strict=True)],
    )
    known.close(looked, complete=complete, quiet=quiet)
    if not quiet:
        _tell_what_next(reports, outputs, written)
    return status(
        (finding for report in reports for finding in report.findings), complete=complete, fail_on=fail_on
    )  # fmt: skip


def _refuse_shared_names(outputs: _Outputs, platforms: Sequence[str]) -> None:
    """A file of which every platform has its own must not be written twice under one name."""
    if len(platforms) == 1:
        return
    from envcheck.outputs import PLATFORM, lock_format

    named = {"--explicit": outputs.explicit, "--environment": outputs.environment}
    if outputs.lock is not None and (outputs.lock_format or lock_format(outputs.lock)) == "explicit":
        named["an explicit --lock"] = outputs.lock
    for option, path in named.items():
        if path is not None and PLATFORM not in path:
            raise click.UsageError(f"{option} takes one --platform, or {PLATFORM} in the name of its FILE.")


def _write_outputs(reports: Sequence[Report], outputs: _Outputs) -> list[str]:
    """Write the files asked for, if every plan solved; the paths written."""
    wanted = [path for path in (outputs.lock, outputs.explicit, outputs.environment) if path is not None]
    if not wanted:
        return []
    from envcheck.reports.plain import plain

    unsolved = [report for report in reports if not report.plan.solved or not report.complete]
    if unsolved:
        for path in wanted:
            say(f"envcheck: {plain(path)} was not written: there is no solved plan")
        return []
    from envcheck.files import write_atomically
    from envcheck.outputs import output_texts

    texts = output_texts(
        reports,
        lock=outputs.lock,
        format_name=outputs.lock_format,
        explicit=outputs.explicit,
        environment=outputs.environment,
        direct_only=outputs.direct_only,
        variables=os.environ,
    )
    for path, text in texts:
        write_atomically(path, text)
    return [path for path, _ in texts]


def _text(reports: Sequence[Report], *, width: int, colour: bool, verbose: bool) -> str:
    from envcheck.reports.text import render

    return "\n".join(render(report, width=width, colour=colour, verbose=verbose) for report in reports)


def _tell_what_next(reports: Sequence[Report], outputs: _Outputs, written: Sequence[str]) -> None:
    """On standard error: what was written, and what to do next."""
    from envcheck.outputs import PLATFORM, next_steps
    from envcheck.reports.plain import plain

    for path in written:
        say(f"wrote {plain(path)}")
    platform = reports[0].target.platform
    lock, environment = (
        placed if path is not None and (placed := path.replace(PLATFORM, platform)) in written else None
        for path in (outputs.lock, outputs.environment)
    )
    for step in next_steps(reports, lock=lock, environment=environment, format_name=outputs.lock_format):
        say(f"next: {plain(step)}")
