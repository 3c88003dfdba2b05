"""Where one package exists, and what keeps it out of an environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from envcheck.api.arguments import bytes_of, name_of, texts
from envcheck.api.session import Session, resources_of

if TYPE_CHECKING:
    from envcheck.explain import Explanation
    from envcheck.model import Requirement

__all__ = ["explain_package"]


def explain_package(
    spec: str | Requirement,
    *,
    source: str | os.PathLike[str] | bytes | None = None,
    name: str | None = None,
    platform: str = "linux-64",
    channels: Sequence[str] = (),
    override_channels: bool = False,
    image: str | None = None,
    virtual_packages: Sequence[str] = (),
    no_pip: bool = False,
    session: Session | None = None,
) -> Explanation:
    """Say where a package exists, as ``envcheck explain`` does, and why an environment cannot have it.

    Args:
        spec: ``NAME``, ``NAME=VERSION`` or ``NAME=VERSION=BUILD``.
        source: The environment that it is to be in: a file, or its bytes. Without one the channels are those of the
            configuration and ``channels``.
        name: What the source is called; without a name its path, and ``-`` for bytes.
        platform: The target's conda subdir.
        channels: Put before the channels of the source or of the configuration.
        override_channels: Whether ``channels`` are the only ones.
        image: The base image whose C library and CUDA driver the target has.
        virtual_packages: More that the target has, as ``NAME=VERSION``; later ones win.
        no_pip: Whether the Python package index is left out.
        session: What this call shares with others; without one, it has its own, with the user's configuration.

    Returns:
        Where it is, in which versions and builds, and with a source where it stands in its closest environment.

    Raises:
        SourceError: The source cannot be read.
        ConfigurationError: An option or a configuration value cannot be used.
        ChannelError: No channel at all could be loaded.
        EngineError: The engine broke.
        TypeError: An argument that takes several texts was given one.
        ValueError: The text is no such specification.

    Example:
        ::

            explanation = explain_package("hdf5=1.14.2", channels=["conda-forge"])
            if not explanation.found:
                print("nearest:", *explanation.nearest)
    """
    from envcheck.explain import asked_package, configured_target, explain
    from envcheck.world import LoadedWorld

    requirement = asked_package(spec) if isinstance(spec, str) else spec
    options = {
        "channels": texts("channels", channels),
        "override_channels": override_channels,
        "image": image,
        "virtual_packages": texts("virtual_packages", virtual_packages),
        "no_pip": no_pip,
    }
    data = b"" if source is None else bytes_of(source)
    called = "" if source is None else name_of(source, name)
    with resources_of(session) as resources:
        request, services = resources.request(called, data, platform, **options), resources.services
        if source is None:
            target = configured_target(request)
            return explain(requirement, target, LoadedWorld(request, target, services, (), python=None))

        from envcheck.kept_out import standing_in
        from envcheck.pipeline import check

        report = check(request, services)
        environment = report.environment
        world = LoadedWorld(request, report.target, services, environment.channels, python=environment.python)
        return explain(requirement, report.target, world, standing=standing_in(requirement, report, world))
