"""The locks that ``--lock`` writes: their formats, their platforms, and what an older one is asked to keep."""

from __future__ import annotations

import pytest
import yaml

from envcheck.locks import load_format
from tests.cli.running import CommandLine

PLATFORMS = ("-p", "linux-64", "-p", "win-64")


@pytest.mark.parametrize(
    ("arguments", "name", "format_name"),
    [
        (("--lock", "pixi.lock"), "pixi.lock", "pixi-lock-v7"),
        (("--lock-format", "pixi"), "pixi.lock", "pixi-lock-v7"),
        (("--lock", "list.txt"), "list.txt", "explicit"),
        (("--lock-format", "explicit"), "conda-linux-64.lock", "explicit"),
        (("--lock", "x.lock", "--lock-format", "conda-lock"), "x.lock", "conda-lock-v1"),
        ((), "conda-lock.yml", "conda-lock-v1"),
    ],
)
def test_the_format_is_the_one_of_the_name_or_of_the_option(
    envcheck: CommandLine, arguments: tuple[str, ...], name: str, format_name: str
) -> None:
    before = envcheck.files()
    run = envcheck("lock", "clean.yml", *arguments)
    assert run.status == 0
    assert run.errors.startswith(f"wrote {name}\nnext: ")
    assert envcheck.files() - before == {name}
    module = load_format(format_name)
    text = (envcheck.directory / name).read_text("utf-8")
    assert module.read(text).packages
    assert module.verify(text) == ()


def test_a_pixi_lock_holds_several_platforms(envcheck: CommandLine) -> None:
    assert envcheck("lock", "clean.yml", *PLATFORMS, "--lock", "pixi.lock").status == 0
    document = yaml.safe_load((envcheck.directory / "pixi.lock").read_text("utf-8"))
    assert [one["name"] for one in document["platforms"]] == ["linux-64", "win-64"]
    assert set(document["environments"]["default"]["packages"]) == {"linux-64", "win-64"}


def test_every_platform_has_its_own_files_where_a_format_knows_one(envcheck: CommandLine) -> None:
    before = envcheck.files()
    run = envcheck(
        "lock", "clean.yml", *PLATFORMS, "--lock-format", "explicit", "--environment", "environment.{platform}.yml"
    )
    assert run.status == 0
    assert envcheck.files() - before == {
        "conda-linux-64.lock", "conda-win-64.lock", "environment.linux-64.yml", "environment.win-64.yml",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lock", "clean.yml", *PLATFORMS, "--lock", "list.txt"), "an explicit --lock takes one --platform"),
        (("check", "clean.yml", "--lock-format", "pixi"), "--lock-format is about the file"),
        (("lock", "clean.yml", "--lock-format", "poetry"), "poetry"),
        (("lock", "clean.yml", "--from-lock", "clean.yml"), "no lock of a known format"),
        (("lock", "clean.yml", "--from-lock", "nowhere.lock"), "no such file"),
    ],
)
def test_what_cannot_be_meant_is_said(envcheck: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    before = envcheck.files()
    run = envcheck(*arguments)
    assert run.status == 2
    assert words in run.errors
    assert envcheck.files() == before


@pytest.mark.parametrize("name", ["conda-lock.yml", "pixi.lock", "list.txt"])
def test_a_lock_made_from_itself_is_the_same(envcheck: CommandLine, name: str) -> None:
    assert envcheck("lock", "clean.yml", "--lock", name).status == 0
    path = envcheck.directory / name
    before = path.read_bytes()
    assert envcheck("lock", "clean.yml", "--lock", name, "--from-lock", name).status == 0
    assert path.read_bytes() == before
