"""The catalogue holds together, gives the same bytes each time, and its packages really install."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import rattler
import zstandard

from fixtures.build_channel import CHANNELS, Package, build_channels, package_bytes, read_catalogue
from fixtures.build_index import build_index, read_projects

FIXTURES = Path(__file__).parents[2] / "fixtures"

UNIX = {"__unix", "__linux"}


def packages_of(channel: str, platform: str) -> list[Package]:
    """What a channel has for a platform and noarch, without the noarch packages of other systems."""
    foreign = UNIX if platform == "win-64" else {"__win"}
    return [
        package
        for package in read_catalogue()
        if package.channel == channel
        and package.subdir in (platform, "noarch")
        and foreign.isdisjoint(spec.split()[0] for spec in package.depends)
    ]


def satisfies(package: Package, spec: rattler.MatchSpec) -> bool:
    """Whether a package is what a MatchSpec asks for."""
    record = rattler.PackageRecord(
        rattler.PackageName(package.name),
        rattler.VersionWithSource(package.version),
        rattler.BuildString(package.build),
        package.number,
        rattler.Subdir(package.subdir),
    )
    return spec.matches(record)


def test_no_two_packages_share_a_file() -> None:
    files = collections.Counter((one.channel, one.subdir, one.stem) for one in read_catalogue())
    assert [file for file, count in files.items() if count > 1] == []


@pytest.mark.parametrize("platform", ["linux-64", "win-64"])
@pytest.mark.parametrize(
    ("channel", "others"),
    [("conda-forge", ()), ("pkgs/main", ()), ("bioconda", ("conda-forge",)), ("pytorch", ("conda-forge",))],
)
def test_every_dependency_exists(channel: str, others: tuple[str, ...], platform: str) -> None:
    available: dict[str, list[Package]] = {}
    for name in (channel, *others):
        for package in packages_of(name, platform):
            available.setdefault(package.name, []).append(package)
    asked = {(package.stem, spec) for package in packages_of(channel, platform) for spec in package.depends}
    missing = []
    for stem, spec in sorted(asked):
        wanted = rattler.MatchSpec(spec, strict=False)
        candidates = available.get(spec.split()[0], [])
        if not spec.startswith("__") and not any(satisfies(one, wanted) for one in candidates):
            missing.append((stem, spec))
    assert missing == []


def test_build_numbers_and_python_are_those_of_the_build_string() -> None:
    by_stem = {(one.channel, one.subdir, one.stem): one for one in read_catalogue()}
    python = by_stem["conda-forge", "linux-64", "python-3.10.13-hd12c33a_1_cpython"]
    assert python.number == 1
    blas = by_stem["conda-forge", "linux-64", "libblas-3.9.0-20_linux64_openblas"]
    assert blas.number == 20
    shapely = by_stem["conda-forge", "win-64", "shapely-2.0.2-py310h839b4a8_0"]
    assert {"python >=3.10,<3.11.0a0", "python_abi 3.10.* *_cp310", "vc >=14.2,<15"} <= set(shapely.depends)


def test_what_the_story_needs_is_there() -> None:
    on = collections.defaultdict(set)
    for one in read_catalogue():
        on[one.name, one.version].add((one.channel, one.subdir))
    assert on["hdf5", "1.14.2"] == {("conda-forge", "win-64")}
    assert ("conda-forge", "linux-64") in on["hdf5", "1.14.3"]
    assert on["wincertstore", "0.2"] == {("pkgs/main", "win-64")}
    assert on["regionmask", "0.11.0"] == {("conda-forge", "noarch")}
    assert on["samtools", "1.19"] == {("bioconda", "linux-64")}


@pytest.mark.parametrize("filename", ["requirements.txt", "requirements-utf16.txt"])
def test_the_demo_export_comes_from_the_catalogue(filename: str) -> None:
    content = (FIXTURES / "demo" / filename).read_bytes()
    lines = content.decode("utf-16" if content.startswith(b"\xff\xfe") else "utf-8").splitlines()
    assert lines[2] == "# platform: win-64"
    rows = [line.split("=") for line in lines if not line.startswith("#")]
    assert len(rows) > 45
    windows = {
        (one.name, one.version, one.build)
        for channel in ("conda-forge", "pkgs/main")
        for one in packages_of(channel, "win-64")
    }
    assert [row for row in rows if row[2] != "pypi_0" and tuple(row) not in windows] == []
    assert {row[0] for row in rows if row[2] == "pypi_0"} <= read_projects().keys()


def test_the_same_bytes_every_time(tmp_path: Path, package_channels_directory: Path) -> None:
    """In another process, with another hash seed and another place: not even a name of a temporary folder leaks in."""
    command = [sys.executable, str(FIXTURES / "build_channel.py"), str(tmp_path), "--packages"]
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": "7"})
    for channel in CHANNELS:
        for file in sorted((package_channels_directory / channel).rglob("*")):
            if file.is_file():
                twin = tmp_path / file.relative_to(package_channels_directory)
                assert file.read_bytes() == twin.read_bytes(), file.name


def test_package_bytes_are_pinned() -> None:
    """A change of the archive format changes every hash in every golden file: do it on purpose or not at all."""
    package = next(one for one in read_catalogue() if one.stem == "affine-2.4.0-pyhd8ed1ab_0")
    assert hashlib.sha256(package_bytes(package)).hexdigest() == (
        "1895eed6b87aabf5fd213113196bacf5a5daa6e6ffd11caeef2a27614198de15"
    )


def test_repodata_describes_the_packages(channels_directory: Path, package_channels_directory: Path) -> None:
    for channel in CHANNELS:
        for file in sorted((channels_directory / channel).rglob("repodata.json")):
            folder = package_channels_directory / file.parent.relative_to(channels_directory)
            content = file.read_bytes()
            assert content == (folder / "repodata.json").read_bytes()
            assert zstandard.decompress((file.parent / "repodata.json.zst").read_bytes()) == content
            repodata = json.loads(content)
            for filename, record in {**repodata["packages"], **repodata["packages.conda"]}.items():
                archive = (folder / filename).read_bytes()
                assert record["size"] == len(archive)
                assert record["sha256"] == hashlib.sha256(archive).hexdigest()
                assert record["md5"] == hashlib.md5(archive, usedforsecurity=False).hexdigest()


def test_bioconda_has_no_windows(channels_directory: Path) -> None:
    assert not (channels_directory / "bioconda" / "win-64").exists()


def test_packages_install_and_their_programs_run(package_channels_directory: Path, tmp_path: Path) -> None:
    """Through rattler's own installer: compiled, noarch and ``.tar.bz2`` packages, and an entry point."""
    prefix = tmp_path / "prefix"

    async def install() -> None:
        solution = await rattler.solve(
            [rattler.Channel((package_channels_directory / "conda-forge").as_uri())],
            ["python 3.10.*", "numpy", "pipreqs", "rasterio"],
            gateway=rattler.Gateway(cache_dir=tmp_path / "repodata"),
            platforms=["linux-64", "noarch"],
            virtual_packages=[
                rattler.GenericVirtualPackage(
                    rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0")
                )
                for name, version in (("__unix", "0"), ("__linux", "5.10"), ("__glibc", "2.28"))
            ],
        )
        await rattler.install(
            solution,
            prefix,
            cache_dir=tmp_path / "packages",
            platform=rattler.Subdir("linux-64"),
            show_progress=False,
        )

    asyncio.run(install())

    def run(*command: str) -> str:
        environment = {"ENVCHECK_HOST_PYTHON": sys.executable, "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            [str(prefix / "bin" / command[0]), *command[1:]],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout.strip()

    assert run("python", "--version") == "Python 3.10.13"
    assert run("python", "-c", "import numpy, rasterio; print(numpy.__version__, rasterio.__version__)") == (
        "1.26.4 1.3.9"
    )
    assert run("pipreqs") == "pipreqs 0.4.13"
    assert (prefix / "conda-meta" / "affine-2.4.0-pyhd8ed1ab_0.json").is_file()


def test_the_index_covers_each_kind_of_answer(tmp_path: Path) -> None:
    build_index(tmp_path)
    files = {
        path.parent.name: [file["filename"] for file in json.loads(path.read_text())["files"]]
        for path in tmp_path.glob("*/index.json")
    }
    assert len(files) >= 25
    assert files["docopt"] == ["docopt-0.6.1.tar.gz", "docopt-0.6.2.tar.gz"]
    assert all("win_amd64" in filename for filename in files["pywin32"])
    assert "aiohttp-3.9.1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl" in files["aiohttp"]
    assert {file.yanked for file in read_projects()["slicer"]} == {False, "Breaks shap 0.43"}


def test_building_leaves_nothing_else(tmp_path: Path) -> None:
    build_channels(tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"repodata.json", "repodata.json.zst"}
