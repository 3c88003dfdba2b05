"""Lock formats, one module per format and version.

Every module has ``FORMAT`` (its name here), ``DEFAULT_FILENAME`` and a pure ``render``; those that hold exact packages
also have ``read`` and ``verify``. Nothing here touches the disk: `envcheck.files.write_atomically` does.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType, ModuleType
from typing import NamedTuple

__all__ = ["CHOICES", "FORMATS", "LockChoice", "load_format"]

FORMATS = MappingProxyType(
    {
        "conda-lock-v1": "envcheck.locks.conda_lock_v1",
        "pixi-lock-v7": "envcheck.locks.pixi_lock_v7",
        "explicit": "envcheck.locks.explicit",
        "pip-requirements": "envcheck.locks.pip_requirements",
        "environment-yaml": "envcheck.locks.environment_yaml",
        "cyclonedx-json": "envcheck.locks.sbom",
    }
)
"""Every format by name, with the module that implements it; imported when it is used."""


class LockChoice(NamedTuple):
    """A format that a lock can be written in: its name in `FORMATS`, and what a lock of it is called by default.

    No dataclass, as help pages load this and need nothing else of `dataclasses`.
    """

    format: str
    filename: str


CHOICES = MappingProxyType(
    {
        "conda-lock": LockChoice("conda-lock-v1", "conda-lock.yml"),
        "pixi": LockChoice("pixi-lock-v7", "pixi.lock"),
        "explicit": LockChoice("explicit", "conda-{platform}.lock"),
    }
)
"""What ``--lock-format`` offers. Each but ``explicit``, which has files beside it, has ``render_lock`` of a draft."""


def load_format(name: str) -> ModuleType:
    """Import the module of a format.

    Raises:
        KeyError: There is no such format.
    """
    return importlib.import_module(FORMATS[name])
