"""The pip part of an ``@EXPLICIT`` list stands in its comments."""

from __future__ import annotations

import pytest

from envcheck.model import PipRequirementKind
from envcheck.sources import read_source

HASH = f"--hash=sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("comment", "name", "kind", "specifier"),
    [
        (f"# pip demo==1.0 {HASH}", "demo", PipRequirementKind.NAMED, "==1.0"),
        (f"# pip Demo_X === 1.0 {HASH} {HASH}", "demo-x", PipRequirementKind.NAMED, "===1.0"),
        ("# pip demo[more]==1.0", "demo", PipRequirementKind.NAMED, "==1.0"),
        (f"# pip demo @ https://f.example/demo-1.0.whl#sha256={'a' * 64}", "demo", PipRequirementKind.URL, ""),
    ],
)
def test_its_rows_are_rows_of_the_pip_section(
    comment: str, name: str, kind: PipRequirementKind, specifier: str
) -> None:
    text = f"@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/noarch/six-1.0-py_0.conda\n{comment}\n"
    (row,) = read_source(text.encode(), "x.lock").pip
    assert (row.name, row.kind, row.specifier, row.line) == (name, kind, specifier, 3)


def test_a_sentence_is_none() -> None:
    text = "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/noarch/six-1.0-py_0.conda\n# pip install demo == fun\n"
    assert read_source(text.encode(), "x.lock").pip == ()
