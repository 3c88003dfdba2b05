"""What the documentation shows exists: commands parse, options and codes are there, links lead somewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import posixpath
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from envcheck.cli import cli
from envcheck.cli_settings import settable_options
from envcheck.reports.formats import FORMATS
from envcheck.rules.documented import DOCUMENTED_RULES
from tests.docs.pages import DOCS, ROOT, blocks, generated_pages, reference, without_blocks, written_pages

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WRITTEN = written_pages()
CODES = {rule.code for rule in DOCUMENTED_RULES}
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.*?)(?: *\{ *#(?P<anchor>[\w-]+) *\})?$", re.MULTILINE)
FOREIGN = {
    "conda-lock",
    "pixi",
    "micromamba",
    "conda",
    "pip",
    "git",
    "make",
    "head",
    "cat",
    "docker",
    "pytest",
    "cd",
    "export",
    "man",
    "pipx",
    "python",
    "rattler-build",
    "uv",
    "uvx",
    ".",
}
"""Programs of commands that are shown beside envcheck's own."""


def shell_lines(page: str) -> Iterator[str]:
    """Every command line in blocks and, where it begins with the program's name, in running text."""
    for block in blocks(page):
        if block.language == "shell":
            yield from block.body.splitlines()
        elif block.language == "console":
            yield block.body.splitlines()[0].removeprefix("$ ")
    for code in INLINE.findall(without_blocks(page)):
        if code.startswith("envcheck ") and "COMMAND" not in code and "CODE" not in code:
            yield code


def commands(line: str) -> Iterator[list[str]]:
    """The commands of a line, without redirections."""
    command: list[str] = []
    words = iter(shlex.split(line))
    for word in words:
        if word in ("|", "&&", ";"):
            yield command
            command = []
        elif word == ">":
            next(words)
        elif not command and re.match(r"[A-Z_]+=", word):
            continue  # a variable for this command alone
        else:
            command.append(word)
    yield command


SHOWN = sorted(
    {
        (path, tuple(command))
        for path, page in [*WRITTEN.items(), *generated_pages().items()]
        if path.endswith(".md")
        for line in shell_lines(page)
        for command in commands(line)
    }
)


def test_commands_are_shown() -> None:
    programs = {command[0] for _, command in SHOWN}

    assert programs - FOREIGN == {"envcheck"}
    assert {command[1] for _, command in SHOWN if command[0] == "envcheck" and len(command) > 1} >= set(cli.commands)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        pytest.param(path, command, id=f"{path}: {' '.join(command)}")
        for path, command in SHOWN
        if command[0] == "envcheck"
    ],
)
def test_every_command_line_parses(
    path: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "envcheck.toml").touch()  # no other settings have a say
    for word in command[1:]:
        # click looks whether files that are to be read are there.
        if not word.startswith(("-", "/", "*")) and "." in word and "/" not in word and not (tmp_path / word).exists():
            (tmp_path / word).touch()
    group = cli.make_context("envcheck", list(command[1:]), resilient_parsing=True)
    if len(command) == 1 or command[1].startswith("-"):
        return
    name, found, rest = cli.resolve_command(group, list(command[1:]))
    assert found is not None, name
    # Running text names commands without what they are about.
    named_only = " ".join(command) in INLINE.findall(without_blocks({**WRITTEN, **generated_pages()}[path]))
    with contextlib.suppress(*[click.MissingParameter, click.BadOptionUsage] if named_only else []):
        found.make_context(name, rest, parent=click.Context(cli, info_name="envcheck"))


@pytest.mark.parametrize("path", WRITTEN)
def test_every_option_and_code_that_is_named_exists(path: str) -> None:
    options = {flag for command in [cli, *cli.commands.values()] for one in command.params for flag in one.opts}
    # Of other programs, as commands shown in full have them.
    others = {word for _, command in SHOWN if command[0] != "envcheck" for word in command if word.startswith("--")}
    others |= {"--dry-run", "--explicit", "--import", "--export", "--kind", "--lockfile", "--update", "--format"}
    text = without_blocks(WRITTEN[path])
    named = {word.partition("=")[0] for code in INLINE.findall(text) for word in code.split() if word.startswith("--")}

    assert named <= options | others | {"--snapshot-update"}
    assert set(re.findall(r"\bEC\d{3}\b", WRITTEN[path])) <= CODES


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as Markdown's toc extension makes them."""
    found = set()
    for heading in HEADING.finditer(without_blocks(page)):
        text = re.sub(r"[^\w\s-]", "", heading["text"]).strip().lower()
        found.add(heading["anchor"] or re.sub(r"[-\s]+", "-", text))
    return found


