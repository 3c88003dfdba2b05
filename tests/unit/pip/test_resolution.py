"""Rows that go together, rows that do not, and why: uv itself over a small index on loopback."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.model import PipRequirement
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.installed import Installed
from envcheck.pip.resolution import Settled, _quick_explain, requirement_text, settle
from envcheck.pip.resolver import PipTarget, Resolved
from envcheck.pip.uv import UvResolver
from envcheck.sources.pip_lines import pypi_row, read_pip_line
from tests.support.package_index import source, wheel, write_index
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory

TARGET = PipTarget(python="3.10.13", platform="linux-64", glibc="2.28")
LINUX = "cp310-cp310-manylinux_2_17_x86_64"


@pytest.fixture
def index(tmp_path: Path, loopback_server: ServerFactory) -> LoopbackServer:
    folder = write_index(
        tmp_path / "index",
        *(wheel("base", version) for version in ("1.0", "1.1", "2.0", "3.0")),
        wheel("old", "1.0", "base<2"),
        wheel("new", "1.0", "base>=2"),
        wheel("new", "1.1", "base>=3"),
        wheel("new", "0.9", "base"),
        wheel("any", "1.0", "base"),
        wheel("torn", "1.0", "sources"),
        wheel("torn", "0.9"),
        wheel("windows", "1.0", tag="cp310-cp310-win_amd64"),
        wheel("native", "1.0", tag=LINUX),
        wheel("native", "1.0", tag="py3-none-any"),
        wheel("extra", "1.0", "base ; extra == 'more'", extras=("more",)),
        source("sources", "1.0"),
    )
    return loopback_server(folder)


def resolver(server: LoopbackServer, tmp_path: Path, **options: object) -> UvResolver:
    settings = IndexSettings(url=server.url, origin="test")
    return UvResolver(
        settings=settings,
        environment={"UV_HTTP_RETRIES": "0"},
        cache_directory=tmp_path / "uv",
        **options,  # type: ignore[arg-type]
    )


def row(text: str) -> PipRequirement:
    found = read_pip_line(text, line=1).pip
    assert found is not None
    return found


def resolved(server: LoopbackServer, tmp_path: Path, *texts: str, conda: Mapping[str, str] | None = None) -> Settled:
    installed = {
        name: Installed(name=name, version=version, conda_name=name) for name, version in (conda or {}).items()
    }
    rows = {requirement_text(one) or "": one for one in map(row, texts)}
    with resolver(server, tmp_path).open(TARGET, installed.values(), {}) as session:
        return settle(session, list(rows), rows=rows, installed=installed)


def locked(settled: Settled) -> dict[str, str]:
    assert settled.trouble == ""
    assert settled.resolved is not None
    return {one.name: one.version for one in settled.resolved.distributions}


def test_what_goes_together_is_locked_with_urls_and_hashes(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "old==1.0", "any")

    assert locked(settled) == {"any": "1.0", "base": "1.1", "old": "1.0"}
    assert settled.resolved is not None
    for one in settled.resolved.distributions:
        assert one.url == f"{index.url}/files/{one.filename}"
        assert one.sha256 is not None
        assert len(one.sha256) == 64
    assert settled.conflicts == ()
    assert not any(path.endswith(".whl") for path in index.paths()), "metadata is all that is read"


def test_of_several_wheels_the_one_that_fits_best(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "native")
    assert settled.resolved is not None
    assert settled.resolved.distributions[0].filename == f"native-1.0-{LINUX}.whl"


def test_conda_packages_are_installed_already(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "any", "new", conda={"base": "2.0", "unused": "1.0"})

    assert locked(settled) == {"any": "1.0", "new": "1.0"}, "the newest that goes along with conda's base"
    assert settled.resolved is not None
    assert settled.resolved.provided == (("base", "base"),)


@pytest.mark.parametrize("specifier", ["==2.0", ">=2.0", "~=2.0", "<=2.0", ""])
def test_a_row_that_conda_already_meets(index: LoopbackServer, tmp_path: Path, specifier: str) -> None:
    settled = resolved(index, tmp_path, f"base{specifier}", conda={"base": "2.0"})

    assert locked(settled) == {}
    assert settled.resolved is not None
    assert settled.resolved.provided == (("base", "base"),)


def test_a_row_in_another_version_replaces_conda_s(index: LoopbackServer, tmp_path: Path) -> None:
    assert locked(resolved(index, tmp_path, "base==1.0", "any", conda={"base": "2.0"})) == {"any": "1.0", "base": "1.0"}


def test_where_a_pin_leaves_no_choice_as_little_as_can_be_is_replaced(index: LoopbackServer, tmp_path: Path) -> None:
    conda = {"base": "2.0", "any": "1.0", "native": "1.0"}
    settled = resolved(index, tmp_path, "old==1.0", "any", "native", conda=conda)

    assert locked(settled) == {"base": "1.1", "old": "1.0"}
    assert settled.conflicts == ()


def test_a_contradiction_is_minimal_and_the_last_of_it_gives_way(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "any==1.0", "old==1.0", "native==1.0", "new==1.0", "extra==1.0")

    (conflict,) = settled.conflicts
    assert conflict.requirements == ("old==1.0", "new==1.0")
    assert conflict.remedy == "new==0.9"
    assert conflict.explanation
    assert settled.alone == ()
    assert locked(settled).keys() == {"any", "base", "extra", "native", "new", "old"}


def test_all_of_several_contradictions_in_one_run(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "base==1.0", "new==1.0", "torn==1.0", "any", "base==1.1")

    assert [(one.requirements, one.remedy) for one in settled.conflicts] == [
        (("base==1.0", "new==1.0"), "new==0.9"),
        (("torn==1.0",), "torn==0.9"),
        (("base==1.0", "base==1.1"), "base==1.0"),
    ]
    assert settled.alone == ("torn==1.0",)
    assert locked(settled) == {"any": "1.0", "base": "1.0", "new": "0.9", "torn": "0.9"}


def test_what_an_older_lock_has_is_kept_where_there_is_a_choice(index: LoopbackServer, tmp_path: Path) -> None:
    before = (("base", "2.0"), ("gone", "1.0"))
    for text, expected in (("any", {"any": "1.0", "base": "2.0"}), ("base==3.0", {"base": "3.0"})):
        rows = {text: row(text)}
        with resolver(index, tmp_path).open(TARGET, (), {}, preferred=before) as session:
            assert locked(settle(session, list(rows), rows=rows, installed={})) == expected


def test_many_contradictions_keep_as_much_as_can_be_at_little_cost(
    tmp_path: Path, loopback_server: ServerFactory
) -> None:
    """As of an environment into which pip installed for years: most of it cannot stay as it is."""
    wheels = [wheel("core", version) for version in ("1.0", "2.0")]
    for number in range(12):
        wheels += [wheel(f"part{number}", "1.0", "core==1.0"), wheel(f"part{number}", "1.1", "core>=1.0")]
    server = loopback_server(write_index(tmp_path / "index", *wheels))
    texts = ["core==2.0", *(f"part{number}==1.0" for number in range(12))]
    rows = {text: row(text) for text in texts}
    with resolver(server, tmp_path).open(TARGET, (), {}) as session:
        settled = settle(session, texts, rows=rows, installed={}, seconds=4)

    versions = locked(settled)
    assert versions.keys() == {"core", *(f"part{number}" for number in range(12))}
    kept = [text for text in texts if versions[text.partition("==")[0]] == text.partition("==")[2]]
    changed = {*settled.unexplained, *(one.requirements[-1] for one in settled.conflicts)}
    assert changed == set(texts) - set(kept)
    assert kept


def test_what_has_no_wheel_at_all_is_left_out(index: LoopbackServer, tmp_path: Path) -> None:
    settled = resolved(index, tmp_path, "windows==1.0", "any")

    assert [(one.requirements, one.remedy) for one in settled.conflicts] == [(("windows==1.0",), None)]
    assert locked(settled) == {"any": "1.0", "base": "3.0"}


@pytest.mark.parametrize(
    "one",
    [
        pypi_row("-umpy", "1.26.4", "pypi_0", line=1, text="-umpy"),
        pypi_row("demo", "not a version", "pypi_0", line=1, text="demo"),
        row("-e ."),
        row("git+https://example.org/x.git#egg=x"),
    ],
)
def test_what_no_resolver_can_read_is_not_asked(one: PipRequirement) -> None:
    assert requirement_text(one) is None


def test_markers_and_extras_are_the_target_s(index: LoopbackServer, tmp_path: Path) -> None:
    texts = ("extra[more]", "windows; sys_platform == 'win32'", "native; python_version < '3.10'")
    assert locked(resolved(index, tmp_path, *texts)) == {"base": "3.0", "extra": "1.0"}


def test_a_row_that_has_its_nearest_version_has_not_given_way(index: LoopbackServer, tmp_path: Path) -> None:
    # What look-ups have put in place of a row is what counts, and not what the row says itself.
    rows = {"old==1.0": row("old==1.0"), "new==1.0": row("new==1.0"), "native==1.0": row("native==9.9")}
    with resolver(index, tmp_path).open(TARGET, (), {}) as session:
        settled = settle(session, list(rows), rows=rows, installed={}, runs=1)
    assert len(settled.unexplained) == 1
    assert "native==1.0" not in settled.unexplained
    assert locked(settled)["native"] == "1.0"


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.SERVER_ERROR, Misbehaviour.RESET, Misbehaviour.FORBIDDEN])
def test_an_index_that_fails_is_trouble_or_nothing_found(
    index: LoopbackServer, tmp_path: Path, misbehaviour: Misbehaviour
) -> None:
    index.misbehave("/", misbehaviour)
    settled = resolved(index, tmp_path, "any==1.0")
    assert settled.trouble or [one.remedy for one in settled.conflicts] == [None]


def test_an_index_that_hangs_is_trouble_within_the_limit(index: LoopbackServer, tmp_path: Path) -> None:
    index.delay = 60.0
    index.misbehave("/", Misbehaviour.SLOW)
    started = time.monotonic()
    with resolver(index, tmp_path, seconds=1.5).open(TARGET, (), {}) as session:
        settled = settle(session, ["any"], rows={"any": row("any")}, installed={})
    assert settled.trouble == "uv gave no answer in 1.5 seconds"
    assert time.monotonic() - started < 10


def test_secrets_reach_the_index_and_nothing_else(tmp_path: Path, loopback_server: ServerFactory) -> None:
    folder = write_index(tmp_path / "index", wheel("demo", "1.0"), wheel("broken", "1.0", "nowhere"))
    server = loopback_server(folder)
    settings = IndexSettings(url=server.url.replace("//", "//lee:hunter2@"), origin="test")
    asked = UvResolver(settings=settings, environment={}, cache_directory=tmp_path / "uv")
    rows = {text: row(text) for text in ("demo", "broken")}
    with asked.open(TARGET, (), {}) as session:
        settled = settle(session, list(rows), rows=rows, installed={})
    assert locked(settled) == {"demo": "1.0"}
    assert "hunter2" not in repr(settled) + repr(asked)
    assert all("hunter2" not in one for one in asked.indexes)


def test_without_uv_there_is_trouble() -> None:
    missing = UvResolver(settings=IndexSettings(url="x", origin="test"), environment={}, program="/there/is/no/uv")
    with missing.open(TARGET, (), {}) as session:
        assert settle(session, ["any"], rows={"any": row("any")}, installed={}).trouble.startswith("uv cannot be")


@pytest.mark.parametrize(
    ("platform", "glibc", "trouble"),
    [
        ("linux-64", "2.17", ""),
        ("linux-64", "2.30", ""),
        ("linux-aarch64", "2.39", ""),
        ("osx-arm64", None, ""),
        ("win-64", None, ""),
        ("linux-64", "2.12", "uv cannot resolve for linux-64 with glibc 2.12"),
        ("linux-s390x", "2.28", "uv cannot resolve for linux-s390x"),
    ],
)
def test_platforms(platform: str, glibc: str | None, trouble: str, index: LoopbackServer, tmp_path: Path) -> None:
    target = PipTarget(python="3.11", platform=platform, glibc=glibc)
    asked = resolver(index, tmp_path)
    assert asked.trouble(target) == trouble
    if not trouble:
        with asked.open(target, (), {}) as session:
            assert isinstance(session.resolve(["any"]), Resolved)


@given(
    st.integers(min_value=1, max_value=9).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(st.sets(st.integers(min_value=0, max_value=size - 1), min_size=1), min_size=1, max_size=4),
        )
    )
)
def test_what_quick_explain_names_is_a_minimal_conflict(case: tuple[int, list[set[int]]]) -> None:
    size, bad = case
    items = [str(number) for number in range(size)]

    def conflicting(chosen: object) -> bool:
        return any({str(one) for one in numbers} <= set(chosen) for numbers in bad)  # type: ignore[call-overload]

    found = _quick_explain(items, conflicting)
    assert conflicting(found)
    assert not any(conflicting([one for one in found if one != left]) for left in found)
