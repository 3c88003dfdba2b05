"""One conda requirement as people write it."""

from __future__ import annotations

import pytest

from envcheck.sources.conda_specs import read_spec

CASES = {
    "numpy": ("numpy", None, None, None),
    "NumPy": ("numpy", None, None, None),
    "numpy=1.21": ("numpy", "1.21.*", "1.21", None),
    "numpy=2023.08.22": ("numpy", "2023.08.22.*", "2023.08.22", None),
    "numpy==1.21": ("numpy", "==1.21", "1.21", None),
    "numpy 1.21": ("numpy", "==1.21", "1.21", None),
    "numpy =1.21": ("numpy", "1.21.*", "1.21", None),
    "numpy=1.21=py38_0": ("numpy", "==1.21", "1.21", "py38_0"),
    "numpy=1.21=*mkl*": ("numpy", "==1.21", "1.21", "*mkl*"),
    "numpy=1.21.*": ("numpy", "1.21.*", "1.21", None),
    "numpy>=1.2,<2": ("numpy", ">=1.2,<2", None, None),
    "numpy >=1.2, <2": ("numpy", ">=1.2,<2", None, None),
    "numpy!=1.3": ("numpy", "!=1.3", None, None),
    "numpy>=2.0.0=*cuda118*": ("numpy", ">=2.0.0", None, "*cuda118*"),
    "pysal=1!164.3095=py_0": ("pysal", "==1!164.3095", "1!164.3095", "py_0"),
    "thop=0.1.1-2209072238=py_0": ("thop", "==0.1.1-2209072238", "0.1.1-2209072238", "py_0"),
    "openssl=1.1.1h=h_0": ("openssl", "==1.1.1h", "1.1.1h", "h_0"),
    "tzdata=2021e": ("tzdata", "2021e.*", "2021e", None),
    "python=3.12 # if changing, also change x": ("python", "3.12.*", "3.12", None),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES.keys())
def test_specs(text: str, expected: tuple[str, str | None, str | None, str | None]) -> None:
    entry = read_spec(text, line=3)

    assert entry.damage == ()
    assert entry.requirement is not None
    found = entry.requirement
    assert (found.name, found.version, found.pin, found.build) == expected
    assert (found.line, found.text) == (3, text)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("conda-forge::numpy=1.2", "conda-forge"),
        ("conda-forge::numpy", "conda-forge"),
        (
            "https://mirror.example.org/anaconda/cloud/conda-forge::numpy>1",
            "https://mirror.example.org/anaconda/cloud/conda-forge",
        ),
    ],
)
def test_channels_are_kept_as_written(text: str, channel: str) -> None:
    entry = read_spec(text, line=1)

    assert entry.requirement is not None
    assert (entry.requirement.name, entry.requirement.channel) == ("numpy", channel)


@pytest.mark.parametrize("build", ["pypi_0", "<pip>", "dev_0", "<develop>"])
def test_rows_of_pip_packages_are_pip(build: str) -> None:
    entry = read_spec(f"Flask_Cors=1.0={build}", line=1)

    assert entry.requirement is None
    assert entry.pip is not None
    assert (entry.pip.name, entry.pip.pin, entry.pip.origin) == ("flask-cors", "1.0", "pypi row")
    assert (entry.pip.kind.value == "editable") == (build in {"dev_0", "<develop>"})


def test_a_package_url_is_exact() -> None:
    entry = read_spec("https://conda.anaconda.org/conda-forge/noarch/six-1.16.0-pyh6c4a22f_0.tar.bz2", line=1)

    assert entry.requirement is not None
    assert (entry.requirement.name, entry.requirement.pin, entry.requirement.subdir) == ("six", "1.16.0", "noarch")


@pytest.mark.parametrize("text", ["中文", "a b c d e", "(", "numpy=1.0=(", "=1.0", "*", "numpy==", "x" * 5000])
def test_whatever_is_no_spec_is_reported(text: str) -> None:
    entry = read_spec(text, line=1)

    assert entry.damage
    assert all(len(item.text) <= 200 for item in entry.damage)


@pytest.mark.parametrize(
    ("text", "pip_name"),
    [
        ("numpy==1.0; python_version < '3'", "numpy"),
        ("git+https://x.org/a.git#egg=a", "a"),
        ("black[jupyter]", "black"),
        ("a @ https://x.org/a.zip", "a"),
        ("numpy===1.0", "numpy"),
        ("./local", None),
    ],
)
def test_pip_lines_among_conda_specs_go_to_pip(text: str, pip_name: str | None) -> None:
    entry = read_spec(text, line=1)

    assert entry.requirement is None
    assert entry.pip is not None
    assert entry.pip.name == pip_name
    assert [item.kind.value for item in entry.damage] == ["pip-spec-under-conda"]
