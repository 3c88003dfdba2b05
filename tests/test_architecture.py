"""The lines between the parts: who may import what, who may print, and how light a start has to be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from inspect import cleandoc
from pathlib import Path

import pytest

from tests.cli.running import condarc_text, fixture_locations

PACKAGE = Path(__file__).parents[1] / "envcheck"
MODULES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))}

HEAVY = ("rattler", "libmambapy", "yaml", "rich", "pydantic", "conda_lock", "requests", "packaging", "rapidfuzz")
"""What a start must not load: each costs tens of milliseconds, and ``--help`` needs none."""

CORE = ("model/", "specs.py", "builds.py", "normalize.py", "intent.py", "survey.py", "plan.py", "rules/", "reports/")
"""Where nothing is read, asked or looked up outside of what is passed in."""

LAYERS: Mapping[str, tuple[str, ...]] = {
    "words": (
        *("model/*", "errors.py", "language.py", "limits.py", "urls.py", "secrets.py", "wide_text.py", "builds.py"),
        *("image_tables.py", "project_names.py"),
    ),
    "edge": (
        *("condarc.py", "settings.py", "caches.py", "files.py", "world.py", "docker/context.py"),
        "cores.py",
        *("docker/writing_files.py", "pip/configuration.py", "pip/index.py", "pip/installed.py", "pip/metadata.py"),
        *("pip/postponed.py", "pip/remote_wheel.py", "pip/simple_index.py", "pip/transport.py", "pip/uv.py"),
        *("pip/uv_configuration.py", "pip/pages.py", "engines/[!_]*"),
    ),
    "core": (
        *("sources/*", "rules/*", "reports/*", "locks/*", "docker/*", "pip/*", "engines/__init__.py", "lock_*.py"),
        *(
            "base_images.py",
            "baseline.py",
            "channel_urls.py",
            "channels.py",
            "clauses.py",
            "conflicts.py",
            "explain.py",
            "fallbacks.py",
        ),
        *("fleet.py", "intent.py", "kept_out.py", "locations.py", "mirrors.py", "names.py", "next_steps.py"),
        *(
            "normalize.py",
            "outputs.py",
            "plan.py",
            "plan_account.py",
            "previous_lock.py",
            "provenance.py",
            "request.py",
        ),
        *("search.py", "second_opinion.py", "specs.py", "survey.py", "toml_bounds.py", "universe.py", "variants.py"),
        *("virtual_packages.py", "wishes.py", "yaml_bounds.py"),
    ),
    "program": (
        *("pipeline.py", "verify.py", "doctor.py", "surroundings.py", "api/*", "audit.py", "audit_*.py"),
        *("candidates.py", "completion.py", "__init__.py"),
    ),
    "command line": ("cli.py", "cli_*.py", "progress.py", "conda_plugin.py", "__main__.py"),
}
"""Every module's layer, by the first pattern that fits: what there are words for, what asks, reads and writes, what is
made of that and of nothing else, what brings both together, and what a user types."""

ORDER = ("words", "core", "edge", "program", "command line")
"""The layers from the bottom up: a module imports nothing from above its own."""

EXCEPTIONS = {
    ("channel_urls.py", "envcheck.condarc"): "as channels.py",
    ("channels.py", "envcheck.condarc"): "takes the type Configuration, which stands beside what reads it",
    ("docker/preflight.py", "envcheck.condarc"): "as channels.py",
    ("lock_places.py", "envcheck.condarc"): "as channels.py",
    ("request.py", "envcheck.condarc"): "as channels.py",
    ("outputs.py", "envcheck.pip.configuration"): "takes the address of PyPI, which stands beside what may replace it",
    ("docker/files.py", "envcheck.docker.context"): "asks the build context, which opens nothing outside of its folder",
    ("docker/following.py", "envcheck.docker.context"): "as docker/files.py",
    ("docker/making.py", "envcheck.docker.context"): "as docker/files.py",
    ("docker/writing_ignore.py", "envcheck.docker.context"): "takes how patterns are read, which opens nothing",
    ("pip/extras.py", "envcheck.pip.installed"): "takes the type Installed, which stands beside what writes it for uv",
    ("pip/resolution.py", "envcheck.pip.installed"): "as pip/extras.py",
    ("pip/stage.py", "envcheck.pip.installed"): "as pip/extras.py, and makes such values",
    ("docker/preflight.py", "envcheck.verify"): "takes the type LockReport; who verifies is handed in",
    ("reports/verification.py", "envcheck.verify"): "takes the type LockReport",
}
"""What is imported from above all the same, and why."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that a module names in an import, type checking included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_at_run_time(name: str, *, at_start: bool = False) -> set[str]:
    """The modules of the package that a module imports, those for type checkers alone left out.

    Args:
        name: The module, as a path.
        at_start: Whether what functions import when they are called is left out, too.
    """
    found: set[str] = set()
    pending: list[ast.AST] = [MODULES[name]]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(one for one in imports(node) if one in DOTTED)
        elif not (at_start and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            pending.extend(ast.iter_child_nodes(node))
    return found - {"envcheck", dotted(name)}


def dotted(name: str) -> str:
    """The name by which a module is imported."""
    return "envcheck." + name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


DOTTED = {dotted(name): name for name in MODULES if name != "__init__.py"}
"""Every module by the name it is imported by."""


def layer(name: str) -> str:
    """The layer of a module."""
    fitting = (one for one, patterns in LAYERS.items() if any(fnmatch(name, pattern) for pattern in patterns))
    found = next(fitting, None)
    assert found is not None, f"{name} has no layer yet: give it one in LAYERS"
    return found


def importers(library: str) -> set[str]:
    """The modules that import a library or a part of it."""
    return {
        name for name in MODULES if any(one == library or one.startswith(f"{library}.") for one in imported_by(name))
    }


@cache
def imported_by(name: str) -> frozenset[str]:
    """Every module that a module names in an import."""
    return frozenset(imports(MODULES[name]))


def within(*places: str) -> set[str]:
    """The modules of these files and folders."""
    found = {
        name for name in MODULES for place in places if name == place or (place[-1] == "/" and name.startswith(place))
    }
    assert found, f"there is nothing at {places}"
    return found


def calls(tree: ast.AST) -> Iterator[str]:
    """Every function that is called by its bare or dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("module", ["envcheck", "envcheck.cli", "envcheck.model", "envcheck.rules"])
def test_a_start_is_light(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = {name.partition(".")[0] for name in json.loads(answer.stdout)}

    assert "envcheck" in loaded
    assert loaded.isdisjoint(HEAVY)


HELP_NEEDS_NONE_OF = (
    *HEAVY,
    *("envcheck.model", "envcheck.rules", "envcheck.reports", "envcheck.cli_support", "envcheck.cli_input"),
    *("envcheck.cli_check", "envcheck.cli_audit", "envcheck.cli_docker", "envcheck.settings"),
    *("importlib.metadata", "dataclasses", "pathlib", "json", "urllib.parse", "asyncio", "sqlite3", "subprocess"),
)
"""What the help page and the version must not load, each with its parts."""


@pytest.mark.parametrize(
    ("arguments", "needed", "unneeded"),
    [
        (["--help"], [], HELP_NEEDS_NONE_OF),
        (["--version"], [], HELP_NEEDS_NONE_OF),
        (
            ["check", "--help"],
            ["envcheck.cli_check", "envcheck.reports"],
            [
                *HEAVY,
                *("envcheck.model", "envcheck.rules", "envcheck.cli_input", "envcheck.cli_audit", "envcheck.settings"),
                *("importlib.metadata", "dataclasses", "pathlib", "json", "asyncio", "sqlite3", "subprocess"),
            ],
        ),
    ],
)
def test_a_help_page_loads_no_more_than_it_tells(
    arguments: list[str], needed: list[str], unneeded: list[str], tmp_path: Path
) -> None:
    status, loaded = modules_after(arguments, tmp_path)

    assert status == 0
    assert loaded.issuperset(needed)
    assert sorted(loaded.intersection(unneeded)) == []


PLAIN_CHECK_NEEDS_NONE_OF = (
    # Locks, pages, clusters, other sources and engines.
    *(
        "conda_lock",
        "pydantic",
        "jinja2",
        "distributed",
        "dask",
        "tree_sitter",
        "libmambapy",
        "hypothesis",
        "rapidfuzz",
    ),
    *("envcheck.docker", "envcheck.base_images", "envcheck.locks.conda_lock_v1", "envcheck.locks.pixi_lock_v7"),
    *("envcheck.cli_audit", "envcheck.cli_docker", "envcheck.cli_verify", "envcheck.cli_setting_values"),
    *("envcheck.audit", "envcheck.verify", "envcheck.reports.html_report", "envcheck.engines.libmamba"),
    # The network, and what builds a store of records, which is another process.
    *("requests", "urllib3", "cachecontrol", "filelock", "pypi_simple", "http.cookiejar"),
    "envcheck.engines.record_store_building",
    # The pip section.
    *("envcheck.pip.stage", "envcheck.pip.metadata", "envcheck.pip.transport", "envcheck.pip.releases"),
    *("packaging.requirements", "packaging.specifiers", "packaging.markers", "zipfile"),
    # Settings that are not there, versions that the libraries tell themselves, and a bar that nobody sees.
    *("tomllib", "tomli", "importlib.metadata", "rich.progress"),
)
"""What a check of a source without a pip section must not load where channels and settings are files on the disk."""


def test_a_plain_check_loads_no_more_than_it_uses(
    tmp_path: Path, channels_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "condarc"
    configuration.write_text(condarc_text(fixture_locations(channels_directory)), encoding="utf-8")
    monkeypatch.setenv("CONDARC", str(configuration))
    (tmp_path / "plain.yml").write_text(
        "channels: [conda-forge]\ndependencies: [python=3.10, numpy]\n", encoding="utf-8"
    )
    check = ["check", "plain.yml", "--no-pip", "--engine", "rattler"]

    modules_after(check, tmp_path)
    status, loaded = modules_after(check, tmp_path)

    assert status == 0
    assert loaded.issuperset(["rattler", "yaml", "envcheck.rules"])
    assert sorted(loaded.intersection(PLAIN_CHECK_NEEDS_NONE_OF)) == []


def modules_after(arguments: list[str], directory: Path) -> tuple[int, set[str]]:
    """The status of a command, and the modules that its process loads besides those of the interpreter and click."""
    listed = directory / "modules.json"
    code = f"""
import os, sys, click
before = set(sys.modules)
sys.argv = ["envcheck", *{arguments!r}]
from envcheck import cli
status = cli._run()
loaded = sorted(set(sys.modules) - before)
import json
with open({str(listed)!r}, "w") as stream:
    json.dump(loaded, stream)
sys.stdout.flush()
os._exit(status)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=directory, check=False)
    assert listed.exists(), answer.stderr.decode()
    return answer.returncode, set(json.loads(listed.read_text()))


