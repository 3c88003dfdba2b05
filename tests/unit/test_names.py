from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck import names
from envcheck.names import (
    close_names,
    conda_name_for_pypi,
    conda_names_for_pypi,
    counterpart_reason,
    counterparts,
    pypi_names_for_conda,
)

PACKAGE_NAMES = st.text(alphabet="abpy123-_.", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("pypi", "conda"),
    [
        ("torch", "pytorch"),
        ("Tables", "pytables"),
        ("msgpack", "msgpack-python"),
        ("opencv-python", "opencv"),
        ("pillow", "pillow"),
        ("PyYAML", "pyyaml"),
        ("protobuf", "protobuf"),
        ("xgboost", "xgboost"),
        ("typing-extensions", "typing_extensions"),
        ("no-such-project", "no-such-project"),
    ],
)
def test_conda_name_of_a_pypi_project(pypi: str, conda: str) -> None:
    assert conda_name_for_pypi(pypi) == conda


def test_other_spellings_are_offered_after_the_known_name() -> None:
    candidates = conda_names_for_pypi("typing-extensions")
    assert candidates[:2] == ("typing_extensions", "typing-extensions")
    assert len(set(candidates)) == len(candidates)


@pytest.mark.parametrize(
    ("conda", "pypi"),
    [
        ("pytorch", ("torch",)),
        ("opencv", ("opencv-python", "opencv-python-headless")),
        ("pyyaml", ("pyyaml",)),
        ("typing_extensions", ("typing-extensions",)),
        ("django-jsoneditor", ("django-jsoneditor",)),
    ],
)
def test_pypi_names_of_a_conda_package(conda: str, pypi: tuple[str, ...]) -> None:
    assert pypi_names_for_conda(conda) == pypi


@pytest.mark.parametrize("content", [None, "", "[]", '{"a": {}}', '{"a": 1}'])
def test_without_a_usable_map_names_stay_the_same(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = None
    if content is not None:
        path = tmp_path / "map.json"
        path.write_text(content)
    monkeypatch.setattr(names, "_mapping_path", lambda: path)
    names._conda_by_pypi.cache_clear()
    names._pypi_by_conda.cache_clear()
    try:
        assert conda_name_for_pypi("torch") == "torch"
        assert pypi_names_for_conda("pytorch") == ("pytorch",)
    finally:
        names._conda_by_pypi.cache_clear()
        names._pypi_by_conda.cache_clear()


def test_the_map_is_read_without_importing_conda_pypi() -> None:
    code = "import sys, envcheck.names as n; n.conda_name_for_pypi('torch'); assert 'conda_pypi' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


KNOWN = [
    "black",
    "numpy",
    "numba",
    "pandas",
    "pandoc",
    "pillow",
    "scikit-learn",
    "scikit-image",
    "python-dateutil",
    "pyyaml",
    "typing_extensions",
    "typing-extensions",
    "matplotlib",
    "matplotlib-base",
    "tensorflow",
    "requests",
    "scipy",
    "slack",
    "jinja2",
    "backports.zoneinfo",
    "qt5-main",
    "qt6-main",
    "pycrypto",
    "pyserial",
    "opencv",
    "flask",
    "boto3",
    "libsqlite",
    "sqlite",
    "pytz",
    "ruamel.yaml",
    "yaml",
]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("nupmy", "numpy"),
        ("unmpy", "numpy"),
        ("panda", "pandas"),
        ("scikit_learn", "scikit-learn"),
        ("Scikit.Learn", "scikit-learn"),
        ("scikit-lern", "scikit-learn"),
        ("dateutil", "python-dateutil"),
        ("crypto", "pycrypto"),
        ("matplotlb", "matplotlib"),
        ("backports-zoneinfo", "backports.zoneinfo"),
        ("ruamel_yaml", "ruamel.yaml"),
        ("opencv-python", "opencv"),
        ("jina2", "jinja2"),
        ("flak", "flask"),
    ],
)
def test_the_name_that_was_meant_comes_first(wrong: str, meant: str) -> None:
    assert close_names(wrong, KNOWN)[0] == meant


@pytest.mark.parametrize("name", ["numpi-next", "clack", "pytorch", "vc14_runtime", "pip", "mkl", "re", "wheel", "xyz"])
def test_false_friends_do_not_appear(name: str) -> None:
    assert close_names(name, KNOWN) == ()


def test_the_name_itself_is_no_answer_and_the_other_spelling_is() -> None:
    assert close_names("typing_extensions", KNOWN) == ("typing-extensions",)


def test_the_limit_holds() -> None:
    assert close_names("qt4-main", ["qt5-main", "qt6-main", "qt7-main"], limit=2) == ("qt5-main", "qt6-main")


@given(PACKAGE_NAMES, PACKAGE_NAMES)
def test_closeness_is_symmetric(left: str, right: str) -> None:
    assert bool(close_names(left, [right])) == bool(close_names(right, [left]))


@given(PACKAGE_NAMES, st.lists(PACKAGE_NAMES, max_size=20), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(name: str, candidates: list[str], random: object) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert close_names(name, candidates) == close_names(name, shuffled)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vc", ()),
        ("vs2015_runtime", ()),
        ("ucrt", ()),
        ("pywinpty", ("ptyprocess",)),
        ("pyreadline3", ("readline",)),
        ("khronos-opencl-icd-loader", ("ocl-icd",)),
        ("m2w64-gcc-libs", ("libgcc", "libgfortran")),
        ("pywin32-ctypes", ("secretstorage", "jeepney")),
        ("pywin32", None),
        ("m2-bash", None),
        ("numpy", None),
        ("vcversioner", None),
    ],
)
def test_counterparts_on_linux(name: str, expected: tuple[str, ...] | None) -> None:
    assert counterparts(name, "linux-64") == expected
    assert (counterpart_reason(name, "linux-64") is None) == (expected is None)


def test_windows_needs_no_counterparts_and_macos_has_its_own() -> None:
    assert counterparts("vc", "win-64") is None
    assert counterparts("libintl", "osx-arm64") is None
    assert counterparts("ucrt", "osx-arm64") == ()
