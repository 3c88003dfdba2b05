"""Whatever the text, reading and following a Dockerfile ends, soon, and with envcheck's errors alone."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.shell import read_shell
from envcheck.docker.substitution import pairs, substitute, words
from envcheck.errors import SourceError
from tests.support.dockerfiles import build

PIECES = st.sampled_from(
    [
        *("FROM a\n", "FROM a AS b\n", "FROM b\n", "ARG X=1\n", "ENV X=$X$X Y='\n", "RUN ", "COPY ", "ADD ", "CMD "),
        *(
            "WORKDIR ",
            "SHELL ",
            "# escape=`\n",
            "\\\n",
            "`\n",
            "<<E ",
            "\nE\n",
            "--mount=type=bind,target=/x ",
            "--from=b ",
        ),
        *(
            '["a", "b"]\n',
            '["conda", "run", "-n", "x"]\n',
            "conda install -y numpy ",
            "conda env create -f e.yml ",
            "&& ",
        ),
        *(
            "conda activate x ",
            "pip install -r ",
            "micromamba ",
            "-c ",
            "-n ",
            "> .condarc ",
            "$(",
            "${X",
            "}",
            "'",
            '"',
        ),
        *(
            "environment.yml ",
            "/",
            "*",
            "..",
            ". ",
            "\n",
            " ",
            "\t",
            "é",
            "\x00",
            "\ufeff",
            "echo 'channels: [a]' > ~/.condarc\n",
        ),
        *(
            "cd .. ",
            "( ",
            ") ",
            "if ",
            "; then ",
            "fi ",
            "bash -c ",
            "conda-lock install ",
            "pixi install ",
            "=",
            ":",
            "@",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map("".join))


@settings(max_examples=150, deadline=2000)
@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            built = build(Path(directory), f"FROM debian:13\n{text}".encode("utf-8", "replace"))
        except SourceError:
            return
        lines = text.count("\n") + text.count("\r") + 2
        for finding in built.findings:
            assert finding.line is None or 1 <= finding.line <= lines


@settings(max_examples=100, deadline=1000)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(SourceError):
        read_dockerfile(data, "Dockerfile")


@given(TEXTS)
def test_every_instruction_keeps_its_text_and_pieces(text: str) -> None:
    try:
        found = read_dockerfile(f"FROM debian:13\n{text}".encode("utf-8", "replace"), "Dockerfile")
    except SourceError:
        return
    previous = 0
    for stage in found.stages:
        for one in (stage.origin, *stage.instructions):
            assert previous < one.first_line <= one.last_line
            previous = one.last_line
            assert one.value == "".join(piece.text for piece in one.pieces)
            assert one.first_line <= one.line_at(len(one.value)) <= one.last_line


@given(TEXTS, st.dictionaries(st.sampled_from(["X", "Y", "PATH"]), st.text(max_size=5)))
def test_substitution_and_splitting_end(text: str, variables: dict[str, str]) -> None:
    substitute(text, variables)
    pairs(text)
    for word in words(text, variables):
        assert isinstance(word, str)
    read_shell(text, variables)


def test_hostile_sizes_end_soon() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for text in (
            "RUN " + "(" * 20_000,
            "RUN " + "a && " * 15_000 + "b",
            "RUN " + "$(" * 10_000,
            "RUN " + "'" * 50_001,
            "ENV A=" + "x" * 1_000 + "".join("\nENV A=$A$A" for _ in range(300)),
            "COPY " + "a " * 20_000 + "/x/",
            "WORKDIR " + "${A:-" * 5_000 + "}" * 5_000,
            "COPY " + "**/" * 2_000 + "x /y",
            "RUN \\\n" * 9_000 + "x",
        ):
            build(folder, f"FROM debian:13\n{text}\n", {".dockerignore": "**/a/**/b/**/c/**\n" * 100})
