"""The manual: a page for every command, as its help is now, which typesetters have nothing to say about."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from envcheck.cli import cli
from envcheck.cli_commands import COMMANDS
from tests.support.manual import DIRECTORY, manual_pages

PAGES = sorted(DIRECTORY.glob("*"))

TYPESETTERS = {
    "groff": ("groff", "-man", "-Tutf8", "-ww", "-rLL=100n"),
    "man": ("man", "--local-file", "--warnings=w"),
    "mandoc": ("mandoc", "-T", "lint", "-W", "warning"),
}


def test_every_command_has_its_page_and_no_page_has_none() -> None:
    assert {path.name for path in PAGES} == {"envcheck.1", *(f"envcheck-{name}.1" for name in COMMANDS)}


def test_the_pages_are_those_of_the_commands_as_they_are() -> None:
    stale = [name for name, page in manual_pages().items() if (DIRECTORY / name).read_text("utf-8") != page]

    assert stale == [], "make man"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
@pytest.mark.parametrize("typesetter", TYPESETTERS)
def test_typesetters_have_no_warnings(typesetter: str, path: Path) -> None:
    if shutil.which(typesetter) is None:
        pytest.skip(f"there is no {typesetter}")
    done = subprocess.run([*TYPESETTERS[typesetter], str(path)], capture_output=True, text=True, check=False)
    # mandoc misses a date, which would make two builds of the same source differ.
    words = [
        line for line in (done.stderr + done.stdout * (typesetter == "mandoc")).splitlines() if " date" not in line
    ]

    assert words == []
    assert done.returncode == 0 or typesetter == "mandoc"


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_is_read_is_what_the_help_says(name: str) -> None:
    done = subprocess.run(
        [
            "groff",
            "-man",
            "-Tutf8",
            "-P-c",
            "-P-b",
            "-P-u",
            "-rLL=2000n",
            "-rHY=0",
            str(DIRECTORY / f"envcheck-{name}.1"),
        ],
        capture_output=True,
        check=True,
    )
    page = " ".join(re.sub("\x1b\\[[0-9]*m", "", done.stdout.decode()).replace("\u2212", "-").split())
    context = click.Context(cli.commands[name], info_name=name, parent=click.Context(cli, info_name="envcheck"))
    records = [
        record
        for one in context.command.params
        if isinstance(one, click.Option) and (record := one.get_help_record(context))
    ]

    assert records
    for flags, meaning in records:
        assert " ".join(f"{flags} {meaning}".split()) in page
    for paragraph in (context.command.help or "").replace("\b", "").split("\n\n"):
        assert " ".join(paragraph.replace("`", "").split()) in page
