"""The content hash of a conda-lock.yml, by conda-lock's own code: it tells whether a lock is still that of its source.

Only to be called where conda-lock is known to be importable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from envcheck.language import say
from envcheck.locks.contents import LockError, PlatformLock
from envcheck.secrets import strip_secrets

__all__ = ["content_hash"]


def content_hash(lock: PlatformLock, channels: Sequence[Any]) -> str:
    """The hash that conda-lock computes of channels, requirements and virtual packages (``conda_lock.content_hash``).

    It equals conda-lock's own for the environment.yml that holds these requirements, channels and pip section, with
    these virtual packages. Lines of a pip section that conda-lock cannot read (options, local paths) are left out.

    Args:
        lock: What is locked for the platform, and what was asked for.
        channels: The channels of the lock, as conda-lock's models.

    Raises:
        LockError: conda-lock cannot read a requirement.
    """
    from conda_lock.content_hash import compute_content_hashes  # type: ignore[import-untyped]
    from conda_lock.models.lock_spec import LockSpecification  # type: ignore[import-untyped]
    from conda_lock.virtual_package import FakeRepoData  # type: ignore[import-untyped]
    from conda_lock.virtual_package import VirtualPackage as LockVirtualPackage

    packages: dict[str, Any] = {}
    for virtual in lock.virtual_packages:
        # conda-lock writes no build string where the build is the default one.
        build = "" if virtual.build == "0" else virtual.build
        entry = LockVirtualPackage(name=virtual.name, version=virtual.version, build_string=build)
        filename, described = entry.to_repodata_entry(subdir=lock.platform)
        packages[filename] = described
    # FakeRepoData.write() would fill this in by way of the disk.
    repodata = FakeRepoData(base_path=Path(), all_repodata={
        "noarch": {"info": {"subdir": "noarch"}, "packages": {}},
        lock.platform: {"info": {"subdir": lock.platform}, "packages": packages},
    })  # fmt: skip
    asked = [_requirement(text) for text in sorted(lock.requirements)]
    if lock.pip_requirements:
        # It adds a pip of any version, which it writes otherwise than the one that an environment file asks for.
        pip = _requirement("pip").model_copy(update={"version": "*"})
        asked += [*_pip_requirements(lock.pip_requirements, lock.platform), pip]
    # conda-lock too keeps the last of those of one name (``src_parser/aggregation.py``).
    unique = {(one.manager, one.name): one for one in asked}
    specification = LockSpecification(
        dependencies={lock.platform: list(unique.values())},
        channels=list(channels),
        sources=[],
    )
    return str(compute_content_hashes(specification, repodata)[lock.platform])


def _requirement(text: str) -> Any:
    """A MatchSpec as conda-lock reads it from an environment.yml.

    The channel is taken off first: conda-lock's copy of conda would resolve it by the user's ``.condarc``.
    """
    from conda_lock.src_parser.conda_common import conda_spec_to_versioned_dep  # type: ignore[import-untyped]

    channel, separator, bare = text.rpartition("::")
    try:
        dependency = conda_spec_to_versioned_dep(bare, "main")
    except RuntimeError as error:
        raise LockError(say("conda-lock cannot read the requirement {text!r}.", text=text)) from error
    return dependency.model_copy(update={"conda_channel": strip_secrets(channel)}) if separator else dependency


def _pip_requirements(lines: Sequence[str], platform: str) -> Iterator[Any]:
    """The lines of a pip section as conda-lock reads them from an environment.yml."""
    from conda_lock.src_parser.markers import evaluate_marker  # type: ignore[import-untyped]
    from conda_lock.src_parser.pyproject_toml import parse_python_requirement  # type: ignore[import-untyped]
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            url = Requirement(line).url
        except InvalidRequirement:
            continue
        # It looks on the disk for what is at any other address.
        if url is not None and not url.startswith(("git+", "https://", "ssh://")):
            continue
        # The map of names is only for requirements that conda is to fulfil.
        dependency = parse_python_requirement(line, manager="pip", category="main", mapping_url="")
        if evaluate_marker(dependency.markers, platform):
            yield dependency
