"""Shell text split as a shell would."""

from __future__ import annotations

import pytest

from envcheck.docker.commands import read_conda, unwrapped
from envcheck.docker.config_commands import read_config
from envcheck.docker.pip_commands import read_pip
from envcheck.docker.shell import ShellCommand, read_shell


def command(text: str, **variables: str) -> ShellCommand:
    return unwrapped(read_shell(text, variables)[-1])


def texts(text: str, **variables: str) -> list[list[str]]:
    return [[word.text for word in one.words] for one in read_shell(text, variables)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b; c | d", [["a"], ["b"], ["c"], ["d"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a $X ${X} \"$X\" '$X'", [["a", "1", "1", "1", "$X"]]),
        ("Y=2 && echo $Y", [[], ["echo", "2"]]),
        ("export Y=2; echo $Y", [[], ["echo", "2"]]),
        ("if [ -f x ]; then a; else b; fi", [["a"], ["b"]]),
        ("for f in 1 2; do a; done", [["a"]]),
        ("(cd x && a) && b", [["cd", "x"], ["a"], ["b"]]),
        ("{ a; b; }", [["a"], ["b"]]),
        ("a $WORDS", [["a", "x", "y"]]),
        ("a $EMPTY b", [["a", "b"]]),
    ],
)
def test_commands_and_words(text: str, expected: list[list[str]]) -> None:
    assert texts(text, X="1", WORDS="x y", EMPTY="") == expected


def test_what_is_known_only_when_it_runs_is_marked() -> None:
    words = read_shell("a $(b) $UNKNOWN c", {})[0].words
    assert [(word.text, word.certain) for word in words] == [("a", True), ("", False), ("", False), ("c", True)]


def test_conditions_pipes_and_subshells() -> None:
    a, b, c, d = read_shell("a && b || c; (d)", {})
    assert (a.conditional, b.conditional, c.conditional) == (False, False, True)
    assert d.scope
    assert [one.piped for one in read_shell("yes | conda install x", {})] == [False, True]


def test_redirections_and_documents() -> None:
    (one,) = read_shell("cat <<END > /etc/x\nchannels: [$A]\nEND\n", {"A": "b"})
    body, target = sorted(one.redirects, key=lambda redirect: redirect.body is None)
    assert body.body is not None
    assert body.body.strip() == "channels: [b]"
    assert (target.operator, target.target) == (">", "/etc/x")
    first, second = read_shell("echo a && echo b > f", {})
    assert not first.redirects
    assert second.redirects[0].target == "f"


def test_an_unquoted_greater_than_is_no_part_of_the_word() -> None:
    made = read_conda(command("conda install -y numpy>=1.20 scipy"))
    assert made is not None
    assert made.redirected == ("=1.20",)
    assert [word.text for word in made.specs] == ["numpy", "scipy"]


@pytest.mark.parametrize("text", ["", "(", "'", "$((", "<<", "a <<END", "\\", "if", "`", "é && b", "\0"])
def test_broken_text_is_no_error(text: str) -> None:
    read_shell(text, {})


@pytest.mark.parametrize(
    ("text", "action", "name", "specs", "files", "channels"),
    [
        ("conda create -yn demo python=3.10", "create", "demo", ["python=3.10"], [], []),
        ("conda install -c a --channel=b,c 'x>=1' -y", "install", None, ["x>=1"], [], ["a", "b", "c"]),
        ("/opt/conda/bin/conda env create -f e.yml --name=d", "env create", "d", [], ["e.yml"], []),
        ("conda env --name x update --file e.yml --prune", "env update", "x", [], ["e.yml"], []),
        ("micromamba -r /m create -p /x -f a.lock", "create", None, [], ["a.lock"], []),
        ("sudo -u me env A=b mamba install x", "install", None, ["x"], [], []),
        ("conda-lock install -n d lock.yml", "install", "d", [], ["lock.yml"], []),
        ("conda-lock --micromamba install", "install", None, [], ["conda-lock.yml"], []),
        ("pixi install --locked --manifest-path /app/pixi.toml", "install", None, [], ["/app/pixi.lock"], []),
    ],
)
def test_conda_commands(
    *, text: str, action: str, name: str | None, specs: list[str], files: list[str], channels: list[str]
) -> None:
    made = read_conda(command(text))
    assert made is not None
    assert (made.action, made.name) == (action, name)
    assert [word.text for word in made.specs] == specs
    assert [word.text for word in made.files] == files
    assert [word.text for word in made.channels] == channels


@pytest.mark.parametrize(
    "text", ["conda clean -afy", "conda list", "conda run -n x pip install y", "conda create -d -n x", "pip install x"]
)
def test_commands_that_make_no_environment(text: str) -> None:
    assert read_conda(command(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conda config --add channels a", [("prepend", "channels", "a")]),
        ("conda config --system --append channels a", [("append", "channels", "a")]),
        ("conda config --set channel_priority strict", [("set", "channel_priority", "strict")]),
        (
            "conda config --add channels a --add channels b",
            [("prepend", "channels", "a"), ("prepend", "channels", "b")],
        ),
        ("micromamba config append channels a", [("append", "channels", "a")]),
        ("conda config --remove channels a", [("remove", "channels", "a")]),
        ("conda config --show", []),
    ],
)
def test_configuration_commands(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(one.how, one.key, one.value) for one in read_config(command(text))] == expected


def test_pip_commands() -> None:
    found = read_pip(command("python3 -m pip install --no-cache-dir -r a.txt -i https://x/simple 'b>=1' ."))
    assert found is not None
    assert [word.text for word in found.files] == ["a.txt"]
    assert [word.text for word in found.specs] == ["b>=1"]
    assert found.options == (("--index-url", "https://x/simple"),)
    assert found.no_cache
    assert found.local
    assert read_pip(command("pip download x")) is None
    assert read_pip(command("uv pip install x")) is not None
