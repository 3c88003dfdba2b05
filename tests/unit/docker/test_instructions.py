"""A Dockerfile read as BuildKit reads it."""

from __future__ import annotations

import pytest

from envcheck.docker.instructions import Dockerfile, Instruction, read_dockerfile
from envcheck.docker.substitution import pairs, substitute, words
from envcheck.errors import SourceError

FULL = """\
# syntax=docker/dockerfile:1
# escape=\\

# a comment
ARG VERSION=3.11
FROM --platform=linux/arm64 python:${VERSION}-slim AS Base
ENV NAME=demo PREFIX="/opt/$NAME" \\
    OTHER=x
ENV LATER=$NAME
RUN --mount=type=cache,target=/root/.cache pip install \\
    # a comment in between

    flask \\
    numpy
COPY <<EOF <<-'RAW' /etc/x/
a $NAME
EOF
\tb $NAME
\tRAW
FROM base
RUN <<EOF
set -e
conda install -y numpy
EOF
CMD ["python", "app.py"]
ENTRYPOINT python app.py
ONBUILD RUN true
"""


def read(text: str, **build_args: str) -> Dockerfile:
    return read_dockerfile(text.encode(), "Dockerfile", build_args)


def instruction(text: str, keyword: str) -> Instruction:
    return next(one for one in read(text).stages[-1].instructions if one.keyword == keyword)


def test_stages_directives_and_lines() -> None:
    found = read(FULL)
    assert found.directives == (("syntax", "docker/dockerfile:1"), ("escape", "\\"))
    assert [(one.name, one.base, one.parent, one.platform) for one in found.stages] == [
        ("base", "python:3.11-slim", None, "linux/arm64"),
        (None, "base", 0, "linux/arm64"),
    ]
    lines = [(one.keyword, one.first_line, one.last_line) for stage in found.stages for one in stage.instructions]
    assert lines == [
        ("ENV", 7, 8),
        ("ENV", 9, 9),
        ("RUN", 10, 14),
        ("COPY", 15, 19),
        ("RUN", 21, 24),
        ("CMD", 25, 25),
        ("ENTRYPOINT", 26, 26),
        ("ONBUILD", 27, 27),
    ]
    assert found.stage("BASE") is found.stages[0]
    assert found.stage("1") is found.stages[1]
    assert found.stage("7") is None


def test_continuation_lines_know_their_lines() -> None:
    run = read(FULL).stages[0].instructions[2]
    assert run.flag("mount") == "type=cache,target=/root/.cache"
    assert run.value.split() == ["pip", "install", "flask", "numpy"]
    assert run.line_at(run.value.index("pip")) == 10
    assert run.line_at(run.value.index("flask")) == 13
    assert run.line_at(run.value.index("numpy")) == 14


def test_heredocs() -> None:
    found = read(FULL)
    first, second = found.stages[0].instructions[3].heredocs
    assert (first.name, first.body, first.expands, first.first_line) == ("EOF", "a $NAME\n", True, 16)
    assert (second.name, second.body, second.expands, second.first_line) == ("RAW", "b $NAME\n", False, 18)
    assert found.stages[1].instructions[0].heredocs[0].body == "set -e\nconda install -y numpy\n"


def test_variables_are_put_in_where_buildkit_does() -> None:
    found = read(FULL, VERSION="3.12")
    assert found.stages[0].base == "python:3.12-slim"
    # Variables of the same ENV are not seen by each other.
    assert dict(found.stages[0].environment)["PREFIX"] == "/opt/"
    assert dict(found.stages[1].environment)["LATER"] == "demo"
    text = "ARG A=1\nFROM x\nARG A\nARG B=$A-2\nENV B=3\nRUN echo $A\nWORKDIR /a/$B/${C:-d}\n"
    assert instruction(text, "WORKDIR").words == ("/a/3/d",)
    assert instruction(text, "RUN").words == ("echo", "$A")
    assert dict(instruction(text, "RUN").variables) == {"A": "1", "B": "3"}


def test_an_argument_before_from_is_unknown_in_a_stage_that_does_not_ask_for_it() -> None:
    assert instruction("ARG A=1\nFROM x\nWORKDIR /w$A\n", "WORKDIR").words == ("/w",)


def test_the_platform_of_the_target_is_known() -> None:
    text = b"FROM a AS base-arm64\nFROM b AS base-amd64\nFROM base-$TARGETARCH\n"
    assert read_dockerfile(text, "x", platform="linux/arm64").stages[-1].parent == 0
    assert read_dockerfile(text, "x").stages[-1].parent == 1


