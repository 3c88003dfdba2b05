"""The values of a settings file as click takes them for the options of each command."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_settings import NEVER_SET, settable_options
from envcheck.language import joined, say, tell

if TYPE_CHECKING:
    from envcheck.settings import SettingsFile

__all__ = ["defaults_of"]

_ONE_COMMAND = {"--select": say("the findings of one command are none of another's")}
"""Options that a file may set for one command alone, each with the reason."""

_CODES = ("--select", "--ignore")


class _WrongValueError(Exception):
    """A value that an option does not take; ``hint`` says what it takes."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A key of the file: the table it stands in (``None``: at the top), its name and its value."""

    table: str | None
    name: str
    value: Any

    @property
    def path(self) -> tuple[str, ...]:
        return (self.name,) if self.table is None else (self.table, self.name)


def defaults_of(file: SettingsFile, group: click.Group) -> Mapping[str, Mapping[str, Any]]:
    """Every setting by command and parameter; the whole file is looked at, whatever command runs.

    Raises:
        ConfigurationError: A key is unknown, or its value is none that the option takes.
    """
    commands = {name: settable_options(command) for name, command in sorted(group.commands.items())}
    commands = {name: options for name, options in commands.items() if options}
    found: dict[str, dict[str, Any]] = {name: {} for name in commands}
    common = [_Key(table=None, name=name, value=value) for name, value in file.table.items() if name not in commands]
    for key in common:
        for command, parameter, value in _of_all(key, file, group, commands):
            found[command][parameter] = value
    for command in commands:
        table = file.table.get(command, {})
        if not isinstance(table, dict):
            hint = tell("The settings of that command stand below [{table}].", table=".".join((*file.prefix, command)))
            raise file.complaint(tell("{command!r} is no table.", command=command), key=(command,), hint=hint)
        for name, value in table.items():
            key = _Key(table=command, name=name, value=value)
            if name not in commands[command]:
                raise _unknown(key, file, group, commands)
            option = commands[command][name]
            try:
                found[command][_name(option)] = _value(option, value, file, group.commands[command])
            except _WrongValueError as wrong:
                raise file.complaint(
                    tell("{name}: {message}", name=name, message=wrong.message), key=key.path, hint=wrong.hint
                ) from None
    return found


def _of_all(
    key: _Key, file: SettingsFile, group: click.Group, commands: Mapping[str, Mapping[str, click.Option]]
) -> Iterator[tuple[str, str, Any]]:
    """The commands that a key at the top is for, each with its parameter and the value.

    Commands differ in what they take: ``explain`` writes no SARIF, and looks at one platform alone. A value has to be
    one for some command; the others keep their own default, or take the first of a list.
    """
    having = {command: options[key.name] for command, options in commands.items() if key.name in options}
    if not having or f"--{key.name}" in _ONE_COMMAND:
        raise _unknown(key, file, group, commands)
    wrong: _WrongValueError | None = None
    fitting = 0
    lists = any(option.multiple for option in having.values())
    for command, option in having.items():
        value = key.value
        if lists and not option.multiple and isinstance(value, list):
            if not value:
                continue
            value = value[0]
        elif lists and not option.multiple:
            continue
        try:
            yield command, _name(option), _value(option, value, file, group.commands[command])
        except _WrongValueError as error:
            wrong = wrong or error
        else:
            fitting += 1
    if not fitting and wrong is not None:
        raise file.complaint(
            tell("{name}: {message}", name=key.name, message=wrong.message), key=key.path, hint=wrong.hint
        )


def _name(option: click.Option) -> str:
    assert option.name is not None  # noqa: S101 - only an argument that is not exposed has none
    return option.name


def _unknown(
    key: _Key, file: SettingsFile, group: click.Group, commands: Mapping[str, Mapping[str, click.Option]]
) -> Exception:
    """The complaint about a key that cannot stand where it stands."""
    flag = f"--{key.name}"
    having = [name for name, command in group.commands.items() if _has_flag(command, flag)]
    if flag in NEVER_SET and (key.table in having or (key.table is None and having)):
        return file.complaint(
            tell("{name} cannot be set in a file: {reason}.", name=key.name, reason=NEVER_SET[flag]),
            key=key.path,
            hint=tell("Give it on the command line."),
        )
    if flag in _ONE_COMMAND and key.table is None:
        return file.complaint(
            tell("{name} cannot be set for all commands: {reason}.", name=key.name, reason=_ONE_COMMAND[flag]),
            key=key.path,
            hint=tell(
                "Put it below [{table}], or the table of another command.", table=".".join((*file.prefix, "check"))
            ),
        )
    if key.table is None and file.prefix == () and key.name == "tool":
        return file.complaint(
            tell("There is no setting 'tool'."),
            key=key.path,
            hint=tell("In this file the tables stand without tool.envcheck."),
        )
    known = commands[key.table] if key.table is not None else _all_keys(commands)
    of = "" if key.table is None else tell(" of {table}", table=key.table)
    elsewhere = next((name for name, options in commands.items() if key.name in options), None)
    meant = (
        tell("It is one of {elsewhere}.", elsewhere=elsewhere)
        if elsewhere is not None
        else _meant(key.name, sorted(known))
    )
    hint = meant or say("'envcheck COMMAND --help' lists the options; a key is one without its dashes.")
    return file.complaint(tell("There is no setting {name!r}{of}.", name=key.name, of=of), key=key.path, hint=hint)


