from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from envcheck.locks.environment_yaml import render


def test_the_whole_file() -> None:
    text = render(
        "demo",
        channels=["conda-forge", "https://me:hunter2@host.example/t/tk-123/private", "nodefaults"],
        specs=["python 3.10.*", "numpy ==1.26.4", "pytorch 2.1.* *cpu*", "blas * mkl"],
        pip=["requests==2.31.0", 'colorama==0.4.6 ; sys_platform == "win32"', "--extra-index-url https://x.example"],
    )
    assert text == (
        "name: demo\n"
        "channels:\n"
        "  - conda-forge\n"
        "  - https://host.example/private\n"
        "  - nodefaults\n"
        "dependencies:\n"
        "  - python 3.10.*\n"
        "  - numpy ==1.26.4\n"
        "  - pytorch 2.1.* *cpu*\n"
        "  - blas * mkl\n"
        "  - pip\n"
        "  - pip:\n"
        "      - requests==2.31.0\n"
        '      - colorama==0.4.6 ; sys_platform == "win32"\n'
        "      - --extra-index-url https://x.example\n"
    )


def test_pip_is_added_only_where_nothing_asks_for_it() -> None:
    assert render("x", channels=[], specs=["pip 24.*"], pip=["a"]).count("- pip\n") == 0
    assert render("x", channels=[], specs=["pip"], pip=["a"]).count("- pip\n") == 1
    assert "pip" not in render("x", channels=[], specs=["numpy"])


def test_an_empty_environment_is_still_a_file_that_conda_reads() -> None:
    assert yaml.safe_load(render("x", channels=[], specs=[])) == {"name": "x", "dependencies": []}


LINES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30)


@given(LINES, st.lists(LINES, min_size=1, max_size=4), st.lists(LINES, max_size=4))
def test_yaml_reads_back_exactly_what_was_written(name: str, specs: list[str], pip: list[str]) -> None:
    text = render(name, channels=["conda-forge"], specs=["pip", *specs], pip=pip)
    document = yaml.safe_load(text)
    assert document["name"] == name
    assert document["dependencies"] == ["pip", *specs, *([{"pip": pip}] if pip else [])]


def test_scalars_that_yaml_would_take_for_something_else_are_quoted() -> None:
    document = yaml.safe_load(render("1e3", channels=["yes"], specs=["null", "1.0"], pip=["- x", "# y"]))
    assert document == {
        "name": "1e3",
        "channels": ["yes"],
        "dependencies": ["null", "1.0", "pip", {"pip": ["- x", "# y"]}],
    }
