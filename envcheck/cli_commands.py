"""The commands of the command line by their names: each is imported when it is asked for, and none for the help page.

After click's documentation, "Lazily Loading Subcommands"
(https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from envcheck.cli_language import ExamplesLast, choose_language, told_completions, told_help
from envcheck.language import ENGLISH, language, translation

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["COMMANDS", "UNKNOWN", "LazyCommands", "LazyGroup"]

UNKNOWN = "envcheck.unknown"
"""Where a context has the word that is no command."""

COMMANDS = {
    "audit": (
        "envcheck.cli_audit:audit",
        "Diagnose many environments: one table, worst first, and what they have in common.",
    ),
    "check": (
        "envcheck.cli_check:check",
        "Diagnose environments: what would fail, why, and the closest environment that does not.",
    ),
    "docker": ("envcheck.cli_docker:docker", "Pre-flight of a Dockerfile: will its environments build?"),
    "doctor": (
        "envcheck.cli_doctor:doctor",
        "Say which engines, configuration, channels and caches a check on this machine would use.",
    ),
    "explain": (
        "envcheck.cli_explain:explain",
        "Say where a package exists: channels, versions, platforms, builds; and why an environment cannot have it.",
    ),
    "lock": ("envcheck.cli_check:lock", "Diagnose one environment, then write its lock."),
    "normalize": (
        "envcheck.cli_texts:normalize",
        "Write the cleaned environment.yml only: nothing is loaded and nothing solved.",
    ),
    "rules": ("envcheck.cli_texts:rules", "Say what each finding means, or all about one."),
    "verify": (
        "envcheck.cli_verify:verify",
        "Verify locks: is every file still in its channel, with the same hash, and does it all go together?",
    ),
}
"""Where each command is, and the first sentence of its help, which a test compares with the command's own."""


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands; one is imported when it is looked up."""

    def __init__(self) -> None:
        self._places = {name: place for name, (place, _) in COMMANDS.items()}
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = getattr(import_module(module), attribute)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places[name] = ""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._places  # a Mapping's own would import it

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class LazyGroup(ExamplesLast, click.Group):
    """A group whose help page tells of its commands what `COMMANDS` says."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Choose the language, and go on as click does."""
        choose_language(args)
        return super().make_context(info_name, args, parent, **extra)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command as click does; what stands for none is kept for whoever tells what was meant."""
        if args and args[0] not in self.commands:
            ctx.meta[UNKNOWN] = args[0]
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The page of help, in the language that is spoken."""
        return super().get_help(ctx) if language() == ENGLISH else told_help(self, ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, which need not be imported for it, and the options."""
        from click.shell_completion import CompletionItem

        names = (name for name in COMMANDS if name.startswith(incomplete))
        commands = [CompletionItem(name, help=translation(COMMANDS[name][1])) for name in names]
        return [*commands, *told_completions(click.Command.shell_complete(self, ctx, incomplete))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands as click does, from commands that have no more than a sentence of help."""
        told = {name: click.Command(name, help=translation(sentence)) for name, (_, sentence) in COMMANDS.items()}
        click.Group(commands=told).format_commands(ctx, formatter)
