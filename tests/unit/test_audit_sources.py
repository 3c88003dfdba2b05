from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envcheck.audit_sources import find_sources, listed_paths
from envcheck.errors import SourceError

ENVIRONMENT = "channels:\n  - conda-forge\ndependencies:\n  - numpy\n"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX's")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(tree: Path, *names: str, text: str = ENVIRONMENT) -> None:
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def shown(*paths: str, listed: tuple[str, ...] = (), home: Path | None = None) -> list[str]:
    return [Path(one.shown).as_posix() for one in find_sources(paths, listed, home=home)]


def test_a_folder_is_walked_in_order(tree: Path) -> None:
    put(tree, "b.yml", "a/z.yml", "a/c.yml", ".binder/environment.yml")
    put(tree, "docker-compose.yml", text="services:\n  a:\n    image: b\n")

    assert shown(".") == ["b.yml", ".binder/environment.yml", "a/c.yml", "a/z.yml"]


def test_installed_things_and_caches_are_passed_over(tree: Path) -> None:
    put(tree, "e.yml", "node_modules/e.yml", ".git/e.yml", ".venv/e.yml", "env/lib/e.yml", "conda/e.yml", "cache/e.yml")
    put(tree, "env/pyvenv.cfg", "conda/conda-meta/history", "cache/CACHEDIR.TAG", text="x")

    assert shown(".") == ["e.yml"]
    # What is named is walked whatever it is.
    assert shown("conda") == ["conda/e.yml"]


def test_what_git_ignores_is_left_out(tree: Path) -> None:
    put(tree, "a.yml", "out/b.yml", "sub/c.yml", "sub/keep.yml", "sub/deep/d.yml", "priv.yml", "other/out/f.yml")
    put(tree, ".gitignore", text="/out/\n*.yml\n!/a.yml\n!other/out/f.yml\n")
    put(tree, "sub/.gitignore", text="!keep.yml\n")
    put(tree, ".git/info/exclude", text="priv.yml\n")

    assert shown(".") == ["a.yml", "other/out/f.yml", "sub/keep.yml"]
    assert shown("sub") == ["sub/keep.yml"]
    assert shown("out/b.yml") == ["out/b.yml"]


def test_a_gitignore_outside_of_a_work_tree_means_nothing(tree: Path) -> None:
    put(tree, "a.yml")
    put(tree, ".gitignore", text="*.yml\n")

    assert shown(".") == ["a.yml"]


@POSIX
def test_links_to_folders_are_not_followed_and_each_file_counts_once(tree: Path) -> None:
    put(tree, "real/a.yml")
    (tree / "real" / "loop").symlink_to(tree)
    (tree / "again").symlink_to(tree / "real")
    (tree / "z.yml").symlink_to(tree / "real" / "a.yml")

    assert len(shown(".")) == 1
    assert shown("again") == ["again/a.yml"]
    assert shown("**/*.yml") == ["real/a.yml"]


@POSIX
def test_a_pipe_is_not_opened(tree: Path) -> None:
    os.mkfifo(tree / "environment.yml")
    put(tree, "a.yml")

    assert shown(".") == ["a.yml"]


def test_a_named_file_is_a_source_whatever_it_is(tree: Path) -> None:
    put(tree, "a.yml")
    put(tree, "notes.txt", text="nothing")

    assert shown(".", "notes.txt", "missing.yml") == ["notes.txt", "missing.yml", "a.yml"]
    assert [one.named for one in find_sources([".", "notes.txt"])] == [True, False]
    assert [one.named for one in find_sources([".", "a.yml"])] == [True]


def test_a_glob_and_a_list_leave_out_what_is_no_export(tree: Path) -> None:
    put(tree, "a/environment.yml", "b/c/environment-dev.yml", "b/other.yml", "node_modules/environment.yml")
    put(tree, "environment.yml", text="jobs:\n  a: b\n")

    assert shown("**/environment*.yml") == ["a/environment.yml", "b/c/environment-dev.yml"]
    assert shown(str(tree / "*" / "environment*.yml")) == [(tree / "a" / "environment.yml").as_posix()]
    listed = ("environment.yml", "b/other.yml", "gone.yml", "a")
    assert shown(listed=listed) == ["b/other.yml", "gone.yml", "a/environment.yml"]


def test_the_home_directory_is_not_shown(tree: Path) -> None:
    put(tree, "work/a.yml")

    assert shown(str(tree / "work"), home=tree) == ["~/work/a.yml"]
    assert shown("work", home=tree) == ["work/a.yml"]


def test_lists_of_names() -> None:
    assert listed_paths(b"a.yml\r\nb c.yml\n\n", null=False) == ("a.yml", "b c.yml")
    assert listed_paths(b"a\nb.yml\0c.yml\0", null=True) == ("a\nb.yml", "c.yml")
    assert os.fsencode(listed_paths(b"\xff.yml", null=False)[0]) == b"\xff.yml"


def test_a_list_with_nul_characters_is_read_as_one_or_refused() -> None:
    data = b"a\0two\nlines\0"

    assert listed_paths(data, null=True) == ("a", "two\nlines")
    with pytest.raises(SourceError, match="holds NUL characters") as caught:
        listed_paths(data, null=False)
    assert caught.value.path == "-"
    assert "-0" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["x\0y", "*\0", "\ud800.yml"])
def test_what_no_file_can_be_called_is_refused(tree: Path, name: str) -> None:
    put(tree, "a.yml")

    for paths, listed in (((name,), ()), (("a.yml",), (name,))):
        with pytest.raises(SourceError, match="no file can have this name") as caught:
            find_sources(paths, listed)
        str(caught.value.path).encode()


def test_a_folder_whose_name_is_that_of_a_home_is_told_from_one(tree: Path) -> None:
    put(tree, "~/a.yml", "home/b.yml")

    found = find_sources(["~", str(tree / "home")], home=tree / "home")
    assert [one.shown.replace("\\", "/") for one in found] == ["./~/a.yml", "~/b.yml"]