def test_the_table_of_commands_says_what_they_say() -> None:
    from envcheck.cli_commands import COMMANDS, LazyCommands

    commands = LazyCommands()
    assert list(commands) == sorted(COMMANDS)
    for name, (_, sentence) in COMMANDS.items():
        command = commands[name]
        assert command.name == name
        assert command.help is not None
        assert not command.hidden
        assert not command.deprecated
        assert command.short_help is None
        assert sentence == " ".join(cleandoc(command.help).partition("\n\n")[0].split())


def test_each_solver_library_has_one_home() -> None:
    assert {name for name in importers("rattler") if not name.startswith("engines/rattler")} == {"specs.py"}
    assert {name for name in importers("libmambapy") if not name.startswith("engines/libmamba")} == set()


def test_the_engines_are_chosen_in_one_place() -> None:
    for name in ("rattler", "libmamba"):
        outside = {one for one in importers(f"envcheck.engines.{name}") if not one.startswith(f"engines/{name}")}
        assert outside <= {"engines/choice.py"}


def test_only_the_command_line_prints_and_exits() -> None:
    # What shells complete is what click asks for.
    assert importers("click") <= {*(name for name in MODULES if layer(name) == "command line"), "completion.py"}
    for name, tree in MODULES.items():
        if name not in ("cli.py", "cli_support.py", "__main__.py", "progress.py"):
            found = set(calls(tree))
            assert found.isdisjoint({"print", "input", "sys.exit", "exit"}), name
            assert not {one for one in found if one.startswith(("sys.stdout.", "sys.stderr."))}, name


