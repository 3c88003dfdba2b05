"""Packages and distributions for locks, with the hashes of their names."""

from __future__ import annotations

import hashlib

from envcheck.model import Channel, LockedDistribution, Record

__all__ = ["CHANNELS", "DISTRIBUTIONS", "FORGE", "PACKAGES", "conda", "wheel"]

FORGE = "https://conda.anaconda.org/conda-forge"
CHANNELS = (Channel(name="conda-forge", url=FORGE, locations=(FORGE,)),)


def conda(
    name: str, version: str = "1.0", build: str = "0", *depends: str, subdir: str = "linux-64", number: int = 0
) -> Record:
    """A record of conda-forge."""
    text = f"{name}-{version}-{build}"
    return Record(
        name=name,
        version=version,
        build=build,
        build_number=number,
        subdir=subdir,
        channel=FORGE,
        url=f"{FORGE}/{subdir}/{text}.conda",
        md5=hashlib.md5(text.encode()).hexdigest(),  # noqa: S324 - conda's file hash
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        size=len(text),
        timestamp=1_700_000_000_123,
        noarch=None if subdir != "noarch" else "python",
        depends=depends,
    )


def wheel(name: str, version: str = "1.0", *requires: str, python: str | None = None) -> LockedDistribution:
    """A pure wheel of PyPI."""
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    digest = hashlib.sha256(filename.encode()).hexdigest()
    return LockedDistribution(
        name=name,
        version=version,
        url=f"https://files.pythonhosted.org/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}",
        filename=filename,
        sha256=digest,
        requires_python=python,
        requires=requires,
    )


PACKAGES = (
    conda("zlib", "1.3.1", "hb9d3cd8_2", "__glibc >=2.17,<3.0.a0", "libgcc >=13", "libgcc >=14", number=2),
    conda("libgcc", "14.2.0", "h77fa898_1", number=1),
    conda("six", "1.16.0", "pyh6c4a22f_0", "python", subdir="noarch"),
    conda("python", "3.10.14", "hd12c33a_0_cpython", "zlib >=1.3.1,<2.0a0", "libgcc * *_gnu", "pip"),
    conda("pip", "24.0", "pyhd8ed1ab_0", "python >=3.7", subdir="noarch"),
)

COMMIT = "2d4ad799442f4592db8ad53b179bfb33db8c69ac"

DISTRIBUTIONS = (
    wheel("requests", "2.28", "urllib3>=1.21,<2", "pysocks!=1.5.7 ; extra == 'socks'", python=">=3.7,<4"),
    wheel("urllib3", "1.26.18"),
    LockedDistribution(
        name="mike",
        version="2.2.0",
        url=f"git+https://github.com/example/mike@{COMMIT}",
        filename="",
        sha256=None,
        requires=("six", "typing-extensions>=4 ; extra == 'docs'"),
    ),
)
