"""Normalizing its own output changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.model import Export
from envcheck.normalize import normalize
from envcheck.outputs import normalized_text
from envcheck.sources import read_source

EXPORTS = sorted(
    path
    for path in (Path(__file__).parents[2] / "fixtures" / "exports").iterdir()
    if path.suffix in (".txt", ".yml", ".json")
)

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(?:[-_.][a-z0-9]{1,3})?", fullmatch=True) | st.sampled_from(
    ["python", "numpy", "vc", "pip", "pywin32", "typing_extensions", "typing-extensions"]
)
VERSIONS = st.from_regex(r"(?:1!)?[0-9]{1,4}(?:\.[0-9]{1,2}){0,3}(?:rc[1-9]|\.post1)?", fullmatch=True)
BUILDS = st.from_regex(r"(?:py3(?:8|9|10))?h[0-9a-f]{7}_[0-9]|py_[0-9]|[0-9]|mkl", fullmatch=True)
GLOBS = st.sampled_from(["*cuda*", "*mkl", "py310*", "*_0"])
RANGES = st.builds(lambda low, high: f">={low},<{high}", VERSIONS, VERSIONS) | st.sampled_from(
    ["<1|>=2", "!=1.5", "~=1.2", ">1", "1.2|1.3", "1.2.*|1.4.*", "*"]
)
SPECS = st.one_of(
    NAMES,
    st.builds("{}={}".format, NAMES, VERSIONS),
    st.builds("{}=={}".format, NAMES, VERSIONS),
    st.builds("{}={}={}".format, NAMES, VERSIONS, BUILDS | GLOBS),
    st.builds("{} {}".format, NAMES, RANGES),
    st.builds("{} {} {}".format, NAMES, RANGES, GLOBS),
    st.builds("{}::{}={}".format, st.sampled_from(["conda-forge", "defaults", "pkgs/main"]), NAMES, VERSIONS),
)
PIP = st.one_of(
    NAMES,
    st.builds("{}=={}".format, NAMES, VERSIONS.filter(lambda text: "!" not in text)),
    st.builds("{}[extra]>={} ; python_version < '3.12'".format, NAMES, st.integers(0, 9)),
    st.sampled_from(["--pre", "-e .", "git+https://user:pass@host.example/x.git", "./local", "%%%", "-r more.txt"]),
)
HEADS = st.sampled_from(["", "prefix: C:\\envs\\x\n", "prefix: /home/lee/envs/x\n", "name: 'null'\n"])
CHANNELS = st.lists(
    st.sampled_from(["conda-forge", "defaults", "nodefaults", "https://host.example/t/tk-12/ch"]), max_size=3
)
ROWS = st.lists(st.tuples(NAMES, VERSIONS, BUILDS | st.sampled_from(["pypi_0", "dev_0"])), min_size=1, max_size=8)
PLATFORMS = st.sampled_from(["", "# platform: win-64\n", "# platform: linux-64\n"])


LAWS = settings(derandomize=True, deadline=None, max_examples=80)


def listed(platform: str, rows: list[tuple[str, str, str]]) -> bytes:
    """What ``conda list --export`` would have written."""
    return (platform + "".join(f"{name}={version}={build}\n" for name, version, build in rows)).encode()


def hold_to_the_law(export: Export) -> None:
    """Normalize an export, read the text and normalize it again: nothing changes any more."""
    first = normalized_text(normalize(export, "linux-64"))

    assert normalized_text(normalize(read_source(first.encode(), "environment.yml"), "linux-64")) == first


@pytest.mark.parametrize("path", EXPORTS, ids=[path.name for path in EXPORTS])
def test_every_fixture_is_normalized_once_and_for_all(path: Path) -> None:
    hold_to_the_law(read_source(path.read_bytes(), str(path)))


@LAWS
@given(HEADS, CHANNELS, st.lists(SPECS, max_size=8), st.lists(PIP, max_size=4))
def test_any_environment_file_is_normalized_once_and_for_all(
    head: str, channels: list[str], specs: list[str], pip: list[str]
) -> None:
    lines = [head, "channels:\n" if channels else "", *(f"  - {channel}\n" for channel in channels), "dependencies:\n"]
    lines += [f'  - "{spec}"\n' for spec in specs]
    lines += ["  - pip:\n", *(f'    - "{line}"\n' for line in pip)] if pip else []

    hold_to_the_law(read_source("".join(lines).encode(), "environment.yml"))


@LAWS
@given(PLATFORMS, ROWS)
def test_any_list_is_normalized_once_and_for_all(platform: str, rows: list[tuple[str, str, str]]) -> None:
    hold_to_the_law(read_source(listed(platform, rows), "requirements.txt"))


@LAWS
@given(PLATFORMS, ROWS)
def test_nothing_is_lost_and_nothing_comes_twice(platform: str, rows: list[tuple[str, str, str]]) -> None:
    export = read_source(listed(platform, rows), "requirements.txt")
    found = normalize(export, "linux-64")

    assert [one.name for one in found.requirements] == list(dict.fromkeys(one.name for one in export.requirements))
    assert [one.name for one in found.pip] == list(dict.fromkeys(one.name for one in export.pip))
    assert {one.pin for one in found.requirements} <= {one.pin for one in export.requirements}
    assert (found.python is not None) == any(
        one.name == "python" or (one.build or "").startswith("py3") for one in export.requirements
    )