def test_the_command_line_is_on_top() -> None:
    assert importers("envcheck.cli") == {"__main__.py"}
    assert importers("envcheck.pipeline") <= {*within("api/"), "audit_worker.py"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_is_imported_from_above(name: str) -> None:
    height = ORDER.index(layer(name))
    above = {one for one in imports_at_run_time(name) if ORDER.index(layer(DOTTED[one])) > height}

    assert sorted(one for one in above if (name, one) not in EXCEPTIONS) == []


def test_every_layer_and_every_exception_is_needed() -> None:
    assert set(ORDER) == set(LAYERS)
    for patterns in LAYERS.values():
        assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in MODULES)] == []
    for name, imported in EXCEPTIONS:
        assert imported in imports_at_run_time(name), (name, imported)
        assert ORDER.index(layer(DOTTED[imported])) > ORDER.index(layer(name)), (name, imported)


def test_no_module_needs_itself_to_be_imported() -> None:
    graph = {one: imports_at_run_time(name, at_start=True) for one, name in DOTTED.items()}

    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "library", ["os", "pathlib", "requests", "urllib.request", "subprocess", "socket", "tempfile", "random"]
)
def test_the_core_does_no_input_or_output(library: str) -> None:
    assert importers(library).isdisjoint(within(*CORE))


