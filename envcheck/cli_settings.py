"""Settings of a file as defaults of the command line's options.

A key is an option's long name without the dashes, so that no option is spelled twice. Keys at the top hold for every
command that has the option, those of a command's table for that command. click gives each option its value: that of
the command line, else that of the file (its ``default_map``), else its own default.

A file is read when the first option asks for its default. Help and shell completion never do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property
from typing import Any, cast

import click

from envcheck.language import say

__all__ = ["NEVER_SET", "settable_options", "use_settings"]

NEVER_SET = {
    **dict.fromkeys(
        ("--output", "--lock", "--explicit", "--environment", "--direct-only", "--sbom", "--write", "--write-ignore"),
        say("what is written is said where the command is given"),
    ),
    "--update-baseline": say("findings are accepted by a person, once"),
    "--from-lock": say("which lock is brought up to date is said where the command is given"),
    "--in": say("it is half of what explain is asked"),
    "--scheduler": say("work goes to nobody whom a file beside the source names"),
    "--also": say("what is written is said where the command is given"),
    "--trust-source-indexes": say("trust is not given by what lies beside the source"),
    "--lang": say("the language is the reader's, who is another person for every reader of the file"),
    "--help": say("it is no setting"),
}
"""Options that no file may set, each with the reason."""

_Defaults = Mapping[str, Mapping[str, Any]]


def use_settings(context: click.Context, *, named: str | None, enabled: bool) -> None:
    """Have the options of every command take their defaults from the settings file.

    Args:
        context: The context of the group of commands.
        named: The file that the user named; otherwise it is looked for.
        enabled: Whether any file is to be used.
    """
    group = context.command
    if enabled and isinstance(group, click.Group):
        # click asks it for no more than what a Mapping has.
        context.default_map = cast("MutableMapping[str, Any]", _LazyDefaults(group=group, named=named))


def settable_options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command that a settings file may set, by their keys."""
    return {
        flag.removeprefix("--"): parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("--") and flag not in NEVER_SET
    }


class _LazyDefaults(Mapping[str, Mapping[str, Any]]):
    """The defaults of each command, read from the file when one is asked for.

    Args:
        group: The commands.
        named: The file that the user named, if any.
    """

    def __init__(self, *, group: click.Group, named: str | None) -> None:
        self.group = group
        self._named = named

    @cached_property
    def read(self) -> _Defaults:
        """The settings of the file."""
        from envcheck.settings import find_settings, read_settings
        from envcheck.surroundings import home_directory

        if self._named is not None:
            file = read_settings(self._named)
        else:
            from pathlib import Path

            home = home_directory()
            found = find_settings(Path.cwd(), home.resolve() if home is not None else None)
            if found is None:
                return {}
            file = found
        # Only where there is a file: it looks at the options of every command, and so imports them all.
        from envcheck.cli_setting_values import defaults_of

        return defaults_of(file, self.group)

    def __getitem__(self, command: str) -> Mapping[str, Any]:
        if not settable_options(self.group.commands[command]):
            return {}
        return _LazyCommandDefaults(lambda: self.read.get(command, {}))

    def __iter__(self) -> Iterator[str]:
        return iter(self.group.commands)

    def __len__(self) -> int:
        return len(self.group.commands)


class _LazyCommandDefaults(Mapping[str, Any]):
    """The defaults of one command, by the names of its parameters.

    Args:
        read: Gives them.
    """

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = read

    def _values(self) -> Mapping[str, Any]:
        context = click.get_current_context(silent=True)
        # So click does for the help page and for completion, neither of which may fail for a wrong file.
        return {} if context is not None and context.resilient_parsing else self._read()

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())
