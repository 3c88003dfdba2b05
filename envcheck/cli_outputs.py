"""The files that ``envcheck check`` and ``envcheck lock`` are asked to write, and what is told of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from envcheck.cli_support import given, say
from envcheck.language import tell
from envcheck.locks import CHOICES
from envcheck.reports.shell import shell_name
from envcheck.secrets import mask

if TYPE_CHECKING:
    from envcheck.model import Report

__all__ = ["Outputs", "options_to_repeat", "refuse_shared_names", "tell_step", "tell_what_next", "write_outputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files that a command was asked to write, ``None`` for those it was not, and what goes in."""

    lock: str | None = None
    lock_format: str | None = None
    explicit: str | None = None
    environment: str | None = None
    sbom: str | None = None
    direct_only: bool = False


def refuse_shared_names(outputs: Outputs, platforms: Sequence[str]) -> None:
    """A file of which every platform has its own must not be written twice under one name."""
    if len(platforms) == 1:
        return
    from envcheck.outputs import PLATFORM, lock_format

    named = {"--explicit": outputs.explicit, "--environment": outputs.environment}
    if outputs.lock is not None and (outputs.lock_format or lock_format(outputs.lock)) == "explicit":
        named[tell("an explicit --lock")] = outputs.lock
    for option, path in named.items():
        if path is not None and PLATFORM not in path:
            raise click.UsageError(
                tell(
                    "{option} takes one --platform, or {place} in the name of its FILE.",
                    option=option,
                    place=PLATFORM,
                )
            )


def write_outputs(reports: Sequence[Report], outputs: Outputs) -> list[str]:
    """Write the files asked for, if every plan solved; the paths written."""
    wanted = [path for path in (outputs.lock, outputs.explicit, outputs.environment, outputs.sbom) if path is not None]
    if not wanted:
        return []
    from envcheck.reports.plain import plain

    unsolved = [report for report in reports if not report.plan.solved or not report.complete]
    if unsolved:
        for path in wanted:
            say(tell("envcheck: {path} was not written: there is no solved plan", path=plain(path)))
        return []
    from envcheck.api.checking import lock_files
    from envcheck.files import write_atomically

    texts = lock_files(
        reports,
        lock=outputs.lock,
        lock_format=outputs.lock_format,
        explicit=outputs.explicit,
        environment=outputs.environment,
        sbom=outputs.sbom,
        direct_only=outputs.direct_only,
    )
    for path, text in texts.items():
        write_atomically(path, text)
    return list(texts)


def tell_what_next(
    reports: Sequence[Report], outputs: Outputs, written: Sequence[str], *, verbose: bool = False
) -> None:
    """On standard error: what was written, and what to do next."""
    from envcheck.next_steps import next_steps
    from envcheck.outputs import PLATFORM
    from envcheck.reports.plain import plain

    for path in written:
        say(tell("wrote {path}", path=plain(path)))
    platform = reports[0].target.platform
    lock, environment = (
        path if path is not None and path.replace(PLATFORM, platform) in written else None
        for path in (outputs.lock, outputs.environment)
    )
    format_name = None if outputs.lock_format is None else CHOICES[outputs.lock_format].format
    steps = next_steps(
        reports,
        lock=lock,
        environment=None if environment is None else environment.replace(PLATFORM, platform),
        format_name=format_name,
        verbose=verbose,
        options=partial(options_to_repeat, click.get_current_context()),
    )
    for step in steps:
        tell_step(step)


def tell_step(step: str) -> None:
    """On standard error: what to do next, with the settings file that the running command was given."""
    from envcheck.reports.plain import plain

    group = click.get_current_context().find_root()
    words = []
    if group.get_parameter_source("config") is ParameterSource.COMMANDLINE:
        words += ["--config", shell_name(group.params["config"])]
    if group.get_parameter_source("no_config") is ParameterSource.COMMANDLINE:
        words.append("--no-config")
    settings = "".join(f" {word}" for word in words)
    # What a finding means is the same whatever is set.
    step = re.sub(r"^((?:\.\.\. \| )?envcheck)(?= (?!rules\b))", lambda found: found[0] + settings, step)
    say(tell("next: {step}", step=plain(step)))


# What decides which environment is meant, what is asked about it, and what of the answer counts.
_REPEATED = frozenset(
    {
        *("platforms", "channels", "override_channels", "engine", "image", "virtual_packages", "offline", "cache_dir"),
        *("exclude_newer", "no_pip", "index_url", "cross_check", "pins", "keep_variants", "trust_source_indexes"),
        *("effort", "from_lock", "select", "ignore", "baseline", "fail_on", "context", "build_args", "target"),
    }
)
_ONE_FOR_MANY = {"platforms": "platform"}
"""Options that may be repeated, and the name that they have where they may not."""


def options_to_repeat(context: click.Context, command: str, *, without: Collection[str] = ()) -> str:
    """The options of the running command that another is to have as well, as they are typed, if it has them.

    Args:
        context: The running command's.
        command: The other's name.
        without: Parameters that are left out all the same.
    """
    group = context.find_root()
    other = context.command
    if command != context.info_name and isinstance(group.command, click.Group):
        other = group.command.get_command(group, command) or other
    known = {parameter.name for parameter in other.params}
    words: list[str] = []
    for parameter in context.command.params:
        name = parameter.name
        if not isinstance(parameter, click.Option) or name not in _REPEATED - set(without) or not given(name):
            continue
        if known.isdisjoint((name, _ONE_FOR_MANY.get(name))):
            continue
        value = _as_typed(name, context.params[name])
        if parameter.is_flag:
            words.append(parameter.opts[-1])
            continue
        for one in value if parameter.multiple else (value,):
            words += [parameter.opts[0], shlex.quote(mask(str(one)))]
    return " ".join(words)


def _as_typed(name: str, value: Any) -> Any:
    """An option's value in a form that the option takes."""
    if name == "effort":
        return format(value, "g")
    if name == "exclude_newer":
        import datetime as dt

        moment = dt.datetime.fromtimestamp(0, dt.timezone.utc) + dt.timedelta(milliseconds=value)
        return moment.isoformat().removesuffix("T00:00:00+00:00")
    return value
