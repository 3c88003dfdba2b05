"""The language of the command line: how it is chosen, what it changes, and what it never does."""

from __future__ import annotations

import re

import pytest

from envcheck.cli_commands import COMMANDS
from envcheck.wide_text import cell_width
from tests.cli.running import CommandLine

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CHECK = ("check", "windows.txt", "--engine", "rattler", "--offline", "--no-pip")
FOR_MACHINES = ("json", "sarif", "junit")
FOR_PEOPLE = ("text", "markdown", "html", "github")
LOCALE = {"LANG": "zh_CN.UTF-8"}


@pytest.mark.parametrize("format_name", FOR_MACHINES)
def test_what_programs_read_is_the_same_in_every_language(envcheck: CommandLine, format_name: str) -> None:
    english = envcheck(*CHECK, "--format", format_name)
    for chinese in (
        envcheck(*CHECK, "--format", format_name, "--lang", "zh"),
        envcheck(*CHECK, "--format", format_name, **LOCALE),
    ):
        assert chinese.output == english.output
        assert chinese.status == english.status


@pytest.mark.parametrize("format_name", FOR_PEOPLE)
def test_what_people_read_is_in_their_language(envcheck: CommandLine, format_name: str) -> None:
    english, chinese, back = (
        envcheck(*CHECK, "--format", format_name),
        envcheck(*CHECK, "--format", format_name, **LOCALE),
        envcheck(*CHECK, "--format", format_name, "--lang", "en", **LOCALE),
    )
    assert CHINESE.search(english.output) is None
    assert CHINESE.search(chinese.output) is not None
    assert back.output == english.output
    assert chinese.status == english.status
    codes = re.compile(r"EC\d{3}")
    assert set(codes.findall(chinese.output)) == set(codes.findall(english.output))


def test_why_an_environment_was_not_checked_is_in_their_language(envcheck: CommandLine) -> None:
    envcheck.write("broken.yml", b"dependencies:\n  - python\0\n")
    envcheck.write(
        "Dockerfile",
        "FROM mambaorg/micromamba:2.6.1\nCOPY broken.yml /tmp/\n"
        "RUN micromamba create -y -n a -f /tmp/broken.yml\n"
        "RUN micromamba create -y -n b --override-channels -c http://127.0.0.1:9/none numpy\n",
    )
    english = envcheck("docker", ".", "--no-pip").output
    chinese = envcheck("docker", ".", "--no-pip", **LOCALE).output

    assert "not checked: The file is not text: it has a zero byte\n" in english
    assert "not checked: no channel could be loaded for linux-64" in " ".join(english.split())
    assert "\u96f6\u5b57\u8282\n" in chinese  # the zero byte, and no full stop behind it
    assert re.search(r"(?i)the file is|no channel|no connection", chinese) is None


def test_several_forms_of_one_run_have_each_their_language(envcheck: CommandLine) -> None:
    run = envcheck(*CHECK, "--lang", "zh", "--also", "json=report.json")
    assert CHINESE.search(run.output) is not None
    report = (envcheck.directory / "report.json").read_text(encoding="utf-8")
    assert CHINESE.search(report) is None
    assert report == envcheck(*CHECK, "--format", "json").output


@pytest.mark.parametrize("place", ["before", "behind", "with an equals sign"])
def test_the_option_stands_anywhere(envcheck: CommandLine, place: str) -> None:
    arguments = {
        "before": ("--lang", "zh", "check", "--help"),
        "behind": ("check", "--help", "--lang", "zh"),
        "with an equals sign": ("check", "--lang=zh", "--help"),
    }[place]
    page = envcheck(*arguments).output
    assert "用法:" in page
    assert "诊断环境" in page


