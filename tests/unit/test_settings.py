"""Settings files: where they are found, where a key stands, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.errors import ConfigurationError
from envcheck.settings import SettingsFile, find_settings, read_settings

SHARED = '[project]\nname = "x"\n\n[tool.envcheck]\nfail-on = "warning"\n'


def place(directory: Path, name: str, text: str = 'fail-on = "warning"\n') -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def found(directory: Path, home: Path | None = None) -> SettingsFile:
    settings = find_settings(directory, home)
    assert settings is not None
    return settings


def refused(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(str(path))
    assert caught.value.hint
    assert caught.value.path == str(path)
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# Where they are found
# ---------------------------------------------------------------------------------------------------------------------


def test_both_files_hold_the_same_tables(tmp_path: Path) -> None:
    place(tmp_path / "own", "envcheck.toml")
    place(tmp_path / "shared", "pyproject.toml", SHARED)

    own, shared = found(tmp_path / "own"), found(tmp_path / "shared")

    assert own.table == shared.table == {"fail-on": "warning"}
    assert (own.prefix, shared.prefix) == ((), ("tool", "envcheck"))


def test_the_nearest_file_above_counts(tmp_path: Path) -> None:
    place(tmp_path, "envcheck.toml", "offline = true\n")
    place(tmp_path / "a", "envcheck.toml")
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)

    settings = found(tmp_path / "a" / "b" / "c")

    assert settings.table == {"fail-on": "warning"}
    assert settings.path == str(Path("..", "..", "envcheck.toml"))
    assert settings.located("base.json") == str(Path("..", "..", "base.json"))


def test_a_path_of_the_working_directory_stays_as_it_is(tmp_path: Path) -> None:
    place(tmp_path, "envcheck.toml")
    assert found(tmp_path).located("base.json") == "base.json"
    assert found(tmp_path).located("/somewhere/base.json") == "/somewhere/base.json"


def test_the_own_file_goes_before_the_shared_one(tmp_path: Path) -> None:
    place(tmp_path, "envcheck.toml", "offline = true\n")
    place(tmp_path, "pyproject.toml", SHARED)
    assert found(tmp_path).table == {"offline": True}


@pytest.mark.parametrize("text", ["", '[project]\nname = "envcheck"\n', "[tool.other]\n", "this is [no TOML\n"])
def test_a_shared_file_that_has_nothing_for_envcheck_is_passed_over(tmp_path: Path, text: str) -> None:
    place(tmp_path, "envcheck.toml")
    place(tmp_path / "a", "pyproject.toml", text)
    assert found(tmp_path / "a").table == {"fail-on": "warning"}


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_the_search_ends_at_the_root_of_a_repository(tmp_path: Path, kind: str) -> None:
    place(tmp_path, "envcheck.toml")
    inside = tmp_path / "repository" / "a"
    inside.mkdir(parents=True)
    root = tmp_path / "repository" / ".git"  # a work tree of git has a file
    root.mkdir() if kind == "directory" else root.write_text("gitdir: elsewhere\n", encoding="utf-8")

    assert find_settings(inside, None) is None
    place(tmp_path / "repository", "envcheck.toml", "offline = true\n")
    assert found(inside).table == {"offline": True}


def test_the_search_ends_at_home(tmp_path: Path) -> None:
    place(tmp_path, "envcheck.toml")
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)

    assert find_settings(home / "work", home) is None
    place(home, "envcheck.toml", "offline = true\n")
    assert found(home / "work", home).table == {"offline": True}


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "envcheck.toml").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert find_settings(tmp_path / "a", None) is None


def test_a_named_file_of_another_name_has_the_tables_at_the_top(tmp_path: Path) -> None:
    path = place(tmp_path / "ci", "strict.toml")
    settings = read_settings(str(path))
    assert settings.table == {"fail-on": "warning"}
    assert settings.located("base.json") == str(tmp_path / "ci" / "base.json")


# ---------------------------------------------------------------------------------------------------------------------
# Where a key stands
# ---------------------------------------------------------------------------------------------------------------------

LINES = """\
# channel, in a comment
note = "channel"
text = \"\"\"
channel = 1
\"\"\"

channel = [
  "channel",  # channel
  "other",
]
check.pins = "minor"

[verify]
drift = true

["do\\u0063ker"]
target = "drift"
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("channel",), 7),
        (("note",), 2),
        (("check", "pins"), 11),
        (("verify",), 13),
        (("verify", "drift"), 14),
        (("docker", "target"), 17),
        (("docker",), None),  # written with an escape: nothing is better than a wrong line
        (("nothing",), None),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_line_of_a_key(tmp_path: Path, key: tuple[str, ...], line: int | None, line_end: str) -> None:
    path = place(tmp_path, "envcheck.toml", LINES.replace("\n", line_end))
    assert read_settings(str(path)).line_of(key) == line


@given(
    above=st.lists(
        st.sampled_from(["# key", 'a{} = "key = 1"', "", 'b{} = """\nkey = 1\n"""', 'c{} = ["key",\n"key"]'])
    ),
    below=st.lists(st.sampled_from(["# key", 'd{} = "key"', "[t{}]\nkey = 1", ""])),
)
def test_the_line_of_a_key_whatever_stands_around_it(above: list[str], below: list[str]) -> None:
    before = "".join(f"{part.format(number)}\n" for number, part in enumerate(above))
    after = "".join(f"{part.format(number)}\n" for number, part in enumerate(below))
    settings = SettingsFile(path="x", directory="", prefix=(), text=f"{before}key = 2\n{after}", table={})
    assert settings.line_of(("key",)) == before.count("\n") + 1


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be read
# ---------------------------------------------------------------------------------------------------------------------


def test_no_toml(tmp_path: Path) -> None:
    error = refused(place(tmp_path, "envcheck.toml", "a = 1\nb =\n"))
    assert "no TOML" in error.message
    assert "line 2" in error.message


def test_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "envcheck.toml"
    path.write_bytes(b"a = 1\nb = 'caf\xe9'\n")
    assert refused(path).line == 2


def test_the_mark_of_windows_editors_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "envcheck.toml"
    path.write_bytes(b'\xef\xbb\xbffail-on = "warning"\r\n')
    assert read_settings(str(path)).table == {"fail-on": "warning"}


def test_too_deep_and_too_large(tmp_path: Path) -> None:
    assert refused(place(tmp_path, "envcheck.toml", f"a = {'[' * 100_000}")).message.startswith("This is no TOML")
    assert "4 MiB" in refused(place(tmp_path, "envcheck.toml", "#" * (5 * 1024 * 1024))).message


def test_a_named_file_that_is_missing_or_has_no_table(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "missing.toml").message
    assert "no [tool.envcheck]" in refused(place(tmp_path, "pyproject.toml", "[project]\n")).message
    wrong = refused(place(tmp_path, "pyproject.toml", '[tool]\nenvcheck = "x"\n'))
    assert (wrong.message, wrong.line) == ("tool.envcheck is no table.", 2)