def _has_flag(command: click.Command, flag: str) -> bool:
    return any(flag in parameter.opts for parameter in command.params)


def _all_keys(commands: Mapping[str, Mapping[str, click.Option]]) -> set[str]:
    """What may stand at the top: the names of options and of tables."""
    keys = {key for options in commands.values() for key in options if f"--{key}" not in _ONE_COMMAND}
    return keys | set(commands)


def _meant(name: str, known: list[str]) -> str | None:
    from rapidfuzz import process

    # Parameters of Python, and what an option of the same meaning is called elsewhere, come near enough, too.
    close = [one for one, *_ in process.extract(name.replace("_", "-"), known, limit=3, score_cutoff=75)]
    return tell("Did you mean {close}?", close=joined(" or ", close)) if close else None


def _value(option: click.Option, value: Any, file: SettingsFile, command: click.Command) -> Any:
    """A value as click takes it from a default map.

    Raises:
        _WrongValueError: The option does not take it.
    """
    key = next(flag for flag in option.opts if flag.startswith("--")).removeprefix("--")
    given = _typed(option, key, value)
    if isinstance(given, list):
        given = [_located(option, one, file) for one in given]
    elif isinstance(given, str):
        given = _located(option, given, file)
    try:
        # In a context of its own, as no command may be run by a value.
        option.process_value(click.Context(command, info_name=command.name), given)
    except (click.UsageError, OverflowError) as error:
        # A number may be too large for click to make another of it.
        words = error.message if isinstance(error, click.UsageError) else tell("the number is too large")
        raise _WrongValueError(
            words, tell("'envcheck {name} --help' says what --{key} takes.", name=command.name, key=key)
        ) from None
    if f"--{key}" in _CODES:
        _refuse_unknown_codes(given)
    return given


def _typed(option: click.Option, key: str, value: Any) -> Any:
    """A value if it is of TOML's type for the option."""
    if option.is_flag:
        if isinstance(value, bool):
            return value
        raise _WrongValueError(tell("this is a switch."), tell("Write {key} = true, or false.", key=key))
    if option.count:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10:
            return value
        raise _WrongValueError(tell("this is a small number."), tell("Write {key} = 1.", key=key))
    if isinstance(option.type, click.types.FloatParamType):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        raise _WrongValueError(
            tell("this is a number."), tell("Write {key} = {default}.", key=key, default=str(option.default))
        )
    if isinstance(option.type, click.types.IntParamType):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise _WrongValueError(tell("this is a whole number."), tell("Write {key} = 2.", key=key))
    if option.multiple:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
        raise _WrongValueError(
            tell("this is a list of texts."), tell('Write {key} = ["..."], also for a single one.', key=key)
        )
    if isinstance(value, dt.date):  # a time, too; TOML has both without quotes
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise _WrongValueError(tell("this is a text."), tell('Write {key} = "...".', key=key))


def _located(option: click.Option, text: str, file: SettingsFile) -> str:
    """A path that is relative to the file, from the working directory; any other text as it is."""
    if isinstance(option.type, click.Path):
        return file.located(text)
    # A channel that is a folder begins with a dot, as for conda; every other is a name or a URL.
    if option.name == "channels" and text.startswith(("./", "../", ".\\", "..\\")):
        found = file.located(text)
        return found if found.startswith(".") or Path(found).is_absolute() else f"./{found}"
    return text


def _refuse_unknown_codes(prefixes: list[str]) -> None:
    from envcheck.rules.documented import DOCUMENTED_RULES

    for prefix in prefixes:
        if not any(rule.code.startswith(prefix.upper()) for rule in DOCUMENTED_RULES):
            raise _WrongValueError(
                tell("no finding's code begins with {prefix!r}.", prefix=prefix), say("'envcheck rules' lists them.")
            )
