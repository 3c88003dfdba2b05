"""A channel and an index whose tiny packages work: Python and pip of this machine, and a program of both worlds.

The Python of the channel is a virtual environment in a conda package (``pyvenv.cfg`` and links to the interpreter that
the tests are made for), and its pip is the test interpreter's own, packed as conda-forge packs it. What an installer
does with them is therefore what it does with the real ones. The program ``hello`` is a conda package that imports a
wheel, which imports another one.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import io
import json
import platform
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.build_index import File, write_project

__all__ = ["OUTPUT", "PLATFORMS", "PYTHON", "write_packages", "write_wheels"]

PYTHON = platform.python_version()
"""The version of the channel's Python."""

PLATFORMS = ("linux-64", "linux-aarch64", "osx-arm64", "win-64")
"""The platforms of the channel; only what is in the first can run."""

OUTPUT = "hello 1.0, greeting 2.1, words 1.5"
"""What the program says once all of it is installed."""

_MINOR = ".".join(PYTHON.split(".")[:2])

_HELLO = """\
import importlib.metadata


def main():
    import greeting

    print("hello", importlib.metadata.version("hello") + ",", greeting.text())
"""

_GREETING = """\
import importlib.metadata

import words


def text():
    return f"greeting {importlib.metadata.version('greeting')}, words {words.__version__}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    """A conda package: ``files`` by path, and ``links`` from a path to where it points."""

    name: str
    version: str
    build: str = "0"
    subdir: str
    depends: tuple[str, ...] = ()
    files: Mapping[str, bytes]
    links: Mapping[str, str] | None = None
    command: str | None = None

    @property
    def index(self) -> dict[str, Any]:
        """What ``info/index.json`` and the repodata tell."""
        more = {"noarch": "python"} if self.subdir == "noarch" else {}
        return {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "build_number": 0,
            "subdir": self.subdir,
            "depends": list(self.depends),
            "timestamp": 1_700_000_000_000,
            **more,
        }

    @property
    def data(self) -> bytes:
        """The archive (CEP 35, version 1)."""
        links = self.links or {}
        paths = [
            *(
                {"_path": path, "path_type": "hardlink", "sha256": _sha256(one), "size_in_bytes": len(one)}
                for path, one in self.files.items()
            ),
            # The hash of a link is that of nothing: what it points to is no part of the package.
            *({"_path": path, "path_type": "softlink", "sha256": _sha256(b""), "size_in_bytes": 0} for path in links),
        ]
        info = {
            "info/index.json": self.index,
            "info/paths.json": {"paths": sorted(paths, key=lambda one: str(one["_path"])), "paths_version": 1},
            "info/about.json": {"summary": f"{self.name} for envcheck's tests"},
        }
        if self.subdir == "noarch":
            points = {} if self.command is None else {"entry_points": [self.command]}
            info["info/link.json"] = {"noarch": {"type": "python", **points}, "package_metadata_version": 1}
        contents = {**{path: json.dumps(one).encode() for path, one in info.items()}, **self.files}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:bz2") as archive:
            for path, content in sorted(contents.items()):
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            for path, target in sorted(links.items()):
                member = tarfile.TarInfo(path)
                member.type, member.linkname = tarfile.SYMTYPE, target
                archive.addfile(member)
        return buffer.getvalue()


def write_packages(directory: Path) -> Path:
    """Write the channel, with its packages and every subdir's repodata; gives its directory."""
    packages = [*(_python(subdir) for subdir in PLATFORMS), _pip(), _hello()]
    for subdir in (*PLATFORMS, "noarch"):
        folder = directory / subdir
        folder.mkdir(parents=True)
        records = {}
        for package in packages:
            if package.subdir == subdir:
                filename = f"{package.name}-{package.version}-{package.build}.tar.bz2"
                data = package.data
                (folder / filename).write_bytes(data)
                records[filename] = {
                    **package.index,
                    "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
                    "sha256": _sha256(data),
                    "size": len(data),
                }
        repodata = {"info": {"subdir": subdir}, "packages": records, "packages.conda": {}, "repodata_version": 1}
        (folder / "repodata.json").write_text(json.dumps(repodata), encoding="utf-8")
    return directory


def write_wheels(directory: Path) -> Path:
    """Write the index of the two wheels; gives its directory."""
    for name, version, requires, text in (
        ("greeting", "2.1", ("words>=1",), _GREETING),
        ("words", "1.5", (), '__version__ = "1.5"\n'),
    ):
        file = File(
            name=name,
            version=version,
            filename=f"{name}-{version}-py3-none-any.whl",
            requires=requires,
            requires_python=">=3.8",
            contents=((f"{name}.py", text),),
        )
        write_project(directory, name, [file])
    return directory


def _python(subdir: str) -> _Package:
    """Python: a virtual environment on linux-64, and a file elsewhere."""
    build = subdir.replace("-", "_")
    if subdir != "linux-64":
        files = {"share/python": subdir.encode()}
        return _Package(name="python", version=PYTHON, build=build, subdir=subdir, files=files)
    home = Path(sys.base_prefix) / "bin"
    files = {
        "pyvenv.cfg": f"home = {home}\ninclude-system-site-packages = false\nversion = {PYTHON}\n".encode(),
        # An installer makes the folder with the first file in it.
        f"lib/python{_MINOR}/site-packages/README.txt": b"",
    }
    program = str(home / f"python{_MINOR}")
    links = dict.fromkeys((f"bin/{name}" for name in ("python", "python3", f"python{_MINOR}")), program)
    return _Package(name="python", version=PYTHON, build=build, subdir=subdir, files=files, links=links)


@functools.cache
def _pip() -> _Package:
    """The pip of the interpreter that runs the tests."""
    distribution = importlib.metadata.distribution("pip")
    files = {
        f"site-packages/{path.as_posix()}": Path(str(path.locate())).read_bytes()
        for path in distribution.files or ()
        if path.parts[0] != ".." and "__pycache__" not in path.parts and path.name not in ("INSTALLER", "REQUESTED")
    }
    return _Package(
        name="pip",
        version=distribution.version,
        subdir="noarch",
        depends=("python >=3.8",),
        files=files,
        command="pip = pip._internal.cli.main:main",
    )


def _hello() -> _Package:
    return _Package(
        name="hello",
        version="1.0",
        subdir="noarch",
        depends=("python >=3.8",),
        files={
            "site-packages/hello.py": _HELLO.encode(),
            "site-packages/hello-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n",
            "site-packages/hello-1.0.dist-info/INSTALLER": b"conda\n",
        },
        command="hello = hello:main",
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
