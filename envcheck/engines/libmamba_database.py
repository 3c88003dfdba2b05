"""A libmamba `Database` for a solve: channels by their priority, and the target's virtual packages installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from envcheck.model import VirtualPackage

__all__ = ["RankedDatabase"]


class RankedDatabase:
    """A `Database` whose repositories have the priorities of their channels.

    Args:
        library: The libmambapy module.
        database: An empty `Database`, or one with repositories that are still to be ranked.
        channels: How many channels there are.
        virtual_packages: What the target has.
        channel_priority: ``strict``, ``flexible`` or ``disabled``.
    """

    def __init__(
        self,
        library: Any,
        database: Any,
        *,
        channels: int,
        virtual_packages: Sequence[VirtualPackage],
        channel_priority: str,
    ) -> None:
        self.database = database
        self._specs = library.specs
        self._priorities = library.solver.libsolv.Priorities
        self._channels = channels
        self._virtual_packages = virtual_packages
        self._channel_priority = channel_priority
        self._installed: Any = None
        self.install_virtual_packages()

    def rank(self, repositories: Iterable[tuple[int, Any]]) -> None:
        """Give repositories the priority of their channels, which are known by their places."""
        for position, repository in repositories:
            # All repositories of a channel are alike; with the priority disabled all channels are.
            priority = 0 if self._channel_priority == "disabled" else self._channels - position
            self.database.set_repo_priority(repository, self._priorities(priority, 0))

    def prefer(self, packages: Sequence[Any]) -> Any:
        """Add a repository of packages that comes before all channels."""
        repository = self.database.add_repo_from_packages(packages, "preferred")
        self.database.set_repo_priority(repository, self._priorities(self._channels + 1, 0))
        return repository

    def install_virtual_packages(self) -> None:
        """Make the target's virtual packages, and nothing else, what is installed."""
        if self._installed is not None:
            self.database.remove_repo(self._installed)
        packages = [
            self._specs.PackageInfo(package.name, version=package.version, build_string=package.build, build_number=0)
            for package in self._virtual_packages
        ]
        self._installed = self.database.add_repo_from_packages(packages, "installed")
        self.database.set_installed_repo(self._installed)
