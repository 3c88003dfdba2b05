"""The bounds on what is read: told in the documentation, kept in time, and no way around them to other files."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from envcheck import limits
from envcheck.audit_sources import find_sources
from envcheck.docker.context import Context, open_context, read_patterns
from envcheck.errors import EnvcheckError
from tests.cli.running import CommandLine, condarc_text
from tests.fuzz.targets import TARGETS, run

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "limits.md"

HUGE: dict[str, tuple[str, bytes]] = {
    "aliases of aliases": (
        "condarc",
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 200)),
    ),
    "a large .condarc": ("condarc", b"channels:\n" + b"  - a\n" * 300_000),
    "deep YAML in a lock": ("lock", b"version: 1\nmetadata: " + b"[" * 500_000 + b"\n"),
    "a long number in a lock": ("lock", b"version: 1\nmetadata: 1" + b":1" * 1_000_000 + b"\n"),
    "a long line": ("source", b"dependencies: [" + b"a," * 1_000_000 + b"]\n"),
    "many packages": ("source", b"a=1=0\n" * 150_000),
    "deep JSON": ("source", b'[{"a":' + b"[" * 500_000),
    "many arguments of a key": ("settings", b"a." * 100_000 + b"x = 1\n"),
    "deep TOML": ("settings", b"effort = " + b"[" * 100_000 + b"\n"),
    "a long number in TOML": ("pip", b"x = 1" + b"1" * 5_000 + b"\n"),
    "a large Dockerfile": ("dockerfile", b"FROM x\n" + b"RUN x\n" * 200_000),
    "many instructions": ("dockerfile", b"FROM x\n" + b"RUN x\n" * 2_500),
    "deep JSON in a baseline": ("baseline", b"[" * 100_000),
}


def test_the_documentation_tells_every_bound() -> None:
    told = re.findall(r"\| ([\d,]+) \(`(MAX_\w+)`\) \|", PAGE.read_text(encoding="utf-8"))
    assert {name: int(number.replace(",", "")) for number, name in told} == {
        name: getattr(limits, name) for name in limits.__all__
    }


@pytest.mark.parametrize("name", HUGE)
def test_what_is_too_much_is_refused_in_time_and_with_words(name: str) -> None:
    target, data = HUGE[name]
    started = time.monotonic()
    with pytest.raises(EnvcheckError) as error:
        TARGETS[target](data)
    assert time.monotonic() - started < 15
    assert error.value.exit_status == 2
    assert len(error.value.message) < 300


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    started = time.monotonic()
    run("dockerignore", b"*a*a*a*a*a*a*a*b\n**a**a**a**a**a*b\n")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("pattern", "path", "is_matched"),
    [
        ("a*b*c", "axbxbxc", True), ("a*b*c", "axb/xc", False), ("**/a*b", "x/y/axb", True), ("**/a", "a", True),
        ("**a*b", "a/ab", True), ("a/**/b*c", "a/x/bc/y/bxc", True), ("a/**", "a/b/c", True), ("**", "x", True),
        ("**/a/**/b", "x/a/b", True), ("**/a/**/b", "x/ab", False), ("*a*b", "xaxbxa", False),
        ("a**b/*", "axx/xb/c", True),
    ],
)  # fmt: skip
def test_stars_match_what_they_did(pattern: str, path: str, is_matched: bool) -> None:
    (compiled,) = read_patterns(pattern)
    assert (compiled.expression.fullmatch(path) is not None) is is_matched


@pytest.mark.skipif(os.name == "nt", reason="links take a right there")
def test_no_link_and_no_path_leads_out_of_a_build_context(tmp_path: Path) -> None:
    context, secret = tmp_path / "context", tmp_path / "secret.yml"
    context.mkdir()
    secret.write_text("dependencies: [secret-package]\n")
    (context / "link.yml").symlink_to(secret)
    (context / "up").symlink_to(tmp_path)
    os.mkfifo(context / ".dockerignore")
    opened = open_context(context, context / "Dockerfile")
    for path in ("link.yml", "../secret.yml", str(secret), "up/secret.yml", "./a/../../secret.yml"):
        assert opened.read(path) is None, path
    assert Context(root=context).matching("u*/*") == ()


@pytest.mark.skipif(os.name == "nt", reason="links take a right there")
def test_an_audit_stays_in_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "tree", tmp_path / "outside.yml"
    folder.mkdir()
    text = "channels: [conda-forge]\ndependencies: [python]\n"
    outside.write_text(text)
    (folder / "environment.yml").write_text(text)
    (folder / "other.yml").symlink_to("environment.yml")
    (folder / "link.yml").symlink_to(outside)
    (folder / ".gitignore").symlink_to("/dev/zero")
    (folder / ".git").mkdir()
    found = [one.path.name for one in find_sources([str(folder)])]
    assert found == ["environment.yml"]
    assert [one.path.name for one in find_sources([str(folder / "link.yml")])] == ["link.yml"]


def test_what_a_source_refers_to_is_not_read(tmp_path: Path, package_index_directory: Path) -> None:
    directory = tmp_path / "work"
    directory.mkdir()
    program = CommandLine(directory, condarc_text({}), package_index_directory.as_uri())
    secret = tmp_path / "canary.txt"
    secret.write_text("canary-package==1.0\n")
    rows = (
        f"-r {secret}", f"-c {secret}", f"-e {tmp_path}", f"x @ {secret.as_uri()}", f"--find-links {tmp_path}",
        f"-r{secret}", f"--requirement={secret}", "git+file:///canary", f"--index-url {tmp_path.as_uri()}",
    )  # fmt: skip
    listed = "".join(f"    - {row}\n" for row in rows)
    program.write("environment.yml", f"dependencies:\n- python\n- pip\n- pip:\n{listed}include: !include {secret}\n")
    program.write("requirements.txt", "six==1.16.0\n" + "".join(f"{row}\n" for row in rows))
    for name in ("environment.yml", "requirements.txt"):
        for arguments in (
            ("check", name, "--engine", "rattler", "--offline", "-vv", "--format", "json"),
            ("normalize", name),
        ):
            run = program(*arguments)
            assert "canary-package" not in run.output + run.errors
