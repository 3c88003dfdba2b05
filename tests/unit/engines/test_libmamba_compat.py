"""Where versions of libmambapy differ; each is stood in for by the little that matters of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from envcheck.engines import LoadOptions
from envcheck.engines import libmamba_compat as compat
from envcheck.errors import EngineError

# ---------------------------------------------------------------------------------------------------------------------
# The library itself
# ---------------------------------------------------------------------------------------------------------------------


def install(monkeypatch: pytest.MonkeyPatch, version: str) -> ModuleType:
    library = ModuleType("libmambapy")
    library.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "libmambapy", library)
    monkeypatch.setitem(sys.modules, "libmambapy.solver", ModuleType("libmambapy.solver"))
    monkeypatch.setitem(sys.modules, "libmambapy.solver.libsolv", ModuleType("libmambapy.solver.libsolv"))
    return library


@pytest.mark.parametrize("version", ["2.0.0", "2.8.1", "10.0"])
def test_versions_that_will_do(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    library = install(monkeypatch, version)
    assert compat.load_library() is library


@pytest.mark.parametrize("version", ["0.27.0", "1.5.12"])
def test_versions_that_are_too_old(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    install(monkeypatch, version)
    with pytest.raises(EngineError, match=r"too old, 2\.0 is needed") as failure:
        compat.load_library()
    assert failure.value.hint


def test_a_broken_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libmambapy.py").write_text("raise ImportError('libmamba.so.4: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "libmambapy", raising=False)
    with pytest.raises(EngineError, match=r"cannot be imported: libmamba\.so\.4"):
        compat.load_library()


# ---------------------------------------------------------------------------------------------------------------------
# Downloads and caches
# ---------------------------------------------------------------------------------------------------------------------

VERSIONS_THAT_DOWNLOAD = {
    "2.0": (SimpleNamespace(), False),
    "2.2": (SimpleNamespace(SubdirIndexLoader=object, MirrorMap=SimpleNamespace(has_mirrors=None)), False),
    "2.3": (SimpleNamespace(SubdirIndexLoader=object, MirrorMap=SimpleNamespace(add_mirror_from_url=None)), True),
}


@pytest.mark.parametrize("version", VERSIONS_THAT_DOWNLOAD)
def test_who_can_download(version: str) -> None:
    library, can = VERSIONS_THAT_DOWNLOAD[version]
    assert compat.can_download(library) is can


class OldCache:
    """As in 2.0: the context and the directories."""

    def __init__(self, context: Any, pkgs_dirs: list[str]) -> None:
        self.given = (context, pkgs_dirs)


class NewCache:
    """As from 2.3 on: the directories and the validation parameters."""

    def __init__(self, pkgs_dirs: list[str], validation_params: Any) -> None:
        self.given = (pkgs_dirs, validation_params)


def test_package_caches() -> None:
    context = SimpleNamespace(validation_params="parameters")
    old = compat.package_cache(SimpleNamespace(MultiPackageCache=OldCache), context, [Path("a")])
    new = compat.package_cache(SimpleNamespace(MultiPackageCache=NewCache), context, [Path("a")])
    assert old.given == (context, ["a"])
    assert new.given == (["a"], "parameters")


def test_package_directories() -> None:
    context = SimpleNamespace(pkgs_dirs=[Path("/opt/mamba/pkgs"), Path("~/.mamba/pkgs")])
    assert compat.package_directories(context, LoadOptions(cache_directory="/cache")) == [Path("/cache")]
    own = [Path("/opt/mamba/pkgs"), Path("~/.mamba/pkgs").expanduser()]
    assert compat.package_directories(context, LoadOptions()) == own
    configured = LoadOptions(package_directories=("/srv/pkgs", "/home/me/pkgs"))
    assert compat.package_directories(context, configured) == [Path("/srv/pkgs"), Path("/home/me/pkgs")]


@pytest.mark.parametrize(
    ("verify_tls", "expected"), [(True, "as it was"), (False, "<false>"), ("/etc/ca.pem", "/etc/ca.pem")]
)
def test_tls_and_proxies(verify_tls: bool | str, expected: str) -> None:
    library = SimpleNamespace(RemoteFetchParams=lambda: SimpleNamespace(ssl_verify="as it was"))
    options = LoadOptions(verify_tls=verify_tls, proxies=(("https", "http://proxy:3128"),))
    parameters = compat.remote_fetch_parameters(library, options)
    assert parameters.ssl_verify == expected
    assert parameters.proxy_servers == {"https": "http://proxy:3128"}


# ---------------------------------------------------------------------------------------------------------------------
# Dates
# ---------------------------------------------------------------------------------------------------------------------


def database_library(database: Any) -> Any:
    return SimpleNamespace(solver=SimpleNamespace(libsolv=SimpleNamespace(Database=database)))


def test_a_database_that_knows_dates() -> None:
    library = database_library(lambda parameters, exclude_newer_timestamp=None: (parameters, exclude_newer_timestamp))
    assert compat.new_database(library, "parameters", 5) == (("parameters", 5), True)
    assert compat.new_database(library, "parameters", None) == (("parameters", None), True)


def test_a_database_that_does_not() -> None:
    library = database_library(lambda parameters: parameters)
    assert compat.new_database(library, "parameters", 5) == ("parameters", False)
    assert compat.new_database(library, "parameters", None) == ("parameters", True)


# ---------------------------------------------------------------------------------------------------------------------
# Stored credentials
# ---------------------------------------------------------------------------------------------------------------------


def test_stored_credentials_are_read_as_mamba_reads_them() -> None:
    specs = SimpleNamespace(
        AuthenticationDataBase=dict,
        CondaToken=lambda token: ("token", token),
        BearerToken=lambda token: ("bearer", token),
        BasicHTTPAuthentication=lambda user, password: ("basic", user, password),
    )
    library = SimpleNamespace(specs=specs)
    assert compat.authentication(library) == {}
    tokens = Path("~/.continuum/anaconda-client/tokens").expanduser()
    tokens.mkdir(parents=True)
    (tokens / "https%3A%2F%2Fapi.anaconda.org.token").write_text("aa-bb")
    stored = Path("~/.mamba/auth").expanduser()
    stored.mkdir(parents=True)
    entries = {
        "one.example": {"type": "CondaToken", "token": "tk"},
        "two.example": {"type": "BearerToken", "token": "bt"},
        "three.example/channel": {"type": "BasicHTTPAuthentication", "user": "me", "password": "c2VjcmV0"},
        "four.example": {"type": "BasicHTTPAuthentication", "user": "me", "password": "no base 64!"},
        "five.example": {"type": "Telepathy"},
        "six.example": "nonsense",
    }
    (stored / "authentication.json").write_text(json.dumps(entries))
    assert compat.authentication(library) == {
        "conda.anaconda.org": ("token", "aa-bb"),
        "one.example": ("token", "tk"),
        "two.example": ("bearer", "bt"),
        "three.example/channel": ("basic", "me", "secret"),
    }
    (stored / "authentication.json").write_text("{ not json")
    assert list(compat.authentication(library)) == ["conda.anaconda.org"]


# ---------------------------------------------------------------------------------------------------------------------
# Explanations
# ---------------------------------------------------------------------------------------------------------------------


class Unresolved:
    """A dependency that nothing provides."""


class Package:
    """A package."""


class Graph:
    """A graph of problems whose root is node 0."""

    def __init__(self, nodes: Mapping[int, Any], edges: Mapping[tuple[int, int], str], conflicts: set[int]) -> None:
        self.nodes = nodes
        self.edges = {pair: SimpleNamespace(name=name) for pair, name in edges.items()}
        self.in_conflict = conflicts

    def graph(self) -> tuple[Mapping[int, Any], Mapping[tuple[int, int], Any]]:
        return self.nodes, self.edges

    def conflicts(self) -> Any:
        return SimpleNamespace(has_conflict=lambda number: number in self.in_conflict)

    def root_node(self) -> int:
        return 0


def explained(graph: Graph) -> str:
    problems_graph = SimpleNamespace(UnresolvedDependencyNode=Unresolved, simplify_conflicts=lambda graph: graph)
    tree = SimpleNamespace(tree_message=lambda form: f"a tree, {form}\n")
    solver = SimpleNamespace(
        ProblemsGraph=problems_graph,
        CompressedProblemsGraph=SimpleNamespace(from_problems_graph=lambda graph: tree),
        ProblemsMessageFormat=lambda unavailable, available, indents: f"{unavailable}, {len(indents)} indents",
    )
    library = SimpleNamespace(solver=solver, utils=SimpleNamespace(TextStyle=lambda: "plain"))
    unsolvable = SimpleNamespace(
        problems_graph=lambda database: graph, problems=lambda database: ["nothing provides b", "and so on"]
    )
    return compat.explain(library, None, unsolvable, {"a"})


def test_a_sound_graph_is_shown_as_a_tree_without_colours() -> None:
    nodes = {0: None, 1: Package(), 2: Unresolved()}
    assert explained(Graph(nodes, {(0, 1): "a", (1, 2): "b"}, set())) == "a tree, plain, 4 indents"
    nodes = {0: None, 1: Package(), 2: Package()}
    assert explained(Graph(nodes, {(0, 1): "a", (0, 2): "a"}, {1, 2})) == "a tree, plain, 4 indents"


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [
        pytest.param({0: None, 1: Unresolved()}, {(0, 1): "zlib"}, id="begins with what nobody asked for"),
        pytest.param({0: None, 1: Package()}, {(0, 1): "a"}, id="ends without a reason"),
        pytest.param({0: None}, {}, id="empty"),
    ],
)
def test_an_unsound_graph_is_not_shown(nodes: dict[int, Any], edges: dict[tuple[int, int], str]) -> None:
    assert explained(Graph(nodes, edges, set())) == "nothing provides b\nand so on"
