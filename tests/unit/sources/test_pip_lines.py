"""One line of pip's world."""

from __future__ import annotations

import pytest

from envcheck.model import PipRequirementKind as Kind
from envcheck.sources.pip_lines import read_pip_line

CASES = {
    "numpy": (Kind.NAMED, "numpy", None, None),
    "Flask_SQLAlchemy == 2.5.1": (Kind.NAMED, "flask-sqlalchemy", "2.5.1", None),
    "torch==1.8.0+cu111": (Kind.NAMED, "torch", "1.8.0+cu111", None),
    "thop==0.1.1-2209072238": (Kind.NAMED, "thop", "0.1.1-2209072238", None),
    "pysal==1!4.0": (Kind.NAMED, "pysal", "1!4.0", None),
    "weird===foobar": (Kind.NAMED, "weird", "foobar", None),
    "numpy>=1.2,<2": (Kind.NAMED, "numpy", None, None),
    "numpy==1.2.*": (Kind.NAMED, "numpy", None, None),
    "numpy (>=1.2)": (Kind.NAMED, "numpy", None, None),
    "numpy==1.2  # a comment": (Kind.NAMED, "numpy", "1.2", None),
    "numpy==1.2 --hash=sha256:00 --hash=sha256:01": (Kind.NAMED, "numpy", "1.2", None),
    "-i https://pypi.org/simple": (Kind.OPTION, None, None, "https://pypi.org/simple"),
    "--index-url=https://pypi.org/simple": (Kind.OPTION, None, None, "https://pypi.org/simple"),
    "--extra-index-url https://x.org": (Kind.OPTION, None, None, "https://x.org"),
    "-f https://x.org/links": (Kind.OPTION, None, None, "https://x.org/links"),
    "--find-links ./wheels": (Kind.OPTION, None, None, "./wheels"),
    "--pre": (Kind.OPTION, None, None, None),
    "--no-deps": (Kind.OPTION, None, None, None),
    "-r requirements.txt": (Kind.REQUIREMENTS_FILE, None, None, "requirements.txt"),
    "-rrequirements.txt": (Kind.REQUIREMENTS_FILE, None, None, "requirements.txt"),
    "--requirement requirements.txt": (Kind.REQUIREMENTS_FILE, None, None, "requirements.txt"),
    "-c constraints.txt": (Kind.CONSTRAINTS_FILE, None, None, "constraints.txt"),
    "-e .": (Kind.EDITABLE, None, None, "."),
    "-e git+https://x.org/a.git@v1#egg=Tool_Box": (
        Kind.EDITABLE,
        "tool-box",
        None,
        "git+https://x.org/a.git@v1#egg=Tool_Box",
    ),
    "-e tool @ git+https://x.org/a.git": (Kind.EDITABLE, "tool", None, "git+https://x.org/a.git"),
    "git+ssh://git@x.org/a.git#egg=tool&subdirectory=b": (
        Kind.VCS,
        "tool",
        None,
        "git+ssh://git@x.org/a.git#egg=tool&subdirectory=b",
    ),
    "tool @ git+https://x.org/a.git@abc": (Kind.VCS, "tool", None, "git+https://x.org/a.git@abc"),
    "tool @ https://x.org/tool-1.0.tar.gz": (Kind.URL, "tool", None, "https://x.org/tool-1.0.tar.gz"),
    "https://x.org/tool_box-1.0-py3-none-any.whl": (
        Kind.URL,
        "tool-box",
        None,
        "https://x.org/tool_box-1.0-py3-none-any.whl",
    ),
    "attrs @ file:///C:/ci/attrs_1/work": (Kind.LOCAL_PATH, "attrs", None, "file:///C:/ci/attrs_1/work"),
    "attrs @ file:///home/conda/x/work": (Kind.LOCAL_PATH, "attrs", None, "file:///home/conda/x/work"),
    "attrs @ C:\\ci\\attrs": (Kind.LOCAL_PATH, "attrs", None, "C:\\ci\\attrs"),
    "./tool": (Kind.LOCAL_PATH, None, None, "./tool"),
    ".": (Kind.LOCAL_PATH, None, None, "."),
    "C:\\wheels\\tool-1.0-py3-none-any.whl": (Kind.LOCAL_PATH, "tool", None, "C:\\wheels\\tool-1.0-py3-none-any.whl"),
    "tool-1.0-py3-none-any.whl": (Kind.LOCAL_PATH, "tool", None, "tool-1.0-py3-none-any.whl"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES.keys())
def test_lines_are_classified(text: str, expected: tuple[Kind, str | None, str | None, str | None]) -> None:
    entry = read_pip_line(text, line=7)

    assert entry.pip is not None
    assert (entry.pip.kind, entry.pip.name, entry.pip.pin, entry.pip.url) == expected
    assert entry.pip.line == 7
    assert entry.damage == ()


@pytest.mark.parametrize("text", ["- numpy", "not a line", "numpy=custom", "%%%", "a b c", "foo==1.0.x.y"])
def test_unreadable_lines_are_kept(text: str) -> None:
    entry = read_pip_line(text, line=1)

    assert entry.pip is not None
    assert entry.pip.kind is Kind.UNREADABLE
    assert entry.pip.text == text
    assert [item.kind.value for item in entry.damage] == ["unreadable-line"]


def test_a_comment_is_nothing() -> None:
    assert read_pip_line("  # only a comment", line=1).pip is None