def test_the_core_opens_nothing() -> None:
    for name in within(*CORE):
        assert set(calls(MODULES[name])).isdisjoint({"open", "exec", "eval", "datetime.now", "__import__"}), name


def test_reports_and_rules_ask_no_engine() -> None:
    asking = importers("envcheck.engines") | importers("envcheck.world") | importers("envcheck.pip.index")

    assert asking.isdisjoint(within("reports/", "rules/"))


def test_the_types_depend_on_nothing() -> None:
    imported = {one for name in within("model/") for one in imports(MODULES[name])}
    outside = {one.partition(".")[0] for one in imported if not one.startswith("envcheck.model.")}

    assert outside == {"__future__", "dataclasses", "enum"}


def test_later_stages_are_unknown_to_earlier_ones() -> None:
    stages = ["sources/", "normalize.py", "intent.py", "survey.py", "plan.py", "rules/", "reports/"]
    for position, stage in enumerate(stages):
        for later in stages[position + 1 :]:
            name = "envcheck." + later.rstrip("/").removesuffix(".py")
            assert importers(name).isdisjoint(within(stage)), f"{stage} imports {later}"


def test_nothing_from_the_input_can_be_executed() -> None:
    # uv, which is told to build nothing, and the builder of record stores, a module of envcheck itself; the arguments
    # of neither hold anything of an input. And, where conda is what the user started, envcheck's own command line.
    assert importers("subprocess") == {"pip/uv.py", "engines/record_stores.py", "conda_plugin.py"}
    # Between an engine's own two processes; nothing that a user or a channel wrote is unpickled.
    assert importers("pickle") <= {"engines/apart.py"}
    unsafe = {
        "unsafe_load",
        "full_load",
        "Loader",
        "FullLoader",
        "UnsafeLoader",
        "CLoader",
        "CFullLoader",
        "CUnsafeLoader",
    }
    for name, tree in MODULES.items():
        assert set(calls(tree)).isdisjoint({"eval", "exec", "os.system", "os.popen"}), name
        of_yaml = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "yaml"
        }
        assert of_yaml.isdisjoint(unsafe), name


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"__main__.py"}))
def test_every_module_says_what_it_offers(name: str) -> None:
    tree = MODULES[name]
    assert ast.get_docstring(tree)
    if len(tree.body) == 1:
        return  # a package that is only a place
    (listed,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        # click has the commands by their decorators.
        and not any(ast.unparse(one).startswith("cli.") for one in node.decorator_list)
    }

    assert sorted(public - set(listed)) == []
    assert len(listed) == len(set(listed))
