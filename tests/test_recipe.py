"""The conda recipe: it asks for what pyproject.toml asks for, and rattler-build makes and tests a package of it."""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import re
import shutil
import site
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from envcheck import __version__
from envcheck.names import conda_names_for_pypi
from tests.support.packages import write_packages
from tests.test_packaging import PARTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
RECIPE: dict[str, Any] = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text("utf-8"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

OTHER_NAMES = {"cachecontrol[filecache]": "cachecontrol-with-filecache"}
"""What conda-forge calls by a name that the map of names does not have: an extra is a package there."""


def conda_requirements(*parts: str) -> dict[str, str]:
    """Package and version of the recipe's requirements, the recipe's own variables filled in."""
    context = RECIPE["context"]
    found: dict[str, str] = {}
    for line in (line for part in parts for line in RECIPE["requirements"][part]):
        name, _, version = re.sub(r"\$\{\{ (\w+) \}\}", lambda variable: context[variable[1]], line).partition(" ")
        found[name] = version
    return found


def counterparts(requirements: list[str]) -> Iterator[tuple[str, str]]:
    """What each requirement is called by conda, and the versions it takes."""
    for requirement in map(Requirement, requirements):
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        name = OTHER_NAMES.get(requirement.name.lower() + extras)
        if name is None:
            assert not extras, "a package with an extra needs its name in conda"
            name = conda_names_for_pypi(requirement.name)[0]
        yield name, str(requirement.specifier)


def test_it_asks_for_what_the_wheel_asks_for() -> None:
    wanted = dict(counterparts(PROJECT["project"]["dependencies"]))
    wanted["python"] = PROJECT["project"]["requires-python"]

    assert conda_requirements("run") == wanted


def test_it_is_built_with_what_the_wheel_is_built_with() -> None:
    wanted = dict(counterparts(PROJECT["build-system"]["requires"]))

    assert conda_requirements("host") == wanted | {"python": PROJECT["project"]["requires-python"], "pip": ""}


def test_what_may_be_there_besides_is_bound_as_elsewhere() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    libmambapy = next(line for line in environment["dependencies"] if str(line).startswith("libmambapy"))
    (dask,) = counterparts(PROJECT["project"]["optional-dependencies"]["dask"])

    assert conda_requirements("run_constraints") == dict([dask, tuple(libmambapy.split(" "))])


def test_it_tells_what_the_project_tells() -> None:
    project = PROJECT["project"]

    assert RECIPE["context"]["version"] == __version__
    assert RECIPE["about"]["summary"] == project["description"]
    assert RECIPE["about"]["license"] == project["license"]
    assert RECIPE["about"]["license_file"] in project["license-files"]
    assert RECIPE["about"]["repository"] == project["urls"]["Source"]
    assert RECIPE["about"]["documentation"] == project["urls"]["Documentation"]
    scripts = [f"{name} = {target}" for name, target in project["scripts"].items()]
    assert RECIPE["build"]["python"]["entry_points"] == scripts


# ---------------------------------------------------------------------------------------------------------------------
# Built and tested, where there is rattler-build
# ---------------------------------------------------------------------------------------------------------------------


def write_channel(directory: Path) -> Path:
    """A channel with the Python and pip of this machine, and everything that the recipe asks for.

    The packages are empty but for one, which all of them need: it puts the libraries of this interpreter behind the
    environment's own.
    """
    write_packages(directory)
    repodata = directory / "noarch" / "repodata.json"
    content = json.loads(repodata.read_text("utf-8"))
    libraries = "\n".join(site.getsitepackages()).encode() + b"\n"
    wanted = {name: version.removeprefix(">=") for name, version in conda_requirements("host", "run").items()}
    packages = {name: version for name, version in wanted.items() if name not in ("python", "pip")}
    for name, version in {**packages, "libraries": "1"}.items():
        is_libraries = name == "libraries"
        index = {
            "name": name,
            "version": version,
            "build": "0",
            "build_number": 0,
            "subdir": "noarch",
            "noarch": "python" if is_libraries else "generic",
            "depends": ["python"] if is_libraries else ["libraries"],
        }
        data = archive(index, {"site-packages/libraries.pth": libraries} if is_libraries else {})
        (directory / "noarch" / f"{name}-{version}-0.tar.bz2").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        content["packages"][f"{name}-{version}-0.tar.bz2"] = {**index, "sha256": digest, "size": len(data)}
    repodata.write_text(json.dumps(content), encoding="utf-8")
    return directory


def archive(index: dict[str, Any], files: dict[str, bytes]) -> bytes:
    """A package (CEP 35, version 1)."""
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        for path, data in files.items()
    ]
    info: dict[str, Any] = {"info/index.json": index, "info/paths.json": {"paths": paths, "paths_version": 1}}
    if index["noarch"] == "python":
        info["info/link.json"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, data in {**{path: json.dumps(one).encode() for path, one in info.items()}, **files}.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return bz2.compress(buffer.getvalue())


@pytest.mark.skipif(sys.platform != "linux", reason="the channel's Python runs on Linux")
def test_rattler_build_makes_a_package_that_passes_its_own_tests(tmp_path: Path) -> None:
    pytest.importorskip("rattler_build")
    channel = write_channel(tmp_path / "channel")
    source = tmp_path / "source"
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    program = (
        "import sys\n"
        "from rattler_build import Package, Stage0Recipe, ToolConfiguration\n"
        "recipe, output, channel = sys.argv[1:]\n"
        "(built,) = Stage0Recipe.from_file(recipe).run_build(\n"
        "    tool_config=ToolConfiguration(test_strategy='skip'), output_dir=output, channels=[channel]\n"
        ")\n"
        "package = Package.from_file(built.packages[0])\n"
        "results = package.run_tests(channel=[channel])\n"
        "print([result.success for result in results])\n"
        "for result in results:\n"
        "    print(*([] if result.success else result.output), sep='\\n', file=sys.stderr)\n"
    )
    recipe = str(source / "recipe" / "recipe.yaml")
    done = subprocess.run(
        [sys.executable, "-c", program, recipe, str(tmp_path / "output"), channel.as_uri()],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-5000:]
    # Of what is in the package, the build itself has made sure.
    run = [test for test in RECIPE["tests"] if "package_contents" not in test]
    assert done.stdout == f"{[True] * len(run)}\n", done.stderr[-5000:]
