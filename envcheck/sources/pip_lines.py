"""One line of pip's world: a requirement, an option, a reference (PEP 508, PEP 440, PEP 503, pip's own format).

Everything is kept and classified, nothing is followed: no file is opened and no URL is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from envcheck.limits import MAX_SPEC_LENGTH
from envcheck.model import DamageKind, PipRequirement, PipRequirementKind
from envcheck.project_names import canonical_name
from envcheck.sources.reading import Entry, damaged

if TYPE_CHECKING:
    from packaging.requirements import Requirement as PackagingRequirement
    from packaging.specifiers import SpecifierSet

__all__ = ["PIP_NAME", "is_pip_version", "looks_like_pip", "pypi_row", "read_pip_line"]

#: PEP 508's project names.
PIP_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

_VCS = re.compile(r"(?:git|hg|svn|bzr)\+", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?|ftp|file):", re.IGNORECASE)
_PATH = re.compile(r"(?:[.~]{1,2}(?:[\\/]|$|\[)|/|[A-Za-z]:[\\/]|\\\\)")
_ARCHIVE = re.compile(r"\.(?:whl|tar\.gz|tgz|zip|tar\.xz)(?:$|[#?])", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
#: Options that follow a requirement on its line: ``--hash=sha256:…``, ``--config-settings …``.
_TRAILING_OPTIONS = re.compile(r"\s+--[a-z].*$")
_CONDA_SPEC = re.compile(r"(?P<name>[A-Za-z0-9_][\w.-]*)\s*==?\s*(?P<version>[^=<>!~;@\s,]+)(?P<rest>=[^=\s;]*)?")
_NAMED_REFERENCE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[(?P<extras>[^\]]*)\])?\s*@\s*(?P<url>[^;]+?)(?:\s*;.*)?"
)
_EGG = re.compile(r"[#&]egg=(?P<name>[A-Za-z0-9][\w.-]*)(?:\[(?P<extras>[^\]]*)\])?")
_PATH_EXTRAS = re.compile(r"\[(?P<extras>[\w\s,.-]*)\]$")
_EXTRAS_ONLY = re.compile(r"[\w.-]+\[[\w\s,.-]*\]")
#: ``--editable=x``, ``--editable x``, ``-e x`` and pip's glued ``-rfile.txt``.
_OPTION = re.compile(r"(?P<flag>--[A-Za-z][\w-]*|-[A-Za-z])(?:\s*=\s*|\s+|(?=\S))?(?P<argument>.*)", re.DOTALL)

_FLAG_KINDS = {
    "-e": PipRequirementKind.EDITABLE,
    "--editable": PipRequirementKind.EDITABLE,
    "-r": PipRequirementKind.REQUIREMENTS_FILE,
    "--requirement": PipRequirementKind.REQUIREMENTS_FILE,
    "-c": PipRequirementKind.CONSTRAINTS_FILE,
    "--constraint": PipRequirementKind.CONSTRAINTS_FILE,
}

#: Builds that conda writes for what it did not install: by pip, and by ``pip install -e`` or ``conda develop``.
_EDITABLE_BUILDS = frozenset({"dev_0", "<develop>"})


def looks_like_pip(text: str) -> bool:
    """Whether a text is in pip's grammar and not in conda's: an option, a reference, a marker, extras, ``===``."""
    if text.startswith("-") or _VCS.match(text) or _PATH.match(text):
        return True
    if "::" in text:
        return False
    return (
        " @ " in text
        or ";" in text
        or "===" in text
        or _SCHEME.match(text) is not None
        or _ARCHIVE.search(text) is not None
        or _EXTRAS_ONLY.match(text) is not None
    )


def is_pip_version(text: str) -> bool:
    """Whether PEP 440 accepts a version."""
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def pypi_row(name: str, version: str | None, build: str | None, *, line: int, text: str) -> PipRequirement:
    """A row of conda's listings for what pip installed (build ``pypi_0``, ``<pip>``, ``dev_0`` or ``<develop>``).

    Args:
        name: The name as the row has it.
        version: Its version, if it has one.
        build: Its build, which tells an editable install.
        line: The 1-based line.
        text: The row as written.
    """
    kind = PipRequirementKind.EDITABLE if build in _EDITABLE_BUILDS else PipRequirementKind.NAMED
    # PEP 440 reserves "===" for versions outside its own grammar.
    operator = "==" if version is None or is_pip_version(version) else "==="
    return PipRequirement(
        kind=kind,
        name=canonical_name(name),
        specifier="" if version is None else f"{operator}{version}",
        pin=version,
        origin="pypi row",
        line=line,
        text=text,
    )


def read_pip_line(text: str, *, line: int, origin: str = "pip section") -> Entry:
    """Read one line of a pip section or requirements file.

    Args:
        text: The line, continuation lines joined; a comment may follow.
        line: Its 1-based line.
        origin: Where in the source it stands.

    Returns:
        An entry whose ``pip`` is set, unless the line is only a comment.
    """
    body = _COMMENT.sub("", text).strip()
    if not body:
        return Entry()
    if len(body) > MAX_SPEC_LENGTH:
        return _unreadable(body, None, line=line, origin=origin)
    if body.startswith("-"):
        option = _OPTION.fullmatch(body)
        if option is None:
            return _unreadable(body, None, line=line, origin=origin)
        return Entry(pip=_option(option, body, line=line, origin=origin))
    bare = _TRAILING_OPTIONS.sub("", body)
    # A reference is recognized first: packaging takes any text without blanks after "@" for a URL.
    if " @ " not in bare and (_VCS.match(bare) or _SCHEME.match(bare) or _PATH.match(bare) or _ARCHIVE.search(bare)):
        return Entry(pip=_reference(bare, body, line=line, origin=origin))
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PackagingRequirement

    try:
        parsed = PackagingRequirement(bare)
    except (InvalidRequirement, RecursionError):
        return _not_standard(bare, body, line=line, origin=origin)
    return Entry(pip=_named(parsed, body, line=line, origin=origin))


def _named(parsed: PackagingRequirement, text: str, *, line: int, origin: str) -> PipRequirement:
    url = parsed.url
    return PipRequirement(
        kind=PipRequirementKind.NAMED if url is None else _reference_kind(url),
        name=canonical_name(parsed.name),
        specifier=str(parsed.specifier),
        pin=_pin(parsed.specifier),
        extras=tuple(sorted(parsed.extras)),
        marker=None if parsed.marker is None else str(parsed.marker),
        url=url,
        origin=origin,
        line=line,
        text=text,
    )


def _pin(specifiers: SpecifierSet) -> str | None:
    """The one version that a specifier set names with ``==`` or ``===`` (PEP 440), ``None`` if it allows a choice."""
    pins = [item.version for item in specifiers if item.operator in ("==", "===") and not item.version.endswith(".*")]
    return pins[0] if len(set(pins)) == 1 else None


def _not_standard(bare: str, text: str, *, line: int, origin: str) -> Entry:
    """A line that PEP 508 does not accept: a reference to a Windows path, a conda spec, or nothing that can be read."""
    reference = _NAMED_REFERENCE.fullmatch(bare)
    if reference is not None:
        url = reference["url"].strip()
        requirement = PipRequirement(
            kind=_reference_kind(url),
            name=canonical_name(reference["name"]),
            extras=_extras(reference["extras"]),
            url=url,
            origin=origin,
            line=line,
            text=text,
        )
        return Entry(pip=requirement)
    conda = _CONDA_SPEC.fullmatch(bare)
    if conda is None or not PIP_NAME.fullmatch(conda["name"]):
        return _unreadable(text, None, line=line, origin=origin)
    name = canonical_name(conda["name"])
    version = conda["version"].removesuffix(".*")
    if not is_pip_version(version):
        return _unreadable(text, name, line=line, origin=origin)
    read_as = f"{name}=={version}"
    kind = DamageKind.TRAILING_EQUALS if conda["rest"] == "=" else DamageKind.CONDA_SPEC_UNDER_PIP
    requirement = PipRequirement(
        kind=PipRequirementKind.NAMED,
        name=name,
        specifier=f"=={version}",
        pin=version,
        origin=origin,
        line=line,
        text=text,
    )
    return Entry(pip=requirement, damage=(damaged(kind, name, text, line=line, read_as=read_as),))


def _unreadable(text: str, name: str | None, *, line: int, origin: str) -> Entry:
    requirement = PipRequirement(kind=PipRequirementKind.UNREADABLE, name=name, origin=origin, line=line, text=text)
    damage = damaged(DamageKind.UNREADABLE_LINE, name or text[:60], text, line=line)
    return Entry(pip=requirement, damage=(damage,))


def _option(match: re.Match[str], body: str, *, line: int, origin: str) -> PipRequirement:
    argument = match["argument"].strip().strip("\"'") or None
    kind = _FLAG_KINDS.get(match["flag"].lower(), PipRequirementKind.OPTION)
    if kind is not PipRequirementKind.EDITABLE or argument is None:
        return PipRequirement(kind=kind, url=argument, origin=origin, line=line, text=body)
    named = _NAMED_REFERENCE.fullmatch(argument) if " @ " in argument else None
    if named is not None:
        name: str | None = canonical_name(named["name"])
        extras, url = _extras(named["extras"]), named["url"].strip()
    else:
        name, extras = _told_by_reference(argument)
        url = argument
    return PipRequirement(kind=kind, name=name, extras=extras, url=url, origin=origin, line=line, text=body)


def _reference(bare: str, text: str, *, line: int, origin: str) -> PipRequirement:
    url, _, marker = bare.partition(" ;")
    url = url.strip()
    name, extras = _told_by_reference(url)
    return PipRequirement(
        kind=_reference_kind(url),
        name=name,
        extras=extras,
        marker=marker.strip() or None,
        url=url,
        origin=origin,
        line=line,
        text=text,
    )


def _reference_kind(url: str) -> PipRequirementKind:
    if _VCS.match(url):
        return PipRequirementKind.VCS
    if _SCHEME.match(url) and not url.lower().startswith("file:"):
        return PipRequirementKind.URL
    return PipRequirementKind.LOCAL_PATH


def _told_by_reference(reference: str) -> tuple[str | None, tuple[str, ...]]:
    """The project name and extras that a reference gives away: ``#egg=``, a wheel's or an sdist's file name."""
    egg = _EGG.search(reference)
    if egg is not None:
        return canonical_name(egg["name"]), _extras(egg["extras"])
    extras = _PATH_EXTRAS.search(reference)
    bare = reference if extras is None else reference[: extras.start()]
    filename = unquote(re.split(r"[\\/]", _url_path(bare))[-1])
    return _project_of_file(filename), () if extras is None else _extras(extras["extras"])


def _url_path(reference: str) -> str:
    if not _SCHEME.match(reference):
        return reference
    try:
        return urlsplit(reference).path
    except ValueError:  # an unclosed bracket in the host part
        return reference


def _project_of_file(filename: str) -> str | None:
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import InvalidVersion

    try:
        if filename.lower().endswith(".whl"):
            return parse_wheel_filename(filename)[0]
        if filename.lower().endswith((".tar.gz", ".zip")):
            return parse_sdist_filename(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
    return None


def _extras(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(sorted({extra.strip() for extra in text.split(",") if extra.strip()}))
