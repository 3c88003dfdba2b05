"""One conda requirement as written in ``environment.yml``: a MatchSpec (CEP 29), or what should have been one."""

from __future__ import annotations

import dataclasses
import re

from envcheck.limits import MAX_SPEC_LENGTH
from envcheck.model import DamageKind, PipRequirementKind, Requirement
from envcheck.sources.package_urls import is_package_url, parse_package_url
from envcheck.sources.pip_lines import looks_like_pip, read_pip_line
from envcheck.sources.reading import Entry, damaged
from envcheck.sources.rows import CONDA_NAME, PIP_BUILDS, Row, read_row, split_pasted_build
from envcheck.specs import is_version, parse_requirement

__all__ = ["read_spec"]

#: ``name=version``, ``name==version``, ``name=version=build``, each with an optional channel.
_PINNED = re.compile(
    r"(?:(?P<channel>\S+)::)?(?P<name>[A-Za-z0-9_][\w.-]*)\s*(?P<operator>==?)\s*"
    r"(?P<version>(?:\d+!)?[^=<>!~,|*\s\[\]]+)(?:=(?P<build>[^=\s\[\]]+))?"
)
#: What a build may be made of: CEP 26's characters, a glob, or a regular expression between ``^`` and ``$``.
_BUILD = re.compile(r"[\w.+*\\-]+|\^.*\$")
_LITERAL_BUILD = re.compile(r"[A-Za-z0-9_.+]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


def read_spec(text: str, *, line: int) -> Entry:
    """Read one entry of ``dependencies``.

    Args:
        text: The entry, without the list's dash.
        line: Its 1-based line.

    Returns:
        The conda requirement; or, for what is in pip's grammar or was installed by pip, the pip requirement; with the
        damage, if any. A text that is neither becomes damage alone.
    """
    written = text.strip()
    if len(written) > MAX_SPEC_LENGTH or not _PRINTABLE.fullmatch(written):
        return _unreadable(written, line=line)
    if is_package_url(written):
        row = parse_package_url(written)
        return _unreadable(written, line=line) if row is None else read_row(row, line=line, text=written)
    if looks_like_pip(written):
        return _pip_spec(written, line=line)
    if written.endswith("="):
        return _trailing_equals(written, line=line)
    pinned = _PINNED.fullmatch(written.partition(" #")[0].rstrip())
    return _match_spec(written, line=line) if pinned is None else _pinned(pinned, written, line=line)


def _match_spec(written: str, *, line: int) -> Entry:
    try:
        requirement = parse_requirement(written, line=line)
    except ValueError:
        return _unreadable(written, line=line)
    if requirement.build is not None and not _BUILD.fullmatch(requirement.build):
        return _unreadable(written, line=line)
    literal = _literal_version(requirement)
    if literal is not None and not is_version(literal):
        damage = damaged(DamageKind.NO_VERSION, requirement.name, written, line=line, read_as=requirement.name)
        return Entry(requirement=_without_version(requirement), damage=(damage,))
    return Entry(requirement=requirement)


def _literal_version(requirement: Requirement) -> str | None:
    """The version that a constraint spells out, if it is one version and no range."""
    version = requirement.version
    if version is None or version == "*" or any(character in version for character in "<>!~,|^$"):
        return None
    return version.removeprefix("==").removesuffix(".*").removesuffix("*") or None


def _without_version(requirement: Requirement) -> Requirement:
    return Requirement(
        name=requirement.name,
        channel=requirement.channel,
        subdir=requirement.subdir,
        line=requirement.line,
        text=requirement.text,
    )


def _pinned(pinned: re.Match[str], written: str, *, line: int) -> Entry:
    """The plain forms, read without a MatchSpec parser: that one rewrites ``2023.08.22`` as ``2023.8.22``.

    ``name=version=build`` and ``name==version`` are exact, ``name=version`` is any version that begins so (CEP 29).
    """
    name, version, build, channel = pinned["name"], pinned["version"], pinned["build"], pinned["channel"]
    fuzzy = pinned["operator"] == "=" and build is None
    if build is not None and build not in PIP_BUILDS and not _BUILD.fullmatch(build):
        return _unreadable(written, line=line)
    if not fuzzy or channel == "pypi" or split_pasted_build(version) is not None or not is_version(version):
        glob = build is not None and build not in PIP_BUILDS and not _LITERAL_BUILD.fullmatch(build)
        row = Row(name=name, version=version, build=None if glob else build, channel=channel)
        entry = read_row(row, line=line, text=written)
        return _with_build(entry, build) if glob else entry
    requirement = Requirement(
        name=name.lower(), version=f"{version}.*", pin=version, channel=channel, line=line, text=written
    )
    return Entry(requirement=requirement)


def _with_build(entry: Entry, build: str) -> Entry:
    """Put a build glob, which no listing has, back on what was read as a row."""
    if entry.requirement is None or entry.requirement.version is None:
        return entry
    return Entry(requirement=dataclasses.replace(entry.requirement, build=build), damage=entry.damage)


def _trailing_equals(written: str, *, line: int) -> Entry:
    """``name=version=`` had its build cut off and is exact; ``name=`` had its version cut off."""
    bare = written.rstrip("=").rstrip()
    name, _, version = (part.strip() for part in bare.partition("="))
    if not CONDA_NAME.fullmatch(name):
        return _unreadable(written, line=line)
    entry = read_row(Row(name=name, version=version.lstrip("= ") or None), line=line, text=written)
    damage = damaged(DamageKind.TRAILING_EQUALS, name.lower(), written, line=line, read_as=bare)
    return entry.with_damage(damage)


def _pip_spec(written: str, *, line: int) -> Entry:
    entry = read_pip_line(written, line=line, origin="dependencies")
    if entry.pip is None or entry.pip.kind is PipRequirementKind.UNREADABLE:
        return _unreadable(written, line=line)
    subject = entry.pip.name or written[:60]
    damage = damaged(DamageKind.PIP_SPEC_UNDER_CONDA, subject, written, line=line, read_as=entry.pip.text)
    return entry.with_damage(damage)


def _unreadable(written: str, *, line: int) -> Entry:
    return Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, written[:60], written, line=line),))