def test_a_language_that_is_not_there_is_a_usage_error(envcheck: CommandLine) -> None:
    run = envcheck("check", "windows.txt", "--lang", "tlh")
    assert run.status == 2
    assert "'tlh' is not one of 'en', 'zh'" in run.errors


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_pages_of_help_are_whole_and_fit(envcheck: CommandLine, command: str) -> None:
    english = envcheck(*command.split(), "--help").output
    chinese = envcheck(*command.split(), "--help", **LOCALE).output
    options = re.compile(r"(?<=\s)--[a-z][a-z-]+")
    assert set(options.findall(english)) <= set(options.findall(chinese))
    # Words of the program alone are left: names of options, commands and formats, and the examples.
    assert re.findall(r"(?m)^ +[A-Z][a-z]+ [a-z]+ [a-z]+", chinese) == []
    described = [line for line in chinese.splitlines() if CHINESE.search(line)]
    assert described
    assert max(map(cell_width, described)) <= 80


def test_errors_and_hints_are_in_the_language(envcheck: CommandLine) -> None:
    run = envcheck("check", "nowhere.yml", **LOCALE)
    assert run.status == 2
    assert "没有这个文件" in run.errors
    assert "提示：" in run.errors  # noqa: RUF001
    wrong = envcheck("check", "--nothing-of-the-kind", **LOCALE)
    assert wrong.status == 2
    assert "没有选项 '--nothing-of-the-kind'" in wrong.errors


def test_lines_of_chinese_fit_the_page(envcheck: CommandLine) -> None:
    for command in (CHECK, (*CHECK, "-v"), ("rules", "EC402"), ("doctor", "--offline")):
        lines = envcheck(*command, **LOCALE).output.splitlines()
        if command[0] == "check":
            assert max(map(cell_width, lines)) <= 80
        assert any(CHINESE.search(line) for line in lines)


def test_an_audit_is_told_in_the_language_whenever_it_was_made(envcheck: CommandLine) -> None:
    audit = ("audit", "windows.txt", "clean.yml", "--engine", "rattler", "--offline", "--no-pip", "--no-times", "-q")
    english = envcheck(*audit)
    chinese = envcheck(*audit, **LOCALE)
    assert CHINESE.search(english.output) is None
    assert "可修复" in chinese.output
    assert "{" not in chinese.output
    machine = ("--format", "json", "--fresh")
    assert envcheck(*audit, *machine, **LOCALE).output == envcheck(*audit, *machine).output
    page = envcheck(*audit, "--format", "html", **LOCALE).output
    assert '<html lang="zh-Hans">' in page
    # What an earlier run has kept in English is told in Chinese all the same.
    assert "它原样无法在 linux-64 上构建" in page


def test_every_rule_is_explained(envcheck: CommandLine) -> None:
    titles = envcheck("rules", **LOCALE).output.splitlines()
    assert all(re.search(r"[\u4e00-\u9fff]|pip|md5", line) for line in titles)
    assert "修复：" in envcheck("rules", "EC508", **LOCALE).output  # noqa: RUF001


def test_a_written_dockerfile_is_the_same_in_every_language_and_its_notes_are_told(envcheck: CommandLine) -> None:
    envcheck.write(
        "Dockerfile",
        "FROM continuumio/miniconda3:25.3.1-1\nCOPY clean.yml .\n"
        "RUN conda env create -f clean.yml && conda clean -afy\nRUN conda activate clean\n",
    )
    command = ("docker", "Dockerfile", "--no-pip", "--offline", "--write")
    runs = {language: envcheck("--lang", language, *command, f"{language}.Dockerfile") for language in ("en", "zh")}
    english, chinese = ((envcheck.directory / f"{name}.Dockerfile").read_text("utf-8") for name in runs)
    assert english.isascii()
    assert chinese.replace("zh.Dockerfile", "en.Dockerfile") == english
    notes = [line for line in runs["zh"].errors.splitlines() if line.startswith("注意")]
    assert len(notes) == sum(line.startswith("note: ") for line in runs["en"].errors.splitlines()) > 3
    assert not any(re.search(r"(?:\b[a-z]{2,} ){4}[a-z]{2,}", re.sub("'[^']*'", "", note)) for note in notes), notes
