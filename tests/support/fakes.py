"""Small hand-made universes: channels on disk, the real engine over them, a world that remembers what it was asked.

What stands in for the outside is told in full by the test; nothing of envcheck is patched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from envcheck.engines import Index, LoadOptions
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import (
    Channel,
    Environment,
    PipAvailability,
    PipPresence,
    Requirement,
    Target,
    VirtualPackage,
)
from envcheck.pip.lookup import Lookup, Progress
from envcheck.specs import parse_requirement
from tests.support.channels import LINUX, channel, write_channel

__all__ = ["FakePackageIndex", "FakeWorld", "Universe", "environment", "on_pypi", "rows"]

Channels = Mapping[str, Mapping[str, Iterable[Mapping[str, Any]]]]
"""Channel name → subdir → records, as `tests.support.channels.record` makes them."""


class Universe:
    """Channels on disk that can be loaded in any combination and order."""

    def __init__(self, directory: Path, channels: Channels) -> None:
        self._directory = directory
        self._engine = RattlerEngine()
        self._options = LoadOptions(cache_directory=str(directory / "cache"), offline=True)
        for name, subdirs in channels.items():
            write_channel(directory / name, {"noarch": [], **subdirs})

    def channel(self, name: str) -> Channel:
        """A channel of this universe."""
        return channel(self._directory / name, name)

    def target(
        self, *names: str, platform: str = "linux-64", priority: str = "flexible", virtual: Iterable[str] = ()
    ) -> Target:
        """A target with some channels, and virtual packages (``__cuda=12.4``) beyond those of a usual image."""
        more = tuple(VirtualPackage(name=text.partition("=")[0], version=text.partition("=")[2]) for text in virtual)
        return Target(
            platform=platform,
            virtual_packages=(*LINUX, *more),
            channels=tuple(self.channel(name) for name in names),
            channel_priority=priority,
        )

    def index(self, target: Target, *, platform: str | None = None, exclude_newer: int | None = None) -> Index:
        """The target's channels, loaded."""
        options = LoadOptions(cache_directory=self._options.cache_directory, offline=True, exclude_newer=exclude_newer)
        return self._engine.load(
            target.channels,
            platform or target.platform,
            target.virtual_packages,
            channel_priority=target.channel_priority,
            options=options,
        )


class FakeWorld:
    """An `envcheck.survey.World` over a universe; ``asked`` holds every question that went beyond the target's index.

    ``others`` are the names of the channels that are known besides the target's; ``pypi`` is the package index.
    """

    def __init__(
        self,
        universe: Universe,
        target: Target,
        *,
        others: Sequence[str] = (),
        pypi: Mapping[str, PipAvailability] | None = None,
        exclude_newer: int | None = None,
    ) -> None:
        self._universe = universe
        self._target = target
        self._others = others
        self._pypi = pypi
        self._index = universe.index(target, exclude_newer=exclude_newer)
        self.asked: list[str] = []

    @property
    def index(self) -> Index:
        return self._index

    def for_platform(self, platform: str) -> Index | None:
        self.asked.append(f"platform {platform}")
        return self._universe.index(self._target, platform=platform)

    def other_channels(self, platform: str) -> Sequence[tuple[Channel, Index]]:
        self.asked.append(f"other channels {platform}")
        targets = [self._universe.target(name, platform=platform) for name in self._others]
        return [(target.channels[0], self._universe.index(target)) for target in targets]

    def with_channels(self, added: Sequence[Channel]) -> Index:
        names = [one.name for one in (*self._target.channels, *added)]
        target = self._universe.target(*names, priority=self._target.channel_priority)
        return self._universe.index(target)

    def on_package_index(
        self, projects: Sequence[tuple[str, str | None]]
    ) -> Mapping[tuple[str, str | None], PipAvailability]:
        self.asked.append("package index " + " ".join(sorted(name for name, _ in projects)))
        if self._pypi is None:
            return {}
        missing = PipPresence.NO_PROJECT
        return {
            (name, pin): self._pypi.get(name, PipAvailability(name=name, pin=pin, presence=missing))
            for name, pin in projects
        }


class FakePackageIndex:
    """An `envcheck.pip.lookup.PackageIndex` that knows what it is told and counts how often it was asked."""

    def __init__(self, answers: Mapping[str, Lookup] | None = None) -> None:
        self._answers = dict(answers or {})
        self.asked: list[tuple[str, ...]] = []

    def project(self, name: str) -> Lookup:
        self.asked.append((name,))
        return self._answers.get(name)

    def projects(self, names: Iterable[str], *, progress: Progress | None = None) -> Mapping[str, Lookup]:
        asked = tuple(names)
        self.asked.append(asked)
        return {name: self._answers.get(name) for name in asked}

    def close(self) -> None:
        pass


def rows(*specs: str) -> tuple[Requirement, ...]:
    """Requirements of MatchSpecs, one per line."""
    return tuple(parse_requirement(spec, line=number) for number, spec in enumerate(specs, start=1))


def environment(*specs: str, python: str | None = None, implied: tuple[str, ...] = ()) -> Environment:
    """A normalized environment of MatchSpecs; the Python to have is that of the python row unless it is told."""
    requirements = rows(*specs)
    row = next((one for one in requirements if one.name == "python" and one.pin is not None), None)
    if python is None and row is not None and row.pin is not None:
        python = f"{'.'.join(row.pin.split('.')[:2])}.*"
    return Environment(
        platform="linux-64", name="test", requirements=requirements, pip=(), python=python, implied=implied
    )


def on_pypi(
    name: str, version: str = "1.0", presence: PipPresence = PipPresence.PURE_WHEEL, detail: str = ""
) -> PipAvailability:
    """The package index's answer about a project that it has."""
    return PipAvailability(name=name, pin=version, presence=presence, version=version, detail=detail)