def test_exec_form_and_what_only_looks_like_it() -> None:
    found = read(FULL).stages[1].instructions
    assert found[1].arguments == ("python", "app.py")
    assert found[2].arguments is None
    assert instruction("FROM x\nCMD ['python']\n", "CMD").arguments is None
    assert instruction('FROM x\nCMD ["a", 1]\n', "CMD").arguments is None


def test_the_backtick_as_escape_character() -> None:
    text = "# escape=`\nFROM x\nRUN a `\n  b\nWORKDIR C:\\app\\$X\n"
    assert instruction(text, "RUN").value == "a   b"
    assert instruction(text, "WORKDIR").words == ("C:\\app\\",)


def test_a_directive_after_a_comment_is_none() -> None:
    found = read("# hello\n# escape=`\nFROM x\nRUN a \\\n b\n")
    assert found.escape == "\\"
    assert found.stages[0].instructions[0].value == "a  b"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_other_encodings_are_read_and_named(encoding: str) -> None:
    found = read_dockerfile("FROM python:3.11\r\nRUN echo hello\r\n".encode(encoding), "Dockerfile")
    assert found.encoding.startswith(encoding[:6].rstrip("-"))
    assert found.stages[0].instructions[0].value == "echo hello"


@pytest.mark.parametrize(
    ("data", "words_of_it", "line"),
    [
        (b"", "empty", None),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 64, "no text", 1),
        (b"FROM x\nRUNN y\n", "unknown instruction 'RUNN'", 2),
        (b"RUN x\n", "before the first FROM", 1),
        (b"# nothing\n", "no FROM", 1),
        (b"FROM a b\n", "FROM takes", 1),
        (b"FROM\n", "FROM takes", 1),
        (b"FROM x\nRUN <<EOF\ny\n", "heredoc '<<EOF' has no end", 2),
        (b"FROM x\n" + b"RUN y\n" * 200_000, "larger than 1 MiB", None),
        (b"FROM x\n" + b"#\n" * 30_000, "lines", None),
        (b"FROM x\n" + b"RUN y\n" * 2_001, "instructions", None),
        (b"# escape=!\nFROM x\n", "escape character", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_input_is_told_with_its_line(data: bytes, words_of_it: str, line: int | None) -> None:
    with pytest.raises(SourceError, match=words_of_it) as caught:
        read_dockerfile(data, "Dockerfile")
    assert caught.value.line == line
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$MISSING", ""),
        ("${MISSING:-x}", "x"),
        ("${MISSING-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${A:+y}", "y"),
        ("${MISSING:+y}", ""),
        ("${MISSING:-${A}}", "1"),
        ("'$A'", "$A"),
        ('"$A"', "1"),
        ("\\$A", "$A"),
        ('"a\\"b"', 'a"b'),
        ("${LONG#*.}", "tar.gz"),
        ("${LONG##*.}", "gz"),
        ("${LONG%.*}", "a.tar"),
        ("${LONG%%.*}", "a"),
        ("${LONG/tar/zip}", "a.zip.gz"),
        ("${UNFINISHED", "${UNFINISHED"),
        ("a$", "a$"),
    ],
)
def test_substitution(text: str, expected: str) -> None:
    assert substitute(text, {"A": "1", "EMPTY": "", "LONG": "a.tar.gz"}) == expected


def test_words_and_pairs() -> None:
    assert words("a 'b c' d\\ e \"$X f\"", {"X": "1"}) == ("a", "b c", "d e", "1 f")
    assert pairs('A=1 B="x y" C') == (("A", "1"), ("B", '"x y"'), ("C", None))
    assert pairs("KEY some words") == (("KEY", "some words"),)


def test_the_official_parser_agrees() -> None:
    """Instructions, lines, flags, exec form and heredocs, as the library of BuildKit itself has them."""
    official = pytest.importorskip("dockerfile")
    theirs = official.parse_string(FULL)
    found = read(FULL)
    mine = [*found.arguments]
    for stage in found.stages:
        mine += [stage.origin, *stage.instructions]
    assert [
        (one.keyword, one.first_line, one.last_line, one.arguments is not None, [doc.body for doc in one.heredocs])
        for one in mine
    ] == [
        # It leaves taking the tabs of <<- away to its caller.
        (one.cmd.upper(), one.start_line, one.end_line, one.json, [doc.content.lstrip("\t") for doc in one.heredocs])
        for one in theirs
    ]
    runs = [one.value for one in mine if one.keyword == "RUN"]
    assert runs == [one.value[0] for one in theirs if one.cmd.upper() == "RUN"]
    assert [[flag.name for flag in one.flags] for one in mine] == [
        [flag[2:].partition("=")[0] for flag in one.flags] for one in theirs
    ]
