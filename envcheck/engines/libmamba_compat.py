"""What differs between versions of libmambapy, and the settings that all of envcheck's use of it shares.

The library has no type stubs, so its module is an `Any` that is handed around; nothing here needs it to be installed.
Differences are told by what the library offers, never by its version number: builds carry patches, and versions lie.

- Until 2.2 nobody can tell libmamba from Python which URL a channel has (`MirrorMap` cannot be filled), so it cannot
  download: see `envcheck.engines.libmamba_downloading.PlainDownloader`.
- Until 2.2 `MultiPackageCache` takes the context, later the validation parameters, with a warning for the former.
- Before the `Database` learned ``exclude_newer_timestamp`` (after 2.8.1) newer records have to be taken out again.
- Since then the graph of problems takes names for packages whose number in the pool is the same (`explain`).
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from envcheck.engines import LoadOptions
from envcheck.errors import EngineError
from envcheck.language import say

__all__ = [
    "authentication",
    "can_download",
    "explain",
    "load_library",
    "new_database",
    "package_cache",
    "package_directories",
    "remote_fetch_parameters",
    "shared_context",
]

HINT = say("Install it with 'conda install -c conda-forge \"libmambapy>=2\"', or use --engine rattler.")

# Where mamba looks for tokens and credentials of hosts (Context::token_locations and load_authentication_info).
_TOKENS = "~/.continuum/anaconda-client/tokens"
_CREDENTIALS = "~/.mamba/auth/authentication.json"

_lock = threading.Lock()
_contexts: list[Any] = []


def load_library() -> Any:
    """The libmambapy package.

    Raises:
        EngineError: It is not installed, broken, or older than 2.0.
    """
    try:
        library = importlib.import_module("libmambapy")
    except ModuleNotFoundError as error:
        if error.name != "libmambapy":
            raise EngineError(say("libmambapy cannot be imported: {error}", error=str(error)), hint=HINT) from error
        raise EngineError(say("libmambapy is not installed"), hint=HINT) from error
    except ImportError as error:
        raise EngineError(say("libmambapy cannot be imported: {error}", error=str(error)), hint=HINT) from error
    version = str(getattr(library, "__version__", "0"))
    if version.split(".", 1)[0] in ("0", "1"):
        raise EngineError(say("libmambapy {version} is too old, 2.0 is needed", version=version), hint=HINT)
    # The solver's classes stand in a submodule that the package itself does not import.
    importlib.import_module("libmambapy.solver.libsolv")
    return library


def shared_context(library: Any) -> Any:
    """The one `Context` that libmamba allows in a process, silent; it lives as long as the process.

    Nothing in it is ever changed to suit one load: options, platforms and channels go to the functions that take them.

    Raises:
        EngineError: Somebody else in this process has made one.
    """
    with _lock:
        if not _contexts:
            options = library.ContextOptions(enable_logging=False, enable_signal_handling=False)
            try:
                context = library.Context(options)
            except RuntimeError as error:
                raise EngineError(
                    say("another part of this process uses libmamba, which allows only one user"),
                    hint=say("Run envcheck in a process of its own."),
                ) from error
            context.output_params.quiet = True
            context.graphics_params.no_progress_bars = True
            _contexts.append(context)
        return _contexts[0]


def package_directories(context: Any, options: LoadOptions) -> list[Path]:
    """The package caches, in whose ``cache`` folders the repodata is kept: mamba's own unless one is asked for."""
    if options.cache_directory is not None:
        return [Path(options.cache_directory)]
    if options.package_directories:
        return [Path(path) for path in options.package_directories]
    return [Path(str(path)).expanduser() for path in context.pkgs_dirs]


def package_cache(library: Any, context: Any, directories: Sequence[Path]) -> Any:
    """The `MultiPackageCache` over directories."""
    paths = [str(directory) for directory in directories]
    try:
        return library.MultiPackageCache(paths, validation_params=context.validation_params)
    except TypeError:
        return library.MultiPackageCache(context, paths)


def can_download(library: Any) -> bool:
    """Whether libmamba can be told from Python where to download from."""
    return hasattr(library, "SubdirIndexLoader") and hasattr(getattr(library, "MirrorMap", None), "add_mirror_from_url")


