"""One row of a listing: name, version, build and channel as conda wrote them, or as something damaged them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.limits import MAX_SPEC_LENGTH
from envcheck.model import DamageKind, Requirement
from envcheck.sources.pip_lines import PIP_NAME, pypi_row
from envcheck.sources.reading import Entry, damaged
from envcheck.specs import is_version

__all__ = ["CONDA_NAME", "PIP_BUILDS", "Row", "looks_like_build", "read_row", "split_pasted_build"]

#: Package names (CEP 26); upper case is accepted because rows of pip packages carry it.
CONDA_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

#: Builds that conda's listings write for packages that it did not install itself.
PIP_BUILDS = frozenset({"pypi_0", "<pip>", "dev_0", "<develop>"})

_BUILD = re.compile(r"[A-Za-z0-9_.+]+")
#: ``py39haa95532_0``, ``23_win64_mkl``, ``0``; and the few words that are builds by themselves.
_SPOKEN_BUILD = re.compile(
    r"(?=[^_]*\d|[^_]*_.*\d)[A-Za-z0-9.+]*_[A-Za-z0-9_.+]+|\d{1,4}|mkl|openblas|main|eigen|conda_forge"
)
#: A build at the end of a version: ``1.21.2py38h7a0a035_0``, ``1.2.3-h1234567_0``, ``1.0-py38_0``.
_PASTED = re.compile(
    r"(?P<version>\d+!?(?:[.\d]*\d)?(?:(?:a|b|rc|post|dev)\d+)?)"
    r"[-_]?(?P<build>(?:py|np)\d{2,3}(?:h[0-9a-f]{4,7})?(?:_\d+)?|py_\d+|pyh[0-9a-f]{6,7}_\d+|h[0-9a-f]{7}(?:_\d+)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The cells of one row; empty cells are ``None``."""

    name: str
    version: str | None = None
    build: str | None = None
    channel: str | None = None
    subdir: str | None = None
    url: str | None = None
    md5: str | None = None
    sha256: str | None = None


def looks_like_build(text: str) -> bool:
    """Whether a word is a build string such as ``py39haa95532_0``, ``mkl`` or ``0``."""
    return text in PIP_BUILDS or _SPOKEN_BUILD.fullmatch(text) is not None


def split_pasted_build(version: str) -> tuple[str, str] | None:
    """The version and the build that were run together in a version, or ``None`` if nothing says so."""
    # The pattern backtracks; no version is as long as that could matter for.
    match = _PASTED.fullmatch(version) if len(version) <= 100 else None
    return None if match is None else (match["version"], match["build"])


def read_row(row: Row, *, line: int, text: str) -> Entry:
    """Make a requirement of a row: rows are exact, for they say what is installed.

    Rows of pip packages become pip requirements; a build in the version is split off; a version that names no release
    is dropped together with its build; all with their damage.
    """
    if len(text) > MAX_SPEC_LENGTH or not CONDA_NAME.fullmatch(row.name):
        return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, row.name[:60], text, line=line),))
    if row.build in PIP_BUILDS or row.channel == "pypi":
        if not PIP_NAME.fullmatch(row.name):
            return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, row.name[:60], text, line=line),))
        return Entry(pip=pypi_row(row.name, row.version, row.build, line=line, text=text))
    name = row.name.lower()
    if row.version is None:
        return Entry(requirement=_requirement(row, None, row.build, line=line, text=text))
    pasted = split_pasted_build(row.version)
    if pasted is not None and row.build is None:
        version, build = pasted
        damage = damaged(DamageKind.BUILD_IN_VERSION, name, text, line=line, read_as=f"{name}={version}={build}")
        return Entry(requirement=_requirement(row, version, build, line=line, text=text), damage=(damage,))
    if not is_version(row.version):
        damage = damaged(DamageKind.NO_VERSION, name, text, line=line, read_as=name)
        return Entry(requirement=_requirement(row, None, None, line=line, text=text), damage=(damage,))
    if row.build is not None and not _BUILD.fullmatch(row.build):
        damage = damaged(DamageKind.UNREADABLE_LINE, name, text, line=line, read_as=f"{name}={row.version}")
        return Entry(requirement=_requirement(row, row.version, None, line=line, text=text), damage=(damage,))
    return Entry(requirement=_requirement(row, row.version, row.build, line=line, text=text))


def _requirement(row: Row, version: str | None, build: str | None, *, line: int, text: str) -> Requirement:
    return Requirement(
        name=row.name.lower(),
        version=None if version is None else f"=={version}",
        pin=version,
        build=build,
        channel=row.channel,
        subdir=row.subdir,
        url=row.url,
        md5=row.md5,
        sha256=row.sha256,
        line=line,
        text=text,
    )
