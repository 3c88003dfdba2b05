"""Command lines without conda: what is taken out, what is left, and why."""

from __future__ import annotations

import pytest

from envcheck.docker.writing_shell import Scope, exec_rest, shell_rest
from envcheck.docker.writing_words import programs, split_commands


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("a && b; c", ["a", "b", "c"]),
        ("a || b && c", ["a || b", "c"]),
        ("a && b || c", ["a && b || c"]),
        ("a | b && c", ["a | b", "c"]),
        ("if x; then y; fi && z", ["if x; then y; fi", "z"]),
        ("for i in 1 2; do a $i && b; done; c", ["for i in 1 2; do a $i && b; done", "c"]),
        ("(a && b) && c", ["(a && b)", "c"]),
        ("echo 'a && b' && echo \"c; d\"", ["echo 'a && b'", 'echo "c; d"']),
        ("a && b > file", ["a", "b > file"]),
        ("x=$(a && b) && c", ["x=$(a && b)", "c"]),
        ("a \\\n  --flag && \\\n  b", ["a \\\n  --flag", "b"]),
        ("a\nb", ["a", "b"]),
        ("a 'open", ["a 'open"]),
        ("", []),
    ],
)
def test_cutting(text: str, commands: list[str]) -> None:
    assert [one.text for one in split_commands(text)] == commands


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("conda env create -f x.yml && conda clean -afy", ""),
        ("apt-get update && conda install -y numpy && rm -rf /x/*", "apt-get update && rm -rf /x/*"),
        ("cd /app && conda env create && cd -", ""),
        ("cd /app && conda env create && make", "cd /app && make"),
        ("conda run -n x --no-capture-output python -c 'print(1)' > out", "python -c 'print(1)' > out"),
        ("conda run -n x conda clean -y", ""),
        ("bash -lc 'conda activate x && make && make install'", "bash -c 'make && make install'"),
        ('eval "$(micromamba shell hook --shell bash)" && micromamba activate x && pip install .', "pip install ."),
        ("wget https://x/Miniconda3.sh -O m.sh && echo 'abc m.sh' | sha256sum -c && bash m.sh -bp /c && rm m.sh", ""),
        ("if [ -f e.yml ]; then conda env create -f e.yml; fi && make", "make"),
        ("git config user.name 'conda run' && adduser conda", "git config user.name 'conda run' && adduser conda"),
        ("echo conda", "echo conda"),
        ("pip install -r requirements.txt", ""),
        ("pip install -r other.txt", "pip install -r other.txt"),
        ("python -m pip install -U pip wheel && make", "make"),
    ],
)  # fmt: skip
def test_what_is_left(text: str, rest: str) -> None:
    found = shell_rest(text, Scope(files={"requirements.txt"}))
    assert found.text == rest
    assert found.changed == (rest != text)
    assert all(one.reason for one in found.removed)


def test_a_script_that_activates_stays_a_script() -> None:
    rest = shell_rest('echo "#!/bin/bash --login\\nconda activate x" > /entry.sh')
    assert rest.text == 'echo "#!/bin/bash\\n:" > /entry.sh'


def test_a_command_that_is_not_taken_apart_and_calls_conda_is_told() -> None:
    rest = shell_rest("test -d /x || conda info")
    assert rest.text == "test -d /x || conda info"
    assert rest.calling == ("test -d /x || conda info",)


def test_what_is_done_to_a_folder_that_is_not_there_yet() -> None:
    text = "chown -R root /opt/conda && make"
    assert shell_rest(text).text == text
    assert shell_rest(text, Scope(absent=True)).text == "make"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["conda", "run", "-n", "x", "--live-stream", "python", "a.py"], ["python", "a.py"]),
        (["/opt/conda/bin/mamba", "run", "-p", "/e", "--", "a"], ["a"]),
        (["/bin/bash", "-lc", "conda activate x && exec a"], ["/bin/bash", "-c", "exec a"]),
        (["/usr/local/bin/_entrypoint.sh", "a"], ["a"]),
        (["conda", "info"], ["conda", "info"]),
        (["python", "-c", "x"], ["python", "-c", "x"]),
        (["/bin/bash"], ["/bin/bash"]),
    ],
)
def test_the_exec_form(arguments: list[str], expected: list[str]) -> None:
    words, reason = exec_rest(arguments)
    assert list(words) == expected
    assert (reason is None) == (arguments == expected)


def test_programs() -> None:
    assert programs("A=1 git clone x && sudo /usr/bin/wget y | tar x") == {"git", "wget", "tar"}
