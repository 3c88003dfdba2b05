"""What conda does with its plugins' subcommands, in place of a conda, which the Python package index does not have.

    python -m tests.support.conda_stand_in [--loaded] [NAME [ARGUMENT...]]

After conda 26.7: `hookimpl` and the hook's specification (``conda/plugins/hookspec.py``), `CondaSubcommand`
(``conda/plugins/types.py``), how entry points are loaded (``CondaPluginManager.load_entrypoints``), and how a
subcommand without a parser of its own is given its arguments (``configure_parser_plugins`` and ``do_call`` in
``conda/cli/conda_argparse.py``). ``--help`` lists the subcommands, ``--loaded`` the modules that conda's start loads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pluggy

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@dataclass(init=False)
class CondaSubcommand:
    """The type of conda's name, for those that take their arguments as they are."""

    name: str
    summary: str
    action: Callable[[tuple[str, ...]], int | None]

    def __init__(self, *, name: str, summary: str, action: Callable[[tuple[str, ...]], int | None]) -> None:
        self.name = name.lower().strip()
        self.summary = summary
        self.action = action


class CondaSpecs:
    """conda's specification of the hook."""

    @pluggy.HookspecMarker("conda")
    def conda_subcommands(self) -> Iterable[CondaSubcommand]:
        """Register external subcommands in conda."""
        yield from ()


def subcommands() -> dict[str, CondaSubcommand]:
    """Those of the plugins that pyproject.toml registers."""
    conda, plugins, types = (ModuleType(name) for name in ("conda", "conda.plugins", "conda.plugins.types"))
    plugins.hookimpl = pluggy.HookimplMarker("conda")  # type: ignore[attr-defined]
    types.CondaSubcommand = CondaSubcommand  # type: ignore[attr-defined]
    sys.modules.update({module.__name__: module for module in (conda, plugins, types)})
    manager = pluggy.PluginManager("conda")
    manager.add_hookspecs(CondaSpecs)
    registered = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["entry-points"]["conda"]
    for name, value in registered.items():
        manager.register(EntryPoint(name=name, value=value, group="conda").load())
    return {one.name: one for found in manager.hook.conda_subcommands() for one in found}


def main() -> int:
    """Carry out a command line as conda would; its status."""
    before = set(sys.modules)
    found = subcommands()
    if sys.argv[1:] == ["--loaded"]:
        print("\n".join(sorted(set(sys.modules) - before)))  # noqa: T201
        return 0
    parser = argparse.ArgumentParser(prog="conda")
    parsers = parser.add_subparsers()
    for one in found.values():
        parsers.add_parser(one.name, add_help=False, help=one.summary).set_defaults(plugin=one)
    parsed, rest = parser.parse_known_args()
    if not hasattr(parsed, "plugin"):
        parser.print_help()
        return 0
    return parsed.plugin.action(tuple(rest)) or 0


if __name__ == "__main__":
    sys.exit(main())