def test_internal_links_resolve() -> None:
    pages = {**WRITTEN, **generated_pages()}
    broken = []
    for path, page in pages.items():
        for target in LINK.findall(without_blocks(page)) if path.endswith(".md") else ():
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
            if resolved not in pages or (anchor and anchor not in anchors(pages[resolved])):
                broken.append(f"{path}: {target}")

    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    def files(entries: list[object]) -> Iterator[str]:
        for entry in entries:
            content = next(iter(entry.values())) if isinstance(entry, dict) else entry
            yield from files(content) if isinstance(content, list) else [str(content)]

    navigation = list(files(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))

    assert sorted(navigation) == sorted(path for path in {*WRITTEN, *generated_pages()} if path.endswith(".md"))


def test_paths_of_the_map_exist() -> None:
    page = WRITTEN["contributing/architecture.md"]
    paths = [code for code in INLINE.findall(page) if re.fullmatch(r"(envcheck|fixtures|tests|docs)/[\w./*]*", code)]

    assert len(paths) > 30
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def test_keys_of_settings_that_are_shown_exist() -> None:
    known = {key for command in cli.commands.values() for key in settable_options(command)}
    for page in [*WRITTEN.values(), generated_pages()["reference/settings.md"]]:
        for block in blocks(page):
            if block.language == "toml":
                table = tomllib.loads(block.body)["tool"]["envcheck"]
                assert {key for key in table if key not in cli.commands} <= known


def test_the_pages_about_ci_name_all_formats() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", WRITTEN["how-to/ci.md"], re.MULTILINE))

    assert named == {"text", "json", *FORMATS}


def test_the_reference_has_every_command_option_rule_and_setting() -> None:
    pages = generated_pages()
    for name, command in cli.commands.items():
        section = pages["reference/commands.md"].split(f"{{ #{name} }}")[1].split("\n## ")[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(flag in section for flag in option.opts)
        for key in settable_options(command):
            assert f"| `{key}` |" in pages["reference/settings.md"]
    for rule in DOCUMENTED_RULES:
        assert pages["reference/findings.md"].count(f"{{ #{rule.code.lower()} }}") == 1
    assert {rule.code[2] for rule in DOCUMENTED_RULES} == set(reference().SUBJECTS)


def test_the_reference_has_the_variables_that_are_read() -> None:
    """Those that the package looks up by name; what a Dockerfile sets for its own image is another matter."""
    section = generated_pages()["reference/settings.md"].split("{ #variables }")[1]
    told = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", section))
    read: set[str] = set()
    for path in (ROOT / "envcheck").rglob("*.py"):
        if "docker" not in path.parts:
            source = path.read_text("utf-8")
            read |= set(re.findall(r"environ(?:ment|\b)(?:\.get\(|\[|\.pop\()\"([A-Z][A-Z_]+)\"", source))
            read |= set(re.findall(r"\"([A-Z][A-Z_]+)\" (?:not )?in (?:os\.)?environ", source))

    assert {"ENVCHECK_CONFIG", "NO_COLOR", "CONDA_PREFIX"} <= told
    assert {"CONDARC", "NO_COLOR", "CONDA_PREFIX", "XDG_CACHE_HOME"} & read
    assert sorted(read - told) == []


def test_the_reference_is_the_same_each_time() -> None:
    again = reference().reference_pages()

    assert {path: text for path, text in generated_pages().items() if path in again} == again


def test_every_module_is_told_of_in_a_sentence() -> None:
    package = ROOT / "envcheck"
    page = generated_pages()["contributing/modules.md"]
    by_folder = dict(re.findall(r"^## `([^`]+)/`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))

    told = {f"{folder}/{name}": text for folder, rows in by_folder.items() for name, text in _rows(rows)}
    assert sorted(told) == sorted(path.relative_to(ROOT).as_posix() for path in package.rglob("*.py"))
    assert [name for name, text in told.items() if not text.rstrip().endswith((".", "?", ":"))] == []


def _rows(table: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `([^`]+)` \| (.*) \|$", table, re.MULTILINE)


@pytest.mark.skipif(importlib.util.find_spec("material") is None, reason="MkDocs Material is not installed (make docs)")
def test_the_documentation_builds_strictly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "reference" / "findings" / "index.html").is_file()
    assert (tmp_path / "site" / "reference" / "schema_1.json").is_file()
    assert not (tmp_path / "site" / DOCS.name / "hooks").exists()
    assert "://fonts." not in (tmp_path / "site" / "index.html").read_text("utf-8")
