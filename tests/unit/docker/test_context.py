"""The build context and its ignore file."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.docker.context import Context, is_ignored, open_context, read_patterns


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        ("*.yml", "environment.yml", True),
        ("*.yml", "env/environment.yml", False),  # unlike git
        ("**/*.yml", "env/environment.yml", True),
        ("**/*.yml", "environment.yml", True),
        ("env", "env/a/b.yml", True),
        ("/env/", "env/a", True),
        ("environment", "sub/environment", False),
        ("*", "a", True),
        ("*\n!environment.yml", "environment.yml", False),
        ("*\n!env", "env/a.yml", False),
        ("!a\na", "a", True),
        ("# a\n\n", "# a", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("**", "a/b", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("\\*", "*", True),
        ("../x", "x", True),
        ("", "x", False),
    ],
)
def test_patterns_are_those_of_docker(patterns: str, path: str, ignored: bool) -> None:
    assert (is_ignored(path, read_patterns(patterns)) is not None) is ignored


def test_the_dockerfiles_own_ignore_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Dockerfile.dockerignore").write_text("b\n")
    context = open_context(tmp_path, tmp_path / "Dockerfile")
    assert context.ignoring("a") is None
    assert context.ignoring("b") is not None
    assert context.ignore_file == "Dockerfile.dockerignore"
    assert open_context(tmp_path, tmp_path / "other").ignoring("a") is not None


def test_nothing_outside_of_the_context_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    root = tmp_path / "context"
    root.mkdir()
    (root / "inside").write_text("i")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "good").symlink_to(root / "inside")
    context = Context(root=root)
    assert context.read("../secret") is None
    assert context.read("link") is None
    assert context.read("good") == b"i"
    assert context.read("/inside") == b"i"
    assert context.read("nothing\0") is None
    assert Context(root=None).read("inside") is None


def test_wildcards(tmp_path: Path) -> None:
    for name in ("a.yml", "b.yml", "c.txt"):
        (tmp_path / name).write_text("")
    context = Context(root=tmp_path)
    assert context.matching("*.yml") == ("a.yml", "b.yml")
    assert context.matching("?.txt") == ("c.txt",)
    assert context.matching("./c.txt") == ("c.txt",)
    assert context.matching("d") == ()
