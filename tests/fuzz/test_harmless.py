"""Texts that would do something to whoever looks at them, through every command and every form of its report.

A name may hold a terminal's escape sequences, marks that turn the direction of writing, line ends, commands of GitHub's
runner, or HTML. None of it may come out as more than a text.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.running import CommandLine, fixture_program

FORMATS = ("text", "json", "markdown", "html", "sarif", "github", "junit")
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NASTY = (
    "a\\e[31mred\\e[0m", "a\\x9b31m", "a\\u202egnp", "a\\u200bb", "a\\rb", "a\\n::error::x", "a%0A::warning::y",
    "<script>alert(1)</script>", "![x](https://evil.example)", "a\\u2066b", "##[error]x", "a\\0b", "[red]b[/red]",
)  # fmt: skip
LISTED = "".join(f'  - "{one}"\n' for one in NASTY)
SOURCE = (
    f'name: "{NASTY[0]}"\nchannels:\n  - conda-forge\n{LISTED}dependencies:\n  - python=3.10\n{LISTED}'
    + "".join(f'  - "numpy={one}"\n  - "conda-forge::{one}"\n' for one in NASTY)
    + "  - pip:\n"
    + "".join(f'      - "{one}"\n      - "x @ https://{one}/y.whl"\n' for one in NASTY)
    + f'prefix: "{NASTY[2]}"\n'
)
RAW = tuple(json.loads(f'"{one}"'.replace("\\e", "\\u001b").replace("\\x9b", "\\u009b").replace("\\0", "\\u0000"))
            for one in NASTY)  # fmt: skip
DOCKERFILE = "FROM mambaorg/micromamba:1.5.8\n" + "".join(
    f"RUN micromamba install -y {one} -c {one}\nCOPY {one} /x\nRUN pip install {one}\n"
    for one in (re.sub(r"[\n\r\0]", " ", text) for text in RAW)
)  # fmt: skip
LOCK = "@EXPLICIT\n" + "".join(
    f"https://host/{one}/linux-64/left-1.0-0.conda\n" for one in (re.sub(r"[\s\0#]", "", text) for text in RAW)
)


@pytest.fixture
def envcheck(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> CommandLine:
    program = fixture_program(tmp_path, channels_directory, package_index_directory)
    program.write("environment.yml", SOURCE)
    program.write("Dockerfile", DOCKERFILE)
    program.write("explicit.txt", LOCK)
    return program


@pytest.mark.parametrize(
    "arguments",
    [("check", "environment.yml"), ("docker", "Dockerfile"), ("verify", "explicit.txt")],
    ids=lambda arguments: arguments[0],
)
def test_reports_are_harmless(envcheck: CommandLine, arguments: tuple[str, ...]) -> None:
    also = [word for one in FORMATS for word in ("--also", f"{one}=out.{one}")]
    run = envcheck(*arguments, "--offline", "--engine", "rattler", "-v", *also)
    assert run.status in (0, 1, 3), run.errors
    assert HARMFUL.search(run.output + run.errors) is None
    told = {one: (envcheck.directory / f"out.{one}").read_text(encoding="utf-8") for one in FORMATS}
    for name, text in told.items():
        if name in ("json", "sarif"):
            # JSON's own escapes keep the terminal out of it; what a program reads is what was there.
            json.loads(text)
        assert HARMFUL.search(text) is None, (name, HARMFUL.search(text))
    # An annotation is a line of its own, and each of ours has a file or a title.
    for line in told["github"].splitlines():
        assert not line.startswith("::") or re.match(r"::(?:error|warning|notice|group|endgroup)(?: |::)", line), line
        assert not line.startswith(("::error::", "::warning::")), line
        assert "##[" not in line or line.startswith("::"), line
    assert "<script>alert" not in told["html"].replace("\\u003c", "<").partition("</style>")[2]
    assert "<script>alert" not in re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", told["markdown"])
    ET.fromstring(told["junit"])  # noqa: S314 - our own


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_errors_and_explanations_are_harmless(envcheck: CommandLine, raw: str) -> None:
    text = raw.replace("\0", "")
    runs = [
        envcheck("check", text),
        envcheck("check", "-", "--offline", data=f"dependencies: [{text}\n".encode()),
        envcheck("explain", text, "--offline", "--engine", "rattler"),
        envcheck("docker", "-", "--offline", data=f"FROM x\n{text} y\n".encode()),
        envcheck("check", "environment.yml", "-c", text, "--override-channels", "--offline", "--engine", "rattler"),
    ]
    for run in runs:
        assert HARMFUL.search(run.output + run.errors) is None, (run.output, run.errors)


@pytest.mark.skipif(sys.platform == "win32", reason="names of files may not hold such characters there")
def test_an_audit_of_nasty_names_is_harmless(envcheck: CommandLine) -> None:
    for text in RAW:
        name = text.replace("\0", "").replace("/", "-")
        envcheck.write(f"{name}.yml", "channels: [conda-forge]\ndependencies: [python=3.10]\n")
    run = envcheck("audit", ".", "--offline", "--engine", "rattler")
    assert HARMFUL.search(run.output + run.errors) is None
