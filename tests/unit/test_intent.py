"""Which rows of an export were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.engines import Index
from envcheck.intent import infer_intent
from envcheck.model import Intent, Record
from tests.support.channels import record
from tests.support.fakes import Universe, rows

CHANNELS = {
    "conda-forge": {
        "win-64": [
            record("python", "3.10.13", depends=["openssl"]),
            record("openssl", "3.2.0"),
            record("pip", "23.3.1", depends=["python", "setuptools"]),
            record("setuptools", "68.2", depends=["python"]),
            record("numpy", "1.26.2", "py310_0", depends=["python >=3.10", "libblas"]),
            record("numpy", "1.25.0", "py310_0", depends=["python >=3.10"]),
            record("libblas", "3.9.0", depends=["mkl"]),
            record("mkl", "2023.2", depends=["libblas"]),
            record("pandas", "2.1.4", depends=["numpy", "python"]),
            record("alpha", depends=["beta"]),
            record("beta", depends=["gamma"]),
            record("gamma", depends=["alpha"]),
            record("selfish", depends=["selfish"]),
            record("many", "1.0", "py310_0", depends=["alpha"]),
            record("many", "1.0", "py311_0", depends=["openssl"]),
            record("core", "5.7", "win_0", depends=["__win", "pywin32"]),
            record("core", "5.7", "unix_1", 1, depends=["__unix", "ptyprocess"]),
            record("pywin32", "306"),
            record("ptyprocess", "0.7"),
        ]
    }
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    universe = Universe(tmp_path_factory.mktemp("universe"), CHANNELS)
    return universe.index(universe.target("conda-forge"), platform="win-64")


def direct(index: Index, *specs: str) -> tuple[str, ...]:
    return infer_intent(rows(*specs), [index], full_export=True).direct


def test_what_nothing_needs_was_asked_for(index: Index) -> None:
    found = infer_intent(rows("numpy=1.26.2", "openssl", "pandas", "python"), [index], full_export=True)

    assert found == Intent(direct=("pandas", "python"), needed_by=(("numpy", ("pandas",)), ("openssl", ("python",))))


def test_the_record_of_the_row_counts_and_not_the_newest(index: Index) -> None:
    assert direct(index, "numpy=1.26.2", "libblas=3.9.0") == ("numpy",)
    assert direct(index, "numpy=1.25.0", "libblas=3.9.0") == ("numpy", "libblas")
    assert direct(index, "numpy=1.19", "libblas=3.9.0") == ("numpy",)  # unknown: as any other version


def test_without_a_build_every_record_of_the_version_may_have_been_it(index: Index) -> None:
    assert direct(index, "many=1.0", "alpha", "openssl") == ("many",)
    assert direct(index, "many=1.0=py310_0", "alpha", "openssl") == ("many", "openssl")


def test_of_two_variants_the_one_for_the_platform_counts(index: Index) -> None:
    assert direct(index, "core=5.7", "pywin32", "ptyprocess") == ("core", "ptyprocess")


def test_python_is_always_direct(index: Index) -> None:
    assert direct(index, "python", "numpy=1.26.2") == ("python", "numpy")


def test_the_order_is_the_sources(index: Index) -> None:
    assert direct(index, "selfish", "pandas", "alpha") == ("selfish", "pandas", "alpha")


def test_rows_that_no_index_knows_are_direct(index: Index) -> None:
    assert direct(index, "unheard-of", "pandas", "numpy") == ("unheard-of", "pandas")


def test_what_needs_itself_is_direct(index: Index) -> None:
    assert direct(index, "selfish") == ("selfish",)


def test_packages_that_need_each_other_are_direct_if_nothing_else_needs_one(index: Index) -> None:
    assert direct(index, "libblas", "mkl") == ("libblas", "mkl")
    assert direct(index, "alpha", "beta", "gamma") == ("alpha", "beta", "gamma")


def test_packages_that_need_each_other_are_transitive_if_anything_else_needs_one(index: Index) -> None:
    found = infer_intent(rows("libblas", "mkl", "numpy=1.26.2"), [index], full_export=True)

    # numpy needs only libblas, but libblas needs mkl: neither was asked for.
    assert found.direct == ("numpy",)
    assert dict(found.needed_by) == {"libblas": ("mkl", "numpy"), "mkl": ("libblas",)}


def test_hand_written_rows_are_all_direct(index: Index) -> None:
    found = infer_intent(rows("numpy", "libblas", "python"), [index], full_export=False)

    assert found == Intent(direct=("numpy", "libblas", "python"))


def test_the_first_index_that_knows_a_row_is_believed(index: Index, tmp_path_factory: pytest.TempPathFactory) -> None:
    linux = Universe(
        tmp_path_factory.mktemp("linux"), {"conda-forge": {"linux-64": [record("pandas", "2.1.4"), record("new")]}}
    )
    other = linux.index(linux.target("conda-forge"))
    requirements = rows("pandas=2.1.4", "numpy=1.26.2", "new")

    assert infer_intent(requirements, [index, other], full_export=True).direct == ("pandas", "new")
    assert infer_intent(requirements, [other, index], full_export=True).direct == ("pandas", "numpy", "new")


def test_no_index_and_no_rows() -> None:
    assert infer_intent(rows("numpy", "pandas"), [], full_export=True).direct == ("numpy", "pandas")
    assert infer_intent((), [], full_export=True) == Intent(direct=())


def test_parts_of_a_package_in_a_circle_came_with_it(tmp_path: Path) -> None:
    # The records of these versions are unknown; those of others need each other.
    records = [
        record("flow", "2.7", depends=["flow-base", "layers"]),
        record("flow-base", "2.7", depends=["layers"]),
        record("layers", "2.7", depends=["flow", "layers-base"]),
        record("layers-base", "2.7"),
    ]
    universe = Universe(tmp_path, {"conda-forge": {"win-64": records}})
    index = universe.index(universe.target("conda-forge"), platform="win-64")

    assert direct(index, "flow=2.1", "flow-base=2.1", "layers=2.3", "layers-base=2.3") == ("flow", "layers")


def test_the_very_records_come_first(index: Index) -> None:
    foreign = Record(
        name="numpy", version="9", build="0", build_number=0, subdir="win-64", channel="lab", url="x", depends=("pip",)
    )
    found = infer_intent(rows("numpy=9", "pip", "libblas"), [index], full_export=True, records={"numpy": foreign})

    assert found == Intent(
        direct=("numpy", "libblas"), needed_by=(("pip", ("numpy",)),), identified=(("numpy", "lab"),)
    )


def test_variants_are_told_by_builds(index: Index) -> None:
    found = infer_intent(rows("numpy=1.26.2=mkl_py310_0", "pip=23.3.1=0"), [index], full_export=False)

    assert found == Intent(direct=("numpy", "pip"), variants=(("numpy", ("mkl",)),))
