"""A software bill of materials of a lock: CycloneDX 1.6 as JSON (https://cyclonedx.org/docs/1.6/json/).

What stands in it is what stands in the lock: every file with its hashes and its address, who needs whom, and package
URLs after https://github.com/package-url/purl-spec. Of several platforms there is one bill, as there is one lock: a
component names the platforms that have it, and a file that several have stands in it once. The same lock gives the same
bytes: the serial number is made from the content, and there is a date only where somebody gives one. Licences are not
in it, as a channel's index of records is not where they are held against the files.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envcheck import __version__
from envcheck.locks.contents import (
    PlatformLock,
    require_lockable,
    require_lockable_distributions,
    split_dependency,
)
from envcheck.model import LockedDistribution, Record
from envcheck.secrets import strip_secrets

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

__all__ = ["DEFAULT_FILENAME", "FORMAT", "purl_of_distribution", "purl_of_record", "render"]

FORMAT = "cyclonedx-json"
DEFAULT_FILENAME = "sbom.cdx.json"

_ROOT = "environment"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/docs/1.6/json/")
# Hosts whose channels the specification of package URLs has by name alone: channel=main.
_WELL_KNOWN_HOSTS = ("conda.anaconda.org", "repo.anaconda.com")
_PYPI_FILES = "https://files.pythonhosted.org/"


@dataclass(slots=True)
class _Part:
    """A component on its way: what it is, the platforms that have it, and the package URLs of what it needs."""

    described: Record | LockedDistribution
    purl: str
    platforms: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    asked_for: bool = False


def render(locks: Sequence[PlatformLock], *, name: str, direct: Sequence[str] = (), date: int | None = None) -> str:
    """The bill of a lock as text; the same bytes for the same arguments.

    Args:
        locks: What is locked, one entry per platform, in any order.
        name: What the environment is called.
        direct: The names of conda packages and distributions that were asked for.
        date: When the bill was made, in seconds since 1970 (``SOURCE_DATE_EPOCH``); ``None`` leaves that out.

    Raises:
        LockError: A package has no URL, no hash, or a URL with credentials.
    """
    for lock in locks:
        require_lockable(lock.packages, hashes=("sha256", "md5"))
        require_lockable_distributions(lock.distributions)
    parts: dict[str, _Part] = {}
    for lock in sorted(locks, key=lambda one: one.platform):
        _collect(lock, frozenset(direct), parts)
    document = _document([parts[purl] for purl in sorted(parts)], name)
    if date is not None:
        moment = dt.datetime.fromtimestamp(date, dt.timezone.utc)
        document["metadata"]["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    else:
        del document["metadata"]["timestamp"]
    del document["serialNumber"]
    content = json.dumps(document, sort_keys=True, ensure_ascii=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, content).urn
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def purl_of_record(record: Record) -> str:
    """The package URL of a conda package, type ``conda`` of the specification: build, channel, subdir and archive."""
    from packageurl import PackageURL

    archive = "tar.bz2" if record.url.endswith(".tar.bz2") else "conda"
    qualifiers = {
        "build": record.build,
        "channel": _channel(record.channel),
        "subdir": record.subdir,
        "type": archive,
    }
    return PackageURL("conda", None, record.name, record.version, qualifiers).to_string()


def purl_of_distribution(distribution: LockedDistribution) -> str:
    """The package URL of a distribution, type ``pypi``; what is not PyPI's tells where it comes from."""
    from packageurl import PackageURL

    qualifiers: dict[str, str] = {}
    if distribution.url.startswith(("git+", "hg+", "bzr+", "svn+")):
        qualifiers["vcs_url"] = distribution.url
    else:
        qualifiers["file_name"] = distribution.filename
        if not distribution.url.startswith(_PYPI_FILES):
            qualifiers["download_url"] = distribution.url
    return PackageURL("pypi", None, distribution.name, distribution.version, qualifiers).to_string()


def _channel(url: str) -> str:
    """A channel as package URLs have it: the well-known ones by name, any other by its address."""
    parts = urlsplit(strip_secrets(url).rstrip("/"))
    if parts.hostname in _WELL_KNOWN_HOSTS:
        return parts.path.strip("/").removeprefix("pkgs/")
    return parts.geturl()


def _collect(lock: PlatformLock, direct: frozenset[str], parts: dict[str, _Part]) -> None:
    """Add what one platform has, and who needs whom there."""
    conda = {record.name: purl_of_record(record) for record in lock.packages}
    pip = {one.name: purl_of_distribution(one) for one in lock.distributions}
    held = {project: conda[package] for project, package in lock.provided if package in conda}
    python = next((record.version for record in lock.packages if record.name == "python"), None)
    described = {purl_of_record(one): one for one in lock.packages} | {
        purl_of_distribution(one): one for one in lock.distributions
    }
    for purl, one in described.items():
        part = parts.setdefault(purl, _Part(one, purl))
        part.platforms.add(lock.platform)
        part.asked_for |= one.name in direct
        if isinstance(one, Record):
            names = (split_dependency(text)[0] for text in one.depends)
            part.needs |= {conda[name] for name in names if name in conda}
        else:
            # A distribution comes before the conda package that only has its name.
            known = {**conda, **held, **pip}
            needed = _needed(one.requires, python=python, platform=lock.platform)
            part.needs |= {known[name] for name in needed if name in known}
            if "python" in conda:
                part.needs.add(conda["python"])
        part.needs.discard(purl)


def _needed(requires: Sequence[str], *, python: str | None, platform: str) -> Iterator[str]:
    """The projects that a distribution needs on a platform by its own metadata, without its extras."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    from envcheck.pip.markers import holds

    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if holds(str(requirement.marker or ""), python=python, platform=platform):
            yield canonicalize_name(requirement.name)


def _document(parts: Sequence[_Part], name: str) -> dict[str, Any]:
    """The bill as its library writes it, validated by construction."""
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    root = Component(name=name, type=ComponentType.APPLICATION, bom_ref=_ROOT)
    tool = Component(name="envcheck", version=__version__, type=ComponentType.APPLICATION, bom_ref="envcheck")
    bom = Bom(
        metadata=BomMetaData(
            component=root,
            tools=ToolRepository(components=[tool]),
            lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.PRE_BUILD)],
        )
    )
    components = {part.purl: _component(part) for part in parts}
    bom.components.update(components.values())
    needed = {purl for part in parts for purl in part.needs}
    bom.register_dependency(
        root, [components[part.purl] for part in parts if part.asked_for or part.purl not in needed]
    )
    for part in parts:
        bom.register_dependency(components[part.purl], [components[purl] for purl in sorted(part.needs)])
    document: dict[str, Any] = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    return document


def _component(part: _Part) -> Component:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    one = part.described
    known = ((HashAlgorithm.MD5, getattr(one, "md5", None)), (HashAlgorithm.SHA_256, one.sha256))
    is_vcs = one.url.startswith(("git+", "hg+", "bzr+", "svn+"))
    kind = ExternalReferenceType.VCS if is_vcs else ExternalReferenceType.DISTRIBUTION
    return Component(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        bom_ref=part.purl,
        purl=PackageURL.from_string(part.purl),
        hashes=[HashType(alg=algorithm, content=value) for algorithm, value in known if value is not None],
        external_references=[ExternalReference(type=kind, url=XsUri(one.url))],
        properties=[Property(name="envcheck:platform", value=platform) for platform in sorted(part.platforms)],
    )