def remote_fetch_parameters(library: Any, options: LoadOptions) -> Any:
    """How to reach servers: TLS and proxies of the options, and one retry, as a silent server is a finding here."""
    parameters = library.RemoteFetchParams()
    if options.verify_tls is False:
        parameters.ssl_verify = "<false>"
    elif isinstance(options.verify_tls, str):
        parameters.ssl_verify = options.verify_tls
    parameters.proxy_servers = dict(options.proxies)
    parameters.max_retries = 1
    parameters.retry_timeout = 1
    return parameters


def new_database(library: Any, parameters: Any, exclude_newer: int | None) -> tuple[Any, bool]:
    """An empty `Database`, and whether it drops records newer than ``exclude_newer`` (in seconds) by itself."""
    database = library.solver.libsolv.Database
    if exclude_newer is None:
        return database(parameters), True
    try:
        return database(parameters, exclude_newer_timestamp=exclude_newer), True
    except TypeError:
        return database(parameters), False


def authentication(library: Any) -> Any:
    """The credentials that mamba and conda have stored for hosts, as mamba reads them (``Context`` keeps its own)."""
    specs = library.specs
    database = specs.AuthenticationDataBase()
    for path in sorted(Path(_TOKENS).expanduser().glob("*.token")):
        # anaconda-client writes a token for https://api.anaconda.org that is meant for conda.anaconda.org.
        host = unquote(path.name.removesuffix(".token")).replace("https://api.", "conda.")
        database[host] = specs.CondaToken(_read(path).strip())
    try:
        stored = json.loads(_read(Path(_CREDENTIALS).expanduser()) or "{}")
    except ValueError:
        return database
    for host, entry in stored.items():
        if (credential := _credential(specs, entry)) is not None:
            database[host] = credential
    return database


def _credential(specs: Any, entry: Any) -> Any:
    """One entry of mamba's ``authentication.json``, ``None`` if it is none."""
    try:
        match entry["type"]:
            case "CondaToken":
                return specs.CondaToken(entry["token"])
            case "BearerToken":
                return specs.BearerToken(entry["token"])
            case "BasicHTTPAuthentication":
                password = base64.b64decode(entry["password"]).decode()
                return specs.BasicHTTPAuthentication(entry.get("user", ""), password)
            case _:
                return None
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, binascii.Error):
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def explain(library: Any, database: Any, unsolvable: Any, asked: Collection[str]) -> str:
    """Why there is no solution, in libmamba's words: the tree of its graph of problems where that can be trusted.

    Otherwise libsolv's problems, one a line.

    Args:
        library: The library.
        database: What was solved over.
        unsolvable: What the solve gave.
        asked: The names that the solve was asked for.
    """
    solver = library.solver
    graph = unsolvable.problems_graph(database)
    if not _is_sound(solver, graph, asked):
        return "\n".join(str(problem) for problem in unsolvable.problems(database))
    simplified = solver.CompressedProblemsGraph.from_problems_graph(solver.ProblemsGraph.simplify_conflicts(graph))
    plain = library.utils.TextStyle()
    indents = ["\N{BOX DRAWINGS LIGHT VERTICAL}  ", "   "]
    indents += [f"{corner}\N{BOX DRAWINGS LIGHT HORIZONTAL} " for corner in "├└"]
    return str(simplified.tree_message(solver.ProblemsMessageFormat(plain, plain, indents))).strip()


def _is_sound(solver: Any, graph: Any, asked: Collection[str]) -> bool:
    """Whether a graph of problems begins with what was asked for and ends in reasons only.

    A reason is a dependency that nothing provides, or a conflict.
    """
    nodes, edges = graph.graph()
    conflicts = graph.conflicts()
    root = graph.root_node()
    with_reasons = {source for source, _ in edges}
    begins = all(str(spec.name) in asked for (source, _), spec in edges.items() if source == root)
    ends = all(
        isinstance(node, solver.ProblemsGraph.UnresolvedDependencyNode) or conflicts.has_conflict(number)
        for number, node in nodes.items()
        if number not in with_reasons
    )
    return begins and ends and root in with_reasons
